package token_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/token"
)

// number reads an issued token's number.
func number(value string) int {
	var claims struct{ N int }
	if parts := strings.Split(value, "."); len(parts) == 3 {
		if raw, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(raw, &claims)
		}
	}
	return claims.N
}

func TestOneFetchForAllReplicas(t *testing.T) {
	c, keep := newClock(), newShared()
	erp := newIssuer(c.Now, time.Hour)
	hold := make(chan struct{})
	erp.hold = hold
	var wg sync.WaitGroup
	for range 4 {
		s := source(t, keep, erp)
		for range 50 {
			wg.Go(func() {
				if v, err := s.Get(context.Background()); err != nil || number(v) != 1 {
					t.Errorf("got token %d, %v", number(v), err)
				}
			})
		}
	}
	eventually(t, func() bool { return keep.count("lock erp") >= 6 }, "the others look again")
	close(hold)
	wg.Wait()
	require.Equal(t, []string{"obtain"}, erp.told())
	require.False(t, keep.locked())
}

func TestKeptAcrossAReload(t *testing.T) {
	c, keep := newClock(), newShared()
	erp := newIssuer(c.Now, time.Hour)
	before := source(t, keep, erp)
	first := get(t, before)
	before.Close()
	require.Equal(t, first, get(t, source(t, keep, erp)))
	require.Equal(t, []string{"obtain"}, erp.told())
	another := source(t, keep, erp, func(o *token.Options) { o.Name = "erp of another account" })
	require.NotEqual(t, first, get(t, another))
	require.Equal(t, []string{"obtain"}, erp.told())
}

func TestRefusedWhereAnotherHasRenewed(t *testing.T) {
	c, keep := newClock(), newShared()
	erp := newIssuer(c.Now, time.Hour)
	a, b := source(t, keep, erp), source(t, keep, erp)
	first := get(t, a)
	require.Equal(t, first, get(t, b))
	a.Invalidate(first)
	second := get(t, a)
	require.Equal(t, 2, number(second))
	require.Equal(t, []string{"obtain", "renew t1"}, erp.told())
	locks := keep.count("lock erp")
	b.Invalidate(first)
	require.Equal(t, second, get(t, b))
	require.Empty(t, erp.told(), "nothing is fetched where a newer one is kept")
	require.Equal(t, locks, keep.count("lock erp"), "nor is the fetch asked for")
}

func TestRefusedEverywhereAtOnce(t *testing.T) {
	c, keep := newClock(), newShared()
	erp := newIssuer(c.Now, time.Hour)
	all := make([]*token.Source, 4)
	for i := range all {
		all[i] = source(t, keep, erp)
		get(t, all[i])
	}
	first := get(t, all[0])
	erp.revoke()
	erp.told()
	var wg sync.WaitGroup
	for _, s := range all {
		for range 20 {
			wg.Go(func() {
				s.Invalidate(first)
				if v, err := s.Get(context.Background()); err != nil || number(v) != 2 {
					t.Errorf("got token %d, %v", number(v), err)
				}
			})
		}
	}
	wg.Wait()
	require.Equal(t, []string{"renew t1", "obtain"}, erp.told(), "the renewal is refused, too; then one is obtained, for all")
}

func TestOneRenewsAheadForAll(t *testing.T) {
	c, keep := newClock(), newShared()
	erp := newIssuer(c.Now, 10*time.Minute)
	a, b := source(t, keep, erp), source(t, keep, erp)
	first := get(t, a)
	require.Equal(t, first, get(t, b))
	erp.told()
	hold := make(chan struct{})
	erp.set(func() { erp.hold = hold })
	c.turn(9*time.Minute + time.Second)
	require.Equal(t, first, get(t, a))
	eventually(t, keep.locked, "a renews")
	require.Equal(t, first, get(t, b), "nobody waits")
	eventually(t, func() bool { return keep.count("lock erp") == 3 }, "b found the lock taken")
	for range 10 {
		require.Equal(t, first, get(t, b), "nobody waits")
	}
	close(hold)
	eventually(t, func() bool { return number(get(t, a)) == 2 }, "a has it")
	require.Equal(t, []string{"renew t1"}, erp.told())
	c.turn(2 * time.Second) // by then b looks again
	eventually(t, func() bool { return number(get(t, b)) == 2 }, "b takes it")
	require.Empty(t, erp.told())
}

// A token is refused while its renewal ahead of need is under way elsewhere:
// those who were refused wait for it.
func TestRefusedWhileAnotherRenews(t *testing.T) {
	c, keep := newClock(), newShared()
	erp := newIssuer(c.Now, 10*time.Minute)
	a, b := source(t, keep, erp), source(t, keep, erp)
	first := get(t, a)
	require.Equal(t, first, get(t, b))
	hold := make(chan struct{})
	erp.set(func() { erp.hold = hold })
	c.turn(9*time.Minute + time.Second)
	get(t, a)
	eventually(t, keep.locked, "a renews")
	get(t, b) // looks, and goes on with the first
	b.Invalidate(first)
	got := make(chan string, 1)
	go func() { v, _ := b.Get(context.Background()); got <- v }()
	tried := keep.count("lock erp")
	eventually(t, func() bool { return keep.count("lock erp") > tried+2 }, "b looks again and again")
	require.Empty(t, got)
	close(hold)
	require.Equal(t, 2, number(<-got))
	require.Equal(t, []string{"obtain", "renew t1"}, erp.told())
}

// called does what a client does with a call that needs a token.
func called(s *token.Source, erp *issuer) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	v, err := s.Get(ctx)
	if err != nil {
		return false
	}
	if erp.accepts(v) {
		return true
	}
	s.Invalidate(v)
	if v, err = s.Get(ctx); err != nil {
		return false
	}
	if erp.accepts(v) {
		return true
	}
	v, ok := s.Other(ctx, v)
	return ok && erp.accepts(v)
}

// What is kept may be older than what a source has: saving failed, or a
// replica that had slept saved late. Going back would cost a refusal.
func TestWhatIsOverIsNotTaken(t *testing.T) {
	c, keep := newClock(), newShared()
	erp := newIssuer(c.Now, time.Hour)
	s := source(t, keep, erp)
	first := get(t, s)
	kept := keep.find("erp")
	keep.when(always(errDown, "save"))
	erp.revoke()
	s.Invalidate(first)
	second := get(t, s)
	require.Equal(t, 2, number(second))
	require.Equal(t, kept, keep.find("erp"))
	erp.told()
	s.Invalidate(second)
	require.Equal(t, 3, number(get(t, s)))
	require.Equal(t, []string{"renew t2"}, erp.told())
}

// The token that replaced a refused one is refused as well.
func TestOther(t *testing.T) {
	ctx := context.Background()
	t.Run("two renewals came quickly", func(t *testing.T) {
		c, keep := newClock(), newShared()
		erp := newIssuer(c.Now, time.Hour)
		a, b := source(t, keep, erp), source(t, keep, erp)
		first := get(t, a)
		b.Invalidate(get(t, b))
		second := get(t, b)
		a.Invalidate(first)
		a.Invalidate(get(t, a))
		third := get(t, a)
		erp.told()
		v, ok := b.Other(ctx, second)
		require.True(t, ok)
		require.Equal(t, third, v)
		require.Equal(t, third, get(t, b))
		v, ok = b.Other(ctx, second)
		require.True(t, ok, "it has it by now")
		require.Equal(t, third, v)
		require.Empty(t, erp.told())
	})
	t.Run("the one kept had ended by the backend's clock", func(t *testing.T) {
		c, keep := newClock(), newShared()
		erp := newIssuer(c.Now, time.Hour)
		first := get(t, source(t, keep, erp))
		s := source(t, keep, erp)
		require.Equal(t, first, get(t, s))
		erp.revoke()
		v, ok := s.Other(ctx, first)
		require.True(t, ok)
		require.Equal(t, 2, number(v))
		require.Equal(t, []string{"obtain", "renew t1", "obtain"}, erp.told())
		_, ok = s.Other(ctx, v)
		require.False(t, ok, "it was fetched here")
		keep.when(always(errDown, "load"))
		_, ok = s.Other(ctx, v)
		require.False(t, ok)
		erp.set(func() { erp.down = errDown })
		keep.when(nil)
		s = source(t, keep, erp)
		_, ok = s.Other(ctx, get(t, s))
		require.True(t, ok, "a renewal is no matter of obtaining")
		_, ok = s.Other(ctx, "another")
		require.True(t, ok)
	})
	t.Run("alone", func(t *testing.T) {
		erp := newIssuer(newClock().Now, time.Hour)
		s := token.New(token.Options{Fetch: erp.fetch, Now: erp.now})
		defer s.Close()
		first := get(t, s)
		_, ok := s.Other(ctx, first)
		require.False(t, ok)
		v, ok := s.Other(ctx, "another")
		require.True(t, ok)
		require.Equal(t, first, v)
		require.Equal(t, []string{"obtain"}, erp.told())
	})
}

// Some backends give the same token again while it holds.
func TestTheSameTokenAgain(t *testing.T) {
	c, keep := newClock(), newShared()
	erp := newIssuer(c.Now, time.Hour)
	var fetches atomic.Int32
	same := func(o *token.Options) {
		o.Life = 10 * time.Minute
		o.Fetch = func(context.Context, string) (string, error) { fetches.Add(1); return "same", nil }
	}
	a, b := source(t, keep, erp, same), source(t, keep, erp, same)
	require.Equal(t, "same", get(t, a))
	require.Equal(t, "same", get(t, b))
	for round := range int32(3) {
		c.turn(9*time.Minute + time.Second)
		get(t, a)
		eventually(t, func() bool { _, fresh := a.Held(); return fresh }, "a has it for longer")
		get(t, b)
		eventually(t, func() bool { _, fresh := b.Held(); return fresh }, "b takes the longer life")
		require.Equal(t, round+2, fetches.Load())
	}
	a.Invalidate("same")
	require.Equal(t, "same", get(t, a), "refused, and the backend has no other")
	require.Equal(t, int32(5), fetches.Load())
}

func TestADueTokenIsBetterThanNone(t *testing.T) {
	clockOf := func() (*clock, *shared, *issuer, string) {
		c, keep := newClock(), newShared()
		erp := newIssuer(c.Now, 10*time.Minute)
		other := source(t, keep, erp)
		first := get(t, other)
		c.turn(9*time.Minute + 30*time.Second)
		erp.told()
		return c, keep, erp, first
	}
	t.Run("while another renews it", func(t *testing.T) {
		_, keep, erp, first := clockOf()
		take(t, keep)
		require.Equal(t, first, get(t, source(t, keep, erp)), "a replica that has just started waits for nobody")
		require.Empty(t, erp.told())
	})
	t.Run("while none can be fetched", func(t *testing.T) {
		_, keep, erp, first := clockOf()
		erp.revoke() // renewing fails, too
		erp.set(func() { erp.down = errDown })
		require.Equal(t, first, get(t, source(t, keep, erp)))
		require.Equal(t, []string{"renew t1", "obtain"}, erp.told())
	})
	t.Run("not after a refusal", func(t *testing.T) {
		c, keep, erp, _ := clockOf()
		s := source(t, keep, erp)
		second := get(t, s)
		due := token.Kept{Value: "due", Renew: c.Now(), End: c.Now().Add(time.Minute)}
		keep.keep("erp", due)
		take(t, keep)
		s.Invalidate(second)
		got := make(chan string, 1)
		go func() { v, _ := s.Get(context.Background()); got <- v }()
		tried := keep.count("lock erp")
		eventually(t, func() bool { return keep.count("lock erp") > tried+2 }, "it waits for the one who renews")
		require.Empty(t, got, "what is being renewed may be refused any moment")
		erp.told()
		keep.die()
		require.Equal(t, 3, number(<-got))
		require.Equal(t, []string{"renew ?", "obtain"}, erp.told(), "the newest one is renewed")
	})
}

func TestTheLockIsGivenBack(t *testing.T) {
	t.Run("after a failure", func(t *testing.T) {
		c, keep := newClock(), newShared()
		erp := newIssuer(c.Now, time.Hour)
		erp.down = errDown
		s := source(t, keep, erp)
		_, err := s.Get(context.Background())
		require.ErrorIs(t, err, errDown)
		eventually(t, func() bool { return !keep.locked() }, "others may try")
		erp.set(func() { erp.down = nil })
		require.Equal(t, 1, number(get(t, source(t, keep, erp))))
	})
	t.Run("after a panic", func(t *testing.T) {
		c, keep := newClock(), newShared()
		erp := newIssuer(c.Now, time.Hour)
		s := source(t, keep, erp, func(o *token.Options) {
			o.Fetch = func(context.Context, string) (string, error) { panic("broken") }
		})
		require.PanicsWithValue(t, "broken", func() { _, _ = s.Get(context.Background()) })
		eventually(t, func() bool { return !keep.locked() }, "others may try")
	})
	t.Run("when the source is closed", func(t *testing.T) {
		c, keep := newClock(), newShared()
		erp := newIssuer(c.Now, time.Hour)
		hold := make(chan struct{})
		erp.hold = hold
		s := source(t, keep, erp)
		failed := make(chan error, 1)
		go func() { _, err := s.Get(context.Background()); failed <- err }()
		eventually(t, keep.locked, "it fetches")
		s.Close()
		require.ErrorIs(t, <-failed, context.Canceled)
		require.False(t, keep.locked())
	})
	t.Run("and a source that waits for one can be closed", func(t *testing.T) {
		c, keep := newClock(), newShared()
		erp := newIssuer(c.Now, time.Hour)
		take(t, keep)
		s := source(t, keep, erp)
		failed := make(chan error, 1)
		go func() { _, err := s.Get(context.Background()); failed <- err }()
		eventually(t, func() bool { return keep.count("lock erp") > 2 }, "it waits")
		s.Close()
		require.ErrorIs(t, <-failed, context.Canceled)
		require.Empty(t, erp.told())
	})
	t.Run("or its time is up", func(t *testing.T) {
		c, keep := newClock(), newShared()
		erp := newIssuer(c.Now, time.Hour)
		take(t, keep)
		s := source(t, keep, erp, func(o *token.Options) { o.Timeout = 100 * time.Millisecond })
		_, err := s.Get(context.Background())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Empty(t, erp.told())
	})
}

// Four replicas, a life of one second, each renewal ends the renewed token at
// once: no call fails, and the backend is asked hardly more often than it must be.
func TestManyReplicasUnderLoad(t *testing.T) {
	const life, long = time.Second, 4 * time.Second
	keep := newShared()
	erp := newIssuer(time.Now, life)
	end := time.Now().Add(long)
	var calls, failed atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		s := source(t, keep, erp)
		for range 4 {
			wg.Go(func() {
				for time.Now().Before(end) {
					calls.Add(1)
					if !called(s, erp) {
						failed.Add(1)
					}
					time.Sleep(time.Millisecond) // a bounded load
				}
			})
		}
	}
	wg.Wait()
	require.Zero(t, failed.Load(), "of %d", calls.Load())
	log := erp.told()
	require.LessOrEqual(t, len(log), 2*int(long/life)+2, "%v", log)
	require.Equal(t, "obtain", log[0])
}
