// Package explain tells what a request would do: step by step the requests it
// would make, what each answer would mean, and the reply. It runs the code that
// serves, with answers from a file or the contracts' examples, and then sends
// nothing; or asks the backends (live.go). It shows nothing personal or secret
// (mask.go). LineageOf tells where values go, and runs nothing at all.
package explain

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/rehearse"
	"github.com/emenda-gateway/emenda/internal/store"
)

// Options are what a request is explained with.
type Options struct {
	Callers   []*intake.Caller
	Caller    *intake.Caller // who calls when the request carries no credentials; nil: nobody
	Contracts map[string]*contract.Contract
	Answers   []*mapping.TestCall // taken before the contracts' examples
	// Plain are the words for paths that belong to no dialect.
	Plain   *mapping.ErrorReplies
	Zone    *time.Location
	Now     time.Time
	Fuel    int // gateway.yaml's limits of one request; 0 for what stands where nothing is said
	MaxEach int
	Live    *Live // nil: nothing is sent
}

// Explanation is what a request would do.
type Explanation struct {
	Text    string // masked
	Replied bool   // with a reply of its mapping, not the dialect's words for why there is none
}

// Request explains a request; ctx ends what is asked of backends.
func Request(ctx context.Context, paths *intake.Paths, r *intake.Request, o Options) *Explanation {
	way, params, problem := paths.Find(r.Method, r.Path)
	var route *mapping.Route
	if way != nil {
		route = way.Route
	}
	r.Params = params
	t := &teller{o: &o, hidden: newHidden(), sources: map[*mapping.Plan]*source{}}
	t.hidden.request(r, route)
	path := r.Path // what a route spells is no one's
	if way == nil || len(params) > 0 || problem != nil {
		path = t.hidden.target(path)
	}
	t.line(0, "%s %s", t.hidden.name(r.Method), path)
	e := exchange.Options{
		Callers: o.Callers, Assume: o.Caller, Zone: o.Zone, Clock: func() time.Time { return o.Now },
		OneByOne: true, Fuel: o.Fuel, MaxEach: o.MaxEach,
	}
	if problem == nil && r.Header != nil && intake.Encoded(r.Header("Content-Encoding")) {
		problem = intake.EncodingRefused(r, paths.Dialect(r.Path))
	}
	if problem != nil {
		t.unrouted(paths, route, r, problem)
		res := exchange.New(e).Refuse(t.words(paths, route, r), r, problem.Kind, problem.Message, nil)
		t.reply(route, &res)
		return &Explanation{Text: t.text()}
	}

	book := rehearse.NewBook(o.Answers, example)
	book.Told = t.called
	memory := rehearse.NewMemory(nil, false)
	kept := store.NewLocal(1000)
	e.Calls, e.Memory, e.Cache = book, memory, kept
	e.Turns = &rehearse.Turns{Kept: kept, Memory: memory}
	orders := new(rehearse.Orders)
	e.Orders = orders
	if o.Live != nil {
		t.live(&e, book)
	}
	if way.Exposed != nil {
		res := t.exposed(ctx, way.Exposed, r, e)
		t.reply(nil, &res)
		return &Explanation{Text: t.text(), Replied: res.Report.Outcome == "ok"}
	}
	t.route(route)
	res := exchange.New(e).Serve(ctx, route, r, t, nil)
	t.signedIn(route, &res.Report)
	t.run(route, book, &res)
	t.order(ctx, route, orders, &e, book)
	t.reply(route, &res)
	return &Explanation{Text: t.text(), Replied: res.Report.Outcome == "ok"}
}

// words are those in which a request without a route is answered.
func (t *teller) words(paths *intake.Paths, route *mapping.Route, r *intake.Request) *mapping.ErrorReplies {
	if route != nil {
		return route.Errors
	}
	if d := paths.Dialect(r.Path); d != nil {
		return d.Errors
	}
	return t.o.Plain
}

// example answers a call with an example of its contract: the first by name
// that is taken as ok, else the first.
func example(op *contract.Operation) *mapping.TestCall {
	c := &mapping.TestCall{Operation: op}
	for _, name := range slices.Sorted(maps.Keys(op.Examples)) {
		c.Example = op.Examples[name]
		status, contentType, body := rehearse.Said(c)
		a := backend.NewAnswer(op, status, contentType, body)
		good := a.State == contract.OK
		a.Release()
		if good {
			return c
		}
	}
	if len(op.Examples) > 0 {
		c.Example = op.Examples[slices.Min(slices.Collect(maps.Keys(op.Examples)))]
		return c
	}
	if op.AnswerKind == contract.NoAnswer {
		c.Status = 204
		return c
	}
	c.Fail = "unavailable"
	return c
}
