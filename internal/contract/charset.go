package contract

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// splitType gives the media type and the charset of a Content-Type, as written, without allocating.
func splitType(contentType string) (bare, charset string) {
	bare, rest, more := strings.Cut(contentType, ";")
	if !more {
		return strings.TrimSpace(bare), ""
	}
	for rest != "" {
		var p string
		p, rest, _ = strings.Cut(rest, ";")
		if k, v, ok := strings.Cut(p, "="); ok && equalFold(strings.TrimSpace(k), "charset") {
			charset = strings.Trim(strings.TrimSpace(v), `"'`)
		}
	}
	return strings.TrimSpace(bare), charset
}

// equalFold compares with lower-case ASCII text lower.
func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// latin tells whether charset is one of the single-byte ones old servers send.
func latin(charset string) bool {
	if charset == "" {
		return false
	}
	for _, name := range [...]string{"iso-8859-1", "latin1", "iso8859-1", "iso_8859-1", "windows-1252", "cp1252", "iso-8859-15"} {
		if equalFold(charset, name) {
			return true
		}
	}
	return false
}

// fromLatin gives body as UTF-8 in a. ISO-8859-1 is read as windows-1252, its
// superset, as browsers do: servers that say the one send the other.
func fromLatin(a *jsonx.Arena, body []byte) string {
	m := a.Mark()
	buf := a.Buf()
	for _, c := range body {
		if c < utf8.RuneSelf {
			buf = append(buf, c)
		} else {
			buf = utf8.AppendRune(buf, charmap.Windows1252.DecodeByte(c))
		}
	}
	a.SetBuf(buf)
	return a.Text(m)
}
