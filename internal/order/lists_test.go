package order_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/order"
)

// waitsIfAsked waits on the route "waits", asks people on "asks", and ends on others.
func waitsIfAsked(r order.Run) (order.End, error) {
	switch r.Order().Route {
	case "waits":
		r.Progress(order.Progress{State: order.Waiting, Step: "port", WaitsFor: "ported"})
		_, _, err := r.Wait("never", nil, time.Time{})
		return order.End{State: order.Done}, err
	case "asks":
		r.Progress(order.Progress{State: order.Stuck, Step: "undo"})
		_, _, err := r.Decision(time.Time{})
		return order.End{State: order.Stuck}, err
	default:
		return order.End{State: order.Undone}, nil
	}
}

func TestLists(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		e := w.open(waitsIfAsked)
		ctx := soon(t)
		began := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
		ids := map[string]string{}
		for i := range 12 {
			o := sale(fmt.Sprint(i))
			o.Caller = []string{"a", "b"}[i%2]
			o.Route = []string{"ends", "waits", "asks"}[i%3]
			o.Started = began.Add(time.Duration(i/2) * time.Minute) // two at the same time
			ids[start(t, e, o)] = fmt.Sprint(i)
		}
		until(t, "all are where they stay", func() bool {
			c, err := e.Counts(ctx)
			require.NoError(t, err)
			return c.Asking == 4 && c.Waiting == 4 && len(c.Ended) == 1 && c.Ended[0].N == 4
		})
		time.Sleep(300 * time.Millisecond) // what lists show is written
		for _, c := range []struct {
			name   string
			filter order.Filter
			want   string
		}{
			{"all", order.Filter{}, "0 1 2 3 4 5 6 7 8 9 10 11"},
			{"a caller's", order.Filter{Caller: "b"}, "1 3 5 7 9 11"},
			{"a route's", order.Filter{Route: "waits"}, "1 4 7 10"},
			{"open ones", order.Filter{Open: true}, "1 2 4 5 7 8 10 11"},
			{"by state", order.Filter{States: []order.State{order.Undone, order.Stuck}}, "0 2 3 5 6 8 9 11"},
			{"a caller's, by state", order.Filter{Caller: "a", States: []order.State{order.Waiting}}, "4 10"},
			{"since", order.Filter{Since: began.Add(3 * time.Minute)}, "6 7 8 9 10 11"},
			{"before", order.Filter{Before: began.Add(time.Minute)}, "0 1"},
			{"none", order.Filter{Caller: "c"}, ""},
		} {
			for _, limit := range []int{1, 3, 100} {
				t.Run(fmt.Sprint(c.name, " by ", limit), func(t *testing.T) {
					got := map[string]bool{}
					last := time.Now()
					cursor := ""
					for {
						page, next, err := e.List(ctx, c.filter, cursor, limit)
						require.NoError(t, err)
						require.LessOrEqual(t, len(page), limit)
						for _, s := range page {
							require.False(t, s.Started.After(last), "newest first")
							last = s.Started
							require.False(t, got[ids[s.ID]], "once each")
							got[ids[s.ID]] = true
						}
						if cursor = next; next == "" {
							break
						}
					}
					require.Len(t, got, len(strings.Fields(c.want)))
					for _, n := range strings.Fields(c.want) {
						require.True(t, got[n], n)
					}
				})
			}
		}
		_, _, err := e.List(ctx, order.Filter{}, "no cursor", 10)
		require.ErrorIs(t, err, order.ErrCursor)
		page, _, err := e.List(ctx, order.Filter{Route: "waits"}, "", 1)
		require.NoError(t, err)
		require.Equal(t, order.Progress{State: order.Waiting, Step: "port", WaitsFor: "ported"}, page[0].Progress)
		_, err = e.Status(ctx, "nobody")
		require.ErrorIs(t, err, order.ErrNotFound)
	})
}

func TestCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	e := w.open(waitsIfAsked)
	for i, route := range []string{"ends", "waits", "waits", "asks"} {
		o := sale(fmt.Sprint(i))
		o.Route = route
		o.Started = time.Now().Add(-time.Duration(i) * time.Hour)
		start(t, e, o)
	}
	until(t, "all are where they stay", func() bool {
		c, err := e.Counts(soon(t))
		require.NoError(t, err)
		return c.Asking == 1 && c.Waiting == 2 && len(c.Ended) == 1
	})
	c, err := e.Counts(soon(t))
	require.NoError(t, err)
	require.Equal(t, []order.Count{{Route: "asks", State: order.Stuck, N: 1}, {Route: "waits", State: order.Waiting, N: 2}}, c.Open)
	require.Equal(t, []order.Count{{Route: "ends", State: order.Undone, N: 1}}, c.Ended)
	require.WithinDuration(t, time.Now().Add(-2*time.Hour), c.Oldest, time.Minute, "a stuck one is over")
}

func TestAwaitGivesUp(t *testing.T) {
	t.Parallel()
	e := newWorld(t, "").open(waitsIfAsked)
	o := sale("1")
	o.Route = "waits"
	id := start(t, e, o)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	s, err := e.Await(ctx, id)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, id, s.ID, "and what is known")
	_, err = e.Await(soon(t), "nobody")
	require.ErrorIs(t, err, order.ErrNotFound)
}

func FuzzCursor(f *testing.F) {
	f.Add(order.WriteCursor(1772366400000, "abcdefghijklmnopqrstuvwx"))
	f.Add(order.WriteCursor(-1, "a"))
	f.Add("")
	f.Add("MC5h")
	f.Add("LTAuYQ")
	f.Add("LT\nEuYQ")
	f.Fuzz(func(t *testing.T, text string) {
		at, id, err := order.ReadCursor(text)
		if err != nil {
			require.ErrorIs(t, err, order.ErrCursor)
			return
		}
		require.Equal(t, text, order.WriteCursor(at, id), "one way to write it")
	})
}
