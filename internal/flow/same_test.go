package flow_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// TestSameTogetherAsOneByOne runs a plan whose steps end in every mixture of
// ways, with calls side by side and one at a time: replies are the same.
func TestSameTogetherAsOneByOne(t *testing.T) {
	set := load(t, `
input: { ids: { type: array, items: { type: string }, required: true } }
steps:
  a: { call: shop.other, body: { id: a }, catch: { any: continue } }
  b: { call: shop.other, body: { id: b }, catch: { refused: { use: { id: used } }, any: continue } }
  c: { when: a?.id == "a", call: shop.other, body: { id: c, other: "${b.id}" }, catch: { any: continue } }
  d: { call: flows.two, with: { id: "${a?.id ?? 'none'}" }, catch: { any: continue } }
  e: { each: "${input.ids}", as: id, at_most: 2, call: shop.other, body: { id: "${id}" }, catch: { any: continue } }
  f: { call: shop.order, body: { id: f }, catch: { any: continue } }
reply:
  - { json: { a: "${?a?.id}", b: "${?b?.id}", c: "${?c?.id}", d: "${?d?.id}", e: "${map(e, #?.id ?? null)}", f: "${?f?.number}", states: ["${steps.c.state}", "${steps.d.state}", "${steps.e.state}", "${steps.f.state}"], failures: "${failures}" } }
`, `flow: two
input: { id: { type: string, required: true } }
steps:
  x: { call: shop.other, body: { id: x } }
  y: { call: shop.other, body: { id: y }, catch: { any: continue } }
result: { id: "${x.id}${y?.id ?? '-'}" }
`)
	rapid.Check(t, func(rt *rapid.T) {
		ends := map[string]contract.State{}
		for _, id := range []string{"a", "b", "c", "x", "y", "f", "1", "2", "3"} {
			ends[id] = rapid.SampledFrom([]contract.State{contract.OK, contract.OK, contract.Refused, contract.Failed}).Draw(rt, id)
		}
		answer := func(_ context.Context, c *backend.Call) *backend.Answer {
			id := jsonx.RawValue(string(c.Request.Body)).Get("id").Text()
			if ends[id] == contract.OK {
				return good(c, `{"id":"`+id+`","number":"`+id+`"}`)
			}
			return ended(c, ends[id], "status", 500, "")
		}
		shelf := func() *shelf { return newShelf().does("other", answer).does("order", answer) }
		const input = `{"ids":["1","2","3"]}`
		want := run(t, set, shelf(), input)
		got := run(t, set, shelf(), input, together)
		requireReply(t, want.body, got)
		require.Subset(t, got.calls, want.calls) // y may have begun when x fails
	})
}
