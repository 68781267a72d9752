package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Recorder is where an order's steps are recorded, and what it waits with. An
// error is its own: it is given back unchanged, and ends the run without ending
// the order, which another run continues. A run asks for the same things in the
// same order as those before it, and is given the same, as far as it is recorded.
type Recorder interface {
	// Step gives what fn gave when it first ended; it is called only if it never has.
	Step(name string, fn func(ctx context.Context) ([]byte, error)) ([]byte, error)
	// Sleep ends early when somebody wishes the order undone and that has not been heard.
	Sleep(d time.Duration) error
	// Wait waits for an event, or until a time. With neither a body nor timedOut
	// somebody wishes the order undone, and that has not been heard.
	Wait(event string, key []byte, until time.Time) (body []byte, timedOut bool, err error)
	// Decide waits for what people decide; false when until has come first. A wish
	// to undo the order that has not been heard is DecideUndo.
	Decide(until time.Time) (d Decision, is bool, err error)
	// Cancelled hears whether somebody wishes the order undone.
	Cancelled() (reason, by string, is bool)
	// Progress is told how far the order is, for lists. Best effort.
	Progress(p Progress)
}

// Decision is what people decide of a step that is held, or an order that is stuck.
type Decision string

// The decisions.
const (
	DecideRetry    Decision = "retry"
	DecideContinue Decision = "continue"
	DecideUndo     Decision = "undo"
)

// The states of an order.
const (
	OrderRunning = "running"
	OrderWaiting = "waiting" // for an event or a time
	OrderHeld    = "held"    // for people
	OrderUndoing = "undoing"
	OrderDone    = "done"
	OrderUndone  = "undone"
	OrderStuck   = "stuck" // some of it could not be undone: for people
)

// Progress is how far an order is.
type Progress struct {
	State     string
	Step      string    // at hand; what ended it
	Class     string    // of what ended it
	Event     string    // waited for
	Until     time.Time // how long
	Committed bool      // nothing is undone any more
}

// OrderGiven is what an order starts from: JSON, as recorded.
type OrderGiven struct {
	ID       string
	Input    json.RawMessage
	Request  json.RawMessage
	Caller   json.RawMessage
	Warnings json.RawMessage
	Deadline time.Time
}

// OrderEnv is what an order's run is given beside what requests are. Now of
// its Env is not used: every recorded step has its own.
type OrderEnv struct {
	Env
	Record Recorder
	Clock  func() time.Time
	Tell   Teller // may be nil
}

// Teller is told of an order's steps as they begin and end, each element and
// each step of a flow by itself: "lines[0]/made". undoes tells of a step that is
// taken back. One that has not ended when the run ends goes on.
type Teller interface {
	Begins(step string, undoes bool)
	Ends(step string, undoes bool, r StepReport)
}

// OrderVersion is that of what is recorded of orders: what one has recorded
// another cannot go on with.
const OrderVersion = "1"

// OrderEnd is how an order ended.
type OrderEnd struct {
	State               string // done, undone or stuck
	Step, Class, Detail string // what ended it, when it was not done
	Undone              []string
	Left                []string // for people: what could not be undone, or nobody knows of
	Shows               []byte   // JSON
	Problems            []string // of finally: its steps that failed
}

// order is one run of one order. Every run of it does the same, up to where
// nothing is recorded yet.
type order struct {
	env       *OrderEnv
	given     OrderGiven
	top       *scope
	done      []taken // what changed something, in its order
	committed bool
	ending    bool // it is being undone, or is at finally: nobody cancels that, and no deadline ends it
	state     string
	failed    *failure
	undone    []string
	left      []string
	problems  []string
	rounds    int // of undoing
}

// bound tells whether the order may still be cancelled, or end for its deadline.
func (o *order) bound() bool { return !o.committed && !o.ending }

// cancelled gives the end of a step that does not begin because somebody
// wishes the order undone; nil when nobody does.
func (o *order) cancelled() *end {
	if !o.bound() {
		return nil
	}
	reason, by, is := o.env.Record.Cancelled()
	if !is {
		return nil
	}
	return &end{State: contract.Refused, Class: classCancelled, Message: words(by, reason), Case: -1, Dead: true}
}

// within gives when something that lasts ends at the latest.
func (o *order) within(now time.Time, d time.Duration) time.Time {
	if until := now.Add(d); !o.bound() || until.Before(o.given.Deadline) {
		return until
	}
	return o.given.Deadline
}

// failure is what ended an order.
type failure struct{ step, class, message string }

// taken is a step that changed something and can be undone.
type taken struct {
	s      *scope
	step   *mapping.Step
	label  string
	elem   []byte // of an each
	answer []byte
}

// patience is how long an order that is stuck waits for people.
const patience = 180 * 24 * time.Hour

// RunOrder runs an order to its end, or up to the recorder's error: then the end
// tells how far it has come.
func RunOrder(p *mapping.Plan, g OrderGiven, env *OrderEnv) (OrderEnd, error) {
	o := &order{env: env, given: g, state: OrderRunning}
	o.top = &scope{o: o, p: p, input: g.Input, ends: make([]*end, len(p.Steps))}
	err := o.run()
	end := OrderEnd{State: o.state, Undone: o.undone, Left: o.left, Shows: o.shows(), Problems: o.problems}
	if o.failed != nil {
		end.Step, end.Class, end.Detail = o.failed.step, o.failed.class, o.failed.message
	}
	if err == nil {
		o.progress(Progress{State: o.state})
	}
	return end, err
}

func (o *order) run() error {
	p := o.top.p
	o.progress(Progress{State: OrderRunning})
	dead, err := o.top.run(0, len(p.Steps)-p.Finally)
	if err != nil {
		return err
	}
	o.ending = true
	if o.state = OrderDone; dead != nil {
		o.failed = dead
		if err := o.undo(); err != nil {
			return err
		}
	}
	if err := o.finally(""); err != nil {
		return err
	}
	return o.stuck()
}

// stuck waits for people while something is left for them.
func (o *order) stuck() error {
	for round := 1; o.state == OrderStuck; round++ {
		o.progress(Progress{State: OrderStuck})
		d, is, err := o.env.Record.Decide(o.now().Add(patience))
		if err != nil || !is {
			return err
		}
		switch d {
		case DecideContinue: // they have seen to it
			o.left, o.state = nil, OrderUndone
		case DecideRetry, DecideUndo:
			if err := o.undo(); err != nil {
				return err
			}
		}
		if o.state != OrderStuck {
			return o.finally(fmt.Sprintf("again %d: ", round))
		}
	}
	return nil
}

func (o *order) now() time.Time {
	now := o.env.Clock()
	if o.env.Zone != nil {
		now = now.In(o.env.Zone)
	}
	return now
}

func (o *order) progress(p Progress) {
	p.Committed = o.committed
	if o.failed != nil && p.Step == "" {
		p.Step, p.Class = o.failed.step, o.failed.class
	}
	o.env.Record.Progress(p)
}

// shows renders what is shown of the order; nil when it has nothing to show.
func (o *order) shows() []byte {
	if o.top.p.Order == nil || o.top.p.Order.Shows == nil {
		return nil
	}
	t := o.top.p.Order.Shows
	r := o.top.open(o.now())
	defer r.close()
	out := t.AppendJSON(nil, r.f)
	if r.f.Err() != nil || len(out) == 0 {
		return nil
	}
	return out
}

// value is what `order` stands for.
func (o *order) value() []byte {
	b := jsonx.AppendQuoted([]byte(`{"id":`), o.given.ID)
	b = jsonx.AppendQuoted(append(b, `,"state":`...), o.state)
	if f := o.failed; f != nil {
		b = jsonx.AppendQuoted(append(b, `,"error":{"step":`...), f.step)
		b = jsonx.AppendQuoted(append(b, `,"class":`...), f.class)
		if f.message != "" {
			b = jsonx.AppendQuoted(append(b, `,"message":`...), f.message)
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// opened is a run of the scope's plan, made for one evaluation.
type opened struct {
	*run
	with Env
}

func (r *opened) close() {
	f := r.f
	r.free()
	f.Release()
}

// open makes a frame in which everything that has settled has its value.
func (s *scope) open(now time.Time) *opened {
	o := s.o
	r := &opened{with: o.env.Env}
	r.with.Now, r.with.Guard, r.with.Cache, r.with.Watch = now, nil, nil, nil
	f := expr.NewFrame(s.p.Layout, now, o.env.Zone)
	if o.env.Fuel > 0 {
		f.SetFuel(o.env.Fuel)
	}
	r.run = newRun(s.p, f, &r.with)
	r.instant = true // memory is reached here and now
	slots := &s.p.Slots
	give := func(slot int, raw []byte) {
		if slot >= 0 && len(raw) > 0 {
			f.Set(slot, r.own(raw))
		}
	}
	give(slots.Input, s.input)
	if s == o.top {
		give(slots.Request, o.given.Request)
		give(slots.Caller, o.given.Caller)
		give(slots.Warnings, o.given.Warnings)
		give(slots.Order, o.value())
	}
	r.common()
	for i, e := range s.ends {
		if e == nil {
			continue
		}
		st := &r.steps[i]
		e.restore(r.run, s.p.Steps[i], st)
		r.publish(s.p.Steps[i], st)
	}
	if slots.Failures >= 0 {
		r.failures()
	}
	return r
}

// step is Recorder.Step for an end: fn makes it, once.
func (o *order) step(name string, fn func(ctx context.Context, now time.Time) *end) (*end, bool, error) {
	fresh := false
	raw, err := o.env.Record.Step(name, func(ctx context.Context) ([]byte, error) {
		fresh = true
		now := o.now()
		e := fn(ctx, now)
		if err := ctx.Err(); err != nil {
			return nil, err // the run is being ended: what it came to says nothing of the step
		}
		e.At = now
		return json.Marshal(e)
	})
	if err != nil {
		return nil, false, err
	}
	e := new(end)
	if err := json.Unmarshal(raw, e); err != nil {
		return nil, false, fmt.Errorf("step %s: what is recorded cannot be read", name)
	}
	return e, fresh, nil
}

// begins and ends tell the teller of a step.
func (o *order) begins(step string, undoes bool) {
	if o.env.Tell != nil {
		o.env.Tell.Begins(step, undoes)
	}
}

func (o *order) ends(step string, undoes bool, e *end) {
	if o.env.Tell != nil {
		o.env.Tell.Ends(step, undoes, e.report())
	}
}

func (e *end) report() StepReport {
	r := StepReport{State: e.State, Class: e.Class, Status: e.Status, Message: e.Message, Why: e.Why, Case: e.Case, Body: jsonx.RawValue(string(e.Body))}
	if e.Cause != "" {
		r.Why = e.Cause
	}
	return r
}

// told tells the watcher of a step that has settled.
func (s *scope) told(st *mapping.Step, e *end) {
	if w := s.o.env.Watch; w != nil {
		report := e.report()
		if st.Catch != nil && e.Caught > 0 && e.Caught <= len(st.Catch.Entries) {
			report.Caught = st.Catch.Entries[e.Caught-1]
		}
		w.Settled(s.p, st, report)
	}
}

// okay tells an end that is no failure.
func (e *end) okay() bool { return e.State == contract.OK || e.State == contract.Skipped }

// RunLasting runs a flow that only orders call on its own, with input that is
// valid JSON, and gives its result (for tests of flows).
func RunLasting(p *mapping.Plan, input []byte, deadline time.Time, env *OrderEnv) (state contract.State, class, message string, result []byte, err error) {
	o := &order{env: env, state: OrderRunning, given: OrderGiven{ID: "flow", Deadline: deadline}}
	call := &mapping.Step{Name: "flow", Slot: -1, Meta: -1, Cases: []*mapping.Case{{Action: mapping.DoFlow, Call: &mapping.Call{Flow: p}}}}
	o.top = &scope{o: o, p: p, ends: make([]*end, len(p.Steps))}
	e, err := o.top.flow(call, call.Name, &end{Given: input})
	if err != nil {
		return 0, "", "", nil, err
	}
	if e.Cause != "" {
		err = errors.New(e.Cause)
	}
	return e.State, e.Class, e.Message, e.Body, err
}
