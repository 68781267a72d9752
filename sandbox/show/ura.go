package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/sandbox"
)

// uraPack is a pack that answers the six operations: its configuration, and
// what its backend is called for where something is changed.
type uraPack struct {
	name, config string
	changes      map[string]string // operation of the dialect: of the backend
	statuses     []uraStatus
}

// uraStatus is a request that is answered with a status, the backend spoilt for it or not.
type uraStatus struct {
	op     string
	fields []field
	status string
	faults []fault
}

// asks are the six operations as they are asked in every form.
var asks = map[string][]field{
	"consultacliente":    {{"cpfcnpj", "52998224725"}, {"uracontato", sung}},
	"liberacaopromessa":  {{"contrato", "1300011"}, {"uracontato", sung}},
	"enviafatura":        {{"contrato", "1300001"}, {"tipo", "email"}, {"uracontato", sung}},
	"verificaacesso":     {{"contrato", "1282441"}, {"uracontato", sung}},
	"notificacaosistema": {{"contrato", "1300001"}, {"uracontato", sung}, {"uraagente", "7"}},
	"chamado":            {{"contrato", "1300001"}, {"conteudo", "Não navega"}, {"uracontato", sung}},
}

// sung is a text in which two charsets differ.
const sung = "São João"

func uraPacks() []uraPack {
	contract := func(id string, more ...field) []field { return append([]field{{"contrato", id}}, more...) }
	html := func(op string) []fault { return []fault{{Operation: op, Kind: sandbox.KindHTML, Times: 1}} }
	says := func(op, body string) []fault {
		return []fault{{Operation: op, Kind: sandbox.KindBusiness, Times: 1, Body: json.RawMessage(body)}}
	}
	const send, talk, open = "financeiro.faturas.abertas.enviar", "telefonia.ligacoes.cadastrar", "comercial.atendimentos.cadastrar"
	common := []uraStatus{
		{"liberacaopromessa", contract("1300012"), "1", nil},
		{"liberacaopromessa", contract("1300033"), "2", nil},
		{"liberacaopromessa", contract("999999"), "0", nil},
		{"enviafatura", contract("1300012"), "1", nil},
		{"enviafatura", contract("1300041", field{"tipo", "sms"}), "2", nil},
		{"enviafatura", contract("1300041", field{"tipo", "pombo"}), "0", nil},
		{"verificaacesso", contract("1300001"), "1", nil},
		{"verificaacesso", contract("311622"), "2", nil},
		{"verificaacesso", contract("1282441"), "8", nil},
		{"verificaacesso", contract("999999"), "0", nil},
		{"notificacaosistema", contract("1300002"), "1", nil},
		{"notificacaosistema", contract("999999"), "0", nil},
		{"chamado", contract("1300002"), "1", nil},
		{"chamado", contract("1300002", field{"motivoos", "99"}), "0", nil},
	}
	return []uraPack{
		{"ura", "gateway.yaml", map[string]string{
			"liberacaopromessa": "comercial.contrato.habilitar_confianca", "enviafatura": send, "notificacaosistema": talk, "chamado": open,
		}, append([]uraStatus{
			{"enviafatura", contract("1282441"), "9", html(send)},
			{"verificaacesso", contract("1283299"), "3", nil},
			{"notificacaosistema", contract("1282441"), "0", html(talk)},
			{"chamado", contract("1282441"), "0", html(open)},
		}, common...)},
		{"ura-sgp", filepath.Join("mappings", "testdata", "ura-sgp", "gateway.yaml"), map[string]string{
			"liberacaopromessa": "sgp.liberacaopromessa", "enviafatura": "sgp.enviafatura", "notificacaosistema": "sgp.notificacaosistema", "chamado": "sgp.chamado",
		}, append([]uraStatus{
			{"enviafatura", contract("1282441"), "9", says("sgp.enviafatura", `{"status":9,"msg":"Erro no envio"}`)},
			{"verificaacesso", contract("1300002"), "3", nil},
			{"verificaacesso", contract("1300041"), "9", nil},
			{"notificacaosistema", contract("1282441"), "0", []fault{{Operation: "sgp.notificacaosistema", Kind: sandbox.KindBusiness, Status: 403, Times: 1, Body: json.RawMessage(sandbox.BodyTooMany)}}},
			{"chamado", contract("1282441"), "0", html("sgp.chamado")},
		}, common...)},
	}
}

// showURA asks all six operations in every form of the request, of each pack;
// then holds the tests of the mappings against the specification's statuses.
func showURA(o options, r *report) error {
	total := newTally(r)
	for _, p := range uraPacks() {
		if err := showPack(o, r, total, p); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	r.begin("every answer")
	r.check(true, "")
	r.notef("%s", total.figures())
	return showTests(o, r, "TestEveryStatus", "./mappings")
}

// uraShow is one pack under way.
type uraShow struct {
	r    *report
	t    *tally
	g    *gateway
	box  *backend
	pack uraPack
}

func showPack(o options, r *report, total *tally, p uraPack) error {
	box, err := startBackend(o, "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer box.kill()
	g, err := startReplica(o, box.url, []string{"SGP_URL=" + box.url, "SGP_APP=" + sandbox.SGPApp, "SGP_TOKEN=" + sandbox.SGPToken}, "--config", p.config)
	if err != nil {
		return err
	}
	defer g.close()
	s := &uraShow{r, total, g, box, p}
	for _, op := range slices.Sorted(maps.Keys(asks)) {
		if err := s.forms(op); err != nil {
			return err
		}
		s.refusals(op)
	}
	return s.statuses()
}

// exactly asks and wants these very bytes.
func (s *uraShow) exactly(what string, q request, status int, body string) {
	a, err := send(s.g.address, q)
	if s.t.sound(what, a, err, nothingElse) {
		s.r.check(a.status == status && string(a.body) == body, "%s: want %d %s, got %d %s", what, status, body, a.status, cutText(a.body))
	}
}

// pathsOf are the four paths of an operation.
func pathsOf(op string) []string {
	return []string{"/ws/ura/" + op + "/", "/ws/ura/" + op, "/api/ura/" + op, "/api/ura/" + op + "/"}
}

// latin gives fields in ISO-8859-1.
func latin(fields []field) []field {
	out := slices.Clone(fields)
	for i, f := range out {
		var b []byte
		for _, c := range f.value {
			b = append(b, byte(c))
		}
		out[i].value = string(b)
	}
	return out
}

// forms asks the same in every form and wants the same bytes each time, and
// what changes something done once.
func (s *uraShow) forms(op string) error {
	s.r.begin("%s: %s in every form", s.pack.name, op)
	if err := s.box.reset(); err != nil {
		return err
	}
	fields := asks[op]
	plainly := ways[0].build(pathsOf(op)[0], places[0], token, app, fields...)
	first, err := send(s.g.address, plainly)
	if !s.t.sound(op, first, err, nothingElse) {
		return nil
	}
	want := string(first.body)
	good := strings.Contains(want, `"contratoId":`) && !strings.Contains(want, `"status":0`)
	for _, secret := range []string{"segredo", "senha", "password", "staus", sandbox.SGPToken} {
		good = good && !strings.Contains(strings.ToLower(want), secret)
	}
	s.r.check(good, "%s asked plainly: %s", op, want)
	forms := 0
	same := func(what string, q request) {
		forms++
		s.exactly(op+", "+what, q, 200, want)
	}
	for _, w := range ways {
		for _, path := range pathsOf(op) {
			for _, at := range places {
				same(w.name+", "+path+", credentials "+at.name, w.build(path, at, token, app, fields...))
			}
		}
		if w.encode == nil {
			continue
		}
		old := w.build(pathsOf(op)[0], places[0], token, app, latin(fields)...)
		same(w.name+" in ISO-8859-1", old)
		for i, h := range old.header {
			if strings.HasPrefix(h, "Content-Type: ") && !strings.Contains(h, "multipart") {
				old.header = slices.Clone(old.header)
				old.header[i] = h + "; charset=ISO-8859-1"
				same(w.name+" in ISO-8859-1, declared", old)
			}
		}
		extra := append([]field{{"uraIP", "10.0.0.1"}, {"telefone", "84 99138-0000"}, {"tipoclassificacoes[]", "5"}, {"", "x"}}, fields...)
		same(w.name+" with unknown fields", w.build(pathsOf(op)[1], places[2], token, app, extra...))
	}
	counts, err := s.box.counts()
	if err != nil {
		return err
	}
	s.r.notef("%d forms", forms)
	if call := s.pack.changes[op]; call != "" {
		s.r.check(counts[call] == 1, "%s was sent %d times", call, counts[call])
		s.r.notef("%s sent once", call)
	}
	return nil
}

// refusals asks with wrong, missing and half credentials, in bodies nobody can
// read and with methods nobody uses: the dialect's bytes, and nothing is sent.
func (s *uraShow) refusals(op string) {
	s.r.begin("%s: %s refused", s.pack.name, op)
	before, err := s.box.counts()
	s.r.check(err == nil, "%v", err)
	fields := asks[op]
	wrong := [][2]string{{token + "0", app}, {token, strings.ToUpper(app)}, {"", app}, {token, ""}, {"x", "y"}}
	for _, w := range ways {
		for _, at := range places {
			for _, c := range wrong {
				s.exactly(fmt.Sprintf("%s, %s, %s, %q", op, w.name, at.name, c), w.build(pathsOf(op)[0], at, c[0], c[1], fields...), 403, wrongCredentials)
			}
		}
		for _, path := range pathsOf(op) {
			s.exactly(op+", "+w.name+", no credentials", w.build(path, place{}, "", "", fields...), 403, noCredentials)
		}
	}
	const unreadable, noMethod = `{"detail":"Não foi possível ler o pedido."}`, `{"detail":"Método não permitido."}`
	credentials := "token=" + token + "&app=" + app
	for kind, body := range map[string]string{
		"application/json":                                 `{"contrato": `,
		"application/x-www-form-urlencoded":                credentials + "&contrato=1&x=%zz",
		"application/x-www-form-urlencoded; charset=utf-8": credentials + "&contrato=1&x=\xe3",
		"multipart/form-data":                              credentials,
		"text/xml":                                         "<contrato>1</contrato>",
	} {
		for _, path := range pathsOf(op) {
			q := request{method: "POST", path: path, header: []string{"Content-Type: " + kind}, body: []byte(body)}
			s.exactly(op+", "+kind+" that cannot be read", q, 400, unreadable)
		}
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS"} {
		for _, path := range pathsOf(op) {
			q := ways[0].build(path, places[0], token, app, fields...)
			q.method = method
			s.exactly(op+", "+method, q, 405, noMethod)
		}
	}
	after, err := s.box.counts()
	s.r.check(err == nil && maps.Equal(before, after), "something was sent: %v, then %v", before, after)
}

// statuses asks for what is answered with each status of the specification.
func (s *uraShow) statuses() error {
	s.r.begin("%s: every status, asked for", s.pack.name)
	if err := s.box.reset(); err != nil {
		return err
	}
	// So that the client of a contract without invoices is known.
	if _, err := send(s.g.address, plain(field{"cpfcnpj", "12345678900"})); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, c := range s.pack.statuses {
		if err := s.box.spoil(c.faults...); err != nil && len(c.faults) > 0 {
			return err
		}
		what := fmt.Sprintf("%s %v", c.op, c.fields)
		a, err := send(s.g.address, ways[0].build(pathsOf(c.op)[0], places[0], token, app, c.fields...))
		if !s.t.sound(what, a, err, nothingElse) {
			continue
		}
		s.r.check(a.status == 200 && strings.Contains(string(a.body), `"status":`+c.status+`,`), "%s: want status %s, got %d %s", what, c.status, a.status, cutText(a.body))
		seen[c.op+" "+c.status] = true
		if err := s.box.heal(); err != nil {
			return err
		}
	}
	s.r.notef("%d pairs of operation and status", len(seen))
	return nil
}
