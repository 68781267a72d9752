package backend

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
)

func TestRequestOnTheWire(t *testing.T) {
	s := serve(t, func(int, seen) reply { return reply{text: jsonAnswer(200, `{"name":"x"}`)} })
	c := client(t, s.url()+"/base/")
	require.Equal(t, `ok 200 {"name":"x"}`, said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "a/b", "1 & 2=ç", "v;w"))))
	require.Equal(t, `ok 200 {"name":"x"}`, said(c.Do(within(t, 5*time.Second), call(t, "things.change", `{"name":"y"}`, "c"))))
	got := s.requests()
	require.Len(t, got, 2)
	require.Equal(t, "GET /base/ws/things/a%2Fb?q=1%20%26%202%3D%C3%A7", got[0].line)
	require.Equal(t, s.ln.Addr().String(), got[0].host)
	require.Equal(t, http.Header{
		"User-Agent": {"emenda"}, "Accept": {"application/json, text/plain;q=0.9, */*;q=0.1"}, "Accept-Encoding": {"identity"},
		"Authorization": {"Basic dTpw"}, "X-Request-Id": {"req-1"}, "X-Kind": {"v;w"},
	}, got[0].header)
	require.Equal(t, "PUT /base/ws/things/c", got[1].line)
	require.Equal(t, `{"name":"y"}`, got[1].body)
	require.Equal(t, "application/json", got[1].header.Get("Content-Type"))
	require.Equal(t, "close", got[1].header.Get("Connection"))
	require.NotEqual(t, got[0].conn, got[1].conn, "what changes something has a connection of its own")
}

func TestPathIsNotNormalised(t *testing.T) {
	s := serve(t, func(int, seen) reply { return reply{text: jsonAnswer(200, `{}`)} })
	c := client(t, s.url())
	one := call(t, "things.read", "", "x")
	one.Request.Target = []byte("//ws/a%2Fb/..%2Fc//d?x=%2e")
	require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), one)))
	require.Equal(t, "GET //ws/a%2Fb/..%2Fc//d?x=%2e", s.requests()[0].line)
}

func TestNothingEndsALine(t *testing.T) {
	s := serve(t, func(int, seen) reply { return reply{text: jsonAnswer(200, `{}`)} })
	c := client(t, s.url())
	for name, spoil := range map[string]func(*Call){
		"target":       func(c *Call) { c.Request.Target = []byte("/a HTTP/1.1\r\nHost: evil\r\n\r\n") },
		"target blank": func(c *Call) { c.Request.Target = []byte("/a b") },
		"empty target": func(c *Call) { c.Request.Target = nil },
		"header value": func(c *Call) { c.Request.Headers = []contract.Header{{Name: "A", Value: "b\r\nc: d"}} },
		"header name":  func(c *Call) { c.Request.Headers = []contract.Header{{Name: "A: b\r\nC", Value: "d"}} },
		"request id":   func(c *Call) { c.RequestID = "a\nb" },
		"body type":    func(c *Call) { c.Request.Type = "a\rb" },
	} {
		t.Run(name, func(t *testing.T) {
			one := call(t, "things.read", "", "x")
			spoil(one)
			require.Equal(t, "failed template", said(c.Do(within(t, 5*time.Second), one)))
		})
	}
	require.Empty(t, s.requests())
}

func TestAnswers(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(`{"name":"zipped"}`))
	_ = z.Close()
	var bomb bytes.Buffer
	z = gzip.NewWriter(&bomb)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 4<<20))
	_ = z.Close()
	encoded := func(encoding string, b []byte) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", encoding, len(b), b)
	}
	page := "<html><body>Bad Gateway</body></html>"
	for _, c := range []struct {
		name, answer, read, change string
	}{
		{"good", jsonAnswer(200, `{"a":1.10}`), `ok 200 {"a":1.10}`, `ok 200 {"a":1.10}`},
		{"chunked", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n", `ok 200 {"a":1}`, `ok 200 {"a":1}`},
		{"until the end", "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}", "ok 200 {}", "ok 200 {}"},
		{"100 before", "HTTP/1.1 100 Continue\r\n\r\n" + jsonAnswer(200, "{}"), "ok 200 {}", "ok 200 {}"},
		{"refused by a rule", jsonAnswer(200, `{"error":"no"}`), `refused business 200 {"error":"no"}`, `refused business 200 {"error":"no"}`},
		{"not found", jsonAnswer(404, `{}`), "refused not_found 404 {}", "refused not_found 404 {}"},
		{"a page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 37\r\n\r\n" + page, "failed bad_answer 200", "unknown bad_answer 200"},
		{"a page called JSON", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 37\r\n\r\n" + page, "failed bad_answer 200", "unknown bad_answer 200"},
		{"a page of a proxy", "HTTP/1.1 502 X\r\nContent-Type: text/html\r\nContent-Length: 37\r\n\r\n" + page, "failed status 502", "unknown status 502"},
		{"server error", jsonAnswer(500, `{}`), "failed status 500 {}", "unknown status 500 {}"},
		{"bad request", jsonAnswer(400, `{}`), "failed status 400 {}", "failed status 400 {}"},
		{"forbidden", jsonAnswer(403, `{}`), "failed sign_in 403 {}", "failed sign_in 403 {}"},
		{"nothing in it", jsonAnswer(200, ""), "failed bad_answer 200", "unknown bad_answer 200"},
		{"length unmet", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"a\":1}", "failed broken", "unknown broken"},
		{"chunk cut", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"a\":", "failed broken", "unknown broken"},
		{"last chunk missing", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n", "failed broken", "unknown broken"},
		{"JSON cut", "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\":1", "failed bad_answer 200", "unknown bad_answer 200"},
		{"header cut", "HTTP/1.1 200 OK\r\nContent-Ty", "failed broken", "unknown broken"},
		{"no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", "failed bad_answer", "unknown bad_answer"},
		{"too large", jsonAnswer(200, `"`+strings.Repeat("x", 2<<20)+`"`), "failed bad_answer", "unknown bad_answer"},
		{"header too large", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "failed bad_answer", "unknown bad_answer"},
		{"gzip unasked", encoded("gzip", zipped.Bytes()), `ok 200 {"name":"zipped"}`, `ok 200 {"name":"zipped"}`},
		{"gzip bomb", encoded("gzip", bomb.Bytes()), "failed bad_answer 200", "unknown bad_answer 200"},
		{"gzip cut", encoded("gzip", zipped.Bytes()[:20]), "failed bad_answer 200", "unknown bad_answer 200"},
		{"another encoding", encoded("br", []byte("xx")), "failed bad_answer 200", "unknown bad_answer 200"},
		{"redirect", "HTTP/1.1 302 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", "failed status 302", "unknown status 302"},
		{"cut before any answer", "", "failed broken", "unknown broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, func(int, seen) reply { return reply{text: c.answer, cut: true} })
			cl := client(t, s.url(), func(o *Options) { o.MaxAnswer = 1 << 20; o.Breaker.Failures = 100 })
			require.Equal(t, c.read, said(cl.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
			require.Equal(t, c.change, said(cl.Do(within(t, 5*time.Second), call(t, "things.change", `{}`, "x"))))
			require.Len(t, s.requests(), 2, "each was sent once")
		})
	}
}

func TestNothingOfTheAnswerBeforeIsLeft(t *testing.T) {
	// Bytes behind an answer must not be taken for the next one.
	s := serve(t, func(n int, _ seen) reply {
		if n == 1 {
			return reply{text: jsonAnswer(200, `{"n":1}`) + jsonAnswer(200, `{"smuggled":true}`)}
		}
		return reply{text: jsonAnswer(200, `{"n":2}`)}
	})
	c := client(t, s.url())
	require.Equal(t, `ok 200 {"n":1}`, said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	require.Equal(t, `ok 200 {"n":2}`, said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
}

// What a backend says on an idle connection (a 408 before it closes it, an
// answer said twice) is no answer to the next request.
func TestNothingSaidWhileIdleIsAnAnswer(t *testing.T) {
	s := serve(t, func(n int, _ seen) reply { return reply{text: jsonAnswer(200, fmt.Sprintf(`{"n":%d}`, n))} })
	c := client(t, s.url())
	require.Equal(t, `ok 200 {"n":1}`, said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	require.Equal(t, `ok 200 {"n":2}`, said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	s.mu.Lock()
	require.Len(t, s.conns, 1)
	_, err := s.conns[0].Write([]byte(jsonAnswer(408, `{"n":0}`)))
	s.mu.Unlock()
	require.NoError(t, err)
	require.Equal(t, `ok 200 {"n":3}`, said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	require.Equal(t, 2, s.requests()[2].conn)
	s.cutAll()
	require.Equal(t, `ok 200 {"n":4}`, said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	require.Equal(t, 1, c.pool.count, "those that were closed are no longer counted")
}

func TestAnswerHeader(t *testing.T) {
	s := serve(t, func(int, seen) reply {
		return reply{text: "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=ISO-8859-1\r\nx-thing: a\r\nContent-Length: 12\r\n\r\n{\"name\":\"\xe7\"}"}
	})
	c := client(t, s.url())
	a := c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))
	require.Contains(t, a.Header, contract.Header{Name: "X-Thing", Value: "a"})
	require.Contains(t, a.Header, contract.Header{Name: "Content-Type", Value: "application/json; charset=ISO-8859-1"})
	require.Equal(t, `{"name":"ç"}`, string(a.Body.AppendJSON(nil)))
	require.Equal(t, 1, a.Attempts)
	require.Positive(t, a.Took)
	a.Release()

	s = serve(t, func(int, seen) reply { return reply{text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"} })
	a = client(t, s.url()).Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))
	require.Equal(t, []contract.Header{{Name: "Content-Length", Value: "2"}}, a.Header, "no type is made up")
	a.Release()
}

func TestHTTPS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"tls":true}`))
	}))
	s.Config.ErrorLog = nil
	defer s.Close()
	c := client(t, s.URL)
	require.Equal(t, "failed broken", said(c.Do(within(t, 5*time.Second), call(t, "things.change", `{}`, "x"))), "the system does not know this server")
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c.pool.tls.RootCAs = roots
	c.pool.tls.MinVersion = tls.VersionTLS12
	for range 3 {
		require.Equal(t, `ok 200 {"tls":true}`, said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	}
}

func TestSlowAndCancelled(t *testing.T) {
	hold := make(chan struct{})
	s := serve(t, func(int, seen) reply { return reply{hold: hold, text: jsonAnswer(200, "{}")} })
	t.Cleanup(func() { close(hold) })
	c := client(t, s.url(), func(o *Options) { o.Breaker.Failures = 100 })

	slow := call(t, "things.read", "", "x")
	slow.Timeout = 30 * time.Millisecond
	began := time.Now()
	require.Equal(t, "failed timeout", said(c.Do(within(t, 5*time.Second), slow)))
	require.Less(t, time.Since(began), time.Second)

	slow = call(t, "things.change", "{}", "x")
	slow.Timeout = 30 * time.Millisecond
	require.Equal(t, "unknown timeout", said(c.Do(within(t, 5*time.Second), slow)))

	began = time.Now()
	require.Equal(t, "failed timeout", said(c.Do(within(t, 30*time.Millisecond), call(t, "things.read", "", "x"))))
	require.Less(t, time.Since(began), time.Second)

	ctx, cancel := context.WithCancel(context.Background())
	answer := make(chan string, 1)
	one := call(t, "things.read", "", "x")
	go func() { answer <- said(c.Do(ctx, one)) }()
	require.Eventually(t, func() bool { return len(s.requests()) == 4 }, 5*time.Second, time.Millisecond)
	cancel()
	select {
	case got := <-answer:
		require.Equal(t, "failed timeout", got)
	case <-time.After(2 * time.Second):
		t.Fatal("a cancelled call did not return")
	}
	require.Equal(t, "failed timeout", said(c.Do(ctx, call(t, "things.change", "{}", "x"))), "ended before it was sent")
	require.Len(t, s.requests(), 4)
}

func BenchmarkDo(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				in, out := make([]byte, 4096), []byte(jsonAnswer(200, `{"name":"x"}`))
				for { // each request comes in one piece
					if _, err := c.Read(in); err != nil {
						return
					}
					_, _ = c.Write(out)
				}
			}()
		}
	}()
	defer func() { _ = ln.Close() }()
	c, err := New(Options{Contract: things(), URL: "http://" + ln.Addr().String(), SignIn: map[string]string{"user": "u", "password": "p"}})
	require.NoError(b, err)
	defer c.Close()
	one := call(b, "things.read", "", "x")
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		a := c.Do(ctx, one)
		if a.State != contract.OK {
			b.Fatal(a.Class)
		}
		a.Release()
	}
}
