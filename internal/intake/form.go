package intake

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// readForm reads application/x-www-form-urlencoded text or a query.
func readForm(a *jsonx.Arena, dst []pair, s string, charsets []string, charset string) ([]pair, unreadable) {
	all := byte(0) // all bits that are set anywhere
	for i := 0; i < len(s); i++ {
		from, equals, escaped := i, -1, false
		for ; i < len(s) && s[i] != '&'; i++ {
			all |= s[i]
			switch s[i] {
			case '=':
				if equals < 0 {
					equals = i
				}
			case '%', '+':
				escaped = true
			}
		}
		if i == from {
			continue
		}
		if len(dst) == maxFields {
			return dst, tooManyFields
		}
		p := pair{name: s[from:i]}
		if equals >= 0 {
			p.name, p.value = s[from:equals], s[equals+1:i]
		}
		if escaped {
			var ok1, ok2 bool
			p.name, ok1 = unescape(a, p.name)
			p.value, ok2 = unescape(a, p.value)
			if !ok1 || !ok2 {
				return dst, badEscape
			}
			all |= bitsOf(p.name) | bitsOf(p.value)
		}
		dst = append(dst, p)
	}
	if all < utf8.RuneSelf && (charset != "" || guess(charsets, func() bool { return true }) != "") {
		return dst, "" // ASCII is the same in every charset
	}
	if !decodePairs(a, dst, charsets, charset) {
		return dst, badBytes
	}
	return dst, ""
}

// bitsOf gives all bits that are set in s.
func bitsOf(s string) (all byte) {
	for i := range len(s) {
		all |= s[i]
	}
	return all
}

// unescape undoes `+` and %XX.
func unescape(a *jsonx.Arena, s string) (string, bool) {
	i := 0
	for i < len(s) && s[i] != '%' && s[i] != '+' {
		i++
	}
	if i == len(s) {
		return s, true
	}
	m := a.Mark()
	b := append(a.Buf(), s[:i]...)
	for ; i < len(s); i++ {
		switch s[i] {
		case '+':
			b = append(b, ' ')
		case '%':
			if i+2 >= len(s) {
				return "", false
			}
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi > 15 || lo > 15 {
				return "", false
			}
			b = append(b, hi<<4|lo)
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	a.SetBuf(b)
	return a.Text(m), true
}

// unhex gives the value of a hexadecimal digit; above 15 for anything else.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// readJSON reads a JSON object. where says at which line and column it is none.
func readJSON(a *jsonx.Arena, body string, charsets []string, charset string, strict bool) (doc jsonx.Value, why unreadable, where *Spot) {
	body = strings.TrimPrefix(body, bom)
	valid := utf8.ValidString(body)
	if charset == "" {
		charset = guess(charsets, func() bool { return valid })
	}
	switch {
	case charset == latin1Name:
		body = fromLatin1(a, body)
	case charset == "" || !valid:
		return jsonx.Value{}, badBytes, nil
	}
	doc, err := a.Parse(body, strict)
	if err != nil {
		return jsonx.Value{}, badJSON, position(body, err)
	}
	if doc.Kind() != jsonx.Object {
		if strict { // what a document must be is its schema's to say
			return doc, "", nil
		}
		return jsonx.Value{}, notAnObject, nil
	}
	if doc.Len() > maxFields { // each mapped field looks through them
		return jsonx.Value{}, tooManyFields, nil
	}
	return doc, "", nil
}

// position says where a document is not JSON; nil when that is not known.
func position(body string, err error) *Spot {
	var bad *jsonx.SyntaxError
	if !errors.As(err, &bad) {
		return nil
	}
	before := body[:min(bad.Offset, len(body))]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return &Spot{Line: line, Column: column, Message: bad.Message}
}

// looksLikeJSON tells whether a body that is not said to be JSON is an object
// or a list. It is asked of anybody's bytes: the arena bounds their nesting.
func looksLikeJSON(a *jsonx.Arena, body string, first byte) bool {
	if first != '{' && first != '[' {
		return false
	}
	_, err := a.Parse(strings.TrimPrefix(body, bom), false)
	return err == nil
}
