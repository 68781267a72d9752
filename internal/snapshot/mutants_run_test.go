//go:build !race

// The race detector sees nothing of mutants, and makes each ten times as dear:
// make test tries them by themselves.

package snapshot

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMutants puts one fault at a time into every shipped file: the checker
// must refuse it, pointing at it, or a test of the mappings must fail. What
// neither sees is listed, with the reason, in testdata/survivors.txt.
func TestMutants(t *testing.T) {
	begin := time.Now()
	defer debug.SetGCPercent(debug.SetGCPercent(200)) // each mutant leaves much behind
	list := readSurvivors(t)
	var all, ofContracts []*mutant
	of := map[*mutant]*shipped{}
	only := os.Getenv("EMENDA_MUTANTS_OF") // part of the names of files
	at := regexp.MustCompile(os.Getenv("EMENDA_MUTANTS_AT"))
	found := 0 // with those of which either may become: they are tried where all are
	for _, pack := range []string{"ura", "ura-sgp"} {
		s := readShipped(t, pack)
		for _, f := range s.yaml(pack == "ura-sgp") {
			some, err := mutantsOf(f)
			require.NoError(t, err)
			if !strings.Contains(f.Name, only) {
				continue
			}
			found += len(some)
			if only != "" || os.Getenv("EMENDA_MUTANTS") != "all" {
				some = slices.DeleteFunc(some, func(m *mutant) bool {
					e := list.find(m.id)
					return e != nil && e.verdict == either || !at.MatchString(m.id)
				})
			}
			for _, m := range some {
				of[m] = s
			}
			if slices.Contains(s.files.contracts, f) {
				ofContracts = append(ofContracts, some...)
			} else {
				all = append(all, some...)
			}
		}
	}
	every := len(all) + len(ofContracts)
	require.NotZero(t, found)
	if only == "" {
		require.GreaterOrEqual(t, found, 1000)
	}
	// Contracts are long, and what is read of them is of few kinds.
	most := sampled(every)
	all = append(sample(all, most*3/4), sample(ofContracts, most/4)...)

	became := make([]verdict, len(all))
	words := make([]string, len(all))
	var next sync.Mutex
	index := 0
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				next.Lock()
				i := index
				index++
				next.Unlock()
				if i >= len(all) {
					return
				}
				became[i], words[i] = of[all[i]].judge(all[i])
			}
		})
	}
	workers.Wait()

	var count [verdicts]int
	for i, m := range all {
		count[became[i]]++
		entry := list.find(m.id)
		switch became[i] {
		case refusedAway, warned, survived:
			if entry == nil {
				t.Errorf("%s: %s\n%s", m.id, verdictWords[became[i]], words[i])
			} else if entry.verdict != became[i] && entry.verdict != either {
				t.Errorf("%s: %s, but line %d of survivors.txt says that it is %s", m.id, verdictWords[became[i]], entry.line, verdictWords[entry.verdict])
			}
		default:
			if entry != nil && entry.verdict != either {
				t.Errorf("%s: %s, but line %d of survivors.txt lists it", m.id, verdictWords[became[i]], entry.line)
			}
		}
		if entry != nil && (became[i] == entry.verdict || entry.verdict == either && became[i] >= warned || entry.verdict == either && became[i] == refusedAway) {
			entry.met++
		}
	}
	for _, e := range list {
		if e.met == 0 && len(all) == found && only == "" {
			t.Errorf("line %d of survivors.txt is about no mutant", e.line)
		}
	}
	t.Logf("%d mutants of %d (%s)", len(all), found, time.Since(begin).Round(time.Millisecond))
	for v, n := range count {
		t.Logf("%6d %s", n, verdictWords[v])
	}
	why := map[string]int{}
	for _, e := range list {
		why[e.reason] += e.met
	}
	for _, e := range list {
		if n, ok := why[e.reason]; ok {
			t.Logf("%6d listed: %s", n, e.reason)
			delete(why, e.reason)
		}
	}
	if name := os.Getenv("EMENDA_MUTANTS_REPORT"); name != "" {
		var b strings.Builder
		for i, m := range all {
			fmt.Fprintf(&b, "%s | %s\n", verdictWords[became[i]], m.id)
		}
		require.NoError(t, os.WriteFile(name, []byte(b.String()), 0o600))
	}
}

// sampled says how many of the mutants are tried, so that it takes a minute or
// two however much ships, and less with -short, which is how make test tries
// them. EMENDA_MUTANTS=all tries all, EMENDA_MUTANTS_OF=NAME those of files whose
// name holds it.
func sampled(every int) int {
	switch {
	case os.Getenv("EMENDA_MUTANTS") == "all":
		return every * 4
	case testing.Short():
		return 700
	}
	return 4000
}

// sample keeps every n-th mutant, so that there are no more than most.
func sample(all []*mutant, most int) []*mutant {
	n := (len(all) + most - 1) / most
	if n < 2 {
		return all
	}
	kept := all[:0]
	for i, m := range all {
		if i%n == 0 {
			kept = append(kept, m)
		}
	}
	return kept
}
