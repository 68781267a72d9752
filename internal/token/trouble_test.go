package token_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheOneWhoFetchesDies(t *testing.T) {
	c, keep := newClock(), newShared()
	erp := newIssuer(c.Now, time.Hour)
	s := source(t, keep, erp)
	take(t, keep)
	got := make(chan string, 1)
	go func() { v, _ := s.Get(context.Background()); got <- v }()
	eventually(t, func() bool { return keep.count("lock erp") > 3 }, "it waits")
	require.Empty(t, erp.told())
	keep.die()
	require.Equal(t, 1, number(<-got))
}

// Who dies while it renews may have renewed: nobody renews that token again.
func TestTheOneWhoRenewsDies(t *testing.T) {
	c, keep := newClock(), newShared()
	erp := newIssuer(c.Now, time.Hour)
	a, b := source(t, keep, erp), source(t, keep, erp)
	first := get(t, a)
	require.Equal(t, first, get(t, b))
	erp.told()
	hold := make(chan struct{})
	erp.set(func() { erp.hold = hold })
	a.Invalidate(first)
	dying := make(chan struct{})
	go func() { defer close(dying); _, _ = a.Get(context.Background()) }()
	eventually(t, func() bool { return len(erp.told()) == 1 }, "a renews")
	b.Invalidate(first)
	got := make(chan string, 1)
	go func() { v, _ := b.Get(context.Background()); got <- v }()
	tried := keep.count("lock erp")
	eventually(t, func() bool { return keep.count("lock erp") > tried+2 }, "b waits")
	erp.set(func() { erp.hold = nil })
	keep.die()
	require.Equal(t, 2, number(<-got))
	require.Equal(t, []string{"obtain"}, erp.told())
	require.NotContains(t, fmt.Sprint(keep.find("erp renewal")), first, "the mark is no token")
	close(hold)
	<-dying
}

func TestSharedFails(t *testing.T) {
	for name, c := range map[string]struct {
		before func(ctx context.Context, what string) error
		saved  bool // what was fetched is kept for all
	}{
		"nothing can be loaded":   {always(errDown, "load"), false},
		"nothing can be saved":    {always(errDown, "save"), false},
		"nothing can be locked":   {always(errDown, "lock"), false},
		"nothing at all":          {always(errDown, "load", "save", "lock"), false},
		"loading hangs":           {func(ctx context.Context, what string) error { return hang(ctx, what, "load") }, false},
		"saving hangs":            {func(ctx context.Context, what string) error { return hang(ctx, what, "save") }, false},
		"locking hangs":           {func(ctx context.Context, what string) error { return hang(ctx, what, "lock") }, false},
		"unlocking hangs":         {func(ctx context.Context, what string) error { return hang(ctx, what, "unlock") }, true},
		"hangs, whatever the end": {func(context.Context, string) error { time.Sleep(time.Second); return nil }, false},
		"panics":                  {func(_ context.Context, what string) error { panic(what) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock, keep := newClock(), newShared()
			erp := newIssuer(clock.Now, time.Hour)
			a, b := source(t, keep, erp), source(t, keep, erp)
			keep.when(c.before)
			began := time.Now()
			require.Equal(t, 1, number(get(t, a)))
			require.Less(t, time.Since(began), 900*time.Millisecond)
			require.Equal(t, []string{"obtain"}, erp.told())
			require.Equal(t, 1, number(get(t, a)), "it keeps it for itself")
			require.Equal(t, c.saved, keep.find("erp").Value != "")

			// It goes back to sharing by itself.
			keep.when(nil)
			eventually(t, func() bool { return !keep.locked() }, "the lock is given back")
			want := 2
			if c.saved {
				want = 1
			}
			require.Equal(t, want, number(get(t, b)))
			require.Len(t, erp.told(), want-1)
			a.Invalidate(get(t, a))
			if !c.saved {
				require.Equal(t, get(t, b), get(t, a))
				require.Empty(t, erp.told())
			}
		})
	}
}

// hang waits for ctx's end in one question; unlocking has no context.
func hang(ctx context.Context, what, which string) error {
	if what != which {
		return nil
	}
	if what == "unlock" {
		time.Sleep(time.Second)
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// A lock that comes when nobody waits for it any more is given back.
func TestALockThatComesTooLate(t *testing.T) {
	c, keep := newClock(), newShared()
	erp := newIssuer(c.Now, time.Hour)
	s := source(t, keep, erp)
	late := make(chan struct{})
	keep.when(func(_ context.Context, what string) error {
		if what == "lock" {
			<-late
		}
		return nil
	})
	require.Equal(t, 1, number(get(t, s)))
	require.Zero(t, keep.count("unlock erp"))
	close(late)
	eventually(t, func() bool { return keep.count("unlock erp") == 1 && !keep.locked() }, "it is given back")
}
