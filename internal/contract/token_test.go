package contract_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
)

// keys is a contract whose token is read by the words in VALUE, of an answer
// with the schema SCHEMA, and that takes pictures as many as PICTURES says.
const keys = `openapi: 3.1.0
x-emenda: 1
info: { title: Keys, version: "1" }
x-emenda-sign-in: { basic: { user: user, password: password }, token: { header: Key, obtain: keys.get, value: "VALUE" } }
paths:
  /keys:
    get:
      operationId: keys.get
      x-emenda-changes: false
      responses: { "200": { description: it, content: { application/json: { schema: SCHEMA } } } }
  /pictures:
    post:
      operationId: pictures.add
      x-emenda-changes: true
      x-emenda-token: true
      requestBody: { required: true, content: { application/json: { schema: PICTURES } } }
      responses: { "204": { description: done } }
`

func keysContract(t *testing.T, value, schema, pictures string) *contract.Contract {
	t.Helper()
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	text := strings.NewReplacer("VALUE", value, "SCHEMA", schema, "PICTURES", pictures).Replace(keys)
	c, list := contract.Load("keys", diag.NewFile("keys.yaml", text), fns)
	require.False(t, list.HasErrors(), list.Text())
	return c
}

func TestFieldOf(t *testing.T) {
	const two = "{ type: object, required: [for, key], properties: { for: { type: string }, key: { type: string } } }"
	for name, c := range map[string]struct{ value, schema, want string }{
		"the first":         {"${answer.for}", two, "for"},
		"another":           {"${answer.key}", two, "key"},
		"more than a field": {"k-${answer.key}", two, ""},
		"inside another":    {"${answer.a.key}", "{ type: object, required: [a], properties: { a: { type: object, required: [key], properties: { key: { type: string } } } } }", ""},
		"of no schema":      {"${answer.key ?? 'none'}", "{}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			k := keysContract(t, c.value, c.schema, "{ type: object }")
			require.Equal(t, c.want, k.SignIn.Token.FieldOf(k.SignIn.Token.Obtain))
			require.Equal(t, "Key", k.TokenHeader(k.Operations["pictures.add"]))
			require.Empty(t, k.TokenHeader(k.Operations["keys.get"]))
		})
	}
}

// What is in a list stands as often as the lists around it may be long.
func TestFilesThereMayBe(t *testing.T) {
	const file = "{ type: string, x-emenda-max-bytes: 1KB }"
	list := func(most, of string) string { return "{ type: array" + most + ", items: " + of + " }" }
	for name, c := range map[string]struct {
		schema string
		want   int
	}{
		"alone":                               {"{ type: object, properties: { a: " + file + " } }", 1},
		"in a list":                           {list(", maxItems: 5", file), 5},
		"in lists of lists":                   {list(", maxItems: 5", list(", maxItems: 3", file)), 15},
		"in one of any length":                {list("", file), -1},
		"in one of any length inside another": {list(", maxItems: 5", list("", file)), -1},
		"in ones too long to count":           {list(", maxItems: 2000000", list(", maxItems: 2000000", file)), -1},
		"in one that stays empty":             {list(", maxItems: 0", list(", maxItems: 5", file)), 0},
	} {
		t.Run(name, func(t *testing.T) {
			files := keysContract(t, "${answer.key ?? 'none'}", "{}", c.schema).Operations["pictures.add"].Files
			require.Len(t, files, 1)
			require.Equal(t, c.want, files[0].Most)
		})
	}
}
