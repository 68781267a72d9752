package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

func listFunctions() []*Function {
	return []*Function{
		pointedFunction(),
		{
			Name:    "list",
			Params:  []Param{{Name: "x", None: NoneTaken}},
			Help:    "None, one or many as a list: no value becomes the empty list, a single value a list of one, a list stays.",
			Example: Example{Expr: `list(7)`, Gives: `[7]`},
			Check: func(_ *Scope, args []*Type, _ []string) (*Type, error) {
				switch kindOf(args[0]) {
				case AnyType, NoneType:
					return &Type{Kind: ListType, Elem: anyType.Nullable()}, nil
				case ListType:
					return args[0].NotNull(), nil
				}
				return &Type{Kind: ListType, Elem: args[0].NotNull()}, nil
			},
			Eval: func(f *Frame, args []jsonx.Value) jsonx.Value {
				v := args[0]
				if v.Kind() == jsonx.Array {
					return v
				}
				m := f.Arena.Mark()
				if !v.None() {
					f.Arena.Push(v)
				}
				return f.Arena.List(m)
			},
		},
		{
			Name:    "only",
			Params:  []Param{{Name: "list", Type: listType}},
			Help:    "The only element of the list; a list of none or several is refused.",
			Example: Example{Expr: `only([{"id": 7}]).id`, Gives: `7`},
			Check: func(_ *Scope, args []*Type, _ []string) (*Type, error) {
				return elemOf(args[0]), nil
			},
			Eval: func(f *Frame, args []jsonx.Value) jsonx.Value {
				if !listArg(f, "only", args[0]) {
					return jsonx.Value{}
				}
				it := args[0].Iter()
				if !it.Next() {
					return f.Fail("only needs exactly one element and the list has none")
				}
				v := it.Value()
				if it.Next() {
					return f.Fail("only needs exactly one element and the list has several")
				}
				return v
			},
		},
		{
			Name: "has",
			Params: []Param{
				{Name: "object", Type: objectType, None: NoneTaken},
				{Name: "field", Type: textType, Literal: true},
			},
			Result:  boolType,
			Help:    "Whether the object has the field at all, even with null in it.",
			Example: Example{Expr: `has({"end": nil}, "end")`, Gives: `true`},
			Check: func(_ *Scope, args []*Type, literals []string) (*Type, error) {
				_, err := fieldOf("has", args[0], literals[1])
				return boolType, err
			},
			Bind: func(_ *Scope, _ []*Type, literals []string) EvalFunc {
				field := literals[1]
				return func(_ *Frame, args []jsonx.Value) jsonx.Value {
					return jsonx.BoolValue(args[0].Get(field).Kind() != jsonx.Absent)
				}
			},
		},
		{
			Name:    "keys",
			Params:  []Param{{Name: "object", Type: objectType, None: NonePasses}},
			Result:  textsType,
			Help:    "The names of the object's fields, in its order.",
			Example: Example{Expr: `keys({"b": 1, "a": 2})`, Gives: `["b","a"]`},
			Eval: func(f *Frame, args []jsonx.Value) jsonx.Value {
				if args[0].Kind() != jsonx.Object {
					return f.Fail("keys needs an object and was given %s", kindWords(args[0]))
				}
				if !f.Take(args[0].Len()) {
					return jsonx.Value{}
				}
				m := f.Arena.Mark()
				for it := args[0].Iter(); it.Next(); {
					f.Arena.Push(it.Key())
				}
				return f.Arena.List(m)
			},
		},
		{
			Name:    "placeholders",
			Params:  []Param{{Name: "x", None: NonePasses}},
			Result:  textsType,
			Help:    "The placeholders that were not replaced: of all texts in the value those that are _NAME_ and nothing else, each once.",
			Example: Example{Expr: `placeholders({"a": "_CITY_", "b": ["in _CITY_"]})`, Gives: `["_CITY_"]`},
			Eval: func(f *Frame, args []jsonx.Value) jsonx.Value {
				m := f.Arena.Mark()
				var seen []string
				if !leftOver(f, args[0], func(v jsonx.Value) {
					if name := strings.TrimSpace(v.Text()); !slices.Contains(seen, name) {
						seen = append(seen, name)
						f.Arena.Push(jsonx.TextValue(name))
					}
				}) {
					return jsonx.Value{}
				}
				return f.Arena.List(m)
			},
		},
		{
			Name: "sort_by",
			Params: []Param{
				{Name: "list", Type: listType, None: NonePasses},
				{Name: "field", Type: textType, Literal: true, Rest: true},
			},
			Help: "The list ordered by these fields, the first one first, descending behind a -: numbers by value, " +
				"texts by code point, elements without the field last, equal ones as they stood.",
			Example: Example{Expr: `map(sort_by([{"n": 1, "d": "a"}, {"n": 3, "d": "b"}], "-n"), .n)`, Gives: `[3,1]`},
			Check:   checkSortBy,
			Bind:    bindSortBy,
		},
		{
			Name: "unique",
			Params: []Param{
				{Name: "list", Type: listType, None: NonePasses},
				{Name: "field", Type: textType, Literal: true, Optional: true},
			},
			Help:    "The list without repetitions, the first of each kept; with a field, elements are the same when it is.",
			Example: Example{Expr: `unique([3, 1, 3.0, 2, 1])`, Gives: `[3,1,2]`},
			Check:   checkUnique,
			Bind:    bindUnique,
		},
	}
}

func checkSortBy(_ *Scope, args []*Type, literals []string) (*Type, error) {
	var faults []error
	for _, key := range literals[1:] {
		name, _ := keyField(key)
		if name == "" {
			faults = append(faults, errors.New(`sort_by needs the name of a field: "name", or "-name" for descending`))
			continue
		}
		field, err := fieldOf("sort_by", elemOf(args[0]), name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if field == nil {
			continue
		}
		switch kindOf(field.Type) {
		case BoolType, ListType, ObjectType:
			faults = append(faults, fmt.Errorf("sort_by cannot order by %q: it is %s, not numbers or texts", name, field.Type))
		}
	}
	if kindOf(args[0]) != ListType {
		return listType, errors.Join(faults...)
	}
	return args[0], errors.Join(faults...)
}

func bindSortBy(_ *Scope, _ []*Type, literals []string) EvalFunc {
	keys := make([]sortKey, len(literals)-1)
	for i, key := range literals[1:] {
		keys[i].field, keys[i].descending = keyField(key)
	}
	return func(f *Frame, args []jsonx.Value) jsonx.Value {
		if !listArg(f, "sort_by", args[0]) || !f.Take(args[0].Len()) {
			return jsonx.Value{}
		}
		s := newSorter(keys)
		defer s.release()
		s.fill(args[0])
		for k := range keys {
			if !s.alike(k) {
				return f.Fail("sort_by cannot order by %q: the elements hold different kinds, or neither numbers nor texts", keys[k].field)
			}
		}
		s.sort()
		m := f.Arena.Mark()
		for _, i := range s.order {
			f.Arena.Push(s.elems[i])
		}
		return f.Arena.List(m)
	}
}

func checkUnique(_ *Scope, args []*Type, literals []string) (*Type, error) {
	result := args[0]
	if kindOf(result) != ListType {
		result = listType
	}
	elem := elemOf(args[0])
	if len(literals) < 2 {
		if k := kindOf(elem); k == ListType || k == ObjectType {
			return result, fmt.Errorf("unique compares texts, numbers and booleans, not %s; name a field as the second argument", elem)
		}
		return result, nil
	}
	if literals[1] == "" {
		return result, errors.New("unique needs the name of a field")
	}
	field, err := fieldOf("unique", elem, literals[1])
	if err == nil && field != nil {
		if k := kindOf(field.Type); k == ListType || k == ObjectType {
			err = fmt.Errorf("unique compares texts, numbers and booleans, not %s", field.Type)
		}
	}
	return result, err
}

func bindUnique(_ *Scope, _ []*Type, literals []string) EvalFunc {
	keys := []sortKey{{}}
	if len(literals) > 1 {
		keys[0].field = literals[1]
	} else {
		keys[0].whole = true
	}
	return func(f *Frame, args []jsonx.Value) jsonx.Value {
		if !listArg(f, "unique", args[0]) || !f.Take(args[0].Len()) {
			return jsonx.Value{}
		}
		s := newSorter(keys)
		defer s.release()
		s.fill(args[0])
		for _, v := range s.values {
			if v.Kind() == jsonx.Array || v.Kind() == jsonx.Object {
				return f.Fail("unique compares texts, numbers and booleans and was given %s", kindWords(v))
			}
		}
		s.sort()
		s.markRepeated()
		m := f.Arena.Mark()
		for i, v := range s.elems {
			if !s.repeated[i] {
				f.Arena.Push(v)
			}
		}
		return f.Arena.List(m)
	}
}

// leftOver calls found with each text of a value that is a placeholder and
// nothing else; false when that is more work than the frame has left.
func leftOver(f *Frame, v jsonx.Value, found func(jsonx.Value)) bool {
	switch v.Kind() {
	case jsonx.String:
		if placeholderName.MatchString(strings.TrimSpace(v.Text())) {
			found(v)
		}
	case jsonx.Object, jsonx.Array:
		if !f.Take(v.Len()) {
			return false
		}
		for it := v.Iter(); it.Next(); {
			if !leftOver(f, it.Value(), found) {
				return false
			}
		}
	}
	return true
}
