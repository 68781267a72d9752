package rehearse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// ErrNobody tells that a rehearsal's order waits for people, and nobody decides.
var ErrNobody = errors.New("nobody decides")

// ErrOver tells that a rehearsal's order was ended because the rehearsal had failed.
var ErrOver = errors.New("the rehearsal has failed")

// Orders keeps the orders of a rehearsal, and runs none of them.
type Orders struct {
	Begun []*exchange.NewOrder
	keys  map[string]*begun
}

type begun struct {
	id    string
	order *exchange.NewOrder
}

// Begin begins an order, or finds it.
func (o *Orders) Begin(_ context.Context, n *exchange.NewOrder) (exchange.OrderState, error) {
	key := n.Plan.Name + "\x00" + n.Caller + "\x00" + string(n.Key)
	if b := o.keys[key]; b != nil {
		if !bytes.Equal(b.order.Fingerprint, n.Fingerprint) {
			return exchange.OrderState{}, exchange.ErrOrderDiffers
		}
		return exchange.OrderState{ID: b.id, State: "accepted"}, nil
	}
	if o.keys == nil {
		o.keys = map[string]*begun{}
	}
	o.Begun = append(o.Begun, n)
	b := &begun{id: fmt.Sprintf("order-%d", len(o.Begun)), order: n}
	n.Given.ID = b.id
	o.keys[key] = b
	return exchange.OrderState{ID: b.id, State: "accepted", New: true}, nil
}

// Await gives what is known at once: nothing runs yet.
func (o *Orders) Await(context.Context, string) (exchange.OrderState, error) {
	return exchange.OrderState{}, ErrNobody
}

// Recorder records an order whose time passes at once: a sleep moves the clock,
// a wait meets an event of the rehearsal or runs out.
type Recorder struct {
	Now       time.Time
	Events    []mapping.TestEvent
	Decisions []string
	Meets     bool // every event that is waited for comes at once, without a body
	Last      flow.Progress
	// Over, where it is given, tells that the rehearsal has failed: an order
	// that would wait and try again does not.
	Over func() bool

	records []entry
	at      int
	replay  bool
}

// entry is one thing recorded.
type entry struct {
	kind, name string
	value      []byte
	flag       bool
	now        time.Time
}

// ErrDiverged tells that a run asked for something else than the one before it.
var ErrDiverged = errors.New("a second run of the order does not do what the first did")

// Again begins another run: it is given what is recorded, and may ask for nothing else.
func (r *Recorder) Again() { r.at, r.replay = 0, true }

// Clock gives the rehearsal's time.
func (r *Recorder) Clock() time.Time { return r.Now }

// next gives what is recorded at this place, or records what fn gives.
func (r *Recorder) next(kind, name string, fn func() (entry, error)) (entry, error) {
	if r.at < len(r.records) {
		e := r.records[r.at]
		if e.kind != kind || e.name != name {
			return e, fmt.Errorf("%w: it asks for %s %s, where %s %s is recorded", ErrDiverged, kind, name, e.kind, e.name)
		}
		r.at++
		r.Now = e.now
		return e, nil
	}
	if r.replay {
		return entry{}, fmt.Errorf("%w: it asks for %s %s, which the first did not", ErrDiverged, kind, name)
	}
	e, err := fn()
	if err != nil {
		return e, err
	}
	e.kind, e.name, e.now = kind, name, r.Now
	r.records = append(r.records, e)
	r.at++
	return e, nil
}

// Step records a step.
func (r *Recorder) Step(name string, fn func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	e, err := r.next("step", name, func() (entry, error) {
		value, err := fn(context.Background())
		return entry{value: value}, err
	})
	return e.value, err
}

// Sleep moves the clock.
func (r *Recorder) Sleep(d time.Duration) error {
	_, err := r.next("sleep", "", func() (entry, error) {
		if r.Over != nil && r.Over() {
			return entry{}, ErrOver
		}
		r.Now = r.Now.Add(max(d, 0))
		return entry{}, nil
	})
	return err
}

// Wait meets an event, or runs out.
func (r *Recorder) Wait(event string, key []byte, until time.Time) ([]byte, bool, error) {
	e, err := r.next("wait", event, func() (entry, error) {
		for i, have := range r.Events {
			if have.Event == event && sameText(have.Key, jsonx.RawValue(string(key))) {
				r.Events = append(r.Events[:i:i], r.Events[i+1:]...)
				body := []byte("null")
				if have.Body != nil {
					body = mapping.ConstantJSON(have.Body)
				}
				return entry{value: body}, nil
			}
		}
		if r.Meets {
			return entry{value: []byte("null")}, nil
		}
		if until.After(r.Now) {
			r.Now = until
		}
		return entry{flag: true}, nil
	})
	return e.value, e.flag, err
}

// Decide gives the next decision; without one it is ErrNobody.
func (r *Recorder) Decide(time.Time) (flow.Decision, bool, error) {
	e, err := r.next("decision", "", func() (entry, error) {
		if len(r.Decisions) == 0 {
			return entry{}, ErrNobody
		}
		d := r.Decisions[0]
		r.Decisions = r.Decisions[1:]
		return entry{value: []byte(d)}, nil
	})
	return flow.Decision(e.value), err == nil, err
}

// Cancelled is never so in a rehearsal.
func (r *Recorder) Cancelled() (reason, by string, is bool) { return "", "", false }

// Progress keeps the last.
func (r *Recorder) Progress(p flow.Progress) { r.Last = p }
