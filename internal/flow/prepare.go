package flow

import (
	"context"
	"strconv"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// prepare chooses the case of a step (or of one element) and renders its call.
// Without a task res is its result already: a value, a skip, a refusal, a
// cached answer, or a failure before anything was sent.
func (r *run) prepare(ctx context.Context, s *mapping.Step, st *stepRun, elem int, res *result) *task {
	c := r.choose(s, st, res)
	if c == nil {
		return nil
	}
	return r.prepareCase(ctx, s, st, c, elem, res)
}

// prepareCase is prepare, with the case chosen.
func (r *run) prepareCase(ctx context.Context, s *mapping.Step, st *stepRun, c *mapping.Case, elem int, res *result) *task {
	switch c.Action {
	case mapping.DoSkip:
		*res = result{state: contract.Skipped, why: "the case says skip"}
		return nil
	case mapping.DoFail:
		*res = r.refuse(c.Fail)
		return nil
	case mapping.DoUse:
		v := c.Use.Value(r.f)
		if r.f.Err() != nil {
			*res = r.ours()
			return nil
		}
		*res = result{body: v}
		return nil
	}
	key := ""
	if s.Cache != nil && r.env.Cache != nil {
		if key = r.cacheKey(s, st); key == "" {
			*res = r.ours()
			return nil
		}
		if r.cached(key, res) {
			return nil
		}
	}
	if c.Action == mapping.DoCall && ctx.Err() != nil { // no time is left: nothing more is sent
		*res = result{state: contract.Failed, class: contract.ClassTimeout, why: "no time left to begin"}
		return nil
	}
	t := r.newTask(s, c, elem)
	t.cacheKey = key
	err := r.render(t, s, c)
	if err == nil && c.Call != nil {
		err = r.guard(t, s, c.Call)
	}
	if err != nil {
		r.idle = append(r.idle, t)
		*res = r.broken(err)
		return nil
	}
	if c.Action == mapping.DoCall && r.env.Unavailable != nil {
		if words, out := r.env.Unavailable(c.Call.Operation.Backend); out {
			r.idle = append(r.idle, t)
			*res = result{state: contract.Failed, class: contract.ClassUnavailable, message: words}
			return nil
		}
	}
	if c.Memory != nil && (r.instant || r.env.Memory == nil) {
		t.do(ctx, ctx, r.env, r.watch)
		r.outcome(s, t, res)
		r.idle = append(r.idle, t)
		return nil
	}
	return t
}

// choose takes the first case whose condition holds. Without one res says why.
func (r *run) choose(s *mapping.Step, st *stepRun, res *result) *mapping.Case {
	for i, c := range s.Cases {
		if c.When != nil {
			holds := c.When.Holds(r.f)
			if r.f.Err() != nil {
				*res = r.ours()
				return nil
			}
			if !holds {
				continue
			}
		}
		st.taken = i
		if name, is := r.missing(c.Needs); is {
			*res = result{state: contract.Skipped, why: "needs " + name}
			return nil
		}
		return c
	}
	*res = result{state: contract.Skipped, why: "no case holds"}
	return nil
}

func (r *run) newTask(s *mapping.Step, c *mapping.Case, elem int) *task {
	var t *task
	if n := len(r.idle); n > 0 {
		t = r.idle[n-1]
		r.idle[n-1] = nil
		r.idle = r.idle[:n-1]
		t.reset()
	} else {
		t = new(task)
	}
	t.used, t.step, t.elem, t.action, t.memory = true, s.Index, elem, c.Action, c.Memory
	return t
}

// guard says whether a call is admitted by somebody before it goes out: one
// that changes something, or that claims. The calls of a flow are asked for one by one.
func (r *run) guard(t *task, s *mapping.Step, c *mapping.Call) *expr.RuntimeError {
	target := ""
	switch {
	case c.Operation != nil:
		target = c.Operation.Name()
		t.guarded = c.Operation.Changes
	case c.Flow != nil:
		target = c.Flow.Name
	}
	t.guarded = t.guarded || s.Claim != nil
	if !t.guarded {
		return nil
	}
	t.admission = Admission{Step: s.Name, Target: target, Now: r.env.now()}
	if s.Claim == nil {
		return nil
	}
	return r.claim(t, s.Claim)
}

// render makes the request, the flow's input, or the memory's key and value.
func (r *run) render(t *task, s *mapping.Step, c *mapping.Case) *expr.RuntimeError {
	switch c.Action {
	case mapping.DoCall:
		return r.renderCall(t, s, c.Call)
	case mapping.DoFlow:
		t.flow, t.whole = c.Call.Flow, c.Call
		t.body = append(t.body[:0], '{', '}')
		if c.Call.With != nil {
			t.body = c.Call.With.AppendJSON(t.body[:0], r.f)
		}
		return r.failure()
	}
	t.body = c.Memory.Key.AppendJSON(t.body[:0], r.f)
	if err := r.failure(); err != nil {
		return err
	}
	if len(t.body) == 0 || string(t.body) == "null" {
		return &expr.RuntimeError{At: c.At, Message: "the key of memory " + c.Memory.Name + " has no value"}
	}
	if c.Memory.Value != nil {
		t.value = c.Memory.Value.AppendJSON(t.value[:0], r.f)
	}
	return r.failure()
}

// failure gives the frame's failure, and clears it.
func (r *run) failure() *expr.RuntimeError {
	err := r.f.Err()
	if err != nil {
		r.f.Clear()
	}
	return err
}

// placed gives err a place when it has none of its own.
func placed(err *expr.RuntimeError, at diag.Span) *expr.RuntimeError {
	if err.At.File != nil {
		return err
	}
	return &expr.RuntimeError{At: at, Message: err.Message}
}

func (r *run) renderCall(t *task, s *mapping.Step, c *mapping.Call) *expr.RuntimeError {
	r.params = r.params[:0]
	for _, p := range c.Params {
		var v jsonx.Value
		if p != nil {
			v = p.Value(r.f)
		}
		r.params = append(r.params, v)
	}
	if d := s.Durable; d != nil && d.Key != nil && d.Param >= 0 {
		r.params[d.Param] = d.Key.Value(r.f)
	}
	switch {
	case c.Body != nil:
		t.body = c.Body.AppendJSON(t.body[:0], r.f)
	case c.Text != nil:
		r.vars = c.Text.Vars
		t.body = c.Text.Text.Append(t.body[:0], r.f, r.varAt)
	case c.Patch != nil:
		t.body = r.patch(c.Patch, t.body[:0])
	}
	if err := r.failure(); err != nil {
		return placed(err, c.At)
	}
	var body []byte
	if len(t.body) > 0 {
		body = t.body
	}
	t.call.Operation = c.Operation
	t.call.Params = append(t.call.Params[:0], r.params...)
	t.call.Timeout = s.Timeout
	t.call.RequestID, t.call.Plan, t.call.Step = r.env.RequestID, r.p.Name, s.Name
	if s.Retry != nil && !(r.p.Lasts() && long(s.Retry)) { // an order pauses between attempts itself
		t.call.Retries, t.call.Pause = s.Retry.Times, s.Retry.Every
	}
	if err := c.Operation.Build(&t.call.Request, r.params, body); err != nil {
		return &expr.RuntimeError{At: c.At, Message: err.Error()}
	}
	return nil
}

// patch appends a document with its changes. A value that is not there sets nothing.
func (r *run) patch(p *mapping.Patch, dst []byte) []byte {
	from := len(dst)
	dst = p.Base.AppendJSON(dst, r.f)
	if r.f.Err() != nil {
		return dst
	}
	doc := dst[from:]
	for _, s := range p.Set {
		raw := s.Value.AppendJSON(nil, r.f)
		if r.f.Err() != nil {
			return dst[:from]
		}
		if len(raw) == 0 {
			continue
		}
		changed, err := jsonx.Set(doc, s.Path, raw)
		if err != nil {
			r.f.Fail("set of %q cannot be done: the document has another shape", s.Path)
			return dst[:from]
		}
		doc = changed
	}
	for _, path := range p.Delete {
		changed, err := jsonx.Delete(doc, path)
		if err != nil {
			r.f.Fail("delete of %q cannot be done: the document has another shape", path)
			return dst[:from]
		}
		doc = changed
	}
	return append(dst[:from], doc...)
}

// cacheKey gives where the step's answer is kept; "" when the key's template failed.
func (r *run) cacheKey(s *mapping.Step, st *stepRun) string {
	a := r.f.Arena
	m := a.Mark()
	key := s.Cache.Key.Value(r.f)
	if r.f.Err() != nil {
		a.Drop(m)
		return ""
	}
	b := append(a.Buf(), r.p.Name...)
	b = append(b, 0)
	b = append(b, s.Name...)
	b = append(b, 0)
	b = strconv.AppendInt(b, int64(st.taken), 10)
	b = append(b, 0)
	b = key.AppendJSON(b)
	text := string(b[len(a.Buf()):]) // the cache keeps it
	a.Drop(m)
	return text
}

// cached looks for a kept answer: its status, a blank, its body.
func (r *run) cached(key string, res *result) bool {
	kept, ok := r.env.Cache.Load(key, r.env.Now)
	if !ok || len(kept) < 4 {
		return false
	}
	status, err := strconv.Atoi(string(kept[:3]))
	if err != nil {
		return false
	}
	*res = result{status: status, body: r.own(kept[4:]), why: "from the cache"}
	return true
}

// keep stores an ok answer.
func (r *run) keep(s *mapping.Step, key string, res *result) {
	b := make([]byte, 0, 128)
	b = append(b, byte('0'+res.status/100%10), byte('0'+res.status/10%10), byte('0'+res.status%10), ' ')
	b = res.body.AppendJSON(b)
	r.env.Cache.Store(key, b, r.env.Now.Add(s.Cache.For))
}
