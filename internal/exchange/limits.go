package exchange

import (
	"context"
	"net/netip"
	"time"

	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/store"
)

// SignIns slow down who signs in wrongly again and again.
type SignIns interface {
	// WrongSignIn notes a wrong one, and tells how long the address has to wait.
	WrongSignIn(l *store.SignInLimit, from netip.Addr, caller string, now time.Time) time.Duration
	// RightSignIn notes a right one, and tells how long it has to wait all the same.
	RightSignIn(from netip.Addr, caller string, now time.Time) time.Duration
}

// Rates hold callers to how often they may call.
type Rates interface {
	// Take takes one request of a caller's rate, and tells how long to wait when there is none.
	Take(ctx context.Context, caller string, r intake.Rate, now time.Time) time.Duration
}

// slowDown tells of a sign-in, and gives the problem it has: its own, or that
// it has to wait. A right one that has to wait hears no more than a wrong one.
func (e *Exchanger) slowDown(r *intake.Request, caller *intake.Caller, problem *intake.Problem, now time.Time) *intake.Problem {
	var wait time.Duration
	switch {
	case problem == nil:
		wait = e.o.SignIns.RightSignIn(r.Address(), caller.Name, now)
	case problem.Kind == mapping.BadSignIn:
		wait = e.o.SignIns.WrongSignIn(&e.o.SignInLimit, r.Address(), problem.Aim, now)
	}
	if wait > 0 {
		return &intake.Problem{Kind: mapping.Limited, Message: "too many failed sign-ins", Wait: wait}
	}
	return problem
}

// seconds gives a time in whole seconds, as Retry-After says it, never too short.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
