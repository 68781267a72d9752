package routes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// idleTimeout is how long a kept-alive connection may be without a request.
const idleTimeout = 75 * time.Second

// Server serves a snapshot; Swap replaces it whole while requests under way
// finish on the one they started with.
type Server struct {
	http    fasthttp.Server
	app     atomic.Pointer[app]
	metrics *observe.Metrics
	log     *slog.Logger
	closing atomic.Bool
}

// NewServer gives a server for s; it does not listen yet.
func NewServer(s *snapshot.Snapshot, m *observe.Metrics, log *slog.Logger) *Server {
	v := &Server{metrics: m, log: log}
	v.Swap(s)
	l := s.Settings.Limits
	v.http = fasthttp.Server{
		Handler:                      func(ctx *fasthttp.RequestCtx) { v.app.Load().serve(ctx) },
		ErrorHandler:                 v.unreadable,
		Logger:                       quiet{log},
		MaxRequestBodySize:           l.Body,
		ReadBufferSize:               l.Header,
		ReadTimeout:                  l.ReadTimeout,
		IdleTimeout:                  idleTimeout,
		Concurrency:                  l.Connections,
		DisablePreParseMultipartForm: true,
		SecureErrorLogMessage:        true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		CloseOnShutdown:              true,
	}
	return v
}

// Swap makes s the snapshot that new requests are answered with.
func (v *Server) Swap(s *snapshot.Snapshot) { v.app.Store(newApp(s, v.metrics, v.log)) }

// Snapshot gives the snapshot that serves now.
func (v *Server) Snapshot() *snapshot.Snapshot { return v.app.Load().snapshot }

// Serve answers requests on ln until Shutdown.
func (v *Server) Serve(ln net.Listener) error { return v.http.Serve(ln) }

// Shutdown stops listening, lets requests under way finish within ctx, and closes idle connections.
func (v *Server) Shutdown(ctx context.Context) error {
	v.closing.Store(true)
	return v.http.ShutdownWithContext(ctx)
}

// unreadable answers what fasthttp could not read as a request.
func (v *Server) unreadable(ctx *fasthttp.RequestCtx, err error) {
	a := v.app.Load()
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
	a.refuse(ctx, kind, message, time.Now())
}

// quiet is fasthttp's logger: its messages may quote requests, so only their kind is told.
type quiet struct{ log *slog.Logger }

// Printf logs that something was said, at debug level.
func (q quiet) Printf(string, ...any) { q.log.Debug("fasthttp reported a connection error") }

func stack() string { return string(debug.Stack()) }

func sortLongestFirst(p []prefix) {
	slices.SortFunc(p, func(x, y prefix) int {
		if d := len(y.path) - len(x.path); d != 0 {
			return d
		}
		return compareText(x.path, y.path)
	})
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

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
