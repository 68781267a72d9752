// Package token keeps the token of a backend: obtained when first needed, one
// fetch at a time for everybody who waits, in every replica, renewed before it
// ends and once when the backend refuses it. How to fetch is a function handed
// in, and so is where tokens are kept for everybody.
package token

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// Options are a source's settings.
type Options struct {
	// Fetch gets a token: old is the one held until now, to be renewed when
	// that is possible; "" when there is none, and when its renewal has been
	// tried before. It runs once at a time, in a goroutine of its own, within Timeout.
	Fetch   func(ctx context.Context, old string) (string, error)
	Life    time.Duration // of a token whose expiry cannot be read; 0: one hour
	Timeout time.Duration // of a fetch, whoever waits for it; 0: ten seconds
	Now     func() time.Time
	Shared  Shared // what is fetched here is kept there, and what others fetched is taken; may be nil
	Name    string // under which it is kept: the same for all who may use the same token, and for nobody else
}

// Source gives the current token. It is safe for concurrent use.
type Source struct {
	o       Options
	current atomic.Pointer[held]
	stop    context.CancelFunc
	base    context.Context //nolint:containedctx // bounds fetches, which outlive the calls that wait for them

	mu     sync.Mutex
	flight *flight
	past   past
	tried  string // what was last handed to Fetch; only the fetch under way uses it
	closed bool
	done   sync.WaitGroup

	// Where answers bring the token.
	sending *semaphore.Weighted // one each for requests under way, everybody for one that goes alone
	turns   sync.Mutex          // one change at a time of what is kept
	own     []string            // Kept.Spare where nothing is shared
	dead    past                // what the backend has refused; under mu
}

// held is a token and how long it is good. Where the clock is the system's,
// the times go on when somebody sets it.
type held struct {
	value string
	renew time.Time // from here on it is renewed while it is still used
	end   time.Time // from here on it is not used; zero: the backend refused it
	kept  bool      // others fetched it
}

// fresh tells whether there is a token that need not be renewed yet.
func (t *held) fresh(now time.Time) bool { return t != nil && now.Before(t.renew) }

// good tells whether there is a token that can be used.
func (t *held) good(now time.Time) bool { return t != nil && now.Before(t.end) }

// refused tells whether there is a token, and the backend refused it.
func (t *held) refused() bool { return t != nil && t.end.IsZero() }

// later is t with another time to renew it.
func (t *held) later(renew time.Time) *held {
	return &held{value: t.value, renew: renew, end: t.end, kept: t.kept}
}

// flight is a fetch under way.
type flight struct {
	done  chan struct{}
	began time.Time
	found *string // what was kept when it began; nil: it has not looked yet
	old   string  // the newest token there is, to be renewed
	value string
	err   error
	crash any // what Fetch panicked with
}

// The failures of a source's own.
var (
	ErrClosed = errors.New("the token source is closed")
	ErrBad    = errors.New("the answer holds no token that a header can carry")
	errPanic  = errors.New("the fetch of a token panicked")
)

// New gives a source; it fetches nothing yet.
func New(o Options) *Source {
	if o.Life <= 0 {
		o.Life = time.Hour
	}
	o.Life = min(o.Life, longest)
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Source{o: o, sending: semaphore.NewWeighted(everybody)}
	s.base, s.stop = context.WithCancel(context.Background())
	return s
}

// Held gives the current token when there is one that need not be renewed yet, without waiting.
func (s *Source) Held() (string, bool) {
	if t := s.current.Load(); t != nil && t.fresh(s.o.Now()) {
		return t.value, true
	}
	return "", false
}

// Get gives the current token, fetching it when there is none. When ctx ends,
// the waiting ends, the fetch goes on for the others.
func (s *Source) Get(ctx context.Context) (string, error) {
	if t := s.current.Load(); t != nil {
		now := s.o.Now()
		if t.fresh(now) {
			return t.value, nil
		}
		if t.good(now) {
			s.fetch() // ahead of need; nobody waits
			return t.value, nil
		}
	}
	f := s.fetch()
	select {
	case <-f.done:
		if f.crash != nil {
			panic(f.crash) // where somebody contains it
		}
		return f.value, f.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Invalidate says that the backend refused token old. Whoever comes next
// takes the one that others have by now, or fetches; many who were refused
// with the same token cause one fetch.
func (s *Source) Invalidate(old string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.current.Load(); t != nil && t.value == old {
		s.current.Store(&held{value: old})
		s.past.add(old)
	}
}

// Close ends a fetch under way and waits for it.
func (s *Source) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.done.Wait()
}

// fetch joins the fetch under way, or begins one. When another has just ended well, its token is given.
func (s *Source) fetch() *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight != nil {
		return s.flight
	}
	f := &flight{done: make(chan struct{})}
	t := s.current.Load()
	if t.fresh(s.o.Now()) {
		f.value = t.value
		close(f.done)
		return f
	}
	if s.closed {
		f.err = ErrClosed
		close(f.done)
		return f
	}
	if t != nil {
		f.old = t.value
	}
	f.began = s.o.Now()
	s.flight = f
	s.done.Add(1)
	go s.run(f)
	return f
}

// retryAhead is how long a renewal ahead of need that failed is not tried again.
const retryAhead = 5 * time.Second

func (s *Source) run(f *flight) {
	defer s.done.Done()
	ctx, cancel := context.WithTimeout(s.base, s.o.Timeout)
	defer cancel()
	if s.o.Shared != nil && s.together(ctx, f) {
		return
	}
	var value string
	err := ctx.Err() // what is shared may have taken all the time
	if err == nil {
		value, err = s.obtain(ctx, f)
	}
	s.settle(f, value, err)
}

// obtain fetches. A token is renewed at most once: when that failed, what
// became of it is not known. A panic must not end the program: those who wait get it.
func (s *Source) obtain(ctx context.Context, f *flight) (value string, err error) {
	defer func() {
		if f.crash = recover(); f.crash != nil {
			err = errPanic
		}
	}()
	old := f.old
	if old == s.tried {
		old = ""
	}
	if old != "" {
		s.tried = old
	}
	value, err = s.o.Fetch(ctx, old)
	if err == nil && !sendable(value) {
		err = ErrBad
	}
	return value, err
}

// settle ends a flight with what was fetched.
func (s *Source) settle(f *flight, value string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	if err == nil {
		life := s.life(value, now)
		s.put(&held{value: value, renew: now.Add(life - ahead(life)), end: now.Add(life)})
	} else if t := s.current.Load(); t.good(now) {
		s.current.Store(t.later(now.Add(retryAhead)))
		value, err = t.value, nil
	}
	s.finish(f, value, err)
}

// finish ends a flight; s.mu is held.
func (s *Source) finish(f *flight, value string, err error) {
	if err == nil {
		f.value = value
	}
	f.err = err
	s.flight = nil
	close(f.done)
}

// put makes t the current token; s.mu is held.
func (s *Source) put(t *held) {
	if was := s.current.Load(); was != nil && was.value != t.value {
		s.past.add(was.value)
	}
	s.past.remove(t.value) // some backends give the same token again
	s.current.Store(t)
}

// life gives how long a token lives that is obtained now.
func (s *Source) life(value string, now time.Time) time.Duration {
	if life := Life(value, now); life > 0 {
		return life
	}
	return s.o.Life
}

// ahead gives how long before its end a token of such a life is renewed.
func ahead(life time.Duration) time.Duration { return min(life/10, time.Minute) }

// past are tokens that were refused or replaced: who finds one of them kept has found nothing new.
type past struct {
	values [4]string
	next   int
}

func (p *past) has(value string) bool {
	for _, v := range p.values {
		if v == value {
			return true
		}
	}
	return false
}

func (p *past) add(value string) {
	if p.has(value) {
		return
	}
	p.values[p.next] = value
	p.next = (p.next + 1) % len(p.values)
}

func (p *past) remove(value string) {
	for i, v := range p.values {
		if v == value {
			p.values[i] = ""
		}
	}
}

// sendable tells whether a header can carry value.
func sendable(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] >= 0x7f {
			return false
		}
	}
	return value != "" && len(value) <= largest
}
