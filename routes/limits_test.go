package routes

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Wrong sign-ins from one address make it wait, in the dialect's words; an
// address from which somebody has signed in is told what is wrong all the while.
func TestSignInLimit(t *testing.T) {
	w := start(t, changed(t, "gateway.yaml", "limits: { ", "limits: { sign_in: { failures: 3, per: 10m, pause: 1m }, "))
	wrong := request("POST /p/echo", "token=wrong&app=guest", form)
	right := request("GET /p/hello", "")
	guest := "GET /p/hello?app=guest&token=" + guestToken + " HTTP/1.1\r\nHost: h\r\n\r\n"
	nobody := "GET /p/hello HTTP/1.1\r\nHost: h\r\n\r\n"
	elsewhere := func(send string) answer {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		c, err := d.Dial("tcp", w.addr)
		require.NoError(t, err)
		defer func() { _ = c.Close() }()
		_, err = io.WriteString(c, send)
		require.NoError(t, err)
		return read(t, c)[0]
	}
	require.Equal(t, 200, elsewhere(right).status)
	for range 5 {
		require.Equal(t, 403, w.raw(nobody)[0].status, "to have none is no failure")
	}
	for range 3 {
		got := w.raw(wrong, "POST")[0]
		require.Equal(t, 403, got.status)
		require.Empty(t, got.header.Get("Retry-After"))
	}
	for _, send := range []string{wrong, guest, right} {
		got := w.raw(send, "GET")[0]
		require.Equal(t, 429, got.status)
		require.Equal(t, `{"detail":"slowly","kind":"limited"}`, got.body)
		require.Equal(t, "60", got.header.Get("Retry-After"))
	}
	require.Equal(t, 200, elsewhere(guest).status)
	for range 10 {
		require.Equal(t, 403, elsewhere(wrong).status, "somebody has signed in from there")
	}
	require.Equal(t, 200, elsewhere(right).status)
	w.stop()
	require.Contains(t, scrape(w), `emenda_requests_total{caller="",outcome="limited",route="plain/hello"} 2`)
	limited := 0
	for _, line := range w.log.all(t, "request") {
		if line["outcome"] == "limited" {
			limited++
			require.Equal(t, "127.0.0.1", line["client_address"])
		}
	}
	require.Equal(t, 3, limited)
}

// A caller above its rate is told to wait, in its dialect's words; others are served.
func TestRate(t *testing.T) {
	w := start(t, changed(t, "gateway.yaml", "    app: kiosk\n", "    app: kiosk\n    rate: 2/h\n"))
	right := request("GET /p/hello", "")
	require.Equal(t, 200, w.raw(right)[0].status)
	require.Equal(t, 200, w.raw(right)[0].status)
	got := w.raw(right)[0]
	require.Equal(t, 429, got.status)
	require.Equal(t, `{"detail":"slowly","kind":"limited"}`, got.body)
	require.Contains(t, []string{"1799", "1800"}, got.header.Get("Retry-After"))
	require.Equal(t, 200, w.raw("GET /p/hello?app=guest&token=" + guestToken + " HTTP/1.1\r\nHost: h\r\n\r\n")[0].status)
	w.stop()
	require.Contains(t, scrape(w), `emenda_requests_total{caller="kiosk",outcome="limited",route="plain/hello"} 1`)
}

// A dialect under maintenance answers on all its routes, signed in or not, and
// other paths and dialects as ever.
func TestDialectUnderMaintenance(t *testing.T) {
	for name, c := range map[string]struct{ value, said string }{"with a sentence": {"back at six", "back at six"}, "without": {"true", ""}} {
		t.Run(name, func(t *testing.T) {
			config := changed(t, "gateway.yaml", "callers:\n", "maintenance: { plain: "+c.value+" }\ncallers:\n")
			dialect := filepath.Join(filepath.Dir(config), "mappings", "dialects", "plain.yaml")
			text, err := os.ReadFile(dialect)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(dialect, []byte(strings.Replace(string(text), "detail: not now", `detail: "${error.message}"`, 1)), 0o600))
			w := start(t, config)
			for _, send := range []string{request("GET /p/hello", ""), request("POST /p/echo", "word=x", form), "GET /api/p/hello HTTP/1.1\r\nHost: h\r\n\r\n"} {
				got := w.raw(send)[0]
				require.Equal(t, 503, got.status)
				require.Equal(t, `{"detail":"`+c.said+`"}`, got.body)
			}
			require.Equal(t, 404, w.raw(request("GET /p/nothing", ""))[0].status)
			require.Equal(t, `{"other":"refused"}`, w.raw(request("GET /p/other/thing", ""))[0].body)
			_, body := get(w.server.Admin(""), "/readyz", "")
			require.Contains(t, body, `"maintenance":["dialect plain"]`)
		})
	}
}
