package mapping

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// order finds which steps wait for which: what they refer to, `after`, and for
// steps that change something everything above. Circles are errors.
func (p *planner) order() {
	for idx, i := range p.infos {
		st := i.step
		for _, dep := range p.closure(i.refs) {
			if dep != i {
				st.Deps = addIndex(st.Deps, dep.step.Index)
			}
		}
		p.after(i)
		if st.Changes && !boolOf(i.value.Get("parallel")) {
			for above := range p.infos[:idx] {
				st.Deps = addIndex(st.Deps, above)
			}
		}
		slices.Sort(st.Deps)
		slices.Sort(st.Needs)
		for _, c := range st.Cases {
			slices.Sort(c.Needs)
		}
	}
	p.orderCircles()
}

func (p *planner) after(i *stepInfo) {
	n := i.value.Get("after")
	if n == nil {
		return
	}
	items := []*yamldoc.Node{n}
	if n.Kind == yamldoc.List {
		items = n.Items
	}
	for _, item := range items {
		t := p.byName[item.Text]
		switch {
		case t == nil || t.step == nil:
			var among []string
			for _, o := range p.infos {
				if o != i {
					among = append(among, o.label())
				}
			}
			p.unknown(item.Span, "unknown-name", "step", item.Text, among)
		case t.step == i:
			p.list.Errorf(item.Span, "circle", "%s waits for itself", i.label())
		default:
			i.step.Deps = addIndex(i.step.Deps, t.step.step.Index)
		}
	}
}

// orderCircles tells circles that come from waiting, beyond those of references.
func (p *planner) orderCircles() {
	mark := make([]uint8, len(p.infos))
	var path []int
	var visit func(at int)
	visit = func(at int) {
		mark[at] = 1
		path = append(path, at)
		for _, d := range p.infos[at].step.Deps {
			switch mark[d] {
			case 0:
				visit(d)
			case 1:
				p.waitCircle(path[slices.Index(path, d):])
			}
		}
		path = path[:len(path)-1]
		mark[at] = 2
	}
	for at := range p.infos {
		if mark[at] == 0 {
			visit(at)
		}
	}
}

func (p *planner) waitCircle(path []int) {
	byReference := true
	parts := make([]string, 0, len(path)+1)
	var reason string
	for k, at := range path {
		i, next := p.infos[at], p.infos[path[(k+1)%len(path)]]
		parts = append(parts, i.label())
		if !slices.Contains(p.closure(i.refs), next) {
			byReference = false
			if i.step.Changes && reason == "" && next.step.Index < i.step.Index {
				reason = i.label() + " changes something, so it waits for every step above it, " + next.label() + " among them"
			}
		}
	}
	if byReference {
		return // told with the names already
	}
	first := p.infos[path[0]]
	d := p.list.Errorf(first.name.Span, "circle", "circle: %s → %s: each waits for the next", strings.Join(parts, " → "), parts[0])
	if reason != "" {
		d.Help = reason + "; put it above, or give it parallel: true"
	}
}
