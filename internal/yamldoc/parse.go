package yamldoc

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emenda-gateway/emenda/internal/diag"
)

// The bounds of what is read.
const (
	maxBytes = 4 << 20
	maxDepth = 100
)

// ruleSyntax is the rule of everything that ends reading.
const ruleSyntax = "yaml-syntax"

// Parse reads the one YAML document of file f. The node is nil when the file
// cannot be read at all. Of what cannot be read the first is told, of the rest
// (duplicate keys, tags, anchors …) everything. An empty document is Null.
func Parse(f *diag.File) (root *Node, list diag.List) {
	p := &parser{f: f, src: f.Text}
	if len(p.src) > maxBytes {
		p.list.Errorf(p.span(0, 0), "yaml-size", "the file is larger than 4 MB")
		return nil, p.list
	}
	if !p.clean() {
		return nil, p.list
	}
	defer func() {
		switch r := recover(); r.(type) {
		case nil:
		case stop:
			root, list = nil, p.list
		default:
			// A fault of this reader must not end a gateway that reloads. The
			// fuzz test refuses this message.
			p.list.Errorf(p.span(min(p.pos, len(p.src)), p.pos+1), "yaml-reader", "this cannot be read")
			root, list = nil, p.list
		}
	}()
	root = p.document()
	return root, p.list
}

// stop ends reading; what is wrong stands in the list already.
type stop struct{}

type parser struct {
	f         *diag.File
	src       string
	pos       int
	lineStart int // offset of the line pos is in
	depth     int
	open      []int // where the brackets around pos open
	list      diag.List
}

func (p *parser) span(start, end int) diag.Span {
	return diag.Span{File: p.f, Start: start, End: max(start, min(end, len(p.src)))}
}

// fail records an error and ends reading.
func (p *parser) fail(start, end int, rule, help, format string, args ...any) {
	if at, r := p.oddBlank(start); r != 0 && (rule == ruleSyntax || rule == "yaml-indent") {
		p.list.Errorf(p.span(at, at+utf8.RuneLen(r)), "yaml-indent", "%s (%U) cannot indent", blankWords(r), r).Help = "use spaces"
		panic(stop{})
	}
	if r, _ := utf8.DecodeRuneInString(p.src[min(start, len(p.src)):]); help == helpQuote && strings.ContainsRune("\u201c\u201d\u201e\u2018\u2019", r) {
		help = string(r) + ` is no quote of YAML: write " or '`
	}
	p.list.Errorf(p.span(start, end), rule, format, args...).Help = help
	panic(stop{})
}

// oddBlank finds a blank other than space and tab in the indentation of the
// line at pos; without one it gives -1.
func (p *parser) oddBlank(pos int) (int, rune) {
	i := strings.LastIndexByte(p.src[:min(pos, len(p.src))], '\n') + 1
	for i < len(p.src) && (p.src[i] == ' ' || p.src[i] == '\t') {
		i++
	}
	if r, _ := utf8.DecodeRuneInString(p.src[i:]); odd(r) {
		return i, r
	}
	return -1, 0
}

// odd tells whether r looks like a space and is none.
func odd(r rune) bool { return r > 0x7f && (unicode.Is(unicode.Zs, r) || r == 0x200b || r == 0xfeff) }

func blankWords(r rune) string {
	if r == 0xa0 {
		return "a no-break space"
	}
	return "a blank that is no space"
}

// clean refuses what may stand nowhere in a file.
func (p *parser) clean() bool {
	for i := 0; i < len(p.src); {
		c := p.src[i]
		if c >= 0x20 && c < 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(p.src[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			p.list.Errorf(p.span(i, i+1), "yaml-utf8", "this byte is not UTF-8").Help = "save the file as UTF-8"
			return false
		case r == '\r' && strings.HasPrefix(p.src[i:], "\r\n"):
		case r == '\r':
			p.list.Errorf(p.span(i, i+1), "yaml-control", "a carriage return without a line feed").Help = "end lines with LF or CRLF"
			return false
		case r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff:
			p.list.Errorf(p.span(i, i+size), "yaml-control", "control character %U", r).Help = `write it as an escape in a "quoted" value`
			return false
		}
		i += size
	}
	return true
}

// document reads the whole file.
func (p *parser) document() *Node {
	if strings.HasPrefix(p.src, "\uFEFF") {
		p.pos = len("\uFEFF")
		p.lineStart = p.pos
	}
	p.skip()
	if p.pos < len(p.src) && p.src[p.pos] == '%' && p.col() == 0 {
		p.fail(p.pos, p.lineEnd(p.pos), "yaml-directive", "leave the line out", "directives are not read")
	}
	if p.marker() == "---" {
		p.pos += 3
		p.skip()
	}
	root := p.block(-1, false)
	p.skip()
	if p.marker() == "..." {
		p.pos += 3
		p.skip()
	}
	if p.pos < len(p.src) {
		if p.marker() != "" {
			p.fail(p.pos, p.pos+3, "yaml-documents", "put the second one into its own file", "a file holds one document")
		}
		p.leftover(root)
	}
	return root
}

// leftover tells what stands after a value that is complete.
func (p *parser) leftover(before *Node) {
	end := p.lineEnd(p.pos)
	switch {
	case before.Kind == Map && p.col() > 0 || before.Kind == List && p.col() > 0:
		p.fail(p.pos, end, "yaml-indent", "", "this line's indentation fits none of the lines above")
	case before.Kind == Map && strings.HasPrefix(p.src[p.pos:], "- "):
		p.fail(p.pos, end, ruleSyntax, "", "a list item cannot stand beside keys")
	case before.Kind == List:
		p.fail(p.pos, end, ruleSyntax, "", "a key cannot stand beside list items")
	}
	p.fail(p.pos, end, ruleSyntax, "", "unexpected text after the value")
}

// marker gives "---" or "..." when one stands here.
func (p *parser) marker() string {
	if p.col() == 0 {
		return p.markerAt(p.pos)
	}
	return ""
}

// markerAt gives "---" or "..." when one stands at i, the begin of a line.
func (p *parser) markerAt(i int) string {
	if len(p.src)-i < 3 {
		return ""
	}
	if m := p.src[i : i+3]; (m == "---" || m == "...") && p.blankAt(i+3) {
		return m
	}
	return ""
}

// col gives how far pos stands in its line.
func (p *parser) col() int { return p.pos - p.lineStart }

// blankAt tells whether a blank, a line break or the end is at i.
func (p *parser) blankAt(i int) bool {
	return i >= len(p.src) || p.src[i] == ' ' || p.src[i] == '\t' || p.breakAt(i)
}

// breakAt tells whether a line break or the end is at i.
func (p *parser) breakAt(i int) bool {
	return i >= len(p.src) || p.src[i] == '\n' || p.src[i] == '\r'
}

// lineEnd gives the end of the line i is in, before its line break.
func (p *parser) lineEnd(i int) int {
	for !p.breakAt(i) {
		i++
	}
	return i
}

// afterBreak gives where the line after the break at i begins.
func (p *parser) afterBreak(i int) int {
	if strings.HasPrefix(p.src[i:], "\r\n") {
		return i + 2
	}
	return min(i+1, len(p.src))
}

// skip moves over blanks, comments and line breaks to the next token.
func (p *parser) skip() {
	for p.inLine(); p.pos < len(p.src) && p.breakAt(p.pos); p.inLine() {
		p.pos = p.afterBreak(p.pos)
		p.lineStart = p.pos
	}
}

// inLine moves over the blanks and the comment up to a token or the line's end.
func (p *parser) inLine() {
	start := p.pos
	tab := -1
	for p.pos < len(p.src) && (p.src[p.pos] == ' ' || p.src[p.pos] == '\t') {
		if p.src[p.pos] == '\t' && tab < 0 {
			tab = p.pos
		}
		p.pos++
	}
	if p.pos < len(p.src) && p.src[p.pos] == '#' && (p.pos > start || p.pos == p.lineStart || p.pos == 3 && p.lineStart == 3) {
		p.pos = p.lineEnd(p.pos)
	}
	if tab >= 0 && !p.breakAt(p.pos) {
		p.fail(tab, tab+1, "yaml-tab", "use spaces", "a tab cannot separate or indent")
	}
}

// enter counts one more level of nesting, and bounds it.
func (p *parser) enter(at int) {
	p.depth++
	if p.depth > maxDepth {
		p.fail(at, at+1, "yaml-depth", "", "nested deeper than %d levels", maxDepth)
	}
}

// block reads the value that begins at the next token, which must stand
// further right than column n; a list may stand at n itself when inMap. Nothing
// there gives Null.
func (p *parser) block(n int, inMap bool) *Node {
	at := p.pos
	p.skip()
	col := p.col()
	dash := p.dash()
	if p.pos >= len(p.src) || p.marker() != "" || col < n || col == n && (!inMap || !dash) {
		return &Node{Kind: Null, Span: p.span(at, at), Plain: true}
	}
	if dash {
		return p.blockList(col)
	}
	if node := p.blockMap(col); node != nil {
		return node
	}
	return p.inline(n)
}

// dash tells whether a list item's dash stands here.
func (p *parser) dash() bool {
	return p.pos < len(p.src) && p.src[p.pos] == '-' && p.blankAt(p.pos+1)
}

// blockList reads the items whose dashes stand in column col.
func (p *parser) blockList(col int) *Node {
	p.enter(p.pos)
	defer func() { p.depth-- }()
	node := &Node{Kind: List, Span: p.span(p.pos, p.pos)}
	for {
		p.pos++
		item := p.block(col, false)
		node.Items = append(node.Items, item)
		node.Span.End = item.Span.End
		p.endOfValue(item)
		if p.pos >= len(p.src) || p.col() < col || p.marker() != "" {
			return node
		}
		if p.col() > col {
			p.fail(p.pos, p.lineEnd(p.pos), "yaml-indent", "", "this line's indentation fits none of the lines above")
		}
		if !p.dash() {
			return node // the map around a list at its own column goes on, or leftover tells
		}
	}
}

// blockMap reads the entries whose keys stand in column col; nil when no key
// stands here.
func (p *parser) blockMap(col int) *Node {
	key := p.key()
	if key == nil {
		return nil
	}
	p.enter(p.pos)
	defer func() { p.depth-- }()
	node := &Node{Kind: Map, Span: p.span(key.Span.Start, key.Span.End)}
	var seen keys
	for {
		if at, _ := p.oddBlank(key.Span.Start); key.Plain && at == key.Span.Start {
			p.fail(at, at, ruleSyntax, "", "")
		}
		seen.add(p, node, key)
		colon := p.pos
		p.pos++ // the colon
		value := p.entryValue(col, key)
		node.Entries = append(node.Entries, Entry{Key: key, Value: value})
		node.Span.End = max(value.Span.End, colon+1)
		p.endOfValue(value)
		if p.pos >= len(p.src) || p.col() < col || p.marker() != "" {
			return node
		}
		if p.col() > col {
			p.indentFault(key, value)
		}
		if p.dash() {
			return node
		}
		start := p.pos
		if key = p.key(); key == nil {
			p.noKey(start)
		}
	}
}

// indentFault tells about a line that stands deeper than its value allows.
func (p *parser) indentFault(key, value *Node) {
	if value.Kind != Map && value.Kind != List && value.Kind != Null {
		p.fail(p.pos, p.lineEnd(p.pos), "yaml-indent",
			"", "this line stands deeper than %q, whose value is complete", shorten(key.Text))
	}
	p.fail(p.pos, p.lineEnd(p.pos), "yaml-indent", "", "this line's indentation fits none of the lines above")
}

// noKey tells about a line of a map that has no key.
func (p *parser) noKey(start int) {
	end := p.lineEnd(start)
	help := `a line here is "key: value"`
	line := p.src[start:end]
	if i := strings.IndexByte(line, ':'); i > 0 && i+1 < len(line) {
		help = "a blank must follow the colon"
		if r, _ := utf8.DecodeRuneInString(line[i+1:]); odd(r) {
			help = fmt.Sprintf("a plain space must follow the colon, not %U", r)
		}
	}
	p.fail(start, end, ruleSyntax, help, "this line has no key")
}

// entryValue reads what follows a key's colon.
func (p *parser) entryValue(col int, key *Node) *Node {
	at := p.pos
	p.inLine()
	if p.breakAt(p.pos) {
		v := p.block(col, true)
		if v.Kind == Null && v.Span.Start == v.Span.End {
			v.Span = p.span(at, at)
		}
		return v
	}
	if p.dash() {
		p.fail(p.pos, p.pos+1, ruleSyntax, "begin the list on the next line", "a list cannot begin beside its key")
	}
	start := p.pos
	if inner := p.key(); inner != nil {
		p.colonInValue(key, inner, start)
	}
	return p.inline(col)
}

// colonInValue tells about a second ": " in the line of an entry.
func (p *parser) colonInValue(key, inner *Node, start int) {
	if open := openBrace(inner.Text); open >= 0 && inner.Plain {
		p.fail(inner.Span.Start+open, p.pos+1, ruleCutShort, helpQuote, "YAML ends this value at the colon, before ${ is closed")
	}
	p.fail(start, p.lineEnd(start), ruleSyntax, helpQuote+", or begin a map on the next line",
		"%q has a value that holds another colon and blank", shorten(key.Text))
}

// endOfValue moves to the next token and refuses one in the same line.
func (p *parser) endOfValue(v *Node) {
	if p.pos > p.lineStart && !p.atLineStart() {
		p.inLine()
		if !p.breakAt(p.pos) {
			p.textAfter(v)
		}
	}
	p.skip()
}

// atLineStart tells whether only spaces stand before pos in its line.
func (p *parser) atLineStart() bool {
	return strings.Trim(p.src[p.lineStart:p.pos], " ") == ""
}

// textAfter tells about text that stands behind a complete value.
func (p *parser) textAfter(v *Node) {
	end := p.lineEnd(p.pos)
	switch {
	case v.style == '"' || v.style == '\'':
		other := `'`
		if v.style == '\'' {
			other = `"`
		}
		p.fail(p.pos, end, ruleCutShort, p.quoteHelp(v, "quote the whole value with "+other+"…"+other), "YAML ends this value at its closing quote")
	case v.Kind == List || v.Kind == Map:
		p.fail(p.pos, end, ruleCutShort, helpQuote, "YAML ends this value at its closing bracket")
	}
	p.fail(p.pos, end, ruleSyntax, helpQuote, "unexpected text after the value")
}

// quoteHelp is help, or where the value's quote opens when it was meant to close long before.
func (p *parser) quoteHelp(v *Node, help string) string {
	opens, _ := p.f.Position(v.Span.Start)
	if here, _ := p.f.Position(p.pos); opens != here {
		return fmt.Sprintf("its quote opens in line %d: is the one that closes it missing there?", opens)
	}
	return help
}

// keys finds repeated keys of one map.
type keys struct{ set map[string]*Node }

func (k *keys) add(p *parser, in *Node, key *Node) {
	var first *Node
	if k.set == nil && len(in.Entries) < 16 {
		first = in.KeyOf(key.Text)
	} else {
		if k.set == nil {
			k.set = make(map[string]*Node, 64)
			for _, e := range in.Entries {
				k.set[e.Key.Text] = e.Key
			}
		}
		first = k.set[key.Text]
		if first == nil {
			k.set[key.Text] = key
		}
	}
	if first != nil {
		line, _ := p.f.Position(first.Span.Start)
		p.list.Errorf(key.Span, "duplicate-key", "key %q is already given in line %d", shorten(key.Text), line)
	}
	if key.Plain && key.Text == "<<" {
		p.list.Errorf(key.Span, "yaml-merge", "merge keys are not read").Help = "write the keys out"
	}
}

// shorten bounds a text for a message.
func shorten(s string) string {
	if utf8.RuneCountInString(s) <= 60 {
		return s
	}
	return string([]rune(s)[:59]) + "…"
}
