package foreign

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// kind is what a node is.
type kind uint8

const (
	isNull kind = iota
	isBool
	isNumber
	isText
	isList
	isMap
)

// node is a value of the document that is read or written. Anchors, merge keys
// and tags are gone.
type node struct {
	kind    kind
	text    string // of scalars
	items   []*node
	entries []*entry
	line    int      // in the source; 0: made here
	notes   []string // comments at the head of a map
}

// entry is a key and its value.
type entry struct {
	key   string
	value *node
	line  int
	notes []string // comments above it
}

// maxNodes bounds what anchors can multiply a document to.
const maxNodes = 2_000_000

var errGrows = fmt.Errorf("its anchors multiply it beyond %d values", maxNodes)

// read gives the nodes of a YAML or JSON text.
func read(data []byte) (*node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return nil, errors.New("it is empty")
	}
	r := reader{}
	n := r.node(doc.Content[0])
	return n, r.err
}

type reader struct {
	count int
	open  []*yaml.Node // aliases being followed
	err   error
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func (r *reader) node(y *yaml.Node) *node {
	if r.count++; r.count > maxNodes {
		r.err = errGrows
	}
	n := &node{line: y.Line}
	if r.err != nil {
		return n
	}
	switch y.Kind {
	case yaml.AliasNode:
		if slices.Contains(r.open, y.Alias) {
			r.err = fmt.Errorf("line %d: an anchor holds itself", y.Line)
			return n
		}
		r.open = append(r.open, y.Alias)
		n = r.node(y.Alias)
		r.open = r.open[:len(r.open)-1]
	case yaml.SequenceNode:
		n.kind = isList
		for _, c := range y.Content {
			n.items = append(n.items, r.node(c))
		}
	case yaml.MappingNode:
		n.kind = isMap
		var merged []*node
		for i := 0; i+1 < len(y.Content); i += 2 {
			k, v := y.Content[i], r.node(y.Content[i+1])
			if k.Tag == "!!merge" {
				merged = append(merged, v)
				merged = append(merged, v.items...)
				continue
			}
			if n.get(k.Value) == nil {
				n.entries = append(n.entries, &entry{key: k.Value, value: v, line: k.Line})
			}
		}
		for _, m := range merged {
			for _, e := range m.entries {
				if n.get(e.key) == nil {
					n.entries = append(n.entries, e)
				}
			}
		}
	default:
		n.kind, n.text = scalar(y)
	}
	return n
}

// scalar tells what a scalar is, and gives it as JSON spells it.
func scalar(y *yaml.Node) (kind, string) {
	switch y.ShortTag() {
	case "!!null":
		return isNull, ""
	case "!!bool":
		return isBool, strings.ToLower(y.Value)
	case "!!int", "!!float":
		if jsonNumber.MatchString(y.Value) {
			return isNumber, y.Value
		}
		var i int64
		if y.Decode(&i) == nil {
			return isNumber, strconv.FormatInt(i, 10)
		}
		var f float64
		if y.Decode(&f) == nil {
			if s := strconv.FormatFloat(f, 'g', -1, 64); jsonNumber.MatchString(s) {
				return isNumber, s
			}
		}
	}
	return isText, y.Value
}

func text(s string) *node   { return &node{kind: isText, text: s} }
func truth(b bool) *node    { return &node{kind: isBool, text: strconv.FormatBool(b)} }
func number(s string) *node { return &node{kind: isNumber, text: s} }

// find gives the entry of a key; nil for none.
func (n *node) find(key string) *entry {
	if n == nil {
		return nil
	}
	for _, e := range n.entries {
		if e.key == key {
			return e
		}
	}
	return nil
}

// get gives the value of a key; nil for none.
func (n *node) get(key string) *node {
	if e := n.find(key); e != nil {
		return e.value
	}
	return nil
}

// word gives the text of a key's value; "" when it is none.
func (n *node) word(key string) string {
	if v := n.get(key); v != nil && v.kind == isText {
		return v.text
	}
	return ""
}

// yes tells whether a key's value is true.
func (n *node) yes(key string) bool {
	v := n.get(key)
	return v != nil && v.kind == isBool && v.text == "true"
}

// is tells whether n is there and of a kind.
func (n *node) is(k kind) bool { return n != nil && n.kind == k }

// set puts a value under a key, in its place or at the end.
func (n *node) set(key string, v *node) *entry {
	e := n.find(key)
	if e == nil {
		e = &entry{key: key}
		n.entries = append(n.entries, e)
	}
	e.value = v
	return e
}

// drop removes a key.
func (n *node) drop(key string) {
	n.entries = slices.DeleteFunc(slices.Clone(n.entries), func(e *entry) bool { return e.key == key }) // others may share them
}

// without gives a copy of a map without some keys.
func (n *node) without(keys ...string) *node {
	c := *n
	c.entries = slices.DeleteFunc(slices.Clone(n.entries), func(e *entry) bool { return slices.Contains(keys, e.key) })
	return &c
}

// same tells whether two values are equal.
func same(a, b *node) bool {
	if a == nil || b == nil || a.kind != b.kind || a.text != b.text || len(a.items) != len(b.items) || len(a.entries) != len(b.entries) {
		return a == b
	}
	for i := range a.items {
		if !same(a.items[i], b.items[i]) {
			return false
		}
	}
	for _, e := range a.entries {
		if !same(e.value, b.get(e.key)) {
			return false
		}
	}
	return true
}

// newMap makes a map of keys and values in turn.
func newMap(line int, pairs ...any) *node {
	n := &node{kind: isMap, line: line}
	for i := 0; i < len(pairs); i += 2 {
		n.set(pairs[i].(string), pairs[i+1].(*node))
	}
	return n
}
