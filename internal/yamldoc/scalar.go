package yamldoc

import (
	"strings"
	"unicode/utf8"
)

const (
	ruleCutShort = "yaml-cut-short"
	helpQuote    = "quote the whole value"
)

// text collects the decoded bytes of a scalar and where each stands.
type text struct {
	b       []byte
	offsets []int32
}

// copyOf adds src[from:to] as it stands.
func (t *text) copyOf(src string, from, to int) {
	t.b = append(t.b, src[from:to]...)
	for i := from; i < to; i++ {
		t.offsets = append(t.offsets, int32(i)) //nolint:gosec // files are bounded by maxBytes
	}
}

// put adds s, all of which stands at off.
func (t *text) put(s string, off int) {
	t.b = append(t.b, s...)
	for range len(s) {
		t.offsets = append(t.offsets, int32(off)) //nolint:gosec // files are bounded by maxBytes
	}
}

// fold adds what line breaks mean inside a flow or plain scalar: one is a
// space, more are one less.
func (t *text) fold(breaks []int) {
	if len(breaks) == 1 {
		t.put(" ", breaks[0])
		return
	}
	for _, off := range breaks[1:] {
		t.put("\n", off)
	}
}

// key reads a key and stops at its colon; nil, with pos where it was, when the
// line has none here.
func (p *parser) key() *Node {
	if p.pos >= len(p.src) {
		return nil
	}
	start := p.pos
	switch c := p.src[start]; {
	case c == '"' || c == '\'':
		end := p.quoteEnd(start)
		if end < 0 {
			return nil
		}
		colon := end
		for colon < len(p.src) && p.src[colon] == ' ' {
			colon++
		}
		if colon >= len(p.src) || p.src[colon] != ':' || !p.blankAt(colon+1) {
			return nil
		}
		node := p.quoted()
		p.pos = colon
		return node
	case c == '?' && p.blankAt(start+1):
		p.fail(start, start+1, "yaml-key", `write "key: value"`, "keys that are lists or maps are not read")
	case c == ':' && p.blankAt(start+1):
		p.fail(start, start+1, ruleSyntax, "", "no key before the colon")
	case strings.IndexByte("[]{},#&*!|>%@`", c) >= 0:
		return nil
	}
	end, stop := p.plainEnd(start)
	if stop != ':' {
		return nil
	}
	p.pos = end
	for p.src[p.pos] != ':' {
		p.pos++ // blanks before the colon
	}
	return p.plainNode(start, end, true)
}

// plainEnd finds the end of the plain text at start within its line, blanks
// behind it left out, and what ended it: ':', '#' or 0 for the end of the line.
func (p *parser) plainEnd(start int) (end int, by byte) {
	i := start
	for ; !p.breakAt(i); i++ {
		switch p.src[i] {
		case ':':
			if p.blankAt(i + 1) {
				by = ':'
			}
		case '#':
			if i > start && (p.src[i-1] == ' ' || p.src[i-1] == '\t') {
				by = '#'
			}
		}
		if by != 0 {
			break
		}
	}
	for i > start && (p.src[i-1] == ' ' || p.src[i-1] == '\t') {
		i--
	}
	return i, by
}

// inline reads a value that begins here and is no block list or map; lines of
// it must stand further right than column n.
func (p *parser) inline(n int) *Node {
	start := p.pos
	switch c := p.src[start]; c {
	case '"', '\'':
		return p.quoted()
	case '|', '>':
		return p.blockScalar(n)
	case '[', '{':
		node := p.flow()
		p.inLine()
		if p.pos < len(p.src) && p.src[p.pos] == ':' {
			p.fail(start, p.pos, "yaml-key", helpQuote, "keys that are lists or maps are not read")
		}
		return node
	case '&', '*', '!':
		if p.property() && (c != '*') {
			p.inLine()
			if p.breakAt(p.pos) {
				return p.block(n, true)
			}
			if p.src[p.pos] != c {
				return p.inline(n)
			}
		}
		return p.plain(n)
	}
	p.plainStart(start)
	return p.plain(n)
}

// property reports the tag, anchor or alias here. It moves behind it when
// something it belongs to follows; else the word stays, to be read as text.
func (p *parser) property() bool {
	start := p.pos
	end := start
	for !p.blankAt(end) && (end == start || strings.IndexByte(",[]{}", p.src[end]) < 0) {
		end++
	}
	rule, what := "yaml-tag", "tags are not read"
	help := "quote the whole value when the ! belongs to it"
	switch p.src[start] {
	case '&':
		rule, what, help = "yaml-anchor", "anchors are not read", "quote the whole value when the & belongs to it"
	case '*':
		rule, what, help = "yaml-alias", "aliases are not read", "write the value out, or quote the whole value when the * belongs to it"
	}
	p.list.Errorf(p.span(start, end), rule, "%s", what).Help = help
	next := end
	for next < len(p.src) && p.src[next] == ' ' {
		next++
	}
	if p.src[start] == '*' || next < len(p.src) && strings.IndexByte("&*!,]}", p.src[next]) >= 0 {
		return false
	}
	if p.breakAt(next) && p.src[start] == '!' {
		// A tag with nothing behind it, as in "when: !done", is meant as text
		// unless a deeper block follows.
		save, line := p.pos, p.lineStart
		col := p.col()
		p.pos = end
		p.skip()
		deeper := p.pos < len(p.src) && p.col() > 0 && p.col() < col
		p.pos, p.lineStart = save, line
		if !deeper {
			return false
		}
	}
	p.pos = end
	return true
}

// plainStart refuses the characters no plain value begins with.
func (p *parser) plainStart(start int) {
	if strings.IndexByte("@`%,]}#", p.src[start]) >= 0 {
		p.fail(start, start+1, ruleSyntax, helpQuote, "a value cannot begin with %c", p.src[start])
	}
}

// plain reads a plain value of one or more lines.
func (p *parser) plain(n int) *Node {
	start := p.pos
	end, by := p.plainEnd(start)
	lineEnd := end
	var t *text
	for by == 0 {
		at, breaks := p.lineEnd(end), []int(nil)
		for at < len(p.src) && p.breakAt(at) {
			breaks = append(breaks, at)
			at = p.afterBreak(at)
			lineStart := at
			for at < len(p.src) && p.src[at] == ' ' {
				at++
			}
			if p.breakAt(at) {
				continue
			}
			if at-lineStart <= n || p.src[at] == '#' || at == lineStart && p.markerAt(at) != "" {
				at = len(p.src)
				break
			}
			if p.src[at] == '\t' {
				if rest := strings.TrimLeft(p.src[at:p.lineEnd(at)], " \t"); rest == "" {
					at = p.lineEnd(at)
					continue
				}
				p.pos, p.lineStart = at, lineStart
				p.inLine() // tells about the tab
			}
			p.lineStart = lineStart
			break
		}
		if at >= len(p.src) {
			break
		}
		if p.src[at] == '-' && p.blankAt(at+1) {
			p.fail(at, p.lineEnd(at), ruleSyntax, helpQuote+", or leave the text before the list out", "a list cannot follow text")
		}
		if t == nil {
			t = &text{}
			t.copyOf(p.src, start, end)
		}
		t.fold(breaks)
		end, by = p.plainEnd(at)
		t.copyOf(p.src, at, end)
		if by == ':' {
			if open := openBrace(string(t.b)); open >= 0 {
				p.fail(int(t.offsets[open]), end, ruleCutShort, helpQuote, "YAML ends this value at the colon, before ${ is closed")
			}
			p.fail(at, p.lineEnd(at), ruleSyntax, helpQuote, "a key cannot follow text")
		}
		lineEnd = end
	}
	p.pos = lineEnd
	node := p.plainNode(start, lineEnd, false)
	if t != nil {
		node.Kind, node.Text, node.offsets = Text, string(t.b), t.offsets
	}
	if by == '#' {
		if open := openBrace(node.Text); open >= 0 {
			p.list.Errorf(node.SpanOf(open, len(node.Text)), ruleCutShort,
				"YAML ends this value at the comment, before ${ is closed").Help = helpQuote
		}
	}
	if by == ':' && t == nil {
		p.fail(start, p.lineEnd(start), ruleSyntax, helpQuote, "a value that holds a colon and a blank")
	}
	return node
}

// plainNode makes the node of the plain text src[start:end].
func (p *parser) plainNode(start, end int, key bool) *Node {
	node := &Node{Span: p.span(start, end), Text: p.src[start:end], Plain: true}
	node.Kind = kindOf(node.Text)
	switch {
	case key:
	case node.Kind == Bool:
		// "True" and "TRUE" are true as well; the letters keep their places.
		node.Text = strings.ToLower(node.Text)
	case node.Kind == Number && !jsonNumber(node.Text):
		node.Kind = Text // told once, here
		d := p.list.Errorf(node.Span, "yaml-number", "YAML reads %s as a number that is written otherwise in JSON", shorten(node.Text))
		d.Help = "write it as a plain decimal number, or in quotes when it is text"
	}
	return node
}

// kindOf types a plain scalar by the core schema.
func kindOf(s string) Kind {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return Null
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return Bool
	case ".nan", ".NaN", ".NAN":
		return Number
	}
	if coreNumber(s) {
		return Number
	}
	return Text
}

// coreNumber tells whether the core schema takes s for a number.
func coreNumber(s string) bool {
	if len(s) > 2 && s[0] == '0' && (s[1] == 'o' || s[1] == 'x') {
		digits := "01234567"
		if s[1] == 'x' {
			digits = "0123456789abcdefABCDEF"
		}
		return strings.Trim(s[2:], digits) == ""
	}
	if s[0] == '-' || s[0] == '+' {
		s = s[1:]
	}
	switch s {
	case ".inf", ".Inf", ".INF":
		return true
	}
	whole, rest := digits(s)
	fraction := 0
	if strings.HasPrefix(rest, ".") {
		fraction, rest = digits(rest[1:])
	}
	if whole+fraction == 0 {
		return false
	}
	return rest == "" || exponent(rest)
}

func digits(s string) (n int, rest string) {
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n, s[n:]
}

func exponent(s string) bool {
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	n, rest := digits(s)
	return n > 0 && rest == ""
}

// jsonNumber tells whether s is a number as JSON writes them.
func jsonNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, rest := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	if strings.HasPrefix(rest, ".") {
		var fraction int
		if fraction, rest = digits(rest[1:]); fraction == 0 {
			return false
		}
	}
	return rest == "" || exponent(rest)
}

// openBrace gives where a ${ stands that is never closed, or -1.
func openBrace(s string) int {
	for i := 0; i+1 < len(s); i++ {
		if s[i] != '$' || s[i+1] != '{' {
			continue
		}
		if i > 0 && s[i-1] == '$' {
			continue // $${ is literal
		}
		end := closeBrace(s, i+2)
		if end < 0 {
			return i
		}
		i = end
	}
	return -1
}

// closeBrace gives where the } stands that closes an expression at i, or -1.
func closeBrace(s string, i int) int {
	depth := 1
	for ; i < len(s); i++ {
		switch c := s[i]; c {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		case '"', '\'', '`':
			for i++; i < len(s) && s[i] != c; i++ {
				if s[i] == '\\' && c != '`' {
					i++
				}
			}
		}
	}
	return -1
}

// width is the bytes of the character at i.
func width(s string, i int) int {
	_, n := utf8.DecodeRuneInString(s[i:])
	return n
}
