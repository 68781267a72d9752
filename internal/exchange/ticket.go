package exchange

import (
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Where a backend's own API has callers fetch a token before they call, the
// clients that exist do so still: the gateway answers them with tickets of its
// own, and keeps the backend's token to itself. Callers with a key need none.

// fetches tells whether a caller is one of those: it signed in with HTTP Basic.
func fetches(r *intake.Request) bool {
	if r.Header == nil {
		return false
	}
	scheme, _, _ := strings.Cut(strings.TrimLeft(r.Header("Authorization"), " \t"), " ")
	return strings.EqualFold(scheme, "Basic")
}

// ticket holds the request's ticket against its caller. None, an empty one and
// one that has ended are answered alike: clients fetch another one then.
func (e *Exchanger) ticket(header string, caller *intake.Caller, r *intake.Request, now time.Time) (renewed int, problem *intake.Problem) {
	given := strings.TrimSpace(r.Header(header))
	if given == "" {
		return 0, &intake.Problem{Kind: mapping.NotSignedIn}
	}
	renewed, err := e.o.Tickets.Check(given, caller.Name, now)
	if err != nil {
		return 0, &intake.Problem{Kind: mapping.BadSignIn}
	}
	return renewed, nil
}

// issue answers an operation that is about the backend's token with a ticket.
func (e *Exchanger) issue(op *mapping.ExposedOperation, caller *intake.Caller, d *mapping.Dialect, r *intake.Request, now time.Time, report Report, buf []byte) Response {
	renewed := 0
	if op.Gives == mapping.RenewsToken {
		before, problem := e.ticket(op.TokenHeader, caller, r, now)
		if problem != nil {
			return e.turnDown(caller, d, r, problem, report, buf)
		}
		renewed = before + 1
	}
	report.Outcome = "ok"
	body := append(buf, '{')
	body = append(jsonx.AppendQuoted(body, op.TokenField), ':')
	body = jsonx.AppendQuoted(body, e.o.Tickets.Issue(caller.Name, renewed, now))
	return Response{Status: 200, Type: typeJSON, Body: append(body, '}'), Report: report}
}
