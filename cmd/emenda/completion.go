package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/emenda-gateway/emenda/internal/schema"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help shows examples.
func (completionCommand) Help() string {
	return `Prints what makes a shell complete commands, flags and their values.

Examples:

  source <(emenda completion bash)
  emenda completion zsh > ~/.zfunc/_emenda
  emenda completion fish > ~/.config/fish/completions/emenda.fish`
}

// Run prints the script.
func (c *completionCommand) Run(k *kong.Context, s *streams) error {
	all := completed(k.Model.Node)
	switch c.Shell {
	case "zsh":
		completeZsh(s.out, all)
	case "fish":
		completeFish(s.out, all)
	default:
		completeBash(s.out, all)
	}
	return nil
}

// completedCommand is a command as shells complete it.
type completedCommand struct {
	name, help string
	words      []string // of its argument
	flags      []completedFlag
}

type completedFlag struct {
	name, help string
	words      []string // its values, where they are few
	takes      bool     // it has a value
}

// completed reads the commands off the command line's own description.
func completed(n *kong.Node) (all []completedCommand) {
	for _, child := range n.Children {
		c := completedCommand{name: child.Name, help: child.Help}
		switch child.Name { // what is known only elsewhere
		case "schema":
			c.words = schema.Kinds()
		case "explain":
			c.words = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
		}
		for _, p := range child.Positional {
			if p.Enum != "" {
				c.words = p.EnumSlice()
			}
		}
		c.take(child)
		for _, below := range child.Children {
			c.words = append(c.words, below.Name)
			c.take(below)
		}
		all = append(all, c)
	}
	return all
}

// take adds the flags of a command.
func (c *completedCommand) take(n *kong.Node) {
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			if slices.ContainsFunc(c.flags, func(have completedFlag) bool { return have.name == f.Name }) {
				continue
			}
			flag := completedFlag{name: f.Name, help: kong.DefaultHelpValueFormatter(f.Value), takes: !f.IsBool()}
			if f.Enum != "" {
				flag.words = f.EnumSlice()
			}
			c.flags = append(c.flags, flag)
		}
	}
}

func commandNames(all []completedCommand) string {
	var names []string
	for _, c := range all {
		names = append(names, c.name)
	}
	return strings.Join(names, " ")
}

func flagNames(c *completedCommand) string {
	var names []string
	for _, f := range c.flags {
		names = append(names, "--"+f.name)
	}
	return strings.Join(names, " ")
}

func completeBash(w io.Writer, all []completedCommand) {
	fmt.Fprint(w, `# bash completion of emenda
_emenda() {
	local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" words="" values=""
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "`+commandNames(all)+` --help" -- "$cur"))
		return
	fi
	case "${COMP_WORDS[1]} $prev" in
`)
	for i := range all {
		for _, f := range all[i].flags {
			if len(f.words) > 0 {
				fmt.Fprintf(w, "\t\"%s --%s\") values=\"%s\" ;;\n", all[i].name, f.name, strings.Join(f.words, " "))
			}
		}
	}
	fmt.Fprint(w, `	esac
	if [ -n "$values" ]; then
		COMPREPLY=($(compgen -W "$values" -- "$cur"))
		return
	fi
	case "${COMP_WORDS[1]} ${cur:0:1}" in
`)
	for i := range all {
		c := &all[i]
		fmt.Fprintf(w, "\t\"%s -\") words=\"%s\" ;;\n", c.name, flagNames(c))
		if len(c.words) > 0 {
			fmt.Fprintf(w, "\t\"%s \"*) [ \"$COMP_CWORD\" -eq 2 ] && words=\"%s\" ;;\n", c.name, strings.Join(c.words, " "))
		}
	}
	fmt.Fprint(w, `	esac
	if [ -n "$words" ]; then
		COMPREPLY=($(compgen -W "$words" -- "$cur"))
	else
		COMPREPLY=($(compgen -f -- "$cur"))
	fi
}
complete -F _emenda emenda
`)
}

// zshWord spells a text inside the single quotes of a specification.
func zshWord(s string) string {
	return strings.NewReplacer("'", `'\''`, `\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`).Replace(s)
}

func completeZsh(w io.Writer, all []completedCommand) {
	fmt.Fprint(w, "#compdef emenda\n_emenda() {\n\tif (( CURRENT == 2 )); then\n\t\tlocal -a commands=(\n")
	for i := range all {
		fmt.Fprintf(w, "\t\t\t'%s:%s'\n", all[i].name, zshWord(all[i].help))
	}
	fmt.Fprint(w, "\t\t)\n\t\t_describe command commands\n\t\treturn\n\tfi\n\tlocal command=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n\tcase $command in\n")
	for i := range all {
		c := &all[i]
		fmt.Fprintf(w, "\t%s)\n\t\t_arguments", c.name)
		for _, f := range c.flags {
			spec := "--" + f.name
			if f.takes {
				spec += "="
			}
			spec += "[" + zshWord(f.help) + "]"
			switch {
			case len(f.words) > 0:
				spec += ":value:(" + strings.Join(f.words, " ") + ")"
			case f.takes:
				spec += ":value:_files"
			}
			fmt.Fprintf(w, " \\\n\t\t\t'%s'", spec)
		}
		if len(c.words) > 0 {
			fmt.Fprintf(w, " \\\n\t\t\t'1:value:(%s)'", strings.Join(c.words, " "))
		}
		fmt.Fprint(w, " \\\n\t\t\t'*:file:_files'\n\t\t;;\n")
	}
	fmt.Fprint(w, "\tesac\n}\ncompdef _emenda emenda\n[ \"$funcstack[1]\" = _emenda ] && _emenda \"$@\"\n")
}

// fishWord spells a text inside single quotes.
func fishWord(s string) string { return strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) }

func completeFish(w io.Writer, all []completedCommand) {
	fmt.Fprint(w, "# fish completion of emenda\n")
	for i := range all {
		c := &all[i]
		fmt.Fprintf(w, "complete -c emenda -f -n __fish_use_subcommand -a %s -d '%s'\n", c.name, fishWord(c.help))
		on := "-n '__fish_seen_subcommand_from " + c.name + "'"
		if len(c.words) > 0 {
			fmt.Fprintf(w, "complete -c emenda %s -a '%s'\n", on, strings.Join(c.words, " "))
		}
		for _, f := range c.flags {
			line := fmt.Sprintf("complete -c emenda %s -l %s -d '%s'", on, f.name, fishWord(f.help))
			switch {
			case len(f.words) > 0:
				line += " -x -a '" + strings.Join(slices.Clone(f.words), " ") + "'"
			case f.takes:
				line += " -r"
			}
			fmt.Fprintln(w, line)
		}
	}
}
