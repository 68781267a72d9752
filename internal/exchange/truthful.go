package exchange

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Some backends say everything with status 200. Callers that want the truth
// (status: truthful) get it for what is exposed: a status that is meant, and a
// problem document (RFC 9457) of what went wrong. What is good comes as it came.

const typeProblem = "application/problem+json"

// turnDown answers a request of an exposed operation that is not passed on, or
// has no answer: with a problem document for a caller that wants the truth,
// else in the dialect's words. caller is nil before it is known.
func (e *Exchanger) turnDown(caller *intake.Caller, d *mapping.Dialect, r *intake.Request, p *intake.Problem, report Report, buf []byte) Response {
	if caller == nil || !caller.Truthful {
		return e.refuse(d.Errors, r, p, report, buf)
	}
	status, challenge := p.Kind.DefaultStatus(), ""
	if reply := d.Errors[p.Kind]; reply != nil && status == http.StatusUnauthorized {
		challenge = reply.Challenge
	}
	res := refusal(status, typeProblem, p, challenge, report)
	body := problemHead(buf, res.Status, p.Kind.String(), report.Class, p.Message)
	lang := intake.Language(r, d.Languages)
	for i := range p.Faults {
		if i == 0 {
			body = append(body, `,"errors":[`...)
		} else {
			body = append(body, ',')
		}
		body = append(body, `{"pointer":`...)
		body = jsonx.AppendQuoted(body, p.Faults[i].Pointer)
		body = append(body, `,"detail":`...)
		body = jsonx.AppendQuoted(body, intake.Words(&p.Faults[i], d, lang))
		body = append(body, '}')
		if i == len(p.Faults)-1 {
			body = append(body, ']')
		}
	}
	res.Body = append(body, '}')
	return res
}

// truth gives what an answer that is no good one means; false when it is good.
func truth(a *backend.Answer, report Report, buf []byte) (Response, bool) {
	kind, detail := mapping.KindFailed, strings.Clone(a.Message)
	switch a.State {
	case contract.OK, contract.Skipped:
		return Response{}, false
	case contract.Refused:
		kind = mapping.KindRefused
	case contract.Unknown:
		if detail == "" {
			detail = "whether it was done is not known"
		}
	}
	report.Outcome, report.Reply = kind.String(), -1
	res := Response{Status: trueStatus(a), Type: typeProblem, Report: report}
	res.Body = append(problemHead(buf, res.Status, kind.String(), a.Class, detail), '}')
	return res, true
}

// trueStatus gives the status an answer that is no good one should have had:
// its own where that says so already.
func trueStatus(a *backend.Answer) int {
	s := a.Status
	switch {
	case a.State == contract.Unknown:
		return http.StatusBadGateway
	case a.Class == contract.ClassNotFound:
		return http.StatusNotFound
	case s == http.StatusUnauthorized || s == http.StatusProxyAuthRequired: // it would ask the caller to sign in again
	case s >= 400 && s < 500:
		return s
	case s == http.StatusServiceUnavailable || s == http.StatusGatewayTimeout:
		return s
	}
	if a.State == contract.Refused {
		return http.StatusUnprocessableEntity
	}
	return http.StatusBadGateway
}

// problemHead begins a problem document: its type is about:blank, which need
// not be said, and its title therefore the status's.
func problemHead(buf []byte, status int, kind, class, detail string) []byte {
	body := append(buf, `{"title":`...)
	body = jsonx.AppendQuoted(body, title(status))
	body = append(body, `,"status":`...)
	body = strconv.AppendInt(body, int64(status), 10)
	if detail != "" {
		body = append(body, `,"detail":`...)
		body = jsonx.AppendQuoted(body, detail)
	}
	body = append(body, `,"kind":`...)
	body = jsonx.AppendQuoted(body, kind)
	if class != "" {
		body = append(body, `,"class":`...)
		body = jsonx.AppendQuoted(body, class)
	}
	return body
}

func title(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	return "Error"
}
