// Package routes is HTTP in: a Fiber app built from a snapshot, swapped whole
// behind one listener, and the admin listener beside it. It turns what arrives
// into an intake.Request, has it answered by internal/exchange, and writes the
// answer; every failure, those of the HTTP layer included, is told in the words
// of the dialect whose prefix the path has.
package routes

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// app is the Fiber app of one snapshot.
type app struct {
	snapshot *snapshot.Snapshot
	metrics  *observe.Metrics
	log      *slog.Logger
	lost     *observe.Route // requests no route takes
	dialects []prefix       // longest first
	handler  fasthttp.RequestHandler
	methods  map[string]bool // those Fiber knows
	buffers  sync.Pool
}

// prefix is where a dialect's paths begin.
type prefix struct {
	path    string
	dialect *mapping.Dialect
}

// maxKept is the largest body buffer that goes back to the pool.
const maxKept = 64 << 10

func newApp(s *snapshot.Snapshot, m *observe.Metrics, log *slog.Logger) *app {
	a := &app{snapshot: s, metrics: m, log: log, lost: m.Route(""), methods: map[string]bool{}}
	a.buffers.New = func() any { b := make([]byte, 0, 4<<10); return &b }
	f := fiber.New(fiber.Config{
		CaseSensitive:         true,
		StrictRouting:         true,
		DisableStartupMessage: true,
		ErrorHandler:          a.unrouted,
	})
	for _, m := range fiber.DefaultMethods {
		a.methods[m] = true
	}
	for _, d := range s.Set.Dialects {
		for _, p := range d.Prefixes {
			a.dialects = append(a.dialects, prefix{path: strings.TrimSuffix(p, "/"), dialect: d})
		}
	}
	sortLongestFirst(a.dialects)
	for _, route := range s.Set.Routes {
		h := a.answer(route)
		for _, p := range route.Dialect.Prefixes {
			path := strings.TrimSuffix(p, "/") + "/" + strings.Trim(fiberPath(route.Path), "/")
			for _, method := range route.Methods {
				if route.Dialect.Slash != mapping.SlashAlways {
					f.Add(method, path, h)
				}
				if route.Dialect.Slash != mapping.SlashNever {
					f.Add(method, path+"/", h)
				}
			}
		}
	}
	a.handler = f.Handler()
	return a
}

// fiberPath spells {name} as Fiber does.
func fiberPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// serve is the app's entry: what Fiber would answer in words of its own is caught here.
func (a *app) serve(ctx *fasthttp.RequestCtx) {
	defer func() {
		if r := recover(); r != nil {
			a.log.Error("panic while answering a request", slog.String("request_id", requestID(ctx)), slog.String("stack", stack()))
			ctx.Response.Reset()
			a.refuse(ctx, mapping.Internal, "internal error", time.Now())
		}
	}()
	switch {
	case !a.methods[text(ctx.Method())]:
		a.refuse(ctx, mapping.BadMethod, "method not allowed", time.Now())
	case ambiguousLength(ctx):
		ctx.SetConnectionClose()
		a.refuse(ctx, mapping.Unreadable, "Transfer-Encoding and Content-Length together", time.Now())
	case encoded(ctx):
		a.refuse(ctx, mapping.Unreadable, "Content-Encoding is not supported", time.Now())
	default:
		a.handler(ctx)
	}
}

// answer is the handler of one route.
func (a *app) answer(route *mapping.Route) fiber.Handler {
	counters := a.metrics.Route(route.Plan.Name)
	leftOut := a.snapshot.RouteLeftOut(route)
	return func(c *fiber.Ctx) error {
		ctx := c.Context()
		begin := time.Now()
		counters.Begin()
		r := readRequest(ctx)
		for _, name := range c.Route().Params {
			r.Params = append(r.Params, intake.Param{Name: name, Value: c.Params(name)})
		}
		buf := a.buffers.Get().(*[]byte)
		var res exchange.Response
		if leftOut {
			res = a.snapshot.Exchanger.Refuse(route.Errors, &r, mapping.KindUnavailable, "not available", (*buf)[:0])
		} else {
			res = a.snapshot.Exchanger.Serve(context.Background(), route, &r, nil, (*buf)[:0])
		}
		a.write(ctx, &r, &res)
		a.done(ctx, counters, route.Plan.Name, &r, &res, begin)
		if cap(res.Body) <= maxKept {
			*buf = res.Body[:0]
			a.buffers.Put(buf)
		}
		return nil
	}
}

// unrouted answers what Fiber found no route for.
func (a *app) unrouted(c *fiber.Ctx, err error) error {
	kind, message := mapping.NoRoute, "no such route"
	switch e := err.(type) {
	case *fiber.Error:
		if e.Code == fiber.StatusMethodNotAllowed {
			kind, message = mapping.BadMethod, "method not allowed"
		}
	default:
		kind, message = mapping.Internal, "internal error"
	}
	a.refuse(c.Context(), kind, message, time.Now())
	return nil
}

// refuse answers a request that has no route, in the words of the dialect whose prefix it has.
func (a *app) refuse(ctx *fasthttp.RequestCtx, kind mapping.ErrorKind, message string, begin time.Time) {
	a.lost.Begin()
	r := readRequest(ctx)
	res := a.snapshot.Exchanger.Refuse(a.errorsFor(r.Path), &r, kind, message, nil)
	a.write(ctx, &r, &res)
	a.done(ctx, a.lost, "", &r, &res, begin)
}

// errorsFor finds the words for a path: the dialect's of the longest prefix, else plain ones.
func (a *app) errorsFor(path string) *mapping.ErrorReplies {
	for _, p := range a.dialects {
		if rest, ok := strings.CutPrefix(path, p.path); ok && (rest == "" || rest[0] == '/' || p.path == "") {
			return p.dialect.Errors
		}
	}
	return a.snapshot.PlainErrors
}

func (a *app) write(ctx *fasthttp.RequestCtx, r *intake.Request, res *exchange.Response) {
	ctx.SetStatusCode(res.Status)
	h := &ctx.Response.Header
	h.SetContentType(res.Type)
	h.Set("X-Request-Id", r.ID)
	h.Set("Cache-Control", "no-store")
	for _, field := range res.Header {
		h.Add(field.Name, field.Value)
	}
	ctx.SetBody(res.Body)
}

func (a *app) done(ctx *fasthttp.RequestCtx, counters *observe.Route, route string, r *intake.Request, res *exchange.Response, begin time.Time) {
	took := time.Since(begin)
	rep := &res.Report
	counters.Done(rep.Caller, rep.Outcome, took)
	line := observe.Line{
		ID: r.ID, Method: r.Method, Route: route, Caller: rep.Caller, Status: res.Status, Outcome: rep.Outcome,
		Class: rep.Class, Step: rep.Step, Took: took, Calls: rep.Calls, In: len(r.Body), Out: len(res.Body),
	}
	if route == "" {
		line.Path = r.Path
	}
	if rep.Cause != nil {
		line.Cause = rep.Cause.Error()
		a.metrics.TemplateFailed(rep.CauseLine())
	}
	if rep.Outcome == "bad_sign_in" || rep.Outcome == "not_signed_in" {
		line.Address = ctx.RemoteIP().String()
	}
	line.Log(a.log)
}

// readRequest gives the request as intake reads it; its strings point into ctx
// and are good until the handler returns.
func readRequest(ctx *fasthttp.RequestCtx) intake.Request {
	h := &ctx.Request.Header
	return intake.Request{
		ID:     requestID(ctx),
		Method: text(ctx.Method()),
		Path:   text(ctx.URI().PathOriginal()),
		Query:  text(ctx.URI().QueryString()),
		Type:   text(h.ContentType()),
		Body:   text(ctx.Request.Body()),
		Header: func(name string) string { return text(h.Peek(name)) },
		Headers: func(yield func(name, value string)) {
			for name, value := range h.All() {
				yield(text(name), text(value))
			}
		},
		Address: ctx.RemoteIP().String(),
	}
}

// requestID gives the request's id, the same each time it is asked for.
func requestID(ctx *fasthttp.RequestCtx) string {
	if id, ok := ctx.UserValue(idKey{}).(string); ok {
		return id
	}
	id := strings.Clone(observe.RequestID(text(ctx.Request.Header.Peek("X-Request-Id"))))
	ctx.SetUserValue(idKey{}, id)
	return id
}

type idKey struct{}

// ambiguousLength tells whether the request gave its length twice (RFC 9112, 6.3):
// fasthttp takes the chunks and forgets the Content-Length, a proxy before us may not have.
func ambiguousLength(ctx *fasthttp.RequestCtx) bool {
	if ctx.Request.Header.ContentLength() != -1 {
		return false
	}
	raw := text(ctx.Request.Header.RawHeaders())
	for line := range strings.SplitSeq(raw, "\n") {
		name, _, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(strings.TrimSpace(name), "content-length") {
			return true
		}
	}
	return false
}

func encoded(ctx *fasthttp.RequestCtx) bool {
	e := text(ctx.Request.Header.ContentEncoding())
	return e != "" && !strings.EqualFold(e, "identity")
}

// text views bytes as a string without copying.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
