package order

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"
	"time"
)

// progressEvery is how often progress is written, all of it in one transaction.
const progressEvery = 200 * time.Millisecond

// progress is what lists are to show, until it is written.
type progress struct {
	mu    sync.Mutex
	last  map[string]Progress // of orders that run here
	dirty map[string]struct{}
	write sync.Mutex
}

func (p *progress) init() { p.last, p.dirty = map[string]Progress{}, map[string]struct{}{} }

// began notes that an order runs.
func (p *progress) began(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dirty[id] = struct{}{}
}

// put notes how far an order is.
func (p *progress) put(id string, is Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last[id] != is {
		p.last[id] = is
		p.dirty[id] = struct{}{}
	}
}

// forget ends with an order.
func (p *progress) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.last, id)
	delete(p.dirty, id)
}

// of gives how far an order is that runs here.
func (p *progress) of(id string) (Progress, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	is, found := p.last[id]
	return is, found
}

// keepProgress writes progress until ctx ends.
func (e *Engine) keepProgress(ctx context.Context) {
	t := time.NewTicker(progressEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			e.flushProgress(ctx)
		}
	}
}

// flushProgress writes what is to be written; what cannot be is tried again later.
func (e *Engine) flushProgress(ctx context.Context) {
	p := &e.progress
	p.write.Lock()
	defer p.write.Unlock()
	p.mu.Lock()
	ids := slices.Sorted(maps.Keys(p.dirty))
	is := make([]*Progress, len(ids))
	for i, id := range ids {
		if l, found := p.last[id]; found {
			is[i] = &l
		}
	}
	clear(p.dirty)
	p.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	now := millis(e.now())
	err := e.db.tx(ctx, func(tx *sql.Tx) error {
		for i, id := range ids {
			if err := e.writeProgress(ctx, tx, id, is[i], now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.mu.Lock()
		for _, id := range ids {
			if _, runs := p.last[id]; runs {
				p.dirty[id] = struct{}{}
			}
		}
		p.mu.Unlock()
	}
}

// writeProgress writes how far one order is.
func (e *Engine) writeProgress(ctx context.Context, r runner, id string, p *Progress, now int64) error {
	if p == nil {
		_, err := e.db.exec(ctx, r, `UPDATE @orders SET begun = 1, state = CASE WHEN state = 'accepted' THEN 'running' ELSE state END WHERE id = $1 AND ended = 0`, id)
		return err
	}
	committed := 0
	if p.Committed {
		committed = 1
	}
	_, err := e.db.exec(ctx, r, `UPDATE @orders SET begun = 1, trouble = '', state = $2, step = $3, waits = $4, until = $5, committed = $6, changed = $7
		WHERE id = $1 AND ended = 0`, id, string(p.State), p.Step, p.WaitsFor, millis(p.Until), committed, now)
	return err
}
