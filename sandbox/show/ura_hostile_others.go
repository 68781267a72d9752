package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Who looks customers up while others misbehave: some on kept connections,
// some on a new one for each lookup.
const (
	othersKept  = 4
	othersFresh = 4
	othersPause = 5 * time.Millisecond
)

// others are those callers.
type others struct {
	h     *hostile
	g     *gateway
	wrong atomic.Int64
	fresh atomic.Int64
	mu    sync.Mutex
	times []time.Duration
}

// ask lets the others ask for so long.
func (h *hostile) ask(g *gateway, long time.Duration) *others {
	o := &others{h: h, g: g}
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	var asking sync.WaitGroup
	for i := range othersKept + othersFresh {
		chance := rand.New(rand.NewPCG(h.seed, uint64(i)))
		asking.Go(func() { o.asking(ctx, chance, i < othersKept) })
	}
	asking.Wait()
	return o
}

// asking asks until ctx ends.
func (o *others) asking(ctx context.Context, chance *rand.Rand, keep bool) {
	var c *connection
	defer func() {
		if c != nil {
			_ = c.Close()
		}
	}()
	for ctx.Err() == nil {
		one := o.h.s.searches[chance.IntN(len(o.h.s.searches))]
		q := plain(one.fields...)
		began := time.Now()
		if c == nil {
			var err error
			if c, err = dial(o.g.address); err != nil {
				o.failed("connecting: %v", err)
				continue
			}
		}
		a, err := c.do(q.method, q.bytes())
		took := time.Since(began)
		switch {
		case err != nil:
			o.failed("%v: no answer: %v", one.fields, err)
			_ = c.Close()
			c = nil
			continue
		case a.status != 200 || string(a.body) != one.want:
			o.failed("%v: want %s, got %d %s", one.fields, one.want, a.status, cutText(a.body))
		default:
			o.took(took)
			if !keep {
				o.fresh.Add(1)
			}
		}
		if !keep || a.header.Get("Connection") == "close" {
			_ = c.Close()
			c = nil
		}
		time.Sleep(othersPause)
	}
}

func (o *others) failed(format string, args ...any) {
	o.wrong.Add(1)
	o.h.r.check(false, format, args...)
	time.Sleep(othersPause)
}

func (o *others) took(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.times = append(o.times, d)
}

func (o *others) served() int { return len(o.times) }

// quantile gives the time that so much of the lookups took at most.
func (o *others) quantile(q float64) time.Duration {
	if len(o.times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(o.times))
	return sorted[int(q*float64(len(sorted)-1))]
}
