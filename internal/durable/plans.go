package durable

// The configurations that orders begin under and go on under.

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/order"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// A configuration is kept again while orders begin under it: after renewAfter
// beside them, after renewBy before the next begins. One that no order needs
// stays for an hour.
const (
	renewAfter = 10 * time.Minute
	renewBy    = 40 * time.Minute
)

// keepPlan sees to it that the configuration that an order is about to begin
// under is kept.
func (v *Orders) keepPlan(ctx context.Context, e *order.Engine, l *snapshot.Loaded) error {
	v.mu.Lock()
	v.remember(l)
	age := time.Since(v.renewed[l.Hash])
	v.mu.Unlock()
	if age < renewAfter {
		return nil
	}
	kept := v.keepSoon(e, l)
	if age < renewBy {
		return nil
	}
	select {
	case r := <-kept:
		return r.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keepSoon keeps a configuration in the background, once for all who ask meanwhile.
func (v *Orders) keepSoon(e *order.Engine, l *snapshot.Loaded) <-chan singleflight.Result {
	return v.loading.DoChan("keep "+l.Hash, func() (any, error) { return nil, v.keepNow(v.ctx, e, l) })
}

func (v *Orders) keepNow(ctx context.Context, e *order.Engine, l *snapshot.Loaded) error {
	bundle, err := l.Bundle()
	if err != nil {
		return err
	}
	if err := e.KeepPlan(ctx, l.Hash, bundle); err != nil {
		return err
	}
	v.mu.Lock()
	v.renewed[l.Hash] = time.Now()
	v.mu.Unlock()
	return nil
}

// under gives the configuration an order began under. Of many orders that ask at
// once, as all do after a restart, one loads it: it takes tens of megabytes.
func (v *Orders) under(ctx context.Context, e *order.Engine, hash string) (*snapshot.Loaded, error) {
	v.mu.Lock()
	l := v.loaded[hash]
	v.mu.Unlock()
	if l != nil {
		return l, nil
	}
	loading := v.loading.DoChan(hash, func() (any, error) {
		bundle, err := e.Plan(v.ctx, hash)
		if err != nil {
			return nil, err
		}
		l, err := snapshot.LoadBundle(bundle)
		if err != nil {
			return nil, err
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.remember(l)
		return l, nil
	})
	select {
	case r := <-loading:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*snapshot.Loaded), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// remembered bounds the configurations that are held beside those that orders run under.
const remembered = 8

// remember holds a configuration for orders to come. v.mu is held.
func (v *Orders) remember(l *snapshot.Loaded) {
	if v.loaded[l.Hash] == nil && len(v.loaded) >= remembered {
		clear(v.loaded)
		clear(v.renewed)
	}
	v.loaded[l.Hash] = l
}

// planOf gives the plan of an order.
func planOf(l *snapshot.Loaded, route string) (*mapping.Plan, error) {
	if p := l.OrderPlan(route); p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("the configuration that an order began under has no durable mapping %s", route)
}
