package backend

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
)

const stamped = `openapi: 3.1.0
x-emenda: 1
info: { title: Signed requests, version: "1" }
x-emenda-sign-in:
  body: { app: app }
  signature: { key: key, header: X-Signature, timestamp: X-Timestamp, prefix: "sha256=" }
paths:
  /notices:
    post:
      operationId: notice
      x-emenda-changes: true
      requestBody: { content: { application/json: { schema: { type: object, additionalProperties: true } } } }
      responses: { "204": { description: Taken. } }
    get:
      operationId: notices
      x-emenda-changes: false
      responses: { "200": { description: Told., content: { application/json: { schema: { type: object } } } } }
`

// What is signed is what was sent, the rest of the sign-in included; each
// attempt has a timestamp of its own; a request without a body is signed too.
func TestSignature(t *testing.T) {
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	shop, list := contract.Load("shop", diag.NewFile("stamped.yaml", stamped), fns)
	require.False(t, list.HasErrors(), list.Text())
	require.Equal(t, []string{"app", "key"}, shop.SignIn.Variables)
	failing := true
	s := serve(t, func(_ int, r seen) reply {
		switch {
		case strings.HasPrefix(r.line, "POST"):
			return reply{text: "HTTP/1.1 204 No Content\r\n\r\n"}
		case failing:
			failing = false
			return reply{text: jsonAnswer(500, `{}`)}
		}
		return reply{text: jsonAnswer(200, `{}`)}
	})
	now := time.Unix(1_800_000_000, 0)
	const key = "k é"
	options := Options{Contract: shop, URL: s.url(), SignIn: map[string]string{"app": "a", "key": key}, Timeout: 5 * time.Second, Now: func() time.Time {
		now = now.Add(time.Second)
		return now
	}}
	c, err := New(options)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	one := &Call{Operation: shop.Operations["notice"]}
	require.NoError(t, one.Operation.Build(&one.Request, nil, []byte(`{"id":"ç"}`)))
	require.Equal(t, []string{"X-Timestamp", "X-Signature", "Content-Type"}, HeaderNames(shop, one))
	require.Equal(t, "ok 204", said(c.Do(within(t, 5*time.Second), one)))
	require.Empty(t, one.Request.Headers, "the call itself holds no signature")
	two := &Call{Operation: shop.Operations["notices"], Retries: 1}
	require.NoError(t, two.Operation.Build(&two.Request, nil, nil))
	require.Equal(t, "ok 200 {}", said(c.Do(within(t, 5*time.Second), two)))

	got := s.requests()
	require.Len(t, got, 3)
	require.JSONEq(t, `{"id":"ç","app":"a"}`, got[0].body)
	stamps := map[string]bool{}
	for _, r := range got {
		at := r.header.Get("X-Timestamp")
		stamps[at] = true
		mac := hmac.New(sha256.New, []byte(key))
		_, _ = mac.Write([]byte(at + "." + r.body))
		require.Equal(t, []string{"sha256=" + hex.EncodeToString(mac.Sum(nil))}, r.header.Values("X-Signature"))
		require.NotContains(t, fmt.Sprint(r), key)
	}
	require.Len(t, stamps, 3)

	options.SignIn = map[string]string{"app": "a", "key": ""}
	_, err = New(options)
	require.EqualError(t, err, "key of backend shop is empty, and anybody could sign with it")
}

// A vector, for whoever verifies.
func TestSignatureVector(t *testing.T) {
	timestamp, signature := (&contract.Signature{Prefix: "sha256="}).Sign("partner-sandbox-key", time.Unix(1_800_000_000, 999), []byte(`{"id":"v1","status":"done"}`))
	require.Equal(t, "1800000000", timestamp)
	require.Equal(t, "sha256=8dc439a38ba05de9523fcf38e180bbbdf14202111d24d87bc09fafbc798c3979", signature)
}
