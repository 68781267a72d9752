package expr

import (
	"strconv"

	"github.com/expr-lang/expr/ast"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// pipe is a list with filters and maps on its way: elements go through one by
// one, and a list is built only when somebody wants it.
type pipe struct {
	list   evalFunc
	stages []stage
	at     diag.Span
	what   string
}

// stage is one filter (cond) or map (to); slot holds its element.
type stage struct {
	slot int
	cond condFunc
	to   evalFunc
}

// open gives the elements before any stage.
func (p *pipe) open(f *Frame) jsonx.Iter {
	v := p.list(f)
	if v.Kind() != jsonx.Array {
		f.failAt(&p.at, p.what+" needs a list, and there is "+kindWords(v))
		return jsonx.Value{}.Iter()
	}
	return v.Iter()
}

// next gives the next element that passes all stages.
func (p *pipe) next(f *Frame, it *jsonx.Iter) (jsonx.Value, bool) {
next:
	for f.err == nil && it.Next() {
		if !f.spend(1, &p.at) {
			break
		}
		v := it.Value()
		for i := range p.stages {
			s := &p.stages[i]
			f.slots[s.slot] = v
			if s.cond != nil {
				if !s.cond(f) {
					continue next
				}
				continue
			}
			v = s.to(f)
		}
		return v, f.err == nil
	}
	return jsonx.Value{}, false
}

// build gives the elements as a list.
func (p *pipe) build(f *Frame) jsonx.Value {
	it := p.open(f)
	m := f.Arena.Mark()
	for {
		v, ok := p.next(f, &it)
		if !ok {
			break
		}
		f.Arena.Push(v)
	}
	if f.err != nil {
		f.Arena.Drop(m)
		return jsonx.Value{}
	}
	return f.Arena.List(m)
}

// with gives the pipe with one more stage.
func (p *pipe) with(s stage) *pipe {
	c := *p
	c.stages = append(p.stages[:len(p.stages):len(p.stages)], s)
	return &c
}

// predicate checks filter, map, any, all, none, one, count, sum, first, find and len.
func (c *checker) predicate(n ast.Node, name string, args []ast.Node) *ex {
	want := map[string]int{"len": 1, "first": 1, "sum": 0}
	k, fixed := want[name]
	if !fixed {
		k = 2
	}
	if k != 0 && len(args) != k || len(args) == 0 || len(args) > 2 {
		d := c.fault(n, "call", "%s is called with %s", name, plural(len(args), "argument"))
		switch {
		case name == "count" && len(args) == 1:
			d.Help = "len(list) counts all"
		case name == "first" && len(args) == 2:
			d.Help = "find(list, condition) gives the first that fits"
		default:
			d.Help = "write " + predicateHelp[name]
		}
		return nothing()
	}
	list := c.required(args[0])
	if name == "len" {
		return c.length(args[0], list)
	}
	if t := list.typ.Kind; t != ListType && t != AnyType && t != NoneType {
		c.fault(args[0], "type", "%s needs a list, and %s is %s", name, c.words(args[0]), article(list.typ)).
			Help = "list(" + c.raw(args[0]) + ") makes a list of it"
		list = nothing()
	}
	p := list.pipe
	if p == nil {
		p = &pipe{list: list.eval, at: c.at(n), what: name}
	}
	elem := list.typ.elem().secret(list.typ.Secret)
	if len(args) == 1 {
		return c.sink(n, name, p, elem, nil, args)
	}
	slot := c.scope.Layout.NewSlot()
	c.count++
	body := &ex{typ: elem, path: "#" + strconv.Itoa(c.count)}
	body.read(&reach{slot: slot, bare: true})
	body.present = []Fact{{Path: body.path}}
	if !elem.Null {
		body.harden(lack{c.at(args[0]), "an element without value in " + c.words(args[0])})
	}
	inner := args[1]
	if pred, ok := inner.(*ast.PredicateNode); ok {
		inner = pred.Node
	}
	c.elems = append(c.elems, body)
	var q *ex
	if name == "map" || name == "sum" {
		q = c.check(inner, need)
		if !q.sends {
			c.needed(q, inner, supplyOrTest)
		}
		p = p.with(stage{slot: slot, to: q.eval})
	} else {
		q = c.condition(inner)
		st := stage{slot: slot, cond: q.cond}
		if name == "all" {
			cond := q.cond
			st.cond = func(f *Frame) bool { return !cond(f) }
		}
		p = p.with(st)
	}
	c.elems = c.elems[:len(c.elems)-1]
	return c.sink(n, name, p, elem, q, []ast.Node{args[0], inner})
}

var predicateHelp = map[string]string{
	"filter": "filter(list, condition)", "map": "map(list, value)", "any": "any(list, condition)", "all": "all(list, condition)",
	"none": "none(list, condition)", "one": "one(list, condition)", "count": "count(list, condition)", "find": "find(list, condition)",
	"sum": "sum(list) or sum(list, .field)", "first": "first(list)", "len": "len(x)",
}

// sink gives the end of a pipe.
func (c *checker) sink(n ast.Node, name string, p *pipe, elem *Type, body *ex, args []ast.Node) *ex {
	switch name {
	case "filter":
		return &ex{typ: &Type{Kind: ListType, Elem: elem, Secret: elem.Secret}, pipe: p, eval: p.build}
	case "map":
		return &ex{typ: &Type{Kind: ListType, Elem: body.typ, Secret: body.typ.Secret}, pipe: p, eval: p.build}
	case "any":
		return boolean(func(f *Frame) bool { it := p.open(f); _, ok := p.next(f, &it); return ok })
	case "all", "none":
		return boolean(func(f *Frame) bool { it := p.open(f); _, ok := p.next(f, &it); return !ok && f.err == nil })
	case "one":
		return boolean(func(f *Frame) bool { return p.counted(f, 2) == 1 })
	case "count":
		return &ex{typ: integerType, eval: func(f *Frame) jsonx.Value { return f.integer(p.counted(f, -1)) }}
	case "first", "find":
		return &ex{typ: elem.Nullable(), eval: func(f *Frame) jsonx.Value { it := p.open(f); v, _ := p.next(f, &it); return v }}
	}
	t, node := elem, args[0]
	if body != nil {
		t, node = body.typ, args[1]
	}
	if t.Kind != NumberType && t.Kind != AnyType && t.Kind != NoneType {
		c.fault(node, "type", "sum adds numbers, and each of these is %s", article(t))
		return nothing()
	}
	at := c.at(n)
	return &ex{typ: &Type{Kind: NumberType, Integer: t.Integer, Secret: t.Secret}, eval: func(f *Frame) jsonx.Value {
		var total jsonx.Decimal
		it := p.open(f)
		for {
			v, ok := p.next(f, &it)
			if !ok {
				break
			}
			d, ok := decimal(f, v, &at)
			if !ok {
				break
			}
			total = total.Add(d)
		}
		if f.err != nil {
			return jsonx.Value{}
		}
		return f.number(total)
	}}
}

// counted counts elements, up to most unless negative.
func (p *pipe) counted(f *Frame, most int) int {
	it := p.open(f)
	k := 0
	for k != most {
		if _, ok := p.next(f, &it); !ok {
			break
		}
		k++
	}
	if f.err != nil {
		return -1
	}
	return k
}

// digits are the values of small whole numbers, which counts mostly are.
var digits = func() (out [256]jsonx.Value) {
	for i := range out {
		out[i] = jsonx.NumberValue(strconv.Itoa(i))
	}
	return out
}()

// integer makes a value of a whole number.
func (f *Frame) integer(k int) jsonx.Value {
	if k >= 0 && k < len(digits) {
		return digits[k]
	}
	m := f.Arena.Mark()
	f.Arena.SetBuf(strconv.AppendInt(f.Arena.Buf(), int64(k), 10))
	return jsonx.NumberValue(f.Arena.Text(m))
}

// length checks len(x): elements of a list, members of an object, characters of a text.
func (c *checker) length(n ast.Node, x *ex) *ex {
	if k := x.typ.Kind; k == NumberType || k == BoolType || k == TimeType {
		d := c.fault(n, "type", "len counts elements, members or characters, and %s is %s", c.words(n), article(x.typ))
		if k == NumberType {
			d.Help = "len(text(" + c.raw(n) + ")) counts its digits"
		}
		return nothing()
	}
	t := integerType.secret(secretEx(x))
	if x.pipe != nil {
		p := x.pipe
		return &ex{typ: t, eval: func(f *Frame) jsonx.Value { return f.integer(p.counted(f, -1)) }}
	}
	get, at := x.eval, c.at(n)
	lenOf := ""
	if x.typ.Kind == ListType && !x.typ.elem().Null {
		lenOf = x.path
	}
	return &ex{typ: t, lenOf: lenOf, eval: func(f *Frame) jsonx.Value {
		v := get(f)
		switch v.Kind() {
		case jsonx.String, jsonx.Array, jsonx.Object:
			return f.integer(v.Len())
		}
		return f.failAt(&at, "len counts elements, members or characters, and there is "+kindWords(v))
	}}
}
