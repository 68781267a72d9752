package backend

import (
	"sync"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/room"
)

// Answer is what a call came to. Its values live until Release.
type Answer struct {
	State    contract.State
	Class    string
	Message  string // the backend's words, when a rule of the contract names them
	Status   int    // 0 when there was no answer
	Header   []contract.Header
	Body     jsonx.Value // Absent when none
	Raw      []byte      // the body as it came, for a call that wants it
	Whole    bool        // Raw is what the operation may answer, and no page nor half of something
	Attempts int
	Took     time.Duration
	Wait     time.Duration // class unavailable: before it is worth trying again; 0: not known

	ended time.Time
	arena *jsonx.Arena
	raw   []byte             // what Header points into
	resp  *fasthttp.Response // what Body points into; nil when there is none
	room  *room.Room         // of which it holds so much
	held  int
}

// What pooled answers keep at most; what is greater is left to the collector.
const (
	keptHeader = 16 << 10
	keptBody   = 256 << 10
)

var answers = sync.Pool{New: func() any { return &Answer{arena: new(jsonx.Arena)} }}

func newAnswer() *Answer { return answers.Get().(*Answer) }

// Release gives the answer's memory back; its values are dead. An answer is released once.
func (a *Answer) Release() {
	a.arena.Reset()
	if a.resp != nil {
		if cap(a.resp.Body()) <= keptBody {
			fasthttp.ReleaseResponse(a.resp)
		}
		a.resp = nil
	}
	if a.held > 0 {
		a.room.Give(a.held)
	}
	raw, header := a.raw[:0], a.Header
	if cap(raw) > keptHeader {
		raw, header = nil, nil
	}
	clear(header)
	*a = Answer{arena: a.arena, raw: raw, Header: header[:0]}
	answers.Put(a)
}

// NewAnswer classifies an answer that did not come over HTTP (tests, dry runs)
// exactly as one that did; body is not kept beyond Release.
func NewAnswer(op *contract.Operation, status int, contentType string, body []byte) *Answer {
	a := newAnswer()
	a.Raw = body
	a.Attempts = 1
	a.Header = append(a.Header, contract.Header{Name: "Content-Type", Value: contentType})
	a.classify(op, status, contentType, body)
	return a
}

// FailedAnswer is an answer of a call that got none: state Failed (Unknown when op changes something and sent says the request had gone out) with class.
func FailedAnswer(op *contract.Operation, class string, sent bool) *Answer {
	a := newAnswer()
	a.Attempts = 1
	a.fail(op, class, sent)
	return a
}

// fail makes a an answer that did not come.
func (a *Answer) fail(op *contract.Operation, class string, sent bool) {
	a.State, a.Class = contract.Failed, class
	if sent && op.Changes {
		a.State = contract.Unknown
	}
}

// classify makes a what the contract says this answer means.
func (a *Answer) classify(op *contract.Operation, status int, contentType string, body []byte) {
	out := op.Classify(a.arena, status, contentType, body)
	a.Status = status
	a.State, a.Class, a.Message, a.Body, a.Whole = out.State, out.Class, out.Message, out.Body, !out.Unreadable
}

// keep copies the header fields out of the response, whose own are only lent.
func (a *Answer) keep(resp *fasthttp.Response) {
	for name, value := range resp.Header.All() {
		a.Header = append(a.Header, contract.Header{Name: a.text(name), Value: a.text(value)})
	}
}

// text copies b to where it stays until Release. When raw grows, what points into its former storage stays good.
func (a *Answer) text(b []byte) string {
	start := len(a.raw)
	a.raw = append(a.raw, b...)
	kept := a.raw[start:]
	return unsafe.String(unsafe.SliceData(kept), len(kept))
}
