package order

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
)

// errPanic tells that a runner panicked.
var errPanic = errors.New("the runner panicked")

// drive is the library's workflow. It returns only when the order has ended or
// the process ends: whatever it returned else, the library would keep as the
// order's outcome.
func (e *Engine) drive(c dbos.Context, _ string) (string, error) {
	id, err := dbos.GetWorkflowID(c)
	if err != nil {
		return "", err // cannot be: the library calls this with one
	}
	park, gone := e.runs.enter(id)
	defer gone()
	defer park()
	if !e.isClosing() {
		err = e.whole(c, id)
		if err == nil {
			e.runs.forget(id)
			return "", nil
		}
		park()
	}
	if c.Err() == nil && !e.isClosing() {
		if errors.Is(err, ErrLost) {
			e.runs.forget(id)
		} else {
			e.later(c, id, err)
		}
	}
	if c.Err() == nil && !e.isClosing() {
		if gone() {
			e.progress.forget(id) // it is another's to tell
		}
		if c.Value(directly{}) == nil {
			runtime.Goexit()
		}
	}
	park()
	<-c.Done()
	return "", c.Err()
}

// directly marks runs the library started directly: it has somebody wait for
// their outcome, so that one without an outcome stays until the process ends.
type directly struct{}

// whole runs an order from its beginning to its end.
func (e *Engine) whole(c dbos.Context, id string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			e.log.Error("orders: a run panicked", idAttr(id), slog.String("panic", fmt.Sprintf("%T", p)), slog.String("stack", string(debug.Stack())))
			err = errPanic
		}
	}()
	own, cancel := context.WithCancel(c)
	defer cancel()
	r := &run{e: e, ctx: c, own: own, epoch: -1}
	over := false
	r.order = &Order{ID: id}
	err = r.persist(func(ctx context.Context) (err error) {
		r.order, over, err = e.load(ctx, id)
		return err
	})
	if err != nil || over {
		return err
	}
	if r.kept, err = e.keptOf(id); err != nil {
		return err
	}
	e.progress.began(id)
	end, err := e.call(r)
	if err != nil {
		return err
	}
	return r.persist(func(ctx context.Context) error { return e.finish(ctx, r.order, end) })
}

// load gives what was started; over: nothing is left to do.
func (e *Engine) load(ctx context.Context, id string) (o *Order, over bool, err error) {
	o = &Order{ID: id}
	var payload []byte
	var started, deadline, promised, ended, cancel int64
	found, err := e.db.row(ctx, e.db, `SELECT route, caller, plan, payload, started, deadline, promised, ended, cancel FROM @orders WHERE id = $1`,
		[]any{id}, &o.Route, &o.Caller, &o.Plan, &payload, &started, &deadline, &promised, &ended, &cancel)
	if err != nil {
		return o, false, err
	}
	if !found || ended > 0 { // ended, and the process before the library noted it
		return o, true, nil
	}
	if o.Payload, err = e.opened("payload "+id, payload); err != nil {
		return o, false, errRecord
	}
	if cancel > 0 {
		e.runs.cancelAsked(id)
	}
	o.Started, o.Deadline = when(started), when(deadline)
	o.Promise = when(promised).Sub(o.Started)
	return o, false, nil
}

// call lets the runner run.
func (e *Engine) call(r *run) (end End, err error) {
	end, err = e.options.Runner(r)
	switch {
	case r.broken != nil:
		return End{}, r.broken
	case err == nil && end.State != Done && end.State != Undone && end.State != Stuck:
		err = fmt.Errorf("the runner gave the state %q as an end", end.State)
	}
	return end, err
}

// finish notes how an order ended.
func (e *Engine) finish(ctx context.Context, o *Order, end End) error {
	now := millis(e.now())
	_, err := e.db.exec(ctx, e.db, `UPDATE @orders SET state = $2, result = $3, ended = $4, changed = $4, begun = 1, asks = 0, trouble = '', waits = '', until = 0
		WHERE id = $1 AND ended = 0`, o.ID, string(end.State), e.sealed("result "+o.ID, end.Result), now)
	if err != nil {
		return err
	}
	e.progress.forget(o.ID)
	e.runs.ended(o.Route, end.State)
	e.wakes.wake(overTopic(o.ID))
	return nil
}

// later sees to it that an order whose run could not go on runs again, after a while.
func (e *Engine) later(c dbos.Context, id string, cause error) {
	n := e.runs.bad(id, cause)
	level := slog.LevelWarn
	if n > 3 {
		level = slog.LevelError
	}
	e.log.Log(c, level, "orders: one cannot go on; it is tried again", idAttr(id), errAttr(cause), slog.Int("times", n))
	_, _ = e.db.exec(c, e.db, `UPDATE @orders SET trouble = $2, begun = 1 WHERE id = $1 AND ended = 0`, id, troubleOf(cause))
	for delay := min(time.Second<<min(n-1, 6), time.Minute); ; delay = min(2*delay, time.Minute) {
		select {
		case <-time.After(delay):
		case <-e.closing:
			return
		case <-c.Done():
			return
		}
		if e.lease != nil {
			if _, err := e.lease.wait(c); err != nil {
				return
			}
		}
		is, err := e.owns(id)
		if err == nil && is {
			err = e.keepHeld(c, id)
		}
		if err == nil && is {
			_, err = dbos.ResumeWorkflow[string](e.library, id)
		}
		if err == nil {
			return
		}
		e.runs.sick(err)
	}
}

// keepHeld keeps what happened and could not be kept when it did, as the library
// would have: whoever runs the order next must not do it again.
func (e *Engine) keepHeld(ctx context.Context, id string) error {
	h, is := e.runs.heldOf(id)
	if !is {
		return nil
	}
	now := millis(e.now())
	_, err := e.db.exec(ctx, e.db, `INSERT INTO @operation_outputs (workflow_uuid, function_id, output, function_name, started_at_epoch_ms, completed_at_epoch_ms, serialization, application_name)
		SELECT workflow_uuid, $2, $3, $4, $5, $5, $6, application_name FROM @workflow_status WHERE workflow_uuid = $1 AND status = 'PENDING' AND executor_id = $7
		ON CONFLICT (workflow_uuid, function_id) DO NOTHING`, id, h.at, h.text, h.name, now, asItIs{}.Name(), e.executor)
	if err == nil {
		e.runs.drop(id)
	}
	return err
}

// troubleOf says in the engine's own words why an order cannot go on.
func troubleOf(err error) string {
	for _, known := range []error{ErrDown, ErrDiverged, errPanic, errRecord} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "the runner could not run it"
}

// owns tells whether the library knows this process as the one that runs an order.
func (e *Engine) owns(id string) (bool, error) {
	all, err := dbos.ListWorkflows(e.library, dbos.WithFilterWorkflowIDs(id), dbos.WithFilterLoadInput(false), dbos.WithFilterLoadOutput(false))
	return err == nil && len(all) == 1 && all[0].Status == dbos.WorkflowStatusPending && all[0].ExecutorID == e.executor, err
}

// heldRecord is what happened and could not be kept.
type heldRecord struct {
	at   int
	name string
	text string
}

// runs are the orders that run in this process.
type runs struct {
	mu      sync.Mutex
	active  map[string]int // runs that may do something
	live    map[string]int // these, and those that will run again from here
	failed  map[string]int
	held    map[string]heldRecord
	asked   map[string]struct{} // undo may be asked for
	ends    map[[2]string]int
	trouble error
	since   time.Time
}

func (r *runs) init() {
	r.active, r.live, r.failed = map[string]int{}, map[string]int{}, map[string]int{}
	r.held, r.asked, r.ends = map[string]heldRecord{}, map[string]struct{}{}, map[[2]string]int{}
}

// enter notes that a run has begun; park, that it will do nothing any more; gone,
// that nothing comes of it here any more, and gives whether it was the last.
func (r *runs) enter(id string) (park func(), gone func() (last bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active[id]++
	r.live[id]++
	less := func(all map[string]int) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if all[id]--; all[id] == 0 {
			delete(all, id)
		}
		return all[id] == 0
	}
	return sync.OnceFunc(func() { less(r.active) }), sync.OnceValue(func() bool { return less(r.live) })
}

// has tells whether an order runs here, or will again.
func (r *runs) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live[id] > 0
}

// wait waits until nothing may be done any more; false: ctx ended first.
func (r *runs) wait(ctx context.Context) bool {
	for {
		r.mu.Lock()
		n := len(r.active)
		r.mu.Unlock()
		if n == 0 {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// bad notes that a run could not go on, and gives how often in a row.
func (r *runs) bad(id string, err error) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed[id]++
	if errors.Is(err, ErrDown) {
		r.trouble, r.since = err, time.Now()
	}
	return r.failed[id]
}

// sick notes that the database refuses.
func (r *runs) sick(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble, r.since = down(err), time.Now()
}

// forget ends with an order: it has ended, or is another's.
func (r *runs) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.failed, id)
	delete(r.held, id)
	delete(r.asked, id)
	r.trouble = nil
}

// health gives the last trouble of the last minutes that nothing has ended since.
func (r *runs) health() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.trouble != nil && time.Since(r.since) > 2*time.Minute {
		r.trouble = nil
	}
	return r.trouble
}

// hold holds what could not be kept; heldOf gives it; drop forgets it.
func (r *runs) hold(id string, h heldRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[id] = h
}

func (r *runs) heldOf(id string) (heldRecord, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, is := r.held[id]
	return h, is
}

func (r *runs) drop(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, is := r.held[id]; is {
		delete(r.held, id)
		r.trouble = nil
	}
}

// ended counts an end.
func (r *runs) ended(route string, state State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends[[2]string{route, string(state)}]++
}

// cancelAsked notes that undo may have been asked for; mayBeCancelled, whether.
func (r *runs) cancelAsked(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[id] = struct{}{}
}

func (r *runs) mayBeCancelled(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, is := r.asked[id]
	return is
}

func idAttr(id string) slog.Attr  { return slog.String("order", id) }
func errAttr(err error) slog.Attr { return slog.String("error", plain(err).Error()) }
