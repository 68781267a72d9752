package mappings_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/store"
	"github.com/emenda-gateway/emenda/routes"
)

// What signs in: the gateway to the ERP, and its callers to the gateway.
const (
	erpToken      = "token-of-the-erp"
	appPassword   = "secret-of-the-app"
	clerkPassword = "secret-of-the-clerk"
	machineKey    = "key-of-the-machine"
)

// arrived is a request as it came to the ERP.
type arrived struct {
	line   string
	header http.Header
	body   string
}

// app is the shipped gateway under test, and the ERP that it calls.
type appWorld struct {
	t       *testing.T
	url     string
	log     bytes.Buffer // read once the server has ended
	metrics *observe.Metrics
	client  http.Client
	ticket  string

	mu   sync.Mutex
	says http.HandlerFunc
	seen []arrived
}

// ServeHTTP is the ERP: it grants tokens to the gateway, keeps what else arrives, and answers what it was told.
func (w *appWorld) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if user != "gw" || password != "pw" {
		rw.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.URL.Path == "/ws/auth/token/gerar" {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, `{"token":"`+erpToken+`"}`)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.mu.Lock()
	w.seen = append(w.seen, arrived{r.Method + " " + r.RequestURI, r.Header, string(body)})
	says := w.says
	w.mu.Unlock()
	says(rw, r)
}

// answering sets what the ERP says.
func (w *appWorld) answering(says http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.says, w.seen = says, nil
}

// took gives what came since.
func (w *appWorld) took() []arrived {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// saying is an answer as it stands.
func saying(status int, contentType, body string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		if contentType != "" {
			rw.Header().Set("Content-Type", contentType)
		}
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body)
	}
}

// changes of the shipped settings, each from and to.
type changes [][2]string

// startApp serves the shipped settings with changes; unset names variables that are not set.
func startApp(t *testing.T, change changes, unset ...string) *appWorld {
	text, err := os.ReadFile("../gateway.yaml")
	require.NoError(t, err)
	here, err := os.Getwd()
	require.NoError(t, err)
	config := string(text)
	for _, c := range append(changes{
		{"  mappings: ./mappings\n", "  mappings: " + here + "\n"},
		{"    breaker: { failures: 5, pause: 5s }\n", "    breaker: { failures: 100000, pause: 5s }\n"},
		{"callers:\n", `callers:
  clerk: { dialect: app, app: clerk, token: { secret: CLERK_PASSWORD }, permissions: ["app.financeiro"] }
  machine: { dialect: app, token: { secret: MACHINE_KEY }, permissions: ["app.*"] }
`},
	}, change...) {
		require.Equal(t, 1, strings.Count(config, c[0]), c[0])
		config = strings.Replace(config, c[0], c[1], 1)
	}
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))

	w := &appWorld{t: t, metrics: observe.NewMetrics("test")}
	w.answering(saying(200, "application/json", `{}`))
	erp := httptest.NewServer(w)
	t.Cleanup(erp.Close)
	env := map[string]string{
		"ERP_URL": erp.URL, "ERP_USER": "gw", "ERP_PASSWORD": "pw", "URA_TOKEN": "token-of-the-ivr",
		"APP_USER": "balcao", "APP_PASSWORD": appPassword, "CLERK_PASSWORD": clerkPassword, "MACHINE_KEY": machineKey,
	}
	for _, name := range unset {
		delete(env, name)
	}
	loaded, list := snapshot.Load(file)
	require.False(t, list.HasErrors(), list.Text())
	settings, list := loaded.Resolve(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	require.False(t, list.HasErrors(), list.Text())
	log := slog.New(slog.NewJSONHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	kept := store.NewLocal(1000)
	s, err := loaded.Open(settings, kept, w.metrics, log)
	require.NoError(t, err)
	server := routes.NewServer(s, w.metrics, log)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w.url = "http://" + ln.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	transport := &http.Transport{DisableCompression: true}
	w.client = http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, server.Shutdown(ctx))
		require.NoError(t, <-ended)
		s.Close()
		for _, secret := range []string{appPassword, clerkPassword, machineKey, erpToken, "52998224725", "segredo"} {
			require.NotContains(t, w.log.String(), secret)
		}
	})
	a := w.ask("GET", "/ws/auth/token/gerar", "", basicOf("balcao", appPassword))
	var said struct{ Token string }
	if a.status == 200 {
		require.NoError(t, json.Unmarshal([]byte(a.body), &said))
	}
	w.ticket = said.Token
	return w
}

func basicOf(user, password string) http.Header {
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}}
}

// signed are the header fields of a client that does everything right.
func (w *appWorld) signed() http.Header {
	h := basicOf("balcao", appPassword)
	h.Set("Token", w.ticket)
	return h
}

// heard is an answer to a client.
type heard struct {
	status int
	header http.Header
	body   string
}

func (w *appWorld) ask(method, target, body string, header http.Header) heard {
	r, err := http.NewRequest(method, w.url+target, strings.NewReader(body))
	require.NoError(w.t, err)
	r.Header = header
	res, err := w.client.Do(r)
	require.NoError(w.t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	require.NoError(w.t, res.Body.Close())
	return heard{res.StatusCode, res.Header, string(text)}
}

// targetOf spells path and query of a documented request.
func targetOf(op *contract.Operation, ex *contract.Exchange) string {
	path, query := op.Path, []string(nil)
	for i, p := range op.Params {
		switch v := ex.Params[i]; {
		case v.None():
		case p.In == contract.InPath:
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(v.Text()))
		default:
			query = append(query, url.QueryEscape(p.Name)+"="+url.QueryEscape(v.Text()))
		}
	}
	if len(query) > 0 {
		return path + "?" + strings.Join(query, "&") // in the contract's order, which mappings keep
	}
	return path
}

// TestAppPassesTheContract sends every documented request through the gateway:
// it arrives as documented, and the documented answer comes back.
func TestAppPassesTheContract(t *testing.T) {
	w := startApp(t, nil)
	passed, answers, excepted, own := 0, 0, 0, 0
	for _, op := range erp(t).Order {
		for _, ex := range op.Exchanges {
			name, target := op.ID+", "+ex.Name, targetOf(op, ex)
			header := basicOf("balcao", appPassword)
			if op.Token {
				header.Set("Token", w.ticket)
			}
			status, contentType, answer := 204, "", ""
			if ex.Answer != nil {
				answers++
				status, contentType, answer = ex.Answer.Status, ex.Answer.Type, ex.Answer.Answer
			}
			w.answering(saying(status, contentType, answer))
			a := w.ask(op.Method, target, string(ex.Body), header)
			seen := w.took()
			switch {
			case strings.HasPrefix(op.Path, "/ws/auth/token/"):
				own++
				require.Equal(t, 200, a.status, name)
				require.Empty(t, seen, name)
				require.NotContains(t, a.body, erpToken)
				continue
			case ex.Exception != "":
				excepted++
				require.Equal(t, 400, a.status, name)
				require.Empty(t, seen, name)
				continue
			}
			passed++
			require.Len(t, seen, 1, "%s: %d %s", name, a.status, a.body)
			require.Equal(t, op.Method+" "+target, seen[0].line, name)
			require.Equal(t, string(ex.Body), seen[0].body, name)
			require.Len(t, seen[0].header["Authorization"], 1, name)
			if op.Token {
				require.Equal(t, []string{erpToken}, seen[0].header["Token"], name)
			} else {
				require.Empty(t, seen[0].header["Token"], name)
			}
			require.Equal(t, status, a.status, "%s: %s", name, a.body)
			require.Equal(t, answer, a.body, name)
			if contentType != "" {
				require.Equal(t, contentType, a.header.Get("Content-Type"), name)
			}
		}
		for _, ex := range op.Examples { // a failure is the answer, too
			d := op.Exchanges[0]
			if !ex.Failure || d.Exception != "" || strings.HasPrefix(op.Path, "/ws/auth/token/") {
				continue
			}
			answers++
			w.answering(saying(ex.Status, ex.Type, ex.Answer))
			a := w.ask(op.Method, targetOf(op, d), string(d.Body), w.signed())
			require.Equal(t, ex.Status, a.status, "%s, %s", op.ID, ex.Name)
			require.Equal(t, ex.Answer, a.body, "%s, %s", op.ID, ex.Name)
			require.Equal(t, ex.Type, a.header.Get("Content-Type"), "%s, %s", op.ID, ex.Name)
		}
	}
	require.Equal(t, []int{180, 8, 2}, []int{passed, excepted, own})
	require.Greater(t, answers, 250)
}

// TestAcceptsWhatIsDocumented: no documented request is faulted but those that
// say why, nor any that has its parameters as texts, as they come.
func TestAcceptsWhatIsDocumented(t *testing.T) {
	excepted := 0
	for _, op := range erp(t).Order {
		for _, ex := range op.Exchanges {
			texts := slices.Clone(ex.Params)
			for i, v := range texts {
				if !v.None() {
					texts[i] = jsonx.TextValue(v.Text())
				}
			}
			for _, params := range [][]jsonx.Value{ex.Params, texts} {
				faults := op.Accept(params, jsonx.RawValue(string(ex.Body)))
				if ex.Exception == "" {
					require.Empty(t, faults, "%s, %s", op.ID, ex.Name)
				} else {
					require.NotEmpty(t, faults, "%s, %s", op.ID, ex.Name)
				}
			}
			if ex.Exception != "" {
				excepted++
			}
		}
	}
	require.Equal(t, 8, excepted)
}

// metric gives the value of a series, 0 when there is none.
func (w *appWorld) metric(series string) (value int) {
	rec := httptest.NewRecorder()
	w.metrics.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(rec.Body.String()) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			require.NoError(w.t, json.Unmarshal([]byte(rest), &value))
		}
	}
	return value
}
