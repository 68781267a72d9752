package plugins

import (
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
)

func phoneFunctions() []*expr.Function {
	return []*expr.Function{
		okFunction("phone_br_ok", "Whether the text is a Brazilian telephone: a DDD in use and 8 digits, or 9 beginning with 9; +55 and punctuation are ignored.",
			"+55 (11) 98765-4321", func(text string) bool { _, ok := normalPhoneBR(text); return ok }),
		normalFunction("phone_br", "The Brazilian telephone as DDD and number, digits only; no value when it is none.",
			"+55 (11) 98765-4321", "11987654321", someOf(normalPhoneBR)),
		okFunction("phone_es_ok", "Whether the text is a Spanish telephone of 9 digits beginning with 6 to 9; +34 and punctuation are ignored.",
			"+34 612 345 678", func(text string) bool { _, ok := normalPhoneES(text); return ok }),
		normalFunction("phone_es", "The Spanish telephone as 9 digits; no value when it is none.",
			"+34 612 345 678", "612345678", someOf(normalPhoneES)),
	}
}

func phoneFormats() []*expr.Format {
	return []*expr.Format{
		{
			Name: "phone_br", Example: "(11) 98765-4321", Help: "a Brazilian telephone, brought to DDD and number in digits",
			Normal: normalPhoneBR,
		},
		{
			Name: "phone_es", Example: "+34 612 345 678", Help: "a Spanish telephone, brought to its 9 digits",
			Normal: normalPhoneES,
		},
	}
}

// someOf gives normal without the text it could not accept.
func someOf(normal func(string) (string, bool)) func(string) (string, bool) {
	return func(text string) (string, bool) {
		t, ok := normal(text)
		if !ok {
			return "", false
		}
		return t, true
	}
}

// ddds are the Brazilian area codes in use.
const ddds = " 11 12 13 14 15 16 17 18 19 21 22 24 27 28 31 32 33 34 35 37 38 41 42 43 44 45 46 47 48 49" +
	" 51 53 54 55 61 62 63 64 65 66 67 68 69 71 73 74 75 77 79 81 82 83 84 85 86 87 88 89" +
	" 91 92 93 94 95 96 97 98 99 "

// phoneDigits drops what people write in telephone numbers; other characters stay.
func phoneDigits(text string) string {
	return keep(text, func(c byte) bool { return !strings.ContainsRune(" .-/()", rune(c)) })
}

func normalPhoneBR(text string) (string, bool) {
	t := phoneDigits(text)
	if rest, ok := strings.CutPrefix(t, "+55"); ok {
		t = rest
	} else if len(t) == 12 || len(t) == 13 {
		t = strings.TrimPrefix(t, "55")
	}
	if !allOf(t, isDigit) {
		return text, false
	}
	switch {
	case len(t) == 11 && t[2] == '9':
	case len(t) == 10 && t[2] >= '2':
	default:
		return text, false
	}
	return t, strings.Contains(ddds, " "+t[:2]+" ")
}

func normalPhoneES(text string) (string, bool) {
	t := phoneDigits(text)
	if rest, ok := strings.CutPrefix(t, "+34"); ok {
		t = rest
	} else if len(t) == 11 {
		t = strings.TrimPrefix(t, "34")
	}
	return t, len(t) == 9 && allOf(t, isDigit) && t[0] >= '6'
}
