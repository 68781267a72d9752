// Package jsonx reads and writes JSON bytes. A Value points into the text it
// was read from: numbers keep their digits, strings their escapes, containers
// are copied through verbatim. Reading is gjson's, patching sjson's.
package jsonx

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

// String gives the kind's name as messages spell it: "absent", "null", "boolean", "number", "text", "list", "object".
func (k Kind) String() string { panic("not built") }

// Value is one JSON value: small, immutable, cheap to copy, valid as long as
// the text and the Arena it points into. The zero Value is Absent.
type Value struct {
	text  string // String: content (with escapes when escaped); Number, Bool: as written; Array, Object: raw JSON, or "" for a built list
	arena *Arena // where the index entries, or the elements of a built list, stand; nil: text is scanned when read
	at    int32
	kind  Kind
	flags uint8
}

// NullValue, True and False are constants of their kinds.
func NullValue() Value { return Value{kind: Null} }

// BoolValue gives true or false.
func BoolValue(b bool) Value { panic("not built") }

// TextValue gives a string value of decoded text s (no escapes).
func TextValue(s string) Value { panic("not built") }

// NumberValue gives a number value of digits s, which must be a JSON number.
func NumberValue(s string) Value { panic("not built") }

// RawValue gives the value that valid JSON text raw spells; containers are scanned when read.
func RawValue(raw string) Value { panic("not built") }

// Kind tells what the value is.
func (v Value) Kind() Kind { return v.kind }

// None tells whether there is no value: absent or null.
func (v Value) None() bool { return v.kind <= Null }

// Bool gives the boolean; false for any other kind.
func (v Value) Bool() bool { panic("not built") }

// Get gives the member key (decoded text) of an object; of several with the same key, the first; else Absent.
func (v Value) Get(key string) Value { panic("not built") }

// At gives element i of a list, from 0; negative counts from the end; else Absent.
func (v Value) At(i int) Value { panic("not built") }

// Len gives the number of elements, members or characters; 0 for other kinds.
func (v Value) Len() int { panic("not built") }

// Iter walks elements or members, without allocating.
func (v Value) Iter() Iter { panic("not built") }

// Iter is a walk over a list or an object.
type Iter struct {
	key, val Value //nolint:unused // filled by Next
}

// Next moves to the next element; false at the end.
func (it *Iter) Next() bool { panic("not built") }

// Key gives the member's key as a text value (Absent in a list).
func (it *Iter) Key() Value { return it.key }

// Value gives the element.
func (it *Iter) Value() Value { return it.val }

// Text gives the decoded text of a string (copied only if it holds escapes), or the source text of a number or boolean; "" for other kinds.
func (v Value) Text() string { panic("not built") }

// AppendText appends what Text gives, without allocating. Lone surrogates become U+FFFD.
func (v Value) AppendText(dst []byte) []byte { panic("not built") }

// AppendJSON appends the value as JSON: received text verbatim, decoded text escaped; nothing for Absent. Absent elements of a built list are written as null.
func (v Value) AppendJSON(dst []byte) []byte { panic("not built") }

// Equal tells whether two values are the same: texts by decoded content, numbers by exact decimal value (1.10 equals 1.1), containers element by element, absent and null alike.
func Equal(a, b Value) bool { panic("not built") }

// Compare orders two numbers by exact value or two texts by code point; ok is false for other pairs.
func Compare(a, b Value) (order int, ok bool) { panic("not built") }

// Clone gives the value on memory of its own (for caches, goroutines, stores).
func (v Value) Clone() Value { panic("not built") }

// AppendQuoted appends s as a JSON string with the escapes JSON needs and no more (raw UTF-8; invalid UTF-8 becomes U+FFFD).
func AppendQuoted(dst []byte, s string) []byte { panic("not built") }
