// Package jsonschema holds received documents against JSON Schema files (2020-12).
// A file is compiled once, to closures over received bytes; every fault of a
// document is told, with its place and the word of the schema that does not
// hold, and none quotes a value. Nothing is converted: "5" is a text.
//
// What a schema may say is a closed list (Words); what it says otherwise is an
// error when it is loaded, at its place in the file. Formats are checked, not
// only noted.
package jsonschema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Schema is one file, compiled. It is immutable.
type Schema struct {
	File *diag.File
	// Type is what expressions know of a document that fits.
	Type *expr.Type
	root *check
}

// Draft is the only value `$schema` may have.
const Draft = "https://json-schema.org/draft/2020-12/schema"

// Words are the words of JSON Schema that have a meaning here, in the order of
// its specifications, and those that only describe.
var Words = []string{
	"$schema", "$id", "$ref", "$defs", "$comment",
	"allOf", "anyOf", "oneOf", "items", "properties", "additionalProperties",
	"type", "enum", "const", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
	"maxLength", "minLength", "pattern", "maxItems", "minItems", "maxProperties", "minProperties", "required", "dependentRequired",
	"format", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly",
}

// Fault is a value that does not fit.
type Fault struct {
	Path    []string // members by name, elements by number
	Keyword string   // the schema's word that does not hold: "required", "type" …
}

// Pointer gives the value's JSON Pointer; of a member that is missing, where it would stand.
func (f *Fault) Pointer() string {
	var b strings.Builder
	for _, p := range f.Path {
		b.WriteByte('/')
		b.WriteString(jsonx.PointerToken(p))
	}
	return b.String()
}

// Field gives the value's name as messages say it: "lines[0].number"; "" for the document.
func (f *Fault) Field() string {
	var b strings.Builder
	for i, p := range f.Path {
		if allDigits(p) {
			b.WriteString("[" + p + "]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p)
	}
	return b.String()
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Compile reads a schema file. formats are those that `format` may name; label
// is what messages call the document ("input"). The schema is good for nothing
// when the list has errors.
func Compile(f *diag.File, formats map[string]*expr.Format, label string) (*Schema, diag.List) {
	// A tab is as good as a blank in JSON, where none stands inside a text.
	root, list := yamldoc.Parse(diag.NewFile(f.Name, strings.ReplaceAll(f.Text, "\t", " ")))
	s := &Schema{File: f, Type: &expr.Type{Told: true}, root: &check{}}
	if root == nil || list.HasErrors() {
		return s, list
	}
	if _, err := new(jsonx.Arena).Parse(f.Text, true); err != nil {
		at := diag.Span{File: f}
		if bad, ok := err.(*jsonx.SyntaxError); ok { //nolint:errorlint // Parse gives no other
			at.Start = min(bad.Offset, len(f.Text))
			at.End = at.Start
		}
		list.Errorf(at, "schema", "a schema file is JSON: %s", err)
		return s, list
	}
	l := &loader{root: root, formats: formats, label: label, list: list, made: map[*yamldoc.Node]*made{}}
	l.header(root)
	if m := l.schema(root); m != nil {
		s.Type, s.root = m.typ, m.check
	}
	for i := range entries(root.Get("$defs")) {
		l.schema(root.Get("$defs").Entries[i].Value) // those nobody refers to are read, too
	}
	return s, l.list
}

// mostFaults bounds what is told of one document.
const mostFaults = 100

// Check gives what does not fit in a document, in the order of the schema; nothing when all does.
func (s *Schema) Check(doc jsonx.Value) []Fault {
	c := checking{}
	s.root.run(&c, doc)
	return c.faults
}

// checking is one document being checked.
type checking struct {
	way    []step
	faults []Fault
}

// step leads to a member, or to an element.
type step struct {
	name  string
	index int // -1: a member
}

func (c *checking) fault(keyword string) {
	if len(c.faults) >= mostFaults {
		return
	}
	path := make([]string, len(c.way))
	for i, s := range c.way {
		if path[i] = s.name; s.index >= 0 {
			path[i] = strconv.Itoa(s.index)
		}
	}
	c.faults = append(c.faults, Fault{Path: path, Keyword: keyword})
}

// faultAt notes a fault of a member.
func (c *checking) faultAt(member, keyword string) {
	c.way = append(c.way, step{member, -1})
	c.fault(keyword)
	c.way = c.way[:len(c.way)-1]
}

func (c *checking) inside(s step, k *check, v jsonx.Value) {
	c.way = append(c.way, s)
	k.run(c, v)
	c.way = c.way[:len(c.way)-1]
}

// check holds a value against one schema.
type check struct {
	kinds jsonx.Kinds // none: any
	whole bool        // of numbers, only whole ones
	never bool        // the schema false
	steps []func(c *checking, v jsonx.Value)
}

// run notes what of v does not fit. What is of the wrong type is told as that alone.
func (k *check) run(c *checking, v jsonx.Value) {
	switch {
	case k.never:
		c.fault("false")
		return
	case k.kinds != 0 && !k.kinds.Has(v.Kind()), k.whole && v.Kind() == jsonx.Number && !isWhole(v.Text()):
		c.fault("type")
		return
	}
	for _, s := range k.steps {
		s(c, v)
	}
}

// isWhole tells whether digits spell a whole number: 5, 5.0 and 5e3, not 0.5.
func isWhole(digits string) bool {
	digits = strings.TrimPrefix(digits, "-")
	if allDigits(digits) {
		return true
	}
	mantissa, exponent, scaled := strings.Cut(strings.ToLower(digits), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	fraction = strings.TrimRight(fraction, "0")
	if !scaled {
		return fraction == ""
	}
	if strings.Trim(whole+fraction, "0") == "" {
		return true // nothing, however it is written
	}
	negative := strings.HasPrefix(exponent, "-")
	exponent = strings.TrimLeft(strings.TrimLeft(exponent, "+-"), "0")
	if len(exponent) > 9 { // beyond any text that is received
		return !negative
	}
	e, _ := strconv.Atoi(exponent)
	if negative {
		return fraction == "" && len(whole)-len(strings.TrimRight(whole, "0")) >= e
	}
	return len(fraction) <= e
}

// entries gives the members of an object, none for anything else.
func entries(n *yamldoc.Node) []yamldoc.Entry {
	if n == nil || n.Kind != yamldoc.Map {
		return nil
	}
	return n.Entries
}

func items(n *yamldoc.Node) []*yamldoc.Node {
	if n == nil || n.Kind != yamldoc.List {
		return nil
	}
	return n.Items
}

// keysOf gives the names of an object's members, for suggestions.
func keysOf(n *yamldoc.Node) []string {
	var all []string
	for i := range entries(n) {
		all = append(all, n.Entries[i].Key.Text)
	}
	slices.Sort(all)
	return all
}
