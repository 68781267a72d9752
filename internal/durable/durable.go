// Package durable runs the orders of durable mappings: it joins the engine that
// keeps them (order), the interpreter that runs a plan step by step (flow) and
// the configuration that serves (snapshot).
//
// An order runs to its end under the configuration it began under, which is
// kept with it; its calls go out with the addresses, credentials and limits of
// the configuration that serves now. Schedules run wholly under that. Nothing is
// opened before a durable mapping or a schedule is served. While the database is away, everything else serves on.
package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/order"
	"github.com/emenda-gateway/emenda/internal/seal"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// Options say what orders are run with.
type Options struct {
	Keys  seal.Keys        // what is about people is sealed with these
	Clock func() time.Time // nil: time.Now
	Log   *slog.Logger
}

// Hold gives the snapshot that serves, which stays open until release is
// called; nil when none does any more.
type Hold func() (s *snapshot.Snapshot, release func())

// Orders keeps and runs orders. It is safe for concurrent use.
type Orders struct {
	o     Options
	clock func() time.Time

	ctx  context.Context // of what runs in the background
	stop context.CancelFunc
	work sync.WaitGroup

	hold    Hold
	serving chan struct{} // closed when hold is set
	once    sync.Once

	mu      sync.Mutex
	wanted  *wanted       // what is, or is to be, opened; nil: nothing
	engine  *order.Engine // nil: not open
	closed  bool
	loaded  map[string]*snapshot.Loaded // by hash: what orders run under
	loading singleflight.Group          // by hash: what is loaded, or kept
	turns   *semaphore.Weighted         // of orders that go through what is kept of them
	renewed map[string]time.Time        // by hash: when it was last kept
	keep    time.Duration               // how long what has ended is kept
	counted counted
	timed   timed
}

// wanted is where orders are to be kept.
type wanted struct{ url, data string }

// New makes Orders that keep nothing until Prepare. Close them before the
// snapshots they call through.
func New(o Options) *Orders {
	v := &Orders{o: o, clock: o.Clock, serving: make(chan struct{}), loaded: map[string]*snapshot.Loaded{}, renewed: map[string]time.Time{}, timed: timed{ran: map[Run]int{}}}
	v.turns = semaphore.NewWeighted(int64(4 * runtime.GOMAXPROCS(0)))
	if v.clock == nil {
		v.clock = time.Now
	}
	v.ctx, v.stop = context.WithCancel(context.Background())
	return v
}

// Serve says through what calls go out. Orders and schedules wait for it.
func (v *Orders) Serve(hold Hold) {
	v.once.Do(func() {
		v.hold = hold
		close(v.serving)
		v.Reschedule()
	})
}

// Prepare opens what keeps the orders, if l has durable mappings or schedules
// and nothing has opened it. A database that is away does not keep l from
// serving: opening is tried again until it comes.
func (v *Orders) Prepare(l *snapshot.Loaded, settings *config.Resolved) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keep = settings.OrdersKeep
	if l.Durable() {
		v.remember(l)
	}
	if v.engine != nil && l.Durable() {
		v.keepSoon(v.engine, l)
	}
	if v.wanted != nil || v.closed || !l.Durable() && !l.Scheduled(settings) {
		return nil
	}
	w := &wanted{url: settings.OrdersURL.Reveal(), data: l.DataFolder(settings)}
	e, err := v.open(w)
	if errors.Is(err, order.ErrDown) {
		v.o.Log.Warn("the orders' database is away; durable mappings answer that they cannot serve, and schedules wait, until it comes", slog.String("error", err.Error()))
		v.wanted = w
		v.work.Go(func() { v.openLater(w) })
		return nil
	}
	if err != nil {
		return fmt.Errorf("orders: %w", err)
	}
	v.wanted = w
	v.opened(e)
	if l.Durable() {
		v.keepSoon(e, l)
	}
	return nil
}

// opens bounds one try to open.
const opens = 30 * time.Second

func (v *Orders) open(w *wanted) (*order.Engine, error) {
	ctx, cancel := context.WithTimeout(v.ctx, opens)
	defer cancel()
	return order.Open(ctx, order.Options{
		DatabaseURL: w.url, Data: w.data, Keys: v.o.Keys, Runner: v.run, Version: flow.OrderVersion, Now: v.o.Clock, Log: v.o.Log,
	})
}

// opened takes an engine into service. v.mu is held.
func (v *Orders) opened(e *order.Engine) {
	v.engine = e
	v.work.Go(func() { v.purge(e) })
}

// openEvery is how often opening is tried.
const openEvery = 2 * time.Second

// openLater opens when it can.
func (v *Orders) openLater(w *wanted) {
	for {
		select {
		case <-v.ctx.Done():
			return
		case <-time.After(openEvery):
		}
		e, err := v.open(w)
		if err != nil {
			if !errors.Is(err, order.ErrDown) && v.ctx.Err() == nil {
				v.o.Log.Error("orders cannot be opened", slog.String("error", err.Error()))
			}
			continue
		}
		v.mu.Lock()
		gone := v.closed
		if !gone {
			v.opened(e)
		}
		v.mu.Unlock()
		if gone {
			_ = e.Close(context.Background())
			return
		}
		v.o.Log.Info("the orders' database is there")
		v.Reschedule()
		return
	}
}

// purgeEvery is how often what is old enough is removed.
const purgeEvery = time.Hour

func (v *Orders) purge(e *order.Engine) {
	t := time.NewTicker(purgeEvery)
	defer t.Stop()
	for {
		v.mu.Lock()
		keep := v.keep
		v.mu.Unlock()
		n, err := e.Purge(v.ctx, v.clock().Add(-keep))
		switch {
		case v.ctx.Err() != nil:
			return
		case err != nil:
			v.o.Log.Warn("orders that ended long ago cannot be removed now", slog.String("error", err.Error()))
		case n > 0:
			v.o.Log.Info("orders that ended long ago were emptied", slog.Int("orders", n))
		}
		select {
		case <-v.ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Close ends what runs; orders that have not ended go on in the next process.
// Calls that are under way are cut off after ctx.
func (v *Orders) Close(ctx context.Context) error {
	v.mu.Lock()
	closed, e := v.closed, v.engine
	v.closed = true
	v.mu.Unlock()
	if closed {
		return nil
	}
	var err error
	if e != nil {
		err = e.Close(ctx)
	}
	v.stop()
	v.work.Wait()
	return err
}

// Engine gives what keeps the orders; order.ErrDown while nothing does.
func (v *Orders) Engine() (*order.Engine, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.engine == nil {
		return nil, order.ErrDown
	}
	return v.engine, nil
}

// Health tells how the orders' database is: kind is "sqlite", "postgres" or ""
// when no durable mapping and no schedule needs one.
func (v *Orders) Health(ctx context.Context) (kind string, up bool) {
	v.mu.Lock()
	w, e := v.wanted, v.engine
	v.mu.Unlock()
	if w == nil {
		return "", true
	}
	if kind = "sqlite"; w.url != "" {
		kind = "postgres"
	}
	return kind, e != nil && e.Health(ctx) == nil
}

// Begin begins an order of one of l's mappings, or finds it.
func (v *Orders) Begin(ctx context.Context, l *snapshot.Loaded, n *exchange.NewOrder) (exchange.OrderState, error) {
	e, err := v.Engine()
	if err != nil {
		return exchange.OrderState{}, err
	}
	if err := v.keepPlan(ctx, e, l); err != nil {
		return exchange.OrderState{}, err
	}
	payload, err := json.Marshal(n.Given)
	if err != nil {
		return exchange.OrderState{}, err
	}
	s, created, err := e.Start(ctx, order.Order{
		Route: l.OrderName(n.Plan), Caller: n.Caller, Key: n.Key, Fingerprint: n.Fingerprint, Plan: l.Hash, Payload: payload,
		Subjects: n.Subjects, Started: n.Now, Deadline: n.Given.Deadline,
	})
	if errors.Is(err, order.ErrDiffers) {
		return exchange.OrderState{}, exchange.ErrOrderDiffers
	}
	if err != nil {
		return exchange.OrderState{}, err
	}
	state := exchange.OrderState{ID: s.ID, State: string(s.State), New: created}
	if !s.Ended.IsZero() {
		if full, err := e.Status(ctx, s.ID); err == nil {
			told(&state, &full)
		}
	}
	return state, nil
}

// Await gives the order's state once it is over, or what it is when ctx is done.
func (v *Orders) Await(ctx context.Context, id string) (exchange.OrderState, error) {
	e, err := v.Engine()
	if err != nil {
		return exchange.OrderState{}, err
	}
	s, err := e.Await(ctx, id)
	if err != nil && ctx.Err() != nil { // as far as it has come
		now, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		s, err = e.Brief(now, id)
	}
	if err != nil {
		return exchange.OrderState{}, err
	}
	state := exchange.OrderState{ID: s.ID, State: string(s.State)}
	told(&state, &s)
	return state, nil
}

// told adds what ended an order.
func told(state *exchange.OrderState, s *order.Status) {
	if len(s.Result) == 0 {
		return
	}
	var end flow.OrderEnd
	if json.Unmarshal(s.Result, &end) == nil {
		state.Step, state.Class, state.Detail = end.Step, end.Class, end.Detail
	}
}

// given gives what an order starts from.
func given(o *order.Order) (flow.OrderGiven, error) {
	var g flow.OrderGiven
	if err := json.Unmarshal(o.Payload, &g); err != nil {
		return g, errors.New("what the order starts from cannot be read")
	}
	g.ID, g.Deadline = o.ID, o.Deadline
	return g, nil
}

// run runs one order for the engine.
func (v *Orders) run(r order.Run) (order.End, error) {
	ctx, o := r.Context(), r.Order()
	select {
	case <-v.serving:
	case <-ctx.Done():
		return order.End{}, ctx.Err()
	}
	e, err := v.awaitEngine(ctx)
	if err != nil {
		return order.End{}, err
	}
	l, err := v.under(ctx, e, o.Plan)
	if err != nil {
		return order.End{}, err
	}
	plan, err := planOf(l, o.Route)
	if err != nil {
		return order.End{}, err
	}
	g, err := given(o)
	if err != nil {
		return order.End{}, err
	}
	if err := v.turns.Acquire(ctx, 1); err != nil {
		return order.End{}, err
	}
	rec := &recorder{run: r, log: v.o.Log, goesOn: sync.OnceFunc(func() { v.turns.Release(1) })}
	defer rec.goesOn()
	env := v.env(l, rec)
	env.RequestID = o.ID
	end, err := flow.RunOrder(plan, g, env)
	if err != nil {
		return order.End{}, err
	}
	if len(end.Problems) > 0 {
		v.o.Log.Warn("order: what is done at its end failed", slog.String("order", o.ID), slog.String("route", o.Route), slog.String("caller", o.Caller),
			slog.String("steps", strings.Join(end.Problems, ", ")))
	}
	result, err := json.Marshal(&end)
	return order.End{State: order.State(end.State), Result: result}, err
}

// awaitEngine gives the engine, which may call the runner before it has been handed over.
func (v *Orders) awaitEngine(ctx context.Context) (*order.Engine, error) {
	for {
		if e, err := v.Engine(); err == nil {
			return e, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// env is what an order under l runs with.
func (v *Orders) env(l *snapshot.Loaded, rec flow.Recorder) *flow.OrderEnv {
	env := &flow.OrderEnv{Record: rec, Clock: v.clock}
	env.Calls, env.Zone, env.Unavailable = calls{v}, l.Zone(), v.unavailable
	if s, release := v.hold(); s != nil {
		env.Memory, env.Cache = s.Kept, s.Kept // they outlive snapshots
		env.Fuel, env.MaxEach = s.Settings.Limits.Fuel, s.Settings.Limits.Each
		release()
	}
	return env
}

func (v *Orders) unavailable(name string) (string, bool) {
	s, release := v.hold()
	if s == nil {
		return "", false
	}
	defer release()
	return s.Unavailable(name)
}

// calls sends the calls of orders through the snapshot that serves.
type calls struct{ v *Orders }

// Call sends a call.
func (c calls) Call(ctx context.Context, call *backend.Call) *backend.Answer {
	s, release := c.v.hold()
	if s == nil { // the process ends: what this comes to is not recorded
		<-ctx.Done()
		return backend.FailedAnswer(call.Operation, contract.ClassUnavailable, false)
	}
	defer release()
	return s.Call(ctx, call)
}
