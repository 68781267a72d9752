package mapping

import (
	"regexp"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// input compiles the `input` of a mapping or flow.
func (l *loader) input(n *yamldoc.Node, label string) *Input {
	in := &Input{Type: record(label)}
	if n == nil || n.Kind != yamldoc.Map {
		return in
	}
	if v := n.Get("schema"); v != nil && v.Kind != yamldoc.Map {
		l.document(v, in)
	}
	in.Fields = l.fields(n, in.Type)
	taken := map[string]string{}
	for _, f := range in.Fields {
		for _, name := range f.Names {
			if other, ok := taken[name]; ok && other != f.Name {
				l.list.Errorf(f.At, "double", "input fields %s and %s both accept the name %s", other, f.Name, quoteShort(name))
			}
			taken[name] = f.Name
		}
	}
	return in
}

// fields compiles a map of fields and adds them to the object type t.
func (l *loader) fields(n *yamldoc.Node, t *expr.Type) []*InputField {
	var all []*InputField
	for i := range n.Entries {
		e := &n.Entries[i]
		if e.Value.Kind != yamldoc.Map {
			if t.Label == "input" && (e.Key.Text == "schema" || e.Key.Text == "form") {
				continue
			}
			l.list.Errorf(e.Value.Span, "wrong-type", "an input field is a map that says its type").
				Help = "write " + e.Key.Text + ": { type: string }"
			t.Open = true
			continue
		}
		f := l.field(e.Key.Text, e.Key, e.Value)
		if t.Fields[f.Name] != nil {
			l.list.Errorf(e.Key.Span, "double", "the schema has a field %s already", f.Name)
			continue
		}
		all = append(all, f)
		t.Order = append(t.Order, f.Name)
		t.Fields[f.Name] = &expr.Field{Type: f.Type, Required: f.Required}
	}
	return all
}

func (l *loader) field(name string, at, n *yamldoc.Node) *InputField {
	f := &InputField{
		Name: name, Names: textsOf(n.Get("names")), At: at.Span,
		Required: boolOf(n.Get("required")), Echo: boolOf(n.Get("echo")), Secret: boolOf(n.Get("secret")),
		Enum: textsOf(n.Get("enum")),
	}
	if !slices.Contains(f.Names, name) {
		if len(f.Names) == 0 {
			f.Names = []string{name}
		} else {
			f.Names = append(f.Names, name)
		}
	}
	t := &expr.Type{Label: "input." + name, Secret: f.Secret}
	kind := textOf(n.Get("type"))
	switch kind {
	case "integer":
		t.Kind, t.Integer = expr.NumberType, true
	case "number":
		t.Kind = expr.NumberType
	case "boolean":
		t.Kind = expr.BoolType
	case "array":
		t.Kind, f.List = expr.ListType, true
	case "object":
		t.Kind = expr.ObjectType
	case "string":
		t.Kind, t.Enum = expr.TextType, f.Enum
	default: // missing or unknown: told by the shape
		t.Kind = expr.AnyType
	}
	l.nested(f, t, n)
	l.checks(f, t, kind, n)
	f.Type = t
	f.Default = l.defaultOf(f, t, n.Get("default"))
	if !f.Required && f.Default.Kind() == jsonx.Absent {
		f.Type = t.Nullable()
	}
	return f
}

// nested compiles the elements of an array and the fields of an object.
func (l *loader) nested(f *InputField, t *expr.Type, n *yamldoc.Node) {
	items, props := n.Get("items"), n.Get("properties")
	switch {
	case t.Kind == expr.ListType && items != nil && items.Kind == yamldoc.Map:
		f.Items = l.field(f.Name, n.KeyOf("items"), items)
		t.Elem = f.Items.Type.NotNull()
	case t.Kind != expr.ListType && items != nil && t.Kind != expr.AnyType:
		l.list.Errorf(n.KeyOf("items").Span, "misplaced-key", "items belongs to type array")
	}
	switch {
	case t.Kind == expr.ObjectType:
		t.Fields = map[string]*expr.Field{}
		if props != nil && props.Kind == yamldoc.Map {
			f.Fields = l.fields(props, t)
		} else {
			t.Open = true
		}
	case props != nil && t.Kind != expr.AnyType:
		l.list.Errorf(n.KeyOf("properties").Span, "misplaced-key", "properties belongs to type object")
	}
}

// checks compiles what a field's values must fit.
func (l *loader) checks(f *InputField, t *expr.Type, kind string, n *yamldoc.Node) {
	isText, isNumber := t.Kind == expr.TextType, t.Kind == expr.NumberType
	belongs := func(k string, ok bool, to string) *yamldoc.Node {
		v := n.Get(k)
		if v != nil && !ok && t.Kind != expr.AnyType {
			l.list.Errorf(n.KeyOf(k).Span, "misplaced-key", "%s belongs to %s, and %s is of type %s", k, to, f.Name, kind)
			return nil
		}
		return v
	}
	if v := belongs("format", isText, "type string"); v != nil {
		if f.Format = l.world.Formats[v.Text]; f.Format == nil {
			l.unknown(v.Span, "unknown-name", "format", v.Text, keysOf(l.world.Formats))
		}
	}
	if v := belongs("pattern", isText, "type string"); v != nil {
		re, err := regexp.Compile(v.Text)
		if err != nil {
			l.list.Errorf(v.Span, "pattern", "pattern is no regular expression RE2 knows")
		} else {
			f.Pattern = re.MatchString
		}
	}
	belongs("enum", isText || isNumber, "types string, integer and number")
	f.Min = l.decimal(belongs("minimum", isNumber, "types integer and number"))
	f.Max = l.decimal(belongs("maximum", isNumber, "types integer and number"))
	if f.Min != nil && f.Max != nil && f.Min.Cmp(*f.Max) > 0 {
		l.list.Errorf(n.Get("maximum").Span, "limits", "maximum is less than minimum")
	}
	f.MinLength = l.length(belongs("minLength", isText || f.List, "types string and array"))
	f.MaxLength = l.length(belongs("maxLength", isText || f.List, "types string and array"))
	if f.MaxLength > 0 && f.MinLength > f.MaxLength {
		l.list.Errorf(n.Get("maxLength").Span, "limits", "maxLength is less than minLength")
	}
	if f.Required && n.Get("default") != nil {
		l.list.Errorf(n.KeyOf("default").Span, "misplaced-key", "a required field has no default")
	}
	if f.Echo && f.Secret {
		l.list.Errorf(n.KeyOf("echo").Span, "misplaced-key", "a secret field is never sent back")
	}
}

func (l *loader) decimal(n *yamldoc.Node) *jsonx.Decimal {
	if n == nil || n.Kind != yamldoc.Number {
		return nil
	}
	d, ok := jsonx.ParseDecimal(n.Text)
	if !ok {
		return nil
	}
	return &d
}

func (l *loader) length(n *yamldoc.Node) int {
	i, ok := intOf(n)
	if ok && i < 0 {
		l.list.Errorf(n.Span, "limits", "a length is not less than 0")
		return 0
	}
	return i
}

func (l *loader) defaultOf(f *InputField, t *expr.Type, n *yamldoc.Node) jsonx.Value {
	if n == nil {
		return jsonx.Value{}
	}
	if n.Kind == yamldoc.Null {
		l.list.Errorf(n.Span, "wrong-value", "no value needs no default")
		return jsonx.Value{}
	}
	before := len(l.list)
	v := constantValue(n, &l.list)
	constantFits(n, t, "the default of "+f.Name, &l.list)
	if len(l.list) == before && f.Enum != nil && !slices.Contains(f.Enum, textOf(n)) {
		l.list.Errorf(n.Span, "wrong-value", "the default of %s is not one of its enum", f.Name)
	}
	return v
}

// pathFields checks that each `{name}` of a path is an input field.
func (l *loader) pathFields(n *yamldoc.Node, in *Input) []string {
	var names []string
	if n == nil || n.Text == "/" { // the prefix itself
		return nil
	}
	if n.Text == "" || strings.HasPrefix(n.Text, "/") || strings.HasSuffix(n.Text, "/") || strings.Contains(n.Text, "//") || strings.ContainsAny(n.Text, "?#% ") {
		l.list.Errorf(n.Span, "path", "a path stands below the dialect's prefixes: without / at its ends, //, blanks, ?, # or %%")
		return nil
	}
	known := []string{}
	for _, f := range in.Fields {
		known = append(known, f.Names...)
	}
	off := 0
	for _, seg := range strings.Split(n.Text, "/") {
		start := off
		off += len(seg) + 1
		if !strings.ContainsAny(seg, "{}") {
			continue
		}
		field := strings.TrimSuffix(strings.TrimPrefix(seg, "{"), "}")
		if len(field) != len(seg)-2 || field == "" || strings.ContainsAny(field, "{}") {
			l.list.Errorf(n.SpanOf(start, start+len(seg)), "path", "a segment is text or {name}, not both")
			continue
		}
		if slices.Contains(names, field) {
			l.list.Errorf(n.SpanOf(start, start+len(seg)), "path", "{%s} stands twice in the path", field)
			continue
		}
		names = append(names, field)
		if !slices.Contains(known, field) {
			l.unknown(n.SpanOf(start+1, start+1+len(field)), "unknown-name", "input field", field, known)
		}
	}
	return names
}
