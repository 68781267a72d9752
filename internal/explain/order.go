package explain

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/rehearse"
)

// order tells what an order would do to its end, as if every event that it
// waits for came at once and nobody had to decide.
func (t *teller) order(ctx context.Context, route *mapping.Route, orders *rehearse.Orders, e *exchange.Options, book *rehearse.Book) {
	if !route.Plan.Ordered() || len(orders.Begun) == 0 {
		return
	}
	begun := orders.Begun[0]
	t.line(0, "")
	t.part("order", "begun once for its key %s", t.hidden.masked(string(begun.Key)))
	t.part("", "what has not ended after %s is taken back", days(route.Plan.Order.Deadline))
	if len(begun.Subjects) > 0 {
		t.part("", "it is about %s", t.hidden.masked(strings.Join(begun.Subjects, ", ")))
	}
	if t.o.Live != nil {
		t.part("no", "its steps are not tried with backends; without --live the contracts' examples answer them")
		return
	}
	r := &rehearse.Recorder{Now: begun.Now, Meets: true}
	env := &flow.OrderEnv{Record: r, Clock: r.Clock}
	env.Calls, env.Memory, env.Cache, env.Zone, env.Watch = book, e.Memory, e.Cache, e.Zone, t
	env.OneByOne, env.Fuel, env.MaxEach = true, e.Fuel, e.MaxEach
	end, err := flow.RunOrder(route.Plan, begun.Given, env)
	t.cut()
	for i := range t.steps {
		t.step(&t.steps[i], 0, "")
	}
	t.line(0, "")
	switch {
	case errors.Is(err, rehearse.ErrNobody):
		t.part("end", "%s: it waits for a person's decision at step %s, class %s", r.Last.State, r.Last.Step, r.Last.Class)
	case err != nil:
		t.part("end", "the order cannot be run: %s", err)
	default:
		t.part("end", "%s", end.State)
		if end.Step != "" {
			t.part("", "because of step %s, class %s", end.Step, end.Class)
		}
	}
	if len(end.Undone) > 0 {
		t.part("undone", "%s", strings.Join(end.Undone, ", "))
	}
	if len(end.Left) > 0 {
		t.part("left", "for people: %s", strings.Join(end.Left, ", "))
	}
	if len(end.Shows) > 0 {
		t.part("shows", "%s", t.hidden.body(end.Shows, false, nil))
	}
	t.unused(book)
}

// attemptsShown is how many attempts of one call an order's explanation shows.
const attemptsShown = 2

// cut leaves of what a step asked again and again its first attempts.
func (t *teller) cut() {
	var walk func(steps []step)
	walk = func(steps []step) {
		for i := range steps {
			s := &steps[i]
			if s.attempts > attemptsShown && s.shown > 0 {
				s.lines = append(s.lines[:s.shown:s.shown], fmt.Sprintf("and %d more times", s.attempts-attemptsShown))
			}
			walk(s.inner)
		}
	}
	walk(t.steps)
}

// lasting says what an order does with a step besides.
func lasting(s *mapping.Step, c *mapping.Case) (lines []string) {
	say := func(what, format string, args ...any) {
		lines = append(lines, fmt.Sprintf("%-7s", what)+fmt.Sprintf(format, args...))
	}
	if c != nil && c.Wait != nil {
		say("waits", "for event %s, up to %s; here it comes at once", c.Wait.Event, days(c.Wait.For))
	}
	d := s.Durable
	if d == nil {
		return lines
	}
	if d.Poll != nil {
		say("polls", "every %s, up to %s", days(d.Poll.Every), days(d.Poll.For))
	}
	if d.Lookup != nil {
		say("lost", "%s tells %s later whether it was done", callOf(d.Lookup.Step), days(d.Lookup.After))
	}
	if d.Key != nil {
		say("lost", "it is sent again: the backend knows it by its Idempotency-Key")
	}
	if d.Undo != nil {
		say("undo", "%s", callOf(d.Undo.Step))
	}
	if d.Commit {
		say("commit", "from here on nothing is taken back")
	}
	return lines
}

// callOf names what a step that stands inside another calls.
func callOf(s *mapping.Step) string {
	if c := s.Cases[0]; c.Call.Operation != nil {
		return c.Call.Operation.Name()
	}
	return s.Cases[0].Call.Flow.Name
}

// days spells a duration as mappings do: 60d, 10m, 5s.
func days(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d >= unit.of && d%unit.of == 0 {
			return fmt.Sprintf("%d%s", d/unit.of, unit.name)
		}
	}
	return d.String()
}
