package backend

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// unwatched is a context that says that it ends at its deadline, and counts who waits for that.
type unwatched struct {
	context.Context
	asked atomic.Int64
}

// EndsAtDeadline says so.
func (*unwatched) EndsAtDeadline() bool { return true }

// Done gives when it has ended.
func (u *unwatched) Done() <-chan struct{} {
	u.asked.Add(1)
	return u.Context.Done()
}

// TestEndsAtDeadline: a context that ends at its deadline only is not watched
// on a kept connection, and ends the call all the same.
func TestEndsAtDeadline(t *testing.T) {
	held := make(chan struct{})
	s := serve(t, func(_ int, r seen) reply {
		if r.line == "GET /ws/things/slow" {
			return reply{text: jsonAnswer(200, "{}"), hold: held}
		}
		return reply{text: jsonAnswer(200, "{}")}
	})
	defer close(held)
	c := client(t, s.url())
	require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))

	ctx := &unwatched{Context: within(t, 5*time.Second)}
	require.Equal(t, "ok 200 {}", said(c.Do(ctx, call(t, "things.read", "", "x"))))
	require.Zero(t, ctx.asked.Load())

	ctx = &unwatched{Context: within(t, 100*time.Millisecond)}
	began := time.Now()
	slow := call(t, "things.read", "", "slow")
	require.Equal(t, "failed timeout", said(c.Do(ctx, slow)), "%s", slow.Request.Target)
	require.Less(t, time.Since(began), 4*time.Second)
	require.Zero(t, ctx.asked.Load())
	require.Equal(t, 1, s.requests()[1].conn)
	require.Equal(t, "GET /ws/things/slow", s.requests()[2].line)
}

// TestEveryCallHasItsTime: on a kept connection a call that begins later ends
// later, neither with the deadline of the one before it nor not at all.
func TestEveryCallHasItsTime(t *testing.T) {
	const timeout = 400 * time.Millisecond
	held := make(chan struct{})
	s := serve(t, func(n int, _ seen) reply {
		if n == 1 {
			return reply{text: jsonAnswer(200, "{}")}
		}
		return reply{text: jsonAnswer(200, "{}"), hold: held}
	})
	defer close(held)
	c := client(t, s.url(), func(o *Options) { o.Timeout = timeout })
	require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	time.Sleep(timeout / 2) // time of the first's deadline goes by
	began := time.Now()
	require.Equal(t, "failed timeout", said(c.Do(&unwatched{Context: within(t, 5*time.Second)}, call(t, "things.read", "", "x"))))
	took := time.Since(began)
	require.GreaterOrEqual(t, took, timeout)
	require.Less(t, took, 2*time.Second)
	require.Equal(t, 1, s.requests()[1].conn)
}
