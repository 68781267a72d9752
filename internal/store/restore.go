package store

import (
	"context"
	"slices"
	"time"
)

// restoreAtOnce is how many things are put back in one exchange with Redis.
const restoreAtOnce = 500

// restore puts back into Redis what this replica knows and Redis may have lost:
// the requests it has in hand or has answered, the claims it was granted, the
// calls under way. What is there stays as it is.
func (r *remote) restore(ctx context.Context) error {
	all := r.s.local.whole(time.Now())
	if len(all) > 0 {
		if err := restoreScript.Load(ctx, r.client).Err(); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(all, restoreAtOnce) {
		p := r.client.Pipeline()
		p.Set(ctx, alivePrefix+r.s.local.me, 1, lifeSign) // this may take longer than a sign of life lasts
		for _, put := range some {
			p.EvalSha(ctx, restoreScript.Hash(), put.keys, put.args(r)...)
		}
		if _, err := p.Exec(ctx); err != nil {
			return err
		}
	}
	for _, i := range r.s.local.unknowns(func(string) bool { return false }) {
		if err := r.client.HSetNX(ctx, intentsName, i.ID, r.sealed(i)).Err(); err != nil {
			return err
		}
	}
	return nil
}

// kept is one thing to put back.
type kept struct {
	keys []string
	args func(*remote) []any
}

// whole gives everything this process knows of records and claims.
func (l *local) whole(now time.Time) (all []kept) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, rec := range l.records {
		if n != rec.names[0] || over(rec.until, now) {
			continue
		}
		rec, keys := *rec, at(kindRepeat, rec.names)
		all = append(all, kept{keys, func(r *remote) []any {
			args := []any{"record", lifeOf(rec.until, now).Milliseconds(), string(rune(rec.state)), rec.owner}
			for i, key := range keys {
				text := ""
				if rec.state == ended {
					text = string(r.s.keys[i].Seal(nil, key, rec.answer))
				}
				args = append(args, rec.hashes[i].String(), text)
			}
			return args
		}})
	}
	for n, c := range l.claims {
		if n != c.names[0] || over(c.until, now) || len(c.ids) == 0 {
			continue
		}
		args := []any{"claims", lifeOf(c.until, now).Milliseconds()}
		for _, id := range c.ids {
			args = append(args, id)
		}
		all = append(all, kept{at(kindClaim, c.names), func(*remote) []any { return args }})
	}
	return all
}
