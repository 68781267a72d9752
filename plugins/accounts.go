package plugins

import "github.com/emenda-gateway/emenda/internal/expr"

func accountFunctions() []*expr.Function {
	return []*expr.Function{
		okFunction("iban_ok", "Whether the text is an IBAN of a known country's length with right check digits; blanks are ignored.",
			"ES91 2100 0418 4502 0005 1332", ibanOK),
		okFunction("ccc_ok", "Whether the text is a Spanish bank account of 20 digits with right check digits; blanks and hyphens are ignored.",
			"2100-0418-45-0200051332", cccOK),
	}
}

func accountFormats() []*expr.Format {
	return []*expr.Format{
		{
			Name: "iban", Example: "ES91 2100 0418 4502 0005 1332", Help: "an IBAN with right check digits, in capital letters without blanks",
			Normal: func(text string) (string, bool) { return code(text), ibanOK(text) },
		},
		{
			Name: "ccc", Example: "2100-0418-45-0200051332", Help: "a Spanish bank account of 20 digits with right check digits, punctuation dropped",
			Normal: func(text string) (string, bool) { return bare(text), cccOK(text) },
		},
	}
}

// ibanLengths are the lengths of the countries in the IBAN registry.
var ibanLengths = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
	"BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
	"ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
	"HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
	"LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20,
	"MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
	"QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
	"SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}

func ibanOK(text string) bool {
	t := code(text)
	if len(t) < 5 || ibanLengths[t[:2]] != len(t) || !allOf(t[2:4], isDigit) ||
		!allOf(t, func(c byte) bool { return isDigit(c) || isUpper(c) }) {
		return false
	}
	// The first four characters count last, letters as 10 to 35 (ISO 7064, modulo 97).
	rest := 0
	for i := range len(t) {
		c := t[(i+4)%len(t)]
		if isDigit(c) {
			rest = (rest*10 + int(c-'0')) % 97
		} else {
			rest = (rest*100 + int(c-'A') + 10) % 97
		}
	}
	return rest == 1
}

var cccWeights = []int{1, 2, 4, 8, 5, 10, 9, 7, 3, 6}

func cccOK(text string) bool {
	t := bare(text)
	if len(t) != 20 || !allOf(t, isDigit) {
		return false
	}
	// Bank and branch have one check digit, the account the other.
	return t[8] == cccDigit(weighted(t[:8], cccWeights[2:])) && t[9] == cccDigit(weighted(t[10:], cccWeights))
}

func cccDigit(sum int) byte {
	switch n := 11 - sum%11; n {
	case 11:
		return '0'
	case 10:
		return '1'
	default:
		return byte('0' + n)
	}
}
