package store

import (
	"bytes"
	"time"
)

// room bounds the bytes of a table's values, whatever their number.
const room = 64 << 20

// table is a bounded map in the order of use: what was used longest ago goes
// when it is full.
type table struct {
	limit int
	bytes int // of the values
	at    map[string]*entry
	root  entry // the ring's head: next is the newest, prev the oldest
}

// entry is one value with its end.
type entry struct {
	key        string
	value      []byte    // never changed, only replaced
	until      time.Time // zero: no end
	prev, next *entry
}

func (t *table) init(limit int) {
	t.limit = max(limit, 1)
	t.at = make(map[string]*entry)
	t.root.prev, t.root.next = &t.root, &t.root
}

// get gives an entry whose time is not over, and marks it used.
func (t *table) get(k []byte, now time.Time) *entry {
	e := t.at[string(k)]
	if e == nil {
		return nil
	}
	if !e.until.IsZero() && !now.Before(e.until) {
		t.drop(e)
		return nil
	}
	e.unlink()
	t.link(e)
	return e
}

// put keeps a value, of one that is lent a copy; those used longest ago make
// room, and the last of them lends its place.
func (t *table) put(k, value []byte, until time.Time, lent bool) {
	e := t.at[string(k)]
	switch {
	case e == nil:
		for len(t.at) > 0 && (len(t.at) >= t.limit || t.bytes+cap(value) > room) {
			e = t.root.prev
			t.drop(e)
		}
		if e == nil {
			e = new(entry)
		}
		e.key = string(k)
		t.at[e.key] = e
	case lent && bytes.Equal(e.value, value): // who asks again is answered the same
		e.unlink()
		e.until = until
		t.link(e)
		return
	default:
		e.unlink()
		t.bytes -= cap(e.value)
		for t.root.prev != &t.root && t.bytes+cap(value) > room {
			t.drop(t.root.prev)
		}
	}
	if lent {
		value = append(make([]byte, 0, len(value)), value...)
	}
	e.value, e.until = value, until
	t.bytes += cap(value)
	t.link(e)
}

func (t *table) drop(e *entry) {
	e.unlink()
	delete(t.at, e.key)
	t.bytes -= cap(e.value)
}

func (t *table) link(e *entry) {
	e.prev, e.next = &t.root, t.root.next
	e.prev.next, e.next.prev = e, e
}

func (e *entry) unlink() {
	e.prev.next, e.next.prev = e.next, e.prev
}
