package exchange

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
)

// counter counts the calls of one exchange, and keeps the last that failed, for its log line.
type counter struct {
	next flow.Caller
	n    atomic.Int64

	mu     sync.Mutex
	failed FailedCall
	wait   time.Duration // before what was unavailable is worth asking again
}

// FailedCall is a call that did not end ok or refused.
type FailedCall struct {
	Operation string // "" when none failed
	Class     string
	Status    int // of the backend's answer; 0 when there was none
}

// Call counts and passes on.
func (c *counter) Call(ctx context.Context, call *backend.Call) *backend.Answer {
	c.n.Add(1)
	a := c.next.Call(ctx, call)
	if a.State == contract.Failed || a.State == contract.Unknown {
		c.mu.Lock()
		c.wait = max(c.wait, a.Wait)
		c.failed = FailedCall{Operation: call.Operation.Name(), Class: a.Class, Status: a.Status}
		c.mu.Unlock()
	}
	return a
}

// take gives what was counted, and forgets it.
func (c *counter) take() (calls int, failed FailedCall, wait time.Duration) {
	calls, failed, wait = int(c.n.Swap(0)), c.failed, c.wait
	c.next, c.failed, c.wait = nil, FailedCall{}, 0
	return calls, failed, wait
}

// running is what a run is handed, used again once it is over: no call outlives it.
type running struct {
	env     flow.Env
	counted counter
}

var runs = sync.Pool{New: func() any { return new(running) }}
