package flow_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/store"
)

// TestATemplateFailsAnywhere puts a template that fails at run time in every
// place of a step: nothing is sent, the fault is ours, and catch can take it.
func TestATemplateFailsAnywhere(t *testing.T) {
	const bad = `only(input.ids)` // of two, it refuses
	for name, step := range map[string]string{
		"when":                     `when: ` + bad + ` == "a", call: shop.item, with: { id: a }`,
		"switch":                   `switch: [{ when: ` + bad + ` == "a", skip: true }, { call: shop.item, with: { id: a } }]`,
		"with":                     `call: shop.item, with: { id: "${` + bad + `}" }`,
		"body":                     `call: shop.other, body: { id: "${` + bad + `}" }`,
		"vars":                     `call: shop.other, template: note.json, vars: { _ID_: "${` + bad + `}", _N_: 1 }`,
		"patch":                    `call: shop.other, patch: { id: "${` + bad + `}" }, set: { n: 1 }`,
		"set":                      `call: shop.other, patch: { id: a }, set: { n: "${` + bad + `}" }`,
		"a path that fits nothing": `call: shop.other, patch: { id: "${input.ids}" }, set: { id.x: 1 }`,
		"flow's with":              `call: flows.find, with: { id: "${` + bad + `}" }`,
		"key":                      `recall: seen, key: "${` + bad + `}"`,
		"value":                    `remember: seen, key: a, value: { id: "${` + bad + `}" }`,
		"cache key":                `call: shop.item, with: { id: a }, cache: { key: "${` + bad + `}", for: 1m }`,
		"use":                      `switch: [{ use: { id: "${` + bad + `}" } }]`,
		"fail":                     `switch: [{ when: len(input.ids) == 2, fail: "${` + bad + `}" }, { skip: true }]`,
		"each":                     `each: "${[` + bad + `]}", as: id, call: shop.item, with: { id: "${id}" }`,
		"in each":                  `each: "${input.ids}", as: id, call: shop.item, with: { id: "${id}${` + bad + `}" }`,
		"switch in each":           `each: "${input.ids}", as: id, switch: [{ when: ` + bad + ` == id, skip: true }, { call: shop.item, with: { id: "${id}" } }]`,
		"flow's result":            `call: flows.ends, with: { ids: "${input.ids}" }`,
	} {
		t.Run(name, func(t *testing.T) {
			text := `
input: { ids: { type: array, items: { type: string }, required: true } }
steps:
  s: { ` + step + `CATCH }
reply:
  - { json: "${steps.s.error?.class ?? steps.s.state}" }
`
			flows := []string{findFlow, `flow: ends
input: { ids: { type: array, items: { type: string }, required: true } }
steps: {}
result: { a: "${only(input.ids)}" }
`}
			with := remembering(store.NewLocal(10))
			got := run(t, load(t, replace(text, "CATCH", ""), flows...), newShelf(), `{"ids":["a","b"]}`, with)
			require.NotNil(t, got.Problem)
			require.Equal(t, "internal", got.Problem.Kind.String())
			require.Equal(t, "template", got.Problem.Class)
			require.NotNil(t, got.Problem.Cause)
			require.NotNil(t, got.Problem.Cause.At.File, got.Problem.Cause.Message)
			require.Empty(t, got.calls)

			got = run(t, load(t, replace(text, "CATCH", ", catch: { any: continue }"), flows...), newShelf(), `{"ids":["a","b"]}`, with)
			requireReply(t, `"template"`, got)
			require.Empty(t, got.calls)
		})
	}
}

func TestACatchThatFailsIsOurs(t *testing.T) {
	for name, catch := range map[string]string{"use": `{ use: { id: "${only(input.ids)}" } }`, "fail": `{ fail: "${only(input.ids)}" }`} {
		set := load(t, `
input: { ids: { type: array, items: { type: string }, required: true } }
steps:
  s: { call: shop.item, with: { id: a }, catch: { any: `+catch+` } }
reply: [{ json: "${steps.s.state}" }]
`)
		got := run(t, set, newShelf().ends("item", contract.Failed, "status", 500, ""), `{"ids":["a","b"]}`)
		require.Equal(t, "internal", got.Problem.Kind.String(), name)
		require.Contains(t, got.Problem.Cause.Error(), "t.yaml:7:", name)
	}
}

func TestAReplyThatFailsIsOurs(t *testing.T) {
	for name, reply := range map[string]string{
		"when":   `[{ when: only(input.ids) == "a", json: a }, { json: b }]`,
		"json":   `[{ json: ["much text before", "${only(input.ids)}"] }]`,
		"text":   `[{ text: "${only(input.ids)}" }]`,
		"header": `[{ json: a, header: { X-A: "${only(input.ids)}" } }]`,
		"path":   `[{ patch: { a: "${input.ids}" }, set: { a.x: 1 } }]`,
		"patch":  `[{ patch: { a: 1 }, set: { b: "${only(input.ids)}" } }]`,
	} {
		t.Run(name, func(t *testing.T) {
			set := load(t, "\ninput: { ids: { type: array, items: { type: string }, required: true } }\nsteps: {}\nreply: "+reply+"\n")
			got := run(t, set, newShelf(), `{"ids":["a","b"]}`)
			require.Equal(t, "internal", got.Problem.Kind.String())
			require.Equal(t, "template", got.Problem.Class)
			require.Contains(t, got.Problem.Cause.Error(), "t.yaml:7:")
			require.Empty(t, got.body)
			require.Equal(t, -1, got.Index)
		})
	}
}
