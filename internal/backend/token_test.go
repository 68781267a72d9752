package backend

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/token"
)

// kept is what replicas share, in memory.
type kept struct {
	mu     sync.Mutex
	tokens map[string]token.Kept
	locks  map[string]bool
}

func newKept() *kept { return &kept{tokens: map[string]token.Kept{}, locks: map[string]bool{}} }

func (k *kept) LoadToken(_ context.Context, name string) (token.Kept, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := k.tokens[name]
	return t, ok, nil
}

func (k *kept) SaveToken(_ context.Context, name string, t token.Kept) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tokens[name] = t
	return nil
}

func (k *kept) ChangeToken(_ context.Context, name string, change func(t *token.Kept, ok bool) bool) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := k.tokens[name]
	done := change(&t, ok)
	if done {
		k.tokens[name] = t
	}
	return done, nil
}

func (k *kept) LockToken(_ context.Context, name string) (func(), bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.locks[name] {
		return nil, false, nil
	}
	k.locks[name] = true
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.locks, name)
	}, true, nil
}

// put puts a token in the place of the one kept.
func (k *kept) put(value string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name := range k.tokens {
		k.tokens[name] = token.Kept{Value: value, Renew: time.Now().Add(time.Hour), End: time.Now().Add(time.Hour)}
	}
}

// session is a backend that knows one token at a time: t1, t2 …
type session struct {
	*server
	serial atomic.Int64
}

func newSession(t *testing.T, before func(s *session, r seen) *reply) *session {
	s := &session{}
	s.server = serve(t, func(_ int, r seen) reply {
		if before != nil {
			if rep := before(s, r); rep != nil {
				return *rep
			}
		}
		good := fmt.Sprintf("T t%d", s.serial.Load())
		switch {
		case r.line == "GET /ws/token/get", r.line == "PUT /ws/token/renew" && r.header.Get("Token") == good:
			return reply{text: jsonAnswer(200, fmt.Sprintf(`{"token":"t%d"}`, s.serial.Add(1)))}
		case r.header.Get("Token") != good:
			return reply{text: jsonAnswer(401, "{}")}
		}
		return reply{text: jsonAnswer(200, "{}")}
	})
	return s
}

// jwtOf gives a token that says when it was issued and when it ends, in milliseconds.
func jwtOf(serial int, from, to time.Time) string {
	claims := fmt.Sprintf(`{"n":%d,"iat":%d,"exp":%d}`, serial, from.UnixMilli(), to.UnixMilli())
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

// told gives the requests since the last time.
func (s *session) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, r := range s.got {
		all = append(all, strings.TrimSpace(r.line+" "+r.header.Get("Token")))
	}
	s.got = nil
	return all
}

func TestReplicasShareTheToken(t *testing.T) {
	s := newSession(t, nil)
	shared := newKept()
	w := &watcher{}
	replica := func() *Client { return client(t, s.url(), func(o *Options) { o.Tokens, o.Observe = shared, w }) }
	a, b := replica(), replica()
	do := func(c *Client, id string) string { return said(c.Do(within(t, 5*time.Second), call(t, id, ""))) }
	require.Equal(t, "ok 200 {}", do(a, "things.secure"))
	require.Equal(t, "ok 200 {}", do(b, "things.secure.change"))
	require.Equal(t, []string{"GET /ws/token/get", "GET /ws/secure T t1", "POST /ws/secure T t1"}, s.told())

	// The token is refused; a renews it, b finds the new one.
	s.serial.Store(9)
	shared.put("t9")
	require.Equal(t, "ok 200 {}", do(a, "things.secure"))
	require.Equal(t, []string{"GET /ws/secure T t1", "GET /ws/secure T t9"}, s.told())
	a.token.Invalidate("t9")
	require.Equal(t, "ok 200 {}", do(a, "things.secure"))
	require.Equal(t, []string{"PUT /ws/token/renew T t9", "GET /ws/secure T t10"}, s.told())
	require.Equal(t, "ok 200 {}", do(b, "things.secure.change"))
	require.Equal(t, []string{"POST /ws/secure T t1", "POST /ws/secure T t10"}, s.told())

	fetches := 0
	for _, line := range w.told() {
		if strings.HasPrefix(line, "shop obtain") || strings.HasPrefix(line, "shop renew") {
			fetches++
		}
	}
	require.Equal(t, 2, fetches, "what is taken is not counted as fetched")

	// As after a reload: the same account finds it, another has another one.
	require.Equal(t, "ok 200 {}", do(replica(), "things.secure"))
	require.Equal(t, []string{"GET /ws/secure T t10"}, s.told())
	other := client(t, s.url(), func(o *Options) { o.Tokens, o.SignIn = shared, map[string]string{"user": "u", "password": "p2"} })
	require.Equal(t, "ok 200 {}", do(other, "things.secure"))
	require.Equal(t, []string{"GET /ws/token/get", "GET /ws/secure T t11"}, s.told())
}

func TestAccountName(t *testing.T) {
	base := func() *Options {
		return &Options{Contract: things(), URL: "http://shop.example/a", SignIn: map[string]string{"user": "somebody", "password": "hush"}}
	}
	name := accountName(base())
	require.Equal(t, name, accountName(base()))
	require.Regexp(t, "^[0-9a-f]{64}$", name)
	renamed := *things()
	renamed.Name = "store"
	for what, change := range map[string]func(*Options){
		"the backend's name": func(o *Options) { o.Contract = &renamed },
		"url":                func(o *Options) { o.URL = "http://shop.example/b" },
		"user":               func(o *Options) { o.SignIn["user"] = "another" },
		"password":           func(o *Options) { o.SignIn["password"] = "hush2" },
		"the same letters":   func(o *Options) { o.SignIn = map[string]string{"user": "somebodyh", "password": "ush"} },
	} {
		o := base()
		change(o)
		require.NotEqual(t, name, accountName(o), what)
	}
}

// The token that replaced a refused one has been replaced as well by the time
// it arrives: the call is made a third time, never a fourth, and each time only
// because the backend said that it did nothing.
func TestTwoRenewalsInQuickSuccession(t *testing.T) {
	for _, c := range []struct {
		name  string
		quick int64 // so many renewals come while the call is under way
		want  string
		asked []string
	}{
		{"one", 1, "ok 200 {}", []string{"POST /ws/secure T t1", "POST /ws/secure T t2"}},
		{"two", 2, "ok 200 {}", []string{"POST /ws/secure T t1", "POST /ws/secure T t2", "POST /ws/secure T t3"}},
		{"three", 3, "failed sign_in 401 {}", []string{"POST /ws/secure T t1", "POST /ws/secure T t2", "POST /ws/secure T t3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			shared := newKept()
			var quick atomic.Int64
			s := newSession(t, func(s *session, r seen) *reply {
				if r.line == "POST /ws/secure" && quick.Add(-1) >= 0 {
					shared.put(fmt.Sprintf("t%d", s.serial.Add(1)))
				}
				return nil
			})
			cl := client(t, s.url(), func(o *Options) { o.Tokens = shared })
			require.Equal(t, "ok 200 {}", said(cl.Do(within(t, 5*time.Second), call(t, "things.secure", ""))))
			s.told()
			quick.Store(c.quick)
			one := call(t, "things.secure.change", "")
			one.Retries = 5
			require.Equal(t, c.want, said(cl.Do(within(t, 5*time.Second), one)))
			require.Equal(t, c.asked, s.told())
		})
	}
}

// A changing call is made again only where a status says that nothing was done.
func TestWhatIsMadeAgainAfterARefusal(t *testing.T) {
	whole401 := jsonAnswer(401, `{"error":"expired"}`)
	for _, c := range []struct {
		name, answer, want string
		sent               int
	}{
		{"401", whole401, "ok 200 {}", 2},
		{"401 in an encoding nobody asked for", "HTTP/1.1 401 X\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nxx", "ok 200 {}", 2},
		{"401 cut in its body", whole401[:len(whole401)-3], "unknown broken", 1},
		{"401 cut in its header", whole401[:20], "unknown broken", 1},
		{"403", jsonAnswer(403, `{}`), "failed sign_in 403 {}", 1},
		{"407", jsonAnswer(407, `{}`), "failed status 407 {}", 1},
		{"500", jsonAnswer(500, `{}`), "unknown status 500 {}", 1},
		{"302 to a page for signing in", "HTTP/1.1 302 X\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", "unknown status 302", 1},
		{"100 and the end", "HTTP/1.1 100 Continue\r\n\r\n", "unknown broken", 1},
		{"401 said of the way, 200 of the call", "HTTP/1.1 103 Early Hints\r\n\r\n" + jsonAnswer(200, "{}"), "ok 200 {}", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var once atomic.Bool
			s := newSession(t, func(_ *session, r seen) *reply {
				if r.line == "POST /ws/secure" && once.CompareAndSwap(false, true) {
					return &reply{text: c.answer, cut: true}
				}
				return nil
			})
			cl := client(t, s.url())
			one := call(t, "things.secure.change", "")
			one.Retries = 5
			require.Equal(t, c.want, said(cl.Do(within(t, 5*time.Second), one)))
			sent := 0
			for _, line := range s.told() {
				if strings.HasPrefix(line, "POST /ws/secure") {
					sent++
				}
			}
			require.Equal(t, c.sent, sent)
		})
	}
}

// Four replicas, tokens that live two seconds and end at once when they are
// renewed: no call fails, and hardly more tokens are fetched than one at a time.
func TestShortTokensUnderLoad(t *testing.T) {
	const long = 5 * time.Second
	shared := newKept()
	var mu sync.Mutex
	good, serial, fetches := "", 0, 0
	var ends time.Time
	s := serve(t, func(_ int, r seen) reply {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		has := r.header.Get("Token") == "T "+good && now.Before(ends)
		switch {
		case r.line == "GET /ws/token/get", r.line == "PUT /ws/token/renew" && has:
			serial++
			fetches++
			ends = now.Add(2 * time.Second)
			good = jwtOf(serial, now, ends)
			return reply{text: jsonAnswer(200, fmt.Sprintf(`{"token":%q}`, good))}
		case !has:
			return reply{text: jsonAnswer(401, "{}")}
		}
		return reply{text: jsonAnswer(200, "{}")}
	})
	end := time.Now().Add(long)
	var wg sync.WaitGroup
	for range 4 {
		c := client(t, s.url(), func(o *Options) { o.Tokens = shared })
		for i := range 3 {
			id := []string{"things.secure", "things.secure.change"}[i%2]
			one := call(t, id, "")
			wg.Go(func() {
				for time.Now().Before(end) {
					ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
					a := c.Do(ctx, one)
					if a.State != contract.OK {
						t.Errorf("%s %s %d", a.State, a.Class, a.Status)
					}
					a.Release()
					cancel()
					time.Sleep(2 * time.Millisecond) // a bounded load
				}
			})
		}
	}
	wg.Wait()
	mu.Lock()
	defer mu.Unlock()
	require.GreaterOrEqual(t, fetches, 3)
	require.LessOrEqual(t, fetches, 6)
}
