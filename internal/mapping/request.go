package mapping

import (
	"slices"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// requestShape is what stands under `request:`, in steps and cases.
func requestShape() *yamldoc.Shape {
	return object("step request", "A request to a backend without a contract; `with` gives the values of the path's `{name}`s.",
		required(key("backend", name, "A backend of gateway.yaml that has no contract.")),
		required(key("method", enum(httpMethods...), "The method.")),
		required(key("path", text, "The path below the backend's url: constant, but for each `{name}`, whose value stands under `with` and is escaped as part of one segment.")),
		key("query", mapOf(value, "", ""), "Query parameters; a list repeats its name, `${?…}` without value leaves one out."),
		key("header", mapOf(value, "", ""), "Header fields; `${?…}` without value leaves one out. Credentials belong into gateway.yaml's sign_in."),
		key("changes", boolean, "Whether it changes anything; what changes something is never sent twice. Without it, only GET changes nothing."),
		key("answer", enum(answerNames...), "What a good answer is: `json` of any kind (the default), `text`, or `none`, when no body is expected."),
	)
}

// answerNames spell contract.AnswerKind, in its order.
var answerNames = []string{"json", "text", "none"}

// request compiles a request to a backend without a contract: it becomes an
// operation that only this step calls, and from there on is a call like any other.
func (p *planner) request(i *stepInfo, c *Case, n *yamldoc.Node, s *expr.Scope) {
	r, at := n.Get("request"), n.KeyOf("request").Span
	c.Action = DoCall
	op := p.plainOperation(r)
	if op == nil {
		i.ends(callOutcomes(&contract.Operation{Changes: true}))
		p.gives(i, anyType, at)
		return
	}
	c.Call = &Call{Operation: op, At: at, Params: make([]*expr.Template, len(op.Params))}
	p.plainParams(c, n, s)
	p.body(c, n, s)
	i.ends(callOutcomes(op))
	p.gives(i, op.Answer, at)
}

// plainOperation makes the operation; nil when what is wrong with it leaves none.
func (p *planner) plainOperation(r *yamldoc.Node) *contract.Operation {
	if r == nil || r.Kind != yamldoc.Map {
		return nil
	}
	known := p.bareBackend(r.Get("backend"))
	path := r.Get("path")
	if path == nil || path.Kind != yamldoc.Text || !slices.Contains(httpMethods, textOf(r.Get("method"))) {
		return nil
	}
	plain := contract.Plain{
		Backend: textOf(r.Get("backend")), Method: textOf(r.Get("method")), Path: path,
		Query: keyNodes(r.Get("query")), Header: keyNodes(r.Get("header")),
		Answer: contract.AnswerKind(max(slices.Index(answerNames, textOf(r.Get("answer"))), 0)),
	}
	plain.Changes = plain.Method != "GET"
	if ch := r.Get("changes"); ch != nil {
		plain.Changes = boolOf(ch)
	}
	op, list := plain.Operation()
	p.list.Add(list)
	if op == nil || !known {
		return nil
	}
	p.requests[p.plan] = append(p.requests[p.plan], op)
	p.set.Requests = append(p.set.Requests, op)
	return op
}

// bareBackend tells whether n names a backend without a contract, and says so when not.
func (p *planner) bareBackend(n *yamldoc.Node) bool {
	switch name := textOf(n); {
	case name == "":
		return false
	case p.facts.bare[name]:
		return true
	case p.world.Contracts[name] != nil:
		p.list.Errorf(n.Span, "request", "backend %s has a contract: request is for those without", name).
			Help = "write call: " + name + ".OPERATION; what the contract lacks is added there"
	default:
		p.unknown(n.Span, "unknown-name", "backend", name, keysOf(p.facts.bare))
	}
	return false
}

// plainParams compiles the values of a request's parameters: the path's stand
// under with, the others beside the names.
func (p *planner) plainParams(c *Case, n *yamldoc.Node, s *expr.Scope) {
	op, r := c.Call.Operation, n.Get("request")
	with := n.Get("with")
	if with != nil && with.Kind != yamldoc.Map {
		p.list.Errorf(with.Span, "with", "with names parameters: write it as a map")
		return
	}
	var names []string
	for i, param := range op.Params {
		var v *yamldoc.Node
		switch param.In {
		case contract.InPath:
			names = append(names, param.Name)
			if v = with.Get(param.Name); v == nil {
				p.list.Errorf(r.Get("path").Span, "missing-parameter", "%s needs a value for {%s}", op.Name(), param.Name).
					Help = "add " + param.Name + " to with"
			}
		case contract.InQuery:
			v = r.Get("query").Get(param.Name)
		default:
			v = r.Get("header").Get(param.Name)
		}
		if v != nil {
			c.Call.Params[i] = p.plainParam(op, param, v, s)
			c.Needs = p.needs(c.Needs, infoOf(c.Call.Params[i]))
		}
	}
	for _, k := range keyNodes(with) {
		if slices.Contains(names, k.Text) {
			continue
		}
		d := p.list.Errorf(k.Span, "unknown-parameter", "the path of %s has no {%s}", op.Name(), k.Text)
		d.Help = suggest(k.Text, names)
	}
}

// plainParam compiles one value. Nothing says what the backend takes: it must
// be a scalar, in a query also a list, and have a value unless `${?…}` drops it.
func (p *planner) plainParam(op *contract.Operation, param *contract.Param, v *yamldoc.Node, s *expr.Scope) *expr.Template {
	what := "parameter " + param.Name + " of " + op.Name()
	optional := param.In != contract.InPath && dropped(v)
	before := len(p.list)
	t := p.template(v, s, expr.Target{What: what, Optional: optional})
	if p.list[before:].HasErrors() || t == nil || t.Type == nil {
		return t
	}
	switch typ := t.Type; {
	case v.Kind == yamldoc.Null || typ.Null && !optional:
		p.list.Errorf(v.FirstLine(), "wrong-type", "%s cannot be null", what)
	case typ.Kind == expr.ObjectType:
		p.list.Errorf(v.FirstLine(), "wrong-type", "%s cannot be an object", what)
	case typ.Kind == expr.ListType && param.In != contract.InQuery:
		p.list.Errorf(v.FirstLine(), "wrong-type", "%s cannot be a list", what)
	case typ.Kind == expr.ListType && typ.Elem != nil && (typ.Elem.Kind == expr.ListType || typ.Elem.Kind == expr.ObjectType):
		p.list.Errorf(v.FirstLine(), "wrong-type", "%s cannot be %s: a list there is one of texts, numbers and true or false", what, a(typ))
	}
	return t
}

// requestsNamed gives the requests a test of a plan can mean by a name: its
// own, and those of flows.
func (l *loader) requestsNamed(name string, plan *Plan) (found []*contract.Operation, among []string) {
	plans := []*Plan{plan}
	for _, f := range l.flowOrder {
		if f.plan != plan {
			plans = append(plans, f.plan)
		}
	}
	for _, p := range plans {
		for _, op := range l.requests[p] {
			if op.Name() == name {
				found = append(found, op)
			}
			if !slices.Contains(among, op.Name()) {
				among = append(among, op.Name())
			}
		}
	}
	return found, among
}

// testedRequest finds the request a test's call names: "BACKEND METHOD PATH".
func (l *loader) testedRequest(at *yamldoc.Node, plan *Plan) *contract.Operation {
	found, among := l.requestsNamed(at.Text, plan)
	if len(found) > 0 {
		return found[0]
	}
	l.unknown(at.Span, "unknown-name", "request", at.Text, among)
	return nil
}

// alike gives the operations a test means by the name of op: of requests, all
// of that backend, method and path.
func (l *loader) alike(op *contract.Operation, plan *Plan) []*contract.Operation {
	if !op.Plain {
		return []*contract.Operation{op}
	}
	found, _ := l.requestsNamed(op.Name(), plan)
	return found
}

// keyNodes gives the keys of a map.
func keyNodes(n *yamldoc.Node) []*yamldoc.Node {
	if n == nil || n.Kind != yamldoc.Map {
		return nil
	}
	keys := make([]*yamldoc.Node, len(n.Entries))
	for i := range n.Entries {
		keys[i] = n.Entries[i].Key
	}
	return keys
}
