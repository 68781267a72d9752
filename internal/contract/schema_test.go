package contract_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/expr"
)

// spell writes a type with everything the checker uses of it.
func spell(t *expr.Type) string {
	if t == nil {
		return "?"
	}
	var s string
	switch t.Kind {
	case expr.ListType:
		s = "[" + spell(t.Elem) + "]"
	case expr.ObjectType:
		var fields []string
		for _, name := range t.Order {
			f := t.Fields[name]
			mark := ""
			if f.Required {
				mark = "!"
			}
			if f.Assumed {
				mark += "~"
			}
			fields = append(fields, name+mark+" "+spell(f.Type))
		}
		if t.Open {
			fields = append(fields, "…")
		}
		s = "{" + strings.Join(fields, ", ") + "}"
		if t.Assumed {
			s += "~"
		}
	default:
		s = t.NotNull().String()
		if len(t.Enum) > 0 {
			s += fmt.Sprint(t.Enum)
		}
	}
	if t.Null {
		s += "?"
	}
	if t.Secret {
		s = "secret " + s
	}
	return s
}

func TestTypes(t *testing.T) {
	const frame = `openapi: 3.1.0
x-emenda: 1
info: { title: Shop, version: "1" }
paths:
  /a:
    post:
      operationId: a
      x-emenda-changes: true
      requestBody: { content: { application/json: { schema: %[1]s } } }
      responses:
        "200":
          description: A.
          x-emenda-source: %[3]s
          content: { application/json: { schema: %[1]s, examples: { %[2]s } } }
components:
  schemas:
    T: { type: object, required: [a], properties: { a: { type: string } } }
    S: { type: string, x-emenda-secret: true }
    R: { type: object, properties: { t: { $ref: "#/components/schemas/T" }, s: { $ref: "#/components/schemas/S" } } }
`
	for _, c := range []struct{ name, schema, examples, source, body, answer string }{
		{"documented", `{ type: object, required: [a], properties: { a: { type: integer }, b: { type: string } } }`, "", "documented", "{a! whole number, b text}", "{a! whole number, b text?}"},
		{"inferred", `{ type: object, required: [a], properties: { a: { type: integer }, b: { type: string } } }`, "", "inferred", "{a! whole number, b text}", "{a! whole number, b~ text}~"},
		{"examples add fields", `{ type: object, properties: { a: { type: number } } }`, "x: { value: { a: 1, b: [{ c: 1.5 }, { c: 2, d: x }], e: null } }", "inferred",
			"{a number}", "{a~ number, b~ [{c~ number, d~ text}~], e~ any value?}~"},
		{"examples disagree", `{ type: object, properties: { a: {} } }`, "x: { value: { b: 1 } }, y: { value: { b: q } }", "inferred", "{a any value}", "{a~ any value, b~ any value}~"},
		{"null in an example", `{ type: object, properties: {} }`, "x: { value: { b: 1 } }, y: { value: { b: null } }", "inferred", "{}", "{b~ whole number?}~"},
		{"open", `{ type: object, additionalProperties: true, properties: { a: { type: string } } }`, "x: { value: { z: 1 } }", "documented", "{a text, …}", "{a text?, …}"},
		{"nothing said of an object", `{ type: object }`, "", "documented", "{…}", "{…}"},
		{"may be null", `{ type: [string, "null"], enum: [a, b, null] }`, "", "documented", "text[a b]?", "text[a b]?"},
		{"several types", `{ type: [integer, string] }`, "", "documented", "any value", "any value"},
		{"whole or not", `{ type: [integer, number] }`, "", "documented", "number", "number"},
		{"any of", `{ anyOf: [{ type: string }, { type: "null" }] }`, "", "documented", "any value?", "any value?"},
		{"secret within any of", `{ oneOf: [{ $ref: "#/components/schemas/S" }, { type: integer }] }`, "", "documented", "secret any value", "secret any value"},
		{"references", `{ $ref: "#/components/schemas/R" }`, "", "documented", "{t {a! text}, s secret text}", "{t {a! text}?, s secret text?}"},
		{"list", `{ type: array, items: { $ref: "#/components/schemas/T" } }`, "", "documented", "[{a! text}]", "[{a! text}]"},
		{"list of anything", `{ type: array }`, "x: { value: [] }", "inferred", "[?]", "[?]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := fmt.Sprintf(frame, c.schema, c.examples, c.source)
			got := problems(t, text)
			for line := range strings.Lines(got) {
				if strings.Contains(line, "c.yaml:") {
					require.Contains(t, line, "warning: nothing refers to")
				}
			}
			op := loadAny(t, text).Operations["a"]
			require.Equal(t, c.body, spell(op.Body))
			require.Equal(t, c.answer, spell(op.Answer))
			require.Equal(t, "shop.a", op.Answer.Label)
		})
	}
}

// Schemas that refer to each other cannot make loading endless.
func TestReferencesThatMultiply(t *testing.T) {
	var b strings.Builder
	b.WriteString(strings.Replace(plain, "x: { type: integer }", `x: { $ref: "#/components/schemas/A0" }`, 1))
	b.WriteString("components:\n  schemas:\n")
	for i := range 40 {
		next := fmt.Sprintf(`{ $ref: "#/components/schemas/A%d" }`, i+1)
		fmt.Fprintf(&b, "    A%d: { type: object, properties: { a: %s, b: %s } }\n", i, next, next)
	}
	b.WriteString("    A40: { type: string }\n")
	got := problems(t, b.String())
	require.True(t, slices.ContainsFunc(strings.Split(got, "\n"), func(line string) bool {
		return strings.HasSuffix(line, "the contract's schemas refer to each other so often that they grow beyond 30000")
	}), got)
}
