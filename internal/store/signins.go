package store

import (
	"context"
	"hash/maphash"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// SignInLimit says when who signs in wrongly has to wait: for Pause, after so
// many failures within Per.
type SignInLimit struct {
	Failures   int
	Per, Pause time.Duration
}

// What is remembered of sign-ins, at most.
const (
	mostAddresses = 10_000
	knownSlots    = 4096
	looked        = 16 // at so many addresses, to find one that can go
)

// signIns slow down who guesses credentials, in this process. An address waits
// that has failed often. Failures for one caller from many addresses make none
// wait that has not failed itself: they only leave each a single try. And
// an address from which somebody has signed in never waits: it is that of a
// caller, perhaps of many behind one proxy, whom nobody else's mistakes may
// lock out, and whose own mistakes are to be told as what they are.
type signIns struct {
	seed   maphash.Seed
	known  [knownSlots]atomic.Uint64 // hashes of addresses from which somebody has signed in
	paused atomic.Int64              // no address waits after this, in Unix nanoseconds

	mu        sync.Mutex
	addresses map[netip.Addr]*failures
	callers   map[string]*failures
}

// failures are the wrong sign-ins from one address, or for one caller.
type failures struct {
	begin time.Time // of the present span
	n     int       // in it
	until time.Time // when the pause ends
	by    string    // what the pause is for
}

// What a request was limited by, as the metric says it.
const (
	byAddress = "address"
	byCaller  = "caller"
	byRate    = "rate"
)

func (g *signIns) init() {
	g.seed = maphash.MakeSeed()
	g.addresses, g.callers = map[netip.Addr]*failures{}, map[string]*failures{}
}

// count counts a failure.
func (f *failures) count(l *SignInLimit, now time.Time) {
	if now.Sub(f.begin) >= l.Per {
		f.begin, f.n = now, 0
	}
	f.n++
}

// over tells whether nothing of f matters any more.
func (f *failures) over(l *SignInLimit, now time.Time) bool {
	return now.Sub(f.begin) >= l.Per && !now.Before(f.until)
}

// place is what counts as one address: of IPv6 a network of 64 bits, which
// anybody has whole.
func place(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// WrongSignIn notes a wrong sign-in from an address, for the caller whose
// application it named (empty: nobody's), and tells how long the address has
// to wait; 0 when it is to hear that it was wrong.
func (s *Store) WrongSignIn(l *SignInLimit, from netip.Addr, caller string, now time.Time) time.Duration {
	if !from.IsValid() {
		return 0
	}
	g := &s.signIns
	from = place(from)
	if slot, h := g.slot(from); slot.Load() == h {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.addresses[from]
	if f == nil {
		f = new(failures)
		g.makeRoom(l, now)
		g.addresses[from] = f
	}
	if now.Before(f.until) {
		s.metrics.Limited(f.by, caller)
		return f.until.Sub(now)
	}
	f.count(l, now)
	attacked := false
	if caller != "" {
		c := g.callers[caller]
		if c == nil {
			c = new(failures)
			g.callers[caller] = c
		}
		c.count(l, now)
		if c.n >= l.Failures {
			if !now.Before(c.until) {
				s.log.LogAttrs(context.Background(), slog.LevelWarn, "many wrong sign-ins for one caller: every address that fails has to wait", slog.String("caller", caller))
			}
			c.until = now.Add(l.Pause)
		}
		attacked = now.Before(c.until)
	}
	switch {
	case f.n >= l.Failures:
		f.by = byAddress
		s.log.LogAttrs(context.Background(), slog.LevelWarn, "many wrong sign-ins from one address: it has to wait", slog.String("client_address", from.String()))
	case attacked:
		f.by = byCaller
	default:
		return 0
	}
	f.until, f.n = now.Add(l.Pause), 0
	g.paused.Store(max(g.paused.Load(), f.until.UnixNano()))
	return 0
}

// makeRoom keeps the addresses bounded: of some, those that no longer matter
// go, else the one that failed longest ago.
func (g *signIns) makeRoom(l *SignInLimit, now time.Time) {
	if len(g.addresses) < mostAddresses {
		return
	}
	var oldest netip.Addr
	n := 0
	for a, f := range g.addresses { // in no order
		if f.over(l, now) {
			delete(g.addresses, a)
		} else if !oldest.IsValid() || f.begin.Before(g.addresses[oldest].begin) {
			oldest = a
		}
		if n++; n == looked {
			break
		}
	}
	if len(g.addresses) >= mostAddresses {
		delete(g.addresses, oldest)
	}
}

// slot gives where it is noted that somebody has signed in from an address, and what stands there then.
func (g *signIns) slot(from netip.Addr) (*atomic.Uint64, uint64) {
	bytes := from.As16()
	h := maphash.Bytes(g.seed, bytes[:])
	return &g.known[h%knownSlots], h
}

// RightSignIn notes that a caller has signed in from an address, and tells how
// long it has to wait all the same: an address that waits already is not let
// in, so that a right guess is not told from a wrong one. It allocates nothing.
func (s *Store) RightSignIn(from netip.Addr, caller string, now time.Time) time.Duration {
	if !from.IsValid() {
		return 0
	}
	g := &s.signIns
	from = place(from)
	slot, h := g.slot(from)
	if slot.Load() == h {
		return 0
	}
	if now.UnixNano() < g.paused.Load() {
		if wait, by := g.waiting(from, now); wait > 0 {
			s.metrics.Limited(by, caller)
			return wait
		}
	}
	slot.Store(h)
	return 0
}

// waiting tells how long an address has to wait.
func (g *signIns) waiting(from netip.Addr, now time.Time) (time.Duration, string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.addresses[from]; f != nil && now.Before(f.until) {
		return f.until.Sub(now), f.by
	}
	return 0, ""
}
