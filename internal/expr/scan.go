package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Bounds on the source of one expression, so that no source can exhaust the parser's stack.
const (
	maxSource  = 8 << 10
	maxNesting = 64
)

// reader reports about one scalar: its problems stand at byte offsets of the scalar's text.
type reader struct {
	node  *yamldoc.Node
	diags *diag.List
}

// errorf adds an error at bytes [start, end) of the scalar's text.
func (r *reader) errorf(start, end int, rule, format string, args ...any) *diag.Diagnostic {
	return r.diags.Errorf(r.node.SpanOf(start, end), rule, format, args...)
}

// warnf adds a warning.
func (r *reader) warnf(start, end int, rule, format string, args ...any) *diag.Diagnostic {
	return r.diags.Warnf(r.node.SpanOf(start, end), rule, format, args...)
}

// The token kinds of the scan before parsing.
type tokenKind uint8

const (
	nameToken tokenKind = iota
	numberToken
	textToken
	opToken
)

// token is a piece of the source: bytes [start, end) of the scalar's text.
type token struct {
	kind       tokenKind
	start, end int
	match      int // opToken of a bracket: index of its counterpart, else -1
}

// scanned is the tokens of one expression.
type scanned struct {
	reader
	start, end int // the expression's bytes in the scalar's text
	toks       []token
	ok         bool
}

func (s *scanned) text(i int) string {
	if i < 0 || i >= len(s.toks) {
		return ""
	}
	return s.node.Text[s.toks[i].start:s.toks[i].end]
}

// scan splits the expression that begins at byte from: to the } that closes
// it when braced (closed tells whether it was found), else to the end of the text.
// It reports what the parser would swallow or misread.
func (r reader) scan(from int, braced bool) (s *scanned, closed bool) {
	s = &scanned{reader: r, start: from, ok: true}
	text := r.node.Text
	var open []int
	i := from
	for i < len(text) {
		c, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case braced && c == '}' && len(open) == 0:
			s.end = i
			return s, true
		case unicode.IsSpace(c):
			i += size
		case c == '"' || c == '\'' || c == '`':
			end, ok := textEnd(text, i)
			if !ok {
				s.fault(i, i+1, "syntax", "the text beginning here is not ended: %c is missing", c)
				s.end = len(text)
				return s, false
			}
			s.add(textToken, i, end)
			i = end
		case c >= '0' && c <= '9':
			i = s.number(i)
		case nameRune(c):
			end := i
			for end < len(text) {
				c, size := utf8.DecodeRuneInString(text[end:])
				if !nameRune(c) && !unicode.IsDigit(c) {
					break
				}
				end += size
			}
			s.add(nameToken, i, end)
			i = end
		default:
			end := i + opLen(text[i:], size)
			s.add(opToken, i, end)
			k := len(s.toks) - 1
			switch c {
			case '(', '[', '{':
				open = append(open, k)
				if len(open) == maxNesting+1 {
					s.fault(i, i+1, "bounds", "more than %d brackets stand inside each other", maxNesting)
				}
			case ')', ']', '}':
				if len(open) == 0 || !pairs(text[s.toks[open[len(open)-1]].start], byte(c)) {
					s.fault(i, i+1, "syntax", "%c closes nothing", c)
				} else {
					o := open[len(open)-1]
					open = open[:len(open)-1]
					s.toks[o].match, s.toks[k].match = k, o
				}
			case '/':
				if end-i == 2 {
					s.fault(i, end, "comment", "%s begins a comment; comments have no place in an expression", text[i:end]).
						Help = "text with // stands in quotes"
					// What follows is no expression; find the end on the same terms.
				}
			}
			i = end
		}
	}
	s.end = len(text)
	if len(open) > 0 && s.ok && !braced {
		o := s.toks[open[len(open)-1]]
		s.cutShort(s.fault(o.start, o.end, "syntax", "%s is not closed", text[o.start:o.end]))
	}
	return s, false
}

func (s *scanned) add(kind tokenKind, start, end int) {
	s.toks = append(s.toks, token{kind: kind, start: start, end: end, match: -1})
}

func (s *scanned) fault(start, end int, rule, format string, args ...any) *diag.Diagnostic {
	s.ok = false
	return s.errorf(start, end, rule, format, args...)
}

// number scans a number literal; only JSON's spelling is ours.
func (s *scanned) number(i int) int {
	text := s.node.Text
	end := i
	digits := func() bool {
		from := end
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		return end > from
	}
	digits()
	good := end == i+1 || text[i] != '0'
	if end+1 < len(text) && text[end] == '.' && text[end+1] >= '0' && text[end+1] <= '9' {
		end++
		digits()
	}
	if end < len(text) && (text[end] == 'e' || text[end] == 'E') {
		save := end
		end++
		if end < len(text) && (text[end] == '+' || text[end] == '-') {
			end++
		}
		if !digits() {
			end = save
		}
	}
	rest := end
	for rest < len(text) {
		c, size := utf8.DecodeRuneInString(text[rest:])
		if !nameRune(c) && !unicode.IsDigit(c) {
			break
		}
		rest += size
	}
	switch {
	case rest > end:
		s.fault(i, rest, "number", "%s is no number", text[i:rest]).Help = "numbers are written in decimal digits, names begin with a letter"
	case !good:
		s.fault(i, rest, "number", "a number does not begin with 0").Help = "as text it stands in quotes: \"" + text[i:rest] + "\""
	}
	s.add(numberToken, i, rest)
	return rest
}

// cutShort tells the author when YAML took the rest of the line for a comment.
func (r *reader) cutShort(d *diag.Diagnostic) {
	f := r.node.Span.File
	if !r.node.Plain || f == nil || r.node.Span.End > len(f.Text) || r.node.Span.End < 0 {
		return
	}
	rest := f.Text[r.node.Span.End:]
	if nl := strings.IndexByte(rest, '\n'); nl >= 0 {
		rest = rest[:nl]
	}
	if t := strings.TrimLeft(rest, " \t"); len(t) < len(rest) && strings.HasPrefix(t, "#") {
		d.Help = "YAML takes # behind a blank for a comment: put the whole value in quotes"
	}
}

// textEnd finds the byte behind the text literal beginning at i.
func textEnd(text string, i int) (int, bool) {
	quote := text[i]
	for k := i + 1; k < len(text); k++ {
		switch {
		case text[k] == quote && quote == '`' && k+1 < len(text) && text[k+1] == '`':
			k++
		case text[k] == quote:
			return k + 1, true
		case quote == '`':
		case text[k] == '\\':
			k++
		case text[k] == '\n':
			return 0, false
		}
	}
	return 0, false
}

func nameRune(c rune) bool { return c == '_' || c == '$' || unicode.IsLetter(c) }

func pairs(open, closing byte) bool {
	return open == '(' && closing == ')' || open == '[' && closing == ']' || open == '{' && closing == '}'
}

// opLen gives the length of the operator text begins with.
func opLen(text string, size int) int {
	if len(text) > 1 {
		switch text[:2] {
		case "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "..", "**", "::", "//", "/*", "##":
			return 2
		}
	}
	return size
}

// refusals are tokens of the grammar that are no part of this language, and what to write instead.
var refusals = map[string][2]string{
	";":  {"; has no place in an expression", "name values under let:"},
	"..": {"ranges are not part of this language", ""},
	"**": {"powers are not part of this language", "write x * x"},
	"^":  {"powers are not part of this language", "write x * x"},
	"|":  {"| is not part of this language", "write f(x), not x | f()"},
	"::": {":: is not part of this language", ""},
	"=":  {"= is not part of this language", "write == to compare"},
	"&":  {"& is not part of this language", "write and"},
	"##": {"## is not part of this language", "# is the element of the innermost list function"},
}

// traps reports tokens this language refuses, and spellings the grammar reads
// in another way than their author.
func (s *scanned) traps() {
	for i, t := range s.toks {
		word := s.text(i)
		behindDot := i > 0 && (s.text(i-1) == "." || s.text(i-1) == "?.")
		switch t.kind {
		case opToken:
			if r, bad := refusals[word]; bad {
				s.fault(t.start, t.end, "not-ours", "%s", r[0]).Help = r[1]
			}
			if word == "?" && s.text(i+1) == ":" {
				s.fault(t.start, s.toks[i+1].end, "not-ours", "?: is not part of this language").Help = "write a ?? b"
			}
			if word == "." && i+1 < len(s.toks) && s.toks[i+1].kind == numberToken && s.toks[i+1].start == t.end {
				s.fault(t.start, s.toks[i+1].end, "number", "a number begins with a digit").Help = "write 0." + s.text(i+1)
			}
			if word == "{" && s.text(i-1) == "," && s.mapInPredicate(i) {
				s.fault(t.start, t.end, "brace", "{ opens a block here, not an object").Help = "put the object in parentheses: ({…})"
			}
			if word == "#" && i+1 < len(s.toks) && s.toks[i+1].kind == nameToken && s.toks[i+1].start == t.end {
				s.fault(t.start, s.toks[i+1].end, "not-ours", "#%s is not part of this language", s.text(i+1)).
					Help = "# is the element, .field a field of it"
			}
		case nameToken:
			if behindDot {
				continue
			}
			switch word {
			case "let":
				s.fault(t.start, t.end, "not-ours", "let is not part of an expression").Help = "name values under let:"
			case "if", "else":
				if s.text(i+1) != ":" {
					s.fault(t.start, t.end, "not-ours", "%s is not part of this language", word).Help = "write condition ? a : b"
				}
			case "b", "B":
				if i+1 < len(s.toks) && s.toks[i+1].kind == textToken && s.toks[i+1].start == t.end {
					s.fault(t.start, s.toks[i+1].end, "not-ours", "byte texts are not part of this language").Help = "write the text without b"
				}
			}
		}
	}
}

// mapInPredicate tells whether the { at token i was meant as an object: a key
// follows, and the enclosing call is one that takes a predicate.
func (s *scanned) mapInPredicate(i int) bool {
	if i+2 >= len(s.toks) || s.toks[i+1].kind == opToken || s.text(i+2) != ":" {
		return false
	}
	for k := i - 1; k > 0; k-- {
		switch s.text(k) {
		case ")", "]", "}":
			if s.toks[k].match < 0 {
				return false
			}
			k = s.toks[k].match
		case "(":
			_, predicate := predicates[s.text(k-1)]
			return predicate && s.toks[k-1].kind == nameToken
		case "[", "{":
			return false
		}
	}
	return false
}
