package jsonx

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// The functions here move over text of anybody's and tell whether it is JSON:
// they accept what RFC 8259 and UTF-8 do, and no more.

// Eight bytes at a time.
const (
	ones  = 0x0101010101010101
	highs = ones << 7
)

// stops has, of the eight bytes of x, the high bit of the first that ends a run
// of plain text: a quote, a backslash, a control character, one beyond ASCII.
// Bits above it may be set without reason: subtracting borrows from the next byte.
func stops(x uint64) uint64 {
	return (((x ^ ones*'"') - ones) | ((x ^ ones*'\\') - ones) | (x - ones*' ') | x) & highs
}

// skipBlanks gives the position of the first byte from i that is no JSON space.
func skipBlanks(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// endOfText gives the position of the quote that ends the text whose content
// begins at i, and its flag; a negative one when it is no JSON.
func endOfText(b []byte, i int) (end int, flag uint8) {
	flag = flagSource
	for {
		for i+8 <= len(b) {
			if m := stops(binary.LittleEndian.Uint64(b[i:])); m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(b) {
			return -1, 0
		}
		switch c := b[i]; {
		case c == '"':
			return i, flag
		case c == '\\':
			flag = flagEscaped
			if i = endOfEscape(b, i); i < 0 {
				return -1, 0
			}
		case c < ' ':
			return -1, 0
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size == 1 {
				return -1, 0
			}
			i += size
		default: // plain: among the last bytes
			i++
		}
	}
}

// endOfEscape gives the position behind the escape whose backslash stands at i,
// or a negative one.
func endOfEscape(b []byte, i int) int {
	if i+1 >= len(b) {
		return -1
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if i+6 > len(b) {
			return -1
		}
		for _, c := range b[i+2 : i+6] {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return -1
			}
		}
		return i + 6
	}
	return -1
}

// endOfScalar gives the position behind the number or word at i and its kind; a
// negative one when it is neither.
func endOfScalar(b []byte, i int) (end int, kind Kind) {
	switch c := b[i]; {
	case c == '-' || c-'0' <= 9:
		return endOfNumber(b, i), Number
	case c == 't':
		if i+4 <= len(b) && string(b[i:i+4]) == "true" {
			return i + 4, Bool
		}
	case c == 'f':
		if i+5 <= len(b) && string(b[i:i+5]) == "false" {
			return i + 5, Bool
		}
	case c == 'n':
		if i+4 <= len(b) && string(b[i:i+4]) == "null" {
			return i + 4, Null
		}
	}
	return -1, Absent
}

// endOfNumber gives the position behind the number at i, or a negative one.
func endOfNumber(b []byte, i int) int {
	if b[i] == '-' {
		if i++; i >= len(b) {
			return -1
		}
	}
	if b[i] == '0' {
		i++
	} else if i = endOfDigits(b, i); i < 0 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		if i = endOfDigits(b, i+1); i < 0 {
			return -1
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		return endOfDigits(b, i)
	}
	return i
}

// endOfDigits gives the position behind the digits at i, or a negative one when there are none.
func endOfDigits(b []byte, i int) int {
	from := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if i == from {
		return -1
	}
	return i
}
