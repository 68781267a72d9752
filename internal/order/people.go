package order

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// Cancel asks for an order to be undone, and notes who did. It is heard at the
// order's next step, wait or decision. ErrEnded, or ErrCommitted when nothing can be
// undone any more. Asking again changes nothing.
func (e *Engine) Cancel(ctx context.Context, id, by, reason string) error {
	err := e.db.tx(ctx, func(tx *sql.Tx) error {
		n, err := e.db.exec(ctx, tx, `UPDATE @orders SET cancel = 1 WHERE id = $1 AND ended = 0 AND committed = 0 AND cancel = 0`, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return e.whyNot(ctx, tx, id)
		}
		if err := e.act(ctx, tx, id, "cancel", by, reason); err != nil {
			return err
		}
		return e.tell(ctx, tx, orderTopic(id))
	})
	return e.acted(id, err)
}

// whyNot tells why an order cannot be cancelled; nil: it was already.
func (e *Engine) whyNot(ctx context.Context, tx *sql.Tx, id string) error {
	var ended, committed int64
	found, err := e.db.row(ctx, tx, `SELECT ended, committed FROM @orders WHERE id = $1`, []any{id}, &ended, &committed)
	switch {
	case err != nil:
		return err
	case !found:
		return ErrNotFound
	case ended > 0:
		return ErrEnded
	case committed > 0:
		return ErrCommitted
	}
	return nil
}

// acted wakes an order that somebody did something to.
func (e *Engine) acted(id string, err error) error {
	if err != nil {
		for _, ours := range []error{ErrNotFound, ErrEnded, ErrCommitted, ErrNotAsked} {
			if err == ours { //nolint:errorlint // our own, unwrapped
				return err
			}
		}
		return down(err)
	}
	e.told(orderTopic(id))
	return nil
}

// Decide answers an order that waits for a person, and notes who did. One answer
// is taken for each question; ErrNotAsked when none is open.
func (e *Engine) Decide(ctx context.Context, id string, d Decision, by, reason string) error {
	if d != Retry && d != Continue && d != Undo {
		return fmt.Errorf("%q is no decision: retry, continue or undo", string(d))
	}
	err := e.db.tx(ctx, func(tx *sql.Tx) error {
		n, err := e.db.exec(ctx, tx, `UPDATE @orders SET asks = 0 WHERE id = $1 AND ended = 0 AND asks = 1`, id)
		if err != nil {
			return err
		}
		if n == 0 {
			if err := e.whyNot(ctx, tx, id); err != nil && err != ErrCommitted { //nolint:errorlint // our own, unwrapped
				return err
			}
			return ErrNotAsked
		}
		if err := e.act(ctx, tx, id, string(d), by, reason); err != nil {
			return err
		}
		return e.tell(ctx, tx, orderTopic(id))
	})
	return e.acted(id, err)
}

// act notes what somebody did.
func (e *Engine) act(ctx context.Context, tx *sql.Tx, id, action, by, reason string) error {
	detail, err := json.Marshal(cancel{by, reason})
	if err != nil {
		return err
	}
	_, err = e.db.exec(ctx, tx, `INSERT INTO @order_acts (id, at, action, detail) VALUES ($1, $2, $3, $4)`,
		id, millis(e.now()), action, e.sealed("act "+id, detail))
	return err
}

// cancelOf gives who asked for undo; nil: nobody.
func (e *Engine) cancelOf(ctx context.Context, id string) (*cancel, error) {
	var detail []byte
	found, err := e.db.row(ctx, e.db, `SELECT detail FROM @order_acts WHERE id = $1 AND action = 'cancel' ORDER BY seq LIMIT 1`, []any{id}, &detail)
	if err != nil || !found {
		return nil, err
	}
	return e.detail(id, detail)
}

// detail opens who did something, and why.
func (e *Engine) detail(id string, sealed []byte) (*cancel, error) {
	c := &cancel{}
	if sealed == nil {
		return c, nil
	}
	plain, err := e.opened("act "+id, sealed)
	if err != nil || json.Unmarshal(plain, c) != nil {
		return nil, errRecord
	}
	return c, nil
}

// ask gives the first decision after an act; none: it notes that one is waited for.
func (e *Engine) ask(ctx context.Context, id string, after int64) (d string, seq int64, err error) {
	p, has := e.progress.of(id)
	err = e.db.tx(ctx, func(tx *sql.Tx) error {
		found, err := e.db.row(ctx, tx, `SELECT seq, action FROM @order_acts WHERE id = $1 AND seq > $2 AND action <> 'cancel' ORDER BY seq LIMIT 1`,
			[]any{id, after}, &seq, &d)
		if err != nil || found {
			return err
		}
		if has {
			if err := e.writeProgress(ctx, tx, id, &p, millis(e.now())); err != nil {
				return err
			}
		}
		_, err = e.db.exec(ctx, tx, `UPDATE @orders SET asks = 1 WHERE id = $1 AND ended = 0`, id)
		return err
	})
	if err == nil && has && d == "" && p.State == Stuck {
		e.wakes.wake(overTopic(id))
	}
	return d, seq, err
}

// asksNoMore notes that no decision is waited for any more.
func (e *Engine) asksNoMore(ctx context.Context, id string) {
	_, _ = e.db.exec(ctx, e.db, `UPDATE @orders SET asks = 0 WHERE id = $1`, id)
}
