package flow_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
)

// book is a guard that writes down what it is asked and told.
type book struct {
	mu      sync.Mutex
	verdict func(a *flow.Admission) flow.Verdict
	lines   []string
}

func (b *book) Admit(_ context.Context, a *flow.Admission) flow.Verdict {
	b.mu.Lock()
	defer b.mu.Unlock()
	line := "admit " + a.Step + " " + a.Target
	if a.Claim != nil {
		line += fmt.Sprintf(" claims %s %s of %d", a.Claim.Name, a.Key, a.Limit)
	}
	v := flow.Admitted
	if b.verdict != nil {
		v = b.verdict(a)
	}
	b.lines = append(b.lines, line)
	a.ID = fmt.Sprint(len(b.lines))
	return v
}

func (b *book) Settled(a *flow.Admission, state contract.State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, "settled "+a.Step+" "+state.String())
}

func guarding(b *book) setting { return func(e *flow.Env) { e.Guard = b } }

const orderText = `
input: { id: { type: string, required: true } }
steps:
  item: { call: shop.item, with: { id: "${input.id}" } }
  made:
    claim: { memory: hits, key: "${item.id}", limit: "${const.limit}" }
    call: shop.order
    body: { id: "${item.id}" }
    catch: { any: continue }
reply: [{ json: { state: "${steps.made.state}", class: "${?steps.made.error?.class}", number: "${?made?.number}" } }]
`

func TestGuard(t *testing.T) {
	set := load(t, orderText)
	always := func(v flow.Verdict) func(*flow.Admission) flow.Verdict {
		return func(*flow.Admission) flow.Verdict { return v }
	}
	for _, c := range []struct {
		name    string
		verdict flow.Verdict
		state   contract.State // of the call, when it is made
		reply   string
		lines   []string // of the guard, after it was asked
		calls   int
	}{
		{"admitted", flow.Admitted, contract.OK, `{"state":"ok","number":"7"}`, []string{"settled made ok"}, 2},
		{"admitted, refused", flow.Admitted, contract.Refused, `{"state":"refused","class":"taken"}`, []string{"settled made refused"}, 2},
		{"admitted, lost", flow.Admitted, contract.Unknown, `{"state":"unknown","class":"taken"}`, []string{"settled made unknown"}, 2},
		{"over the limit", flow.OverLimit, 0, `{"state":"refused","class":"limit"}`, nil, 1},
		{"sent before", flow.Unsettled, 0, `{"state":"unknown","class":"broken"}`, nil, 1},
		{"no store", flow.NoStore, 0, `{"state":"failed","class":"store"}`, nil, 1},
	} {
		for name, how := range map[string]setting{"one by one": func(*flowEnv) {}, "together": together} {
			t.Run(c.name+", "+name, func(t *testing.T) {
				s := newShelf().gives("item", `{"id":"A"}`)
				if c.state == contract.OK {
					s.gives("order", `{"number":"7"}`)
				} else {
					s.ends("order", c.state, "taken", 409, "")
				}
				b := &book{verdict: always(c.verdict)}
				requireReply(t, c.reply, run(t, set, s, `{"id":"a"}`, guarding(b), how))
				require.Equal(t, append([]string{`admit made shop.order claims hits "A" of 10`}, c.lines...), b.lines)
				require.Len(t, s.calls, c.calls)
			})
		}
	}
}

func TestClaimWithoutGuard(t *testing.T) {
	s := newShelf().gives("item", `{"id":"A"}`)
	requireReply(t, `{"state":"failed","class":"store"}`, run(t, load(t, orderText), s, `{"id":"a"}`))
	require.Len(t, s.calls, 1)
}

func TestGuardOfElementsAndFlows(t *testing.T) {
	set := load(t, `
input: { ids: { type: array, items: { type: string }, required: true } }
steps:
  orders: { each: "${input.ids}", as: id, claim: { memory: hits, key: "${id}", limit: 1 }, call: shop.order, body: { id: "${id}" }, catch: { limit: continue } }
  whole: { claim: { memory: hits, key: all, limit: 2 }, call: flows.order, with: { id: z } }
  free: { call: shop.order }
reply: [{ json: { states: "${map(steps.orders.items, .state)}", whole: "${whole}" } }]
`, `flow: order
input: { id: { type: string, required: true } }
steps: { inner: { call: shop.order, body: { id: "${input.id}" } } }
result: "${inner.number}"
`)
	b := &book{verdict: func(a *flow.Admission) flow.Verdict {
		if string(a.Key) == `"b"` {
			return flow.OverLimit
		}
		return flow.Admitted
	}}
	s := newShelf().gives("order", `{"number":"7"}`)
	requireReply(t, `{"states":["ok","refused","ok"],"whole":"7"}`, run(t, set, s, `{"ids":["a","b","c"]}`, guarding(b)))
	require.Equal(t, []string{
		`admit orders shop.order claims hits "a" of 1`, "settled orders ok",
		`admit orders shop.order claims hits "b" of 1`,
		`admit orders shop.order claims hits "c" of 1`, "settled orders ok",
		`admit whole flows.order claims hits "all" of 2`, "admit inner shop.order", "settled inner ok", "settled whole ok",
		"admit free shop.order", "settled free ok",
	}, b.lines)
}

// What the claim's own values come to is found out before anything is asked or sent.
func TestClaimThatCannotBeMade(t *testing.T) {
	set := load(t, `
input: { n: { type: integer } }
steps:
  item: { call: shop.item, with: { id: a } }
  made: { claim: { memory: hits, key: "${item.id}", limit: "${input.n ?? 1}" }, call: shop.order }
reply: [{ json: ok }]
`)
	for _, c := range []struct{ name, input, item, says string }{
		{"no key", `{}`, `{}`, "item.id"},
		{"a limit below nothing", `{"n":-1}`, `{"id":"A"}`, "limit is no whole number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &book{}
			got := run(t, set, newShelf().gives("item", c.item), c.input, guarding(b))
			require.Equal(t, "internal", got.Problem.Kind.String())
			require.ErrorContains(t, got.Problem.Cause, c.says)
			require.Empty(t, b.lines)
			require.Len(t, got.calls, 1)
		})
	}
}
