package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// taken notes what has been done and can be undone. before is how much was
// noted before the step began: its own undo stands in the place of those of
// the steps inside it.
func (s *scope) taken(st *mapping.Step, name string, elem []byte, e *end, before int) {
	if e.State != contract.OK || st.Durable == nil || st.Durable.Undo == nil || s.o.committed {
		return
	}
	s.o.done = append(s.o.done[:before], taken{s: s, step: st, label: s.path + name, elem: elem, answer: e.Body})
}

// undo takes back what was done, the last first. What cannot be undone is left
// for people, and the rest is undone all the same.
func (o *order) undo() error {
	o.rounds++
	o.state = OrderUndoing
	o.progress(Progress{State: OrderUndoing})
	var unknown []string // of steps nobody knows the end of: no undo mends that
	for _, l := range o.left {
		if !slices.ContainsFunc(o.done, func(t taken) bool { return t.label == l }) {
			unknown = append(unknown, l)
		}
	}
	o.left = unknown
	var still []taken
	for i := len(o.done) - 1; i >= 0; i-- {
		t := o.done[i]
		o.begins(t.label, true)
		e, err := o.undoOne(&t)
		if err != nil {
			return err
		}
		o.ends(t.label, true, e)
		switch {
		case e.okay() && e.State == contract.OK:
			o.undone = append(o.undone, t.label)
		case !e.okay():
			o.left, still = append(o.left, t.label), append(still, t)
		}
	}
	slices.Reverse(still)
	o.done = still
	o.state = OrderUndone
	if len(o.left) > 0 {
		o.state = OrderStuck
	}
	return nil
}

// undoOne takes one step back.
func (o *order) undoOne(t *taken) (*end, error) {
	s, u := t.s, t.step.Durable.Undo
	name := fmt.Sprintf("undo %s", t.label)
	if o.rounds > 1 {
		name = fmt.Sprintf("undo %d %s", o.rounds, t.label)
	}
	inside := &scope{o: o, p: s.p, path: s.path, prefix: name + ": ", input: s.input, ends: s.ends}
	own := strings.TrimPrefix(t.label, s.path) // with the number of its element
	var given []byte
	e, fresh, err := o.step(name, func(_ context.Context, now time.Time) *end {
		r := s.open(now)
		defer r.close()
		r.element(t.step, t.elem)
		r.answered(t.answer)
		if u.When != nil {
			holds := u.When.Holds(r.f)
			if r.f.Err() != nil {
				res := r.ours()
				return endOf(&res, -1, u.Step)
			}
			if !holds {
				return &end{State: contract.Skipped, Why: "when is false", Case: -1}
			}
		}
		if missing, is := r.missing(u.Step.Cases[0].Needs); is {
			return &end{State: contract.Skipped, Why: "needs " + missing, Case: -1}
		}
		begun := &end{Begun: beganCall}
		if u.Step.Cases[0].Action == mapping.DoFlow {
			begun.Begun, begun.Given = beganFlow, []byte("{}")
			if with := u.Step.Cases[0].Call.With; with != nil {
				begun.Given = with.AppendJSON(nil, r.f)
			}
		}
		if r.f.Err() != nil {
			res := r.ours()
			return endOf(&res, -1, u.Step)
		}
		if u.Retry.For > 0 {
			begun.Until = now.Add(u.Retry.For)
		}
		return begun
	})
	if err != nil || e.Begun == settledNow {
		return e, err
	}
	if e.Begun == beganFlow {
		given = e.Given
		return inside.undoFlow(u, own, given, e)
	}
	c := call{s: inside, step: u.Step, name: own, elem: t.elem, answer: t.answer, retry: &u.Retry, until: e.Until, again: true, undoes: true}
	return c.make(fresh)
}

// undoFlow takes a step back with a flow, which is tried as often as its retry says.
func (s *scope) undoFlow(u *mapping.Undo, own string, given []byte, began *end) (*end, error) {
	for n := 1; ; n++ {
		before := len(s.o.done)
		name := fmt.Sprintf("%s try %d", own, n)
		out, err := s.flow(u.Step, name, &end{Given: given, At: began.At})
		if err != nil {
			return nil, err
		}
		s.o.done = s.o.done[:min(before, len(s.o.done))] // what takes back is not taken back
		c := call{s: s, retry: &u.Retry, until: began.Until, again: true}
		if out.At.IsZero() {
			out.At = began.At
		}
		if out.okay() || !c.tries(n, out) {
			return out, nil
		}
		if err := s.o.env.Record.Sleep(u.Retry.Every); err != nil {
			return nil, err
		}
	}
}

// finally runs the steps of finally, each whatever became of the others.
func (o *order) finally(prefix string) error {
	p := o.top.p
	if p.Finally == 0 {
		return nil
	}
	o.problems = nil
	first := len(p.Steps) - p.Finally
	last := &scope{o: o, p: p, prefix: prefix, input: o.top.input, ends: slices.Clone(o.top.ends)}
	clear(last.ends[first:])
	was := o.top
	o.top = last
	defer func() { o.top = was }()
	for {
		dead, err := last.run(first, len(p.Steps))
		if err != nil {
			return err
		}
		if dead == nil {
			return nil
		}
		o.problems = append(o.problems, dead.step)
	}
}
