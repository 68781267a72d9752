package routes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/store"
)

func TestPanics(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	a := w.server.app.Load()
	routes := a.snapshot.Set.Routes
	route := routes[slices.IndexFunc(routes, func(r *mapping.Route) bool { return r.Plan.Name == "plain/echo" })]
	for name, c := range map[string]struct {
		handler fasthttp.RequestHandler
		body    string
	}{
		"before a route": {func(*fasthttp.RequestCtx) { panic("52998224725") }, `{"detail":"ours","id":"abc"}`},
		"in a route, half answered": {func(ctx *fasthttp.RequestCtx) {
			x := arrived(ctx)
			x.route, x.counters, x.errors = route.Plan.Name, w.metrics.Route(route.Plan.Name), route.Errors
			ctx.SetBodyString("half")
			ctx.Response.Header.Set("X-Half", "1")
			panic(errors.New("52998224725"))
		}, `{"detail":"ours","id":"abc"}`},
		"in the words of an error": {func(ctx *fasthttp.RequestCtx) {
			arrived(ctx).errors = &mapping.ErrorReplies{}
			panic("52998224725")
		}, `{"error":"internal error"}`},
	} {
		t.Run(name, func(t *testing.T) {
			w.server.app.Store(&app{snapshot: a.snapshot, metrics: a.metrics, log: a.log, lost: a.lost, paths: a.paths, only: a.only, handler: c.handler, end: a.end})
			got := w.raw(request("GET /p/echo", "", "X-Request-Id: abc"))[0]
			require.Equal(t, 500, got.status)
			require.Equal(t, c.body, got.body)
			require.Equal(t, "application/json", got.header.Get("Content-Type"))
			require.Equal(t, "abc", got.header.Get("X-Request-Id"))
			require.Empty(t, got.header.Get("X-Half"))
		})
	}
	w.stop()
	told := w.log.all(t, "panic while answering a request")
	require.Len(t, told, 3)
	require.Contains(t, told[0]["stack"], "life_test.go")
	require.NotContains(t, w.log.text(), "52998224725")
	require.Len(t, w.log.all(t, "request"), 3, "each has its line")
	require.Contains(t, scrape(w), "emenda_requests_in_flight 0\n")
}

func scrape(w *world) string {
	rec := httptest.NewRecorder()
	w.metrics.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return rec.Body.String()
}

// Requests in which every text is their own, while snapshots are swapped: no
// answer may hold another's text, and none may fail.
func TestHammer(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	loaded, list := snapshot.Load("testdata/gateway.yaml")
	require.False(t, list.HasErrors(), list.Text())
	settings, list := loaded.Resolve(environment(w.shop.URL))
	require.False(t, list.HasErrors(), list.Text())
	kept := store.NewLocal(1000)
	stop := make(chan struct{})
	var swapping sync.WaitGroup
	swapping.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				next, err := loaded.Open(settings, kept, w.metrics, slog.New(slog.DiscardHandler))
				if !assertNil(t, err) {
					return
				}
				w.server.Swap(next)
			}
		}
	})
	var clients sync.WaitGroup
	const workers, rounds = 8, 60
	for worker := range workers {
		clients.Go(func() {
			c, err := net.Dial("tcp", w.addr)
			if !assertNil(t, err) {
				return
			}
			defer func() { _ = c.Close() }()
			for i := range rounds {
				word := strings.Repeat(fmt.Sprintf("w%dr%d-", worker, i), 1+i*7%40)
				id := fmt.Sprintf("id-%d-%d", worker, i)
				send, method, want := "", "POST", ""
				switch i % 5 {
				case 0:
					send, want = request("POST /p/echo", "word="+word, form, "X-Request-Id: "+id), fmt.Sprintf(`{"word":%q,"caller":"kiosk"}`, word)
				case 1:
					send, method, want = request("GET /p/hello?word="+word, "", "X-Request-Id: "+id), "GET", fmt.Sprintf(`{"hello":%q,"method":"GET","id":%q}`, word, id)
				case 2:
					send, method, want = request("GET /p/items/"+id+"/"+word, "", "X-Request-Id: "+id), "GET", fmt.Sprintf(`{"kind":%q,"number":%q}`, id, word)
				case 3:
					send, want = request("POST /p/hello", word, "Content-Type: application/json", "X-Request-Id: "+id), fmt.Sprintf(`"id":%q}`, id)
				case 4:
					send, want = request("POST /p/echo", `{"word":"`+word+`"}`, "Content-Type: application/json", "X-Request-Id: "+id), fmt.Sprintf(`{"word":%q,"caller":"kiosk"}`, word)
				}
				if _, err := io.WriteString(c, send); !assertNil(t, err) {
					return
				}
				got := read(t, c, method)[0]
				if got.header.Get("X-Request-Id") != id || !strings.HasSuffix(got.body, want) {
					t.Errorf("asked for %s with %s, got %d %s with %s", want, id, got.status, got.body, got.header.Get("X-Request-Id"))
					return
				}
			}
		})
	}
	clients.Wait()
	close(stop)
	swapping.Wait()
	w.stop()
	require.Len(t, w.log.all(t, "request"), workers*rounds)
	require.Contains(t, scrape(w), `emenda_requests_total{caller="kiosk",outcome="ok",route="plain/echo"} 192`)
}

func assertNil(t *testing.T, err error) bool {
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

// Requests under way finish on the snapshot they began with.
func TestSwap(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	w.hold = make(chan struct{})
	c, err := net.Dial("tcp", w.addr)
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, request("GET /p/echo?word=x", ""))
	require.NoError(t, err)
	<-w.arrived
	second := open(t, changed(t, "mappings/plain/echo.yaml", "caller: ", "second: "), w.shop.URL, w.metrics)
	w.server.Swap(second)
	require.Same(t, second, w.server.Snapshot())
	close(w.hold)
	require.Equal(t, `{"word":"x","caller":"kiosk"}`, read(t, c)[0].body)
	_, err = io.WriteString(c, request("GET /p/echo?word=x", ""))
	require.NoError(t, err)
	require.Equal(t, `{"word":"x","second":"kiosk"}`, read(t, c)[0].body)
}

func TestGracefulStop(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	w.hold = make(chan struct{})
	admin := w.server.Admin("")
	code, body := get(admin, "/readyz", "")
	require.Equal(t, 200, code)
	require.JSONEq(t, `{"status":"ready","configuration":"`+w.server.Snapshot().Hash+`","left_out":[{"kind":"backend","name":"absent","why":"ABSENT_URL is not set"}],"store":{"kind":"file","up":true}}`, body)
	busy, err := net.Dial("tcp", w.addr)
	require.NoError(t, err)
	defer func() { _ = busy.Close() }()
	_, err = io.WriteString(busy, request("GET /p/echo?word=x", ""))
	require.NoError(t, err)
	<-w.arrived
	stopped := make(chan error, 1)
	go func() { stopped <- w.server.Shutdown(context.Background()) }()
	require.NoError(t, <-w.ended, "the listener is closed first")
	w.ended <- nil
	code, body = get(admin, "/readyz", "")
	require.Equal(t, 503, code)
	require.JSONEq(t, `{"status":"stopping"}`, body)
	code, _ = get(admin, "/healthz", "")
	require.Equal(t, 200, code, "it is alive while it stops")
	// Serve may return a moment before the socket that it accepted from is gone.
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", w.addr)
		if err == nil {
			_ = c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	}, 5*time.Second, time.Millisecond)
	select {
	case err := <-stopped:
		t.Fatal("stopped with a request under way: ", err)
	default:
	}
	close(w.hold)
	got := read(t, busy)[0]
	require.Equal(t, `{"word":"x","caller":"kiosk"}`, got.body)
	require.True(t, got.closed)
	require.NoError(t, <-stopped)
}

func TestStopHasAnEnd(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	w.hold = make(chan struct{})
	c, err := net.Dial("tcp", w.addr)
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, request("GET /p/echo?word=x", ""))
	require.NoError(t, err)
	<-w.arrived
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.EqualError(t, w.server.Shutdown(ctx), "requests under way were cut off: context canceled")
	close(w.hold)
	read(t, c)
}

func TestStopBeforeServing(t *testing.T) {
	m := observe.NewMetrics("test")
	v := NewServer(open(t, "testdata/gateway.yaml", "http://127.0.0.1:1", m), m, observe.NewLogger(io.Discard, nil))
	require.NoError(t, v.Shutdown(context.Background()))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, v.Serve(ln))
	_, err = net.Dial("tcp", ln.Addr().String())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

// scarce is a listener that fails as one without file descriptors does.
type scarce struct {
	net.Listener
	fails int
}

func (s *scarce) Accept() (net.Conn, error) {
	if s.fails > 0 {
		s.fails--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return s.Listener.Accept()
}

func TestShortageOfDescriptors(t *testing.T) {
	m := observe.NewMetrics("test")
	log := &lines{}
	v := NewServer(open(t, "testdata/gateway.yaml", "http://127.0.0.1:1", m), m, observe.NewLogger(log, nil))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &world{t: t, server: v, addr: ln.Addr().String(), ended: make(chan error, 1)}
	go func() { w.ended <- v.Serve(&scarce{Listener: ln, fails: 2}) }()
	require.Equal(t, 200, w.raw(request("GET /p/hello", ""))[0].status)
	w.stop()
	require.Len(t, log.all(t, "a connection cannot be accepted now"), 2)
}

func get(h http.Handler, path, authorization string) (int, string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

func TestAdminToken(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	admin := w.server.Admin("sesame")
	for path, guarded := range map[string]bool{"/healthz": false, "/readyz": false, "/metrics": true, "/-/unknowns": true} {
		for authorization, right := range map[string]bool{"": false, "Bearer other": false, "Basic sesame": false, "sesame": false, "Bearer sesame": true, "bearer sesame": true} {
			code, body := get(admin, path, authorization)
			want := 200
			if guarded && !right {
				want = 401
				require.JSONEq(t, `{"status":"a bearer token is needed"}`, body)
			}
			if path == "/readyz" {
				require.Equal(t, right, strings.Contains(body, `"configuration"`), "what is served is not for everybody: %s", body)
			}
			require.Equal(t, want, code, "%s with %q", path, authorization)
		}
	}
	rec := httptest.NewRecorder()
	admin.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/healthz", nil))
	require.Equal(t, 405, rec.Code)
	code, _ := get(w.server.Admin(""), "/metrics", "")
	require.Equal(t, 200, code, "without a token it is open: the configuration keeps such a listener on the machine")
	s := w.server.AdminServer("")
	require.NotZero(t, s.ReadHeaderTimeout)
	require.NotZero(t, s.WriteTimeout)
}

// Nothing received is logged but a fit request id and a masked path.
func TestLogLines(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	secrets := []string{kioskToken, "52998224725", "wrongtoken7", "someone@example.com", "word", "u:p", "dTpw"}
	w.raw(request("POST /p/echo?word=52998224725&x=someone@example.com", "", "X-Request-Id: one", "X-Forwarded-For: 52998224725"), "POST")
	w.raw(request("POST /p/echo", "token=wrongtoken7&app=kiosk", form, "X-Request-Id: two"), "POST")
	w.raw(request("GET /p/52998224725/someone@example.com?q=52998224725", "", "X-Request-Id: three"))
	w.raw(request("52998224725 /p/echo", "", "X-Request-Id: four"), "X")
	w.raw("GET /p/52998224725 HTTP/1.1\r\nAuthorization : Token " + kioskToken + "\r\n\r\n")
	w.raw("GARBAGE 52998224725 " + kioskToken + "\r\n\r\n")
	w.stop()
	for _, s := range secrets {
		require.NotContains(t, w.log.text(), s)
	}
	got := w.log.all(t, "request")
	require.Len(t, got, 6)
	address := got[1]["client_address"]
	require.Equal(t, "127.0.0.1", address)
	ids := []any{}
	for i := range got {
		ids = append(ids, got[i]["request_id"])
		require.Greater(t, got[i]["duration_ms"], 0.0)
		for _, k := range []string{"time", "request_id", "duration_ms", "client_address"} {
			delete(got[i], k)
		}
	}
	require.Equal(t, []any{"one", "two", "three", "four"}, ids[:4])
	want := []string{
		`{"level":"INFO","msg":"request","method":"POST","status":200,"outcome":"ok","backend_calls":1,"bytes_in":0,"bytes_out":39,"route":"plain/echo","caller":"kiosk"}`,
		`{"level":"INFO","msg":"request","method":"POST","status":403,"outcome":"bad_sign_in","backend_calls":0,"bytes_in":27,"bytes_out":18,"route":"plain/echo"}`,
		`{"level":"INFO","msg":"request","method":"GET","status":404,"outcome":"no_route","backend_calls":0,"bytes_in":0,"bytes_out":26,"path":"/p/***/***"}`,
		`{"level":"INFO","msg":"request","method":"other","status":405,"outcome":"bad_method","backend_calls":0,"bytes_in":0,"bytes_out":19,"path":"/p/echo"}`,
		`{"level":"INFO","msg":"request","method":"other","status":400,"outcome":"unreadable","backend_calls":0,"bytes_in":0,"bytes_out":99,"path":"/p/***"}`,
		`{"level":"INFO","msg":"request","method":"other","status":400,"outcome":"unreadable","backend_calls":0,"bytes_in":0,"bytes_out":57}`,
	}
	for i := range want {
		line, err := json.Marshal(got[i])
		require.NoError(t, err)
		require.JSONEq(t, want[i], string(line))
	}
}

func TestMetrics(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	w.raw(request("POST /p/echo", "word=x", form), "POST")
	w.raw(request("POST /p/echo", "x=x", form), "POST")
	w.raw(request("GET /p/nothing/52998224725", ""))
	w.stop()
	got := scrape(w)
	for _, want := range []string{
		`emenda_requests_total{caller="kiosk",outcome="ok",route="plain/echo"} 1`,
		`emenda_requests_total{caller="kiosk",outcome="bad_input",route="plain/echo"} 1`,
		`emenda_requests_total{caller="",outcome="no_route",route=""} 1`,
		`emenda_request_duration_seconds_count{route="plain/echo"} 2`,
		`emenda_requests_in_flight 0`,
		`emenda_backend_calls_total{backend="shop",class="",operation="echo",state="ok"} 1`,
		`emenda_backend_call_duration_seconds_count{backend="shop",operation="echo"} 1`,
		`emenda_backend_breaker_state{backend="shop",state="closed"} 1`,
		`emenda_build_info{version="test"} 1`,
		`go_goroutines`,
		`process_open_fds`,
	} {
		require.Contains(t, got, want)
	}
	require.NotContains(t, got, "52998224725")
	require.NotContains(t, got, "/p/", "no path is a label")
}

func TestCheckLoopback(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:1": "", "[::1]:1": "", "localhost:1": "", "127.9.9.9:1": "",
		"0.0.0.0:1":     "the listener: 0.0.0.0:1 can be reached from outside; give a loopback address such as 127.0.0.1",
		":8080":         "the listener: :8080 can be reached from outside; give a loopback address such as 127.0.0.1",
		"10.0.0.1:1":    "the listener: 10.0.0.1:1 can be reached from outside; give a loopback address such as 127.0.0.1",
		"example.com:1": "the listener: example.com:1 can be reached from outside; give a loopback address such as 127.0.0.1",
		"127.0.0.1":     `the listener: "127.0.0.1" is no address of the form host:port`,
	} {
		err := CheckLoopback("the listener", address)
		if want == "" {
			require.NoError(t, err, address)
			continue
		}
		require.EqualError(t, err, want)
	}
}

// A slow reader does not keep a connection for ever.
func TestServerHasTimeouts(t *testing.T) {
	w := start(t, changed(t, "gateway.yaml", "connections: 64", "connections: 64, idle_timeout: 33s"))
	require.Equal(t, 400*time.Millisecond, w.server.http.ReadTimeout)
	require.Equal(t, writeTimeout, w.server.http.WriteTimeout)
	require.Equal(t, 33*time.Second, w.server.http.IdleTimeout)
}

// A backend that is gone is told by the operation that failed, and once when calls to it stop.
func TestAFailedCallIsLogged(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	w.shop.Close()
	for range 6 {
		w.raw(request("POST /p/echo", "word=x", form))
	}
	lines := w.log.all(t, "request")
	require.Len(t, lines, 6)
	require.Equal(t, "shop.echo", lines[0]["failed_operation"])
	require.Equal(t, "broken", lines[0]["failed_class"])
	require.NotContains(t, lines[0], "failed_status", "there was no answer")
	require.Equal(t, "unavailable", lines[5]["failed_class"])
	told := w.log.all(t, "circuit breaker")
	require.Len(t, told, 1)
	require.Equal(t, "open", told[0]["state"])
	require.Equal(t, "shop", told[0]["backend"])
}
