package mapping

import (
	"regexp"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// build compiles everything of a plan but its replies or result.
func (p *planner) build() {
	p.before = len(p.list)
	p.collect()
	p.defineNames()
	ordered := p.arrange()
	p.markEarly(ordered)
	s := p.compileRules(ordered)
	for _, n := range ordered {
		if n.step == nil || !n.step.final {
			p.buildNode(n, s)
		}
	}
	p.buildFinally(ordered, s)
	p.order()
}

// buildFinally compiles the steps of finally: the others may not have run.
func (p *planner) buildFinally(ordered []*node, s *expr.Scope) {
	if p.plan.Finally == 0 {
		return
	}
	for _, i := range p.infos {
		if !i.final && i.entry != nil {
			i.entry.MayMiss = true
		}
	}
	for _, name := range []string{"order", "failures"} {
		if e, ok := s.Lookup(name); ok {
			words, was := e.Barred, e.Type
			if name == "order" {
				e.Type = orderStateType
			} else {
				e.Barred = ""
			}
			defer func() { e.Barred, e.Type = words, was }()
		}
	}
	for _, n := range ordered {
		p.buildNode(n, s)
	}
}

// lets gives the lets some names lead to.
func (p *planner) lets(refs []string) map[*node]bool {
	found := map[*node]bool{}
	var walk func(refs []string)
	walk = func(refs []string) {
		for _, r := range refs {
			if n := p.target(r); n != nil && n.step == nil && !found[n] {
				found[n] = true
				walk(n.refs)
			}
		}
	}
	walk(refs)
	return found
}

// finish drops the slots nothing reads and tells what is never used.
func (p *planner) finish() {
	refs := append([]string(nil), p.reads...)
	for _, n := range p.nodes {
		refs = append(refs, n.refs...)
	}
	used := map[string]bool{}
	for _, r := range refs {
		used[r] = true
	}
	slots := &p.plan.Slots
	for name, slot := range map[string]*int{
		"input": &slots.Input, "request": &slots.Request, "caller": &slots.Caller, "const": &slots.Const,
		"now": &slots.Now, "warnings": &slots.Warnings, "failures": &slots.Failures, "order": &slots.Order,
	} {
		if !used[name] {
			*slot = -1
		}
	}
	if !p.catchesRead("error") {
		slots.Error = -1
	}
	for _, i := range p.infos {
		if !used["steps."+i.label()] && !used["steps"] {
			i.step.Meta = -1
		}
	}
	if !p.faulty() {
		p.unusedNames(used)
		p.unusedInput()
	}
}

// faulty tells that the file has errors: what seems unused may be what they hide.
func (p *planner) faulty() bool {
	return slices.ContainsFunc(p.list, func(d diag.Diagnostic) bool {
		return d.Severity == diag.Error && d.Span.File == p.doc.file
	})
}

// unread tells that an expression of the plan could not be read: what it uses
// is then not known, and nothing may be said to be unused.
func (p *planner) unread() bool {
	for i := range p.list[p.before:] {
		if d := &p.list[p.before+i]; d.Rule == "syntax" && d.Severity == diag.Error {
			return true
		}
	}
	return false
}

// catchesRead tells whether some catch reads name.
func (p *planner) catchesRead(name string) bool {
	for _, i := range p.infos {
		c := i.value.Get("catch")
		if c == nil {
			continue
		}
		for k := range c.Entries {
			for _, key := range []string{"use", "fail"} {
				v := c.Entries[k].Value.Get(key)
				if v == nil {
					continue
				}
				for _, r := range expr.FreeNames(expr.Source{Node: v}) {
					if r == name {
						return true
					}
				}
			}
		}
	}
	return false
}

func (p *planner) unusedNames(used map[string]bool) {
	for _, n := range p.nodes {
		if n.name.Span.File != p.doc.file { // a form's, which others may use
			continue
		}
		if p.byName[n.label()] != n || n.entry == nil || !n.defined || used[n.label()] || n.step != nil && used["steps."+n.label()] {
			continue
		}
		switch {
		case n.step == nil:
			p.list.Warnf(n.name.Span, "unused", "%s is never used", n.label())
		case n.step.told || n.step.step.Changes || n.step.guards || n.step.noBody || n.step.unclear():
		default:
			p.list.Warnf(n.name.Span, "unused", "nothing reads what step %s gives, and it changes nothing", n.label())
		}
	}
}

// unclear tells that what the step does did not check: it may well change something.
func (i *stepInfo) unclear() bool {
	for _, c := range i.step.Cases {
		if c.Call == nil && (c.Action == DoCall || c.Action == DoFlow) {
			return true
		}
	}
	return len(i.step.Cases) == 0
}

var inputField = regexp.MustCompile(`\binput\??\.\s*([A-Za-z_][A-Za-z0-9_]*)|\binput(?:\?\.)?\[\s*["']([^"']*)["']\s*\]`)

var wholeInput = regexp.MustCompile(`\binput\b`)

// unusedInput tells input fields no expression of the file reads. It goes by
// the text of the scalars: what it takes for a use too much does no harm.
func (p *planner) unusedInput() {
	used, whole := map[string]bool{}, false
	var walk func(n *yamldoc.Node)
	walk = func(n *yamldoc.Node) {
		if n == nil {
			return
		}
		if n.Kind == yamldoc.Text {
			found := inputField.FindAllStringSubmatch(n.Text, -1)
			for _, f := range found {
				used[f[1]+f[2]] = true
			}
			whole = whole || len(wholeInput.FindAllString(n.Text, -1)) > len(found)
		}
		for _, i := range n.Items {
			walk(i)
		}
		for i := range n.Entries {
			walk(n.Entries[i].Value)
		}
	}
	for _, root := range p.roots() {
		for _, k := range []string{"rules", "let", "steps", "reply", "result", "order", "finally"} {
			walk(root.Get(k))
		}
	}
	for _, r := range routesOf(p.doc.root) {
		walk(r.Get("repeat"))
	}
	if whole {
		return
	}
	path := ""
	for _, r := range routesOf(p.doc.root) {
		path += "/" + textOf(r.Get("path"))
	}
	for _, f := range p.plan.Input.Fields {
		if f.At.File != p.doc.file {
			continue
		}
		if !used[f.Name] && !strings.Contains(path, "{"+f.Name+"}") {
			p.list.Warnf(f.At, "unused", "input field %s is never used", f.Name)
		}
	}
}
