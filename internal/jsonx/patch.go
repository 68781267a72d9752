package jsonx

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/tidwall/sjson"
)

// Set gives a copy of document doc with the value at path (gjson/sjson path syntax, as the mapping's `set:` spells it) set to raw JSON.
//
// doc and raw must be valid JSON; an empty doc is an empty object. What is
// missing on the way is made: an object, or a list where path has a number
// (missing elements before it are null); a scalar on the way is replaced. "#"
// sets in every element of a list that is there, and makes none. A key that
// stands twice on the way is made unique: the first stays, so that no later
// reader can see another value than the one set.
func Set(doc []byte, path string, raw []byte) ([]byte, error) {
	parts, err := splitPath(path)
	if err != nil {
		return nil, err
	}
	w := walker{doc: view(doc), sets: true}
	w.visit(0, parts)
	if doc, err = setParts(w.without(doc), parts, raw); err != nil {
		return nil, fmt.Errorf("path %q: %w", path, err)
	}
	return doc, nil
}

// setParts leaves everything but "#" to sjson.
func setParts(doc []byte, parts []part, raw []byte) ([]byte, error) {
	for i, p := range parts {
		if p.all {
			return setAll(doc, parts[:i], parts[i+1:], raw)
		}
	}
	return sjson.SetRawBytes(doc, sjsonPath(parts), raw)
}

// setAll sets at rest in every element of the list at before.
func setAll(doc []byte, before, rest []part, raw []byte) ([]byte, error) {
	list := RawValue(view(doc))
	for _, p := range before {
		if list.kind == Array && p.index >= 0 {
			list = list.At(p.index)
		} else {
			list = list.Get(p.name)
		}
	}
	if list.kind != Array {
		return doc, nil
	}
	out := make([]byte, 0, len(doc)+len(raw))
	done := 0
	for it := list.Iter(); it.Next(); {
		begin := offset(doc, list.text)
		from, end := begin+it.cur, begin+it.behind
		out = append(out, doc[done:from]...)
		if len(rest) == 0 {
			out = append(out, raw...)
		} else {
			changed, err := setParts(doc[from:end:end], rest, raw)
			if err != nil {
				return nil, err
			}
			out = append(out, changed...)
		}
		done = end
	}
	return append(out, doc[done:]...), nil
}

// Delete gives a copy of doc without path (`#` in a path means every element of a list).
// All else stays byte for byte. Where a key stands more than once every one of
// them goes, so that nothing deleted can be read by another reader. A path
// that leads nowhere deletes nothing.
func Delete(doc []byte, path string) ([]byte, error) {
	parts, err := splitPath(path)
	if err != nil {
		return nil, err
	}
	w := walker{doc: view(doc)}
	w.visit(0, parts)
	return w.without(doc), nil
}

// walker follows a path through a valid document and notes what has to go.
// Deleting many elements through sjson would copy the document for each.
type walker struct {
	doc  string
	sets bool // what would be in the way of sjson goes: repetitions of keys, and scalars, in whose text it looks for brackets; else all the path leads to
	gone []span
}

// span is a part of the document that goes, and what comes in its place.
type span struct {
	from, to int
	instead  string
}

// visit looks at the value at i and gives the position behind it.
func (w *walker) visit(i int, parts []part) int {
	s := w.doc
	if i = skipSpace(s, i); i >= len(s) {
		return i
	}
	if len(parts) == 0 {
		return skipValue(s, i)
	}
	object := s[i] == '{'
	if !object && s[i] != '[' {
		end := skipValue(s, i)
		if w.sets && !slices.ContainsFunc(parts, func(p part) bool { return p.all }) { // "#" makes no list of it
			w.gone = append(w.gone, span{i, end, "null"})
		}
		return end
	}
	p := parts[0]
	hit := false // an earlier member had the key
	before := -1 // end of the member before, once one stays
	open := -1   // begin of the last member gone, while none before it stays
	n := 0
	for i = skipSpace(s, i+1); i < len(s) && s[i] != '}' && s[i] != ']'; n++ {
		from := i
		match := false
		if object {
			end, escaped := skipString(s, i+1)
			match = !p.all && sameText(s[i+1:end], escaped, p.name, false)
			if i = skipSpace(s, end+1); i >= len(s) {
				break
			}
			if i = skipSpace(s, i+1); i >= len(s) {
				break
			}
		} else {
			match = p.all || p.index == n
		}
		if open >= 0 { // nothing stays before: the gap up to this member goes too
			w.gone = append(w.gone, span{from: open, to: from})
			open = -1
		}
		remove := match && len(parts) == 1 && !w.sets || match && object && w.sets && hit
		value := i
		if match && !remove {
			i = w.visit(i, parts[1:])
		} else {
			i = skipValue(s, i)
		}
		if i <= value {
			break // no progress: not JSON
		}
		hit = hit || match
		switch {
		case !remove:
			before = i
		case before >= 0:
			w.gone = append(w.gone, span{from: before, to: i})
			before = i
		default:
			open = from
		}
		end := i
		if i = skipSpace(s, i); i < len(s) && s[i] == ',' {
			i = skipSpace(s, i+1)
		} else if open >= 0 {
			w.gone = append(w.gone, span{from: open, to: end})
			open = -1
		}
	}
	return min(i+1, len(s))
}

// without gives a copy of doc with what is gone taken out.
func (w *walker) without(doc []byte) []byte {
	out := make([]byte, 0, len(doc))
	at := 0
	for _, g := range w.gone {
		out = append(append(out, doc[at:g.from]...), g.instead...)
		at = g.to
	}
	return append(out, doc[at:]...)
}

// view gives b as a string for as long as b does not change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// offset gives where part, a piece of doc, begins in it.
func offset(doc []byte, part string) int {
	return int(uintptr(unsafe.Pointer(unsafe.StringData(part))) - uintptr(unsafe.Pointer(unsafe.SliceData(doc))))
}
