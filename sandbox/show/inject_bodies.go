package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// documents sends whole bodies that are odd as a whole: keys twice, escapes of
// half a character, parts that imitate others.
func (s *injection) documents() {
	const jsonType, formType = "application/json", "application/x-www-form-urlencoded"
	post := func(kind, body string) request {
		return request{method: "POST", path: lookupPath, header: []string{"Content-Type: " + kind, "Authorization: Token " + token, "App: " + app}, body: []byte(body)}
	}
	right := s.looksUp(&s.byDc, "52998224725")
	twice := refusedWith(200, `{"msg":"cpfcnpj informado mais de uma vez"}`)
	s.r.begin("keys given twice")
	for body, want := range map[string]outcome{
		`{"cpfcnpj":"52998224725","cpfcnpj":"11144477735"}`:                                  twice,
		`{"cpfcnpj":"52998224725","cpfcnpj":"52998224725"}`:                                  twice,
		`{"cpfcnpj":"52998224725","\u0063pfcnpj":"11144477735"}`:                             twice,
		`{"cpfcnpj":"52998224725","CPFCNPJ":"11144477735"}`:                                  right,
		`{"cpfcnpj":"52998224725","x":1,"x":2,"__proto__":{"cpfcnpj":"11144477735"}}`:        right,
		`{"__proto__":{"contrato":1},"constructor":{"prototype":{}},"cpfcnpj":529982247.25}`: right,
		`{"x":{"cpfcnpj":"11144477735"},"cpfcnpj":"52998224725"}`:                            right,
		`{"cpfcnpj":{"$ne":""}}`:                                                             refusedWith(200, badDocument),
		`{"cpfcnpj":["52998224725"]}`:                                                        refusedWith(200, badDocument),
		`{"cpfcnpj":true}`:                                                                   refusedWith(200, badDocument),
		`{"contrato":1300002.0}`:                                                             refusedWith(200, badContract),
		`{"contrato":1e6}`:                                                                   refusedWith(200, badContract),
		`{"contrato":-5}`:                                                                    refusedWith(200, badContract),
		`{"contrato":{}}`:                                                                    refusedWith(200, badContract),
		`{"contrato":99999999999999999999999999}`:                                            refusedWith(200, badContract),
		`{"contrato":1300002}`:                                                               s.looksUp(&s.byCt, "1300002"),
	} {
		s.attack(body, post(jsonType, body), want)
	}
	for body, want := range map[string]outcome{
		"cpfcnpj=52998224725&cpfcnpj=11144477735":           twice,
		"cpfcnpj=52998224725&%63pfcnpj=52998224725":         twice,
		"cpfcnpj=52998224725&cpfcnpj[]=11144477735":         right,
		"cpfcnpj=52998224725&cpfcnpj%00=11144477735":        right,
		"cpfcnpj=52998224725&x=1&x=2&__proto__[contrato]=1": right,
	} {
		s.attack(body, post(formType, body), want)
		q := request{method: "GET", path: lookupPath, query: body, header: []string{"Authorization: Token " + token, "App: " + app}}
		s.attack(body, q, want)
	}
	inBoth := post(formType, "cpfcnpj=52998224725")
	inBoth.query = "cpfcnpj=11144477735"
	s.attack("the body before the query", inBoth, right)
	body, kind := encodeMultipart([]field{{"cpfcnpj", "52998224725\r\n--" + boundary + "\r\nContent-Disposition: form-data; name=\"cpfcnpj\"\r\n\r\n11144477735"}})
	s.attack("a part inside a part", post(kind, string(body)), twice)
	body, _ = encodeMultipart([]field{{"cpfcnpj", "52998224725"}})
	s.attack("a part's header twice", post(kind, strings.Replace(string(body), "\r\n\r\n", "\r\nX-Evil: 1\r\nContent-Type: text/plain\r\n\r\n", 1)), right)

	s.r.begin("escapes of half a character")
	for _, half := range []string{`\ud800`, `\udc00`, `\ud83d`, `\ud83d\ud83d`, `\ude00\ud83d`, `\uD800\u0041`, `\ud83d\ude00`, `\u0000`, `\uffff`, `\u202e`} {
		for _, place := range []string{`{"cpfcnpj":"52998224725%s"}`, `{"cpfcnpj":"%s52998224725"}`, `{"cpfcnpj":"52998224725","conteudo":"%s"}`, `{"cpfcnpj":"52998224725","%s":1}`, `{"contrato":"%s"}`, `{"token":"%s","cpfcnpj":"1"}`, `{"app":"%s","cpfcnpj":"1"}`} {
			body := fmt.Sprintf(place, half)
			s.halved(body, post(jsonType, body), strings.HasPrefix(place, `{"cpfcnpj"`))
		}
	}
}

// halved: a text that is no text is refused, or what is left of it is looked
// up; nothing else.
func (s *injection) halved(body string, q request, mayLookUp bool) {
	s.n++
	id := fmt.Sprintf("case-%d", s.n)
	q.header = append(q.header, "X-Request-Id: "+id)
	a, err := send(s.g.address, q)
	seen := s.erp.take()
	if !s.t.sound(body, a, err, nothingElse) {
		return
	}
	if len(seen) > 0 && mayLookUp {
		s.compare(body, a, seen, s.looksUp(&s.byDc, "52998224725"), id)
		return
	}
	refusal := a.status == 400 || a.status == 403 && string(a.body) == wrongCredentials ||
		a.status == 200 && slices.Contains([]string{badDocument, badContract}, string(a.body))
	s.r.check(refusal && len(seen) == 0, "%s: %d %s, %d requests reached the backend", body, a.status, cutText(a.body), len(seen))
}

// fromBackend: the backend's answers are input, too. What stands in them comes
// out escaped, and never as part of a path.
func (s *injection) fromBackend() {
	defer s.erp.asUsual()
	s.r.begin("texts of the backend in the answer")
	for _, attack := range attacks {
		text := "A" + attack + "Z"
		s.erp.answering(customerLine, `{"TipoPessoa":"PessoaFisica","ClienteEncontrato":true,"NomeCliente":`+quoteJSON(text)+
			`,"ExisteFaturaSemPagamento":false,"IDCliente":1,"Contratos":[{"ValorContrato":1.0,"StatusContrato":`+quoteJSON(text)+
			`,"IDContrato":900001,"DescricaoPlano":"x","TipoContrato":"x","TipoTecnologia":"x","IDVencimento":4}],"ExisteAtendimentoAberto":false,"Faturas":[]}`)
		s.n++
		a, err := send(s.g.address, plain(field{"cpfcnpj", "52998224725"}))
		s.erp.take()
		what := fmt.Sprintf("a name %q", text)
		may := nothingElse
		if !utf8.ValidString(text) { // no JSON: the backend failed
			may = failing
		}
		if !s.t.sound(what, a, err, may) || may == failing {
			s.r.check(a != nil && utf8.Valid(a.body), "%s: the answer is no UTF-8", what)
			continue
		}
		differs := lookupDiffers(a.body, "52998224725", []contractLine{{900001, "", "", 3, 1, "0"}})
		var got struct {
			Contracts []struct{ RazaoSocial, ContratoStatusDisplay string } `json:"contratos"`
		}
		if err := json.Unmarshal(a.body, &got); s.r.check(err == nil && len(got.Contracts) == 1, "%s: %s", what, differs) {
			s.r.check(got.Contracts[0].RazaoSocial == text && got.Contracts[0].ContratoStatusDisplay == text, "%s: it came out as %q", what, got.Contracts[0])
		}
	}
	s.r.begin("numbers of the backend in a path")
	line := regexp.MustCompile(`^GET /ws/(area/cliente|financeiro/faturas/cliente)/-?[0-9]+ HTTP/1\.1\r\n`)
	for i, id := range []string{
		`81593`, `"81593"`, `"81593/../../x"`, `"81593?x=1"`, `"81593#"`, `"%2f"`, `".."`, `"../x"`, `""`, `"\r\nX-Evil: 1"`, `"81593\u0000"`, `" 81593 "`,
		`-1`, `1.5`, `1e3`, `1e400`, `99999999999999999999999999`, `null`, `true`, `[81593]`, `{"a":1}`, `"${input.contrato}"`, `"_TOKEN_"`, `"é"`,
	} {
		contract := fmt.Sprint(910000 + i)
		s.erp.answering(contractLn, `{"ValorContrato":1.0,"StatusContrato":"HABILITADO","IDContrato":`+contract+`,"DescricaoPlano":"x","TipoContrato":"x","TipoTecnologia":"x","IDVencimento":4,`+
			`"Faturas":[{"idsContratos":[`+contract+`],"DebitoAutomatico":false,"CodigoCliente":`+id+`,"ValorMulta":0.0,"IDFatura":90,"ValorJuros":0.0,"nroBoleto":"x","Valor":1.0,"nroDocumento":"x","Vencimento":"2021-03-09"}]}`)
		s.n++
		a, err := send(s.g.address, plain(field{"contrato", contract}))
		seen := s.erp.take()
		what := "a client " + id
		if !s.t.sound(what, a, err, failing|misshapen) {
			continue
		}
		for _, raw := range seen {
			r := string(raw)
			known := strings.HasPrefix(r, contractLn) || strings.HasPrefix(r, tokenLine) || line.MatchString(r)
			s.r.check(known && !strings.Contains(r, "X-Evil"), "%s: the backend received %q", what, cutText(raw))
		}
		if id == "81593" {
			s.r.check(a.status == 200 && len(seen) == 4, "%s: status %d, %d requests", what, a.status, len(seen))
		}
		// Well in between, so that the breaker stays closed.
		s.erp.answering(contractLn, replies()[contractLn])
		s.attack("in between", plain(field{"contrato", "5"}), s.looksUp(&s.byCt, "5"))
	}
}

// leaks looks for received values where they must not be.
func (s *injection) leaks() {
	s.r.begin("log and metrics, at level debug")
	metrics, err := get(s.g.admin + "/metrics")
	if !s.r.check(err == nil, "%v", err) {
		return
	}
	secrets := map[string]string{
		"a document": "52998224725", "a document of an attack": "11144477735", "a masked document": "529.***", "the caller's token": token, "the marker": marker, "the marker in small letters": strings.ToLower(marker),
		"the session token": sessionToken, "HTTP Basic": "c2FuZGJveDpzYW5kYm94", "the customer's name": "STUB",
	}
	log := s.g.err.text() + s.g.out.text()
	for name, secret := range secrets {
		s.r.check(!strings.Contains(metrics, secret), "%s is in the metrics", name)
		if i := strings.Index(log, secret); !s.r.check(i < 0, "%s is in the log", name) {
			s.r.printf("      …%q", log[max(0, i-200):min(len(log), i+100)])
		}
	}
	lines := s.g.err.lines()
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			s.r.check(false, "a log line is no JSON: %.200q", line)
		}
	}
	s.r.check(len(lines) > s.n/2, "only %d log lines for %d requests", len(lines), s.n)
	s.r.notef("%d log lines, %d bytes of metrics, %d secrets looked for", len(lines), len(metrics), len(secrets))
}
