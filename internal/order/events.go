package order

import (
	"context"
	"database/sql"
	"time"
)

// eventsKept is how long an event waits for an order, and stays known.
const eventsKept = 90 * 24 * time.Hour

// Emit keeps an event and hands it to the orders that wait for it, on any
// replica. It returns when the event is durable.
func (e *Engine) Emit(ctx context.Context, event string, key, payload []byte) error {
	return e.emit(ctx, nil, event, key, payload)
}

// EmitOnce is Emit for an event that may be told twice: the same id again does nothing.
func (e *Engine) EmitOnce(ctx context.Context, id, event string, key, payload []byte) error {
	dedup := e.names("event id", []byte(event), []byte(id))
	if old := dedup[1:]; len(old) > 0 { // kept under an older key?
		known, err := e.idsOf(ctx, `SELECT dedup FROM @order_events WHERE dedup IN (`+list(1, len(old))+`)`, anys(old)...)
		if err != nil || len(known) > 0 {
			return err
		}
	}
	return e.emit(ctx, &dedup[0], event, key, payload)
}

func (e *Engine) emit(ctx context.Context, dedup *string, event string, key, payload []byte) error {
	name := e.names("event", []byte(event), key)[0]
	if payload == nil {
		payload = []byte{}
	}
	now := millis(e.now())
	err := e.db.tx(ctx, func(tx *sql.Tx) error {
		n, err := e.db.exec(ctx, tx, `INSERT INTO @order_events (name, dedup, at, payload) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			name, dedup, now, e.sealed("event "+name, payload))
		if err != nil || n == 0 {
			return err
		}
		return e.tell(ctx, tx, name)
	})
	if err != nil {
		return down(err)
	}
	e.wakes.wake(name)
	return nil
}

// tell tells other replicas, when the transaction is committed.
func (e *Engine) tell(ctx context.Context, tx *sql.Tx, topic string) error {
	if !e.db.postgres() {
		return nil
	}
	_, err := tx.ExecContext(ctx, `SELECT pg_notify($1, $2)`, channel, topic)
	return err
}

// take gives the next event of a name for an order, but those it has had; a
// record without kind: there is none. An event that was taken before the order
// began was another's.
func (e *Engine) take(ctx context.Context, o *Order, names []string, had []int64) (record, error) {
	var seq, taken int64
	var name string
	var sealed []byte
	args := append([]any{millis(o.Started)}, anys(names)...)
	but := ""
	if len(had) > 0 { // not "after the last": of two that come at once, the later may show first
		but = ` AND seq NOT IN (` + list(len(args)+1, len(had)) + `)`
		for _, one := range had {
			args = append(args, one)
		}
	}
	found, err := e.db.row(ctx, e.db, `SELECT seq, name, payload, taken FROM @order_events
		WHERE (taken = 0 OR taken >= $1) AND name IN (`+list(2, len(names))+`)`+but+` ORDER BY seq LIMIT 1`, args, &seq, &name, &sealed, &taken)
	if err != nil || !found {
		return record{}, err
	}
	payload, err := e.opened("event "+name, sealed)
	if err != nil {
		return record{}, errRecord
	}
	if taken == 0 {
		if _, err := e.db.exec(ctx, e.db, `UPDATE @order_events SET taken = $2, taken_by = $3 WHERE seq = $1 AND taken = 0`, seq, millis(e.now()), o.ID); err != nil {
			return record{}, err
		}
	}
	if payload == nil {
		payload = []byte{}
	}
	return record{kind: eventKind, seq: seq, payload: payload}, nil
}

// lookEvery is how often a replica looks for what it may not have been told of.
const lookEvery = 20 * time.Second

// lookForEvents tells those who wait here of what came lately, in case a
// notification was lost.
func (e *Engine) lookForEvents(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
		e.lookOnce(ctx)
	}
}

// lookOnce looks for what came lately.
func (e *Engine) lookOnce(ctx context.Context) {
	since := millis(e.now().Add(-6 * lookEvery))
	wake := func(of func(string) string) func(*sql.Rows) error {
		return func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			if err == nil {
				e.told(of(name))
			}
			return err
		}
	}
	_ = e.db.rows(ctx, e.db, `SELECT DISTINCT name FROM @order_events WHERE at > $1`, []any{since}, wake(func(n string) string { return n }))
	_ = e.db.rows(ctx, e.db, `SELECT DISTINCT id FROM @order_acts WHERE at > $1`, []any{since}, wake(orderTopic))
}

// told passes on what another replica told of.
func (e *Engine) told(topic string) {
	if len(topic) > 2 && topic[:2] == "o:" && e.runs.has(topic[2:]) {
		e.runs.cancelAsked(topic[2:])
	}
	e.wakes.wake(topic)
}
