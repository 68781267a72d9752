package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/order"
)

// Call answers a call of the backend orders, by its contract.
func (v *Orders) Call(ctx context.Context, c *backend.Call) *backend.Answer {
	e, err := v.Engine()
	if err != nil {
		return backend.FailedAnswer(c.Operation, contract.ClassUnavailable, false)
	}
	status, answer := v.answer(ctx, e, &c.Request)
	if status == 0 { // nobody knows whether it was kept
		return backend.FailedAnswer(c.Operation, contract.ClassUnavailable, true)
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return backend.FailedAnswer(c.Operation, contract.ClassBadAnswer, true)
	}
	return backend.NewAnswer(c.Operation, status, "application/json", body)
}

// Problem is why something that was asked of the orders was not done.
type Problem struct {
	Code    string `json:"code"` // not_found, ended, committed, not_asked, cursor
	Message string `json:"message"`
}

// ProblemOf gives the status and words for an error of the orders; status 0: the database is away.
func ProblemOf(err error) (status int, p Problem) {
	for _, known := range []struct {
		err    error
		status int
		code   string
	}{
		{order.ErrNotFound, http.StatusNotFound, "not_found"},
		{order.ErrEnded, http.StatusConflict, "ended"},
		{order.ErrCommitted, http.StatusConflict, "committed"},
		{order.ErrNotAsked, http.StatusConflict, "not_asked"},
		{order.ErrCursor, http.StatusBadRequest, "cursor"},
	} {
		if errors.Is(err, known.err) {
			return known.status, Problem{known.code, known.err.Error()}
		}
	}
	return 0, Problem{"unavailable", "orders cannot be reached"}
}

// accepted is the answer to what was taken.
type accepted struct {
	ID string `json:"id,omitempty"`
}

// answer answers one request.
func (v *Orders) answer(ctx context.Context, e *order.Engine, r *contract.Request) (status int, answer any) {
	u, err := url.ParseRequestURI(string(r.Target))
	if err != nil {
		return http.StatusBadRequest, Problem{"request", "the request cannot be read"}
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	q := u.Query()
	refused := func(err error) (int, any) {
		status, p := ProblemOf(err)
		return status, p
	}
	switch {
	case parts[0] == "events":
		return v.emit(ctx, e, r)
	case len(parts) == 1:
		page, err := v.List(ctx, q)
		var wrong BadQuestion
		switch {
		case errors.As(err, &wrong):
			return http.StatusBadRequest, Problem{"request", err.Error()}
		case err != nil:
			return refused(err)
		}
		return http.StatusOK, page
	}
	id := parts[1]
	if err := v.mayBeSeen(ctx, e, id, q.Get("caller"), q.Get("route")); err != nil {
		return refused(err)
	}
	if len(parts) == 2 || parts[2] == "graph" {
		d, err := v.Get(ctx, id)
		switch {
		case err != nil:
			return refused(err)
		case len(parts) == 2:
			return http.StatusOK, d
		}
		return http.StatusOK, map[string]string{"svg": string(Graph(d))}
	}
	var body struct{ Decision, By, Reason string }
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return http.StatusBadRequest, Problem{"request", "the request cannot be read"}
	}
	if parts[2] == "cancel" {
		err = e.Cancel(ctx, id, body.By, body.Reason)
	} else {
		err = e.Decide(ctx, id, order.Decision(body.Decision), body.By, body.Reason)
	}
	if err != nil {
		return refused(err)
	}
	return http.StatusAccepted, accepted{ID: id}
}

// mayBeSeen tells whether an order is one of a caller's and a route's; "": of any.
func (v *Orders) mayBeSeen(ctx context.Context, e *order.Engine, id, caller, route string) error {
	s, err := e.Brief(ctx, id)
	if err != nil {
		return err
	}
	if caller != "" && s.Caller != caller || route != "" && s.Route != route {
		return order.ErrNotFound
	}
	return nil
}

// Page is one page of a list.
type Page struct {
	Orders []Document `json:"orders"`
	Next   string     `json:"next,omitempty"`
}

// pageSize is how many orders a page has when nothing is said.
const pageSize = 50

// BadQuestion is what is wrong with what a list is asked.
type BadQuestion string

// Error says it.
func (b BadQuestion) Error() string { return string(b) }

// List gives orders, the newest first. q may say caller, route, state (with
// commas between), open (true: only those that have not ended), since, before,
// cursor and limit. Errors: BadQuestion, and order.ErrCursor.
func (v *Orders) List(ctx context.Context, q url.Values) (*Page, error) {
	f := order.Filter{Caller: q.Get("caller"), Route: q.Get("route"), Open: q.Get("open") == "true"}
	for name, at := range map[string]*time.Time{"since": &f.Since, "before": &f.Before} {
		if text := q.Get(name); text != "" {
			t, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return nil, BadQuestion(name + " is a time such as 2026-01-31T08:00:00Z")
			}
			*at = t
		}
	}
	if text := q.Get("state"); text != "" {
		for s := range strings.SplitSeq(text, ",") {
			state := order.State(strings.TrimSpace(s))
			if !slices.Contains(order.States, state) {
				return nil, BadQuestion(fmt.Sprint("state is one of ", order.States))
			}
			f.States = append(f.States, state)
		}
	}
	limit := pageSize
	if text := q.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil {
			return nil, BadQuestion("limit is a number")
		}
	}
	e, err := v.Engine()
	if err != nil {
		return nil, err
	}
	all, next, err := e.List(ctx, f, q.Get("cursor"), limit)
	if err != nil {
		return nil, err
	}
	p := &Page{Orders: make([]Document, len(all)), Next: next}
	for i := range all {
		p.Orders[i] = brief(&all[i])
	}
	return p, nil
}

// emit keeps an event.
func (v *Orders) emit(ctx context.Context, e *order.Engine, r *contract.Request) (int, any) {
	var body struct {
		Event string
		Key   json.RawMessage
		Body  json.RawMessage
	}
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return http.StatusBadRequest, Problem{"request", "the request cannot be read"}
	}
	payload := []byte(body.Body)
	if payload == nil {
		payload = []byte("null")
	}
	once := ""
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, "Idempotency-Key") {
			once = h.Value
		}
	}
	var err error
	if once != "" {
		err = e.EmitOnce(ctx, once, body.Event, eventKey(body.Key), payload)
	} else {
		err = e.Emit(ctx, body.Event, eventKey(body.Key), payload)
	}
	if err != nil {
		status, p := ProblemOf(err)
		return status, p
	}
	return http.StatusAccepted, accepted{}
}
