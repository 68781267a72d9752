package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// lookupShow is language-2 under way.
type lookupShow struct {
	options
	r   *report
	t   *tally
	g   *gateway
	erp *backend
}

// showLookup asks for customers in every way a client is known to, right and
// wrong, with the backend well and ill.
func showLookup(o options, r *report) error {
	erp, err := startBackend(o, "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &lookupShow{options: o, r: r, t: newTally(r), erp: erp}
	defer func() { s.erp.kill() }()
	if s.g, err = startGateway(o, erp.url); err != nil {
		return err
	}
	defer s.g.close()
	s.customers()
	s.transports()
	s.signIn()
	s.searches()
	s.bodies()
	s.protocol()
	if err := s.faults(); err != nil {
		return err
	}
	r.begin("every answer")
	r.check(s.stillRunning(), "the gateway ended by itself")
	r.notef("%s", s.t.figures())
	return nil
}

func (s *lookupShow) stillRunning() bool {
	select {
	case <-s.g.ended:
		return false
	default:
		return true
	}
}

// plain is a well-formed lookup: a form with the credentials in the body.
func plain(fields ...field) request {
	return ways[0].build(lookupPath, places[0], token, app, fields...)
}

// ask sends a request and checks what holds for every answer; nil when it does not.
func (s *lookupShow) ask(what string, q request) *answer {
	a, err := send(s.g.address, q)
	if !s.t.sound(what, a, err, nothingElse) {
		return nil
	}
	return a
}

// exactly asks and wants these very bytes.
func (s *lookupShow) exactly(what string, q request, status int, body string) {
	if a := s.ask(what, q); a != nil {
		s.r.check(a.status == status && string(a.body) == body, "%s: want %d %s, got %d %s", what, status, cutText([]byte(body)), a.status, cutText(a.body))
	}
}

// refused asks and wants a refusal of a kind: the status and {"detail": TEXT}.
func (s *lookupShow) refused(what string, q request, status int) {
	a := s.ask(what, q)
	if a == nil {
		return
	}
	s.r.check(a.status == status && strings.HasPrefix(string(a.body), `{"detail":"`), "%s: want %d with detail, got %d %s", what, status, a.status, cutText(a.body))
}

func (s *lookupShow) customers() {
	s.r.begin("the documented answers, by document and by contract")
	// By contract first: the client is then read off the contract's invoices.
	for _, contract := range slices.Sorted(maps.Keys(byContract)) {
		want := byContract[contract]
		if a := s.ask(contract, plain(field{"contrato", contract})); a != nil {
			differs := lookupDiffers(a.body, want.document, []contractLine{want.line})
			s.r.check(a.status == 200 && differs == "", "contract %s: status %d: %s", contract, a.status, differs)
		}
	}
	// No invoice names its client, so nobody is known to have it …
	s.exactly("contract 1300021, nobody known", plain(field{"contrato", "1300021"}), 200, nobody)
	for _, document := range slices.Sorted(maps.Keys(byDocument)) {
		if a := s.ask(document, plain(field{"cpfcnpj", document})); a != nil {
			differs := lookupDiffers(a.body, document, byDocument[document])
			s.r.check(a.status == 200 && differs == "", "document %s: status %d: %s", document, a.status, differs)
		}
	}
	// … until a lookup by document has told.
	if a := s.ask("contract 1300021, remembered", plain(field{"contrato", "1300021"})); a != nil {
		differs := lookupDiffers(a.body, "246.***.579-**", byDocument["24681357928"][:1])
		s.r.check(differs == "", "contract 1300021 after the lookup of its owner: %s", differs)
	}
	for _, contract := range []string{"999999", "404404", "200200"} {
		s.exactly("contract "+contract, plain(field{"contrato", contract}), 200, nobody)
	}
	s.exactly("an unknown document", plain(field{"cpfcnpj", "98765432100"}), 200, nobody)
	s.r.notef("%d documents, %d contracts", len(byDocument), len(byContract)+1)
}

var paths = []string{"/ws/ura/consultacliente", "/ws/ura/consultacliente/", "/api/ura/consultacliente", "/api/ura/consultacliente/"}

// transports asks the same in every way and wants the very same bytes.
func (s *lookupShow) transports() {
	searches := [][]field{
		{{"cpfcnpj", "52998224725"}},
		{{"contrato", "1300002"}},
		{{"cpfcnpj", "39053344705"}, {"contrato", "1300002"}, {"uracontato", ""}},
	}
	wants := make([]string, len(searches))
	s.r.begin("the same question asked plainly")
	for i, fields := range searches {
		if a := s.ask(fields[0].value, plain(fields...)); a != nil {
			wants[i] = string(a.body)
		}
		s.r.check(strings.Contains(wants[i], `"contratoId":`), "%s: %s", fields[0].value, wants[i])
	}
	for _, w := range ways {
		s.r.begin("%s, %d paths, %d places of the credentials", w.name, len(paths), len(places))
		for _, path := range paths {
			for _, at := range places {
				for i, fields := range searches {
					what := fmt.Sprintf("%s %s, credentials %s, by %s", w.name, path, at.name, fields[0].name)
					s.exactly(what, w.build(path, at, token, app, fields...), 200, wants[i])
				}
				s.exactly(w.name+" "+path+", credentials "+at.name+", nothing asked", w.build(path, at, token, app), 200, nothingGiven)
			}
		}
	}
	s.r.begin("numbers, null and blanks in JSON")
	for body, i := range map[string]int{
		`{"contrato":1300002}`:                                     1,
		`{"contrato":"1300002","cpfcnpj":null}`:                    1,
		`{"contrato":" 1300002 ","cpfcnpj":""}`:                    1,
		`{"contrato":1300002,"cpfcnpj":"None"}`:                    1,
		`{"cpfcnpj":52998224725}`:                                  0,
		"\ufeff {\n\t\"cpfcnpj\" : \"52998224725\"\r\n}\n":         0,
		`{"cpfcnpj":"\u0035\u00329982247\u0032\u0035","x":[[{}]]}`: 0,
	} {
		q := request{method: "POST", path: lookupPath, header: jsonHeader(), body: []byte(body)}
		s.exactly(body, q, 200, wants[i])
		q.header = q.header[:2] // no Content-Type: `{` begins JSON
		if !strings.HasPrefix(body, "{") {
			continue
		}
		s.exactly(body+" without Content-Type", q, 200, wants[i])
	}
}

func jsonHeader() []string {
	return []string{"Authorization: Token " + token, "App: " + app, "Content-Type: application/json"}
}

// searches are what is looked for, spelled in the ways seen in the wild.
func (s *lookupShow) searches() {
	s.r.begin("spellings of document and contract")
	type search struct {
		fields []field
		want   string
	}
	same := func(fields ...field) search {
		a := s.ask("plainly", plain(fields...))
		if a == nil {
			return search{}
		}
		return search{want: string(a.body)}
	}
	person, company, contract := same(field{"cpfcnpj", "52998224725"}), same(field{"cpfcnpj", "12ABC34501DE35"}), same(field{"contrato", "1300002"})
	var list []search
	add := func(want string, fields ...field) { list = append(list, search{fields, want}) }
	for _, spelled := range []string{"529.982.247-25", " 529 982 247 25 ", "CPF: 529.982.247-25", "529.982.247/25\r\n", "CPF nº 52998224725"} {
		add(person.want, field{"cpfcnpj", spelled})
	}
	for _, spelled := range []string{"12abc34501de35", "12.ABC.345/01DE-35", "12.abc.345/01de-35"} {
		add(company.want, field{"cpfcnpj", spelled})
	}
	for _, spelled := range []string{"01300002", " 1300002", "1300002\n"} {
		add(contract.want, field{"contrato", spelled})
	}
	add(person.want, field{"cpfcnpj", "52998224725"}, field{"contrato", "1300011"})
	add(person.want, field{"cpfcnpj", "52998224725"}, field{"contrato", "None"})
	add(contract.want, field{"cpfcnpj", "None"}, field{"contrato", "1300002"})
	add(contract.want, field{"cpfcnpj", ""}, field{"contrato", "1300002"})
	add(nobody, field{"cpfcnpj", "98765432100"}, field{"contrato", "1300002"})
	for _, none := range [][]field{nil, {{"cpfcnpj", ""}}, {{"cpfcnpj", "None"}, {"contrato", "None"}}, {{"contrato", ""}}, {{"CPFCNPJ", "52998224725"}}, {{"uracontato", "84991380000"}}} {
		add(nothingGiven, none...)
	}
	for _, bad := range []string{"x", "-", "não tem", "…"} {
		add(badDocument, field{"cpfcnpj", bad})
	}
	for _, bad := range []string{"x", "0", "-1", "1.5", "1e3", "0x10", "1300002;", "1 300 002", "١٢٣"} {
		add(badContract, field{"contrato", bad})
	}
	for _, c := range list {
		for _, w := range ways {
			s.exactly(fmt.Sprintf("%s %q", w.name, c.fields), w.build(lookupPath, places[0], token, app, c.fields...), 200, c.want)
		}
	}
	s.r.begin("unknown fields beside the known ones")
	extra := []field{
		{"data_promessa", "2026-03-05"}, {"enviar_sms", "1"}, {"uraIP", "10.0.0.1"}, {"conteudo", "olá & \"tchau\" = %"}, {"telefone", "84 99138-0000"},
		{"tipoclassificacoes[]", "5"}, {"tipoclassificacoes[]", "6"}, {"uraagente", "1234"}, {"cpfcnpj[]", "1"}, {"", "x"}, {"Token", "y"}, {"__proto__", "z"},
	}
	for _, w := range ways {
		for _, path := range paths {
			s.exactly(w.name+" with unknown fields", w.build(path, places[0], token, app, append(extra, field{"cpfcnpj", "52998224725"})...), 200, person.want)
		}
	}
	body := `{"token":"` + token + `","app":"ura","tipoclassificacoes":[5],"cliente":{"cpfcnpj":["1"]},"conteudo":null,"enviar_sms":true,"n":1e400,"cpfcnpj":"52998224725"}`
	s.exactly("JSON with lists and objects", request{method: "POST", path: lookupPath, header: []string{"Content-Type: application/json"}, body: []byte(body)}, 200, person.want)
	s.exactly("a list where one value belongs", request{method: "POST", path: lookupPath, header: jsonHeader(), body: []byte(`{"contrato":[5]}`)}, 200, badContract)
}
