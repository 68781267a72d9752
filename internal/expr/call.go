package expr

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// instead tells what to write for functions of the grammar that are not ours.
var instead = map[string]string{
	"sortBy": `sort_by(list, "field")`, "sort": `sort_by(list, "field")`, "now": "now, without ()",
	"string": "text(x)", "toJSON": "", "fromJSON": "", "type": "", "get": `x?.field`, "last": "list[-1]",
	"concat": "$concat", "findIndex": "find(list, …)", "findLast": "", "findLastIndex": "", "reduce": "sum(list, .field)",
	"groupBy": "filter(list, …)", "values": "", "duration": "", "timezone": "", "int": "number(x)", "float": "number(x)",
	"take": "list[:n]", "mean": "", "median": "", "uniq": "unique(list)", "flatten": "$concat", "toPairs": "", "fromPairs": "",
	"hasPrefix": "x startsWith y", "hasSuffix": "x endsWith y", "indexOf": "x contains y", "lastIndexOf": "x contains y",
	"trimPrefix": "", "trimSuffix": "", "splitAfter": "", "toBase64": "", "fromBase64": "", "reverse": "", "repeat": "",
	"min": "", "max": "", "bitand": "", "bitor": "", "bitxor": "", "bitnand": "", "bitshl": "", "bitshr": "", "bitushr": "", "bitnot": "",
}

// call checks a call by name.
func (c *checker) call(n ast.Node, name string, args []ast.Node, m mode) *ex {
	if _, ok := predicates[name]; ok {
		return c.predicate(n, name, args)
	}
	fn := c.scope.function(name)
	if fn == nil {
		c.unknownFunction(n, name)
		return nothing()
	}
	for _, a := range args {
		if _, ok := a.(*ast.PredicateNode); ok {
			c.fault(n, "call", "%s takes values, no condition on elements", fn.Signature())
			return nothing()
		}
	}
	return c.function(n, fn, args, m)
}

func (c *checker) unknownFunction(n ast.Node, name string) {
	start, _ := c.span(n)
	end := start + len(name)
	if help, ok := instead[name]; ok {
		d := c.errorf(start, end, "unknown-function", "%s is not part of this language", name)
		if help != "" {
			d.Help = "write " + help
		}
		return
	}
	d := c.errorf(start, end, "unknown-function", "unknown function %q", name)
	if nm, ok := c.scope.Lookup(name); ok {
		d.Message = fmt.Sprintf("%s is %s, not a function", name, nm.what())
	} else if near := diag.Suggest(name, c.scope.callable()); near != "" {
		d.Help = "did you mean " + near + "?"
	}
}

// param gives the parameter of argument i.
func (fn *Function) param(i int) *Param {
	if i >= len(fn.Params) {
		if k := len(fn.Params) - 1; k >= 0 && fn.Params[k].Rest {
			return &fn.Params[k]
		}
		return nil
	}
	return &fn.Params[i]
}

// arity reports a wrong number of arguments.
func (c *checker) arity(n ast.Node, fn *Function, given int) bool {
	least, most := 0, len(fn.Params)
	for _, p := range fn.Params {
		if !p.Optional {
			least++
		}
		if p.Rest {
			most = 1 << 20
		}
	}
	if given >= least && given <= most {
		return true
	}
	c.fault(n, "call", "%s is called with %s", fn.Signature(), plural(given, "argument"))
	return false
}

func plural(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun
	case 1:
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// function checks the call of a function of the catalogue.
func (c *checker) function(n ast.Node, fn *Function, args []ast.Node, m mode) *ex {
	if !c.arity(n, fn, len(args)) {
		for _, a := range args {
			c.check(a, soft)
		}
		return nothing()
	}
	types, literals := make([]*Type, len(args)), make([]string, len(args))
	evals, passes := make([]evalFunc, len(args)), make([]bool, len(args))
	good, null, secret, told := true, false, false, false
	var present []Fact
	for i, a := range args {
		p := fn.param(i)
		e, ok := c.argument(fn, p, a, m)
		good, told = good && ok, told || e.typ.Told
		types[i], evals[i], passes[i] = e.typ, e.eval, p.None == NonePasses
		if lit, ok := a.(*ast.StringNode); ok {
			literals[i] = lit.Value
		}
		secret = secret || secretEx(e)
		switch p.None {
		case NonePasses:
			null = null || e.typ.Null
			types[i] = e.typ.NotNull()
			present = both(present, e.present)
		case NoneRefused:
			types[i] = e.typ.NotNull()
			present = both(present, e.present)
		case NoneTaken:
			if fn.Name == "filled" {
				present = both(present, e.present)
			}
		}
	}
	result := fn.Result
	if good && fn.Check != nil {
		t, err := fn.Check(c.scope, types, literals)
		if err != nil {
			c.checkErrors(n, err)
			good = false
		}
		if t != nil {
			result = t
		}
	}
	if told && fn.Result == nil {
		result = toldType // it would be reckoned from what nothing is known of
	}
	if result == nil {
		result = anyType
	}
	if null {
		result = result.Nullable()
	}
	if result.Kind != BoolType || fn.Name != "has" {
		result = result.secret(secret)
	}
	e := &ex{typ: result, present: present}
	if !good {
		e.typ, e.eval = result.NotNull(), nothing().eval
		return e
	}
	e.eval = callEval(fn.For(c.scope, types, literals), evals, passes, c.at(n))
	if fn.Name == "has" && len(args) == 2 {
		e.yes = c.presentOf(args[0])
	}
	return e
}

// presentOf gives what holds when node n, already checked, has a value.
func (c *checker) presentOf(n ast.Node) []Fact {
	var ignored diag.List
	var uses []Use
	keep, keepUses := c.diags, c.uses
	c.diags, c.uses = &ignored, &uses
	e := c.check(n, soft)
	c.diags, c.uses = keep, keepUses
	return e.present
}

// checkErrors reports what a function's own check said.
func (c *checker) checkErrors(n ast.Node, err error) {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			c.checkError(n, e)
		}
		return
	}
	c.checkError(n, err)
}

// checkError reports what a function's Check says; a suggestion in it is told as help.
func (c *checker) checkError(n ast.Node, err error) {
	message, help, suggests := strings.Cut(err.Error(), "; did you mean ")
	d := c.fault(n, "call", "%s", message)
	if suggests {
		d.Help = "did you mean " + help
	}
}

// argument checks one argument against its parameter.
func (c *checker) argument(fn *Function, p *Param, n ast.Node, m mode) (*ex, bool) {
	am := need
	switch p.None {
	case NonePasses:
		if am = maybe; m == soft {
			am = soft
		}
	case NoneTaken:
		am = soft
	}
	before := len(*c.diags)
	e := c.check(n, am)
	if p.None == NoneRefused && e.typ.Null {
		c.fault(n, "none", "%s(%s): %s may have no value; %s", fn.Name, p.Name, c.words(n), supplyOrTest)
	}
	if isNull(n) {
		c.fault(n, "null", "null is only sent, never given to a function").Help = "write nil"
	}
	if _, ok := n.(*ast.StringNode); p.Literal && !ok {
		c.fault(n, "call", "%s needs a literal text for %s", fn.Name, p.Name)
	}
	if !fits(p.Type, e.typ, 0) {
		wanted := article(p.Type)
		if p.Name != p.Type.noun() {
			wanted += " for " + p.Name
		}
		d := c.fault(n, "type", "%s needs %s, and %s is %s", fn.Name, wanted, c.words(n), article(e.typ))
		switch {
		case p.Type.Kind == TextType && e.typ.Kind == NumberType && fn.Name != "text":
			d.Help = "text(" + c.raw(n) + ") makes text of the number"
		case p.Type.Kind == NumberType && e.typ.Kind == TextType && c.scope.function("number") != nil:
			d.Help = "number(" + c.raw(n) + ") reads a number from text"
		case p.Type.Kind == ListType:
			d.Help = "list(" + c.raw(n) + ") makes a list of it"
		}
	}
	return e, !(*c.diags)[before:].HasErrors()
}

// fits tells whether a value of type t can be what want says.
func fits(want, t *Type, depth int) bool {
	if want == nil || t == nil || depth > maxTypeDepth {
		return true
	}
	if want.Kind != AnyType {
		for _, one := range t.Either {
			if !fits(want, one, depth+1) {
				return false
			}
		}
	}
	if want.Kind == AnyType || t.Kind == AnyType || t.Kind == NoneType || want.Kind == NoneType {
		return true
	}
	if want.Kind != t.Kind {
		return false
	}
	return want.Kind != ListType || fits(want.Elem, t.Elem, depth+1)
}

// callEval gives the code of a call: arguments are laid on the frame's stack.
func callEval(fn EvalFunc, args []evalFunc, passes []bool, at diag.Span) evalFunc {
	return func(f *Frame) jsonx.Value {
		base := len(f.args)
		for i, a := range args {
			v := a(f)
			if f.err != nil || passes[i] && v.None() {
				f.args = f.args[:base]
				return jsonx.Value{}
			}
			f.args = append(f.args, v)
		}
		f.at = &at
		v := fn(f, f.args[base:])
		f.args = f.args[:base]
		return v
	}
}
