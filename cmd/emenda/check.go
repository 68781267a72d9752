package main

import (
	"errors"
	"fmt"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/maptest"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

type configFlag struct {
	Config string `short:"c" default:"gateway.yaml" help:"The gateway's configuration; ${default} without it." placeholder:"FILE"`
}

type checkCommand struct {
	configFlag
	Format string `enum:"text,json,sarif" default:"text" help:"How to print what was found: text, json or sarif."`
	Strict bool   `help:"Exit with 3 when there are warnings. What is unset in this environment is told, and does not count."`
}

// Help shows examples.
func (checkCommand) Help() string {
	return `Reads everything that "emenda serve" would, with the same loader, and prints every problem at once. Needs no environment and calls nobody: that a secret or address is unset here is told, but is no reason for --strict to fail. The files that tls names are read.

Examples:

  emenda check
  emenda check --config gateway.yaml --strict
  emenda check --format sarif > emenda.sarif`
}

// Run checks.
func (c *checkCommand) Run(s *streams) error {
	loaded, list := snapshot.Load(c.Config)
	if loaded != nil {
		list.Add(loaded.Certificates(s.env))
	}
	code := exitGood
	switch {
	case list.HasErrors():
		code = exitErrors
	case c.Strict && len(list) > 0:
		code = exitWarnings
	}
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
		if loaded != nil && code != exitErrors {
			fmt.Fprintln(s.out, loaded.Summary())
		}
	}
	if code != exitGood {
		return exitError(code)
	}
	return nil
}

// loadGood loads what tests and serving need. Errors are printed; warnings
// are the check's to tell, and given.
func loadGood(config string, s *streams) (*snapshot.Loaded, diag.List, error) {
	loaded, list := snapshot.Load(config)
	list.Sort()
	if list.HasErrors() {
		fmt.Fprint(s.err, list.Text())
		return nil, list, exitError(exitErrors)
	}
	return loaded, list, nil
}

// resolved gives the settings of the environment, when they hold no error.
func resolved(loaded *snapshot.Loaded, s *streams) (*config.Resolved, error) {
	settings, list := loaded.Resolve(s.env)
	if list.HasErrors() {
		fmt.Fprint(s.err, list.Text())
		return nil, exitError(exitErrors)
	}
	return settings, nil
}

type testCommand struct {
	configFlag
	Match    string `arg:"" optional:"" help:"Only tests whose \"file: name\" contains this text."`
	Verbose  bool   `short:"v" help:"Print every test, not only those that fail."`
	Coverage bool   `help:"Print what the tests have reached: cases and states of steps, replies, rows of tables; and what they have not."`
}

// Help shows examples.
func (testCommand) Help() string {
	return `Runs the "tests:" of every mapping and flow: the code that serves requests, with the answers of the tests in the place of the backends. Needs no environment and calls nobody.

Examples:

  emenda test
  emenda test -v consultacliente
  emenda test --coverage
  emenda test --config gateway.yaml "wrong credentials"`
}

// Run runs the tests.
func (c *testCommand) Run(s *streams) error {
	loaded, _, err := loadGood(c.Config, s)
	if err != nil {
		return err
	}
	options := loaded.TestOptions()
	options.Match = c.Match
	var cover *maptest.Coverage
	if c.Coverage {
		cover = maptest.NewCoverage(loaded.Set)
		options.Watch, options.Answered = cover, cover.Answered
	}
	results := maptest.Run(loaded.Set, options)
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
	if cover != nil {
		if err := printCoverage(s.out, cover); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.out, "%d passed, %d failed\n", len(results)-failed, failed)
	switch {
	case len(results) == 0 && c.Match != "":
		return fmt.Errorf("no test has %q in its file and name", c.Match)
	case len(results) == 0:
		return errors.New("no mapping has tests")
	case failed > 0:
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
