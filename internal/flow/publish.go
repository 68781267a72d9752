package flow

import (
	"strconv"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// publish makes a settled step visible: its body, steps.NAME, and to the watcher.
func (r *run) publish(s *mapping.Step, st *stepRun) {
	if s.Slot >= 0 {
		r.f.Set(s.Slot, st.res.body)
	}
	if s.Meta >= 0 {
		r.f.Set(s.Meta, r.meta(s, st))
	}
	if r.watch != nil {
		r.report(s, st)
	}
}

// meta makes the value of steps.NAME.
func (r *run) meta(s *mapping.Step, st *stepRun) jsonx.Value {
	a := r.f.Arena
	m := a.Mark()
	b := append(a.Buf(), '{')
	b = appendEnd(b, &st.res)
	b = appendHeader(b, st.res.header)
	if s.Each != nil {
		b = appendItems(b, st.items)
	}
	a.SetBuf(append(b, '}'))
	return jsonx.RawValue(a.Text(m))
}

// appendEnd appends the members state, status and error.
func appendEnd(b []byte, res *result) []byte {
	b = append(b, `"state":"`...)
	b = append(b, res.state.String()...)
	b = append(b, '"')
	if res.status != 0 {
		b = append(b, `,"status":`...)
		b = strconv.AppendInt(b, int64(res.status), 10)
	}
	if res.state == contract.OK || res.state == contract.Skipped {
		return b
	}
	b = append(b, `,"error":`...)
	return appendError(b, res)
}

// appendError appends what `error` and steps.NAME.error are.
func appendError(b []byte, res *result) []byte {
	b = append(b, `{"class":`...)
	b = jsonx.AppendQuoted(b, res.class)
	if res.status != 0 {
		b = append(b, `,"status":`...)
		b = strconv.AppendInt(b, int64(res.status), 10)
	}
	if res.message != "" {
		b = append(b, `,"message":`...)
		b = jsonx.AppendQuoted(b, res.message)
	}
	return append(b, '}')
}

// appendHeader appends the member header: of several fields with one name, the first is found.
func appendHeader(b []byte, header []contract.Header) []byte {
	b = append(b, `,"header":{`...)
	for i, h := range header {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsonx.AppendQuoted(b, h.Name)
		b = append(b, ':')
		b = jsonx.AppendQuoted(b, h.Value)
	}
	return append(b, '}')
}

// appendItems appends what `each` adds: items and the counts by state.
func appendItems(b []byte, items []result) []byte {
	var counts [contract.Skipped + 1]int
	b = append(b, `,"items":[`...)
	for i := range items {
		counts[items[i].state]++
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		b = appendEnd(b, &items[i])
		b = append(b, '}')
	}
	b = append(b, ']')
	for state := contract.OK; state <= contract.Unknown; state++ {
		b = append(b, ',', '"')
		b = append(b, state.String()...)
		b = append(b, '"', ':')
		b = strconv.AppendInt(b, int64(counts[state]), 10)
	}
	return b
}

// failures makes the list of failures that were continued past, in the file's
// order. Only replies read it, so it is made once, when all steps have settled.
func (r *run) failures() {
	a := r.f.Arena
	m := a.Mark()
	b := append(a.Buf(), '[')
	for i := range r.steps {
		st := &r.steps[i]
		if !st.went {
			continue
		}
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = append(b, `{"step":`...)
		b = jsonx.AppendQuoted(b, r.p.Steps[i].Name)
		b = append(b, `,"class":`...)
		b = jsonx.AppendQuoted(b, st.res.class)
		b = append(b, '}')
	}
	a.SetBuf(append(b, ']'))
	r.f.Set(r.p.Slots.Failures, jsonx.RawValue(a.Text(m)))
}

// caughtError fills the slot that `error` stands for in a catch.
func (r *run) caughtError(res *result) {
	if r.p.Slots.Error < 0 {
		return
	}
	a := r.f.Arena
	m := a.Mark()
	b := appendError(a.Buf(), res)
	if res.answer != "" {
		b = append(append(append(b[:len(b)-1], `,"answer":`...), res.answer...), '}')
	}
	a.SetBuf(b)
	r.f.Set(r.p.Slots.Error, jsonx.RawValue(a.Text(m)))
}

// report tells the watcher.
func (r *run) report(s *mapping.Step, st *stepRun) {
	res := &st.res
	rep := StepReport{
		State: res.state, Class: res.class, Status: res.status, Message: res.message,
		Why: res.why, Case: st.taken, Caught: st.catch, Took: res.took, Body: res.body,
	}
	if !st.started.IsZero() {
		rep.Took = time.Since(st.started)
	}
	if res.cause != nil {
		rep.Why = res.cause.Error()
	}
	w := r.watch
	if w.many {
		w.mu.Lock()
		defer w.mu.Unlock()
	}
	w.told.Settled(r.p, s, rep)
}
