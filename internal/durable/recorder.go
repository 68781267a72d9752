package durable

import (
	"context"
	"log/slog"
	"time"

	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/order"
)

// recorder records an order's steps with the engine, and tells the log where
// the order is, without anything that was received.
type recorder struct {
	run  order.Run
	log  *slog.Logger
	last string // the state that was told
	// goesOn is called when the order has gone through what is kept of it, or
	// waits: after a restart few do so at once.
	goesOn func()
}

// Step records a step.
func (r *recorder) Step(name string, fn func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	return r.run.Step(name, func(ctx context.Context) ([]byte, error) {
		r.goesOn()
		return fn(ctx)
	})
}

// Sleep sleeps through restarts.
func (r *recorder) Sleep(d time.Duration) error {
	r.goesOn()
	return r.run.Sleep(max(d, 0))
}

// Wait waits for an event.
func (r *recorder) Wait(event string, key []byte, until time.Time) ([]byte, bool, error) {
	r.goesOn()
	return r.run.Wait(event, eventKey(key), until)
}

// eventKey is what an event is about, of its JSON: the text 7 and the number are one.
func eventKey(raw []byte) []byte { return []byte(jsonx.RawValue(string(raw)).Text()) }

// Decide waits for people.
func (r *recorder) Decide(until time.Time) (flow.Decision, bool, error) {
	r.goesOn()
	d, is, err := r.run.Decision(until)
	return flow.Decision(d), is, err
}

// Cancelled tells whether somebody wishes the order undone.
func (r *recorder) Cancelled() (reason, by string, is bool) { return r.run.Cancelled() }

// Progress tells how far the order is.
func (r *recorder) Progress(p flow.Progress) {
	r.run.Progress(order.Progress{State: order.State(p.State), Step: p.Step, WaitsFor: p.Event, Until: p.Until, Committed: p.Committed})
	if p.State == r.last {
		return
	}
	r.last = p.State
	level := slog.LevelDebug
	switch p.State {
	case flow.OrderHeld, flow.OrderStuck:
		level = slog.LevelWarn
	case flow.OrderUndoing, flow.OrderUndone, flow.OrderDone:
		level = slog.LevelInfo
	}
	o := r.run.Order()
	r.log.LogAttrs(r.run.Context(), level, "order", slog.String("order", o.ID), slog.String("route", o.Route), slog.String("caller", o.Caller),
		slog.String("state", p.State), slog.String("step", p.Step), slog.String("class", p.Class))
}
