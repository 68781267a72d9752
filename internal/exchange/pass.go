package exchange

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Tickets are the tokens that callers fetch from the gateway in the backend's place.
type Tickets interface {
	Issue(caller string, renewed int, now time.Time) string
	Check(ticket, caller string, now time.Time) (renewed int, err error)
}

// passing is what one request of an exposed operation needs, used again once it is over.
type passing struct {
	arena   jsonx.Arena
	query   intake.Pairs
	params  []jsonx.Value
	call    backend.Call
	counted counter
	limit   deadline
	ended   func() // ends limit; bound once
}

var passings = sync.Pool{New: func() any {
	p := new(passing)
	p.ended = p.limit.release
	return p
}}

// typeJSON is what is sent, and what most answers are.
const typeJSON = "application/json"

// within gives ctx with a deadline, as withDeadline, on memory that is used again.
func (p *passing) within(ctx context.Context, from time.Time, d time.Duration) (context.Context, context.CancelFunc) {
	if ctx.Done() != nil {
		return context.WithTimeout(ctx, d)
	}
	p.limit.begin(ctx, from, d)
	return &p.limit, p.ended
}

// release gives the memory back, unless somebody has waited for the deadline
// and may still hold it.
func (p *passing) release() {
	if p.limit.timed != nil {
		return
	}
	p.limit.Context, p.limit.released = nil, false
	p.arena.Reset()
	p.query.Reset()
	clear(p.params)
	req := contract.Request{Target: p.call.Request.Target[:0]}
	p.params, p.call = p.params[:0], backend.Call{Request: req}
	passings.Put(p)
}

// Pass answers a request of an exposed operation: it is held against the
// contract and passed on, and the answer comes back as the backend gave it.
// The body is appended to buf.
func (e *Exchanger) Pass(ctx context.Context, door *mapping.Exposed, r *intake.Request, buf []byte) Response {
	d, now := door.Dialect, e.now(r)
	report := Report{Reply: -1}
	caller, problem := e.admit(ctx, nil, r, d, now, &report)
	if problem != nil {
		return e.turnDown(caller, d, r, problem, report, buf)
	}
	allowed := slices.ContainsFunc(door.Operations, func(o *mapping.ExposedOperation) bool { return caller.May(o.Needs) })
	if !allowed { // who may call none of them is not told what they take
		return e.turnDown(caller, d, r, forbidden(door.Operations[0].Needs), report, buf)
	}
	p := passings.Get().(*passing)
	defer p.release()
	op, problem := p.read(door, r)
	if problem == nil && !caller.May(op.Needs) {
		problem = forbidden(op.Needs)
	}
	if problem != nil {
		return e.turnDown(caller, d, r, problem, report, buf)
	}
	switch {
	case e.o.Tickets == nil: // dry runs
	case op.Gives != mapping.GivesAnswer:
		return e.issue(op, caller, d, r, now, report, buf)
	case op.TokenHeader != "" && fetches(r):
		if _, problem := e.ticket(op.TokenHeader, caller, r, now); problem != nil {
			return e.turnDown(caller, d, r, problem, report, buf)
		}
	}
	if e.o.Unavailable != nil {
		if said, out := e.o.Unavailable(op.Backend); out {
			return e.turnDown(caller, d, r, &intake.Problem{Kind: mapping.KindUnavailable, Message: said}, report, buf)
		}
	}
	ctx, cancel := p.within(ctx, r.At, door.Timeout)
	defer cancel()
	return e.send(ctx, p, op, caller, d, r, report, buf)
}

// read finds which operation is meant and holds the request against it.
func (p *passing) read(door *mapping.Exposed, r *intake.Request) (*mapping.ExposedOperation, *intake.Problem) {
	op := door.Operations[0]
	var body jsonx.Value
	if text := strings.TrimLeft(r.Body, " \t\r\n"); text != "" && (op.BodySchema != nil || len(door.Operations) > 1) {
		var err error
		if body, err = p.arena.Parse(text, true); err != nil {
			return nil, unreadable(err, r, door.Dialect)
		}
	}
	if problem := p.query.Read(&p.arena, r, door.Dialect); problem != nil {
		return nil, problem
	}
	if len(door.Operations) > 1 || op.Variants != nil {
		meant := op.Variant(p.query.Object(&p.arena), body)
		op = nil
		for _, o := range door.Operations {
			if o.Operation == meant {
				op = o
			}
		}
		if op == nil {
			return nil, intake.Refused([]intake.Fault{{Field: "body", Keyword: "variant"}}, door.Dialect, intake.Language(r, door.Dialect.Languages))
		}
	}
	for _, param := range op.Params {
		p.params = append(p.params, received(param, &p.query, r))
	}
	faults := op.Accept(p.params, body)
	if len(faults) == 0 {
		return op, nil
	}
	all := make([]intake.Fault, len(faults))
	for i := range faults {
		all[i] = intake.Fault{Field: faults[i].Field(), Pointer: faults[i].Pointer(), Keyword: faults[i].Keyword}
	}
	problem := intake.Refused(all, door.Dialect, intake.Language(r, door.Dialect.Languages))
	problem.Faults = all
	return nil, problem
}

// unreadable says why a body is no JSON, without quoting it.
func unreadable(err error, r *intake.Request, d *mapping.Dialect) *intake.Problem {
	var syntax *jsonx.SyntaxError
	message := "the body is no JSON"
	if errors.As(err, &syntax) {
		message = syntax.Error()
	}
	return intake.Unreadable(mapping.MessageUnreadable, message, nil, d, intake.Language(r, d.Languages))
}

// received gives the value of a parameter.
func received(param *contract.Param, query *intake.Pairs, r *intake.Request) jsonx.Value {
	switch param.In {
	case contract.InPath:
		for i := range r.Params {
			if r.Params[i].Name == param.Name {
				return jsonx.TextValue(r.Params[i].Value)
			}
		}
	case contract.InQuery:
		return query.Get(param.Name)
	case contract.InHeader:
		if r.Header != nil {
			if v := r.Header(param.Name); v != "" {
				return jsonx.TextValue(v)
			}
		}
	}
	return jsonx.Value{}
}

// send makes the call and gives its answer as it came, or the dialect's words for why there is none.
func (e *Exchanger) send(ctx context.Context, p *passing, op *mapping.ExposedOperation, caller *intake.Caller, d *mapping.Dialect, r *intake.Request, report Report, buf []byte) Response {
	call := &p.call
	call.Operation, call.RequestID, call.Raw, call.Params = op.Operation, r.ID, true, p.params
	call.Plan, call.Step = op.ID, op.ID
	q := &call.Request
	var err error
	q.Method = op.Method
	if q.Target, err = op.AppendTarget(q.Target[:0], p.params); err != nil {
		return e.turnDown(caller, d, r, &intake.Problem{Kind: mapping.BadInput, Message: "the path holds a value that cannot stand there"}, report, buf)
	}
	if r.Query != "" {
		q.Target = append(append(q.Target, '?'), r.Query...)
	}
	for i, param := range op.Params {
		if param.In == contract.InHeader && !p.params[i].None() {
			q.Headers = append(q.Headers, contract.Header{Name: param.Name, Value: p.params[i].Text()})
		}
	}
	if op.BodySchema != nil && r.Body != "" {
		q.Body, q.Type = unsafe.Slice(unsafe.StringData(r.Body), len(r.Body)), typeJSON // only read
	}
	p.counted.next = e.o.Calls
	a := p.counted.Call(ctx, call)
	defer a.Release()
	var wait time.Duration
	report.Calls, report.Failed, wait = p.counted.take()
	report.Class = a.Class
	if kind, sent := outcome(a); !sent {
		if kind != mapping.KindUnavailable {
			wait = 0
		}
		report.Step = op.ID
		return e.turnDown(caller, d, r, &intake.Problem{Kind: kind, Wait: wait}, report, buf)
	}
	if caller.Truthful {
		if res, told := truth(a, report, buf); told {
			return res
		}
	}
	report.Outcome = "ok"
	res := Response{Status: a.Status, Report: report}
	for i := range a.Header {
		switch h := &a.Header[i]; h.Name {
		case "Content-Type":
			res.Type = typeJSON
			if h.Value != typeJSON {
				res.Type = strings.Clone(h.Value)
			}
		case "Content-Disposition":
			res.Header = append(res.Header, contract.Header{Name: h.Name, Value: strings.Clone(h.Value)})
		}
	}
	res.Body = append(buf, a.Raw...)
	return res
}

// outcome tells whether an answer is to be handed on, and if not, what kind of
// failure stands in its place. A no of the backend, however it is dressed, is
// its answer; what is none (a page, half a document), what blames our
// credentials, and what never came are not.
func outcome(a *backend.Answer) (kind mapping.ErrorKind, handOn bool) {
	switch {
	case a.Whole && a.Class != contract.ClassSignIn:
		return 0, true
	case a.Class == contract.ClassTimeout:
		return mapping.KindTimeout, false
	case a.Class == contract.ClassUnavailable:
		return mapping.KindUnavailable, false
	}
	return mapping.KindFailed, false
}
