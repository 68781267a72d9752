package yamldoc

import (
	"fmt"
	"strings"
)

const flowEnds = ",[]{}"

// flow reads the [list] or {map} that begins here.
func (p *parser) flow() *Node {
	start := p.pos
	p.enter(start)
	p.open = append(p.open, start)
	defer func() { p.depth--; p.open = p.open[:len(p.open)-1] }()
	node := &Node{Kind: List}
	closer := byte(']')
	if p.src[start] == '{' {
		node.Kind, closer = Map, '}'
	}
	p.pos++
	var seen keys
	for p.flowNext(start); p.src[p.pos] != closer; p.flowNext(start) {
		if node.Kind == List {
			node.Items = append(node.Items, p.flowValue())
		} else {
			key := p.flowKey(node)
			seen.add(p, node, key)
			node.Entries = append(node.Entries, Entry{Key: key, Value: p.flowEntry(start)})
		}
		p.flowNext(start)
		switch c := p.src[p.pos]; {
		case c == ',':
			p.pos++
		case c == closer:
		case c == ':' && node.Kind == List:
			p.fail(p.pos, p.pos+1, ruleSyntax, "write { key: value }, or quote the whole value", "a key cannot stand in a list")
		default:
			p.flowCut(node)
		}
	}
	p.pos++
	node.Span = p.span(start, p.pos)
	return node
}

// flowCut tells about text behind an element of a flow list or map.
func (p *parser) flowCut(in *Node) {
	var last *Node
	if in.Kind == List {
		last = in.Items[len(in.Items)-1]
	} else {
		last = in.Entries[len(in.Entries)-1].Value
	}
	at := p.pos
	if last.Plain && last.Kind != Null {
		p.fail(last.Span.Start, at+1, ruleCutShort, helpQuote, "YAML ends this value at the %c", p.src[at])
	}
	if last.style != 0 {
		p.fail(at, p.lineEnd(at), ruleCutShort, p.quoteHelp(last, helpQuote), "YAML ends this value at its closing quote")
	}
	p.fail(at, at+width(p.src, at), ruleSyntax, "", "expected a comma or the closing bracket")
}

// flowNext moves to the next token inside the bracket opened at start.
func (p *parser) flowNext(start int) {
	p.skip()
	if p.pos >= len(p.src) || p.marker() != "" {
		p.fail(start, start+1, "yaml-bracket", "", "the %c opened here is never closed", p.src[start])
	}
}

// flowKey reads a key of map in.
func (p *parser) flowKey(in *Node) *Node {
	start := p.pos
	var key *Node
	switch c := p.src[start]; {
	case c == '"' || c == '\'':
		if p.quoteEnd(start) < 0 {
			p.fail(start, start+1, "yaml-key", "", "a key must end in the line it begins in")
		}
		key = p.quoted()
	case c == '[' || c == '{' || c == '?' && p.blankAt(start+1):
		help := ""
		if c == '{' && start > 0 && p.src[start-1] == '{' {
			help = "in place of {{…}} write ${…}, in quotes"
		}
		p.fail(start, start+1, "yaml-key", help, "keys that are lists or maps are not read")
	case c == ',' || c == ':' && p.flowColon(start):
		p.fail(start, start+1, ruleSyntax, "", "expected a key")
	case c == '&' || c == '*' || c == '!':
		p.property()
		fallthrough
	default:
		p.inLine()
		start = p.pos
		if p.breakAt(start) || strings.IndexByte(flowEnds, p.src[start]) >= 0 {
			p.fail(start, start+1, ruleSyntax, "", "expected a key")
		}
		if strings.IndexByte("&*!", p.src[start]) < 0 {
			p.flowStart(start)
		}
		end := p.flowEnd(start)
		key = p.plainNode(start, end, true)
		p.pos = end
	}
	p.inLine()
	if p.pos >= len(p.src) || p.src[p.pos] != ':' {
		p.flowNoColon(in, key)
	}
	return key
}

// flowNoColon tells about a key that has no value, which mostly is the rest of
// the value before it.
func (p *parser) flowNoColon(in, key *Node) {
	if n := len(in.Entries); n > 0 {
		last := in.Entries[n-1].Value
		if last.Plain && !balanced(last.Text) {
			p.fail(last.Span.Start, key.Span.End, ruleCutShort, helpQuote, "YAML ends this value at the comma")
		}
	}
	if p.pos < len(p.src) && key.Plain && (p.src[p.pos] == '{' || p.src[p.pos] == '[') {
		p.fail(key.Span.Start, p.pos+1, ruleCutShort, "quote the whole text", "YAML ends this key at the %c", p.src[p.pos])
	}
	p.fail(key.Span.Start, key.Span.End, ruleSyntax, `an element of { } is "key: value"`, "key %q has no value", shorten(key.Text))
}

// balanced tells whether every bracket of s that opens closes.
func balanced(s string) bool {
	return strings.Count(s, "(") == strings.Count(s, ")") && strings.Count(s, `"`)%2 == 0
}

// flowEntry reads the colon and the value behind it.
func (p *parser) flowEntry(start int) *Node {
	colon := p.pos
	p.pos++
	p.flowNext(start)
	if c := p.src[p.pos]; c == ',' || c == '}' {
		return &Node{Kind: Null, Span: p.span(colon+1, colon+1), Plain: true}
	}
	return p.flowValue()
}

// flowValue reads an element or value.
func (p *parser) flowValue() *Node {
	start := p.pos
	switch c := p.src[start]; c {
	case '"', '\'':
		return p.quoted()
	case '[', '{':
		return p.flow()
	case '&', '*', '!':
		if p.property() {
			p.flowNext(start)
			if strings.IndexByte("&*!", p.src[p.pos]) < 0 {
				return p.flowValue()
			}
		}
	case ',':
		p.fail(start, start+1, ruleSyntax, "", "a value is missing before the comma")
	default:
		p.flowStart(start)
	}
	return p.flowPlain()
}

// flowStart refuses the characters no plain text in brackets begins with.
func (p *parser) flowStart(start int) {
	c := p.src[start]
	if strings.IndexByte("@`%|>]}#", c) >= 0 || (c == '-' || c == '?' || c == ':') && p.flowColon(start) {
		p.fail(start, start+1, ruleSyntax, helpQuote, "a value in brackets cannot begin with %c", c)
	}
}

// flowColon tells whether the character at i stands before a blank or a
// bracket's punctuation.
func (p *parser) flowColon(i int) bool {
	return p.blankAt(i+1) || strings.IndexByte(flowEnds, p.src[i+1]) >= 0
}

// flowEnd gives where plain text in brackets ends within its line.
func (p *parser) flowEnd(start int) int {
	i := start
	for ; !p.breakAt(i); i++ {
		c := p.src[i]
		if strings.IndexByte(flowEnds, c) >= 0 || c == ':' && p.flowColon(i) ||
			c == '#' && i > start && (p.src[i-1] == ' ' || p.src[i-1] == '\t') {
			break
		}
	}
	for i > start && (p.src[i-1] == ' ' || p.src[i-1] == '\t') {
		i--
	}
	return i
}

// flowPlain reads plain text in brackets, of one or more lines.
func (p *parser) flowPlain() *Node {
	start := p.pos
	end := p.flowEnd(start)
	var t *text
	for {
		at := end
		for at < len(p.src) && (p.src[at] == ' ' || p.src[at] == '\t') {
			at++
		}
		if at >= len(p.src) || !p.breakAt(at) {
			break
		}
		var breaks []int
		lineStart := p.lineStart
		for at < len(p.src) && p.breakAt(at) {
			breaks = append(breaks, at)
			at = p.afterBreak(at)
			lineStart = at
			for at < len(p.src) && p.src[at] == ' ' {
				at++
			}
		}
		if at >= len(p.src) || strings.IndexByte("#,[]{}\t", p.src[at]) >= 0 ||
			p.src[at] == ':' && p.flowColon(at) || p.markerAt(lineStart) != "" {
			break
		}
		if t == nil {
			t = &text{}
			t.copyOf(p.src, start, end)
		}
		t.fold(breaks)
		end = p.flowEnd(at)
		t.copyOf(p.src, at, end)
		p.lineStart = lineStart
	}
	p.pos = end
	node := p.plainNode(start, end, false)
	if t != nil {
		node.Kind, node.Text, node.offsets = Text, string(t.b), t.offsets
	}
	p.inLine()
	if p.pos < len(p.src) && (p.src[p.pos] == '{' || p.src[p.pos] == '[' || p.src[p.pos] == ':') {
		if t != nil && p.src[p.pos] == ':' {
			p.nextKey(start)
		}
		p.fail(start, p.pos+1, ruleCutShort, helpQuote, "YAML ends this value at the %c", p.src[p.pos])
	}
	return node
}

// nextKey tells about a key in a line below the value that begins at start: the
// end of the brackets or of the value is missing.
func (p *parser) nextKey(start int) {
	open := p.open[len(p.open)-1]
	if p.indentOf(p.pos) > p.indentOf(open) {
		p.fail(start, p.pos+1, ruleCutShort, "is a comma missing at the end of the line?", "YAML ends this value at the :")
	}
	p.fail(open, open+1, "yaml-bracket", fmt.Sprintf("is a %c missing at the end of the line?", p.src[open]+2),
		"the %c opened here is not closed before the next key", p.src[open])
}

// indentOf counts the spaces the line at pos begins with.
func (p *parser) indentOf(pos int) int {
	line := p.src[strings.LastIndexByte(p.src[:pos], '\n')+1:]
	return len(line) - len(strings.TrimLeft(line, " "))
}
