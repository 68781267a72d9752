package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// The dialect's answers that clients compare byte for byte, and the other
// fixed ones of the shipped mapping.
const (
	wrongCredentials = `{"detail":"Credenciais de autenticação incorretas."}`
	noCredentials    = `{"detail":"As credenciais de autenticação não foram fornecidas."}`
	nothingGiven     = `{"msg":"CPF/CNPJ ou Contrato ID Não informados"}`
	nobody           = `{"msg":"Cliente não localizado","contratos":[]}`
	unavailable      = `{"detail":"Serviço indisponível"}`
	ownFault         = `{"detail":"Erro interno"}`
	badDocument      = `{"msg":"cpfcnpj inválido"}`
	badContract      = `{"msg":"contrato inválido"}`
)

const lookupPath = "/ws/ura/consultacliente/"

// field is one field of a request.
type field struct{ name, value string }

// way is a way in which fields travel.
type way struct {
	name    string
	method  string
	chunked bool
	// encode gives the body and its Content-Type; without it the fields go in the query.
	encode func([]field) (body []byte, contentType string)
}

var ways = []way{
	{"form", http.MethodPost, false, encodeForm},
	{"form, chunked", http.MethodPost, true, encodeForm},
	{"multipart", http.MethodPost, false, encodeMultipart},
	{"multipart, chunked", http.MethodPost, true, encodeMultipart},
	{"JSON", http.MethodPost, false, encodeJSON},
	{"JSON, chunked", http.MethodPost, true, encodeJSON},
	{"GET", http.MethodGet, false, nil},
	{"POST with a query", http.MethodPost, false, nil},
}

// place is where the credentials stand.
type place struct {
	name                string
	body, query, header bool
}

var places = []place{
	{name: "in the body", body: true},
	{name: "in the query", query: true},
	{name: "in the header", header: true},
	{name: "in body and header", body: true, header: true},
	{name: "everywhere", body: true, query: true, header: true},
}

// build makes a request of fields that travel in a way, with credentials in a place.
func (w way) build(path string, at place, token, app string, fields ...field) request {
	q := request{method: w.method, path: path, chunked: w.chunked}
	credentials := []field{{"token", token}, {"app", app}}
	var inBody, inQuery []field
	if w.encode == nil {
		inQuery = fields
		at.query = at.query || at.body
	} else {
		inBody = fields
		if at.body {
			inBody = append(credentials, fields...)
		}
	}
	if at.query {
		inQuery = append(credentials, inQuery...)
	}
	if at.header {
		q.header = append(q.header, "Authorization: Token "+token, "App: "+app)
	}
	if len(inQuery) > 0 {
		body, _ := encodeForm(inQuery)
		q.query = string(body)
	}
	if w.encode != nil {
		var kind string
		q.body, kind = w.encode(inBody)
		q.header = append(q.header, "Content-Type: "+kind)
	}
	return q
}

func encodeForm(fields []field) ([]byte, string) {
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = url.QueryEscape(f.name) + "=" + url.QueryEscape(f.value)
	}
	return []byte(strings.Join(parts, "&")), "application/x-www-form-urlencoded"
}

const boundary = "----show-7f3a91d0"

// encodeMultipart writes names and values as they are; a name's quotes and
// line breaks are escaped as browsers do it (HTML, 4.10.21.8).
func encodeMultipart(fields []field) ([]byte, string) {
	var b bytes.Buffer
	name := strings.NewReplacer("\r", "%0D", "\n", "%0A", `"`, "%22")
	for _, f := range fields {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", boundary, name.Replace(f.name), f.value)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes(), "multipart/form-data; boundary=" + boundary
}

func encodeJSON(fields []field) ([]byte, string) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoteJSON(f.name) + ":" + quoteJSON(f.value))
	}
	b.WriteByte('}')
	return b.Bytes(), "application/json"
}

// quoteJSON writes a JSON string, bytes that are no UTF-8 as they are: that is
// what a client with another charset does.
func quoteJSON(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// tally looks at every answer of a driver and counts.
type tally struct {
	r        *report
	mu       sync.Mutex
	statuses map[int]int
	problems int // application/problem+json
}

func newTally(r *report) *tally { return &tally{r: r, statuses: map[int]int{}} }

// allowed is what an answer may be beside a sound one of the dialect.
type allowed uint8

const (
	// failing: a backend was made to fail, the documented answer for it may come.
	failing allowed = 1 << iota
	// misshapen: a backend's answer had not the documented shape; an expression
	// that misses a value in it is the mapping's fault, documented as such.
	misshapen
	// outside: the path is no dialect's, or what came was no HTTP request, so
	// that its path is not known: RFC 9457 then.
	outside
)

// nothingElse allows only sound answers of the dialect.
const nothingElse allowed = 0

// sound checks what holds for every answer: JSON of the dialect, no redirect,
// no page, no failure of the gateway's own.
func (t *tally) sound(what string, a *answer, err error, may allowed) bool {
	if err != nil {
		return t.r.check(false, "%s: no answer: %v", what, err)
	}
	t.mu.Lock()
	t.statuses[a.status]++
	if a.header.Get("Content-Type") == "application/problem+json" {
		t.problems++
	}
	t.mu.Unlock()
	wrong := unsound(a, may)
	return t.r.check(wrong == "", "%s: %s", what, wrong)
}

// unsound tells what is wrong with an answer whatever was asked, "" for nothing.
func unsound(a *answer, may allowed) string {
	kinds := a.header.Values("Content-Type")
	documented := may&failing != 0 && a.status == http.StatusServiceUnavailable && string(a.body) == unavailable ||
		may&misshapen != 0 && a.status == http.StatusInternalServerError && string(a.body) == ownFault
	plain := may&outside != 0 && a.status/100 == 4 && len(kinds) == 1 && kinds[0] == "application/problem+json"
	var members map[string]json.RawMessage
	switch {
	case a.status >= 300 && a.status < 400:
		return fmt.Sprintf("a redirect, %d", a.status)
	case a.status >= 500 && !documented:
		return fmt.Sprintf("status %d: %s", a.status, cutText(a.body))
	case !plain && (len(kinds) != 1 || kinds[0] != "application/json"):
		return fmt.Sprintf("Content-Type %q, status %d", kinds, a.status)
	case bytes.Contains(bytes.ToLower(a.body), []byte("<html")):
		return "a page: " + cutText(a.body)
	case json.Unmarshal(a.body, &members) != nil:
		return "no JSON object: " + cutText(a.body)
	case len(a.header.Values("X-Request-Id")) != 1:
		return "not one X-Request-Id"
	}
	return ""
}

// figures says what the tally counted.
func (t *tally) figures() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	total, parts := 0, []string{}
	for _, class := range []int{2, 3, 4, 5} {
		n := 0
		for status, times := range t.statuses {
			if status/100 == class {
				n += times
			}
		}
		total += n
		parts = append(parts, fmt.Sprintf("%dxx %d", class, n))
	}
	return fmt.Sprintf("%d answers: %s; %d application/json, %d application/problem+json outside the dialect, no page, no other Content-Type",
		total, strings.Join(parts, ", "), total-t.problems, t.problems)
}

// cutText shows a body in a message.
func cutText(b []byte) string {
	if len(b) > 300 {
		return string(b[:300]) + "…"
	}
	return string(b)
}
