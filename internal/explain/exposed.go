package explain

import (
	"context"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// exposed explains a request of an exposed operation.
func (t *teller) exposed(ctx context.Context, door *mapping.Exposed, r *intake.Request, e exchange.Options) exchange.Response {
	var names, needs []string
	for _, op := range door.Operations {
		names = append(names, op.Name())
		if !slices.Contains(needs, op.Needs) {
			needs = append(needs, op.Needs)
		}
	}
	t.part("offers", "%s, as the backend has it (%s)", strings.Join(names, " or "), door.At)
	res := exchange.New(e).Pass(ctx, door, r, nil)
	t.caller(door.Dialect, &res.Report)
	if p := res.Report.Problem; p != nil {
		switch p.Kind {
		case mapping.Unreadable:
			t.part("no", "the request cannot be read: %s", t.hidden.masked(p.Message))
		case mapping.Forbidden:
			t.part("no", "the caller may not: the operation needs permission %s", strings.Join(needs, " or "))
		case mapping.BadInput:
			t.part("no", "the request is not what the contract wants: %s", places(p.Fields))
		}
	}
	for _, c := range t.calls {
		t.line(0, "")
		t.line(0, "call   %s", c.operation)
		for _, line := range c.lines {
			t.line(1, "%s", line)
		}
	}
	return res
}
