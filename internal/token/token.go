// Package token keeps the token of a backend: obtained when first needed, one
// fetch at a time for everybody who waits, renewed before it ends and once
// when the backend refuses it. How to fetch is a function handed in.
package token

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Options are a source's settings.
type Options struct {
	// Fetch gets a token: old is the one held until now, to be renewed when
	// that is possible; "" when there is none. It runs once at a time, in a
	// goroutine of its own, within Timeout.
	Fetch   func(ctx context.Context, old string) (string, error)
	Life    time.Duration // of a token whose expiry cannot be read; 0: one hour
	Timeout time.Duration // of a fetch, whoever waits for it; 0: ten seconds
	Now     func() time.Time
}

// Source gives the current token. It is safe for concurrent use.
type Source struct {
	o       Options
	current atomic.Pointer[held]
	stop    context.CancelFunc
	base    context.Context //nolint:containedctx // bounds fetches, which outlive the calls that wait for them

	mu     sync.Mutex
	flight *flight
	closed bool
	done   sync.WaitGroup
}

// held is a token and how long it is good, in Unix nanoseconds.
type held struct {
	value string
	renew int64 // from here on it is renewed while it is still used
	end   int64 // from here on it is not used
}

// flight is a fetch under way.
type flight struct {
	done  chan struct{}
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
	s := &Source{o: o}
	s.base, s.stop = context.WithCancel(context.Background())
	return s
}

// Held gives the current token when there is one that need not be renewed yet, without waiting.
func (s *Source) Held() (string, bool) {
	if t := s.current.Load(); t != nil && s.o.Now().UnixNano() < t.renew {
		return t.value, true
	}
	return "", false
}

// Get gives the current token, fetching it when there is none. When ctx ends,
// the waiting ends, the fetch goes on for the others.
func (s *Source) Get(ctx context.Context) (string, error) {
	if t := s.current.Load(); t != nil {
		now := s.o.Now().UnixNano()
		if now < t.renew {
			return t.value, nil
		}
		if now < t.end {
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
// fetches; many who were refused with the same token cause one fetch.
func (s *Source) Invalidate(old string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.current.Load(); t != nil && t.value == old {
		s.current.Store(&held{value: old})
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
	if t != nil && s.o.Now().UnixNano() < t.renew {
		f.value = t.value
		close(f.done)
		return f
	}
	if s.closed {
		f.err = ErrClosed
		close(f.done)
		return f
	}
	old := ""
	if t != nil {
		old = t.value
	}
	s.flight = f
	s.done.Add(1)
	go s.run(f, old)
	return f
}

// retryAhead is how long a renewal ahead of need that failed is not tried again.
const retryAhead = 5 * time.Second

func (s *Source) run(f *flight, old string) {
	defer s.done.Done()
	ctx, cancel := context.WithTimeout(s.base, s.o.Timeout)
	defer cancel()
	value, err := s.ask(ctx, f, old)
	if err == nil && !sendable(value) {
		err = ErrBad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	if err == nil {
		f.value = value
		life := Life(value, now)
		if life <= 0 {
			life = s.o.Life
		}
		ahead := min(life/10, time.Minute)
		s.current.Store(&held{value: value, renew: now.Add(life - ahead).UnixNano(), end: now.Add(life).UnixNano()})
	} else {
		f.err = err
		if t := s.current.Load(); t != nil && now.UnixNano() < t.end {
			s.current.Store(&held{value: t.value, renew: now.Add(retryAhead).UnixNano(), end: t.end})
		}
	}
	s.flight = nil
	close(f.done)
}

// ask fetches. A panic must not end the program: those who wait get it.
func (s *Source) ask(ctx context.Context, f *flight, old string) (value string, err error) {
	defer func() {
		if f.crash = recover(); f.crash != nil {
			err = errPanic
		}
	}()
	return s.o.Fetch(ctx, old)
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
