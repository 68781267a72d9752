package mapping

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

const defaultTimeout = 30 * time.Second

// mapping compiles a mapping file: once for each of its routes, whose dialects
// may have words of their own. What is wrong with all of them is told once.
func (l *loader) mapping(d *document) {
	route := d.root.Get("route")
	if route == nil || route.Kind != yamldoc.List {
		l.mappingAt(d, route)
		return
	}
	spoken := map[string]bool{}
	for _, item := range route.Items {
		if name := item.Get("dialect"); name != nil {
			if spoken[name.Text] {
				l.list.Errorf(name.Span, "double", "two routes of one mapping have the dialect %s", name.Text).Help = "each has one of its own; prefixes give a dialect several paths"
			}
			spoken[name.Text] = true
		}
		before := len(l.list)
		l.mappingAt(d, item)
		told := slices.Clone(l.list[:before])
		l.list = append(l.list[:before], slices.DeleteFunc(slices.Clone(l.list[before:]), func(n diag.Diagnostic) bool {
			return slices.ContainsFunc(told, func(o diag.Diagnostic) bool { return o.Span == n.Span && o.Message == n.Message })
		})...)
	}
}

// routesOf gives the routes of a mapping file.
func routesOf(root *yamldoc.Node) []*yamldoc.Node {
	switch n := root.Get("route"); {
	case n == nil:
		return nil
	case n.Kind == yamldoc.List:
		return n.Items
	default:
		return []*yamldoc.Node{n}
	}
}

// mappingAt compiles a mapping file at one of its routes.
func (l *loader) mappingAt(d *document, route *yamldoc.Node) {
	r := &Route{At: at(d.root, "route"), Timeout: defaultTimeout}
	if route != nil && d.root.Get("route") != route {
		r.At = route.Span
	}
	plan := l.newPlan(d, strings.TrimSuffix(d.file.Name, ".yaml"))
	plan.Input = l.input(d.root.Get("input"), "input")
	form := l.formOf(d.root.Get("input"))
	if l.addForm(plan.Input, form); form == nil && textOf(d.root.Get("input").Get("form")) != "" {
		plan.Input.Type.Open = true // it is not known, which has been told
	}
	r.Plan = plan
	if route != nil && route.Kind == yamldoc.Map {
		l.route(r, route)
	}
	if r.Replaces != nil && d.root.Get("input") == nil {
		plan.Input = inputOf(r.Replaces, "input")
	}
	p := &planner{loader: l, doc: d, route: route, form: form, plan: plan, durable: textOf(d.root.Get("mode")) == "durable"}
	plan.lasts = p.durable
	if form != nil {
		plan.Form = form.file
	}
	if r.Dialect != nil {
		p.langs = r.Dialect.Languages
	} else {
		p.anyOf = true // it is not known, which has been told
	}
	p.build()
	r.Changes = plan.Changes()
	if p.durable {
		p.undos()
		p.undoable()
	} else {
		p.repeat(r, route.Get("repeat"))
		p.replies()
	}
	p.ordered(r)
	p.finish()
	if r.Dialect != nil {
		l.credentials(r)
		if r.Path != "" || r.Replaces != nil {
			l.set.Routes = append(l.set.Routes, r)
		}
	}
	l.tests(d, plan, r)
}

func (l *loader) route(r *Route, n *yamldoc.Node) {
	if d := n.Get("dialect"); d != nil && d.Text != "" {
		r.Dialect = l.set.Dialects[d.Text]
		if r.Dialect == nil && !l.unreadable["dialect "+d.Text] {
			l.unknown(d.Span, "unknown-name", "dialect", d.Text, keysOf(l.set.Dialects))
		}
	}
	path, op := n.Get("path"), n.Get("operation")
	switch {
	case path == nil && op == nil:
		l.list.Errorf(n.Span, "missing-key", "route needs path").Help = "or operation, to stand in the place of one that is exposed"
	case path != nil && op != nil:
		l.list.Errorf(op.Span, "misplaced-key", "a route has a path or an operation, whose path it takes")
	}
	r.Path = textOf(path)
	if path != nil {
		r.At = path.Span
	}
	r.Methods = textsOf(n.Get("method"))
	if path == nil && op != nil && op.Text != "" {
		l.replaces(r, op)
		if len(r.Methods) > 0 && n.Get("method") != nil && r.Replaces != nil {
			l.list.Errorf(n.KeyOf("method").Span, "misplaced-key", "the operation says the method")
		}
	} else {
		l.pathFields(path, r.Plan.Input)
	}
	if t := l.duration(n.Get("timeout"), "timeout"); t > 0 {
		r.Timeout = t
	}
	r.Needs = textOf(n.Get("needs"))
	if needs := n.Get("needs"); needs != nil && (r.Needs == "" || strings.ContainsAny(r.Needs, "* \t")) {
		l.list.Errorf(needs.Span, "needs", "needs is one permission, such as shop.read: globs stand with callers")
	}
	if r.Dialect == nil {
		return
	}
	if len(r.Methods) == 0 {
		r.Methods = r.Dialect.Methods
	}
	name := r.Path
	if r.Replaces != nil {
		name = r.Replaces.ID
	}
	r.Plan.Name = r.Dialect.Name + "/" + name
	if r.Needs == "" {
		r.Needs = r.Dialect.Name + "." + name
	}
	r.Errors = r.Dialect.Errors
	if e := n.Get("errors"); e != nil && r.Dialect.Errors != nil {
		r.Errors = l.errorReplies(e, r.Dialect.Errors, nil)
		for kind, own := range r.Errors { // in the dialect's languages, with its titles
			if from := r.Dialect.Errors[kind]; own != nil && own.Languages == nil && from != nil {
				own.Languages, own.Titles = from.Languages, from.Titles
			}
		}
	}
}

// credentials checks that no input field has the name of a sign-in field:
// credentials never enter input, so the field would never have a value.
func (l *loader) credentials(r *Route) {
	for _, f := range r.Plan.Input.Fields {
		for _, s := range r.Dialect.SignIn {
			if s.Place != PlaceHeader && (slices.Contains(f.Names, s.Token) || s.App != "" && slices.Contains(f.Names, s.App)) {
				l.list.Errorf(f.At, "name", "input field %s has the name of a credential of dialect %s, which never enters input", f.Name, r.Dialect.Name)
				break
			}
		}
	}
}

// conflicts tells routes that would answer the same requests, and gives plans names of their own.
func (l *loader) conflicts() {
	taken := map[string]*Route{}
	names := map[string]*Route{}
	for _, r := range l.set.Routes {
		told := map[*Route]bool{}
		for _, prefix := range r.Dialect.Prefixes {
			for _, method := range r.Methods {
				spot := method + " " + anonymous(r.under(prefix))
				other := taken[spot]
				if other == nil {
					taken[spot] = r
				} else if other != r && !told[other] {
					told[other] = true
					d := l.list.Errorf(r.At, "double", "%s %s/%s is already routed in %s", method, prefix, r.Path, other.At)
					if path.Dir(r.At.File.Name) != path.Dir(other.At.File.Name) {
						d.Help = "where folders answer the same, packs under gateway: in gateway.yaml names those that are served"
					}
				}
			}
		}
		if names[r.Plan.Name] != nil {
			r.Plan.Name = strings.Join(r.Methods, ",") + " " + r.Plan.Name
		}
		names[r.Plan.Name] = r
	}
}

// doors takes the exposed operations out that mappings stand in the place of,
// and tells those that would answer the same requests as something else.
func (l *loader) doors() {
	taken := map[string]diag.Span{}
	replaced := map[*contract.Operation]diag.Span{}
	for _, r := range l.set.Routes {
		for _, prefix := range r.Dialect.Prefixes {
			for _, method := range r.Methods {
				spot := method + " " + anonymous(r.under(prefix))
				if r.Replaces != nil {
					replaced[r.Replaces] = r.At
					continue
				}
				taken[spot] = r.At
			}
		}
	}
	kept := l.set.Exposed[:0]
	for _, e := range l.set.Exposed {
		if _, is := replaced[e.Operations[0].Operation]; is {
			if len(e.Operations) > 1 {
				l.list.Errorf(replaced[e.Operations[0].Operation], "double", "%s shares its method and path with %s: one mapping stands in the place of all of them",
					e.Operations[0].Name(), e.Operations[1].Name())
			}
			continue
		}
		spot := e.Method + " " + anonymous(e.Path)
		if at, is := taken[spot]; is {
			l.list.Errorf(e.At, "double", "%s %s of %s is already routed in %s", e.Method, e.Path, e.Operations[0].Name(), at).
				Help = "write route: { operation: " + e.Operations[0].Name() + " } there to stand in its place"
		}
		taken[spot] = e.At
		kept = append(kept, e)
	}
	l.set.Exposed = kept
}

// under gives the route's whole path below a prefix, without a slash at the end.
func (r *Route) under(prefix string) string {
	return strings.TrimSuffix(prefix+"/"+strings.Trim(r.Path, "/"), "/")
}

// Spelled gives the route's whole paths, one below each of its dialect's
// prefixes that it has, without a slash at the end.
func (r *Route) Spelled() []string {
	var all []string
	for _, prefix := range r.Dialect.Prefixes {
		if path := r.under(prefix); r.Replaces == nil || path == strings.TrimSuffix(r.Replaces.Path, "/") {
			all = append(all, path)
		}
	}
	return all
}

// anonymous gives a path with its parameters unnamed: {a} and {b} match the same.
func anonymous(path string) string {
	segs := strings.Split(path, "/")
	for i, s := range segs {
		if strings.HasPrefix(s, "{") {
			segs[i] = "{}"
		}
	}
	return strings.Join(segs, "/")
}
