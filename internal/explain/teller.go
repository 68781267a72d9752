package explain

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/rehearse"
)

// teller listens to an exchange, and writes down what it hears. Nothing is kept
// of values but in masked form; what is hidden is known before it is shown,
// because a value is received before anything is made of it.
type teller struct {
	o       *Options
	hidden  *hidden
	sources map[*mapping.Plan]*source
	calls   []call
	steps   []step // that have settled, and are not yet within another
	plan    *mapping.Plan
	input   string
	got     bool // there is an input
	out     strings.Builder

	mu            sync.Mutex // backends are asked by goroutines of their own
	sent, changed int        // calls that went to backends, and those that change something
}

// call is one attempt of a call.
type call struct {
	plan, step string
	operation  string
	lines      []string
}

// step is a settled step.
type step struct {
	plan  *mapping.Plan
	name  string
	title string
	lines []string // below the title
	inner []step
	means string

	attempts, shown int // calls; lines up to and with the last that an order shows
}

// Received is told what input became.
func (t *teller) Received(input jsonx.Value) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.got = true
	t.hidden.takeSecrets(t.plan.Input.Fields, input)
	t.input = string(t.hidden.json(nil, input, t.plan.Input.Type))
}

// takeSecrets hides the values of fields that are marked secret.
func (h *hidden) takeSecrets(fields []*mapping.InputField, v jsonx.Value) {
	for _, f := range fields {
		of := v.Get(f.Name)
		if f.Secret {
			h.secret(of)
		}
		h.takeSecrets(f.Fields, of)
	}
}

// called is told about every attempt that the book answers.
func (t *teller) called(c *backend.Call, by *mapping.TestCall, a *backend.Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fromFile := slices.Contains(t.o.Answers, by)
	status, contentType, body := rehearse.Said(by)
	t.hidden.knows(c.Operation.Answer)
	if fromFile {
		t.hidden.received(body)
	}
	said := answered{body: body}
	switch {
	case by.Fail != "" && !fromFile:
		said.how = "none: the contract has no example; give one with --answers"
	case by.Fail != "":
		said.how = fmt.Sprintf("none (%s), by %s", by.Fail, by.At)
	default:
		from := "made up: nothing is expected"
		if fromFile {
			from = by.At.String()
		} else if by.Example != nil {
			from = fmt.Sprintf("the contract's example %q", by.Example.Name)
		}
		said.how = strings.TrimSpace(fmt.Sprintf("%d %s", status, contentType)) + ", " + from
	}
	if t.o.Live != nil {
		said.instead = "not sent, for it changes something; --yes sends it"
	}
	t.tell(c, said, a)
}

// answered is what is said of a call's answer.
type answered struct {
	how     string
	body    []byte
	instead string // why it is not the backend's
}

// tell writes a call down.
func (t *teller) tell(c *backend.Call, said answered, a *backend.Answer) {
	op := c.Operation
	t.hidden.secretsOf(a.Body, op.Answer)

	n := call{plan: c.Plan, step: c.Step, operation: op.Name()}
	say := func(what, format string, args ...any) {
		n.lines = append(n.lines, fmt.Sprintf("%-7s", what)+fmt.Sprintf(format, args...))
	}
	verb := "sends"
	if said.instead != "" {
		verb = "would"
	}
	say(verb, "%s %s", c.Request.Method, t.hidden.target(string(c.Request.Target)))
	if names := backend.HeaderNames(t.o.Contracts[op.Backend], c); len(names) > 0 {
		say("header", "%s", strings.Join(names, ", "))
	}
	if len(c.Request.Body) > 0 {
		say("body", "%s", t.hidden.body(c.Request.Body, op.BodyForm, op.Body))
	}
	if names := backend.SignedFields(t.o.Contracts[op.Backend], c); len(names) > 0 {
		say("signs", "with %s in the body", strings.Join(names, ", "))
	}
	if said.instead != "" {
		say("no", "%s", said.instead)
	}
	say("answer", "%s", said.how)
	if len(said.body) > 0 {
		say("", "%s", t.hidden.body(said.body, false, op.Answer))
	}
	means := meaning(a.State, a.Class)
	if a.Message != "" {
		means += ": " + t.hidden.masked(a.Message)
	}
	say("means", "%s", means)
	t.calls = append(t.calls, n)
}

// Settled is told about every step.
func (t *teller) Settled(p *mapping.Plan, s *mapping.Step, r flow.StepReport) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := step{plan: p, name: s.Name}
	src := t.source(p)
	var c *mapping.Case
	if r.Case >= 0 {
		c = s.Cases[r.Case]
	}
	n.title = Does(s, c)
	if c != nil && c.Action == mapping.DoRecall {
		t.hidden.value(r.Body) // somebody's, when it is remembered from before
	}
	if len(s.Cases) > 1 && c != nil {
		if when := src.caseWhen(s.Name, r.Case); when != "" {
			n.lines = append(n.lines, "case   when "+when)
		}
	}
	if s.Claim != nil && c != nil {
		n.lines = append(n.lines, "claim  one of "+s.Claim.Memory.Name+", given back when it surely was not done")
	}
	if c != nil && c.Action == mapping.DoFlow || s.Each != nil {
		n.inner = t.within(p)
	}
	n.lines = append(n.lines, lasting(s, c)...)
	calls := 0
	t.calls = slices.DeleteFunc(t.calls, func(x call) bool {
		if x.plan != p.Name || x.step != s.Name {
			return false
		}
		calls++
		n.lines = append(n.lines, x.lines...)
		if n.attempts = calls; calls <= attemptsShown {
			n.shown = len(n.lines)
		}
		return true
	})
	why := r.Why
	if r.State == contract.Skipped && why == "when is false" {
		if when := src.stepWhen(s.Name); when != "" {
			why = "when is false: " + when
		}
	}
	shown := ""
	if !r.Body.None() && (c == nil || c.Action != mapping.DoCall || r.Caught != nil) && s.Each == nil {
		shown = t.hidden.body(r.Body.AppendJSON(nil), false, nil)
	}
	n.means = meaning(r.State, r.Class)
	if calls == 1 && r.Caught == nil && s.Each == nil {
		n.means = "" // the answer's meaning is the step's
	}
	switch {
	case why != "":
		n.means = meaning(r.State, r.Class) + ", " + why
	case c != nil && c.Action == mapping.DoRecall && r.State == contract.OK && r.Body.None():
		n.means = "ok, nothing is remembered"
	case shown != "":
		n.means += ", " + shown
	}
	if r.Message != "" && calls == 0 {
		n.means += ": " + t.hidden.masked(r.Message)
	}
	if r.Caught != nil && r.State != contract.Skipped {
		n.means += "; catch " + Catches(r.Caught)
	}
	t.steps = append(t.steps, n)
}

// within takes the steps that settled in flows called by a plan.
func (t *teller) within(p *mapping.Plan) (inner []step) {
	t.steps = slices.DeleteFunc(t.steps, func(s step) bool {
		if s.plan == p || t.outer(p, s.plan) {
			return false
		}
		inner = append(inner, s)
		return true
	})
	return inner
}

// outer tells whether plan q, whose steps have settled, calls p: those are not within p.
func (t *teller) outer(p, q *mapping.Plan) bool {
	for _, s := range q.Steps {
		for _, c := range s.Cases {
			if c.Call != nil && c.Call.Flow != nil && (c.Call.Flow == p || t.outer(p, c.Call.Flow)) {
				return true
			}
		}
	}
	return false
}

// Does says what a step does, by its case; nil for one that took none.
func Does(s *mapping.Step, c *mapping.Case) string {
	if c == nil && len(s.Cases) == 1 {
		c = s.Cases[0]
	}
	text := ""
	switch {
	case c == nil:
		text = "one of several"
	case c.Action == mapping.DoCall:
		text = c.Call.Operation.Name()
		if c.Call.Operation.Changes {
			text += ", which changes something"
		}
	case c.Action == mapping.DoFlow:
		text = c.Call.Flow.Name
	case c.Action == mapping.DoRecall:
		text = "recall " + c.Memory.Memory.Name
	case c.Action == mapping.DoRemember:
		text = "remember " + c.Memory.Memory.Name
	case c.Action == mapping.DoUse:
		text = "use"
	case c.Action == mapping.DoFail:
		text = "fail"
	case c.Action == mapping.DoWait:
		text = "wait for event " + c.Wait.Event
	case c.Action == mapping.DoSleep:
		text = "sleep " + days(c.Sleep)
	default:
		text = "skip"
	}
	if s.Each != nil {
		text += ", for each element"
	}
	return text
}

func meaning(s contract.State, class string) string {
	if class == "" {
		return s.String()
	}
	return s.String() + ", class " + class
}

// Catches says which line of a catch took a failure.
func Catches(e *mapping.CatchEntry) string {
	of := "any"
	switch e.Kind {
	case mapping.CatchClass:
		of = e.Class
	case mapping.CatchStatus:
		of = fmt.Sprint(e.Status)
	case mapping.CatchState:
		of = e.State.String()
	}
	switch {
	case e.Continue:
		return of + ": continue"
	case e.Use != nil:
		return of + ": use"
	case e.Hold:
		return of + ": hold"
	}
	return of + ": fail"
}
