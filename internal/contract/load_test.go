package contract_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
)

const plain = `openapi: 3.1.0
x-emenda: 1
info: { title: Shop, version: "1" }
paths:
  /a/{id}:
    get:
      operationId: a.read
      x-emenda-changes: false
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
      responses:
        "200":
          description: Good.
          content:
            application/json:
              schema: { type: object, required: [x], properties: { x: { type: integer } } }
              examples:
                one: { value: { x: 1 } }
`

// problems gives what Load says about text.
func problems(t testing.TB, text string) string {
	t.Helper()
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	_, list := contract.Load("shop", diag.NewFile("c.yaml", text), fns)
	return list.Text()
}

func TestPlain(t *testing.T) { require.Empty(t, problems(t, plain)) }

var update = flag.Bool("update", false, "rewrite the files in testdata that tests compare with")

// golden compares got with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o600))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// TestMistakes shows every message of a contract that is wrong.
func TestMistakes(t *testing.T) {
	var got strings.Builder
	for _, c := range []struct{ name, old, new string }{
		{"not 3.1", "3.1.0", "3.0.3"},
		{"a later version", "x-emenda: 1", "x-emenda: 2"},
		{"servers", "paths:", "servers: [{ url: https://evil.example }]\npaths:"},
		{"one path, two operations", "    get:\n", "    x-emenda-operations: []\n    get:\n"},
		{"an extension spelled wrong", "x-emenda-changes", "x-emenda-change"},
		{"operation id", "a.read", "a-read"},
		{"path parameter not declared", "name: id", "name: id2"},
		{"path parameter optional", "required: true, schema", "schema"},
		{"a list in a path", "schema: { type: integer } }", "schema: { type: array, items: { type: integer } } }"},
		{"a header of ours", "responses:", "  - { name: Host, in: header, schema: { type: string } }\n      responses:"},
		{"declared twice", "responses:", "  - { name: q, in: query, schema: { type: string } }\n        - { name: q, in: query, schema: { type: string } }\n      responses:"},
		{"same name, two places", "responses:", "  - { name: id, in: query, schema: { type: string } }\n      responses:"},
		{"a query in the path", "/a/{id}:", "/a/{id}?b=c:"},
		{"no good answer", `"200"`, `"404"`},
		{"a range of statuses", `"200"`, `2XX`},
		{"another media type", "application/json", "application/xml"},
		{"nothing known", "schema: { type: object, required: [x], properties: { x: { type: integer } } }", "x: 1"},
		{"example of another kind", "value: { x: 1 }", `value: { x: one }`},
		{"example lacks a field", "value: { x: 1 }", `value: {}`},
		{"example has more", "value: { x: 1 }", `value: { x: 1, y: 2 }`},
		{"required unknown", "required: [x]", `required: [z]`},
		{"pattern", "x: { type: integer }", `x: { type: string, pattern: "(?=x)" }`},
		{"a word of another type", "x: { type: integer }", `x: { type: integer, minLength: 1 }`},
		{"a format unknown", "x: { type: integer }", `x: { type: integer, format: int46 }`},
		{"nullable", "x: { type: integer }", `x: { type: integer, nullable: true }`},
		{"a reference to elsewhere", "x: { type: integer }", `x: { $ref: "other.yaml#/a" }`},
		{"a reference to nothing", "x: { type: integer }", `x: { $ref: "#/components/schemas/Thing" }`},
		{"two examples of a name", "one: { value: { x: 1 } }", "one: { value: { x: 1 } }\n        \"404\": { description: No., content: { application/json: { examples: { one: { value: {} } } } } }"},
		{"a rule of no sense", "responses:", "x-emenda-outcomes: [{ when: answr.x == 1, is: ok }, { when: status, is: refused }, { when: status == 1, is: ok, class: a }]\n      responses:"},
		{"a reading operation whose answer nobody knows", "responses:", "x-emenda-outcomes: [{ when: status == 1, is: unknown }, { when: status == 2, is: lost }]\n      responses:"},
		{"token without sign-in", "x-emenda-changes: false", "x-emenda-changes: false\n      x-emenda-token: true"},
		{"sign-in", "paths:", "x-emenda-sign-in: { basic: { user: User, password: p }, token: { header: Authorization, obtain: a.reed, value: \"${answer.x}\" } }\npaths:"},
		{"obtaining needs values", "paths:", "x-emenda-sign-in: { token: { header: T, obtain: a.read, value: \"${answer.x}\" } }\npaths:"},
		{"schemas that nest without end", "paths:", "components: { schemas: { A: { type: object, properties: { b: { $ref: '#/components/schemas/B' } } }, B: { $ref: '#/components/schemas/A' } } }\npaths:"},
		{"references in a circle", "paths:", "components: { schemas: { A: { $ref: '#/components/schemas/B' }, B: { $ref: '#/components/schemas/A' } } }\npaths:"},
		{"something beside a reference", "x: { type: integer }", "x: { $ref: '#/components/schemas/T', type: integer }"},
		{"near name in components", "paths:", "components: { schemas: { Thing: { $ref: '#/components/schemas/Thng' } } }\npaths:"},
		{"text that is an object", "application/json", "text/plain"},
		{"two media types", "            application/json:", "            text/plain: {}\n            application/json:"},
		{"source without content", "          content:\n            application/json:\n              schema: { type: object, required: [x], properties: { x: { type: integer } } }\n              examples:\n                one: { value: { x: 1 } }\n", "          x-emenda-source: inferred\n"},
		{"a body of another kind", "responses:", "requestBody: { content: { multipart/form-data: { schema: {} } } }\n      responses:"},
		{"a body without schema", "responses:", "requestBody: { content: { application/json: {} } }\n      responses:"},
		{"a form that nests", "    get:", "    post:\n      operationId: a.form\n      x-emenda-changes: true\n      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]\n      requestBody: { content: { application/x-www-form-urlencoded: { schema: { properties: { x: { type: object } } } } } }\n      responses: { \"204\": { description: Done. } }\n    get:"},
		{"a request example that does not fit", "    get:", "    post:\n      operationId: a.post\n      x-emenda-changes: true\n      parameters: [{ name: id, in: path, required: true, schema: { type: string }, example: 5 }]\n      requestBody: { content: { application/json: { schema: { properties: { xs: { type: array, maxItems: 1, items: { enum: [a, b] } } } }, examples: { e: { value: { xs: [a, c] } } } } } }\n      responses: { \"204\": { description: Done. } }\n    get:"},
		{"operation id twice", "    get:", "    put:\n      operationId: a.read\n      x-emenda-changes: true\n      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]\n      responses: { \"204\": { description: Done. } }\n    get:"},
		{"a dot segment", "/a/{id}", "/a/../{id}"},
		{"a blank in a path", "/a/{id}", "/a b/{id}"},
		{"an open brace", "/a/{id}", "/a/{id"},
		{"a token that carries itself", "paths:", "x-emenda-sign-in: { token: { header: T, obtain: t.get, value: \"${answer.tokn}\" } }\npaths:\n  /t: { get: { operationId: t.get, x-emenda-changes: false, x-emenda-token: true, responses: { \"200\": { description: T., content: { application/json: { schema: { properties: { token: { type: string } }, required: [token] } } } } } } }"},
		{"sign-in in a body", "paths:", "x-emenda-sign-in: { body: { app: App, 'a.b': b }, token: { prefix: x, obtain: a.read, value: \"${answer.x}\" } }\npaths:"},
		{"sign-in in a body that has it", "paths:\n  /a/{id}:\n", "x-emenda-sign-in: { body: { app: app } }\npaths:\n  /l: { post: { operationId: l.post, x-emenda-changes: true, requestBody: { content: { application/json: { schema: { type: array, items: {} } } } }, responses: { \"204\": { description: Done. } } } }\n  /a/{id}:\n    post:\n      operationId: a.post\n      x-emenda-changes: true\n      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]\n      requestBody: { content: { application/json: { schema: { properties: { app: { type: string } } } } } }\n      responses: { \"204\": { description: Done. } }\n"},
		{"a token in a body", "paths:\n", "x-emenda-sign-in: { body: { app: app }, token: { field: app, header: T, obtain: t.get, value: \"${answer.token}\" } }\npaths:\n  /l: { get: { operationId: l.get, x-emenda-changes: false, x-emenda-token: true, responses: { \"204\": { description: Done. } } } }\n  /t: { get: { operationId: t.get, x-emenda-changes: false, responses: { \"200\": { description: T., content: { application/json: { schema: { properties: { token: { type: string } }, required: [token] } } } } } } }\n"},
		{"a token where something else is", "paths:\n", "x-emenda-sign-in: { body: { app: app }, token: { field: app, obtain: t.get, value: \"${answer.token}\" } }\npaths:\n  /l: { get: { operationId: l.get, x-emenda-changes: false, x-emenda-token: true, responses: { \"204\": { description: Done. } } } }\n  /t: { get: { operationId: t.get, x-emenda-changes: false, responses: { \"200\": { description: T., content: { application/json: { schema: { properties: { token: { type: string } }, required: [token] } } } } } } }\n"},
		{"a token from nowhere", "paths:", "x-emenda-sign-in: { token: { header: T } }\npaths:"},
		{"a first token and what it has no use for", "paths:", "x-emenda-sign-in: { token: { header: T, first: first, renew: a.read, value: \"${answer.x}\" } }\npaths:"},
		{"a token obtained and not found", "paths:", "x-emenda-sign-in: { token: { header: T, obtain: t.post } }\npaths:\n  /t: { post: { operationId: t.post, x-emenda-changes: false, responses: { \"200\": { description: T, content: { application/json: { schema: { properties: { token: { type: string } }, required: [token] } } } } } } }"},
		{"a token asked for with a body", "paths:", "x-emenda-sign-in: { token: { header: T, obtain: t.post, value: \"${answer.token}\", with: { a: \"x${user}\", b: \"${User}\" }, next: \"${answer.t + }\" } }\npaths:\n  /t: { post: { operationId: t.post, x-emenda-changes: false, responses: { \"200\": { description: T, content: { application/json: { schema: { properties: { token: { type: string } }, required: [token] } } } } } } }"},
		{"sign-in in the header", "paths:", "x-emenda-sign-in: { basic: { user: u, password: p }, header: { authorization: Key, X-Key: key, x-key: key, Content-Length: key, X_: key } }\npaths:"},
		{"a signature where others are", "paths:\n", "x-emenda-sign-in: { basic: { user: u, password: p }, header: { X-Key: key }, signature: { key: Key, header: authorization, timestamp: x-key, prefix: \"x\\ty\" } }\npaths:\n  /t: { get: { operationId: t.get, x-emenda-changes: false, parameters: [{ name: X-KEY, in: header, schema: { type: string } }], responses: { \"204\": { description: T. } } } }\n"},
		{"a signature in one header", "paths:", "x-emenda-sign-in: { signature: { key: key, header: X-S, timestamp: x-s } }\npaths:"},
		{"a signature of nothing", "paths:", "x-emenda-sign-in: { signature: { header: Content-Length, prefix: x } }\npaths:"},
		{"a token in a header of the sign-in", "paths:\n", "x-emenda-sign-in: { header: { X-Key: key }, token: { header: x-key, obtain: t.get, value: \"${answer.token}\" } }\npaths:\n  /t: { get: { operationId: t.get, x-emenda-changes: false, parameters: [{ name: X-KEY, in: header, schema: { type: string } }], responses: { \"200\": { description: T., content: { application/json: { schema: { properties: { token: { type: string } }, required: [token] } } } } } } }\n"},
		{"a class no catch can name", "responses:", "x-emenda-outcomes: [{ when: status == 1, is: failed, class: Not-Found, message: \"${answr}\" }]\n      responses:"},
		{"many at once", "a.read\n      x-emenda-changes: false", "A\n      x-emenda-chnges: false\n      sumary: x"},
	} {
		require.Contains(t, plain, c.old, c.name)
		got.WriteString("== " + c.name + "\n" + problems(t, strings.Replace(plain, c.old, c.new, 1)))
	}
	golden(t, "testdata/mistakes.txt", got.String())
}

// loadAny reads text as a contract that may have warnings.
func loadAny(t testing.TB, text string) *contract.Contract {
	t.Helper()
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	c, list := contract.Load("shop", diag.NewFile("c.yaml", text), fns)
	require.False(t, list.HasErrors(), list.Text())
	return c
}

// load reads text as a contract that must be good.
func load(t testing.TB, name, text string) *contract.Contract {
	t.Helper()
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	c, list := contract.Load(name, diag.NewFile(name+".yaml", text), fns)
	require.Empty(t, list.Text())
	return c
}
