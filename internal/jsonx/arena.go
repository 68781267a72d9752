package jsonx

import (
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

const (
	maxDepth = 512     // nesting of a parsed document
	keep     = 1 << 20 // bytes of storage an Arena keeps over Reset
	maxKey   = 128     // bytes of a key's name kept in a SyntaxError
)

// Arena owns what Values point into while one request lasts: indexes of parsed
// documents, built lists, built texts. It is reused: Reset forgets all, and
// lets go of storage beyond a bound. Not safe for concurrent use; Values of an
// arena that no longer changes may be read by many.
type Arena struct {
	entries []entry  // indexes of all parsed documents, each in preorder
	values  []Value  // elements of the lists being built
	lists   []Value  // built lists: a header whose at is the length, then the elements
	bytes   []byte   // the texts being built
	chunks  [][]byte // built texts; a chunk never grows, so texts never move
	chunk   int      // the chunk being filled
	keys    keySet   // for finding duplicate keys
}

// SyntaxError tells where a document is not JSON, or is refused.
type SyntaxError struct {
	Offset  int    // byte offset into the document
	Message string // without any received text, save for a key's name in Key
	Key     string // for a duplicate key: its name, cut at 128 bytes
}

// Error gives message and offset, never received values.
func (e *SyntaxError) Error() string {
	return e.Message + " (at byte " + strconv.Itoa(e.Offset) + ")"
}

// Reset forgets everything; every Value of this arena is dead.
func (a *Arena) Reset() {
	room := keep
	fits := func(size int) bool {
		if size > room {
			return false
		}
		room -= size
		return true
	}
	if !fits(cap(a.entries) * int(unsafe.Sizeof(entry{}))) {
		a.entries = nil
	}
	if !fits(cap(a.values) * int(unsafe.Sizeof(Value{}))) {
		a.values = nil
	}
	if !fits(cap(a.lists) * int(unsafe.Sizeof(Value{}))) {
		a.lists = nil
	}
	if !fits(cap(a.bytes)) {
		a.bytes = nil
	}
	if !fits(a.keys.size()) {
		a.keys = keySet{}
	}
	kept := a.chunks[:0]
	for _, c := range a.chunks {
		if fits(cap(c)) {
			kept = append(kept, c[:0])
		}
	}
	clear(a.chunks[len(kept):])
	a.chunks, a.chunk = kept, 0
	clear(a.values) // they point into documents that may now go
	clear(a.lists)
	a.keys.forget()
	a.entries, a.values, a.lists, a.bytes = a.entries[:0], a.values[:0], a.lists[:0], a.bytes[:0]
}

// Parse validates text and gives its root, indexed once so that later reads are cheap.
// With strict, duplicate keys are refused; else the first wins. Nesting beyond 512 is refused. The bytes must stay as they are while the arena is used.
// An error is always a *SyntaxError.
func (a *Arena) Parse(text string, strict bool) (Value, error) {
	if len(text) > math.MaxInt32 {
		return Value{}, &SyntaxError{Message: "the document is larger than 2 GB"}
	}
	root := len(a.entries)
	ok, twice := a.index(text, strict)
	if ok {
		return a.value(&a.entries[root], int32(root), text, 0), nil
	}
	if twice != nil { // it is told only of a document that is JSON
		ok, _ = a.index(text, false)
		a.entries = a.entries[:root]
		if ok {
			return Value{}, twice
		}
	}
	if !utf8.ValidString(text) {
		return Value{}, badEncoding(text)
	}
	if at := tooDeep(text, maxDepth); at >= 0 {
		return Value{}, &SyntaxError{Offset: at, Message: "lists and objects are nested deeper than 512 levels"}
	}
	return Value{}, diagnose(text)
}

// Index gives the value of text, which must be JSON that was made here, indexed
// as Parse does; without an index where it cannot have one.
func (a *Arena) Index(text string) Value {
	if text == "" || text[0] != '{' && text[0] != '[' || len(text) > math.MaxInt32 {
		return RawValue(text)
	}
	root := len(a.entries)
	if ok, _ := a.index(text, false); !ok {
		return RawValue(text)
	}
	return a.value(&a.entries[root], int32(root), text, 0)
}

// Mark begins a list or a text; builds may nest.
func (a *Arena) Mark() Mark { return Mark{values: len(a.values), bytes: len(a.bytes)} }

// Mark is where a build began.
type Mark struct{ values, bytes int }

// Push adds an element to the list being built. It may be a Value of another arena, which must then live as long.
func (a *Arena) Push(v Value) { a.values = append(a.values, v) }

// List ends the list begun at m and gives it as an Array value.
func (a *Arena) List(m Mark) Value {
	built := a.values[m.values:]
	at := len(a.lists)
	a.lists = append(a.lists, Value{at: int32(len(built))})
	a.lists = append(a.lists, built...)
	clear(built)
	a.values = a.values[:m.values]
	return Value{form: form{Array, flagBuilt}, arena: a, at: int32(at)}
}

// Drop undoes everything pushed or written since m.
func (a *Arena) Drop(m Mark) {
	clear(a.values[m.values:])
	a.values, a.bytes = a.values[:m.values], a.bytes[:m.bytes]
}

// Buf gives the scratch text being built, to append to; give it back with SetBuf.
// What stands in it belongs to the builds around: only append, and give it back before another build begins.
func (a *Arena) Buf() []byte { return a.bytes }

// SetBuf gives the scratch text back.
func (a *Arena) SetBuf(b []byte) { a.bytes = b }

// Text ends the scratch text begun at m and gives it as a stable string.
func (a *Arena) Text(m Mark) string {
	s := a.stable(a.bytes[m.bytes:])
	a.bytes = a.bytes[:m.bytes]
	return s
}

// stable copies b to where it does not move until Reset.
func (a *Arena) stable(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	for a.chunk < len(a.chunks) && cap(a.chunks[a.chunk])-len(a.chunks[a.chunk]) < len(b) {
		a.chunk++
	}
	if a.chunk == len(a.chunks) {
		size := 2048 << min(len(a.chunks), 5)
		a.chunks = append(a.chunks, make([]byte, 0, max(size, len(b))))
	}
	c := &a.chunks[a.chunk]
	from := len(*c)
	*c = append(*c, b...)
	return unsafe.String(&(*c)[from], len(b))
}
