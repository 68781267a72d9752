package jsonx

// Iter is a walk over a list or an object. It keeps positions, not pointers:
// documents parsed and lists built meanwhile do not disturb it.
type Iter struct {
	text           string // raw text of the container
	arena          *Arena
	cur            int    // the element at hand: an entry, an element of a built list, or where it begins in text; -1: none
	pos, end       int    // of what follows it, and of the end; both 0 while text is scanned
	behind         int    // scanning: where the element at hand ends
	keyPos, keyEnd int    // scanning an object: the key at hand
	base           uint32 // where the container's text begins in its document
	mode           uint8
	kind           Kind // of the container
	keyFlags       uint8
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
		return Iter{cur: -1}
	}
	switch {
	case v.flags&flagBuilt != 0:
		pos := int(v.at) + 1
		return Iter{arena: v.arena, mode: iterBuilt, kind: Array, cur: -1, pos: pos, end: pos + int(v.arena.lists[v.at].at)}
	case v.arena != nil:
		self := &v.arena.entries[v.at]
		return Iter{text: v.text, arena: v.arena, mode: iterEntries, kind: v.kind, cur: -1, pos: int(v.at) + 1, end: int(self.next), base: self.start}
	}
	return Iter{text: v.text, mode: iterScan, kind: v.kind, cur: -1, behind: 1}
}

// Next moves to the next element; false at the end.
func (it *Iter) Next() bool {
	if it.pos >= it.end {
		return it.scan()
	}
	it.cur = it.pos
	if it.mode == iterBuilt {
		it.pos++
		return true
	}
	it.pos = int(it.arena.entries[it.cur].behind(int32(it.cur)))
	return true
}

// scan goes on where there is no index; at the end of one it is at the end.
func (it *Iter) scan() bool {
	if it.mode == iterScan && it.read() {
		return true
	}
	it.mode, it.cur = iterDone, -1
	return false
}

// read reads the next element from the text itself.
func (it *Iter) read() bool {
	s := it.text
	i := skipSpace(s, it.behind)
	if i < len(s) && s[i] == ',' {
		i = skipSpace(s, i+1)
	}
	if i >= len(s) || s[i] == ']' || s[i] == '}' {
		return false
	}
	if it.kind == Object {
		if s[i] != '"' {
			return false
		}
		end, escaped := skipString(s, i+1)
		it.keyPos, it.keyEnd, it.keyFlags = i+1, end, flagSource
		if escaped {
			it.keyFlags = flagEscaped
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
	it.cur, it.behind = i, end
	return true
}

// Key gives the member's key as a text value (Absent in a list).
func (it *Iter) Key() Value {
	if it.kind != Object || it.cur < 0 {
		return Value{}
	}
	if it.mode == iterScan {
		return Value{text: it.text[it.keyPos:it.keyEnd], form: form{String, it.keyFlags}}
	}
	e := &it.arena.entries[it.cur]
	flag := flagSource
	if e.tag == 0 {
		flag = flagEscaped
	}
	return Value{text: it.text[e.key-it.base:][:e.keyLen], form: form{String, flag}}
}

// Is tells whether the member at hand has that key.
func (it *Iter) Is(key Key) bool {
	if it.mode != iterEntries || it.cur < 0 {
		return it.isScanned(key)
	}
	e := &it.arena.entries[it.cur]
	if it.kind != Object {
		return false
	}
	return e.tag == key.tag && it.text[e.key-it.base:][:e.keyLen] == key.text || e.tag == 0 && e.hasKey(it.text, it.base, key.text)
}

func (it *Iter) isScanned(key Key) bool {
	k := it.Key()
	return k.kind == String && sameText(k.text, k.flags&flagEscaped != 0, key.text, false)
}

// Kind gives the kind of the element, without making its value.
func (it *Iter) Kind() Kind {
	if it.mode == iterEntries && it.cur >= 0 {
		return it.arena.entries[it.cur].kind
	}
	return it.Value().kind
}

// Value gives the element.
func (it *Iter) Value() Value {
	switch {
	case it.cur < 0:
		return Value{}
	case it.mode == iterEntries:
		return it.arena.value(&it.arena.entries[it.cur], int32(it.cur), it.text, it.base)
	case it.mode == iterBuilt:
		return it.arena.lists[it.cur]
	}
	return rawSpan(it.text, it.cur, it.behind)
}
