package backend

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
)

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		name, url, want string
		signIn          map[string]string
	}{
		{"scheme", "ftp://x", "the url of backend shop must begin with http:// or https://", nil},
		{"no scheme", "x.example", "the url of backend shop must begin with http:// or https://", nil},
		{"unreadable", "http://[", "the url of backend shop cannot be read", nil},
		{"host", "http://:80", "the url of backend shop has no host", nil},
		{"credentials", "http://a:b@x", "the url of backend shop holds credentials; they belong into sign_in", nil},
		{"query", "http://x/?a", "the url of backend shop ends with its path, without query or fragment", nil},
		{"sign-in", "http://x", "sign_in of backend shop has no password", map[string]string{"user": "u"}},
		{"colon", "http://x", "user of backend shop holds a colon, which HTTP Basic cannot carry", map[string]string{"user": "u:v", "password": "p"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(Options{Contract: things(), URL: c.url, SignIn: c.signIn})
			require.EqualError(t, err, c.want)
		})
	}
}

func TestReadAndCut(t *testing.T) {
	// The first request of a connection is answered, each further one read and cut.
	s := serve(t, func(n int, r seen) reply {
		if n == 1 {
			return reply{text: jsonAnswer(200, "{}")}
		}
		return reply{cut: true}
	})
	c := client(t, s.url(), func(o *Options) { o.Breaker.Failures = 100 })
	require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))

	require.Equal(t, "unknown broken", said(c.Do(within(t, 5*time.Second), call(t, "things.change", "{}", "x"))))
	require.Len(t, s.requests(), 2, "a changing call is sent once")

	require.Equal(t, "failed broken", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	require.Len(t, s.requests(), 4, "a reading one on a pooled connection once more on a fresh one")

	require.Equal(t, "failed broken", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	require.Len(t, s.requests(), 5, "on a fresh connection once")

	again := call(t, "things.read", "", "x")
	again.Retries = 2
	a := c.Do(within(t, 5*time.Second), again)
	require.Equal(t, 3, a.Attempts)
	require.Equal(t, "failed broken", said(a))
	require.Len(t, s.requests(), 8)

	change := call(t, "things.change", "{}", "x")
	change.Retries = 2
	require.Equal(t, "unknown broken", said(c.Do(within(t, 5*time.Second), change)))
	require.Len(t, s.requests(), 9, "retries mean nothing for what changes something")
}

func TestRetry(t *testing.T) {
	s := serve(t, func(n int, _ seen) reply {
		switch n {
		case 1:
			return reply{text: jsonAnswer(503, "{}")}
		case 2:
			return reply{text: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"}
		case 3:
			return reply{text: jsonAnswer(200, `{"n":3}`)}
		}
		return reply{text: jsonAnswer(200, `{"error":"no"}`)}
	})
	c := client(t, s.url(), func(o *Options) { o.Breaker.Failures = 100 })
	again := call(t, "things.read", "", "x")
	again.Retries, again.Pause = 3, time.Millisecond
	a := c.Do(within(t, 5*time.Second), again)
	require.Equal(t, 3, a.Attempts)
	require.Equal(t, `ok 200 {"n":3}`, said(a))
	a = c.Do(within(t, 5*time.Second), again)
	require.Equal(t, 1, a.Attempts, "a refusal is an answer")
	require.Equal(t, "no", a.Message)
	require.Equal(t, `refused business 200 {"error":"no"}`, said(a))
}

func TestRetryStaysWithinTheDeadline(t *testing.T) {
	s := serve(t, func(int, seen) reply { return reply{cut: true} })
	c := client(t, s.url())
	again := call(t, "things.read", "", "x")
	again.Retries, again.Pause = 3, time.Hour
	began := time.Now()
	require.Equal(t, "failed broken", said(c.Do(within(t, time.Minute), again)))
	require.Less(t, time.Since(began), 10*time.Second)
	require.Len(t, s.requests(), 1)
}

func TestIdleConnectionsThatTheBackendCloses(t *testing.T) {
	s := serve(t, func(int, seen) reply { return reply{text: jsonAnswer(200, "{}")} })
	c := client(t, s.url())
	for i := range 30 {
		require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", fmt.Sprint(i)))))
		s.cutAll() // as a backend does with idle connections
		id, body := "things.read", ""
		if i%2 == 0 {
			id, body = "things.change", "{}"
		}
		require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), call(t, id, body, fmt.Sprint(i)))))
	}
	require.Len(t, s.requests(), 60, "none doubled")
}

func TestKeepAliveAndIdleTimeout(t *testing.T) {
	s := serve(t, func(int, seen) reply { return reply{text: jsonAnswer(200, "{}")} })
	c := client(t, s.url(), func(o *Options) { o.IdleTimeout = 50 * time.Millisecond })
	for range 5 {
		require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	}
	for _, r := range s.requests() {
		require.Equal(t, 1, r.conn)
	}
	require.Eventually(t, func() bool {
		c.pool.mu.Lock()
		defer c.pool.mu.Unlock()
		return len(c.pool.free) == 0 && c.pool.count == 0
	}, 5*time.Second, 5*time.Millisecond)
	require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	require.Equal(t, 2, s.requests()[5].conn)
}

func TestNoFreeConnection(t *testing.T) {
	hold := make(chan struct{})
	s := serve(t, func(n int, _ seen) reply {
		if n == 1 {
			return reply{hold: hold, text: jsonAnswer(200, "{}")}
		}
		return reply{text: jsonAnswer(200, "{}")}
	})
	c := client(t, s.url(), func(o *Options) { o.AtMost = 1; o.Breaker.Failures = 1 })
	first := make(chan string, 1)
	ctx, one := within(t, 5*time.Second), call(t, "things.read", "", "x")
	go func() { first <- said(c.Do(ctx, one)) }()
	require.Eventually(t, func() bool { return len(s.requests()) == 1 }, 5*time.Second, time.Millisecond)
	require.Equal(t, "failed unavailable", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	require.Equal(t, "failed unavailable", said(c.Do(within(t, 5*time.Second), call(t, "things.change", "{}", "x"))))
	close(hold)
	require.Equal(t, "ok 200 {}", <-first)
	require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.change", "{}", "x"))), "the idle one makes room; no breaker opened")
}

func TestRefusedConnection(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + ln.Addr().String()
	require.NoError(t, ln.Close())
	c := client(t, url)
	require.Equal(t, "failed broken", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	require.Equal(t, "failed broken", said(c.Do(within(t, 5*time.Second), call(t, "things.change", "{}", "x"))), "surely not done")
}

func TestRedirectIsNotFollowed(t *testing.T) {
	other := serve(t, func(int, seen) reply { return reply{text: jsonAnswer(200, "{}")} })
	s := serve(t, func(int, seen) reply {
		return reply{text: "HTTP/1.1 307 X\r\nLocation: " + other.url() + "/ws/things/x\r\nContent-Length: 0\r\n\r\n"}
	})
	c := client(t, s.url())
	require.Equal(t, "failed status 307", said(c.Do(within(t, 5*time.Second), call(t, "things.read", "", "x"))))
	require.Equal(t, "unknown status 307", said(c.Do(within(t, 5*time.Second), call(t, "things.change", "{}", "x"))))
	require.Empty(t, other.requests(), "credentials would travel along")
}

func TestOneTokenForAll(t *testing.T) {
	s := serve(t, func(_ int, r seen) reply {
		if r.line == "GET /ws/token/get" {
			return reply{text: jsonAnswer(200, `{"token":"t1"}`)}
		}
		if r.header.Get("Token") != "T t1" {
			return reply{text: jsonAnswer(401, "{}")}
		}
		return reply{text: jsonAnswer(200, "{}")}
	})
	c := client(t, s.url())
	var wg sync.WaitGroup
	for range 50 {
		one, ctx := call(t, "things.secure", ""), within(t, 5*time.Second)
		wg.Add(1)
		go func() {
			defer wg.Done()
			if got := said(c.Do(ctx, one)); got != "ok 200 {}" {
				t.Error(got)
			}
		}()
	}
	wg.Wait()
	fetches := 0
	for _, r := range s.requests() {
		if r.line == "GET /ws/token/get" {
			fetches++
			require.Empty(t, r.header.Get("Token"))
		}
	}
	require.Equal(t, 1, fetches)
	require.Len(t, s.requests(), 51)
}

func TestTokenIsRenewedOnce(t *testing.T) {
	var good atomic.Value
	good.Store("t1")
	var renewable atomic.Bool
	renewable.Store(true)
	s := serve(t, func(_ int, r seen) reply {
		switch r.line {
		case "GET /ws/token/get":
			return reply{text: jsonAnswer(200, fmt.Sprintf(`{"token":%q}`, good.Load()))}
		case "PUT /ws/token/renew":
			if !renewable.Load() {
				return reply{text: jsonAnswer(401, `{}`)}
			}
			return reply{text: jsonAnswer(200, fmt.Sprintf(`{"token":%q}`, good.Load()))}
		}
		if r.header.Get("Token") != "T "+good.Load().(string) {
			return reply{text: jsonAnswer(401, `{"error":"expired"}`)}
		}
		return reply{text: jsonAnswer(200, "{}")}
	})
	w := &watcher{}
	c := client(t, s.url(), func(o *Options) { o.Observe = w })
	lines := func() []string {
		var all []string
		for _, r := range s.requests() {
			all = append(all, strings.TrimSpace(r.line+" "+r.header.Get("Token")))
		}
		s.mu.Lock()
		s.got = nil
		s.mu.Unlock()
		return all
	}
	require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.secure", ""))))
	require.Equal(t, []string{"GET /ws/token/get", "GET /ws/secure T t1"}, lines())

	good.Store("t2")
	require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.secure.change", ""))))
	require.Equal(t, []string{"POST /ws/secure T t1", "PUT /ws/token/renew T t1", "POST /ws/secure T t2"}, lines())

	good.Store("t3")
	renewable.Store(false)
	require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.secure", ""))))
	require.Equal(t, []string{"GET /ws/secure T t2", "PUT /ws/token/renew T t2", "GET /ws/token/get", "GET /ws/secure T t3"}, lines())
	require.Contains(t, w.told(), "shop renew false")

	// A backend that refuses every token is asked once more, not for ever.
	good.Store("t4")
	refusing := serve(t, func(_ int, r seen) reply {
		if r.line == "GET /ws/token/get" {
			return reply{text: jsonAnswer(200, `{"token":"same"}`)}
		}
		return reply{text: jsonAnswer(401, "{}")}
	})
	c = client(t, refusing.url())
	require.Equal(t, "failed sign_in 401 {}", said(c.Do(within(t, 5*time.Second), call(t, "things.secure", ""))))
	var asked []string
	for _, r := range refusing.requests() {
		asked = append(asked, r.line)
	}
	require.Equal(t, []string{"GET /ws/token/get", "GET /ws/secure", "PUT /ws/token/renew", "GET /ws/token/get", "GET /ws/secure"}, asked)
}

func TestNoToken(t *testing.T) {
	for _, c := range []struct{ name, answer, want string }{
		{"wrong password", jsonAnswer(401, "{}"), "failed sign_in"},
		{"refused", jsonAnswer(200, `{"error":"no"}`), "failed sign_in"},
		{"down", jsonAnswer(500, "{}"), "failed status"},
		{"cut", "", "failed broken"},
		{"empty", jsonAnswer(200, `{"token":""}`), "failed bad_answer"},
		{"missing", jsonAnswer(200, `{}`), "failed bad_answer"},
		{"unsendable", jsonAnswer(200, `{"token":"a\r\nHost: b"}`), "failed sign_in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, func(int, seen) reply { return reply{text: c.answer, cut: true} })
			cl := client(t, s.url())
			require.Equal(t, c.want, said(cl.Do(within(t, 5*time.Second), call(t, "things.secure.change", ""))))
			for _, r := range s.requests() {
				require.Equal(t, "GET /ws/token/get", r.line)
			}
		})
	}
}

// An attempt's timeout holds for all of it: the wait for a token, the call, and
// what a refused token costs.
func TestTokensCountForTheTimeout(t *testing.T) {
	for _, c := range []struct {
		name, held, want string
		asked            []string
	}{
		{"the first token does not come", "GET /ws/token/get", "failed timeout", []string{"GET /ws/token/get"}},
		{"the new one does not", "PUT /ws/token/renew", "failed sign_in 401 {}", []string{"GET /ws/token/get", "GET /ws/secure", "PUT /ws/token/renew"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			hold := make(chan struct{})
			s := serve(t, func(_ int, r seen) reply {
				switch r.line {
				case c.held:
					return reply{hold: hold}
				case "GET /ws/token/get":
					return reply{text: jsonAnswer(200, `{"token":"t1"}`)}
				}
				return reply{text: jsonAnswer(401, "{}")}
			})
			t.Cleanup(func() { close(hold) })
			cl := client(t, s.url())
			one := call(t, "things.secure", "")
			one.Timeout = 200 * time.Millisecond
			began := time.Now()
			require.Equal(t, c.want, said(cl.Do(within(t, 10*time.Second), one)))
			require.Less(t, time.Since(began), 2*time.Second)
			var asked []string
			for _, r := range s.requests() {
				asked = append(asked, r.line)
			}
			require.Equal(t, c.asked, asked)
		})
	}
}

func TestAnswersWithoutHTTP(t *testing.T) {
	read, change := things().Operations["things.read"], things().Operations["things.change"]
	a := NewAnswer(read, 200, "application/json", []byte(`{"error":"no"}`))
	require.Equal(t, "no", a.Message)
	require.Equal(t, []contract.Header{{Name: "Content-Type", Value: "application/json"}}, a.Header)
	require.Equal(t, `refused business 200 {"error":"no"}`, said(a))
	require.Equal(t, "failed timeout", said(FailedAnswer(read, contract.ClassTimeout, true)))
	require.Equal(t, "unknown timeout", said(FailedAnswer(change, contract.ClassTimeout, true)))
	require.Equal(t, "failed broken", said(FailedAnswer(change, contract.ClassBroken, false)))
}

func TestClosed(t *testing.T) {
	s := serve(t, func(int, seen) reply { return reply{text: jsonAnswer(200, "{}")} })
	c := client(t, s.url())
	require.Equal(t, "ok 200 {}", said(c.Do(context.Background(), call(t, "things.read", "", "x"))))
	c.Close()
	require.Equal(t, "failed unavailable", said(c.Do(context.Background(), call(t, "things.read", "", "x"))))
}
