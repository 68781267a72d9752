package sandbox

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Where the stand-in of a sales partner takes callbacks, and the key they are
// signed with.
const (
	PartnerPath = "/partner/callbacks"
	PartnerKey  = "partner-sandbox-key"
)

// The header fields of a signed callback, and how old one may be.
const (
	partnerTimestamp = "X-Emenda-Timestamp"
	partnerSignature = "X-Emenda-Signature"
	partnerAge       = 5 * time.Minute
)

// partner is what the stand-in of a partner has heard.
type partner struct {
	mu    sync.Mutex
	heard []Callback
}

// Callback is one that came, whether or not it was believed.
type Callback struct {
	// ID is the body's id, else the Idempotency-Key.
	ID string `json:"id"`
	// Signed says that the signature is right and not too old; Why what is
	// wrong with it.
	Signed bool   `json:"signed"`
	Why    string `json:"why,omitempty"`
	// Again says that one with this id had been taken before.
	Again bool            `json:"again"`
	At    time.Time       `json:"at"`
	Body  json.RawMessage `json:"body"`
}

func (p *partner) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = nil
}

// Callbacks gives what the partner has heard, oldest first.
func (s *Sandbox) Callbacks() []Callback {
	s.partner.mu.Lock()
	defer s.partner.mu.Unlock()
	return append([]Callback{}, s.partner.heard...)
}

// partnerOperations is the table of the partner's one operation.
func partnerOperations() []operation {
	return []operation{{
		id: "partner.callback", method: http.MethodPost, path: PartnerPath, stateful: true,
		admit: func(*Sandbox, *request) *answer { return nil }, refusal: `{"error":"refused"}`, refusalStatus: http.StatusUnprocessableEntity,
		answer: hearCallback,
	}}
}

// hearCallback takes a callback; 401 says that it is not believed.
func hearCallback(s *Sandbox, r *request) answer {
	body, err := r.load()
	if err != nil {
		return *r.page(http.StatusBadRequest)
	}
	one := Callback{At: s.opts.Now(), Why: s.unsigned(r.http.Header, body), Body: json.RawMessage(`null`)}
	one.Signed = one.Why == ""
	var said struct {
		ID string `json:"id"`
	}
	if json.Valid(body) {
		one.Body = body
		_ = json.Unmarshal(body, &said) // a body of another shape has no id
	}
	one.ID = cmp.Or(said.ID, r.http.Header.Get("Idempotency-Key"))
	s.partner.mu.Lock()
	defer s.partner.mu.Unlock()
	for _, before := range s.partner.heard {
		one.Again = one.Again || before.Signed && before.ID == one.ID && one.ID != ""
	}
	s.partner.heard = append(s.partner.heard, one)
	if !one.Signed {
		a := value(object{"error", one.Why})
		a.status = http.StatusUnauthorized
		return a
	}
	return answer{status: http.StatusNoContent, kind: typeJSON}
}

// unsigned tells what is wrong with a callback's signature, "" for nothing: it
// is that of the timestamp, a full stop and the body.
func (s *Sandbox) unsigned(h http.Header, body []byte) string {
	at, err := strconv.ParseInt(h.Get(partnerTimestamp), 10, 64)
	if err != nil {
		return "no " + partnerTimestamp
	}
	if age := s.opts.Now().Sub(time.Unix(at, 0)).Abs(); age > partnerAge {
		return "the timestamp is too old, or of the future"
	}
	got, err := hex.DecodeString(strings.TrimPrefix(h.Get(partnerSignature), "sha256="))
	if err != nil || len(got) == 0 {
		return "no " + partnerSignature
	}
	mac := hmac.New(sha256.New, []byte(PartnerKey))
	_, _ = mac.Write([]byte(h.Get(partnerTimestamp) + ".")) // a hash takes everything
	_, _ = mac.Write(body)
	if !hmac.Equal(got, mac.Sum(nil)) {
		return "the signature is wrong"
	}
	return ""
}
