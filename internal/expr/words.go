package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// WordKind says what a word of the language is.
type WordKind uint8

// The kinds.
const (
	OperatorWord  WordKind = iota // + and .. ?? [a:b]: what Grammar lists
	PredicateWord                 // filter, map …: the built-ins of the grammar
	FunctionWord                  // a function of the catalogue
	DirectiveWord                 // $each …, ${…}, ${?…}, $${
	NameWord                      // input, now …: what every mapping may name
)

// Word is one word of the language where a file uses it.
type Word struct {
	Kind WordKind
	Name string
	At   diag.Span
	Arg  string // of a function: its first argument, when that is a literal text
}

// Entry describes one word that is no function: how it is spelled, what it
// means, and an example that a test executes (directives have theirs in the
// executed cases).
type Entry struct {
	Name    string
	Help    string
	Example Example
}

// Operators gives what stands between, before and around values.
func Operators() []Entry { return slices.Clone(operatorWords) }

// Predicates gives the built-ins the grammar knows itself.
func Predicates() []Entry { return slices.Clone(predicateWords) }

// Directives gives what builds a value in YAML.
func Directives() []Entry { return slices.Clone(directiveWords) }

// StandingNames gives the names every mapping has.
func StandingNames() []Entry { return slices.Clone(nameWords) }

var operatorWords = []Entry{
	{"+", "Adds two numbers exactly, or joins two texts.", Example{`0.1 + 0.2`, `0.3`}},
	{"-", "Subtracts.", Example{`5 - 7`, `-2`}},
	{"-x", "The negative number.", Example{`-(2 + 3)`, `-5`}},
	{"*", "Multiplies.", Example{`1.10 * 3`, `3.30`}},
	{"/", "Divides, exactly where that is possible; dividing by zero is a failure.", Example{`7 / 2`, `3.5`}},
	{"%", "The rest of a division.", Example{`7 % 2`, `1`}},
	{"==", "Equal; numbers by value, text against number is an error.", Example{`1.0 == 1`, `true`}},
	{"!=", "Not equal; `x != nil` tells that x has a value.", Example{`"a" != "b"`, `true`}},
	{"<", "Less, of two numbers, texts or times.", Example{`2 < 10`, `true`}},
	{"<=", "Less or equal.", Example{`2 <= 2`, `true`}},
	{">", "Greater.", Example{`"b" > "a"`, `true`}},
	{">=", "Greater or equal.", Example{`1 >= 2`, `false`}},
	{"and", "Both; the right side is looked at only when the left one holds, and may rely on it.", Example{`1 < 2 and 2 < 3`, `true`}},
	{"&&", "The same as and.", Example{`true && false`, `false`}},
	{"or", "One of them, or both.", Example{`1 > 2 or 2 > 1`, `true`}},
	{"||", "The same as or.", Example{`false || false`, `false`}},
	{"not", "The opposite; `not (a in b)`, for `not a in b` reads `(not a) in b`.", Example{`not (1 > 2)`, `true`}},
	{"!", "The same as not; a YAML value may not begin with it.", Example{`!false`, `true`}},
	{"in", "Whether the list has such an element.", Example{`2 in [1, 2]`, `true`}},
	{"not in", "Whether it has none.", Example{`2 not in [1, 2]`, `false`}},
	{"contains", "Whether the text has this part.", Example{`"Emma" contains "mm"`, `true`}},
	{"startsWith", "Whether the text begins so.", Example{`"Emma" startsWith "E"`, `true`}},
	{"endsWith", "Whether the text ends so.", Example{`"Emma" endsWith "E"`, `false`}},
	{"matches", "Whether the text matches the regular expression (RE2), a literal.", Example{`"A-12" matches "^[A-Z]-[0-9]+$"`, `true`}},
	{"??", "The left value, or the right one when there is none; in parentheses beside other operators. `?? null` sends null.", Example{`nil ?? "none"`, `"none"`}},
	{"?.", "The field, and no value when what stands before has none.", Example{`table("plans", "B")?.label ?? "none"`, `"none"`}},
	{`["f"]`, "The field of that name; for names that are no words: `d[\"first-name\"]`.", Example{`{"first-name": 1}["first-name"]`, `1`}},
	{"[i]", "The element, from 0; -1 is the last. One that is not there has no value.", Example{`[5, 6, 7][-1]`, `7`}},
	{"[a:b]", "The elements from a to before b; either may be left out.", Example{`[5, 6, 7][1:]`, `[6,7]`}},
	{"? :", "One value or the other.", Example{`1 < 2 ? "yes" : "no"`, `"yes"`}},
	{"[…]", "A list.", Example{`[1, "a", nil]`, `[1,"a",null]`}},
	{"{…}", "An object; inside a predicate it stands in parentheses.", Example{`{"a": 1}`, `{"a":1}`}},
	{"#", "The element of the innermost predicate.", Example{`map([1, 2], # * 2)`, `[2,4]`}},
	{".field", "A field of the element of the innermost predicate.", Example{`map([{"n": 1}], .n)`, `[1]`}},
	{"nil", "No value; what is compared with.", Example{`nil == nil`, `true`}},
	{"null", "Null, to be sent: `x ?? null`.", Example{`nil ?? null`, `null`}},
	{"true", "Yes.", Example{`true`, `true`}},
	{"false", "No.", Example{`false`, `false`}},
	{`"…"`, "A text; \\n, \\t, \\\" and \\u00e9 mean what they mean in JSON.", Example{`"\u00e9"`, `"é"`}},
	{`'…'`, "The same.", Example{`'a'`, `"a"`}},
	{"`…`", "A text as it stands, without escapes.", Example{"`a\\b`", `"a\\b"`}},
}

var predicateWords = []Entry{
	{"filter", "The elements for which it holds.", Example{`filter([1, 2, 3], # > 1)`, `[2,3]`}},
	{"map", "A value made of each element.", Example{`map([1, 2], # + 1)`, `[2,3]`}},
	{"any", "Whether it holds for some element.", Example{`any([1, 2], # > 1)`, `true`}},
	{"all", "Whether it holds for all elements; of none, it does.", Example{`all([1, 2], # > 1)`, `false`}},
	{"none", "Whether it holds for no element.", Example{`none([1, 2], # > 2)`, `true`}},
	{"one", "Whether it holds for exactly one element.", Example{`one([1, 2], # > 1)`, `true`}},
	{"count", "For how many elements it holds.", Example{`count([1, 2, 3], # > 1)`, `2`}},
	{"sum", "The exact sum of the elements, or of a value of each.", Example{`sum([{"n": 0.1}, {"n": 0.2}], .n)`, `0.3`}},
	{"first", "The first element; of an empty list, no value.", Example{`first([5, 6])`, `5`}},
	{"find", "The first element for which it holds.", Example{`find([1, 2, 3], # > 1)`, `2`}},
	{"len", "How many elements a list, members an object, or characters a text has.", Example{`len("São")`, `3`}},
}

var directiveWords = []Entry{
	{Name: "${…}", Help: "One expression. A scalar that is nothing else keeps the type of its value; inside longer text only text, numbers and booleans may stand."},
	{Name: "${?…}", Help: "The same, and without a value the key or element is left out."},
	{Name: "$${", Help: "The characters ${ themselves."},
	{Name: "$each", Help: "A list: `$item` is built once for each element, named by `$as`."},
	{Name: "$as", Help: "The name of the element, in `$if` and `$item`."},
	{Name: "$item", Help: "What becomes of each element."},
	{Name: "$if", Help: "Beside `$each`: only elements for which it holds. Beside `$then`: the choice."},
	{Name: "$then", Help: "The value when `$if` holds."},
	{Name: "$else", Help: "The value when it does not; without it there is no value, and no key."},
	{Name: "$concat", Help: "A list of lists, joined to one."},
	{Name: "$merge", Help: "A list of objects, joined to one; later fields replace earlier ones."},
}

var nameWords = []Entry{
	{Name: "input", Help: "The input, converted, with defaults and normal forms."},
	{Name: "request", Help: "The request: method, path, id, header by name, and the body where it is JSON, without credentials."},
	{Name: "caller", Help: "Who calls: name, app, strict."},
	{Name: "const", Help: "The constants of gateway.yaml."},
	{Name: "now", Help: "The time of the request; the same in all its expressions."},
	{Name: "warnings", Help: "What rules of `level: warn` had to say, a list of {pointer, code, detail}."},
	{Name: "failures", Help: "The failures that were continued past: step and class of each."},
	{Name: "error", Help: "Inside catch: class, status and message of the failure. In a dialect's replies: kind, title, message, class, fields and errors."},
	{Name: "steps", Help: "`steps.NAME` has state, status, header and error; with each also items and the counts ok, refused, failed, unknown."},
	{Name: "answer", Help: "In contracts: the body of the answer."},
	{Name: "status", Help: "In contracts: the HTTP status of the answer."},
}

// Words gives the words of the language n is made of, where each stands. Faulty
// expressions give what could be read.
func Words(n Source) []Word {
	w := &wordWalk{}
	if n.Bare {
		if n.Node != nil && n.Node.Kind == yamldoc.Text {
			r := reader{node: n.Node, diags: new(diag.List)}
			toks, _ := r.scan(0, false)
			w.expression(toks)
		}
		return w.words
	}
	w.template(n.Node)
	return w.words
}

type wordWalk struct {
	words []Word
	src   *source
}

func (w *wordWalk) add(kind WordKind, name string, at diag.Span) {
	w.words = append(w.words, Word{Kind: kind, Name: name, At: at})
}

func (w *wordWalk) template(n *yamldoc.Node) {
	if n == nil {
		return
	}
	switch n.Kind {
	case yamldoc.Text:
		w.text(n)
	case yamldoc.List:
		for _, item := range n.Items {
			w.template(item)
		}
	case yamldoc.Map:
		for i := range n.Entries {
			e := &n.Entries[i]
			if slices.ContainsFunc(directiveWords, func(d Entry) bool { return d.Name == e.Key.Text }) {
				w.add(DirectiveWord, e.Key.Text, e.Key.Span)
			}
			w.template(e.Value)
		}
	}
}

func (w *wordWalk) text(n *yamldoc.Node) {
	for i := 0; i+3 <= len(n.Text); i++ {
		if n.Text[i:i+3] == "$${" {
			w.add(DirectiveWord, "$${", n.SpanOf(i, i+3))
		}
	}
	r := reader{node: n, diags: new(diag.List)}
	pieces, _ := r.split()
	for _, p := range pieces {
		if p.toks == nil {
			continue
		}
		name := "${…}"
		if p.optional {
			name = "${?…}"
		}
		w.add(DirectiveWord, name, n.SpanOf(p.start, p.end))
		w.expression(p.toks)
	}
}

func (w *wordWalk) expression(toks *scanned) {
	for i, t := range toks.toks {
		word := toks.text(i)
		switch {
		case t.kind == textToken:
			quote := word[:1]
			w.add(OperatorWord, quote+"…"+quote, toks.node.SpanOf(t.start, t.end))
		case word == "not" && (toks.text(i+1) == "in"):
			w.add(OperatorWord, "not in", toks.node.SpanOf(t.start, toks.toks[i+1].end))
		}
	}
	w.src = toks.parse()
	if w.src == nil {
		return
	}
	root := w.src.root
	ast.Walk(&root, w)
}

// Visit takes one node of an expression.
func (w *wordWalk) Visit(n *ast.Node) {
	operator := func(name string) {
		start, end := w.src.span(*n)
		w.add(OperatorWord, name, w.src.node.SpanOf(start, end))
	}
	switch n := (*n).(type) {
	case *ast.NilNode:
		operator("nil")
	case *ast.BoolNode:
		operator(map[bool]string{true: "true", false: "false"}[n.Value])
	case *ast.IdentifierNode:
		if n.Value == "null" {
			operator("null")
		} else if slices.ContainsFunc(nameWords, func(e Entry) bool { return e.Name == n.Value }) {
			start, end := w.src.span(n)
			w.add(NameWord, n.Value, w.src.node.SpanOf(start, end))
		}
	case *ast.PointerNode:
		if at := w.src.byteAt(n.Location().From); w.src.node.Text[at] == '#' {
			operator("#")
		} else {
			operator(".field")
		}
	case *ast.UnaryNode:
		switch {
		case n.Operator == "-":
			operator("-x")
		case n.Operator == "!" || !negatedIn(w.src, n):
			operator(n.Operator)
		}
	case *ast.BinaryNode:
		operator(n.Operator)
	case *ast.ConditionalNode:
		operator("? :")
	case *ast.SliceNode:
		operator("[a:b]")
	case *ast.ArrayNode:
		operator("[…]")
	case *ast.MapNode:
		operator("{…}")
	case *ast.MemberNode:
		w.member(n, operator)
	case *ast.BuiltinNode:
		w.call(n, n.Name, n.Arguments)
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok {
			w.call(n, id.Value, n.Arguments)
		}
	}
}

// negatedIn tells `a not in b`, which the grammar reads as not (a in b).
func negatedIn(src *source, n *ast.UnaryNode) bool {
	b, ok := n.Node.(*ast.BinaryNode)
	if !ok || b.Operator != "in" {
		return false
	}
	left, _ := src.span(b.Left)
	return src.byteAt(n.Location().From) > left
}

func (w *wordWalk) member(n *ast.MemberNode, operator func(string)) {
	if n.Optional {
		operator("?.")
	}
	p, ok := n.Property.(*ast.StringNode)
	if !ok {
		operator("[i]")
		return
	}
	if at := w.src.byteAt(p.Location().From); at < len(w.src.node.Text) && slices.Contains([]byte("\"'`"), w.src.node.Text[at]) {
		operator(`["f"]`)
	}
}

func (w *wordWalk) call(n ast.Node, name string, args []ast.Node) {
	kind := FunctionWord
	if _, ok := predicates[name]; ok {
		kind = PredicateWord
	}
	start, end := w.src.span(n)
	word := Word{Kind: kind, Name: name, At: w.src.node.SpanOf(start, end)}
	if len(args) > 0 {
		if s, ok := args[0].(*ast.StringNode); ok {
			word.Arg = s.Value
		}
	}
	w.words = append(w.words, word)
}
