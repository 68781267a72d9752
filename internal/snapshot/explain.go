package snapshot

import (
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/explain"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/store"
	"github.com/emenda-gateway/emenda/plugins"
)

// ExplainOptions are what requests are explained with: callers with as many of
// their secrets as this environment has.
func (l *Loaded) ExplainOptions(env func(string) (string, bool)) explain.Options {
	tests := l.TestOptions()
	callers := tests.Callers
	if settings, _ := l.Config.Resolve(env, os.ReadFile); settings != nil {
		for i, c := range callers {
			if known := settings.Callers[c.Name]; known != nil {
				callers[i] = callerOf(known)
			}
		}
	}
	return explain.Options{
		Callers: callers, Contracts: l.Contracts, Plain: plainErrors(),
		Zone: tests.Zone, Now: time.Now(), Fuel: tests.Fuel, MaxEach: tests.MaxEach,
	}
}

// Live opens what an explanation asks the backends with: what serves, without
// metrics. With changes, calls that change something are made, and kept in the
// store. Close the snapshot afterwards, and then the store.
func (l *Loaded) Live(settings *config.Resolved, kept *store.Store, changes bool) (*explain.Live, *Snapshot, error) {
	snap, err := l.Open(settings, kept, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	live := &explain.Live{Backends: snap, Unavailable: snap.Unavailable}
	if changes {
		live.Store = kept
	}
	return live, snap, nil
}

// Lineage tells where the received values of a route go.
func (l *Loaded) Lineage(route *mapping.Route) *explain.Lineage {
	contracts := maps.Clone(l.Contracts)
	for name, b := range l.Config.Backends {
		if contracts[name] == nil {
			contracts[name] = contract.Bare(name, slices.Sorted(maps.Keys(b.SignIn)))
		}
	}
	return explain.LineageOf(route, contracts, l.functions)
}

// Answers reads a file of answers for the calls of a route.
func (l *Loaded) Answers(f *diag.File, route *mapping.Route) ([]*mapping.TestCall, diag.List) {
	return mapping.Answers(f, route.Plan, l.Set, l.files.texts, mapping.World{
		Config: l.Config, Contracts: l.Contracts, Functions: l.functions, Formats: plugins.Formats(),
	})
}
