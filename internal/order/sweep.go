package order

import (
	"context"
	"log/slog"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
)

// begin hands an order to the library, which runs it here. What it cannot take
// now the sweeper hands over later: the order is kept.
func (e *Engine) begin(ctx context.Context, id string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := dbos.RunWorkflow(dbos.WithValue(e.library, directly{}, true), e.drive, "", dbos.WithWorkflowID(id))
		if err != nil && !e.isClosing() {
			e.log.Warn("orders: one that is kept could not begin yet", idAttr(id), errAttr(err))
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

const (
	// sweepEvery is how often orders are looked for that were kept and did not begin.
	sweepEvery = 5 * time.Second
	// orphansEvery is how often all that ought to run here are looked through.
	orphansEvery = time.Minute
	// sweptAtOnce bounds what one look begins.
	sweptAtOnce = 1000
)

// sweep goes on with what has fallen between two chairs: orders that were kept and
// whose process ended before they began, and orders that the library has as
// running here and that do not.
func (e *Engine) sweep(ctx context.Context) {
	var suspects map[string]bool
	var looked time.Time
	for first := true; ; first = false {
		e.sweepNew(ctx, first)
		if len(suspects) > 0 || e.look.Swap(false) || time.Since(looked) >= orphansEvery {
			suspects = e.sweepOrphans(ctx, suspects)
			looked = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-e.closing:
			return
		case <-time.After(sweepEvery):
		}
	}
}

// sweepNew begins orders whose process ended between keeping and beginning them.
func (e *Engine) sweepNew(ctx context.Context, first bool) {
	before := e.now().Add(-sweepEvery)
	if first && !e.db.postgres() {
		before = e.now() // nobody else can be beginning it
	}
	ids, err := e.idsOf(ctx, `SELECT id FROM @orders WHERE ended = 0 AND begun = 0 AND started < $1 AND version = $2 LIMIT $3`,
		millis(before), e.options.Version, sweptAtOnce)
	if err != nil && ctx.Err() == nil {
		e.log.Debug("orders: could not be looked through", errAttr(err))
	}
	for _, id := range ids {
		if !e.isClosing() && !e.runs.has(id) {
			e.begin(ctx, id)
		}
	}
}

// sweepOrphans begins again what the library has as running here and what does
// not: when the database goes just as it has handed orders out, nobody learns of
// them. Only what was suspect the last time already is one; it gives the suspects.
func (e *Engine) sweepOrphans(ctx context.Context, before map[string]bool) map[string]bool {
	ids, err := e.idsOf(ctx, `SELECT workflow_uuid FROM @workflow_status WHERE status = 'PENDING' AND executor_id = $1 AND application_version = $2`,
		e.executor, e.options.Version)
	if err != nil {
		e.look.Store(true)
		return nil
	}
	suspects := map[string]bool{}
	var lost []string
	for _, id := range ids {
		switch {
		case e.runs.has(id):
		case before[id] && len(lost) < sweptAtOnce:
			lost = append(lost, id)
		default:
			suspects[id] = true
		}
	}
	if len(lost) > 0 && !e.isClosing() {
		if _, err := dbos.ResumeWorkflows[string](e.library, lost); err != nil {
			e.look.Store(true)
			return suspects
		}
		e.log.Warn("orders: some were handed out and nobody ran them; they go on now", slog.Int("orders", len(lost)))
	}
	return suspects
}
