package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
)

// Kind says how a fault goes wrong.
type Kind string

// The kinds of faults.
const (
	// KindLatency answers rightly, Delay later. A caller that hangs up
	// meanwhile does not undo the call, as in life.
	KindLatency Kind = "latency"
	// KindStatus500 answers {"error": "Internal Server Error"} with 500, or
	// with Status; the operation does nothing.
	KindStatus500 Kind = "status500"
	// KindHTML answers an HTML page with 200, or with Status; the operation
	// does nothing.
	KindHTML Kind = "html"
	// KindTruncate does the operation, promises the length of the whole
	// answer, sends half of it and ends the connection.
	KindTruncate Kind = "truncate"
	// KindCutBeforeRead resets the connection once the request's head has
	// shown which operation it is; the body stays unread, nothing is done.
	KindCutBeforeRead Kind = "cut_before_read"
	// KindCutAfterRead does the operation, then ends the connection without
	// a byte of answer: the caller cannot know that it was done.
	KindCutAfterRead Kind = "cut_after_read"
	// KindIdleClose answers rightly and ends the connection after it has
	// been idle for Delay.
	KindIdleClose Kind = "idle_close"
	// KindExpiredToken makes the token of the call a lapsed one, for this
	// call and for good. It waits for a call that carries a token where one
	// is needed.
	KindExpiredToken Kind = "expired_token"
	// KindBusiness answers, with 200 or with Status, the operation's
	// refusal, or Body; the operation does nothing. It waits for a call
	// whose credentials are right.
	KindBusiness Kind = "business"
)

var kinds = []Kind{
	KindLatency, KindStatus500, KindHTML, KindTruncate, KindCutBeforeRead,
	KindCutAfterRead, KindIdleClose, KindExpiredToken, KindBusiness,
}

// The shapes in which the ERP hides a failure in a 200, for Fault.Body.
const (
	BodyError    = `{"error": "Internal Server Error"}`
	BodyErro     = `{"erro": "Internal Server Error"}`
	BodyErrorUp  = `{"Error": "Não foi possivel encontrar um cliente com CPF/CNPJ informado."}`
	BodyFalha    = `"FALHA"`
	BodyResposta = `{"resposta": "FALHA"}`
	BodyStatus   = `{"Status": "INTERNAL_SERVER_ERROR", "Mensagem": "Não foi possível realizar o aceite."}`
	BodyAccess   = `{"access": false}`
)

// Fault is one thing to go wrong. Delayed and idle-closing faults go along
// with others; of the rest a call gets the one that was added first.
type Fault struct {
	// Operation is the catalogue's id; empty means any call, also one that
	// no operation answers.
	Operation string
	// Of is the document of the customer or prospect whose calls it is for;
	// empty means anybody's. It needs an operation, whose body is read before
	// anything is spoiled. A prospect of another country is told by the note.
	Of   string
	Kind Kind
	// Times is how many calls it applies to: 0 counts as 1, a negative
	// number means until it is removed.
	Times int
	// Delay is the wait of latency and the idle time of idle_close, which
	// both need it; before any other kind it is waited as well.
	Delay time.Duration
	// Status replaces the HTTP status of status500, html and business.
	Status int
	// Body replaces the answer of business, as JSON text.
	Body string
}

// check tells what is wrong with a fault, "" when nothing is.
func (f Fault) check(known []operation) string {
	if !slices.Contains(kinds, f.Kind) {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = string(k)
		}
		return fmt.Sprintf("unknown fault kind %q; allowed: %s", f.Kind, strings.Join(names, ", "))
	}
	if f.Operation != "" && !slices.ContainsFunc(known, func(o operation) bool { return o.id == f.Operation }) {
		names := make([]string, len(known))
		for i, o := range known {
			names[i] = o.id
		}
		hint := "GET " + controlPrefix + "operations lists them"
		if near := diag.Suggest(f.Operation, names); near != "" {
			hint = "did you mean " + near + "?"
		}
		return fmt.Sprintf("unknown operation %q; %s", f.Operation, hint)
	}
	if f.Of != "" && f.Operation == "" {
		return "a fault of one customer needs an operation"
	}
	if f.Delay < 0 {
		return fmt.Sprintf("delay %s is negative", f.Delay)
	}
	if f.Delay == 0 && (f.Kind == KindLatency || f.Kind == KindIdleClose) {
		return fmt.Sprintf("fault %s needs a delay", f.Kind)
	}
	if f.Status != 0 {
		if f.Kind != KindStatus500 && f.Kind != KindHTML && f.Kind != KindBusiness {
			return fmt.Sprintf("fault %s has no status", f.Kind)
		}
		if f.Status < 200 || f.Status > 599 {
			return fmt.Sprintf("status %d is not between 200 and 599", f.Status)
		}
	}
	if f.Body != "" && f.Kind != KindBusiness {
		return fmt.Sprintf("fault %s has no body", f.Kind)
	}
	if f.Body != "" && !json.Valid([]byte(f.Body)) {
		return "the fault's body is not JSON"
	}
	return ""
}

// faults are those still waiting, in the order they were added.
type faults struct {
	mu   sync.Mutex
	list []Fault
}

// plan is what one call gets.
type plan struct {
	// delay is the sum of all waits.
	delay time.Duration
	// idle is the time after which the connection ends, 0 for never.
	idle time.Duration
	// main is the one fault that spoils the answer; its Kind is "" for none.
	main  Fault
	kinds []Kind
}

func (fs *faults) add(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	f.Of = bare(f.Of)
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.list = append(fs.list, f)
}

func (fs *faults) all() []Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return slices.Clone(fs.list)
}

func (fs *faults) reset() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.list = nil
}

// personal tells whether a fault of this operation waits for one customer's call.
func (fs *faults) personal(operation string) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return slices.ContainsFunc(fs.list, func(f Fault) bool { return f.Of != "" && f.Operation == operation })
}

// take plans one call, which is about of, and uses the faults up. able says
// whether a kind can show in this call at all; one that cannot goes on waiting.
func (fs *faults) take(operation, of string, able func(Kind) bool) plan {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var p plan
	kept := fs.list[:0]
	for _, f := range fs.list {
		if (f.Operation == "" || f.Operation == operation) && (f.Of == "" || f.Of == of) && p.accept(f, able) {
			if f.Times > 0 {
				f.Times--
			}
		}
		if f.Times != 0 {
			kept = append(kept, f)
		}
	}
	clear(fs.list[len(kept):])
	fs.list = kept
	return p
}

// accept puts a fault into the plan, unless there is no room for it.
func (p *plan) accept(f Fault, able func(Kind) bool) bool {
	switch f.Kind {
	case KindLatency:
		p.delay += f.Delay
	case KindIdleClose:
		// Two of them: the shorter one shows.
		if p.idle == 0 || f.Delay < p.idle {
			p.idle = f.Delay
		}
	default:
		if p.main.Kind != "" || !able(f.Kind) {
			return false
		}
		p.main = f
		p.delay += f.Delay
	}
	p.kinds = append(p.kinds, f.Kind)
	return true
}

// Fault adds a fault. It panics on one that could never show (an unknown kind
// or operation, a missing delay): a test that names it wrongly must not pass.
func (s *Sandbox) Fault(f Fault) {
	if wrong := f.check(s.routes); wrong != "" {
		panic("sandbox: " + wrong)
	}
	s.faults.add(f)
}

// ClearFaults removes every fault still waiting.
func (s *Sandbox) ClearFaults() { s.faults.reset() }
