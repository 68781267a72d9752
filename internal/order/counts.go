package order

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"
)

// Count is how many orders of a route are in a state.
type Count struct {
	Route string
	State State
	N     int
}

// Counts are what is to be watched of the orders of all replicas that have not ended.
type Counts struct {
	Open      []Count   // stuck ones too, by route and state
	Ended     []Count   // in this process, since it began
	Oldest    time.Time // start of the oldest that is not over; zero: none
	Waiting   int       // for an event, a time or a person
	Asking    int       // of these for a person
	Troubled  int       // those the engine cannot go on with now
	Elsewhere int       // those begun under another version, which this program leaves to that one
}

// Counts counts.
func (e *Engine) Counts(ctx context.Context) (c Counts, err error) {
	err = e.db.rows(ctx, e.db, `SELECT route, state, COUNT(*), SUM(asks), SUM(CASE WHEN trouble <> '' THEN 1 ELSE 0 END),
			SUM(CASE WHEN version <> $1 THEN 1 ELSE 0 END), MIN(started)
		FROM @orders WHERE ended = 0 GROUP BY route, state ORDER BY route, state`, []any{e.options.Version}, func(r *sql.Rows) error {
		var one Count
		var state string
		var asks, trouble, elsewhere int
		var oldest int64
		if err := r.Scan(&one.Route, &state, &one.N, &asks, &trouble, &elsewhere, &oldest); err != nil {
			return err
		}
		one.State = State(state)
		c.Open = append(c.Open, one)
		c.Asking += asks
		c.Troubled += trouble
		c.Elsewhere += elsewhere
		if one.State == Waiting || one.State == Held {
			c.Waiting += one.N
		}
		if one.State != Stuck && (c.Oldest.IsZero() || when(oldest).Before(c.Oldest)) {
			c.Oldest = when(oldest)
		}
		return nil
	})
	if err != nil {
		return c, down(err)
	}
	e.runs.mu.Lock()
	defer e.runs.mu.Unlock()
	for _, k := range slices.SortedFunc(maps.Keys(e.runs.ends), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		c.Ended = append(c.Ended, Count{k[0], State(k[1]), e.runs.ends[k]})
	}
	return c, nil
}
