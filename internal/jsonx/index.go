package jsonx

import (
	"strings"
	"unicode/utf8"
)

// entry is one value of a parsed document. It holds positions and no pointers:
// the collector skips it, and it keeps no document alive.
type entry struct {
	key, keyLen uint32 // the member's key, without quotes
	start, end  uint32 // the value; for a string without its quotes
	count       uint32 // elements or members
	next        int32  // the entry behind this value; while a container is open: its parent
	kind        Kind
	flags       uint8
}

// value gives entry e, which is the i-th, of the container whose raw text is text and begins at base.
func (a *Arena) value(e *entry, i int32, text string, base uint32) Value {
	v := Value{kind: e.kind, flags: e.flags &^ flagKeyEscaped}
	if e.kind == Null {
		return v
	}
	v.text = text[e.start-base : e.end-base]
	if e.kind >= Array {
		v.arena, v.at = a, i
	}
	return v
}

// index appends the entries of s, which is valid JSON, in preorder. It does
// not recurse; the parents of an open container are chained through next.
func (a *Arena) index(s string, strict bool) *SyntaxError {
	parent := int32(-1)
	i := skipSpace(s, 0)
	var e entry // carries the key to its value
	for {
		at := len(a.entries)
		e.start, e.count, e.next = uint32(i), 0, int32(at+1)
		switch c := s[i]; c {
		case '{', '[':
			e.kind = Array
			if c == '{' {
				e.kind = Object
			}
			i = skipSpace(s, i+1)
			if s[i] != '}' && s[i] != ']' {
				e.next = parent
				parent = int32(at)
				a.entries = append(a.entries, e)
				if c == '{' {
					e, i = key(s, i)
				} else {
					e = entry{}
				}
				continue
			}
			i++
			e.end = uint32(i)
		case '"':
			end, escaped := skipString(s, i+1)
			e.kind, e.start, e.end = String, uint32(i+1), uint32(end)
			if escaped {
				e.flags |= flagEscaped
			} else {
				e.flags |= flagSource
			}
			i = end + 1
		default:
			i = skipScalar(s, i)
			e.end = uint32(i)
			switch c {
			case 't', 'f':
				e.kind = Bool
			case 'n':
				e.kind = Null
			default:
				e.kind = Number
			}
		}
		a.entries = append(a.entries, e)
		for { // the value is complete: go on in its parent, or close that too
			if parent < 0 {
				return nil
			}
			p := &a.entries[parent]
			p.count++
			i = skipSpace(s, i)
			if s[i] == ',' {
				i = skipSpace(s, i+1)
				if p.kind == Object {
					e, i = key(s, i)
				} else {
					e = entry{}
				}
				break
			}
			i++
			up := p.next
			p.end, p.next = uint32(i), int32(len(a.entries))
			if strict && p.kind == Object && p.count > 1 {
				if twice := a.twice(s, parent); twice != nil {
					return twice
				}
			}
			parent = up
		}
	}
}

// key reads the key at i and gives an entry that holds it, and where its value begins.
func key(s string, i int) (entry, int) {
	end, escaped := skipString(s, i+1)
	e := entry{key: uint32(i + 1), keyLen: uint32(end - i - 1)}
	if escaped {
		e.flags = flagKeyEscaped
	}
	i = skipSpace(s, end+1)
	return e, skipSpace(s, i+1) // behind the colon
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
