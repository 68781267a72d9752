package jsonschema

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

const rule = "schema"

// loader compiles one file.
type loader struct {
	root    *yamldoc.Node
	formats map[string]*expr.Format
	label   string
	list    diag.List
	made    map[*yamldoc.Node]*made
}

// made is a schema as it was compiled.
type made struct {
	check *check
	typ   *expr.Type
	open  bool // under way: who refers to it now is inside it
}

func (l *loader) header(root *yamldoc.Node) {
	if v := root.Get("$schema"); v != nil && v.Text != Draft {
		l.list.Errorf(v.Span, rule, "this program knows JSON Schema 2020-12").Help = `write "$schema": "` + Draft + `"`
	}
}

// schema compiles a schema, once. nil: it refers to itself, which is told.
func (l *loader) schema(n *yamldoc.Node) *made {
	if m := l.made[n]; m != nil {
		if m.open {
			l.list.Errorf(n.FirstLine(), rule, "this schema contains itself").Help = `leave the inner one open: "type": "object"`
			return nil
		}
		return m
	}
	m := &made{check: &check{}, typ: &expr.Type{Label: l.label}, open: true}
	l.made[n] = m
	defer func() { m.open = false }()
	switch {
	case n.Kind == yamldoc.Bool:
		m.check.never = n.Text == "false"
		return m
	case n.Kind != yamldoc.Map:
		l.list.Errorf(n.FirstLine(), rule, "a schema is an object, true or false, and this is %s", n.Kind)
		return m
	}
	l.words(n)
	kinds := l.kinds(m, n)
	l.constants(m, n)
	l.texts(m, n)
	l.numbers(m, n)
	l.counts(m, n)
	l.elements(m, n)
	l.members(m, n)
	l.reference(m, n)
	l.several(m, n)
	l.fits(n, kinds)
	return m
}

// words tells words that are not known, or do nothing here.
func (l *loader) words(n *yamldoc.Node) {
	for i := range n.Entries {
		k := n.Entries[i].Key
		switch {
		case slices.Contains(onlyAtRoot, k.Text) && n != l.root:
			l.list.Errorf(k.Span, rule, "%s stands at the beginning of the file only", k.Text)
		case !slices.Contains(Words, k.Text):
			d := l.list.Errorf(k.Span, rule, "%q is no word of JSON Schema that is known here", k.Text)
			if near := diag.Suggest(k.Text, Words); near != "" {
				d.Help = "did you mean " + near + "?"
			} else if slices.Contains(others, k.Text) {
				d.Help = "not supported: what depends on other values is a rule (rules:)"
			}
		}
	}
}

var onlyAtRoot = []string{"$schema", "$id", "$defs"}

// others are words of the draft that are left to rules.
var others = []string{
	"if", "then", "else", "not", "dependentSchemas", "prefixItems", "contains", "minContains", "maxContains", "uniqueItems",
	"patternProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties", "multipleOf",
	"contentEncoding", "contentMediaType", "contentSchema", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary",
}

var typeKinds = map[string]jsonx.Kind{
	"string": jsonx.String, "number": jsonx.Number, "integer": jsonx.Number, "boolean": jsonx.Bool,
	"array": jsonx.Array, "object": jsonx.Object, "null": jsonx.Null,
}

var typeNames = []string{"string", "integer", "number", "boolean", "array", "object", "null"}

// kinds reads `type`.
func (l *loader) kinds(m *made, n *yamldoc.Node) []string {
	ty := n.Get("type")
	var names []string
	switch {
	case ty == nil:
		return nil
	case ty.Kind == yamldoc.Text:
		names = []string{ty.Text}
	case ty.Kind == yamldoc.List:
		for _, i := range ty.Items {
			names = append(names, i.Text)
		}
	}
	if len(names) == 0 {
		l.list.Errorf(ty.FirstLine(), rule, "type is a name, or a list of names")
	}
	var kinds []jsonx.Kind
	for _, name := range names {
		k, ok := typeKinds[name]
		if !ok {
			d := l.list.Errorf(ty.FirstLine(), rule, "unknown type %q", name)
			d.Help = "known: " + strings.Join(typeNames, ", ")
			continue
		}
		kinds = append(kinds, k)
	}
	m.check.kinds = jsonx.KindsOf(kinds...)
	m.check.whole = slices.Contains(names, "integer") && !slices.Contains(names, "number")
	t := m.typ
	rest := slices.DeleteFunc(slices.Clone(kinds), func(k jsonx.Kind) bool { return k == jsonx.Null })
	t.Null = len(rest) < len(kinds)
	rest = slices.Compact(rest)
	switch {
	case len(rest) == 0 && t.Null:
		t.Kind = expr.NoneType
	case len(rest) == 1:
		t.Kind, t.Integer = typeOf[rest[0]], m.check.whole
	default:
		for _, k := range rest {
			t.Either = append(t.Either, &expr.Type{Kind: typeOf[k]})
		}
	}
	return names
}

var typeOf = map[jsonx.Kind]expr.TypeKind{
	jsonx.String: expr.TextType, jsonx.Number: expr.NumberType, jsonx.Bool: expr.BoolType,
	jsonx.Array: expr.ListType, jsonx.Object: expr.ObjectType,
}

// fits tells words that do nothing for the types named.
func (l *loader) fits(n *yamldoc.Node, types []string) {
	if len(types) == 0 {
		return
	}
	for i := range n.Entries {
		k := n.Entries[i].Key
		only := wordsFor[k.Text]
		if only != "" && !slices.Contains(types, only) && (only != "number" || !slices.Contains(types, "integer")) {
			l.list.Errorf(k.Span, rule, "%s has no effect: the type is not %s", k.Text, only)
		}
	}
}

var wordsFor = map[string]string{
	"items": "array", "minItems": "array", "maxItems": "array",
	"properties": "object", "required": "object", "additionalProperties": "object", "dependentRequired": "object",
	"minProperties": "object", "maxProperties": "object",
	"pattern": "string", "format": "string", "minLength": "string", "maxLength": "string",
	"minimum": "number", "maximum": "number", "exclusiveMinimum": "number", "exclusiveMaximum": "number",
}

func (l *loader) step(m *made, run func(c *checking, v jsonx.Value)) {
	m.check.steps = append(m.check.steps, run)
}

// constants reads enum and const.
func (l *loader) constants(m *made, n *yamldoc.Node) {
	if c := n.Get("const"); c != nil {
		want := l.value(c)
		if c.Kind == yamldoc.Text && m.typ.Kind != expr.AnyType {
			m.typ.Enum = []string{c.Text}
		}
		l.step(m, func(c *checking, v jsonx.Value) {
			if !jsonx.Equal(v, want) {
				c.fault("const")
			}
		})
	}
	e := n.Get("enum")
	if e == nil {
		return
	}
	if len(items(e)) == 0 {
		l.list.Errorf(e.FirstLine(), rule, "enum is a list of values")
		return
	}
	var all []jsonx.Value
	var words []string
	for _, i := range e.Items {
		all = append(all, l.value(i))
		if i.Kind == yamldoc.Text {
			words = append(words, i.Text)
		}
	}
	if m.typ.Kind == expr.TextType && len(words) > 0 {
		m.typ.Enum = words
	}
	l.step(m, func(c *checking, v jsonx.Value) {
		if !slices.ContainsFunc(all, func(one jsonx.Value) bool { return jsonx.Equal(v, one) }) {
			c.fault("enum")
		}
	})
}

// value gives a constant of the file as a JSON value.
func (l *loader) value(n *yamldoc.Node) jsonx.Value {
	return jsonx.RawValue(n.Span.File.Text[n.Span.Start:n.Span.End]).Clone()
}

// texts reads the words of texts.
func (l *loader) texts(m *made, n *yamldoc.Node) {
	least, most := l.count(n, "minLength"), l.count(n, "maxLength")
	if least >= 0 || most >= 0 {
		l.step(m, func(c *checking, v jsonx.Value) {
			if v.Kind() != jsonx.String {
				return
			}
			switch length := v.Len(); {
			case length < least:
				c.fault("minLength")
			case most >= 0 && length > most:
				c.fault("maxLength")
			}
		})
	}
	if p := n.Get("pattern"); p != nil {
		re, err := regexp.Compile(p.Text)
		if err != nil || p.Kind != yamldoc.Text {
			l.list.Errorf(p.FirstLine(), rule, "this pattern cannot be read").Help = "patterns are RE2: no look-around, no back-references"
			return
		}
		l.step(m, func(c *checking, v jsonx.Value) {
			if v.Kind() == jsonx.String && !re.MatchString(v.Text()) {
				c.fault("pattern")
			}
		})
	}
	if f := n.Get("format"); f != nil {
		format := l.formats[f.Text]
		if format == nil {
			d := l.list.Errorf(f.FirstLine(), rule, "unknown format %q", f.Text)
			names := make([]string, 0, len(l.formats))
			for name := range l.formats {
				names = append(names, name)
			}
			if near := diag.Suggest(f.Text, names); near != "" {
				d.Help = "did you mean " + near + "?"
			}
			return
		}
		l.step(m, func(c *checking, v jsonx.Value) {
			if v.Kind() != jsonx.String {
				return
			}
			if _, ok := format.Normal(v.Text()); !ok {
				c.fault("format")
			}
		})
	}
}

// numbers reads the bounds of numbers.
func (l *loader) numbers(m *made, n *yamldoc.Node) {
	for _, b := range []struct {
		word string
		out  func(order int) bool
	}{
		{"minimum", func(o int) bool { return o < 0 }},
		{"maximum", func(o int) bool { return o > 0 }},
		{"exclusiveMinimum", func(o int) bool { return o <= 0 }},
		{"exclusiveMaximum", func(o int) bool { return o >= 0 }},
	} {
		v := n.Get(b.word)
		if v == nil {
			continue
		}
		if v.Kind != yamldoc.Number {
			l.list.Errorf(v.FirstLine(), rule, "%s is a number", b.word)
			continue
		}
		word, limit, out := b.word, v.Text, b.out
		l.step(m, func(c *checking, v jsonx.Value) {
			if v.Kind() == jsonx.Number && out(jsonx.CompareNumbers(v.Text(), limit)) {
				c.fault(word)
			}
		})
	}
}

// counts reads how many elements and members there may be.
func (l *loader) counts(m *made, n *yamldoc.Node) {
	for _, b := range []struct {
		word string
		kind jsonx.Kind
		most bool
	}{
		{"minItems", jsonx.Array, false}, {"maxItems", jsonx.Array, true},
		{"minProperties", jsonx.Object, false}, {"maxProperties", jsonx.Object, true},
	} {
		limit := l.count(n, b.word)
		if limit < 0 {
			continue
		}
		if b.word == "minItems" {
			m.typ.Min = limit
		}
		l.step(m, func(c *checking, v jsonx.Value) {
			if v.Kind() != b.kind {
				return
			}
			if size := v.Len(); size > limit && b.most || size < limit && !b.most {
				c.fault(b.word)
			}
		})
	}
}

// count reads a number of things; -1 when it is not said.
func (l *loader) count(n *yamldoc.Node, word string) int {
	v := n.Get(word)
	if v == nil {
		return -1
	}
	i, err := strconv.Atoi(v.Text)
	if v.Kind != yamldoc.Number || err != nil || i < 0 {
		l.list.Errorf(v.FirstLine(), rule, "%s is a whole number from 0", word)
		return -1
	}
	return i
}

// elements reads items.
func (l *loader) elements(m *made, n *yamldoc.Node) {
	i := n.Get("items")
	if i == nil {
		return
	}
	inner := l.schema(i)
	if inner == nil {
		return
	}
	if m.typ.Kind == expr.ListType {
		m.typ.Elem = inner.typ
	}
	l.step(m, func(c *checking, v jsonx.Value) {
		if v.Kind() != jsonx.Array {
			return
		}
		k := 0
		for it := v.Iter(); it.Next(); k++ {
			c.inside(step{"", k}, inner.check, it.Value())
		}
	})
}

// reference reads $ref; words beside it hold, too.
func (l *loader) reference(m *made, n *yamldoc.Node) {
	r := n.Get("$ref")
	if r == nil {
		return
	}
	name, local := strings.CutPrefix(r.Text, "#/$defs/")
	if !local || r.Kind != yamldoc.Text {
		l.list.Errorf(r.FirstLine(), rule, "a schema refers to one under $defs of its own file").Help = `write "$ref": "#/$defs/NAME"`
		return
	}
	name = jsonx.PointerName(name)
	target := l.root.Get("$defs").Get(name)
	if target == nil {
		d := l.list.Errorf(r.Span, rule, "$defs has no %q", name)
		if near := diag.Suggest(name, keysOf(l.root.Get("$defs"))); near != "" {
			d.Help = "did you mean " + near + "?"
		}
		return
	}
	inner := l.schema(target)
	if inner == nil {
		l.list.Errorf(r.Span, rule, "this leads back to the schema that holds it")
		return
	}
	m.typ = merged(m.typ, inner.typ)
	l.step(m, inner.check.run)
}
