package snapshot

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/maptest"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/store"
)

const askingWorld = `
-- gateway.yaml --
emenda: 1
gateway: { mappings: mappings }
backends:
  files:
    url: ${env:FILES_URL}
    sign_in: { bearer: { secret: FILES_TOKEN } }
  drawers:
    url: ${env:DRAWERS_URL}
    sign_in: { user: { secret: DRAWERS_USER }, password: { secret: DRAWERS_PASSWORD } }
  open:
    url: ${env:FILES_URL}
callers:
  reader: { dialect: plain, token: { secret: READER_TOKEN }, permissions: ["plain.*"] }
limits: { each: 3, fuel: 500 }
-- mappings/plain.yaml --
emenda: 1
dialect: plain
prefixes: [/plain]
methods: [POST]
read: [json]
sign_in:
  - header: { token: Authorization, scheme: Bearer }
errors:
  not_signed_in: { status: 401, json: { error: sign in } }
  bad_input: { status: 400, json: { error: "${error.message}" } }
  refused: { status: 422, json: { error: "${error.message}", class: "${error.class ?? null}" } }
  failed: { status: 502, json: { error: failed, class: "${error.class ?? null}" } }
messages: { unreadable: that is no JSON }
-- mappings/item.yaml --
emenda: 1
route: { path: item, dialect: plain }
input: { id: { type: string, required: true }, tag: { type: string }, note: { type: string } }
steps:
  item:
    request: { backend: files, method: GET, path: "/v1/items/{id}", query: { tag: "${?input.tag}", lang: [en, pt] }, header: { X-Note: "${?input.note}" } }
    with: { id: "${input.id}" }
    retry: { times: 1, every: 1ms }
  kept:
    switch:
      - { when: "input.id == \"drawer\"", request: { backend: drawers, method: PUT, path: /kept }, body: { name: "${item?.name ?? null}" } }
      - { skip: true }
    catch: { unknown: { use: { state: perhaps } } }
reply: [{ json: { name: "${?item.name}", kept: "${?kept?.state}", state: "${steps.kept.state}" } }]
tests:
  - name: asked
    caller: reader
    request: { json: { id: a/b, tag: x } }
    upstream:
      - { call: "files GET /v1/items/{id}", expect: { with: { id: a/b, tag: x, lang: [en, pt] } }, answer: { json: { name: Ana } } }
    reply: { json: { name: Ana, state: skipped } }
  - name: not there
    caller: reader
    request: { json: { id: a } }
    upstream: [{ call: "files GET /v1/items/{id}", answer: { status: 404, json: {} } }]
    reply: { status: 422, json: { error: "", class: not_found } }
-- mappings/many.yaml --
emenda: 1
route: { path: many, dialect: plain }
input: { names: { type: array, items: { type: string }, required: true } }
steps:
  texts: { each: "${input.names}", as: n, request: { backend: open, method: GET, path: "/text/{n}", answer: text }, with: { n: "${n}" } }
reply: [{ json: { all: "${texts}" } }]
-- mappings/much.yaml --
emenda: 1
route: { path: much, dialect: plain }
input: { names: { type: array, items: { type: string }, required: true } }
reply: [{ json: { n: { $each: "${input.names}", $as: a, $item: { $each: "${input.names}", $as: b, $item: "${a + b}" } } } }]
`

// asking is the world over real servers; it keeps what they were sent.
type asking struct {
	*Snapshot
	t    *testing.T
	mu   sync.Mutex
	seen []string
}

func newAsking(t *testing.T, metrics *observe.Metrics) *asking {
	a := &asking{t: t}
	server := httptest.NewServer(http.HandlerFunc(a.answer))
	t.Cleanup(server.Close)
	folder := t.TempDir()
	for _, f := range txtar.Parse([]byte(askingWorld)).Files {
		name := filepath.Join(folder, f.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, f.Data, 0o600))
	}
	loaded, list := Load(filepath.Join(folder, "gateway.yaml"))
	require.Empty(t, list.Text())
	settings, list := loaded.Resolve(func(name string) (string, bool) {
		return map[string]string{
			"FILES_URL": server.URL + "/files", "DRAWERS_URL": server.URL + "/drawers", "FILES_TOKEN": "t0k",
			"DRAWERS_USER": "u", "DRAWERS_PASSWORD": "p", "READER_TOKEN": "r",
		}[name], true
	})
	require.Empty(t, list.Text())
	s, err := loaded.Open(settings, store.NewLocal(1000), metrics, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(s.Close)
	a.Snapshot = s
	return a
}

func (a *asking) answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	line := r.Method + " " + r.RequestURI
	for _, h := range []string{"Authorization", "X-Note", "Content-Type"} {
		if v := r.Header.Get(h); v != "" {
			line += " " + h + ": " + v
		}
	}
	a.seen = append(a.seen, strings.TrimSpace(line+" "+string(body)))
	a.mu.Unlock()
	switch rest, _ := strings.CutPrefix(r.URL.Path, "/files/v1/items/"); {
	case strings.HasPrefix(r.URL.Path, "/files/text/"):
		_, _ = io.WriteString(w, "text of "+r.URL.Path[len("/files/text/"):])
	case r.URL.Path == "/drawers/kept":
		w.WriteHeader(http.StatusBadGateway)
	case rest == "gone":
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{}`)
	case rest == "page":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<html>hello</html>`)
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"name":"Ana"}`)
	}
}

// ask sends a request as the reader and gives the answer, and what the servers were sent.
func (a *asking) ask(path, body string) (string, []string) {
	a.mu.Lock()
	a.seen = nil
	a.mu.Unlock()
	for _, route := range a.Set.Routes {
		if route.Path != path {
			continue
		}
		res := a.Exchanger.Serve(context.Background(), route, &intake.Request{
			ID: "id", Method: "POST", Path: "/plain/" + path, Type: "application/json", Body: body,
			Header: func(name string) string {
				return map[string]string{"Authorization": "Bearer r", "Content-Type": "application/json"}[name]
			},
		}, nil, nil)
		return http.StatusText(res.Status) + " " + string(res.Body), slices.Clone(a.seen)
	}
	require.Fail(a.t, "no such route")
	return "", nil
}

func TestRequestStep(t *testing.T) {
	a := newAsking(t, nil)
	const item = "GET /files/v1/items/"
	const rest = " Authorization: Bearer t0k"
	for name, c := range map[string]struct {
		path, body, want string
		sent             []string
	}{
		"a value":        {"item", `{"id":"7"}`, `OK {"name":"Ana","state":"skipped"}`, []string{item + "7?lang=en&lang=pt" + rest}},
		"query, header":  {"item", `{"id":"7","tag":"a&b","note":"so"}`, `OK {"name":"Ana","state":"skipped"}`, []string{item + "7?tag=a%26b&lang=en&lang=pt" + rest + " X-Note: so"}},
		"a path's parts": {"item", `{"id":"../x"}`, `Internal Server Error {"error":"failed","class":"template"}`, nil},
		"a slash":        {"item", `{"id":"a/b%2f?c"}`, `OK {"name":"Ana","state":"skipped"}`, []string{item + "a%2Fb%252f%3Fc?lang=en&lang=pt" + rest}},
		"a line break":   {"item", `{"id":"7","note":"a\r\nX: y"}`, `Internal Server Error {"error":"failed","class":"template"}`, nil},
		"unreadable":     {"item", `{"id": `, `Bad Request {"error":"that is no JSON"}`, nil},
		"not there":      {"item", `{"id":"gone"}`, `Unprocessable Entity {"error":"","class":"not_found"}`, []string{item + "gone?lang=en&lang=pt" + rest}},
		"a page, twice asked for": {
			"item", `{"id":"page"}`, `Bad Gateway {"error":"failed","class":"bad_answer"}`,
			[]string{item + "page?lang=en&lang=pt" + rest, item + "page?lang=en&lang=pt" + rest},
		},
		"a change, once": {
			"item", `{"id":"drawer"}`, `OK {"name":"Ana","kept":"perhaps","state":"unknown"}`,
			[]string{item + "drawer?lang=en&lang=pt" + rest, `PUT /drawers/kept Authorization: Basic dTpw Content-Type: application/json {"name":"Ana"}`},
		},
		"as often as there are elements": {"many", `{"names":["a"]}`, `OK {"all":["text of a"]}`, []string{"GET /files/text/a"}},
		"within the limits":              {"many", `{"names":["a","a","a"]}`, `OK {"all":["text of a","text of a","text of a"]}`, []string{"GET /files/text/a", "GET /files/text/a", "GET /files/text/a"}},
		"more elements than each allows": {"many", `{"names":["a","b","c","d"]}`, `Internal Server Error {"error":"failed","class":"template"}`, nil},
		"little work":                    {"much", `{"names":["a"]}`, `OK {"n":[["aa"]]}`, nil},
		"more work than fuel allows":     {"much", `{"names":[` + strings.Repeat(`"a",`, 40) + `"a"]}`, `Internal Server Error {"error":"failed","class":"template"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, sent := a.ask(c.path, c.body)
			require.Equal(t, c.want, got)
			require.Equal(t, c.sent, sent)
		})
	}
	for _, r := range maptest.Run(a.Set, maptest.Options{Callers: a.TestCallers(), Zone: a.Zone()}) {
		require.Empty(t, r.Failures, r.Name)
	}
	require.Equal(t, "good: 3 routes, 0 flows, 0 tables, 3 operations of 3 backends, 2 tests", a.Summary())
}

// Metrics know requests by backend, method and path, never by their values.
func TestRequestStepMetrics(t *testing.T) {
	metrics := observe.NewMetrics("test")
	a := newAsking(t, metrics)
	a.ask("item", `{"id":"52998224725"}`)
	a.ask("item", `{"id":"drawer"}`)
	w := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	var calls []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "emenda_backend_calls_total{") && !strings.HasSuffix(line, " 0\n") {
			calls = append(calls, strings.TrimSpace(strings.TrimPrefix(line, "emenda_backend_calls_total")))
		}
	}
	require.Equal(t, []string{
		`{backend="drawers",class="status",operation="PUT /kept",state="unknown"} 1`,
		`{backend="files",class="",operation="GET /v1/items/{id}",state="ok"} 2`,
	}, calls)
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "emenda_") { // others hold numbers of the process, which may be any
			require.NotContains(t, line, "52998224725")
		}
	}
}
