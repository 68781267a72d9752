// Package backend makes one call to one operation: connections, credentials,
// token, deadline, attempts, circuit breaker, and what the answer means. A
// call that changes something goes out on a connection of its own, once.
package backend

import (
	"crypto/tls"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/token"
)

// Options are a backend's settings, resolved.
type Options struct {
	Contract    *contract.Contract
	URL         string            // scheme, host, optional base path
	SignIn      map[string]string // values of the contract's sign-in variables
	Timeout     time.Duration     // of one attempt
	AtMost      int               // connections
	IdleTimeout time.Duration     // below the backend's own
	MaxAnswer   int               // bytes of an answer
	TLS         *tls.Config       // nil: the system's authorities
	Breaker     Breaker
	Now         func() time.Time
	Observe     Observer     // may be nil
	Tokens      token.Shared // where the token is kept for other replicas; may be nil
}

// Breaker is when to stop calling a backend for a while.
type Breaker struct {
	Failures int           // so many failures in a row open it; 0: 5
	Pause    time.Duration // how long it stays open before one trial; 0: 5s
}

// Observer is told what happened (metrics, traces).
type Observer interface {
	// Called is one attempt: how long it took and what it was taken to mean.
	Called(op *contract.Operation, state contract.State, class string, took time.Duration)
	// BreakerChanged tells "closed", "open" or "half_open".
	BreakerChanged(backend, state string)
	// Shed is a call that was not made because too many wait for the backend already.
	Shed(backend string)
	// TokenFetched tells whether obtaining or renewing ("obtain", "renew") a token went well.
	TokenFetched(backend, how string, ok bool)
}

// Call is one call.
type Call struct {
	Operation *contract.Operation
	Request   contract.Request
	Timeout   time.Duration // of one attempt; 0: the backend's
	Retries   int           // further attempts; 0 for what changes something
	Pause     time.Duration // between attempts
	RequestID string
	Plan      string // whose step makes it (dry runs look at it)
	Step      string
	Raw       bool          // the answer's Raw is wanted
	Params    []jsonx.Value // as Request was built from, in the order of Operation.Params (tests and dry runs look at them)
}
