// Package intake reads a request in its dialect: who calls, and what `input`
// is. It takes bytes, whatever brought them, and never answers with more than
// the dialect's words: no message quotes a received value.
package intake

import (
	"net/netip"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Request is what came in. Its strings live as long as the exchange.
type Request struct {
	ID     string
	Method string
	Path   string
	At     time.Time // when it came; zero: the exchanger asks its clock
	Query  string    // raw, without "?"
	Type   string    // Content-Type as received
	Body   string
	Params []Param                  // from the route's path, decoded
	Header func(name string) string // "" when absent
	// Headers gives every header field, names in canonical form; may be nil.
	Headers func(yield func(name, value string))
	// Address gives the client's; nil where there is none, as in tests of mappings.
	Address func() netip.Addr
}

// Param is one path parameter.
type Param struct{ Name, Value string }

// Problem is why a request is not accepted.
type Problem struct {
	Kind    mapping.ErrorKind
	Message string             // in the dialect's words: all faults joined
	Fields  []string           // JSON Pointers of the bad fields
	Errors  []Wrong            // what is wrong, one by one
	Faults  []Fault            // of an exposed operation: what each of them has wrong
	Cause   *expr.RuntimeError // Kind Internal: a rule that could not be evaluated, for logs
	Aim     string             // Kind BadSignIn: the caller whose application was named; "": nobody's
	Needs   string             // Kind Forbidden: the permission that is missing
	Wait    time.Duration      // before it is worth trying again; 0: not known
}

// Wrong is one thing that is wrong with a request, or that is warned of.
type Wrong struct {
	Pointer string // JSON Pointer in what was sent; "" for the whole
	Code    string // for programs: a check's keyword, or a rule's code
	Detail  string // in the dialect's words
}

// Append appends what is wrong as JSON, its pointer as a fragment of an address
// (RFC 6901, 6): "#/items/0".
func (w *Wrong) Append(b []byte) []byte {
	b = append(b, `{"pointer":`...)
	b = jsonx.AppendQuoted(b, fragment(w.Pointer))
	b = append(b, `,"code":`...)
	b = jsonx.AppendQuoted(b, w.Code)
	b = append(b, `,"detail":`...)
	b = jsonx.AppendQuoted(b, w.Detail)
	return append(b, '}')
}

// fragment spells a JSON Pointer as the fragment of an address.
func fragment(pointer string) string {
	const hex = "0123456789ABCDEF"
	b := append(make([]byte, 0, len(pointer)+1), '#')
	for i := range len(pointer) {
		c := pointer[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("/?:@!$&'()*+,;=-._~", c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

// Language gives which of the dialect's languages a request is answered in.
func Language(r *Request, l *mapping.Languages) int {
	if l == nil || r.Header == nil {
		return 0
	}
	return l.Choose(r.Header("Accept-Language"))
}

// Caller is one configured caller, ready to compare with.
type Caller struct {
	Name        string
	Dialect     string
	App         string
	Secrets     [][32]byte // SHA-256 of each valid token
	Permissions []string   // globs: "ura.*"
	Strict      bool
	Truthful    bool // failures of what is exposed have a status that says so
	Rate        Rate
	Value       jsonx.Value // what mappings see as `caller`: name, app, strict
}

// Rate is how often a caller may call; N 0: as often as it likes.
type Rate struct {
	N   int
	Per time.Duration
}

// May tells whether c has permission needs. In its globs `*` stands for any
// text, none included. Nobody has the permission "".
func (c *Caller) May(needs string) bool {
	if needs == "" {
		return false
	}
	for _, glob := range c.Permissions {
		if mapping.GlobMatches(glob, needs) {
			return true
		}
	}
	return false
}
