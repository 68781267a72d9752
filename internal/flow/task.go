package flow

import (
	"context"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// task is one call with all that it needs, so that it can be made on any
// goroutine: nothing in it points into the frame but what stays as it is
// while the run lasts.
type task struct {
	step, elem int // elem is -1 outside an `each`
	used       bool
	action     mapping.Action
	call       backend.Call
	body       []byte // of the request; a flow's input; a memory's key
	value      []byte // to remember
	flow       *mapping.Plan
	whole      *mapping.Call // DoFlow: the call, for its position
	memory     *mapping.MemoryStep
	cacheKey   string // where the answer is kept; "": nowhere
	guarded    bool   // it changes something, or has a claim
	admission  Admission
	claimKey   []byte

	answer *backend.Answer // DoCall
	out    []byte          // a flow's result; a recalled value, not ours to write on
	owned  []byte          // the buffer behind a flow's result, to be used again
	found  bool
	failed bool // the memory could not be reached
	// stopped tells that the guard kept the call from going out; res says why.
	stopped bool
	res     result
	crash   any
}

// reset lets go of what a used task points to, so that it can be used again.
func (t *task) reset() {
	if !t.used {
		return
	}
	t.used = false
	if t.action == mapping.DoCall {
		clear(t.call.Request.Headers)
		clear(t.call.Params)
		req := contract.Request{Target: t.call.Request.Target[:0], Headers: t.call.Request.Headers[:0], Body: t.call.Request.Body[:0]}
		t.call = backend.Call{Request: req, Params: t.call.Params[:0]}
	}
	t.body, t.value, t.owned, t.claimKey = t.body[:0], t.value[:0], t.owned[:0], t.claimKey[:0]
	if req := &t.call.Request; cap(t.body)+cap(t.value)+cap(t.owned)+cap(t.claimKey)+cap(req.Target)+cap(req.Body) > keptBytes {
		t.body, t.value, t.owned, t.claimKey, req.Target, req.Body = nil, nil, nil, nil, nil, nil
	}
	t.flow, t.whole, t.memory, t.answer, t.out, t.crash = nil, nil, nil, nil, nil, nil
	t.cacheKey, t.found, t.failed = "", false, false
	if t.guarded {
		t.guarded, t.admission = false, Admission{}
	}
	if t.stopped || t.action == mapping.DoFlow {
		t.stopped, t.res = false, result{}
	}
}

// fly makes the call on a goroutine of its own.
func (t *task) fly(ctx, read context.Context, env *Env, w *watch, done chan<- *task) {
	defer func() {
		t.crash = recover()
		done <- t
	}()
	t.do(ctx, read, env, w)
}

// do makes the call. What it came to stands in t.
func (t *task) do(ctx, read context.Context, env *Env, w *watch) {
	switch t.action {
	case mapping.DoCall:
		if !t.call.Operation.Changes {
			ctx = read
		}
		if !t.guarded {
			t.answer = env.Calls.Call(ctx, &t.call)
			return
		}
		t.admitted(ctx, env, func() contract.State {
			t.answer = env.Calls.Call(ctx, &t.call)
			return t.answer.State
		})
	case mapping.DoFlow:
		if !t.guarded {
			t.runFlow(ctx, read, env, w)
			return
		}
		t.admitted(ctx, env, func() contract.State {
			t.runFlow(ctx, read, env, w)
			return t.res.state
		})
	case mapping.DoRecall, mapping.DoRemember:
		if env.Memory == nil {
			t.failed = true
			return
		}
		if t.action == mapping.DoRemember {
			t.failed = env.Memory.Remember(ctx, t.memory.Memory, t.body, t.value, env.now()) != nil
			return
		}
		value, found, err := env.Memory.Recall(read, t.memory.Memory, t.body, env.now())
		t.out, t.found, t.failed = value, found, err != nil
	}
}

func (t *task) runFlow(ctx, read context.Context, env *Env, w *watch) {
	t.res, t.owned = runFlow(ctx, read, t.flow, t.body, env, w, t.owned[:0])
	t.out = t.owned
}
