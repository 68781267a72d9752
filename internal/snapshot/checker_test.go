package snapshot

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/maptest"
)

// shippedConfig is the configuration this repository ships.
const shippedConfig = "../../gateway.yaml"

// verdict is what became of a mutant.
type verdict uint8

const (
	refusedAtPlace verdict = iota // an error points at the fault
	refusedAtUse                  // a declared name was misspelt: an error names the old name where it is used
	refusedAway                   // an error, but somewhere else
	refusedWarned                 // an error somewhere else, and a warning that points at the fault
	caught                        // it loads, and a test of the mappings fails
	differs                       // it loads, and TestShipped fails
	warned                        // it loads, and a warning points at the fault
	survived
	verdicts
	either // of a line in survivors.txt: what is free here is used in some places and not in others
)

var verdictWords = [verdicts]string{
	"refused at the place", "refused at the use of the name", "refused elsewhere",
	"refused elsewhere, warned of at the place", "caught by the mappings' tests", "caught by TestShipped", "warned of at the place", "survived",
}

// shipped are the files of the repository, in memory.
type shipped struct {
	config    *diag.File
	files     *files
	good      *Loaded
	whole     *shippedLoad // the same, and what is pinned of it
	common    []*diag.File // tables, dialects and forms
	contracts sync.Map     // loaded contracts by file: those that did not change are not read again
	known     sync.Map     // errors by file, where it is read alone: it calls flows that are not there
	nearby    sync.Map     // loads of what a file is connected with, by file
}

func readShipped(t *testing.T, pack string) *shipped {
	config, list := readConfig(shippedConfig)
	require.Empty(t, list)
	config = diag.NewFile(config.Name, strings.Replace(config.Text, "  packs: [ura, ", "  packs: ["+pack+", ", 1))
	require.Contains(t, config.Text, "  packs: ["+pack+", ")
	s := &shipped{config: config}
	loaded, list := load(config, source{contract: s.contract, folder: func(_ diag.Span, _ string, list *diag.List) *files {
		s.files = readFolder(diag.Span{}, "../../mappings", shippedConfig, list)
		return s.files
	}})
	require.False(t, list.HasErrors(), "the shipped files must check: %s", list.Text())
	keepPinned(loaded)
	s.good, s.whole = loaded, pin(loaded)
	for _, f := range s.files.mappings {
		if !hasRoute(f) && flowOf(f) == "" {
			s.common = append(s.common, f)
		}
	}
	for _, r := range maptest.Run(loaded.Set, maptest.Options{Callers: loaded.TestCallers(), Zone: loaded.Zone()}) {
		if !r.Passed() {
			t.Errorf("a test that fails already sees nothing: %s: %s", r.File, r.Name)
		}
	}
	return s
}

type loadedContract struct {
	contract *contract.Contract
	list     diag.List
}

func (s *shipped) contract(name string, files []*diag.File, functions *expr.Functions) (*contract.Contract, diag.List) {
	if slices.ContainsFunc(files, func(f *diag.File) bool { return !slices.Contains(s.files.contracts, f) }) {
		return contract.LoadFiles(name, files, functions)
	}
	kept, ok := s.contracts.Load(files[0])
	if !ok {
		c, list := contract.LoadFiles(name, files, functions)
		kept, _ = s.contracts.LoadOrStore(files[0], &loadedContract{c, list})
	}
	l := kept.(*loadedContract) //nolint:forcetypeassert // only loaded contracts are kept
	return l.contract, slices.Clone(l.list)
}

// yaml gives every file that is mutated: those of the shipped configuration, and
// those that another pack alone serves or calls.
func (s *shipped) yaml(other bool) (all []*diag.File) {
	for _, f := range slices.Concat([]*diag.File{s.config}, s.files.contracts, s.files.mappings) {
		inside := s.files.inside[f]
		if own := packOf(inside) == "ura-sgp" || inside == "contracts/sgp.yaml"; own == other {
			all = append(all, f)
		}
	}
	return all
}

// with loads the shipped files with text in the place of a file's.
func (s *shipped) with(f *diag.File, text string) (*Loaded, diag.List) {
	mutated := diag.NewFile(f.Name, text)
	swap := func(all []*diag.File) []*diag.File {
		all = slices.Clone(all)
		if i := slices.Index(all, f); i >= 0 {
			all[i] = mutated
		}
		return all
	}
	config := s.config
	if f == config {
		config = mutated
	}
	return load(config, source{contract: s.contract, folder: func(at diag.Span, folder string, list *diag.List) *files {
		if folder != "./mappings" {
			return readFolder(at, folder, "", list)
		}
		inside := maps.Clone(s.files.inside)
		inside[mutated] = inside[f]
		return &files{
			contracts: swap(s.files.contracts), mappings: swap(s.files.mappings),
			texts: s.files.texts, all: swap(s.files.all), inside: inside,
		}
	}})
}

// survivor is a line of testdata/survivors.txt: mutants that no check sees, and why.
type survivor struct {
	line    int
	reason  string // the first line of it
	verdict verdict
	pattern *regexp.Regexp
	met     int
}

type survivors []*survivor

func (s survivors) find(id string) *survivor {
	for _, e := range s {
		if e.pattern.MatchString(id) {
			return e
		}
	}
	return nil
}

// readSurvivors reads the list: blocks of "# reason" lines, each followed by
// "survives PATTERN", "warned PATTERN", "elsewhere PATTERN" or "either PATTERN"
// lines, in which * stands for anything and ~ for anything without a point. The first line that fits counts. All
// that a line fits must become what it says; of either, one at least.
func readSurvivors(t *testing.T) (list survivors) {
	data, err := os.ReadFile("testdata/survivors.txt")
	require.NoError(t, err)
	kinds := map[string]verdict{"survives": survived, "warned": warned, "elsewhere": refusedAway, "either": either}
	reason, begins := "", false
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			reason, begins = "", true
			continue
		}
		if words, ok := strings.CutPrefix(line, "#"); ok {
			if begins || reason == "" {
				reason, begins = strings.TrimSpace(words), false
			}
			continue
		}
		require.NotEmpty(t, reason, "line %d of survivors.txt has no reason above it", i+1)
		kind, pattern, _ := strings.Cut(line, " ")
		v, known := kinds[kind]
		require.True(t, known, "line %d of survivors.txt begins with none of survives, warned, elsewhere, either", i+1)
		re := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(pattern)), `\*`, `.*`)
		re = strings.ReplaceAll(re, `~`, `[^.]*`)
		list = append(list, &survivor{line: i + 1, reason: reason, verdict: v, pattern: regexp.MustCompile("^" + re + "$")})
	}
	return list
}
