package mapping

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// flowInfo is a flow: declared first, compiled behind the flows it calls.
type flowInfo struct {
	name     string
	doc      *document
	plan     *Plan
	result   *expr.Type
	changes  bool
	noUndo   string   // the first step that changes something and does not say what takes it back
	outcomes outcomes // nil until compiled
	calls    []flowCall
	mark     uint8
}

type flowCall struct {
	name string
	at   *yamldoc.Node
}

func (l *loader) newPlan(d *document, name string) *Plan {
	return &Plan{
		Name: name, File: d.file, Summary: textOf(d.root.Get("summary")),
		Layout: &expr.Layout{}, Const: l.facts.consts,
	}
}

// declareFlows reads names and inputs of all flows, and puts those called
// before those that call. A flow that calls itself is an error.
func (l *loader) declareFlows() {
	var declared []*flowInfo
	for _, d := range l.of(flowFile) {
		n := d.root.Get("flow")
		if n == nil || n.Text == "" {
			continue
		}
		if first := l.flows[n.Text]; first != nil {
			l.list.Errorf(n.Span, "double", "flow %s is already in %s", n.Text, first.doc.root.Get("flow").Span)
			continue
		}
		f := &flowInfo{name: n.Text, doc: d, calls: flowCalls(d.root)}
		f.plan = l.newPlan(d, "flows."+n.Text)
		f.plan.Input = l.input(d.root.Get("input"), "input")
		for _, k := range []string{"schema", "form"} {
			if v := d.root.Get("input").Get(k); v != nil && v.Kind != yamldoc.Map {
				l.list.Errorf(d.root.Get("input").KeyOf(k).Span, "misplaced-key", "a flow's input is fields: what is checked as a whole has been checked by who calls it")
			}
		}
		l.flows[n.Text] = f
		declared = append(declared, f)
	}
	var path []*flowInfo
	var visit func(f *flowInfo)
	visit = func(f *flowInfo) {
		f.mark = 1
		path = append(path, f)
		for _, c := range f.calls {
			g := l.flows[c.name]
			switch {
			case g == nil || g.mark == 2:
			case g.mark == 1:
				var names []string
				for _, p := range path[slices.Index(path, g):] {
					names = append(names, "flows."+p.name)
				}
				l.list.Errorf(c.at.Span, "circle", "a flow cannot call itself: %s → flows.%s", strings.Join(names, " → "), g.name)
			default:
				visit(g)
			}
		}
		path = path[:len(path)-1]
		f.mark = 2
		l.flowOrder = append(l.flowOrder, f)
	}
	for _, f := range declared {
		if f.mark == 0 {
			visit(f)
		}
	}
}

// flowCalls gives the flows a file's steps call.
func flowCalls(root *yamldoc.Node) []flowCall {
	var all []flowCall
	add := func(n *yamldoc.Node) {
		if name, ok := strings.CutPrefix(textOf(n), "flows."); ok {
			all = append(all, flowCall{name: name, at: n})
		}
	}
	steps := root.Get("steps")
	if steps == nil {
		return nil
	}
	for i := range steps.Entries {
		step := steps.Entries[i].Value
		add(step.Get("call"))
		if sw := step.Get("switch"); sw != nil {
			for _, c := range sw.Items {
				add(c.Get("call"))
			}
		}
	}
	return all
}

// flow compiles one flow.
func (l *loader) flow(f *flowInfo) {
	f.plan.lasts = l.lastingFlow(f)
	p := &planner{loader: l, doc: f.doc, plan: f.plan, isFlow: true, durable: f.plan.lasts}
	p.build()
	p.undos()
	n := f.doc.root.Get("result")
	if n != nil {
		refs := expr.FreeNames(expr.Source{Node: n})
		p.reads = append(p.reads, refs...)
		f.plan.Result = p.template(n, p.view(inResult), expr.Target{What: "the result"})
		p.covered(refs, "the result")
		if r := f.plan.Result; r != nil && r.Type != nil {
			t := *r.Type
			t.Label = "flows." + f.name
			f.result = &t
		}
	}
	p.finish()
	f.outcomes = outcomes{}
	f.outcomes.merge(useOutcomes()) // the result may fail
	for _, i := range p.infos {
		f.changes = f.changes || i.step.Changes
		if name, _ := p.noUndo(i); name != "" && f.noUndo == "" {
			f.noUndo = i.label()
		}
		f.outcomes.merge(i.uncaught)
	}
	l.set.Flows[f.name] = f.plan
	l.tests(f.doc, f.plan, nil)
}
