// Command show is what `make show-language-N`, `make show-once-N`, `make
// show-ura-N`, `make show-erp-N`, `make show-mvno-ozmap-N`, `make show-sale-N` and
// `make soak` run: it starts the built gateway as a process, speaks to it over real sockets, and says with figures whether it
// does what was promised.
//
//	go run ./sandbox/show language-2
//	go run ./sandbox/show -bin /tmp/emenda soak
//
// Every driver prints one line a group of checks, the checks that failed, and
// how many passed; it exits with 1 when one failed. It ends only processes it
// started, and listens and calls on this machine only.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// options are what every driver may need.
type options struct {
	root     string // of the repository
	bin      string // the built gateway
	skipTest bool
	seed     uint64
	rounds   int
	scene    string
	long     time.Duration
}

// scaled gives how many rounds to play of so many: all of them, or with -rounds as
// large a part as it is of those of once-1.
func (o options) scaled(many int) int {
	if o.rounds <= 0 {
		return many
	}
	return max(1, many*o.rounds/onceRounds)
}

// driver runs one demonstration. An error is something that kept it from
// checking at all; what was checked and found wrong is in the report.
type driver func(options, *report) error

var drivers = map[string]driver{
	"language-1":   showReadme,
	"language-2":   showLookup,
	"language-3":   showMutants,
	"language-4":   showCoverage,
	"language-5":   showInjection,
	"language-6":   showCost,
	"language-7":   showFuzz,
	"once-1":       showOnce,
	"once-2":       showIdle,
	"once-3":       showTokens,
	"once-4":       showStoreLost,
	"once-5":       showReload,
	"mvno-ozmap-1": showPages,
	"mvno-ozmap-2": showTurns,
	"mvno-ozmap-3": showGenerated,
	"mvno-ozmap-4": showDocumented,
	"mvno-ozmap-5": showOzmapSDK,
	"ura-4":        showHostile,
	"ura-5":        showLongSoak,
	"soak":         showSoak,
	"ura-1":        showURA,
	"ura-2":        showExplain,
	"erp-1":        showERPWalk,
	"erp-2":        showERPBad,
	"erp-3":        showERPCut,
	"sale-1":       showSale,
	"sale-2":       showSaleDocument,
	"sale-3":       showSaleWrong,
	"sale-4":       showSaleKills,
	"sale-5":       showSaleUndone,
	"sale-6":       showSaleCost,
	"sale-7":       showSalePrivate,
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", filepath.Join("bin", "emenda"), "the built gateway")
	flag.BoolVar(&o.skipTest, "skip-test", os.Getenv("SHOW_TEST") == "0", "language-1: leave out `make test` in the clone (also SHOW_TEST=0)")
	flag.Uint64Var(&o.seed, "seed", 0, "soak, once-1, once-4: the seed of what goes wrong; 0 takes one by chance")
	flag.IntVar(&o.rounds, "rounds", 0, "once-1: so many rounds in place of all of them, the other parts as much fewer")
	flag.StringVar(&o.scene, "scene", "", "ura-4, sale-4, sale-6: only scenes with this in their name")
	flag.DurationVar(&o.long, "for", 0, "soak, ura-5: how long; 0 takes what each has of itself")
	flag.Usage = usage
	flag.Parse()
	run := drivers[flag.Arg(0)]
	if run == nil || flag.NArg() != 1 {
		usage()
		os.Exit(2)
	}
	var err error
	if o.root, err = os.Getwd(); err == nil {
		if _, err = os.Stat(filepath.Join(o.root, "go.mod")); err == nil {
			o.bin, err = filepath.Abs(o.bin)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "show: run it in the repository's root:", err)
		os.Exit(2)
	}
	r := newReport(flag.Arg(0), os.Stdout)
	err = run(o, r)
	if err != nil {
		r.check(false, "%v", err)
	}
	if !r.end() {
		os.Exit(1)
	}
}

func usage() {
	names := make([]string, 0, len(drivers))
	for name := range drivers {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintf(os.Stderr, "usage: go run ./sandbox/show [flags] %s\n", strings.Join(names, "|"))
	flag.PrintDefaults()
}
