package durable_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/emenda-gateway/emenda/internal/durable"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/routes"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// These live as long as the program.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp/stackless.NewFunc.func1"),
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1.1"))
}

// How long tests wait for what must come.
const (
	waitLong = 60 * time.Second
	waitTick = 20 * time.Millisecond
)

// shop is a backend that knows repeated calls by their key.
type shop struct {
	*httptest.Server
	mu     sync.Mutex
	made   map[string]int // by Idempotency-Key
	live   map[int]string
	closed []int
	calls  []string
	refuse string // a path's end that is refused
}

func newShop(t *testing.T) *shop {
	s := &shop{made: map[string]int{}, live: map[int]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, r.Method+" "+r.URL.Path)
	w.Header().Set("Content-Type", "application/json")
	if s.refuse != "" && strings.HasSuffix(r.URL.Path, s.refuse) {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	id := 0
	if len(parts) > 1 {
		_, _ = fmt.Sscan(parts[1], &id)
	}
	switch {
	case r.Method == http.MethodDelete:
		if _, ok := s.live[id]; !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		delete(s.live, id)
	case len(parts) == 3:
		s.closed = append(s.closed, id)
	default:
		var thing struct{ Name string }
		_ = json.Unmarshal(body, &thing)
		key := r.Header.Get("Idempotency-Key")
		id, ok := s.made[key]
		if !ok {
			id = len(s.made) + 1
			s.made[key], s.live[id] = id, thing.Name
		}
		fmt.Fprintf(w, `{"id":%d}`, id)
		return
	}
	_, _ = io.WriteString(w, "{}")
}

func (s *shop) with(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

// lines collects log lines.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// gateway is a gateway that keeps orders.
type gateway struct {
	t        *testing.T
	shop     *shop
	config   string
	env      map[string]string
	later    atomic.Int64 // how far the clock is ahead
	log      *lines
	metrics  *observe.Metrics
	reloader *snapshot.Reloader
	orders   *durable.Orders
	server   *routes.Server
	address  string
	admin    *httptest.Server
	end      func()
}

// begin copies testdata and starts a gateway on it.
func begin(t *testing.T, s *shop, database string) *gateway {
	g := prepare(t, s, database)
	g.start()
	return g
}

// prepare copies testdata for a gateway that is to be started.
func prepare(t *testing.T, s *shop, database string) *gateway {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata")))
	g := &gateway{t: t, shop: s, config: filepath.Join(dir, "gateway.yaml"), log: &lines{}}
	g.env = map[string]string{
		"DATA": filepath.Join(dir, "data"), "SHOP_URL": s.URL, "ANNA": "key-anna", "BERT": "key-bert", "DATABASE_URL": database,
		"EMENDA_SEAL_KEY": base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)),
	}
	return g
}

func (g *gateway) start() {
	var err error
	t := g.t
	g.reloader, _, err = snapshot.Begin(g.config, func(name string) (string, bool) { v, ok := g.env[name]; return v, ok })
	require.NoError(t, err)
	log := slog.New(slog.NewJSONHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	g.metrics = observe.NewMetrics("test")
	kept, err := g.reloader.OpenStore(g.metrics, log)
	require.NoError(t, err)
	g.orders = durable.New(durable.Options{Keys: kept.Keys(), Log: log, Clock: func() time.Time { return time.Now().Add(time.Duration(g.later.Load())) }})
	snap, err := g.reloader.Open(kept, g.orders, g.metrics, log)
	require.NoError(t, err)
	g.server = routes.NewServer(snap, g.metrics, log)
	g.server.ReloadWith(g.reloader)
	g.server.OrdersWith(g.orders)
	g.metrics.Ask(g.orders.Samples)
	g.reloader.Serve(g.server.Swap)
	g.orders.Serve(g.server.Hold)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g.address = "http://" + ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- g.server.Serve(ln) }()
	g.admin = httptest.NewServer(g.server.Admin(""))
	var once sync.Once
	g.end = func() {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			require.NoError(t, g.orders.Close(ctx))
			require.NoError(t, g.server.Shutdown(ctx))
			require.NoError(t, <-served)
			g.admin.Close()
			require.NoError(t, kept.Close())
		})
	}
	t.Cleanup(g.end)
}

// restart ends the gateway and starts it again.
func (g *gateway) restart() {
	g.end()
	g.start()
}

// ask makes a request as a caller and gives status and body.
func (g *gateway) ask(caller, method, path, body string, header ...string) (int, map[string]any) {
	r, err := http.NewRequest(method, g.address+path, strings.NewReader(body))
	require.NoError(g.t, err)
	r.Header.Set("Authorization", "Bearer key-"+caller)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return do(g.t, r)
}

// askAdmin asks the admin listener.
func (g *gateway) askAdmin(method, path, body string) (int, map[string]any) {
	r, err := http.NewRequest(method, g.admin.URL+path, strings.NewReader(body))
	require.NoError(g.t, err)
	return do(g.t, r)
}

func do(t *testing.T, r *http.Request) (int, map[string]any) {
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	m := map[string]any{}
	if strings.HasPrefix(string(text), "{") {
		require.NoError(t, json.Unmarshal(text, &m), string(text))
	}
	return res.StatusCode, m
}

// make begins an order and gives its id.
func (g *gateway) make(caller, name string) string {
	status, m := g.ask(caller, "POST", "/v1/things", `{"name":"`+name+`","document":"11144477735"}`)
	require.Equal(g.t, 202, status, m)
	return m["id"].(string)
}

// until waits for an order to be in a state.
func (g *gateway) until(id, state string) map[string]any {
	var m map[string]any
	require.Eventually(g.t, func() bool {
		var status int
		status, m = g.askAdmin("GET", "/-/orders/"+id, "")
		return status == 200 && m["state"] == state && (state != "stuck" || m["asks"] == true) // first it is told, then it asks
	}, waitLong, waitTick, "%v: %v", state, m)
	return m
}

// steps gives the names and states of an order's steps.
func steps(m map[string]any) (all []string) {
	list, _ := m["steps"].([]any)
	for _, s := range list {
		step := s.(map[string]any)
		name := step["name"].(string)
		if step["undo"] == true {
			name = "undo " + name
		}
		all = append(all, name+" "+step["state"].(string))
	}
	return slices.Clip(all)
}
