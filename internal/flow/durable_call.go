package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// How often a lost call is looked for while the look itself fails.
const (
	lookTimes = 40
	lookEvery = 15 * time.Second
)

// What is recorded of calls that may have been sent, and of those that were looked for.
const (
	mayBeSent = "it may have been sent, by a run that ended before it was answered"
	notFound  = "it was looked for, and not found"
)

// goOn goes on with what has begun, up to its end, not caught yet. fresh tells
// that this run of the order has begun it: nothing of it can have been sent before.
func (s *scope) goOn(st *mapping.Step, name string, elem []byte, e *end, fresh bool) (*end, error) {
	switch e.Begun {
	case beganWait:
		return s.wait(st, name, e)
	case beganSleep:
		s.o.progress(Progress{State: OrderWaiting, Step: s.path + name, Until: e.Until})
		if err := s.o.env.Record.Sleep(e.Until.Sub(e.At)); err != nil {
			return nil, err
		}
		s.o.progress(Progress{State: OrderRunning, Step: s.path + name})
		return &end{At: e.At}, nil
	case beganFlow:
		return s.flow(st, name, e)
	case beganPoll:
		return s.poll(st, name, elem, e)
	}
	c := call{s: s, step: st, name: name, elem: elem, taken: e.Case, retry: st.Retry, until: e.Until}
	if st.Durable != nil {
		c.lookup, c.again = st.Durable.Lookup, st.Durable.Key != nil
	}
	return c.make(fresh)
}

// wait waits for an event.
func (s *scope) wait(st *mapping.Step, name string, e *end) (*end, error) {
	o := s.o
	event := st.Cases[e.Case].Wait.Event
	o.progress(Progress{State: OrderWaiting, Step: s.path + name, Event: event, Until: e.Until})
	for {
		body, timedOut, err := o.env.Record.Wait(event, e.Given, e.Until)
		if err != nil {
			return nil, err
		}
		switch cancelled := body == nil && !timedOut; {
		case cancelled && !o.bound():
			o.env.Record.Cancelled() // heard, and too late
			continue
		case cancelled:
			if e := o.cancelled(); e != nil {
				return e, nil
			}
			continue
		}
		o.progress(Progress{State: OrderRunning, Step: s.path + name})
		if timedOut {
			return &end{State: contract.Failed, Class: contract.ClassTimeout, Why: "no event " + event + " came"}, nil
		}
		return &end{Body: body}, nil
	}
}

// flow runs a flow whose steps are recorded singly.
func (s *scope) flow(st *mapping.Step, name string, e *end) (*end, error) {
	p := st.Cases[e.Case].Call.Flow
	inner := &scope{o: s.o, p: p, path: s.path + name + "/", prefix: s.prefix, ends: make([]*end, len(p.Steps))}
	given, _, err := s.o.step(inner.record("(input)"), func(_ context.Context, now time.Time) *end {
		r := inner.open(now)
		defer r.close()
		if res, ok := r.takeInput(e.Given); !ok {
			return endOf(&res, -1, st)
		}
		if p.Slots.Input < 0 {
			return &end{Case: -1}
		}
		return &end{Body: jsonOf(r.f.Get(p.Slots.Input)), Case: -1}
	})
	if err != nil || !given.okay() {
		return given, err
	}
	inner.input = given.Body
	dead, err := inner.run(0, len(p.Steps))
	if err != nil {
		return nil, err
	}
	if dead != nil {
		for i, e := range inner.ends {
			if e != nil && e.Dead {
				inside := p.Steps[i].Name
				if e.Inner != "" {
					inside += "/" + e.Inner
				}
				return &end{State: e.State, Class: e.Class, Message: e.Message, Status: e.Status, Why: e.Why, Cause: e.Cause, Inner: inside}, nil
			}
		}
	}
	if p.Result == nil {
		return &end{}, nil
	}
	result, _, err := s.o.step(inner.record("(result)"), func(_ context.Context, now time.Time) *end {
		r := inner.open(now)
		defer r.close()
		out := p.Result.AppendJSON(nil, r.f)
		if r.f.Err() != nil {
			res := r.ours()
			return endOf(&res, -1, st)
		}
		return &end{Body: out, Case: -1}
	})
	return result, err
}

// poll repeats a reading call until something holds.
func (s *scope) poll(st *mapping.Step, name string, elem []byte, e *end) (*end, error) {
	o, p := s.o, st.Durable.Poll
	last := &end{State: contract.Failed, Class: contract.ClassTimeout}
	for n := 1; ; n++ {
		if e := o.cancelled(); e != nil {
			return e, nil
		}
		got, _, err := o.step(fmt.Sprintf("%s poll %d", s.record(name), n), func(ctx context.Context, now time.Time) *end {
			r := s.open(now)
			defer r.close()
			r.element(st, elem)
			res := r.call(ctx, st, st.Cases[e.Case])
			out := endOf(&res, e.Case, st)
			if res.state != contract.OK {
				return out
			}
			if slot := s.p.Slots.Answer; slot >= 0 {
				r.f.Set(slot, res.body)
			}
			out.Hit = p.Until.Holds(r.f)
			if r.f.Err() != nil {
				broken := r.ours()
				return endOf(&broken, e.Case, st)
			}
			return out
		})
		switch {
		case err != nil:
			return nil, err
		case got.Hit, got.State == contract.Refused, got.Class == contract.ClassTemplate:
			got.Hit = false
			return got, nil
		case got.State != contract.OK:
			last = got
		}
		if !got.At.Add(p.Every).Before(e.Until) {
			last.State, last.Class, last.Body = contract.Failed, contract.ClassTimeout, nil
			if last.Why == "" {
				last.Why = "until did not come to hold"
			}
			return last, nil
		}
		o.progress(Progress{State: OrderWaiting, Step: s.path + name, Until: got.At.Add(p.Every)})
		if err := o.env.Record.Sleep(p.Every); err != nil {
			return nil, err
		}
	}
}

// call renders the case's call and makes it.
func (r *opened) call(ctx context.Context, st *mapping.Step, c *mapping.Case) (res result) {
	t := r.prepareCase(ctx, st, &r.steps[st.Index], c, -1, &res)
	if t == nil {
		return res
	}
	t.do(ctx, ctx, r.env, nil)
	r.outcome(st, t, &res)
	r.idle = append(r.idle, t)
	return res
}

// call is a call that is recorded before and after it is made, with its attempts.
type call struct {
	s      *scope
	step   *mapping.Step // whose case it is
	name   string
	elem   []byte
	answer []byte // of an undo: the body of what is undone
	taken  int
	retry  *mapping.Retry
	until  time.Time // of retry.for
	lookup *mapping.Lookup
	again  bool // a call whose answer was lost may be made again: the backend knows it, or it takes back
	undoes bool // it takes something back: what is gone already has been
}

// make makes the attempts.
func (c *call) make(fresh bool) (*end, error) {
	o := c.s.o
	lost := false // the answer of an attempt
	made := 0     // attempts that count
	for n := 1; ; n++ {
		if n > 1 {
			_, first, err := o.step(c.attempt(n)+" begins", func(context.Context, time.Time) *end { return &end{Case: -1} })
			if err != nil {
				return nil, err
			}
			fresh = first
		}
		e, err := c.once(n, fresh)
		if err != nil {
			return nil, err
		}
		killed := e.Why == mayBeSent
		if e.State == contract.Unknown && c.lookup != nil {
			if e, err = c.look(n, e); err != nil {
				return nil, err
			}
			if killed && e.Why == notFound {
				continue // it never went out
			}
		}
		made++
		if lost = lost || !fresh; c.undoes && lost && e.Class == contract.ClassNotFound {
			return &end{At: e.At, Why: "gone, after an answer that was lost"}, nil
		}
		lost = lost || e.State == contract.Unknown
		if e.okay() || !c.tries(made, e) {
			return e, nil
		}
		every := c.retry.Every
		if every >= time.Second {
			o.progress(Progress{State: OrderWaiting, Step: c.s.path + c.name, Class: e.Class, Until: e.At.Add(every)})
		}
		if err := o.env.Record.Sleep(every); err != nil {
			return nil, err
		}
	}
}

func (c *call) attempt(n int) string { return fmt.Sprintf("%s call %d", c.s.record(c.name), n) }

// tries tells whether another attempt is made: of what surely was not done, or
// where the backend knows a repeated call.
func (c *call) tries(n int, e *end) bool {
	if c.retry == nil || e.Class == contract.ClassTemplate || e.State == contract.Refused {
		return false
	}
	if e.State == contract.Unknown && !c.again {
		return false
	}
	if c.until.IsZero() {
		return n <= c.retry.Times
	}
	return e.At.Add(c.retry.Every).Before(c.until)
}

// once makes one attempt. One that an earlier run has begun, and of which
// nothing is recorded, may have been sent: it is not sent again.
func (c *call) once(n int, fresh bool) (*end, error) {
	s := c.s
	cs := c.step.Cases[c.taken]
	e, _, err := s.o.step(c.attempt(n), func(ctx context.Context, now time.Time) *end {
		op := cs.Call.Operation
		if !fresh && op != nil && op.Changes && !c.again {
			return &end{State: contract.Unknown, Class: contract.ClassBroken, Why: mayBeSent}
		}
		r := s.open(now)
		defer r.close()
		r.element(s.p.Steps[c.step.Index], c.elem)
		r.answered(c.answer)
		res := r.call(ctx, c.step, cs)
		return endOf(&res, c.taken, c.step)
	})
	return e, err
}

// answered gives `answer` its value.
func (r *opened) answered(answer []byte) {
	if slot := r.p.Slots.Answer; slot >= 0 && len(answer) > 0 {
		r.f.Set(slot, r.own(answer))
	}
}

// look finds out whether a call whose answer was lost took effect: what it
// then gives is ok, or surely not done.
func (c *call) look(n int, lost *end) (*end, error) {
	s, o := c.s, c.s.o
	if err := o.env.Record.Sleep(c.lookup.After); err != nil {
		return nil, err
	}
	for k := 1; ; k++ {
		e, _, err := o.step(fmt.Sprintf("%s look %d", c.attempt(n), k), func(ctx context.Context, now time.Time) *end {
			r := s.open(now)
			defer r.close()
			r.element(s.p.Steps[c.step.Index], c.elem)
			side := c.lookup.Step
			res := r.call(ctx, side, side.Cases[0])
			if res.state != contract.OK {
				return endOf(&res, -1, side)
			}
			if slot := s.p.Slots.Answer; slot >= 0 {
				r.f.Set(slot, res.body)
			}
			found := c.lookup.Found.Value(r.f)
			if r.f.Err() == nil && found.None() {
				return &end{State: contract.Failed, Class: lost.Class, Why: notFound}
			}
			r.f.Set(c.lookup.Slot, found)
			body := found
			if r.f.Err() == nil && c.lookup.Use != nil {
				body = c.lookup.Use.Value(r.f)
			}
			if r.f.Err() != nil {
				broken := r.ours()
				return endOf(&broken, -1, side)
			}
			return &end{Hit: true, Body: jsonOf(body), Why: "found, after its answer was lost"}
		})
		switch {
		case err != nil:
			return nil, err
		case e.Hit:
			e.Hit = false
			return e, nil
		case e.Why == notFound:
			return e, nil
		case e.Class == contract.ClassTemplate, k == lookTimes:
			return &end{State: contract.Unknown, Class: lost.Class, Why: "it could not be looked for", Cause: e.Cause, At: e.At}, nil
		}
		o.progress(Progress{State: OrderWaiting, Step: s.path + c.name, Class: e.Class, Until: e.At.Add(lookEvery)})
		if err := o.env.Record.Sleep(lookEvery); err != nil {
			return nil, err
		}
	}
}
