package jsonx

import "math/bits"

// Shape tells which kinds of values are out of place where. It may hold itself.
type Shape struct {
	Wrong   Kinds
	Element *Shape // of a list's elements; nil: they are not looked at
	members []Member
	table   []uint32 // by tag, open addressing: 0 is free, else the member's number + 1
	shift   uint8    // what a hash is shifted by to be a place in table
}

// Member is the shape of one member of an object.
type Member struct {
	Key   Key
	Shape *Shape
}

// SetMembers sets the shapes of an object's members; others are not looked at.
func (s *Shape) SetMembers(members []Member) {
	width := bits.Len(uint(2 * len(members)))
	s.members, s.table, s.shift = members, make([]uint32, 1<<width), uint8(32-width)
	for i, m := range members {
		at := m.Key.place(s.shift)
		for s.table[at] != 0 {
			at = (at + 1) & uint32(len(s.table)-1)
		}
		s.table[at] = uint32(i + 1)
	}
}

// place spreads keys over a table.
func (k Key) place(shift uint8) uint32 { return k.tag * 0x9e3779b1 >> shift }

// of gives the shape of the member with that key; nil when it is not known.
func (s *Shape) of(e *entry, text string, base uint32) *Shape {
	name := text[e.key-base:][:e.keyLen]
	if e.tag == 0 {
		for i := range s.members {
			if sameText(name, true, s.members[i].Key.text, false) {
				return s.members[i].Shape
			}
		}
		return nil
	}
	for at := (Key{tag: e.tag}).place(s.shift); ; at++ {
		n := s.table[at&uint32(len(s.table)-1)]
		if n == 0 {
			return nil
		}
		if m := &s.members[n-1]; m.Key.tag == e.tag && m.Key.text == name {
			return m.Shape
		}
	}
}

// Kinds is a set of kinds.
type Kinds uint8

// KindsOf gives the set of some kinds.
func KindsOf(kinds ...Kind) Kinds {
	var set Kinds
	for _, k := range kinds {
		set |= 1 << k
	}
	return set
}

// Has tells whether k is in the set.
func (s Kinds) Has(k Kind) bool { return s>>k&1 != 0 }

// Suits tells whether nothing in v is out of place. Where there is no index it
// looks no further, and says no.
func (s *Shape) Suits(v Value) bool {
	switch {
	case s.Wrong.Has(v.kind):
		return false
	case v.kind < Array:
		return true
	case v.arena == nil || v.flags&flagBuilt != 0:
		return false
	}
	es := v.arena.entries
	self := &es[v.at]
	return s.suits(es, v.at, v.text, self.start)
}

// suits goes over the members of the container at; text is the raw text of one around it, which begins at base.
func (s *Shape) suits(es []entry, at int32, text string, base uint32) bool {
	self := &es[at]
	i, end := at+1, self.next
	if self.kind == Array {
		if s.Element == nil {
			return true
		}
		for i < end {
			if !s.Element.takes(es, i, text, base) {
				return false
			}
			i = es[i].behind(i)
		}
		return true
	}
	if len(s.members) == 0 {
		return true
	}
	for i < end {
		e := &es[i]
		if m := s.of(e, text, base); m != nil && !m.takes(es, i, text, base) {
			return false
		}
		i = e.behind(i)
	}
	return true
}

// takes tells whether the value at is in its place, and all in it.
func (s *Shape) takes(es []entry, at int32, text string, base uint32) bool {
	k := es[at].kind
	return !s.Wrong.Has(k) && (k < Array || s.suits(es, at, text, base))
}
