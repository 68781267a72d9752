package flow_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/store"
)

type flowEnv = flow.Env

const findFlow = `flow: find
input:
  id: { type: string, required: true }
  lang: { type: string, default: pt }
  n: { type: integer, minimum: 5, default: 7 }
steps:
  item: { call: shop.item, with: { id: "${input.id}" } }
result: { id: "${item.id}", lang: "${input.lang}", n: "${input.n}", name: "${?item?.name}" }
`

func TestFlow(t *testing.T) {
	set := load(t, `
input: { id: { type: string, required: true } }
steps:
  found: { call: flows.find, with: { id: "${input.id}" } }
reply: [{ json: { found: "${found}", lang: "${found.lang}", state: "${steps.found.state}" } }]
`, findFlow)
	got := run(t, set, newShelf().gives("item", `{"id":"A","name":"é\n"}`), `{"id":"a"}`)
	requireReply(t, `{"found":{"id":"A","lang":"pt","n":7,"name":"é\n"},"lang":"pt","state":"ok"}`, got)
	require.Equal(t, []string{
		`flows.find item: ok {"id":"A","name":"é\n"}`,
		`found: ok {"id":"A","lang":"pt","n":7,"name":"é\n"}`,
	}, got.told)
}

func TestFlowsRunTogether(t *testing.T) {
	set := load(t, `
steps:
  a: { call: flows.find, with: { id: a } }
  b: { call: flows.find, with: { id: b } }
reply: [{ json: ["${a.id}", "${b.id}"] }]
`, findFlow)
	met := newMeeting(2)
	s := newShelf().does("item", func(ctx context.Context, c *backend.Call) *backend.Answer {
		met.wait(ctx)
		return good(c, `{"id":"`+string(c.Request.Target)+`"}`)
	})
	got := run(t, set, s, `{}`, together)
	requireReply(t, `["/items/a","/items/b"]`, got)
	require.Len(t, got.told, 4)
}

func TestAFlowsEndIsItsCallers(t *testing.T) {
	const text = `
steps:
  found: { call: flows.find, with: { id: a }CATCH }
reply: [{ json: { state: "${steps.found.state}", class: "${?steps.found.error?.class}", message: "${?steps.found.error?.message}" } }]
`
	caught := replace(text, "CATCH", ", catch: { any: continue }")
	uncaught := replace(text, "CATCH", "")
	for _, c := range []struct {
		name           string
		state          contract.State
		class, message string
		kind, want     string
	}{
		{"refused", contract.Refused, "not_found", "no such", "refused", `{"state":"refused","class":"not_found","message":"no such"}`},
		{"failed", contract.Failed, "broken", "", "failed", `{"state":"failed","class":"broken"}`},
		{"timeout", contract.Failed, "timeout", "", "timeout", `{"state":"failed","class":"timeout"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := func() *shelf { return newShelf().ends("item", c.state, c.class, 0, c.message) }
			requireReply(t, c.want, run(t, load(t, caught, findFlow), s(), `{}`))
			got := run(t, load(t, uncaught, findFlow), s(), `{}`)
			require.Equal(t, c.kind, got.Problem.Kind.String())
			require.Equal(t, c.message, got.Problem.Message)
			require.Equal(t, "found/item", got.Problem.Step)
		})
	}
	t.Run("its template fails", func(t *testing.T) {
		got := run(t, load(t, uncaught, findFlow), newShelf().gives("item", `{"name":"x"}`), `{}`)
		require.Equal(t, "internal", got.Problem.Kind.String())
		require.Equal(t, "found", got.Problem.Step)
		require.Contains(t, got.Problem.Cause.Error(), "flows/0.yaml:10:18")
	})
}

func TestAFlowChecksItsInput(t *testing.T) {
	set := load(t, `
input: { n: { type: integer, required: true } }
steps:
  found: { call: flows.find, with: { id: a, n: "${input.n}" } }
reply: [{ json: "${found.n}" }]
`, findFlow)
	s := newShelf().gives("item", `{"id":"A"}`)
	requireReply(t, `6`, run(t, set, s, `{"n":6}`))
	got := run(t, set, newShelf(), `{"n":4}`)
	require.Equal(t, "internal", got.Problem.Kind.String())
	require.Equal(t, "t.yaml:7:18: input of flows.find: /n (minimum)", got.Problem.Cause.Error())
	require.Empty(t, got.calls)
}

func TestRunFlow(t *testing.T) {
	set := load(t, "\nsteps: { a: { call: flows.find, with: { id: a } } }\nreply: [{ json: ok }]\n", findFlow)
	env := func(s *shelf) *flow.Env { return &flow.Env{Calls: s, Now: noon, Zone: time.UTC} }
	p := set.Flows["find"]

	state, class, message, result, err := flow.RunFlow(context.Background(), p, []byte(`{"id":"x","n":"8"}`), env(newShelf().gives("item", `{"id":"A"}`)))
	require.NoError(t, err)
	require.Equal(t, contract.OK, state)
	require.Empty(t, class+message)
	require.Equal(t, `{"id":"A","lang":"pt","n":8}`, string(result))

	state, class, message, result, err = flow.RunFlow(context.Background(), p, []byte(`{"id":"x"}`), env(newShelf().ends("item", contract.Refused, "not_found", 404, "gone")))
	require.NoError(t, err)
	require.Equal(t, contract.Refused, state)
	require.Equal(t, "not_found gone", class+" "+message)
	require.Nil(t, result)

	_, _, _, _, err = flow.RunFlow(context.Background(), p, []byte(`{"n":1}`), env(newShelf()))
	require.EqualError(t, err, "input of flows.find: /id (required), /n (minimum)")
	_, _, _, _, err = flow.RunFlow(context.Background(), p, []byte(`[]`), env(newShelf()))
	require.EqualError(t, err, "input of flows.find: is no object")
	state, class, _, _, err = flow.RunFlow(context.Background(), p, []byte(`{"id":"x"}`), env(newShelf().gives("item", `{}`)))
	require.Error(t, err)
	require.Equal(t, contract.Failed, state)
	require.Equal(t, "template", class)
}

const memoryText = `
input: { id: { type: string, required: true } }
steps:
  known: { recall: seen, key: "${input.id}"CATCH }
  times: { recall: hits, key: "${input.id}"CATCH }
  item: { when: known == nil, call: shop.item, with: { id: "${input.id}" } }
  keeps: { remember: seen, key: "${input.id}", value: { id: "${item.id}" }CATCH }
reply: [{ json: { known: "${?known?.id}", times: "${?times}", keeps: "${steps.keeps.state}", state: "${steps.known.state}" } }]
`

func TestMemory(t *testing.T) {
	set := load(t, replace(memoryText, "CATCH", ""))
	for name, slow := range map[string]bool{"instant": false, "slow": true} {
		t.Run(name, func(t *testing.T) {
			l := store.NewLocal(10)
			with := remembering(l)
			if slow {
				with = func(e *flowEnv) { e.Memory = slowMemory{Memory: l} }
			}
			s := newShelf().gives("item", `{"id":"A"}`)
			requireReply(t, `{"times":0,"keeps":"ok","state":"ok"}`, run(t, set, s, `{"id":"a"}`, with))
			turn, _, _, err := l.Begin(context.Background(), nil, store.About{}, noon)
			require.NoError(t, err)
			hit := &flow.Admission{Now: noon, Claim: &mapping.Memory{Name: "hits", Count: true, Per: "month"}, Key: []byte(`"a"`), Limit: 1}
			require.Equal(t, flow.Admitted, turn.Admit(context.Background(), hit))
			requireReply(t, `{"known":"A","times":1,"keeps":"skipped","state":"ok"}`, run(t, set, s, `{"id":"a"}`, with, together))
			requireReply(t, `{"times":0,"keeps":"ok","state":"ok"}`, run(t, set, s, `{"id":"b"}`, with, together))
			require.Equal(t, []string{"item /items/a", "item /items/b"}, s.calls)
		})
	}
}

func TestStoreDown(t *testing.T) {
	for name, with := range map[string]setting{
		"none": func(*flowEnv) {},
		"down": func(e *flowEnv) { e.Memory = slowMemory{down: true} },
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, load(t, replace(memoryText, "CATCH", "")), newShelf().gives("item", `{"id":"A"}`), `{"id":"a"}`, with)
			require.Equal(t, "store_down", got.Problem.Kind.String())
			require.Equal(t, "known", got.Problem.Step)
			require.Empty(t, got.calls)

			got = run(t, load(t, replace(memoryText, "CATCH", ", catch: { store: continue }")), newShelf().gives("item", `{"id":"A"}`), `{"id":"a"}`, with)
			requireReply(t, `{"keeps":"failed","state":"failed"}`, got)

			allowed := load(t, `
steps:
  times: { recall: rarely, key: a }
  known: { recall: maybe, key: a }
  keeps: { remember: maybe, key: a, value: { id: a } }
reply: [{ json: { times: "${times}", known: "${?known?.id}", state: "${steps.keeps.state}" } }]
`)
			requireReply(t, `{"times":0,"state":"ok"}`, run(t, allowed, newShelf(), `{}`, with))
		})
	}
}

func TestCache(t *testing.T) {
	set := load(t, `
input: { id: { type: string, required: true } }
steps:
  item: { call: shop.item, with: { id: "${input.id}" }, cache: { key: "${input.id}", for: 1m }, catch: { any: continue } }
reply: [{ json: { id: "${?item?.id}", status: "${?steps.item.status}", state: "${steps.item.state}" } }]
`)
	l := store.NewLocal(10)
	with := remembering(l)
	bad := newShelf().ends("item", contract.Failed, "status", 500, "")
	requireReply(t, `{"status":500,"state":"failed"}`, run(t, set, bad, `{"id":"a"}`, with))
	s := newShelf().gives("item", `{"id":"A"}`)
	for range 3 {
		requireReply(t, `{"id":"A","status":200,"state":"ok"}`, run(t, set, s, `{"id":"a"}`, with))
	}
	require.Equal(t, []string{"item /items/a"}, s.calls, "a failure is not kept, a good answer is")
	run(t, set, s, `{"id":"b"}`, with)
	run(t, set, s, `{"id":"a"}`, with, func(e *flowEnv) { e.Now = noon.Add(time.Minute) })
	run(t, set, s, `{"id":"a"}`)
	require.Len(t, s.calls, 4)
}
