package plugins

import "strings"

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// allOf tells whether text is not empty and holds only bytes that are is.
func allOf(text string, is func(byte) bool) bool {
	for i := range len(text) {
		if !is(text[i]) {
			return false
		}
	}
	return text != ""
}

// keep gives the bytes of text that are is, without copying when all are.
func keep(text string, is func(byte) bool) string {
	if text == "" || allOf(text, is) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for i := range len(text) {
		if is(text[i]) {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// digitsOf gives only the digits of text.
func digitsOf(text string) string { return keep(text, isDigit) }

// bare drops what people write between the characters of a number: blanks,
// points, hyphens, slashes. Anything else stays, so that it is not accepted by mistake.
func bare(text string) string {
	return keep(text, func(c byte) bool { return !strings.ContainsRune(" .-/", rune(c)) })
}

// code is bare in capital letters, as codes of letters and digits are compared.
func code(text string) string { return strings.ToUpper(bare(text)) }

// repeated tells whether text is one character again and again: such numbers
// satisfy their check digits and were never given out.
func repeated(text string) bool { return strings.Count(text, text[:1]) == len(text) }

// weighted sums the values (ASCII - 48) of text by weights.
func weighted(text string, weights []int) int {
	sum := 0
	for i, w := range weights {
		sum += int(text[i]-'0') * w
	}
	return sum
}
