package contract

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Types are the JSON types a value may have.
type Types uint8

// The types. A whole number is IsInteger or IsNumber; none at all is any.
const (
	IsString Types = 1 << iota
	IsInteger
	IsNumber
	IsBoolean
	IsArray
	IsObject
	IsNull
)

var typeBits = map[string]Types{
	"string": IsString, "integer": IsInteger, "number": IsNumber, "boolean": IsBoolean,
	"array": IsArray, "object": IsObject, "null": IsNull,
}

// Schema is what a value must be, as checks need it. It is immutable, and
// shared by all who refer to it.
type Schema struct {
	Types    Types         // 0: any
	Enum     []jsonx.Value // the only values; const is an enum of one
	Format   string        // a note: "dd-MM-yyyy", "byte" …
	Pattern  *regexp.Regexp
	Least    *jsonx.Decimal // minimum, exclusiveMinimum …
	Most     *jsonx.Decimal
	Above    *jsonx.Decimal
	Below    *jsonx.Decimal
	Lengths  Bounds // of texts, in characters
	Elements Bounds // of lists
	Items    *Schema
	Fields   []Property // in the order of the contract
	Open     bool       // an object may have other fields
	AnyOf    []*Schema
	OneOf    []*Schema
	Secret   bool   // it never shows
	Names    string // the kind of thing it names; "" for none
	MaxBytes int64  // most bytes that base64 text decodes to; 0: not said
	constant bool   // the enum is a const
	index    map[string]int
}

// Bounds are the fewest and the most of something; Most below 0: not said.
type Bounds struct{ Fewest, Most int }

// Property is a field of an object.
type Property struct {
	Name     string
	Schema   *Schema
	Required bool
	when     *yamldoc.Node // x-emenda-required-when
}

// Property gives a field by name; nil when none is named so.
func (s *Schema) Property(name string) *Property {
	if i, ok := s.index[name]; ok {
		return &s.Fields[i]
	}
	return nil
}

// schemaOf compiles a schema, each once. Its mistakes are told by typeOf.
func (l *loader) schemaOf(n *yamldoc.Node) *Schema {
	if n == nil || n.Kind != yamldoc.Map {
		return &Schema{Lengths: Bounds{0, -1}, Elements: Bounds{0, -1}, Open: true}
	}
	if s, ok := l.compiled[n]; ok {
		if s == nil { // it contains itself, which typeOf tells
			return l.schemaOf(nil)
		}
		return s
	}
	if l.compiled == nil {
		l.compiled = map[*yamldoc.Node]*Schema{}
	}
	l.compiled[n] = nil
	s := l.makeSchema(n)
	l.compiled[n] = s
	return s
}

func (l *loader) makeSchema(n *yamldoc.Node) *Schema {
	if ref := word(n.Get("$ref")); ref != "" {
		const prefix = "#/components/schemas/"
		if len(ref) <= len(prefix) || ref[:len(prefix)] != prefix {
			return l.schemaOf(nil)
		}
		s := *l.schemaOf(l.root.Get("components").Get("schemas").Get(ref[len(prefix):]))
		l.extensions(&s, n)
		return &s
	}
	s := &Schema{Lengths: Bounds{0, -1}, Elements: Bounds{0, -1}}
	l.extensions(s, n)
	props := n.Get("properties")
	s.Open = yes(n.Get("additionalProperties")) || props == nil && n.Get("additionalProperties") == nil
	for _, e := range n.Entries {
		l.schemaWord(s, e.Key.Text, e.Value)
	}
	if t := n.Get("type"); t != nil && t.Kind == yamldoc.Null {
		s.Types = IsNull
	}
	for _, e := range entries(props) {
		f := Property{Name: e.Key.Text, Schema: l.schemaOf(e.Value), when: l.requiredWhen(e.Value)}
		f.Required = slices.ContainsFunc(items(n.Get("required")), func(r *yamldoc.Node) bool { return r.Text == f.Name })
		if s.index == nil {
			s.index = make(map[string]int, len(props.Entries))
		}
		s.index[f.Name] = len(s.Fields)
		s.Fields = append(s.Fields, f)
	}
	// What is required and not described must be there all the same.
	for _, r := range items(n.Get("required")) {
		if r.Kind == yamldoc.Text && s.Property(r.Text) == nil {
			if s.index == nil {
				s.index = map[string]int{}
			}
			s.index[r.Text] = len(s.Fields)
			s.Fields = append(s.Fields, Property{Name: r.Text, Schema: l.schemaOf(nil), Required: true})
		}
	}
	return s
}

// extensions reads what may also stand beside a reference.
func (l *loader) extensions(s *Schema, n *yamldoc.Node) {
	s.Secret = s.Secret || yes(n.Get("x-emenda-secret"))
	if names := n.Get("x-emenda-names"); word(names) != "" {
		s.Names = names.Text
		if !slices.Contains(l.c.Objects, names.Text) {
			d := l.list.Errorf(names.Span, ruleNames, "x-emenda-objects has no %s", short(names.Text))
			if near := diag.Suggest(names.Text, l.c.Objects); near != "" {
				d.Help = "did you mean " + near + "?"
			}
		}
	}
	if w := n.Get("x-emenda-required-when"); w != nil && w.Kind == yamldoc.Text && !l.whens[w] {
		if l.whens == nil {
			l.whens = map[*yamldoc.Node]bool{}
		}
		l.whens[w] = false
	}
}

// requiredWhen gives the condition under which a property must be there.
func (l *loader) requiredWhen(n *yamldoc.Node) *yamldoc.Node {
	if w := n.Get("x-emenda-required-when"); w != nil {
		return w
	}
	if ref := word(n.Get("$ref")); ref != "" {
		const prefix = "#/components/schemas/"
		if len(ref) > len(prefix) {
			return l.root.Get("components").Get("schemas").Get(ref[len(prefix):]).Get("x-emenda-required-when")
		}
	}
	return nil
}

// schemaWord reads one word of JSON Schema.
func (l *loader) schemaWord(s *Schema, name string, v *yamldoc.Node) {
	switch name {
	case "type":
		s.Types |= typeBits[word(v)]
		for _, i := range items(v) {
			s.Types |= typeBits[i.Text]
		}
	case "format":
		s.Format = word(v)
	case "pattern":
		if v.Kind == yamldoc.Text {
			s.Pattern, _ = regexp.Compile(v.Text) // what cannot be read has been told
		}
	case "minLength":
		s.Lengths.Fewest = count(v, 0)
	case "maxLength":
		s.Lengths.Most = count(v, -1)
	case "minItems":
		s.Elements.Fewest = count(v, 0)
	case "maxItems":
		s.Elements.Most = count(v, -1)
	case "minimum":
		s.Least = decimal(v)
	case "maximum":
		s.Most = decimal(v)
	case "exclusiveMinimum":
		s.Above = decimal(v)
	case "exclusiveMaximum":
		s.Below = decimal(v)
	case "items":
		s.Items = l.schemaOf(v)
	case "anyOf":
		for _, i := range items(v) {
			s.AnyOf = append(s.AnyOf, l.schemaOf(i))
		}
	case "oneOf":
		for _, i := range items(v) {
			s.OneOf = append(s.OneOf, l.schemaOf(i))
		}
	case "enum":
		for _, i := range items(v) {
			s.Enum = append(s.Enum, l.constant(i)...)
		}
	case "const":
		s.Enum, s.constant = l.constant(v), true
	case "x-emenda-max-bytes":
		s.MaxBytes, _ = yamldoc.ParseSize(v.Text) // what is no size has been told
	}
}

// constant gives a YAML value as a JSON one; none when JSON cannot hold it, which is told elsewhere.
func (l *loader) constant(n *yamldoc.Node) []jsonx.Value {
	quiet := &loader{root: l.root}
	raw, ok := quiet.json(n)
	if !ok {
		return nil
	}
	return []jsonx.Value{jsonx.RawValue(string(raw))}
}

// count gives a whole number, or what stands for none.
func count(n *yamldoc.Node, none int) int {
	if n.Kind == yamldoc.Number {
		if i, err := strconv.Atoi(n.Text); err == nil {
			return i
		}
	}
	return none
}

func decimal(n *yamldoc.Node) *jsonx.Decimal {
	if n.Kind != yamldoc.Number {
		return nil
	}
	if d, ok := jsonx.ParseDecimal(n.Text); ok {
		return &d
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
