package routes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/durable"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// Server serves a snapshot; Swap replaces it whole while requests under way
// finish on the one they started with.
type Server struct {
	http     fasthttp.Server
	app      atomic.Pointer[app]
	listener atomic.Pointer[listener]
	limits   config.ResolvedLimits
	crowd    *crowd
	tls      certificates
	adminTLS certificates
	metrics  *observe.Metrics
	log      *slog.Logger
	closing  atomic.Bool
	reloads  Reloads         // nil: nothing is reloaded
	orders   *durable.Orders // nil: none are kept
	traces   *traces
	swapping sync.Mutex
	ended    bool // no snapshot is taken any more
}

// writeTimeout is how long a client may take to receive an answer.
const writeTimeout = 30 * time.Second

// NewServer gives a server for s; it does not listen yet.
func NewServer(s *snapshot.Snapshot, m *observe.Metrics, log *slog.Logger) *Server {
	v := &Server{metrics: m, log: log, traces: newTraces(s.Settings.Traces)}
	v.Swap(s)
	l := s.Settings.Limits
	v.limits = l
	v.crowd = newCrowd(l.Connections, l.Body, m.ConnectionShed)
	m.Connections(v.crowd.count)
	v.http = fasthttp.Server{
		Handler:            v.handle,
		ErrorHandler:       v.unreadable,
		ExpectHandler:      v.expect,
		HeaderReceived:     v.received,
		Logger:             quiet{log},
		MaxRequestBodySize: l.Body,
		ReadBufferSize:     l.Header,
		ReadTimeout:        l.ReadTimeout,
		WriteTimeout:       writeTimeout,
		IdleTimeout:        l.IdleTimeout,
		// Far more than crowd lets in: the library has no words for who comes
		// while those that were closed for others are on their way out.
		Concurrency:                  2*l.Connections + 1024,
		DisablePreParseMultipartForm: true,
		SecureErrorLogMessage:        true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		CloseOnShutdown:              true,
		LazyRequestTime:              true, // nobody asks for it
	}
	return v
}

// Swap makes s the snapshot that new requests are answered with. Requests under
// way finish on the one that was, which is closed after the last of them; s
// belongs to the server now.
func (v *Server) Swap(s *snapshot.Snapshot) {
	next := newApp(s, v.metrics, v.log, v.traces)
	v.swapping.Lock()
	defer v.swapping.Unlock()
	if v.ended {
		s.Close()
		return
	}
	v.tls.take(s.Settings.TLS)
	v.adminTLS.take(s.Settings.AdminTLS)
	if old := v.app.Swap(next); old != nil {
		old.retire()
	}
	if v.orders != nil {
		v.orders.Reschedule()
	}
}

// enter gives the app that serves now, with one request more under way, which
// leave ends; nil when the server has ended.
func (v *Server) enter() *app {
	for {
		a := v.app.Load()
		if a.enter() {
			return a
		}
		if v.app.Load() == a { // nothing took its place
			return nil
		}
	}
}

// Snapshot gives the snapshot that serves now.
func (v *Server) Snapshot() *snapshot.Snapshot { return v.app.Load().snapshot }

// Serve answers requests on ln until Shutdown.
func (v *Server) Serve(ln net.Listener) error {
	l := &listener{Listener: ln, log: v.log, closed: make(chan struct{}), crowd: v.crowd, tls: v.tls.config(), failed: v.metrics.HandshakeFailed}
	if !v.listener.CompareAndSwap(nil, l) {
		return errors.Join(errors.New("the server listens already"), ln.Close())
	}
	if v.closing.Load() {
		return ln.Close()
	}
	return v.http.Serve(l)
}

// Shutdown stops listening, lets requests under way finish within ctx, and
// closes the snapshot and idle connections.
func (v *Server) Shutdown(ctx context.Context) error {
	v.closing.Store(true)
	defer v.end()
	if l := v.listener.Load(); l != nil {
		_ = l.Close() // also when the library has not taken it yet
	}
	if err := v.http.ShutdownWithContext(ctx); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("requests under way were cut off: %w", err)
	}
	return nil
}

// end retires the last snapshot.
func (v *Server) end() {
	v.swapping.Lock()
	defer v.swapping.Unlock()
	v.ended = true
	v.app.Load().retire()
}

func (v *Server) handle(ctx *fasthttp.RequestCtx) {
	c, _ := ctx.Conn().(*conn)
	if c != nil && !c.answers() {
		ctx.SetConnectionClose()
		return
	}
	a := v.enter()
	if a == nil {
		// Requests were cut off, and this connection was not: it gets words, no more.
		ctx.SetConnectionClose()
		v.app.Load().fault(arrive(ctx), mapping.KindUnavailable, "")
		return
	}
	defer a.leave()
	a.serve(ctx, c != nil && c.crowded)
}

// expect answers who asks before sending a body (RFC 9110, 10.1.1).
func (v *Server) expect(ctx *fasthttp.RequestCtx) int {
	if h := &ctx.Request.Header; h.ContentLength() <= v.limits.Body || h.ContentLength() <= v.uploads(h) {
		return fasthttp.StatusContinue
	}
	v.app.Load().fault(arrive(ctx), mapping.TooLarge, "the request is too large")
	return ctx.Response.StatusCode()
}

// unreadable answers what fasthttp could not read as a request.
func (v *Server) unreadable(ctx *fasthttp.RequestCtx, err error) {
	c := ctx.Conn().(*conn)
	if c.waits.Load() == spared {
		return // nobody is there any more
	}
	kind, message := mapping.Unreadable, "the request cannot be read"
	var small *fasthttp.ErrSmallBuffer
	var network net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		kind, message = mapping.TooLarge, "the request is too large"
	case errors.As(err, &small):
		kind, message = mapping.TooLarge, "the request's header is too large"
	case errors.As(err, &network) && network.Timeout():
		message = "the request did not arrive in time"
	}
	ctx.Request.ResetBody()
	ctx.Response.Reset() // pipelined requests share it
	x := arrive(ctx)
	c.linger.Store(true)
	if x.request.Path == "/" { // what the library says of a header it has let go
		x.request.Path, x.request.Method = c.seen(), ""
	}
	if c.full && kind == mapping.TooLarge {
		kind, message = mapping.KindUnavailable, ""
		ctx.Response.Header.Set(fasthttp.HeaderRetryAfter, "1")
	}
	v.app.Load().fault(x, kind, message)
}

// fault answers a request that did not come as far as serve.
func (a *app) fault(x *arrival, kind mapping.ErrorKind, message string) {
	a.metrics.Begin()
	defer a.finish(x)
	a.refuse(x, kind, message)
}

// quiet is fasthttp's logger: its messages may quote requests, so only their kind is told.
type quiet struct{ log *slog.Logger }

// Printf logs that something was said, at debug level.
func (q quiet) Printf(string, ...any) { q.log.Debug("fasthttp reported a connection error") }

// CheckLoopback refuses a listening address that others can reach; what names the setting.
func CheckLoopback(what, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s: %q is no address of the form host:port", what, address)
	}
	if host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s: %s can be reached from outside; give a loopback address such as 127.0.0.1", what, address)
}
