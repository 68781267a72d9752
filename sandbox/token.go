package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync"
	"time"
)

// tokens issues and knows the ERP's session tokens. They look like the
// document's sample: HS256, exp and iat in milliseconds, a renewal counter.
type tokens struct {
	key  []byte
	life time.Duration
	now  func() time.Time

	mu     sync.Mutex
	serial int
	known  map[string]issued
}

// issued is what is remembered of a token.
type issued struct {
	expires  time.Time
	renewals int
}

func newTokens(key []byte, life time.Duration, now func() time.Time) *tokens {
	return &tokens{key: key, life: life, now: now, known: make(map[string]issued)}
}

// issue makes a token that has been renewed so many times.
func (t *tokens) issue(renewals int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	// The lapsed ones go, so that a long run does not pile them up.
	for token, is := range t.known {
		if !now.Before(is.expires) {
			delete(t.known, token)
		}
	}
	t.serial++
	expires := now.Add(t.life)
	// jti keeps two tokens of one millisecond apart.
	claims := fmt.Sprintf(`{"jti":"%d","iat":%d,"exp":%d,"ren":%t,"qtdRen":%d}`,
		t.serial, now.UnixMilli(), expires.UnixMilli(), renewals > 0, renewals)
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + enc.EncodeToString([]byte(claims))
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(signed))
	token := signed + "." + enc.EncodeToString(mac.Sum(nil))
	t.known[token] = issued{expires: expires, renewals: renewals}
	return token
}

// find says what is known of a token; ok is false when it was never issued,
// was revoked or has lapsed.
func (t *tokens) find(token string) (is issued, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	is, ok = t.known[token]
	return is, ok && t.now().Before(is.expires)
}

// revoke makes a token unknown.
func (t *tokens) revoke(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, token)
}
