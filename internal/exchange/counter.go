package exchange

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/flow"
)

// counter counts the calls of one exchange, for its log line.
type counter struct {
	next flow.Caller
	n    atomic.Int64
}

// Call counts and passes on.
func (c *counter) Call(ctx context.Context, call *backend.Call) *backend.Answer {
	c.n.Add(1)
	return c.next.Call(ctx, call)
}

// running is what a run is handed, used again once it is over: no call outlives it.
type running struct {
	env     flow.Env
	counted counter
}

var runs = sync.Pool{New: func() any { return new(running) }}
