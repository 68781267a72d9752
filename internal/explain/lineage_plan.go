package explain

import (
	"fmt"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// planWalk reads one plan: the route's, or that of a flow a step calls.
type planWalk struct {
	*lineage
	plan   *mapping.Plan
	root   *yamldoc.Node
	prefix string // "owner/" within the flow that step owner calls
	input  *expr.Flow

	known map[string]*expr.Flow // lets and steps
}

// tracer gives what reads the plan's expressions.
func (w *planWalk) tracer() *expr.Tracer {
	return &expr.Tracer{Functions: w.functions, Names: w.name}
}

// name gives what is known of a name of the plan.
func (w *planWalk) name(name string) *expr.Flow {
	if f := w.known[name]; f != nil {
		return f
	}
	if step, ok := strings.CutPrefix(name, "steps."); ok {
		return expr.OriginFlow(outcomeRoot+w.prefix+step, nil)
	}
	if name == "input" {
		return w.input
	}
	let := w.root.Get("let").Get(name)
	if let == nil {
		return expr.OriginFlow(name, nil)
	}
	f := w.tracer().Template(let)
	w.known[name] = f
	return f
}

// read notes what the plan does: a route's, or without one a flow's, whose result it gives.
func (w *planWalk) read(route *mapping.Route) *expr.Flow {
	w.known = map[string]*expr.Flow{}
	// A step is read when something before it has been: steps may stand in any order.
	done := map[string]bool{}
	var step func(s *mapping.Step)
	step = func(s *mapping.Step) {
		if done[s.Name] {
			return
		}
		done[s.Name] = true
		for _, i := range s.Deps {
			step(w.plan.Steps[i])
		}
		n := w.root.Get("steps").Get(s.Name)
		if n == nil {
			n = w.root.Get("finally").Get(s.Name)
		}
		w.step(s, n)
	}
	for _, s := range w.plan.Steps {
		step(s)
	}
	t := w.tracer()
	if route == nil {
		return t.Template(w.root.Get("result"))
	}
	if rules := w.root.Get("rules"); rules != nil {
		for i, n := range rules.Items {
			w.decides(t.Condition(n.Get("that")), Place{Step: "rules", In: fmt.Sprintf("whether the %s holds", ordinal(i+1))})
			w.whole(t.Template(n.Get("else")), Place{Step: "rules", In: fmt.Sprintf("message of the %s", ordinal(i+1))})
		}
	}
	routes := []*yamldoc.Node{w.root.Get("route")}
	if n := routes[0]; n != nil && n.Kind == yamldoc.List {
		routes = n.Items
	}
	for _, r := range routes {
		key := r.Get("repeat").Get("key")
		if key == nil {
			continue
		}
		w.whole(t.Template(key), Place{Step: "repeat", In: "key"})
	}
	w.order(t)
	if replies := w.root.Get("reply"); replies != nil {
		for i, n := range replies.Items {
			w.reply(i, n)
		}
	}
	return nil
}

// order notes what an order is known by, and what is told of it.
func (w *planWalk) order(t *expr.Tracer) {
	o := w.root.Get("order")
	if o == nil {
		return
	}
	w.whole(t.Template(o.Get("key")), Place{Step: "order", In: "key"})
	w.whole(t.Template(o.Get("subject")), Place{Step: "order", In: "subject"})
	w.parts(t.Template(o.Get("shows")), Place{Step: "order", In: "what is shown"})
	w.parts(t.Template(o.Get("accepted").Get("json")), Place{Step: "order", In: "body of what is accepted"})
}

func (w *planWalk) reply(i int, n *yamldoc.Node) {
	t, p := w.tracer(), Place{Step: "reply", Replies: []int{i + 1}}
	p.In = "which one"
	w.decides(t.Condition(n.Get("when")), p)
	if header := n.Get("header"); header != nil {
		for i := range header.Entries {
			p.In, p.At = "header", header.Entries[i].Key.Text
			w.whole(t.Template(header.Entries[i].Value), p)
		}
	}
	p.In, p.At = "body", ""
	w.parts(t.Template(n.Get("json")), p)
	w.whole(t.Template(n.Get("text")), p)
	w.parts(patched(t, n), p)
}

// patched gives a document passed on with changes.
func patched(t *expr.Tracer, n *yamldoc.Node) *expr.Flow {
	if n.Get("patch") == nil {
		return &expr.Flow{}
	}
	out := t.Template(n.Get("patch"))
	if set := n.Get("set"); set != nil {
		for i := range set.Entries {
			e := &set.Entries[i]
			out = setAt(out, strings.Split(e.Key.Text, "."), t.Template(e.Value))
		}
	}
	if del := n.Get("delete"); del != nil {
		for _, path := range del.Items {
			if !strings.ContainsAny(path.Text, `.\`) {
				out = out.Copy()
				out.Delete(path.Text)
			}
		}
	}
	return out
}

// setAt gives f with the value at a path replaced.
func setAt(f *expr.Flow, path []string, value *expr.Flow) *expr.Flow {
	if len(path) == 0 {
		return value
	}
	out := f.Copy()
	if name := path[0]; name == "#" || strings.Trim(name, "0123456789") == "" {
		inner := out.Elem
		if inner == nil {
			inner = &expr.Flow{}
		}
		out.Elem = expr.JoinFlows(inner, setAt(inner, path[1:], value))
	} else {
		inner := out.Fields[name]
		if inner == nil {
			inner = &expr.Flow{}
		}
		out.Set(name, setAt(inner, path[1:], value))
	}
	return out
}

// step notes what a step sends, and what is known of its body.
func (w *planWalk) step(s *mapping.Step, n *yamldoc.Node) {
	at := Place{Step: w.prefix + s.Name}
	t := w.tracer()
	note := func(in string) Place { p := at; p.In = in; return p }
	w.decides(t.Condition(n.Get("when")), note("whether it runs"))
	if s.Each != nil {
		list := t.Template(n.Get("each"))
		w.decides(list.Extent(), note("how often it runs"))
		if as := n.Get("as"); as != nil {
			one := list.Element("").Copy()
			one.Decided = without(one.Decided, list.Decided) // that is how often
			t = t.With(as.Text, one)
		}
	}
	if cache := n.Get("cache"); cache != nil {
		w.whole(t.Template(cache.Get("key")), note("key of the cache"))
	}
	if claim := n.Get("claim"); claim != nil && s.Claim != nil {
		p := note("key")
		p.Operation = memoryRoot + s.Claim.Memory.Name
		w.whole(t.Template(claim.Get("key")), p)
		w.decides(t.Template(claim.Get("limit")).Origins(), note("whether one may be claimed"))
	}
	var bodies []*expr.Flow
	for i, c := range s.Cases {
		of := n
		if cases := n.Get("switch"); cases != nil {
			of = item(cases, i)
			w.decides(t.Condition(of.Get("when")), note("which case"))
		}
		bodies = append(bodies, w.action(c, of, t, at))
	}
	if catch := n.Get("catch"); catch != nil && catch.Kind == yamldoc.Map {
		caught := t.With("error", w.name("steps."+s.Name).Member("error"))
		for i := range catch.Entries {
			v := catch.Entries[i].Value
			bodies = append(bodies, caught.Template(v.Get("use")))
			w.whole(caught.Template(v.Get("fail")), note("message"))
		}
	}
	w.lasting(s, n, t, at)
	body := expr.JoinFlows(bodies...)
	if s.Each != nil {
		body = &expr.Flow{Elem: body}
	}
	if len(body.From) == 0 { // else the answer tells that it is there
		body.Present = []expr.Origin{{Root: outcomeRoot + w.prefix + s.Name}}
	}
	w.known[s.Name] = body
}

// action notes what one case of a step does, and gives what is known of its body.
func (w *planWalk) action(c *mapping.Case, n *yamldoc.Node, t *expr.Tracer, p Place) *expr.Flow {
	switch c.Action {
	case mapping.DoCall:
		return w.call(c.Call.Operation, n, t, p)
	case mapping.DoFlow:
		return w.flow(c.Call.Flow, n, t, p)
	case mapping.DoRecall, mapping.DoRemember:
		m := c.Memory.Memory
		p.Operation = memoryRoot + m.Name
		p.In = "key"
		w.whole(t.Template(n.Get("key")), p)
		if c.Action == mapping.DoRecall {
			return expr.OriginFlow(memoryRoot+m.Name, m.Value)
		}
		p.In = "value"
		w.parts(t.Template(n.Get("value")), p)
	case mapping.DoWait:
		p.In = "key of the event"
		w.whole(t.Template(n.Get("wait").Get("key")), p)
	case mapping.DoUse:
		return t.Template(n.Get("use"))
	case mapping.DoFail:
		p.In = "message"
		w.whole(t.Template(n.Get("fail")), p)
	}
	return &expr.Flow{}
}

// lasting notes what an order does with a step besides.
func (w *planWalk) lasting(s *mapping.Step, n *yamldoc.Node, t *expr.Tracer, p Place) {
	d := s.Durable
	if d == nil {
		return
	}
	if key := n.Get("idempotency_key"); key != nil {
		p.In = "Idempotency-Key"
		w.whole(t.Template(key), p)
	}
	p.In = ""
	answer := t.With("answer", &expr.Flow{})
	if d.Lookup != nil {
		w.action(d.Lookup.Step.Cases[0], n.Get("lookup"), t, p)
		p.In = "whether it was done"
		w.whole(answer.Template(n.Get("lookup").Get("found")), p)
	}
	if d.Undo != nil {
		p.In = ""
		w.action(d.Undo.Step.Cases[0], n.Get("undo"), answer, p)
	}
	if d.Poll != nil {
		p.In = "until when it is asked"
		w.decides(answer.Condition(n.Get("poll").Get("until")), p)
	}
}

// call notes what a request holds.
func (w *planWalk) call(op *contract.Operation, n *yamldoc.Node, t *expr.Tracer, p Place) *expr.Flow {
	p.Operation = op.Name()
	request := n.Get("request")
	for _, param := range op.Params {
		v := n.Get("with").Get(param.Name)
		switch param.In {
		case contract.InPath:
			p.In = "path"
		case contract.InQuery:
			p.In = "query"
			if op.Plain {
				v = request.Get("query").Get(param.Name)
			}
		default:
			p.In = "header"
			if op.Plain {
				v = request.Get("header").Get(param.Name)
			}
		}
		p.At = param.Name
		w.whole(t.Template(v), p)
	}
	p.In, p.At = "body", ""
	w.parts(t.Template(n.Get("body")), p)
	w.parts(patched(t, n), p)
	if vars := n.Get("vars"); vars != nil {
		for i := range vars.Entries {
			p.At = "in place of " + vars.Entries[i].Key.Text
			w.whole(t.Template(vars.Entries[i].Value), p)
		}
	}
	w.signIn(op, p)
	if op.AnswerKind == contract.NoAnswer {
		return &expr.Flow{}
	}
	root := answerRoot + p.Step
	w.answers = append(w.answers, answerOf{root, op.Name()})
	return expr.OriginFlow(root, op.Answer)
}

// signIn notes where the variables of a backend's sign-in go.
func (w *planWalk) signIn(op *contract.Operation, p Place) {
	c := w.contracts[op.Backend]
	if c == nil {
		return
	}
	w.credentials(c, p)
	token := c.SignIn.Token
	if token == nil || !op.Token {
		return
	}
	if token.Obtain == nil {
		w.credential(c, "the token it was given", token.Header, p)
		return
	}
	w.credential(c, "the token fetched with "+token.Obtain.Name(), token.Header, p)
	w.credentials(c, Place{Step: "sign_in", Operation: token.Obtain.Name()})
	if token.Renew != nil {
		w.credentials(c, Place{Step: "sign_in", Operation: token.Renew.Name()})
	}
}

// credentials notes those that go with every request to a backend.
func (w *planWalk) credentials(c *contract.Contract, p Place) {
	if b := c.SignIn.Basic; b != nil {
		w.credential(c, b.User, "Authorization", p)
		w.credential(c, b.Password, "Authorization", p)
	}
	if c.SignIn.Bearer != "" {
		w.credential(c, c.SignIn.Bearer, "Authorization", p)
	}
	for _, f := range c.SignIn.Header {
		w.credential(c, f.Variable, f.Name, p)
	}
	if s := c.SignIn.Signature; s != nil {
		w.credential(c, s.Key, s.Header, p)
	}
}

func (w *planWalk) credential(c *contract.Contract, what, header string, p Place) {
	p.In, p.At = "header", header
	w.goes([]expr.Origin{{Root: signInRoot + c.Name + ", " + what}}, p)
}

// flow reads the flow that a step calls.
func (w *planWalk) flow(f *mapping.Plan, n *yamldoc.Node, t *expr.Tracer, p Place) *expr.Flow {
	with := t.Template(n.Get("with"))
	input := &expr.Flow{}
	for _, field := range f.Input.Fields {
		input.Set(field.Name, with.Member(field.Name))
	}
	inner := planWalk{
		lineage: w.lineage, plan: f, root: w.teller.source(f).root,
		prefix: p.Step + "/", input: input,
	}
	return inner.read(nil)
}
