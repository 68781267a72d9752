package mapping

import (
	"slices"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

const defaultRetryEvery = 100 * time.Millisecond

// The keys that say what is done, and those that belong to some of them.
var (
	actions   = []string{"call", "request", "recall", "remember", "use", "fail", "skip", "wait", "sleep"}
	calling   = []string{"call", "request"}
	belonging = []struct {
		key string
		to  []string
	}{
		{"with", calling}, {"body", calling}, {"template", calling}, {"vars", calling},
		{"patch", calling}, {"set", calling}, {"delete", calling},
		{"key", []string{"recall", "remember"}}, {"value", []string{"remember"}},
	}
)

// cases compiles a step's switch, or its one action.
func (p *planner) cases(i *stepInfo, n *yamldoc.Node, s *expr.Scope) {
	sw := n.Get("switch")
	if sw == nil {
		if c := p.one(i, n, s, "the step"); c != nil {
			i.step.Cases = []*Case{c}
		}
		return
	}
	for _, k := range append(slices.Clone(actions), "with", "body", "template", "vars", "patch", "set", "delete", "key", "value") {
		if kn := n.KeyOf(k); kn != nil {
			p.list.Errorf(kn.Span, "misplaced-key", "%s beside switch: it belongs into a case", k)
		}
	}
	for idx, item := range sw.Items {
		if item.Kind != yamldoc.Map {
			continue
		}
		when, last := item.Get("when"), idx == len(sw.Items)-1
		switch {
		case last && when != nil:
			p.list.Errorf(item.KeyOf("when").Span, "switch", "the last case has no when: it is for everything else").
				Help = "add a last case, such as { skip: true } or { fail: … }"
		case !last && when == nil:
			p.list.Errorf(item.Span, "switch", "only the last case may be without when: the cases below are never taken")
		}
		cond := p.condition(when, s)
		i.step.Needs = p.needs(i.step.Needs, condInfo(cond))
		c := p.one(i, item, holds(s, cond), "the case")
		if c != nil {
			c.When = cond
			i.step.Cases = append(i.step.Cases, c)
		}
		s = fails(s, cond)
	}
}

// one compiles the one action of a step or case.
func (p *planner) one(i *stepInfo, n *yamldoc.Node, s *expr.Scope, what string) *Case {
	var found []string
	for _, a := range actions {
		if n.Get(a) != nil {
			found = append(found, a)
		}
	}
	switch {
	case len(found) == 0:
		p.list.Errorf(i.nameIn(n), "no-action", "%s does nothing: it needs one of call, request, recall, remember, use, fail%s", what, map[bool]string{true: ", switch", false: ", skip"}[what == "the step"])
		i.okEnds = true
		return nil
	case len(found) > 1:
		p.list.Errorf(n.KeyOf(found[1]).Span, "two-actions", "%s does one thing, not %s", what, strings.Join(found, " and "))
	}
	for _, b := range belonging {
		if kn := n.KeyOf(b.key); kn != nil && !slices.Contains(b.to, found[0]) {
			p.list.Errorf(kn.Span, "misplaced-key", "%s belongs to %s", b.key, strings.Join(b.to, " and "))
		}
	}
	c := &Case{At: n.Span}
	switch found[0] {
	case "call":
		p.call(i, c, n, s)
	case "request":
		p.request(i, c, n, s)
	case "recall":
		p.recall(i, c, n, s)
	case "remember":
		p.remember(i, c, n, s)
	case "use":
		c.Action = DoUse
		c.Use = p.template(n.Get("use"), s, expr.Target{What: "use of " + i.step.Name, Optional: true, Secrets: true})
		c.Needs = p.needs(c.Needs, infoOf(c.Use))
		i.ends(useOutcomes())
		given := anyType
		if c.Use != nil {
			given = knownType(c.Use.Type)
		}
		p.gives(i, given, n.Get("use").Span)
	case "fail":
		c.Action = DoFail
		c.Fail = p.template(n.Get("fail"), s, expr.Target{Type: textType, What: "fail of " + i.step.Name})
		c.Needs = p.needs(c.Needs, infoOf(c.Fail))
		i.can.merge(failOutcomes())
		i.guards = true
	case "wait":
		p.wait(i, c, n, s)
	case "sleep":
		c.Action, c.Sleep = DoSleep, p.duration(n.Get("sleep"), "sleep")
		p.onlyDurable(n, "sleep")
		i.okEnds, i.missing, i.noBody = true, true, true
	case "skip":
		c.Action = DoSkip
		if i.step.Each != nil {
			i.elemSkips = true
		} else {
			i.skips = true
		}
		if !boolOf(n.Get("skip")) {
			p.list.Errorf(n.Get("skip").Span, "wrong-value", "skip is true or left out")
		}
	}
	return c
}

// nameIn is where messages about the whole of n point: the step's name, or the case.
func (i *stepInfo) nameIn(n *yamldoc.Node) diag.Span {
	if n == i.value {
		return i.name.Span
	}
	return n.Span
}

// ends adds ways the step can end; it can end ok, too.
func (i *stepInfo) ends(o outcomes) {
	i.can.merge(o)
	i.okEnds = true
}

// gives adds a type the body can have. A body is of one kind: what reads it
// could not be checked otherwise.
func (p *planner) gives(i *stepInfo, t *expr.Type, at diag.Span) {
	if t == nil {
		i.missing = true
		return
	}
	joined := join(i.body, t)
	if joined.Kind == expr.AnyType && t.Kind != expr.AnyType && i.body.Kind != expr.AnyType {
		p.list.Errorf(at, "wrong-type", "this is %s, and elsewhere %s gives %s: a body is of one kind", a(t), i.step.Name, a(i.body))
		return
	}
	i.body = joined
}

func (p *planner) memory(n *yamldoc.Node) *Memory {
	if n == nil || n.Text == "" {
		return nil
	}
	m := p.facts.memories[n.Text]
	if m == nil {
		p.unknown(n.Span, "unknown-name", "memory", n.Text, keysOf(p.facts.memories))
	}
	return m
}

func (p *planner) memoryKey(i *stepInfo, c *Case, m *Memory, n *yamldoc.Node, s *expr.Scope, k string) {
	kn := n.Get("key")
	if kn == nil {
		p.list.Errorf(n.KeyOf(k).Span, "missing-key", "%s needs key", k)
		return
	}
	t := expr.Target{What: "the key of " + k + " in " + i.step.Name}
	if m != nil {
		t.Type, t.What = m.Key, "the key of memory "+m.Name
	}
	c.Memory.Key = p.template(kn, s, t)
	c.Needs = p.needs(c.Needs, infoOf(c.Memory.Key))
}

func (p *planner) recall(i *stepInfo, c *Case, n *yamldoc.Node, s *expr.Scope) {
	c.Action = DoRecall
	m := p.memory(n.Get("recall"))
	c.Memory = &MemoryStep{Name: textOf(n.Get("recall")), Memory: m}
	p.memoryKey(i, c, m, n, s, "recall")
	i.ends(memoryOutcomes())
	switch {
	case m == nil:
		p.gives(i, anyType, c.At)
	case m.Count:
		p.gives(i, integerType, n.Get("recall").Span)
	default:
		p.gives(i, m.Value.NotNull(), n.Get("recall").Span)
		i.missing = true
	}
}

func (p *planner) remember(i *stepInfo, c *Case, n *yamldoc.Node, s *expr.Scope) {
	c.Action = DoRemember
	m := p.memory(n.Get("remember"))
	c.Memory = &MemoryStep{Name: textOf(n.Get("remember")), Memory: m}
	p.memoryKey(i, c, m, n, s, "remember")
	i.ends(memoryOutcomes())
	i.missing, i.noBody = true, true
	v := n.Get("value")
	if m != nil && m.Count {
		p.list.Errorf(n.Get("remember").Span, "wrong-type", "%s counts: it is not written, claim counts", m.Name)
		return
	}
	if v == nil {
		p.list.Errorf(n.KeyOf("remember").Span, "missing-key", "remember needs value")
		return
	}
	t := expr.Target{What: "the value to remember in " + i.step.Name}
	if m != nil {
		t.Type, t.What = m.Value, "the value of memory "+m.Name
	}
	c.Memory.Value = p.template(v, s, t)
	c.Needs = p.needs(c.Needs, infoOf(c.Memory.Value))
}
