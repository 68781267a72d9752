package expr

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// chain closes what a ?. opened: behind it the value may be missing.
func (c *checker) chain(n *ast.ChainNode, m mode) *ex {
	e := c.check(n.Node, m)
	if e.short {
		e.short = false
		if !c.holds(e.path) {
			e.typ = e.typ.Nullable()
		}
	}
	return e
}

// member checks a.f, a?.f, a["f"] and a[i].
func (c *checker) member(n *ast.MemberNode, m mode) *ex {
	if id, ok := n.Node.(*ast.IdentifierNode); ok {
		if nm, ok := c.scope.Lookup(id.Value); ok && nm.Kind == Namespace && nm.Barred == "" {
			return c.namespaceMember(nm, n)
		}
	}
	bm := need
	if n.Optional {
		bm = soft
	}
	base := c.check(n.Node, bm)
	if !n.Optional && base.typ.Null {
		c.memberOfNone(base, n)
	}
	var e *ex
	if name, ok := n.Property.(*ast.StringNode); ok {
		e = c.field(base, n, name)
	} else {
		e = c.index(base, n)
	}
	e.short = base.short || n.Optional
	e.present = append(base.present[:len(base.present):len(base.present)], e.present...)
	if e.path != "" {
		e.present = append(e.present, Fact{Path: e.path})
		if c.holds(e.path) {
			e.typ = e.typ.NotNull()
		}
	}
	if path, ok := base.typ.secretPath(); ok && path == "" {
		e.typ = e.typ.secret(true)
	}
	if e.typ.Kind == BoolType {
		e.yes, e.no = e.present, e.present
	}
	if !e.typ.Null && !e.short && m != soft {
		c.harden(e, n)
	}
	return e
}

// memberOfNone reports a member of what may be missing, and how to reach through.
func (c *checker) memberOfNone(base *ex, n *ast.MemberNode) {
	if base.typ.Kind == NoneType {
		c.needed(base, n.Node, "")
		return
	}
	from, to := c.operand(n.Node)
	_, end := c.span(n)
	head, tail := c.node.Text[from:to], c.node.Text[to:end]
	fix := head + "?" + tail
	if head == "." {
		fix = "#?." + tail
	}
	if tail != "" && tail[0] == '[' {
		fix = head + "?." + tail
	}
	c.fault(n.Node, "none", "%s may have no value; write %s, or test it first", c.words(n.Node), fix)
}

// namespaceMember checks steps.NAME.
func (c *checker) namespaceMember(ns *Name, n *ast.MemberNode) *ex {
	name, ok := n.Property.(*ast.StringNode)
	if !ok {
		c.fault(n.Property, "namespace", "a member of %s is named literally", ns.Name)
		return nothing()
	}
	nm := ns.Members[name.Value]
	if nm == nil {
		d := c.fault(name, "unknown-name", "%s has no member %q", ns.Name, name.Value)
		if near := diag.Suggest(name.Value, slices.Sorted(maps.Keys(ns.Members))); near != "" {
			d.Help = "did you mean " + near + "?"
		}
		return nothing()
	}
	if nm.Barred != "" {
		c.fault(n, "barred", "%s", nm.Barred)
		return nothing()
	}
	*c.uses = append(*c.uses, Use{Step: name.Value, Meta: true, At: c.at(n)})
	t := nm.Type
	if t == nil {
		t = anyType
	}
	path := ns.Name + "." + name.Value
	if c.holds(path) {
		t = t.NotNull()
	}
	e := &ex{typ: t, path: path, present: []Fact{{Path: path}}}
	e.read(reachOf(nm))
	return e
}

// field checks the reading of a field.
func (c *checker) field(base *ex, n *ast.MemberNode, name *ast.StringNode) *ex {
	key := name.Value
	e := new(ex)
	e.read(base.member(key))
	if base.path != "" {
		e.path = base.path + "." + key
	}
	if id, ok := stepMember(base.path); ok && key == "state" {
		e.stateOf = id
	}
	switch base.typ.Kind {
	case AnyType:
		e.typ = anyMissing
		if base.typ.Told || base.typ.Assumed {
			e.typ = base.typ
		}
	case ObjectType:
		e.typ = c.fieldType(base, n, name)
	case NoneType:
		e.typ = anyType
	case ListType:
		e.typ = anyType
		c.fault(name, "field", "%s is a list and has no field %q", c.words(n.Node), key).
			Help = fmt.Sprintf("name an element: %[1]s[0].%[2]s, or all: map(%[1]s, .%[2]s)", c.raw(n.Node), key)
	default:
		e.typ = anyType
		d := c.fault(name, "field", "%s is %s and has no field %q", c.words(n.Node), article(base.typ), key)
		if c.outerWith(n.Node, key) {
			d.Help = "." + key + innermost
		}
	}
	return e
}

// stepMember gives X for the path "steps.X".
func stepMember(path string) (string, bool) {
	const prefix = "steps."
	if len(path) > len(prefix) && path[:len(prefix)] == prefix {
		return path[len(prefix):], identifier(path[len(prefix):])
	}
	return "", false
}

// fieldType gives the type of a field, and reports an unknown one.
func (c *checker) fieldType(base *ex, n *ast.MemberNode, name *ast.StringNode) *Type {
	t := base.typ
	if f, ok := t.field(name.Value); ok {
		if f.Type == nil {
			return anyType
		}
		return f.Type
	}
	if t.Open {
		return anyMissing
	}
	subject := c.words(n.Node) + " has no field"
	switch {
	case c.answers(t):
		subject = t.Label + " answers with no field"
	case t.Label != "":
		subject = t.Label + " has no field"
	}
	start, end := c.span(name)
	var d *diag.Diagnostic
	if t.Assumed {
		d = c.warnf(start, end, "unknown-field", "%s %q", subject, name.Value)
	} else {
		d = c.errorf(start, end, "unknown-field", "%s %q", subject, name.Value)
	}
	if near := diag.Suggest(name.Value, t.names()); near != "" {
		d.Help = "did you mean " + near + "?"
	} else if outer := c.outerWith(n.Node, name.Value); outer {
		d.Help = "." + name.Value + innermost
	}
	if t.Assumed {
		return assumedType
	}
	return toldType
}

// answers tells whether the label names an operation or flow, backend.operation,
// and no place of a name: input.address, steps.found.
func (c *checker) answers(t *Type) bool {
	first, _, dotted := strings.Cut(t.Label, ".")
	if !dotted || strings.Contains(t.Label, " ") {
		return false
	}
	nm, known := c.scope.Lookup(first)
	return !known || nm.Kind != PlainName && nm.Kind != Namespace
}

const innermost = " and # mean the innermost element only; name the outer one with $as"

// outerWith tells whether an element further out has the field that the innermost one lacks.
func (c *checker) outerWith(n ast.Node, field string) bool {
	if _, ok := n.(*ast.PointerNode); !ok || len(c.elems) < 2 {
		return false
	}
	for _, e := range c.elems[:len(c.elems)-1] {
		if _, ok := e.typ.field(field); ok {
			return true
		}
	}
	return false
}

// index checks a[i] of a list, and a[x] of an object of free names.
func (c *checker) index(base *ex, n *ast.MemberNode) *ex {
	i := c.required(n.Property)
	get, at := base.eval, i.eval
	switch {
	case base.typ.Kind == ObjectType || base.typ.Kind == AnyType && i.typ.Kind == TextType:
		if i.typ.Kind != TextType && i.typ.Kind != AnyType {
			c.fault(n.Property, "index", "a field is named by text, not by %s", article(i.typ))
		} else if base.typ.Kind == ObjectType && !base.typ.Open {
			c.fault(n.Property, "index", "a field is named literally: %s[\"name\"]", c.words(n.Node))
		}
		return &ex{typ: anyMissing, eval: func(f *Frame) jsonx.Value {
			v := get(f)
			return v.Get(at(f).Text())
		}}
	case base.typ.Kind != ListType && base.typ.Kind != AnyType:
		c.fault(n.Node, "index", "%s is %s and has no elements", c.words(n.Node), article(base.typ))
		return nothing()
	case i.typ.Kind != NumberType && i.typ.Kind != AnyType:
		c.fault(n.Property, "index", "an element is named by a whole number, not by %s", article(i.typ))
		return nothing()
	}
	e := &ex{typ: base.typ.elem()}
	if !base.typ.long(i) {
		e.typ = e.typ.Nullable()
	}
	if base.typ.Kind == AnyType {
		e.typ = anyMissing
		if base.typ.Told || base.typ.Assumed {
			e.typ = base.typ
		}
	}
	if i.literal {
		d, _ := jsonx.ParseDecimal(i.value.Text())
		k, ok := d.Int64()
		if !ok || k > 1<<30 || k < -1<<30 {
			c.fault(n.Property, "index", "an element is named by a whole number")
			return nothing()
		}
		e.eval = func(f *Frame) jsonx.Value { return get(f).At(int(k)) }
		if base.path != "" {
			e.path = base.path + "[" + strconv.FormatInt(k, 10) + "]"
		}
		return e
	}
	pos := c.at(n.Property)
	e.eval = func(f *Frame) jsonx.Value {
		v := get(f)
		k, ok := wholeNumber(f, at(f), &pos)
		if !ok {
			return jsonx.Value{}
		}
		return v.At(k)
	}
	return e
}

// long tells whether a list has an element at i for certain.
func (t *Type) long(i *ex) bool {
	if !i.literal || t.Min == 0 {
		return false
	}
	d, _ := jsonx.ParseDecimal(i.value.Text())
	k, ok := d.Int64()
	return ok && k < int64(t.Min) && k >= -int64(t.Min)
}

// lengthFacts gives the elements that are there when a op b, one of them the
// length of a list and the other a number, is true, and when it is false.
func lengthFacts(op string, a, b *ex) (yes, no []Fact) {
	if b.lenOf != "" {
		a, b = b, a
		switch op {
		case "<":
			op = ">"
		case "<=":
			op = ">="
		case ">":
			op = "<"
		case ">=":
			op = "<="
		}
	}
	if a.lenOf == "" || !b.literal || b.typ.Kind != NumberType {
		return nil, nil
	}
	d, _ := jsonx.ParseDecimal(b.value.Text())
	k, ok := d.Int64()
	if !ok || k < 0 {
		return nil, nil
	}
	switch op {
	case ">":
		return elements(a.lenOf, k+1), nil
	case ">=":
		return elements(a.lenOf, k), nil
	case "<":
		return nil, elements(a.lenOf, k)
	case "<=":
		return nil, elements(a.lenOf, k+1)
	case "==", "!=":
		yes = elements(a.lenOf, k)
		if k == 0 {
			no = elements(a.lenOf, 1)
		}
		if op == "!=" {
			yes, no = no, yes
		}
	}
	return yes, no
}

// mostElements bounds the facts about one list.
const mostElements = 8

// elements gives the facts that the list of this path has its first n elements, and its last.
func elements(path string, n int64) []Fact {
	if n == 0 {
		return nil
	}
	facts := []Fact{{Path: path + "[-1]"}}
	for k := range min(n, mostElements) {
		facts = append(facts, Fact{Path: path + "[" + strconv.FormatInt(k, 10) + "]"})
	}
	return facts
}

// slice checks a[i:j] of a list.
func (c *checker) slice(n *ast.SliceNode) *ex {
	base := c.check(n.Node, need)
	c.needed(base, n.Node, supplyOrTest)
	if k := base.typ.Kind; k != ListType && k != AnyType {
		c.fault(n.Node, "index", "%s is %s; only lists are sliced", c.words(n.Node), article(base.typ))
		return nothing()
	}
	bound := func(b ast.Node) evalFunc {
		if b == nil {
			return nil
		}
		e := c.required(b)
		if k := e.typ.Kind; k != NumberType && k != AnyType {
			c.fault(b, "index", "the bounds of a slice are whole numbers, not %s", article(e.typ))
		}
		return e.eval
	}
	from, to, get, pos := bound(n.From), bound(n.To), base.eval, c.at(n)
	t := &Type{Kind: ListType, Elem: base.typ.Elem, Secret: base.typ.Secret}
	return &ex{typ: t, eval: func(f *Frame) jsonx.Value {
		v := get(f)
		if v.Kind() != jsonx.Array {
			return f.failAt(&pos, "only lists are sliced")
		}
		length := v.Len()
		a, ok := sliceBound(f, from, 0, length, &pos)
		b, ok2 := sliceBound(f, to, length, length, &pos)
		if !ok || !ok2 || !f.spend(length, &pos) {
			return jsonx.Value{}
		}
		m := f.Arena.Mark()
		it := v.Iter()
		for i := 0; i < b && it.Next(); i++ {
			if i >= a {
				f.Arena.Push(it.Value())
			}
		}
		return f.Arena.List(m)
	}}
}

func sliceBound(f *Frame, eval evalFunc, otherwise, length int, pos *diag.Span) (int, bool) {
	if eval == nil {
		return otherwise, true
	}
	k, ok := wholeNumber(f, eval(f), pos)
	if k < 0 {
		k += length
	}
	return min(max(k, 0), length), ok
}

// wholeNumber reads an index.
func wholeNumber(f *Frame, v jsonx.Value, pos *diag.Span) (int, bool) {
	if v.Kind() == jsonx.Number {
		if d, ok := jsonx.ParseDecimal(v.Text()); ok {
			if k, ok := d.Int64(); ok && k < 1<<31 && k > -1<<31 {
				return int(k), true
			}
		}
	}
	f.failAt(pos, "an element is named by a whole number")
	return 0, false
}
