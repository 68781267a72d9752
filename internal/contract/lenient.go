package contract

import (
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// Backends are loose with kinds: an id comes as text one day and as a number
// the next, true as 1. A fitting gives an answer the kinds its contract
// declares, where that loses nothing; what cannot be converted stays as it is,
// and an expression that reads it fails by name. Most answers are as declared
// and are only looked at.
type fitting struct {
	kind    expr.TypeKind
	integer bool
	shape   jsonx.Shape // an answer that suits it is as declared
	elem    *fitting
	fields  []fittedField
}

type fittedField struct {
	key jsonx.Key
	fit *fitting
}

// loose gives the kinds of values that may be converted to a declared one.
func loose(kind expr.TypeKind) jsonx.Kinds {
	switch kind {
	case expr.NumberType:
		return jsonx.KindsOf(jsonx.String)
	case expr.TextType:
		return jsonx.KindsOf(jsonx.Number)
	case expr.BoolType:
		return jsonx.KindsOf(jsonx.Number, jsonx.String)
	}
	return 0
}

// fittingOf prepares the fitting of a type; nil when there is nothing to fit.
func fittingOf(t *expr.Type) *fitting { return fitTypes{}.of(t) }

// fitTypes holds what is being prepared: types may hold themselves.
type fitTypes map[*expr.Type]*fitting

func (seen fitTypes) of(t *expr.Type) *fitting {
	if t == nil {
		return nil
	}
	if f, ok := seen[t]; ok {
		return f
	}
	switch t.Kind {
	case expr.BoolType, expr.TextType, expr.NumberType:
		f := &fitting{kind: t.Kind, integer: t.Integer, shape: jsonx.Shape{Wrong: loose(t.Kind)}}
		seen[t] = f
		return f
	case expr.ListType:
		f := &fitting{kind: t.Kind}
		seen[t] = f
		if f.elem = seen.of(t.Elem); f.elem == nil {
			seen[t] = nil
			return nil
		}
		f.shape.Element = &f.elem.shape
		return f
	case expr.ObjectType:
		f := &fitting{kind: t.Kind}
		seen[t] = f
		var members []jsonx.Member
		for _, name := range t.Order {
			if field := t.Fields[name]; field != nil {
				if fit := seen.of(field.Type); fit != nil {
					f.fields = append(f.fields, fittedField{key: jsonx.NewKey(name), fit: fit})
					members = append(members, jsonx.Member{Key: jsonx.NewKey(name), Shape: &fit.shape})
				}
			}
		}
		if len(f.fields) == 0 {
			seen[t] = nil
			return nil
		}
		f.shape.SetMembers(members)
		return f
	}
	return nil
}

// fit gives v with the declared kinds; v itself when it has them.
func (t *fitting) fit(a *jsonx.Arena, v jsonx.Value) jsonx.Value {
	if t == nil || t.shape.Suits(v) || t.fits(v) {
		return v
	}
	m := a.Mark()
	a.SetBuf(t.append(a.Buf(), v))
	return a.Index(a.Text(m))
}

// fits tells whether nothing would be converted.
func (t *fitting) fits(v jsonx.Value) bool {
	switch {
	case t == nil || v.None():
		return true
	case t.kind == expr.ListType:
		if v.Kind() != jsonx.Array {
			return true
		}
		for it := v.Iter(); it.Next(); {
			if !t.elem.fits(it.Value()) {
				return false
			}
		}
		return true
	case t.kind == expr.ObjectType:
		if v.Kind() != jsonx.Object {
			return true
		}
		next := 0
		for it := v.Iter(); it.Next(); {
			if fit := t.field(&it, &next); fit != nil && !fit.fits(it.Value()) {
				return false
			}
		}
		return true
	}
	_, converted := t.convert(v)
	return !converted
}

// append appends v with the declared kinds.
func (t *fitting) append(dst []byte, v jsonx.Value) []byte {
	switch {
	case t == nil || v.None():
		return v.AppendJSON(dst)
	case t.kind == expr.ListType && v.Kind() == jsonx.Array:
		dst = append(dst, '[')
		first := true
		for it := v.Iter(); it.Next(); first = false {
			if !first {
				dst = append(dst, ',')
			}
			dst = t.elem.append(dst, it.Value())
		}
		return append(dst, ']')
	case t.kind == expr.ObjectType && v.Kind() == jsonx.Object:
		dst = append(dst, '{')
		next, first := 0, true
		for it := v.Iter(); it.Next(); first = false {
			if !first {
				dst = append(dst, ',')
			}
			dst = it.Key().AppendJSON(dst)
			dst = append(dst, ':')
			dst = t.field(&it, &next).append(dst, it.Value())
		}
		return append(dst, '}')
	}
	if c, ok := t.convert(v); ok {
		return c.AppendJSON(dst)
	}
	return v.AppendJSON(dst)
}

// field finds the fitting of the member at hand. Members mostly come in the
// declared order, so the field behind the last one found is tried first.
func (t *fitting) field(it *jsonx.Iter, next *int) *fitting {
	at := *next
	for range t.fields {
		f := &t.fields[at]
		if at++; at == len(t.fields) {
			at = 0
		}
		if it.Is(f.key) {
			*next = at
			return f.fit
		}
	}
	return nil
}

// convert converts a scalar to the declared kind; ok is false when it is of
// that kind already, or cannot be without a loss. Blank text is no number and no truth: null.
func (t *fitting) convert(v jsonx.Value) (c jsonx.Value, ok bool) {
	switch t.kind {
	case expr.NumberType:
		if v.Kind() != jsonx.String {
			return v, false
		}
		text := strings.TrimSpace(v.Text())
		if text == "" {
			return jsonx.NullValue(), true
		}
		d, number := jsonx.ParseDecimal(text)
		if !number {
			return v, false
		}
		if _, whole := d.Int64(); t.integer && !whole && strings.ContainsAny(text, ".eE") {
			return v, false
		}
		return jsonx.NumberValue(text), true
	case expr.TextType:
		if v.Kind() == jsonx.Number {
			return jsonx.TextValue(v.Text()), true
		}
	case expr.BoolType:
		switch v.Kind() {
		case jsonx.Number, jsonx.String:
			switch text := strings.TrimSpace(v.Text()); {
			case text == "" && v.Kind() == jsonx.String:
				return jsonx.NullValue(), true
			case text == "1" || equalFold(text, "true"):
				return jsonx.BoolValue(true), true
			case text == "0" || equalFold(text, "false"):
				return jsonx.BoolValue(false), true
			}
		}
	}
	return v, false
}
