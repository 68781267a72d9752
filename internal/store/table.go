package store

import "time"

// table is a bounded map in the order of use: what was used longest ago goes
// when it is full.
type table struct {
	limit int
	at    map[key]*entry
	root  entry // the ring's head: next is the newest, prev the oldest
}

// entry is one value with its end.
type entry struct {
	key        key
	value      []byte    // never changed, only replaced
	until      time.Time // zero: no end
	prev, next *entry
}

func (t *table) init(limit int) {
	t.limit = max(limit, 1)
	t.at = make(map[key]*entry)
	t.root.prev, t.root.next = &t.root, &t.root
}

// get gives an entry whose time is not over, and marks it used.
func (t *table) get(k key, now time.Time) *entry {
	e := t.at[k]
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

func (t *table) put(k key, value []byte, until time.Time) {
	e := t.at[k]
	switch {
	case e != nil:
		e.unlink()
	case len(t.at) >= t.limit: // the oldest makes room, and lends its place
		e = t.root.prev
		t.drop(e)
		*e = entry{}
		fallthrough
	default:
		if e == nil {
			e = new(entry)
		}
		e.key = k
		t.at[k] = e
	}
	e.value, e.until = value, until
	t.link(e)
}

func (t *table) drop(e *entry) {
	e.unlink()
	delete(t.at, e.key)
}

func (t *table) link(e *entry) {
	e.prev, e.next = &t.root, t.root.next
	e.prev.next, e.next.prev = e, e
}

func (e *entry) unlink() {
	e.prev.next, e.next.prev = e.next, e.prev
}
