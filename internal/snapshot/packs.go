package snapshot

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// choose puts the mappings and flows of packs that gateway.packs does not name
// aside, and gives the files that stay.
func (f *files) choose(g *config.Gateway, list *diag.List) []*diag.File {
	f.aside = map[*diag.File]bool{}
	packs := map[string]bool{} // those that there are: folders that hold a mapping
	for _, file := range f.mappings {
		if pack := packOf(f.inside[file]); pack != "" && !packs[pack] {
			packs[pack] = hasRoute(file)
		}
	}
	f.packs = packs
	if g.Packs == nil {
		return f.mappings
	}
	served := map[string]bool{"": true}
	for _, p := range g.Packs {
		served[p.Name] = true
		if !packs[p.Name] && !f.partial {
			f.noPack(p.Name, p.At, list)
		}
	}
	kept := make([]*diag.File, 0, len(f.mappings))
	for _, file := range f.mappings {
		pack := packOf(f.inside[file])
		f.aside[file] = packs[pack] && !served[pack] && (hasRoute(file) || flowOf(file) != "")
		if !f.aside[file] {
			kept = append(kept, file) // a table, a dialect, or a flow outside packs: there for all
		}
	}
	return kept
}

// noPack tells that there is no pack of a name.
func (f *files) noPack(name string, at diag.Span, list *diag.List) {
	var names []string
	for name, is := range f.packs {
		if is {
			names = append(names, name)
		}
	}
	list.Errorf(at, "unknown-pack", "there is no pack %q: no folder of that name holds a mapping", name).Help = suggestion(name, names)
}

// packsAside gives the packs that gateway.packs does not name, and tells those that schedules name and are none.
func (f *files) packsAside(cfg *config.Config, list *diag.List) map[string]bool {
	aside := map[string]bool{}
	for name, is := range f.packs {
		aside[name] = is && cfg.Gateway.Packs != nil && !slices.ContainsFunc(cfg.Gateway.Packs, func(p config.Pack) bool { return p.Name == name })
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Schedules)) {
		if s := cfg.Schedules[name]; s.Pack != "" && !f.packs[s.Pack] && !f.partial {
			f.noPack(s.Pack, s.PackAt, list)
		}
	}
	return aside
}

// flowsAside gives the packs of the flows that choose put aside, by the flows' names.
func (f *files) flowsAside() map[string]string {
	flows := map[string]string{}
	for file, aside := range f.aside {
		if name := flowOf(file); aside && name != "" {
			flows[name] = packOf(f.inside[file])
		}
	}
	return flows
}

// packOf gives the folder that a file's name inside the mappings folder begins with; "" for none.
func packOf(name string) string {
	pack, _, in := strings.Cut(name, "/")
	if !in {
		return ""
	}
	return pack
}

var (
	routeKey = regexp.MustCompile(`(?m)^(route|expose)[ \t]*:`)
	flowKey  = regexp.MustCompile(`(?m)^flow[ \t]*:[ \t]*([^\s#]+)`)
)

// hasRoute tells a mapping, and a file that exposes, from other files; one that cannot be read is told by how it looks.
func hasRoute(f *diag.File) bool {
	root, list := yamldoc.Parse(f)
	if root == nil || list.HasErrors() {
		return routeKey.MatchString(f.Text)
	}
	return root.Kind == yamldoc.Map && (root.Get("route") != nil || root.Get("expose") != nil)
}

// flowOf gives the name of the flow that a file is, "" for others; of one that
// cannot be read it is told by how it looks.
func flowOf(f *diag.File) string {
	root, list := yamldoc.Parse(f)
	if root == nil || list.HasErrors() {
		if found := flowKey.FindStringSubmatch(f.Text); found != nil {
			return found[1]
		}
		return ""
	}
	if root.Kind != yamldoc.Map || root.Get("flow") == nil {
		return ""
	}
	return root.Get("flow").Text
}

// called gives the backends that what is served may call, through flows too.
func (l *Loaded) called() map[string]bool {
	plans := make([]*mapping.Plan, 0, len(l.Set.Routes)+len(l.Set.Schedules))
	for _, r := range l.Set.Routes {
		plans = append(plans, r.Plan)
	}
	for _, s := range l.Set.Schedules {
		plans = append(plans, s.Plan)
	}
	backends := backendsOf(plans...)
	for _, e := range l.Set.Exposed {
		backends[e.Operations[0].Backend] = true
	}
	return backends
}

// backendsOf gives the backends that plans may call, through flows too.
func backendsOf(plans ...*mapping.Plan) map[string]bool {
	backends, seen := map[string]bool{}, map[*mapping.Plan]bool{}
	var walk func(p *mapping.Plan)
	walk = func(p *mapping.Plan) {
		if p == nil || seen[p] {
			return
		}
		seen[p] = true
		for c := range calls(p) {
			if c.Operation != nil {
				backends[c.Operation.Backend] = true
			}
			walk(c.Flow)
		}
	}
	for _, p := range plans {
		walk(p)
	}
	return backends
}

// asked leaves out what is unset of backends that nothing served calls, and of
// schedules of packs that are not served: nobody misses them.
func (l *Loaded) asked(missing []config.Missing) []config.Missing {
	called := l.called()
	return slices.DeleteFunc(missing, func(m config.Missing) bool {
		return m.Kind == "backend" && !called[m.Name] || m.Kind == "schedule" && l.schedule(m.Name) == nil
	})
}
