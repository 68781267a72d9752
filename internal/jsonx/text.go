package jsonx

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// nextRune decodes the character of s at i, which must be inside s.
func nextRune(s string, i int, escaped bool) (r rune, size int) {
	if escaped && s[i] == '\\' {
		return decodeEscape(s, i)
	}
	if s[i] < utf8.RuneSelf {
		return rune(s[i]), 1
	}
	return utf8.DecodeRuneInString(s[i:])
}

// decodeEscape decodes the escape that begins with the backslash at i. A lone
// surrogate gives U+FFFD, as encoding/json does.
func decodeEscape(s string, i int) (r rune, size int) {
	if i+1 >= len(s) {
		return utf8.RuneError, 1
	}
	switch c := s[i+1]; c {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r, ok := hex4(s, i+2)
		if !ok {
			return utf8.RuneError, min(6, len(s)-i)
		}
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if i+7 < len(s) && s[i+6] == '\\' && s[i+7] == 'u' {
			if low, ok := hex4(s, i+8); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					return pair, 12
				}
			}
		}
		return utf8.RuneError, 6
	default:
		return rune(c), 2
	}
}

func hex4(s string, i int) (rune, bool) {
	if i+4 > len(s) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[i : i+4]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// appendUnescaped appends the decoded content of a string that holds escapes.
func appendUnescaped(dst []byte, s string) []byte {
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		r, size := decodeEscape(s, i)
		dst = utf8.AppendRune(dst, r)
		s = s[i+size:]
	}
}

// sameText tells whether two contents are the same text once decoded.
func sameText(a string, aEscaped bool, b string, bEscaped bool) bool {
	if !aEscaped && !bEscaped {
		return a == b
	}
	return compareText(a, aEscaped, b, bEscaped) == 0
}

// compareText orders two contents by code point, without decoding them first.
func compareText(a string, aEscaped bool, b string, bEscaped bool) int {
	if !aEscaped && !bEscaped {
		return strings.Compare(a, b) // the order of UTF-8 bytes is that of code points
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		x, n := nextRune(a, i, aEscaped)
		y, m := nextRune(b, j, bEscaped)
		if x != y {
			if x < y {
				return -1
			}
			return 1
		}
		i += n
		j += m
	}
	switch {
	case i < len(a):
		return 1
	case j < len(b):
		return -1
	}
	return 0
}

// plain gives how many bytes at the begin of s stand in JSON as they are; there may be more.
func plain(s string) int {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	i := 0
	for i+8 <= len(b) {
		if m := stops(binary.LittleEndian.Uint64(b[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	return i
}

const hexDigits = "0123456789abcdef"

// AppendQuoted appends s as a JSON string with the escapes JSON needs and no more (raw UTF-8; invalid UTF-8 becomes U+FFFD).
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := plain(s); i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[from:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\b':
				dst = append(dst, '\\', 'b')
			case '\f':
				dst = append(dst, '\\', 'f')
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[from:i]...)
			dst = append(dst, "\uFFFD"...)
			from = i + 1
		}
		i += size
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}
