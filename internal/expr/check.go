package expr

import (
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// mode says what the reader of a value does when there is none.
type mode uint8

const (
	need  mode = iota // a value must be there; a possible lack is reported by the reader
	maybe             // declared lack is handled; what was only assumed to be there still fails by name
	soft              // any lack is handled
)

type (
	evalFunc = func(*Frame) jsonx.Value
	condFunc = func(*Frame) bool
)

// ex is a checked and compiled expression.
type ex struct {
	typ     *Type
	eval    evalFunc
	hard    bool     // eval fails when there is no value
	reach   *reach   // the way that eval goes, when it reads a name or members
	cond    condFunc // when it gives true or false
	pipe    *pipe    // when it is a filter or map: its elements, without the list
	path    string   // the name by which facts know it; "" when it is no path
	present []Fact   // what holds when it has a value
	yes, no []Fact   // what holds when it is true, false
	literal bool
	value   jsonx.Value // of a literal
	short   bool        // a ?. before may have ended the chain
	sends   bool        // its lack of value is an explicit null, meant to be sent
	lenOf   string      // it is the length of the list with this path
	stateOf string      // it is steps.X.state: X
}

// nothing is what a faulty expression gives, so that one fault is told once.
func nothing() *ex {
	return &ex{typ: toldType, eval: func(*Frame) jsonx.Value { return jsonx.Value{} }}
}

// checker checks and compiles one expression.
type checker struct {
	*source
	scope *Scope
	facts []Fact // that hold where the checker stands, beyond the scope's
	elems []*ex  // the elements of the list functions around, innermost last
	count int    // list functions met, to tell elements apart
	uses  *[]Use
}

// holds tells whether path is known to have a value here.
func (c *checker) holds(path string) bool {
	if path == "" {
		return false
	}
	for i := range c.facts {
		if c.facts[i].Path == path {
			return true
		}
	}
	return c.scope.holds(path)
}

// under checks n where more facts hold.
func (c *checker) under(facts []Fact, n ast.Node, m mode) *ex {
	keep := c.facts
	c.facts = append(keep[:len(keep):len(keep)], facts...)
	e := c.check(n, m)
	c.facts = keep
	return e
}

// fault reports a problem of node n.
func (c *checker) fault(n ast.Node, rule, format string, args ...any) *diag.Diagnostic {
	start, end := c.span(n)
	return c.errorf(start, end, rule, format, args...)
}

// check checks and compiles n for a reader of mode m.
func (c *checker) check(n ast.Node, m mode) *ex {
	switch n := n.(type) {
	case *ast.NilNode:
		return &ex{typ: nonePlain, eval: func(*Frame) jsonx.Value { return jsonx.Value{} }, literal: true}
	case *ast.BoolNode:
		return literal(boolType, jsonx.BoolValue(n.Value))
	case *ast.StringNode:
		return literal(textType, jsonx.TextValue(n.Value))
	case *ast.IntegerNode, *ast.FloatNode:
		return c.number(n, "")
	case *ast.IdentifierNode:
		return c.name(n, m)
	case *ast.PointerNode:
		return c.pointer(n)
	case *ast.ChainNode:
		return c.chain(n, m)
	case *ast.MemberNode:
		return c.member(n, m)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n, m)
	case *ast.ConditionalNode:
		return c.conditional(n, m)
	case *ast.ArrayNode:
		return c.listLiteral(n)
	case *ast.MapNode:
		return c.mapLiteral(n)
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments, m)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(n, callee.Value, n.Arguments, m)
		}
		c.fault(n.Callee, "call", "%s cannot be called", c.raw(n.Callee)).Help = "functions stand alone: write f(x), not x.f()"
		return nothing()
	}
	c.fault(n, "not-ours", "this is not part of the language")
	return nothing()
}

func literal(t *Type, v jsonx.Value) *ex {
	e := &ex{typ: t, value: v, literal: true, eval: func(*Frame) jsonx.Value { return v }}
	if t.Kind == BoolType {
		b := v.Bool()
		e.cond = func(*Frame) bool { return b }
	}
	return e
}

// number reads a number literal's digits off the source.
func (c *checker) number(n ast.Node, sign string) *ex {
	i := c.tokenAt(c.byteAt(n.Location().From))
	digits := sign + c.text(i)
	t := numberType
	if !strings.ContainsAny(digits, ".eE") {
		t = integerType
	}
	if _, ok := jsonx.ParseDecimal(digits); !ok {
		c.fault(n, "number", "the number is too large to count with")
		return nothing()
	}
	return literal(t, jsonx.NumberValue(digits))
}

// needed reports that e, of node n, may have no value where one is needed.
func (c *checker) needed(e *ex, n ast.Node, help string) {
	if !e.typ.Null {
		return
	}
	if e.typ.Kind == NoneType {
		c.fault(n, "none", "%s has no value", c.words(n))
		return
	}
	c.fault(n, "none", "%s may have no value; %s", c.words(n), help)
}

const supplyOrTest = "supply one with ??, or test it first"

// value checks n where a value is needed, and reports when there may be none.
func (c *checker) required(n ast.Node) *ex {
	e := c.check(n, need)
	c.needed(e, n, supplyOrTest)
	return e
}

// name checks a name standing for a value.
func (c *checker) name(n *ast.IdentifierNode, m mode) *ex {
	if n.Value == "null" {
		return &ex{typ: nonePlain, sends: true, literal: true, value: jsonx.NullValue(),
			eval: func(*Frame) jsonx.Value { return jsonx.NullValue() }}
	}
	nm, ok := c.scope.Lookup(n.Value)
	if !ok {
		c.unknownName(n)
		return nothing()
	}
	if nm.Barred != "" {
		c.fault(n, "barred", "%s", nm.Barred)
		return nothing()
	}
	if nm.Kind == Namespace {
		d := c.fault(n, "namespace", "%s has no value of its own", n.Value)
		if names := slices.Sorted(maps.Keys(nm.Members)); len(names) > 0 {
			d.Help = "name a member: " + n.Value + "." + names[0]
		}
		return nothing()
	}
	e := &ex{typ: nm.Type, path: nm.Name}
	e.read(reachOf(nm))
	if e.typ == nil {
		e.typ = anyType
	}
	switch nm.Kind {
	case StepName:
		c.step(nm, n, e, m)
	case LetName:
		c.let(nm, n)
		e.yes, e.no = nm.True, nm.False
	}
	if c.holds(e.path) || nm.Kind == StepName && c.hasBody(nm.Name) {
		e.typ = e.typ.NotNull()
	}
	e.present = append(e.present, Fact{Path: e.path})
	if e.typ.Kind == BoolType {
		e.yes = append(e.yes[:len(e.yes):len(e.yes)], e.present...)
		e.no = append(e.no[:len(e.no):len(e.no)], e.present...)
	}
	if !e.typ.Null && m != soft {
		c.harden(e, n)
	}
	return e
}

// step records the reading of a step's body, and reports one that may be missing.
func (c *checker) step(nm *Name, n ast.Node, e *ex, m mode) {
	known := c.hasBody(nm.Name)
	use := Use{Step: nm.Name, At: c.at(n)}
	switch {
	case m == need && !known:
		use.Need = c.scope.InStep
		if nm.MayMiss && !c.scope.InStep {
			c.mayMiss(n, "step "+nm.Name, nm.Name)
		}
	case nm.MayMiss && !known:
		e.typ = e.typ.Nullable()
	}
	*c.uses = append(*c.uses, use)
}

func (c *checker) mayMiss(n ast.Node, subject, step string) {
	c.fault(n, "step-may-miss",
		"%s may have no body here (it may be skipped); use ?. or name steps.%s.state in when", subject, step)
}

// let takes over what a let reads.
func (c *checker) let(nm *Name, n ast.Node) {
	at := c.at(n)
	for _, u := range nm.Uses {
		known := c.hasBody(u.Step)
		*c.uses = append(*c.uses, Use{Step: u.Step, Meta: u.Meta, Need: u.Need && !known && c.scope.InStep, At: at})
	}
	for _, name := range nm.Needs {
		if c.hasBody(name) {
			continue
		}
		if c.scope.InStep {
			*c.uses = append(*c.uses, Use{Step: name, Need: true, At: at})
			continue
		}
		if step, ok := c.scope.Lookup(name); ok && step.MayMiss {
			c.mayMiss(n, "let "+nm.Name+" needs step "+name+", which", name)
		}
	}
}

// unknownName reports a name that stands for nothing.
func (c *checker) unknownName(n *ast.IdentifierNode) {
	if _, ok := predicates[n.Value]; ok || c.scope.function(n.Value) != nil {
		c.fault(n, "unknown-name", "%s is a function; write %s(…)", n.Value, n.Value)
		return
	}
	d := c.fault(n, "unknown-name", "unknown name %q", n.Value)
	if n.Value == "$env" {
		d.Message = "$env is not part of this language"
		d.Help = "settings stand in gateway.yaml under const"
		return
	}
	if near := diag.Suggest(n.Value, c.scope.visible()); near != "" {
		d.Help = "did you mean " + near + "?"
	}
}

// pointer checks # and the beginning of .field.
func (c *checker) pointer(n *ast.PointerNode) *ex {
	if len(c.elems) == 0 {
		c.fault(n, "syntax", "# stands only inside filter, map and the like")
		return nothing()
	}
	e := *c.elems[len(c.elems)-1]
	if c.holds(e.path) {
		e.typ = e.typ.NotNull()
	}
	return &e
}

// condition checks n as something that is true or false.
func (c *checker) condition(n ast.Node) *ex {
	e := c.check(n, need)
	return c.asCondition(e, n)
}

func (c *checker) asCondition(e *ex, n ast.Node) *ex {
	switch {
	case e.typ.Kind == NoneType:
		c.needed(e, n, "")
		return nothing().falsely()
	case e.typ.Kind == BoolType && e.typ.Null:
		c.fault(n, "none", "%s may have no value; write (%s) ?? false, or test it first", c.words(n), c.raw(n))
	case e.typ.Kind == AnyType && e.typ.Null:
		c.needed(e, n, supplyOrTest)
	case e.typ.Kind != BoolType && e.typ.Kind != AnyType, e.typ.wrongFor(BoolType) != nil:
		d := c.fault(n, "condition", "a condition is true or false, and this is %s", article(e.typ))
		switch {
		case e.typ.Kind == ListType && !e.typ.Null:
			d.Help = "write len(" + c.raw(n) + ") > 0"
		case e.path != "" || e.typ.Null:
			d.Help = "write " + c.raw(n) + " != nil"
		}
	}
	if e.cond == nil {
		eval, at := e.eval, c.at(n)
		// Also what is declared true or false may come as something else from outside.
		message := c.words(n) + " is neither true nor false"
		e.cond = func(f *Frame) bool {
			v := eval(f)
			if v.Kind() != jsonx.Bool {
				f.failAt(&at, message)
				return false
			}
			return v.Bool()
		}
	}
	return e
}

func (e *ex) falsely() *ex {
	e.cond = func(*Frame) bool { return false }
	return e
}

// boolean makes an expression of a condition.
func boolean(cond condFunc) *ex {
	return &ex{typ: boolType, cond: cond, eval: func(f *Frame) jsonx.Value { return jsonx.BoolValue(cond(f)) }}
}
