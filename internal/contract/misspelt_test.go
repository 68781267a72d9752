package contract_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMisspeltExample: an inferred contract holds what its schema and its
// examples say, so that a name misspelt in one would only add a field.
func TestMisspeltExample(t *testing.T) {
	inferred := strings.Replace(plain, "description: Good.", "x-emenda-source: inferred", 1)
	inferred = strings.Replace(inferred, "required: [x], properties: { x: { type: integer } }",
		"properties: { number: { type: integer }, parts: { type: array, items: { type: object, properties: { colour: { type: string } } } } }", 1)
	example := func(value string) string { return strings.Replace(inferred, "{ x: 1 }", value, 1) }

	require.Empty(t, problems(t, example("{ number: 1, weight: 2, parts: [{ colour: red }] }")))
	require.Equal(t, `c.yaml:18:33: warning: the schema names no field nubmer, which the example has
   18 |                 one: { value: { nubmer: 1, parts: [{ color: red }] } }
      |                                 ^^^^^^
      = did you mean number?
c.yaml:18:54: warning: the schema names no field color, which the example has
   18 |                 one: { value: { nubmer: 1, parts: [{ color: red }] } }
      |                                                      ^^^^^
      = did you mean colour?
`, problems(t, example("{ nubmer: 1, parts: [{ color: red }] }")))
}
