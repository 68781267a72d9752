package reference

import (
	_ "embed" // the page's head
	"fmt"
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// PageFile is the page this package writes, below the repository's root.
const PageFile = "docs/mapping.md"

//go:embed head.md
var head string

// Page gives docs/mapping.md: its head, and every word of the language with
// the executed case that shows it. The same cases give the same page.
func (c *Cases) Page() (string, error) {
	cov, err := c.Cover()
	if err != nil {
		return "", err
	}
	p := &page{c: c, cov: cov}
	if err := p.head(); err != nil {
		return "", err
	}
	p.keys()
	p.entries("Building values", "word", expr.Directives(), cov.Directives)
	p.entries("Names", "name", expr.StandingNames(), cov.Names)
	p.entries("Operators", "operator", expr.Operators(), cov.Operators)
	p.entries("Built-ins with a condition", "built-in", expr.Predicates(), cov.Predicates)
	p.functions()
	p.formats()
	return strings.TrimRight(p.b.String(), "\n") + "\n", nil
}

type page struct {
	b   strings.Builder
	c   *Cases
	cov *Covered
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(&p.b, format, args...) }

// head writes head.md with its marks replaced: a line {{case FILE}} by that
// whole file, {{error FILE OLD NEW}} by what the checker says when OLD is NEW there.
func (p *page) head() error {
	for line := range strings.Lines(head) {
		mark, ok := strings.CutPrefix(strings.TrimSpace(line), "{{")
		if !ok {
			p.b.WriteString(line)
			continue
		}
		words := strings.Fields(strings.TrimSuffix(mark, "}}"))
		f := p.file(words[1])
		if f == nil {
			return fmt.Errorf("head.md: there is no case file %s", words[1])
		}
		switch words[0] {
		case "case":
			p.printf("```yaml\n# %s/%s\n%s```\n", CasesFolder, f.Name, f.File.Text)
		case "error":
			b, err := newBench(p.c)
			if err != nil {
				return err
			}
			p.printf("```\n%s```\n", b.notices(f.Name, strings.Replace(f.File.Text, words[2], words[3], 1)))
		default:
			return fmt.Errorf("head.md: unknown mark %s", words[0])
		}
	}
	return nil
}

func (p *page) file(name string) *CaseFile {
	for _, f := range p.c.Files {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// keys writes the keys of every kind of file.
func (p *page) keys() {
	p.printf("\n## Keys\n\nEvery key of every kind of file. *Case* is a file under `%s` in which a test executes it. ", CasesFolder)
	p.printf("What has its place in the language and no meaning yet is refused when loading, with the words given here.\n")
	shapes := Shapes()
	for _, kind := range FileKinds() {
		p.printf("\n### Files: %s\n\n%s Whole file: `%s`.\n", kind.Name, kind.Shape.Doc, kind.Whole)
		if kind.Name == "contract" {
			p.printf("More of contracts: [contracts.md](contracts.md).\n")
		}
		for _, s := range shapes {
			if s.Kinds[0] == kind.Name {
				p.shape(s)
			}
		}
	}
}

func (p *page) shape(s *ShapeOf) {
	doc := s.Shape.Doc
	if len(s.Kinds) > 1 {
		doc = strings.TrimSpace(doc + " In files of the kinds " + strings.Join(s.Kinds, ", ") + ".")
	}
	p.printf("\n#### %s\n\n%s\n\n| Key | What it is | Meaning | Case |\n| --- | --- | --- | --- |\n", s.Shape.Name, doc)
	var later []yamldoc.Key
	for _, k := range s.Shape.Keys {
		if k.Later != "" {
			later = append(later, k)
			continue
		}
		id := KeyID{s.Shape.Name, k.Name}
		doc, needed := k.Doc, ""
		if k.Required {
			needed = ", required"
		}
		p.printf("| `%s` | %s%s | %s | %s |\n", k.Name, form(k.Shape, 0), needed, cell(doc), p.caseOf(p.cov.Keys[id]))
	}
	for i, k := range later {
		if i == 0 {
			p.printf("\n")
		}
		p.printf("- `%s`: %s *%s.*\n", k.Name, k.Doc, k.Later)
	}
	if s.Kinds[0] == "contract" {
		return // contracts.md shows them
	}
	var parts []string
	for _, e := range p.excerpts(s.Shape) {
		parts = append(parts, "# "+e.file.Name+"\n"+e.text())
	}
	if len(parts) > 0 {
		p.printf("\n```yaml\n%s```\n", strings.Join(parts, "\n"))
	}
}

func (p *page) caseOf(uses []Use) string {
	if len(uses) == 0 {
		return "none"
	}
	best := uses[0].File
	for _, u := range uses {
		// A file named for the key is about it.
		if strings.TrimSuffix(u.File.Name, ".yaml") == u.Key.Key {
			best = u.File
		}
	}
	return "`" + best.Name + "`"
}

// form says in words what a value must be.
func form(s *yamldoc.Shape, depth int) string {
	if depth > 3 {
		return "…"
	}
	switch s.Form {
	case yamldoc.ObjectForm:
		return "map ([" + s.Name + "](#" + strings.NewReplacer(" ", "-", ".", "", "'", "").Replace(s.Name) + "))"
	case yamldoc.MapForm:
		return "map of " + form(s.Elem, depth+1)
	case yamldoc.ListForm:
		return "list of " + form(s.Elem, depth+1)
	case yamldoc.TextForm:
		return "text"
	case yamldoc.ScalarForm:
		return "text, number or truth"
	case yamldoc.IntForm:
		return "whole number"
	case yamldoc.NumberForm:
		return "number"
	case yamldoc.BoolForm:
		return "`true` or `false`"
	case yamldoc.EnumForm:
		return "`" + strings.Join(s.Enum, "`, `") + "`"
	case yamldoc.DurationForm:
		return "duration (`200ms`, `4s`, `2m`, `1h`, `7d`)"
	case yamldoc.SizeForm:
		return "size (`512`, `64KB`, `30MB`)"
	case yamldoc.ConditionForm:
		return "condition, bare"
	case yamldoc.ValueForm:
		return "value with `${…}`"
	case yamldoc.NameForm:
		return "name"
	case yamldoc.AltForm:
		var words []string
		for _, a := range s.Alts {
			words = append(words, form(a, depth+1))
		}
		return strings.Join(words, ", or ")
	}
	return "any constant"
}

// cell makes words stand in a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// code makes s code in a table; ` stands in double ones.
func code(s string) string {
	if strings.Contains(s, "`") {
		return "`` " + cell(s) + " ``"
	}
	return "`" + cell(s) + "`"
}

func (p *page) entries(title, what string, all []expr.Entry, used map[string][]WordUse) {
	p.printf("\n## %s\n\n", title)
	examples := all[0].Example.Expr != ""
	if examples {
		p.printf("| %s | Meaning | Example | Gives | Case |\n| --- | --- | --- | --- | --- |\n", strings.ToUpper(what[:1])+what[1:])
	} else {
		p.printf("| %s | Meaning | Case |\n| --- | --- | --- |\n", strings.ToUpper(what[:1])+what[1:])
	}
	for _, e := range all {
		where := "none"
		if len(used[e.Name]) > 0 {
			where = "`" + used[e.Name][0].File.Name + "`"
		}
		if examples {
			p.printf("| %s | %s | %s | %s | %s |\n", code(e.Name), cell(e.Help), code(e.Example.Expr), code(e.Example.Gives), where)
		} else {
			p.printf("| %s | %s | %s |\n", code(e.Name), cell(e.Help), where)
		}
	}
}

func (p *page) functions() {
	p.printf("\n## Functions\n\nIn examples `now` is 2026-03-05T18:16:01-03:00, and there is a table `plans` with the row `A: { code: 1, label: Basic }`. " +
		"`?` marks what may be left out, `…` what may be given several times.\n\n" +
		"| Function | Gives | Example | Result | Case |\n| --- | --- | --- | --- | --- |\n")
	for _, fn := range p.c.Functions.All() {
		p.printf("| %s | %s | %s | %s | `%s` |\n", code(fn.Signature()), cell(fn.Help), code(fn.Example.Expr), code(fn.Example.Gives),
			p.cov.Functions[fn.Name][0].File.Name)
	}
}

func (p *page) formats() {
	p.printf("\n## Formats\n\nWhat `format:` of an input field may name: the text is brought into normal form, or refused.\n\n" +
		"| Format | Takes | Example | Normal form | Case |\n| --- | --- | --- | --- | --- |\n")
	for _, name := range sortedKeys(p.c.Formats) {
		f := p.c.Formats[name]
		normal, _ := f.Normal(f.Example)
		p.printf("| %s | %s | %s | %s | `%s` |\n", code(name), cell(f.Help), code(f.Example), code(normal), p.cov.Formats[name][0].File.Name)
	}
}
