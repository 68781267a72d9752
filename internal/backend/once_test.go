package backend

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wireRecorder is a bare listener that counts what reaches it: connections, request
// lines and whole requests, and never takes two for one.
type wireRecorder struct {
	net.Listener
	deal func(c *recorded)

	mu    sync.Mutex
	conns int
	lines int // requests that began
	whole int // requests that came with all of their body
	done  sync.WaitGroup
}

// recorded is a connection of a wireRecorder.
type recorded struct {
	net.Conn
	in    *bufio.Reader
	reset func()
	r     *wireRecorder
}

// record starts a wireRecorder; deal deals with each connection, which is closed afterwards.
func record(t *testing.T, over *tls.Config, deal func(c *recorded)) *wireRecorder {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &wireRecorder{Listener: ln, deal: deal}
	r.done.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns++
			r.mu.Unlock()
			one := &recorded{Conn: c, r: r, reset: func() { _ = c.(*net.TCPConn).SetLinger(0) }}
			if over != nil {
				one.Conn = tls.Server(c, over)
			}
			one.in = bufio.NewReader(one.Conn)
			r.done.Go(func() {
				defer func() { _ = one.Close() }()
				_ = one.SetDeadline(time.Now().Add(5 * time.Second))
				r.deal(one)
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); r.done.Wait() })
	return r
}

func (r *wireRecorder) counts() (conns, lines, whole int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.conns, r.lines, r.whole
}

// header reads a request's line and header, and gives the length of its body.
func (c *recorded) header() (length int, ok bool) {
	line, err := c.in.ReadString('\n')
	if err != nil || line == "" {
		return 0, false
	}
	c.r.mu.Lock()
	c.r.lines++
	c.r.mu.Unlock()
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return 0, false
		}
		if line = strings.TrimSpace(line); line == "" {
			return length, true
		}
		if v, is := strings.CutPrefix(strings.ToLower(line), "content-length:"); is {
			length, _ = strconv.Atoi(strings.TrimSpace(v))
		}
	}
}

// request reads a whole request.
func (c *recorded) request() bool {
	length, ok := c.header()
	if !ok {
		return false
	}
	if _, err := io.CopyN(io.Discard, c.in, int64(length)); err != nil {
		return false
	}
	c.r.mu.Lock()
	c.r.whole++
	c.r.mu.Unlock()
	return true
}

// say writes text; a peer that is gone does not matter here.
func (c *recorded) say(text string) { _, _ = io.WriteString(c, text) }

// certificate gives one that a pool knows, for 127.0.0.1.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12}, roots
}

// Wherever the backend cuts, orderly or by reset, a changing call is on the
// wire once, and is never said to have failed when it may have been done.
func TestExactlyOnceOnTheWire(t *testing.T) {
	answer := jsonAnswer(200, `{"name":"a name"}`)
	config, roots := certificate(t)
	for _, cut := range []struct {
		name string
		deal func(c *recorded)
		// how many requests a changing call may make begin and arrive whole, at least and at most
		lines, whole [2]int
		may          string // other states than unknown
	}{
		{"before reading", func(*recorded) {}, [2]int{0, 0}, [2]int{0, 0}, "failed"},
		{"after the header", func(c *recorded) { c.header() }, [2]int{1, 1}, [2]int{0, 0}, ""},
		{"after the body", func(c *recorded) { c.request() }, [2]int{1, 1}, [2]int{1, 1}, ""},
		{"inside the status line", func(c *recorded) { c.request(); c.say(answer[:6]) }, [2]int{1, 1}, [2]int{1, 1}, ""},
		{"inside the answer's header", func(c *recorded) { c.request(); c.say(answer[:30]) }, [2]int{1, 1}, [2]int{1, 1}, ""},
		{"inside the answer's body", func(c *recorded) { c.request(); c.say(answer[:len(answer)-4]) }, [2]int{1, 1}, [2]int{1, 1}, ""},
		{"after 100 Continue", func(c *recorded) { c.header(); c.say("HTTP/1.1 100 Continue\r\n\r\n") }, [2]int{1, 1}, [2]int{0, 0}, ""},
		{"after an early hint", func(c *recorded) { c.request(); c.say("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n") }, [2]int{1, 1}, [2]int{1, 1}, ""},
		{"with an answer to nobody's request", func(c *recorded) { c.say("HTTP/1.1 408 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n") }, [2]int{0, 0}, [2]int{0, 0}, "failed"},
	} {
		for _, over := range []string{"http", "https"} {
			for _, end := range []string{"closed", "reset"} {
				for _, size := range []int{10, 300 << 10} {
					t.Run(fmt.Sprintf("%s/%s/%s/%d bytes", cut.name, over, end, size), func(t *testing.T) {
						var use *tls.Config
						if over == "https" {
							use = config
						}
						r := record(t, use, func(c *recorded) {
							if end == "reset" {
								defer c.reset()
							}
							if s, ok := c.Conn.(*tls.Conn); ok && s.Handshake() != nil {
								return
							}
							cut.deal(c)
						})
						cl := client(t, over+"://"+r.Addr().String(), func(o *Options) { o.Breaker.Failures = 100 })
						if use != nil {
							cl.pool.tls.RootCAs = roots
						}
						one := call(t, "things.change", `{"name":"`+strings.Repeat("x", size)+`"}`, "c")
						one.Retries, one.Pause = 3, time.Millisecond // mean nothing for what changes something
						a := cl.Do(within(t, 5*time.Second), one)
						state, sent := a.State.String(), a.Attempts
						a.Release()
						if state != cut.may {
							require.Equal(t, "unknown", state)
						}
						require.Equal(t, 1, sent)
						cl.Close()
						_ = r.Close()
						r.done.Wait()
						conns, lines, whole := r.counts()
						require.Equal(t, 1, conns)
						require.GreaterOrEqual(t, lines, cut.lines[0])
						require.LessOrEqual(t, lines, cut.lines[1])
						require.GreaterOrEqual(t, whole, cut.whole[0])
						require.LessOrEqual(t, whole, cut.whole[1])
					})
				}
			}
		}
	}
}

// A redirect is an answer, not an order: whether the call was done is not
// known, and its credentials travel nowhere.
func TestChangingCallsAreNotRedirected(t *testing.T) {
	other := record(t, nil, func(c *recorded) { c.request() })
	for _, status := range []int{300, 301, 302, 303, 304, 305, 307, 308} {
		for _, to := range []string{"http://" + other.Addr().String() + "/ws/things/c", "/ws/things/c", "//" + other.Addr().String(), ""} {
			t.Run(fmt.Sprintf("%d to %q", status, to), func(t *testing.T) {
				r := record(t, nil, func(c *recorded) {
					for c.request() {
						c.say(fmt.Sprintf("HTTP/1.1 %d X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", status, to))
					}
				})
				cl := client(t, "http://"+r.Addr().String())
				require.Equal(t, fmt.Sprintf("unknown status %d", status), said(cl.Do(within(t, 5*time.Second), call(t, "things.change", "{}", "c"))))
				conns, _, whole := r.counts()
				require.Equal(t, []int{1, 1}, []int{conns, whole})
			})
		}
	}
	conns, _, _ := other.counts()
	require.Zero(t, conns)
}

// A backend that closes idle connections long before we would: a changing call
// never meets one, a reading one may, and is then sent on a fresh one.
func TestABackendThatClosesIdleConnections(t *testing.T) {
	const idle, calls = 20 * time.Millisecond, 12
	for _, apart := range []time.Duration{3 * idle, idle} { // the second: it closes just when the next call comes
		t.Run(apart.String(), func(t *testing.T) {
			r := record(t, nil, func(c *recorded) {
				for {
					_ = c.SetReadDeadline(time.Now().Add(idle))
					if !c.request() {
						return
					}
					c.say(jsonAnswer(200, "{}"))
				}
			})
			cl := client(t, "http://"+r.Addr().String())
			next := time.NewTicker(apart)
			defer next.Stop()
			for i := range calls {
				require.Equal(t, "ok 200 {}", said(cl.Do(within(t, 5*time.Second), call(t, "things.change", "{}", strconv.Itoa(i)))))
				require.Equal(t, "ok 200 {}", said(cl.Do(within(t, 5*time.Second), call(t, "things.read", "", strconv.Itoa(i)))))
				<-next.C
			}
			_, _, whole := r.counts()
			require.Equal(t, 2*calls, whole, "none doubled")
		})
	}
}

// A name with several addresses is dialled at more than one; the call is sent at one.
func TestANameWithSeveralAddresses(t *testing.T) {
	r := record(t, nil, func(c *recorded) {
		if c.request() {
			c.say(jsonAnswer(200, "{}"))
		}
	})
	_, port, err := net.SplitHostPort(r.Addr().String())
	require.NoError(t, err)
	cl := client(t, "http://localhost:"+port)
	require.Equal(t, "ok 200 {}", said(cl.Do(within(t, 5*time.Second), call(t, "things.change", "{}", "c"))))
	_, lines, _ := r.counts()
	require.Equal(t, 1, lines)
}

// What goes out of one changing call, byte for byte: one request, nothing after it.
func TestNothingFollowsAChangingCall(t *testing.T) {
	got := make(chan []byte, 1)
	r := record(t, nil, func(c *recorded) {
		var all bytes.Buffer
		c.in = bufio.NewReader(io.TeeReader(c.Conn, &all))
		if c.request() {
			c.say(jsonAnswer(200, "{}"))
		}
		_, _ = io.Copy(io.Discard, c.in) // until the client closes
		got <- all.Bytes()
	})
	cl := client(t, "http://"+r.Addr().String())
	require.Equal(t, "ok 200 {}", said(cl.Do(within(t, 5*time.Second), call(t, "things.change", `{"name":"y"}`, "c"))))
	text := string(<-got)
	require.Equal(t, "PUT /ws/things/c HTTP/1.1\r\nHost: "+r.Addr().String()+"\r\nUser-Agent: emenda\r\n"+
		"Accept: application/json, text/plain;q=0.9, */*;q=0.1\r\nAccept-Encoding: identity\r\nAuthorization: Basic dTpw\r\n"+
		"X-Request-Id: req-1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n"+`{"name":"y"}`, text)
}
