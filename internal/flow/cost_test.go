package flow_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/store"
)

// canned answers every call with the same document, at the cost of a classified answer.
type canned struct{ body []byte }

func (c canned) Call(_ context.Context, call *backend.Call) *backend.Answer {
	return backend.NewAnswer(call.Operation, 200, "application/json", c.body)
}

const costText = `
input: { id: { type: string, required: true } }
steps:
  known: { recall: seen, key: "${input.id}" }
  item: { when: known == nil, call: shop.item, with: { id: "${input.id}" } }
  made: { call: shop.order, body: { id: "${item.id}" }, catch: { refused: continue } }
reply:
  - { when: steps.made.state == "refused", json: { msg: none } }
  - json: { name: "${?item?.name}", number: "${?made?.number}", size: "${?item?.size}" }
`

// costly gives a function that runs a mapping of three steps once.
func costly(t testing.TB, text string) func() {
	set := load(t, text, findFlow)
	p := set.Routes[0].Plan
	env := &flow.Env{Calls: canned{[]byte(`{"id":"a","name":"n","size":1,"number":"7"}`)}, Memory: store.NewLocal(10), Now: noon, Zone: time.UTC}
	input := jsonx.RawValue(`{"id":"a"}`)
	buf := make([]byte, 0, 512)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	t.Cleanup(cancel)
	return func() {
		f := expr.NewFrame(p.Layout, noon, time.UTC)
		out := flow.Run(ctx, p, f, flow.Given{Input: input}, env, buf[:0])
		f.Release()
		if out.Problem != nil || len(out.Body) == 0 {
			t.Fatalf("%+v", out.Problem)
		}
	}
}

func TestStepsInARowCostNothing(t *testing.T) {
	once := costly(t, costText)
	require.LessOrEqual(t, testing.AllocsPerRun(200, once), float64(allowed))
}

func BenchmarkSteps(b *testing.B) {
	once := costly(b, costText)
	b.ReportAllocs()
	for b.Loop() {
		once()
	}
}

func BenchmarkFlow(b *testing.B) {
	once := costly(b, `
steps: { found: { call: flows.find, with: { id: a } } }
reply: [{ json: "${found}" }]
`)
	b.ReportAllocs()
	for b.Loop() {
		once()
	}
}

func BenchmarkTogether(b *testing.B) {
	once := costly(b, `
steps: { a: { call: shop.item, with: { id: a } }, b: { call: shop.item, with: { id: b } } }
reply: [{ json: ["${a.id}", "${b.id}"] }]
`)
	b.ReportAllocs()
	for b.Loop() {
		once()
	}
}
