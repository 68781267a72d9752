package mapping

import (
	"slices"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// stepInfo is a step while it is compiled.
type stepInfo struct {
	*node
	step      *Step
	body      *expr.Type // of one answer; nil: none
	can       outcomes   // how its action can end, before catch
	caught    map[contract.State]bool
	uncaught  outcomes
	skips     bool // it can be skipped
	elemSkips bool // an element of its each can be
	missing   bool // its body may be missing although it was not skipped
	okEnds    bool // it can end ok
	guards    bool // it can end the run with fail: it is there for that
	noBody    bool // it never has one: remember
	cont      bool // some failure of it is continued
	told      bool // nobody looks at its failures: told already
	final     bool // it is one of finally's
	undoes    bool // it says what takes it back, or that nothing does
}

// buildNode compiles a let or a step; what it refers to is compiled already.
func (p *planner) buildNode(n *node, s *expr.Scope) {
	if n.built {
		return
	}
	n.built = true
	if n.step != nil {
		p.step(n.step, s)
		return
	}
	t, list := expr.CompileTemplate(n.value, s, expr.Target{What: "let " + n.label(), Optional: true, Secrets: true})
	p.list.Add(list)
	if t == nil || n.entry == nil {
		return
	}
	p.plan.Layout.SetLet(n.entry.Slot, t)
	n.entry.Type = knownType(t.Type)
	n.entry.Needs, n.entry.Uses = t.Needs(), t.Uses
	n.entry.True, n.entry.False = t.True, t.False
}

func knownType(t *expr.Type) *expr.Type {
	if t == nil {
		return anyType
	}
	return t
}

func (p *planner) condition(n *yamldoc.Node, s *expr.Scope) *expr.Condition {
	if n == nil {
		return nil
	}
	c, list := expr.CompileCondition(n, s)
	if n.Kind == yamldoc.Text || n.Kind == yamldoc.Bool { // else the check of the file's form has told
		p.list.Add(list)
	}
	return c
}

func (p *planner) template(n *yamldoc.Node, s *expr.Scope, t expr.Target) *expr.Template {
	if n == nil {
		return nil
	}
	c, list := expr.CompileTemplate(n, s, t)
	p.list.Add(list)
	return c
}

// needs gives the indexes of the steps some compiled parts need, each once.
func (p *planner) needs(into []int, infos ...*expr.Info) []int {
	for _, info := range infos {
		if info == nil {
			continue
		}
		for _, name := range info.Needs() {
			n := p.byName[name]
			if n == nil || n.step == nil {
				continue
			}
			into = addIndex(into, n.step.step.Index)
		}
	}
	return into
}

func addIndex(all []int, i int) []int {
	for _, a := range all {
		if a == i {
			return all
		}
	}
	return append(all, i)
}

func infoOf(t *expr.Template) *expr.Info {
	if t == nil {
		return nil
	}
	return &t.Info
}

func condInfo(c *expr.Condition) *expr.Info {
	if c == nil {
		return nil
	}
	return &c.Info
}

// facts of a condition that held, or did not.
func holds(s *expr.Scope, c *expr.Condition) *expr.Scope {
	if c == nil {
		return s
	}
	return s.Assume(c.True)
}

func fails(s *expr.Scope, c *expr.Condition) *expr.Scope {
	if c == nil {
		return s
	}
	return s.Assume(c.False)
}

// step compiles one step.
func (p *planner) step(i *stepInfo, s *expr.Scope) {
	n, st := i.value, i.step
	i.can, i.caught = outcomes{}, map[contract.State]bool{}
	if n.Kind != yamldoc.Map {
		i.uncaught = outcomes{}
		return
	}
	if w := n.Get("when"); w != nil {
		st.When = p.condition(w, s)
		i.skips = true
		s = holds(s, st.When)
	}
	st.Needs = p.needs(nil, condInfo(st.When))
	s, elem := p.each(i, n, s)
	p.cases(i, n, s)
	if elem {
		p.elementNeeds(i, n)
	}
	p.around(i, n, s)
	p.lasting(i, n, s)
	p.catch(i, n, s)
	if elem && i.okEnds {
		t := i.body
		if t == nil {
			t = &expr.Type{Kind: expr.NoneType, Null: true}
		}
		if i.missing || i.elemSkips {
			t = t.Nullable()
		}
		i.body = &expr.Type{Kind: expr.ListType, Elem: t, Label: st.Name}
		i.missing = false
	}
	p.announce(i, elem)
}

// each compiles the list and gives the scope in which the element has a name.
func (p *planner) each(i *stepInfo, n *yamldoc.Node, s *expr.Scope) (*expr.Scope, bool) {
	list, as := n.Get("each"), n.Get("as")
	if list == nil {
		for _, k := range []string{"as", "at_most"} {
			if at := n.KeyOf(k); at != nil {
				p.list.Errorf(at.Span, "misplaced-key", "%s belongs to each", k)
			}
		}
		return s, false
	}
	e := &Each{Slot: p.plan.Layout.NewSlot()}
	i.step.Each = e
	e.List = p.template(list, s, expr.Target{Type: listType, What: "each of " + i.step.Name})
	i.step.Needs = p.needs(i.step.Needs, infoOf(e.List))
	if as == nil || as.Text == "" {
		p.list.Errorf(n.KeyOf("each").Span, "missing-key", "each needs as, the name of the element")
		return s, true
	}
	t := anyType
	if e.List != nil && e.List.Type != nil && !e.List.Type.Told {
		if t = e.List.Type.Elem; t == nil {
			t = &expr.Type{Kind: expr.AnyType}
		}
	}
	s = s.Child()
	p.define(s, &expr.Name{Name: as.Text, Kind: expr.ElementName, Type: t, Slot: e.Slot}, as.Span)
	return s, true
}

// elementNeeds sorts out what it means when a body that an element's call needs
// is missing: without a switch no element can go, so the whole step is skipped;
// with one, the elements that take such a case have no answer.
func (p *planner) elementNeeds(i *stepInfo, n *yamldoc.Node) {
	for _, c := range i.step.Cases {
		for _, need := range c.Needs {
			if n.Get("switch") != nil {
				i.elemSkips = i.elemSkips || p.mayMiss(need)
				continue
			}
			i.step.Needs = addIndex(i.step.Needs, need)
		}
		if n.Get("switch") == nil {
			c.Needs = nil
		}
	}
}

// around compiles what lies around the calls: timeout, retry, cache, claim, order.
func (p *planner) around(i *stepInfo, n *yamldoc.Node, s *expr.Scope) {
	st := i.step
	calls, operations := false, true
	for _, c := range st.Cases {
		if (c.Action == DoCall || c.Action == DoFlow) && c.Call == nil {
			calls = true // of something unknown, which is told already
		}
		if c.Call != nil {
			calls = true
			operations = operations && c.Call.Operation != nil
			if c.Call.Operation != nil {
				st.Changes, st.Waits = st.Changes || c.Call.Operation.Changes, true
			} else if c.Call.Flow != nil {
				st.Changes = st.Changes || p.flows[c.Call.Flow.Name[len("flows."):]].changes
				st.Waits = st.Waits || c.Call.Flow.waits()
			}
		}
	}
	misplaced := func(k, words string) { p.list.Errorf(n.KeyOf(k).Span, "misplaced-key", "%s %s", k, words) }
	if t := n.Get("timeout"); t != nil {
		if !calls || !operations {
			misplaced("timeout", "belongs to a step that calls an operation")
		}
		st.Timeout = p.duration(t, "timeout")
	}
	if r := n.Get("retry"); r != nil && r.Kind == yamldoc.Map {
		switch {
		case !calls || !operations:
			misplaced("retry", "belongs to a step that calls an operation")
		case st.Changes && !p.durable:
			misplaced("retry", "stands only where nothing changes: "+st.Name+" could be done twice")
		}
		st.Retry = p.retry(r)
	}
	if c := n.Get("cache"); c != nil && c.Kind == yamldoc.Map {
		switch {
		case !calls:
			misplaced("cache", "belongs to a step that calls something")
		case st.Changes:
			misplaced("cache", "stands only where nothing changes")
		case hasSecret(i.body):
			misplaced("cache", "never keeps an answer with secret fields")
		}
		st.Cache = &Cache{
			Key: p.template(c.Get("key"), s, expr.Target{What: "the cache's key"}),
			For: p.duration(c.Get("for"), "for"),
		}
		st.Needs = p.needs(st.Needs, infoOf(st.Cache.Key))
	}
	p.claim(i, n, s)
	if st.Each != nil {
		st.Each.AtMost = 8
		if st.Changes {
			st.Each.AtMost = 1
		}
		if m, ok := intOf(n.Get("at_most")); ok {
			st.Each.AtMost = m
			if m < 1 {
				p.list.Errorf(n.Get("at_most").Span, "limits", "at_most is 1 or more")
				st.Each.AtMost = 1
			}
		}
	}
	if boolOf(n.Get("parallel")) && !st.Changes {
		p.list.Warnf(n.KeyOf("parallel").Span, "useless-key", "parallel changes nothing here: a step that only reads waits for nobody")
	}
}

func (p *planner) retry(r *yamldoc.Node) *Retry {
	out := &Retry{Every: p.duration(r.Get("every"), "every"), For: p.duration(r.Get("for"), "for")}
	if out.Every == 0 {
		out.Every = defaultRetryEvery
	}
	most := 10
	if p.durable {
		most = 1000
	}
	t, ok := intOf(r.Get("times"))
	switch {
	case r.Get("times") == nil && r.Get("for") == nil:
		p.list.Errorf(r.Span, "missing-key", "retry needs times")
	case ok && (t < 1 || t > most):
		p.list.Errorf(r.Get("times").Span, "limits", "times is from 1 to %d", most)
	case r.Get("for") != nil && !p.durable:
		p.list.Errorf(r.KeyOf("for").Span, "misplaced-key", "for belongs to durable mappings: a request does not wait so long").Help = "write times"
	case r.Get("for") != nil && r.Get("times") != nil:
		p.list.Errorf(r.KeyOf("for").Span, "two-bounds", "retry has times or for, not both")
	}
	out.Times = t
	return out
}

// announce tells the names of the step what is known of it.
func (p *planner) announce(i *stepInfo, elem bool) {
	st := i.step
	for _, need := range st.Needs {
		i.skips = i.skips || p.mayMiss(need)
	}
	for _, c := range st.Cases {
		for _, need := range c.Needs {
			i.skips = i.skips || !elem && p.mayMiss(need)
		}
	}
	if i.entry == nil {
		return
	}
	i.entry.MayMiss = i.skips || i.missing
	i.entry.Type = knownType(i.body)
	m := p.meta.Members[st.Name]
	if m == nil || m.Slot != st.Meta {
		return
	}
	var states []string
	if i.okEnds {
		states = append(states, contract.OK.String())
	}
	for _, s := range []contract.State{contract.Refused, contract.Failed, contract.Unknown} {
		if i.caught[s] {
			states = append(states, s.String())
		}
	}
	if i.skips {
		states = append(states, contract.Skipped.String())
	}
	stateType := func(states []string) *expr.Type {
		return &expr.Type{Kind: expr.TextType, Enum: states, Label: "steps." + st.Name + ".state"}
	}
	state := stateType(states)
	e := record("error of "+st.Name, "class", textType, "status", integerType.Nullable(), "message", textOrNone).Nullable()
	fields := []any{"state", state, "status", integerType.Nullable(), "header", headerType, "error", e}
	if elem {
		if i.elemSkips && !i.skips {
			states = append(slices.Clone(states), contract.Skipped.String())
		}
		item := record("an item of "+st.Name, "state", stateType(states), "status", integerType.Nullable(), "error", e)
		fields = append(fields, "items", &expr.Type{Kind: expr.ListType, Elem: item},
			"ok", integerType, "refused", integerType, "failed", integerType, "unknown", integerType)
	}
	m.Type = record("steps."+st.Name, fields...)
}

func (p *planner) mayMiss(index int) bool {
	i := p.infos[index]
	return i.entry != nil && i.entry.MayMiss
}

// at gives where key k of n stands, or n itself.
func at(n *yamldoc.Node, k string) diag.Span {
	if kn := n.KeyOf(k); kn != nil {
		return kn.Span
	}
	return n.Span
}
