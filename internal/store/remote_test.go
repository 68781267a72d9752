package store_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/redistest"
	"github.com/emenda-gateway/emenda/internal/seal"
	"github.com/emenda-gateway/emenda/internal/store"
	"github.com/emenda-gateway/emenda/internal/token"
)

func inRedis(t *testing.T) *place { return &place{t: t, redis: redistest.Start(t)} }

// untilUp waits until a store is up.
func untilUp(t *testing.T, stores ...*store.Store) {
	t.Helper()
	for _, s := range stores {
		require.Eventually(t, func() bool { return s.Health().Up }, 10*time.Second, 10*time.Millisecond)
	}
}

func untilDown(t *testing.T, stores ...*store.Store) {
	t.Helper()
	for _, s := range stores {
		require.Eventually(t, func() bool { return !s.Health().Up }, 10*time.Second, 10*time.Millisecond)
	}
}

// finish sends a request that changes something, and gives what became of it.
func finish(t *testing.T, s *store.Store, r store.Repeat, key, answer string) (store.Found, flow.Verdict) {
	t.Helper()
	turn, found, _ := begin(t, s, r)
	if turn == nil {
		return found, flow.Admitted
	}
	a := claiming(key, 1)
	verdict := turn.Admit(bg, a)
	if verdict == flow.Admitted {
		turn.Settled(a, contract.OK)
	}
	turn.End([]byte(answer))
	return found, verdict
}

func TestRedisLostAndBack(t *testing.T) {
	for _, c := range []struct {
		name        string
		lose, bring func(*redistest.Server)
	}{
		{"killed", (*redistest.Server).Kill, (*redistest.Server).Run},
		{"hanging", (*redistest.Server).Stop, (*redistest.Server).Continue},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := inRedis(t)
			a, b := p.open(), p.open()
			m := &mapping.Memory{Name: "m", For: time.Hour}
			remember(t, a, m, `1`, `"x"`, time.Now())
			found, verdict := finish(t, a, repeat, `1`, "first")
			require.Equal(t, store.First, found)
			require.Equal(t, flow.Admitted, verdict)
			require.Equal(t, `1`, count(t, b, `1`))
			untilUp(t, a, b)

			c.lose(p.redis)
			untilDown(t, a, b)
			// Reading goes on with what each knows.
			require.Equal(t, `"x"`, recall(t, a, m, `1`, time.Now()))
			_, _, err := b.Recall(bg, m, []byte(`1`), time.Now())
			require.ErrorIs(t, err, store.ErrDown)
			require.Equal(t, `1`, count(t, b, `1`), "the last number it was told")
			require.ErrorIs(t, b.Remember(bg, m, []byte(`2`), []byte(`"y"`), time.Now()), store.ErrDown)
			require.Equal(t, `"y"`, recall(t, b, m, `2`, time.Now()))
			// What this process answered it answers again; what is new is refused.
			_, found, answer := begin(t, a, repeat)
			require.Equal(t, store.Replayed, found)
			require.Equal(t, "first", answer)
			_, _, _, err = b.Begin(bg, &repeat, about, time.Now())
			require.ErrorIs(t, err, store.ErrDown)
			turn, _, _, err := b.Begin(bg, nil, about, time.Now())
			require.NoError(t, err)
			require.Equal(t, flow.NoStore, turn.Admit(bg, claiming(`2`, 1)))

			c.bring(p.redis)
			untilUp(t, a, b)
			_, found, _ = begin(t, b, repeat)
			require.Equal(t, store.Replayed, found)
			require.Equal(t, `1`, count(t, b, `1`))
			require.Empty(t, count(t, b, `2`))
			_, verdict = finish(t, b, store.Repeat{Identity: []byte("new"), For: time.Minute}, `2`, "x")
			require.Equal(t, flow.Admitted, verdict)
		})
	}
}

// A Redis that comes back with nothing is told again what its replicas know.
func TestRedisLosesItsData(t *testing.T) {
	p := inRedis(t)
	a, b := p.open(), p.open()
	_, verdict := finish(t, a, repeat, `1`, "first")
	require.Equal(t, flow.Admitted, verdict)
	under := repeat
	under.Identity = []byte("under way")
	turn, _, _ := begin(t, a, under)
	sent := claiming(`3`, 1)
	require.Equal(t, flow.Admitted, turn.Admit(bg, sent))

	p.redis.Flush()
	p.redis.Kill()
	p.redis.Run()
	_, _, _, err := b.Begin(bg, &repeat, about, time.Now())
	require.ErrorIs(t, err, store.ErrDown, "it is not asked before it was told")
	untilDown(t, a, b)
	untilUp(t, a, b)
	found, verdict := finish(t, b, repeat, `1`, "again")
	require.Equal(t, store.Replayed, found)
	require.Equal(t, flow.Admitted, verdict)
	other := repeat
	other.Identity = []byte("another request about the same")
	_, verdict = finish(t, b, other, `1`, "again")
	require.Equal(t, flow.OverLimit, verdict)
	_, verdict = finish(t, b, other, `3`, "again")
	require.Equal(t, flow.OverLimit, verdict)

	// What was under way ends as if nothing had been.
	done := make(chan string, 1)
	go func() {
		_, _, answer, _ := b.Begin(bg, &under, about, time.Now())
		done <- string(answer)
	}()
	turn.Settled(sent, contract.OK)
	turn.End([]byte("late"))
	require.Equal(t, "late", <-done)
}

// Also a great deal is put back before anything is asked.
func TestRedisLosesALot(t *testing.T) {
	p := inRedis(t)
	a, b := p.open(), p.open()
	const many = 3000
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < many; i += 8 {
				turn, _, _, err := a.Begin(bg, nil, about, time.Now())
				if err != nil {
					t.Error(err)
					return
				}
				c := claiming(fmt.Sprint(i), 1)
				if turn.Admit(bg, c) != flow.Admitted {
					t.Error("not admitted")
				}
				turn.Settled(c, contract.OK)
			}
		})
	}
	wg.Wait()
	p.redis.Flush()
	p.redis.Kill()
	p.redis.Run()
	untilDown(t, a, b)
	untilUp(t, a, b)
	for i := range many {
		require.Equal(t, `1`, count(t, b, fmt.Sprint(i)))
	}
}

// What ends while Redis is away is kept when it is back.
func TestEndsWhileRedisIsAway(t *testing.T) {
	p := inRedis(t)
	a, b := p.open(), p.open()
	refused, lost := repeat, repeat
	refused.Identity, lost.Identity = []byte("refused"), []byte("lost")
	turn1, _, _ := begin(t, a, refused)
	turn2, _, _ := begin(t, a, lost)
	c1, c2 := claiming(`1`, 1), claiming(`2`, 1)
	require.Equal(t, flow.Admitted, turn1.Admit(bg, c1))
	require.Equal(t, flow.Admitted, turn2.Admit(bg, c2))
	p.redis.Kill()
	untilDown(t, a)
	turn1.Settled(c1, contract.Refused)
	turn1.End([]byte("no"))
	turn2.Settled(c2, contract.Unknown)
	turn2.End([]byte("who knows"))
	p.redis.Run()
	untilUp(t, a, b)
	_, found, answer := begin(t, b, refused)
	require.Equal(t, store.Replayed, found)
	require.Equal(t, "no", answer)
	require.Empty(t, count(t, b, `1`), "given back")
	require.Equal(t, `1`, count(t, b, `2`))
	list := unknowns(t, b)
	require.Len(t, list, 1)
	require.True(t, list[0].Lost)
	require.NoError(t, b.Done(bg, list[0].ID))

	p.redis.Kill() // what was looked at does not come back
	untilDown(t, a, b)
	require.Equal(t, `0`, count(t, b, `1`), "what was given back is not counted, either")
	p.redis.Run()
	untilUp(t, a)
	require.Empty(t, unknowns(t, a))
}

// However often and wherever it is asked for, the first answer is given for its time and no longer.
func TestWindowIsTheSameEverywhere(t *testing.T) {
	p := inRedis(t)
	a, b := p.open(), p.open()
	short := repeat
	short.For = time.Second
	began := time.Now()
	finish(t, a, short, `1`, "first")
	var found store.Found
	for found = store.Replayed; found == store.Replayed; {
		found, _ = finish(t, b, short, `2`, "second")
		time.Sleep(20 * time.Millisecond)
	}
	require.Equal(t, store.First, found)
	require.InDelta(t, time.Second, time.Since(began), float64(300*time.Millisecond))
}

// A replica that was taken for dead does not send what another has taken over.
func TestTakenForDead(t *testing.T) {
	p := inRedis(t)
	a, b := p.open(), p.open()
	turn, _, _ := begin(t, a, repeat)
	store.SkipBeats(a, true) // as one that is stopped for a while
	time.Sleep(store.LifeSign)
	mine, found, _ := begin(t, b, repeat)
	require.Equal(t, store.First, found)
	store.SkipBeats(a, false)
	require.Equal(t, flow.NoStore, turn.Admit(bg, claiming(`1`, 1)))
	turn.End(nil)
	require.Equal(t, flow.Admitted, mine.Admit(bg, claiming(`1`, 1)))
}

func TestStartsWithoutRedis(t *testing.T) {
	p := inRedis(t)
	p.redis.Kill()
	var log bytes.Buffer
	var mu sync.Mutex
	s, err := store.New(store.Options{
		Limit: 10, Keys: seal.Keys{keyOf('k')}, Redis: p.redis.URL(),
		Log: slog.New(slog.NewTextHandler(writer(func(b []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return log.Write(b)
		}), nil)),
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	require.False(t, s.Health().Up)
	require.False(t, s.Instant())
	p.redis.Run()
	untilUp(t, s)
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, log.String(), "cannot be reached yet")
	require.Contains(t, log.String(), `msg="the store can be reached"`)
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func TestAddressOfRedis(t *testing.T) {
	_, err := store.New(store.Options{Limit: 1, Redis: "redis://:geheim@host:port:port"})
	require.ErrorContains(t, err, "cannot be read: expected redis://")
	require.NotContains(t, err.Error(), "geheim")
}

func TestClosedIsDown(t *testing.T) {
	p := inRedis(t)
	s := p.open()
	require.NoError(t, s.Close())
	_, _, _, err := s.Begin(bg, &repeat, about, time.Now())
	require.ErrorIs(t, err, store.ErrDown)
	require.Empty(t, p.redis.Client().Keys(context.Background(), "*alive*").Val(), "others need not wait to see it gone")
}

func TestTokens(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		s := p.open()
		other := s
		if p.redis != nil {
			other = p.open()
		}
		_, ok, err := s.LoadToken(bg, "name-of-a-backend")
		require.NoError(t, err)
		require.False(t, ok)
		k := token.Kept{Value: "secret-token", Renew: time.Now().Add(time.Minute).UTC().Round(0), End: time.Now().Add(time.Hour).UTC().Round(0)}
		require.NoError(t, s.SaveToken(bg, "name-of-a-backend", k))
		got, ok, err := other.LoadToken(bg, "name-of-a-backend")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, k, got)
		if p.redis != nil {
			require.NotContains(t, p.everything(), "secret-token")
			require.NotContains(t, p.everything(), "name-of-a-backend")
		}

		unlock, ok, err := s.LockToken(bg, "name-of-a-backend")
		require.NoError(t, err)
		require.True(t, ok)
		_, ok, err = other.LockToken(bg, "name-of-a-backend")
		require.NoError(t, err)
		require.False(t, ok)
		_, ok, _ = other.LockToken(bg, "mvno")
		require.True(t, ok)
		unlock()
		unlock, ok, _ = other.LockToken(bg, "name-of-a-backend")
		require.True(t, ok)
		unlock()
	})
}

func TestTokenLockOfTheDead(t *testing.T) {
	p := inRedis(t)
	a, b := p.open(), p.open()
	_, ok, err := a.LockToken(bg, "name-of-a-backend")
	require.NoError(t, err)
	require.True(t, ok)
	store.Crash(a)
	began := time.Now()
	require.Eventually(t, func() bool {
		_, ok, err := b.LockToken(bg, "name-of-a-backend")
		return err == nil && ok
	}, 5*time.Second, 10*time.Millisecond)
	require.Less(t, time.Since(began), 1500*time.Millisecond)
}
