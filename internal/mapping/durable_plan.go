package mapping

import (
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
)

// Order is what a durable mapping says of its orders.
type Order struct {
	Key      *expr.Template
	Field    string         // what messages call a missing key
	Subject  *expr.Template // nil: it is about nobody
	Deadline time.Duration
	Shows    *expr.Template // nil: nothing of the mapping's own
	Accepted *Reply
	At       diag.Span
}

// Durable is what a step says that only orders do.
type Durable struct {
	Undo   *Undo // nil: nothing takes it back
	Lookup *Lookup
	Key    *expr.Template // the value of Idempotency-Key; its parameter is KeyParam
	Param  int            // of the operation's parameters, where Key goes
	Poll   *Poll
	Commit bool
}

// Undo is what takes a step back.
type Undo struct {
	When  *expr.Condition
	Step  *Step // the call, with its attempts
	Flow  bool
	Retry Retry
}

// Lookup finds out whether a call whose answer was lost took effect.
type Lookup struct {
	Step  *Step // the call that looks
	Found *expr.Template
	Slot  int            // of `found`
	Use   *expr.Template // nil: what was found
	After time.Duration  // how long after the call it looks
}

// Poll repeats a call that only reads.
type Poll struct {
	Until      *expr.Condition
	Every, For time.Duration
}

// Wait is a wait for an event.
type Wait struct {
	Event string
	Key   *expr.Template
	For   time.Duration
}

// Ordered tells a durable mapping from others.
func (p *Plan) Ordered() bool { return p.Order != nil }

// Lasts tells whether the plan holds what only an order can do: a wait, a
// sleep, a poll, or something that is undone or looked for.
func (p *Plan) Lasts() bool { return p.lasts }
