// Package jsonx reads and writes JSON bytes. A Value points into the text it
// was read from: numbers keep their digits, strings their escapes, containers
// are copied through verbatim. What is read is validated and indexed in one
// pass of our own, which accepts what gjson does; patching is sjson's.
//
// What is promised: a received value is written back byte for byte; reading,
// walking, comparing and writing Values of a parsed document allocate nothing;
// a hostile document costs time linear in its size and bounded stack.
package jsonx

import (
	"strings"
	"unicode/utf8"
)

// Kind is what a Value is. Absent and Null are both "no value", and different.
type Kind uint8

// The kinds.
const (
	Absent Kind = iota // nothing is there
	Null               // JSON null
	Bool
	Number
	String
	Array
	Object
)

var kindNames = [...]string{"absent", "null", "boolean", "number", "text", "list", "object"}

// String gives the kind's name as messages spell it: "absent", "null", "boolean", "number", "text", "list", "object".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

const (
	flagEscaped    uint8 = 1 << iota // the text of a string holds JSON escapes
	flagSource                       // the text of a string was received without escapes: it may be written as it is
	flagBuilt                        // a list made by Arena.List
	flagKeyEscaped                   // in an index entry only: the member's key holds escapes
)

// Value is one JSON value: small, immutable, cheap to copy, valid as long as
// the text and the Arena it points into. The zero Value is Absent.
type Value struct {
	text  string // String: content (with escapes when escaped); Number, Bool: as written; Array, Object: raw JSON, or "" for a built list
	arena *Arena // where the index entries, or the elements of a built list, stand; nil: text is scanned when read
	at    int32
	form
}

// form stands apart because the compiler keeps structs in registers only up to
// four fields.
type form struct {
	kind  Kind
	flags uint8
}

// NullValue gives JSON null.
func NullValue() Value { return Value{form: form{kind: Null}} }

// BoolValue gives true or false.
func BoolValue(b bool) Value {
	if b {
		return Value{form: form{kind: Bool}, text: "true"}
	}
	return Value{form: form{kind: Bool}, text: "false"}
}

// TextValue gives a string value of decoded text s (no escapes).
func TextValue(s string) Value { return Value{form: form{kind: String}, text: s} }

// NumberValue gives a number value of digits s, which must be a JSON number.
func NumberValue(s string) Value { return Value{form: form{kind: Number}, text: s} }

// RawValue gives the value that valid JSON text raw spells; containers are scanned when read.
// Text that is empty, or begins no JSON value, gives Absent.
func RawValue(raw string) Value {
	raw = strings.Trim(raw, " \t\r\n")
	if raw == "" {
		return Value{}
	}
	return rawSpan(raw, 0, len(raw))
}

// rawSpan gives the value spelled by s[i:end], without an index.
func rawSpan(s string, i, end int) Value {
	raw := s[i:end]
	switch raw[0] {
	case '{':
		return Value{form: form{kind: Object}, text: raw}
	case '[':
		return Value{form: form{kind: Array}, text: raw}
	case '"':
		if len(raw) < 2 {
			return Value{}
		}
		return sourceText(raw[1 : len(raw)-1])
	case 't', 'f':
		return Value{form: form{kind: Bool}, text: raw}
	case 'n':
		return Value{form: form{kind: Null}}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return Value{form: form{kind: Number}, text: raw}
	}
	return Value{}
}

// sourceText gives the string whose JSON content, without the quotes, is s.
func sourceText(s string) Value {
	if strings.IndexByte(s, '\\') >= 0 {
		return Value{form: form{String, flagEscaped}, text: s}
	}
	return Value{form: form{String, flagSource}, text: s}
}

// Kind tells what the value is.
func (v Value) Kind() Kind { return v.kind }

// None tells whether there is no value: absent or null.
func (v Value) None() bool { return v.kind <= Null }

// Bool gives the boolean; false for any other kind.
func (v Value) Bool() bool { return v.kind == Bool && v.text != "" && v.text[0] == 't' }

// At gives element i of a list, from 0; negative counts from the end; else Absent.
func (v Value) At(i int) Value {
	if v.kind != Array {
		return Value{}
	}
	if i < 0 {
		if i += v.Len(); i < 0 {
			return Value{}
		}
	}
	switch {
	case v.flags&flagBuilt != 0:
		if i >= v.Len() {
			return Value{}
		}
		return v.arena.lists[int(v.at)+1+i]
	case v.arena != nil:
		es := v.arena.entries
		self := &es[v.at]
		if i >= int(self.count) {
			return Value{}
		}
		at := v.at + 1
		if self.next-at == int32(self.count) { // leaves only: they stand side by side
			at += int32(i)
		} else {
			for ; i > 0; i-- {
				at = es[at].next
			}
		}
		return v.arena.value(&es[at], at, v.text, self.start)
	}
	it := v.Iter()
	for it.Next() {
		if i == 0 {
			return it.Value()
		}
		i--
	}
	return Value{}
}

// Len gives the number of elements, members or characters; 0 for other kinds.
func (v Value) Len() int {
	switch v.kind {
	case String:
		if v.flags&flagEscaped == 0 {
			return utf8.RuneCountInString(v.text)
		}
		n := 0
		for i := 0; i < len(v.text); n++ {
			_, size := nextRune(v.text, i, true)
			i += size
		}
		return n
	case Array, Object:
		switch {
		case v.flags&flagBuilt != 0:
			return int(v.arena.lists[v.at].at)
		case v.arena != nil:
			return int(v.arena.entries[v.at].count)
		}
		n := 0
		for it := v.Iter(); it.Next(); {
			n++
		}
		return n
	}
	return 0
}

// Text gives the decoded text of a string (copied only if it holds escapes), or the source text of a number or boolean; "" for other kinds.
func (v Value) Text() string {
	switch v.kind {
	case String:
		if v.flags&flagEscaped != 0 {
			return string(appendUnescaped(make([]byte, 0, len(v.text)), v.text))
		}
		return v.text
	case Number, Bool:
		return v.text
	}
	return ""
}

// AppendText appends what Text gives, without allocating. Lone surrogates become U+FFFD.
func (v Value) AppendText(dst []byte) []byte {
	switch v.kind {
	case String:
		if v.flags&flagEscaped != 0 {
			return appendUnescaped(dst, v.text)
		}
		return append(dst, v.text...)
	case Number, Bool:
		return append(dst, v.text...)
	}
	return dst
}

// AppendJSON appends the value as JSON: received text verbatim, decoded text escaped; nothing for Absent. Absent elements of a built list are written as null.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.kind {
	case Null:
		return append(dst, "null"...)
	case Bool, Number, Object:
		return append(dst, v.text...)
	case String:
		if v.flags&(flagEscaped|flagSource) == 0 {
			return AppendQuoted(dst, v.text)
		}
		dst = append(dst, '"')
		dst = append(dst, v.text...)
		return append(dst, '"')
	case Array:
		if v.flags&flagBuilt == 0 {
			return append(dst, v.text...)
		}
		dst = append(dst, '[')
		for i, n := 0, v.Len(); i < n; i++ {
			if i > 0 {
				dst = append(dst, ',')
			}
			e := v.arena.lists[int(v.at)+1+i]
			if e.kind == Absent {
				e.kind = Null
			}
			dst = e.AppendJSON(dst)
		}
		return append(dst, ']')
	}
	return dst
}
