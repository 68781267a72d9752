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

// reset lets go of what a pooled task points to.
func (t *task) reset() {
	req := contract.Request{Target: t.call.Request.Target[:0], Headers: t.call.Request.Headers[:0], Body: t.call.Request.Body[:0]}
	clear(req.Headers[:cap(req.Headers)])
	params := t.call.Params[:0]
	clear(params[:cap(params)])
	body, value, owned, claim := t.body[:0], t.value[:0], t.owned[:0], t.claimKey[:0]
	if cap(body)+cap(value)+cap(owned)+cap(claim)+cap(req.Target)+cap(req.Body) > keptBytes {
		body, value, owned, claim, req.Target, req.Body = nil, nil, nil, nil, nil, nil
	}
	*t = task{body: body, value: value, owned: owned, claimKey: claim, call: backend.Call{Request: req, Params: params}}
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
