package backend

import (
	"sync"
	"sync/atomic"
	"time"
)

// breaker stops calls to a backend that fails again and again, and lets one
// trial through after a pause. gobreaker was looked at: it has no clock to
// turn in tests, and a closure for each call.
type breaker struct {
	failures int
	pause    time.Duration
	now      func() time.Time
	changed  func(state string)

	// turn<<1 | 1 while it is closed and nothing has failed since the last call
	// that went well, else 0: such a one, as nearly all are, takes no lock.
	calm atomic.Uint64

	mu    sync.Mutex
	state breakerState
	row   int       // failures in a row while closed
	until time.Time // open until
	turn  uint64    // counts changes of state: what began before one says nothing after it
	trial bool      // half open: the trial is under way
}

type breakerState uint8

const (
	closed breakerState = iota
	open
	halfOpen
)

var breakerNames = [...]string{"closed", "open", "half_open"}

// verdict is what a call says about its backend.
type verdict uint8

const (
	nothing verdict = iota // the call ended for reasons of ours
	healthy
	sick
)

// allow tells whether a call may go out; its end is told to report with the turn given.
func (b *breaker) allow() (turn uint64, ok bool) {
	if calm := b.calm.Load(); calm != 0 {
		return calm >> 1, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.state {
	case open:
		if b.now().Before(b.until) {
			return 0, false
		}
		b.become(halfOpen)
		b.trial = true
	case halfOpen:
		if b.trial {
			return 0, false
		}
		b.trial = true
	default:
	}
	return b.turn, true
}

// left gives how long no call will go out; at least a second, for a trial may be under way.
func (b *breaker) left() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != open {
		return time.Second
	}
	return max(b.until.Sub(b.now()), time.Second)
}

// report says how a call that was allowed ended.
func (b *breaker) report(turn uint64, v verdict) {
	if v != sick && b.calm.Load() == turn<<1|1 {
		return // there is nothing it changes
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.settle()
	if turn != b.turn {
		return
	}
	if b.state == halfOpen {
		b.trial = false
	}
	switch {
	case v == healthy && b.state == closed:
		b.row = 0
	case v == healthy && b.state == halfOpen:
		b.become(closed)
	case v == sick && b.state == halfOpen:
		b.trip()
	case v == sick && b.state == closed:
		if b.row++; b.row >= b.failures {
			b.trip()
		}
	}
}

// settle notes whether there is anything to remember; b is locked.
func (b *breaker) settle() {
	calm := uint64(0)
	if b.state == closed && b.row == 0 {
		calm = b.turn<<1 | 1
	}
	b.calm.Store(calm)
}

func (b *breaker) trip() {
	b.until = b.now().Add(b.pause)
	b.become(open)
}

func (b *breaker) become(s breakerState) {
	b.state, b.row, b.trial = s, 0, false
	b.turn++
	b.settle()
	if b.changed != nil {
		b.changed(breakerNames[s])
	}
}
