package mapping_test

import (
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

const tokenContract = `openapi: 3.1.0
x-emenda: 1
info: { title: Lines, version: "1" }
x-emenda-sign-in: { token: { field: token, placeholder: _TOKEN_, first: first } }
paths:
  /:
    post:
      operationId: ask
      x-emenda-changes: false
      x-emenda-token: true
      requestBody: { content: { application/json: { schema: { type: object, properties: { a: { type: string } }, additionalProperties: true } } } }
      responses: { "200": { description: a, content: { application/json: { schema: { type: object } } } } }
  /plain:
    post:
      operationId: plain
      x-emenda-changes: false
      requestBody: { content: { application/json: { schema: { type: object, properties: { a: { type: string } }, additionalProperties: true } } } }
      responses: { "200": { description: a, content: { application/json: { schema: { type: object } } } } }
`

// TestTokenPlaceholder: a text may say where the token goes, and nowhere else.
func TestTokenPlaceholder(t *testing.T) {
	for name, c := range map[string]struct{ op, text, want string }{
		"where it goes":            {"ask", `{"token": "_TOKEN_", "a": "_A_"}`, ""},
		"bare":                     {"ask", `{"token":_TOKEN_, "a": "_A_"}`, ""},
		"not there at all":         {"ask", `{"a": "_A_"}`, ""},
		"in another field":         {"ask", `{"token": "_TOKEN_", "a": "_A_", "b": "_TOKEN_"}`, "_TOKEN_ stands for the token, which goes in the field token"},
		"inside a text":            {"ask", `{"token": "x _TOKEN_", "a": "_A_"}`, "_TOKEN_ stands for the token, which goes in the field token"},
		"of a call without tokens": {"plain", `{"token": "_TOKEN_", "a": "_A_"}`, "unknown placeholder _TOKEN_"},
	} {
		t.Run(name, func(t *testing.T) {
			_, list := load(t, []txtar.File{
				{Name: "contracts/lines.yaml", Data: []byte(tokenContract)},
				{Name: "ask.json", Data: []byte(c.text)},
				{Name: "ask.yaml", Data: []byte("emenda: 1\nroute: { path: asked, dialect: plain }\nsteps:\n  said: { call: lines." + c.op + ", template: ask.json, vars: { _A_: x } }\nreply: [{ json: { said: \"${said}\" } }]\n")},
			})
			if c.want == "" {
				require.False(t, list.HasErrors(), list.Text())
				return
			}
			require.Contains(t, list.Text(), c.want)
			require.Contains(t, list.Text(), "ask.json:1:")
		})
	}
}
