// Package flow runs one plan: which step may start, with what values, what the
// answer means, what the reply is. It knows nothing of where it was called from.
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

// Caller makes calls of operations: backends, or a test's book of answers. It must be safe for concurrent use.
type Caller interface {
	Call(ctx context.Context, c *backend.Call) *backend.Answer
}

// Memory is what recall and remember reach. Keys and values are JSON.
type Memory interface {
	Recall(ctx context.Context, m *mapping.Memory, key []byte, now time.Time) (value []byte, found bool, err error)
	Remember(ctx context.Context, m *mapping.Memory, key, value []byte, now time.Time) error
}

// Cache keeps answers' bodies for `cache:`. Keys hold the plan, the step and the mapped key.
type Cache interface {
	Load(key string, now time.Time) (body []byte, ok bool)
	Store(key string, body []byte, until time.Time)
}

// Env is what a run is given.
type Env struct {
	Calls       Caller
	Memory      Memory
	Cache       Cache
	Now         time.Time
	Zone        *time.Location
	RequestID   string
	Watch       Watcher                   // may be nil
	Unavailable func(backend string) bool // a backend left out; may be nil
}

// Watcher is told about every step as it settles (tests, explain, traces); called on the run's goroutine, values live only during the call.
type Watcher interface {
	Settled(plan *mapping.Plan, step *mapping.Step, r StepReport)
}

// StepReport is how one step ended.
type StepReport struct {
	State   contract.State
	Class   string
	Status  int
	Message string
	Why     string // for skipped: "when is false", "needs cliente"; for failures of ours: the positioned message
	Case    int    // which case was taken, -1 for none
	Took    time.Duration
	Body    jsonx.Value
}

// Problem is a run that ended without a reply of the mapping.
type Problem struct {
	Kind    mapping.ErrorKind
	Class   string
	Message string             // for the caller, when the dialect's reply uses it: a refusal's words
	Step    string             // for logs
	Cause   *expr.RuntimeError // for logs: a failed template with its position
}

// Outcome is how a run ended: a reply, or a problem.
type Outcome struct {
	Problem *Problem
	Reply   *mapping.Reply // the one chosen
	Index   int            // of Reply
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
func Run(ctx context.Context, p *mapping.Plan, f *expr.Frame, g Given, env *Env, buf []byte) Outcome {
	panic("not built")
}

// RunFlow runs a flow's plan on its own and gives its result (for tests of flows).
func RunFlow(ctx context.Context, p *mapping.Plan, input []byte, env *Env) (state contract.State, class, message string, result []byte, err error) {
	panic("not built")
}
