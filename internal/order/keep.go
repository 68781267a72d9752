package order

import (
	"bytes"
	"compress/flate"
	"context"
	"database/sql"
	"fmt"
	"io"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
)

// KeepPlan keeps the configuration that orders name by its hash. Keeping it again does nothing
// but renew its stay.
func (e *Engine) KeepPlan(ctx context.Context, hash string, bundle []byte) error {
	var small bytes.Buffer
	w, err := flate.NewWriter(&small, flate.BestCompression)
	if err != nil {
		return err
	}
	_, _ = w.Write(bundle) // into memory
	_ = w.Close()
	_, err = e.db.exec(ctx, e.db, `INSERT INTO @order_plans (hash, bundle, kept) VALUES ($1, $2, $3) ON CONFLICT (hash) DO UPDATE SET kept = $3`,
		hash, small.Bytes(), millis(e.now()))
	if err != nil {
		return down(err)
	}
	return nil
}

// Plan gives what KeepPlan kept; ErrNotFound.
func (e *Engine) Plan(ctx context.Context, hash string) ([]byte, error) {
	var small []byte
	found, err := e.db.row(ctx, e.db, `SELECT bundle FROM @order_plans WHERE hash = $1`, []any{hash}, &small)
	switch {
	case err != nil:
		return nil, down(err)
	case !found:
		return nil, fmt.Errorf("plan: %w", ErrNotFound)
	}
	return io.ReadAll(flate.NewReader(bytes.NewReader(small)))
}

// planStays is how long a plan stays that no order needs: one may be about to start.
const planStays = time.Hour

// purgeAtOnce bounds a transaction of Purge and Erase.
const purgeAtOnce = 200

// Purge removes what is kept of orders that ended before a time: payload, result,
// steps, acts. Of an order whose key still holds, key and state stay, so that the same
// key starts nothing. Events and plans that nothing needs go too. It gives how
// many orders it emptied.
func (e *Engine) Purge(ctx context.Context, endedBefore time.Time) (n int, err error) {
	for {
		ids, err := e.idsOf(ctx, `SELECT id FROM @orders WHERE ended > 0 AND ended < $1 AND emptied = 0 LIMIT $2`, millis(endedBefore), purgeAtOnce)
		if err != nil {
			return n, err
		}
		if len(ids) == 0 {
			break
		}
		if err := e.empty(ctx, ids); err != nil {
			return n, err
		}
		n += len(ids)
	}
	now := e.now()
	err = e.db.tx(ctx, func(tx *sql.Tx) error {
		for _, s := range []struct {
			text string
			args []any
		}{
			{`DELETE FROM @orders WHERE emptied = 1 AND promised < $1`, []any{millis(now)}},
			{`DELETE FROM @order_events WHERE at < $1`, []any{millis(now.Add(-eventsKept))}},
			{`DELETE FROM @order_plans WHERE kept < $1 AND hash NOT IN (SELECT plan FROM @orders WHERE emptied = 0)`, []any{millis(now.Add(-planStays))}},
			{`DELETE FROM @order_ticks WHERE at < $1 AND at < (SELECT MAX(t.at) FROM @order_ticks t WHERE t.schedule = @order_ticks.schedule)`, []any{millis(now.Add(-eventsKept))}},
		} {
			if _, err := e.db.exec(ctx, tx, s.text, s.args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return n, down(err)
	}
	return n, nil
}

// idsOf gives the ids a statement selects.
func (e *Engine) idsOf(ctx context.Context, text string, args ...any) (ids []string, err error) {
	err = e.db.rows(ctx, e.db, text, args, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return nil, down(err)
	}
	return ids, nil
}

// empty removes everything of ended orders but their keys and states.
func (e *Engine) empty(ctx context.Context, ids []string) error {
	// First the library's: were it last, what a crash leaves would not be found again.
	if err := dbos.DeleteWorkflows(e.library, ids); err != nil {
		return down(err)
	}
	in, args := list(1, len(ids)), anys(ids)
	err := e.db.tx(ctx, func(tx *sql.Tx) error {
		for _, text := range []string{
			`DELETE FROM @order_acts WHERE id IN (` + in + `)`,
			`DELETE FROM @order_subjects WHERE id IN (` + in + `)`,
			`DELETE FROM @order_events WHERE taken_by IN (` + in + `)`,
			`UPDATE @orders SET payload = NULL, result = NULL, step = '', emptied = 1 WHERE id IN (` + in + `)`,
		} {
			if _, err := e.db.exec(ctx, tx, text, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return down(err)
	}
	return nil
}

// Subject gives everything that is kept of the orders about a person, the newest
// first, whole as Status gives it.
func (e *Engine) Subject(ctx context.Context, document string) ([]Status, error) {
	names := e.names("subject", []byte(document))
	ids, err := e.idsOf(ctx, `SELECT o.id FROM @orders o JOIN @order_subjects s ON s.id = o.id WHERE s.name IN (`+list(1, len(names))+`)
		GROUP BY o.id, o.started ORDER BY o.started DESC`, anys(names)...)
	if err != nil {
		return nil, err
	}
	all := make([]Status, 0, len(ids))
	for _, id := range ids {
		s, err := e.Status(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// Erase removes what is kept of the ended orders about a person, as Purge does,
// whatever their age, and gives how many they were. left are those that have not
// ended: they need what they hold.
func (e *Engine) Erase(ctx context.Context, document string) (n, left int, err error) {
	names := e.names("subject", []byte(document))
	about := ` FROM @orders o WHERE o.id IN (SELECT id FROM @order_subjects WHERE name IN (` + list(1, len(names)) + `)) AND `
	for {
		ids, err := e.idsOf(ctx, `SELECT o.id`+about+`o.ended > 0 AND o.emptied = 0 LIMIT 200`, anys(names)...)
		if err != nil {
			return n, 0, err
		}
		if len(ids) == 0 {
			break
		}
		if err := e.empty(ctx, ids); err != nil {
			return n, 0, err
		}
		n += len(ids)
	}
	open, err := e.idsOf(ctx, `SELECT o.id`+about+`o.ended = 0`, anys(names)...)
	return n, len(open), err
}
