package expr

import (
	"fmt"

	"github.com/expr-lang/expr/ast"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// unary checks not x, !x and -x.
func (c *checker) unary(n *ast.UnaryNode) *ex {
	switch n.Operator {
	case "not", "!":
		x := c.condition(n.Node)
		cond := x.cond
		e := boolean(func(f *Frame) bool { return !cond(f) && f.err == nil })
		e.yes, e.no = x.no, x.yes
		return e
	case "-":
		switch n.Node.(type) {
		case *ast.IntegerNode, *ast.FloatNode:
			return c.number(n.Node, "-")
		}
		x := c.required(n.Node)
		if !c.counts(x, n.Node, "-") {
			return nothing()
		}
		at, get := c.at(n), x.eval
		return &ex{typ: &Type{Kind: NumberType, Integer: x.typ.Integer, Secret: x.typ.Secret},
			eval: func(f *Frame) jsonx.Value {
				d, ok := decimal(f, get(f), &at)
				if !ok {
					return jsonx.Value{}
				}
				return f.number(jsonx.Decimal{}.Sub(d))
			}}
	}
	c.fault(n, "not-ours", "%s before a value is not part of this language", n.Operator)
	return nothing()
}

// counts tells whether x can be counted with, and reports when it cannot.
func (c *checker) counts(x *ex, n ast.Node, op string) bool {
	if k := x.typ.Kind; (k == NumberType || k == AnyType || k == NoneType) && x.typ.wrongFor(NumberType) == nil {
		return true
	}
	d := c.fault(n, "type", "%s needs numbers, and %s is %s", op, c.words(n), article(x.typ))
	if x.typ.Kind == TextType && c.scope.function("number") != nil {
		d.Help = "number(" + c.raw(n) + ") reads a number from text"
	}
	return false
}

// decimal reads a number to count with.
func decimal(f *Frame, v jsonx.Value, at *diag.Span) (jsonx.Decimal, bool) {
	if v.Kind() != jsonx.Number {
		f.failAt(at, "a number is needed, and there is "+kindWords(v))
		return jsonx.Decimal{}, false
	}
	d, ok := jsonx.ParseDecimal(v.Text())
	if !ok {
		f.failAt(at, "the number is too large to count with")
	}
	return d, ok
}

// number makes a value of d.
func (f *Frame) number(d jsonx.Decimal) jsonx.Value {
	m := f.Arena.Mark()
	f.Arena.SetBuf(d.Append(f.Arena.Buf()))
	return jsonx.NumberValue(f.Arena.Text(m))
}

// binary checks operators between two values.
func (c *checker) binary(n *ast.BinaryNode, m mode) *ex {
	if c.misread(n) {
		return boolean(func(*Frame) bool { return false })
	}
	switch n.Operator {
	case "and", "&&", "or", "||":
		return c.logic(n)
	case "==", "!=":
		return c.equality(n)
	case "<", "<=", ">", ">=":
		return c.order(n)
	case "+", "-", "*", "/", "%":
		return c.arithmetic(n)
	case "??":
		return c.coalesce(n, m)
	case "in":
		return c.in(n)
	case "contains", "startsWith", "endsWith":
		return c.textTest(n)
	case "matches":
		return c.matches(n)
	}
	c.fault(n, "not-ours", "%s is not part of this language", n.Operator)
	return nothing()
}

// misread reports spellings that the grammar reads otherwise than their author;
// true means that checking the operands would only repeat it.
func (c *checker) misread(n *ast.BinaryNode) bool {
	if u, ok := n.Left.(*ast.UnaryNode); ok && (u.Operator == "not" || u.Operator == "!") && !c.wrapped(n.Left) {
		switch n.Operator {
		case "==", "!=", "<", "<=", ">", ">=", "in", "contains", "startsWith", "endsWith", "matches":
			a, b := c.words(u.Node), c.words(n.Right)
			d := c.fault(n, "misread", "not %s %s %s reads (not %s) %s %s", a, n.Operator, b, a, n.Operator, b)
			d.Help = fmt.Sprintf("write not (%s %s %s)", a, n.Operator, b)
			return true
		}
	}
	switch n.Operator {
	case "??", "and", "&&", "or", "||":
		return false
	}
	for _, side := range []ast.Node{n.Left, n.Right} {
		if b, ok := side.(*ast.BinaryNode); ok && b.Operator == "??" && !c.wrapped(side) {
			d := c.fault(side, "coalesce", "?? needs parentheses beside %s", n.Operator)
			d.Help = "write (" + c.raw(side) + ")"
		}
	}
	return false
}

// logic checks and, or: what the left side shows holds on the right.
func (c *checker) logic(n *ast.BinaryNode) *ex {
	a := c.condition(n.Left)
	if n.Operator == "and" || n.Operator == "&&" {
		keep := c.facts
		c.facts = append(keep[:len(keep):len(keep)], a.yes...)
		b := c.condition(n.Right)
		c.facts = keep
		x, y := a.cond, b.cond
		e := boolean(func(f *Frame) bool { return x(f) && y(f) })
		e.yes, e.no = both(a.yes, b.yes), common(a.no, b.no)
		return e
	}
	keep := c.facts
	c.facts = append(keep[:len(keep):len(keep)], a.no...)
	b := c.condition(n.Right)
	c.facts = keep
	x, y := a.cond, b.cond
	e := boolean(func(f *Frame) bool { return x(f) || y(f) })
	e.yes, e.no = common(a.yes, b.yes), both(a.no, b.no)
	return e
}

// both unites facts.
func both(a, b []Fact) []Fact {
	return append(a[:len(a):len(a)], b...)
}

// common keeps the facts of both.
func common(a, b []Fact) []Fact {
	var out []Fact
	for _, x := range a {
		for _, y := range b {
			if x == y {
				out = append(out, x)
				break
			}
		}
	}
	return out
}

// arithmetic checks + - * / %; + also joins texts.
func (c *checker) arithmetic(n *ast.BinaryNode) *ex {
	if c.hyphenated(n) {
		return nothing()
	}
	a, b := c.required(n.Left), c.required(n.Right)
	secret := secretEx(a) || secretEx(b)
	ka, kb := a.typ.Kind, b.typ.Kind
	at, x, y := c.at(n), a.eval, b.eval
	if n.Operator == "+" {
		isText := func(k TypeKind) bool { return k == TextType }
		switch {
		case len(a.typ.Either) > 0 || len(b.typ.Either) > 0:
			c.fault(n, "type", "%s is added to %s", article(b.typ), article(a.typ)).Help = sameKind
			return nothing()
		case isText(ka) && (isText(kb) || kb == AnyType), isText(kb) && ka == AnyType:
			return &ex{typ: textType.secret(secret), eval: func(f *Frame) jsonx.Value { return joinTexts(f, x(f), y(f), &at) }}
		case ka == AnyType && kb == AnyType:
			return &ex{typ: anyType.secret(secret), eval: func(f *Frame) jsonx.Value {
				v, w := x(f), y(f)
				if v.Kind() == jsonx.String {
					return joinTexts(f, v, w, &at)
				}
				return calculate(f, "+", v, w, &at)
			}}
		case isText(ka) || isText(kb):
			d := c.fault(n, "type", "%s is added to %s", article(b.typ), article(a.typ))
			num := n.Right
			if isText(kb) {
				num = n.Left
			}
			d.Help = "write ${…}${…}, or text(" + c.raw(num) + ")"
			return nothing()
		case ka == ListType || kb == ListType:
			c.fault(n, "type", "lists are not added").Help = "join them with $concat"
			return nothing()
		}
	}
	okA, okB := c.counts(a, n.Left, n.Operator), c.counts(b, n.Right, n.Operator)
	if !okA || !okB {
		return nothing()
	}
	op := n.Operator
	t := &Type{Kind: NumberType, Integer: a.typ.Integer && b.typ.Integer && op != "/", Secret: secret}
	return &ex{typ: t, eval: func(f *Frame) jsonx.Value { return calculate(f, op, x(f), y(f), &at) }}
}

// hyphenated reports a subtraction that was meant as a name with - in it: d.born-on.
func (c *checker) hyphenated(n *ast.BinaryNode) bool {
	id, ok := n.Right.(*ast.IdentifierNode)
	left, ok2 := n.Left.(*ast.MemberNode)
	if !ok || !ok2 || n.Operator != "-" || c.wrapped(n.Left) {
		return false
	}
	prop, ok := left.Property.(*ast.StringNode)
	if _, known := c.scope.Lookup(id.Value); !ok || known {
		return false
	}
	d := c.fault(n, "misread", "%s is a subtraction", c.words(n))
	d.Help = fmt.Sprintf("write %s[%q]", c.raw(left.Node), prop.Value+"-"+id.Value)
	return true
}

func secretEx(e *ex) bool {
	_, yes := e.typ.secretPath()
	return yes
}

// maxText bounds the texts an expression builds.
const maxText = 1 << 20

func joinTexts(f *Frame, a, b jsonx.Value, at *diag.Span) jsonx.Value {
	if a.Kind() != jsonx.String || b.Kind() != jsonx.String {
		return f.failAt(at, "+ adds two numbers or joins two texts")
	}
	m := f.Arena.Mark()
	buf := b.AppendText(a.AppendText(f.Arena.Buf()))
	f.Arena.SetBuf(buf)
	t := f.Arena.Text(m)
	if len(t) > maxText {
		return f.failAt(at, "the text grows too long")
	}
	return jsonx.TextValue(t)
}

func calculate(f *Frame, op string, v, w jsonx.Value, at *diag.Span) jsonx.Value {
	a, ok := decimal(f, v, at)
	b, ok2 := decimal(f, w, at)
	if !ok || !ok2 {
		return jsonx.Value{}
	}
	switch op {
	case "+":
		return f.number(a.Add(b))
	case "-":
		return f.number(a.Sub(b))
	case "*":
		return f.number(a.Mul(b))
	case "/":
		a, ok = a.Quo(b)
	default:
		a, ok = a.Rem(b)
	}
	if !ok {
		return f.failAt(at, "division by zero")
	}
	return f.number(a)
}

// coalesce checks a ?? b.
func (c *checker) coalesce(n *ast.BinaryNode, m mode) *ex {
	a := c.check(n.Left, soft)
	b := c.check(n.Right, m)
	x, y := a.eval, b.eval
	e := &ex{eval: func(f *Frame) jsonx.Value {
		if v := x(f); !v.None() {
			return v
		}
		return y(f)
	}}
	e.typ = join(a.typ.NotNull(), b.typ)
	if a.typ.Kind == NoneType {
		e.typ = b.typ
	}
	if a.typ.Enum != nil && b.literal && b.typ.Kind == TextType {
		e.typ = join(a.typ.NotNull(), &Type{Kind: TextType, Enum: []string{b.value.Text()}})
	}
	e.sends = b.sends
	e.present = common(a.present, b.present)
	if b.literal && b.typ.Kind == BoolType {
		// What is not the stand-in must have come from the left.
		if b.value.Bool() {
			e.no = both(a.no, a.present)
		} else {
			e.yes = both(a.yes, a.present)
		}
	}
	return e
}

// conditional checks c ? a : b.
func (c *checker) conditional(n *ast.ConditionalNode, m mode) *ex {
	q := c.condition(n.Cond)
	a, b := c.under(q.yes, n.Exp1, m), c.under(q.no, n.Exp2, m)
	cond, x, y := q.cond, a.eval, b.eval
	e := &ex{typ: join(a.typ, b.typ), eval: func(f *Frame) jsonx.Value {
		if cond(f) {
			return x(f)
		}
		if f.err != nil {
			return jsonx.Value{}
		}
		return y(f)
	}}
	e.sends = (a.sends || !a.typ.Null) && (b.sends || !b.typ.Null) && (a.sends || b.sends)
	if e.typ.Kind == BoolType && !e.typ.Null {
		a, b = c.asCondition(a, n.Exp1), c.asCondition(b, n.Exp2)
		v, w := a.cond, b.cond
		e.cond = func(f *Frame) bool {
			if cond(f) {
				return v(f)
			}
			return f.err == nil && w(f)
		}
		e.yes = branches(both(q.yes, a.yes), both(q.no, b.yes), isBool(a, false), isBool(b, false))
		e.no = branches(both(q.yes, a.no), both(q.no, b.no), isBool(a, true), isBool(b, true))
	}
	e.present = branches(both(q.yes, a.present), both(q.no, b.present), isNil(n.Exp1), isNil(n.Exp2))
	return e
}

func isBool(e *ex, b bool) bool { return e.literal && e.typ.Kind == BoolType && e.value.Bool() == b }

// branches gives the facts that hold whichever branch was taken; one that cannot have been taken does not count.
func branches(a, b []Fact, notA, notB bool) []Fact {
	switch {
	case notA:
		return b
	case notB:
		return a
	}
	return common(a, b)
}
