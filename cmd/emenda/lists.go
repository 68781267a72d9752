package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/plugins"
)

type routesCommand struct {
	configFlag
	Format string `enum:"text,json" default:"text" help:"How to print the list: text or json."`
}

// Help shows examples.
func (routesCommand) Help() string {
	return `Lists what can be asked for, in the order in which routes are looked at: a path that is wholly literal before one with {parameters} in its place. A slash at the end in brackets may be left out.

Examples:

  emenda routes
  emenda routes --format json`
}

// listedRoute is a route as the list shows it.
type listedRoute struct {
	Methods []string `json:"methods"`
	Paths   []string `json:"paths"` // all spellings
	Dialect string   `json:"dialect"`
	Needs   string   `json:"needs"`
	Repeat  string   `json:"repeat,omitempty"` // how long the first answer is given
	Changes bool     `json:"changes"`
	Timeout string   `json:"timeout"`
	File    string   `json:"file"`
	Summary string   `json:"summary"`
}

// Run lists the routes.
func (c *routesCommand) Run(s *streams) error {
	loaded, _, err := loadGood(c.Config, s)
	if err != nil {
		return err
	}
	all := []listedRoute{}
	var short [][]string // as the table shows the paths
	paths := intake.NewPaths(loaded.Set)
	for _, r := range paths.Routes {
		l := listedRoute{
			Methods: r.Methods, Paths: intake.Spellings(r), Dialect: r.Dialect.Name, Needs: r.Needs,
			Changes: r.Changes, Timeout: r.Timeout.String(), File: r.Plan.File.Name, Summary: strings.TrimSpace(r.Plan.Summary),
		}
		if r.Repeat != nil {
			l.Repeat = r.Repeat.For.String()
		}
		all, short = append(all, l), append(short, shortPaths(intake.Spellings(r)))
	}
	for _, w := range paths.Ways {
		if e := w.Exposed; e != nil {
			all, short = append(all, exposedRoute(w, e)), append(short, shortPaths(w.Spellings()))
		}
	}
	if c.Format == "json" {
		out := json.NewEncoder(s.out)
		out.SetEscapeHTML(false)
		return out.Encode(all)
	}
	t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "METHOD\tPATH\tDIALECT\tNEEDS\tREPEAT\tFILE\tSUMMARY")
	for i, l := range all {
		repeat := l.Repeat
		if repeat == "" {
			repeat = "-"
		}
		for _, path := range short[i] {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", strings.Join(l.Methods, ","), path, l.Dialect, l.Needs, repeat, l.File, l.Summary)
		}
	}
	return t.Flush()
}

// exposedRoute lists an exposed operation, or those that share its method and path.
func exposedRoute(w *intake.Way, e *mapping.Exposed) listedRoute {
	l := listedRoute{Methods: w.Methods, Paths: w.Spellings(), Dialect: e.Dialect.Name, Timeout: e.Timeout.String(), File: e.At.File.Name}
	var needs, summaries []string
	for _, op := range e.Operations {
		l.Changes = l.Changes || op.Changes
		needs = append(needs, op.Needs)
		summaries = append(summaries, op.Name()+": "+strings.TrimSpace(op.Summary))
	}
	slices.Sort(needs)
	l.Needs, l.Summary = strings.Join(slices.Compact(needs), ", "), strings.Join(summaries, "; ")
	return l
}

// shortPaths gives paths, those with and without a slash at the end as one.
func shortPaths(spellings []string) (all []string) {
	for _, path := range spellings {
		if n := len(all); n > 0 && path == all[n-1]+"/" {
			all[n-1] += "[/]"
			continue
		}
		all = append(all, path)
	}
	return all
}

type functionsCommand struct {
	Name   string `arg:"" optional:"" help:"One function; without it, all."`
	Format string `enum:"text,json" default:"text" help:"How to print them: text or json."`
}

// Help shows examples.
func (functionsCommand) Help() string {
	return `Shows the functions that expressions may call: signature, meaning, and an example with its result. A ? marks what may be left out, … what may be given several times.

Examples:

  emenda functions
  emenda functions cpfcnpj_mask
  emenda functions --format json`
}

// listedFunction is a function as the list shows it.
type listedFunction struct {
	Name      string `json:"name"`
	Signature string `json:"signature"`
	Help      string `json:"help"`
	Example   string `json:"example"`
	Gives     string `json:"gives"` // JSON
}

// Run shows the functions.
func (c *functionsCommand) Run(s *streams) error {
	known, err := expr.NewFunctions(plugins.Functions()...)
	if err != nil {
		return err
	}
	all := []listedFunction{}
	var names []string
	for _, fn := range known.All() {
		names = append(names, fn.Name)
		if c.Name == "" || c.Name == fn.Name {
			all = append(all, listedFunction{fn.Name, fn.Signature(), fn.Help, fn.Example.Expr, fn.Example.Gives})
		}
	}
	if len(all) == 0 {
		hint := "\"emenda functions\" lists them"
		if near := diag.Suggest(c.Name, names); near != "" {
			hint = "did you mean " + near + "?"
		}
		return fmt.Errorf("there is no function %q: %s", c.Name, hint)
	}
	switch {
	case c.Format == "json":
		out := json.NewEncoder(s.out)
		out.SetEscapeHTML(false)
		return out.Encode(all)
	case c.Name != "":
		f := all[0]
		_, err := fmt.Fprintf(s.out, "%s\n  %s\n  ${%s}  gives  %s\n", f.Signature, f.Help, f.Example, f.Gives)
		return err
	}
	t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, f := range all {
		fmt.Fprintf(t, "%s\t%s\n", f.Signature, f.Help)
	}
	return t.Flush()
}
