package mapping

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// compileRules compiles the rules and gives the scope in which they hold. The
// lets rules read are compiled first; nothing may be assumed in them.
func (p *planner) compileRules(ordered []*node) *expr.Scope {
	var rules []*yamldoc.Node
	for _, root := range p.roots() {
		if n := root.Get("rules"); n != nil && n.Kind == yamldoc.List {
			rules = append(rules, n.Items...)
		}
	}
	if len(rules) == 0 {
		return p.scope
	}
	var refs []string
	for _, r := range rules {
		refs = append(refs, ruleRefs(r)...)
	}
	p.reads = append(p.reads, refs...)
	read := p.lets(refs)
	for _, n := range ordered {
		if read[n] && n.early {
			p.buildNode(n, p.scope)
		}
	}
	s, view, reading := p.scope, p.view(inRules), p.newReading()
	for _, r := range rules {
		if r.Kind != yamldoc.Map {
			continue
		}
		out := p.rule(r, view)
		if !p.anyOf { // a form on its own takes no requests
			reading.rule(out, r)
		}
		p.plan.Rules = append(p.plan.Rules, out)
		if !out.Warn && out.Each == nil {
			s = holds(s, out.That)
		}
	}
	return s
}

// ruleRefs gives the free names of a rule.
func ruleRefs(r *yamldoc.Node) []string {
	var refs []string
	as := textOf(r.Get("as"))
	add := func(v *yamldoc.Node, bare bool) {
		if v == nil {
			return
		}
		for _, name := range expr.FreeNames(expr.Source{Node: v, Bare: bare}) {
			if as == "" || name != as {
				refs = append(refs, name)
			}
		}
	}
	add(r.Get("that"), true)
	add(r.Get("else"), false)
	add(r.Get("at"), false)
	add(r.Get("each"), false)
	return refs
}

// rule compiles one rule.
func (p *planner) rule(r *yamldoc.Node, view *expr.Scope) *Rule {
	out := &Rule{At: r.Span, Code: DefaultCode, Warn: textOf(r.Get("level")) == "warn"}
	if code := textOf(r.Get("code")); code != "" {
		out.Code = code
	}
	each, as := r.Get("each"), r.Get("as")
	switch {
	case each == nil && as != nil:
		p.list.Errorf(r.KeyOf("as").Span, "misplaced-key", "as belongs to each")
	case each != nil && as == nil:
		p.list.Errorf(r.KeyOf("each").Span, "missing-key", "each needs as, the name of the element in that, else and at")
	}
	if each != nil {
		out.Each = p.template(each, view, expr.Target{Type: listType, What: "each"})
		out.Slot = p.plan.Layout.NewSlot()
		view = view.Child()
		elem := anyType
		if t := out.Each; t != nil && t.Type != nil && t.Type.Kind == expr.ListType && t.Type.Elem != nil {
			elem = t.Type.Elem
		}
		if as != nil && as.Text != "" {
			p.define(view, &expr.Name{Name: as.Text, Kind: expr.ElementName, Type: elem, Slot: out.Slot}, as.Span)
		}
	}
	out.That = p.condition(r.Get("that"), view)
	failed := fails(view, out.That)
	out.Else = p.words(r.Get("else"), failed)
	if at := r.Get("at"); at != nil {
		p.pointer(at)
		out.Pointer = p.template(at, failed, expr.Target{Type: textType, What: "at"})
	}
	return out
}

// pointer checks that what `at` gives begins as a JSON Pointer does, where that can be seen.
func (p *planner) pointer(n *yamldoc.Node) {
	if n.Kind != yamldoc.Text || n.Text != "" && !strings.HasPrefix(n.Text, "/") && !strings.HasPrefix(n.Text, "${") {
		p.list.Errorf(n.Span, "path", "at is a JSON Pointer: it begins with /")
	}
}

// words compiles the message of a rule, in each of the dialect's languages. On
// its own a form is looked at in all of those that it is written in.
func (p *planner) words(n *yamldoc.Node, s *expr.Scope) []*expr.Template {
	if n == nil {
		return nil
	}
	translated := n.Kind == yamldoc.Map && !slices.ContainsFunc(n.Entries, func(e yamldoc.Entry) bool { return strings.HasPrefix(e.Key.Text, "$") })
	var nodes []*yamldoc.Node
	switch {
	case p.anyOf && translated:
		for i := range n.Entries {
			nodes = append(nodes, n.Entries[i].Value)
		}
	case p.anyOf:
		nodes = []*yamldoc.Node{n}
	case translated || p.langs != nil:
		if n.Span.File == p.doc.file {
			p.strangers(n, p.langs)
		}
		nodes = p.inEach(n, p.langs, "else")
	default:
		nodes = []*yamldoc.Node{n}
	}
	var all []*expr.Template
	for _, one := range nodes {
		all = append(all, p.template(one, s, expr.Target{Type: textType, What: "else"}))
	}
	return all
}

// Words gives the message in a language.
func (r *Rule) Words(lang int) *expr.Template {
	if lang < len(r.Else) {
		return r.Else[lang]
	}
	return r.Else[0]
}

// Read is a place of the input that a rule reads.
type Read struct {
	Path    []string // members, and AnyElement for elements of lists
	Shallow bool     // only whether there is something: what stands in it has no say
}

// AnyElement stands in a path for every element of a list.
const AnyElement = "*"

// Touched tells whether a place of the input, by its path, has a say in what is read.
func (r *Read) Touched(path []string) bool {
	for i := range min(len(path), len(r.Path)) {
		if path[i] != r.Path[i] && r.Path[i] != AnyElement {
			return false
		}
	}
	return len(path) <= len(r.Path) || !r.Shallow
}

// reading finds what rules read of the input, through lets.
type reading struct {
	p      *planner
	tracer *expr.Tracer
	lets   map[string]*expr.Flow
}

func (p *planner) newReading() *reading {
	r := &reading{p: p, lets: map[string]*expr.Flow{}}
	r.tracer = &expr.Tracer{Names: r.name, Functions: p.world.Functions}
	return r
}

// name gives what is known of a name.
func (r *reading) name(name string) *expr.Flow {
	if name == "input" {
		return expr.OriginFlow(name, r.p.plan.Input.Type)
	}
	n := r.p.byName[name]
	if n == nil || n.step != nil {
		return nil
	}
	if f, known := r.lets[name]; known {
		return f
	}
	r.lets[name] = nil // a let that needs itself has been told
	r.lets[name] = r.tracer.Template(n.value)
	return r.lets[name]
}

// element is the root of what is read of an element's value.
const element = "element "

// rule notes what a rule reads.
func (r *reading) rule(out *Rule, n *yamldoc.Node) {
	tracer := r.tracer
	var read []expr.Origin
	if each := n.Get("each"); each != nil {
		list := r.tracer.Template(each)
		read = append(read, list.Extent()...)
		elem := list.Element("")
		if elem.Fields["pointer"] != nil && elem.Fields["value"] != nil {
			// The element says where its value was sent.
			elem = elem.Copy()
			elem.Set("value", expr.OriginFlow(element, elem.Fields["value"].Type))
		}
		if as := textOf(n.Get("as")); as != "" {
			tracer = r.tracer.With(as, elem)
		}
	}
	read = append(read, tracer.Condition(n.Get("that"))...)
	if words := n.Get("else"); words != nil {
		read = append(read, tracer.Template(words).Origins()...)
	}
	if at := n.Get("at"); at != nil {
		read = append(read, tracer.Template(at).Origins()...)
	}
	for _, o := range read {
		switch o.Root {
		case "input":
			out.Reads = append(out.Reads, Read{Path: pathOf(o.Path), Shallow: o.Shallow()})
		case element:
			out.Own = append(out.Own, Read{Path: pathOf(o.Path), Shallow: o.Shallow()})
		}
	}
}

// pathOf reads the path of an origin: ".items[].id", `.a["b-c"]`.
func pathOf(path string) []string {
	var out []string
	for path != "" {
		switch {
		case strings.HasPrefix(path, `["`):
			end := strings.Index(path, `"]`)
			if end < 0 {
				return out
			}
			out, path = append(out, path[2:end]), path[end+2:]
		case path[0] == '[':
			end := strings.IndexByte(path, ']')
			out, path = append(out, AnyElement), path[end+1:]
		default:
			path = path[1:]
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			out, path = append(out, path[:end]), path[end:]
		}
	}
	return out
}
