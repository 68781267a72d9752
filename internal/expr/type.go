package expr

import (
	"maps"
	"slices"
	"strings"
)

// TypeKind is the family of a Type.
type TypeKind uint8

// The type kinds. AnyType is "not known when loading"; it may hold everything.
const (
	AnyType TypeKind = iota
	BoolType
	NumberType
	TextType
	ListType
	ObjectType
	NoneType // the type of nil
	// TimeType is `now` and what date functions pass on. At run time a time is
	// a text value (jsonx.String) in RFC 3339 with nanoseconds, in the frame's
	// zone: f.TimeValue(t) makes one, ParseTime reads it back. A name of this
	// type whose slot was never set reads as Frame.Now. Written into a template
	// it is that text.
	TimeType
)

// Type is what the checker knows of a value. Types are immutable once made.
type Type struct {
	Kind    TypeKind
	Null    bool              // may have no value (absent or null)
	Integer bool              // NumberType: whole numbers only
	Secret  bool              // marked secret, or made of something secret
	Elem    *Type             // ListType; nil: any
	Min     int               // ListType: it has at least so many elements
	Fields  map[string]*Field // ObjectType
	Order   []string          // ObjectType: field names as declared
	Open    bool              // ObjectType: other fields may be there (type any, no value possible)
	Assumed bool              // ObjectType: fields were read off examples; an unknown one is a warning, and AnyType, Assumed
	Enum    []string          // TextType: the only texts possible; comparing with another is an error
	Label   string            // how messages name what has this type: "erp.comercial.cliente.dados"
	Either  []*Type           // AnyType: the kinds it may be, when they are known: n ?? "none"
	Told    bool              // AnyType: nothing is known because of a fault told already; nothing more is told of it
}

// Field is one field of an object type.
type Field struct {
	Type    *Type
	Assumed bool // read off examples: may be used unguarded, and fails by name when missing at run time
	// Required (as a target of a body or with): the field must be given.
	Required bool
}

// Types the checker gives that no signature needs. They are shared: never change them.
var (
	anyMissing = &Type{Kind: AnyType, Null: true}
	// assumedType is what an unknown field of examples has, and whatever is below it.
	assumedType = &Type{Kind: AnyType, Assumed: true}
	toldType    = &Type{Kind: AnyType, Told: true}
	nonePlain   = &Type{Kind: NoneType, Null: true}
)

// Nullable gives t with Null set.
func (t *Type) Nullable() *Type {
	if t == nil {
		return anyMissing
	}
	if t.Null || t.Told {
		return t
	}
	c := *t
	c.Null = true
	return &c
}

// NotNull gives t without Null.
func (t *Type) NotNull() *Type {
	if t == nil {
		return anyType
	}
	if !t.Null {
		return t
	}
	c := *t
	c.Null = false
	if c.Kind == NoneType {
		c.Kind = AnyType
	}
	return &c
}

// secret gives t marked secret when yes.
func (t *Type) secret(yes bool) *Type {
	if !yes || t.Secret {
		return t
	}
	c := *t
	c.Secret = true
	return &c
}

// String names the type as messages do: "text", "whole number", "list of object", "text or no value".
func (t *Type) String() string {
	if t == nil {
		return "any value"
	}
	s := t.noun()
	if t.Null && t.Kind != NoneType {
		s += " or no value"
	}
	return s
}

// noun is String without the possibility of no value.
func (t *Type) noun() string {
	if len(t.Either) > 0 {
		nouns := make([]string, len(t.Either))
		for i, one := range t.Either {
			nouns[i] = one.noun()
		}
		return strings.Join(nouns, " or ")
	}
	switch t.Kind {
	case BoolType:
		return "true or false"
	case NumberType:
		if t.Integer {
			return "whole number"
		}
		return "number"
	case TextType:
		return "text"
	case ListType:
		if t.Elem == nil || t.Elem.Kind == AnyType {
			return "list"
		}
		return "list of " + t.Elem.noun()
	case ObjectType:
		return "object"
	case NoneType:
		return "no value"
	case TimeType:
		return "time"
	}
	return "any value"
}

// field finds a field of an object type.
func (t *Type) field(name string) (*Field, bool) {
	f, ok := t.Fields[name]
	return f, ok
}

// names gives the field names in declared order, for suggestions.
func (t *Type) names() []string {
	if len(t.Order) == len(t.Fields) {
		return t.Order
	}
	return slices.Sorted(maps.Keys(t.Fields))
}

// elem gives the type of a list's elements; elements of a list of unknown
// things are taken to be there, and fail by name when they are not.
func (t *Type) elem() *Type {
	if t != nil && t.Told {
		return t
	}
	if t == nil || t.Kind != ListType || t.Elem == nil {
		return anyType
	}
	return t.Elem
}

// maxTypeDepth bounds walks over types, which contracts may nest without end.
const maxTypeDepth = 16

// secretPath gives where inside t something secret stands: "" and true when t
// itself is secret, "a.b" for a field of it.
func (t *Type) secretPath() (string, bool) { return t.secretWithin(nil, "", 0) }

// secretBut is secretPath, less what stands at paths that are deleted; "#" in
// one means every element of a list.
func (t *Type) secretBut(deleted []string) (string, bool) { return t.secretWithin(deleted, "", 0) }

func (t *Type) secretWithin(deleted []string, at string, depth int) (string, bool) {
	if t == nil || depth > maxTypeDepth || at != "" && slices.Contains(deleted, at) {
		return "", false
	}
	if t.Secret {
		return "", true
	}
	below := func(step string) string {
		if len(deleted) == 0 {
			return ""
		}
		return strings.TrimPrefix(at+"."+step, ".")
	}
	if t.Kind == ListType {
		return t.Elem.secretWithin(deleted, below("#"), depth+1)
	}
	for _, n := range t.names() {
		f := t.Fields[n]
		if f == nil || f.Type == nil {
			continue
		}
		if p, ok := f.Type.secretWithin(deleted, below(n), depth+1); ok {
			return strings.TrimSuffix(n+"."+p, "."), true
		}
	}
	return "", false
}

// noElem is the element type of an empty list literal: there is none, so that
// `xs ?? []` keeps what is known of the elements of xs.
var noElem = &Type{Kind: NoneType}

// join gives a type that fits values of both.
func join(a, b *Type) *Type { return joinDepth(a, b, 0) }

func joinDepth(a, b *Type, depth int) *Type {
	if a == nil || b == nil || depth > maxTypeDepth {
		return anyMissing
	}
	if a == b {
		return a
	}
	if a.Told || b.Told {
		return toldType
	}
	null, sec := a.Null || b.Null, a.Secret || b.Secret
	var out Type
	switch {
	case a.Kind == NoneType:
		out = *b
	case b.Kind == NoneType:
		out = *a
	case a.Kind != b.Kind || len(a.Either) > 0:
		out = Type{Kind: AnyType, Either: either(a, b)}
	default:
		out = *a
		out.Integer = a.Integer && b.Integer
		out.Enum = joinEnum(a.Enum, b.Enum)
		if a.Label != b.Label {
			out.Label = ""
		}
		out.Min = min(a.Min, b.Min)
		if a.Kind == ListType && a.Elem != b.Elem {
			out.Elem = joinElem(a.Elem, b.Elem, depth)
		}
		if a.Kind == ObjectType {
			joinObjects(&out, a, b, depth)
		}
	}
	out.Null, out.Secret = null, sec
	return &out
}

// either gives the kinds of both, each once; nil when those of one are not known.
func either(a, b *Type) []*Type {
	var all []*Type
	for _, t := range []*Type{a, b} {
		kinds := t.Either
		if len(kinds) == 0 {
			if t.Kind == AnyType {
				return nil
			}
			kinds = []*Type{{Kind: t.Kind, Integer: t.Integer}}
		}
		for _, k := range kinds {
			if !slices.ContainsFunc(all, func(o *Type) bool { return o.Kind == k.Kind }) {
				all = append(all, k)
			}
		}
	}
	return all
}

// wrongFor gives the kind t may be that cannot stand where only kinds may, or nil.
func (t *Type) wrongFor(kinds ...TypeKind) *Type {
	for _, one := range t.Either {
		if !slices.Contains(kinds, one.Kind) {
			return one
		}
	}
	return nil
}

func joinElem(a, b *Type, depth int) *Type {
	if a == nil || b == nil {
		return nil
	}
	return joinDepth(a, b, depth+1)
}

// joinEnum unites closed sets of texts; with an open side the union is open.
func joinEnum(a, b []string) []string {
	if a == nil || b == nil {
		return nil
	}
	out := append([]string(nil), a...)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// joinObjects fills out with the fields of both: one that only one side has may be missing.
func joinObjects(out, a, b *Type, depth int) {
	out.Open, out.Assumed = a.Open || b.Open, a.Assumed || b.Assumed
	out.Fields = make(map[string]*Field, len(a.Fields)+len(b.Fields))
	out.Order = nil
	for _, n := range a.names() {
		fa := a.Fields[n]
		fb, both := b.Fields[n]
		f := &Field{Assumed: fa.Assumed}
		if both {
			f.Type = joinDepth(fa.Type, fb.Type, depth+1)
			f.Assumed = fa.Assumed || fb.Assumed
		} else {
			f.Type = fa.Type.Nullable()
		}
		out.Fields[n], out.Order = f, append(out.Order, n)
	}
	for _, n := range b.names() {
		if _, both := a.Fields[n]; !both {
			fb := b.Fields[n]
			out.Fields[n] = &Field{Type: fb.Type.Nullable(), Assumed: fb.Assumed}
			out.Order = append(out.Order, n)
		}
	}
}
