package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
)

const (
	promisePath  = "/ws/ura/liberacaopromessa/"
	saysUsed     = "O recurso de promessa de pagamento já foi utilizado no mês. Recurso não disponível"
	saysUnsure   = "Não foi possível confirmar a liberação"
	saysGranted  = "Acesso liberado via promessa de pagamento até 20/04/2030"
	customerMask = "123.***.789-**"
)

var promisePaths = []string{"/ws/ura/liberacaopromessa/", "/ws/ura/liberacaopromessa", "/api/ura/liberacaopromessa/", "/api/ura/liberacaopromessa"}

// asked is one request for a promise and what came of it.
type asked struct {
	caller  int
	replica int
	how     string
	a       *answer
	err     error
	hungUp  bool // it did not wait, or its replica was killed: no answer is no wonder
}

// said is an answer, read.
type said struct {
	Status    *int   `json:"status"`
	Granted   *bool  `json:"liberado"`
	Message   string `json:"msg"`
	Contract  int64  `json:"contratoId"`
	Name      string `json:"razaoSocial"`
	Document  string `json:"cpfCnpj"`
	Protocol  string `json:"protocolo"`
	Telephone string `json:"uracontato"`
}

// promised is what an answer tells of a promise.
type promised string

const (
	granted promised = "granted"
	used    promised = "used already"
	unsure  promised = "not confirmed"
)

// outcome reads an answer; wrong says why it is no right one.
func (s *said) outcome() (o promised, wrong string) {
	if s.Status == nil || s.Granted == nil {
		return "", "status or liberado is missing"
	}
	switch {
	case *s.Status == 1 && *s.Granted && s.Message == saysGranted && len(s.Protocol) == 14:
		return granted, ""
	case *s.Status == 2 && !*s.Granted && s.Message == saysUsed && s.Protocol == "":
		return used, ""
	case *s.Status == 0 && !*s.Granted && s.Message == saysUnsure && s.Protocol == "":
		return unsure, ""
	}
	return "", "no documented answer"
}

// round is one contract: what its promise comes to, who asks and how.
type round struct {
	contract string
	plot     *plot
	mode     mode
	killed   bool // the replica that sent was killed

	mu   sync.Mutex
	asks []asked
}

// mode is how a round's clients ask.
type mode uint8

const (
	modeTogether  mode = iota // at once, on every replica
	modeHangUp                // one hangs up, then others ask
	modeInTurn                // one after the other
	modeCallers               // both callers at once
	modeKill                  // the replica that sent is killed while the promise is held
	modeKillLate              // … while it is answered
	modeKillEarly             // … before, while or after it is sent
	modeStop                  // the replica that sent is stopped with SIGTERM
)

var modeNames = [...]string{"at once", "after hanging up", "in turn", "both callers at once", "kill -9, answer held", "kill -9 amid the answer", "kill -9 amid sending", "SIGTERM"}

func (m mode) String() string { return modeNames[m] }

func (r *round) String() string {
	return fmt.Sprintf("contract %s, %s, %s", r.contract, r.plot.end, r.mode)
}

// request makes a promise's request in one of many forms.
func (r *round) request(chance *rand.Rand, caller int) (request, string) {
	w := ways[chance.IntN(len(ways))]
	at := places[chance.IntN(len(places))]
	path := promisePaths[chance.IntN(len(promisePaths))]
	fields := []field{{"contrato", []string{r.contract, " " + r.contract, "0" + r.contract}[chance.IntN(3)]}}
	switch chance.IntN(4) {
	case 0:
	case 1:
		fields = append(fields, field{"uracontato", ""})
	default:
		fields = append(fields, field{"uracontato", fmt.Sprintf("849%08d", chance.IntN(1e8))})
	}
	if chance.IntN(4) == 0 {
		fields = append(fields, field{"data_promessa", "2026-03-05"})
	}
	who := onceCallers[caller]
	return w.build(path, at, who.token, who.app, fields...), fmt.Sprintf("%s, %s to %s", who.name, w.name, path)
}

// keep notes what came of a request.
func (r *round) keep(a asked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asks = append(r.asks, a)
}

// check is one thing that must hold of a round.
type check struct {
	kind string
	ok   bool
	text string
}

var echoed = regexp.MustCompile(`,?"uracontato":"[^"]*"`)

// judge tells of everything that must hold whether it does. puts is how many
// promises were on the wire.
func (r *round) judge(puts int) []check {
	var all []check
	want := func(ok bool, kind, format string, args ...any) bool {
		all = append(all, check{kind, ok, r.String() + ": " + fmt.Sprintf(format, args...)})
		return ok
	}
	want(puts <= 1, "a promise doubled", "%d requests on the wire", puts)
	if r.mode != modeKillEarly { // kept that it would be sent, and killed before it was
		want(puts >= 1, "nothing sent", "no request on the wire")
	}
	outcomes := make([]map[promised]bool, len(onceCallers))
	bodies := make([]map[string]bool, len(onceCallers))
	for i := range onceCallers {
		outcomes[i], bodies[i] = map[promised]bool{}, map[string]bool{}
	}
	for _, a := range r.asks {
		if a.err != nil {
			want(a.hungUp, "no answer", "%s: %v", a.how, a.err)
			continue
		}
		wrong := unsound(a.a, nothingElse)
		if !want(wrong == "" && a.a.status == 200, "a wrong answer", "%s: status %d, %s", a.how, a.a.status, wrong) {
			continue
		}
		var s said
		err := json.Unmarshal(a.a.body, &s)
		o, wrong := s.outcome()
		if !want(err == nil && wrong == "", "a wrong answer", "%s: %s: %s", a.how, wrong, cutText(a.a.body)) {
			continue
		}
		whose := fmt.Sprint(s.Contract) == r.contract && s.Name == "CLIENTE "+r.contract && s.Document == customerMask
		want(whose, "a wrong answer", "%s: another contract or client: %s", a.how, cutText(a.a.body))
		outcomes[a.caller][o] = true
		text := string(a.a.body)
		// What was sent is answered with the first answer, its echo included; who
		// came too late is told so each time anew.
		if o == used && r.plot.end != endNo || r.killed {
			text = echoed.ReplaceAllString(text, "")
		}
		bodies[a.caller][text] = true
	}
	owners := 0
	for i, who := range onceCallers {
		if len(bodies[i]) == 0 {
			continue
		}
		want(len(bodies[i]) == 1, "answers that differ", "%s was told: %s", who.name, join(bodies[i]))
		if !outcomes[i][used] || r.plot.end == endNo {
			owners++
		}
		want(!outcomes[i][granted] || puts > 0, "nothing sent", "%s was told: %s, and no request was on the wire", who.name, join(bodies[i]))
		if r.mode != modeCallers && i == 0 {
			for o := range outcomes[i] {
				want(r.may(o), "wrong words", "%s was told: %s", who.name, o)
			}
		}
		if r.mode != modeCallers && i > 0 {
			want(outcomes[i][used], "wrong words", "%s, who came second, was told: %s", who.name, join(bodies[i]))
		}
	}
	want(owners == 1, "wrong words", "%d callers were told that it was theirs", owners)
	return all
}

// may tells whether the caller whose promise it is may be told so.
func (r *round) may(o promised) bool {
	switch {
	case r.mode == modeKill:
		return o == unsure
	case r.mode == modeKillLate || r.mode == modeKillEarly:
		return o == unsure || o == granted
	case r.plot.end == endYes:
		return o == granted
	case r.plot.end == endNo:
		return o == used
	default:
		return o == unsure
	}
}

func join(set map[string]bool) string {
	var all []string
	for text := range set {
		all = append(all, text)
	}
	return strings.Join(all, " and ")
}
