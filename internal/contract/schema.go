package contract

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// maxSchemas bounds what references can multiply schemas to.
const maxSchemas = 30_000

// typeOf gives what the checker knows of values that fit schema n. With
// inferred, fields that are not required may be used unguarded.
func (l *loader) typeOf(n *yamldoc.Node, inferred bool, label string) *expr.Type {
	secret := n != nil && yes(n.Get("x-emenda-secret"))
	n = l.schema(n)
	if n == nil {
		return &expr.Type{Secret: secret}
	}
	if l.read++; l.read > maxSchemas {
		if l.read == maxSchemas+1 {
			l.list.Errorf(n.FirstLine(), ruleSchema, "the contract's schemas refer to each other so often that they grow beyond %d", maxSchemas)
		}
		return &expr.Type{Secret: secret}
	}
	l.open = append(l.open, n)
	defer func() { l.open = l.open[:len(l.open)-1] }()
	t := &expr.Type{Secret: secret || yes(n.Get("x-emenda-secret")), Label: label}
	kinds := l.kinds(n, t)
	l.words(n, kinds)
	for _, alt := range slices.Concat(items(n.Get("anyOf")), items(n.Get("oneOf"))) {
		a := l.typeOf(alt, inferred, label)
		t.Null = t.Null || a.Null
		t.Secret = t.Secret || a.Secret
	}
	if len(kinds) != 1 || n.Get("anyOf") != nil || n.Get("oneOf") != nil {
		t.Kind = expr.AnyType
		if len(kinds) == 0 && t.Null && n.Get("type") != nil {
			t.Kind = expr.NoneType
		}
		// Read for its mistakes, and for what is secret in it.
		u := &expr.Type{}
		l.fields(n, u, inferred, label)
		for _, f := range u.Fields {
			t.Secret = t.Secret || hidesSecret(f.Type)
		}
		if i := n.Get("items"); i != nil && hidesSecret(l.typeOf(i, inferred, label)) {
			t.Secret = true
		}
		return t
	}
	switch kinds[0] {
	case "string":
		t.Kind = expr.TextType
		t.Enum = texts(n.Get("enum"))
	case "integer":
		t.Kind, t.Integer = expr.NumberType, true
	case "number":
		t.Kind = expr.NumberType
	case "boolean":
		t.Kind = expr.BoolType
	case "array":
		t.Kind = expr.ListType
		if i := n.Get("items"); i != nil && i.Kind == yamldoc.Map {
			t.Elem = l.typeOf(i, inferred, label)
		}
		if m := n.Get("minItems"); m != nil && m.Kind == yamldoc.Number {
			t.Min, _ = strconv.Atoi(m.Text)
		}
	case "object":
		t.Kind = expr.ObjectType
		l.fields(n, t, inferred, label)
	}
	return t
}

// hidesSecret tells whether something secret stands in t.
func hidesSecret(t *expr.Type) bool {
	if t == nil {
		return false
	}
	if t.Secret || hidesSecret(t.Elem) {
		return true
	}
	for _, f := range t.Fields {
		if hidesSecret(f.Type) {
			return true
		}
	}
	return false
}

// schema follows $ref and refuses circles: a value that nests without end has no type the checker can show.
func (l *loader) schema(n *yamldoc.Node) *yamldoc.Node {
	if n == nil || n.Kind != yamldoc.Map {
		return nil
	}
	ref := n.Get("$ref")
	n = l.deref(n, "schemas", "x-emenda-secret", "x-emenda-names", "x-emenda-required-when")
	if n != nil && slices.Contains(l.open, n) {
		at := n.FirstLine()
		if ref != nil {
			at = ref.Span
		}
		l.list.Errorf(at, ruleSchema, "this schema contains itself").Help = "leave the inner one open: type: object"
		return nil
	}
	return n
}

// kinds gives the types a schema names, without null, which it sets in t.
func (l *loader) kinds(n *yamldoc.Node, t *expr.Type) []string {
	ty := n.Get("type")
	var kinds []string
	switch {
	case ty == nil && n.Get("properties") != nil:
		return []string{"object"}
	case ty == nil && n.Get("items") != nil:
		return []string{"array"}
	case ty == nil && len(texts(n.Get("enum"))) > 0:
		return []string{"string"}
	case ty == nil:
		return nil
	case ty.Kind == yamldoc.Null:
		t.Null = true
	case ty.Kind == yamldoc.Text:
		kinds = []string{ty.Text}
	}
	for _, i := range items(ty) {
		if slices.Contains(kinds, i.Text) {
			l.list.Errorf(i.Span, ruleSchema, "type %s is named twice", short(i.Text))
			continue
		}
		kinds = append(kinds, i.Text)
	}
	if i := slices.Index(kinds, "null"); i >= 0 {
		t.Null = true
		kinds = slices.Delete(kinds, i, i+1)
	}
	if len(kinds) == 2 && slices.Contains(kinds, "integer") && slices.Contains(kinds, "number") {
		kinds = []string{"number"}
	}
	return kinds
}

// ofType tells whether a constant is of a type that a schema names; ty is nil, a name or a list of names.
func ofType(n, ty *yamldoc.Node) bool {
	if ty == nil {
		return true
	}
	names := items(ty)
	if ty.Kind == yamldoc.Text {
		names = []*yamldoc.Node{ty}
	}
	for _, name := range names {
		switch name.Text {
		case "string":
			if n.Kind == yamldoc.Text {
				return true
			}
		case "number":
			if n.Kind == yamldoc.Number {
				return true
			}
		case "integer":
			if n.Kind == yamldoc.Number && !strings.ContainsAny(n.Text, ".eE") {
				return true
			}
		case "boolean":
			if n.Kind == yamldoc.Bool {
				return true
			}
		case "array":
			if n.Kind == yamldoc.List {
				return true
			}
		case "object":
			if n.Kind == yamldoc.Map {
				return true
			}
		case "null":
			if n.Kind == yamldoc.Null {
				return true
			}
		default:
			return true // no type at all, which is told where it stands
		}
	}
	return false
}

// texts gives the elements of an enum when all are texts.
func texts(n *yamldoc.Node) []string {
	var all []string
	for _, i := range items(n) {
		if i.Kind == yamldoc.Null {
			continue
		}
		if i.Kind != yamldoc.Text {
			return nil
		}
		all = append(all, i.Text)
	}
	return all
}

func (l *loader) fields(n *yamldoc.Node, t *expr.Type, inferred bool, label string) {
	props := n.Get("properties")
	t.Open = yes(n.Get("additionalProperties")) || props == nil && n.Get("additionalProperties") == nil
	t.Assumed = inferred && !t.Open
	t.Fields = map[string]*expr.Field{}
	for _, e := range entries(props) {
		name := e.Key.Text
		required := slices.ContainsFunc(items(n.Get("required")), func(r *yamldoc.Node) bool { return r.Text == name })
		f := &expr.Field{Type: l.typeOf(e.Value, inferred, label), Required: required}
		f.Assumed = inferred && !required
		t.Fields[name] = f
		t.Order = append(t.Order, name)
	}
	seen := map[string]bool{}
	for _, r := range items(n.Get("required")) {
		switch {
		case r.Kind != yamldoc.Text:
		case seen[r.Text]:
			l.list.Errorf(r.Span, ruleSchema, "%s is named twice", short(r.Text))
		case props != nil && props.Get(r.Text) == nil:
			d := l.list.Errorf(r.Span, ruleSchema, "properties has no %s", short(r.Text))
			if near := diag.Suggest(r.Text, keysOf(props)); near != "" {
				d.Help = "did you mean " + near + "?"
			}
		}
		seen[r.Text] = true
	}
}

// missing marks the fields of an answer's type that may not be there. A
// request's are not marked: a field that is left out is simply not sent.
func missing(t *expr.Type) *expr.Type {
	if t == nil {
		return nil
	}
	t.Elem = missing(t.Elem)
	for _, f := range t.Fields {
		f.Type = missing(f.Type)
		if !f.Required && !f.Assumed {
			f.Type = f.Type.Nullable()
		}
	}
	return t
}

// words of a schema that fit only some types.
var wordsFor = map[string]string{
	"properties": "object", "required": "object", "additionalProperties": "object", "items": "array",
	"minItems": "array", "maxItems": "array", "x-emenda-max-bytes": "string", "pattern": "string", "minLength": "string", "maxLength": "string",
	"minimum": "number", "maximum": "number", "exclusiveMinimum": "number", "exclusiveMaximum": "number",
}

// formats that may be named beside date patterns; they are notes.
var formats = []string{
	"binary", "byte", "date", "date-time", "double", "email", "epoch_ms", "float", "int32", "int64", "password", "time", "uri", "uuid",
}

var datePattern = regexp.MustCompile(`^(yyyy|MM|dd|HH|mm|ss|SSS|XXX|Z|'T'|T|[-/. :])+$`)

// words checks words of a schema that do nothing for its types, patterns, formats and bounds.
func (l *loader) words(n *yamldoc.Node, kinds []string) {
	for i := range n.Entries {
		k, v := n.Entries[i].Key, n.Entries[i].Value
		if only := wordsFor[k.Text]; only != "" && n.Get("type") != nil &&
			!slices.Contains(kinds, only) && (only != "number" || !slices.Contains(kinds, "integer")) {
			l.list.Errorf(k.Span, ruleSchema, "%s has no effect: the type is not %s", k.Text, only)
		}
		switch k.Text {
		case "pattern":
			if v.Kind == yamldoc.Text {
				if _, err := regexp.Compile(v.Text); err != nil {
					l.list.Errorf(v.Span, ruleSchema, "this pattern cannot be read").
						Help = "patterns are RE2: no look-around, no back-references"
				}
			}
		case "format":
			if f := word(v); f != "" && !slices.Contains(formats, f) && !datePattern.MatchString(f) {
				d := l.list.Errorf(v.Span, ruleSchema, "format %s is not known", short(f))
				if near := diag.Suggest(f, formats); near != "" {
					d.Help = "did you mean " + near + "?"
				} else {
					d.Help = "formats: " + strings.Join(formats, ", ") + ", or a date pattern such as dd-MM-yyyy"
				}
			}
		case "minLength", "maxLength", "minItems", "maxItems":
			if v.Kind == yamldoc.Number && strings.HasPrefix(v.Text, "-") {
				l.list.Errorf(v.Span, ruleSchema, "%s cannot be below 0", k.Text)
			}
		case "enum":
			if v.Kind == yamldoc.List && len(v.Items) == 0 {
				l.list.Errorf(v.Span, ruleSchema, "enum needs at least one value")
			}
			for _, i := range items(v) {
				if !ofType(i, n.Get("type")) {
					l.list.Errorf(i.FirstLine(), ruleSchema, "this is %s, which the schema's type does not allow", i.Kind)
				}
			}
		case "example", "examples", "const", "default":
			l.json(v)
		}
	}
}

// inferType gives the type of an example.
func inferType(n *yamldoc.Node, label string) *expr.Type {
	t := &expr.Type{Label: label}
	switch n.Kind {
	case yamldoc.Null:
		t.Null = true
	case yamldoc.Bool:
		t.Kind = expr.BoolType
	case yamldoc.Number:
		t.Kind, t.Integer = expr.NumberType, !strings.ContainsAny(n.Text, ".eE")
	case yamldoc.Text:
		t.Kind = expr.TextType
	case yamldoc.List:
		t.Kind = expr.ListType
		for _, i := range n.Items {
			t.Elem = widen(t.Elem, i, label)
		}
	case yamldoc.Map:
		t.Kind, t.Assumed, t.Fields = expr.ObjectType, true, map[string]*expr.Field{}
		for _, e := range n.Entries {
			t.Fields[e.Key.Text] = &expr.Field{Type: inferType(e.Value, label), Assumed: true}
			t.Order = append(t.Order, e.Key.Text)
		}
	}
	return t
}

// widen adds to t what example n shows: fields the schema does not name, what
// lists hold. A kind the schema names stands; kinds that examples disagree about are any.
func widen(t *expr.Type, n *yamldoc.Node, label string) *expr.Type {
	if n == nil {
		return t
	}
	if t == nil {
		return inferType(n, label)
	}
	switch {
	case t.Kind == expr.ObjectType && n.Kind == yamldoc.Map:
		for _, e := range n.Entries {
			name := e.Key.Text
			f := t.Fields[name]
			if f == nil {
				if t.Fields == nil {
					t.Fields = map[string]*expr.Field{}
				}
				t.Fields[name] = &expr.Field{Type: inferType(e.Value, label), Assumed: true}
				t.Order = append(t.Order, name)
				continue
			}
			f.Type = widen(f.Type, e.Value, label)
		}
	case t.Kind == expr.ListType && n.Kind == yamldoc.List:
		for _, i := range n.Items {
			t.Elem = widen(t.Elem, i, label)
		}
	default:
		u := inferType(n, label)
		switch {
		case n.Kind == yamldoc.Null:
			t.Null = true
		case t.Kind == expr.AnyType && t.Null:
			u.Null, u.Secret = true, t.Secret
			return u
		case t.Kind != u.Kind:
			t = &expr.Type{Null: t.Null, Secret: t.Secret, Label: label}
		case t.Kind == expr.NumberType:
			t.Integer = t.Integer && u.Integer
		}
	}
	return t
}
