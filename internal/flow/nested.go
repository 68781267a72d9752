package flow

import (
	"context"
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// runFlow runs a flow's plan on a frame of its own and appends its result to
// out. The result it gives points into nothing that ends with that frame.
func runFlow(ctx, read context.Context, p *mapping.Plan, input []byte, env *Env, w *watch, out []byte) (result, []byte) {
	f := expr.NewFrame(p.Layout, env.Now, env.Zone)
	defer f.Release()
	if env.Fuel > 0 {
		f.SetFuel(env.Fuel)
	}
	r := newRun(p, f, env)
	defer r.free()
	r.watch = w
	if res, ok := r.takeInput(input); !ok {
		return res, out
	}
	r.common()
	r.loop(ctx, read)
	if r.dead >= 0 {
		res := r.steps[r.dead].res
		end := result{state: res.state, class: res.class, message: strings.Clone(res.message), status: res.status, why: res.why, cause: res.cause}
		end.step = r.p.Steps[r.dead].Name
		if res.step != "" {
			end.step += "/" + res.step
		}
		return end, out
	}
	if p.Result == nil {
		return result{}, out
	}
	from := len(out)
	out = p.Result.AppendJSON(out, f)
	if f.Err() != nil {
		return r.ours(), out[:from]
	}
	return result{}, out
}

// takeInput reads and checks a flow's input. What is wrong with it is the
// caller's mapping's fault.
func (r *run) takeInput(raw []byte) (result, bool) {
	bad := func(words string) (result, bool) {
		res := r.broken(&expr.RuntimeError{Message: "input of " + r.p.Name + ": " + words})
		res.badInput = true
		return res, false
	}
	v := r.made(raw)
	if v.Kind() != jsonx.Object {
		return bad("is no object")
	}
	if r.p.Input != nil {
		var faults []intake.Fault
		if v, faults = intake.Convert(r.f.Arena, r.p.Input, v); len(faults) > 0 {
			words := make([]string, len(faults))
			for i, fault := range faults {
				words[i] = fault.Pointer + " (" + fault.Keyword + ")"
			}
			return bad(strings.Join(words, ", "))
		}
	}
	r.set(r.p.Slots.Input, v)
	return result{}, true
}
