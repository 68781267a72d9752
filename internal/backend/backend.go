// Package backend makes one call to one operation: connections, credentials,
// token, deadline, attempts, circuit breaker, and what the answer means. A
// call that changes something goes out on a connection of its own, once.
package backend

import (
	"context"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
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
	Breaker     Breaker
	Now         func() time.Time
	Observe     Observer // may be nil
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
	Params    []jsonx.Value // as Request was built from, in the order of Operation.Params (tests and dry runs look at them)
}

// Answer is what a call came to. Its values live until Release.
type Answer struct {
	State    contract.State
	Class    string
	Message  string // the backend's words, when a rule of the contract names them
	Status   int    // 0 when there was no answer
	Header   []contract.Header
	Body     jsonx.Value // Absent when none
	Attempts int
	Took     time.Duration
	arena    *jsonx.Arena //nolint:unused // the builder decides
	raw      []byte       //nolint:unused // the builder decides
}

// Release gives the answer's memory back; its values are dead.
func (a *Answer) Release() { panic("not built") }

// NewAnswer classifies an answer that did not come over HTTP (tests, dry runs)
// exactly as one that did; body is not kept beyond Release.
func NewAnswer(op *contract.Operation, status int, contentType string, body []byte) *Answer {
	panic("not built")
}

// FailedAnswer is an answer of a call that got none: state Failed (Unknown when op changes something and sent says the request had gone out) with class.
func FailedAnswer(op *contract.Operation, class string, sent bool) *Answer { panic("not built") }

// Client calls one backend. It is safe for concurrent use.
type Client struct{ o Options } //nolint:unused // the builder decides

// New gives a client; it opens no connection.
func New(o Options) (*Client, error) { panic("not built") }

// Do makes the call, within ctx's deadline.
func (c *Client) Do(ctx context.Context, call *Call) *Answer { panic("not built") }

// Close closes idle connections.
func (c *Client) Close() { panic("not built") }
