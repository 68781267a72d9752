package plugins

import (
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// documentKind is one kind of document that people and companies show.
type documentKind struct {
	form  func(text string) bool // whether it looks like one
	check func(text string) bool // whether its check digits are right, too
}

var documentKinds = map[string]documentKind{
	"NIF":       {nifForm, nifOK},
	"NIE":       {nieForm, nieOK},
	"CIF":       {cifForm, cifOK},
	"PASAPORTE": {passportForm, passportForm},
	"CPF":       {func(t string) bool { return len(bare(t)) == 11 && allOf(bare(t), isDigit) }, cpfOK},
	"CNPJ":      {cnpjForm, cnpjOK},
}

const documentNames = "NIF, NIE, CIF, PASAPORTE, CPF or CNPJ"

func documentFunctions() []*expr.Function {
	return []*expr.Function{
		documentFunction("document_form_ok", "Whether the text has the form of a document of this kind ("+documentNames+"), whatever its check digits; punctuation is ignored.",
			"12341234J", func(k documentKind, text string) bool { return k.form(text) }),
		documentFunction("document_ok", "Whether the text is a document of this kind ("+documentNames+") with right check digits, where the kind has any; punctuation is ignored.",
			"35317901K", func(k documentKind, text string) bool { return k.check(text) }),
	}
}

func documentFunction(name, help, right string, ok func(k documentKind, text string) bool) *expr.Function {
	return &expr.Function{
		Name:    name,
		Params:  []expr.Param{{Name: "kind", Type: textType}, {Name: "text", Type: textType}},
		Result:  boolType,
		Help:    help,
		Example: expr.Example{Expr: name + `("NIF", "` + right + `")`, Gives: "true"},
		Eval: func(f *expr.Frame, args []jsonx.Value) jsonx.Value {
			for _, a := range args {
				if a.Kind() != jsonx.String {
					return f.Fail("%s needs text and was given another kind", name)
				}
			}
			k, known := documentKinds[args[0].Text()]
			if !known {
				return f.Fail("%s knows %s", name, documentNames)
			}
			return jsonx.BoolValue(ok(k, args[1].Text()))
		},
	}
}

func nifForm(text string) bool {
	t := code(text)
	if len(t) != 9 || !isUpper(t[8]) || !allOf(t[1:8], isDigit) {
		return false
	}
	return isDigit(t[0]) || t[0] == 'K' || t[0] == 'L' || t[0] == 'M'
}

func nieForm(text string) bool {
	t := code(text)
	return len(t) == 9 && t[0] >= 'X' && t[0] <= 'Z' && allOf(t[1:8], isDigit) && isUpper(t[8])
}

func cifForm(text string) bool {
	t := code(text)
	return len(t) == 9 && isUpper(t[0]) && allOf(t[1:8], isDigit) && (isDigit(t[8]) || isUpper(t[8]))
}

// passportForm takes what passports of the world have: there is no check digit
// in the number itself.
func passportForm(text string) bool {
	t := code(text)
	return len(t) >= 5 && len(t) <= 15 && allOf(t, func(c byte) bool { return isDigit(c) || isUpper(c) })
}

func cnpjForm(text string) bool {
	t := code(text)
	return len(t) == 14 && allOf(t[:12], func(c byte) bool { return isDigit(c) || isUpper(c) }) && allOf(t[12:], isDigit)
}
