package backend

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

const keyed = `openapi: 3.1.0
x-emenda: 1
info: { title: Signed in with keys, version: "1" }
x-emenda-sign-in: { header: { Authorization: key, X-Tenant: tenant } }
paths:
  /things/{id}:
    delete:
      operationId: remove
      x-emenda-changes: true
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { "204": { description: Gone. } }
`

// Keys go out as they are, on every operation, and only their names are told.
func TestSignInInTheHeader(t *testing.T) {
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	shop, list := contract.Load("shop", diag.NewFile("keyed.yaml", keyed), fns)
	require.Empty(t, list.Text())
	require.Equal(t, []string{"key", "tenant"}, shop.SignIn.Variables)
	s := serve(t, func(int, seen) reply { return reply{text: "HTTP/1.1 204 No Content\r\n\r\n"} })
	c, err := New(Options{Contract: shop, URL: s.url(), SignIn: map[string]string{"key": "a b=é", "tenant": "7"}, Timeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	one := &Call{Operation: shop.Operations["remove"]}
	require.NoError(t, one.Operation.Build(&one.Request, []jsonx.Value{jsonx.TextValue("1|2")}, nil))
	require.Equal(t, []string{"Authorization", "X-Tenant"}, HeaderNames(shop, one))
	require.Empty(t, one.Request.Headers, "the call itself has no secret")
	require.Equal(t, "ok 204", said(c.Do(within(t, 5*time.Second), one)))
	r := s.requests()[0]
	require.Equal(t, "DELETE /things/1%7C2", r.line)
	require.Equal(t, []string{"a b=é"}, r.header.Values("Authorization"))
	require.Equal(t, []string{"7"}, r.header.Values("X-Tenant"))

	for name, key := range map[string]string{"empty": "", "a blank around it": "k ", "a line break": "k\r\nX: y", "a tab at the end": "k\t"} {
		t.Run(name, func(t *testing.T) {
			_, err := New(Options{Contract: shop, URL: s.url(), SignIn: map[string]string{"key": key, "tenant": "7"}})
			require.EqualError(t, err, "key of backend shop cannot stand in a header: it is empty, has blanks around it, or a character that no header can carry")
		})
	}
}
