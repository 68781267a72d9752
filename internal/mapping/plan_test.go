package mapping_test

import (
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// good loads files that must be without fault.
func good(t *testing.T, files string) *mapping.Set {
	t.Helper()
	set, list := load(t, txtar.Parse([]byte(files)).Files)
	require.Empty(t, list.Text())
	return set
}

func step(p *mapping.Plan, name string) *mapping.Step {
	for _, s := range p.Steps {
		if s.Name == name {
			return s
		}
	}
	return nil
}

func names(p *mapping.Plan, indexes []int) []string {
	out := []string{}
	for _, i := range indexes {
		out = append(out, p.Steps[i].Name)
	}
	return out
}

const ordered = `
-- m.yaml --
emenda: 1
summary: Order and needs
route: { path: "items/{id}", dialect: plain, method: GET, timeout: 2s }
input: { id: { type: integer, required: true } }
let:
  maker: ${item.maker?.id}
steps:
  early: { when: maker != nil, call: shop.stock.list }
  item: { call: shop.stock.item, with: { id: "${input.id}" } }
  taken: { call: shop.stock.reserve, body: { id: "${item.id}" }, catch: { any: continue } }
  other: { call: shop.stock.list, after: [taken] }
  freed: { when: taken.number > 0, call: shop.stock.release, with: { number: "${taken.number}" } }
  beside: { call: shop.stock.reserve, body: { id: 7 }, parallel: true }
  maybe:
    switch:
      - { when: input.id == 1, use: "${item.name}" }
      - { when: input.id == 2, use: "${text(taken.number)}" }
      - { skip: true }
    catch: { any: { use: none } }
  many: { each: "${list(early)}", as: e, call: flows.find, with: { id: "${e.id}" } }
reply:
  - when: steps.maybe.state == "skipped" or steps.freed.state == "skipped" or steps.other.state == "ok"
    status: 404
    json: { n: "${len(many)}" }
  - json: { maybe: "${?maybe}", taken: "${?taken?.number}", beside: "${beside.number}" }
`

func TestOrder(t *testing.T) {
	p := good(t, ordered).Routes[0].Plan
	for _, c := range []struct {
		step  string
		deps  []string
		needs []string
	}{
		{"early", []string{"item"}, []string{"item"}},
		{"item", []string{}, []string{}},
		{"taken", []string{"early", "item"}, []string{}},
		{"other", []string{"taken"}, []string{}},
		{"freed", []string{"early", "item", "taken", "other"}, []string{"taken"}},
		{"beside", []string{}, []string{}},
		{"maybe", []string{"item", "taken"}, []string{}},
		{"many", []string{"early"}, []string{}},
	} {
		t.Run(c.step, func(t *testing.T) {
			s := step(p, c.step)
			require.Equal(t, c.deps, names(p, s.Deps))
			require.Equal(t, c.needs, names(p, s.Needs))
		})
	}
	require.Equal(t, []string{"item"}, names(p, step(p, "taken").Cases[0].Needs))
	require.Equal(t, []string{"item"}, names(p, step(p, "maybe").Cases[0].Needs))
	require.Equal(t, []string{"taken"}, names(p, step(p, "maybe").Cases[1].Needs))
	require.Equal(t, mapping.DoSkip, step(p, "maybe").Cases[2].Action)
}

func TestEachNeeds(t *testing.T) {
	p := good(t, `
-- m.yaml --
emenda: 1
route: { path: a, dialect: plain }
steps:
  items: { call: shop.stock.list }
  single: { when: len(items) > 3, call: shop.stock.item, with: { id: 1 } }
  plain: { each: "${items}", as: e, call: shop.stock.item, with: { id: "${single.id}", lang: "${e.name}" } }
  switched:
    each: ${items}
    as: e
    switch:
      - { when: e.id > 1, use: "${single.name}" }
      - { when: e.id > 0, use: "${e.name}" }
      - { skip: true }
reply:
  - when: steps.plain.state == "skipped"
    json: { n: "${map(switched, # ?? '')}" }
  - json: { n: "${map(list(plain), .name)}", s: "${any(steps.switched.items, .state == 'skipped')}" }
`).Routes[0].Plan
	require.Equal(t, []string{"items", "single"}, names(p, step(p, "plain").Needs), "no element can go without it")
	require.Empty(t, step(p, "plain").Cases[0].Needs)
	require.Equal(t, []string{"items"}, names(p, step(p, "switched").Needs))
	require.Equal(t, []string{"single"}, names(p, step(p, "switched").Cases[0].Needs))
}

func TestPlan(t *testing.T) {
	set := good(t, ordered)
	r := set.Routes[0]
	require.Equal(t, "plain/items/{id}", r.Plan.Name)
	require.Equal(t, "plain.items/{id}", r.Needs)
	require.Equal(t, []string{"GET"}, r.Methods)
	require.Equal(t, 2*time.Second, r.Timeout)
	require.Same(t, set.Dialects["plain"], r.Dialect)
	require.Same(t, r.Dialect.Errors, r.Errors)
	require.Equal(t, "Order and needs", r.Plan.Summary)

	p := r.Plan
	require.Equal(t, -1, p.Slots.Request, "nothing reads request")
	require.Equal(t, -1, p.Slots.Error)
	require.Equal(t, -1, p.Slots.Failures)
	require.NotEqual(t, -1, p.Slots.Input)
	require.Equal(t, -1, step(p, "item").Meta, "nothing reads steps.item")
	require.NotEqual(t, -1, step(p, "maybe").Meta)
	require.True(t, step(p, "taken").Changes)
	require.False(t, step(p, "item").Changes)
	require.Equal(t, 8, step(p, "many").Each.AtMost)
	require.Same(t, set.Flows["find"], step(p, "many").Cases[0].Call.Flow)
	require.Equal(t, 404, p.Replies[0].Status)
	require.Nil(t, p.Replies[1].When)
	require.Equal(t, 200, p.Replies[1].Status)
	require.Equal(t, "application/json", p.Replies[1].Type)
	require.Equal(t, "flows.find", set.Flows["find"].Name)
}

func TestCatchOrder(t *testing.T) {
	p := good(t, `
-- m.yaml --
emenda: 1
route: { path: a, dialect: plain }
steps:
  a:
    call: shop.stock.reserve
    body: { id: 1 }
    catch: { any: continue, refused: continue, 409: continue, timeout: { use: { number: 0 } } }
reply: [{ json: { n: "${?a?.number}" } }]
`).Routes[0].Plan
	var got []any
	for _, e := range p.Steps[0].Catch.Entries {
		got = append(got, e.Kind)
	}
	require.Equal(t, []any{mapping.CatchClass, mapping.CatchStatus, mapping.CatchState, mapping.CatchAny}, got)
	require.Equal(t, contract.Refused, p.Steps[0].Catch.Entries[2].State)
	require.Equal(t, 409, p.Steps[0].Catch.Entries[1].Status)
	require.NotNil(t, p.Steps[0].Catch.Entries[0].Use)
}

func TestInput(t *testing.T) {
	p := good(t, `
-- m.yaml --
emenda: 1
route: { path: a, dialect: plain }
input:
  agent: { type: string, names: [agente], format: code, minLength: 1, maxLength: 9 }
  count: { type: integer, default: 3, minimum: 1, maximum: 5 }
  kind: { type: string, enum: [a, b], required: true }
  tags: { type: array, items: { type: string, pattern: "^[a-z]+$" } }
  at: { type: object, properties: { lat: { type: number, required: true } } }
  back: { type: string, echo: true }
reply: [{ json: "${input}" }]
`).Routes[0].Plan
	f := p.Input.Fields
	require.Equal(t, []string{"agente", "agent"}, f[0].Names)
	require.Equal(t, "code", f[0].Format.Name)
	require.Equal(t, []int{1, 9}, []int{f[0].MinLength, f[0].MaxLength})
	require.True(t, f[0].Type.Null)
	require.Equal(t, "3", f[1].Default.Text())
	require.Equal(t, jsonx.Number, f[1].Default.Kind())
	require.False(t, f[1].Type.Null, "a default is a value")
	require.Equal(t, -1, f[1].Min.Cmp(*f[1].Max))
	require.Equal(t, []string{"a", "b"}, f[2].Enum)
	require.True(t, f[2].Required)
	require.True(t, f[3].List)
	require.True(t, f[3].Items.Pattern("abc"))
	require.False(t, f[3].Items.Pattern("a1"))
	require.Equal(t, "lat", f[4].Fields[0].Name)
	require.True(t, f[5].Echo)
}

func TestDialect(t *testing.T) {
	d := good(t, `
-- dialects/ivr.yaml --
emenda: 1
dialect: ivr
prefixes: [/ws/, /api]
methods: [POST]
slash: never
read: [form, multipart, json, query]
charset: [utf-8, iso-8859-1]
absent: ["", None]
sign_in:
  - body: { token: token, app: app }
  - query: { token: t }
  - header: { token: Authorization, scheme: Token, app: App }
errors:
  not_signed_in: { status: 403, text: '{"detail":"no"}', type: application/json }
  bad_input: { status: 200, json: { msg: "${error.message}" } }
  refused: bad_input
  failed: { status: 503, json: { detail: away } }
  timeout: failed
messages: { required: "where is {field}?", type: wrong }
`).Dialects["ivr"]
	require.Equal(t, []string{"/ws", "/api"}, d.Prefixes)
	require.Equal(t, mapping.SlashNever, d.Slash)
	require.Equal(t, []mapping.ReadKind{mapping.ReadForm, mapping.ReadMultipart, mapping.ReadJSON, mapping.ReadQuery}, d.Read)
	require.Equal(t, []string{"", "None"}, d.Absent)
	require.Equal(t, []mapping.SignInPlace{
		{Place: mapping.PlaceBody, Token: "token", App: "app"},
		{Place: mapping.PlaceQuery, Token: "t"},
		{Place: mapping.PlaceHeader, Token: "Authorization", App: "App", Scheme: "Token"},
	}, d.SignIn)
	require.Equal(t, `{"detail":"no"}`, d.Errors[mapping.NotSignedIn].Text)
	require.Equal(t, "application/json", d.Errors[mapping.NotSignedIn].Type)
	require.Equal(t, &mapping.Message{Before: "where is ", After: "?", Field: true, Text: "where is {field}?"}, d.Messages["required"])
	require.Equal(t, &mapping.Message{Before: "wrong", Text: "wrong"}, d.Messages["type"])
	require.Equal(t, &mapping.Message{After: " is too small", Field: true, Text: "{field} is too small"}, d.Messages["minimum"])

	statuses := map[string]int{}
	for _, k := range mapping.ErrorKinds() {
		require.NotNil(t, d.Errors[k], k)
		require.Equal(t, k, d.Errors[k].Kind)
		statuses[k.String()] = d.Errors[k].Status
	}
	require.Equal(t, map[string]int{
		"unreadable": 400, "not_signed_in": 403, "bad_sign_in": 403, "forbidden": 403, "limited": 429,
		"no_route": 404, "bad_method": 405, "too_large": 413, "bad_input": 200, "repeat_differs": 422,
		"refused": 200, "failed": 503, "timeout": 503, "unavailable": 503, "store_down": 503, "internal": 500,
	}, statuses)
}

func TestRouteErrors(t *testing.T) {
	set := good(t, `
-- m.yaml --
emenda: 1
route: { path: a, dialect: plain, errors: { bad_input: { status: 200, json: { msg: "${error.message}" } }, refused: bad_input } }
reply: [{ json: 1 }]
`)
	r := set.Routes[0]
	require.Equal(t, 200, r.Errors[mapping.BadInput].Status)
	require.Equal(t, 200, r.Errors[mapping.KindRefused].Status)
	require.Equal(t, mapping.KindRefused, r.Errors[mapping.KindRefused].Kind)
	require.Same(t, r.Dialect.Errors[mapping.KindFailed], r.Errors[mapping.KindFailed])
	require.Equal(t, 400, r.Dialect.Errors[mapping.BadInput].Status)
}
