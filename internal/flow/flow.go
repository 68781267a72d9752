// Package flow runs one plan: which step may start, with what values, what the
// answer means, what the reply is. It knows nothing of where it was called from.
//
// One goroutine, the caller's, owns a run's frame: it evaluates every condition
// and renders every request. Calls are handed to goroutines of their own only
// when more than one can be under way, and none outlives the run.
package flow

import (
	"context"
	"time"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Caller makes calls of operations: backends, or a test's book of answers. It
// must be safe for concurrent use and return soon after ctx is done.
type Caller interface {
	Call(ctx context.Context, c *backend.Call) *backend.Answer
}

// Memory is what recall and remember reach. Keys and values are JSON; hours,
// days and months are those of now's zone. A value
// that Recall gives must never change afterwards; key and value given to
// Remember are the caller's again when it returns.
type Memory interface {
	Recall(ctx context.Context, m *mapping.Memory, key []byte, now time.Time) (value []byte, found bool, err error)
	Remember(ctx context.Context, m *mapping.Memory, key, value []byte, now time.Time) error
}

// Instant tells of a Memory whether it answers without waiting for anything:
// its steps then run where they stand, without a goroutine.
type Instant interface{ Instant() bool }

// Cache keeps answers for `cache:`. Keys hold the plan, the step and the mapped
// key. What is stored is the cache's from then on, and nobody changes it.
type Cache interface {
	Load(key string, now time.Time) (body []byte, ok bool)
	Store(key string, body []byte, until time.Time)
}

// Env is what a run is given.
type Env struct {
	Calls     Caller
	Memory    Memory // nil: the store is down
	Cache     Cache  // nil: nothing is kept
	Guard     Guard  // nil: nobody is asked before something changes, and nothing can be claimed
	Now       time.Time
	Zone      *time.Location
	RequestID string
	Watch     Watcher // may be nil
	// Unavailable tells of a backend whether it is not to be called, and what callers are told; may be nil.
	Unavailable func(backend string) (words string, out bool)
	// OneByOne makes calls one at a time, in the file's order, so that what a
	// run comes to does not depend on timing (tests, dry runs).
	OneByOne bool
	MaxEach  int // the most elements an `each` may have; 0: DefaultMaxEach
	Fuel     int // of the frames of flows; 0: the default of frames
}

// now is the time of the run in the provider's zone.
func (e *Env) now() time.Time {
	if e.Zone == nil {
		return e.Now
	}
	return e.Now.In(e.Zone)
}

// DefaultMaxEach is how many elements an `each` may have when nothing else is said.
const DefaultMaxEach = 1000

// Watcher is told about every step as it settles (tests, explain, traces), one
// at a time; a flow's steps are told before the step that calls it. Values live
// only during the call.
type Watcher interface {
	Settled(plan *mapping.Plan, step *mapping.Step, r StepReport)
}

// StepReport is how one step ended.
type StepReport struct {
	State   contract.State
	Class   string
	Status  int
	Message string
	Why     string              // for skipped: "when is false", "needs cliente"; for failures of ours: the positioned message
	Case    int                 // which case was taken, -1 for none
	Caught  *mapping.CatchEntry // what its failure was caught by; of an `each` the last one
	Took    time.Duration       // 0 for one that waits for nothing
	Body    jsonx.Value
}

// Problem is a run that ended without a reply of the mapping.
type Problem struct {
	Kind    mapping.ErrorKind
	Class   string
	Message string             // for the caller, when the dialect's reply uses it: a refusal's words
	Step    string             // for logs; "outer/inner" for a flow's; "" for the reply
	Cause   *expr.RuntimeError // for logs: a failed template with its position
}

// Outcome is how a run ended: a reply, or a problem.
type Outcome struct {
	Problem *Problem
	Reply   *mapping.Reply // the one chosen
	Index   int            // of Reply; -1 with a problem
	Status  int
	Type    string
	Header  []contract.Header
	Body    []byte // appended to the buffer given
}

// Given is what a mapping's run starts from.
type Given struct {
	Input    jsonx.Value
	Request  jsonx.Value // method, path, header, id
	Caller   jsonx.Value // name, app, strict
	Warnings jsonx.Value // list of texts
}

// Run runs a mapping's plan on frame f (already holding what intake put there)
// and appends the reply's body to buf. ctx carries the route's deadline.
// Afterwards the answers' memory is given back: f is good for nothing but Release.
func Run(ctx context.Context, p *mapping.Plan, f *expr.Frame, g Given, env *Env, buf []byte) Outcome {
	r := newRun(p, f, env)
	defer r.free()
	if env.Watch != nil {
		r.top.told, r.top.many = env.Watch, false
		r.watch = &r.top
	}
	r.set(p.Slots.Input, g.Input)
	r.set(p.Slots.Request, g.Request)
	r.set(p.Slots.Caller, g.Caller)
	r.set(p.Slots.Warnings, g.Warnings)
	r.common()
	r.loop(ctx, ctx)
	if r.dead >= 0 {
		return Outcome{Problem: r.problem(), Index: -1, Body: buf}
	}
	return r.reply(buf)
}

// RunFlow runs a flow's plan on its own, with input that is valid JSON, and gives its result (for tests of
// flows). err tells that input is not what the flow takes.
func RunFlow(ctx context.Context, p *mapping.Plan, input []byte, env *Env) (state contract.State, class, message string, result []byte, err error) {
	var w *watch
	if env.Watch != nil {
		w = &watch{told: env.Watch}
	}
	res, out := runFlow(ctx, ctx, p, input, env, w, nil)
	if res.badInput {
		return contract.Failed, res.class, "", nil, res.cause
	}
	if res.cause != nil {
		return res.state, res.class, res.message, nil, res.cause
	}
	return res.state, res.class, res.message, out, nil
}
