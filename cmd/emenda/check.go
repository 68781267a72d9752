package main

import (
	"fmt"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/maptest"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

type configFlag struct {
	Config string `short:"c" default:"gateway.yaml" help:"The gateway's configuration." placeholder:"FILE"`
}

type checkCommand struct {
	configFlag
	Format string `enum:"text,json,sarif" default:"text" help:"How to print what was found: text, json or sarif."`
	Strict bool   `help:"Exit with 3 when there are warnings."`
}

// Help shows examples.
func (checkCommand) Help() string {
	return `Reads everything that "emenda serve" would, with the same loader, and prints every problem at once. Needs no environment and calls nobody.

Examples:

  emenda check
  emenda check --config gateway.yaml --strict
  emenda check --format sarif > emenda.sarif`
}

// Run checks.
func (c *checkCommand) Run(s *streams) error {
	loaded, list := snapshot.Load(c.Config)
	if loaded != nil {
		list.Add(loaded.Missing(s.env))
	}
	list.Sort()
	switch c.Format {
	case "json":
		fmt.Fprintln(s.out, string(list.JSON()))
	case "sarif":
		fmt.Fprintln(s.out, string(list.SARIF()))
	default:
		fmt.Fprint(s.out, list.Text())
		if !list.HasErrors() {
			fmt.Fprintln(s.out, loaded.Summary())
		}
	}
	switch {
	case list.HasErrors():
		return exitError(exitErrors)
	case c.Strict && len(list) > 0:
		return exitError(exitWarnings)
	}
	return nil
}

// loadGood loads what tests and serving need, printing what is wrong.
func loadGood(config string, s *streams) (*snapshot.Loaded, error) {
	loaded, list := snapshot.Load(config)
	if list.HasErrors() {
		list.Sort()
		fmt.Fprint(s.err, list.Text())
		return nil, exitError(exitErrors)
	}
	return loaded, nil
}

type testCommand struct {
	configFlag
	Match   string `arg:"" optional:"" help:"Only tests whose \"file: name\" contains this text."`
	Verbose bool   `short:"v" help:"Print every test, not only those that fail."`
}

// Help shows examples.
func (testCommand) Help() string {
	return `Runs the "tests:" of every mapping and flow: the code that serves requests, with the answers of the tests in the place of the backends. Needs no environment and calls nobody.

Examples:

  emenda test
  emenda test -v consultacliente
  emenda test --config gateway.yaml "unknown customer"`
}

// Run runs the tests.
func (c *testCommand) Run(s *streams) error {
	loaded, err := loadGood(c.Config, s)
	if err != nil {
		return err
	}
	begin := time.Now()
	results := maptest.Run(loaded.Set, maptest.Options{Callers: loaded.TestCallers(), Zone: loaded.Zone(), Match: c.Match})
	failed := 0
	for i := range results {
		r := &results[i]
		if r.Passed() {
			if c.Verbose {
				fmt.Fprintf(s.out, "ok    %s: %s\n", r.File, r.Name)
			}
			continue
		}
		failed++
		printFailed(s, r)
	}
	fmt.Fprintf(s.out, "%d passed, %d failed (%s)\n", len(results)-failed, failed, time.Since(begin).Round(time.Millisecond))
	if failed > 0 || len(results) == 0 {
		if len(results) == 0 {
			fmt.Fprintln(s.err, "emenda: no test to run")
		}
		return exitError(exitErrors)
	}
	return nil
}

func printFailed(s *streams, r *maptest.Result) {
	d := diag.Diagnostic{Rule: "test", Span: r.At, Message: "test failed: " + r.Name}
	fmt.Fprintln(s.out, d.String())
	for _, f := range r.Failures {
		fmt.Fprintln(s.out, "  "+f)
	}
	if len(r.Steps) > 0 {
		fmt.Fprintln(s.out, "  steps:")
		for _, line := range r.Steps {
			fmt.Fprintln(s.out, "    "+line)
		}
	}
}
