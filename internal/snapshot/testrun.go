package snapshot

import (
	"context"
	"log/slog"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/maptest"
)

// The bounds on tests: what they usually take at most, and what is waited at most.
const (
	testsSoon = 500 * time.Millisecond
	testsMost = 10 * time.Second
)

// testRun runs tests within bounds.
type testRun struct {
	run        func(*mapping.Set, maptest.Options) []maptest.Result
	soon, most time.Duration
}

// of runs the tests of files, and gives what failed and how many ran.
func (t testRun) of(l *Loaded, files []*mapping.TestFile, log *slog.Logger) (failed diag.List, ran int) {
	count := 0
	for _, f := range files {
		count += len(f.Tests)
	}
	if count == 0 {
		return nil, 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.most)
	defer cancel()
	slow := time.AfterFunc(t.soon, func() {
		log.Warn("the tests of the mappings take long; the configuration waits for them",
			slog.Int("tests", count), slog.Duration("longer_than", t.soon), slog.Duration("at_most", t.most))
	})
	defer slow.Stop()
	done := make(chan diag.List, 1)
	go func() { done <- t.each(ctx, l, files) }()
	select {
	case failed = <-done:
		if ctx.Err() == nil {
			return failed, count
		}
	case <-ctx.Done():
	}
	failed.Errorf(diag.Span{}, "test", "the tests that touch what changed are not done after %s", t.most).
		Help = "\"emenda test -v\" shows them; make them fewer, or what they test simpler"
	return failed, count
}

// each runs tests one by one, until ctx ends.
func (t testRun) each(ctx context.Context, l *Loaded, files []*mapping.TestFile) (failed diag.List) {
	options := l.TestOptions()
	for _, f := range files {
		for _, one := range f.Tests {
			if ctx.Err() != nil {
				return failed
			}
			single := &mapping.TestFile{Plan: f.Plan, Route: f.Route, Tests: []*mapping.Test{one}}
			if !t.passes(single, options) {
				failed.Errorf(one.At, "test", "test failed: %s", one.Name).Help = "\"emenda test\" shows what differs"
			}
		}
	}
	return failed
}

// passes runs one test; one that panics fails.
func (t testRun) passes(f *mapping.TestFile, o maptest.Options) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	for _, res := range t.run(&mapping.Set{Tests: []*mapping.TestFile{f}}, o) {
		if !res.Passed() {
			return false
		}
	}
	return true
}
