package routes

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// These live as long as the program: clocks of the HTTP library, and its
		// collector of idle workers, which ends some seconds after its server.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp/stackless.NewFunc.func1"),
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1.1"))
}

// The callers' tokens.
const (
	kioskToken = "kiosk-secret-token-1"
	guestToken = "guest-secret-token-1"
)

// world is a gateway under test, with its shop.
type world struct {
	t       *testing.T
	server  *Server
	addr    string
	log     *lines
	metrics *observe.Metrics
	shop    *httptest.Server
	hold    chan struct{} // when made, the shop answers once it is closed
	arrived chan struct{} // a call has come to the shop
	ended   chan error
	stopped sync.Once
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

// all gives the lines whose msg is given.
func (l *lines) all(t *testing.T, msg string) (found []map[string]any) {
	for line := range strings.Lines(l.text()) {
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &m), line)
		if m["msg"] == msg {
			found = append(found, m)
		}
	}
	return found
}

func environment(shop string) func(string) (string, bool) {
	env := map[string]string{
		"SHOP_URL": shop, "SHOP_USER": "u", "SHOP_PASSWORD": "p",
		"KIOSK_TOKEN": kioskToken, "GUEST_TOKEN": guestToken,
	}
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

// open loads testdata, or a copy with changed files.
func open(t *testing.T, config, shop string, m *observe.Metrics, log ...*slog.Logger) *snapshot.Snapshot {
	loaded, list := snapshot.Load(config)
	require.False(t, list.HasErrors(), list.Text())
	settings, list := loaded.Resolve(environment(shop))
	require.False(t, list.HasErrors(), list.Text())
	s, err := loaded.Open(settings, store.NewLocal(1000), m, append(log, slog.New(slog.DiscardHandler))[0])
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// changed copies testdata to a folder of its own and replaces text in one file.
func changed(t *testing.T, file, from, to string) string {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata")))
	name := filepath.Join(dir, file)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Contains(t, string(text), from)
	require.NoError(t, os.WriteFile(name, []byte(strings.ReplaceAll(string(text), from, to)), 0o600))
	return filepath.Join(dir, "gateway.yaml")
}

func start(t *testing.T, config string) *world {
	w := &world{t: t, log: &lines{}, metrics: observe.NewMetrics("test"), ended: make(chan error, 1), arrived: make(chan struct{}, 64)}
	w.shop = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if w.hold != nil {
			w.arrived <- struct{}{}
			select {
			case <-w.hold:
			case <-r.Context().Done(): // a test that failed holds nobody
			}
		}
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write(body)
	}))
	t.Cleanup(func() {
		w.shop.CloseClientConnections()
		w.shop.Close()
	})
	log := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.server = NewServer(open(t, config, w.shop.URL, w.metrics, log), w.metrics, log)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w.addr = ln.Addr().String()
	go func() { w.ended <- w.server.Serve(ln) }()
	t.Cleanup(w.stop)
	return w
}

func (w *world) stop() {
	w.stopped.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(w.t, w.server.Shutdown(ctx))
		require.NoError(w.t, <-w.ended)
	})
}

// answer is one answer, as it came.
type answer struct {
	status int
	header http.Header
	body   string
	closed bool
}

// raw sends bytes on a connection of its own and reads as many answers as there are methods.
func (w *world) raw(send string, methods ...string) []answer {
	c, err := net.Dial("tcp", w.addr)
	require.NoError(w.t, err)
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, send)
	require.NoError(w.t, err)
	return read(w.t, c, methods...)
}

func read(t *testing.T, c net.Conn, methods ...string) (all []answer) {
	if len(methods) == 0 {
		methods = []string{"GET"}
	}
	require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	r := bufio.NewReader(c)
	for _, m := range methods {
		res, err := http.ReadResponse(r, &http.Request{Method: m})
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.NotContains(t, res.Header, "Server")
		if m != "HEAD" && res.StatusCode != http.StatusNoContent {
			require.Equal(t, fmt.Sprint(len(body)), res.Header.Get("Content-Length"))
		}
		all = append(all, answer{status: res.StatusCode, header: res.Header, body: string(body), closed: res.Close})
	}
	return all
}

// request spells a request with the kiosk's credentials in the header.
func request(line, body string, header ...string) string {
	h := "Host: gateway\r\nAuthorization: Token " + kioskToken + "\r\nApp: kiosk\r\n"
	for _, f := range header {
		h += f + "\r\n"
	}
	if body != "" {
		h += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return line + " HTTP/1.1\r\n" + h + "\r\n" + body
}

const form = "Content-Type: application/x-www-form-urlencoded"
