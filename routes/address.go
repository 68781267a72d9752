package routes

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"
)

// proxies are whom it is believed who the client is, and where they say it.
// Only one field is looked at: a proxy that writes the one hands on whatever
// a client has written into the other.
type proxies struct {
	trusted   []netip.Prefix
	forwarded bool // Forwarded (RFC 7239), not X-Forwarded-For
}

func (p *proxies) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(p.trusted, func(n netip.Prefix) bool { return n.Contains(a) })
}

// client gives the address of the client: the peer's, or while that is a proxy
// that is trusted, whom it says it passes on. Fields are read from the right,
// since each proxy appends: what stands left of the first address that is not
// trusted, or that cannot be read, may be anybody's invention.
func (p *proxies) client(ctx *fasthttp.RequestCtx) netip.Addr {
	a := peer(ctx.RemoteAddr())
	if len(p.trusted) == 0 || !p.trusts(a) {
		return a
	}
	name := "X-Forwarded-For"
	if p.forwarded {
		name = "Forwarded"
	}
	lines := ctx.Request.Header.PeekAll(name)
	for _, line := range slices.Backward(lines) {
		for rest := text(line); rest != ""; {
			var element string
			rest, element = lastElement(rest)
			if strings.Trim(element, " \t") == "" { // RFC 9110, 5.6.1: empty elements do not count
				continue
			}
			if p.forwarded {
				element = forwardedFor(element)
			}
			next, ok := node(element)
			if !ok {
				return a
			}
			if a = next; !p.trusts(a) {
				return a
			}
		}
	}
	return a
}

// peer gives the address of the other end of a connection.
func peer(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// lastElement cuts the last element off a list. Quotes are counted from the
// right, where the element is that a proxy has written: one that a client has
// left open further left does not reach it.
func lastElement(list string) (rest, element string) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch {
		case list[i] == '"':
			quoted = !quoted
		case list[i] == ',' && !quoted:
			return list[:i], list[i+1:]
		}
	}
	return "", list
}

// forwardedFor gives the value of for= of an element of Forwarded.
func forwardedFor(element string) string {
	for pair := range strings.SplitSeq(element, ";") {
		name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
		if strings.EqualFold(name, "for") {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// node reads an address, with or without a port: 192.0.2.1, 192.0.2.1:80,
// 2001:db8::1, [2001:db8::1]:80.
func node(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	if rest, ok := strings.CutPrefix(s, "["); ok {
		host, port, closed := strings.Cut(rest, "]")
		if !closed || port != "" && port[0] != ':' {
			return netip.Addr{}, false
		}
		s = host
	} else if host, _, ok := strings.Cut(s, ":"); ok && strings.Count(s, ":") == 1 {
		s = host
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}
