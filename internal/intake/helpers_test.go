package intake

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// street is a dialect that reads everything, with words of its own for some checks.
func street() *mapping.Dialect {
	return &mapping.Dialect{
		Name:     "street",
		Read:     []mapping.ReadKind{mapping.ReadForm, mapping.ReadMultipart, mapping.ReadJSON, mapping.ReadQuery},
		Charsets: []string{"utf-8", "iso-8859-1"},
		Absent:   []string{"", "None"},
		SignIn: []mapping.SignInPlace{
			{Place: mapping.PlaceBody, Token: "token", App: "app"},
			{Place: mapping.PlaceQuery, Token: "token", App: "app"},
			{Place: mapping.PlaceHeader, Token: "Authorization", App: "App", Scheme: "Token"},
		},
		Messages: map[string]*mapping.Message{
			"required":  {Before: "falta ", Field: true},
			"type":      {Field: true, After: " não serve"},
			"minimum":   {Field: true, After: " pequeno"},
			"maximum":   {Field: true, After: " grande"},
			"minLength": {Field: true, After: " curto"},
			"maxLength": {Field: true, After: " longo"},
			"enum":      {Field: true, After: " fora da lista"},
			"pattern":   {Field: true, After: " sem o formato"},
			"format":    {Field: true, After: " inválido"},
			"repeated":  {Field: true, After: " repetido"},
		},
	}
}

var (
	textType    = &expr.Type{Kind: expr.TextType}
	integerType = &expr.Type{Kind: expr.NumberType, Integer: true}
	numberType  = &expr.Type{Kind: expr.NumberType}
	boolType    = &expr.Type{Kind: expr.BoolType}
	listType    = &expr.Type{Kind: expr.ListType}
	objectType  = &expr.Type{Kind: expr.ObjectType}
	anyType     = &expr.Type{Kind: expr.AnyType}
)

func field(name string, t *expr.Type, with ...func(*mapping.InputField)) *mapping.InputField {
	f := &mapping.InputField{Name: name, Names: []string{name}, Type: t, List: t.Kind == expr.ListType}
	for _, w := range with {
		w(f)
	}
	return f
}

func required(f *mapping.InputField) { f.Required = true }

func names(all ...string) func(*mapping.InputField) {
	return func(f *mapping.InputField) { f.Names = all }
}

func decimal(s string) *jsonx.Decimal {
	d, ok := jsonx.ParseDecimal(s)
	if !ok {
		panic(s)
	}
	return &d
}

func routeOf(fields ...*mapping.InputField) *mapping.Route {
	return &mapping.Route{
		Dialect: street(),
		Plan: &mapping.Plan{
			Layout: new(expr.Layout),
			Slots:  mapping.Slots{Input: -1, Request: -1, Caller: -1, Const: -1, Now: -1, Warnings: -1, Failures: -1, Error: -1},
			Input:  &mapping.Input{Fields: fields},
		},
	}
}

// take reads a request and makes its input: as JSON, or the problem.
func take(t interface{ Helper() }, route *mapping.Route, r *Request) (string, *Problem) {
	t.Helper()
	f := newFrame(route)
	defer f.Release()
	fields, p := Read(f.Arena, r, route.Dialect)
	if p != nil {
		return "", p
	}
	defer fields.Release()
	v, _, p := Input(f, fields, r, route, nil)
	if p != nil {
		return "", p
	}
	return string(v.AppendJSON(nil)), nil
}

func form(body string) *Request {
	return &Request{Method: "POST", Type: "application/x-www-form-urlencoded", Body: body}
}

func jsonBody(body string) *Request {
	return &Request{Method: "POST", Type: "application/json", Body: body}
}

func header(all map[string]string) func(string) string {
	return func(name string) string {
		for k, v := range all {
			if strings.EqualFold(k, name) {
				return v
			}
		}
		return ""
	}
}

func caller(name, dialect, app string, tokens ...string) *Caller {
	c := &Caller{Name: name, Dialect: dialect, App: app}
	for _, t := range tokens {
		c.Secrets = append(c.Secrets, sha256.Sum256([]byte(t)))
	}
	return c
}

func requireInput(t *testing.T, want string, route *mapping.Route, r *Request) {
	t.Helper()
	got, p := take(t, route, r)
	require.Nil(t, p, "%+v", p)
	require.Equal(t, want, got)
}

// told gives a problem without what is told one by one, which must be its message in parts.
func told(t *testing.T, p *Problem) *Problem {
	t.Helper()
	require.NotNil(t, p)
	var parts []string
	for _, w := range p.Errors {
		require.NotEmpty(t, w.Code)
		parts = append(parts, w.Detail)
	}
	require.Equal(t, p.Message, strings.Join(parts, "; "))
	out := *p
	out.Errors = nil
	return &out
}
