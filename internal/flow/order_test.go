package flow_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
)

// meeting lets callers through only when n of them are there.
type meeting struct {
	mu   sync.Mutex
	n    int
	full chan struct{}
}

func newMeeting(n int) *meeting { return &meeting{n: n, full: make(chan struct{})} }

func (m *meeting) wait(ctx context.Context) bool {
	m.mu.Lock()
	if m.n--; m.n == 0 {
		close(m.full)
	}
	m.mu.Unlock()
	select {
	case <-m.full:
		return true
	case <-ctx.Done():
		return false
	}
}

func failed(c *backend.Call, class string) *backend.Answer {
	return ended(c, contract.Failed, class, 0, "")
}

func TestReadingStepsRunTogether(t *testing.T) {
	set := load(t, `
steps:
  a: { call: shop.item, with: { id: a } }
  b: { call: shop.other, body: { id: b } }
  c: { call: shop.order, body: { id: "${a.id}${b.id}" } }
reply: [{ json: { number: "${c.number}" } }]
`)
	met := newMeeting(2)
	s := newShelf().gives("order", `{"number":"1"}`)
	for op, id := range map[string]string{"item": "A", "other": "B"} {
		s.does(op, func(ctx context.Context, c *backend.Call) *backend.Answer {
			if !met.wait(ctx) {
				return failed(c, "timeout")
			}
			return good(c, `{"id":"`+id+`"}`)
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	got := runContext(ctx, t, set, s, `{}`, together)
	requireReply(t, `{"number":"1"}`, got)
	require.Equal(t, `order /order {"id":"AB"}`, got.calls[2])
	require.Equal(t, 2, s.most)
}

func TestChangingStepsKeepTheFilesOrder(t *testing.T) {
	set := load(t, `
steps:
  begin: { call: shop.order, body: { id: "1" } }
  look: { call: shop.item, with: { id: a } }
  second: { call: shop.order, body: { id: "2" } }
  free: { call: shop.order, body: { id: "3" }, parallel: true }
reply: [{ json: ok }]
`)
	var running, most int
	var mu sync.Mutex
	s := newShelf()
	met := newMeeting(3) // begin, look and free
	s.does("order", func(ctx context.Context, c *backend.Call) *backend.Answer {
		if body := string(c.Request.Body); body != `{"id":"2"}` {
			met.wait(ctx)
			return good(c, `{}`)
		}
		mu.Lock()
		running++
		most = max(most, s.now)
		mu.Unlock()
		return good(c, `{}`)
	})
	s.does("item", func(ctx context.Context, c *backend.Call) *backend.Answer {
		met.wait(ctx)
		return good(c, `{"id":"a"}`)
	})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	got := runContext(ctx, t, set, s, `{}`, together)
	requireReply(t, `"ok"`, got)
	require.Equal(t, 1, running)
	require.Len(t, got.calls, 4)
	require.Equal(t, `order /order {"id":"2"}`, got.calls[3], "it waits for all above; the free one waits for nobody")
}

func TestOneByOneKeepsTheFilesOrder(t *testing.T) {
	set := load(t, `
steps:
  a: { call: shop.item, with: { id: "1" } }
  b: { call: shop.item, with: { id: "2" } }
  c: { call: shop.item, with: { id: "3" }, after: b }
  d: { call: shop.item, with: { id: "4" } }
reply: [{ json: ok }]
`)
	for range 20 {
		s := newShelf().gives("item", `{"id":"a"}`)
		got := run(t, set, s, `{}`)
		require.Equal(t, []string{"item /items/1", "item /items/2", "item /items/4", "item /items/3"}, got.calls)
		require.Equal(t, 1, s.most)
	}
}

// TestAFailureEndsTheRun has one step fail while another that reads and one
// that changes something are under way.
func TestAFailureEndsTheRun(t *testing.T) {
	set := load(t, `
steps:
  reads: { call: shop.item, with: { id: a } }
  changes: { call: shop.order, body: { id: "1" } }
  fails: { call: shop.other, catch: { timeout: continue } }
  later: { call: shop.item, with: { id: "${reads.id}" } }
reply: [{ json: "${steps.fails.state}" }]
`)
	met := newMeeting(2)
	var cancelled, finished bool
	s := newShelf()
	changed := make(chan struct{})
	s.does("item", func(ctx context.Context, c *backend.Call) *backend.Answer {
		<-ctx.Done() // nothing else ends it
		cancelled = true
		close(changed)
		return failed(c, "timeout")
	})
	s.does("order", func(ctx context.Context, c *backend.Call) *backend.Answer {
		met.wait(ctx)
		<-changed
		finished = ctx.Err() == nil
		return good(c, `{}`)
	})
	s.does("other", func(ctx context.Context, c *backend.Call) *backend.Answer {
		met.wait(ctx)
		return failed(c, "status")
	})
	// `changes` waits for `reads`: free it
	set.Routes[0].Plan.Steps[1].Deps = nil
	got := run(t, set, s, `{}`, together)
	require.Equal(t, "failed", got.Problem.Kind.String())
	require.Equal(t, "fails", got.Problem.Step)
	require.True(t, cancelled, "what reads is cancelled")
	require.True(t, finished, "what changes something is waited for, and not disturbed")
	require.Len(t, got.calls, 3, "nothing more starts")
}

func TestRefusalIsForTheCaller(t *testing.T) {
	set := load(t, `
steps:
  a: { call: shop.order, body: { id: "1" } }
  b: { call: shop.order, body: { id: "2" } }
reply: [{ json: ok }]
`)
	got := run(t, set, newShelf().ends("order", contract.Refused, "business", 200, "não pode"), `{}`)
	require.Equal(t, "refused", got.Problem.Kind.String())
	require.Equal(t, "não pode", got.Problem.Message)
	require.Len(t, got.calls, 1)
}

func TestDeadline(t *testing.T) {
	const text = `
steps:
  slow: { call: shop.item, with: { id: a }CATCH }
  next: { call: shop.order, body: { id: "1" }CATCH }
reply: [{ json: { slow: "${steps.slow.error?.class ?? ''}", next: "${steps.next.error?.class ?? ''}" } }]
`
	slow := func() *shelf {
		return newShelf().gives("order", `{}`).does("item", func(ctx context.Context, c *backend.Call) *backend.Answer {
			<-ctx.Done()
			return failed(c, "timeout")
		})
	}
	for _, with := range []setting{func(e *flowEnv) {}, together} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			got := runContext(ctx, t, load(t, replace(text, "CATCH", "")), slow(), `{}`, with)
			require.Equal(t, "timeout", got.Problem.Kind.String())
			require.Equal(t, "slow", got.Problem.Step)
		})
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			got := runContext(ctx, t, load(t, replace(text, "CATCH", ", catch: { any: continue }")), slow(), `{}`, with)
			requireReply(t, `{"slow":"timeout","next":"timeout"}`, got)
			require.Equal(t, []string{"item /items/a"}, got.calls, "nothing is sent when no time is left")
		})
	}
}

func TestAPanicIsPassedOn(t *testing.T) {
	set := load(t, `
steps:
  a: { call: shop.item, with: { id: a } }
  b: { call: shop.other }
reply: [{ json: ok }]
`)
	met := newMeeting(2)
	waited := false
	s := newShelf()
	s.does("item", func(ctx context.Context, c *backend.Call) *backend.Answer {
		met.wait(ctx)
		panic("boom")
	})
	s.does("other", func(ctx context.Context, c *backend.Call) *backend.Answer {
		met.wait(ctx)
		<-ctx.Done()
		waited = true
		return failed(c, "timeout")
	})
	require.PanicsWithValue(t, "boom", func() { run(t, set, s, `{}`, together) })
	require.True(t, waited, "the other call does not outlive the run")
}

func TestTimeoutsAndRetriesAreHandedOver(t *testing.T) {
	set := load(t, `
steps:
  a: { call: shop.item, with: { id: a }, timeout: 2s, retry: { times: 3, every: 100ms } }
reply: [{ json: ok }]
`)
	var call backend.Call
	s := newShelf().does("item", func(_ context.Context, c *backend.Call) *backend.Answer {
		call = *c
		return good(c, `{"id":"a"}`)
	})
	requireReply(t, `"ok"`, run(t, set, s, `{}`))
	require.Equal(t, 2*time.Second, call.Timeout)
	require.Equal(t, 3, call.Retries)
	require.Equal(t, 100*time.Millisecond, call.Pause)
	require.Equal(t, "r1", call.RequestID)
}

func TestABackendLeftOut(t *testing.T) {
	set := load(t, `
steps:
  a: { call: shop.item, with: { id: a } }
reply: [{ json: ok }]
`)
	got := run(t, set, newShelf(), `{}`, func(e *flowEnv) { e.Unavailable = func(b string) (string, bool) { return "closed", b == "shop" } })
	require.Equal(t, "unavailable", got.Problem.Kind.String())
	require.Empty(t, got.calls)
}
