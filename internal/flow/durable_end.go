package flow

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// end is how a step, an element, an attempt or an undo ended, as it is recorded.
type end struct {
	State   contract.State    `json:"s,omitempty"`
	Class   string            `json:"c,omitempty"`
	Message string            `json:"m,omitempty"`
	Status  int               `json:"n,omitempty"`
	Header  []contract.Header `json:"h,omitempty"`
	Body    json.RawMessage   `json:"b,omitempty"`
	Answer  json.RawMessage   `json:"a,omitempty"` // of the backend, refused and to be caught
	Why     string            `json:"w,omitempty"`
	Cause   string            `json:"e,omitempty"` // our own failure, with its place
	Inner   string            `json:"i,omitempty"` // of a flow: the step inside that ended it
	Case    int               `json:"k"`
	Caught  int               `json:"g,omitempty"` // the catch entry, from 1; 0: none
	Went    bool              `json:"o,omitempty"` // on, in spite of its failure
	Dead    bool              `json:"d,omitempty"` // it ends the order
	Hold    bool              `json:"p,omitempty"` // it is held for people
	Items   []*end            `json:"l,omitempty"`
	At      time.Time         `json:"t"`

	// What has only begun: nothing of it was done when this was recorded.
	Begun begun           `json:"y,omitempty"`
	Given json.RawMessage `json:"z,omitempty"` // the list of an each, a flow's input, an event's key
	Until time.Time       `json:"u,omitzero"`
	Hit   bool            `json:"f,omitempty"` // of a poll: until holds; of a lookup: found

	label string // of the element that ended it
}

// begun is what a step goes on with after it was recorded to have begun.
type begun uint8

const (
	settledNow begun = iota
	beganEach
	beganCall // of something that changes, or is tried for long
	beganFlow
	beganWait
	beganSleep
	beganPoll
)

// endOf copies a result, whose texts stand in memory that goes back with the run; its header where steps.NAME is read.
func endOf(res *result, taken int, s *mapping.Step) *end {
	e := &end{
		State: res.state, Class: res.class, Message: strings.Clone(res.message), Status: res.status, Why: res.why,
		Inner: res.step, Case: taken, Body: jsonOf(res.body),
	}
	if s.Meta >= 0 && len(res.header) > 0 {
		for _, h := range res.header {
			e.Header = append(e.Header, contract.Header{Name: strings.Clone(h.Name), Value: strings.Clone(h.Value)})
		}
	}
	if res.answer != "" {
		e.Answer = json.RawMessage(res.answer)
	}
	if res.cause != nil {
		e.Cause = res.cause.Error()
	}
	return e
}

func jsonOf(v jsonx.Value) json.RawMessage {
	if v.Kind() == jsonx.Absent {
		return nil
	}
	return v.AppendJSON(nil)
}

// result gives the end as a run sees it.
func (e *end) result(r *run) result {
	res := result{
		state: e.State, class: e.Class, message: e.Message, status: e.Status, header: e.Header, why: e.Why,
		step: e.Inner, answer: string(e.Answer),
	}
	if len(e.Body) > 0 {
		res.body = r.own(e.Body)
	}
	return res
}

// restore puts a settled step into a run.
func (e *end) restore(r *run, s *mapping.Step, st *stepRun) {
	st.phase, st.taken, st.res, st.went = settled, e.Case, e.result(r), e.Went
	if s.Each != nil {
		st.items = st.items[:0]
		for _, it := range e.Items {
			st.items = append(st.items, it.result(r))
		}
	}
}

// gather makes the end of an each of its elements': the worst of them, as settleEach does.
func gather(items []*end, at time.Time) *end {
	all := &end{Case: -1, At: at, Items: items}
	body := []byte{'['}
	for i, it := range items {
		if i > 0 {
			body = append(body, ',')
		}
		if len(it.Body) == 0 {
			body = append(body, "null"...)
		} else {
			body = append(body, it.Body...)
		}
		all.Went = all.Went || it.Went
		if it.State != contract.Skipped && it.State > all.State {
			all.State, all.Class, all.Message, all.Status, all.Why, all.Cause = it.State, it.Class, it.Message, it.Status, it.Why, it.Cause
		}
	}
	all.Body = append(body, ']')
	return all
}
