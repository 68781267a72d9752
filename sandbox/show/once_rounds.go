package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// roundsAtOnce bounds how many rounds are under way.
const roundsAtOnce = 6

// rounds plays rounds against replicas and hands over what it finds.
type rounds struct {
	rec  *recorder
	set  *cluster
	seed uint64
	// ends are the endings that come up, kills how many rounds in all kill the
	// replica that sent.
	ends  []ending
	modes []mode
	kills int
	found func([]check)

	// A round that ends a replica is alone: nothing else must lose its answers.
	alone sync.RWMutex
	lost  []string // contracts whose promise nobody can know of
	sure  []string
	mu    sync.Mutex
	asks  int
}

// run plays so many rounds, their contracts numbered from first.
func (s *rounds) run(many int, first int64) error {
	chance := rand.New(rand.NewPCG(s.seed, uint64(first)))
	kills := map[int]bool{}
	for len(kills) < min(s.kills, many) {
		kills[chance.IntN(many)] = true
	}
	queue := make(chan int)
	failed := make(chan error, many)
	var workers sync.WaitGroup
	for range roundsAtOnce {
		workers.Go(func() {
			for i := range queue {
				if err := s.one(i, first, kills[i]); err != nil {
					failed <- err
				}
			}
		})
	}
	var err error
feeding:
	for i := range many {
		select {
		case queue <- i:
		case err = <-failed:
			break feeding
		}
	}
	close(queue)
	workers.Wait()
	close(failed)
	for more := range failed {
		err = errors.Join(err, more)
	}
	return err
}

// one plays round i.
func (s *rounds) one(i int, first int64, kill bool) error {
	chance := rand.New(rand.NewPCG(s.seed, uint64(first)+uint64(i)+1))
	r := &round{contract: fmt.Sprint(first + int64(i)), mode: s.modes[chance.IntN(len(s.modes))]}
	p := &plot{end: s.ends[chance.IntN(len(s.ends))], wait: time.Duration(max(0, chance.IntN(400)-200)) * time.Millisecond}
	if kill {
		r.mode = []mode{modeKill, modeKill, modeKillLate, modeKillEarly, modeStop}[chance.IntN(5)]
	}
	switch r.mode {
	case modeKill, modeKillLate, modeKillEarly:
		*p = plot{end: endYes, hold: r.mode == modeKill}
		r.killed = true
	case modeStop:
		p.wait += 100 * time.Millisecond
	case modeCallers:
		for p.end == endNo { // a no frees the way for the other caller
			p.end = s.ends[chance.IntN(len(s.ends))]
		}
	}
	if p.end == endLate {
		p.wait = onceTimeout + 400*time.Millisecond
	}
	r.plot = s.rec.expect(r.contract, p)
	var err error
	if kill {
		s.alone.Lock()
		err = s.ending(r, chance)
		s.alone.Unlock()
	} else {
		s.alone.RLock()
		s.asking(r, chance)
		s.alone.RUnlock()
	}
	if err != nil {
		return err
	}
	checks := r.judge(s.rec.count(r.contract))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asks += len(r.asks)
	s.found(checks)
	switch {
	case r.mode == modeKillLate || r.mode == modeKillEarly: // either may be
	case r.mode == modeKill || p.end.lost():
		s.lost = append(s.lost, r.contract)
	default:
		s.sure = append(s.sure, r.contract)
	}
	return nil
}

// asking is a round that ends no replica.
func (s *rounds) asking(r *round, chance *rand.Rand) {
	switch r.mode {
	case modeTogether:
		s.together(r, chance, 2+chance.IntN(4), 0)
	case modeInTurn:
		for range 2 + chance.IntN(3) {
			s.ask(r, chance, 0, chance.IntN(len(s.set.all)))
		}
	case modeHangUp:
		s.hangUp(r, chance)
		s.together(r, chance, 1+chance.IntN(3), 0)
	case modeCallers:
		s.together(r, chance, 2+chance.IntN(3), 0, 1)
		s.together(r, chance, 2, 0, 1)
		return
	}
	for range chance.IntN(3) {
		s.ask(r, chance, 0, chance.IntN(len(s.set.all)))
	}
	if r.plot.end != endNo {
		for range chance.IntN(3) {
			s.ask(r, chance, 1, chance.IntN(len(s.set.all)))
		}
	}
}

// ask sends one request and keeps its answer.
func (s *rounds) ask(r *round, chance *rand.Rand, caller, replica int) {
	q, how := r.request(chance, caller)
	a, err := send(s.set.all[replica].address, q)
	r.keep(asked{caller: caller, replica: replica, how: how, a: a, err: err})
}

// together sends requests of these callers at once, each caller's as many.
func (s *rounds) together(r *round, chance *rand.Rand, many int, callers ...int) {
	var all sync.WaitGroup
	for _, caller := range callers {
		for range many {
			own := rand.New(rand.NewPCG(chance.Uint64(), 0))
			at := chance.IntN(len(s.set.all))
			all.Go(func() { s.ask(r, own, caller, at) })
		}
	}
	all.Wait()
}

// hangUp sends a request and closes the connection before the answer: at once,
// or when the promise is on the wire.
func (s *rounds) hangUp(r *round, chance *rand.Rand) {
	q, how := r.request(chance, 0)
	at := chance.IntN(len(s.set.all))
	a := asked{caller: 0, replica: at, how: how + ", hanging up", hungUp: true, err: errors.New("hung up")}
	c, err := net.DialTimeout("tcp", s.set.all[at].address, 5*time.Second)
	if err == nil {
		_, err = c.Write(q.bytes())
	}
	if err != nil {
		a.err, a.hungUp = err, false
		r.keep(a)
		return
	}
	if chance.IntN(4) > 0 {
		select {
		case <-r.plot.seen:
		case <-time.After(5 * time.Second):
		}
	}
	if chance.IntN(2) == 0 {
		_ = c.(*net.TCPConn).SetLinger(0) // a reset
	}
	_ = c.Close()
	r.keep(a)
}

// ending is a round in which the replica that sent the promise ends.
func (s *rounds) ending(r *round, chance *rand.Rand) error {
	at := chance.IntN(len(s.set.all))
	first := s.set.all[at]
	var others sync.WaitGroup
	q, how := r.request(chance, 0)
	others.Go(func() {
		a, err := send(first.address, q)
		r.keep(asked{caller: 0, replica: at, how: how, a: a, err: err, hungUp: r.mode != modeStop})
	})
	if r.mode == modeKillEarly {
		time.Sleep(time.Duration(chance.IntN(12_000)) * time.Microsecond)
		first.murder()
	} else {
		select {
		case <-r.plot.seen:
		case <-time.After(5 * time.Second):
		}
	}
	elsewhere := func() {
		for i := range s.set.all {
			if i != at {
				own := rand.New(rand.NewPCG(chance.Uint64(), 0))
				others.Go(func() { s.ask(r, own, 0, i) })
			}
		}
	}
	if chance.IntN(2) == 0 {
		elsewhere() // they wait for an answer that will not come
		time.Sleep(time.Duration(chance.IntN(20)) * time.Millisecond)
	}
	switch r.mode {
	case modeKillLate:
		time.Sleep(time.Duration(chance.IntN(4000)) * time.Microsecond)
		first.murder()
	case modeStop:
		if _, _, err := first.terminate(10 * time.Second); err != nil {
			return err
		}
	default:
		first.murder()
	}
	close(r.plot.let)
	elsewhere()
	others.Wait()
	if err := first.start(); err != nil {
		return err
	}
	s.ask(r, chance, 0, at)
	s.together(r, chance, 1+chance.IntN(2), 0)
	if r.plot.end != endNo {
		s.ask(r, chance, 1, chance.IntN(len(s.set.all)))
	}
	return nil
}
