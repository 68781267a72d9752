package openapi

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// A contract is OpenAPI already: its schemas and examples are copied as they
// stand, without what is said for the gateway alone (x-emenda-…). What is
// secret is marked, and goes out of the examples.

// book is one contract being copied from.
type book struct {
	b    *builder
	root *yamldoc.Node
	name string                 // of the backend
	refs map[string]string      // components' schemas by name and direction, as they are called here
	hide map[*yamldoc.Node]bool // whether something in a schema is secret
}

func (b *builder) book(backend string) *book {
	k := b.books[backend]
	if k == nil {
		k = &book{b: b, name: backend, refs: map[string]string{}, hide: map[*yamldoc.Node]bool{}}
		if c := b.o.Contracts[backend]; c != nil {
			k.root = c.Document
		}
		b.books[backend] = k
	}
	return k
}

// operation gives where an operation stands, and its path, which may stand in several sections.
func (k *book) operation(op *contract.Operation) (item, n *yamldoc.Node) {
	method := strings.ToLower(op.Method)
	for _, e := range entriesOf(k.root.Get("paths")) {
		if e.Key.Text != op.Path {
			continue
		}
		all := []*yamldoc.Node{e.Value.Get(method)}
		if more := e.Value.Get("x-emenda-operations").Get(method); more != nil {
			all = append(all, more.Items...)
		}
		for _, n := range all {
			if n != nil && textOf(n.Get("operationId")) == op.ID {
				return e.Value, n
			}
		}
	}
	return nil, nil
}

func textOf(n *yamldoc.Node) string {
	if n == nil {
		return ""
	}
	return n.Text
}

func entriesOf(n *yamldoc.Node) []yamldoc.Entry {
	if n == nil || n.Kind != yamldoc.Map {
		return nil
	}
	return n.Entries
}

func isTrue(n *yamldoc.Node) bool {
	return n != nil && n.Kind == yamldoc.Bool && strings.EqualFold(n.Text, "true")
}

// deref follows a reference into components.
func (k *book) deref(n *yamldoc.Node, part string) *yamldoc.Node {
	name, ok := strings.CutPrefix(textOf(n.Get("$ref")), "#/components/"+part+"/")
	if !ok {
		return n
	}
	return k.root.Get("components").Get(part).Get(name)
}

// hides tells whether something in a schema is secret.
func (k *book) hides(n *yamldoc.Node) bool {
	if n == nil || n.Kind != yamldoc.Map {
		return false
	}
	if known, ok := k.hide[n]; ok {
		return known
	}
	k.hide[n] = false
	is := isTrue(n.Get("x-emenda-secret")) || k.hides(n.Get("items"))
	if to := k.deref(n, "schemas"); to != n {
		is = is || k.hides(to)
	}
	for _, e := range entriesOf(n.Get("properties")) {
		is = is || k.hides(e.Value)
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if all := n.Get(word); all != nil {
			is = is || slices.ContainsFunc(all.Items, k.hides)
		}
	}
	k.hide[n] = is
	return is
}

// schema copies a schema; asked tells that it is of a request.
func (k *book) schema(n *yamldoc.Node, asked bool) *object {
	s := obj()
	if n == nil {
		return s
	}
	secret := isTrue(n.Get("x-emenda-secret"))
	for _, e := range entriesOf(n) {
		word := e.Key.Text
		switch word {
		case "$ref":
			if name, ok := strings.CutPrefix(e.Value.Text, "#/components/schemas/"); ok {
				s.set("$ref", "#/components/schemas/"+k.component(name, asked))
			}
		case "properties":
			properties := s.within("properties")
			for _, p := range entriesOf(e.Value) {
				properties.set(p.Key.Text, k.schema(p.Value, asked))
			}
		case "items":
			s.set(word, k.schema(e.Value, asked))
		case "anyOf", "oneOf":
			all := list{}
			for _, i := range e.Value.Items {
				all = append(all, k.schema(i, asked))
			}
			s.set(word, all)
		case "example", "examples", "default":
			if !k.hides(n) {
				s.set(word, fromNode(e.Value))
			}
		case "x-emenda-max-bytes":
			s.set("contentEncoding", "base64")
			s.add("description", "At most "+e.Value.Text+" when decoded.")
		case "x-emenda-required-when":
			s.add("description", "Needed when `"+e.Value.Text+"`.")
		case "description":
			before, _ := s.values[word].(string)
			s.say(word, strings.TrimSpace(e.Value.Text)+" "+before)
		default:
			if !strings.HasPrefix(word, "x-") {
				s.set(word, fromNode(e.Value))
			}
		}
	}
	if secret {
		if asked {
			s.set("writeOnly", true)
		}
		if !s.has("format") && !s.has("$ref") {
			s.set("format", "password")
		}
	}
	return s
}

// component puts a schema of the contract's components into the document's, and gives its name there.
func (k *book) component(name string, asked bool) string {
	n := k.root.Get("components").Get("schemas").Get(name)
	key := name
	if !asked && k.hides(n) { // an answer holds what a request only writes
		key += ".answer"
	}
	if known, ok := k.refs[key]; ok {
		return known
	}
	here := componentName(k.name + "." + key)
	for k.b.schemas.has(here) {
		here += "_"
	}
	k.refs[key] = here
	k.b.schemas.set(here, obj()) // its place in the order, before what it holds
	k.b.schemas.set(here, k.schema(n, asked))
	return here
}

// shown copies an example without what its schemas say is secret: a text shows
// what belongs there, all else is left out.
func (k *book) shown(name string, v *yamldoc.Node, schemas ...*yamldoc.Node) (any, bool) {
	schemas = k.all(schemas)
	if slices.ContainsFunc(schemas, func(s *yamldoc.Node) bool { return isTrue(s.Get("x-emenda-secret")) }) {
		if v.Kind != yamldoc.Text || name == "" {
			return nil, false
		}
		return "<" + strings.Trim(name, "<>") + ">", true
	}
	switch v.Kind {
	case yamldoc.Map:
		o := obj()
		for _, e := range v.Entries {
			var inner []*yamldoc.Node
			for _, s := range schemas {
				if p := s.Get("properties").Get(e.Key.Text); p != nil {
					inner = append(inner, p)
				}
			}
			if x, ok := k.shown(e.Key.Text, e.Value, inner...); ok {
				o.set(e.Key.Text, x)
			}
		}
		return o, true
	case yamldoc.List:
		l := list{}
		for _, i := range v.Items {
			var inner []*yamldoc.Node
			for _, s := range schemas {
				if p := s.Get("items"); p != nil {
					inner = append(inner, p)
				}
			}
			if x, ok := k.shown(name, i, inner...); ok {
				l = append(l, x)
			}
		}
		return l, true
	}
	return fromNode(v), true
}

// all gives schemas with those they refer to and their alternatives.
func (k *book) all(schemas []*yamldoc.Node) (found []*yamldoc.Node) {
	for _, s := range schemas {
		if s == nil {
			continue
		}
		found = append(found, s)
		if to := k.deref(s, "schemas"); to != s {
			found = append(found, k.all([]*yamldoc.Node{to})...)
		}
		for _, word := range []string{"anyOf", "oneOf"} {
			if alts := s.Get(word); alts != nil {
				found = append(found, k.all(alts.Items)...)
			}
		}
	}
	return found
}

// examples gives the documented examples under n, of values that fit schema.
func (k *book) examples(n, schema *yamldoc.Node, name string, each func(name string, v any)) {
	if one := n.Get("example"); one != nil {
		if v, ok := k.shown(name, one, schema); ok {
			each("example", v)
		}
	}
	k.named(n.Get("examples"), schema, name, each)
}

func (k *book) named(n, schema *yamldoc.Node, name string, each func(name string, v any)) {
	for _, e := range entriesOf(n) {
		value := k.deref(e.Value, "examples").Get("value")
		if value == nil {
			continue
		}
		if v, ok := k.shown(name, value, schema); ok {
			each(e.Key.Text, v)
		}
	}
}
