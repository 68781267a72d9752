package snapshot

import (
	"maps"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Scheduled is what runs at set times.
type Scheduled struct {
	config.ResolvedSchedule
	Plan *mapping.Plan // runs as a flow that takes nothing
}

// schedule gives one of gateway.yaml by its name; nil: there is none that is served.
func (l *Loaded) schedule(name string) *mapping.Schedule {
	for _, s := range l.Set.Schedules {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Scheduled tells whether something is to run at set times with these settings.
func (l *Loaded) Scheduled(settings *config.Resolved) bool {
	return slices.ContainsFunc(l.Set.Schedules, func(s *mapping.Schedule) bool {
		return settings.Schedules[s.Name] != nil && !without(s.Plan, func(name string) bool { return settings.Backends[name] == nil && name != ordersBackend })
	})
}

// without tells whether every backend that a plan calls is left out.
func without(p *mapping.Plan, out func(backend string) bool) bool {
	backends := backendsOf(p)
	for name := range backends {
		if !out(name) {
			return false
		}
	}
	return len(backends) > 0
}

// scheduled sorts out which schedules run, and tells of the others why they do not.
func (s *Snapshot) scheduled() {
	gone := map[string]bool{}
	for _, l := range s.LeftOut {
		gone[l.Name] = gone[l.Name] || l.Kind == "backend"
	}
	for _, one := range s.Set.Schedules {
		set := s.Settings.Schedules[one.Name]
		switch {
		case set == nil: // told as unset
		case without(one.Plan, func(name string) bool { return gone[name] }):
			names := slices.Sorted(maps.Keys(backendsOf(one.Plan)))
			why := "backend " + names[0] + " is left out"
			if len(names) > 1 {
				why = "backends " + strings.Join(names, ", ") + " are left out"
			}
			s.LeftOut = append(s.LeftOut, LeftOut{Kind: "schedule", Name: one.Name, Why: why})
		default:
			s.Schedules = append(s.Schedules, Scheduled{*set, one.Plan})
		}
	}
}
