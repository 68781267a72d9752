package jsonx

import (
	"strings"
	"unicode/utf8"
	"unsafe"
)

// entry is one value of a parsed document. It holds positions and no pointers:
// the collector skips it, and it keeps no document alive. Its size is a power
// of two, so that finding the i-th is a shift.
type entry struct {
	key, keyLen uint32 // the member's key, without quotes
	start, end  uint32 // the value; for a string without its quotes
	count       uint32 // elements or members
	next        int32  // the entry behind this value; while a container is open: its parent
	tag         uint32 // of the key, see Key; 0 when it holds escapes
	form
}

// value gives entry e, which is the i-th, of the container whose raw text is text and begins at base.
func (a *Arena) value(e *entry, i int32, text string, base uint32) Value {
	v := Value{form: form{e.kind, e.flags &^ flagKeyEscaped}}
	if e.kind == Null {
		return v
	}
	v.text = text[e.start-base : e.end-base]
	if e.kind >= Array {
		v.arena, v.at = a, i
	}
	return v
}

// index appends the entries of s in preorder. In the same pass it tells whether
// s is JSON in UTF-8, nested no deeper than may be: ok is false when it is not,
// or with strict holds a key twice, and nothing is appended. It does not
// recurse; the parents of an open container are chained through next.
func (a *Arena) index(s string, strict bool) (ok bool, twice *SyntaxError) {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	root := len(a.entries)
	es := a.entries
	parent, object, depth := int32(-1), false, 0
	var k entry // of a member, its key
	i := 0
	for {
		if object {
			if i = skipBlanks(b, i); i >= len(b) || b[i] != '"' {
				break
			}
			end, flags := endOfText(b, i+1)
			if end < 0 {
				break
			}
			k.key, k.keyLen = uint32(i+1), uint32(end-i-1)
			k.tag, k.flags = 0, flagKeyEscaped
			if flags == flagSource {
				k.tag, k.flags = tagOf(s[i+1:end]), 0
			}
			if i = end + 1; i < len(b) && b[i] <= ' ' {
				i = skipBlanks(b, i)
			}
			if i >= len(b) || b[i] != ':' {
				break
			}
			i++
		}
		if i < len(b) && b[i] <= ' ' {
			i = skipBlanks(b, i)
		}
		if i >= len(b) {
			break
		}
		at := len(es)
		if at < cap(es) {
			es = es[:at+1]
		} else {
			es = append(es, entry{})
		}
		e := &es[at]
		e.key, e.keyLen, e.tag = k.key, k.keyLen, k.tag
		e.start, e.count, e.next = uint32(i), 0, int32(at+1)
		switch c := b[i]; c {
		case '"':
			end, flags := endOfText(b, i+1)
			if end < 0 {
				goto refused
			}
			e.start, e.end = uint32(i+1), uint32(end)
			e.form = form{String, k.flags | flags}
			i = end + 1
		case '{', '[':
			if depth++; depth > maxDepth {
				goto refused
			}
			e.form = form{Array, k.flags}
			if c == '{' {
				e.kind = Object
			}
			if i = skipBlanks(b, i+1); i >= len(b) {
				goto refused
			}
			if b[i] != c+2 { // in ASCII each bracket stands two before the one that closes it
				e.next = parent
				parent, object = int32(at), c == '{'
				k = entry{}
				continue
			}
			depth--
			i++
			e.end = uint32(i)
		default:
			var kind Kind
			if i, kind = endOfScalar(b, i); i < 0 {
				goto refused
			}
			e.end = uint32(i)
			e.form = form{kind, k.flags}
		}
		for { // the value is complete: go on in its parent, or close that too
			if i < len(b) && b[i] <= ' ' {
				i = skipBlanks(b, i)
			}
			if parent < 0 {
				if i < len(b) {
					goto refused
				}
				a.entries = es
				return true, nil
			}
			if i >= len(b) {
				goto refused
			}
			p := &es[parent]
			p.count++
			c := b[i]
			i++
			if c == ',' {
				break
			}
			if object && c != '}' || !object && c != ']' {
				goto refused
			}
			up := p.next
			p.end, p.next = uint32(i), int32(len(es))
			if strict && object && p.count > 1 {
				a.entries = es
				if twice = a.twice(s, parent); twice != nil {
					goto refused
				}
			}
			depth--
			parent, object = up, up >= 0 && es[up].kind == Object
		}
		if !object {
			k = entry{}
		}
	}
refused:
	a.entries = es[:root] // what has grown is kept
	return false, twice
}

// twice looks for a key that the object at self holds twice.
func (a *Arena) twice(s string, self int32) *SyntaxError {
	es := a.entries
	p := &es[self]
	if p.count > smallObject {
		a.keys.start(int(p.count))
	}
	for i := self + 1; i < p.next; i = es[i].next {
		e := &es[i]
		name, escaped := s[e.key:e.key+e.keyLen], e.flags&flagKeyEscaped != 0
		known := false
		if p.count > smallObject {
			_, known = a.keys.add(name, escaped)
		} else {
			for j := self + 1; j < i && !known; j = es[j].next {
				o := &es[j]
				known = sameText(s[o.key:o.key+o.keyLen], o.flags&flagKeyEscaped != 0, name, escaped)
			}
		}
		if known {
			return &SyntaxError{Offset: int(e.key) - 1, Message: "a key stands twice in the same object", Key: keyName(name, escaped)}
		}
	}
	return nil
}

// keyName gives the decoded key on memory of its own, cut to a bounded length.
func keyName(name string, escaped bool) string {
	if escaped {
		name = string(appendUnescaped(nil, name))
	}
	if len(name) > maxKey {
		end := maxKey
		for end > 0 && !utf8.RuneStart(name[end]) {
			end--
		}
		name = name[:end]
	}
	return strings.Clone(name)
}
