package mapping

import (
	"slices"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonschema"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// readForms declares the forms and checks each on its own: what is wrong with
// one is told once, whoever uses it.
func (l *loader) readForms() {
	var declared []*document
	for _, d := range l.of(formFile) {
		n := d.root.Get("form")
		if n == nil || n.Text == "" {
			continue
		}
		if first := l.forms[n.Text]; first != nil {
			l.list.Errorf(n.Span, "double", "form %s is already in %s", n.Text, first.root.Get("form").Span)
			continue
		}
		l.forms[n.Text] = d
		declared = append(declared, d)
	}
	for _, d := range declared {
		if v := d.root.Get("input").Get("form"); v != nil && v.Kind != yamldoc.Map {
			l.list.Errorf(d.root.Get("input").KeyOf("form").Span, "misplaced-key", "a form takes no other form")
		}
		plan := l.newPlan(d, "form "+d.root.Get("form").Text)
		plan.Input = l.input(d.root.Get("input"), "input")
		p := &planner{loader: l, doc: d, plan: plan, anyOf: true}
		p.build()
	}
}

// formOf gives the form an input names; nil for none.
func (l *loader) formOf(n *yamldoc.Node) *document {
	v := n.Get("form")
	if v == nil || v.Kind == yamldoc.Map {
		return nil
	}
	d := l.forms[v.Text]
	if d == nil && !l.unreadable["form "+v.Text] {
		l.unknown(v.Span, "unknown-name", "form", v.Text, keysOf(l.forms))
	}
	return d
}

// addForm adds a form's input to a mapping's.
func (l *loader) addForm(in *Input, form *document) {
	if form == nil {
		return
	}
	of := l.input(form.root.Get("input"), "input")
	if of.Document != nil && in.Document != nil {
		l.list.Errorf(of.Document.At, "double", "the form has a schema, and so has the mapping")
	}
	if in.Document == nil {
		in.Document = of.Document
	}
	own := *in.Type
	t := *of.Type
	t.Order, t.Fields = slices.Clone(of.Type.Order), make(map[string]*expr.Field, len(of.Type.Fields))
	for name, f := range of.Type.Fields {
		t.Fields[name] = f
	}
	for _, f := range in.Fields {
		if t.Fields[f.Name] != nil {
			l.list.Errorf(f.At, "double", "the form has a field %s already", f.Name)
			continue
		}
		t.Order = append(t.Order, f.Name)
		t.Fields[f.Name] = own.Fields[f.Name]
	}
	t.Open = t.Open || own.Open
	in.Type = &t
	in.Fields = append(slices.Clone(of.Fields), in.Fields...)
}

// document reads the schema that an input names, and adds its members to t.
func (l *loader) document(n *yamldoc.Node, in *Input) {
	f := l.texts[n.Text]
	if f == nil {
		names := keysOf(l.texts)
		l.unknown(n.Span, "unknown-file", "file", n.Text, names)
		in.Type.Open = true
		return
	}
	s := l.schemas[n.Text]
	if s == nil {
		compiled, list := jsonschema.Compile(f, l.world.Formats, "input")
		l.list.Add(list)
		s = compiled
		l.schemas[n.Text] = s
	}
	in.Document = &Document{Schema: s, At: n.Span, File: n.Text}
	if s.Type.Kind != expr.ObjectType {
		if !s.Type.Told {
			l.list.Errorf(n.Span, "schema", "a request's body is an object, and the schema says %s", s.Type)
		}
		in.Type = &expr.Type{Kind: expr.ObjectType, Open: true, Fields: map[string]*expr.Field{}, Label: "input"}
		return
	}
	t := *s.Type
	t.Order, t.Fields = slices.Clone(s.Type.Order), make(map[string]*expr.Field, len(s.Type.Fields))
	for name, f := range s.Type.Fields {
		t.Fields[name] = f
	}
	in.Type = &t
}

// roots gives the files whose lets and rules are the plan's.
func (p *planner) roots() []*yamldoc.Node {
	if p.form == nil {
		return []*yamldoc.Node{p.doc.root}
	}
	return []*yamldoc.Node{p.form.root, p.doc.root}
}
