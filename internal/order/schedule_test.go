package order_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/order"
)

// clock is a clock that can be set.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) set(to time.Time)        { c.ahead.Store(int64(time.Until(to))) }
func (c *clock) at(text string)          { t, _ := time.Parse(time.RFC3339Nano, text); c.set(t) }
func noRun(order.Run) (order.End, error) { return order.End{State: order.Done}, nil }

// due gives a time in the zone of the schedules below.
func due(t *testing.T, text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at
}

func TestEachPeriodRunsOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var c clock
		c.at("2026-03-01T11:00:00Z")
		w.options.Now = c.now
		runs := make(chan time.Time, 10)
		every := func(e *order.Engine) {
			require.NoError(t, e.Every("nightly", "0 9 * * *", "America/Sao_Paulo", func(_ context.Context, at time.Time) error {
				runs <- at
				return nil
			}))
		}
		replicas := 1
		if w.options.DatabaseURL != "" {
			replicas = 3
		}
		all := make([]*order.Engine, replicas)
		for i := range all {
			all[i] = w.open(noRun)
		}
		c.at("2026-03-01T11:59:58.5Z")
		for _, e := range all {
			every(e)
		}
		known, err := all[0].Schedules(soon(t))
		require.NoError(t, err)
		require.Len(t, known, 1)
		require.True(t, known[0].Next.Equal(due(t, "2026-03-01T12:00:00Z")), "nine in the morning there")
		require.True(t, known[0].Last.IsZero())

		first := <-runs
		require.True(t, first.Equal(due(t, "2026-03-01T12:00:00Z")))
		time.Sleep(300 * time.Millisecond)
		require.Empty(t, runs, "once among all")
		until(t, "its end is noted", func() bool {
			known, err = all[0].Schedules(soon(t))
			require.NoError(t, err)
			return !known[0].Ended.IsZero()
		})
		require.True(t, known[0].Last.Equal(first))
		require.False(t, known[0].Failed)
		require.Equal(t, known[0].Ended, known[0].Succeeded)
		require.Zero(t, known[0].Missed)
		require.Zero(t, known[0].Unwell)
		for _, e := range all {
			shut(t, e)
		}

		c.at("2026-03-04T11:00:00Z") // two periods later
		e := w.open(noRun)
		c.at("2026-03-04T11:59:58.5Z")
		every(e)
		known, err = e.Schedules(soon(t))
		require.NoError(t, err)
		require.True(t, known[0].MissedSince.Equal(due(t, "2026-03-02T12:00:00Z")))
		require.Equal(t, 2, known[0].Unwell)
		require.True(t, (<-runs).Equal(due(t, "2026-03-04T12:00:00Z")), "what was missed is not made up for")
		until(t, "its end is noted", func() bool {
			known, err = e.Schedules(soon(t))
			require.NoError(t, err)
			return !known[0].Ended.IsZero() && known[0].Missed > 0
		})
		require.Equal(t, 2, known[0].Missed)
		require.Zero(t, known[0].Unwell)
		require.True(t, known[0].MissedSince.IsZero())
		require.Contains(t, w.log.String(), "nobody was there")
		e.Never("nightly")
		known, err = e.Schedules(soon(t))
		require.NoError(t, err)
		require.Empty(t, known)
	})
}

func TestScheduleFails(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		name string
		fn   func(context.Context, time.Time) error
	}{
		{"an error", func(context.Context, time.Time) error { return errors.New("the list of " + cpf) }},
		{"a panic", func(context.Context, time.Time) error { panic(cpf) }},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "")
			var c clock
			w.options.Now = c.now
			e := w.open(noRun)
			c.at("2026-03-01T11:59:59.5Z")
			require.NoError(t, e.Every("hourly", "@hourly", "UTC", one.fn))
			until(t, "it is told", func() bool {
				known, err := e.Schedules(soon(t))
				require.NoError(t, err)
				return known[0].Failed && known[0].Succeeded.IsZero()
			})
			require.Contains(t, w.log.String(), "run failed")
			require.NotContains(t, w.log.String(), cpf)
		})
	}
}

func TestScheduleIsChecked(t *testing.T) {
	t.Parallel()
	e := newWorld(t, "").open(noRun)
	nothing := func(context.Context, time.Time) error { return nil }
	for _, c := range []struct{ name, cron, zone, says string }{
		{"no cron", "whenever", "UTC", "whenever"},
		{"seconds", "0 0 9 * * *", "UTC", "expected"},
		{"an interval", "@every 1h", "UTC", "a cron line"},
		{"a zone in the line", "CRON_TZ=UTC 0 9 * * *", "UTC", "a cron line"},
		{"no zone", "0 9 * * *", "", "no such time zone"},
		{"the machine's zone", "0 9 * * *", "Local", "no such time zone"},
		{"an unknown zone", "0 9 * * *", "Brazil/Nowhere", "America/Sao_Paulo"},
		{"never", "0 9 30 2 *", "UTC", "never comes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.ErrorContains(t, e.Every("s", c.cron, c.zone, nothing), c.says)
		})
	}
	shut(t, e)
	require.ErrorIs(t, e.Every("s", "0 9 * * *", "UTC", nothing), order.ErrClosing)
}

// What a schedule began is not cut off when it is replaced, nor at once when the engine closes.
func TestWhatRunsGoesOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		then func(t *testing.T, e *order.Engine)
	}{
		{"replaced", func(t *testing.T, e *order.Engine) {
			require.NoError(t, e.Every("s", "0 5 1 1 *", "UTC", func(context.Context, time.Time) error { return nil }))
		}},
		{"taken away", func(_ *testing.T, e *order.Engine) { e.Never("s") }},
		{"closed", func(t *testing.T, e *order.Engine) { shut(t, e) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "")
			var k clock
			w.options.Now = k.now
			e := w.open(noRun)
			k.at("2026-03-01T11:59:59.5Z")
			runs, ended := make(chan struct{}), make(chan error, 1)
			require.NoError(t, e.Every("s", "@hourly", "UTC", func(ctx context.Context, _ time.Time) error {
				close(runs)
				select {
				case <-ctx.Done():
				case <-time.After(300 * time.Millisecond):
				}
				ended <- ctx.Err()
				return ctx.Err()
			}))
			<-runs
			c.then(t, e)
			require.NoError(t, <-ended)
		})
	}
}
