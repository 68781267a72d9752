package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// begin starts a step whose order has come: it settles at once (skipped, a
// value, a failure of ours), is prepared to be called, or begins its loop.
func (r *run) begin(ctx context.Context, s *mapping.Step, st *stepRun) {
	st.taken = -1
	if r.watch != nil && (s.Waits || !r.instant) {
		st.started = time.Now()
	}
	if name, is := r.missing(s.Needs); is {
		st.res = result{state: contract.Skipped, why: "needs " + name}
		r.settle(s, st)
		return
	}
	if s.When != nil {
		holds := s.When.Holds(r.f)
		if r.f.Err() != nil {
			st.res = r.ours()
			r.settle(s, st)
			return
		}
		if !holds {
			st.res = result{state: contract.Skipped, why: "when is false"}
			r.settle(s, st)
			return
		}
	}
	if s.Each == nil {
		st.phase = flying
		if t := r.prepare(ctx, s, st, -1, &st.res); t == nil {
			r.settle(s, st)
		} else {
			r.ready = append(r.ready, t)
		}
		return
	}
	list := s.Each.List.Value(r.f)
	switch {
	case r.f.Err() != nil:
		st.res = r.ours()
		r.settle(s, st)
		return
	case !list.None() && list.Kind() != jsonx.Array:
		st.res = r.broken(&expr.RuntimeError{At: s.At, Message: "each of " + s.Name + " is no list"})
		r.settle(s, st)
		return
	case list.Len() > r.maxEach():
		st.res = r.broken(&expr.RuntimeError{At: s.At, Message: fmt.Sprintf("each of %s has more than %d elements", s.Name, r.maxEach())})
		r.settle(s, st)
		return
	}
	st.phase = looping
	st.list, st.total, st.next, st.flying = list.Iter(), list.Len(), 0, 0
	st.items = append(st.items[:0], make([]result, st.total)...)
	st.elems = append(st.elems[:0], make([]jsonx.Value, st.total)...)
	r.feed(ctx, s, st)
}

func (r *run) maxEach() int {
	if r.env.MaxEach > 0 {
		return r.env.MaxEach
	}
	return DefaultMaxEach
}

// feed starts as many elements of an `each` as may be under way at once.
func (r *run) feed(ctx context.Context, s *mapping.Step, st *stepRun) {
	for st.next < st.total && st.flying < max(s.Each.AtMost, 1) {
		st.list.Next()
		elem := st.next
		st.next++
		st.elems[elem] = st.list.Value()
		r.f.Set(s.Each.Slot, st.elems[elem])
		t := r.prepare(ctx, s, st, elem, &st.items[elem])
		if t != nil {
			st.flying++
			r.ready = append(r.ready, t)
			continue
		}
		if r.settleItem(s, st, elem); r.dead >= 0 {
			return
		}
	}
	if st.flying == 0 && st.next == st.total {
		r.settleEach(s, st)
	}
}

// finish takes in what a task came to.
func (r *run) finish(t *task) {
	s, st := r.p.Steps[t.step], &r.steps[t.step]
	elem, res := t.elem, &st.res
	if elem >= 0 {
		res = &st.items[elem]
	}
	r.outcome(s, t, res)
	r.idle = append(r.idle, t)
	if elem < 0 {
		r.settle(s, st)
		return
	}
	st.flying--
	r.settleItem(s, st, elem)
	if r.dead < 0 && st.flying == 0 && st.next == st.total {
		r.settleEach(s, st)
	}
}

// outcome makes a finished task's result.
func (r *run) outcome(s *mapping.Step, t *task, res *result) {
	if t.stopped {
		*res = t.res
		return
	}
	*res = result{}
	switch t.action {
	case mapping.DoCall:
		a := t.answer
		t.answer = nil
		r.answers = append(r.answers, a)
		*res = result{state: a.State, class: a.Class, message: a.Message, status: a.Status, header: a.Header, took: a.Took}
		if res.state == contract.OK {
			res.body = a.Body
		}
		if res.state == contract.Refused && r.p.Slots.Error >= 0 {
			res.answer = t.call.Operation.Shown(a.Body)
		}
		if res.state == contract.Unknown && !t.call.Operation.Changes {
			res.state = contract.Failed // what changes nothing surely has not been done
		}
	case mapping.DoFlow:
		*res = t.res
		if res.cause != nil {
			res.cause = placed(res.cause, t.whole.At)
		}
		if res.state == contract.OK {
			res.body = r.made(t.out)
		}
	case mapping.DoRecall, mapping.DoRemember:
		switch recall := t.action == mapping.DoRecall; {
		case t.failed && t.memory.Memory.Refuse:
			*res = result{state: contract.Failed, class: contract.ClassStore, why: "the store cannot be reached"}
		case recall && t.found:
			res.body = r.own(t.out)
		case recall && t.memory.Memory.Count: // nothing counted, or, where that is allowed, nothing known
			res.body = jsonx.NumberValue("0")
		}
	}
	if t.cacheKey != "" && res.state == contract.OK {
		r.keep(s, t.cacheKey, res)
	}
}

// made takes over JSON that was rendered here.
func (r *run) made(raw []byte) jsonx.Value {
	m := r.f.Arena.Mark()
	r.f.Arena.SetBuf(append(r.f.Arena.Buf(), raw...))
	return r.f.Arena.Index(r.f.Arena.Text(m))
}

// own parses JSON into the frame's arena, on memory that lives as long.
func (r *run) own(raw []byte) jsonx.Value {
	if len(raw) == 0 {
		return jsonx.Value{}
	}
	m := r.f.Arena.Mark()
	r.f.Arena.SetBuf(append(r.f.Arena.Buf(), raw...))
	v, err := r.f.Arena.Parse(r.f.Arena.Text(m), false)
	if err != nil {
		return jsonx.Value{}
	}
	return v
}

// ours takes the frame's failure as a step's result, and clears it.
func (r *run) ours() result {
	err := r.f.Err()
	r.f.Clear()
	return r.broken(err)
}

// broken is a step that failed by the mapping's own fault: nothing was sent.
func (r *run) broken(err *expr.RuntimeError) result {
	return result{state: contract.Failed, class: contract.ClassTemplate, cause: err}
}

// settle ends a step whose result is there: its catch decides what becomes of a failure.
func (r *run) settle(s *mapping.Step, st *stepRun) {
	caught := r.caught(s, st, &st.res)
	st.phase = settled
	r.publish(s, st)
	if !caught && r.dead < 0 {
		r.dead = s.Index
	}
}

// settleItem ends one element of an `each`, whose result is there.
func (r *run) settleItem(s *mapping.Step, st *stepRun, elem int) {
	r.f.Set(s.Each.Slot, st.elems[elem]) // others may have been started since
	if r.caught(s, st, &st.items[elem]) {
		return
	}
	if r.dead >= 0 { // the run has ended already
		return
	}
	st.res, st.phase = st.items[elem], settled
	r.publish(s, st)
	r.dead = s.Index
}

// settleEach ends an `each` whose elements have all settled. Its state is the
// worst of theirs, so that `ok` means that every one was.
func (r *run) settleEach(s *mapping.Step, st *stepRun) {
	var res result
	a := r.f.Arena
	m := a.Mark()
	for i := range st.items {
		it := &st.items[i]
		a.Push(it.body)
		if it.state != contract.Skipped && it.state > res.state {
			res.state, res.class, res.message, res.status, res.why, res.cause = it.state, it.class, it.message, it.status, it.why, it.cause
		}
	}
	res.body = a.List(m)
	st.res, st.phase = res, settled
	r.publish(s, st)
}

// caught applies the step's catch to a result that is not ok. It gives false
// when the failure ends the run.
func (r *run) caught(s *mapping.Step, st *stepRun, res *result) bool {
	if res.state == contract.OK || res.state == contract.Skipped {
		return true
	}
	if s.Catch == nil || r.dead >= 0 {
		return false
	}
	for _, e := range s.Catch.Entries {
		if !matches(e, res) {
			continue
		}
		st.catch = e
		switch {
		case e.Continue:
			st.went = true
			return true
		case e.Use != nil:
			r.caughtError(res)
			v := e.Use.Value(r.f)
			if r.f.Err() != nil {
				*res = r.ours()
				return false
			}
			res.body = v
			return true
		case e.Fail != nil:
			r.caughtError(res)
			*res = r.refuse(e.Fail)
			return false
		}
	}
	return false
}

// matches tells whether a catch entry is about this result. The entries stand
// most exact first, so the first that matches holds.
func matches(e *mapping.CatchEntry, res *result) bool {
	switch e.Kind {
	case mapping.CatchClass:
		return e.Class == res.class
	case mapping.CatchStatus:
		return res.status != 0 && e.Status == res.status
	case mapping.CatchState:
		return e.State == res.state
	default:
		return true
	}
}

// refuse is what `fail: TEXT` comes to.
func (r *run) refuse(text *expr.Template) result {
	v := text.Value(r.f)
	if r.f.Err() != nil {
		return r.ours()
	}
	return result{state: contract.Refused, class: contract.ClassBusiness, message: v.Text()}
}
