package jsonx

// Key is a member's name made ready to be looked for again and again.
type Key struct {
	text string
	tag  uint32
}

// NewKey gives the key for the decoded text name.
func NewKey(name string) Key { return Key{text: name, tag: tagOf(name)} }

// Text gives the name.
func (k Key) Text() string { return k.text }

// tagOf gives what keys are compared by first: two keys of different tags are
// different. It is never 0.
func tagOf(name string) uint32 {
	n := len(name)
	if n == 0 {
		return 1
	}
	return uint32(name[0])<<24 ^ uint32(name[n-1])<<16 ^ uint32(name[n>>1])<<8 ^ uint32(n)<<1 | 1
}

// Get gives the member key (decoded text) of an object; of several with the same key, the first; else Absent.
// The key is exact text: nothing in it is a path or a wildcard.
func (v Value) Get(key string) Value { return v.Member(NewKey(key)) }

// Member gives what Get does, by a key that was made ready.
func (v Value) Member(key Key) Value {
	if v.kind != Object {
		return Value{}
	}
	if v.arena == nil {
		return v.scan(key.text, false)
	}
	es := v.arena.entries
	self := &es[v.at]
	for i := v.at + 1; ; {
		if i = seek(es, i, self.next, key.tag); i < 0 {
			return Value{}
		}
		e := &es[i]
		if name := v.text[e.key-self.start:][:e.keyLen]; sameText(name, e.tag == 0, key.text, false) {
			return v.arena.value(e, i, v.text, self.start)
		}
		i = e.behind(i)
	}
}

// seek gives the first entry from i on that may have a key of that tag, or -1.
// It stands apart, and calls nothing, so that it runs in registers.
func seek(es []entry, i, end int32, tag uint32) int32 {
	for i < end {
		e := &es[i]
		if e.tag == tag || e.tag == 0 {
			return i
		}
		i = e.behind(i)
	}
	return -1
}

// behind gives the entry behind e, which is the i-th. It is a branch, which the
// processor foresees, so that a walk need not wait for each load of next.
func (e *entry) behind(i int32) int32 {
	if e.kind < Array {
		return i + 1
	}
	return e.next
}

// hasKey tells whether e, whose key holds escapes, is the member key of the object whose raw text is text and begins at base.
func (e *entry) hasKey(text string, base uint32, key string) bool {
	return sameText(text[e.key-base:][:e.keyLen], true, key, false)
}

// member gives the first member whose decoded key is key.
func (v Value) member(key Value) Value {
	if key.flags&flagEscaped != 0 {
		return v.scan(key.text, true)
	}
	return v.Get(key.text)
}

// scan gives the first member whose decoded key is key, looking at each.
func (v Value) scan(key string, escaped bool) Value {
	for it := v.Iter(); it.Next(); {
		if k := it.Key(); sameText(k.text, k.flags&flagEscaped != 0, key, escaped) {
			return it.Value()
		}
	}
	return Value{}
}
