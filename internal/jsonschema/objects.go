package jsonschema

import (
	"slices"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// members reads the words of objects.
func (l *loader) members(m *made, n *yamldoc.Node) {
	props, more := n.Get("properties"), n.Get("additionalProperties")
	if props != nil && props.Kind != yamldoc.Map {
		l.list.Errorf(props.FirstLine(), rule, "properties is an object of schemas")
		return
	}
	t := m.typ
	if t.Kind == expr.AnyType && len(t.Either) == 0 && n.Get("type") == nil && props != nil {
		t.Kind = expr.ObjectType
	}
	isObject := t.Kind == expr.ObjectType
	if isObject {
		t.Fields = map[string]*expr.Field{}
		// A member that the schema does not name is none an expression may name,
		// even where the document may have more.
		t.Open = props == nil || more != nil && (more.Kind == yamldoc.Map || more.Text == "true")
	}
	required := l.names(n.Get("required"), "required")
	index := map[string]*check{}
	for _, e := range entries(props) {
		inner := l.schema(e.Value)
		if inner == nil {
			continue
		}
		name := e.Key.Text
		index[name] = inner.check
		if !isObject {
			continue
		}
		f := &expr.Field{Type: inner.typ, Required: slices.Contains(required, name)}
		if !f.Required {
			f.Type = inner.typ.Nullable()
		}
		t.Fields[name], t.Order = f, append(t.Order, name)
	}
	if props != nil {
		for _, r := range items(n.Get("required")) {
			if props.Get(r.Text) == nil {
				d := l.list.Errorf(r.Span, rule, "properties has no %q", r.Text)
				if near := diag.Suggest(r.Text, keysOf(props)); near != "" {
					d.Help = "did you mean " + near + "?"
				}
			}
		}
	}
	l.lacking(m, n, required)
	l.present(m, props, more, index)
}

// lacking reads required and dependentRequired.
func (l *loader) lacking(m *made, n *yamldoc.Node, required []string) {
	keys := keysFor(required)
	type dependent struct {
		when jsonx.Key
		need []jsonx.Key
	}
	var dependents []dependent
	if d := n.Get("dependentRequired"); d != nil && d.Kind != yamldoc.Map {
		l.list.Errorf(d.FirstLine(), rule, "dependentRequired is an object of lists of names")
	}
	for _, e := range entries(n.Get("dependentRequired")) {
		dependents = append(dependents, dependent{jsonx.NewKey(e.Key.Text), keysFor(l.names(e.Value, "dependentRequired"))})
	}
	if len(keys)+len(dependents) == 0 {
		return
	}
	l.step(m, func(c *checking, v jsonx.Value) {
		if v.Kind() != jsonx.Object {
			return
		}
		for _, k := range keys {
			if v.Member(k).Kind() == jsonx.Absent {
				c.faultAt(k.Text(), "required")
			}
		}
		for _, d := range dependents {
			if v.Member(d.when).Kind() == jsonx.Absent {
				continue
			}
			for _, k := range d.need {
				if v.Member(k).Kind() == jsonx.Absent {
					c.faultAt(k.Text(), "dependentRequired")
				}
			}
		}
	})
}

// present reads properties and additionalProperties.
func (l *loader) present(m *made, props, more *yamldoc.Node, index map[string]*check) {
	var others *check
	if more != nil {
		if inner := l.schema(more); inner != nil {
			others = inner.check
		}
	}
	if len(index) == 0 && others == nil {
		return
	}
	type member struct {
		key   jsonx.Key
		check *check
	}
	var known []member
	for _, e := range entries(props) {
		if k := index[e.Key.Text]; k != nil {
			known = append(known, member{jsonx.NewKey(e.Key.Text), k})
		}
	}
	l.step(m, func(c *checking, v jsonx.Value) {
		if v.Kind() != jsonx.Object {
			return
		}
		for i := range known {
			if inner := v.Member(known[i].key); inner.Kind() != jsonx.Absent {
				c.inside(step{known[i].key.Text(), -1}, known[i].check, inner)
			}
		}
		if others == nil {
			return
		}
		for it := v.Iter(); it.Next(); {
			name := it.Key().Text()
			switch _, is := index[name]; {
			case is:
			case others.never:
				c.faultAt(name, "additionalProperties")
			default:
				c.inside(step{name, -1}, others, it.Value())
			}
		}
	})
}

func keysFor(names []string) []jsonx.Key {
	keys := make([]jsonx.Key, len(names))
	for i, n := range names {
		keys[i] = jsonx.NewKey(n)
	}
	return keys
}

// names reads a list of names.
func (l *loader) names(n *yamldoc.Node, word string) []string {
	if n == nil {
		return nil
	}
	if n.Kind != yamldoc.List {
		l.list.Errorf(n.FirstLine(), rule, "%s is a list of names", word)
	}
	var all []string
	for _, i := range items(n) {
		switch {
		case i.Kind != yamldoc.Text:
			l.list.Errorf(i.FirstLine(), rule, "%s is a list of names", word)
		case slices.Contains(all, i.Text):
			l.list.Errorf(i.Span, rule, "%q is named twice", i.Text)
		default:
			all = append(all, i.Text)
		}
	}
	return all
}

// several reads allOf, anyOf and oneOf.
func (l *loader) several(m *made, n *yamldoc.Node) {
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		v := n.Get(word)
		if v == nil {
			continue
		}
		if len(items(v)) == 0 {
			l.list.Errorf(v.FirstLine(), rule, "%s is a list of schemas", word)
			continue
		}
		var checks []*check
		var types []*expr.Type
		for _, i := range v.Items {
			if inner := l.schema(i); inner != nil {
				checks, types = append(checks, inner.check), append(types, inner.typ)
			}
		}
		if word == "allOf" {
			for i, k := range checks {
				m.typ = merged(m.typ, types[i])
				l.step(m, k.run)
			}
			continue
		}
		m.typ = either(m.typ, types)
		one := word == "oneOf"
		l.step(m, func(c *checking, v jsonx.Value) { choose(c, v, checks, word, one) })
	}
}

// choose holds a value against alternatives. Where none fits, and all but one
// are for values of another kind, what that one has to say is told.
func choose(c *checking, v jsonx.Value, checks []*check, word string, one bool) {
	fitting, meant, several := 0, -1, false
	var told []Fault
	for i, k := range checks {
		own := checking{way: c.way}
		k.run(&own, v)
		switch {
		case len(own.faults) == 0:
			fitting++
		case slices.ContainsFunc(own.faults, func(f Fault) bool {
			return len(f.Path) == len(c.way) && (f.Keyword == "type" || f.Keyword == "const" || f.Keyword == "enum")
		}):
		default:
			several = several || meant >= 0
			meant, told = i, own.faults
		}
	}
	switch {
	case fitting == 1, fitting > 1 && !one:
	case fitting > 1, several:
		c.fault(word)
	case meant >= 0:
		c.faults = append(c.faults, told[:min(len(told), max(0, mostFaults-len(c.faults)))]...)
	default:
		c.fault("type")
	}
}

// merged gives the type of what fits both.
func merged(a, b *expr.Type) *expr.Type {
	switch {
	case a.Kind == expr.AnyType && len(a.Either) == 0:
		return b
	case b.Kind == expr.AnyType && len(b.Either) == 0, a.Kind != b.Kind:
		return a
	}
	t := *a
	t.Null, t.Integer, t.Min = a.Null && b.Null, a.Integer || b.Integer, max(a.Min, b.Min)
	if t.Enum == nil {
		t.Enum = b.Enum
	}
	if t.Elem == nil {
		t.Elem = b.Elem
	}
	if t.Kind != expr.ObjectType {
		return &t
	}
	t.Open, t.Order, t.Fields = a.Open && b.Open, slices.Clone(a.Order), map[string]*expr.Field{}
	for _, name := range a.Order {
		t.Fields[name] = a.Fields[name]
	}
	for _, name := range b.Order {
		f, other := t.Fields[name], b.Fields[name]
		if f == nil {
			t.Fields[name], t.Order = other, append(t.Order, name)
			continue
		}
		t.Fields[name] = &expr.Field{Type: merged(f.Type, other.Type), Required: f.Required || other.Required}
	}
	return &t
}

// either gives the type of what fits one of several; what own says stands.
func either(own *expr.Type, types []*expr.Type) *expr.Type {
	if own.Kind != expr.AnyType || len(own.Either) > 0 || len(types) == 0 {
		return own
	}
	t := &expr.Type{Label: own.Label}
	for _, one := range types {
		t.Null = t.Null || one.Null
		switch one.Kind {
		case expr.NoneType:
		case expr.AnyType:
			return t
		default:
			t.Either = append(t.Either, one.NotNull())
		}
	}
	if len(t.Either) == 1 {
		out := *t.Either[0]
		out.Null = t.Null
		return &out
	}
	return t
}
