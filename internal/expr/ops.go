package expr

import (
	"fmt"
	"regexp"
	"strings"

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
	if k := x.typ.Kind; k == NumberType || k == AnyType || k == NoneType {
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
	if eq {
		e.yes = shown
	} else {
		e.no = shown
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

// comparable tells whether a and b can be equal, and reports when they cannot.
func (c *checker) comparable(n *ast.BinaryNode, a, b *ex) bool {
	ka, kb := a.typ.Kind, b.typ.Kind
	if ka == AnyType || kb == AnyType || ka == NoneType || kb == NoneType {
		return true
	}
	if ka != kb {
		d := c.fault(n, "type", "%s is compared with %s", article(a.typ), article(b.typ))
		if ka == TextType && kb == NumberType || ka == NumberType && kb == TextType {
			num := n.Left
			if kb == NumberType {
				num = n.Right
			}
			d.Help = "text(" + c.raw(num) + ") makes text of the number"
			if _, ok := num.(*ast.IntegerNode); ok {
				d.Help = "write the number as text: \"" + c.raw(num) + "\""
			}
		}
		return false
	}
	ok := c.possible(n.Left, a, b)
	return c.possible(n.Right, b, a) && ok
}

// possible reports a literal text that the other side can never be.
func (c *checker) possible(n ast.Node, lit, other *ex) bool {
	if !lit.literal || lit.typ.Kind != TextType || other.typ.Enum == nil {
		return true
	}
	text := lit.value.Text()
	if contains(other.typ.Enum, text) {
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
		switch s.e.typ.Kind {
		case BoolType, ListType, ObjectType:
			c.fault(s.n, "type", "%s orders numbers or texts, and %s is %s", n.Operator, c.words(s.n), article(s.e.typ))
			return boolean(func(*Frame) bool { return false })
		}
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
	e.yes = both(a.present, b.present)
	return e
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
			if one.literal && !c.comparableQuiet(a, one) {
				c.fault(item, "type", "%s is compared with %s", article(a.typ), article(one.typ))
				return no
			}
			if !c.possible(item, one, a) {
				return no
			}
		}
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
	if list, ok := n.Right.(*ast.ArrayNode); ok && a.stateOf != "" && len(list.Nodes) == 1 {
		e.yes = both(e.yes, okState(a, c.quietly(list.Nodes[0])))
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
		if k := s.e.typ.Kind; k != TextType && k != AnyType && k != NoneType {
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
	if k := a.typ.Kind; k != TextType && k != AnyType && k != NoneType {
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
