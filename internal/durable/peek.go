package durable

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/order"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// Document is what is told of an order: on the admin listener, and as the
// answers of the backend orders (internal/snapshot/orders.yaml). Fields of the
// second part are missing in lists.
type Document struct {
	ID        string     `json:"id"`
	Route     string     `json:"route"`
	Caller    string     `json:"caller"`
	State     string     `json:"state"`
	Step      string     `json:"step,omitempty"`
	WaitsFor  string     `json:"waits_for,omitempty"`
	Until     *time.Time `json:"until,omitempty"`
	Committed bool       `json:"committed"`
	Started   time.Time  `json:"started"`
	Deadline  time.Time  `json:"deadline"`
	Changed   time.Time  `json:"changed"`
	Ended     *time.Time `json:"ended,omitempty"`
	Asked     bool       `json:"asked"`
	Asks      bool       `json:"asks"`
	Trouble   string     `json:"trouble,omitempty"`
	Emptied   bool       `json:"emptied"`

	Error  *Failure        `json:"error,omitempty"`
	Shows  json.RawMessage `json:"shows,omitempty"`
	Undone []string        `json:"undone,omitempty"`
	Left   []string        `json:"left,omitempty"`
	Steps  []Step          `json:"steps,omitempty"`
	Acts   []Act           `json:"acts,omitempty"`
}

// Failure is what ended an order.
type Failure struct {
	Step    string `json:"step"`
	Class   string `json:"class"`
	Message string `json:"message,omitempty"` // a backend's words: not for logs
}

// Step is how one step went, or is to come (pending).
type Step struct {
	Name     string     `json:"name"`
	State    string     `json:"state"` // pending, running, waiting, held, ok, refused, failed, unknown, skipped
	Class    string     `json:"class,omitempty"`
	Attempts int        `json:"attempts"`
	Undo     bool       `json:"undo"` // it was taken back
	Started  *time.Time `json:"started,omitempty"`
	Ended    *time.Time `json:"ended,omitempty"`
}

// Act is what somebody did to an order.
type Act struct {
	At     time.Time `json:"at"`
	Action string    `json:"action"`
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// brief is what lists tell of an order.
func brief(s *order.Status) Document {
	return Document{
		ID: s.ID, Route: s.Route, Caller: s.Caller, State: string(s.State), Step: s.Step, WaitsFor: s.WaitsFor, Until: moment(s.Until),
		Committed: s.Committed, Started: s.Started.UTC(), Deadline: s.Deadline.UTC(), Changed: s.Changed.UTC(), Ended: moment(s.Ended),
		Asked: s.Asked, Asks: s.Asks, Trouble: s.Trouble, Emptied: s.Emptied,
	}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Get tells of one order; order.ErrNotFound.
func (v *Orders) Get(ctx context.Context, id string) (*Document, error) {
	e, err := v.Engine()
	if err != nil {
		return nil, err
	}
	s, err := e.Status(ctx, id)
	if err != nil {
		return nil, err
	}
	return v.whole(ctx, e, &s)
}

// whole tells everything of an order.
func (v *Orders) whole(ctx context.Context, e *order.Engine, s *order.Status) (*Document, error) {
	d := brief(s)
	for _, a := range s.Acts {
		d.Acts = append(d.Acts, Act{At: a.At.UTC(), Action: a.Action, By: a.By, Reason: a.Reason})
	}
	if s.Emptied {
		return &d, nil
	}
	l, err := v.under(ctx, e, s.Plan)
	if err != nil {
		return nil, err
	}
	plan, err := planOf(l, s.Route)
	if err != nil {
		return nil, err
	}
	end, steps, err := v.peek(l, plan, s)
	if err != nil {
		return nil, err
	}
	if len(s.Result) > 0 {
		if err := json.Unmarshal(s.Result, &end); err != nil {
			return nil, errors.New("how the order ended cannot be read")
		}
	}
	d.Shows, d.Undone, d.Left, d.Steps = end.Shows, end.Undone, end.Left, steps
	if end.Class != "" || end.Step != "" {
		d.Error = &Failure{Step: end.Step, Class: end.Class, Message: end.Detail}
	}
	return &d, nil
}

// errPeeked tells that everything that is recorded has been seen.
var errPeeked = errors.New("nothing more is recorded")

// peek runs an order over what is recorded, and no further: nothing is called,
// nothing is kept.
func (v *Orders) peek(l *snapshot.Loaded, plan *mapping.Plan, s *order.Status) (flow.OrderEnd, []Step, error) {
	g, err := given(&order.Order{ID: s.ID, Deadline: s.Deadline, Payload: s.Payload})
	if err != nil {
		return flow.OrderEnd{}, nil, err
	}
	p := &peeker{kept: s.Steps, now: v.clock()}
	env := &flow.OrderEnv{Record: p, Clock: v.clock, Tell: p}
	env.Zone = l.Zone()
	end, err := flow.RunOrder(plan, g, env)
	if err != nil && !errors.Is(err, errPeeked) {
		return end, nil, err
	}
	p.goesOn(s)
	switch s.State {
	case order.Undoing, order.Undone, order.Done, order.Stuck:
	default:
		p.pending(plan)
	}
	return end, p.steps, nil
}

// peeker gives what is recorded, and notes the steps as they begin and end.
type peeker struct {
	kept      []order.Step
	now       time.Time
	at        int
	cancelled *Act
	steps     []Step
	open      []int // of steps, that have begun and not ended
}

// next gives the next record, if it is of a kind and name.
func (p *peeker) next(kind, name string) (*order.Step, error) {
	if p.at == len(p.kept) {
		return nil, errPeeked
	}
	s := &p.kept[p.at]
	if s.Kind != kind || kind != "sleep" && kind != "decision" && s.Name != name {
		return nil, order.ErrDiverged
	}
	p.at++
	return s, nil
}

// Step gives what a step was recorded to give.
func (p *peeker) Step(name string, _ func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	s, err := p.next("step", name)
	if err != nil {
		return nil, err
	}
	_, call, is := strings.Cut(name, " call ")
	if n := len(p.open); is && !strings.Contains(call, " ") && n > 0 {
		p.steps[p.open[n-1]].Attempts++
	}
	return s.Value, nil
}

// Sleep returns if it has been slept.
func (p *peeker) Sleep(time.Duration) error {
	s, err := p.next("sleep", "")
	if err == nil && p.now.Before(s.Ended) { // it is kept when it begins
		err = errPeeked
	}
	return err
}

// Wait gives what was waited for.
func (p *peeker) Wait(event string, _ []byte, _ time.Time) ([]byte, bool, error) {
	s, err := p.next("wait", event)
	if err != nil {
		return nil, false, err
	}
	switch s.Outcome {
	case "timeout":
		return nil, true, nil
	case "cancelled":
		return nil, false, nil
	}
	return s.Value, false, nil
}

// Decide gives what was decided.
func (p *peeker) Decide(time.Time) (flow.Decision, bool, error) {
	s, err := p.next("decision", "")
	if err != nil || s.Outcome == "timeout" {
		return "", false, err
	}
	return flow.Decision(s.Value), true, nil
}

// Cancelled tells whether somebody was heard to wish the order undone.
func (p *peeker) Cancelled() (reason, by string, is bool) {
	if p.cancelled == nil && p.at < len(p.kept) && p.kept[p.at].Kind == "cancelled" {
		a := new(Act)
		_ = json.Unmarshal(p.kept[p.at].Value, a) // without words, if they cannot be read
		p.cancelled = a
		p.at++
	}
	if p.cancelled == nil {
		return "", "", false
	}
	return p.cancelled.Reason, p.cancelled.By, true
}

// Progress is of no interest here.
func (p *peeker) Progress(flow.Progress) {}

// Begins notes that a step begins, if anything of it is recorded.
func (p *peeker) Begins(step string, undoes bool) {
	if p.at == len(p.kept) {
		return
	}
	p.open = append(p.open, len(p.steps))
	p.steps = append(p.steps, Step{Name: step, State: flow.OrderRunning, Undo: undoes, Started: moment(p.kept[p.at].Started)})
}

// Ends notes how a step ended.
func (p *peeker) Ends(step string, undoes bool, r flow.StepReport) {
	for i := len(p.open) - 1; i >= 0; i-- {
		s := &p.steps[p.open[i]]
		if s.Name != step || s.Undo != undoes {
			continue
		}
		s.State, s.Class = r.State.String(), r.Class
		if r.State == contract.OK || r.State == contract.Skipped {
			s.Class = ""
		}
		if p.at > 0 {
			s.Ended = moment(p.kept[p.at-1].Ended)
		}
		p.open = append(p.open[:i], p.open[i+1:]...)
		return
	}
}

// goesOn says of the step that goes on what it waits for.
func (p *peeker) goesOn(s *order.Status) {
	if n := len(p.open); n > 0 && s.Ended.IsZero() && (s.State == order.Waiting || s.State == order.Held) {
		p.steps[p.open[n-1]].State = string(s.State)
	}
}

// pending adds the steps that are to come.
func (p *peeker) pending(plan *mapping.Plan) {
	begun := map[string]bool{}
	for _, s := range p.steps {
		begun[s.Name] = begun[s.Name] || !s.Undo
	}
	for _, st := range plan.Steps {
		if !begun[st.Name] {
			p.steps = append(p.steps, Step{Name: st.Name, State: "pending"})
		}
	}
}
