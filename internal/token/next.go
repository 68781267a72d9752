package token

import (
	"context"
	"time"
)

// Some backends replace the token in ordinary answers. Then it is not one fetch
// that brings it, but whoever was answered last: what holds is kept where all
// replicas look before they ask (Current), and who is told of another one in
// the answer to a request that carried the one that holds puts it there (Next).

// spares is how many tokens are remembered beside the one that holds: of two
// answers that came at once nobody can tell which was given later.
const spares = 4

// Current gives the token that holds now for all replicas, fetching one when
// there is none. alone tells that the backend lets a token go at once when it
// gives another, so that only one request at a time can be sure of its own.
func (s *Source) Current(ctx context.Context) (value string, alone bool, err error) {
	if k, ok := s.kept(ctx); ok {
		return k.Value, s.o.Now().Before(k.Alone), nil
	}
	value, err = s.Get(ctx)
	return value, false, err
}

// kept gives what is kept for all; where that cannot be reached, what this process holds.
func (s *Source) kept(ctx context.Context) (Kept, bool) {
	now := s.o.Now()
	if s.o.Shared != nil {
		k, ok, err := s.load(ctx, s.o.Name)
		if err == nil {
			ok = ok && sendable(k.Value) && now.Before(k.End) && !s.over(k.Value)
			if ok {
				s.hold(k)
			}
			return k, ok
		}
	}
	t := s.current.Load()
	if !t.good(now) {
		return Kept{}, false
	}
	return Kept{Value: t.value, Renew: t.renew, End: t.end}, true
}

// over tells whether the backend has refused a token.
func (s *Source) over(value string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead.has(value)
}

// hold makes a kept token this process' own.
func (s *Source) hold(k Kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.current.Load(); t == nil || t.value != k.Value {
		s.current.Store(&held{value: k.Value, renew: k.Renew, end: k.End, kept: true})
	}
}

// Next says that the answer to a request that carried sent has told of another
// token. It holds from now on, unless sent had been replaced already: then it is
// kept beside the one that has, for when that is refused.
func (s *Source) Next(ctx context.Context, sent, value string) {
	if !sendable(value) || value == sent {
		return
	}
	s.turn(ctx, func(k *Kept, ok bool) bool {
		if ok && k.Value != sent {
			if k.Value == value {
				return false
			}
			k.Spare = spared(k.Spare, value)
			return true
		}
		now := s.o.Now()
		life := s.life(value, now)
		if ok {
			k.Spare = spared(k.Spare, k.Value)
		}
		k.Value, k.Renew, k.End = value, now.Add(life-ahead(life)), now.Add(life)
		return true
	})
}

// Refused says that the backend refused a token. The next one that is known
// takes its place; without one Current fetches. A token that had been replaced
// when it was refused tells that the backend keeps none beside the newest.
func (s *Source) Refused(ctx context.Context, value string) {
	s.mu.Lock()
	s.dead.add(value)
	s.mu.Unlock()
	s.turn(ctx, func(k *Kept, ok bool) bool {
		now := s.o.Now()
		switch {
		case !ok:
			return false
		case k.Value != value:
			k.Alone = now.Add(aloneFor)
			return true
		}
		for n := len(k.Spare) - 1; n >= 0; n-- {
			if spare := k.Spare[n]; !s.over(spare) {
				life := s.life(spare, now)
				k.Value, k.Renew, k.End, k.Spare = spare, now.Add(life-ahead(life)), now.Add(life), k.Spare[:n]
				return true
			}
		}
		k.End, k.Spare = now, nil
		return true
	})
	s.Invalidate(value)
}

// aloneFor is how long requests are sent one at a time after a token was
// refused that had been replaced while its request was on its way.
const aloneFor = time.Minute

// spared adds a token to those that are remembered.
func spared(all []string, value string) []string {
	for i, v := range all {
		if v == value {
			all = append(all[:i:i], all[i+1:]...)
			break
		}
	}
	all = append(all, value)
	return all[max(0, len(all)-spares):]
}

// turn changes what is kept, in this process and for all, one at a time: change
// tells whether it has.
func (s *Source) turn(ctx context.Context, change func(k *Kept, ok bool) bool) {
	s.turns.Lock()
	defer s.turns.Unlock()
	if s.o.Shared != nil {
		var after Kept
		done, err := s.o.Shared.ChangeToken(ctx, s.o.Name, func(k *Kept, ok bool) bool {
			ok = ok && s.o.Now().Before(k.End)
			if !change(k, ok) {
				return false
			}
			after = *k
			return true
		})
		if err == nil {
			if done && s.o.Now().Before(after.End) {
				s.hold(after)
			}
			return
		}
	}
	var k Kept
	t := s.current.Load()
	ok := t.good(s.o.Now())
	if ok {
		k = Kept{Value: t.value, Renew: t.renew, End: t.end, Spare: s.own}
	}
	if change(&k, ok) && s.o.Now().Before(k.End) {
		s.own = k.Spare
		s.hold(k)
	}
}

// Turn lets a request go out with the token, beside others or, with alone, by
// itself: when those under way here are done, and among replicas as far as they
// can be reached. done ends it.
func (s *Source) Turn(ctx context.Context, alone bool) (done func(), err error) {
	n := int64(1)
	if alone {
		n = everybody
	}
	if err := s.sending.Acquire(ctx, n); err != nil {
		return nil, err
	}
	here := func() { s.sending.Release(n) }
	if !alone || s.o.Shared == nil {
		return here, nil
	}
	for {
		unlock, ok, err := s.o.Shared.LockToken(ctx, s.o.Name+" alone")
		switch {
		case err != nil:
			return here, nil //nolint:nilerr // the others cannot be reached: this process goes on by itself
		case ok:
			return func() { unlock(); here() }, nil
		case !pause(ctx, brief):
			here()
			return nil, ctx.Err()
		}
	}
}

// everybody is more requests than are ever under way.
const everybody = 1 << 30

// brief is how often is looked whether another replica is done.
const brief = 3 * time.Millisecond
