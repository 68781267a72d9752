package backend

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBreaker(t *testing.T) {
	var down atomic.Bool
	s := serve(t, func(int, seen) reply {
		if down.Load() {
			return reply{text: jsonAnswer(500, "{}")}
		}
		return reply{text: jsonAnswer(404, `{}`)}
	})
	now := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	w := &watcher{}
	c := client(t, s.url(), func(o *Options) {
		o.Now, o.Observe = func() time.Time { return now }, w
		o.Breaker = Breaker{Failures: 3, Pause: 5 * time.Second}
	})
	do := func() string { return said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))) }
	for range 10 {
		require.Equal(t, "refused not_found 404 {}", do(), "a refusal is no failure")
	}
	down.Store(true)
	require.Equal(t, "failed status 500 {}", do())
	require.Equal(t, "failed status 500 {}", do())
	down.Store(false)
	do()
	w.told()
	down.Store(true)
	for range 3 {
		require.Equal(t, "failed status 500 {}", do())
	}
	require.Equal(t, []string{"things.read failed status", "things.read failed status", "shop open", "things.read failed status"}, w.told())
	sent := len(s.requests())
	require.Equal(t, "failed unavailable", do())
	require.Equal(t, "failed unavailable", said(c.Do(within(t, 5*time.Second), call(t, "things.change", "{}", "x"))))
	require.Len(t, s.requests(), sent, "nothing is sent while it is open")
	now = now.Add(5 * time.Second)
	require.Equal(t, "failed status 500 {}", do(), "the trial")
	require.Equal(t, "failed unavailable", do())
	down.Store(false)
	now = now.Add(5 * time.Second)
	w.told()
	require.Equal(t, "refused not_found 404 {}", do())
	require.Equal(t, "refused not_found 404 {}", do())
	require.Equal(t, []string{"shop half_open", "shop closed", "things.read refused not_found", "things.read refused not_found"}, w.told())
}

func TestPagesBesideClientErrorsKeepTheBreakerClosed(t *testing.T) {
	s := serve(t, func(int, seen) reply {
		return reply{text: "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"}
	})
	c := client(t, s.url(), func(o *Options) { o.Breaker = Breaker{Failures: 2, Pause: time.Minute} })
	for range 5 {
		require.Contains(t, said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))), "failed status 400", "it is this request that it cannot read")
	}
}

// broken is a context whose use panics.
type broken struct{ context.Context }

func (broken) Err() error { panic("broken") }

func TestBreakerAfterAPanic(t *testing.T) {
	var up atomic.Bool
	s := serve(t, func(int, seen) reply {
		if !up.Load() {
			return reply{text: jsonAnswer(500, "{}")}
		}
		return reply{text: jsonAnswer(200, "{}")}
	})
	now := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	c := client(t, s.url(), func(o *Options) {
		o.Now, o.Breaker = func() time.Time { return now }, Breaker{Failures: 1, Pause: time.Second}
	})
	require.Equal(t, "failed status 500 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	now = now.Add(time.Second)
	up.Store(true)
	require.PanicsWithValue(t, "broken", func() { c.Do(broken{within(t, 5*time.Second)}, call(t, "things.read", "", "x")) })
	require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))), "the trial that panicked makes room for another")
}

// A route that has hardly any time left finds nobody quick enough.
func TestBreakerAndTheRestOfARoutesTime(t *testing.T) {
	hold := make(chan struct{})
	s := serve(t, func(int, seen) reply { return reply{hold: hold, text: jsonAnswer(200, "{}")} })
	t.Cleanup(func() { close(hold) })
	c := client(t, s.url(), func(o *Options) { o.Breaker = Breaker{Failures: 2, Pause: time.Minute} })
	for range 4 {
		require.Equal(t, "failed timeout", said(c.Do(within(t, 20*time.Millisecond), call(t, "things.read", "", "x"))))
	}
	for range 2 {
		slow := call(t, "things.read", "", "x")
		slow.Timeout = 20 * time.Millisecond
		require.Equal(t, "failed timeout", said(c.Do(within(t, 5*time.Second), slow)))
	}
	require.Equal(t, "failed unavailable", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))), "its own time was up twice")
}

func TestBreakerLetsOneThrough(t *testing.T) {
	now := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	b := &breaker{failures: 1, pause: time.Second, now: func() time.Time { return now }}
	early, ok := b.allow()
	require.True(t, ok)
	late, ok := b.allow()
	require.True(t, ok)
	b.report(early, sick)
	_, ok = b.allow()
	require.False(t, ok)
	now = now.Add(time.Second)
	trial, ok := b.allow()
	require.True(t, ok)
	_, ok = b.allow()
	require.False(t, ok, "one trial at a time")
	b.report(late, healthy)
	_, ok = b.allow()
	require.False(t, ok, "what began before says nothing now")
	b.report(trial, nothing)
	trial, ok = b.allow()
	require.True(t, ok, "a trial that told nothing makes room for another")
	b.report(trial, healthy)
	_, ok = b.allow()
	require.True(t, ok)
}
