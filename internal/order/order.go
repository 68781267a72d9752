// Package order keeps orders: runs of plans that go on for seconds to weeks and
// that no crash may lose or repeat. Each step is kept when it has ended and is
// never run again; what waits, waits through restarts; of several replicas one
// runs an order, and another takes it over when that one is gone.
//
// The package knows nothing of plans. Whoever opens an Engine hands in a Runner,
// which runs one order on the Run it is given, from the beginning each time:
// steps that are kept give what they gave.
//
// An error that a Run gives is the engine's own: the database is away, the
// process is ending, another replica has the order. A Runner gives it back
// unchanged. Nothing is kept of it, and the order goes on later, here or
// elsewhere. What a backend says, good or bad, is the value of a step.
//
// Whatever is about people is sealed at rest; keys and documents are HMACs.
package order

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/emenda-gateway/emenda/internal/seal"
)

// What an Engine refuses.
var (
	ErrDiffers   = errors.New("the same key came with another input")
	ErrNotFound  = errors.New("there is no such order")
	ErrEnded     = errors.New("the order has ended")
	ErrCommitted = errors.New("the order can no longer be undone")
	ErrNotAsked  = errors.New("the order waits for nobody's decision")
	ErrCursor    = errors.New("this is no cursor")
	ErrTaken     = errors.New("the orders are in use by another process")
	ErrNewer     = errors.New("the database belongs to a newer version")
	ErrDown      = errors.New("orders cannot be kept")
)

// What a Run gives back as its error; errors.Is tells them apart.
var (
	// ErrClosing tells that the process is ending. The order goes on in the next.
	ErrClosing = errors.New("the engine is closing")
	// ErrLost tells that another replica has taken the order over.
	ErrLost = errors.New("another replica has the order")
	// ErrDiverged tells that the plan asks for another step than was kept at this place.
	ErrDiverged = errors.New("the plan asks for another step than was kept")
)

// State is where an order is.
type State string

// The states. Done and undone have ended. Stuck has ended for the caller, but a
// person's decision may set it going again.
const (
	Accepted State = "accepted" // kept, nothing has run
	Running  State = "running"
	Waiting  State = "waiting" // for an event or a time
	Held     State = "held"    // for a person's decision
	Undoing  State = "undoing"
	Done     State = "done"
	Undone   State = "undone"
	Stuck    State = "stuck" // an undo failed: for people
)

// States are all states, in the order an order may go through them.
var States = []State{Accepted, Running, Waiting, Held, Undoing, Done, Undone, Stuck}

// Options say where orders are kept and who runs them.
type Options struct {
	DatabaseURL string // of PostgreSQL; "": SQLite, in Data
	Data        string // folder of orders.db
	Keys        seal.Keys
	// Runner runs one order from the beginning, or again. Its error is one that
	// the Run gave, or its own inability to run at all; the order is then tried
	// again later. A panic counts as such an error.
	Runner func(run Run) (End, error)
	// Version is that of the interpreter. Orders begun under another one are left
	// to replicas of that version, and told of.
	Version string
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: silence
}

// Order is what was started. It never changes.
type Order struct {
	ID          string // given by Start
	Route       string // the plan's name
	Caller      string // who started it
	Key         []byte // with route and caller: what makes it the same; not kept, only its HMAC
	Fingerprint []byte // hash of the input: the same key with another one is ErrDiffers; kept as HMAC
	Plan        string // hash of the pinned configuration, see KeepPlan
	Payload     []byte
	Subjects    []string // documents of the people it is about; kept as HMACs, so Run.Order has none
	Started     time.Time
	Deadline    time.Time     // for the Runner; the engine ends nothing by itself
	Promise     time.Duration // how long the key holds, from the start; 0: 90 days
}

// End is how an order ended.
type End struct {
	State  State // Done, Undone or Stuck
	Result []byte
}

// Progress is what lists show of an order under way.
type Progress struct {
	State     State
	Step      string // name of the step at hand
	WaitsFor  string // event, or what is asked of people
	Until     time.Time
	Committed bool // from here on nothing is undone: Cancel refuses
}

// Decision is what a person decides of an order that is held or stuck.
type Decision string

// The decisions.
const (
	Retry    Decision = "retry"
	Continue Decision = "continue"
	Undo     Decision = "undo"
)

// Run is one order as its Runner sees it. It is for one goroutine. A Runner
// must ask for the same steps in the same order every time, as far as they
// have been kept.
type Run interface {
	// Order gives what was started. Key, Fingerprint and Subjects are empty.
	Order() *Order
	// Context ends when the process must.
	Context() context.Context
	// Step gives what fn gave the first time it ended without an error, and keeps
	// it. An error of fn is the engine's own and is given back; nothing is kept.
	// A name holds nothing of people.
	Step(name string, fn func(ctx context.Context) ([]byte, error)) ([]byte, error)
	// Sleep returns d after it was first called. It returns early once somebody
	// asks for undo: see Cancelled.
	Sleep(d time.Duration) error
	// Wait gives the payload of the next event of that name and key. The event may
	// have come before, if it was taken by no order that had ended by the time this
	// one started; each is given to an order once. With until passed, timedOut.
	// Neither a payload nor timedOut: somebody asked for undo, see Cancelled.
	// Without until it waits for ever.
	Wait(event string, key []byte, until time.Time) (payload []byte, timedOut bool, err error)
	// Decision waits for a person's decision, or for somebody who asks for undo:
	// that is Undo. ok is false when until has passed. Without until it waits for
	// ever.
	Decision(until time.Time) (decision Decision, ok bool, err error)
	// Cancelled tells whether somebody has asked for undo. It gives the same at the
	// same place every time, and goes on giving it. An error shows in the next call.
	Cancelled() (reason, by string, is bool)
	// Progress tells what to show in lists. It is kept soon, not at once; only that
	// nothing can be undone any more (Committed) is kept before it returns: whoever
	// asks for undo is refused from then on, and who did before shows in Cancelled.
	// Done and undone show once the order has ended, not before.
	Progress(p Progress)
}

// Step is a kept step.
type Step struct {
	Kind    string // step, wait, sleep, decision, cancelled
	Name    string
	Outcome string // of a wait: event, timeout, cancelled
	Value   []byte
	Started time.Time
	Ended   time.Time
}

// Act is what a person did to an order.
type Act struct {
	At     time.Time
	Action string // cancel, retry, continue, undo
	By     string
	Reason string
}

// Status is what is known of an order. Payload, Result, Steps and Acts are there
// when one order was asked for, not in lists.
type Status struct {
	Progress
	ID       string
	Route    string
	Caller   string
	Plan     string
	Version  string
	Started  time.Time
	Deadline time.Time
	Changed  time.Time
	Ended    time.Time // zero: it has not
	Asked    bool      // somebody has asked for undo
	Asks     bool      // it waits for a person's decision: Decide
	Trouble  string    // why the engine cannot go on with it now
	Emptied  bool      // purged or erased: only the key is left
	Payload  []byte
	Result   []byte
	Steps    []Step
	Acts     []Act
}

// Over tells whether the caller need not wait any longer: done, undone, or stuck
// and left to people.
func (s *Status) Over() bool { return !s.Ended.IsZero() || s.State == Stuck && s.Asks }
