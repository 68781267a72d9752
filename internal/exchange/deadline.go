package exchange

import (
	"context"
	"sync"
	"time"
)

// withDeadline gives ctx with a deadline, d after from; the zero time is now. Of a ctx that nothing ends, as in
// serving, it is one without a timer until somebody waits for its end: a
// reading call ends by the deadline of its connection.
func withDeadline(ctx context.Context, from time.Time, d time.Duration) (context.Context, context.CancelFunc) {
	if ctx.Done() != nil {
		return context.WithTimeout(ctx, d)
	}
	t := new(deadline)
	t.begin(ctx, from, d)
	return t, t.release
}

// begin makes t a context that ends d after from, of a ctx that nothing ends.
func (t *deadline) begin(ctx context.Context, from time.Time, d time.Duration) {
	if from.IsZero() {
		from = time.Now()
	}
	t.Context, t.end = ctx, from.Add(d)
}

// deadline is a context that ends at its deadline, or when it is released.
type deadline struct {
	context.Context // what it was made of, which never ends
	end             time.Time

	mu       sync.Mutex
	timed    context.Context // with a timer; nil before somebody has asked for Done
	cancel   context.CancelFunc
	released bool
}

// EndsAtDeadline tells backend clients that a connection's deadline is all they need.
func (t *deadline) EndsAtDeadline() bool { return true }

// Deadline gives when it ends.
func (t *deadline) Deadline() (time.Time, bool) { return t.end, true }

// Err tells whether it has ended.
func (t *deadline) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.timed != nil:
		return t.timed.Err()
	case !time.Now().Before(t.end):
		return context.DeadlineExceeded
	case t.released:
		return context.Canceled
	}
	return nil
}

// Done gives a channel that is closed when it ends.
func (t *deadline) Done() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timed == nil {
		t.timed, t.cancel = context.WithDeadline(t.Context, t.end)
		if t.released {
			t.cancel()
		}
	}
	return t.timed.Done()
}

// Value gives the values of what it was made of. Once there is a timer, children
// of this context find it by this, and need no goroutine to wait for it.
func (t *deadline) Value(key any) any {
	t.mu.Lock()
	of := t.timed
	t.mu.Unlock()
	if of == nil {
		of = t.Context
	}
	return of.Value(key)
}

// release ends it: nothing that was handed it is under way any more.
func (t *deadline) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.released = true
	if t.cancel != nil {
		t.cancel()
	}
}
