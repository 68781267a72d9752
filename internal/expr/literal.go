package expr

import (
	"github.com/expr-lang/expr/ast"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// part checks a value standing in a list or object literal; nil and null there are null.
func (c *checker) part(n ast.Node) *ex {
	if isNil(n) || isNull(n) {
		return &ex{typ: nonePlain, literal: true, value: jsonx.NullValue(),
			eval: func(*Frame) jsonx.Value { return jsonx.NullValue() }}
	}
	e := c.check(n, need)
	if !e.sends {
		c.needed(e, n, "supply one with ??; ?? null writes null")
	}
	return e
}

// listLiteral checks [a, b].
func (c *checker) listLiteral(n *ast.ArrayNode) *ex {
	t := &Type{Kind: ListType, Min: len(n.Nodes)}
	if len(n.Nodes) == 0 {
		t.Elem = noElem
	}
	parts := make([]evalFunc, len(n.Nodes))
	constant := true
	var text []byte
	text = append(text, '[')
	for i, item := range n.Nodes {
		e := c.part(item)
		if i == 0 {
			t.Elem = e.typ
		} else {
			t.Elem = join(t.Elem, e.typ)
			text = append(text, ',')
		}
		parts[i] = e.eval
		if constant = constant && e.literal; constant {
			text = e.value.AppendJSON(text)
		}
		t.Secret = t.Secret || secretEx(e)
	}
	if constant {
		v := jsonx.RawValue(string(append(text, ']'))).Clone() // with an index
		return &ex{typ: t, literal: true, value: v, eval: func(*Frame) jsonx.Value { return v }}
	}
	at := c.at(n)
	return &ex{typ: t, eval: func(f *Frame) jsonx.Value {
		if !f.spend(len(parts), &at) {
			return jsonx.Value{}
		}
		m := f.Arena.Mark()
		for _, p := range parts {
			f.Arena.Push(p(f))
		}
		return f.Arena.List(m)
	}}
}

// mapLiteral checks {"k": v}.
func (c *checker) mapLiteral(n *ast.MapNode) *ex {
	t := &Type{Kind: ObjectType, Fields: map[string]*Field{}}
	type member struct {
		key  string // with comma, quotes and colon
		eval evalFunc
	}
	var members []member
	for _, p := range n.Pairs {
		pair, ok := p.(*ast.PairNode)
		if !ok {
			continue
		}
		name, ok := pair.Key.(*ast.StringNode)
		if !ok {
			c.fault(pair.Key, "syntax", "the key of an object must be a name or text")
			continue
		}
		key := name.Value
		if i := c.tokenAt(c.byteAt(name.Location().From)); i >= 0 && c.toks[i].kind == numberToken {
			key = c.text(i)
		}
		e := c.part(pair.Value)
		if _, twice := t.Fields[key]; twice {
			c.fault(pair.Key, "duplicate-key", "the key %q stands twice", key)
			continue
		}
		t.Fields[key] = &Field{Type: e.typ}
		t.Order = append(t.Order, key)
		var head []byte
		if len(members) > 0 {
			head = append(head, ',')
		}
		head = append(jsonx.AppendQuoted(head, key), ':')
		members = append(members, member{string(head), e.eval})
	}
	at := c.at(n)
	return &ex{typ: t, eval: func(f *Frame) jsonx.Value {
		if !f.spend(len(members), &at) {
			return jsonx.Value{}
		}
		b := append(f.buffer(), '{')
		for i := range members {
			b = append(b, members[i].key...)
			b = appendOrNull(b, members[i].eval(f))
		}
		b = append(b, '}')
		v := jsonx.RawValue(f.stable(b))
		f.unbuffer(b)
		return v
	}}
}

// appendOrNull appends a value, and null where there is none.
func appendOrNull(dst []byte, v jsonx.Value) []byte {
	if v.None() {
		return append(dst, "null"...)
	}
	return v.AppendJSON(dst)
}
