package store

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// How a replica tells that it is alive, and others that it is not.
const (
	beat     = 250 * time.Millisecond
	lifeSign = 1200 * time.Millisecond // without a beat for so long it is gone
	// settling is how long what must not happen twice is refused after Redis
	// came back: every replica has put back by then what Redis may have lost.
	settling = 3 * beat
)

// errRestarted tells of a Redis that is another one than before.
var errRestarted = errors.New("redis began anew")

// begin starts the heart.
func (r *remote) begin() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.since.Store(time.Now().UnixNano())
	r.pulse(ctx)
	r.settled.Store(0) // there is nothing yet that it could have lost
	r.s.metrics.StoreUp(r.up.Load())
	if why := r.why.Load(); why != nil {
		r.s.log.Warn("the store cannot be reached yet: what must not happen twice is refused until it can", slog.String("error", *why))
	}
	go func() {
		defer close(r.done)
		tick := time.NewTicker(beat)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			case <-r.lost:
			}
			r.pulse(ctx)
		}
	}()
}

// pulse tells that this replica is alive, and finds out whether Redis is.
func (r *remote) pulse(ctx context.Context) {
	if r.mute.Load() {
		return
	}
	err := r.client.Set(ctx, alivePrefix+r.s.local.me, 1, lifeSign).Err()
	if err != nil {
		if ctx.Err() == nil {
			r.down(err)
		}
		return
	}
	if !r.up.Load() {
		// Redis may have lost what it knew: what this replica knows goes back
		// before anything is asked of it.
		id, err := runID(r.client.Info(ctx, "server").Result())
		if err == nil {
			r.run.Store(&id)
			err = r.restore(ctx)
		}
		if err != nil {
			r.down(err)
			return
		}
		r.why.Store(nil)
		r.settled.Store(time.Now().Add(settling).UnixNano())
		r.since.Store(time.Now().UnixNano())
		r.s.log.Info("the store can be reached")
		r.up.Store(true)
	}
	up, _ := r.health()
	r.s.metrics.StoreUp(up)
	if err := r.drain(ctx); err != nil {
		r.down(err)
	}
}

// down notes that Redis does not answer.
func (r *remote) down(err error) {
	why := brief(err)
	was := r.why.Swap(&why)
	switch {
	case r.up.Swap(false):
		r.since.Store(time.Now().UnixNano())
		r.s.metrics.StoreUp(false)
		r.s.log.Warn("the store is lost: reading goes on with what this gateway knows, what must not happen twice is refused", slog.String("error", why))
	case was != nil && *was != why:
		r.s.log.Warn("the store still cannot be reached", slog.String("error", why))
	}
}

// connected looks at whom a new connection leads to. A Redis that began anew,
// or that another took the place of, may have lost what it was told last:
// nothing is asked of it before that was put back.
func (r *remote) connected(ctx context.Context, c *redis.Conn) error {
	if !r.up.Load() {
		return nil // the heart will look
	}
	id, err := runID(c.Info(ctx, "server").Result())
	if err != nil {
		return err
	}
	if known := r.run.Load(); r.up.Load() && known != nil && *known != id {
		r.down(errRestarted)
		r.kick()
		return errRestarted
	}
	return nil
}

// runID finds the id of a running server in what it says of itself.
func runID(info string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	_, rest, ok := strings.Cut(info, "run_id:")
	if !ok {
		return "", errors.New("redis does not say which one it is")
	}
	id, _, _ := strings.Cut(rest, "\r")
	return id, nil
}
