package jsonx

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// badEncoding tells why text is no UTF-8.
func badEncoding(text string) *SyntaxError {
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return &SyntaxError{Message: "the document is UTF-16; JSON must be UTF-8"}
	}
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return &SyntaxError{Offset: at, Message: "the text is not valid UTF-8"}
}

// diagnose tells what is wrong with text, which gjson refused. It runs only
// then, reads again from the start, and says it in words for people: never
// with a character of the document that could belong to a value.
func diagnose(text string) *SyntaxError {
	if strings.HasPrefix(text, "\uFEFF") {
		return &SyntaxError{Message: "the document begins with a byte order mark, which JSON does not allow"}
	}
	d := &doctor{s: text}
	d.space()
	if d.i == len(text) {
		return &SyntaxError{Offset: d.i, Message: "the document is empty"}
	}
	if d.value() {
		if d.space(); d.i < len(text) {
			d.fail(d.unwanted("something follows the end of the document"))
		}
	}
	if d.err == nil { // the two readers disagree: refuse all the same
		d.fail("the document is not valid JSON")
	}
	return d.err
}

type doctor struct {
	s   string
	i   int
	err *SyntaxError
}

func (d *doctor) fail(message string) bool {
	if d.err == nil {
		d.err = &SyntaxError{Offset: d.i, Message: message}
	}
	return false
}

func (d *doctor) space() { d.i = skipSpace(d.s, d.i) }

// peek gives the next byte, or 0 at the end and for a NUL.
func (d *doctor) peek() byte {
	if d.i < len(d.s) {
		return d.s[d.i]
	}
	return 0
}

func (d *doctor) ended() bool { return d.i >= len(d.s) }

// unwanted names what stands here if it is a well-known mistake, else says otherwise.
func (d *doctor) unwanted(otherwise string) string {
	switch c := d.peek(); {
	case c == 0:
		return "a NUL byte"
	case c == '\'':
		return "single quotes; JSON has double quotes only"
	case c == '/':
		return "a comment, which JSON does not have"
	case c < ' ' || c == 0x7f:
		return "a control character"
	case strings.HasPrefix(d.s[d.i:], "\uFEFF"):
		return "a byte order mark"
	}
	return otherwise
}

// value reads one value.
func (d *doctor) value() bool {
	d.space()
	if d.ended() {
		return d.fail("the document ends where a value should stand")
	}
	switch c := d.peek(); {
	case c == '{':
		return d.object()
	case c == '[':
		return d.list()
	case c == '"':
		return d.text()
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_':
		return d.word()
	case c == ',':
		return d.fail("a comma where a value should stand")
	case c == ']' || c == '}':
		return d.fail(`"` + string(c) + `" where a value should stand`)
	case c == '+' || c == '.':
		return d.fail("a number must begin with a digit or a minus")
	}
	return d.fail(d.unwanted("an invalid character where a value should stand"))
}

func (d *doctor) list() bool {
	d.i++
	if d.space(); d.peek() == ']' {
		d.i++
		return true
	}
	for {
		if !d.value() {
			return false
		}
		switch d.space(); {
		case d.ended():
			return d.fail("the document ends inside a list")
		case d.peek() == ']':
			d.i++
			return true
		case d.peek() != ',':
			return d.fail(d.unwanted(`a comma or "]" is missing in a list`))
		}
		comma := d.i
		d.i++
		if d.space(); d.peek() == ']' {
			d.i = comma
			return d.fail(`a comma before "]"`)
		}
	}
}

func (d *doctor) object() bool {
	d.i++
	if d.space(); d.peek() == '}' {
		d.i++
		return true
	}
	for {
		switch {
		case d.ended():
			return d.fail("the document ends inside an object")
		case d.peek() != '"':
			return d.fail(d.unwanted("a key must stand in double quotes"))
		}
		if !d.text() {
			return false
		}
		switch d.space(); {
		case d.ended():
			return d.fail("the document ends inside an object")
		case d.peek() != ':':
			return d.fail(d.unwanted(`a ":" is missing behind a key`))
		}
		d.i++
		if !d.value() {
			return false
		}
		switch d.space(); {
		case d.ended():
			return d.fail("the document ends inside an object")
		case d.peek() == '}':
			d.i++
			return true
		case d.peek() != ',':
			return d.fail(d.unwanted(`a comma or "}" is missing in an object`))
		}
		comma := d.i
		d.i++
		if d.space(); d.peek() == '}' {
			d.i = comma
			return d.fail(`a comma before "}"`)
		}
	}
}

func (d *doctor) text() bool {
	for d.i++; !d.ended(); d.i++ {
		switch c := d.peek(); {
		case c == '"':
			d.i++
			return true
		case c == 0:
			return d.fail("a NUL byte inside a text")
		case c < ' ':
			return d.fail("a line break, tab or other control character inside a text; it must be written as an escape")
		case c == '\\':
			if d.i+1 == len(d.s) {
				d.i++
				return d.fail("the document ends inside a text")
			}
			if !strings.ContainsRune(`"\/bfnrtu`, rune(d.s[d.i+1])) {
				return d.fail("an unknown escape inside a text")
			}
			if d.s[d.i+1] == 'u' {
				if _, ok := hex4(d.s, d.i+2); !ok {
					return d.fail(`an escape "\u" without four hexadecimal digits inside a text`)
				}
			}
			d.i++
		}
	}
	return d.fail("the document ends inside a text")
}

func (d *doctor) number() bool {
	digits := func() bool {
		from := d.i
		for c := d.peek(); c >= '0' && c <= '9'; c = d.peek() {
			d.i++
		}
		return d.i > from
	}
	if d.peek() == '-' {
		d.i++
	}
	first := d.i
	if !digits() {
		return d.fail("a minus without a digit behind it")
	}
	if d.s[first] == '0' && d.i > first+1 {
		d.i = first
		return d.fail("a number must not begin with a zero")
	}
	if d.peek() == '.' {
		if d.i++; !digits() {
			return d.fail("a number without a digit behind its point")
		}
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		if d.i++; d.peek() == '-' || d.peek() == '+' {
			d.i++
		}
		if !digits() {
			return d.fail("a number without a digit in its exponent")
		}
	}
	return true
}

func (d *doctor) word() bool {
	for _, w := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(d.s[d.i:], w) {
			d.i += len(w)
			return true
		}
		if strings.HasPrefix(w, d.s[d.i:]) {
			d.i = len(d.s)
			return d.fail("the document ends inside a word")
		}
	}
	if name := placeholderName.FindString(d.s[d.i:]); name != "" {
		return d.fail("the placeholder " + name + " was not replaced")
	}
	return d.fail("a word that is not true, false or null")
}

// placeholderName is a placeholder of a text template that stands bare: whoever
// filled the template has left it. It is the template's, and no received value.
var placeholderName = regexp.MustCompile(`^_[A-Z][A-Z0-9_]{0,62}_`)
