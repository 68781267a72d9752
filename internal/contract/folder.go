package contract

import (
	"path"
	"slices"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// sectionKey tells a section of a contract from its root file.
const sectionKey = "x-emenda-section"

// LoadFiles reads and checks a contract that is a folder: one file that begins
// with openapi, and sections of it, whose paths and components count as if they
// stood in that file. What it gives is what Load gives.
func LoadFiles(name string, files []*diag.File, fns *expr.Functions) (*Contract, diag.List) {
	var list diag.List
	var root *yamldoc.Node
	var sections []*yamldoc.Node
	broken := false
	for _, f := range files {
		n, found := yamldoc.Parse(f)
		list.Add(found)
		switch {
		case n == nil:
			broken = true
		case n.Kind != yamldoc.Map:
			list.Errorf(n.FirstLine(), "wrong-kind", "a contract is a map that begins with openapi:")
			broken = true
		case n.Get(sectionKey) != nil:
			list.Add(yamldoc.Check(n, SectionShape))
			sections = append(sections, n)
		case root != nil && len(files) > 1:
			list.Errorf(n.FirstLine(), ruleVersion, "contract %s begins in %s already", short(name), path.Base(root.Span.File.Name)).
				Help = "a section of it begins with " + sectionKey + ": TITLE; another contract has a file or folder of its own"
			broken = true
		default:
			list.Add(yamldoc.Check(n, Shape))
			root = n
		}
	}
	if root == nil {
		if !broken && len(sections) > 0 {
			list.Errorf(sections[0].FirstLine(), ruleVersion, "no file of contract %s begins with openapi", short(name)).
				Help = "one of them holds openapi, info and how the gateway signs in"
		}
		list.Sort()
		return nil, list
	}
	l := &loader{
		fns: fns, list: list, sections: map[*yamldoc.Node]string{},
		c: &Contract{Name: name, File: root.Span.File, Operations: map[string]*Operation{}},
	}
	l.root = l.merged(root, sections)
	l.c.Document = l.root
	if l.root.Get("paths") == nil && !broken {
		l.list.Errorf(root.FirstLine(), "missing-key", `"paths" is missing`).Help = "The operations."
	}
	l.contract()
	l.list.Sort()
	return l.c, l.list
}

// merged gives root with the paths and components of its sections. Nothing that is read is changed.
func (l *loader) merged(root *yamldoc.Node, sections []*yamldoc.Node) *yamldoc.Node {
	if len(sections) == 0 {
		return root
	}
	whole := *root
	whole.Entries = slices.Clone(root.Entries)
	paths := l.collect(&whole, "paths")
	components := l.collect(&whole, "components")
	for _, s := range sections {
		for _, e := range entries(s.Get("paths")) {
			paths.Entries = append(paths.Entries, e)
			l.sections[e.Value] = word(s.Get(sectionKey))
		}
		for _, e := range entries(s.Get("components")) {
			into := l.collect(components, e.Key.Text)
			for _, part := range entries(e.Value) {
				if k := into.KeyOf(part.Key.Text); k != nil {
					l.list.Errorf(part.Key.Span, ruleReference, "components has %s already, in %s", short(part.Key.Text), where(k.Span)).
						Help = "give it a name of its own, or use that one"
					continue
				}
				into.Entries = append(into.Entries, part)
			}
		}
	}
	whole.Entries = slices.DeleteFunc(whole.Entries, func(e yamldoc.Entry) bool {
		return (e.Value == paths || e.Value == components) && len(e.Value.Entries) == 0
	})
	return &whole
}

// collect gives a copy of the map under key of n, put in its place, to add to.
func (l *loader) collect(n *yamldoc.Node, key string) *yamldoc.Node {
	for i := range n.Entries {
		if n.Entries[i].Key.Text == key {
			c := *n.Entries[i].Value
			c.Kind, c.Entries = yamldoc.Map, slices.Clone(c.Entries)
			n.Entries[i].Value = &c
			return &c
		}
	}
	c := &yamldoc.Node{Kind: yamldoc.Map, Span: n.FirstLine()}
	n.Entries = append(n.Entries, yamldoc.Entry{Key: &yamldoc.Node{Kind: yamldoc.Text, Text: key, Span: n.FirstLine()}, Value: c})
	return c
}

// where says in which file and line a span begins.
func where(at diag.Span) string {
	if at.File == nil {
		return "another file"
	}
	line, _ := at.File.Position(at.Start)
	return at.File.Name + ":" + itoa(line)
}
