// Package maptest runs the `tests:` of mappings and flows: the same code that
// serves requests, with a book of answers in the place of the backends.
package maptest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/rehearse"
	"github.com/emenda-gateway/emenda/internal/store"
)

// Options are what tests run with.
type Options struct {
	Callers []*intake.Caller // as configured; their secrets are not needed
	Zone    *time.Location
	Match   string // only tests whose "file: name" contains it; "" for all
	// Fuel and MaxEach are gateway.yaml's limits of one request; 0 for what stands where nothing is said.
	Fuel, MaxEach int
	// Watch is told about every step of every test, after the test's own record; may be nil.
	Watch flow.Watcher
	// Answered is told about every reply of a mapping's tests; may be nil.
	Answered func(route *mapping.Route, test *mapping.Test, report *exchange.Report)
}

// Result is how one test went.
type Result struct {
	File     string // as messages name it
	Name     string
	At       diag.Span
	Failures []string // what differed; empty when the test passed
	Steps    []string // what each step did, for failed tests
	Took     time.Duration
}

// Passed tells whether nothing differed.
func (r *Result) Passed() bool { return len(r.Failures) == 0 }

// defaultNow is the time of tests that do not set one: fixed, so that they give the same every day.
var defaultNow = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

// Run runs every test of the set, in the order of files and tests.
func Run(set *mapping.Set, o Options) []Result {
	var results []Result
	for _, file := range set.Tests {
		for _, test := range file.Tests {
			name := file.Plan.File.Name
			if o.Match != "" && !strings.Contains(name+": "+test.Name, o.Match) {
				continue
			}
			begin := time.Now()
			r := run(file, test, o)
			r.File, r.Name, r.At, r.Took = name, test.Name, test.At, time.Since(begin)
			results = append(results, r)
		}
	}
	return results
}

func run(file *mapping.TestFile, test *mapping.Test, o Options) (r Result) {
	now := test.Now
	if now.IsZero() {
		now = defaultNow
	}
	now = now.In(o.Zone)
	upstream := rehearse.NewBook(test.Upstream, nil)
	record := &recorder{next: o.Watch}
	memory := rehearse.NewMemory(test.Memory, test.Store != "")
	kept := store.NewLocal(1000)
	turns := &rehearse.Turns{Kept: kept, Memory: memory, Store: test.Store}
	switch {
	case file.Route != nil:
		orders := &rehearse.Orders{}
		options := exchange.Options{
			Callers: o.Callers, Calls: upstream, Memory: memory, Cache: kept, Turns: turns, Orders: orders, Zone: o.Zone,
			Clock: func() time.Time { return now }, OneByOne: true, Fuel: o.Fuel, MaxEach: o.MaxEach,
		}
		for i, x := range append([]mapping.TestExchange{test.TestExchange}, test.Again...) {
			failures := request(file.Route, test, &x, options, o, record)
			for _, f := range failures {
				if i > 0 {
					f = fmt.Sprintf("again, request %d: %s", i+1, f)
				}
				r.Failures = append(r.Failures, f)
			}
		}
		r.Failures = append(r.Failures, runOrder(file.Plan, test, orders, &flow.Env{
			Calls: upstream, Memory: memory, Zone: o.Zone, RequestID: "test", Watch: record, OneByOne: true, Fuel: o.Fuel, MaxEach: o.MaxEach,
		})...)
	default:
		guard, _, _, err := turns.Begin(context.Background(), nil, store.About{Route: file.Plan.Name}, now)
		if err != nil {
			r.Failures = append(r.Failures, err.Error())
			return r
		}
		r.Failures = append(r.Failures, runFlow(file.Plan, test, &flow.Env{
			Calls: upstream, Memory: memory, Cache: kept, Guard: guard, Now: now, Zone: o.Zone, RequestID: "test", Watch: record, OneByOne: true,
			Fuel: o.Fuel, MaxEach: o.MaxEach,
		})...)
	}
	r.Failures = append(r.Failures, upstream.Rest()...)
	r.Failures = append(r.Failures, memory.Check(test.Remember)...)
	if len(r.Failures) > 0 {
		r.Steps = record.lines
	}
	return r
}

// request makes one request of a test, as often as it says, and tells what differed.
func request(route *mapping.Route, test *mapping.Test, x *mapping.TestExchange, options exchange.Options, o Options, watch flow.Watcher) (failures []string) {
	for _, c := range o.Callers {
		if c.Name == x.Caller {
			options.Assume = c
		}
	}
	req, err := buildRequest(route, x.Request)
	if err != nil {
		return []string{err.Error()}
	}
	e := exchange.New(options)
	for range max(1, x.Request.Times) {
		in := *req
		res := e.Serve(context.Background(), route, &in, watch, nil)
		failures = append(failures, checkReply(x.Reply, &res)...)
		if o.Answered != nil {
			o.Answered(route, test, &res.Report)
		}
	}
	return failures
}

func runFlow(p *mapping.Plan, test *mapping.Test, env *flow.Env) (failures []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	input := []byte("{}")
	if test.Input != nil {
		input = mapping.ConstantJSON(test.Input)
	}
	run := func() (contract.State, string, string, []byte, error) { return flow.RunFlow(ctx, p, input, env) }
	if p.Lasts() {
		run = func() (contract.State, string, string, []byte, error) { return runLasting(p, test, input, env) }
	}
	state, class, message, result, err := run()
	if err != nil {
		return []string{"the flow failed: " + err.Error()}
	}
	want := "ok"
	switch {
	case test.Refused:
		want = "refused"
	case test.State != "":
		want = test.State
	}
	if state.String() != want {
		ended := "the flow ended " + state.String()
		for _, more := range []string{class, message} {
			if more != "" {
				ended += ", " + more
			}
		}
		failures = append(failures, ended+"; expected "+want)
	}
	if test.Message != "" && state.String() == want && message != test.Message {
		failures = append(failures, fmt.Sprintf("the flow says %q, expected %q", message, test.Message))
	}
	if test.Result != nil && state == contract.OK {
		failures = append(failures, rehearse.Compare("result", mapping.ConstantJSON(test.Result), result, rehearse.Exactly)...)
	}
	return failures
}

// recorder keeps what each step did, to show it with a failed test.
type recorder struct {
	lines []string
	next  flow.Watcher
}

// Settled notes one step.
func (r *recorder) Settled(p *mapping.Plan, s *mapping.Step, report flow.StepReport) {
	line := fmt.Sprintf("%s %s: %s", p.Name, s.Name, report.State)
	if report.Status != 0 {
		line += fmt.Sprintf(" %d", report.Status)
	}
	for _, more := range []string{report.Class, report.Message, report.Why} {
		if more != "" {
			line += ", " + more
		}
	}
	r.lines = append(r.lines, line)
	if r.next != nil {
		r.next.Settled(p, s, report)
	}
}
