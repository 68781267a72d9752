package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// scope is one plan that an order runs: its own, or a flow's.
type scope struct {
	o      *order
	p      *mapping.Plan
	path   string // before the names of its steps: "" or "lines[0]/"
	prefix string // before the names of its records, besides
	input  []byte
	ends   []*end // by step; nil: not settled
}

// run runs the steps from and up to to, one by one, each when those it waits
// for have settled, and gives what ended the order.
func (s *scope) run(from, to int) (*failure, error) {
	for {
		next := -1
		for i := from; i < to && next < 0; i++ {
			if s.ends[i] == nil && s.may(s.p.Steps[i], from, to) {
				next = i
			}
		}
		if next < 0 {
			return nil, nil
		}
		st := s.p.Steps[next]
		e, err := s.step(st)
		if err != nil {
			return nil, err
		}
		s.ends[next] = e
		s.told(st, e)
		if d := st.Durable; d != nil && d.Commit && e.State == contract.OK {
			s.o.committed, s.o.done = true, nil
		}
		if e.Dead {
			name := st.Name
			if e.label != "" {
				name = e.label
			}
			if e.Inner != "" {
				name += "/" + e.Inner
			}
			return &failure{step: s.path + name, class: e.Class, message: e.Message}, nil
		}
	}
}

// may tells whether what a step waits for has settled, among the steps that are run.
func (s *scope) may(st *mapping.Step, from, to int) bool {
	for _, i := range st.Deps {
		if i >= from && i < to && s.ends[i] == nil {
			return false
		}
	}
	return true
}

// record gives the name under which something of a step is recorded.
func (s *scope) record(name string) string { return s.prefix + s.path + name }

// step runs one step, with all elements of an each.
func (s *scope) step(st *mapping.Step) (*end, error) {
	e, err := s.begin(st, st.Name, -1, nil)
	if err != nil || e.Begun != beganEach {
		return e, err
	}
	list := jsonx.RawValue(string(e.Given))
	items := make([]*end, 0, list.Len())
	for i := range list.Len() {
		elem := list.At(i).AppendJSON(nil)
		label := fmt.Sprintf("%s[%d]", st.Name, i)
		it, err := s.begin(st, label, i, elem)
		if err != nil {
			return nil, err
		}
		items = append(items, it)
		if it.Dead {
			it.label = label
			s.o.ends(s.path+st.Name, false, it)
			return it, nil
		}
	}
	e = gather(items, e.At)
	s.o.ends(s.path+st.Name, false, e)
	return e, nil
}

// begin runs a step, or an element of its each. What is to be held for people
// is: what a catch says, and every failure once the order has committed.
func (s *scope) begin(st *mapping.Step, name string, at int, elem []byte) (*end, error) {
	s.o.begins(s.path+name, false)
	e, err := s.settle(st, name, at, elem)
	if err == nil && e.Begun != beganEach {
		s.o.ends(s.path+name, false, e)
	}
	return e, err
}

func (s *scope) settle(st *mapping.Step, name string, at int, elem []byte) (*end, error) {
	o := s.o
	for again := 0; ; again++ {
		label := name
		if again > 0 {
			label = fmt.Sprintf("%s!%d", name, again)
		}
		e, err := s.once(st, label, at, elem)
		if err != nil {
			return nil, err
		}
		held := !o.ending && (e.Hold || e.Dead && o.committed)
		if held {
			d, is, err := s.hold(name, e)
			switch {
			case err != nil:
				return nil, err
			case is && d == DecideRetry:
				continue
			case is && d == DecideContinue:
				e.Hold, e.Dead, e.Went = false, false, true
				return e, nil
			}
		}
		if e.Hold {
			e.Hold, e.Dead = false, true
		}
		if e.Dead && !o.ending && (e.State == contract.Unknown || held && o.committed) {
			o.left = append(o.left, s.path+name)
		}
		return e, nil
	}
}

// hold waits for people.
func (s *scope) hold(name string, e *end) (Decision, bool, error) {
	o := s.o
	o.progress(Progress{State: OrderHeld, Step: s.path + name, Class: e.Class, Until: o.given.Deadline})
	until := o.given.Deadline
	if o.committed { // nothing can be undone: people must see to it, however late
		until = e.At.Add(patience)
	}
	for {
		d, is, err := o.env.Record.Decide(until)
		if err == nil && is && d == DecideUndo && o.committed {
			o.env.Record.Cancelled() // heard, and too late
			continue
		}
		if err == nil {
			o.progress(Progress{State: OrderRunning, Step: s.path + name})
		}
		return d, is, err
	}
}

// once runs a step, or an element of its each, up to its end, caught or not.
func (s *scope) once(st *mapping.Step, name string, at int, elem []byte) (*end, error) {
	o := s.o
	if e := o.cancelled(); e != nil {
		return e, nil
	}
	e, fresh, err := o.step(s.record(name), func(ctx context.Context, now time.Time) *end {
		r := s.open(now)
		defer r.close()
		if o.bound() && now.After(o.given.Deadline) {
			return r.settledEnd(st, &result{state: contract.Failed, class: contract.ClassTimeout, why: "the order's deadline has passed"})
		}
		return s.start(ctx, r, st, at, elem)
	})
	if err != nil || e.Begun == settledNow || e.Begun == beganEach {
		return e, err
	}
	before := len(o.done)
	raw, err := s.goOn(st, name, elem, e, fresh)
	if err != nil {
		return nil, err
	}
	raw.Case = e.Case
	if raw.okay() {
		s.taken(st, name, elem, raw, before)
		return raw, nil
	}
	if st.Catch == nil || raw.Class == classCancelled {
		raw.Dead = true
		return raw, nil
	}
	caught, _, err := o.step(s.record(name)+" caught", func(_ context.Context, now time.Time) *end {
		r := s.open(now)
		defer r.close()
		r.element(st, elem)
		res := raw.result(r.run)
		return r.settledCase(st, &res, raw.Case)
	})
	return caught, err
}

// classCancelled is the class of a step that did not begin because somebody cancelled the order.
const classCancelled = "cancelled"

func words(by, reason string) string {
	return strings.TrimSuffix(strings.TrimSpace(by+": "+reason), ":")
}

// start settles a step, or tells how it goes on.
func (s *scope) start(ctx context.Context, r *opened, st *mapping.Step, at int, elem []byte) *end {
	srun := &r.steps[st.Index]
	srun.taken = -1
	if at < 0 {
		if name, is := r.missing(st.Needs); is {
			return r.settledEnd(st, &result{state: contract.Skipped, why: "needs " + name})
		}
		if st.When != nil {
			holds := st.When.Holds(r.f)
			if r.f.Err() != nil {
				res := r.ours()
				return r.settledEnd(st, &res)
			}
			if !holds {
				return r.settledEnd(st, &result{state: contract.Skipped, why: "when is false"})
			}
		}
		if st.Each != nil {
			return r.list(st)
		}
	}
	r.element(st, elem)
	var res result
	c := r.choose(st, srun, &res)
	if c == nil {
		return r.settledEnd(st, &res)
	}
	if e := r.lasting(st, c, s.o); e != nil {
		e.Case = srun.taken
		return e
	}
	if t := r.prepareCase(ctx, st, srun, c, -1, &res); t != nil {
		t.do(ctx, ctx, r.env, nil)
		r.outcome(st, t, &res)
		r.idle = append(r.idle, t)
	}
	return r.settledEnd(st, &res)
}

// element gives the element of an each its name.
func (r *opened) element(st *mapping.Step, elem []byte) {
	if st.Each != nil && len(elem) > 0 {
		r.f.Set(st.Each.Slot, r.own(elem))
	}
}

// list is the begin of an each.
func (r *opened) list(st *mapping.Step) *end {
	list := st.Each.List.Value(r.f)
	var res result
	switch {
	case r.f.Err() != nil:
		res = r.ours()
	case !list.None() && list.Kind() != jsonx.Array:
		res = r.broken(&expr.RuntimeError{At: st.At, Message: "each of " + st.Name + " is no list"})
	case list.Len() > r.maxEach():
		res = r.broken(&expr.RuntimeError{At: st.At, Message: fmt.Sprintf("each of %s has more than %d elements", st.Name, r.maxEach())})
	default:
		raw := json.RawMessage("[]")
		if !list.None() {
			raw = list.AppendJSON(nil)
		}
		return &end{Begun: beganEach, Given: raw, Case: -1}
	}
	return r.settledEnd(st, &res)
}

// settledEnd is the end of a step with its catch applied.
func (r *opened) settledEnd(st *mapping.Step, res *result) *end {
	return r.settledCase(st, res, r.steps[st.Index].taken)
}

func (r *opened) settledCase(st *mapping.Step, res *result, taken int) *end {
	if res.state == contract.OK || res.state == contract.Skipped {
		return endOf(res, taken, st)
	}
	if st.Catch != nil {
		for i, c := range st.Catch.Entries {
			if !matches(c, res) {
				continue
			}
			e := endOf(res, taken, st)
			e.Caught = i + 1
			switch {
			case c.Hold:
				e.Hold = true
			case c.Continue:
				e.Went = true
			case c.Use != nil:
				r.caughtError(res)
				v := c.Use.Value(r.f)
				if r.f.Err() != nil {
					broken := r.ours()
					e = endOf(&broken, taken, st)
					e.Dead = true
					return e
				}
				e.Body = jsonOf(v)
			case c.Fail != nil:
				r.caughtError(res)
				refused := r.refuse(c.Fail)
				e = endOf(&refused, taken, st)
				e.Caught, e.Dead = i+1, true
			}
			return e
		}
	}
	e := endOf(res, taken, st)
	e.Dead = true
	return e
}

// lasting tells what of a case goes on after it was recorded to have begun; nil
// for what ends within its record.
func (r *opened) lasting(st *mapping.Step, c *mapping.Case, o *order) *end {
	within := func(d time.Duration) time.Time { return o.within(r.f.Now, d) }
	if name, is := r.missing(c.Needs); is {
		return endOf(&result{state: contract.Skipped, why: "needs " + name}, -1, st)
	}
	switch c.Action {
	case mapping.DoWait:
		key := c.Wait.Key.AppendJSON(nil, r.f)
		if r.f.Err() != nil {
			res := r.ours()
			return r.settledEnd(st, &res)
		}
		return &end{Begun: beganWait, Given: key, Until: within(c.Wait.For)}
	case mapping.DoSleep:
		return &end{Begun: beganSleep, Until: within(c.Sleep)}
	case mapping.DoFlow:
		if !c.Call.Flow.Lasts() && !c.Call.Flow.Changes() {
			return nil
		}
		input := []byte("{}")
		if c.Call.With != nil {
			input = c.Call.With.AppendJSON(nil, r.f)
		}
		if r.f.Err() != nil {
			res := r.ours()
			return r.settledEnd(st, &res)
		}
		return &end{Begun: beganFlow, Given: input}
	case mapping.DoCall:
		d := st.Durable
		switch {
		case d != nil && d.Poll != nil:
			return &end{Begun: beganPoll, Until: within(d.Poll.For)}
		case c.Call.Operation.Changes, long(st.Retry):
			e := &end{Begun: beganCall}
			if st.Retry != nil && st.Retry.For > 0 {
				e.Until = within(st.Retry.For)
			}
			return e
		}
	}
	return nil
}

// long tells whether a retry outlasts a request: its pauses are recorded.
func long(r *mapping.Retry) bool { return r != nil && (r.For > 0 || r.Every >= time.Second) }
