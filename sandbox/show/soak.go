package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emenda-gateway/emenda/sandbox"
)

// The soak's measures. A round is faults, then time for what they left behind
// (the longest time-out, the breaker's pause), then calm, where every answer
// must be right.
const (
	soakRounds      = 4
	soakFaults      = 3500 * time.Millisecond
	soakSettle      = 9 * time.Second
	soakCalm        = 2500 * time.Millisecond
	soakConnections = 8
	soakLooks       = 20
	soakPause       = 2 * time.Millisecond // between the requests of one connection
	maxResident     = 150 << 20
	graceTime       = 5 * time.Second
)

// soak is a soak under way.
type soak struct {
	r   *report
	t   *tally
	g   *gateway
	erp *backend
	// calm is true while no fault can show any more.
	calm            atomic.Bool
	calmed, spoiled atomic.Int64 // lookups asked in calm, and otherwise
	failed          atomic.Int64 // those answered with the documented failure
	searches        []search
	rounds          int
	spells          []spell // goroutines and memory at the end of each calm
}

// spell is how large the gateway is when a calm ends.
type spell struct {
	goroutines float64 // the fewest of soakLooks
	resident   int64
}

// search is one kind of lookup and its right answers: the second one is what
// is left while the customer's card cannot be read.
type search struct {
	fields []field
	want   string
	less   string
}

// soakLong is how long ura-5 goes on.
const soakLong = 30 * time.Minute

// showLongSoak is showSoak for half an hour.
func showLongSoak(o options, r *report) error {
	if o.long == 0 {
		o.long = soakLong
	}
	return showSoak(o, r)
}

// showSoak asks for a minute, or as long as -for says, while the backend misbehaves at random.
func showSoak(o options, r *report) error {
	if o.seed == 0 {
		o.seed = rand.Uint64N(1 << 32)
	}
	r.printf("soak: seed %d (again with: go run ./sandbox/show -seed %d %s)", o.seed, o.seed, r.name)
	erp, err := startBackend(o, "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer erp.kill()
	s := &soak{r: r, t: newTally(r), erp: erp, rounds: soakRounds}
	if o.long > 0 {
		s.rounds = max(1, int(o.long/(soakFaults+soakSettle+soakCalm)))
	}
	if s.g, err = startGateway(o, erp.url); err != nil {
		return err
	}
	defer s.g.close()
	r.begin("before the load")
	if err := s.prepare(); err != nil {
		return err
	}
	before, err := s.g.metric("go_goroutines")
	if err != nil {
		return err
	}
	if err := s.load(o.seed); err != nil {
		return err
	}
	r.begin("goroutines")
	after, err := s.settled(before)
	if err != nil {
		return err
	}
	r.check(after <= before+2, "%.0f before the load, %.0f after it", before, after)
	r.notef("%.0f before the load, %.0f after it", before, after)
	return s.stop()
}

// prepare learns the right answers, checking each against the documented one.
func (s *soak) prepare() error {
	for _, document := range []string{"52998224725", "39053344705", "12ABC34501DE35", "11222333000181"} {
		a, err := send(s.g.address, plain(field{"cpfcnpj", document}))
		if !s.t.sound(document, a, err, nothingElse) {
			return nil
		}
		differs := lookupDiffers(a.body, document, byDocument[document])
		s.r.check(differs == "", "%s", differs)
		s.searches = append(s.searches, search{fields: []field{{"cpfcnpj", document}}, want: string(a.body)})
	}
	for _, contract := range []string{"1300002", "1300012", "1282441", "1300042"} {
		a, err := send(s.g.address, plain(field{"contrato", contract}))
		if !s.t.sound(contract, a, err, nothingElse) {
			return nil
		}
		differs := lookupDiffers(a.body, byContract[contract].document, []contractLine{byContract[contract].line})
		s.r.check(differs == "", "%s", differs)
		s.searches = append(s.searches, search{fields: []field{{"contrato", contract}}, want: string(a.body), less: "card"})
	}
	s.searches = append(s.searches,
		search{fields: []field{{"cpfcnpj", "98765432100"}}, want: nobody},
		search{fields: []field{{"contrato", "999999"}}, want: nobody},
		search{fields: nil, want: nothingGiven},
		search{fields: []field{{"cpfcnpj", "x"}}, want: badDocument},
	)
	return nil
}

// load asks from every connection while the rounds go by.
func (s *soak) load(seed uint64) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.calm.Store(true)
	s.r.begin("lookups on %d connections", soakConnections)
	var workers sync.WaitGroup
	for i := range soakConnections {
		workers.Go(func() { s.asking(ctx, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	resident := make(chan []int64, 1)
	go func() { resident <- s.watchMemory(ctx) }()
	err := s.play(rand.New(rand.NewPCG(seed, 1<<40)))
	cancel()
	workers.Wait()
	if err != nil {
		return err
	}
	s.r.check(s.failed.Load() > 0, "no fault ever showed")
	s.r.notef("%s", s.t.figures())
	s.r.notef("%d asked in calm and all right, %d amid faults, %d of those with the documented failure", s.calmed.Load(), s.spoiled.Load(), s.failed.Load())
	s.memory(<-resident)
	s.grows()
	return nil
}

// grows judges the calms: in the last quarter of them the gateway has no more
// goroutines than in the second.
func (s *soak) grows() {
	s.r.begin("goroutines in calm, round by round")
	quarter := max(1, len(s.spells)/4)
	if !s.r.check(len(s.spells) > quarter, "only %d rounds", len(s.spells)) {
		return
	}
	most := func(of []spell) (goroutines float64) {
		for _, one := range of {
			goroutines = max(goroutines, one.goroutines)
		}
		return goroutines
	}
	early, late := most(s.spells[:2*quarter]), most(s.spells[len(s.spells)-quarter:])
	s.r.check(late <= early+5, "it grows: %.0f at most in the first half, %.0f in the last quarter", early, late)
	first, last := s.spells[0], s.spells[len(s.spells)-1]
	s.r.notef("%d rounds: %.0f after the first, %.0f after the last, %.0f at most; resident %d MB, then %d MB", len(s.spells), first.goroutines, last.goroutines, most(s.spells), first.resident>>20, last.resident>>20)
}

// play plays faults and calm.
func (s *soak) play(chance *rand.Rand) error {
	operations := []string{"", customerOp, contractOp, cardOp, invoicesOp, tokenOp}
	for range s.rounds {
		s.calm.Store(false)
		for begun := time.Now(); time.Since(begun) < soakFaults; time.Sleep(100 * time.Millisecond) {
			f := technical[chance.IntN(len(technical))].fault
			f.Operation = operations[chance.IntN(len(operations))]
			f.Times = 1 + chance.IntN(6)
			switch {
			case f.Kind == sandbox.KindLatency && chance.IntN(4) > 0:
				f.Delay = fmt.Sprintf("%dms", 1+chance.IntN(300)) // most are slow, not too slow
			case chance.IntN(8) == 0:
				f = fault{Kind: sandbox.KindIdleClose, Delay: fmt.Sprintf("%dms", 1+chance.IntN(50)), Times: f.Times}
			case chance.IntN(8) == 0:
				f = fault{Operation: cardOp, Kind: sandbox.KindExpiredToken, Times: f.Times}
			}
			if err := s.erp.spoil(f); err != nil {
				return err
			}
		}
		if err := s.erp.heal(); err != nil {
			return err
		}
		time.Sleep(soakSettle)
		s.calm.Store(true)
		time.Sleep(soakCalm)
		now, err := s.size()
		if err != nil {
			return err
		}
		s.spells = append(s.spells, now)
	}
	return nil
}

// size measures the gateway in calm. Its goroutines are the fewest of some
// looks: each request under way has its own, and those that leak are always there.
func (s *soak) size() (now spell, err error) {
	for look := range soakLooks {
		n, err := s.g.metric("go_goroutines")
		if err != nil {
			return spell{}, err
		}
		if look == 0 || n < now.goroutines {
			now.goroutines = n
		}
		time.Sleep(soakPause)
	}
	now.resident, err = resident(s.g.cmd.Process.Pid)
	return now, err
}

// asking asks on one kept connection until ctx ends.
func (s *soak) asking(ctx context.Context, chance *rand.Rand) {
	c, err := dial(s.g.address)
	if !s.r.check(err == nil, "connecting: %v", err) {
		return
	}
	defer func() { _ = c.Close() }()
	for ctx.Err() == nil {
		one := s.searches[chance.IntN(len(s.searches))]
		w := ways[chance.IntN(len(ways))]
		q := w.build(paths[chance.IntN(len(paths))], places[chance.IntN(len(places))], token, app, one.fields...)
		calm := s.calm.Load()
		a, err := c.do(q.method, q.bytes())
		calm = calm && s.calm.Load()
		may := failing
		if calm {
			may = nothingElse
		}
		if !s.t.sound(w.name, a, err, may) {
			return
		}
		if calm {
			s.calmed.Add(1)
		} else {
			s.spoiled.Add(1)
		}
		got := string(a.body)
		switch {
		case got == one.want && a.status == 200:
		case calm:
			s.r.check(false, "in calm, %v: want %s, got %d %s", one.fields, one.want, a.status, cutText(a.body))
		case got == unavailable:
			s.failed.Add(1)
		case one.less == "" || withoutCard(a.body, one.want) != "":
			s.r.check(false, "amid faults, %v: got %d %s", one.fields, a.status, cutText(a.body))
		}
		if a.header.Get("Connection") == "close" {
			s.r.check(false, "the gateway closed a kept connection")
			return
		}
		time.Sleep(soakPause)
	}
}

// watchMemory reads the gateway's resident memory twice a second.
func (s *soak) watchMemory(ctx context.Context) []int64 {
	var seen []int64
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return seen
		case <-tick.C:
			if n, err := resident(s.g.cmd.Process.Pid); err == nil {
				seen = append(seen, n)
			}
		}
	}
}

// resident reads VmRSS (proc(5)).
func resident(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var kilobytes int64
			_, err := fmt.Sscan(rest, &kilobytes)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS")
}

// memory judges what was seen: below the bound, and the last third not much
// above the middle one.
func (s *soak) memory(seen []int64) {
	s.r.begin("resident memory")
	if !s.r.check(len(seen) > 30, "only %d readings", len(seen)) {
		return
	}
	third := len(seen) / 3
	middle, last, most := median(seen[third:2*third]), median(seen[2*third:]), slices.Max(seen)
	s.r.check(most < maxResident, "%d MB at most, the bound is %d MB", most>>20, maxResident>>20)
	s.r.check(last <= middle+middle/5+8<<20, "it grows: %d MB in the middle third, %d MB in the last", middle>>20, last>>20)
	s.r.notef("at most %d MB, median of the middle third %d MB, of the last %d MB", most>>20, middle>>20, last>>20)
}

func median(seen []int64) int64 {
	sorted := slices.Sorted(slices.Values(seen))
	return sorted[len(sorted)/2]
}

// settled waits for the goroutines of the load to go. The server keeps those of
// closed connections for up to twenty seconds, to use them again.
func (s *soak) settled(before float64) (after float64, err error) {
	for deadline := time.Now().Add(22 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if after, err = s.g.metric("go_goroutines"); err != nil || after <= before+2 || time.Now().After(deadline) {
			return after, err
		}
	}
}

// stop tells the gateway to stop while lookups are under way.
func (s *soak) stop() error {
	s.r.begin("SIGTERM with %d lookups under way", soakConnections)
	if err := s.erp.reset(); err != nil {
		return err
	}
	if err := s.erp.spoil(fault{Operation: customerOp, Kind: sandbox.KindLatency, Delay: "1500ms", Times: -1}); err != nil {
		return err
	}
	want := s.searches[0]
	var asked sync.WaitGroup
	for i := range soakConnections {
		asked.Go(func() {
			a, err := send(s.g.address, plain(want.fields...))
			if s.t.sound(fmt.Sprintf("lookup %d", i), a, err, nothingElse) {
				s.r.check(a.status == 200 && string(a.body) == want.want, "lookup %d: %d %s", i, a.status, cutText(a.body))
			}
		})
	}
	defer asked.Wait()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		calls, err := s.erp.calls()
		if err != nil {
			return err
		}
		if len(calls) >= soakConnections {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("only %d of %d lookups reached the backend", len(calls), soakConnections)
		}
	}
	code, took, err := s.g.terminate(graceTime)
	if !s.r.check(err == nil, "%v", err) {
		return nil
	}
	asked.Wait()
	s.r.check(code == 0, "it ended with code %d", code)
	_, err = dial(s.g.address)
	s.r.check(err != nil, "it still listens")
	s.r.notef("all answered, ended after %s", took.Round(10*time.Millisecond))
	return nil
}
