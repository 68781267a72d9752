package jsonx

// Iter is a walk over a list or an object. It keeps positions, not pointers:
// documents parsed and lists built meanwhile do not disturb it.
type Iter struct {
	key, val Value
	text     string // raw text of the container
	arena    *Arena
	pos, end int    // entries, elements of a built list, or bytes of text
	base     uint32 // where the container's text begins in its document
	mode     uint8
	width    int // of the element scanned last, which ends at pos
}

const (
	iterDone uint8 = iota
	iterEntries
	iterBuilt
	iterScan
)

// Iter walks elements or members, without allocating. Other kinds have none.
func (v Value) Iter() Iter {
	if v.kind < Array {
		return Iter{}
	}
	it := Iter{text: v.text, arena: v.arena}
	if v.kind == Object {
		it.key.kind = String
	}
	switch {
	case v.flags&flagBuilt != 0:
		it.mode = iterBuilt
		it.pos = int(v.at) + 1
		it.end = it.pos + int(v.arena.lists[v.at].at)
	case v.arena != nil:
		self := &v.arena.entries[v.at]
		it.mode = iterEntries
		it.pos, it.end, it.base = int(v.at)+1, int(self.next), self.start
	default:
		it.mode = iterScan
		it.pos, it.end = 1, len(v.text)
	}
	return it
}

// Next moves to the next element; false at the end.
func (it *Iter) Next() bool {
	switch it.mode {
	case iterEntries:
		if it.pos < it.end {
			e := &it.arena.entries[it.pos]
			if it.key.kind == String {
				from := e.key - it.base
				it.key.text = it.text[from : from+e.keyLen]
				it.key.flags = flagSource
				if e.flags&flagKeyEscaped != 0 {
					it.key.flags = flagEscaped
				}
			}
			it.val = it.arena.value(e, int32(it.pos), it.text, it.base)
			it.pos = int(e.next)
			return true
		}
	case iterBuilt:
		if it.pos < it.end {
			it.val = it.arena.lists[it.pos]
			it.pos++
			return true
		}
	case iterScan:
		if it.scan() {
			return true
		}
	}
	*it = Iter{}
	return false
}

// scan reads the next element from the text itself.
func (it *Iter) scan() bool {
	s := it.text
	i := skipSpace(s, it.pos)
	if i < len(s) && s[i] == ',' {
		i = skipSpace(s, i+1)
	}
	if i >= len(s) || s[i] == ']' || s[i] == '}' {
		return false
	}
	if it.key.kind == String {
		if s[i] != '"' {
			return false
		}
		end, escaped := skipString(s, i+1)
		it.key.text, it.key.flags = s[i+1:end], flagSource
		if escaped {
			it.key.flags = flagEscaped
		}
		if i = skipSpace(s, end+1); i >= len(s) || s[i] != ':' {
			return false
		}
		if i = skipSpace(s, i+1); i >= len(s) {
			return false
		}
	}
	end := skipValue(s, i)
	if end <= i {
		return false
	}
	it.val = rawSpan(s, i, end)
	it.pos, it.width = end, end-i
	return true
}

// Key gives the member's key as a text value (Absent in a list).
func (it *Iter) Key() Value { return it.key }

// Value gives the element.
func (it *Iter) Value() Value { return it.val }
