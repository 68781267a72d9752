package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
)

// run is one execution of an order.
//
// What was kept is loaded once and given from memory. The library counts its own
// steps, and is told of the kept ones only when the first new one comes: an order
// that is found waiting after a restart costs it nothing.
type run struct {
	e     *Engine
	order *Order
	ctx   dbos.Context // of the workflow
	own   context.Context

	kept  []kept
	at    int // the next place
	told  int // places the library has counted
	epoch int // of the lease, when it was last seen that the order is ours

	broken error   // the engine's error that ended this run
	seen   []int64 // events it has had
	judged int64   // the act the last decision came from
	undo   *cancel

	committed bool // and that is written
}

// cancel is who asked for undo.
type cancel struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// Order gives what was started.
func (r *run) Order() *Order { return r.order }

// Context ends when the process must.
func (r *run) Context() context.Context { return r.own }

// Progress tells what lists show.
func (r *run) Progress(p Progress) {
	if p.State == Done || p.State == Undone { // only its end makes it so: until then it may be run again
		last, is := r.e.progress.of(r.order.ID)
		if p.State = Running; is {
			p.State = last.State
		}
	}
	if p.Committed && !r.committed && r.broken == nil {
		err := r.persist(func(ctx context.Context) error {
			if err := r.e.writeProgress(ctx, r.e.db, r.order.ID, &p, millis(r.e.now())); err != nil {
				return err
			}
			var asked int // by whom another replica told, and this one has not heard of yet
			_, err := r.e.db.row(ctx, r.e.db, `SELECT cancel FROM @orders WHERE id = $1`, []any{r.order.ID}, &asked)
			if asked > 0 {
				r.e.runs.cancelAsked(r.order.ID)
			}
			return err
		})
		if err != nil {
			return // and in the next call
		}
		r.committed = true
	}
	r.e.progress.put(r.order.ID, p)
}

// fail ends the run: from now on every call gives the error.
func (r *run) fail(err error) error {
	if r.broken == nil {
		r.broken = err
	}
	return r.broken
}

// next gives the record kept at the next place, which must have the name; false: there is none yet.
func (r *run) next(name string) (rec record, is bool, err error) {
	if r.broken != nil {
		return rec, false, r.broken
	}
	if r.at >= len(r.kept) {
		return rec, false, nil
	}
	k := r.kept[r.at]
	if k.name != name {
		return rec, false, r.fail(fmt.Errorf("%w: at place %d stands %q, and now %q is asked for", ErrDiverged, r.at, k.name, name))
	}
	if rec, err = r.e.read(r.order.ID, r.at, name, k.text); err != nil {
		return rec, false, r.fail(err)
	}
	r.kept[r.at].text = "" // whoever waits for weeks need not hold it twice
	r.at++
	return rec, true, nil
}

// keep keeps a record at the next place.
func (r *run) keep(name string, rec record) error {
	return r.keepText(name, r.e.write(r.order.ID, r.at, name, rec))
}

// keepText keeps a record that is written already. When that fails, the text is
// held until it can be kept: what has happened must not happen again.
func (r *run) keepText(name, text string) error {
	at := r.at
	err := r.tellLibrary()
	if err == nil {
		_, err = dbos.RunAsStep(r.ctx, func(context.Context) (string, error) { return text, nil }, dbos.WithStepName(name))
	}
	switch {
	case err == nil:
		r.e.runs.drop(r.order.ID)
		r.at, r.told = at+1, at+1
		return nil
	case errors.Is(err, dbos.ErrConflictingWorkflowID):
		r.e.runs.drop(r.order.ID)
		return r.fail(ErrLost)
	case r.ctx.Err() != nil:
		return r.fail(ErrClosing)
	default:
		r.e.runs.hold(r.order.ID, heldRecord{at, name, text})
		return r.fail(down(err))
	}
}

// errKept tells that the library would run again what it was seen to have kept.
var errKept = errors.New("a kept step is kept no more")

// tellLibrary lets the library count the places that were kept before this run.
func (r *run) tellLibrary() error {
	for ; r.told < r.at; r.told++ {
		k := r.kept[r.told]
		_, err := dbos.RunAsStep(r.ctx, func(context.Context) (string, error) { return "", errKept }, dbos.WithStepName(k.name))
		if err != nil {
			return err
		}
	}
	return nil
}

// mine waits until something may be done for the order here: the process is not
// ending, and no other replica can have it.
func (r *run) mine() error {
	if r.e.isClosing() {
		return r.fail(ErrClosing)
	}
	if r.e.lease == nil {
		return nil
	}
	epoch, err := r.e.lease.wait(r.ctx)
	if err != nil {
		return r.fail(err)
	}
	if epoch != r.epoch {
		is, err := r.e.owns(r.order.ID)
		if err != nil {
			return r.fail(down(err))
		}
		if !is {
			return r.fail(ErrLost)
		}
		r.epoch = epoch
	}
	return nil
}

// Step runs fn, unless it is kept what it gave.
func (r *run) Step(name string, fn func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	name = stepPrefix + name
	rec, is, err := r.next(name)
	if is || err != nil {
		return rec.payload, err
	}
	if err := r.mine(); err != nil {
		return nil, err
	}
	began := r.e.now()
	value, err := fn(r.own)
	if err != nil {
		return nil, r.fail(err)
	}
	if err := r.keep(name, record{kind: stepKind, began: millis(began), payload: value}); err != nil {
		return nil, err
	}
	return value, nil
}

// pause ends when it is told, at a time (zero: never) or a minute later at the
// latest, or with an error of the engine.
func (r *run) pause(told <-chan struct{}, until time.Time) (news bool, err error) {
	var due <-chan time.Time
	if !until.IsZero() {
		// The clock of the wall may be set, and a machine may sleep: it is looked at again each minute.
		t := time.NewTimer(min(max(until.Sub(r.e.now()), 0), time.Minute))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-told:
		return true, nil
	case <-due:
		return false, nil
	case <-r.e.closing:
	case <-r.ctx.Done():
	}
	return false, r.fail(ErrClosing)
}

// Sleep waits until d after it was first called.
func (r *run) Sleep(d time.Duration) error {
	rec, is, err := r.next(sleepName)
	if err != nil {
		return err
	}
	if !is {
		now := r.e.now()
		rec = record{kind: sleepKind, began: millis(now), seq: millis(now.Add(d))}
		if err := r.keep(sleepName, rec); err != nil {
			return err
		}
	}
	if r.at < len(r.kept) { // it has gone on since
		return nil
	}
	until := when(rec.seq)
	told, end := r.e.wakes.add(orderTopic(r.order.ID))
	defer end()
	for r.e.now().Before(until) {
		asked, err := r.asked()
		if err != nil {
			return err
		}
		if asked != nil {
			return nil
		}
		if _, err := r.pause(told, until); err != nil {
			return err
		}
	}
	return nil
}

// asked gives who asks for undo and has not been heard yet; nil: nobody.
func (r *run) asked() (*cancel, error) {
	if r.undo != nil || !r.e.runs.mayBeCancelled(r.order.ID) {
		return nil, nil
	}
	var c *cancel
	err := r.persist(func(ctx context.Context) (err error) {
		c, err = r.e.cancelOf(ctx, r.order.ID)
		return err
	})
	return c, err
}

// persist tries a reading of the database until it works: a wait outlasts a database that is away.
func (r *run) persist(fn func(ctx context.Context) error) error {
	for n := 0; ; n++ {
		err := fn(r.ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errRecord):
			return r.fail(err)
		}
		if n == 3 {
			r.e.log.Warn("orders: the database does not answer; waiting for it", idAttr(r.order.ID), errAttr(err))
		}
		if _, err := r.pause(nil, r.e.now().Add(min(50*time.Millisecond<<min(n, 6), 3*time.Second))); err != nil {
			return err
		}
	}
}

// Wait gives the payload of the next event.
func (r *run) Wait(event string, key []byte, until time.Time) (payload []byte, timedOut bool, err error) {
	name := waitPrefix + event
	names := r.e.names("event", []byte(event), key)
	rec, is, err := r.next(name)
	if err != nil {
		return nil, false, err
	}
	if !is {
		began := millis(r.e.now())
		if rec, err = r.await(names, until); err != nil {
			return nil, false, err
		}
		rec.began = began
		if err := r.keep(name, rec); err != nil {
			return nil, false, err
		}
	}
	switch rec.kind {
	case eventKind:
		r.seen = append(r.seen, rec.seq)
		return rec.payload, false, nil
	case timeoutKind:
		return nil, true, nil
	default:
		return nil, false, nil
	}
}

// await waits for an event, a time or somebody who asks for undo.
func (r *run) await(names []string, until time.Time) (rec record, err error) {
	told, end := r.e.wakes.add(append(slices.Clone(names), orderTopic(r.order.ID))...)
	defer end()
	for news := true; ; {
		if news {
			err := r.persist(func(ctx context.Context) (err error) {
				rec, err = r.e.take(ctx, r.order, names, r.seen)
				return err
			})
			if err != nil || rec.kind == eventKind {
				return rec, err
			}
		}
		if asked, err := r.asked(); err != nil || asked != nil {
			return record{kind: leftKind}, err
		}
		if !until.IsZero() && !r.e.now().Before(until) {
			return record{kind: timeoutKind}, nil
		}
		if news, err = r.pause(told, until); err != nil {
			return rec, err
		}
	}
}

// Decision waits for a person.
func (r *run) Decision(until time.Time) (Decision, bool, error) {
	rec, is, err := r.next(decisionName)
	if err != nil {
		return "", false, err
	}
	if !is {
		began := millis(r.e.now())
		if rec, err = r.judge(until); err != nil {
			return "", false, err
		}
		rec.began = began
		if err := r.keep(decisionName, rec); err != nil {
			return "", false, err
		}
		r.e.asksNoMore(r.ctx, r.order.ID)
	}
	r.judged = max(r.judged, rec.seq)
	if rec.kind == timeoutKind {
		return "", false, nil
	}
	return Decision(rec.payload), true, nil
}

// judge waits for a decision, a time or somebody who asks for undo.
func (r *run) judge(until time.Time) (rec record, err error) {
	told, end := r.e.wakes.add(orderTopic(r.order.ID))
	defer end()
	for news := true; ; {
		if news {
			err := r.persist(func(ctx context.Context) error {
				answer, seq, err := r.e.ask(ctx, r.order.ID, r.judged)
				rec = record{kind: decisionKind, seq: seq, payload: []byte(answer)}
				return err
			})
			if err != nil || len(rec.payload) > 0 {
				return rec, err
			}
		}
		if asked, err := r.asked(); err != nil || asked != nil {
			return record{kind: decisionKind, seq: r.judged, payload: []byte(Undo)}, err
		}
		if !until.IsZero() && !r.e.now().Before(until) {
			return record{kind: timeoutKind, seq: r.judged}, nil
		}
		if news, err = r.pause(told, until); err != nil {
			return rec, err
		}
	}
}

// Cancelled tells whether somebody has asked for undo. Only a yes is kept: that
// nothing of the kind stands at a place is a no.
func (r *run) Cancelled() (reason, by string, is bool) {
	switch {
	case r.broken != nil:
		return "", "", false
	case r.undo != nil:
		return r.undo.Reason, r.undo.By, true
	}
	if r.at < len(r.kept) {
		if r.kept[r.at].name != cancelName {
			return "", "", false
		}
		rec, _, err := r.next(cancelName)
		if err != nil {
			return "", "", false
		}
		r.undo = &cancel{}
		if err := json.Unmarshal(rec.payload, r.undo); err != nil {
			_ = r.fail(errRecord)
			return "", "", false
		}
		return r.undo.Reason, r.undo.By, true
	}
	asked, err := r.asked()
	if err != nil || asked == nil {
		return "", "", false
	}
	payload, _ := json.Marshal(asked)
	if err := r.keep(cancelName, record{kind: cancelKind, began: millis(r.e.now()), payload: payload}); err != nil {
		return "", "", false
	}
	r.undo = asked
	return asked.Reason, asked.By, true
}
