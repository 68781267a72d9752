// Package ticket issues the tokens that callers fetch from the gateway where a
// backend's own API has them fetch one, and knows them again. A ticket is bound
// to its caller, signed, and nothing is kept of it: every replica that has the
// key knows it, and it ends by itself.
//
// It has the shape of a JSON Web Token (RFC 7519) with the times in
// milliseconds, as clients of such APIs read it. Only what Issue makes is ever
// accepted: no field of a received one says how it is to be checked.
package ticket

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Life is how long a ticket is good.
const Life = time.Hour

// The errors of Check.
var (
	ErrForged  = errors.New("no ticket of this gateway, or another caller's")
	ErrExpired = errors.New("the ticket has ended")
)

// header is the same for all: {"alg":"HS256","typ":"JWT"}.
var header = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "."

// Issuer issues and checks. It is safe for concurrent use.
type Issuer struct{ keys []*sync.Pool }

// New gives an issuer that signs with the first of the keys, of 32 bytes each, and knows what any of them has signed.
func New(keys ...[]byte) (*Issuer, error) {
	if len(keys) == 0 {
		return nil, errors.New("tickets need a key")
	}
	i := &Issuer{}
	for _, secret := range keys {
		key, err := hkdf.Key(sha256.New, secret, nil, "emenda ticket", 32)
		if err != nil {
			return nil, err
		}
		i.keys = append(i.keys, &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }})
	}
	return i, nil
}

// Issue gives a ticket for a caller, which has been renewed so many times.
func (i *Issuer) Issue(caller string, renewed int, now time.Time) string {
	claims := make([]byte, 0, 128)
	claims = append(claims, `{"sub":`...)
	claims = strconv.AppendQuoteToASCII(claims, caller)
	claims = append(claims, `,"iat":`...)
	claims = strconv.AppendInt(claims, now.UnixMilli(), 10)
	claims = append(claims, `,"exp":`...)
	claims = strconv.AppendInt(claims, now.Add(Life).UnixMilli(), 10)
	claims = append(claims, `,"qtdRen":`...)
	claims = strconv.AppendInt(claims, int64(renewed), 10)
	claims = append(claims, '}')
	said := header + base64.RawURLEncoding.EncodeToString(claims)
	return said + "." + base64.RawURLEncoding.EncodeToString(sign(i.keys[0], said, nil))
}

// Check tells whether a ticket is the caller's and still good, and how many times it has been renewed.
func (i *Issuer) Check(ticket, caller string, now time.Time) (renewed int, err error) {
	rest, ours := strings.CutPrefix(ticket, header)
	body, signature, ok := strings.Cut(rest, ".")
	if !ours || !ok {
		return 0, ErrForged
	}
	var room [sha256.Size]byte
	var given [sha256.Size + 1]byte
	n, err := base64.RawURLEncoding.Strict().Decode(given[:], []byte(signature[:min(len(signature), 44)]))
	if err != nil || n != sha256.Size || len(signature) != 43 {
		return 0, ErrForged
	}
	known := false
	for _, key := range i.keys {
		known = hmac.Equal(given[:n], sign(key, ticket[:len(header)+len(body)], room[:0])) || known
	}
	if !known {
		return 0, ErrForged
	}
	// Signed by us: it is as Issue has written it.
	claims, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return 0, ErrForged
	}
	text, mine := strings.CutPrefix(string(claims), `{"sub":`+strconv.QuoteToASCII(caller)+`,"iat":`)
	_, text, ok = strings.Cut(text, `,"exp":`)
	end, count, ok2 := strings.Cut(text, `,"qtdRen":`)
	until, err := strconv.ParseInt(end, 10, 64)
	if !mine || !ok || !ok2 || err != nil {
		return 0, ErrForged
	}
	if now.UnixMilli() >= until {
		return 0, ErrExpired
	}
	renewed, err = strconv.Atoi(strings.TrimSuffix(count, "}"))
	if err != nil {
		return 0, ErrForged
	}
	return renewed, nil
}

// sign appends the signature of text.
func sign(key *sync.Pool, text string, dst []byte) []byte {
	mac := key.Get().(hash.Hash)
	mac.Reset()
	_, _ = mac.Write([]byte(text))
	dst = mac.Sum(dst)
	key.Put(mac)
	return dst
}
