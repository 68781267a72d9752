package expr

import (
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

func isNil(n ast.Node) bool {
	_, ok := n.(*ast.NilNode)
	return ok
}

func isNull(n ast.Node) bool {
	id, ok := n.(*ast.IdentifierNode)
	return ok && id.Value == "null"
}

// equality checks == and !=.
func (c *checker) equality(n *ast.BinaryNode) *ex {
	eq := n.Operator == "=="
	for _, side := range []ast.Node{n.Left, n.Right} {
		if isNull(side) {
			c.fault(side, "null", "null is only sent, never compared").Help = "write " + n.Operator + " nil"
			return boolean(func(*Frame) bool { return false })
		}
	}
	if isNil(n.Left) || isNil(n.Right) {
		other := n.Left
		if isNil(n.Left) {
			other = n.Right
		}
		x := c.check(other, soft)
		get := x.eval
		e := boolean(func(f *Frame) bool { return get(f).None() == eq })
		if eq {
			e.no = x.present
		} else {
			e.yes = x.present
		}
		return e
	}
	a, b := c.check(n.Left, maybe), c.check(n.Right, maybe)
	if !c.comparable(n, a, b) {
		return boolean(func(*Frame) bool { return false })
	}
	x, y, at := a.eval, b.eval, c.at(n)
	same := equalValues
	if a.typ.Kind == TimeType && b.typ.Kind == TimeType {
		same = func(_ *Frame, v, w jsonx.Value, _ *diag.Span) bool {
			order, ok := compareTimes(v, w)
			return ok && order == 0
		}
	}
	e := boolean(func(f *Frame) bool { return same(f, x(f), y(f), &at) == eq })
	var shown []Fact
	if !b.typ.Null {
		shown = both(shown, a.present)
	}
	if !a.typ.Null {
		shown = both(shown, b.present)
	}
	shown = both(shown, okState(a, b))
	yes, no := lengthFacts("==", a, b)
	yes, no = both(yes, shown), both(no, notState(a, b))
	if eq {
		e.yes, e.no = yes, no
	} else {
		e.yes, e.no = no, yes
	}
	return e
}

// okState gives the fact that steps.X.state == "ok" shows.
func okState(a, b *ex) []Fact {
	if b.stateOf != "" {
		a, b = b, a
	}
	if a.stateOf != "" && b.literal && b.value.Text() == "ok" {
		return []Fact{{Path: a.stateOf}}
	}
	return nil
}

// notState gives the fact that steps.X.state == "…" being false shows.
func notState(a, b *ex) []Fact {
	if b.stateOf != "" {
		a, b = b, a
	}
	if a.stateOf == "" || !b.literal || b.typ.Kind != TextType {
		return nil
	}
	return []Fact{{Path: otherState(a.stateOf, b.value.Text())}}
}

// otherState is the path of the fact that the step's state is another than state.
func otherState(step, state string) string { return "steps." + step + ".state != " + state }

// hasBody tells whether the step's body is known to be there: itself, or
// because every state but ok is known not to be the case.
func (c *checker) hasBody(step string) bool {
	if c.holds(step) {
		return true
	}
	ns, ok := c.scope.Lookup("steps")
	if !ok || ns.Members[step] == nil || ns.Members[step].Type == nil {
		return false
	}
	f, ok := ns.Members[step].Type.field("state")
	if !ok || f.Type == nil || !slices.Contains(f.Type.Enum, "ok") || len(f.Type.Enum) == 1 {
		return false // with one state there is nothing to rule out: whether there is a body is another matter
	}
	for _, state := range f.Type.Enum {
		if state != "ok" && !c.holds(otherState(step, state)) {
			return false
		}
	}
	return true
}

// numeral is a text that spells a number.
var numeral = regexp.MustCompile(`^-?[0-9]{1,15}([.][0-9]{1,9})?$`)

// comparable tells whether a and b can be equal, and reports when they cannot.
func (c *checker) comparable(n *ast.BinaryNode, a, b *ex) bool {
	if c.mayClash(n, a, b) {
		return false
	}
	ka, kb := a.typ.Kind, b.typ.Kind
	if ka == AnyType || kb == AnyType || ka == NoneType || kb == NoneType {
		return true
	}
	if ka != kb {
		d := c.fault(n, "type", "%s is compared with %s", article(a.typ), article(b.typ))
		if ka == TextType && kb == NumberType || ka == NumberType && kb == TextType {
			num, other, literal := n.Left, n.Right, b
			if kb == NumberType {
				num, other, literal = n.Right, n.Left, a
			}
			d.Help = "text(" + c.raw(num) + ") makes text of the number"
			if _, ok := num.(*ast.IntegerNode); ok {
				d.Help = "write the number as text: \"" + c.raw(num) + "\""
			} else if _, ok := other.(*ast.StringNode); ok && numeral.MatchString(literal.value.Text()) {
				d.Help = "write the number without quotes: " + literal.value.Text()
			}
		}
		return false
	}
	ok := c.possible(n.Left, a, b)
	return c.possible(n.Right, b, a) && ok
}

// mayClash reports a comparison that may come to be one of text with a number,
// because a side may be either: (n ?? "none") == 1.
func (c *checker) mayClash(n ast.Node, a, b *ex) bool {
	x, y := a.typ.Either, b.typ.Either
	if len(x) == 0 && len(y) == 0 {
		return false
	}
	if len(x) == 0 {
		x = []*Type{a.typ}
	}
	if len(y) == 0 {
		y = []*Type{b.typ}
	}
	for _, s := range x {
		for _, t := range y {
			if s.Kind == TextType && t.Kind == NumberType || s.Kind == NumberType && t.Kind == TextType {
				c.fault(n, "type", "%s is compared with %s", article(a.typ), article(b.typ)).Help = sameKind
				return true
			}
		}
	}
	return false
}

// sameKind is what to do about values of several kinds.
const sameKind = "let ?? supply a value of the same kind, or test for nil"

// possible reports a literal text that the other side can never be.
func (c *checker) possible(n ast.Node, lit, other *ex) bool {
	if !lit.literal || lit.typ.Kind != TextType || other.typ.Enum == nil {
		return true
	}
	text := lit.value.Text()
	if slices.Contains(other.typ.Enum, text) {
		return true
	}
	d := c.fault(n, "enum", "%q is never the case; it is one of %s", text, strings.Join(other.typ.Enum, ", "))
	if near := diag.Suggest(text, other.typ.Enum); near != "" {
		d.Help = "did you mean \"" + near + "\"?"
	}
	return false
}

// equalValues compares at run time; text against number is a mistake of the mapping.
func equalValues(f *Frame, a, b jsonx.Value, at *diag.Span) bool {
	if a.None() || b.None() {
		return a.None() && b.None()
	}
	ka, kb := a.Kind(), b.Kind()
	if ka == jsonx.String && kb == jsonx.Number || ka == jsonx.Number && kb == jsonx.String {
		f.failAt(at, "text is compared with a number")
		return false
	}
	return jsonx.Equal(a, b)
}

func compareTimes(a, b jsonx.Value) (int, bool) {
	s, ok := ParseTime(a)
	t, ok2 := ParseTime(b)
	return s.Compare(t), ok && ok2
}

// order checks < and its kin.
func (c *checker) order(n *ast.BinaryNode) *ex {
	a, b := c.required(n.Left), c.required(n.Right)
	ka, kb := a.typ.Kind, b.typ.Kind
	for _, s := range []struct {
		e *ex
		n ast.Node
	}{{a, n.Left}, {b, n.Right}} {
		if s.e.typ.wrongFor(NumberType, TextType, TimeType) != nil {
			c.fault(s.n, "type", "%s orders numbers or texts, and %s is %s", n.Operator, c.words(s.n), article(s.e.typ)).Help = sameKind
			return boolean(func(*Frame) bool { return false })
		}
		switch s.e.typ.Kind {
		case BoolType, ListType, ObjectType:
			c.fault(s.n, "type", "%s orders numbers or texts, and %s is %s", n.Operator, c.words(s.n), article(s.e.typ))
			return boolean(func(*Frame) bool { return false })
		}
	}
	if c.mayClash(n, a, b) {
		return boolean(func(*Frame) bool { return false })
	}
	if ka != kb && ka != AnyType && kb != AnyType && ka != NoneType && kb != NoneType {
		c.comparable(n, a, b)
		return boolean(func(*Frame) bool { return false })
	}
	x, y, at, op := a.eval, b.eval, c.at(n), n.Operator
	compare := jsonx.Compare
	if ka == TimeType && kb == TimeType {
		compare = compareTimes
	}
	message := op + " orders two numbers or two texts"
	e := boolean(func(f *Frame) bool {
		o, ok := compare(x(f), y(f))
		if !ok {
			f.failAt(&at, message)
			return false
		}
		switch op {
		case "<":
			return o < 0
		case "<=":
			return o <= 0
		case ">":
			return o > 0
		}
		return o >= 0
	})
	yes, no := lengthFacts(op, a, b)
	e.yes, e.no = both(yes, both(a.present, b.present)), no
	return e
}

// in checks x in list.
func (c *checker) in(n *ast.BinaryNode) *ex {
	a := c.check(n.Left, maybe)
	b := c.required(n.Right)
	no := boolean(func(*Frame) bool { return false })
	switch b.typ.Kind {
	case ListType, AnyType, NoneType:
	case ObjectType:
		c.fault(n.Right, "type", "in looks into lists, and %s is an object", c.raw(n.Right)).Help = "write has(x, \"field\")"
		return no
	default:
		c.fault(n.Right, "type", "in looks into lists, and %s is %s", c.words(n.Right), article(b.typ))
		return no
	}
	if list, ok := n.Right.(*ast.ArrayNode); ok {
		for _, item := range list.Nodes {
			one := c.quietly(item)
			if c.mayClash(item, a, one) {
				return no
			}
			if one.literal && !c.comparableQuiet(a, one) {
				c.fault(item, "type", "%s is compared with %s", article(a.typ), article(one.typ))
				return no
			}
			if !c.possible(item, one, a) {
				return no
			}
		}
	} else if c.mayClash(n, a, &ex{typ: b.typ.elem()}) {
		return no
	} else if !c.comparableQuiet(a, &ex{typ: b.typ.elem()}) {
		c.fault(n, "type", "%s is looked for among %s", article(a.typ), article(b.typ.elem()))
		return no
	}
	x, y, at := a.eval, b.eval, c.at(n)
	e := boolean(func(f *Frame) bool {
		v := x(f)
		list := y(f)
		if v.None() || f.err != nil {
			return false
		}
		if list.Kind() != jsonx.Array {
			f.failAt(&at, "in looks into lists, and there is "+kindWords(list))
			return false
		}
		for it := list.Iter(); it.Next(); {
			if !f.spend(1, &at) {
				return false
			}
			if equalValues(f, v, it.Value(), &at) {
				return true
			}
		}
		return false
	})
	e.yes = a.present
	if list, ok := n.Right.(*ast.ArrayNode); ok && a.stateOf != "" {
		for _, item := range list.Nodes {
			one := c.quietly(item)
			if len(list.Nodes) == 1 {
				e.yes = both(e.yes, okState(a, one))
			}
			e.no = both(e.no, notState(a, one))
		}
	}
	return e
}

// quietly checks a literal without reporting anything twice; other nodes give any.
func (c *checker) quietly(n ast.Node) *ex {
	switch n.(type) {
	case *ast.StringNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode:
		var ignored diag.List
		keep := c.diags
		c.diags = &ignored
		e := c.check(n, need)
		c.diags = keep
		return e
	}
	return nothing()
}

func (c *checker) comparableQuiet(a, b *ex) bool {
	ka, kb := a.typ.Kind, b.typ.Kind
	return ka == kb || ka == AnyType || kb == AnyType || ka == NoneType || kb == NoneType
}

// textTest checks contains, startsWith and endsWith.
func (c *checker) textTest(n *ast.BinaryNode) *ex {
	a, b := c.required(n.Left), c.required(n.Right)
	for _, s := range []struct {
		e *ex
		n ast.Node
	}{{a, n.Left}, {b, n.Right}} {
		if k := s.e.typ.Kind; k != TextType && k != AnyType && k != NoneType || s.e.typ.wrongFor(TextType, TimeType) != nil {
			d := c.fault(s.n, "type", "%s needs text, and %s is %s", n.Operator, c.words(s.n), article(s.e.typ))
			if k == ListType && s.n == n.Left {
				d.Help = "write " + c.raw(n.Right) + " in " + c.raw(n.Left)
			}
			return boolean(func(*Frame) bool { return false })
		}
	}
	test := strings.Contains
	switch n.Operator {
	case "startsWith":
		test = strings.HasPrefix
	case "endsWith":
		test = strings.HasSuffix
	}
	x, y, at, op := a.eval, b.eval, c.at(n), n.Operator
	e := boolean(func(f *Frame) bool {
		v, w := x(f), y(f)
		if v.Kind() != jsonx.String || w.Kind() != jsonx.String {
			f.failAt(&at, op+" needs text")
			return false
		}
		return test(v.Text(), w.Text())
	})
	e.yes = both(a.present, b.present)
	return e
}

// matches checks x matches "regexp".
func (c *checker) matches(n *ast.BinaryNode) *ex {
	a := c.required(n.Left)
	no := boolean(func(*Frame) bool { return false })
	if k := a.typ.Kind; k != TextType && k != AnyType && k != NoneType || a.typ.wrongFor(TextType, TimeType) != nil {
		c.fault(n.Left, "type", "matches needs text, and %s is %s", c.words(n.Left), article(a.typ))
		return no
	}
	lit, ok := n.Right.(*ast.StringNode)
	if !ok {
		c.fault(n.Right, "regexp", "matches takes a literal regular expression")
		return no
	}
	re, err := regexp.Compile(lit.Value)
	if err != nil {
		words := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "error parsing regexp: "), "`", "\"")
		c.fault(n.Right, "regexp", "the regular expression cannot be read: %s", words)
		return no
	}
	x, at := a.eval, c.at(n)
	e := boolean(func(f *Frame) bool {
		v := x(f)
		if v.Kind() != jsonx.String {
			f.failAt(&at, "matches needs text")
			return false
		}
		return re.MatchString(v.Text())
	})
	e.yes = a.present
	return e
}
