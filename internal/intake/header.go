package intake

import "strings"

// splitHeader splits a Content-Type or Content-Disposition into its value and
// its parameters.
func splitHeader(s string) (value, params string) {
	value, params, _ = strings.Cut(s, ";")
	return trimBlanks(value), params
}

// trimBlanks cuts blanks and tabs at both ends.
func trimBlanks(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// param finds a parameter by its name, whatever its case; of several, the
// first. What has no `=` is passed over ("application/json; utf-8" is common).
// ok is false when a quoted value has no end.
func param(params, name string) (value string, found, ok bool) {
	s := params
	for {
		s = strings.TrimLeft(s, " \t;")
		if s == "" {
			return "", false, true
		}
		i := strings.IndexAny(s, "=;")
		if i < 0 || s[i] == ';' {
			s = s[max(i, 0):]
			if i < 0 {
				return "", false, true
			}
			continue
		}
		key := strings.TrimRight(s[:i], " \t")
		s = strings.TrimLeft(s[i+1:], " \t")
		if value, s, ok = paramValue(s); !ok {
			return "", false, false
		}
		if strings.EqualFold(key, name) {
			return value, true, true
		}
	}
}

// paramValue reads a token or a quoted string, and gives what follows.
func paramValue(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		end := strings.IndexByte(s, ';')
		if end < 0 {
			end = len(s)
		}
		return strings.TrimRight(s[:end], " \t"), s[end:], true
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return unquote(s[1:i]), s[i+1:], true
		}
	}
	return "", "", false
}

// unquote undoes the backslashes of a quoted string.
func unquote(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}
