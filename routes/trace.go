package routes

import (
	"net/http"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/gofiber/fiber/v2"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/explain"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/observe"
)

// traces are the last requests, for those who ask what became of one. Records
// are of one size, made at the start and used again; while a request is
// answered nothing is formatted and nothing allocated. No received value is in
// them: what they point to is the configuration's, which stays in memory as
// long as they do.
type traces struct {
	mu    sync.Mutex
	ring  []*trace
	next  int
	spare []*trace
}

// trace is one request.
type trace struct {
	id    [64]byte
	size  int // of id
	at    time.Time
	line  observe.Line // without the texts that are only lent
	steps [mostSteps]tracedStep
	n     int // steps, those that found no room among them
}

// tracedStep is one settled step.
type tracedStep struct {
	plan   *mapping.Plan
	step   *mapping.Step
	caught *mapping.CatchEntry
	class  string
	why    string
	took   time.Duration
	status int32
	taken  int8 // the case; -1 for none
	state  uint8
}

const (
	mostSteps = 32       // of one request
	mostBytes = 16 << 20 // of all records
	mostSpare = 256      // records that wait to be used again
)

// newTraces keeps the last n requests, as far as there is room; nil for none.
func newTraces(n int) *traces {
	n = min(n, mostBytes/int(unsafe.Sizeof(trace{})))
	if n <= 0 {
		return nil
	}
	t := &traces{ring: make([]*trace, n), spare: make([]*trace, 0, mostSpare)}
	all := make([]trace, n)
	for i := range all {
		t.ring[i] = &all[i]
	}
	return t
}

// take gives a record for a request; nil when none are kept.
func (t *traces) take() *trace {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.spare); n > 0 {
		r := t.spare[n-1]
		t.spare = t.spare[:n-1]
		return r
	}
	return new(trace)
}

// watched makes r the record of the request, told of its steps.
func (x *arrival) watched(r *trace) flow.Watcher {
	if r == nil {
		return nil
	}
	r.n = 0
	x.trace = r
	return r
}

// Settled keeps how a step ended.
func (r *trace) Settled(p *mapping.Plan, s *mapping.Step, rep flow.StepReport) {
	if r.n < mostSteps {
		r.steps[r.n] = tracedStep{
			plan: p, step: s, caught: rep.Caught, class: rep.Class, why: rep.Why, took: rep.Took,
			status: int32(rep.Status), taken: int8(min(rep.Case, 127)), state: uint8(rep.State), //nolint:gosec // three digits; few
		}
	}
	r.n++
}

// keep keeps the request that line is about, in the place of the oldest.
func (t *traces) keep(x *arrival, line *observe.Line) {
	if t == nil {
		return
	}
	r := x.trace
	if r == nil {
		r = t.take()
		r.n = 0
	}
	r.size = copy(r.id[:], line.ID)
	r.at, r.line = x.request.At, *line
	r.line.ID, r.line.Path, r.line.Address, r.line.Method = "", "", "", methodName(line.Method)
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.ring[t.next]
	t.ring[t.next] = r
	t.next = (t.next + 1) % len(t.ring)
	if len(t.spare) < mostSpare {
		t.spare = append(t.spare, old)
	}
}

// methodName gives a method on memory that stays.
func methodName(lent string) string {
	if i := slices.Index(fiber.DefaultMethods, lent); i >= 0 {
		return fiber.DefaultMethods[i]
	}
	return "other"
}

// find gives copies of the requests of an id, the newest first: callers choose ids, too.
func (t *traces) find(id string) (found []trace) {
	if t == nil || id == "" {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.ring {
		r := t.ring[(t.next-1-i+2*len(t.ring))%len(t.ring)]
		if string(r.id[:r.size]) == id {
			found = append(found, *r)
		}
	}
	return found
}

// Traces is the answer of GET /-/requests/{id}: the requests of an id, the newest first.
type Traces struct {
	Requests []Trace `json:"requests"`
}

// Trace is what became of one request. No received value is in it.
type Trace struct {
	RequestID    string      `json:"request_id"`
	At           time.Time   `json:"at"`
	Method       string      `json:"method"`
	Route        string      `json:"route,omitempty"` // the mapping's name; none when no route was found
	Path         string      `json:"path,omitempty"`  // its pattern
	Caller       string      `json:"caller,omitempty"`
	Status       int         `json:"status"`
	Outcome      string      `json:"outcome"`
	Class        string      `json:"class,omitempty"`
	Step         string      `json:"step,omitempty"` // the step that failed
	Cause        string      `json:"cause,omitempty"`
	Repeat       string      `json:"repeat,omitempty"`
	DurationMS   float64     `json:"duration_ms"`
	BackendCalls int         `json:"backend_calls"`
	BytesIn      int         `json:"bytes_in"`
	BytesOut     int         `json:"bytes_out"`
	Failed       string      `json:"failed_operation,omitempty"` // the last call that failed
	FailedClass  string      `json:"failed_class,omitempty"`
	FailedStatus int         `json:"failed_status,omitempty"`
	Steps        []TraceStep `json:"steps"`
	MoreSteps    int         `json:"more_steps,omitempty"` // that found no room
}

// TraceStep is how one step ended, in the order in which they did: a flow's
// stand before the step that calls it.
type TraceStep struct {
	Plan       string  `json:"plan"` // the mapping or flow
	Step       string  `json:"step"`
	Does       string  `json:"does"`
	State      string  `json:"state"`
	Class      string  `json:"class,omitempty"`
	Status     int     `json:"status,omitempty"` // of the backend's answer
	Why        string  `json:"why,omitempty"`
	Caught     string  `json:"caught,omitempty"` // the line of its catch
	DurationMS float64 `json:"duration_ms"`
}

// traced answers what became of a request.
func (v *Server) traced(w http.ResponseWriter, r *http.Request) {
	found := v.traces.find(r.PathValue("id"))
	if len(found) == 0 {
		writeJSON(w, http.StatusNotFound, health{Status: "no request of this id is among the last"})
		return
	}
	all := Traces{Requests: make([]Trace, len(found))}
	for i := range found {
		all.Requests[i] = v.told(&found[i])
	}
	writeJSON(w, http.StatusOK, all)
}

// told spells a record out.
func (v *Server) told(r *trace) Trace {
	l := &r.line
	t := Trace{
		RequestID: string(r.id[:r.size]), At: r.at.UTC(), Method: l.Method, Route: l.Route, Path: v.pattern(l.Route), Caller: l.Caller,
		Status: l.Status, Outcome: l.Outcome, Class: l.Class, Step: l.Step, Cause: l.Cause, Repeat: l.Repeat,
		DurationMS: milliseconds(l.Took), BackendCalls: l.Calls, BytesIn: l.In, BytesOut: l.Out,
		Failed: l.FailedOperation, FailedClass: l.FailedClass, FailedStatus: l.FailedStatus,
		Steps: []TraceStep{}, MoreSteps: max(0, r.n-mostSteps),
	}
	for i := range min(r.n, mostSteps) {
		s := &r.steps[i]
		var c *mapping.Case
		if s.taken >= 0 && int(s.taken) < len(s.step.Cases) {
			c = s.step.Cases[s.taken]
		}
		out := TraceStep{
			Plan: s.plan.Name, Step: s.step.Name, Does: explain.Does(s.step, c), State: contract.State(s.state).String(), Class: s.class,
			Status: int(s.status), Why: s.why, DurationMS: milliseconds(s.took),
		}
		if s.caught != nil {
			out.Caught = explain.Catches(s.caught)
		}
		t.Steps = append(t.Steps, out)
	}
	return t
}

// pattern gives the path of a route, if it still serves.
func (v *Server) pattern(route string) string {
	for _, r := range v.Snapshot().Set.Routes {
		if r.Plan.Name == route {
			return r.Spelled()[0]
		}
	}
	return ""
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
