package mapping

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// constantJSON appends node n, which holds no expressions, as JSON. Expressions
// and numbers JSON cannot spell are errors.
func constantJSON(dst []byte, n *yamldoc.Node, list *diag.List) []byte {
	switch n.Kind {
	case yamldoc.Bool:
		return append(dst, n.Text...)
	case yamldoc.Number:
		if _, ok := jsonx.ParseDecimal(n.Text); !ok {
			list.Errorf(n.Span, "constant", "%s is not a number JSON can hold", quoteShort(n.Text))
			return append(dst, '0')
		}
		return append(dst, n.Text...)
	case yamldoc.Text:
		if i := strings.Index(n.Text, "${"); i >= 0 {
			list.Errorf(n.SpanOf(i, i+2), "constant", "no ${} here: only constants may stand in this place")
		}
		return jsonx.AppendQuoted(dst, n.Text)
	case yamldoc.List:
		dst = append(dst, '[')
		for i, item := range n.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = constantJSON(dst, item, list)
		}
		return append(dst, ']')
	case yamldoc.Map:
		dst = append(dst, '{')
		for i := range n.Entries {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = jsonx.AppendQuoted(dst, n.Entries[i].Key.Text)
			dst = append(dst, ':')
			dst = constantJSON(dst, n.Entries[i].Value, list)
		}
		return append(dst, '}')
	default:
		return append(dst, "null"...)
	}
}

func constantValue(n *yamldoc.Node, list *diag.List) jsonx.Value {
	return jsonx.RawValue(string(constantJSON(nil, n, list))).Clone() // with an index: rows and constants are read again and again
}

// typeOfValue is the type of a constant.
func typeOfValue(v jsonx.Value) *expr.Type {
	switch v.Kind() {
	case jsonx.Bool:
		return &expr.Type{Kind: expr.BoolType}
	case jsonx.Number:
		d, ok := jsonx.ParseDecimal(v.Text())
		whole := ok
		if ok {
			_, whole = d.Int64()
		}
		return &expr.Type{Kind: expr.NumberType, Integer: whole}
	case jsonx.String:
		return &expr.Type{Kind: expr.TextType}
	case jsonx.Array:
		t := &expr.Type{Kind: expr.ListType}
		for it := v.Iter(); it.Next(); {
			t.Elem = join(t.Elem, typeOfValue(it.Value()))
		}
		return t
	case jsonx.Object:
		t := &expr.Type{Kind: expr.ObjectType, Fields: map[string]*expr.Field{}}
		for it := v.Iter(); it.Next(); {
			k := it.Key().Text()
			t.Order = append(t.Order, k)
			t.Fields[k] = &expr.Field{Type: typeOfValue(it.Value())}
		}
		return t
	default:
		return &expr.Type{Kind: expr.NoneType, Null: true}
	}
}

// join is the type of a value that is of type a or of type b; nil stands for
// "nothing known yet". What the two do not share may be without value.
func join(a, b *expr.Type) *expr.Type {
	switch {
	case a == nil || a == b:
		return b
	case b == nil:
		return a
	case a.Kind == expr.NoneType && b.Kind == expr.NoneType:
		return a
	case a.Kind == expr.NoneType:
		return b.Nullable()
	case b.Kind == expr.NoneType:
		return a.Nullable()
	}
	t := &expr.Type{
		Kind: a.Kind, Null: a.Null || b.Null, Secret: a.Secret || b.Secret,
		Assumed: a.Assumed || b.Assumed,
	}
	if a.Label == b.Label {
		t.Label = a.Label
	}
	if a.Kind != b.Kind {
		t.Kind = expr.AnyType
		return t
	}
	switch a.Kind {
	case expr.NumberType:
		t.Integer = a.Integer && b.Integer
	case expr.TextType:
		if a.Enum != nil && b.Enum != nil {
			t.Enum = slices.Clone(a.Enum)
			for _, e := range b.Enum {
				if !slices.Contains(t.Enum, e) {
					t.Enum = append(t.Enum, e)
				}
			}
		}
	case expr.ListType:
		if a.Elem != nil && b.Elem != nil {
			t.Elem = join(a.Elem, b.Elem)
		}
	case expr.ObjectType:
		joinFields(t, a, b)
	}
	return t
}

func joinFields(t, a, b *expr.Type) {
	t.Open = a.Open || b.Open
	t.Fields = make(map[string]*expr.Field, len(a.Fields))
	for _, from := range []*expr.Type{a, b} {
		for _, n := range fieldOrder(from) {
			if t.Fields[n] != nil {
				continue
			}
			t.Order = append(t.Order, n)
			fa, fb := a.Fields[n], b.Fields[n]
			switch {
			case fa != nil && fb != nil:
				t.Fields[n] = &expr.Field{Type: join(fa.Type, fb.Type), Assumed: fa.Assumed || fb.Assumed, Required: fa.Required && fb.Required}
			case fa != nil:
				t.Fields[n] = &expr.Field{Type: optional(fa.Type), Assumed: fa.Assumed}
			default:
				t.Fields[n] = &expr.Field{Type: optional(fb.Type), Assumed: fb.Assumed}
			}
		}
	}
}

// fieldOrder gives the field names of t as declared, or sorted when no order is known.
func fieldOrder(t *expr.Type) []string {
	if len(t.Order) == len(t.Fields) {
		return t.Order
	}
	return keysOf(t.Fields)
}

func optional(t *expr.Type) *expr.Type {
	if t == nil {
		return &expr.Type{Kind: expr.AnyType, Null: true}
	}
	return t.Nullable()
}

// hasSecret tells whether something of type t is marked secret.
func hasSecret(t *expr.Type) bool { return secretIn(t, map[*expr.Type]bool{}) }

func secretIn(t *expr.Type, seen map[*expr.Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	if t.Secret || secretIn(t.Elem, seen) {
		return true
	}
	for _, f := range t.Fields {
		if secretIn(f.Type, seen) {
			return true
		}
	}
	return false
}

// constantFits checks a constant against a type, loosely as contracts convert:
// text that spells a number fits a number.
func constantFits(n *yamldoc.Node, t *expr.Type, what string, list *diag.List) {
	if t == nil || t.Kind == expr.AnyType {
		return
	}
	bad := func() {
		list.Errorf(n.Span, "wrong-type", "%s must be %s", what, a(t))
	}
	switch n.Kind {
	case yamldoc.Null:
		if !t.Null {
			bad()
		}
	case yamldoc.Bool:
		if t.Kind != expr.BoolType {
			bad()
		}
	case yamldoc.Number:
		if t.Kind != expr.NumberType && t.Kind != expr.TextType {
			bad()
		} else if t.Integer && !isWhole(n.Text) {
			bad()
		}
	case yamldoc.Text:
		if t.Kind == expr.TextType {
			if t.Enum != nil && !slices.Contains(t.Enum, n.Text) {
				d := list.Errorf(n.Span, "wrong-value", "%s cannot be %s", what, quoteShort(n.Text))
				d.Help = suggest(n.Text, t.Enum)
			}
		} else if _, number := jsonx.ParseDecimal(n.Text); t.Kind != expr.NumberType || !number || (t.Integer && !isWhole(n.Text)) {
			bad()
		}
	case yamldoc.List:
		if t.Kind != expr.ListType {
			bad()
			return
		}
		for _, item := range n.Items {
			constantFits(item, t.Elem, "an element of "+what, list)
		}
	case yamldoc.Map:
		if t.Kind != expr.ObjectType {
			bad()
			return
		}
		for i := range n.Entries {
			k := n.Entries[i].Key
			if f := t.Fields[k.Text]; f != nil {
				constantFits(n.Entries[i].Value, f.Type, k.Text, list)
			} else if !t.Open {
				d := list.Errorf(k.Span, "unknown-field", "%s has no field %s", what, quoteShort(k.Text))
				d.Help = suggest(k.Text, fieldOrder(t))
			}
		}
	}
}

// a names a type with its article.
func a(t *expr.Type) string {
	s := t.NotNull().String()
	switch t.Kind {
	case expr.TextType:
		return s
	case expr.ObjectType:
		return "an " + s
	default:
		return "a " + s
	}
}

func isWhole(digits string) bool {
	d, ok := jsonx.ParseDecimal(digits)
	if !ok {
		return false
	}
	_, whole := d.Int64()
	return whole
}
