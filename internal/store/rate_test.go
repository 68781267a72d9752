package store_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/redistest"
	"github.com/emenda-gateway/emenda/internal/store"
)

func TestRate(t *testing.T) {
	type try struct {
		after time.Duration
		times int
		wait  time.Duration
	}
	for name, c := range map[string]struct {
		rate  intake.Rate
		tries []try
	}{
		"a period's at once, then one by one": {intake.Rate{N: 5, Per: time.Second}, []try{
			{times: 5}, {wait: 200 * time.Millisecond}, {after: 150 * time.Millisecond, wait: 50 * time.Millisecond},
			{after: 50 * time.Millisecond}, {wait: 200 * time.Millisecond}, {after: time.Hour, times: 5}, {wait: 200 * time.Millisecond},
		}},
		"what waits takes nothing": {intake.Rate{N: 1, Per: time.Hour}, []try{
			{times: 1}, {times: 1, wait: time.Hour}, {times: 1, wait: time.Hour}, {after: time.Hour}, {wait: time.Hour},
		}},
		"by the minute": {intake.Rate{N: 120, Per: time.Minute}, []try{{times: 120}, {wait: 500 * time.Millisecond}, {after: 2 * time.Second, times: 4}, {wait: 500 * time.Millisecond}}},
	} {
		t.Run(name, func(t *testing.T) {
			s, now := store.NewLocal(1), noon
			for i, try := range c.tries {
				now = now.Add(try.after)
				for range max(try.times, 1) {
					require.Equal(t, try.wait, s.Take(bg, "ivr", c.rate, now), "line %d", i+1)
				}
			}
			require.Zero(t, s.Take(bg, "app", c.rate, now), "another caller has its own")
		})
	}
}

// All replicas together keep to the rate; with Redis lost each goes on by
// itself, at once.
func TestRateIsShared(t *testing.T) {
	for _, c := range []struct {
		name        string
		lose, bring func(*redistest.Server)
	}{
		{"killed", (*redistest.Server).Kill, (*redistest.Server).Run},
		{"hanging", (*redistest.Server).Stop, (*redistest.Server).Continue},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := inRedis(t)
			stores := []*store.Store{p.open(), p.open(), p.open()}
			untilUp(t, stores...)
			rate := intake.Rate{N: 30, Per: time.Hour}
			var taken atomic.Int64
			var all sync.WaitGroup
			for _, s := range stores {
				for range 4 {
					all.Go(func() {
						for range 10 {
							wait := s.Take(bg, "ivr", rate, noon) // whose clock it is does not matter
							if wait == 0 {
								taken.Add(1)
							} else if wait > 2*time.Minute {
								t.Errorf("waits %s for one of 30 an hour", wait)
							}
						}
					})
				}
			}
			all.Wait()
			require.EqualValues(t, 30, taken.Load())
			require.Zero(t, stores[0].Take(bg, "app", rate, noon))

			c.lose(p.redis)
			for _, s := range stores {
				begin := time.Now()
				require.Zero(t, s.Take(bg, "ivr", rate, noon))
				require.Less(t, time.Since(begin), 2*time.Second)
				for range 29 {
					s.Take(bg, "ivr", rate, noon)
				}
				require.Positive(t, s.Take(bg, "ivr", rate, noon), "each by itself then")
			}
			c.bring(p.redis)
			untilUp(t, stores...)
		})
	}
}

// Nothing can be read off the names in Redis.
func TestRateNamesAreHidden(t *testing.T) {
	p := inRedis(t)
	s := p.open()
	untilUp(t, s)
	s.Take(bg, "name-of-a-caller", intake.Rate{N: 1, Per: time.Hour}, noon)
	keys, err := p.redis.Client().Keys(context.Background(), "*:l:*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.NotContains(t, keys[0], "name-of-a-caller")
	left, err := p.redis.Client().PTTL(context.Background(), keys[0]).Result()
	require.NoError(t, err)
	require.LessOrEqual(t, left, time.Hour)
	require.Positive(t, left, "it goes when it is full again")
}
