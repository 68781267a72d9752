package plugins

import "github.com/emenda-gateway/emenda/internal/expr"

func cardFunctions() []*expr.Function {
	return []*expr.Function{
		okFunction("luhn_ok", "Whether the text is digits whose last one is right by Luhn; blanks and hyphens are ignored.",
			"79927398713", luhnOK),
		okFunction("iccid_ok", "Whether the text is an ICCID, a SIM card's number: 19 or 20 digits, the last one right by Luhn.",
			"8934071100272700059", iccidOK),
		okFunction("imei_ok", "Whether the text is an IMEI, a handset's number: 15 digits, the last one right by Luhn.",
			"490154203237518", imeiOK),
	}
}

func cardFormats() []*expr.Format {
	return []*expr.Format{
		{
			Name: "iccid", Example: "8934071100272700059", Help: "a SIM card's number: 19 or 20 digits, the last one right by Luhn, blanks and hyphens dropped",
			Normal: func(text string) (string, bool) { return bare(text), iccidOK(text) },
		},
		{
			Name: "imei", Example: "490154203237518", Help: "a handset's number: 15 digits, the last one right by Luhn, blanks and hyphens dropped",
			Normal: func(text string) (string, bool) { return bare(text), imeiOK(text) },
		},
	}
}

func luhnOK(text string) bool {
	t := bare(text)
	if len(t) < 2 || !allOf(t, isDigit) {
		return false
	}
	sum := 0
	for i := range len(t) {
		n := int(t[len(t)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

func iccidOK(text string) bool {
	n := len(bare(text))
	return (n == 19 || n == 20) && luhnOK(text)
}

func imeiOK(text string) bool { return len(bare(text)) == 15 && luhnOK(text) }
