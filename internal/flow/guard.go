package flow

import (
	"context"
	"strconv"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Guard stands before what changes something: it may keep it from going out,
// and is told how it ended. It must be safe for concurrent use.
type Guard interface {
	// Admit is asked before a call that changes something, or that has a
	// claim, goes out. What must not be forgotten is kept before it returns.
	Admit(ctx context.Context, a *Admission) Verdict
	// Settled is told how an admitted call ended: what was claimed is given
	// back when it was refused or surely not done.
	Settled(a *Admission, state contract.State)
}

// Admission is one call that asks to go out.
type Admission struct {
	Step   string // its name
	Target string // the operation's or flow's name
	Now    time.Time
	Claim  *mapping.Memory // nil: nothing is claimed
	Key    []byte          // of the claim, JSON
	Limit  int64           // how many the claim may have been given in all
	ID     string          // the guard's
}

// Verdict is what a guard says to an Admission.
type Verdict uint8

// The verdicts.
const (
	Admitted  Verdict = iota
	OverLimit         // nothing is left to claim
	Unsettled         // it may have gone out already, and nobody knows how it ended
	NoStore           // what has to be kept cannot be
)

// stopped is what a call comes to that was not admitted.
func (v Verdict) stopped() result {
	switch v {
	case OverLimit:
		return result{state: contract.Refused, class: contract.ClassLimit, why: "over the limit of its claim"}
	case Unsettled:
		return result{state: contract.Unknown, class: contract.ClassBroken, why: "sent before, by a gateway that ended before it was answered"}
	default:
		return result{state: contract.Failed, class: contract.ClassStore, why: "the store cannot be reached"}
	}
}

// claim renders a step's claim into t.
func (r *run) claim(t *task, c *mapping.Claim) *expr.RuntimeError {
	limit := c.Limit.Value(r.f)
	if err := r.failure(); err != nil {
		return placed(err, c.At)
	}
	n, err := strconv.ParseInt(limit.Text(), 10, 64)
	if err != nil || n < 0 {
		return &expr.RuntimeError{At: c.At, Message: "limit is no whole number"}
	}
	t.claimKey = c.Key.AppendJSON(t.claimKey[:0], r.f)
	if err := r.failure(); err != nil {
		return placed(err, c.At)
	}
	if len(t.claimKey) == 0 || string(t.claimKey) == "null" {
		return &expr.RuntimeError{At: c.At, Message: "the key of the claim has no value"}
	}
	t.admission.Claim, t.admission.Key, t.admission.Limit = c.Memory, t.claimKey, n
	return nil
}

// admitted asks the guard for a call that changes something or has a claim,
// makes it, and tells the guard how it ended.
func (t *task) admitted(ctx context.Context, env *Env, do func() contract.State) {
	a := &t.admission
	if env.Guard == nil && a.Claim == nil {
		do()
		return
	}
	verdict := NoStore
	if env.Guard != nil {
		verdict = env.Guard.Admit(ctx, a)
	}
	if verdict != Admitted {
		t.stopped, t.res = true, verdict.stopped()
		return
	}
	env.Guard.Settled(a, do())
}
