package plugins

import (
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
)

func spainFunctions() []*expr.Function {
	return []*expr.Function{
		okFunction("nif_ok", "Whether the text is a Spanish NIF of a person (8 digits and a letter, or K, L, M before 7) with the right letter.",
			"11111111H", nifOK),
		okFunction("nie_ok", "Whether the text is a NIE, a foreigner's number in Spain, with the right letter.",
			"X1234567L", nieOK),
		okFunction("cif_ok", "Whether the text is a CIF, a Spanish company's number, with the right control character.",
			"A58818501", cifOK),
	}
}

func spainFormats() []*expr.Format {
	format := func(name, help, example string, ok func(string) bool) *expr.Format {
		return &expr.Format{Name: name, Help: help, Example: example, Normal: func(text string) (string, bool) {
			return code(text), ok(text)
		}}
	}
	return []*expr.Format{
		format("nif", "a Spanish NIF with the right letter, in capital letters without punctuation", "35317901K", nifOK),
		format("nie", "a NIE with the right letter, in capital letters without punctuation", "X1234567L", nieOK),
		format("cif", "a CIF with the right control character, in capital letters without punctuation", "A58818501", cifOK),
	}
}

const (
	nifLetters  = "TRWAGMYFPDXBNJZSQVHLCKE" // by number modulo 23
	cifLetters  = "JABCDEFGHI"              // by control digit
	cifKinds    = "ABCDEFGHJNPQRSUVW"
	cifByDigit  = "ABEH"   // these end in a digit
	cifByLetter = "NPQRSW" // these end in a letter, the rest in either
)

func nifOK(text string) bool {
	t := code(text)
	if len(t) != 9 {
		return false
	}
	if strings.IndexByte("KLM", t[0]) >= 0 {
		return letterFits(t[1:8], t[8])
	}
	return letterFits(t[:8], t[8])
}

func nieOK(text string) bool {
	t := code(text)
	if len(t) != 9 {
		return false
	}
	first := strings.IndexByte("XYZ", t[0])
	return first >= 0 && letterFits("012"[first:first+1]+t[1:8], t[8])
}

// letterFits tells whether letter is that of the number.
func letterFits(number string, letter byte) bool {
	if !allOf(number, isDigit) {
		return false
	}
	n, err := strconv.Atoi(number)
	return err == nil && nifLetters[n%len(nifLetters)] == letter
}

func cifOK(text string) bool {
	t := code(text)
	if len(t) != 9 || strings.IndexByte(cifKinds, t[0]) < 0 || !allOf(t[1:8], isDigit) {
		return false
	}
	sum := 0
	for i := range 7 {
		n := int(t[1+i] - '0')
		if i%2 == 0 {
			n *= 2
			n = n/10 + n%10
		}
		sum += n
	}
	control := (10 - sum%10) % 10
	digit := t[8] == byte('0'+control)
	letter := t[8] == cifLetters[control]
	switch {
	case strings.IndexByte(cifByDigit, t[0]) >= 0:
		return digit
	case strings.IndexByte(cifByLetter, t[0]) >= 0:
		return letter
	}
	return digit || letter
}
