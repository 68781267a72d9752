package backend

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
)

const signed = `openapi: 3.1.0
x-emenda: 1
info: { title: Signed in bodies, version: "1" }
x-emenda-sign-in:
  body: { app: app, key: key }
  token: { field: token, prefix: "T ", obtain: session.open, renew: session.renew, value: "${answer.token}" }
paths:
  /session:
    post:
      operationId: session.open
      x-emenda-changes: false
      requestBody: { content: { application/json: { schema: { type: object } } } }
      responses: { "200": { $ref: "#/components/responses/Token" } }
    put:
      operationId: session.renew
      x-emenda-changes: true
      x-emenda-token: true
      requestBody: { content: { application/json: { schema: { type: object } } } }
      responses: { "200": { $ref: "#/components/responses/Token" } }
  /form:
    post:
      operationId: form
      x-emenda-changes: true
      requestBody: { content: { application/x-www-form-urlencoded: { schema: { type: object, additionalProperties: true } } } }
      responses: { "200": { $ref: "#/components/responses/Done" } }
  /json:
    post:
      operationId: json
      x-emenda-changes: false
      x-emenda-token: true
      requestBody: { content: { application/json: { schema: { type: object, additionalProperties: true } } } }
      responses: { "200": { $ref: "#/components/responses/Done" } }
  /list:
    post:
      operationId: any
      x-emenda-changes: false
      requestBody: { content: { application/json: { schema: {} } } }
      responses: { "200": { $ref: "#/components/responses/Done" } }
components:
  responses:
    Done:
      description: Nothing to tell.
      content: { application/json: { schema: { type: object } } }
    Token:
      description: A token, or nothing.
      content: { application/json: { schema: { type: object, required: [token], properties: { token: { type: string, x-emenda-secret: true } } } } }
`

// What signs in in the body, static and fetched, is set at sending: the call
// and what is told of it hold none of it, and a renewed token takes its place.
func TestSignInInTheBody(t *testing.T) {
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	shop, list := contract.Load("shop", diag.NewFile("signed.yaml", signed), fns)
	require.Empty(t, list.Text())
	require.Equal(t, []string{"app", "key"}, shop.SignIn.Variables)
	good := 0
	s := serve(t, func(_ int, r seen) reply {
		switch {
		case strings.HasSuffix(r.line, "/session"):
			good++
			return reply{text: jsonAnswer(200, fmt.Sprintf(`{"token":"t%d"}`, good))}
		case strings.HasSuffix(r.line, "/json") && !strings.Contains(r.body, fmt.Sprintf(`"token":"T t%d"`, good)):
			return reply{text: jsonAnswer(401, `{}`)}
		}
		return reply{text: jsonAnswer(200, `{}`)}
	})
	c, err := New(Options{Contract: shop, URL: s.url(), SignIn: map[string]string{"app": "a&b", "key": `k"1`}, Timeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	do := func(id, body string) (string, *Call) {
		one := &Call{Operation: shop.Operations[id]}
		var raw []byte
		if body != "" {
			raw = []byte(body)
		}
		require.NoError(t, one.Operation.Build(&one.Request, nil, raw))
		return said(c.Do(within(t, 5*time.Second), one)), one
	}

	answer, one := do("form", `{"x":"1 2","key":"mine"}`)
	require.Equal(t, "ok 200 {}", answer)
	require.Equal(t, "x=1%202&key=mine", string(one.Request.Body), "the call itself has no secret")
	require.Equal(t, []string{"app", "key"}, SignedFields(shop, one))
	require.Equal(t, []string{"Content-Type"}, HeaderNames(shop, one))
	answer, one = do("json", "")
	require.Equal(t, "ok 200 {}", answer)
	require.Equal(t, []string{"app", "key", "token"}, SignedFields(shop, one))
	require.Equal(t, []string{"Content-Type"}, HeaderNames(shop, one))
	good = 7 // the token is ended elsewhere
	answer, _ = do("json", `{"a":1,"token":"mine"}`)
	require.Equal(t, "ok 200 {}", answer)
	answer, _ = do("any", `[1]`)
	require.Equal(t, "failed template", answer, "nothing is sent that cannot be signed")

	const who = `"app":"a&b","key":"k\"1"`
	var got []string
	for _, r := range s.requests() {
		require.NotContains(t, r.line+fmt.Sprint(r.header), "t1", "only the body carries it")
		got = append(got, r.line+" "+r.header.Get("Content-Type")+" "+r.body)
	}
	require.Equal(t, []string{
		"POST /form application/x-www-form-urlencoded x=1%202&app=a%26b&key=" + url.QueryEscape(`k"1`),
		"POST /session application/json {" + who + "}",
		"POST /json application/json {" + who + `,"token":"T t1"}`,
		`POST /json application/json {"a":1,"token":"T t1",` + who + "}",
		"PUT /session application/json {" + who + `,"token":"T t1"}`,
		`POST /json application/json {"a":1,"token":"T t8",` + who + "}",
	}, got)
}
