package intake

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

var upper = &expr.Format{Name: "upper", Normal: func(s string) (string, bool) {
	return strings.ToUpper(s), !strings.Contains(s, "?")
}}

func TestConversions(t *testing.T) {
	limited := func(f *mapping.InputField) { f.Min, f.Max = decimal("1"), decimal("1e3") }
	for _, c := range []struct {
		name string
		f    *mapping.InputField
		json string
		want string
		not  string // the check that fails
	}{
		{"integer", field("x", integerType), `8006`, `8006`, ""},
		{"integer as text", field("x", integerType), `"8006"`, `8006`, ""},
		{"integer between blanks", field("x", integerType), `" 8006\t"`, `8006`, ""},
		{"integer with leading zeros", field("x", integerType), `"008006"`, `8006`, ""},
		{"integer zero", field("x", integerType), `"000"`, `0`, ""},
		{"integer of thirty digits", field("x", integerType), `"123456789012345678901234567890"`, `123456789012345678901234567890`, ""},
		{"integer below zero", field("x", integerType), `-5`, `-5`, ""},
		{"integer text with a sign", field("x", integerType), `"-5"`, ``, "type"},
		{"integer text with a plus", field("x", integerType), `"+5"`, ``, "type"},
		{"integer with a point", field("x", integerType), `5.0`, ``, "type"},
		{"integer text with a point", field("x", integerType), `"5.0"`, ``, "type"},
		{"integer with an exponent", field("x", integerType), `1e3`, ``, "type"},
		{"integer text of two", field("x", integerType), `"5 6"`, ``, "type"},
		{"integer text of other digits", field("x", integerType), `"٣"`, ``, "type"},
		{"integer of blanks", field("x", integerType), `" "`, ``, "type"},
		{"integer of true", field("x", integerType), `true`, ``, "type"},
		{"integer of a list", field("x", integerType), `[5]`, ``, "type"},
		{"integer at its least", field("x", integerType, limited), `1`, `1`, ""},
		{"integer too small", field("x", integerType, limited), `"0"`, ``, "minimum"},
		{"integer at its most", field("x", integerType, limited), `1000`, `1000`, ""},
		{"integer too great", field("x", integerType, limited), `1001`, ``, "maximum"},
		{"number keeps its digits", field("x", numberType), `1.10`, `1.10`, ""},
		{"number as text", field("x", numberType), `" -23.550520 "`, `-23.550520`, ""},
		{"number as text with zeros", field("x", numberType), `"007.50"`, `7.50`, ""},
		{"number with an exponent", field("x", numberType), `"1E+400"`, `1E+400`, ""},
		{"number far beyond", field("x", numberType, limited), `1e99999`, ``, "maximum"},
		{"number far below", field("x", numberType, limited), `-1e99999`, ``, "minimum"},
		{"number with a comma", field("x", numberType), `"1,5"`, ``, "type"},
		{"number with a bare point", field("x", numberType), `"1."`, ``, "type"},
		{"number without digits", field("x", numberType), `"-"`, ``, "type"},
		{"number that is none", field("x", numberType), `"NaN"`, ``, "type"},
		{"number with half an exponent", field("x", numberType), `"1e+"`, ``, "type"},
		{"number of an enum", field("x", numberType, func(f *mapping.InputField) { f.Enum = []string{"1.5", "2"} }), `1.50`, `1.50`, ""},
		{"number outside an enum", field("x", numberType, func(f *mapping.InputField) { f.Enum = []string{"1.5"} }), `2`, ``, "enum"},
		{"true", field("x", boolType), `true`, `true`, ""},
		{"true as text", field("x", boolType), `"True"`, `true`, ""},
		{"true as one", field("x", boolType), `"1"`, `true`, ""},
		{"false as zero", field("x", boolType), `0`, `false`, ""},
		{"false as text", field("x", boolType), `"false"`, `false`, ""},
		{"boolean of another number", field("x", boolType), `2`, ``, "type"},
		{"boolean of a word", field("x", boolType), `"sim"`, ``, "type"},
		{"boolean of an object", field("x", boolType), `{}`, ``, "type"},
		{"text passes as it came", field("x", textType), `"a\"\u00e9\n\ud800"`, `"a\"\u00e9\n\ud800"`, ""},
		{"text of a number's digits", field("x", textType), `1.10`, `"1.10"`, ""},
		{"text keeps its blanks", field("x", textType), `"  a "`, `"  a "`, ""},
		{"text of a boolean", field("x", textType), `true`, ``, "type"},
		{"text of an object", field("x", textType), `{"a":1}`, ``, "type"},
		{"text in normal form", field("x", textType, func(f *mapping.InputField) { f.Format = upper }), `"ab"`, `"AB"`, ""},
		{"text not of its format", field("x", textType, func(f *mapping.InputField) { f.Format = upper }), `"a?"`, ``, "format"},
		{"text of an enum", field("x", textType, func(f *mapping.InputField) { f.Enum = []string{"a", "b"} }), `"b"`, `"b"`, ""},
		{"text outside an enum", field("x", textType, func(f *mapping.InputField) { f.Enum = []string{"a", "b"} }), `"B"`, ``, "enum"},
		{"text of a pattern", field("x", textType, func(f *mapping.InputField) { f.Pattern = regexp.MustCompile(`^a+$`).MatchString }), `"aa"`, `"aa"`, ""},
		{"text not of a pattern", field("x", textType, func(f *mapping.InputField) { f.Pattern = regexp.MustCompile(`^a+$`).MatchString }), `"ab"`, ``, "pattern"},
		{"text of three characters", field("x", textType, func(f *mapping.InputField) { f.MinLength, f.MaxLength = 3, 3 }), `"ção"`, `"ção"`, ""},
		{"text too short", field("x", textType, func(f *mapping.InputField) { f.MinLength = 4 }), `"ção"`, ``, "minLength"},
		{"text too long", field("x", textType, func(f *mapping.InputField) { f.MaxLength = 2 }), `"ção"`, ``, "maxLength"},
		{"any passes as it came", field("x", anyType), `{"a": [1.10, "\u00e9"]}`, `{"a": [1.10, "\u00e9"]}`, ""},
		{"list of anything", field("x", listType), `[1,"a",null]`, `[1,"a",null]`, ""},
		{"list too short", field("x", listType, func(f *mapping.InputField) { f.MinLength = 1 }), `[]`, ``, "minLength"},
		{"list of one that is no list", field("x", listType), `{"a":1}`, ``, "type"},
		{"object as it came", field("x", objectType), `{"a":1}`, `{"a":1}`, ""},
		{"object that is none", field("x", objectType), `[1]`, ``, "type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, p := take(t, routeOf(c.f), jsonBody(`{"x":`+c.json+`}`))
			if c.not == "" {
				require.Nil(t, p)
				require.Equal(t, `{"x":`+c.want+`}`, got)
				return
			}
			m := street().Messages[c.not]
			require.Equal(t, &Problem{Kind: mapping.BadInput, Message: m.Before + "x" + m.After, Fields: []string{"/x"}}, told(t, p))
		})
	}
}

func TestAbsent(t *testing.T) {
	def := jsonx.TextValue("d")
	route := func() *mapping.Route {
		return routeOf(field("a", textType), field("b", textType, func(f *mapping.InputField) { f.Default = def }), field("c", integerType, required))
	}
	for _, c := range []struct {
		name string
		r    *Request
		want string
	}{
		{"nothing there", form("c=1"), `{"b":"d","c":1}`},
		{"left empty", form("a=&b=&c=1"), `{"b":"d","c":1}`},
		{"None", form("a=None&b=None&c=1"), `{"b":"d","c":1}`},
		{"none is a text", form("a=none&b=NONE&c=1"), `{"a":"none","b":"NONE","c":1}`},
		{"null", jsonBody(`{"a":null,"b":null,"c":1}`), `{"b":"d","c":1}`},
		{"None in JSON", jsonBody(`{"a":"None","b":"","c":1}`), `{"b":"d","c":1}`},
		{"a blank is a value", form("a=+&c=1"), `{"a":" ","b":"d","c":1}`},
	} {
		t.Run(c.name, func(t *testing.T) { requireInput(t, c.want, route(), c.r) })
	}
	for _, body := range []string{"", "c=", "c=None"} {
		_, p := take(t, route(), form(body))
		require.Equal(t, &Problem{Kind: mapping.BadInput, Message: "falta c", Fields: []string{"/c"}}, told(t, p))
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	line := field("linhas", listType, func(f *mapping.InputField) {
		f.Items = field("linhas", objectType, func(f *mapping.InputField) {
			f.Fields = []*mapping.InputField{field("n", integerType, required), field("a/b~", textType, required)}
		})
	})
	route := routeOf(
		field("a", integerType, required), field("b", integerType), field("c", textType, func(f *mapping.InputField) { f.MaxLength = 1 }), line,
		field("d", textType, names("d", "dd")))
	_, p := take(t, route, jsonBody(`{"b":"x","c":"long","linhas":[{"n":1,"a/b~":"y"},{"n":"z"},7,null],"d":1,"d":2}`))
	require.Equal(t, &Problem{
		Kind:    mapping.BadInput,
		Message: "falta a; b não serve; c longo; linhas[1].n não serve; falta linhas[1].a/b~; linhas[2] não serve; falta linhas[3]; d repetido",
		Fields:  []string{"/a", "/b", "/c", "/linhas/1/n", "/linhas/1/a~1b~0", "/linhas/2", "/linhas/3", "/d"},
	}, told(t, p))
}

func TestRepeated(t *testing.T) {
	want := &Problem{Kind: mapping.BadInput, Message: "n repetido", Fields: []string{"/n"}}
	for name, r := range map[string]*Request{
		"form":                  form("n=1&n=1"),
		"form, the first empty": form("n=&n=1"),
		"query":                 {Query: "n=1&n=2"},
		"JSON":                  jsonBody(`{"n":1,"\u006e":1}`),
		"multipart":             multi(part("n", "1") + part("n", "2") + "--b--"),
	} {
		t.Run(name, func(t *testing.T) {
			_, p := take(t, routeOf(field("n", integerType, required)), r)
			require.Equal(t, want, told(t, p))
		})
	}
}

func TestNestedRepeatedKey(t *testing.T) {
	o := field("o", objectType, func(f *mapping.InputField) { f.Fields = []*mapping.InputField{field("n", integerType)} })
	_, p := take(t, routeOf(o), jsonBody(`{"o":{"n":1,"n":2}}`))
	require.Equal(t, &Problem{Kind: mapping.BadInput, Message: "o.n repetido", Fields: []string{"/o/n"}}, told(t, p))
}

func TestLists(t *testing.T) {
	route := func() *mapping.Route {
		return routeOf(field("t", listType, func(f *mapping.InputField) { f.Items = field("t", integerType) }))
	}
	for _, body := range []string{"t=5&t=6", "t[]=5&t[]=6", "t%5B0%5D=5&t%5B1%5D=6"} {
		requireInput(t, `{"t":[5,6]}`, route(), form(body))
	}
	requireInput(t, `{"t":[5,6]}`, route(), jsonBody(`{"t":["5",6]}`))
	requireInput(t, `{"t":[5]}`, route(), form("t=5&t[x]=6"))
	requireInput(t, `{}`, route(), form("t="))
}

func TestUnderItsOwnName(t *testing.T) {
	f := field("agent", textType, names("agente", "agent"))
	requireInput(t, `{"agent":"7"}`, routeOf(f), form("agente=7"))
	requireInput(t, `{"agent":"8"}`, routeOf(f), form("agent=8&agente="))
	requireInput(t, `{"agent":"7"}`, routeOf(f), form("agent=8&agente=7"))
}

func TestNoWordsOfTheDialect(t *testing.T) {
	route := routeOf(field("n", integerType))
	route.Dialect.Messages = nil
	_, p := take(t, route, form("n=x"))
	require.Equal(t, "n is not accepted", p.Message)
}

// TestValuesAreNeverTold gives every check a value that must not be found in its message.
func TestValuesAreNeverTold(t *testing.T) {
	const value = "52998224725"
	route := routeOf(
		field("a", boolType), field("b", textType, func(f *mapping.InputField) { f.MaxLength = 1 }),
		field("c", textType, func(f *mapping.InputField) { f.Enum = []string{"x"} }), field("d", integerType, func(f *mapping.InputField) { f.Max = decimal("1") }))
	for _, r := range []*Request{
		form("a=" + value + "&b=" + value + "&c=" + value + "&d=" + value),
		jsonBody(`{"a":"` + value + `" "b"}`), jsonBody(value), form("a=" + value + "%"), multi(value), {Type: value, Body: value},
	} {
		_, p := take(t, route, r)
		require.NotNil(t, p)
		require.NotContains(t, p.Message, value)
	}
}

func TestLongInput(t *testing.T) {
	long := strings.Repeat("é", 1024)
	requireInput(t, `{"s":"`+long+`"}`, routeOf(field("s", textType)), form("s="+long))
}
