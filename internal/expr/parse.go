package expr

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"github.com/emenda-gateway/emenda/internal/diag"
)

// source is one parsed expression: its tree, and where its nodes stand.
type source struct {
	*scanned
	root    ast.Node
	offsets []int // rune offset → byte offset in the expression; nil when all is ASCII
	spans   map[ast.Node][2]int
}

// parse reads a scanned expression; nil when it cannot be read, which is then reported.
func (s *scanned) parse() (src *source) {
	text := s.node.Text[s.start:s.end]
	if !s.ok {
		return nil
	}
	if len(s.toks) == 0 {
		s.cutShort(s.errorf(s.start, s.end, "syntax", "the expression is empty"))
		return nil
	}
	if len(text) > maxSource {
		s.errorf(s.start, s.end, "bounds", "the expression is longer than %d bytes; split it with let", maxSource)
		return nil
	}
	if s.traps(); !s.ok {
		return nil
	}
	src = &source{scanned: s, spans: map[ast.Node][2]int{}}
	if n := utf8.RuneCountInString(text); n != len(text) {
		src.offsets = make([]int, 0, n+1)
		for i := range text {
			src.offsets = append(src.offsets, i)
		}
		src.offsets = append(src.offsets, len(text))
	}
	defer func() {
		if recover() != nil {
			s.errorf(s.start, s.end, "syntax", "the expression cannot be read")
			src = nil
		}
	}()
	tree, err := parser.Parse(s.masked(text))
	if err != nil {
		src.syntax(err)
		return nil
	}
	src.root = tree.Node
	return src
}

// masked gives the expression with every number literal replaced by a zero of
// the same width, since the parser would round or refuse long ones; their
// digits are read from the source.
func (s *scanned) masked(text string) string {
	b := []byte(text)
	for _, t := range s.toks {
		if t.kind != numberToken {
			continue
		}
		for i := t.start; i < t.end; i++ {
			b[i-s.start] = '_'
		}
		b[t.start-s.start] = '0'
	}
	return string(b)
}

// byteAt gives the byte of the scalar's text where rune offset r of the expression stands.
func (s *source) byteAt(r int) int {
	if s.offsets == nil {
		return min(s.start+max(r, 0), s.end)
	}
	return s.start + s.offsets[min(max(r, 0), len(s.offsets)-1)]
}

// syntax reports the parser's error in our words.
func (s *source) syntax(err error) {
	var e *file.Error
	if !errors.As(err, &e) {
		s.errorf(s.start, s.end, "syntax", "the expression cannot be read")
		return
	}
	start, end := s.byteAt(e.From), s.byteAt(e.To)
	if start >= s.end {
		start = max(s.end-1, s.start)
	}
	if end <= start {
		end = min(start+1, s.end)
	}
	if s.lonelyQuestion() || s.elementOutside(start) {
		return
	}
	var d *diag.Diagnostic
	switch msg := e.Message; {
	case strings.HasPrefix(msg, "unexpected token EOF"), strings.HasPrefix(msg, "unexpected end"):
		d = s.errorf(start, end, "syntax", "the expression ends too early")
	case strings.HasPrefix(msg, "unexpected token"):
		d = s.errorf(start, end, "syntax", "%q is not expected here", s.node.Text[start:end])
	case strings.HasPrefix(msg, "Operator ("):
		d = s.errorf(start, end, "coalesce", "?? needs parentheses beside %s", s.node.Text[start:end])
		d.Help = fmt.Sprintf("write (a ?? b) %s c", s.node.Text[start:end])
	case strings.HasPrefix(msg, "expected at least"):
		d = s.errorf(start, end, "syntax", "an argument is missing")
	case strings.Contains(msg, "char escape"), strings.Contains(msg, "unescape"):
		d = s.errorf(start, end, "syntax", "the text has an unknown escape")
		d.Help = `a backslash is written \\`
	case strings.HasPrefix(msg, "expected name"):
		d = s.errorf(start, end, "syntax", "a name must stand behind the point")
	case strings.HasPrefix(msg, "unrecognized character"):
		d = s.errorf(start, end, "syntax", "the character %q has no meaning in an expression", s.node.Text[start:end])
	case strings.HasPrefix(msg, "a map key"):
		d = s.errorf(start, end, "syntax", "the key of an object must be a name or text")
	case strings.Contains(msg, "maximum allowed nodes"):
		d = s.errorf(s.start, s.end, "bounds", "the expression has too many parts; split it with let")
	default:
		d = s.errorf(start, end, "syntax", "the expression cannot be read from here on")
	}
	s.cutShort(d)
}

// lonelyQuestion reports a ? that stands where ?. is meant: right before a name, without its colon.
func (s *source) lonelyQuestion() bool {
	for i := range s.toks {
		if s.text(i) != "?" || i+1 == len(s.toks) || s.toks[i+1].kind != nameToken || s.toks[i+1].start != s.toks[i].end {
			continue
		}
		if slices.ContainsFunc(s.toks[i:], func(t token) bool { return s.node.Text[t.start:t.end] == ":" }) {
			continue
		}
		s.errorf(s.toks[i].start, s.toks[i].end, "syntax", "a ? alone means nothing here").
			Help = fmt.Sprintf("write ?.%s to reach through what may be missing", s.text(i+1))
		return true
	}
	return false
}

// elementOutside reports .field or # in a call that looks at no elements: the
// grammar knows them only behind names it keeps, which are misspelt easily.
func (s *source) elementOutside(at int) bool {
	if word := s.text(s.tokenAt(at)); word != "." && word != "#" && word != "?." {
		return false
	}
	names := slices.Sorted(maps.Keys(predicateHelp))
	inner, near := -1, ""
	for i := s.tokenAt(at) - 1; i > 0; i-- {
		if s.text(i) != "(" || s.toks[i].match >= 0 && s.toks[s.toks[i].match].start < at || s.toks[i-1].kind != nameToken {
			continue
		}
		name := s.text(i - 1)
		if predicateHelp[name] != "" {
			return false
		}
		if _, operator := operators[name]; operator {
			continue
		}
		if inner < 0 {
			inner = i - 1
		}
		if near = diag.Suggest(name, names); near != "" {
			inner = i - 1
			break
		}
	}
	if inner < 0 {
		return false
	}
	d := s.errorf(s.toks[inner].start, s.toks[inner].end, "syntax", "%s(…) looks at no elements: .field and # mean nothing in it", s.text(inner))
	d.Help = "functions that do: " + strings.Join(names, ", ")
	if near != "" {
		d.Help = "did you mean " + near + "?"
	}
	return true
}

// operators are the words of the grammar that may stand before a parenthesis and call nothing.
var operators = map[string]struct{}{"and": {}, "or": {}, "not": {}, "in": {}, "contains": {}, "startsWith": {}, "endsWith": {}, "matches": {}}

// tokenAt gives the index of the token that begins at byte off, or -1.
func (s *source) tokenAt(off int) int {
	i := sort.Search(len(s.toks), func(i int) bool { return s.toks[i].start >= off })
	if i < len(s.toks) && s.toks[i].start == off {
		return i
	}
	return -1
}

// closing gives the end of the bracket that token i opens.
func (s *source) closing(i int) int {
	if i >= 0 && i < len(s.toks) && s.toks[i].match > i {
		return s.toks[s.toks[i].match].end
	}
	return s.end
}

// span gives the bytes of the scalar's text that node n was read from.
func (s *source) span(n ast.Node) (start, end int) {
	if n == nil {
		return s.start, s.end
	}
	if at, ok := s.spans[n]; ok {
		return at[0], at[1]
	}
	start, end = s.measure(n)
	if start < s.start || end > s.end || end < start {
		start, end = s.start, s.end
	}
	s.spans[n] = [2]int{start, end}
	return start, end
}

func (s *source) measure(n ast.Node) (start, end int) {
	loc := n.Location()
	at, to := s.byteAt(loc.From), s.byteAt(loc.To)
	switch n := n.(type) {
	case *ast.ChainNode:
		return s.span(n.Node)
	case *ast.MemberNode:
		start, _ = s.operand(n.Node)
		if tok := s.tokenAt(at); s.text(tok) == "[" {
			return start, s.closing(tok)
		}
		return start, to
	case *ast.SliceNode:
		start, _ = s.operand(n.Node)
		return start, s.closing(s.tokenAt(at))
	case *ast.CallNode:
		start, end = s.span(n.Callee)
		if i := s.tokenBehind(end); s.text(i) == "(" {
			end = s.closing(i)
		}
		return start, end
	case *ast.BuiltinNode:
		if i := s.tokenBehind(to); s.text(i) == "(" {
			to = s.closing(i)
		}
		return at, to
	case *ast.ArrayNode, *ast.MapNode:
		return at, s.closing(s.tokenAt(at))
	case *ast.UnaryNode:
		start, end = s.operand(n.Node)
		return min(at, start), end
	case *ast.BinaryNode:
		start, _ = s.operand(n.Left)
		_, end = s.operand(n.Right)
		return start, end
	case *ast.ConditionalNode:
		start, _ = s.operand(n.Cond)
		_, end = s.operand(n.Exp2)
		return start, end
	case *ast.PredicateNode:
		return s.span(n.Node)
	case *ast.PairNode:
		start, _ = s.span(n.Key)
		_, end = s.span(n.Value)
		return start, end
	}
	return at, to
}

// operand is span with the parentheses around the node.
func (s *source) operand(n ast.Node) (start, end int) {
	start, end = s.span(n)
	for {
		before, behind := s.tokenBefore(start), s.tokenBehind(end)
		if s.text(before) != "(" || behind < 0 || s.toks[before].match != behind {
			return start, end
		}
		start, end = s.toks[before].start, s.toks[behind].end
	}
}

// tokenBehind gives the first token at or behind byte off, or -1.
func (s *source) tokenBehind(off int) int {
	i := sort.Search(len(s.toks), func(i int) bool { return s.toks[i].start >= off })
	if i == len(s.toks) {
		return -1
	}
	return i
}

// tokenBefore gives the last token that ends at or before byte off, or -1.
func (s *source) tokenBefore(off int) int {
	return sort.Search(len(s.toks), func(i int) bool { return s.toks[i].end > off }) - 1
}

// wrapped tells whether node n stands in parentheses of its own.
func (s *source) wrapped(n ast.Node) bool {
	a, b := s.span(n)
	c, d := s.operand(n)
	return a != c || b != d
}

// words gives the source text of node n, for messages.
func (s *source) words(n ast.Node) string {
	if _, ok := n.(*ast.PointerNode); ok {
		return "the element"
	}
	return s.raw(n)
}

// raw gives the source text of node n on one line, to stand in a spelling that is proposed.
func (s *source) raw(n ast.Node) string {
	if _, ok := n.(*ast.PointerNode); ok {
		return "#"
	}
	start, end := s.span(n)
	return strings.Join(strings.Fields(s.node.Text[start:end]), " ")
}

// at gives the span of node n in its file.
func (s *source) at(n ast.Node) diag.Span {
	start, end := s.span(n)
	return s.node.SpanOf(start, end)
}
