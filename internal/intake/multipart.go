package intake

import (
	"strings"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// The bounds of a multipart body.
const (
	maxBoundary    = 200 // RFC 2046 says 70; some clients do not count
	maxPartHeaders = 20
)

// readMultipart reads multipart/form-data (RFC 7578) that lies in memory. Lines
// may end in LF alone, as some old clients write them.
func readMultipart(a *jsonx.Arena, dst []pair, body, params string, charsets []string, charset string) ([]pair, unreadable) {
	boundary, _, ok := param(params, "boundary")
	if !ok || boundary == "" || len(boundary) > maxBoundary {
		return dst, noBoundary
	}
	delimiter := "--" + boundary
	_, rest, last, ok := cutDelimiter(body, delimiter)
	for ok && !last {
		var content string
		if content, rest, last, ok = cutDelimiter(rest, delimiter); !ok {
			break
		}
		if len(dst) == maxFields {
			return dst, tooManyFields
		}
		p, why := readPart(content, charsets)
		if why != "" {
			return dst, why
		}
		if p.name != "" {
			dst = append(dst, p)
		}
	}
	if !ok {
		return dst, cutMultipart
	}
	if !decodePairs(a, dst, charsets, charset) {
		return dst, badBytes
	}
	return dst, ""
}

// cutDelimiter finds the next delimiter line. It gives what stands before it,
// without the line break that belongs to it, what stands behind, and whether it is the last.
func cutDelimiter(s, delimiter string) (before, behind string, last, ok bool) {
	for from := 0; ; {
		i := strings.Index(s[from:], delimiter)
		if i < 0 {
			return "", "", false, false
		}
		i += from
		from = i + len(delimiter)
		if i > 0 && s[i-1] != '\n' {
			continue
		}
		before = strings.TrimSuffix(strings.TrimSuffix(s[:i], "\n"), "\r")
		behind = s[from:]
		if strings.HasPrefix(behind, "--") {
			return before, "", true, true
		}
		behind = strings.TrimLeft(behind, " \t")
		if strings.HasPrefix(behind, "\r\n") {
			return before, behind[2:], false, true
		}
		if strings.HasPrefix(behind, "\n") {
			return before, behind[1:], false, true
		}
	}
}

// readPart reads one part. A part without a name is nobody's: its name is "".
func readPart(s string, charsets []string) (pair, unreadable) {
	var p pair
	var transfer, media string
	for n := 0; ; n++ {
		line, rest, ok := strings.Cut(s, "\n")
		if !ok || n > maxPartHeaders {
			return p, badMultipart
		}
		s = rest
		if line = strings.TrimSuffix(line, "\r"); line == "" {
			break
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok || key == "" || strings.ContainsAny(key, " \t") {
			return p, badMultipart
		}
		value = strings.Trim(value, " \t")
		switch {
		case strings.EqualFold(key, "Content-Disposition"):
			kind, params := splitHeader(value)
			name, _, ok := param(params, "name")
			_, file, ok2 := param(params, "filename")
			if !ok || !ok2 || !strings.EqualFold(kind, "form-data") {
				return p, badMultipart
			}
			p.name, p.file = name, file
		case strings.EqualFold(key, "Content-Type"):
			media = value
		case strings.EqualFold(key, "Content-Transfer-Encoding"):
			transfer = value
		}
	}
	p.value = s
	switch strings.ToLower(transfer) {
	case "", "7bit", "8bit", "binary":
	default:
		return p, badMultipart
	}
	if p.file || media == "" {
		return p, ""
	}
	_, params := splitHeader(media)
	charset, _, ok := param(params, "charset")
	if !ok {
		return p, badMultipart
	}
	if charset != "" {
		if p.charset = accepted(charset, charsets); p.charset == "" {
			return p, badCharset
		}
	}
	return p, ""
}
