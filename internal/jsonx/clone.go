package jsonx

import "strings"

// Clone gives the value on memory of its own (for caches, goroutines, stores).
// It keeps its index, and may be read by many at once.
func (v Value) Clone() Value {
	switch {
	case v.kind < Array:
		v.text = strings.Clone(v.text)
		return v
	case v.arena == nil:
		return indexed(strings.Clone(v.text), v)
	}
	return v.into(new(Arena))
}

// indexed gives raw text, which v spelled, with an index of its own if it can have one.
func indexed(raw string, v Value) Value {
	if root, err := new(Arena).Parse(raw, false); err == nil {
		return root
	}
	v.text = raw // deeper than a parsed document may be: it stays without
	return v
}

// into copies v and all it points to into a.
func (v Value) into(a *Arena) Value {
	switch {
	case v.kind < Array:
		v.text = strings.Clone(v.text)
	case v.flags&flagBuilt != 0:
		m := a.Mark()
		for it := v.Iter(); it.Next(); {
			a.Push(it.Value().into(a))
		}
		return a.List(m)
	case v.arena == nil:
		return indexed(strings.Clone(v.text), v)
	default:
		// Positions in the text are read relative to the container, so only the links between entries move.
		from, to := int(v.at), int(v.arena.entries[v.at].next)
		at := len(a.entries)
		a.entries = append(a.entries, v.arena.entries[from:to]...)
		for i := at; i < len(a.entries); i++ {
			a.entries[i].next += int32(at - from)
		}
		v.text, v.arena, v.at = strings.Clone(v.text), a, int32(at)
	}
	return v
}
