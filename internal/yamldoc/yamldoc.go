// Package yamldoc reads YAML files into nodes that know where they stand, and
// checks them against a table of keys (Shape): duplicate and unknown keys,
// tags, anchors and merge keys are errors, scalars keep their source digits.
package yamldoc

import "github.com/emenda-gateway/emenda/internal/diag"

// Kind is what a node is.
type Kind uint8

// The node kinds. Plain scalars are typed by YAML 1.2's core schema; quoted and block scalars are Text.
const (
	Null Kind = iota
	Bool
	Number // Text holds the digits as written
	Text
	List
	Map
)

// Node is one YAML value and where it stands.
type Node struct {
	Kind    Kind
	Span    diag.Span // the whole value in its file
	Text    string    // scalars: the decoded text, or the source digits of a number
	Plain   bool      // a scalar written without quotes or block indicator
	Items   []*Node   // List
	Entries []Entry   // Map, in order
	offsets []int32   //nolint:unused // per byte of Text: its offset in the file; nil when Text stands verbatim at Span.Start
}

// Entry is one key and its value.
type Entry struct {
	Key   *Node // always a scalar; Key.Text is the key
	Value *Node
}

// Parse reads the one YAML document of file f. The node is nil when the file
// cannot be read at all.
func Parse(f *diag.File) (*Node, diag.List) { panic("not built") }

// SpanOf gives where bytes [start, end) of the scalar's Text stand in the file,
// also inside quoted and block scalars.
func (n *Node) SpanOf(start, end int) diag.Span { panic("not built") }

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
