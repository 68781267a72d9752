package jsonx

import "unsafe"

// Equal tells whether two values are the same: texts by decoded content, numbers by exact decimal value (1.10 equals 1.1), containers element by element, absent and null alike.
// Objects are the same whatever the order of their members; of several members with one key the first counts; a member that is missing is not one that is null.
func Equal(a, b Value) bool {
	if a.kind != b.kind {
		return a.kind <= Null && b.kind <= Null
	}
	switch a.kind {
	case Bool:
		return a.Bool() == b.Bool()
	case Number:
		return CompareNumbers(a.text, b.text) == 0
	case String:
		return sameText(a.text, a.flags&flagEscaped != 0, b.text, b.flags&flagEscaped != 0)
	case Array:
		if (a.flags|b.flags)&flagBuilt == 0 && a.text == b.text {
			return true
		}
		return equalLists(a, b)
	case Object:
		return a.text == b.text || equalObjects(a, b)
	}
	return true
}

func equalLists(a, b Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	x, y := a.Iter(), b.Iter()
	for x.Next() && y.Next() {
		if !Equal(x.Value(), y.Value()) {
			return false
		}
	}
	return true
}

// equalObjects compares each member once: a member of an object whose keys
// repeat must not be walked again for each repetition, or nesting would make
// the work exponential.
func equalObjects(a, b Value) bool {
	if a.Len() > smallObject || b.Len() > smallObject {
		return equalLarge(a, b)
	}
	for n, it := 0, a.Iter(); it.Next(); n++ {
		key := it.Key()
		if !firstOfKey(a, key, n) {
			continue
		}
		other := b.member(key)
		if other.kind == Absent || !Equal(it.Value(), other) {
			return false
		}
	}
	for it := b.Iter(); it.Next(); {
		if a.member(it.Key()).kind == Absent {
			return false
		}
	}
	return true
}

// firstOfKey tells whether none of the first n members of v has that key.
func firstOfKey(v Value, key Value, n int) bool {
	it := v.Iter()
	for ; n > 0 && it.Next(); n-- {
		if k := it.Key(); sameText(k.text, k.flags&flagEscaped != 0, key.text, key.flags&flagEscaped != 0) {
			return false
		}
	}
	return true
}

// table is an object's members by key.
type table struct {
	keys   keySet
	values []Value
}

// tables keeps a few for reuse. A sync.Pool would be emptied by the collector
// and make comparing allocate now and then.
var tables = make(chan *table, 16)

const keepTable = 1 << 18 // bytes of a table kept

func newTable(v Value) *table {
	var t *table
	select {
	case t = <-tables:
	default:
		t = new(table)
	}
	t.keys.start(v.Len())
	for it := v.Iter(); it.Next(); {
		k := it.Key()
		if _, known := t.keys.add(k.text, k.flags&flagEscaped != 0); !known {
			t.values = append(t.values, it.Value())
		}
	}
	return t
}

func (t *table) free() {
	clear(t.values)
	t.values = t.values[:0]
	t.keys.forget()
	if t.keys.size()+cap(t.values)*int(unsafe.Sizeof(Value{})) > keepTable {
		return
	}
	select {
	case tables <- t:
	default:
	}
}

func equalLarge(a, b Value) bool {
	x, y := newTable(a), newTable(b)
	defer x.free()
	defer y.free()
	if len(x.values) != len(y.values) {
		return false
	}
	for i, k := range x.keys.keys {
		_, _, j := y.keys.look(k.text, k.escaped)
		if j < 0 || !Equal(x.values[i], y.values[j]) {
			return false
		}
	}
	return true
}

// Compare orders two numbers by exact value or two texts by code point; ok is false for other pairs.
func Compare(a, b Value) (order int, ok bool) {
	switch {
	case a.kind == Number && b.kind == Number:
		return CompareNumbers(a.text, b.text), true
	case a.kind == String && b.kind == String:
		return compareText(a.text, a.flags&flagEscaped != 0, b.text, b.flags&flagEscaped != 0), true
	}
	return 0, false
}
