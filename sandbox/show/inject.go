package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// injection is language-5 under way.
type injection struct {
	r    *report
	t    *tally
	g    *gateway
	erp  *stub
	byDc upstream // what a lookup by document sends
	byCt upstream // what a lookup by contract sends first
	n    int      // cases so far, for request ids
	sent int      // cases that reached the backend
}

// showInjection puts what breaks out of unescaped places into every input and
// compares what the backend received, byte for byte.
func showInjection(o options, r *report) error {
	erp, err := startStub()
	if err != nil {
		return err
	}
	defer erp.stop()
	s := &injection{r: r, t: newTally(r), erp: erp}
	if s.g, err = startGateway(o, erp.url(), "--log-level", "debug"); err != nil {
		return err
	}
	defer s.g.close()
	if !s.calibrate() {
		return nil
	}
	s.searches()
	s.credentials()
	s.extras()
	s.headers()
	s.paths()
	s.documents()
	s.fromBackend()
	s.leaks()
	r.begin("every answer")
	select {
	case <-s.g.ended:
		r.check(false, "the gateway ended by itself")
	default:
		r.check(true, "")
	}
	r.notef("%d cases, %d reached the backend, %s", s.n, s.sent, s.t.figures())
	return nil
}

// upstream is a request as the backend receives it, with room for what varies:
// body, its length, the request id.
type upstream struct {
	head          string // %LENGTH% and %ID% in it
	before, after string // of the body, around the value
}

// with gives the bytes for a value in the body.
func (u upstream) with(value, id string) []byte {
	body := u.before + value + u.after
	head := strings.NewReplacer("%LENGTH%", strconv.Itoa(len(body)), "%ID%", id).Replace(u.head)
	return []byte(head + body)
}

// calibrate learns from two harmless lookups what is sent, and checks it
// strictly: from there on every byte is known beforehand.
func (s *injection) calibrate() bool {
	s.r.begin("what a harmless lookup sends")
	learn := func(f field, line, body string) (u upstream, ok bool) {
		q := plain(f)
		q.header = append(q.header, "X-Request-Id: calibrate")
		a, err := send(s.g.address, q)
		seen := s.erp.take()
		if !s.t.sound(f.name, a, err, nothingElse) ||
			!s.r.check(len(seen) == 1, "%s: %d requests reached the backend, want 1", f.name, len(seen)) {
			return u, false
		}
		head, got, _ := strings.Cut(string(seen[0]), "\r\n\r\n")
		s.r.check(got == body, "%s: the body is %s, want %s", f.name, got, body)
		lines := strings.Split(head, "\r\n")
		s.r.check(lines[0] == line+"HTTP/1.1", "%s: the request line is %q", f.name, lines[0])
		want := map[string]string{
			"Host": s.erp.Addr().String(), "Content-Type": "application/json", "Content-Length": strconv.Itoa(len(body)), "X-Request-Id": "calibrate",
			"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("sandbox:"+erpPassword)),
		}
		for i, l := range lines[1:] {
			name, value, _ := strings.Cut(l, ": ")
			switch name {
			case "User-Agent", "Accept", "Accept-Encoding", "Connection": // the client's own, the same each time
			default:
				s.r.check(want[name] == value && value != "", "%s: header %q, want %q", f.name, l, want[name])
				delete(want, name)
			}
			switch name {
			case "Content-Length":
				lines[i+1] = "Content-Length: %LENGTH%"
			case "X-Request-Id":
				lines[i+1] = "X-Request-Id: %ID%"
			}
		}
		delete(want, "X-Request-Id") // a backend need not get it
		s.r.check(len(want) == 0, "%s: headers missing: %v", f.name, want)
		before, after, ok := strings.Cut(body, f.value)
		return upstream{head: strings.Join(lines, "\r\n") + "\r\n\r\n", before: before, after: after}, ok
	}
	var ok1, ok2 bool
	s.byDc, ok1 = learn(field{"cpfcnpj", "52998224725"}, customerLine, `{"cpfcnpj":"52998224725"}`)
	s.byCt, ok2 = learn(field{"contrato", "1300002"}, contractLn, `{"idContrato":1300002}`)
	return ok1 && ok2
}

// outcome is what a case must come to: one request with a value, or an answer
// without any.
type outcome struct {
	up        *upstream // nil: nothing may be sent
	value     string
	status    int
	body      string // "" for any sound refusal of status
	mayRefuse bool   // a refusal by size or form is as good
}

func (s *injection) looksUp(u *upstream, value string) outcome {
	return outcome{up: u, value: value, status: 200, body: nobody}
}

func refusedWith(status int, body string) outcome { return outcome{status: status, body: body} }

// attack makes one request and compares what came out at both ends.
func (s *injection) attack(what string, q request, want outcome) {
	s.n++
	id := fmt.Sprintf("case-%d", s.n)
	q.header = append(slices.Clone(q.header), "X-Request-Id: "+id)
	a, err := send(s.g.address, q)
	seen := s.erp.take()
	may := nothingElse
	if want.mayRefuse {
		may = outside
	}
	if !s.t.sound(what, a, err, may) {
		return
	}
	// What HTTP itself refuses was never read as far as its id.
	s.r.check(a.header.Get("X-Request-Id") == id || want.mayRefuse && a.status/100 == 4, "%s: the request id came back as %q", what, a.header.Get("X-Request-Id"))
	s.compare(what, a, seen, want, id)
}

func (s *injection) compare(what string, a *answer, seen [][]byte, want outcome, id string) {
	if want.mayRefuse && len(seen) == 0 && slices.Contains([]int{400, 413, 414, 431}, a.status) {
		s.r.check(true, "")
		return
	}
	s.r.check(a.status == want.status && (want.body == "" || string(a.body) == want.body),
		"%s: want %d %s, got %d %s", what, want.status, want.body, a.status, cutText(a.body))
	if want.up == nil {
		s.r.check(len(seen) == 0, "%s: the backend received %q", what, cutText(bytes.Join(seen, []byte(" | "))))
		return
	}
	s.sent++
	expected := want.up.with(want.value, id)
	s.r.check(len(seen) == 1 && bytes.Equal(seen[0], expected), "%s: want %q, the backend received %q", what, cutText(expected), cutText(bytes.Join(seen, []byte(" | "))))
}

// bodies are the ways a value can come in, those that escape and one that does not.
var injectionWays = []way{ways[0], ways[1], ways[2], ways[4], ways[6], {name: "form, unescaped", method: "POST", encode: encodeRawForm}}

// encodeRawForm escapes only what would end the value.
func encodeRawForm(fields []field) ([]byte, string) {
	esc := strings.NewReplacer("%", "%25", "&", "%26", "=", "%3D", "+", "%2B")
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(esc.Replace(f.name) + "=" + esc.Replace(f.value) + "&") // line breaks at the end of a body do not count
	}
	return []byte(b.String()), "application/x-www-form-urlencoded"
}

// expect is what a lookup for these two received values must come to.
func (s *injection) expect(name, value string) outcome {
	if value == "" || value == "None" {
		return refusedWith(200, nothingGiven)
	}
	if name == "cpfcnpj" {
		if d, ok := document(value); ok {
			return s.looksUp(&s.byDc, d)
		}
		return refusedWith(200, badDocument)
	}
	if n, ok := contractNumber(value); ok {
		if _, err := strconv.ParseInt(n, 10, 64); err == nil { // the backend's "Long"
			return s.looksUp(&s.byCt, n)
		}
	}
	return refusedWith(200, badContract)
}

// searches puts the attacks into the two fields that travel on.
func (s *injection) searches() {
	for _, name := range []string{"cpfcnpj", "contrato"} {
		known := map[string]string{"cpfcnpj": "52998224725", "contrato": "1300002"}[name]
		for _, w := range injectionWays {
			s.r.begin("%s, %s", name, w.name)
			for _, attack := range attacks {
				for _, value := range []string{attack, known + attack, attack + known, known + attack + marker} {
					what := fmt.Sprintf("%s %s %q", name, w.name, value)
					s.attack(what, w.build(lookupPath, places[0], token, app, field{name, value}), s.expect(name, value))
				}
			}
			for size, value := range large {
				want := s.expect(name, known+value)
				want.mayRefuse = true
				s.attack(name+" "+w.name+" "+size, w.build(lookupPath, places[0], token, app, field{name, known + value}), want)
			}
			s.r.notef("%d values", 4*len(attacks)+len(large))
		}
	}
}

// credentials puts them into token and app: never right, never sent on.
func (s *injection) credentials() {
	who := field{"cpfcnpj", "52998224725"}
	for _, w := range injectionWays {
		s.r.begin("token and app, %s", w.name)
		for _, attack := range append(slices.Clone(attacks), large["900,000 letters"]) {
			for _, c := range [][2]string{{token + attack, app}, {attack + marker, app}, {token, app + attack}} {
				want := refusedWith(403, wrongCredentials)
				want.mayRefuse = len(attack) > 1000
				s.attack(fmt.Sprintf("token %.60q app %.60q", c[0], c[1]), w.build(lookupPath, places[0], c[0], c[1], who), want)
			}
		}
	}
}

// extras puts them into fields that are not mapped, as values and as names.
func (s *injection) extras() {
	who := field{"cpfcnpj", "52998224725"}
	right := s.looksUp(&s.byDc, "52998224725")
	for _, w := range injectionWays {
		s.r.begin("unmapped fields, %s", w.name)
		for _, attack := range attacks {
			s.attack(fmt.Sprintf("value %q", attack), w.build(lookupPath, places[0], token, app, field{"conteudo", attack + marker}, who), right)
			want := right
			// A backslash escapes the quote that ends a part's name.
			want.mayRefuse = strings.HasPrefix(w.name, "multipart") && strings.Contains(attack, `\`)
			s.attack(fmt.Sprintf("name %q", attack), w.build(lookupPath, places[0], token, app, field{attack + marker, "1"}, who), want)
		}
		for size, value := range large {
			want := right
			want.mayRefuse = true
			s.attack("value "+size, w.build(lookupPath, places[0], token, app, field{"conteudo", value}, who), want)
		}
	}
}

var fitID = regexp.MustCompile(`^[0-9A-Za-z._-]{1,64}$`)

// documentInID is what an id may not hold, whoever names a call after its caller: ten digits or more, punctuated or not.
var documentInID = regexp.MustCompile(`[0-9](?:[._-]*[0-9]){9}`)

// headers puts them into the headers that are read, and into others.
func (s *injection) headers() {
	who := field{"cpfcnpj", "52998224725"}
	right := s.looksUp(&s.byDc, "52998224725")
	s.r.begin("headers: Authorization, App, others")
	for _, attack := range attacks {
		if strings.ContainsAny(attack, "\r\n") {
			continue // another header line, not a value
		}
		odd := strings.ContainsAny(attack, "\x00\x1b\x7f") // no field value (RFC 9110, 5.5)
		inHeader := func(header ...string) request {
			q := ways[0].build(lookupPath, place{}, "", "", who)
			q.header = append(q.header, header...)
			return q
		}
		wrong := refusedWith(403, wrongCredentials)
		wrong.mayRefuse = odd
		blank := strings.Trim(attack, " \t") == ""
		if !blank {
			s.attack(fmt.Sprintf("Token %q", attack), inHeader("Authorization: Token "+token+attack, "App: "+app), wrong)
			s.attack(fmt.Sprintf("App %q", attack), inHeader("Authorization: Token "+token, "App: "+app+attack), wrong)
		}
		want := right
		want.mayRefuse = odd
		for _, name := range []string{"X-Anything", "User-Agent", "Cookie", "Accept", "X-Forwarded-For", "Referer", "Token"} {
			q := plain(who)
			q.header = append(q.header, name+": "+attack+marker)
			s.attack(fmt.Sprintf("%s %q", name, attack), q, want)
		}
	}
	s.r.begin("X-Request-Id")
	for _, attack := range append([]string{"", "ivr-1", "1", "39053344705", strings.Repeat("a", 64), strings.Repeat("a", 65)}, attacks...) {
		for _, id := range []string{attack, "ivr" + attack} {
			if strings.ContainsAny(id, "\r\n\x00\x1b\x7f") {
				continue
			}
			s.requestID(id, who, right)
		}
	}
}

// requestID sends an id: one that is fit goes through, any other is replaced.
func (s *injection) requestID(id string, who field, want outcome) {
	s.n++
	q := plain(who)
	q.header = append(q.header, "X-Request-Id: "+id)
	a, err := send(s.g.address, q)
	seen := s.erp.take()
	what := fmt.Sprintf("X-Request-Id %q", id)
	if !s.t.sound(what, a, err, nothingElse) {
		return
	}
	got := a.header.Get("X-Request-Id")
	if id = strings.Trim(id, " \t"); fitID.MatchString(id) && strings.Trim(id, "0123456789._-") != "" && !documentInID.MatchString(id) {
		s.r.check(got == id, "%s: it came back as %q", what, got)
	} else {
		s.r.check(regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(got), "%s: the answer's id is %q", what, got)
	}
	s.compare(what, a, seen, want, got)
}

// paths puts them into the path: there is such a route, or there is not.
func (s *injection) paths() {
	s.r.begin("paths")
	for _, attack := range attacks {
		if strings.ContainsAny(attack, "\r\n\t \x00?#") {
			continue // the end of the request line, or of the path
		}
		for _, path := range []string{lookupPath + attack, "/ws/ura/" + attack, "/ws/ura/" + attack + "/consultacliente/", "/ws/ura/consultacliente" + attack + "52998224725"} {
			s.onPath(path)
		}
	}
	for _, path := range []string{
		"/ws/ura/../ura/consultacliente/", "/ws/ura/./consultacliente/", "/ws//ura/consultacliente/", "//ws/ura/consultacliente/", "/ws/ura/consultacliente/..", "/ws/ura/%63onsultacliente/",
		"/ws/ura%2fconsultacliente/", "/ws/ura/consultacliente/%2e%2e/", "/ws/comercial/cliente/dados/todos", "/%2e%2e/ws/ura/consultacliente/", "*", "http://127.0.0.1/ws/ura/consultacliente/",
		"/ws/ura/" + strings.Repeat("52998224725", 900),
	} {
		s.onPath(path)
	}
}

// onPath asks on a path: nothing is sent but, where the path still names the
// route, the lookup itself.
func (s *injection) onPath(path string) {
	s.n++
	q := plain(field{"cpfcnpj", "52998224725"})
	q.path = path
	id := fmt.Sprintf("case-%d", s.n)
	q.header = append(q.header, "X-Request-Id: "+id)
	a, err := send(s.g.address, q)
	seen := s.erp.take()
	what := fmt.Sprintf("path %.80q", path)
	if !s.t.sound(what, a, err, outside) {
		return
	}
	if len(seen) == 0 {
		s.r.check(slices.Contains([]int{400, 404, 405, 413, 414, 431}, a.status), "%s: status %d", what, a.status)
		return
	}
	s.compare(what, a, seen, s.looksUp(&s.byDc, "52998224725"), id)
}
