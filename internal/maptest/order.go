package maptest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/rehearse"
)

// runOrder runs the order that a test's first request has begun, to its end,
// and a second time, which must do the same without calling anybody.
func runOrder(plan *mapping.Plan, test *mapping.Test, orders *rehearse.Orders, env *flow.Env) (failures []string) {
	want := test.Order
	if len(orders.Begun) == 0 {
		if want != nil && want.State != "none" {
			return []string{"no order was begun, expected " + want.State}
		}
		return nil
	}
	if want == nil {
		return []string{"an order was begun, and the test says nothing of its end: give order"}
	}
	if want.State == "none" {
		return []string{"an order was begun, expected none"}
	}
	begun := orders.Begun[0]
	r := &rehearse.Recorder{Now: begun.Now, Events: slices.Clone(test.Events), Decisions: slices.Clone(test.Decisions), Over: over(env)}
	run := &flow.OrderEnv{Env: *env, Record: r, Clock: r.Clock}
	end, err := flow.RunOrder(plan, begun.Given, run)
	if errors.Is(err, rehearse.ErrNobody) {
		end.State, end.Step, end.Class, err = r.Last.State, r.Last.Step, r.Last.Class, nil
	}
	if errors.Is(err, rehearse.ErrOver) {
		return nil // the book tells why
	}
	if err != nil {
		return []string{"the order cannot be run: " + err.Error()}
	}
	failures = append(failures, orderBegun(want, begun)...)
	failures = append(failures, orderEnd(want, &end)...)
	for _, e := range r.Events {
		failures = append(failures, fmt.Sprintf("nothing waited for event %s %s", e.Event, e.Key.AppendJSON(nil)))
	}
	if len(r.Decisions) > 0 {
		failures = append(failures, "nobody was asked for: "+strings.Join(r.Decisions, ", "))
	}
	r.Again()
	run.Watch, run.Calls = nil, nobody{}
	again, err := flow.RunOrder(plan, begun.Given, run)
	if err == nil && again.State != end.State {
		err = fmt.Errorf("%w: it ends %s", rehearse.ErrDiverged, again.State)
	}
	if errors.Is(err, rehearse.ErrDiverged) {
		if end.State == flow.OrderHeld || end.State == flow.OrderStuck { // where the first stopped to ask
			if strings.Contains(err.Error(), "asks for decision") {
				return failures
			}
		}
		failures = append(failures, err.Error())
	}
	return failures
}

// runLasting runs a flow that only orders call.
func runLasting(p *mapping.Plan, test *mapping.Test, input []byte, env *flow.Env) (contract.State, string, string, []byte, error) {
	r := &rehearse.Recorder{Now: env.Now, Events: slices.Clone(test.Events), Decisions: slices.Clone(test.Decisions), Over: over(env)}
	return flow.RunLasting(p, input, env.Now.Add(flowDeadline), &flow.OrderEnv{Env: *env, Record: r, Clock: r.Clock})
}

// over tells whether a call came that the test does not expect: whatever is
// tried again after it is in vain.
func over(env *flow.Env) func() bool {
	if b, ok := env.Calls.(*rehearse.Book); ok {
		return b.Troubled
	}
	return nil
}

// flowDeadline is that of the order a flow is tested in.
const flowDeadline = 365 * 24 * time.Hour

// nobody answers no call.
type nobody struct{}

// Call refuses.
func (nobody) Call(_ context.Context, c *backend.Call) *backend.Answer {
	return backend.FailedAnswer(c.Operation, contract.ClassBroken, false)
}

func orderBegun(want *mapping.TestOrder, begun *exchange.NewOrder) (failures []string) {
	if want.Key != nil {
		failures = rehearse.Compare("key", mapping.ConstantJSON(want.Key), begun.Key, rehearse.Exactly)
	}
	if want.ToldSubject && !slices.Equal(want.Subject, begun.Subjects) {
		failures = append(failures, fmt.Sprintf("the subjects are %s, expected %s", listed(begun.Subjects), listed(want.Subject)))
	}
	return failures
}

func orderEnd(want *mapping.TestOrder, end *flow.OrderEnd) (failures []string) {
	told := ""
	if end.Step != "" {
		told = fmt.Sprintf(" (step %s, class %s%s)", end.Step, end.Class, detail(end.Detail))
	}
	if end.State != want.State {
		failures = append(failures, fmt.Sprintf("the order ended %s%s, expected %s", end.State, told, want.State))
	}
	if want.Step != "" && want.Step != end.Step {
		failures = append(failures, fmt.Sprintf("the order was ended by step %q, expected %q", end.Step, want.Step))
	}
	if want.Class != "" && want.Class != end.Class {
		failures = append(failures, fmt.Sprintf("the order was ended by class %q, expected %q", end.Class, want.Class))
	}
	if want.ToldUndone && !slices.Equal(want.Undone, end.Undone) {
		failures = append(failures, fmt.Sprintf("undone were %s, expected %s", listed(end.Undone), listed(want.Undone)))
	}
	if want.ToldLeft && !slices.Equal(want.Left, end.Left) {
		failures = append(failures, fmt.Sprintf("left for people were %s, expected %s", listed(end.Left), listed(want.Left)))
	}
	if want.Shows != nil {
		failures = append(failures, rehearse.Compare("shows", mapping.ConstantJSON(want.Shows), end.Shows, rehearse.AtLeast)...)
	}
	return failures
}

func detail(words string) string {
	if words == "" {
		return ""
	}
	return ": " + words
}

func listed(all []string) string { return "[" + strings.Join(all, ", ") + "]" }
