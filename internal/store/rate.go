package store

import (
	"context"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/intake"
)

// rateTimeout is how long a rate is asked for in Redis: above that this process
// goes by what it has seen itself.
const rateTimeout = 100 * time.Millisecond

// rates are buckets of this process: when each will be empty (GCRA). There is
// one for each caller that was ever configured.
type rates struct {
	mu    sync.Mutex
	empty map[string]time.Time
}

// Take takes one request of a caller's rate, and tells how long to wait when
// there is none; 0 when it was taken. A whole period's may come at once. With
// Redis all replicas take from one bucket; while it is lost each has its own,
// so that reading goes on.
func (s *Store) Take(ctx context.Context, caller string, r intake.Rate, now time.Time) time.Duration {
	wait, ok := s.takeShared(ctx, caller, r)
	if !ok {
		wait = s.rates.take(caller, r, now)
	}
	if wait > 0 {
		s.metrics.Limited(byRate, caller)
	}
	return wait
}

func (t *rates) take(caller string, r intake.Rate, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	empty := t.empty[caller]
	if empty.Before(now) {
		empty = now
	}
	empty = empty.Add(r.Per / time.Duration(r.N))
	if wait := empty.Sub(now) - r.Per; wait > 0 {
		return wait
	}
	if t.empty == nil {
		t.empty = map[string]time.Time{}
	}
	t.empty[caller] = empty
	return 0
}

// takeShared takes from the bucket of all replicas; ok is false without one.
func (s *Store) takeShared(ctx context.Context, caller string, r intake.Rate) (wait time.Duration, ok bool) {
	if s.remote == nil || !s.remote.up.Load() {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(ctx, rateTimeout)
	defer cancel()
	names := at(kindRate, s.names(append([]byte{kindRate}, caller...)))
	key := names[len(names)-1:] // the oldest key's name: every replica has it
	micros, err := takeScript.Run(ctx, s.remote.client, key, (r.Per / time.Duration(r.N)).Microseconds(), r.Per.Microseconds()).Int64()
	if s.remote.judge(ctx, err) != nil {
		return 0, false
	}
	return time.Duration(micros) * time.Microsecond, true
}
