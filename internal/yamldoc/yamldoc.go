// Package yamldoc reads YAML files into nodes that know where they stand, and
// checks them against a table of keys (Shape): duplicate and unknown keys,
// tags, anchors and merge keys are errors, scalars keep their source digits.
//
// Parse reads YAML 1.2 less what surprises: one document, block and flow
// style, every kind of scalar; no tags, anchors, aliases, merge keys, complex
// keys, directives. It is written by hand because every message needs the
// place of single bytes of a scalar, which the libraries lose inside block and
// quoted scalars.
package yamldoc

import (
	"unicode/utf8"

	"github.com/emenda-gateway/emenda/internal/diag"
)

// Kind is what a node is.
type Kind uint8

// The node kinds. Plain scalars are typed by YAML 1.2's core schema; quoted and block scalars are Text.
const (
	Null Kind = iota
	Bool
	Number // Text holds the digits as written: always a JSON number
	Text
	List
	Map
)

// String names the kind as messages do.
func (k Kind) String() string {
	switch k {
	case Null:
		return "nothing"
	case Bool:
		return "true or false"
	case Number:
		return "a number"
	case Text:
		return "text"
	case List:
		return "a list"
	default:
		return "a map"
	}
}

// Node is one YAML value and where it stands.
type Node struct {
	Kind    Kind
	Span    diag.Span // the whole value in its file
	Text    string    // scalars: the decoded text, or the source digits of a number
	Plain   bool      // a scalar written without quotes or block indicator
	Items   []*Node   // List
	Entries []Entry   // Map, in order
	offsets []int32   // per byte of Text: its offset in the file; nil when Text stands verbatim at Span.Start
	style   byte      // '"', '\'', '|', '>', 0 for plain: how to find where a byte's source ends
}

// Entry is one key and its value.
type Entry struct {
	Key   *Node // always a scalar; Key.Text is the key
	Value *Node
}

// SpanOf gives where bytes [start, end) of the scalar's Text stand in the file,
// also inside quoted and block scalars.
func (n *Node) SpanOf(start, end int) diag.Span {
	start = min(max(start, 0), len(n.Text))
	end = min(max(end, start), len(n.Text))
	from := n.sourceStart(start)
	if end == start {
		return diag.Span{File: n.Span.File, Start: from, End: from}
	}
	return diag.Span{File: n.Span.File, Start: from, End: max(from, n.sourceEnd(end-1))}
}

// sourceStart gives where byte i of Text begins in the file.
func (n *Node) sourceStart(i int) int {
	switch {
	case n.offsets == nil:
		return min(n.Span.Start+i, n.Span.End)
	case i < len(n.offsets):
		return int(n.offsets[i])
	case len(n.offsets) > 0:
		return n.sourceEnd(len(n.offsets) - 1)
	case n.style == '"' || n.style == '\'':
		return n.Span.Start + 1
	default:
		return n.Span.Start
	}
}

// sourceEnd gives where byte i of Text ends in the file.
func (n *Node) sourceEnd(i int) int {
	if n.offsets == nil {
		return min(n.Span.Start+i+1, n.Span.End)
	}
	src, off := n.Span.File.Text, int(n.offsets[i])
	switch {
	case n.style == '"' && src[off] == '\\':
		_, size, _ := unescape(src[off:])
		return off + size
	case n.style == '\'' && src[off] == '\'':
		return off + 2
	case src[off] == '\r' && off+1 < len(src) && src[off+1] == '\n':
		return off + 2
	}
	return off + 1
}

// Get gives the value under key, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Entries {
		if n.Entries[i].Key.Text == key {
			return n.Entries[i].Value
		}
	}
	return nil
}

// KeyOf gives the key node of key, or nil.
func (n *Node) KeyOf(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Entries {
		if n.Entries[i].Key.Text == key {
			return n.Entries[i].Key
		}
	}
	return nil
}

// WithText gives a copy of scalar n whose Text is text[start:end] of it, with
// the same places: for the part of a scalar that another reader reads.
func (n *Node) WithText(start, end int) *Node {
	start = min(max(start, 0), len(n.Text))
	end = min(max(end, start), len(n.Text))
	part := *n
	part.Span = n.SpanOf(start, end)
	part.Text = n.Text[start:end]
	if n.offsets != nil {
		part.offsets = n.offsets[start:end:end]
	}
	return &part
}

// FirstLine gives the span of n cut to its first line: what to point at when
// the whole of a map or list is meant.
func (n *Node) FirstLine() diag.Span {
	s := n.Span
	if s.File == nil {
		return s
	}
	for i := s.Start; i < s.End; {
		r, size := utf8.DecodeRuneInString(s.File.Text[i:])
		if r == '\n' || r == '\r' {
			s.End = i
			break
		}
		i += size
	}
	return s
}
