package order

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"

	"github.com/emenda-gateway/emenda/internal/seal"
)

// workflowName is the one kind of workflow the library knows.
const workflowName = "order"

// defaultPromise is how long a key holds when the order does not say.
const defaultPromise = 90 * 24 * time.Hour

// shutdownGrace bounds what the library may take to end.
const shutdownGrace = 10 * time.Second

// Engine keeps and runs orders. It is safe for concurrent use.
type Engine struct {
	options  Options
	keys     seal.Keys
	log      *slog.Logger
	now      func() time.Time
	executor string

	db      *database
	library dbos.Context
	lock    *os.File // SQLite
	lease   *lease   // PostgreSQL

	wakes    wakes
	progress progress
	runs     runs
	timers   schedules

	look       atomic.Bool   // the sweeper is to look for orphans soon
	closing    chan struct{} // closed: nothing new begins
	closeOnce  sync.Once
	background sync.WaitGroup
	stop       context.CancelFunc // ends what runs in the background
	ctx        context.Context    // of what runs in the background
}

// Open opens the orders and goes on with those that have not ended. Runner may
// be called before it returns. ctx bounds the opening only.
func Open(ctx context.Context, o Options) (*Engine, error) {
	if len(o.Keys) == 0 || o.Runner == nil || o.Version == "" {
		return nil, errors.New("an engine of orders needs keys, a runner and a version")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	e := &Engine{options: o, keys: o.Keys, log: o.Log, now: o.Now, closing: make(chan struct{})}
	e.wakes.init()
	e.progress.init()
	e.runs.init()
	e.timers.init()
	e.ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := e.open(ctx); err != nil {
		e.release()
		return nil, err
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context) (err error) {
	config := dbos.Config{
		AppName:                  "emenda",
		DatabaseSchema:           schemaName,
		ApplicationVersion:       e.options.Version,
		Logger:                   slog.New(libraryLog{e.log}),
		Serializer:               asItIs{},
		SchedulerPollingInterval: time.Hour, // our schedules are our own
	}
	if e.options.DatabaseURL == "" {
		if e.lock, err = lockFolder(e.options.Data); err != nil {
			return err
		}
		if e.db, err = openSQLite(e.options.Data); err != nil {
			return err
		}
		e.executor = "only"
		config.SQLiteSystemDB = e.db.DB
	} else {
		if e.db, err = openPostgres(ctx, e.options.DatabaseURL); err != nil {
			return err
		}
		e.executor = "replica-" + random()
		config.SystemDBPool = e.db.pool
	}
	config.ExecutorID = e.executor
	if err := e.db.migrate(ctx); err != nil {
		return e.notOpened(err)
	}
	if e.db.postgres() {
		if e.lease, err = e.takeLease(ctx); err != nil {
			return err
		}
	}
	// Were the library's context to end with the caller's, it would note every
	// order as cancelled.
	if e.library, err = dbos.NewContext(context.WithoutCancel(ctx), config); err != nil {
		return e.notOpened(err)
	}
	if e.library.GetExecutorID() != e.executor || e.library.GetApplicationVersion() != e.options.Version {
		return errors.New("DBOS__VMID and DBOS__APPVERSION must not be set: orders would be lost sight of")
	}
	dbos.RegisterWorkflow(e.library, e.drive, dbos.WithWorkflowName(workflowName), dbos.WithMaxRecoveryAttempts(1<<30))
	if err := dbos.Launch(e.library); err != nil {
		e.library = nil // a launch that fails shuts down by itself
		return e.notOpened(err)
	}
	e.tellOfOthers(ctx)
	e.inBackground(e.keepProgress)
	e.inBackground(e.sweep)
	if e.lease != nil {
		e.inBackground(e.lease.hold)
		e.inBackground(e.lookForEvents)
	}
	return nil
}

// notOpened tells why a database cannot be used. One of other machines may come
// back: ErrDown, unless it is of a newer version.
func (e *Engine) notOpened(err error) error {
	if e.db.postgres() && !errors.Is(err, ErrNewer) {
		return fmt.Errorf("%w: the database of orders cannot be opened: %w", ErrDown, plain(err))
	}
	return fmt.Errorf("the database of orders cannot be opened: %w", plain(err))
}

// tellOfOthers tells of orders that only another version goes on with.
func (e *Engine) tellOfOthers(ctx context.Context) {
	var n int
	if _, err := e.db.row(ctx, e.db, `SELECT COUNT(*) FROM @orders WHERE ended = 0 AND version <> $1`, []any{e.options.Version}, &n); err == nil && n > 0 {
		e.log.Warn("orders: some were begun under another version of the interpreter, and wait for a gateway of that version", slog.Int("orders", n))
	}
}

// inBackground runs fn until the engine is released.
func (e *Engine) inBackground(fn func(ctx context.Context)) {
	e.background.Go(func() { fn(e.ctx) })
}

// Close lets steps under way end and be kept, as long as ctx allows, and ends
// everything. Orders that have not ended go on with the next Open, here or elsewhere.
func (e *Engine) Close(ctx context.Context) (err error) {
	e.closeOnce.Do(func() {
		close(e.closing)
		e.timers.stop()
		if !e.runs.wait(ctx) {
			err = errors.New("steps were under way when the time to close was over; they run again")
		}
		e.timers.settle(ctx)
		e.release()
	})
	return err
}

// release frees whatever open took.
func (e *Engine) release() {
	if e.library != nil {
		e.flushProgress(e.ctx)
		if err := dbos.Shutdown(e.library, shutdownGrace); err != nil {
			e.log.Warn("orders: the library did not end in time", slog.String("error", plain(err).Error()))
		}
	}
	e.stop()
	e.background.Wait()
	e.timers.wait()
	if e.lease != nil {
		e.lease.release()
	}
	if e.db != nil {
		e.db.close()
	}
	if e.lock != nil {
		_ = e.lock.Close()
	}
}

// Health tells why orders cannot be kept now; nil: they can.
func (e *Engine) Health(ctx context.Context) error {
	if e.isClosing() {
		return ErrClosing
	}
	if e.lease != nil && !e.lease.held() {
		return fmt.Errorf("%w: PostgreSQL cannot be reached", ErrDown)
	}
	var n int
	if _, err := e.db.row(ctx, e.db, `SELECT value FROM @order_meta WHERE name = 'schema'`, nil, &n); err != nil {
		return down(err)
	}
	return e.runs.health()
}

func (e *Engine) isClosing() bool {
	select {
	case <-e.closing:
		return true
	default:
		return false
	}
}

// down says that orders cannot be kept, and why.
func down(err error) error { return fmt.Errorf("%w: %w", ErrDown, plain(err)) }

// random gives sixteen letters nobody else has.
func random() string { return strings.ToLower(rand.Text()[:16]) }

// lockOf gives the number of the lock of a name.
func lockOf(name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("emenda order " + name))
	return int64(h.Sum64()) //nolint:gosec // any number will do
}

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// part appends a field and its length, so that no two lists of fields are the same text.
func part(b []byte, field []byte) []byte {
	return append(fmt.Appendf(b, "%d:", len(field)), field...)
}

// ids gives the ids an order has under each key; the first is for new ones.
func (e *Engine) ids(route, caller string, key []byte) []string {
	text := part(part(part([]byte("order id "), []byte(route)), []byte(caller)), key)
	ids := make([]string, len(e.keys))
	for i, k := range e.keys {
		n := k.Name(text)
		ids[i] = letters.EncodeToString(n[:15])
	}
	return ids
}

// names gives the HMACs of a field under each key.
func (e *Engine) names(kind string, fields ...[]byte) []string {
	text := []byte("order " + kind + " ")
	for _, f := range fields {
		text = part(text, f)
	}
	names := make([]string, len(e.keys))
	for i, k := range e.keys {
		names[i] = k.Name(text).String()
	}
	return names
}

// sealed seals bytes for a place; nil stays nil.
func (e *Engine) sealed(place string, plain []byte) []byte {
	if plain == nil {
		return nil
	}
	return e.keys[0].Seal(nil, "order "+place, plain)
}

// opened opens what sealed gave.
func (e *Engine) opened(place string, sealed []byte) ([]byte, error) {
	if sealed == nil {
		return nil, nil
	}
	return e.keys.Open("order "+place, sealed)
}

// list writes the arguments from..from+n-1 of a statement.
func list(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}

// anys makes arguments of texts.
func anys(texts []string) []any {
	all := make([]any, len(texts))
	for i, t := range texts {
		all[i] = t
	}
	return all
}

// Start keeps an order and begins it. It returns when the order is durable; the
// same route, caller and key again start nothing and give what is known of the
// first, or ErrDiffers when the fingerprint is another.
func (e *Engine) Start(ctx context.Context, o Order) (status Status, created bool, err error) {
	if e.isClosing() {
		return Status{}, false, ErrClosing
	}
	ids := e.ids(o.Route, o.Caller, o.Key)
	prints := e.names("fingerprint", o.Fingerprint)
	if len(ids) > 1 { // kept under an older key?
		found, err := e.find(ctx, ids[1:], prints)
		if err != nil || found != "" {
			return e.again(ctx, found, err)
		}
	}
	o.ID = ids[0]
	if o.Started.IsZero() {
		o.Started = e.now()
	}
	if o.Promise == 0 {
		o.Promise = defaultPromise
	}
	err = e.db.tx(ctx, func(tx *sql.Tx) error {
		n, err := e.db.exec(ctx, tx, `INSERT INTO @orders (id, route, caller, fingerprint, plan, version, payload, started, deadline, promised, state, changed)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $8) ON CONFLICT (id) DO NOTHING`,
			o.ID, o.Route, o.Caller, []byte(prints[0]), o.Plan, e.options.Version, e.sealed("payload "+o.ID, o.Payload),
			millis(o.Started), millis(o.Deadline), millis(o.Started.Add(o.Promise)), string(Accepted))
		if err != nil || n == 0 {
			return err
		}
		created = true
		for _, s := range o.Subjects {
			if _, err := e.db.exec(ctx, tx, `INSERT INTO @order_subjects (name, id) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
				e.names("subject", []byte(s))[0], o.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Status{}, false, down(err)
	}
	if !created {
		_, err := e.find(ctx, ids[:1], prints)
		return e.again(ctx, o.ID, err)
	}
	e.begin(ctx, o.ID)
	return Status{Progress: Progress{State: Accepted}, ID: o.ID, Route: o.Route, Caller: o.Caller, Plan: o.Plan,
		Version: e.options.Version, Started: o.Started, Deadline: o.Deadline, Changed: o.Started}, true, nil
}

// find gives the id that is kept of some, and whether its fingerprint is one of prints.
func (e *Engine) find(ctx context.Context, ids, prints []string) (string, error) {
	var id string
	var kept []byte
	found, err := e.db.row(ctx, e.db, `SELECT id, fingerprint FROM @orders WHERE id IN (`+list(1, len(ids))+`)`, anys(ids), &id, &kept)
	if err != nil {
		return "", down(err)
	}
	if !found {
		return "", nil
	}
	for _, p := range prints {
		if string(kept) == p {
			return id, nil
		}
	}
	return id, ErrDiffers
}

// again answers a start that came before.
func (e *Engine) again(ctx context.Context, id string, err error) (Status, bool, error) {
	if err != nil {
		return Status{ID: id}, false, err
	}
	s, err := e.Brief(ctx, id)
	return s, false, err
}

// millis gives a time as it is kept; 0: none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// when gives a kept time.
func when(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
