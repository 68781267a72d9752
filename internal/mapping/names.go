package mapping

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// planner compiles one plan: its names in the order of their references, so
// that each is checked against types already known.
type planner struct {
	*loader
	doc    *document
	route  *yamldoc.Node // of a mapping: the one it is compiled for
	form   *document     // whose lets and rules are the plan's, too; nil: none
	plan   *Plan
	isFlow bool
	// durable tells that steps are recorded: of a durable mapping, or of a flow that only those call.
	durable   bool
	scheduled bool       // it is what a schedule runs
	langs     *Languages // of the dialect it answers in
	anyOf     bool       // it answers in any dialect: a form, looked at on its own

	names  []*expr.Name // the plain names, as steps and lets see them
	nodes  []*node      // lets and steps, in the file's order
	byName map[string]*node
	meta   *expr.Name // the namespace `steps`
	scope  *expr.Scope
	before int      // how many diagnostics there were when it began
	reads  []string // the names replies, rules and the result use
	infos  []*stepInfo
}

// node is a let or a step: what names graphs are made of.
type node struct {
	name    *yamldoc.Node
	value   *yamldoc.Node
	step    *stepInfo // nil for a let
	entry   *expr.Name
	refs    []string // free names, "steps.x" among them
	mark    uint8    // while ordering: 1 under way, 2 done
	built   bool
	defined bool // its name is its own
	early   bool // a let rules may see: made only of what is there before any step
}

func (n *node) label() string { return n.name.Text }

// collect lists lets and steps and what each refers to.
func (p *planner) collect() {
	p.byName = map[string]*node{}
	final := false
	add := func(entries *yamldoc.Node, steps bool) {
		if entries == nil || entries.Kind != yamldoc.Map {
			return
		}
		for i := range entries.Entries {
			e := &entries.Entries[i]
			n := &node{name: e.Key, value: e.Value}
			if steps {
				n.step = &stepInfo{node: n, step: &Step{Name: e.Key.Text, Index: len(p.infos), At: e.Key.Span}}
				n.step.final = final
				p.infos = append(p.infos, n.step)
				p.plan.Steps = append(p.plan.Steps, n.step.step)
				n.refs = stepRefs(e.Value)
			} else {
				n.refs = expr.FreeNames(expr.Source{Node: e.Value})
			}
			p.nodes = append(p.nodes, n)
			if p.byName[n.label()] == nil {
				p.byName[n.label()] = n
			}
		}
	}
	for _, root := range p.roots() {
		add(root.Get("let"), false)
	}
	add(p.doc.root.Get("steps"), true)
	if p.durable {
		final = true
		before := len(p.infos)
		add(p.doc.root.Get("finally"), true)
		p.plan.Finally = len(p.infos) - before
	}
}

// stepRefs gives the free names of a step's values.
func stepRefs(n *yamldoc.Node) []string {
	own := []string{"error", "answer"}
	if as := textOf(n.Get("as")); as != "" {
		own = append(own, as)
	}
	var refs []string
	add := func(v *yamldoc.Node, bare bool) {
		if v == nil {
			return
		}
		for _, r := range expr.FreeNames(expr.Source{Node: v, Bare: bare}) {
			if !slices.Contains(own, r) && !slices.Contains(refs, r) {
				refs = append(refs, r)
			}
		}
	}
	action := func(a *yamldoc.Node) {
		add(a.Get("when"), true)
		for _, k := range []string{"with", "body", "vars", "patch", "set", "key", "value", "use", "fail"} {
			add(a.Get(k), false)
		}
		add(a.Get("wait").Get("key"), false)
		add(a.Get("request").Get("query"), false)
		add(a.Get("request").Get("header"), false)
	}
	action(n)
	add(n.Get("idempotency_key"), false)
	add(n.Get("poll").Get("until"), true)
	if l := n.Get("lookup"); l != nil {
		own = append(own, "found")
		for _, k := range []string{"with", "body", "found", "use"} {
			add(l.Get(k), false)
		}
		own = own[:len(own)-1]
	}
	add(n.Get("each"), false)
	if c := n.Get("cache"); c != nil {
		add(c.Get("key"), false)
	}
	if c := n.Get("claim"); c != nil {
		add(c.Get("key"), false)
		add(c.Get("limit"), false)
	}
	if s := n.Get("switch"); s != nil {
		for _, c := range s.Items {
			action(c)
		}
	}
	if c := n.Get("catch"); c != nil {
		for i := range c.Entries {
			add(c.Entries[i].Value.Get("use"), false)
			add(c.Entries[i].Value.Get("fail"), false)
		}
	}
	return refs
}

// target gives the let or step a free name means: "x" or "steps.x".
func (p *planner) target(ref string) *node {
	if member, ok := strings.CutPrefix(ref, "steps."); ok {
		if n := p.byName[member]; n != nil && n.step != nil {
			return n
		}
		return nil
	}
	return p.byName[ref]
}

// closure gives the steps that names lead to, through lets; with meta also
// those only `steps.x` names.
func (p *planner) closure(refs []string) []*stepInfo {
	var found []*stepInfo
	seen := map[*node]bool{}
	var walk func(refs []string)
	walk = func(refs []string) {
		for _, r := range refs {
			n := p.target(r)
			if n == nil || seen[n] {
				continue
			}
			seen[n] = true
			if n.step != nil {
				found = append(found, n.step)
				continue
			}
			walk(n.refs)
		}
	}
	walk(refs)
	return found
}

// arrange gives lets and steps with each behind what it refers to; a circle is
// an error that shows its path.
func (p *planner) arrange() []*node {
	var out, path []*node
	var visit func(n *node)
	visit = func(n *node) {
		n.mark = 1
		path = append(path, n)
		for _, r := range n.refs {
			t := p.target(r)
			switch {
			case t == nil || t.mark == 2:
			case t.mark == 1:
				p.circle(path[slices.Index(path, t):])
			default:
				visit(t)
			}
		}
		path = path[:len(path)-1]
		n.mark = 2
		out = append(out, n)
	}
	for _, n := range p.nodes {
		if n.mark == 0 {
			visit(n)
		}
	}
	return out
}

func (p *planner) circle(path []*node) {
	if slices.ContainsFunc(path, func(n *node) bool { return !n.defined }) {
		return // what refers to a name with two meanings may mean the other
	}
	labels := make([]string, 0, len(path)+1)
	for _, n := range path {
		labels = append(labels, n.label())
	}
	labels = append(labels, path[0].label())
	if len(path) == 1 {
		p.list.Errorf(path[0].name.Span, "circle", "%s refers to itself", labels[0])
		return
	}
	p.list.Errorf(path[0].name.Span, "circle", "circle: %s", strings.Join(labels, " → "))
}

// markEarly tells which lets are made only of what is known before any step runs.
func (p *planner) markEarly(ordered []*node) {
	for _, n := range ordered {
		if n.step != nil {
			continue
		}
		n.early = true
		for _, r := range n.refs {
			switch t := p.target(r); {
			case t != nil:
				n.early = n.early && t.early
			case r == "warnings" || r == "failures" || r == "steps" || strings.HasPrefix(r, "steps."):
				n.early = false
			}
		}
	}
}

// defineNames makes the scope of steps and lets: every name, with what is known of it so far.
func (p *planner) defineNames() {
	layout := p.plan.Layout
	p.scope = expr.NewScope(layout, p.world.Functions, p.set.Tables)
	p.scope.InStep = true
	slots := &p.plan.Slots
	plain := func(name string, slot *int, t *expr.Type, barred string) {
		*slot = layout.NewSlot()
		p.names = append(p.names, &expr.Name{Name: name, Slot: *slot, Type: t, Barred: barred})
	}
	outside := ""
	if p.isFlow {
		outside = "a flow knows nothing of where it was called from: hand it over in with"
	}
	plain("input", &slots.Input, p.plan.Input.Type, "")
	plain("request", &slots.Request, requestType, outside)
	plain("caller", &slots.Caller, callerType, outside)
	plain("const", &slots.Const, p.facts.constType, "")
	plain("now", &slots.Now, &expr.Type{Kind: expr.TimeType}, "")
	plain("warnings", &slots.Warnings, warningsType, outside)
	plain("failures", &slots.Failures, failuresType, "failures is complete only when all steps have settled")
	plain("error", &slots.Error, caughtType, "error is known only inside catch; elsewhere steps.NAME.error says what went wrong")
	plain("answer", &slots.Answer, anyType, "answer is known only inside undo, poll and lookup")
	switch {
	case p.isFlow:
		plain("order", &slots.Order, orderType, outside)
	case !p.durable:
		plain("order", &slots.Order, orderType, "order is there only in durable mappings")
	default:
		plain("order", &slots.Order, orderType, "")
	}
	p.meta = &expr.Name{Name: "steps", Kind: expr.Namespace, Slot: -1, Members: map[string]*expr.Name{}}
	p.names = append(p.names, p.meta)
	for _, n := range p.names {
		p.define(p.scope, n, diag.Span{File: p.doc.file})
	}
	for _, n := range p.nodes {
		e := &expr.Name{Name: n.label(), Kind: expr.LetName, Type: anyType, Slot: layout.NewSlot()}
		n.entry = e
		if n.step != nil {
			e.Kind = expr.StepName
			n.step.step.Slot = e.Slot
			n.step.step.Meta = layout.NewSlot()
			p.meta.Members[e.Name] = &expr.Name{Name: e.Name, Slot: n.step.step.Meta, Type: anyType}
		}
		if p.define(p.scope, e, n.name.Span) {
			p.names = append(p.names, e)
			n.defined = true
		} else {
			p.contested(e)
		}
	}
}

// contested makes a name that something else has already one of which nothing
// is known, so that its uses, whichever of both they mean, repeat no fault.
func (p *planner) contested(e *expr.Name) {
	c := &expr.Name{Name: e.Name, Type: anyType, Slot: e.Slot, Contested: true}
	if old, ok := p.scope.Lookup(e.Name); ok && old.Kind != expr.Namespace {
		c.Kind = old.Kind
	}
	if p.scope.Define(c) != nil {
		return
	}
	p.names = slices.DeleteFunc(p.names, func(n *expr.Name) bool { return n.Name == e.Name })
	p.names = append(p.names, c)
}

// place is where an expression stands: what may be used there differs.
type place uint8

const (
	inRules place = iota
	inRepeat
	inReplies
	inResult
	inAccepted
	inKey   // of an order, and its subject
	inOrder // undo, shows: any step's body may be missing
)

// view gives a scope with the same names under the rules of another place.
func (p *planner) view(where place) *expr.Scope {
	s := expr.NewScope(p.plan.Layout, p.world.Functions, p.set.Tables)
	for _, n := range p.names {
		c := *n
		switch where {
		case inOrder:
			if c.Kind == expr.StepName {
				c.MayMiss = true
			}
			c.Type = orderAs(c.Name, c.Type)
		case inRules, inRepeat, inKey, inAccepted:
			before := beforeSteps[where]
			switch c.Kind {
			case expr.StepName:
				c.Barred = before
			case expr.LetName:
				if !p.byName[c.Name].early {
					c.Barred = before + ", and " + c.Name + " is made of steps"
				}
			case expr.Namespace:
				c.Barred = before
			default:
				switch {
				case where == inAccepted:
					c.Type = orderAs(c.Name, c.Type)
				case c.Name == "warnings" || c.Name == "failures":
					c.Barred = c.Name + " is known only after the rules"
				case c.Name == "order" && c.Barred == "":
					c.Barred = "there is no order before the request is accepted"
				}
			}
		default:
			if c.Name == "failures" {
				c.Barred = ""
			}
		}
		p.define(s, &c, diag.Span{File: p.doc.file})
	}
	return s
}

// beforeSteps are the words for names of steps where none has run yet.
var beforeSteps = map[place]string{
	inRules:    "rules are checked before any step runs",
	inRepeat:   "repeat is looked at before any step runs",
	inKey:      "the order is begun before any step runs",
	inAccepted: "accepted is answered before any step runs",
}

// orderAs gives the type of a name where an order's state is known.
func orderAs(name string, t *expr.Type) *expr.Type {
	if name == "order" {
		return orderStateType
	}
	return t
}

var (
	// orderType is what steps see of their order, orderStateType what stands
	// where its state is known: in what is accepted and shown, and in finally.
	orderType      = record("order", "id", textType)
	orderStateType = record("order", "id", textType, "state", &expr.Type{Kind: expr.TextType, Enum: orderStates, Label: "order.state"},
		"error", record("order.error", "step", textType, "class", textType, "message", textOrNone).Nullable())
	orderStates = []string{"accepted", "running", "waiting", "held", "undoing", "done", "undone", "stuck"}
	// anyType is what names have of which nothing is known, because what says
	// it does not check: no further fault is told about it.
	anyType     = &expr.Type{Kind: expr.AnyType, Told: true}
	requestType = record("request", "method", textType, "path", textType, "header", headerType, "id", textType, "language", textOrNone, "body", anyType)
	headerType  = &expr.Type{Kind: expr.ObjectType, Open: true, Fields: map[string]*expr.Field{}, Label: "header"}
	callerType  = record("caller", "name", textType, "app", textOrNone, "strict", boolType)
	// faultType is one thing that is wrong, or one that is warned of.
	faultType    = record("errors", "pointer", textType, "code", textType, "detail", textType)
	warningsType = &expr.Type{Kind: expr.ListType, Elem: record("warnings", "pointer", textType, "code", textType, "detail", textType)}
	failuresType = &expr.Type{Kind: expr.ListType, Elem: record("failures", "step", textType, "class", textType)}
	// The answer is there where the backend refused with one.
	caughtType = record("error", "class", textType, "status", integerType.Nullable(), "message", textOrNone, "answer", anyType)
)
