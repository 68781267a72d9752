package routes

import (
	"context"
	"log/slog"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/store"
)

// app is the Fiber app of one snapshot.
type app struct {
	snapshot *snapshot.Snapshot
	metrics  *observe.Metrics
	log      *slog.Logger
	lost     *observe.Route // requests no route takes
	paths    *intake.Paths
	only     *mapping.ErrorReplies
	proxies  proxies
	traces   *traces
	handler  fasthttp.RequestHandler
	exact    map[string][]exactWay // by path, for paths without parameters
	cors     bool                  // pages of other origins may call some dialect
	compress bool                  // answers, for those who accept it

	underWay atomic.Int64
	retired  atomic.Bool
	ended    sync.Once
	end      func() // closes the snapshot
}

// enter counts a request under way; false when the app is retired.
func (a *app) enter() bool {
	a.underWay.Add(1)
	// After the count: who retires it later sees this request, and waits for it.
	if !a.retired.Load() {
		return true
	}
	a.leave()
	return false
}

// leave ends a request; the last one of a retired app closes its snapshot.
func (a *app) leave() {
	// Counted again once it is known to be retired: between the two another may
	// have entered before it was.
	if a.underWay.Add(-1) == 0 && a.retired.Load() && a.underWay.Load() == 0 {
		a.ended.Do(a.end)
	}
}

// retire lets no request in any more.
func (a *app) retire() {
	a.retired.Store(true)
	if a.underWay.Load() == 0 {
		a.ended.Do(a.end)
	}
}

func newApp(s *snapshot.Snapshot, m *observe.Metrics, log *slog.Logger, t *traces) *app {
	a := &app{snapshot: s, metrics: m, log: log, lost: m.Route(""), only: s.PlainErrors, paths: intake.NewPaths(s.Set), end: s.Close, traces: t}
	a.compress = s.Settings.Compress
	a.proxies = proxies{trusted: s.Settings.TrustedProxies, forwarded: s.Settings.Forwarded}
	f := fiber.New(fiber.Config{
		CaseSensitive:         true,
		StrictRouting:         true,
		DisableStartupMessage: true,
		ErrorHandler:          a.unrouted,
	})
	for _, d := range s.Set.Dialects {
		a.cors = a.cors || d.CORS != nil
		if len(s.Set.Dialects) == 1 {
			a.only = d.Errors
		}
	}
	a.add(f)
	a.docs(f)
	a.handler = f.Handler()
	return a
}

// add registers every way under each of its spellings. A path without
// parameters is found at once, before Fiber walks through all there are: it is
// the most literal one, which is asked first.
func (a *app) add(f *fiber.App) {
	a.exact = map[string][]exactWay{}
	answers := map[*mapping.Route]takes{}
	for _, w := range a.paths.Ways {
		_, names := fiberPath(w.Path)
		var h takes
		switch {
		case w.Exposed != nil:
			h = a.pass(w.Exposed)
		case answers[w.Route] != nil:
			h = answers[w.Route]
		default:
			h = a.answer(w.Route)
			answers[w.Route] = h
		}
		given := a.given(h, names)
		for _, path := range w.Spellings() {
			pattern, _ := fiberPath(path)
			for _, method := range w.Methods {
				f.Add(method, pattern, given)
				if len(names) == 0 {
					a.exact[path] = append(a.exact[path], exactWay{method, h})
				}
			}
		}
	}
}

// takes answers a request whose way is found.
type takes func(x *arrival)

// exactWay is what takes a method at a path.
type exactWay struct {
	method string
	takes  takes
}

// exactly gives what takes a request whose path is spelled out; nil for none.
func (a *app) exactly(x *arrival) takes {
	ways := a.exact[x.request.Path]
	for i := range ways {
		if ways[i].method == x.request.Method {
			return ways[i].takes
		}
	}
	return nil
}

// given makes Fiber's handler of what takes a request: with the path's parameters.
func (a *app) given(h takes, names []string) fiber.Handler {
	params := make([]string, len(names))
	for i := range names {
		params[i] = paramName(i)
	}
	return func(c *fiber.Ctx) error {
		x := arrived(c.Context())
		for i, name := range names {
			value, ok := intake.PathText(c.Params(params[i]))
			x.badPath = x.badPath || !ok
			x.request.Params = append(x.request.Params, intake.Param{Name: name, Value: value})
		}
		h(x)
		return nil
	}
}

// escape spells literal text in Fiber's patterns.
var escape = strings.NewReplacer(`\`, `\\`, ":", `\:`, "*", `\*`, "+", `\+`)

// fiberPath spells a route's path as Fiber does, and gives the names of its
// {parameters} in their order; Fiber knows them by number, because it ends
// a name at "-" and ".".
func fiberPath(path string) (pattern string, names []string) {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if name, ok := strings.CutPrefix(s, "{"); ok {
			segments[i] = ":" + paramName(len(names))
			names = append(names, strings.TrimSuffix(name, "}"))
			continue
		}
		segments[i] = escape.Replace(s)
	}
	return strings.Join(segments, "/"), names
}

func paramName(i int) string { return "p" + strconv.Itoa(i) }

// serve is the app's entry: what Fiber would answer in words of its own is
// caught here. crowded tells that more connections are open than may be.
func (a *app) serve(ctx *fasthttp.RequestCtx, crowded bool) {
	x := arrive(ctx)
	x.proxies = &a.proxies
	a.metrics.Begin()
	defer a.finish(x)
	switch {
	case crowded:
		ctx.SetConnectionClose()
		ctx.Response.Header.Set(fiber.HeaderRetryAfter, "1")
		a.refuse(x, mapping.KindUnavailable, "")
	case badLength(ctx):
		ctx.SetConnectionClose()
		a.refuse(x, mapping.Unreadable, "Transfer-Encoding and Content-Length together")
	case intake.Encoded(text(ctx.Request.Header.ContentEncoding())):
		a.refuse(x, mapping.Unreadable, intake.EncodingRefused(&x.request, a.paths.Dialect(x.request.Path)).Message)
	case strings.HasPrefix(text(ctx.RequestURI()), "//"):
		// The library would take the first name for a host and route the rest.
		a.refuse(x, mapping.NoRoute, "no such route")
	default:
		if x.stranger && a.cors && a.preflight(x) {
			return
		}
		if x.stranger && !slices.Contains(fiber.DefaultMethods, x.request.Method) {
			// Fiber answers a method it does not know in words of its own; to one
			// that it knows and no route has it finds what to allow.
			ctx.Request.Header.SetMethod(fiber.MethodTrace)
		}
		if h := a.exactly(x); h != nil {
			h(x)
			return
		}
		x.handOn(a.handler)
	}
}

// finish logs and counts a request, having answered for a handler that panicked.
func (a *app) finish(x *arrival) {
	if r := recover(); r != nil {
		// What was panicked with may quote the request: only the stack is told.
		a.log.Error("panic while answering a request", slog.String("request_id", x.request.ID), slog.String("stack", string(debug.Stack())))
		a.panicked(x)
	}
	a.done(x)
	x.leave()
}

// panicked answers with the dialect's words for an internal error, and
// without them when it is there that the fault is.
func (a *app) panicked(x *arrival) {
	defer func() {
		if recover() != nil {
			res := exchange.Response{Status: 500, Type: "application/json", Body: []byte(`{"error":"internal error"}`)}
			res.Report.Outcome = mapping.Internal.String()
			a.write(x, &res)
		}
	}()
	x.ctx.Response.Reset()
	x.request.Params = x.request.Params[:0]
	a.refuse(x, mapping.Internal, "internal error")
}

// answer takes the requests of one mapping.
func (a *app) answer(route *mapping.Route) takes {
	counters := a.metrics.Route(route.Plan.Name)
	shut := a.shut(route.Dialect)
	return func(x *arrival) {
		x.counters, x.route, x.errors = counters, route.Plan.Name, route.Errors
		if shut(x) {
			return
		}
		res := a.snapshot.Exchanger.Serve(context.Background(), route, &x.request, x.watched(a.traces.take()), x.body[:0])
		a.write(x, &res)
	}
}

// pass takes the requests of an exposed operation.
func (a *app) pass(door *mapping.Exposed) takes {
	counters := a.metrics.Route(door.Name)
	shut := a.shut(door.Dialect)
	return func(x *arrival) {
		x.counters, x.route, x.errors = counters, door.Name, door.Dialect.Errors
		if shut(x) {
			return
		}
		res := a.snapshot.Exchanger.Pass(context.Background(), door, &x.request, x.body[:0])
		a.write(x, &res)
	}
}

// shut answers what no way of a dialect takes: nothing while it is under
// maintenance or nobody can sign in, and never a path that cannot be read.
func (a *app) shut(d *mapping.Dialect) func(x *arrival) bool {
	leftOut := a.snapshot.LeftOutDialect(d)
	closed := a.snapshot.Settings.Maintenance[d.Name]
	return func(x *arrival) bool {
		switch {
		case closed.On:
			a.refuse(x, mapping.KindUnavailable, closed.Words)
		case x.badPath:
			a.refuse(x, mapping.Unreadable, "the path holds a malformed percent escape")
		case leftOut:
			a.refuse(x, mapping.KindUnavailable, "")
		default:
			return false
		}
		return true
	}
}

// unrouted answers what Fiber found no route for.
func (a *app) unrouted(c *fiber.Ctx, err error) error {
	x := arrived(c.Context())
	kind, message := mapping.Internal, "internal error"
	if e, ok := err.(*fiber.Error); ok { //nolint:errorlint // Fiber's router gives it bare
		kind, message = mapping.NoRoute, "no such route"
		h := &c.Context().Response.Header
		if e.Code == fiber.StatusMethodNotAllowed || x.stranger {
			kind, message = mapping.BadMethod, "method not allowed"
			if len(h.Peek(fiber.HeaderAllow)) == 0 {
				h.Set(fiber.HeaderAllow, "") // RFC 9110, 10.2.1: no method at all
			}
		}
	}
	a.refuse(x, kind, message)
	return nil
}

// refuse answers without running a mapping: in the words of the route, else of
// the dialect whose prefix the path has. The message of what is unavailable is
// an operator's, for callers, or none: dialects may show it.
func (a *app) refuse(x *arrival, kind mapping.ErrorKind, message string) {
	words := x.errors
	if words == nil {
		words = a.errorsFor(x.request.Path)
	}
	res := a.snapshot.Exchanger.Refuse(words, &x.request, kind, message, x.body[:0])
	a.write(x, &res)
}

// errorsFor finds the words for a path: those of the dialect with the longest
// prefix, else plain ones. A request without a path could not be read; where
// there is one dialect only, its caller speaks that.
func (a *app) errorsFor(path string) *mapping.ErrorReplies {
	if path == "" {
		return a.only
	}
	if d := a.paths.Dialect(path); d != nil {
		return d.Errors
	}
	return a.snapshot.PlainErrors
}

func (a *app) write(x *arrival, res *exchange.Response) {
	ctx := x.ctx
	ctx.SetStatusCode(res.Status)
	h := &ctx.Response.Header
	h.SetContentType(res.Type)
	if !slices.ContainsFunc(res.Header, cacheable) {
		h.SetCanonical(cacheControl, noStore)
	}
	for i := range res.Header {
		h.Add(res.Header[i].Name, res.Header[i].Value)
	}
	h.SetCanonical(requestID, unsafe.Slice(unsafe.StringData(x.request.ID), len(x.request.ID)))
	if a.cors {
		a.shareable(x)
	}
	body := res.Body
	if a.compress && len(body) >= worthCompressing {
		body = compressed(x, res)
	}
	// The body was written into the arrival's buffer, which changes places with the response's.
	x.report, x.status, x.size = res.Report, res.Status, len(body)
	x.body = ctx.Response.SwapBody(body)
	ctx.Response.SkipBody = x.request.Method == fiber.MethodHead
}

var cacheControl, noStore, requestID = []byte(fiber.HeaderCacheControl), []byte("no-store"), []byte("X-Request-Id")

// cacheable tells whether a field says itself whether the answer may be kept.
func cacheable(h contract.Header) bool { return strings.EqualFold(h.Name, fiber.HeaderCacheControl) }

func (a *app) done(x *arrival) {
	rep := &x.report
	counters := x.counters
	if counters == nil {
		counters = a.lost
	}
	now := time.Now()
	took := now.Sub(x.request.At)
	counters.Done(rep.Caller, rep.Outcome, took)
	line := observe.Line{
		ID: x.request.ID, Method: x.request.Method, Route: x.route, Caller: rep.Caller, Status: x.status, Outcome: rep.Outcome,
		Class: rep.Class, Step: rep.Step, Took: took, Calls: rep.Calls, In: len(x.request.Body), Out: x.size,
		FailedOperation: rep.Failed.Operation, FailedClass: rep.Failed.Class, FailedStatus: rep.Failed.Status,
	}
	if !slices.Contains(fiber.DefaultMethods, line.Method) {
		line.Method = "other" // it may be anything, a document number too
	}
	if rep.Repeat != firstRequest {
		line.Repeat = rep.Repeat
	}
	if x.route == "" {
		line.Path = x.request.Path
	}
	if rep.Cause != nil {
		line.Cause = rep.Cause.Error()
		a.metrics.TemplateFailed(rep.CauseLine())
	}
	if rep.Outcome == badSignIn || rep.Outcome == notSignedIn || rep.Outcome == limited && rep.Caller == "" {
		line.Address = a.proxies.client(x.ctx).String()
	}
	line.Log(a.log, now)
	a.traces.keep(x, &line)
}

var firstRequest = store.First.String()

var badSignIn, notSignedIn, limited = mapping.BadSignIn.String(), mapping.NotSignedIn.String(), mapping.Limited.String()
