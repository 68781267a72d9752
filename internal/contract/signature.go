package contract

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Sign gives the timestamp of now and the signature of a body that is sent
// then, as they stand in their header fields. Whoever holds the key makes the
// same of what came, and compares.
func (s *Signature) Sign(key string, now time.Time, body []byte) (timestamp, signature string) {
	timestamp = strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte(timestamp)) // a hash takes everything
	_, _ = mac.Write([]byte{'.'})
	_, _ = mac.Write(body)
	return timestamp, s.Prefix + fmt.Sprintf("%x", mac.Sum(nil))
}

// signature reads how requests are signed.
func (l *loader) signature(n *yamldoc.Node) {
	if n == nil || n.Kind != yamldoc.Map {
		return
	}
	l.variable(n, "key")
	l.prefix(n.Get("prefix"))
	s := &Signature{Key: word(n.Get("key")), Header: word(n.Get("header")), Timestamp: word(n.Get("timestamp")), Prefix: word(n.Get("prefix"))}
	for _, key := range []string{"header", "timestamp"} {
		at := n.Get(key)
		if at == nil || at.Kind != yamldoc.Text {
			continue
		}
		if !equalFold(at.Text, "authorization") {
			l.headerName(at)
		}
		if by := l.headerTaken(at.Text); by != "" {
			l.list.Errorf(at.Span, ruleSignIn, "the header %s is taken by %s", short(at.Text), by)
		}
	}
	if s.Header != "" && strings.EqualFold(s.Header, s.Timestamp) {
		l.list.Errorf(n.Get("timestamp").Span, ruleSignIn, "signature and timestamp each need a header of their own")
	}
	l.c.SignIn.Signature = s
	l.filledHeaders(func(name string) bool {
		return strings.EqualFold(name, s.Header) || strings.EqualFold(name, s.Timestamp)
	})
}

// headerTaken tells which other part of the sign-in fills a header, "" for none.
func (l *loader) headerTaken(name string) string {
	s := &l.c.SignIn
	switch {
	case s.Basic != nil && equalFold(name, "authorization"):
		return "basic"
	case s.Token != nil && s.Token.Header != "" && strings.EqualFold(name, s.Token.Header):
		return "the token"
	}
	for _, f := range s.Header {
		if strings.EqualFold(f.Name, name) {
			return "the sign-in's header"
		}
	}
	return ""
}
