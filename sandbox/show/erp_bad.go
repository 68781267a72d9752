package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
)

// showERPBad sends generated bad input for every operation: all of it must be
// refused in the dialect's shape, and none of it reach the ERP.
func showERPBad(o options, r *report) error {
	ops, err := erpOperations()
	if err != nil {
		return err
	}
	w, err := startERP(o)
	if err != nil {
		return err
	}
	defer w.close()
	k := erpBad{erpWorld: w, r: r}
	w.erp.answering(reply{status: 200, typ: "application/json", body: `{}`})

	counts, several := map[string]int{}, []wrongs(nil)
	var severalOf []*contract.Operation
	moved, sent, conditional, covered := 0, 0, 0, 0
	began := time.Now()
	r.begin("one thing wrong, every operation")
	for _, op := range ops {
		if byGateway(op) {
			continue
		}
		base, ok := goodRequest(op)
		if !r.check(ok, "%s: no request to spoil", op.ID) {
			continue
		}
		k.good(op, base)
		f := faultsOf(op, base)
		moved += f.moved
		r.check(f.taken == requiredFields(op.BodySchema), "%s: %d of %d required fields were taken away", op.ID, f.taken, requiredFields(op.BodySchema))
		conditional += len(op.RequiredWhen)
		if len(f.all) > 0 {
			covered++
		} else {
			r.check(len(op.Params) == 0 && op.BodySchema == nil, "%s: nothing was found to spoil", op.ID)
		}
		for _, x := range f.all {
			counts[x.kind]++
			sent++
			k.refused(op, x, x.kind != unmet) // one that is unmet may leave another unmet
		}
		if x, ok := f.together(); ok {
			several, severalOf = append(several, x), append(severalOf, op)
		}
	}
	r.check(counts[unmet] == conditional, "%d of %d conditional requirements were left unmet", counts[unmet], conditional)
	r.notef("%d requests refused for %d operations in %s", sent, covered, time.Since(began).Round(time.Millisecond))

	r.begin("several things wrong at once: all are told")
	told := 0
	for i, x := range several {
		told += len(x.pointers)
		k.refused(severalOf[i], x, false)
	}
	r.notef("%d operations, %d faults", len(several), told)

	k.tokens(ops, counts)

	r.begin("nothing is quoted")
	log := w.err.text()
	for _, secret := range []string{badText, badWhole, badNumber, erpAppPassword, w.ticket, w.other, forged} {
		r.check(!strings.Contains(log, secret), "the log holds what was received")
	}
	r.begin("in sum")
	total := 0
	for _, n := range counts {
		total += n
	}
	r.check(w.err.lines() != nil && w.erp.wrong == 0, "the ERP was asked for tokens %d times by somebody it does not know", w.erp.wrong)
	r.notef("%d refused requests, nothing of them sent; %d changes made a good request of another variant and were not sent", total+len(several), moved)
	kinds := make([]string, 0, len(counts))
	for kind := range counts {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		r.printf("  %5d  %s", counts[kind], kind)
	}
	return nil
}

type erpBad struct {
	*erpWorld
	r *report
}

func (k erpBad) ask(op *contract.Operation, path, query string, body []byte, header []string) (*answer, error) {
	q := request{method: op.Method, path: path, query: query, header: header, body: body}
	if body != nil {
		q.header = append(slices.Clone(header), asJSON)
	}
	return k.do(q)
}

// good makes sure that what is spoilt goes through when it is not.
func (k erpBad) good(op *contract.Operation, d documented) {
	a, err := k.ask(op, d.path, d.query, d.body, k.headers(op))
	seen := k.erp.take()
	k.r.check(err == nil && len(seen) == 1, "%s: the good request did not go through: %v %s", op.ID, err, told(a))
}

// told spells an answer for a failed check.
func told(a *answer) string {
	if a == nil {
		return "(no answer)"
	}
	return fmt.Sprintf("%d %.300s", a.status, a.body)
}

// refused sends what is wrong; exactly tells that nothing else may be called wrong.
func (k erpBad) refused(op *contract.Operation, x wrongs, exactly bool) {
	a, err := k.ask(op, x.path, x.query, x.body, k.headers(op))
	what := fmt.Sprintf("%s, %s %v: %s?%s %.300s", op.ID, x.kind, x.pointers, x.path, x.query, x.body)
	seen := k.erp.take()
	if !k.r.check(err == nil, "%s: %v", what, err) {
		return
	}
	k.r.check(len(seen) == 0, "%s: it was sent on", what)
	var said struct {
		Error  string   `json:"error"`
		Campos []string `json:"campos"`
	}
	if inDoubt(op) {
		k.r.check(theNo(a), "%s: %s", what, told(a))
		return
	}
	ok := a.status == 400 && a.header.Get("Content-Type") == "application/json" && json.Unmarshal(a.body, &said) == nil && said.Error != ""
	k.r.check(ok, "%s: %s", what, told(a))
	for _, text := range []string{badText, badWhole, badNumber} {
		k.r.check(!strings.Contains(string(a.body), text), "%s: a value is quoted: %s", what, told(a))
	}
	if !ok || x.pointers == nil {
		return
	}
	for _, p := range x.pointers {
		k.r.check(slices.Contains(said.Campos, p), "%s: %s is not told: %s", what, p, told(a))
	}
	if exactly {
		// What is wrong may still be what another field depends on.
		more := slices.DeleteFunc(said.Campos, func(p string) bool {
			return slices.Contains(x.pointers, p) || slices.ContainsFunc(op.RequiredWhen, func(r contract.RequiredWhen) bool { return pointerOf(r.Path) == p })
		})
		k.r.check(len(more) == 0, "%s: told is %v, too", what, more)
	}
}

// forged is a token that looks like one.
const forged = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJiYWxjYW8iLCJpYXQiOjE3OTU2NDU2MDAwMDAsImV4cCI6NDEwMjQ0NDgwMDAwMCwicXRkUmVuIjowfQ.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// tokens asks for every operation that needs a token without a good one, and for every one without a good password.
func (k erpBad) tokens(ops []*contract.Operation, counts map[string]int) {
	cases := []struct {
		kind   string
		header func() []string
		always bool
	}{
		{"Token missing", func() []string { return nil }, false},
		{"Token empty", func() []string { return []string{"Token:"} }, false},
		{"Token blank", func() []string { return []string{"Token:   "} }, false},
		{"Token forged", func() []string { return []string{"Token: " + forged} }, false},
		{"Token with another signature", func() []string { return []string{"Token: " + k.ticket[:len(k.ticket)-4] + "AAAA"} }, false},
		{"Token the ERP's", func() []string { return []string{"Token: " + sessionToken} }, false},
		{"Token another caller's", func() []string { return []string{"Token: " + k.other} }, false},
		{"no password", nil, true},
		{"a wrong password", func() []string { return []string{basic(erpApp, erpOtherPassword), "Token: " + k.ticket} }, true},
		{"another user's password", func() []string { return []string{basic(erpOther, erpAppPassword), "Token: " + k.ticket} }, true},
	}
	k.r.begin("tokens and passwords")
	sent := 0
	for _, op := range ops {
		d, ok := goodRequest(op)
		if !ok {
			continue
		}
		for _, c := range cases {
			if !c.always && (!op.Token || byGateway(op) && op.Path == tokenPath) {
				continue
			}
			var header []string
			switch {
			case c.header == nil:
				header = []string{"Token: " + k.ticket}
			case c.always:
				header = c.header()
			default:
				header = append([]string{basic(erpApp, erpAppPassword)}, c.header()...)
			}
			a, err := k.ask(op, d.path, d.query, d.body, header)
			seen := k.erp.take()
			counts[c.kind]++
			sent++
			k.r.check(err == nil && a.status == 401 && string(a.body) == `{"error":"Não autorizado"}`, "%s, %s: %v %s", op.ID, c.kind, err, told(a))
			k.r.check(len(seen) == 0, "%s, %s: it was sent on", op.ID, c.kind)
		}
	}
	k.r.notef("%d requests", sent)
}
