package exchange

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Orders begins the orders of durable mappings.
type Orders interface {
	// Begin begins an order, or finds the one that the same request has begun.
	// ErrOrderDiffers: another request did under this key.
	Begin(ctx context.Context, o *NewOrder) (OrderState, error)
	// Await gives the order's state once it has ended, or when ctx is done.
	Await(ctx context.Context, id string) (OrderState, error)
}

// ErrOrderDiffers tells that another request has begun an order under a key.
var ErrOrderDiffers = errors.New("another request was made under this key")

// NewOrder is an order to begin.
type NewOrder struct {
	Plan        *mapping.Plan
	Caller      string
	Key         []byte // JSON
	Fingerprint []byte // of the input, but for fields marked echo
	Subjects    []string
	Given       flow.OrderGiven // without ID
	Now         time.Time
}

// OrderState is where an order is.
type OrderState struct {
	ID, State           string
	Step, Class, Detail string // what ended it, when it is not done
	New                 bool   // this request has begun it
}

// maxWait bounds `Prefer: wait=N`.
const maxWait = 60 * time.Second

// order begins an order and answers that it was accepted. The route's deadline is
// that of the beginning: who prefers to wait may wait longer.
func (e *Exchanger) order(ctx context.Context, f *expr.Frame, route *mapping.Route, r *intake.Request, caller *intake.Caller, given flow.Given, report Report, buf []byte) Response {
	o := route.Plan.Order
	internal := func(cause *expr.RuntimeError) Response {
		f.Clear()
		report.Cause = cause
		return e.refuse(route.Errors, r, &intake.Problem{Kind: mapping.Internal, Cause: cause}, report, buf)
	}
	key := o.Key.AppendJSON(nil, f)
	if err := f.Err(); err != nil {
		return internal(err)
	}
	if noKey(key) {
		return e.refuse(route.Errors, r, intake.Missing(o.Field, route.Dialect, intake.Language(r, route.Dialect.Languages)), report, buf)
	}
	var subjects []string
	if o.Subject != nil {
		subjects = textsOf(o.Subject.Value(f))
		if err := f.Err(); err != nil {
			return internal(err)
		}
	}
	down := func() Response {
		report.Class = contract.ClassStore
		return e.refuse(route.Errors, r, &intake.Problem{Kind: mapping.StoreDown, Message: "the order cannot be kept"}, report, buf)
	}
	if e.o.Orders == nil {
		return down()
	}
	sum := sha256.Sum256(sameInput(route.Plan.Input, given.Input))
	begins, cancel := withDeadline(ctx, r.At, route.Timeout)
	state, err := e.o.Orders.Begin(begins, &NewOrder{
		Plan: route.Plan, Caller: caller.Name, Key: key, Fingerprint: sum[:], Subjects: subjects, Now: f.Now,
		Given: flow.OrderGiven{
			Input: given.Input.AppendJSON(nil), Request: jsonOrNone(given.Request), Caller: caller.Value.AppendJSON(nil),
			Warnings: jsonOrNone(given.Warnings), Deadline: f.Now.Add(o.Deadline),
		},
	})
	cancel()
	switch {
	case errors.Is(err, ErrOrderDiffers):
		report.Repeat = "differs"
		return e.refuse(route.Errors, r, &intake.Problem{Kind: mapping.RepeatDiffers, Message: err.Error()}, report, buf)
	case err != nil:
		return down()
	}
	report.Repeat = "first"
	if !state.New {
		report.Repeat = "replayed"
	}
	if wait := preferredWait(r); wait > 0 {
		within, cancel := context.WithTimeout(ctx, wait)
		if later, err := e.o.Orders.Await(within, state.ID); err == nil {
			later.New = state.New
			state = later
		}
		cancel()
	}
	given.Caller = caller.Value
	out := flow.Accept(route.Plan, f, given, orderValue(f.Arena, &state), buf)
	if out.Problem != nil {
		return internal(out.Problem.Cause)
	}
	report.Outcome, report.Reply = "ok", out.Index
	return Response{Status: out.Status, Type: out.Type, Header: out.Header, Body: out.Body, Report: report}
}

func jsonOrNone(v jsonx.Value) []byte {
	if v.Kind() == jsonx.Absent {
		return nil
	}
	return v.AppendJSON(nil)
}

// textsOf gives a text, or the texts of a list, each once, without those that are blank.
func textsOf(v jsonx.Value) (all []string) {
	add := func(v jsonx.Value) {
		if t := v.Text(); !v.None() && strings.TrimSpace(t) != "" && !slices.Contains(all, t) {
			all = append(all, strings.Clone(t))
		}
	}
	if v.Kind() != jsonx.Array {
		add(v)
		return all
	}
	for i := range v.Len() {
		add(v.At(i))
	}
	return all
}

// orderValue is what `order` stands for in what is accepted.
func orderValue(a *jsonx.Arena, s *OrderState) jsonx.Value {
	m := a.Mark()
	b := jsonx.AppendQuoted(append(a.Buf(), `{"id":`...), s.ID)
	b = jsonx.AppendQuoted(append(b, `,"state":`...), s.State)
	if s.Step != "" {
		b = jsonx.AppendQuoted(append(b, `,"error":{"step":`...), s.Step)
		b = jsonx.AppendQuoted(append(b, `,"class":`...), s.Class)
		if s.Detail != "" {
			b = jsonx.AppendQuoted(append(b, `,"message":`...), s.Detail)
		}
		b = append(b, '}')
	}
	a.SetBuf(append(b, '}'))
	return jsonx.RawValue(a.Text(m))
}

// preferredWait gives how long a client prefers to wait (RFC 7240, 4.3).
func preferredWait(r *intake.Request) time.Duration {
	if r.Headers == nil {
		return 0
	}
	var wait time.Duration
	r.Headers(func(name, value string) {
		if !strings.EqualFold(name, "Prefer") {
			return
		}
		for part := range strings.SplitSeq(value, ",") {
			k, v, _ := strings.Cut(part, "=")
			v, _, _ = strings.Cut(v, ";")
			if !strings.EqualFold(strings.TrimSpace(k), "wait") {
				continue
			}
			if n, err := strconv.Atoi(strings.Trim(strings.TrimSpace(v), `"`)); err == nil && n > 0 {
				wait = min(time.Duration(min(n, 3600))*time.Second, maxWait)
			}
		}
	})
	return wait
}
