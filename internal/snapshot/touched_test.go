package snapshot

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// more are files beside the base: a chain of flows, another dialect and another backend.
var more = map[string]string{
	"mappings/flows/outer.yaml": `emenda: 1
flow: outer
input: { id: { type: integer, required: true } }
steps:
  goods: { call: flows.find, with: { id: "${input.id}" } }
result: { found: "${goods.found}" }
tests:
  - name: outer
    input: { id: 7 }
    upstream: [{ call: shop.stock.item, answer: { example: a chair } }]
    result: { found: true }
`,
	"mappings/chain.yaml": `emenda: 1
route: { path: chain, dialect: plain }
input: { id: { type: integer, required: true } }
steps:
  goods:
    switch:
      - { when: input.id > 3, call: flows.outer, with: { id: "${input.id}" } }
      - { skip: true }
reply: [{ json: { found: "${goods?.found ?? false}" } }]
tests:
  - name: chain
    caller: kiosk
    request: { json: { id: 7 } }
    upstream: [{ call: shop.stock.item, answer: { example: a chair } }]
    reply: { status: 200, json: { found: true } }
`,
	"mappings/dialects/bare.yaml": `emenda: 1
dialect: bare
prefixes: [/bare]
methods: [GET]
read: [query]
sign_in: [{ header: { token: Authorization, scheme: Bearer } }]
errors:
  not_signed_in: { status: 401, json: { error: no } }
  bad_input: { status: 400, json: { error: no } }
  refused: { status: 422, json: { error: no } }
  failed: { status: 500, json: { error: no } }
`,
	"mappings/hello.yaml": `emenda: 1
route: { path: hello, dialect: bare }
reply: [{ json: { hello: world } }]
tests:
  - { name: hello, caller: guest, request: {}, reply: { status: 200, json: { hello: world } } }
`,
	"mappings/depot.yaml": `emenda: 1
route: { path: depot, dialect: plain }
steps:
  stock: { call: depot.all }
reply: [{ json: { n: "${stock.n}" } }]
tests:
  - name: depot
    caller: kiosk
    request: { json: {} }
    upstream: [{ call: depot.all, answer: { json: { n: 1 } } }]
    reply: { status: 200, json: { n: 1 } }
`,
	"mappings/contracts/depot/more.yaml": "x-emenda-section: More\npaths: {}\n",
	"mappings/contracts/depot/depot.yaml": `openapi: 3.1.0
x-emenda: 1
info: { title: The depot, version: "1" }
paths:
  /all:
    get:
      operationId: all
      x-emenda-changes: false
      responses:
        "200":
          description: How many.
          content: { application/json: { schema: { type: object, required: [n], properties: { n: { type: integer } } } } }
`,
	"mappings/unused.yaml": "emenda: 1\nroute: { path: unused, dialect: plain }\nreply: [{ json: { a: 1 } }]\n",
}

// moreOf gives the base with more.
func moreOf(t *testing.T) map[string]string {
	texts := readBase(t)
	maps.Copy(texts, more)
	texts["gateway.yaml"] = strings.Replace(texts["gateway.yaml"], "callers:\n",
		"  depot: { contract: depot, url: \"${env:DEPOT_URL}\" }\ncallers:\n  guest: { dialect: bare, token: { secret: GUEST_TOKEN }, permissions: [\"bare.*\"] }\n", 1)
	return texts
}

func TestTouched(t *testing.T) {
	texts := moreOf(t)
	old, list := loadTexts(texts)
	require.Empty(t, list.Text())
	all := []string{"mappings/chain", "mappings/depot", "mappings/flows/outer", "mappings/hello", "mappings/reserve"}
	edit := func(file, from, to string) func(map[string]string) {
		return func(m map[string]string) {
			require.Contains(t, m[file], from)
			m[file] = strings.Replace(m[file], from, to, 1)
		}
	}
	for name, c := range map[string]struct {
		edit func(map[string]string)
		want []string
	}{
		"nothing":   {func(map[string]string) {}, nil},
		"a mapping": {edit("mappings/hello.yaml", "route:", "summary: x\nroute:"), []string{"mappings/hello"}},
		"a new mapping": {func(m map[string]string) {
			m["mappings/more.yaml"] = strings.ReplaceAll(more["mappings/hello.yaml"], "hello", "again")
		}, []string{"mappings/more"}},
		"a mapping gone": {func(m map[string]string) { delete(m, "mappings/unused.yaml") }, nil},
		"a mapping under another name": {func(m map[string]string) {
			m["mappings/moved.yaml"] = m["mappings/hello.yaml"]
			delete(m, "mappings/hello.yaml")
		}, []string{"mappings/moved"}},
		"a flow that others call": {edit("mappings/flows/outer.yaml", "flow:", "summary: x\nflow:"), []string{"mappings/chain", "mappings/flows/outer"}},
		"a flow that flows call":  {edit("mappings/flows/find.yaml", "flow:", "summary: x\nflow:"), []string{"mappings/chain", "mappings/flows/outer", "mappings/reserve"}},
		"a dialect":               {edit("mappings/dialects/bare.yaml", "status: 500", "status: 503"), []string{"mappings/hello"}},
		"a contract":              {edit("mappings/contracts/depot/depot.yaml", "How many.", "How many?"), []string{"mappings/depot"}},
		"a section of one":        {edit("mappings/contracts/depot/more.yaml", "More", "Others"), []string{"mappings/depot"}},
		"a contract behind flows": {edit("mappings/contracts/shop.yaml", "The item.", "An item."), []string{"mappings/chain", "mappings/flows/outer", "mappings/reserve"}},
		"a table":                 {edit("mappings/tables/sizes.yaml", "small", "little"), all},
		"a table gone for a mapping": {func(m map[string]string) {
			delete(m, "mappings/tables/sizes.yaml")
			m["mappings/reserve.yaml"] = strings.Replace(m["mappings/reserve.yaml"], `table("sizes", input.size)?.label ?? "?"`, `"?"`, 1)
		}, all},
		"a text":       {edit("mappings/letter.json", "note", "word"), all},
		"a new text":   {func(m map[string]string) { m["mappings/x.txt"] = "x" }, all},
		"gateway.yaml": {edit("gateway.yaml", "timeout: 3s", "timeout: 4s"), all},
		"two files": {func(m map[string]string) {
			edit("mappings/dialects/bare.yaml", "status: 500", "status: 503")(m)
			edit("mappings/contracts/depot/depot.yaml", "How many.", "How many?")(m)
		}, []string{"mappings/depot", "mappings/hello"}},
	} {
		t.Run(name, func(t *testing.T) {
			changed := maps.Clone(texts)
			c.edit(changed)
			now, list := loadTexts(changed)
			require.False(t, list.HasErrors(), list.Text())
			var got []string
			for _, f := range now.touched(old) {
				got = append(got, strings.TrimSuffix(f.Plan.File.Name, ".yaml"))
			}
			require.ElementsMatch(t, c.want, got)
		})
	}
	require.Len(t, old.touched(nil), len(all), "without an old one everything is new")
}
