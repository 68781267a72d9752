package expr

import (
	"fmt"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// The types signatures are made of.
var (
	anyType     = &Type{Kind: AnyType}
	textType    = &Type{Kind: TextType}
	boolType    = &Type{Kind: BoolType}
	numberType  = &Type{Kind: NumberType}
	integerType = &Type{Kind: NumberType, Integer: true}
	timeType    = &Type{Kind: TimeType}
	listType    = &Type{Kind: ListType}
	textsType   = &Type{Kind: ListType, Elem: textType}
	objectType  = &Type{Kind: ObjectType, Open: true}
)

// maxGrown bounds a text that a function makes longer than what it was given:
// nested replacements would else multiply without end.
const maxGrown = 1 << 20

// textArg gives the text of an argument, or fails the frame when it is of
// another kind (possible only where its type was not known when loading).
func textArg(f *Frame, function string, v jsonx.Value) (string, bool) {
	if v.Kind() != jsonx.String {
		f.Fail("%s needs text and was given %s", function, kindWords(v))
		return "", false
	}
	return v.Text(), true
}

// listArg tells whether an argument is a list, or fails the frame.
func listArg(f *Frame, function string, v jsonx.Value) bool {
	if v.Kind() != jsonx.Array {
		f.Fail("%s needs a list and was given %s", function, kindWords(v))
		return false
	}
	return true
}

// kindWords names what a value is, never what it holds.
func kindWords(v jsonx.Value) string {
	switch v.Kind() {
	case jsonx.Bool, jsonx.Number, jsonx.Array:
		return "a " + v.Kind().String()
	case jsonx.Object:
		return "an object"
	case jsonx.String:
		return "text"
	}
	return "no value"
}

// kindOf gives the kind of an argument's type; nil is any.
func kindOf(t *Type) TypeKind {
	if t == nil {
		return AnyType
	}
	return t.Kind
}

// elemOf gives the element type of a list type, any when not known.
func elemOf(t *Type) *Type {
	if kindOf(t) != ListType || t.Elem == nil {
		return anyType
	}
	return t.Elem
}

// fieldOf finds the field name in the objects of type t for function's check.
// The field is nil when nothing is known of it.
func fieldOf(function string, t *Type, name string) (*Field, error) {
	switch kindOf(t) {
	case AnyType, NoneType:
		return nil, nil
	case ObjectType:
	default:
		return nil, fmt.Errorf("%s looks for the field %q, but these are no objects: %s", function, name, t)
	}
	if field := t.Fields[name]; field != nil {
		return field, nil
	}
	if t.Open || t.Assumed {
		return nil, nil
	}
	return nil, fmt.Errorf("%s looks for the field %q, which is not there%s", function, name, didYouMean(name, t.Order))
}

// didYouMean ends a message with the near name, if there is one.
func didYouMean(name string, among []string) string {
	if near := diag.Suggest(name, among); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// keyField splits a sort key into field and direction: "-date" is date, descending.
func keyField(key string) (field string, descending bool) {
	return strings.TrimPrefix(key, "-"), strings.HasPrefix(key, "-")
}
