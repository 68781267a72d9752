package token

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// sharedTimeout bounds one question to Shared: whoever waits for a token does
// not wait longer for a store that hangs; the source then fetches for itself.
const sharedTimeout = 300 * time.Millisecond

// glance is the least time between two looks at what another is fetching; the most is twice that.
const glance = 25 * time.Millisecond

// together brings a token as one of many: it takes what another has fetched,
// or fetches for all while it has the lock. done is false when Shared could not
// be reached, or time was up, and nothing has been fetched.
func (s *Source) together(ctx context.Context, f *flight) (done bool) {
	for {
		taken, err := s.look(ctx, f)
		if err != nil || taken {
			return taken
		}
		unlock, err := s.lock(ctx)
		if err != nil {
			return false
		}
		if unlock != nil {
			s.fetchForAll(ctx, f, unlock)
			return true
		}
		// Another fetches. Who has a good token goes on with it.
		if s.postpone(f) {
			return true
		}
		if !pause(ctx, glance+rand.N(glance)) {
			return false
		}
	}
}

// fetchForAll fetches while it has the lock, which is free when the flight ends.
func (s *Source) fetchForAll(ctx context.Context, f *flight, unlock func()) {
	if value, taken, err := s.fetchLocked(ctx, f, unlock); !taken {
		s.settle(f, value, err)
	}
}

// fetchLocked fetches and keeps what it fetched; taken tells that the flight
// has ended with the token that the one kept who had the lock before.
func (s *Source) fetchLocked(ctx context.Context, f *flight, unlock func()) (value string, taken bool, err error) {
	defer s.unlock(unlock)
	taken, sharedErr := s.look(ctx, f)
	if taken {
		return "", true, nil
	}
	if sharedErr == nil {
		f.old = s.renewable(ctx, f.old)
	}
	if err := ctx.Err(); err != nil {
		return "", false, err
	}
	value, err = s.obtain(ctx, f)
	if err == nil && sharedErr == nil {
		now := s.o.Now()
		life := s.life(value, now)
		// Before anybody here uses it: the others may have been refused already.
		_ = s.save(ctx, s.o.Name, Kept{Value: value, Renew: now.Add(life - ahead(life)), End: now.Add(life)})
	}
	return value, false, err
}

// look takes the kept token. taken tells that the flight has ended with it.
func (s *Source) look(ctx context.Context, f *flight) (taken bool, err error) {
	k, ok, err := s.load(ctx, s.o.Name)
	if err != nil {
		return false, err
	}
	if f.found == nil {
		f.found = &k.Value
	}
	if !ok {
		return false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !sendable(k.Value) || s.past.has(k.Value) {
		return false, nil // none, or one that is over
	}
	f.old = k.Value
	if !s.take(f, k) {
		return false, nil
	}
	s.finish(f, k.Value, nil)
	return true, nil
}

// take makes a kept token the current one. It is fresh when it need not be
// renewed yet; else it is only taken in place of one that time has ended: where
// the backend has begun to refuse, it may refuse this one, too. s.mu is held.
func (s *Source) take(f *flight, k Kept) (fresh bool) {
	now := s.o.Now()
	life := s.life(k.Value, now)
	left, renew := k.End.Sub(now), k.Renew.Sub(now)
	if k.Value != *f.found {
		// It came while this one waited. That tells its age, whatever the
		// clock of the one who fetched it says.
		left = life - now.Sub(f.began)
		renew = left - ahead(life)
	}
	// Never for longer than if it had been fetched now.
	left = min(left, life)
	renew = min(renew, left-ahead(life))
	t := &held{value: k.Value, renew: now.Add(renew), end: now.Add(left), kept: true}
	was := s.current.Load()
	switch {
	case t.fresh(now):
		s.put(t)
		return true
	case t.good(now) && !was.refused() && (was == nil || was.value != t.value):
		s.put(t)
	}
	return false
}

// postpone ends a flight that was ahead of need: the token still holds, and
// its source looks again soon whether another has renewed it.
func (s *Source) postpone(f *flight) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, now := s.current.Load(), s.o.Now()
	if !t.good(now) {
		return false
	}
	soon := min(max(t.end.Sub(now)/8, glance), time.Second)
	s.current.Store(t.later(now.Add(soon + rand.N(soon))))
	s.finish(f, t.value, nil)
	return true
}

// Other gives a token in the place of old, which the backend refused though it
// had replaced a refused one. ok is false when there is none, or when old was
// fetched here and nobody replaces it: then it is not the token that is refused.
func (s *Source) Other(ctx context.Context, old string) (value string, ok bool) {
	if t := s.current.Load(); t != nil && t.value == old && !t.kept && !s.replacing(ctx, old) {
		return "", false
	}
	s.Invalidate(old)
	value, err := s.Get(ctx)
	return value, err == nil && value != old
}

// replacing tells whether old has been replaced by others, or is being.
func (s *Source) replacing(ctx context.Context, old string) bool {
	s.mu.Lock()
	fetching := s.flight != nil
	s.mu.Unlock()
	if fetching || s.o.Shared == nil {
		return fetching
	}
	unlock, err := s.lock(ctx)
	if err != nil || unlock == nil {
		return err == nil
	}
	defer s.unlock(unlock)
	k, ok, err := s.load(ctx, s.o.Name)
	return err == nil && ok && k.Value != old
}

// renewable gives old, unless its renewal has been tried: it is tried once by
// all together, though the one who did so be dead. What is kept of that is a hash.
func (s *Source) renewable(ctx context.Context, old string) string {
	if old == "" || old == s.tried {
		return ""
	}
	name, sum := s.o.Name+" renewal", sha256.Sum256([]byte(old))
	tried := hex.EncodeToString(sum[:])
	if k, ok, err := s.load(ctx, name); err == nil && ok && k.Value == tried {
		return ""
	}
	now := s.o.Now()
	end := now.Add(s.life(old, now))
	_ = s.save(ctx, name, Kept{Value: tried, Renew: end, End: end})
	return old
}

func (s *Source) load(ctx context.Context, name string) (k Kept, ok bool, err error) {
	type found struct {
		Kept
		ok bool
	}
	got, err := briefly(ctx, nil, func(ctx context.Context) (found, error) {
		k, ok, err := s.o.Shared.LoadToken(ctx, name)
		return found{k, ok}, err
	})
	return got.Kept, got.ok, err
}

// save keeps a token, though ctx has ended: the others wait for it.
func (s *Source) save(ctx context.Context, name string, k Kept) error {
	_, err := briefly(context.WithoutCancel(ctx), nil, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.o.Shared.SaveToken(ctx, name, k)
	})
	return err
}

// lock gives what unlocks, nil while another has the lock.
func (s *Source) lock(ctx context.Context) (unlock func(), err error) {
	tooLate := func(unlock func()) {
		if unlock != nil {
			unlock()
		}
	}
	return briefly(ctx, tooLate, func(ctx context.Context) (func(), error) {
		unlock, ok, err := s.o.Shared.LockToken(ctx, s.o.Name)
		if err != nil || !ok {
			return nil, err
		}
		return unlock, nil
	})
}

func (s *Source) unlock(unlock func()) {
	_, _ = briefly(context.Background(), nil, func(context.Context) (struct{}, error) {
		unlock()
		return struct{}{}, nil
	})
}

// briefly puts a question to Shared and waits a moment for the answer, whether it
// heeds its context or not. An answer that nobody waits for any more is given to tooLate.
func briefly[T any](ctx context.Context, tooLate func(T), question func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, sharedTimeout)
	defer cancel()
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer)
	go func() {
		a := answer{err: errPanic}
		defer func() {
			_ = recover() // what keeps tokens is no reason to end the program
			select {
			case answers <- a:
			case <-ctx.Done():
				if a.err == nil && tooLate != nil {
					tooLate(a.value)
				}
			}
		}()
		a.value, a.err = question(ctx)
	}()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// pause waits d; false when ctx ends before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
