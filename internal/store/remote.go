package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/seal"
)

// What one exchange with Redis may take.
const (
	redisTimeout = time.Second
	redisConns   = 64
)

// prefix begins every name in Redis; its braces keep them together in a cluster.
const (
	prefix      = "{emenda}:"
	alivePrefix = prefix + "alive:"
	intentsName = prefix + "intents"
)

// laterMost bounds what waits to be done in Redis until it is back.
const laterMost = 10_000

// remote is the part of a store that is in Redis.
type remote struct {
	s      *Store
	client *redis.Client

	up      atomic.Bool            // Redis answers
	run     atomic.Pointer[string] // which Redis it is
	settled atomic.Int64           // Unix nanoseconds from which on changes are admitted again
	since   atomic.Int64           // when up last changed

	why   atomic.Pointer[string] // it could not be reached last
	mute  atomic.Bool            // tests: no sign of life
	mu    sync.Mutex
	queue []func(ctx context.Context) error // what has to be done when Redis is back
	stop  context.CancelFunc
	done  chan struct{}
	lost  chan struct{} // kicks the heart when a call failed
}

func newRemote(s *Store, url string) (*remote, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("the address of Redis cannot be read: expected redis://[user:password@]host:port[/database], rediss:// for TLS")
	}
	// Nothing is repeated behind our back: a script that took a claim and lost
	// its answer would take another.
	o.MaxRetries = -1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = redisTimeout, redisTimeout, redisTimeout, redisTimeout
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.PoolSize = redisConns
	r := &remote{s: s, done: make(chan struct{}), lost: make(chan struct{}, 1)}
	o.OnConnect = r.connected
	o.ClientName = "emenda"
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	quiet.Do(func() { redis.SetLogger(silence{}) })
	r.client = redis.NewClient(o)
	return r, nil
}

// The library logs by itself what its calls return anyway.
var quiet sync.Once

type silence struct{}

// Printf says nothing.
func (silence) Printf(context.Context, string, ...any) {}

// kick has the heart beat at once.
func (r *remote) kick() {
	select {
	case r.lost <- struct{}{}:
	default:
	}
}

func (r *remote) close() error {
	r.stop()
	<-r.done
	ctx, cancel := context.WithTimeout(context.Background(), redisTimeout)
	defer cancel()
	_ = r.drain(ctx)
	if r.up.Load() {
		_ = r.client.Del(ctx, alivePrefix+r.s.local.me).Err()
	}
	r.up.Store(false)
	return r.client.Close()
}

func (r *remote) health() (up bool, since time.Time) {
	return r.up.Load() && time.Now().UnixNano() >= r.settled.Load(), time.Unix(0, r.since.Load())
}

// brief gives what went wrong without what was sent.
func brief(err error) string {
	var answered redis.Error
	switch {
	case errors.Is(err, errRestarted):
		return errRestarted.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &answered):
		word := answered.Error()
		for i := range len(word) {
			if word[i] == ' ' {
				word = word[:i]
				break
			}
		}
		return "it answered " + word
	}
	return "the connection failed"
}

// judge takes the end of an exchange: anything but an answer says that Redis
// is lost, unless it was the caller who gave up.
func (r *remote) judge(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, redis.Nil) {
		return nil
	}
	if !gaveUp(ctx) {
		r.down(err)
		r.kick()
	}
	return fmt.Errorf("%w: %s", ErrDown, brief(err))
}

// gaveUp tells whether it is the caller whose time is over. A connection's
// deadline may be noticed a little before the context's own.
func gaveUp(ctx context.Context) bool {
	if ctx.Err() != nil {
		return true
	}
	end, ok := ctx.Deadline()
	return ok && time.Until(end) < 5*time.Millisecond
}

// later has something done in Redis when it is back; surely does it now, or then.
func (r *remote) later(do func(ctx context.Context) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) >= laterMost {
		r.s.log.Error("too much waits for the store: the oldest is dropped; what it was about stays as it was kept, and is listed by \"emenda unknowns\"")
		r.queue = r.queue[1:]
	}
	r.queue = append(r.queue, do)
}

func (r *remote) surely(do func(ctx context.Context) error) {
	if r.up.Load() {
		ctx, cancel := context.WithTimeout(context.Background(), redisTimeout)
		defer cancel()
		if do(ctx) == nil {
			return
		}
	}
	r.later(do)
}

// drain does what waits.
func (r *remote) drain(ctx context.Context) error {
	for {
		r.mu.Lock()
		if len(r.queue) == 0 {
			r.queue = nil
			r.mu.Unlock()
			return nil
		}
		do := r.queue[0]
		r.queue = r.queue[1:]
		r.mu.Unlock()
		if err := do(ctx); err != nil {
			r.mu.Lock()
			r.queue = append([]func(context.Context) error{do}, r.queue...)
			r.mu.Unlock()
			return err
		}
	}
}

// at gives names as they stand in Redis.
func at(kind byte, names []seal.Name) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = prefix + string(kind) + ":" + n.String()
	}
	return all
}

func (r *remote) get(ctx context.Context, names []seal.Name) ([]byte, bool, error) {
	if !r.up.Load() {
		return nil, false, ErrDown
	}
	for i, key := range at(kindMemory, names) {
		sealed, err := r.client.Get(ctx, key).Bytes()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err := r.judge(ctx, err); err != nil {
			return nil, false, err
		}
		plain, err := r.s.keys[i:].Open(key, sealed)
		if err != nil {
			continue // whoever kept it had another key
		}
		return plain, true, nil
	}
	return nil, false, nil
}

// lifeOf gives how long something lives, in milliseconds; 0 for ever.
func lifeOf(until, now time.Time) time.Duration {
	if until.IsZero() {
		return 0
	}
	return max(until.Sub(now), time.Millisecond)
}

func (r *remote) put(ctx context.Context, names []seal.Name, text []byte, until, now time.Time) error {
	if !r.up.Load() {
		return ErrDown
	}
	p := r.client.Pipeline()
	for i, key := range at(kindMemory, names) {
		p.Set(ctx, key, r.s.keys[i].Seal(nil, key, text), lifeOf(until, now))
	}
	_, err := p.Exec(ctx)
	return r.judge(ctx, err)
}

func (r *remote) count(ctx context.Context, names []seal.Name) (most int64, err error) {
	if !r.up.Load() {
		return 0, ErrDown
	}
	for _, key := range at(kindClaim, names) {
		n, err := r.client.SCard(ctx, key).Result()
		if err := r.judge(ctx, err); err != nil {
			return 0, err
		}
		most = max(most, n)
	}
	return most, nil
}

// How long somebody who waits for a request elsewhere waits before looking again.
const (
	lookFirst = 10 * time.Millisecond
	lookMost  = 100 * time.Millisecond
)

// begins begins a request for every replica, waiting while it is under way at another.
func (r *remote) begins(ctx context.Context, rec *recording) (Found, []byte, error) {
	names := at(kindRepeat, rec.names)
	args := []any{rec.owner, (rec.window + rec.longest).Milliseconds(), alivePrefix}
	for _, h := range rec.hashes {
		args = append(args, h.String())
	}
	found := Replayed
	for pause := lookFirst; ; pause = min(2*pause, lookMost) {
		if err := r.ready(); err != nil {
			return First, nil, err
		}
		said, err := beginScript.Run(ctx, r.client, names, args...).StringSlice()
		if err := r.judge(ctx, err); err != nil {
			// It may have begun there all the same.
			r.later(func(ctx context.Context) error { return r.end(ctx, rec, nil, nil) })
			if gaveUp(ctx) {
				return TimedOut, nil, nil
			}
			return First, nil, err
		}
		switch said[0] {
		case "first":
			return First, nil, nil
		case "recovered":
			rec.kept = true
			return Recovered, nil, nil
		case "differs":
			return Differs, nil, nil
		case "done":
			i, _ := strconv.Atoi(said[2])
			answer, err := r.s.keys.Open(names[i], []byte(said[1]))
			if err != nil {
				return First, nil, fmt.Errorf("%w: the first answer was %w", ErrDown, err)
			}
			left, _ := strconv.ParseInt(said[3], 10, 64)
			rec.window = min(rec.window, time.Duration(left)*time.Millisecond) // here it is known no longer than there
			return found, answer, nil
		}
		found = Joined
		t := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return TimedOut, nil, nil
		}
	}
}

// ready tells whether what must not happen twice can be kept.
func (r *remote) ready() error {
	if up, _ := r.health(); !up {
		return ErrDown
	}
	return nil
}

func (r *remote) admit(ctx context.Context, rec *recording, c *claim, i *intent) (flow.Verdict, error) {
	if err := r.ready(); err != nil {
		return flow.NoStore, err
	}
	keys, owner := []string{}, ""
	if rec != nil {
		keys, owner = at(kindRepeat, rec.names), rec.owner
	}
	records := len(keys)
	id, limit, life := "", int64(0), int64(0)
	if c != nil {
		keys = append(keys, at(kindClaim, c.names)...)
		id, limit, life = c.id, c.limit, lifeOf(c.until, i.At).Milliseconds()
	}
	claims := len(keys) - records
	keys = append(keys, intentsName)
	said, err := admitScript.Run(ctx, r.client, keys, records, claims, owner, id, limit, life, i.ID, r.sealed(i)).Text()
	if err := r.judge(ctx, err); err != nil {
		return flow.NoStore, err
	}
	if ctx.Err() != nil {
		return flow.NoStore, ErrDown
	}
	switch said {
	case "admitted":
		return flow.Admitted, nil
	case "over":
		return flow.OverLimit, nil
	}
	return flow.NoStore, nil // another replica has taken it over
}

// sealed gives an intent as it is kept; "" when it is done with.
func (r *remote) sealed(i *intent) string {
	if i.State == "" {
		return ""
	}
	return string(r.s.keys[0].Seal(nil, intentsName+":"+i.ID, i.text()))
}

func (r *remote) settle(ctx context.Context, c *claim, i *intent) error {
	var keys []string
	id, about, text := "", "", ""
	if c != nil {
		keys, id = at(kindClaim, c.names), c.id
	}
	if i != nil {
		about, text = i.ID, r.sealed(i)
	}
	err := settleScript.Run(ctx, r.client, append(keys, intentsName), id, about, text).Err()
	return r.judge(ctx, err)
}

func (r *remote) end(ctx context.Context, rec *recording, answer []byte, intents []string) error {
	names := at(kindRepeat, rec.names)
	args := []any{rec.owner, rec.window.Milliseconds()}
	for i, key := range names {
		text := ""
		if answer != nil {
			text = string(r.s.keys[i].Seal(nil, key, answer))
		}
		args = append(args, text)
	}
	for _, id := range intents {
		args = append(args, id)
	}
	return r.judge(ctx, endScript.Run(ctx, r.client, append(names, intentsName), args...).Err())
}

func (r *remote) giveUp(ctx context.Context, rec *recording) error {
	return r.judge(ctx, giveUpScript.Run(ctx, r.client, at(kindRepeat, rec.names), rec.owner, gone).Err())
}
