package snapshot

import (
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
	if g.Packs == nil {
		return f.mappings
	}
	packs := map[string]bool{} // those that there are: folders that hold a mapping
	for _, file := range f.mappings {
		if pack := packOf(f.inside[file]); pack != "" && !packs[pack] {
			packs[pack] = hasRoute(file)
		}
	}
	served := map[string]bool{"": true}
	for _, p := range g.Packs {
		served[p.Name] = true
		if !packs[p.Name] && !f.partial {
			var names []string
			for name, is := range packs {
				if is {
					names = append(names, name)
				}
			}
			list.Errorf(p.At, "unknown-pack", "there is no pack %q: no folder of that name holds a mapping", p.Name).Help = suggestion(p.Name, names)
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
	for _, r := range l.Set.Routes {
		walk(r.Plan)
	}
	for _, e := range l.Set.Exposed {
		backends[e.Operations[0].Backend] = true
	}
	return backends
}

// asked leaves out what is unset of backends that nothing served calls: nobody misses them.
func (l *Loaded) asked(missing []config.Missing) []config.Missing {
	called := l.called()
	return slices.DeleteFunc(missing, func(m config.Missing) bool { return m.Kind == "backend" && !called[m.Name] })
}
