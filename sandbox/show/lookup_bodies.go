package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// bodies asks in bodies as old and broken clients send them.
func (s *lookupShow) bodies() {
	post := func(kind, body string) request {
		q := request{method: "POST", path: lookupPath, body: []byte(body)}
		if kind != "" {
			q.header = []string{"Content-Type: " + kind}
		}
		return q
	}
	const formType, jsonType = "application/x-www-form-urlencoded", "application/json"
	credentials := "token=" + token + "&app=" + app
	who := "&cpfcnpj=98765432100"
	s.r.begin("charsets")
	right := func(what string, q request) { s.exactly(what, q, 200, nobody) }
	right("ISO-8859-1, escaped", post(formType, credentials+who+"&conteudo=Jo%E3o"))
	right("ISO-8859-1, raw", post(formType, credentials+who+"&conteudo=Jo\xe3o"))
	right("ISO-8859-1, declared", post(formType+"; charset=ISO-8859-1", credentials+who+"&conteudo=Jo%E3o"))
	right("ISO-8859-1 in the document", post(formType, credentials+"&cpfcnpj=n%BA+98765432100"))
	right("ISO-8859-1 in JSON", post(jsonType+"; charset=iso-8859-1", `{"token":"`+token+`","app":"ura","cpfcnpj":"n`+"\xba"+` 98765432100"}`))
	right("UTF-8, declared", post(formType+";charset=UTF-8", credentials+who+"&conteudo=Jo%C3%A3o"))
	right("a Content-Type in capitals", post("APPLICATION/X-WWW-FORM-URLENCODED", credentials+who))
	right("a form without Content-Type", post("", credentials+who))
	multipart, kind := encodeMultipart([]field{{"token", token}, {"app", app}, {"cpfcnpj", "98765432100"}, {"conteudo", "Jo\xe3o"}})
	right("ISO-8859-1 in multipart", post(kind, string(multipart)))
	right("multipart with line feeds alone", post(kind, strings.ReplaceAll(string(multipart), "\r\n", "\n")))
	right("multipart, the boundary in quotes", post(`multipart/form-data; boundary="`+boundary+`"`, string(multipart)))
	file := bytes.Replace(multipart, []byte("--"+boundary+"\r\n"), []byte("--"+boundary+"\r\nContent-Disposition: form-data; name=\"foto\"; filename=\"a.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n\x00\xff\xfe\r\n--"+boundary+"\r\n"), 1)
	right("multipart with a file", post(kind, string(file)))
	right("a fourth of a form empty", post(formType, "&&"+credentials+"&&"+who+"&&=&"))
	right("a byte order mark before JSON", post(jsonType, "\ufeff"+`{"token":"`+token+`","app":"ura","cpfcnpj":"98765432100"}`))

	s.r.begin("unreadable bodies")
	bad := func(what string, q request) { s.refused(what, q, 400) }
	bad("UTF-8 declared, bytes that are not", post(formType+"; charset=utf-8", credentials+who+"&conteudo=Jo%E3o"))
	bad("UTF-8 declared for JSON, bytes that are not", post(jsonType+"; charset=utf-8", `{"token":"`+token+`","app":"ura","conteudo":"Jo`+"\xe3o"+`"}`))
	bad("an unknown charset", post(formType+"; charset=utf-16", credentials+who))
	bad("multipart without boundary", post("multipart/form-data", string(multipart)))
	bad("multipart with an empty boundary", post("multipart/form-data; boundary=", string(multipart)))
	bad("multipart with another boundary", post("multipart/form-data; boundary=other", string(multipart)))
	bad("multipart cut short", post(kind, string(multipart[:len(multipart)-30])))
	bad("a boundary whose quotes do not end", post(`multipart/form-data; boundary="x`, string(multipart)))
	bad("form fields under a JSON header", post(jsonType, credentials+who))
	bad("JSON under a form header", post(formType, `{"token":"`+token+`","app":"ura","cpfcnpj":"98765432100"}`))
	bad("JSON under a multipart header", post(kind, `{"token":"`+token+`","app":"ura"}`))
	bad("multipart under a JSON header", post(jsonType, string(multipart)))
	bad("a percent escape cut short", post(formType, credentials+who+"&conteudo=%E"))
	bad("a percent escape of no digits", post(formType, credentials+who+"&conteudo=%zz"))
	bad("XML", post("text/xml", "<cpfcnpj>98765432100</cpfcnpj>"))
	bad("plain text", post("text/plain", credentials+who))
	for _, body := range []string{`{`, `{"token":`, `{"token":"` + token + `",}`, `[]`, `["x"]`, `"x"`, `null`, `12`, `{"a":1}{"b":2}`, `{'token':'x'}`, `{"a":"` + "\n" + `"}`, `{"a":NaN}`, "{\"a\":\"\x00\"}", strings.Repeat(`{"a":`, 100000)} {
		bad(fmt.Sprintf("JSON %.40q", body), post(jsonType, body))
	}
	q := post(formType, credentials+who)
	q.header = append(q.header, "Content-Encoding: gzip")
	bad("said to be compressed", q)
	query := request{method: "GET", path: lookupPath, query: credentials + who + "&x=%zz"}
	bad("a query with a bad escape", query)
	s.refused("too large a body", post(formType, credentials+who+"&x="+strings.Repeat("x", 2<<20)), 413)
	s.refused("too many fields", post(formType, credentials+who+strings.Repeat("&x=1", 5000)), 400)
}

// protocol asks what HTTP allows and old clients do.
func (s *lookupShow) protocol() {
	who := field{"cpfcnpj", "98765432100"}
	s.r.begin("methods and paths that are not there")
	for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"} {
		for _, path := range paths {
			q := plain(who)
			q.method, q.path = method, path
			s.refused(method+" "+path, q, 405)
		}
	}
	for _, path := range []string{
		"/ws/ura/", "/ws/ura", "/ws/ura/consultaclientes", "/ws/ura/CONSULTACLIENTE/", "/ws/ura/consultacliente/x", "/ws/ura/consultacliente//", "/ws/ura//consultacliente/",
		"/api/ura/fatura2via/", "/ws/ura/<script>", "/ws/ura/%3Cscript%3E", "/ws/ura/consultacliente%2f", "/ws/ura/%00",
	} {
		q := plain(who)
		q.path = path
		s.refused(path, q, 404)
	}
	for _, path := range []string{"/", "/favicon.ico", "/ws", "/index.html", "/metrics", "/wsura/consultacliente"} {
		q := plain(who)
		q.path = path
		a, err := send(s.g.address, q)
		if s.t.sound(path, a, err, outside) {
			s.r.check(a.status == 404, "%s: status %d", path, a.status)
		}
	}
	s.r.begin("one connection, several requests; Expect; request ids")
	s.keptAlive(who)
	expect := plain(who)
	expect.header = append(expect.header, "Expect: 100-continue")
	s.exactly("Expect: 100-continue, as PHP sends it", expect, 200, nobody)
	ambiguous := string(plain(who).bytes())
	ambiguous = strings.Replace(ambiguous, "\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n", 1)
	ambiguous = ambiguous[:strings.Index(ambiguous, "\r\n\r\n")+4] + "0\r\n\r\n"
	a, err := sendRaw(s.g.address, http.MethodPost, []byte(ambiguous))
	if s.t.sound("Content-Length and Transfer-Encoding together", a, err, nothingElse) {
		s.r.check(a.status == 400, "Content-Length and Transfer-Encoding together: status %d", a.status)
	}
	for _, raw := range []string{"\r\n\r\nnonsense\r\n\r\n", "POST /ws/ura/consultacliente/ HTTP/1.1\r\nContent-Length: x\r\n\r\n", "POST /ws/ura/consultacliente/ HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n"} {
		a, err := sendRaw(s.g.address, http.MethodPost, []byte(raw))
		if s.t.sound("no HTTP", a, err, outside) {
			s.r.check(a.status/100 == 4, "no HTTP: status %d", a.status)
		}
	}
	id := plain(who)
	id.header = append(id.header, "X-Request-Id: ivr-7f3a.1_b")
	if a := s.ask("a request id", id); a != nil {
		s.r.check(a.header.Get("X-Request-Id") == "ivr-7f3a.1_b", "the request id came back as %q", a.header.Get("X-Request-Id"))
	}
}

// keptAlive sends requests of all ways one after another, and two at once, on one connection.
func (s *lookupShow) keptAlive(who field) {
	c, err := dial(s.g.address)
	if !s.r.check(err == nil, "%v", err) {
		return
	}
	defer func() { _ = c.Close() }()
	for _, w := range ways {
		a, err := c.do(w.method, w.build(lookupPath, places[0], token, app, who).bytes())
		if !s.t.sound(w.name+" on a kept connection", a, err, nothingElse) {
			return
		}
		s.r.check(string(a.body) == nobody, "%s on a kept connection: %s", w.name, cutText(a.body))
	}
	two := plain(who).bytes()
	a, err := c.do(http.MethodPost, append(two, plain().bytes()...))
	if s.t.sound("the first of two at once", a, err, nothingElse) {
		s.r.check(string(a.body) == nobody, "the first of two at once: %s", cutText(a.body))
	}
	_ = c.SetDeadline(time.Now().Add(answerTime))
	a, err = c.read(http.MethodPost)
	if s.t.sound("the second of two at once", a, err, nothingElse) {
		s.r.check(string(a.body) == nothingGiven, "the second of two at once: %s", cutText(a.body))
	}
}
