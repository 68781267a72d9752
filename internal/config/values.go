package config

import (
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones must be there in images without them

	"github.com/emenda-gateway/emenda/internal/period"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// The checks of settings. None quotes what it is given: a setting may come
// from the environment and hold what was meant to be a secret.

func listen(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errors.New("expected address and port, as 127.0.0.1:8080")
	}
	return nil
}

// loopback tells whether only this machine reaches the address.
func loopback(s string) bool {
	host, _, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// rate checks a rate; an empty one is none.
func rate(s string) error {
	_, err := parseRate(s)
	return err
}

var ratePeriods = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}

// parseRate reads 50/s, 600/m, 1000/h.
func parseRate(s string) (Rate, error) {
	if s == "" {
		return Rate{}, nil
	}
	number, period, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(number)
	per := ratePeriods[period]
	if err != nil || per == 0 || n < 1 || n > 1_000_000 {
		return Rate{}, errors.New("expected a rate such as 50/s, 600/m or 1000/h, at most a million")
	}
	return Rate{N: n, Per: per}, nil
}

// networks checks a list of networks; an empty one is fine.
func networks(s string) error {
	_, err := parseNetworks(s)
	return err
}

// parseNetworks reads addresses and networks with commas or blanks between.
func parseNetworks(s string) (all []netip.Prefix, err error) {
	for _, piece := range strings.FieldsFunc(s, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' || c == '\n' }) {
		p, err := netip.ParsePrefix(piece)
		if err != nil {
			a, err := netip.ParseAddr(piece)
			if err != nil || a.Zone() != "" {
				return nil, errors.New("expected addresses or networks, as 10.0.0.7 or 10.0.0.0/8")
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if a := p.Addr(); a.Is4In6() {
			if p.Bits() < 96 {
				return nil, errors.New("expected networks of IPv4 as 10.0.0.0/8")
			}
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

func proxyHeader(s string) error {
	if !strings.EqualFold(s, defaultProxyHeader) && !strings.EqualFold(s, "Forwarded") {
		return errors.New("expected X-Forwarded-For or Forwarded")
	}
	return nil
}

func filled(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("this cannot be empty")
	}
	return nil
}

func zone(s string) error {
	_, err := period.Zone(s)
	return err
}

func duration(s string) error {
	if _, err := yamldoc.ParseDuration(s); err != nil {
		return errors.New("expected a duration such as 200ms, 4s, 2m, 1h or 7d")
	}
	return nil
}

func size(s string) error {
	if _, err := yamldoc.ParseSize(s); err != nil {
		return errors.New("expected a size such as 512, 64KB or 30MB")
	}
	return nil
}

func count(s string) error {
	if n, err := strconv.ParseInt(s, 10, 32); err != nil || n < 1 {
		return errors.New("expected a whole number above zero")
	}
	return nil
}

func countOrNone(s string) error {
	if n, err := strconv.ParseInt(s, 10, 32); err != nil || n < 0 {
		return errors.New("expected a whole number, or 0 for none")
	}
	return nil
}

func yesOrNo(s string) error {
	if s != "true" && s != "false" {
		return errors.New("expected true or false")
	}
	return nil
}

func hostURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Opaque != "" || u.Host == "" || u.Hostname() == "":
		return errors.New("expected scheme and host, as https://backend.example")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("expected an address that begins with http:// or https://")
	case u.User != nil:
		return errors.New("no user or password can stand in an address")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(s, "#"):
		return errors.New("no query or fragment can stand in an address")
	}
	return nil
}

func sealKey(s string) error {
	if b, err := base64.StdEncoding.DecodeString(s); err != nil || len(b) != 32 {
		return errors.New("expected 32 bytes in base64")
	}
	return nil
}
