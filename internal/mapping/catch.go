package mapping

import (
	"slices"
	"strconv"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

var catchStates = map[string]contract.State{
	"refused": contract.Refused, "failed": contract.Failed, "unknown": contract.Unknown,
}

// catch compiles what happens when the step does not end ok.
func (p *planner) catch(i *stepInfo, n *yamldoc.Node, s *expr.Scope) {
	i.uncaught = i.can
	c := n.Get("catch")
	if c == nil || c.Kind != yamldoc.Map {
		return
	}
	if len(i.can) == 0 {
		p.list.Errorf(n.KeyOf("catch").Span, "unreachable", "there is nothing to catch: %s cannot fail", i.step.Name)
		return
	}
	// Only here does `error` have a value; everywhere else the name is barred.
	if e, ok := s.Lookup("error"); ok {
		words := e.Barred
		e.Barred = ""
		defer func() { e.Barred = words }()
	}
	out := &Catch{}
	i.step.Catch = out
	for idx := range c.Entries {
		e := &c.Entries[idx]
		entry, states := p.catchKey(i, e.Key)
		if entry == nil {
			continue
		}
		p.catchAction(i, entry, e, s, states)
		out.Entries = append(out.Entries, entry)
	}
	slices.SortStableFunc(out.Entries, func(a, b *CatchEntry) int { return int(a.Kind) - int(b.Kind) })
	p.catchReach(i, c, out)
}

// catchKey tells what an entry matches, and the states that can be.
func (p *planner) catchKey(i *stepInfo, k *yamldoc.Node) (*CatchEntry, []contract.State) {
	if k.Text == "any" {
		return &CatchEntry{Kind: CatchAny}, statesOf(i.can, "")
	}
	if state, ok := catchStates[k.Text]; ok {
		if i.can[state] == nil {
			d := p.list.Errorf(k.Span, "unreachable", "%s is never %s", i.step.Name, k.Text)
			if state == contract.Unknown {
				d.Help = "it changes nothing: a lost answer is failed, class timeout or broken"
			}
			return nil, nil
		}
		return &CatchEntry{Kind: CatchState, State: state}, []contract.State{state}
	}
	if k.Text == "ok" || k.Text == "skipped" {
		p.list.Errorf(k.Span, "unreachable", "%s is no failure: there is nothing to catch", k.Text)
		return nil, nil
	}
	if code, err := strconv.Atoi(k.Text); err == nil {
		if code < 100 || code > 599 {
			p.list.Errorf(k.Span, "status", "status must be from 100 to 599")
			return nil, nil
		}
		if !i.hasOperation() {
			p.list.Errorf(k.Span, "unreachable", "%s calls no operation: it has no status", i.step.Name)
			return nil, nil
		}
		return &CatchEntry{Kind: CatchStatus, Status: code}, statesOf(i.can, "")
	}
	if i.can.has(k.Text) {
		return &CatchEntry{Kind: CatchClass, Class: k.Text}, statesOf(i.can, k.Text)
	}
	d := p.list.Errorf(k.Span, "unreachable", "%s never ends with %s", i.step.Name, quoteShort(k.Text))
	d.Help = suggest(k.Text, i.can.names())
	return nil, nil
}

func (i *stepInfo) hasOperation() bool {
	for _, c := range i.step.Cases {
		if c.Call != nil && c.Call.Operation != nil {
			return true
		}
	}
	return false
}

// statesOf gives the states in which class c can occur, or all.
func statesOf(o outcomes, c string) []contract.State {
	var states []contract.State
	for s, classes := range o {
		if c == "" || classes[c] {
			states = append(states, s)
		}
	}
	return states
}

func (p *planner) catchAction(i *stepInfo, entry *CatchEntry, e *yamldoc.Entry, s *expr.Scope, states []contract.State) {
	visible := func() {
		for _, st := range states {
			i.caught[st] = true
		}
	}
	v := e.Value
	use, fail := v.Get("use"), v.Get("fail")
	switch {
	case v.Text == "continue":
		entry.Continue = true
		i.missing, i.cont = true, true
		visible()
	case v.Text == "hold":
		if !p.durable {
			p.list.Errorf(v.Span, "misplaced-key", "hold belongs to durable mappings: a request cannot wait for people")
		}
		entry.Hold = true // and on without a body, if people say so
		i.missing = true
		visible()
	case use != nil && fail != nil:
		p.list.Errorf(v.KeyOf("fail").Span, "two-actions", "catch does one thing, not use and fail")
	case use != nil:
		entry.Use = p.template(use, s, expr.Target{What: "use of " + i.step.Name, Optional: true, Secrets: true})
		p.addNeeds(i, entry.Use)
		if entry.Use != nil {
			p.gives(i, knownType(entry.Use.Type), use.Span)
		}
		i.okEnds = true
		visible()
	case fail != nil:
		entry.Fail = p.template(fail, s, expr.Target{Type: textType, What: "fail of " + i.step.Name})
		p.addNeeds(i, entry.Fail)
	case v.Kind == yamldoc.Map:
		p.list.Errorf(v.Span, "no-action", "catch needs continue, use or fail")
	}
}

// addNeeds counts what a catch reads among the step's needs: it may run whatever the case.
func (p *planner) addNeeds(i *stepInfo, t *expr.Template) {
	i.step.Needs = p.needs(i.step.Needs, infoOf(t))
}

// catchReach tells entries that can never match, and works out what stays uncaught.
func (p *planner) catchReach(i *stepInfo, n *yamldoc.Node, c *Catch) {
	left := i.can.clone()
	for _, e := range c.Entries {
		label, gone := "any", false
		switch e.Kind {
		case CatchClass:
			left.without(e.Class)
			continue
		case CatchStatus:
			label, gone = strconv.Itoa(e.Status), len(left) == 0
		case CatchState:
			label, gone = e.State.String(), left[e.State] == nil
			delete(left, e.State)
		case CatchAny:
			gone = len(left) == 0
			left = outcomes{}
		}
		if gone {
			p.list.Errorf(n.KeyOf(label).Span, "unreachable", "%s is never reached: the more exact entries catch everything", label)
		}
	}
	i.uncaught = left
	if slices.ContainsFunc(c.Entries, func(e *CatchEntry) bool { return e.Fail != nil }) {
		i.uncaught.merge(failOutcomes())
	}
}
