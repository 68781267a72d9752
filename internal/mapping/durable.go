package mapping

import (
	"slices"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// What an undo does when it does not say.
const (
	undoTimes = 4
	undoEvery = 15 * time.Second
)

// lookupAfter is how long a lost call is given to take effect before somebody looks.
const lookupAfter = 5 * time.Second

// keyHeader is the header field that tells a backend that a call is the same
// as one before (draft-ietf-httpapi-idempotency-key-header).
const keyHeader = "Idempotency-Key"

// onlyDurable tells a key that stands where no steps are recorded.
func (p *planner) onlyDurable(n *yamldoc.Node, k string) {
	if !p.durable {
		p.list.Errorf(n.KeyOf(k).Span, "misplaced-key", "%s belongs to durable mappings", k).Help = "write mode: durable, and order"
	}
}

// wait compiles a wait for an event.
func (p *planner) wait(i *stepInfo, c *Case, n *yamldoc.Node, s *expr.Scope) {
	p.onlyDurable(n, "wait")
	w := n.Get("wait")
	c.Action = DoWait
	c.Wait = &Wait{Event: textOf(w.Get("event")), For: p.duration(w.Get("for"), "for")}
	c.Wait.Key = p.template(w.Get("key"), s, expr.Target{What: "the key of the event"})
	c.Needs = p.needs(c.Needs, infoOf(c.Wait.Key))
	o := outcomes{}
	o.add(contract.Failed, contract.ClassTimeout, contract.ClassTemplate)
	i.ends(o)
	i.told = true // that it came is what it is for
	p.gives(i, &expr.Type{Kind: expr.AnyType}, n.KeyOf("wait").Span)
	i.missing = true // an event need not have a body
}

// lasting compiles what a step says that only orders do, but for its undo.
func (p *planner) lasting(i *stepInfo, n *yamldoc.Node, s *expr.Scope) {
	d := &Durable{Param: -1}
	found := false
	for _, k := range []string{"idempotency_key", "lookup", "undo", "commit", "poll"} {
		if n.Get(k) != nil {
			found = true
			p.onlyDurable(n, k)
		}
	}
	if found {
		i.step.Durable = d
	}
	call := p.onlyCall(i)
	p.idempotency(i, d, n, s, call)
	if l := n.Get("lookup"); l != nil && l.Kind == yamldoc.Map && l.Get("call") != nil && l.Get("found") != nil {
		if !i.step.Changes && !i.unclear() {
			p.list.Errorf(n.KeyOf("lookup").Span, "misplaced-key", "lookup belongs to a step that changes something: one that only reads is simply made again")
		}
		d.Lookup = p.lookup(i, l, s)
	}
	if u := n.Get("undo"); u != nil {
		i.undoes = true
		if !i.step.Changes && !i.unclear() {
			p.list.Errorf(n.KeyOf("undo").Span, "misplaced-key", "undo belongs to a step that changes something")
		}
	}
	if c := n.Get("commit"); c != nil {
		d.Commit = boolOf(c)
		switch {
		case !d.Commit:
			p.list.Errorf(c.Span, "wrong-value", "commit is true or left out")
		case p.isFlow || i.final:
			p.list.Errorf(n.KeyOf("commit").Span, "misplaced-key", "commit belongs to a step of the durable mapping itself")
		}
	}
	if poll := n.Get("poll"); poll != nil && poll.Kind == yamldoc.Map {
		if i.step.Changes || call == nil && !i.unclear() {
			p.list.Errorf(n.KeyOf("poll").Span, "misplaced-key", "poll belongs to a step that calls an operation and only reads")
		}
		i.told = true // that until holds is what it is for
		d.Poll = &Poll{Every: p.duration(poll.Get("every"), "every"), For: p.duration(poll.Get("for"), "for")}
		p.withAnswer(i.body, func() { d.Poll.Until = p.condition(poll.Get("until"), s) })
		i.step.Needs = p.needs(i.step.Needs, condInfo(d.Poll.Until))
	}
	if i.step.Claim != nil && p.durable {
		p.list.Errorf(n.KeyOf("claim").Span, "misplaced-key", "claim belongs to requests: what an order has taken is undone, not given back")
	}
}

// onlyCall gives the operation a step calls, when it calls just one.
func (p *planner) onlyCall(i *stepInfo) *contract.Operation {
	if len(i.step.Cases) == 1 && i.step.Cases[0].Call != nil {
		return i.step.Cases[0].Call.Operation
	}
	return nil
}

// idempotency compiles idempotency_key: a value for a header of the contract's.
func (p *planner) idempotency(i *stepInfo, d *Durable, n *yamldoc.Node, s *expr.Scope, op *contract.Operation) {
	k := n.Get("idempotency_key")
	if k == nil {
		return
	}
	at := n.KeyOf("idempotency_key").Span
	d.Key = p.template(k, s, expr.Target{Type: textType, What: "idempotency_key of " + i.step.Name})
	i.step.Needs = p.needs(i.step.Needs, infoOf(d.Key))
	switch {
	case i.unclear():
	case op == nil || !op.Changes:
		p.list.Errorf(at, "misplaced-key", "idempotency_key belongs to a step that calls one operation, which changes something")
	default:
		for at, param := range op.Params {
			if param.In == contract.InHeader && strings.EqualFold(param.Name, keyHeader) {
				d.Param = at
			}
		}
		if d.Param < 0 {
			p.list.Errorf(at, "no-key", "%s takes no header %s, by which it would know a repeated call", op.Name(), keyHeader).
				Help = "write lookup, which finds out whether a lost call took effect"
		}
	}
}

// withAnswer compiles something in which `answer` is a value of type t.
func (p *planner) withAnswer(t *expr.Type, compile func()) {
	e, ok := p.scope.Lookup("answer")
	if !ok || e.Slot != p.plan.Slots.Answer {
		compile()
		return
	}
	words, was := e.Barred, e.Type
	e.Barred, e.Type = "", t
	if t == nil {
		e.Barred = "there is no answer: the call gives no body"
	}
	compile()
	e.Barred, e.Type = words, was
}

// side compiles a call beside a step's own: its lookup's or its undo's.
func (p *planner) side(i *stepInfo, n *yamldoc.Node, s *expr.Scope) (*Step, *expr.Type) {
	st := &Step{Name: i.step.Name, Index: i.step.Index, Slot: -1, Meta: -1, At: n.Span}
	si := &stepInfo{node: &node{name: i.name, value: n}, step: st, can: outcomes{}, caught: map[contract.State]bool{}}
	c := &Case{At: n.Span}
	p.call(si, c, n, s)
	st.Cases = []*Case{c}
	switch {
	case c.Call == nil:
	case c.Call.Operation != nil:
		st.Changes, st.Waits = c.Call.Operation.Changes, true
	case c.Call.Flow != nil:
		st.Changes, st.Waits = p.flows[strings.TrimPrefix(c.Call.Flow.Name, "flows.")].changes, c.Call.Flow.waits()
	}
	if si.missing {
		return st, si.body.Nullable()
	}
	return st, si.body
}

// lookup compiles what finds out whether a lost call took effect.
func (p *planner) lookup(i *stepInfo, n *yamldoc.Node, s *expr.Scope) *Lookup {
	l := &Lookup{Slot: p.plan.Layout.NewSlot(), After: lookupAfter}
	if a := n.Get("after"); a != nil {
		l.After = p.duration(a, "after")
	}
	step, answer := p.side(i, n, s)
	l.Step = step
	if step.Changes {
		p.list.Errorf(n.Get("call").Span, "changes", "%s changes something: a lookup only looks", n.Get("call").Text)
	}
	p.withAnswer(answer, func() {
		l.Found = p.template(n.Get("found"), s, expr.Target{What: "found of " + i.step.Name, Optional: true})
		found := anyType
		if l.Found != nil {
			found = knownType(l.Found.Type).NotNull()
		}
		use := n.Get("use")
		if use == nil {
			p.gives(i, found, n.Get("found").Span)
			return
		}
		inner := s.Child()
		p.define(inner, &expr.Name{Name: "found", Kind: expr.ElementName, Type: found, Slot: l.Slot}, n.KeyOf("found").Span)
		l.Use = p.template(use, inner, expr.Target{What: "use of " + i.step.Name})
		if l.Use != nil {
			p.gives(i, knownType(l.Use.Type), use.Span)
		}
	})
	i.step.Needs = p.needs(i.step.Needs, infoOf(l.Found), infoOf(l.Use))
	return l
}

// undos compiles what takes steps back, once all of them are known: any other
// step may or may not have run.
func (p *planner) undos() {
	for _, i := range p.infos {
		u := i.value.Get("undo")
		if u == nil || u.Kind != yamldoc.Map || i.step.Durable == nil || u.Get("call") == nil {
			continue
		}
		view := p.view(inOrder)
		needed := i.step.Needs // was there, else it had not run
		if len(i.step.Cases) == 1 {
			needed = append(slices.Clone(needed), i.step.Cases[0].Needs...)
		}
		for _, need := range needed {
			if e, ok := view.Lookup(p.infos[need].label()); ok {
				e.MayMiss = false
			}
		}
		s := view.Child()
		if as := i.value.Get("as"); as != nil && i.step.Each != nil && as.Text != "" {
			t := anyType
			if l := i.step.Each.List; l != nil && l.Type != nil && l.Type.Elem != nil {
				t = l.Type.Elem
			}
			p.define(s, &expr.Name{Name: as.Text, Kind: expr.ElementName, Type: t, Slot: i.step.Each.Slot}, as.Span)
		}
		for _, k := range []string{"with", "body"} {
			if v := u.Get(k); v != nil {
				p.reads = append(p.reads, expr.FreeNames(expr.Source{Node: v})...)
			}
		}
		body := i.body
		if i.step.Each != nil && body != nil && body.Kind == expr.ListType {
			body = body.Elem
		}
		out := &Undo{Retry: Retry{Times: undoTimes, Every: undoEvery}}
		answer, ok := view.Lookup("answer")
		if ok {
			answer.Barred, answer.Type = "", knownType(body)
			if body == nil {
				answer.Barred = "there is no answer: the step has no body"
			}
		}
		if w := u.Get("when"); w != nil {
			p.reads = append(p.reads, expr.FreeNames(expr.Source{Node: w, Bare: true})...)
			out.When = p.condition(w, s)
			s = holds(s, out.When)
		}
		out.Step, _ = p.side(i, u, s)
		if r := u.Get("retry"); r != nil && r.Kind == yamldoc.Map {
			out.Retry = *p.retry(r)
		}
		i.step.Durable.Undo = out
	}
}

// undoable checks that every step which changes something, up to the one that
// commits, says what takes it back.
func (p *planner) undoable() {
	for _, i := range p.infos {
		if i.final || i.step.Durable != nil && i.step.Durable.Commit {
			return
		}
		if name, at := p.noUndo(i); name != "" {
			d := p.list.Errorf(at, "no-undo", "%s changes something, and nothing says what takes it back", name)
			d.Help = "write undo: { call: … }, or undo: none where there is nothing to do"
		}
	}
}

// noUndo gives what of a step is changed without an undo; "" for nothing.
func (p *planner) noUndo(i *stepInfo) (string, diag.Span) {
	if !i.step.Changes || i.undoes {
		return "", diag.Span{}
	}
	for _, c := range i.step.Cases {
		switch {
		case c.Call == nil:
		case c.Call.Flow != nil:
			if f := p.flows[strings.TrimPrefix(c.Call.Flow.Name, "flows.")]; f.changes && f.noUndo != "" {
				return "flows." + f.name + " (step " + f.noUndo + ")", c.Call.At
			}
		case c.Call.Operation.Changes:
			return i.label(), i.name.Span
		}
	}
	return "", diag.Span{}
}

// ordered compiles `order` of a durable mapping.
func (p *planner) ordered(r *Route) {
	n, root := p.doc.root.Get("order"), p.doc.root
	switch {
	case !p.durable:
		for _, k := range []string{"order", "finally"} {
			if root.Get(k) != nil {
				p.list.Errorf(root.KeyOf(k).Span, "misplaced-key", "%s belongs to durable mappings", k).Help = "write mode: durable"
			}
		}
		if root.Get("reply") == nil {
			p.list.Errorf(root.Span, "missing-key", "a mapping needs reply")
		}
		return
	case n == nil:
		p.list.Errorf(root.KeyOf("mode").Span, "missing-key", "a durable mapping needs order")
		return
	case n.Kind != yamldoc.Map:
		return
	}
	if root.Get("reply") != nil {
		p.list.Errorf(root.KeyOf("reply").Span, "misplaced-key", "a durable mapping has no reply: order.accepted is answered before its steps run")
	}
	if rep := p.route.Get("repeat"); rep != nil {
		p.list.Errorf(p.route.KeyOf("repeat").Span, "misplaced-key", "a durable mapping has no repeat: order.key says what is the same")
	}
	for _, k := range []string{"key", "subject", "shows"} {
		if v := n.Get(k); v != nil {
			p.reads = append(p.reads, expr.FreeNames(expr.Source{Node: v})...)
		}
	}
	o := &Order{At: root.KeyOf("order").Span, Deadline: p.duration(n.Get("deadline"), "deadline"), Field: keyField(n.Get("key"))}
	early := p.view(inKey)
	o.Key = p.template(n.Get("key"), early, expr.Target{What: "the key of the order", Optional: true})
	if v := n.Get("subject"); v != nil {
		o.Subject = p.template(v, early, expr.Target{What: "the subject of the order", Optional: true})
	}
	if v := n.Get("shows"); v != nil {
		o.Shows = p.template(v, p.view(inOrder), expr.Target{What: "what the order shows", Optional: true})
	}
	if a := n.Get("accepted"); a != nil && a.Kind == yamldoc.Map {
		p.reads = append(p.reads, replyRefs(a)...)
		o.Accepted = p.reply(a, p.view(inAccepted))
		if a.Get("status") == nil {
			o.Accepted.Status = 202
		}
	}
	p.plan.Order = o
}

// lastingKeys are what only orders do.
var lastingKeys = []string{"wait", "sleep", "poll", "undo", "lookup", "idempotency_key"}

// lastingFlow tells whether a flow has steps that only orders do, itself or in flows it calls.
func (l *loader) lastingFlow(f *flowInfo) bool {
	if steps := f.doc.root.Get("steps"); steps != nil {
		for i := range steps.Entries {
			n := steps.Entries[i].Value
			all := []*yamldoc.Node{n}
			if sw := n.Get("switch"); sw != nil {
				all = append(all, sw.Items...)
			}
			for _, n := range all {
				for _, k := range lastingKeys {
					if n.Get(k) != nil {
						return true
					}
				}
			}
			if n.Get("retry").Get("for") != nil {
				return true
			}
			if c := n.Get("catch"); c != nil {
				for k := range c.Entries {
					if c.Entries[k].Value.Text == "hold" {
						return true
					}
				}
			}
		}
	}
	for _, c := range f.calls {
		if g := l.flows[c.name]; g != nil && g != f && g.plan.lasts {
			return true
		}
	}
	return false
}
