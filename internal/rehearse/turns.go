package rehearse

import (
	"context"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/store"
)

// Turns are the turns of a rehearsal's requests: kept as those that serve, with
// claims taken of the rehearsal's memory.
type Turns struct {
	Kept   *store.Store
	Memory *Memory
	Store  string // how the store is missing, as tests say it
}

// Begin begins a request.
func (t *Turns) Begin(ctx context.Context, r *store.Repeat, about store.About, now time.Time) (store.Turn, store.Found, []byte, error) {
	if r != nil && t.Store == mapping.StoreIsDown {
		return nil, store.First, nil, store.ErrDown
	}
	begun, found, answer, err := t.Kept.Begin(ctx, r, about, now)
	if begun == nil {
		return nil, found, answer, err
	}
	return &turn{Turn: begun, memory: t.Memory, repeats: r != nil}, found, answer, err
}

// turn is one request's turn.
type turn struct {
	store.Turn
	memory  *Memory
	repeats bool // what is sent has to be kept
}

// Admit takes the claim of the test's memory.
func (t *turn) Admit(ctx context.Context, a *flow.Admission) flow.Verdict {
	if t.memory.down && (t.repeats || a.Claim != nil && a.Claim.Refuse) {
		return flow.NoStore
	}
	if !t.memory.claim(a) {
		return flow.OverLimit
	}
	bare := *a
	bare.Claim = nil
	verdict := t.Turn.Admit(ctx, &bare)
	a.ID = bare.ID
	if verdict != flow.Admitted {
		t.memory.unclaim(a)
	}
	return verdict
}

// Settled gives the claim back.
func (t *turn) Settled(a *flow.Admission, state contract.State) {
	if state == contract.Refused || state == contract.Failed {
		t.memory.unclaim(a)
	}
	bare := *a
	bare.Claim = nil
	t.Turn.Settled(&bare, state)
}
