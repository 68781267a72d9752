package jsonx

import (
	"hash/maphash"
	"math/bits"
	"unsafe"
)

// smallObject is the number of members up to which keys are compared one by
// one; beyond it a table is used, so that no received object costs the square
// of its size.
const smallObject = 16

// The seed is secret and of this process: keys cannot be chosen to collide.
var seed = maphash.MakeSeed()

// keySet numbers keys in the order they come, the same text (decoded) once.
type keySet struct {
	slots []int32 // open addressing: 0 is free, else number+1
	keys  []keyRef
	buf   []byte
}

type keyRef struct {
	text    string
	hash    uint64
	escaped bool
}

// start empties the set and makes room for n keys.
func (s *keySet) start(n int) {
	size := 1 << bits.Len(uint(2*n))
	if cap(s.slots) < size {
		s.slots = make([]int32, size)
	}
	s.slots = s.slots[:size]
	clear(s.slots)
	s.forget()
}

// add gives the number of the key, and whether it was known before.
func (s *keySet) add(text string, escaped bool) (number int, known bool) {
	slot, hash, number := s.look(text, escaped)
	if number >= 0 {
		return number, true
	}
	s.keys = append(s.keys, keyRef{text: text, hash: hash, escaped: escaped})
	s.slots[slot] = int32(len(s.keys))
	return len(s.keys) - 1, false
}

// look gives the key's slot and hash, and its number, or -1.
func (s *keySet) look(text string, escaped bool) (slot int, hash uint64, number int) {
	if escaped {
		s.buf = appendUnescaped(s.buf[:0], text)
		hash = maphash.Bytes(seed, s.buf)
	} else {
		hash = maphash.String(seed, text)
	}
	mask := len(s.slots) - 1
	slot = int(hash) & mask
	for s.slots[slot] != 0 {
		k := &s.keys[s.slots[slot]-1]
		if k.hash == hash && sameText(k.text, k.escaped, text, escaped) {
			return slot, hash, int(s.slots[slot] - 1)
		}
		slot = (slot + 1) & mask
	}
	return slot, hash, -1
}

// size is the storage held, in bytes.
func (s *keySet) size() int {
	return cap(s.slots)*4 + cap(s.keys)*int(unsafe.Sizeof(keyRef{})) + cap(s.buf)
}

// forget lets go of the texts.
func (s *keySet) forget() {
	clear(s.keys)
	s.keys = s.keys[:0]
}
