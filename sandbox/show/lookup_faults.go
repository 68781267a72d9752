package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/sandbox"
)

// The operations that the lookup calls.
const (
	customerOp = "comercial.cliente.dados"
	contractOp = "comercial.contrato.dados"
	cardOp     = "area.cliente.informacoes"
	invoicesOp = "financeiro.faturas.cliente.abertas"
	tokenOp    = "auth.token.gerar"
)

// technical are the faults that are nobody's answer: what comes back to the
// caller is the dialect's own failure, whatever the backend said.
var technical = []struct {
	name string
	fault
}{
	{"a latency beyond the time-out", fault{Kind: sandbox.KindLatency, Delay: "4s"}},
	{"status 500", fault{Kind: sandbox.KindStatus500}},
	{"status 502", fault{Kind: sandbox.KindStatus500, Status: 502}},
	{"status 503 with a page", fault{Kind: sandbox.KindHTML, Status: 503}},
	{"a page with status 200", fault{Kind: sandbox.KindHTML}},
	{"an answer cut in half", fault{Kind: sandbox.KindTruncate}},
	{"a connection cut before the request is read", fault{Kind: sandbox.KindCutBeforeRead}},
	{"a connection cut after the request is read", fault{Kind: sandbox.KindCutAfterRead}},
}

// faults asks while the backend misbehaves, and once more after each fault.
func (s *lookupShow) faults() error {
	byDocument, byContract := field{"cpfcnpj", "52998224725"}, field{"contrato", "1300002"}
	well := map[string]string{}
	s.r.begin("before the faults")
	for _, f := range []field{byDocument, byContract} {
		if a := s.ask(f.name, plain(f)); a != nil {
			well[f.name] = string(a.body)
		}
	}
	for _, c := range []struct {
		operation string
		search    field
		goesOn    bool // without what this operation knows
	}{{customerOp, byDocument, false}, {contractOp, byContract, false}, {invoicesOp, byContract, false}, {cardOp, byContract, true}} {
		s.r.begin("%s fails", c.operation)
		for _, f := range technical {
			if f.Kind == sandbox.KindLatency && c.operation == invoicesOp {
				continue // the same time-out as its neighbour's, four seconds more
			}
			f.Operation, f.Times = c.operation, -1
			a, err := s.spoiled(c.search, f.fault)
			what := c.operation + ", " + f.name
			if s.t.sound(what, a, err, failing) {
				if c.goesOn {
					differs := withoutCard(a.body, well[c.search.name])
					s.r.check(a.status == 200 && differs == "", "%s: status %d: %s", what, a.status, differs)
				} else {
					s.r.check(a.status == 503 && string(a.body) == unavailable, "%s: want 503 %s, got %d %s", what, unavailable, a.status, cutText(a.body))
				}
			}
			s.exactly(what+", and afterwards", plain(c.search), 200, well[c.search.name])
		}
	}
	s.r.begin("the session token")
	if err := s.tokenFaults(byContract, well[byContract.name]); err != nil {
		return err
	}
	s.businessFaults(byDocument, well[byDocument.name])
	if err := s.idleConnections(byDocument, well[byDocument.name]); err != nil {
		return err
	}
	return s.backendGone(byDocument, well[byDocument.name])
}

// spoiled asks while faults hold.
func (s *lookupShow) spoiled(search field, faults ...fault) (*answer, error) {
	if err := s.erp.spoil(faults...); err != nil {
		return nil, err
	}
	a, err := send(s.g.address, plain(search))
	if healErr := s.erp.heal(); healErr != nil {
		return nil, healErr
	}
	return a, err
}

// tokenFaults: a lapsed token is fetched anew without the caller noticing; one
// that cannot be fetched costs the name and the document.
func (s *lookupShow) tokenFaults(search field, well string) error {
	if err := s.erp.reset(); err != nil {
		return err
	}
	a, err := s.spoiled(search, fault{Operation: cardOp, Kind: sandbox.KindExpiredToken})
	if s.t.sound("an expired token", a, err, nothingElse) {
		s.r.check(string(a.body) == well, "an expired token: %s", cutText(a.body))
	}
	calls, err := s.erp.calls()
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, c := range calls {
		counts[c.Operation]++
	}
	s.r.check(counts[cardOp] == 2 && counts[tokenOp] == 1, "an expired token: want the call, one fetch and the call again, got %v", counts)
	for _, kind := range []sandbox.Kind{sandbox.KindHTML, sandbox.KindStatus500, sandbox.KindCutAfterRead, sandbox.KindTruncate} {
		what := fmt.Sprintf("no new token (%s)", kind)
		a, err := s.spoiled(search, fault{Operation: cardOp, Kind: sandbox.KindExpiredToken}, fault{Operation: tokenOp, Kind: kind, Times: -1})
		if s.t.sound(what, a, err, failing) {
			differs := withoutCard(a.body, well)
			s.r.check(a.status == 200 && differs == "", "%s: status %d: %s", what, a.status, differs)
		}
		s.exactly(what+", and afterwards", plain(search), 200, well)
	}
	return nil
}

// businessFaults: what hides in a 200 is a refusal or a failure in the
// dialect's form, never a customer and never the backend's technical words.
func (s *lookupShow) businessFaults(search field, well string) {
	s.r.begin("failures hidden in a 200, answers of another shape")
	kinds := map[int]int{}
	for _, body := range []string{
		sandbox.BodyError, sandbox.BodyErro, sandbox.BodyErrorUp, sandbox.BodyFalha, sandbox.BodyResposta, sandbox.BodyStatus, sandbox.BodyAccess,
		`{}`, `[]`, `null`, `""`, `"ACCEPTED"`, `{"ClienteEncontrato":"sim"}`, `{"ClienteEncontrato":true}`, `{"ClienteEncontrato":true,"Contratos":"ACCEPTED"}`,
		`{"ClienteEncontrato":true,"NomeCliente":"ACCEPTED","IDCliente":1,"Contratos":[{"IDContrato":"<html>"}],"Faturas":[]}`,
		`{"ClienteEncontrato":true,"NomeCliente":{"a":1},"IDCliente":1,"Contratos":[{"IDContrato":1,"StatusContrato":["ACCEPTED"]}],"Faturas":{}}`,
	} {
		a, err := s.spoiled(search, fault{Operation: customerOp, Kind: sandbox.KindBusiness, Times: -1, Body: json.RawMessage(body)})
		if s.t.sound(body, a, err, failing|misshapen) {
			kinds[a.status]++
			told := string(a.body)
			s.r.check(!strings.Contains(told, "contratoId"), "%s: a customer: %s", body, cutText(a.body))
			s.r.check(!strings.Contains(told, `:""`), "%s: a refusal without a word: %s", body, cutText(a.body))
			for _, words := range []string{"Internal", "INTERNAL", "FALHA", "ACCEPTED", "html"} {
				s.r.check(!strings.Contains(told, words), "%s: the backend's words came through: %s", body, cutText(a.body))
			}
		}
		s.exactly(body+", and afterwards", plain(search), 200, well)
	}
	s.r.notef("answered with %d times 200, %d times 503, %d times 500", kinds[200], kinds[503], kinds[500])
}

// idleConnections: a backend that closes idle connections costs nobody a call.
func (s *lookupShow) idleConnections(search field, well string) error {
	s.r.begin("a backend that closes idle connections")
	if err := s.erp.reset(); err != nil {
		return err
	}
	if err := s.erp.spoil(fault{Kind: sandbox.KindIdleClose, Delay: "200ms", Times: -1}); err != nil {
		return err
	}
	const times = 12
	for range times {
		s.exactly("after the pause", plain(search), 200, well)
		time.Sleep(300 * time.Millisecond)
	}
	calls, err := s.erp.calls()
	if err != nil {
		return err
	}
	s.r.check(len(calls) == times, "%d calls for %d lookups", len(calls), times)
	return s.erp.heal()
}

// backendGone: nobody listens, then somebody does again.
func (s *lookupShow) backendGone(search field, well string) error {
	s.r.begin("the backend gone and back")
	s.erp.kill()
	for range 6 {
		a, err := send(s.g.address, plain(search))
		if s.t.sound("nobody listens", a, err, failing) {
			s.r.check(a.status == 503, "nobody listens: status %d", a.status)
		}
	}
	var err error
	if s.erp, err = startBackend(s.options, strings.TrimPrefix(s.erp.url, "http://")); err != nil {
		return err
	}
	begun := time.Now()
	for time.Since(begun) < 15*time.Second {
		a, err := send(s.g.address, plain(search))
		if !s.t.sound("the backend is back", a, err, failing) {
			return nil
		}
		if a.status == 200 {
			s.r.check(string(a.body) == well, "the backend is back: %s", cutText(a.body))
			s.r.notef("served again after %s", time.Since(begun).Round(100*time.Millisecond))
			return nil
		}
		time.Sleep(250 * time.Millisecond)
	}
	s.r.check(false, "not served again 15 s after the backend came back")
	return nil
}

// withoutCard compares an answer with one where the customer's name and
// document are known; they alone are empty.
func withoutCard(got []byte, well string) string {
	var full struct {
		Message   string                       `json:"msg"`
		Contracts []map[string]json.RawMessage `json:"contratos"`
	}
	if err := json.Unmarshal([]byte(well), &full); err != nil {
		return err.Error()
	}
	for _, c := range full.Contracts {
		c["razaoSocial"], c["cpfCnpj"] = json.RawMessage(`""`), json.RawMessage(`""`)
	}
	want, err := json.Marshal(full)
	if err != nil {
		return err.Error()
	}
	var a, b any
	if json.Unmarshal(want, &a) != nil || json.Unmarshal(got, &b) != nil {
		return "no JSON: " + cutText(got)
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if !bytes.Equal(x, y) {
		return fmt.Sprintf("want %s, got %s", x, cutText(got))
	}
	return ""
}
