package flow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

const eachText = `
input: { ids: { type: array, items: { type: string }, required: true } }
steps:
  sent:
    each: ${input.ids}
    as: id
    call: shop.order
    body: { id: "${id}" }
    CATCH
reply:
  - { json: { body: "${?sent}", state: "${steps.sent.state}", ok: "${steps.sent.ok}", refused: "${steps.sent.refused}", failed: "${steps.sent.failed}", unknown: "${steps.sent.unknown}", class: "${?steps.sent.error?.class}", items: "${map(steps.sent.items, .state)}", failures: "${len(failures)}" } }
`

// byID answers by the id in the body: bad, no and lost have ends of their own.
func byID(c *backend.Call) *backend.Answer {
	id := jsonx.RawValue(string(c.Request.Body)).Get("id").Text()
	switch {
	case strings.HasPrefix(id, "bad"):
		return ended(c, contract.Failed, "status", 500, "")
	case strings.HasPrefix(id, "no"):
		return ended(c, contract.Refused, "taken", 409, id+" is taken")
	case strings.HasPrefix(id, "lost"):
		return ended(c, contract.Unknown, "broken", 0, "")
	}
	return good(c, `{"number":"`+id+`"}`)
}

func TestEach(t *testing.T) {
	const caught = "catch: { any: continue }"
	for _, c := range []struct{ name, catch, ids, want string }{
		{"none", caught, `[]`, `{"body":[],"state":"ok","ok":0,"refused":0,"failed":0,"unknown":0,"items":[],"failures":0}`},
		{"all good", caught, `["a","b"]`, `{"body":[{"number":"a"},{"number":"b"}],"state":"ok","ok":2,"refused":0,"failed":0,"unknown":0,"items":["ok","ok"],"failures":0}`},
		{"some not", caught, `["a","no","bad","b","lost"]`, `{"body":[{"number":"a"},null,null,{"number":"b"},null],"state":"unknown","ok":2,"refused":1,"failed":1,"unknown":1,"class":"broken","items":["ok","refused","failed","ok","unknown"],"failures":1}`},
		{"refused at worst", caught, `["no","a"]`, `{"body":[null,{"number":"a"}],"state":"refused","ok":1,"refused":1,"failed":0,"unknown":0,"class":"taken","items":["refused","ok"],"failures":1}`},
		{"use names its own element", `catch: { refused: { use: { number: "${id}: ${error.message ?? ''}" } } }`, `["no1","a","no2"]`,
			`{"body":[{"number":"no1: no1 is taken"},{"number":"a"},{"number":"no2: no2 is taken"}],"state":"refused","ok":1,"refused":2,"failed":0,"unknown":0,"class":"taken","items":["refused","ok","refused"],"failures":0}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := load(t, replace(eachText, "CATCH", c.catch))
			for _, with := range []setting{func(*flowEnv) {}, together} {
				s := newShelf().does("order", func(_ context.Context, c *backend.Call) *backend.Answer { return byID(c) })
				got := run(t, set, s, `{"ids":`+c.ids+`}`, with)
				requireReply(t, c.want, got)
				require.LessOrEqual(t, s.most, 1, "changes are made one at a time")
			}
		})
	}
}

func TestEachStopsAtAnUncaughtFailure(t *testing.T) {
	set := load(t, replace(eachText, "CATCH", "catch: { failed: continue }"))
	s := newShelf().does("order", func(_ context.Context, c *backend.Call) *backend.Answer { return byID(c) })
	got := run(t, set, s, `{"ids":["a","bad","no","b"]}`)
	require.Equal(t, "refused", got.Problem.Kind.String())
	require.Equal(t, "no is taken", got.Problem.Message)
	require.Equal(t, "sent", got.Problem.Step)
	require.Len(t, got.calls, 3)
	require.Equal(t, []string{"sent: refused, taken, no is taken"}, got.told)
}

func TestEachReadingRunsTogether(t *testing.T) {
	set := load(t, `
input: { ids: { type: array, items: { type: string }, required: true } }
steps:
  items: { each: "${input.ids}", as: id, at_most: 3, call: shop.item, with: { id: "${id}" } }
reply: [{ json: "${map(items, .id)}" }]
`)
	met := newMeeting(3)
	s := newShelf().does("item", func(ctx context.Context, c *backend.Call) *backend.Answer {
		met.mu.Lock()
		early := met.n > 0
		met.mu.Unlock()
		if early {
			met.wait(ctx)
		}
		return good(c, `{"id":"`+strings.TrimPrefix(string(c.Request.Target), "/items/")+`"}`)
	})
	var ids, want []string
	for i := range 100 {
		ids = append(ids, fmt.Sprintf(`"%d"`, i))
	}
	want = ids
	got := run(t, set, s, `{"ids":[`+strings.Join(ids, ",")+`]}`, together)
	requireReply(t, `[`+strings.Join(want, ",")+`]`, got)
	require.Equal(t, 3, s.most)
}

func TestEachSkipped(t *testing.T) {
	set := load(t, `
input: { ids: { type: array, items: { type: string } } }
steps:
  items: { when: input.ids != nil, each: "${input.ids}", as: id, call: shop.item, with: { id: "${id}" } }
reply: [{ json: { state: "${steps.items.state}", n: "${len(steps.items.items)}", ok: "${steps.items.ok}" } }]
`)
	requireReply(t, `{"state":"skipped","n":0,"ok":0}`, run(t, set, newShelf(), `{}`))
}

func TestEachWithSwitch(t *testing.T) {
	set := load(t, `
input: { ids: { type: array, items: { type: string }, required: true } }
steps:
  items:
    each: ${input.ids}
    as: id
    switch:
      - { when: id == "", skip: true }
      - { when: id == "u", use: { id: "${id}!" } }
      - { call: shop.item, with: { id: "${id}" } }
reply: [{ json: { all: "${?items}", ok: "${steps.items.ok}" } }]
`)
	got := run(t, set, newShelf().gives("item", `{"id":"i"}`), `{"ids":["","u","x"]}`)
	requireReply(t, `{"all":[null,{"id":"u!"},{"id":"i"}],"ok":2}`, got)
}

func TestEachIsBounded(t *testing.T) {
	set := load(t, replace(eachText, "CATCH", ""))
	s := newShelf().does("order", func(_ context.Context, c *backend.Call) *backend.Answer { return byID(c) })
	most := func(e *flowEnv) { e.MaxEach = 2 }
	require.Nil(t, run(t, set, s, `{"ids":["a","b"]}`, most).Problem)
	got := run(t, set, newShelf(), `{"ids":["a","b","c"]}`, most)
	require.Equal(t, "internal", got.Problem.Kind.String())
	require.Equal(t, "t.yaml:7:3: each of sent has more than 2 elements", got.Problem.Cause.Error())
	require.Empty(t, got.calls)
}
