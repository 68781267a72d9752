package backend

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
)

// waits waits until so many calls stand in the queue.
func waits(t *testing.T, c *Client, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		c.pool.mu.Lock()
		defer c.pool.mu.Unlock()
		return len(c.pool.queue) == n
	}, 5*time.Second, 100*time.Microsecond)
}

// A burst above at_most is served one after the other; what comes on top of
// the queue is refused at once, tried no second time, and told.
func TestQueue(t *testing.T) {
	hold := make(chan struct{})
	s := serve(t, func(n int, _ seen) reply {
		if n <= 2 {
			return reply{hold: hold, text: jsonAnswer(200, "{}")}
		}
		return reply{text: jsonAnswer(200, "{}")}
	})
	w := &watcher{}
	c := client(t, s.url(), func(o *Options) { o.AtMost, o.Observe, o.Timeout = 2, w, 5*time.Second })
	ended := make(chan string, 4)
	var all sync.WaitGroup
	do := func(operation, body string) {
		one := call(t, operation, body, "x")
		one.Retries = 2
		all.Go(func() { ended <- said(c.Do(context.Background(), one)) })
	}
	do("things.read", "")
	do("things.read", "")
	require.Eventually(t, func() bool { return len(s.requests()) == 2 }, 5*time.Second, time.Millisecond)
	do("things.read", "")
	waits(t, c, 1)
	do("things.change", "{}")
	waits(t, c, 2)
	one := call(t, "things.read", "", "x")
	one.Retries = 2
	a := c.Do(context.Background(), one)
	require.Equal(t, time.Second, a.Wait)
	require.Less(t, a.Took, queueTime)
	require.Equal(t, "failed unavailable", said(a))
	close(hold)
	all.Wait()
	for range 4 {
		require.Equal(t, "ok 200 {}", <-ended)
	}
	require.Len(t, s.requests(), 4)
	require.Equal(t, 1, count(w.told(), "shed "+c.o.Contract.Name))
	requireAtRest(t, c)
}

// count tells how often a line was noted.
func count(lines []string, line string) (n int) {
	for _, l := range lines {
		if l == line {
			n++
		}
	}
	return n
}

// requireAtRest holds the pool's count against the connections it has.
func requireAtRest(t *testing.T, c *Client) {
	t.Helper()
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	require.Empty(t, c.pool.queue)
	require.Len(t, c.pool.free, c.pool.count)
}

func TestQueueEnds(t *testing.T) {
	hold := make(chan struct{})
	s := serve(t, func(int, seen) reply { return reply{hold: hold, text: jsonAnswer(200, "{}")} })
	t.Cleanup(func() { close(hold) }) // before the server's own, which waits for its answers
	for name, c := range map[string]struct {
		timeout time.Duration // of the call that waits
		end     func(c *Client, cancel func())
		want    string
	}{
		"after its time":                {5 * time.Second, func(*Client, func()) {}, "failed unavailable"},
		"after half of a short time":    {40 * time.Millisecond, func(*Client, func()) {}, "failed unavailable"},
		"when the caller gives up":      {5 * time.Second, func(_ *Client, cancel func()) { cancel() }, "failed timeout"},
		"when the client is closed":     {5 * time.Second, func(c *Client, _ func()) { c.Close() }, "failed unavailable"},
		"with room, when another fails": {5 * time.Second, nil, "failed timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			cl := client(t, s.url(), func(o *Options) { o.AtMost = 1 })
			first, giveUp := context.WithCancel(context.Background())
			defer giveUp()
			before := len(s.requests())
			var all sync.WaitGroup
			busy := call(t, "things.read", "", "x")
			all.Go(func() { cl.Do(first, busy).Release() })
			require.Eventually(t, func() bool { return len(s.requests()) == before+1 }, 5*time.Second, time.Millisecond)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			one := call(t, "things.read", "", "x")
			one.Timeout = c.timeout
			got := make(chan string, 1)
			begin := time.Now()
			all.Go(func() { got <- said(cl.Do(ctx, one)) })
			waits(t, cl, 1)
			if c.end != nil {
				c.end(cl, cancel)
			} else {
				giveUp() // its connection is dropped: there is room to dial
				require.Eventually(t, func() bool { return len(s.requests()) == before+2 }, 5*time.Second, time.Millisecond)
				cancel()
			}
			require.Equal(t, c.want, <-got)
			require.Less(t, time.Since(begin), 3*time.Second)
			giveUp()
			all.Wait()
			if name != "when the client is closed" {
				requireAtRest(t, cl)
			}
		})
	}
}

// What a breaker keeps back is worth asking again after its pause.
func TestBreakerSaysHowLong(t *testing.T) {
	s := serve(t, func(int, seen) reply { return reply{cut: true} })
	now := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	c := client(t, s.url(), func(o *Options) {
		o.Breaker = Breaker{Failures: 1, Pause: 30 * time.Second}
		o.Now = func() time.Time { return now }
	})
	c.Do(context.Background(), call(t, "things.change", "{}", "x")).Release()
	now = now.Add(10 * time.Second)
	a := c.Do(context.Background(), call(t, "things.read", "", "x"))
	defer a.Release()
	require.Equal(t, contract.ClassUnavailable, a.Class)
	require.Equal(t, 20*time.Second, a.Wait)
}
