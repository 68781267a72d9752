package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// The credentials of a sandbox that was given none.
const (
	DefaultUser     = "sandbox"
	DefaultPassword = "sandbox"
)

// defaultTokenLife is the life of the document's sample token.
const defaultTokenLife = time.Hour

// Options says how a sandbox is started; the zero value is a usable one.
type Options struct {
	// Listen is the address, "127.0.0.1:0" when empty. Only loopback.
	Listen string
	// User and Password are what HTTP Basic must carry; both empty means
	// DefaultUser and DefaultPassword.
	User, Password string
	// TokenLife is how long a token holds, one hour when zero.
	TokenLife time.Duration
	// RenewRevokes ends a token at once when it is renewed; else it lives
	// until its own time.
	RenewRevokes bool
	// Now is the clock of tokens, portabilities and recorded calls, time.Now
	// when nil.
	Now func() time.Time
	// MVNO says how the MVNO platform behaves.
	MVNO MVNOOptions
	// Logger gets one debug line per call, without anything that was
	// received; nil means silence.
	Logger *slog.Logger
}

// Sandbox is a running stand-in. Its methods may be called from any goroutine.
type Sandbox struct {
	opts   Options
	url    string
	server *http.Server
	routes []operation

	// closing ends the waits of delayed answers; served is closed when the
	// accept loop has returned.
	closing   chan struct{}
	closeOnce sync.Once
	closeErr  error
	served    chan struct{}

	tokens *tokens
	faults faults
	calls  calls
	fresh  freshConns

	data    *data
	mvno    *mvno
	ozmap   ozmap
	made    made
	partner partner
}

// Start listens and answers until Close. It refuses an address that other
// machines could reach.
func Start(o Options) (*Sandbox, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.User == "" && o.Password == "" {
		o.User, o.Password = DefaultUser, DefaultPassword
	}
	if o.TokenLife < 0 {
		return nil, fmt.Errorf("sandbox: token life %s is negative", o.TokenLife)
	}
	if o.TokenLife == 0 {
		o.TokenLife = defaultTokenLife
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := o.MVNO.check(); err != nil {
		return nil, err
	}
	if err := loopbackOnly(o.Listen); err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("sandbox: no key for the tokens: %w", err)
	}
	ln, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("sandbox: cannot listen: %w", err)
	}
	// "localhost" is whatever the machine's name service says it is.
	if addr, ok := ln.Addr().(*net.TCPAddr); !ok || !addr.IP.IsLoopback() {
		return nil, errors.Join(notLoopback(o.Listen), ln.Close())
	}
	s := &Sandbox{
		opts:    o,
		url:     "http://" + ln.Addr().String(),
		routes:  operations(),
		closing: make(chan struct{}),
		served:  make(chan struct{}),
		tokens:  newTokens(key, o.TokenLife, o.Now),
		data:    newData(),
		mvno:    newMVNO(o.MVNO, o.Now),
	}
	s.mvno.made, s.ozmap.log = &s.made, &s.made
	s.ozmap.reset()
	s.server = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: 30 * time.Second,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
		ConnState: s.connState,
	}
	go func() {
		defer close(s.served)
		// Serve always returns an error; after Close it is ErrServerClosed,
		// and before it the listener is gone and every call shows that.
		if err := s.server.Serve(listener{ln}); !errors.Is(err, http.ErrServerClosed) {
			o.Logger.Error("sandbox stopped listening", slog.String("error", err.Error()))
		}
	}()
	return s, nil
}

// URL gives the address to call, without a slash at the end.
func (s *Sandbox) URL() string { return s.url }

// Close stops listening, ends delayed answers at once, waits for the calls
// under way and returns; when ctx ends first they are cut. A second Close
// returns what the first one did.
func (s *Sandbox) Close(ctx context.Context) error {
	s.closeOnce.Do(func() {
		close(s.closing)
		s.fresh.closeAll()
		if err := s.server.Shutdown(ctx); err != nil {
			s.closeErr = errors.Join(fmt.Errorf("sandbox: calls were cut: %w", err), s.server.Close())
		}
		<-s.served
	})
	return s.closeErr
}

// Reset forgets calls, counts and faults and restores the customers, and what
// the MVNO platform holds and was set to. Tokens stay valid, so that a client that keeps one sees no 401 because of it; the
// keys that OZmap's login gave do not.
func (s *Sandbox) Reset() {
	s.calls.reset()
	s.faults.reset()
	s.data.reset()
	s.mvno.reset()
	s.ozmap.reset()
	s.made.reset()
	s.partner.reset()
}

// loopbackOnly refuses what would let another machine in, before anything
// listens.
func loopbackOnly(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("sandbox: listen address %q is not host:port", listen)
	}
	if host == "localhost" || net.ParseIP(host).IsLoopback() {
		return nil
	}
	return notLoopback(listen)
}

func notLoopback(listen string) error {
	return fmt.Errorf("sandbox: listen address %q is not loopback, the sandbox only answers this machine; use 127.0.0.1:0", listen)
}
