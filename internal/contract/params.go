package contract

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// segment is a piece of a path: literal text, or a parameter.
type segment struct {
	text  string
	param int       // index in Params; -1: text. Set per operation.
	name  string    // "" for text
	at    diag.Span // of the name
	// whole: the parameter stands alone between slashes.
	whole bool
}

// path reads a path template. Each parameter stands alone between slashes or beside literal text.
func (l *loader) path(n *yamldoc.Node) []segment {
	var segs []segment
	t := n.Text
	if i := strings.IndexAny(t, "?#"); i >= 0 {
		l.list.Errorf(n.SpanOf(i, i+1), ruleParameter, "a path ends before its query").Help = "declare query parameters under parameters, in: query"
		t = t[:i]
	}
	for i, seg := range strings.Split(t, "/") {
		if i > 0 && (seg == "." || seg == "..") {
			l.list.Errorf(n.Span, ruleParameter, "a path cannot hold the segment %s", seg)
		}
	}
	for i := 0; i < len(t); {
		open := strings.IndexByte(t[i:], '{')
		if open < 0 {
			open = len(t) - i
		}
		if open > 0 {
			lit := t[i : i+open]
			if bad := strings.IndexFunc(lit, func(r rune) bool {
				return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>\^`+"`|}", r)
			}); bad >= 0 {
				l.list.Errorf(n.SpanOf(i+bad, i+bad+1), ruleParameter, "this character cannot stand in a path").Help = "write it %-encoded, as it goes on the wire"
			}
			segs = append(segs, segment{text: lit, param: -1})
			i += open
			continue
		}
		end := strings.IndexByte(t[i:], '}')
		if end < 0 {
			l.list.Errorf(n.SpanOf(i, len(t)), ruleParameter, "{ without }")
			return segs
		}
		end += i
		name := t[i+1 : end]
		if name == "" {
			l.list.Errorf(n.SpanOf(i, end+1), ruleParameter, "a path parameter needs a name")
		}
		segs = append(segs, segment{
			name: name, param: -1, at: n.SpanOf(i+1, end),
			whole: t[i-1] == '/' && (end+1 == len(t) || t[end+1] == '/'),
		})
		i = end + 1
	}
	return segs
}

// notHeaders are headers that the connection, the body or the sign-in make.
var notHeaders = []string{
	"accept-encoding", "authorization", "connection", "content-length", "content-type", "expect", "host",
	"keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "x-request-id",
}

// params reads the parameters of the path item and the operation; the operation's replace the item's of the same name and place.
func (l *loader) params(op *Operation, item yamldoc.Entry, n *yamldoc.Node) {
	op.path = slices.Clone(op.path)
	type place struct {
		name string
		in   In
	}
	seen := map[place]int{}
	for own, from := range []*yamldoc.Node{item.Value.Get("parameters"), n.Get("parameters")} {
		here := map[place]bool{}
		for _, pn := range items(from) {
			if pn.Kind != yamldoc.Map {
				continue
			}
			p := l.param(pn)
			if p == nil {
				continue
			}
			at := place{p.Name, p.In}
			if here[at] {
				l.list.Errorf(pn.FirstLine(), ruleParameter, "parameter %s is declared twice", short(p.Name))
				continue
			}
			here[at] = true
			if i, ok := seen[at]; ok && own == 1 {
				op.Params[i] = p
				continue
			}
			if slices.ContainsFunc(op.Params, func(q *Param) bool { return q.Name == p.Name }) {
				l.list.Errorf(pn.FirstLine(), ruleParameter, "two parameters are named %s: calls give them by name", short(p.Name))
				continue
			}
			seen[at] = len(op.Params)
			op.Params = append(op.Params, p)
		}
	}
	for i := range op.path {
		s := &op.path[i]
		if s.name == "" {
			continue
		}
		s.param = slices.IndexFunc(op.Params, func(p *Param) bool { return p.In == InPath && p.Name == s.name })
		if s.param < 0 {
			l.list.Errorf(s.at, ruleParameter, "path parameter %s is not declared", short(s.name)).
				Help = "add { name: " + short(s.name) + ", in: path, required: true, schema: … } to parameters"
		}
	}
	for _, p := range op.Params {
		if p.In == InPath && !slices.ContainsFunc(op.path, func(s segment) bool { return s.name == p.Name }) {
			l.list.Errorf(p.at, ruleParameter, "the path has no {%s}", short(p.Name))
		}
	}
}

func (l *loader) param(n *yamldoc.Node) *Param {
	at := n.FirstLine()
	n = l.deref(n, "parameters")
	if n == nil {
		return nil
	}
	p := &Param{Name: word(n.Get("name")), Required: yes(n.Get("required")), at: at}
	for _, k := range []string{"name", "in", "schema"} {
		if n.Get(k) == nil {
			l.list.Errorf(n.FirstLine(), "missing-key", "a parameter needs %s", k)
		}
	}
	switch word(n.Get("in")) {
	case "query":
		p.In = InQuery
	case "header":
		p.In = InHeader
		l.headerName(n.Get("name"))
	case "path":
		if !p.Required {
			l.list.Errorf(n.Get("in").Span, ruleParameter, "a path parameter is always required").Help = "add required: true"
			p.Required = true
		}
	default:
		return nil
	}
	p.Type = &expr.Type{}
	if s := n.Get("schema"); s != nil && s.Kind == yamldoc.Map {
		p.Type = l.typeOf(s, false, "")
		scalar := p.Type
		if p.In == InQuery && scalar.Kind == expr.ListType {
			scalar = scalar.Elem
		}
		if scalar != nil && (scalar.Kind == expr.ListType || scalar.Kind == expr.ObjectType) {
			l.list.Errorf(s.FirstLine(), ruleParameter, "parameter %s cannot be an object or a list", short(p.Name)).
				Help = "a parameter is a text, a number or true/false; in a query also a list of these"
		}
		if p.Type.Secret && p.In != InHeader {
			// Documented so by some backends: said, not refused.
			p.SecretInURL = n.Get("x-emenda-exception") != nil
			if !p.SecretInURL {
				l.list.Warnf(s.FirstLine(), ruleParameter, "secret parameter %s goes into the URL, which logs of others may hold", short(p.Name)).
					Help = "when the backend wants it there, say so: x-emenda-exception: WHY"
			}
		} else if k := n.KeyOf("x-emenda-exception"); k != nil {
			l.list.Errorf(k.Span, ruleParameter, "there is nothing to except: parameter %s is no secret in a URL", short(p.Name))
		}
		p.Schema = l.schemaOf(s)
		l.paramExamples(p, n)
	}
	if p.Name == "" {
		return nil
	}
	return p
}

// headerName refuses names that are no token (RFC 9110) or that others set.
func (l *loader) headerName(n *yamldoc.Node) {
	if n == nil || n.Kind != yamldoc.Text {
		return
	}
	bad := strings.IndexFunc(n.Text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
	if bad >= 0 {
		l.list.Errorf(n.SpanOf(bad, bad+1), ruleParameter, "this character cannot stand in a header's name")
	}
	if slices.Contains(notHeaders, strings.ToLower(n.Text)) {
		l.list.Errorf(n.Span, ruleParameter, "header %s is set by the gateway itself", short(n.Text))
	}
}
