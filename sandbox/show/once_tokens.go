package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emenda-gateway/emenda/sandbox"
)

const (
	renewOp       = "auth.token.renovar"
	replicaCount  = 4
	firstLookups  = 1000
	shortLife     = 3 * time.Second
	shortLoad     = 60 * time.Second
	goOnWithin    = 2 * time.Second
	beforeTheKill = 300 * time.Millisecond // that the others have been waiting when the one who fetches is killed
)

// tokensShow is once-3 under way.
type tokensShow struct {
	options
	r     *report
	t     *tally
	store *redis
	key   string
}

// showTokens asks four replicas with one Redis for what needs a token.
func showTokens(o options, r *report) error {
	store, err := startRedis()
	if err != nil {
		return err
	}
	defer store.close()
	s := &tokensShow{options: o, r: r, t: newTally(r), store: store, key: newSealKey()}
	if err := s.first(); err != nil {
		return err
	}
	if err := s.short(); err != nil {
		return err
	}
	for _, operation := range []string{tokenOp, renewOp, tokenOp} {
		if err := s.killed(operation); err != nil {
			return err
		}
	}
	r.begin("every answer")
	r.check(true, "")
	r.notef("%s", s.t.figures())
	return nil
}

// start starts a backend and the replicas; nobody of them knows a token.
func (s *tokensShow) start(flags ...string) (erp *backend, all replicas, err error) {
	if erp, err = startBackend(s.options, "127.0.0.1:0", flags...); err != nil {
		return nil, nil, err
	}
	if all, err = startReplicas(s.options, replicaCount, erp.url, s.store, s.key); err != nil {
		erp.kill()
		return nil, nil, err
	}
	return erp, all, nil
}

// contracts are those whose lookups are answered with the client's name and
// document, for which the backend wants a token.
var contracts = slices.Sorted(maps.Keys(byContract))

// lookup asks for the n-th contract over c and compares with the documented answer.
func (s *tokensShow) lookup(c *connection, n int) bool {
	contract := contracts[n%len(contracts)]
	q := plain(field{"contrato", contract})
	a, err := c.do(q.method, q.bytes())
	if !s.t.sound("contract "+contract, a, err, nothingElse) {
		return false
	}
	want := byContract[contract]
	differs := lookupDiffers(a.body, want.document, []contractLine{want.line})
	return s.r.check(a.status == 200 && differs == "", "contract %s: status %d: %s", contract, a.status, differs)
}

// spread has each replica asked over several connections until do says no.
func (s *tokensShow) spread(all replicas, connections int, do func(c *connection) (more bool)) {
	var asked sync.WaitGroup
	for _, g := range all {
		for range connections {
			asked.Go(func() {
				c, err := dial(g.address)
				if !s.r.check(err == nil, "connecting: %v", err) {
					return
				}
				defer func() { _ = c.Close() }()
				for do(c) {
				}
			})
		}
	}
	asked.Wait()
}

// first: nobody has a token, everybody needs one at once.
func (s *tokensShow) first() error {
	s.r.begin("%d first lookups by contract, %d replicas", firstLookups, replicaCount)
	erp, all, err := s.start("--renew-revokes")
	if err != nil {
		return err
	}
	defer erp.kill()
	defer all.close()
	var n, good atomic.Int64
	begun := time.Now()
	s.spread(all, 8, func(c *connection) bool {
		i := n.Add(1)
		if i > firstLookups {
			return false
		}
		if s.lookup(c, int(i)) {
			good.Add(1)
			return true
		}
		return false
	})
	took := time.Since(begun)
	counts, err := erp.counts()
	if err != nil {
		return err
	}
	s.r.check(good.Load() == firstLookups, "%d good answers of %d", good.Load(), firstLookups)
	s.r.check(counts[tokenOp] == 1, "%d times %s, want 1", counts[tokenOp], tokenOp)
	s.r.check(counts[renewOp] == 0, "%d times %s, want none", counts[renewOp], renewOp)
	s.r.check(counts[cardOp] == firstLookups, "%d times %s: some were refused", counts[cardOp], cardOp)
	s.r.notef("%d good answers in %s, %d %s, %d %s", good.Load(), took.Round(time.Millisecond), counts[tokenOp], tokenOp, counts[renewOp], renewOp)
	return nil
}

// short: tokens end every few seconds, and at once when one replica renews them.
func (s *tokensShow) short() error {
	s.r.begin("%s of load, tokens live %s and end when they are renewed", shortLoad, shortLife)
	erp, all, err := s.start("--renew-revokes", "--token-life", shortLife.String())
	if err != nil {
		return err
	}
	defer erp.kill()
	defer all.close()
	var asked, good atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	end := time.Now().Add(shortLoad)
	s.spread(all, 2, func(c *connection) bool {
		begun := time.Now()
		if begun.After(end) {
			return false
		}
		n := asked.Add(1)
		if s.lookup(c, int(n)) {
			good.Add(1)
		}
		mu.Lock()
		took = append(took, time.Since(begun))
		mu.Unlock()
		time.Sleep(10 * time.Millisecond) // a bounded load
		return true
	})
	counts, err := erp.counts()
	if err != nil {
		return err
	}
	fetched := counts[tokenOp] + counts[renewOp]
	ideal := int(shortLoad / (shortLife - shortLife/10))
	s.r.check(good.Load() == asked.Load(), "%d of %d lookups failed", asked.Load()-good.Load(), asked.Load())
	s.r.check(fetched >= ideal/2 && fetched <= 2*ideal, "%d tokens fetched, about %d would do", fetched, ideal)
	s.r.check(len(took) > 0, "nothing was asked")
	slices.Sort(took)
	s.r.notef("%d lookups, %d good, %d %s, %d %s, %d calls made again after a 401, half answered within %s, 99%% within %s, all within %s",
		asked.Load(), good.Load(), counts[tokenOp], tokenOp, counts[renewOp], renewOp, counts[cardOp]-int(good.Load()),
		took[len(took)/2].Round(100*time.Microsecond), took[len(took)*99/100].Round(100*time.Microsecond), took[len(took)-1].Round(100*time.Microsecond))
	return nil
}

// killed: the replica that fetches, with one operation, is killed in the middle.
func (s *tokensShow) killed(operation string) error {
	s.r.begin("the one who fetches is killed (kill -9) while it waits for %s", operation)
	erp, all, err := s.start("--renew-revokes")
	if err != nil {
		return err
	}
	defer erp.kill()
	defer all.close()
	if operation == renewOp { // all have a token, which ends
		for _, g := range all {
			c, err := dial(g.address)
			if err != nil {
				return err
			}
			s.lookup(c, 0)
			_ = c.Close()
		}
		if err := erp.spoil(fault{Operation: cardOp, Kind: sandbox.KindExpiredToken}); err != nil {
			return err
		}
	}
	if err := erp.spoil(fault{Operation: operation, Kind: sandbox.KindLatency, Delay: "20s"}); err != nil {
		return err
	}
	before, err := erp.counts()
	if err != nil {
		return err
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = send(all[0].address, plain(field{"contrato", contracts[0]})) // nobody answers it
	}()
	if err := reached(erp, operation, before[operation]+1); err != nil {
		return err
	}
	// The others find that somebody fetches, and wait.
	const each = 3
	type answered struct {
		at   time.Time
		good bool
	}
	answers := make(chan answered, (replicaCount-1)*each)
	for i, g := range all[1:] {
		for j := range each {
			go func() {
				c, err := dial(g.address)
				if err != nil {
					answers <- answered{time.Now(), s.r.check(false, "connecting: %v", err)}
					return
				}
				defer func() { _ = c.Close() }()
				good := s.lookup(c, i*each+j)
				answers <- answered{time.Now(), good}
			}()
		}
	}
	time.Sleep(beforeTheKill)
	during, err := erp.counts()
	if err != nil {
		return err
	}
	s.r.check(len(answers) == 0, "%d lookups were answered before the kill", len(answers))
	s.r.check(during[tokenOp]+during[renewOp] == before[tokenOp]+before[renewOp]+1, "more than one fetched: %v", during)
	kill := time.Now()
	all[0].murder()
	var last time.Duration
	for range cap(answers) {
		select {
		case a := <-answers:
			last = max(last, a.at.Sub(kill))
		case <-time.After(answerTime):
			return errors.New("the other replicas did not answer")
		}
	}
	<-gone
	after, err := erp.counts()
	if err != nil {
		return err
	}
	s.r.check(last <= goOnWithin, "the others went on %s after the kill, want %s at most", last.Round(time.Millisecond), goOnWithin)
	s.r.check(after[tokenOp]-during[tokenOp] == 1, "%d times %s after the kill, want 1", after[tokenOp]-during[tokenOp], tokenOp)
	s.r.check(after[renewOp] == during[renewOp], "%s was repeated", renewOp)
	s.r.notef("%d lookups on the others, all answered %s after the kill, then one %s", cap(answers), last.Round(time.Millisecond), strings.TrimPrefix(tokenOp, "auth."))
	return nil
}

// reached waits until an operation has been called so often.
func reached(erp *backend, operation string, times int) error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		counts, err := erp.counts()
		if err != nil {
			return err
		}
		if counts[operation] >= times {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s was not called", operation)
		}
	}
}
