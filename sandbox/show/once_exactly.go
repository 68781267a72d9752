package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// The measures of once-1.
const (
	onceRounds    = 500
	onceKills     = 40
	proofRounds   = 60
	aloneRounds   = 150
	aloneKills    = 30
	firstContract = 2_000_000
)

// showOnce promises to many contracts, in every ill way, and counts what is on
// the wire.
func showOnce(o options, r *report) error {
	if o.seed == 0 {
		o.seed = rand.Uint64N(1 << 32)
	}
	r.printf("once-1: seed %d (again with: go run ./sandbox/show -seed %d once-1)", o.seed, o.seed)
	if err := exactlyOnce(o, r); err != nil {
		return err
	}
	for _, line := range []string{"claim", "repeat"} {
		if err := counterProof(o, r, line); err != nil {
			return err
		}
	}
	return exactlyOnceAlone(o, r)
}

// allEndings are those that come up: the good one more often than each of the others.
var allEndings = append([]ending{endYes, endYes, endYes}, endings...)

var allModes = []mode{modeTogether, modeHangUp, modeInTurn, modeCallers}

// exactlyOnce plays the rounds on two replicas with one Redis.
func exactlyOnce(o options, r *report) error {
	many := o.scaled(onceRounds)
	r.begin("%d rounds, two replicas, one Redis", many)
	store, err := startRedis()
	if err != nil {
		return err
	}
	defer store.close()
	return played(o, r, 2, store.url, many, o.scaled(onceKills))
}

// exactlyOnceAlone plays them on one replica that keeps everything itself.
func exactlyOnceAlone(o options, r *report) error {
	many := o.scaled(aloneRounds)
	r.begin("%d rounds, one replica without Redis", many)
	return played(o, r, 1, "", many, o.scaled(aloneKills))
}

func played(o options, r *report, replicas int, redisURL string, many, kills int) error {
	rec, err := startRecorder()
	if err != nil {
		return err
	}
	defer rec.stop()
	set, err := startCluster(o, replicas, rec.url(), redisURL, nil)
	if err != nil {
		return err
	}
	defer set.close()
	s := &rounds{rec: rec, set: set, seed: o.seed, ends: allEndings, modes: allModes, kills: kills}
	s.found = func(all []check) {
		for _, c := range all {
			r.check(c.ok, "%s: %s", c.kind, c.text)
		}
	}
	begun := time.Now()
	if err := s.run(many, firstContract); err != nil {
		return err
	}
	r.check(len(rec.strays()) == 0, "what nobody asked for came to the backend: %s", strings.Join(rec.strays(), " | "))
	r.notef("%d requests for promises, %d of %d lost on the way, %d replicas ended, %s", s.asks, len(s.lost), many, kills, time.Since(begun).Round(time.Second))
	return listed(r, s)
}

// listed asks for the promises that nobody knows of.
func listed(r *report, s *rounds) error {
	r.begin("emenda unknowns")
	page, err := s.set.all[0].run("unknowns", "--config", "gateway.yaml")
	if !r.check(err == nil, "%v", err) {
		return nil
	}
	lines := strings.Split(page, "\n")
	named := func(contract string) (n int) {
		for _, line := range lines {
			if slices.Contains(strings.Fields(line), contract) {
				n++
			}
		}
		return n
	}
	for _, contract := range s.lost {
		n := named(contract)
		r.check(n == 1, "contract %s is lost and listed %d times", contract, n)
	}
	for _, contract := range s.sure {
		r.check(named(contract) == 0, "contract %s is listed, and it is known what became of it", contract)
	}
	r.notef("%d lost and listed, %d known and not listed", len(s.lost), len(s.sure))
	return nil
}

// counterProof leaves a line out of the mapping: the same checks must fail.
func counterProof(o options, r *report, line string) error {
	many := o.scaled(proofRounds)
	r.begin("%d rounds without the line %s", many, line)
	store, err := startRedis()
	if err != nil {
		return err
	}
	defer store.close()
	rec, err := startRecorder()
	if err != nil {
		return err
	}
	defer rec.stop()
	set, err := startCluster(o, 2, rec.url(), store.url, func(mapping string) string { return withoutLine(mapping, line) })
	if err != nil {
		return err
	}
	defer set.close()
	failures, example, checks := map[string]int{}, map[string]string{}, 0
	s := &rounds{rec: rec, set: set, seed: o.seed, ends: allEndings, modes: allModes}
	s.found = func(all []check) {
		checks += len(all)
		for _, c := range all {
			if c.ok {
				continue
			}
			if failures[c.kind]++; failures[c.kind] == 1 {
				example[c.kind] = c.text
			}
		}
	}
	if err := s.run(many, firstContract); err != nil {
		return err
	}
	var kinds []string
	failed := 0
	for _, kind := range sortedKeys(failures) {
		failed += failures[kind]
		kinds = append(kinds, fmt.Sprintf("%d × %s", failures[kind], kind))
		r.printf("      without %s, %s: %s", line, kind, example[kind])
	}
	r.check(failed > 0, "every check passes: they show nothing")
	wanted := map[string]string{"claim": "a promise doubled", "repeat": "answers that differ"}[line]
	r.check(failures[wanted] > 0, "no failure of the kind %q: %v", wanted, kinds)
	r.notef("%d of %d checks failed, as they must: %s", failed, checks, strings.Join(kinds, ", "))
	return nil
}

// withoutLine leaves out the line of a key, and the tests, which would miss it.
func withoutLine(mapping, key string) string {
	mapping, _, _ = strings.Cut(mapping, "\ntests:")
	var kept []string
	for line := range strings.SplitSeq(mapping, "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), key+":") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n") + "\n"
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
