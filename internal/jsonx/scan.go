package jsonx

import "strings"

// The functions here move over text that was validated before. On text that
// was not they stop somewhere, but never leave it.

// skipSpace gives the position of the first byte from i that is no JSON space.
func skipSpace(s string, i int) int {
	for i < len(s) && s[i] <= ' ' && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

// skipString gives the position of the closing quote of a string whose content
// begins at i, and whether it holds escapes.
func skipString(s string, i int) (end int, escaped bool) {
	for i < len(s) {
		switch s[i] {
		case '"':
			return i, escaped
		case '\\':
			escaped = true
			i++
		}
		i++
	}
	return len(s), escaped
}

// skipScalar gives the position behind a number or a word at i.
func skipScalar(s string, i int) int {
	for i < len(s) {
		switch s[i] {
		case ',', ']', '}', ' ', '\n', '\t', '\r', ':', '"', '[', '{':
			return i
		}
		i++
	}
	return i
}

// skipValue gives the position behind the value at i.
func skipValue(s string, i int) int {
	switch s[i] {
	case '"':
		end, _ := skipString(s, i+1)
		return min(end+1, len(s))
	case '{', '[':
		depth := 0
		for i < len(s) {
			switch s[i] {
			case '"':
				i, _ = skipString(s, i+1)
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return len(s)
	}
	return skipScalar(s, i)
}

// tooDeep gives where nesting passes bound, or -1. The text may be anything:
// this runs before the validator, whose recursion it keeps in bounds.
func tooDeep(s string, bound int) int {
	if strings.Count(s, "[")+strings.Count(s, "{") <= bound {
		return -1
	}
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i, _ = skipString(s, i+1)
		case '{', '[':
			if depth++; depth > bound {
				return i
			}
		case '}', ']':
			depth--
		}
	}
	return -1
}
