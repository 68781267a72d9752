// Package plugins is the one place where words of the trade may stand in Go:
// functions that mappings call and formats that inputs and contracts name, for
// documents, telephones, cards, accounts and addresses of the countries served.
//
// A plugin is a file here that declares its functions and formats, each with
// help and an example that a test executes, and is listed in Functions and
// Formats. Nothing else of the house knows them by name.
package plugins

import (
	"fmt"
	"slices"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// Functions gives the functions of all plugins, for expr.NewFunctions.
func Functions() []*expr.Function {
	return slices.Concat(brazilFunctions(), spainFunctions(), cardFunctions(), accountFunctions(), phoneFunctions(), documentFunctions())
}

// Formats gives the formats of all plugins by name. It panics when two have one
// name, which every start and every test would show.
func Formats() map[string]*expr.Format {
	formats := map[string]*expr.Format{}
	for _, f := range slices.Concat(commonFormats(), brazilFormats(), spainFormats(), cardFormats(), accountFormats(), phoneFormats()) {
		if formats[f.Name] != nil {
			panic(fmt.Sprintf("plugins: two formats are named %s", f.Name))
		}
		formats[f.Name] = f
	}
	return formats
}

// The types of the signatures here.
var (
	textType  = &expr.Type{Kind: expr.TextType}
	maybeText = &expr.Type{Kind: expr.TextType, Null: true}
	boolType  = &expr.Type{Kind: expr.BoolType}
)

// okFunction makes a function that tells whether a text is right.
func okFunction(name, help, right string, ok func(string) bool) *expr.Function {
	return &expr.Function{
		Name:    name,
		Params:  []expr.Param{{Name: "text", Type: textType}},
		Result:  boolType,
		Help:    help,
		Example: expr.Example{Expr: fmt.Sprintf("%s(%q)", name, right), Gives: "true"},
		Eval: func(f *expr.Frame, args []jsonx.Value) jsonx.Value {
			if args[0].Kind() != jsonx.String {
				return f.Fail("%s needs text and was given another kind", name)
			}
			return jsonx.BoolValue(ok(args[0].Text()))
		},
	}
}

// normalFunction makes a function that brings a text into normal form, and
// gives no value for a text that has none.
func normalFunction(name, help, in, out string, normal func(string) (string, bool)) *expr.Function {
	return &expr.Function{
		Name:    name,
		Params:  []expr.Param{{Name: "text", Type: textType, None: expr.NonePasses}},
		Result:  maybeText,
		Help:    help,
		Example: expr.Example{Expr: fmt.Sprintf("%s(%q)", name, in), Gives: fmt.Sprintf("%q", out)},
		Eval: func(f *expr.Frame, args []jsonx.Value) jsonx.Value {
			if args[0].Kind() != jsonx.String {
				return f.Fail("%s needs text and was given another kind", name)
			}
			text, ok := normal(args[0].Text())
			if !ok {
				return jsonx.Value{}
			}
			return jsonx.TextValue(text)
		},
	}
}
