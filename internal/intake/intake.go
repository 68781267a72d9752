// Package intake reads a request in its dialect: who calls, and what `input`
// is. It takes bytes, whatever brought them, and never answers with more than
// the dialect's words.
package intake

import (
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Request is what came in. Its strings live as long as the exchange.
type Request struct {
	ID      string
	Method  string
	Path    string
	Query   string // raw, without "?"
	Type    string // Content-Type as received
	Body    string
	Params  []Param                  // from the route's path, decoded
	Header  func(name string) string // "" when absent
	Address string                   // the peer's
}

// Param is one path parameter.
type Param struct{ Name, Value string }

// Problem is why a request is not accepted.
type Problem struct {
	Kind    mapping.ErrorKind
	Message string   // in the dialect's words: all faults joined
	Fields  []string // JSON Pointers of the bad fields
}

// Caller is one configured caller, ready to compare with.
type Caller struct {
	Name        string
	Dialect     string
	App         string
	Secrets     [][32]byte // SHA-256 of each valid token
	Permissions []string   // globs: "ura.*"
	Strict      bool
	Value       jsonx.Value // what mappings see as `caller`: name, app, strict
}

// Fields is what was received, by name, before mapping; body before query.
type Fields struct {
	body jsonx.Value //nolint:unused // the builder decides
}

// Read reads body and query as dialect d allows.
func Read(a *jsonx.Arena, r *Request, d *mapping.Dialect) (*Fields, *Problem) { panic("not built") }

// SignIn finds who calls: credentials from the dialect's places, constant-time, never from input.
func SignIn(f *Fields, r *Request, d *mapping.Dialect, callers []*Caller) (*Caller, *Problem) {
	panic("not built")
}

// May tells whether c has permission needs.
func (c *Caller) May(needs string) bool { panic("not built") }

// Input makes `input` from the fields (kinds converted, defaults set, formats
// normalised), puts it into frame f's slot for rules, checks the rules, and gives the value and
// the warnings (a list of texts).
func Input(f *expr.Frame, fields *Fields, r *Request, route *mapping.Route, c *Caller) (input, warnings jsonx.Value, problem *Problem) {
	panic("not built")
}
