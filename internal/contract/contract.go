// Package contract reads the OpenAPI 3.1 contracts of backends, as the checker
// and the caller need them: what an operation takes, how its request is built
// and escaped, what its answers mean. It does no I/O.
package contract

import (
	"slices"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Contract is one backend's contract, compiled and immutable.
type Contract struct {
	Name       string                // as gateway.yaml and calls name it: "shop"
	File       *diag.File            // the one with the sign-in
	Operations map[string]*Operation // by operationId: "orders.read"
	Order      []*Operation          // as they stand in the files
	SignIn     SignIn
	Objects    []string      // kinds of things that fields name (Place.Names)
	Document   *yamldoc.Node // all files as one
}

// SignIn is how a backend knows the gateway (x-emenda-sign-in).
type SignIn struct {
	Variables []string   // names gateway.yaml's sign_in must give: user, password
	Basic     *Basic     // HTTP Basic on every operation
	Bearer    string     // the variable sent as Authorization: Bearer on every operation; "": none
	Header    []Field    // variables sent as they are in header fields of every operation
	Body      []Field    // variables sent in the body of every operation
	Token     *Token     // a fetched token on operations with Token set
	Signature *Signature // nil: requests are not signed
}

// Signature is how every request is signed; Sign does it.
type Signature struct {
	Key       string // the sign-in variable with the key
	Header    string // where the signature goes
	Timestamp string // where the timestamp goes
	Prefix    string // before the signature, e.g. "sha256="
}

// Field is a field of the header or the body, and the sign-in variable it carries.
type Field struct{ Name, Variable string }

// Basic is HTTP Basic (RFC 7617) from two sign-in variables.
type Basic struct{ User, Password string }

// Token is a token fetched with an operation, or known from the start, and sent
// in a header, or in a field of the body.
type Token struct {
	Header string // "Token"; "" with Field
	Field  string // the body field it goes in; "" with Header
	Prefix string // before the token, e.g. "Bearer "
	// Placeholder stands for the token in text templates, in Field; "" for none.
	Placeholder string
	First       string         // the variable that may hold the first one; "": none
	Obtain      *Operation     // gives a token; nil: only First does
	With        []TokenField   // the body that Obtain is asked with; nil: none
	Renew       *Operation     // renews one; nil: obtain again
	Value       *expr.Template // the token, read from `answer`; nil without Obtain
	Scope       *TokenScope    // the frame Value is evaluated in
	Life        int            // seconds a token whose expiry cannot be read lives
	// Next reads the token that holds from then on off the answer to a request
	// that carried one; nil: tokens stay what they are.
	Next      *expr.Template
	NextScope *TokenScope
}

// TokenField is a field of the body that a token is obtained with: a text, or the sign-in variable it carries.
type TokenField struct{ Name, Text, Variable string }

// Usable tells whether values of the sign-in's variables can bring a token: a
// first one, or all that one is obtained with.
func (t *Token) Usable(values map[string]string) bool {
	if t.First != "" && values[t.First] != "" {
		return true
	}
	return t.Obtain != nil && !slices.ContainsFunc(t.With, func(f TokenField) bool { return f.Variable != "" && values[f.Variable] == "" })
}

// TokenHeader gives the header field in which an operation carries a fetched
// token; "" when it carries none, or in its body.
func (c *Contract) TokenHeader(op *Operation) string {
	if t := c.SignIn.Token; t != nil && op.Token {
		return t.Header
	}
	return ""
}

// FieldOf gives the field of an answer of op, which is Obtain or Renew, that
// the token is the text of; "" when its schema has no such field.
func (t *Token) FieldOf(op *Operation) string {
	const probe = "a token"
	if op.AnswerSchema == nil {
		return ""
	}
	for i := range op.AnswerSchema.Fields {
		name := op.AnswerSchema.Fields[i].Name
		f := expr.NewFrame(t.Scope.Layout, time.Time{}, nil)
		answer := append(jsonx.AppendQuoted([]byte{'{'}, name), `:"`+probe+`"}`...)
		f.Set(t.Scope.Answer, jsonx.RawValue(string(answer)))
		holds := t.Value.Value(f).Text() == probe && f.Err() == nil
		f.Release()
		if holds {
			return name
		}
	}
	return ""
}

// TokenScope is the layout of Token.Value's frame and the slot of `answer`.
type TokenScope struct {
	Layout *expr.Layout
	Answer int
}

// In is where a parameter goes.
type In uint8

// The places.
const (
	InPath In = iota
	InQuery
	InHeader
	InBody   // of a request; see Place
	InAnswer // see Place
)

// Param is one parameter of an operation.
type Param struct {
	Name     string
	In       In
	Type     *expr.Type
	Required bool
	Schema   *Schema // nil when its contract has none
	// SecretInURL: it is secret, and the contract says why it goes into the URL.
	SecretInURL bool
	at          diag.Span
	example     *yamldoc.Node // of every example
	examples    []example     // of single ones
}

// AnswerKind is what an operation answers with.
type AnswerKind uint8

// The answer kinds.
const (
	JSONAnswer AnswerKind = iota
	TextAnswer            // the body is a text value
	NoAnswer              // no body is expected
	FileAnswer            // bytes that are handed on as they come; they have no value
)

// Operation is one operation of a contract.
type Operation struct {
	Backend string // the contract's name
	ID      string // operationId
	At      diag.Span
	Method  string
	Path    string // as the contract spells it: "/orders/{id}"
	Params  []*Param
	// Body is what the request body must fit (nil: none); form tells
	// application/x-www-form-urlencoded from JSON.
	Body         *expr.Type
	BodyRequired bool
	BodyForm     bool
	Answer       *expr.Type // what a good answer is; Assumed for x-emenda-source: inferred
	AnswerKind   AnswerKind
	Changes      bool // x-emenda-changes: it changes something, and is never repeated
	Token        bool // x-emenda-token: it carries the fetched token
	Examples     map[string]*Example
	Facts             // what a contract says besides; nothing of it is needed to call
	Plain        bool // a mapping's request to a backend without a contract; ID is its method and path

	name    string
	path    []segment
	rules   []*rule  // what answers mean: the operation's, then the contract's
	fitting *fitting // gives answers the kinds declared; nil when none are
}

// Name gives the name calls use: "shop.orders.read"; of a request to a backend
// without a contract "files GET /v1/items/{id}".
func (o *Operation) Name() string {
	if o.name != "" {
		return o.name
	}
	return o.Backend + "." + o.ID
}

// Example is a documented exchange.
type Example struct {
	Name   string
	Status int
	Type   string // Content-Type
	Answer string // the body as documented
	// Failure: it is documented as a failure (x-emenda-failures), and rules know it.
	Failure bool
}

// State is what an answer was taken to mean.
type State uint8

// The states (MAPPING, Steps).
const (
	OK      State = iota
	Refused       // the backend's business no
	Failed        // surely not done
	Unknown       // sent, answer lost
	Skipped
)

// The error classes of failed and unknown calls; outcomes of a contract may add their own for refused.
const (
	ClassTimeout     = "timeout"     // no answer in time
	ClassBroken      = "broken"      // connection refused, cut, answer cut short
	ClassBadAnswer   = "bad_answer"  // not what the contract says: HTML, not JSON
	ClassStatus      = "status"      // an HTTP status outside 2xx no rule explains
	ClassUnavailable = "unavailable" // breaker open, no free connection, left out
	ClassSignIn      = "sign_in"     // the backend refused our credentials
	ClassTemplate    = "template"    // a template of the mapping failed; nothing was sent
	ClassBusiness    = "business"    // a rule of the contract said no
	ClassStore       = "store"       // the store is needed and down
	ClassNotFound    = "not_found"
	ClassLimit       = "limit"
)

// Outcome is what an answer means.
type Outcome struct {
	State   State
	Class   string      // "" for OK
	Message string      // the backend's words, when a rule names them; never for logs
	Body    jsonx.Value // the answer's body; Absent when none
	// Unreadable: the body is a page, was cut or is not in its charset,
	// whatever a rule or the status makes of the answer.
	Unreadable bool
}

// Request is a built request, without host and credentials.
type Request struct {
	Method  string
	Target  []byte // path and query, escaped
	Headers []Header
	Body    []byte
	Type    string // Content-Type of the body; "" for none
}

// Header is one header field.
type Header struct{ Name, Value string }
