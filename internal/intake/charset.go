package intake

import (
	"strings"
	"unicode/utf8"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// The charsets a dialect may name.
const (
	utf8Name   = "utf-8"
	latin1Name = "iso-8859-1"
)

// bom is the byte order mark some clients put before JSON.
const bom = "\ufeff"

// charsetNames are the spellings in use. ASCII is UTF-8.
var charsetNames = []struct{ spelling, name string }{
	{"utf-8", utf8Name}, {"utf8", utf8Name}, {"us-ascii", utf8Name}, {"ascii", utf8Name},
	{"iso-8859-1", latin1Name}, {"iso8859-1", latin1Name}, {"iso_8859-1", latin1Name}, {"latin1", latin1Name}, {"latin-1", latin1Name},
}

// canonical gives a dialect's name of a charset, whatever its case; "" for one that is not known.
func canonical(spelling string) string {
	if spelling == utf8Name {
		return utf8Name
	}
	for i := range charsetNames {
		if strings.EqualFold(charsetNames[i].spelling, spelling) {
			return charsetNames[i].name
		}
	}
	return ""
}

var onlyUTF8 = []string{utf8Name}

// orDefault gives the charsets of a dialect that names some.
func orDefault(charsets []string) []string {
	if len(charsets) == 0 {
		return onlyUTF8
	}
	return charsets
}

// accepted gives the dialect's name of a declared charset; "" when the dialect
// does not take it.
func accepted(name string, charsets []string) string {
	name = canonical(name)
	if name == "" {
		return ""
	}
	for _, c := range orDefault(charsets) {
		if canonical(c) == name {
			return name
		}
	}
	return ""
}

// guess takes the first of the dialect's charsets that fits; "" when none does.
func guess(charsets []string, fits func() bool) string {
	for _, c := range orDefault(charsets) {
		switch canonical(c) {
		case utf8Name:
			if fits() {
				return utf8Name
			}
		case latin1Name: // every byte is a character
			return latin1Name
		}
	}
	return ""
}

// decodePairs brings names and values to UTF-8. A body that declares no
// charset is in one charset as a whole: the first of the dialect's that fits.
func decodePairs(a *jsonx.Arena, pairs []pair, charsets []string, charset string) bool {
	valid, mixed := true, false
	for i := range pairs {
		p := &pairs[i]
		switch {
		case p.file || p.charset != "":
			mixed = true
		case valid && !(utf8.ValidString(p.name) && utf8.ValidString(p.value)):
			valid = false
		}
	}
	if charset == "" {
		charset = guess(charsets, func() bool { return valid })
	}
	if charset == "" || charset == utf8Name && !valid {
		return false
	}
	if charset == utf8Name && !mixed {
		return true // as it is
	}
	for i := range pairs {
		p := &pairs[i]
		own := p.charset
		switch {
		case p.file:
			continue
		case own == "":
			own = charset
		case own == utf8Name && !utf8.ValidString(p.value):
			return false
		}
		if !utf8.ValidString(p.name) || own == latin1Name && p.charset == "" {
			p.name = fromLatin1(a, p.name)
		}
		if own == latin1Name {
			p.value = fromLatin1(a, p.value)
		}
	}
	return true
}

// fromLatin1 gives ISO-8859-1 bytes as UTF-8.
func fromLatin1(a *jsonx.Arena, s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	m := a.Mark()
	b := a.Buf()
	for i := 0; i < len(s); i++ {
		b = utf8.AppendRune(b, rune(s[i]))
	}
	a.SetBuf(b)
	return a.Text(m)
}
