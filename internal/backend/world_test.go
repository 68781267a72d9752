package backend

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var things = sync.OnceValue(func() *contract.Contract {
	text, err := os.ReadFile("testdata/things.yaml")
	if err != nil {
		panic(err)
	}
	fns, err := expr.NewFunctions()
	if err != nil {
		panic(err)
	}
	c, list := contract.Load("shop", diag.NewFile("things.yaml", string(text)), fns)
	if len(list) > 0 {
		panic(list.Text())
	}
	return c
})

// seen is a request as a server got it.
type seen struct {
	conn   int // number of its connection
	line   string
	header http.Header
	host   string
	body   string
}

// server is a bare listener that answers as a test says.
type server struct {
	t  *testing.T
	ln net.Listener

	mu    sync.Mutex
	got   []seen
	conns []net.Conn
	done  sync.WaitGroup
}

// reply says what to do with a request: text to write, whether to cut after it.
type reply struct {
	text string
	cut  bool
	hold chan struct{} // wait for this, or the end of the connection, before writing
}

// serve starts a server; answer is asked for each request with its number, from 1.
func serve(t *testing.T, answer func(n int, r seen) reply) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{t: t, ln: ln}
	s.done.Add(1)
	go func() {
		defer s.done.Done()
		for n := 1; ; n++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			s.done.Add(1)
			go s.talk(c, n, answer)
		}
	}()
	t.Cleanup(s.close)
	return s
}

func (s *server) close() {
	_ = s.ln.Close()
	s.cutAll()
	s.done.Wait()
}

// cutAll closes the connections there are.
func (s *server) cutAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
}

func (s *server) talk(c net.Conn, conn int, answer func(int, seen) reply) {
	defer s.done.Done()
	defer func() { _ = c.Close() }()
	br := bufio.NewReader(c)
	for {
		line, err := br.Peek(1)
		if err != nil || len(line) == 0 {
			return
		}
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(r.Body)
		one := seen{conn: conn, line: r.Method + " " + r.RequestURI, header: r.Header, host: r.Host, body: string(body)}
		s.mu.Lock()
		s.got = append(s.got, one)
		n := len(s.got)
		s.mu.Unlock()
		rep := answer(n, one)
		if rep.hold != nil {
			<-rep.hold
		}
		if rep.text != "" {
			_, _ = io.WriteString(c, rep.text)
		}
		if rep.cut {
			return
		}
	}
}

func (s *server) requests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.got...)
}

func (s *server) url() string { return "http://" + s.ln.Addr().String() }

// answer200 is a whole answer of status 200.
func jsonAnswer(status int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

// client gives a client of the server.
func client(t *testing.T, url string, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{
		Contract: things(), URL: url, SignIn: map[string]string{"user": "u", "password": "p"},
		Timeout: 5 * time.Second, AtMost: 64, IdleTimeout: 5 * time.Second,
	}
	for _, f := range change {
		f(&o)
	}
	c, err := New(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// call gives a call of an operation; its texts are the parameters.
func call(t testing.TB, id, body string, params ...string) *Call {
	t.Helper()
	op := things().Operations[id]
	require.NotNil(t, op, id)
	c := &Call{Operation: op, RequestID: "req-1"}
	values := make([]jsonx.Value, len(op.Params))
	for i, p := range params {
		if p != "" {
			values[i] = jsonx.TextValue(p)
		}
	}
	var b []byte
	if body != "" {
		b = []byte(body)
	}
	require.NoError(t, op.Build(&c.Request, values, b))
	return c
}

// said gives an answer in short and releases it: state, class, status, body.
func said(a *Answer) string {
	defer a.Release()
	parts := []string{a.State.String()}
	if a.Class != "" {
		parts = append(parts, a.Class)
	}
	if a.Status != 0 {
		parts = append(parts, fmt.Sprint(a.Status))
	}
	if a.Body.Kind() != jsonx.Absent {
		parts = append(parts, string(a.Body.AppendJSON(nil)))
	}
	return strings.Join(parts, " ")
}

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// watcher notes what an Observer is told.
type watcher struct {
	mu    sync.Mutex
	lines []string
}

func (w *watcher) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

func (w *watcher) Called(op *contract.Operation, state contract.State, class string, _ time.Duration) {
	w.note("%s", strings.TrimSpace(op.ID+" "+state.String()+" "+class))
}
func (w *watcher) BreakerChanged(backend, state string) { w.note("%s %s", backend, state) }
func (w *watcher) Shed(backend string)                  { w.note("shed %s", backend) }

func (w *watcher) TokenFetched(backend, how string, ok bool) {
	w.note("%s %s %v", backend, how, ok)
}

// told gives what was noted since the last time.
func (w *watcher) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := w.lines
	w.lines = nil
	return lines
}
