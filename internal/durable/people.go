package durable

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/emenda-gateway/emenda/internal/order"
)

// ErrAction tells that nothing of that name can be done to an order.
var ErrAction = errors.New("an order can be asked to cancel, retry, continue or undo")

// Act does to an order what a person asks: cancel has it undone; retry,
// continue and undo answer one that waits for a person. by says who asks: it
// is kept. Errors are those of order.Engine's Cancel and Decide, and ErrAction.
func (v *Orders) Act(ctx context.Context, id, action, by, reason string) error {
	e, err := v.Engine()
	if err != nil {
		return err
	}
	switch action {
	case "cancel":
		return e.Cancel(ctx, id, by, reason)
	case string(order.Retry), string(order.Continue), string(order.Undo):
		return e.Decide(ctx, id, order.Decision(action), by, reason)
	}
	return ErrAction
}

// Exported is everything that is kept of the orders about a person.
type Exported struct {
	Orders []ExportedOrder `json:"orders"`
}

// ExportedOrder is one of them: what it is, what it started from, what its steps gave.
type ExportedOrder struct {
	Document
	Given   json.RawMessage `json:"given,omitempty"`
	Records []Record        `json:"records,omitempty"`
}

// Record is one thing that is kept.
type Record struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value,omitempty"`
}

// Export gives everything that is kept of the orders about a person, by a
// document as order.subject of a mapping gave it.
func (v *Orders) Export(ctx context.Context, document string) (*Exported, error) {
	e, err := v.Engine()
	if err != nil {
		return nil, err
	}
	all, err := e.Subject(ctx, strings.TrimSpace(document))
	if err != nil {
		return nil, err
	}
	out := &Exported{Orders: []ExportedOrder{}}
	for i := range all {
		s := &all[i]
		d, err := v.whole(ctx, e, s)
		if err != nil { // what is kept is given all the same
			b := brief(s)
			d = &b
		}
		x := ExportedOrder{Document: *d, Given: jsonOnly(s.Payload)}
		for _, k := range s.Steps {
			x.Records = append(x.Records, Record{Name: k.Name, Value: jsonOnly(k.Value)})
		}
		out.Orders = append(out.Orders, x)
	}
	return out, nil
}

// jsonOnly gives JSON, or a text of what is none.
func jsonOnly(b []byte) json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	if json.Valid(b) {
		return b
	}
	text, _ := json.Marshal(string(b)) // a string is always JSON
	return text
}

// Erased tells of an erasure.
type Erased struct {
	Erased int `json:"erased"` // orders of which only key and state are left
	Left   int `json:"left"`   // orders that have not ended: they need what they hold
}

// Erase removes what is kept of the ended orders about a person.
func (v *Orders) Erase(ctx context.Context, document string) (*Erased, error) {
	e, err := v.Engine()
	if err != nil {
		return nil, err
	}
	n, left, err := e.Erase(ctx, strings.TrimSpace(document))
	if err != nil {
		return nil, err
	}
	return &Erased{Erased: n, Left: left}, nil
}
