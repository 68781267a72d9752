package plugins

import (
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

func brazilFunctions() []*expr.Function {
	return []*expr.Function{
		okFunction("cpf_ok", "Whether the text is a CPF with right check digits; punctuation is ignored.",
			"529.982.247-25", cpfOK),
		okFunction("cnpj_ok", "Whether the text is a CNPJ, with letters or without, with right check digits; punctuation is ignored.",
			"12.ABC.345/01DE-35", cnpjOK),
		okFunction("cpfcnpj_ok", "Whether the text is a CPF or CNPJ with right check digits; punctuation is ignored.",
			"52998224725", func(text string) bool { return cpfOK(text) || cnpjOK(text) }),
		normalFunction("cpfcnpj", "The CPF or CNPJ without punctuation; letters stay only in a CNPJ whose check digits are right; "+
			"no value when nothing is left. Check digits of plain numbers are not looked at.",
			"043.123.414-14", "04312341414", normalCPFCNPJ),
		{
			Name:    "cpfcnpj_mask",
			Params:  []expr.Param{{Name: "text", Type: textType, None: expr.NonePasses}},
			Result:  textType,
			Help:    "The CPF or CNPJ with the middle and, of a CPF, the end hidden; anything else is hidden whole.",
			Example: expr.Example{Expr: `cpfcnpj_mask("04312341414")`, Gives: `"043.***.414-**"`},
			Eval:    evalCPFCNPJMask,
		},
		okFunction("cep_ok", "Whether the text is a CEP, a postal code of 8 digits; punctuation is ignored.",
			"01310-100", func(text string) bool { _, ok := normalCEP(text); return ok }),
	}
}

func brazilFormats() []*expr.Format {
	return []*expr.Format{
		{
			Name: "cpfcnpj", Example: "043.123.414-14",
			Help:   "a CPF or CNPJ, or any number used as one: punctuation is dropped, check digits are not looked at",
			Normal: normalCPFCNPJ,
		},
		{
			Name: "cpf", Example: "529.982.247-25", Help: "a CPF with right check digits, punctuation dropped",
			Normal: func(text string) (string, bool) { return bare(text), cpfOK(text) },
		},
		{
			Name: "cnpj", Example: "12.ABC.345/01DE-35", Help: "a CNPJ with right check digits, punctuation dropped, in capital letters",
			Normal: func(text string) (string, bool) { return code(text), cnpjOK(text) },
		},
		{
			Name: "cep", Example: "01310-100", Help: "a CEP of 8 digits, punctuation dropped",
			Normal: normalCEP,
		},
	}
}

var (
	cpfWeights  = []int{11, 10, 9, 8, 7, 6, 5, 4, 3, 2}
	cnpjWeights = []int{6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}
)

// modulo11 gives the check digit of text for the last len(text) weights.
func modulo11(text string, weights []int) byte {
	rest := weighted(text, weights[len(weights)-len(text):]) % 11
	if rest < 2 {
		return '0'
	}
	return byte('0' + 11 - rest)
}

func cpfOK(text string) bool {
	t := bare(text)
	return len(t) == 11 && allOf(t, isDigit) && !repeated(t) &&
		t[9] == modulo11(t[:9], cpfWeights) && t[10] == modulo11(t[:10], cpfWeights)
}

// cnpjOK checks a CNPJ. Since July 2026 its first twelve places may hold
// letters, each counting its ASCII code less 48; the check digits stay digits.
func cnpjOK(text string) bool {
	t := code(text)
	return len(t) == 14 && allOf(t[:12], func(c byte) bool { return isDigit(c) || isUpper(c) }) && allOf(t[12:], isDigit) &&
		!repeated(t) && t[12] == modulo11(t[:12], cnpjWeights) && t[13] == modulo11(t[:13], cnpjWeights)
}

// normalCPFCNPJ drops punctuation. What remains with letters stays only if it
// is a CNPJ with right check digits; else only its digits do, for callers write
// words around documents. Check digits of numbers are the backend's business:
// documents that fail them are in use.
func normalCPFCNPJ(text string) (string, bool) {
	if allOf(text, isDigit) {
		return text, true
	}
	if t := strings.ToUpper(keep(text, isLetterOrDigit)); cnpjOK(t) {
		return t, true
	}
	t := digitsOf(text)
	return t, t != ""
}

func isLetterOrDigit(c byte) bool {
	return isDigit(c) || isUpper(c) || 'a' <= c && c <= 'z' || c >= 0x80
}

func evalCPFCNPJMask(f *expr.Frame, args []jsonx.Value) jsonx.Value {
	if args[0].Kind() != jsonx.String {
		return f.Fail("cpfcnpj_mask needs text and was given another kind")
	}
	text := code(args[0].Text())
	pattern := "***.***.***-**"
	switch {
	case len(text) == 11 && allOf(text, isDigit):
		pattern = "###.***.###-**"
	case len(text) == 14 && allOf(text, func(c byte) bool { return isDigit(c) || isUpper(c) }):
		pattern = "##.***.***/****-##"
	}
	m := f.Arena.Mark()
	f.Arena.SetBuf(expr.AppendMask(f.Arena.Buf(), text, pattern))
	return jsonx.TextValue(f.Arena.Text(m))
}

func normalCEP(text string) (string, bool) {
	t := bare(text)
	return t, len(t) == 8 && allOf(t, isDigit)
}
