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

// choose puts the mappings of packs that gateway.packs does not name aside, and
// gives the files that stay.
func (f *files) choose(g *config.Gateway, list *diag.List) []*diag.File {
	f.aside = map[*diag.File]bool{}
	if g.Packs == nil {
		return f.mappings
	}
	served := map[string]bool{"": true}
	for _, p := range g.Packs {
		served[p.Name] = true
	}
	packs := map[string]bool{} // those that there are
	kept := make([]*diag.File, 0, len(f.mappings))
	for _, file := range f.mappings {
		switch pack := packOf(f.inside[file]); {
		case served[pack]:
			packs[pack] = packs[pack] || hasRoute(file)
			kept = append(kept, file)
		case hasRoute(file):
			packs[pack] = true
			f.aside[file] = true
		default:
			kept = append(kept, file) // a flow, a table, a dialect: there for all
		}
	}
	for _, p := range g.Packs {
		if !packs[p.Name] && !f.partial {
			var names []string
			for name, has := range packs {
				if has && name != "" {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			list.Errorf(p.At, "unknown-pack", "there is no pack %q: no folder of that name holds a mapping", p.Name).Help = suggestion(p.Name, names)
		}
	}
	return kept
}

// packOf gives the folder that a file's name inside the mappings folder begins with; "" for none.
func packOf(name string) string {
	pack, _, in := strings.Cut(name, "/")
	if !in {
		return ""
	}
	return pack
}

var routeKey = regexp.MustCompile(`(?m)^(route|expose)[ \t]*:`)

// hasRoute tells a mapping, and a file that exposes, from other files; one that cannot be read is told by how it looks.
func hasRoute(f *diag.File) bool {
	root, list := yamldoc.Parse(f)
	if root == nil || list.HasErrors() {
		return routeKey.MatchString(f.Text)
	}
	return root.Kind == yamldoc.Map && (root.Get("route") != nil || root.Get("expose") != nil)
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
