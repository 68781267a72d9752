package yamldoc

import "strings"

// blockScalar reads the literal or folded text whose | or > stands here; its
// lines stand further right than column n.
func (p *parser) blockScalar(n int) *Node {
	start := p.pos
	style := p.src[start]
	indent, chomp := p.blockHeader(n)
	b := &blockReader{p: p, t: &text{b: []byte{}, offsets: []int32{}}, indent: indent, folded: style == '>', chomp: chomp}
	if indent < 0 {
		b.indent = p.detectIndent(n)
	}
	end := b.read(p.pos)
	return &Node{Kind: Text, Span: p.span(start, max(end, start+1)), Text: string(b.t.b), offsets: b.t.offsets, style: style}
}

// blockHeader reads the indicators behind | or > and moves to the next line.
// The indentation is -1 when the first line says it.
func (p *parser) blockHeader(n int) (indent int, chomp byte) {
	indent = -1
	start := p.pos
	p.pos++
	for range 2 {
		if p.pos >= len(p.src) {
			break
		}
		switch c := p.src[p.pos]; {
		case (c == '+' || c == '-') && chomp == 0:
			chomp = c
			p.pos++
		case c >= '1' && c <= '9' && indent < 0:
			indent = max(n, 0) + int(c-'0')
			p.pos++
		}
	}
	header := p.pos
	p.inLine()
	if !p.breakAt(p.pos) || header == p.pos && !p.breakAt(header) {
		p.fail(start, p.lineEnd(start), ruleSyntax,
			"begin the text on the next line, or quote it when the "+p.src[start:start+1]+" belongs to it",
			"text beside %s", p.src[start:header])
	}
	p.pos = p.lineEnd(p.pos)
	if p.pos < len(p.src) {
		p.pos = p.afterBreak(p.pos)
		p.lineStart = p.pos
	}
	return indent, chomp
}

// detectIndent gives the indentation of the first line with text.
func (p *parser) detectIndent(n int) int {
	widest, at := 0, 0
	for i := p.pos; i < len(p.src); i = p.afterBreak(i) {
		line := i
		for i < len(p.src) && p.src[i] == ' ' {
			i++
		}
		if !p.breakAt(i) {
			if i-line <= n {
				break
			}
			if widest > i-line {
				p.fail(at, at+widest, "yaml-indent", "remove the spaces of this line", "an empty line stands deeper than the text below it")
			}
			return i - line
		}
		if i-line > widest {
			widest, at = i-line, line
		}
	}
	return max(n+1, widest)
}

type blockReader struct {
	p      *parser
	t      *text
	indent int
	folded bool
	chomp  byte
}

// read reads the lines from i on and gives where the last one with text ends.
func (b *blockReader) read(i int) (end int) {
	p := b.p
	var brk []int      // the break behind the last line with text
	var trailing []int // those of the empty lines after it
	wasBlank := false
	end = p.pos - 1
	for i < len(p.src) {
		line := i
		for i < len(p.src) && i-line < b.indent && p.src[i] == ' ' {
			i++
		}
		if p.breakAt(i) {
			if i >= len(p.src) {
				break
			}
			trailing = append(trailing, i)
			i = p.afterBreak(i)
			continue
		}
		if i-line < b.indent || line == i && p.markerAt(i) != "" {
			i = line
			break
		}
		blank := p.src[i] == ' ' || p.src[i] == '\t'
		switch {
		case b.folded && len(brk) > 0 && !wasBlank && !blank && len(trailing) == 0:
			b.t.put(" ", brk[0])
		case b.folded && len(brk) > 0 && !wasBlank && !blank:
		default:
			b.breaks(brk)
		}
		b.breaks(trailing)
		trailing, wasBlank = nil, blank
		end = p.lineEnd(i)
		b.t.copyOf(p.src, i, end)
		i = end
		brk = nil
		if i < len(p.src) {
			brk = []int{i}
			i = p.afterBreak(i)
		}
	}
	if b.chomp != '-' {
		b.breaks(brk)
	}
	if b.chomp == '+' {
		b.breaks(trailing)
	}
	p.pos = i
	p.lineStart = strings.LastIndexByte(p.src[:i], '\n') + 1
	return end
}

func (b *blockReader) breaks(at []int) {
	for _, off := range at {
		b.t.put("\n", off)
	}
}
