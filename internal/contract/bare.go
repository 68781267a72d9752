package contract

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Bare gives the contract of a backend that has none: it knows no operations,
// and signs in with what is there of the variables user and password (HTTP
// Basic), or bearer (Authorization: Bearer).
func Bare(name string, variables []string) *Contract {
	c := &Contract{Name: name, Operations: map[string]*Operation{}}
	c.SignIn.Variables = slices.Clone(variables)
	switch {
	case slices.Contains(variables, "bearer"):
		c.SignIn.Bearer = "bearer"
	case slices.Contains(variables, "user"):
		c.SignIn.Basic = &Basic{User: "user", Password: "password"}
	}
	return c
}

// Plain is what a mapping says of a request to a backend without a contract.
// Nodes keep their places; those of keys have been checked to be texts.
type Plain struct {
	Backend string
	Method  string
	Path    *yamldoc.Node   // "/v1/items/{id}": begins with /, constant but for {name}
	Query   []*yamldoc.Node // names of query parameters
	Header  []*yamldoc.Node // names of header fields
	Changes bool
	Answer  AnswerKind
}

var paramName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Operation gives the request as an operation, as a contract that says no more
// would have it: path parameters in the path's order (they must be given),
// then those of the query and of the header; a body of any kind unless the
// method has none; answers mean what HTTP says. It is nil when nothing can be made of the path.
func (p *Plain) Operation() (*Operation, diag.List) {
	l := &loader{}
	op := &Operation{
		Backend: p.Backend, ID: p.Method + " " + p.Path.Text, At: p.Path.Span, Method: p.Method,
		Changes: p.Changes, AnswerKind: p.Answer, Plain: true,
	}
	op.name = op.Backend + " " + op.ID
	if !l.plainPath(op, p.Path) {
		return nil, l.list
	}
	for _, n := range p.Query {
		l.plainParam(op, &Param{Name: n.Text, In: InQuery, at: n.Span})
	}
	for _, n := range p.Header {
		l.headerName(n)
		l.plainParam(op, &Param{Name: n.Text, In: InHeader, at: n.Span})
	}
	switch p.Answer {
	case JSONAnswer:
		op.Answer = &expr.Type{Label: op.name}
	case TextAnswer:
		op.Answer = &expr.Type{Kind: expr.TextType, Label: op.name}
	}
	if p.Method != "GET" {
		op.Body = &expr.Type{Label: op.name}
	}
	return op, l.list
}

// plainPath reads the path; false when nothing can be made of it.
func (l *loader) plainPath(op *Operation, n *yamldoc.Node) bool {
	t := n.Text
	switch i := strings.Index(t, "${"); {
	case i >= 0:
		end := len(t)
		if k := strings.IndexByte(t[i:], '}'); k >= 0 {
			end = i + k + 1
		}
		l.list.Errorf(n.SpanOf(i, end), ruleParameter, "a path holds no expressions").
			Help = "write {name} in its place, and name: ${…} under with: so every value is escaped for where it stands"
		return false
	case strings.Contains(t, "://"):
		l.list.Errorf(n.Span, ruleParameter, "a path has no host").Help = "the host is the url of backend " + short(op.Backend) + " in gateway.yaml"
		return false
	case !strings.HasPrefix(t, "/") || strings.HasPrefix(t, "//"):
		l.list.Errorf(n.Span, ruleParameter, "a path begins with one /, below the backend's url")
		return false
	}
	if i := strings.IndexAny(t, "?#"); i >= 0 {
		l.list.Errorf(n.SpanOf(i, i+1), ruleParameter, "a path ends before its query").Help = "write the query under query"
		return false
	}
	for i := strings.IndexByte(t, '%'); i >= 0; {
		if _, err := url.PathUnescape(t[i:min(i+3, len(t))]); err != nil {
			l.list.Errorf(n.SpanOf(i, i+1), ruleParameter, "%% stands before two hexadecimal digits").Help = "write %25 for the sign itself"
			return false
		}
		next := strings.IndexByte(t[i+1:], '%')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	op.path = l.path(n)
	for i := range op.path {
		s := &op.path[i]
		if s.name == "" {
			continue
		}
		if !paramName.MatchString(s.name) {
			l.list.Errorf(s.at, ruleParameter, "a path parameter is a name: letters, digits and _")
		}
		if s.param = slices.IndexFunc(op.Params, func(q *Param) bool { return q.Name == s.name }); s.param < 0 {
			s.param = len(op.Params)
			op.Params = append(op.Params, &Param{Name: s.name, In: InPath, Required: true, at: s.at})
		}
	}
	return true
}

// plainParam adds a parameter, unless another has its name.
func (l *loader) plainParam(op *Operation, p *Param) {
	if p.Name == "" {
		l.list.Errorf(p.at, ruleParameter, "a parameter needs a name")
		return
	}
	if slices.ContainsFunc(op.Params, func(q *Param) bool { return q.Name == p.Name }) {
		l.list.Errorf(p.at, ruleParameter, "two parameters are named %s: tests expect them by name", short(p.Name))
		return
	}
	op.Params = append(op.Params, p)
}
