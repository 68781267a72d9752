package order

import (
	"context"
	"database/sql"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// columns are what a Status is made of.
const columns = `id, route, caller, plan, version, state, step, waits, until, committed, started, deadline, changed, ended, cancel, asks, trouble, emptied`

// scanStatus reads the columns.
func (e *Engine) scanStatus(scan func(into ...any) error) (s Status, err error) {
	var state string
	var until, committed, started, deadline, changed, ended, cancel, asks, emptied int64
	err = scan(&s.ID, &s.Route, &s.Caller, &s.Plan, &s.Version, &state, &s.Step, &s.WaitsFor, &until, &committed,
		&started, &deadline, &changed, &ended, &cancel, &asks, &s.Trouble, &emptied)
	if err != nil {
		return s, err
	}
	s.State, s.Until, s.Committed = State(state), when(until), committed > 0
	s.Started, s.Deadline, s.Changed, s.Ended = when(started), when(deadline), when(changed), when(ended)
	s.Asked, s.Asks, s.Emptied = cancel > 0, asks > 0, emptied > 0
	if ended == 0 {
		if p, runs := e.progress.of(s.ID); runs {
			s.Progress = p
		}
	}
	return s, nil
}

// Brief gives what lists show of an order.
func (e *Engine) Brief(ctx context.Context, id string) (s Status, err error) {
	err = e.db.rows(ctx, e.db, `SELECT `+columns+` FROM @orders WHERE id = $1`, []any{id}, func(r *sql.Rows) (err error) {
		s, err = e.scanStatus(r.Scan)
		return err
	})
	switch {
	case err != nil:
		return s, down(err)
	case s.ID == "":
		return s, ErrNotFound
	}
	return s, nil
}

// Status gives what is known of an order, with what was kept of its steps and
// what people did to it.
func (e *Engine) Status(ctx context.Context, id string) (Status, error) {
	s, err := e.Brief(ctx, id)
	if err != nil {
		return s, err
	}
	var payload, result []byte
	if _, err := e.db.row(ctx, e.db, `SELECT payload, result FROM @orders WHERE id = $1`, []any{id}, &payload, &result); err != nil {
		return s, down(err)
	}
	if s.Payload, err = e.opened("payload "+id, payload); err != nil {
		return s, errRecord
	}
	if s.Result, err = e.opened("result "+id, result); err != nil {
		return s, errRecord
	}
	all, err := e.keptOf(id)
	if err != nil {
		return s, down(err)
	}
	for i, k := range all {
		rec, err := e.read(id, i, k.name, k.text)
		if err != nil {
			return s, err
		}
		s.Steps = append(s.Steps, stepOf(k, rec))
	}
	s.Acts, err = e.acts(ctx, id)
	return s, err
}

// stepOf shows a record.
func stepOf(k kept, r record) Step {
	s := Step{Kind: k.name, Name: k.name, Value: r.payload, Started: when(r.began), Ended: k.ended}
	for _, prefix := range []string{stepPrefix, waitPrefix} {
		if name, is := strings.CutPrefix(k.name, prefix); is {
			s.Kind, s.Name = strings.TrimSpace(prefix), name
		}
	}
	switch r.kind {
	case eventKind:
		s.Outcome = "event"
	case timeoutKind:
		s.Outcome = "timeout"
	case leftKind:
		s.Outcome = "cancelled"
	case sleepKind:
		s.Ended = when(r.seq)
	}
	return s
}

// acts gives what people did to an order.
func (e *Engine) acts(ctx context.Context, id string) (all []Act, err error) {
	err = e.db.rows(ctx, e.db, `SELECT at, action, detail FROM @order_acts WHERE id = $1 ORDER BY seq`, []any{id}, func(r *sql.Rows) error {
		var at int64
		var action string
		var sealed []byte
		if err := r.Scan(&at, &action, &sealed); err != nil {
			return err
		}
		c, err := e.detail(id, sealed)
		if err != nil {
			return err
		}
		all = append(all, Act{when(at), action, c.By, c.Reason})
		return nil
	})
	return all, err
}

// Filter says which orders a list has; what is empty lets all through.
type Filter struct {
	Caller string
	Route  string
	States []State
	Since  time.Time // started then or later
	Before time.Time // started earlier
	Open   bool      // only those that have not ended
}

// List gives orders, the newest first, and the cursor of the next page: "" after
// the last. limit is 1 to 1000.
func (e *Engine) List(ctx context.Context, f Filter, cursor string, limit int) (all []Status, next string, err error) {
	limit = min(max(limit, 1), 1000)
	var args []any
	where := []string{"1 = 1"}
	add := func(text string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			text = strings.Replace(text, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		where = append(where, text)
	}
	if f.Caller != "" {
		add("caller = ?", f.Caller)
	}
	if f.Route != "" {
		add("route = ?", f.Route)
	}
	if !f.Since.IsZero() {
		add("started >= ?", millis(f.Since))
	}
	if !f.Before.IsZero() {
		add("started < ?", millis(f.Before))
	}
	if f.Open {
		add("ended = 0")
	}
	if len(f.States) > 0 {
		marks := make([]string, len(f.States))
		values := make([]any, len(f.States))
		for i, s := range f.States {
			marks[i], values[i] = "?", string(s)
		}
		add("state IN ("+strings.Join(marks, ",")+")", values...)
	}
	if cursor != "" {
		at, id, err := readCursor(cursor)
		if err != nil {
			return nil, "", err
		}
		add("(started < ? OR started = ? AND id < ?)", at, at, id)
	}
	args = append(args, limit+1)
	err = e.db.rows(ctx, e.db, `SELECT `+columns+` FROM @orders WHERE `+strings.Join(where, " AND ")+
		` ORDER BY started DESC, id DESC LIMIT $`+strconv.Itoa(len(args)), args, func(r *sql.Rows) error {
		s, err := e.scanStatus(r.Scan)
		all = append(all, s)
		return err
	})
	if err != nil {
		return nil, "", down(err)
	}
	if len(all) > limit {
		all = all[:limit]
		last := all[limit-1]
		next = writeCursor(millis(last.Started), last.ID)
	}
	return all, next, nil
}

// writeCursor gives the place in a list after an order.
func writeCursor(at int64, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(at, 36) + "." + id))
}

// readCursor reads what writeCursor gave.
func readCursor(cursor string) (at int64, id string, err error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) > 100 {
		return 0, "", ErrCursor
	}
	before, id, found := strings.Cut(string(b), ".")
	at, err = strconv.ParseInt(before, 36, 64)
	if err != nil || !found || id == "" {
		return 0, "", ErrCursor
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return 0, "", ErrCursor
		}
	}
	if writeCursor(at, id) != cursor { // there are several ways to write the same, and one is ours
		return 0, "", ErrCursor
	}
	return at, id, nil
}

// Await gives the order once it is over (see Status.Over), or what is known of it
// when ctx ends, with ctx's error.
func (e *Engine) Await(ctx context.Context, id string) (Status, error) {
	told, end := e.wakes.add(overTopic(id))
	defer end()
	for pause := 100 * time.Millisecond; ; pause = min(pause*3/2, time.Second) {
		s, err := e.Brief(ctx, id)
		switch {
		case ctx.Err() != nil:
			return s, ctx.Err()
		case err != nil || s.Over():
			if err == nil {
				return e.Status(ctx, id)
			}
			return s, err
		}
		if !e.db.postgres() { // it can end only here
			pause = time.Minute
		}
		select {
		case <-told:
		case <-time.After(pause):
		case <-e.closing:
			return s, ErrClosing
		case <-ctx.Done():
			return s, ctx.Err()
		}
	}
}
