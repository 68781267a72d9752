package intake

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// loaded compiles a mapping of the dialect street from YAML.
func loaded(t testing.TB, text string) *mapping.Route {
	t.Helper()
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	consts, list := yamldoc.Parse(diag.NewFile("gateway.yaml", "most: 10\n"))
	require.Empty(t, list)
	set, list := mapping.Load([]*diag.File{
		diag.NewFile("dialects/street.yaml", `emenda: 1
dialect: street
prefixes: [/street]
methods: [POST]
read: [form, json, query]
absent: ["", None]
charset: [utf-8, iso-8859-1]
messages: { required: "falta {field}" }
sign_in:
  - body: { token: token, app: app }
errors:
  not_signed_in: { status: 403, json: { error: no } }
  bad_input: { status: 400, json: { error: "${error.message}" } }
  refused: { status: 422, json: { error: "${error.message}" } }
  failed: { status: 502, json: { error: later } }
`),
		diag.NewFile("t.yaml", "emenda: 1\nsummary: a test\nroute: { path: t, dialect: street }\n"+text),
	}, nil, mapping.World{Functions: fns, Config: &config.Config{Const: consts}})
	require.Empty(t, list)
	return set.Routes[0]
}

const ruled = `
input:
  a: { type: integer }
  b: { type: integer, required: true }
let:
  total: ${(input.a ?? 0) + input.b}
rules:
  - that: input.a == nil or input.a != input.b
    at: /a
    else: a e b iguais
  - that: total <= const.most
    else: "mais de ${const.most}"
  - that: input.b > 1
    at: /b
    level: warn
    else: "b pequeno, ${caller.name}"
  - that: input.b > 0
    level: warn
    else: b zero em ${date(now, "yyyy")}
reply: [{ json: { total: "${total}", warnings: "${warnings}" } }]
`

func TestRules(t *testing.T) {
	route := loaded(t, ruled)
	for _, c := range []struct {
		name, body string
		strict     bool
		warnings   string
		problem    *Problem
	}{
		{"all hold", "a=2&b=3", false, `[]`, nil},
		{"all that do not hold are told", "a=6&b=6", false, "", &Problem{Kind: mapping.BadInput, Message: "a e b iguais; mais de 10", Fields: []string{"/a"}}},
		{"warnings", "b=0", false, `[{"pointer":"#/b","code":"rule","detail":"b pequeno, ivr"},{"pointer":"#","code":"rule","detail":"b zero em 2026"}]`, nil},
		{"warnings are errors for a strict caller", "a=0&b=0", true, "", &Problem{Kind: mapping.BadInput, Message: "a e b iguais; b pequeno, ivr; b zero em 2026", Fields: []string{"/a", "/b"}}},
		{"rules wait for the fields that they read", "a=x&b=11", false, "", &Problem{Kind: mapping.BadInput, Message: "a is of the wrong type", Fields: []string{"/a"}}},
		{"other rules do not wait", "a=x&b=0", true, "", &Problem{Kind: mapping.BadInput, Message: "a is of the wrong type; b pequeno, ivr; b zero em 2026", Fields: []string{"/a", "/b"}}},
		{"rules wait for all the fields", "a=x", false, "", &Problem{Kind: mapping.BadInput, Message: "a is of the wrong type; falta b", Fields: []string{"/a", "/b"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFrame(route)
			defer f.Release()
			r := form(c.body)
			fields, p := Read(f.Arena, r, route.Dialect)
			require.Nil(t, p)
			who := &Caller{Name: "ivr", Strict: c.strict, Value: jsonx.RawValue(`{"name":"ivr","strict":false}`)}
			_, warnings, p := Input(f, fields, r, route, who)
			if p != nil {
				p = told(t, p)
			}
			require.Equal(t, c.problem, p)
			require.Equal(t, c.warnings, string(warnings.AppendJSON(nil)))
		})
	}
}

func TestARuleThatCannotBeEvaluatedIsOurs(t *testing.T) {
	route := loaded(t, `
input: { a: { type: string, required: true } }
rules:
  - { that: 'date(input.a, "dd-MM-yyyy", "yyyy") == "2026"', else: x }
reply: [{ json: ok }]
`)
	_, p := take(t, route, form("a=soon"))
	require.Equal(t, mapping.Internal, p.Kind)
	require.Empty(t, p.Message)
	require.Contains(t, p.Cause.Error(), "t.yaml:7:14")
	require.NotContains(t, p.Cause.Error(), "soon")
}

// TestAFormCostsNothing pins that a usual request is read, signed in and made
// input without allocating.
func TestAFormCostsNothing(t *testing.T) {
	route := loaded(t, `
input:
  id: { type: integer, minimum: 1 }
  kind: { type: string, default: email }
  contact: { type: string, echo: true }
rules:
  - { that: input.id != nil or input.contact != nil, else: one of them }
reply: [{ json: "${input}" }]
`)
	callers := []*Caller{caller("ivr", "street", "ura", "t1"), caller("bot", "street", "bot", "t2")}
	r := &Request{Method: "POST", Type: "application/x-www-form-urlencoded; charset=UTF-8", Body: "token=t1&app=ura&id=1283321&contact=%2B5511987654321"}
	f := expr.NewFrame(route.Plan.Layout, morning, time.UTC)
	defer f.Release()
	once := func() {
		f.Arena.Reset()
		fields, p := Read(f.Arena, r, route.Dialect)
		require.Nil(t, p)
		c, p := SignIn(fields, r, route.Dialect, callers)
		require.Nil(t, p)
		if v, _, p := Input(f, fields, r, route, c); p != nil || v.Len() != 3 {
			t.Fatal(p)
		}
		fields.Release()
	}
	require.LessOrEqual(t, testing.AllocsPerRun(200, once), float64(allowed))
}

func BenchmarkForm(b *testing.B) {
	route := loaded(b, `
input:
  id: { type: integer, minimum: 1 }
  kind: { type: string, default: email }
  contact: { type: string, echo: true }
reply: [{ json: "${input}" }]
`)
	callers := []*Caller{caller("ivr", "street", "ura", "t1"), caller("bot", "street", "bot", "t2")}
	r := &Request{Method: "POST", Type: "application/x-www-form-urlencoded", Body: "token=t1&app=ura&id=1283321&contact=%2B5511987654321"}
	f := expr.NewFrame(route.Plan.Layout, morning, time.UTC)
	defer f.Release()
	b.ReportAllocs()
	for b.Loop() {
		f.Arena.Reset()
		fields, _ := Read(f.Arena, r, route.Dialect)
		c, _ := SignIn(fields, r, route.Dialect, callers)
		Input(f, fields, r, route, c)
		fields.Release()
	}
}
