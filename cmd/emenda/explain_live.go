package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/explain"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/store"
)

// live opens backends and store; what it gives closes them.
func (c *explainCommand) live(ctx context.Context, loaded *snapshot.Loaded, r *intake.Request, options *explain.Options, s *streams) (func(), error) {
	settings, err := resolved(loaded, s)
	if err != nil {
		return nil, err
	}
	kept, err := c.liveStore(ctx, loaded, settings)
	if err != nil {
		return nil, err
	}
	log := observe.NewLogger(s.err, slog.LevelWarn)
	live, snap, err := loaded.Live(settings, kept, c.Yes)
	if err != nil {
		closeStore(kept, log)
		return nil, err
	}
	for _, out := range snap.LeftOut {
		if out.Kind == "backend" {
			fmt.Fprintf(s.err, "emenda: backend %s is not asked: %s\n", out.Name, out.Why)
		}
	}
	r.ID = observe.RequestID(r.Header("X-Request-Id"), new([observe.IDSize]byte))
	options.Live = live
	return func() {
		snap.Close()
		closeStore(kept, log)
	}, nil
}

// liveStore opens what serves, too, where it is needed: to keep what is sent,
// and to share tokens with the gateways. Else it is one that ends with this command.
func (c *explainCommand) liveStore(ctx context.Context, loaded *snapshot.Loaded, settings *config.Resolved) (*store.Store, error) {
	if !c.Yes && !settings.RedisURL.IsSet() {
		return store.NewLocal(1000), nil
	}
	kept, err := loaded.OpenStore(settings, nil, slog.New(slog.DiscardHandler))
	switch {
	case errors.Is(err, store.ErrTaken):
		return nil, errors.New("nothing was sent: a gateway is using the data folder, and what it has sent, counted or is sending now cannot be seen from here, so that something might be done twice. Make the request to the gateway itself, or stop it first, or let both share a Redis (REDIS_URL)")
	case err != nil:
		return nil, err
	case c.Yes && !kept.Health().Up:
		return nil, errors.Join(fmt.Errorf("nothing was sent: %w, and without it something might be done twice", store.ErrDown), kept.Close())
	}
	if c.Yes && !settings.RedisURL.IsSet() && answers(ctx, settings) {
		return nil, errors.Join(fmt.Errorf("nothing was sent: a gateway answers on %s that has another data folder than this command: give it the gateway's environment (EMENDA_DATA), and stop the gateway first, or let both share a Redis (REDIS_URL)", settings.AdminListen), kept.Close())
	}
	return kept, nil
}

// answers tells whether a gateway's admin listener is there.
func answers(ctx context.Context, settings *config.Resolved) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if settings.AdminTLS != nil { // whoever listens there: it may not talk to us, or show a newer certificate
		c, err := new(net.Dialer).DialContext(ctx, "tcp", settings.AdminListen)
		return err == nil && c.Close() == nil
	}
	gateway, err := adminOf(settings)
	if err != nil {
		return false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, gateway.base+"/healthz", nil)
	if err != nil {
		return false
	}
	res, err := gateway.http.Do(req)
	if err != nil {
		return false
	}
	return res.Body.Close() == nil && res.StatusCode == http.StatusOK
}
