package expr

import (
	"strconv"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// pointedFunction keeps with each element where it was sent.
func pointedFunction() *Function {
	return &Function{
		Name: "pointed",
		Params: []Param{
			{Name: "x", None: NoneTaken},
			{Name: "at", Type: textType},
		},
		Help: "None, one or many as a list of {pointer, value}: a list's elements with the JSON Pointer of each, " +
			"anything else as the only element, with the pointer itself; no value becomes the empty list.",
		Example: Example{Expr: `pointed(["a", "b"], "/rows")`, Gives: `[{"pointer":"/rows/0","value":"a"},{"pointer":"/rows/1","value":"b"}]`},
		Check: func(_ *Scope, args []*Type, _ []string) (*Type, error) {
			return &Type{Kind: ListType, Elem: &Type{
				Kind: ObjectType, Order: []string{"pointer", "value"},
				Fields: map[string]*Field{"pointer": {Type: textType}, "value": {Type: pointedType(args[0])}},
			}}, nil
		},
		Eval: evalPointed,
	}
}

// pointedType gives the type of the elements: of x, or of what x is a list of.
func pointedType(t *Type) *Type {
	switch {
	case t == nil || t.Told:
		return anyType
	case t.Kind == ListType:
		return elemOf(t)
	case t.Kind == AnyType && len(t.Either) > 0:
		var all *Type
		for _, one := range t.Either {
			if one.Kind == ListType {
				one = elemOf(one)
			}
			if all == nil {
				all = one
			} else {
				all = join(all, one)
			}
		}
		return all
	}
	return t.NotNull()
}

func evalPointed(f *Frame, args []jsonx.Value) jsonx.Value {
	a := f.Arena
	m := a.Mark()
	if args[0].None() {
		return a.List(m)
	}
	if args[1].Kind() != jsonx.String {
		return f.Fail("pointed needs text as its second argument and was given %s", kindWords(args[1]))
	}
	at := args[1].Text()
	if args[0].Kind() != jsonx.Array {
		v := pointedElement(a, at, args[0])
		a.Push(v)
		return a.List(m)
	}
	if !f.Take(args[0].Len()) {
		a.Drop(m)
		return jsonx.Value{}
	}
	i := 0
	for it := args[0].Iter(); it.Next(); i++ {
		if it.Value().None() {
			continue
		}
		v := pointedElement(a, at+"/"+strconv.Itoa(i), it.Value())
		a.Push(v)
	}
	return a.List(m)
}

func pointedElement(a *jsonx.Arena, pointer string, value jsonx.Value) jsonx.Value {
	m := a.Mark()
	b := append(a.Buf(), `{"pointer":`...)
	b = jsonx.AppendQuoted(b, pointer)
	b = append(b, `,"value":`...)
	b = value.AppendJSON(b)
	a.SetBuf(append(b, '}'))
	return a.Index(a.Text(m))
}
