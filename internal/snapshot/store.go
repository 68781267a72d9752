package snapshot

import (
	"fmt"
	"log/slog"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/seal"
	"github.com/emenda-gateway/emenda/internal/store"
)

// rememberedEntries bounds what this process remembers and caches.
const rememberedEntries = 100_000

// DataFolder is the folder of what survives a restart: a relative one stands
// beside the configuration file.
func (l *Loaded) DataFolder(settings *config.Resolved) string {
	return beside(l.Config.File.Name, settings.Data)
}

// OpenStore opens what snapshots share and outlives them: Redis when its
// address is set, else this process and a file in the data folder. The seal
// keys are the configured ones, without any the one that is kept in the data folder.
func (l *Loaded) OpenStore(settings *config.Resolved, metrics *observe.Metrics, log *slog.Logger) (*store.Store, error) {
	o := store.Options{Limit: rememberedEntries, Redis: settings.RedisURL.Reveal(), Metrics: metrics, Log: log}
	for i, v := range settings.SealKeys {
		k, err := seal.Parse(v.Reveal())
		if err != nil {
			return nil, fmt.Errorf("gateway.seal_key, number %d: %w", i+1, err)
		}
		o.Keys = append(o.Keys, k)
	}
	if o.Redis == "" {
		o.Folder = l.DataFolder(settings)
	}
	if len(o.Keys) == 0 && o.Folder != "" {
		k, err := seal.FromFolder(o.Folder)
		if err != nil {
			return nil, err
		}
		o.Keys = seal.Keys{k}
	}
	return store.New(o)
}
