package explain

import (
	"context"
	"strings"

	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// exposed explains a request of an exposed operation.
func (t *teller) exposed(ctx context.Context, door *mapping.Exposed, r *intake.Request, e exchange.Options) exchange.Response {
	var names []string
	for _, op := range door.Operations {
		names = append(names, op.Name())
	}
	t.part("offers", "%s, as the backend has it (%s)", strings.Join(names, " or "), door.At)
	res := exchange.New(e).Pass(ctx, door, r, nil)
	rep := &res.Report
	switch {
	case rep.Caller != "" && rep.Assumed:
		t.part("caller", "%s, assumed: the request carries no credentials", rep.Caller)
	case rep.Caller != "":
		t.part("caller", "%s, by the request's credentials", rep.Caller)
	case rep.Outcome == mapping.NotSignedIn.String():
		t.part("caller", "nobody: the request carries no credentials; --caller NAME makes it as somebody")
	}
	if p := rep.Problem; p != nil {
		switch p.Kind {
		case mapping.Unreadable:
			t.part("no", "the request cannot be read: %s", t.hidden.masked(p.Message))
		case mapping.Forbidden:
			t.part("no", "the caller may not: the operation needs permission %s", door.Operations[0].Needs)
		case mapping.BadInput:
			t.part("no", "the request is not what the contract wants: %s", strings.Join(p.Fields, ", "))
		}
	}
	for _, c := range t.calls {
		t.line(0, "")
		t.line(0, "call   %s", names[0])
		for _, line := range c.lines {
			t.line(1, "%s", line)
		}
	}
	return res
}
