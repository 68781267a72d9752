// Package exchange takes one request from read bytes to written answer,
// without HTTP on either side: sign-in, input, the flow, the reply, and the
// dialect's words for everything that goes wrong. Serving, mapping tests and
// dry runs are the same code.
package exchange

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/store"
)

// Options are what exchanges run with.
type Options struct {
	Callers     []*intake.Caller
	Calls       flow.Caller
	Memory      flow.Memory
	Cache       flow.Cache
	Turns       Turns   // nil: nothing is kept of what changes something
	Rates       Rates   // nil: callers may call as often as they like
	SignIns     SignIns // nil: who signs in wrongly never has to wait
	SignInLimit store.SignInLimit
	Tickets     Tickets // nil: callers fetch no tokens
	Orders      Orders  // nil: durable mappings cannot begin anything
	Zone        *time.Location
	Clock       func() time.Time
	// Unavailable tells of a backend whether it is not to be called, and what callers are told; may be nil.
	Unavailable func(backend string) (words string, out bool)
	OneByOne    bool // calls one at a time, so that runs compare (tests, dry runs)
	// Assume is who calls when a request carries no credentials: tests and dry
	// runs are made as somebody without knowing a secret. Nil when serving.
	Assume  *intake.Caller
	MaxEach int // the most elements an `each` may have; 0: flow.DefaultMaxEach
	Fuel    int // how much work a request's expressions may do; 0: expr.DefaultFuel
}

// Receiver is a Watcher that is also told what input became. The value lives
// only during the call.
type Receiver interface{ Received(input jsonx.Value) }

// Exchanger answers requests of one set of mappings. It is immutable and safe for concurrent use.
type Exchanger struct{ o Options }

// New gives an exchanger.
func New(o Options) *Exchanger { return &Exchanger{o: o} }

// now gives the moment of a request.
func (e *Exchanger) now(r *intake.Request) time.Time {
	if r.At.IsZero() {
		return e.o.Clock()
	}
	return r.At
}

// Response is an answer, ready to be written.
type Response struct {
	Status int
	Type   string // Content-Type
	Header []contract.Header
	Body   []byte
	Report Report
}

// Report is what the log line and the metrics say about an exchange.
type Report struct {
	Caller  string // "" when not signed in
	Assumed bool   // the caller is Options.Assume
	Outcome string // "ok", or the kind of the dialect's error
	Class   string
	Step    string
	Cause   *expr.RuntimeError
	Calls   int
	Failed  FailedCall      // the last that failed, also when a step went on without it
	Reply   int             // which of the mapping's replies; -1 when the dialect's words or a kept answer went out
	Repeat  string          // of a route with repeat: what was found (store.Found)
	Problem *intake.Problem // why the dialect's words went out; its message may hold a backend's
}

// Serve answers request r of route, appending the body to buf. ctx carries no
// deadline of its own; the route's is set here.
func (e *Exchanger) Serve(ctx context.Context, route *mapping.Route, r *intake.Request, watch flow.Watcher, buf []byte) Response {
	p := route.Plan
	now := e.now(r)
	f := expr.NewFrame(p.Layout, now, e.o.Zone)
	defer f.Release()
	if e.o.Fuel > 0 {
		f.SetFuel(e.o.Fuel)
	}

	read := intake.Read
	if p.Input != nil && p.Input.Document != nil {
		read = intake.ReadDocument
	}
	fields, problem := read(f.Arena, r, route.Dialect)
	if problem != nil {
		return e.refuse(route.Errors, r, problem, Report{}, buf)
	}
	defer fields.Release()
	report := Report{}
	caller, problem := e.admit(ctx, fields, r, route.Dialect, now, &report)
	if problem != nil {
		return e.refuse(route.Errors, r, problem, report, buf)
	}
	if route.TokenHeader != "" && e.o.Tickets != nil && fetches(r) {
		if _, problem := e.ticket(route.TokenHeader, caller, r, now); problem != nil {
			return e.refuse(route.Errors, r, problem, report, buf)
		}
	}
	if !caller.May(route.Needs) {
		return e.refuse(route.Errors, r, forbidden(route.Needs), report, buf)
	}
	e.prepare(f, route, r, caller)
	input, warnings, problem := intake.Input(f, fields, r, route, caller)
	if problem != nil {
		report.Cause = problem.Cause
		return e.refuse(route.Errors, r, problem, report, buf)
	}

	if w, ok := watch.(Receiver); ok {
		w.Received(input)
	}
	given := flow.Given{Input: input, Caller: caller.Value, Warnings: warnings}
	if p.Slots.Request >= 0 {
		given.Request = f.Get(p.Slots.Request)
	}
	if p.Ordered() {
		return e.order(ctx, f, route, r, caller, given, report, buf)
	}
	ctx, cancel := withDeadline(ctx, r.At, route.Timeout)
	defer cancel()
	if !route.Changes {
		return e.run(ctx, f, route, r, given, nil, watch, report, buf)
	}
	turn, answer := e.begin(ctx, f, route, r, input, &report, buf)
	if answer != nil {
		return *answer
	}
	if turn == nil {
		return e.run(ctx, f, route, r, given, nil, watch, report, buf)
	}
	ended := false
	defer func() {
		if !ended {
			turn.Abandon()
		}
	}()
	res := e.run(ctx, f, route, r, given, turn, watch, report, buf)
	ended = true
	end(turn, &res)
	return res
}

// admit tells who calls, and notes it in the report. The problem tells that it
// is nobody known, or somebody who has to wait; a caller that calls too often
// is given with it.
func (e *Exchanger) admit(ctx context.Context, fields *intake.Fields, r *intake.Request, d *mapping.Dialect, now time.Time, report *Report) (*intake.Caller, *intake.Problem) {
	caller, problem := intake.SignIn(fields, r, d, e.o.Callers)
	if problem != nil && problem.Kind == mapping.NotSignedIn && e.o.Assume != nil {
		caller, problem, report.Assumed = e.o.Assume, nil, true
	}
	if e.o.SignIns != nil && r.Address != nil {
		problem = e.slowDown(r, caller, problem, now)
	}
	if problem != nil {
		return nil, problem
	}
	report.Caller = caller.Name
	if caller.Rate.N > 0 && e.o.Rates != nil {
		if wait := e.o.Rates.Take(ctx, caller.Name, caller.Rate, now); wait > 0 {
			return caller, &intake.Problem{Kind: mapping.Limited, Message: "too many requests", Wait: wait}
		}
	}
	return caller, nil
}

// run runs the mapping and gives its reply, or the dialect's words for why there is none.
func (e *Exchanger) run(ctx context.Context, f *expr.Frame, route *mapping.Route, r *intake.Request, given flow.Given, guard flow.Guard, watch flow.Watcher, report Report, buf []byte) Response {
	run := runs.Get().(*running)
	run.counted.next = e.o.Calls
	run.env = flow.Env{
		Calls: &run.counted, Memory: e.o.Memory, Cache: e.o.Cache, Guard: guard, Now: f.Now, Zone: e.o.Zone,
		RequestID: r.ID, Watch: watch, Unavailable: e.o.Unavailable,
		MaxEach: e.o.MaxEach, Fuel: e.o.Fuel, OneByOne: e.o.OneByOne,
	}
	out := flow.Run(ctx, route.Plan, f, given, &run.env, buf)
	var wait time.Duration
	report.Calls, report.Failed, wait = run.counted.take()
	run.env = flow.Env{}
	runs.Put(run)
	if out.Problem != nil {
		report.Class, report.Step, report.Cause = out.Problem.Class, out.Problem.Step, out.Problem.Cause
		if out.Problem.Kind != mapping.KindUnavailable {
			wait = 0
		}
		return e.refuse(route.Errors, r, &intake.Problem{Kind: out.Problem.Kind, Message: out.Problem.Message, Wait: wait}, report, buf)
	}
	report.Outcome, report.Reply = "ok", out.Index
	res := Response{Status: out.Status, Type: out.Type, Header: out.Header, Body: out.Body, Report: report}
	if l := route.Dialect.Languages; l != nil && !res.has("Content-Language") {
		res.inLanguage(l.Name(intake.Language(r, l)))
	}
	return res
}

// prepare fills the slots that rules may read before the run begins.
func (e *Exchanger) prepare(f *expr.Frame, route *mapping.Route, r *intake.Request, caller *intake.Caller) {
	p := route.Plan
	if p.Slots.Caller >= 0 {
		f.Set(p.Slots.Caller, caller.Value)
	}
	if p.Slots.Const >= 0 {
		f.Set(p.Slots.Const, p.Const)
	}
	if p.Slots.Request >= 0 {
		f.Set(p.Slots.Request, requestValue(f.Arena, r, route.Dialect))
	}
	if p.Slots.Now >= 0 {
		f.Set(p.Slots.Now, f.TimeValue(f.Now))
	}
}

// requestValue is what mappings see as `request`: the body where it is JSON, of a header field that comes
// more than once the first, and no credentials.
func requestValue(a *jsonx.Arena, r *intake.Request, d *mapping.Dialect) jsonx.Value {
	m := a.Mark()
	b := a.Buf()
	b = append(b, `{"method":`...)
	b = jsonx.AppendQuoted(b, r.Method)
	b = append(b, `,"path":`...)
	b = jsonx.AppendQuoted(b, r.Path)
	b = append(b, `,"id":`...)
	b = jsonx.AppendQuoted(b, r.ID)
	b = appendLanguage(b, d.Languages.Name(intake.Language(r, d.Languages)))
	b = append(b, `,"header":{`...)
	first := true
	if r.Headers != nil {
		r.Headers(func(name, value string) {
			if credential(d, name) {
				return
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			b = jsonx.AppendQuoted(b, name)
			b = append(b, ':')
			b = jsonx.AppendQuoted(b, value)
		})
	}
	b = append(b, '}')
	if body := jsonBody(r, d); body != "" {
		b = append(append(b, `,"body":`...), body...)
	}
	a.SetBuf(append(b, '}'))
	return jsonx.RawValue(a.Text(m))
}

// jsonBody gives a body that is a JSON object or list, without credentials; "" for any other.
func jsonBody(r *intake.Request, d *mapping.Dialect) string {
	text := strings.Trim(r.Body, " \t\r\n")
	if text == "" || text[0] != '{' && text[0] != '[' {
		return ""
	}
	if _, err := new(jsonx.Arena).Parse(text, true); err != nil {
		return ""
	}
	doc := []byte(text)
	for i := range d.SignIn {
		p := &d.SignIn[i]
		for _, name := range []string{p.Token, p.App} {
			if p.Place != mapping.PlaceBody || name == "" {
				continue
			}
			less, err := jsonx.Delete(doc, name)
			if err != nil {
				return ""
			}
			doc = less
		}
	}
	return string(doc)
}

// credential tells whether a header field carries credentials, of this dialect or of anybody.
func credential(d *mapping.Dialect, name string) bool {
	for _, known := range [...]string{"Authorization", "Proxy-Authorization", "Cookie"} {
		if strings.EqualFold(name, known) {
			return true
		}
	}
	for i := range d.SignIn {
		p := &d.SignIn[i]
		if p.Place == mapping.PlaceHeader && (strings.EqualFold(name, p.Token) || p.App != "" && strings.EqualFold(name, p.App)) {
			return true
		}
	}
	return false
}

// Refuse answers a request that no route takes, in the words of a dialect.
func (e *Exchanger) Refuse(errors *mapping.ErrorReplies, r *intake.Request, kind mapping.ErrorKind, message string, buf []byte) Response {
	return e.refuse(errors, r, &intake.Problem{Kind: kind, Message: message}, Report{}, buf)
}

func (e *Exchanger) refuse(errors *mapping.ErrorReplies, r *intake.Request, p *intake.Problem, report Report, buf []byte) Response {
	reply := errors[p.Kind]
	res := refusal(reply.Status, reply.Type, p, reply.Challenge, report)
	lang := intake.Language(r, reply.Languages)
	if reply.Languages != nil {
		res.inLanguage(reply.Languages.Name(lang))
	}
	if reply.JSON == nil {
		res.Body = append(buf, reply.Text...)
		return res
	}
	f := expr.NewFrame(reply.Layout, e.now(r), e.o.Zone)
	defer f.Release()
	f.Set(reply.Error, errorValue(f.Arena, p, report.Class, reply.Title(lang)))
	f.Set(reply.Request, refusedValue(f.Arena, r, reply.Languages.Name(lang)))
	mark := len(buf)
	res.Body = reply.JSON.AppendJSON(buf, f)
	if cause := f.Err(); cause != nil {
		// The loader has checked this template; what is left is a bound it ran
		// into. The answer is then a plain sentence, never half a body.
		res.Report.Cause = cause
		res.Body = append(buf[:mark], `{"error":"internal error"}`...)
		res.Status, res.Type = 500, typeJSON
	}
	return res
}

// forbidden is the problem of who may not call what it calls, for want of a permission.
func forbidden(needs string) *intake.Problem {
	return &intake.Problem{Kind: mapping.Forbidden, Message: "not allowed", Needs: needs}
}

// refusal is an answer for a problem, without its body; challenge says how to
// sign in, where that is asked for.
func refusal(status int, contentType string, p *intake.Problem, challenge string, report Report) Response {
	report.Outcome, report.Reply, report.Problem = p.Kind.String(), -1, p
	res := Response{Status: status, Type: contentType, Report: report}
	if p.Wait > 0 {
		res.Header = []contract.Header{{Name: "Retry-After", Value: strconv.Itoa(seconds(p.Wait))}}
	}
	if challenge != "" {
		res.Header = append(res.Header, contract.Header{Name: "WWW-Authenticate", Value: challenge})
	}
	return res
}

// refusedValue is what a dialect's replies see as `request`.
func refusedValue(a *jsonx.Arena, r *intake.Request, lang string) jsonx.Value {
	m := a.Mark()
	b := jsonx.AppendQuoted(append(a.Buf(), `{"id":`...), r.ID)
	b = jsonx.AppendQuoted(append(b, `,"path":`...), r.Path)
	b = appendLanguage(b, lang)
	a.SetBuf(append(b, '}'))
	return jsonx.RawValue(a.Text(m))
}

// appendLanguage appends the member language, where there is one.
func appendLanguage(b []byte, lang string) []byte {
	if lang == "" {
		return b
	}
	return jsonx.AppendQuoted(append(b, `,"language":`...), lang)
}

// inLanguage says which language the answer is in, and that the request chose it.
func (res *Response) inLanguage(name string) {
	res.Header = append(res.Header[:len(res.Header):len(res.Header)],
		contract.Header{Name: "Content-Language", Value: name}, contract.Header{Name: "Vary", Value: "Accept-Language"})
}

// has tells whether the answer has a header field of that name.
func (res *Response) has(name string) bool {
	return slices.ContainsFunc(res.Header, func(h contract.Header) bool { return strings.EqualFold(h.Name, name) })
}

// errorValue is what a dialect's replies see as `error`.
func errorValue(a *jsonx.Arena, p *intake.Problem, class, title string) jsonx.Value {
	m := a.Mark()
	b := append(a.Buf(), `{"kind":`...)
	b = jsonx.AppendQuoted(b, p.Kind.String())
	b = append(b, `,"title":`...)
	b = jsonx.AppendQuoted(b, title)
	b = append(b, `,"message":`...)
	b = jsonx.AppendQuoted(b, p.Message)
	b = append(b, `,"class":`...)
	b = jsonx.AppendQuoted(b, class)
	b = append(b, `,"permission":`...)
	if p.Needs == "" {
		b = append(b, "null"...)
	} else {
		b = jsonx.AppendQuoted(b, p.Needs)
	}
	b = append(b, `,"fields":[`...)
	for i, field := range p.Fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsonx.AppendQuoted(b, field)
	}
	b = append(b, `],"errors":[`...)
	for i := range p.Errors {
		if i > 0 {
			b = append(b, ',')
		}
		b = p.Errors[i].Append(b)
	}
	a.SetBuf(append(b, "]}"...))
	return jsonx.RawValue(a.Text(m))
}

// CauseLine gives where a failed expression stands, for the metric by mapping and line.
func (r *Report) CauseLine() (file, line string) {
	if r.Cause == nil || r.Cause.At.File == nil {
		return "", ""
	}
	n, _ := r.Cause.At.File.Position(r.Cause.At.Start)
	return r.Cause.At.File.Name, strconv.Itoa(n)
}
