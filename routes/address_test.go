package routes

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"
)

func TestClientAddress(t *testing.T) {
	const peerAddress, one, two, client = "10.0.0.9", "10.1.1.1", "192.0.2.7", "203.0.113.5"
	for name, c := range map[string]struct {
		peer      string
		forwarded bool
		header    []string
		want      string
	}{
		"no proxy":                          {client, false, nil, client},
		"a client that says it is another":  {client, false, []string{"X-Forwarded-For: 198.51.100.1"}, client},
		"a proxy that says nothing":         {peerAddress, false, nil, peerAddress},
		"a proxy":                           {peerAddress, false, []string{"X-Forwarded-For: " + client}, client},
		"two proxies":                       {peerAddress, false, []string{"X-Forwarded-For: " + client + ", " + two}, client},
		"what a client put before":          {peerAddress, false, []string{"X-Forwarded-For: 198.51.100.1, " + client + "," + one}, client},
		"lines in their order":              {peerAddress, false, []string{"X-Forwarded-For: 198.51.100.1", "x-forwarded-for: " + client, "X-Forwarded-For: " + one}, client},
		"proxies only":                      {peerAddress, false, []string{"X-Forwarded-For: " + two + ", " + one}, two},
		"empty elements":                    {peerAddress, false, []string{"X-Forwarded-For: " + client + ", ,"}, client},
		"with a port":                       {peerAddress, false, []string{"X-Forwarded-For: " + client + ":4711"}, client},
		"IPv6":                              {peerAddress, false, []string{"X-Forwarded-For: 2001:db8::1"}, "2001:db8::1"},
		"IPv6 with a port":                  {peerAddress, false, []string{"X-Forwarded-For: [2001:db8::1]:80"}, "2001:db8::1"},
		"IPv4 in IPv6":                      {peerAddress, false, []string{"X-Forwarded-For: ::ffff:" + client}, client},
		"a zone is no part of it":           {peerAddress, false, []string{"X-Forwarded-For: fe80::1%eth0"}, "fe80::1"},
		"unreadable":                        {peerAddress, false, []string{"X-Forwarded-For: 52998224725"}, peerAddress},
		"unreadable behind a proxy":         {peerAddress, false, []string{"X-Forwarded-For: " + client + ", who, " + one}, one},
		"half a bracket":                    {peerAddress, false, []string{"X-Forwarded-For: [2001:db8::1"}, peerAddress},
		"Forwarded is not looked at":        {peerAddress, false, []string{"Forwarded: for=198.51.100.1", "X-Forwarded-For: " + client}, client},
		"Forwarded":                         {peerAddress, true, []string{"Forwarded: for=" + client + ";proto=https"}, client},
		"X-Forwarded-For is not looked at":  {peerAddress, true, []string{"X-Forwarded-For: 198.51.100.1", "Forwarded: proto=https; For=" + client}, client},
		"Forwarded, IPv6":                   {peerAddress, true, []string{`Forwarded: for=198.51.100.1, for="[2001:db8::1]:4711";by="a,b"`}, "2001:db8::1"},
		"Forwarded, a quote left open":      {peerAddress, true, []string{`Forwarded: for="198.51.100.1, for=` + client}, client},
		"Forwarded, hidden":                 {peerAddress, true, []string{"Forwarded: for=_secret"}, peerAddress},
		"Forwarded, unknown behind a proxy": {peerAddress, true, []string{"Forwarded: for=" + client + ", for=unknown, for=" + one}, one},
		"Forwarded without for":             {peerAddress, true, []string{"Forwarded: by=" + client}, peerAddress},
	} {
		t.Run(name, func(t *testing.T) {
			p := proxies{trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32")}, forwarded: c.forwarded}
			var ctx fasthttp.RequestCtx
			ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.ParseIP(c.peer), Port: 1}, nil)
			for _, h := range c.header {
				field, value, _ := strings.Cut(h, ": ")
				ctx.Request.Header.Add(field, value)
			}
			require.Equal(t, c.want, p.client(&ctx).String())
			require.Equal(t, c.peer, (&proxies{}).client(&ctx).String(), "nobody is trusted by default")
		})
	}
}

// Through the configuration: the log names whom a trusted proxy passes on.
func TestTrustedProxies(t *testing.T) {
	for name, c := range map[string]struct{ settings, want string }{
		"none":             {"", "127.0.0.1"},
		"others":           {"trusted_proxies: 10.0.0.0/8", "127.0.0.1"},
		"this one":         {"trusted_proxies: [10.0.0.0/8, \"127.0.0.1, ::1\"]", "203.0.113.5"},
		"by the other one": {"trusted_proxies: 127.0.0.0/8\n  proxy_header: Forwarded", "203.0.113.6"},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, changed(t, "gateway.yaml", "mappings: ./mappings\n", "mappings: ./mappings\n  "+c.settings+"\n"))
			w.raw("GET /p/echo HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.5\r\nForwarded: for=203.0.113.6\r\n\r\n")
			w.stop()
			got := w.log.all(t, "request")
			require.Len(t, got, 1)
			require.Equal(t, c.want, got[0]["client_address"])
		})
	}
}
