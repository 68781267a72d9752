package yamldoc

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// quoteEnd gives the offset behind the quoted text at start when it ends in
// the same line, else -1.
func (p *parser) quoteEnd(start int) int {
	q := p.src[start]
	for i := start + 1; !p.breakAt(i); i++ {
		switch {
		case p.src[i] == '\\' && q == '"':
			i++
		case p.src[i] == q && q == '\'' && i+1 < len(p.src) && p.src[i+1] == q:
			i++
		case p.src[i] == q:
			return i + 1
		}
	}
	return -1
}

// quoted reads the single or double quoted text here.
func (p *parser) quoted() *Node {
	start, q := p.pos, p.src[p.pos]
	t := &text{b: []byte{}, offsets: []int32{}}
	i := start + 1
	for {
		if i >= len(p.src) {
			p.fail(start, start+1, "yaml-quote", "", "the quote opened here is never closed")
		}
		switch c := p.src[i]; {
		case c == q && q == '\'' && i+1 < len(p.src) && p.src[i+1] == q:
			t.put("'", i)
			i += 2
		case c == q:
			p.pos = i + 1
			return &Node{Kind: Text, Span: p.span(start, i+1), Text: string(t.b), offsets: t.offsets, style: q}
		case c == '\\' && q == '"':
			if p.breakAt(i+1) && i+1 < len(p.src) {
				i = p.quotedBreak(t, start, i+1, true)
				continue
			}
			s, size, fault := unescape(p.src[i:])
			if fault != "" {
				p.fail(i, i+size, "yaml-escape", `write \\ for a backslash, or use single quotes`, "%s", fault)
			}
			t.put(s, i)
			i += size
		case p.breakAt(i):
			// Blanks before a break are no part of the text; escaped ones are.
			for n := len(t.b); n > 0; n = len(t.b) {
				if off := int(t.offsets[n-1]); off <= start || p.src[off] != ' ' && p.src[off] != '\t' {
					break
				}
				t.b, t.offsets = t.b[:n-1], t.offsets[:n-1]
			}
			i = p.quotedBreak(t, start, i, false)
		default:
			n := width(p.src, i)
			t.copyOf(p.src, i, i+n)
			i += n
		}
	}
}

// quotedBreak reads line breaks inside a quoted text, from the first at i, and
// gives where the text goes on. An escaped first break means nothing.
func (p *parser) quotedBreak(t *text, start, i int, escaped bool) int {
	var breaks []int
	for i < len(p.src) && p.breakAt(i) {
		breaks = append(breaks, i)
		i = p.afterBreak(i)
		p.lineStart = i
		if p.markerAt(i) != "" {
			p.fail(start, start+1, "yaml-quote", "", "the quote opened here is never closed")
		}
		for i < len(p.src) && (p.src[i] == ' ' || p.src[i] == '\t') {
			i++
		}
	}
	if escaped {
		for _, off := range breaks[1:] {
			t.put("\n", off)
		}
		return i
	}
	t.fold(breaks)
	return i
}

// escapes are the double-quoted escapes of one letter.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f",
	'r': "\r", 'e': "\x1b", ' ': " ", '"': `"`, '/': "/", '\\': `\`,
	'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

// unescape decodes the escape at the begin of s: what it means, how many bytes
// it takes, and what is wrong with it.
func unescape(s string) (decoded string, size int, fault string) {
	if len(s) < 2 {
		return "", len(s), "an escape that ends with the file"
	}
	if e, ok := escapes[s[1]]; ok {
		return e, 2, ""
	}
	n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	if n == 0 {
		return "", 1 + width(s, 1), "unknown escape " + strings.TrimRight(s[:1+width(s, 1)], "\r\n")
	}
	r, ok := hex(s, 2, n)
	if !ok {
		return "", 2, "an escape \\" + s[1:2] + " needs " + strconv.Itoa(n) + " hexadecimal digits"
	}
	size = 2 + n
	if utf16.IsSurrogate(r) {
		// JSON's way to write characters beyond U+FFFF.
		if low, ok := hex(s, size+2, 4); ok && s[1] == 'u' && s[size] == '\\' && s[size+1] == 'u' {
			if both := utf16.DecodeRune(r, low); both != '\uFFFD' {
				return string(both), size + 6, ""
			}
		}
		return "", size, "half a character"
	}
	if r > 0x10FFFF {
		return "", size, "no such character"
	}
	return string(r), size, ""
}

// hex reads the n hexadecimal digits at s[i:].
func hex(s string, i, n int) (rune, bool) {
	if i+n > len(s) {
		return 0, false
	}
	v, err := strconv.ParseUint(s[i:i+n], 16, 32)
	if err != nil || v > 0x7fffffff {
		return 0, false
	}
	return rune(v), true
}
