package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
)

const versioned = `openapi: 3.1.0
x-emenda: 1
info: { title: Shop, version: "1" }
paths:
  /orders/{id}:
    get:
      operationId: orders.read
      x-emenda-changes: false
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: lang, in: query, schema: { type: string, maxLength: 5 } }
      responses:
        "200":
          content: { application/json: { schema: { type: object, required: [id, state], properties: { id: { type: integer }, state: { enum: [open, paid] }, lines: { type: array, items: { type: object, properties: { count: { type: integer } } } } } } } }
  /orders:
    post:
      operationId: orders.add
      x-emenda-changes: true
      requestBody: { content: { application/json: { schema: { type: object, required: [title], properties: { title: { type: string }, kind: { enum: [book, map] }, price: { type: number, minimum: 0, maximum: 10 } } } } } }
      responses: { "201": { description: Added } }
`

// TestDiff changes one thing at a time.
func TestDiff(t *testing.T) {
	before := load(t, "shop", versioned)
	require.Empty(t, contract.Diff(before, load(t, "shop", versioned)))
	for _, c := range []struct{ name, old, new, want string }{
		{"an operation is gone", "operationId: orders.add", "operationId: orders.put", "! orders.add  is gone\n  orders.put  is new\n"},
		{"another path", "/orders:", "/order:", "! orders.add  was POST /orders, is POST /order\n"},
		{"it changes something", "x-emenda-changes: false", "x-emenda-changes: true", "! orders.read  x-emenda-changes was false, is true\n"},
		{"it changes nothing", "x-emenda-changes: true", "x-emenda-changes: false", "  orders.add  x-emenda-changes was true, is false\n"},
		{"a parameter is gone", "        - { name: lang, in: query, schema: { type: string, maxLength: 5 } }\n", "", "! orders.read query lang is gone\n"},
		{"a parameter is required", "name: lang, in: query,", "name: lang, in: query, required: true,", "! orders.read query lang is required now\n"},
		{"a parameter is new", "- { name: lang,", "- { name: page, in: query, schema: { type: integer } }\n        - { name: lang,", "  orders.read query page is new\n"},
		{"a required one is new", "- { name: lang,", "- { name: page, in: query, required: true, schema: { type: integer } }\n        - { name: lang,", "! orders.read query page is new, and required\n"},
		{"a parameter goes elsewhere", "name: lang, in: query", "name: lang, in: header", "  orders.read query lang is in header now\n"},
		{"another type is asked for", "title: { type: string }", "title: { type: integer }", "! orders.add body.title was string, is integer\n"},
		{"more types are taken", "title: { type: string }", "title: { type: [string, \"null\"] }", ""},
		{"a whole number where a number was", "price: { type: number", "price: { type: integer", "! orders.add body.price was number, is integer\n"},
		{"fewer values", "enum: [book, map]", "enum: [book, cd]", "! orders.add body.kind may not be \"map\" any more\n"},
		{"a closed list", "title: { type: string }", "title: { type: string, enum: [a] }", "! orders.add body.title is one of a closed list now\n"},
		{"a field is required", "required: [title]", "required: [title, kind]", "! orders.add body.kind is required now\n"},
		{"a required field is new", "required: [title], properties: {", "required: [title, note], properties: { note: { type: string },", "! orders.add body.note is new, and required\n"},
		{"a field is new", "title: { type: string }, kind", "note: { type: string }, title: { type: string }, kind", "  orders.add body.note is new\n"},
		{"a field is gone", "kind: { enum: [book, map] }, ", "", "! orders.add body.kind is gone\n"},
		{"a body is required", "requestBody: {", "requestBody: { required: true,", "! orders.add body is required now\n"},
		{"narrower lengths", "maxLength: 5", "maxLength: 4", "! orders.read query lang has narrower bounds\n"},
		{"wider lengths", "maxLength: 5", "maxLength: 6", ""},
		{"a greater minimum", "minimum: 0", "minimum: 1", "! orders.add body.price has narrower bounds\n"},
		{"a smaller minimum", "minimum: 0", "minimum: -1", ""},
		{"a smaller maximum", "maximum: 10", "maximum: 9.5", "! orders.add body.price has narrower bounds\n"},
		{"a pattern", "maxLength: 5", "maxLength: 5, pattern: \"^[a-z]+$\"", "! orders.read query lang has narrower bounds\n"},
		{"an answer's field is gone", "count: { type: integer }", "size: { type: integer }", "! orders.read answer.lines.*.count is gone\n  orders.read answer.lines.*.size is new\n"},
		{"an answer's field may be missing", "required: [id, state]", "required: [id]", "! orders.read answer.state may be missing now\n"},
		{"an answer's type", "count: { type: integer }", "count: { type: string }", "! orders.read answer.lines.*.count was integer, is string\n"},
		{"an answer's whole number", "count: { type: integer }", "count: { type: number }", "! orders.read answer.lines.*.count was integer, is number\n"},
		{"an answer says more", "enum: [open, paid]", "enum: [open, paid, lost]", "  orders.read answer.state may be \"lost\" as well\n"},
		{"an answer of another kind", "\"201\": { description: Added }", "\"201\": { content: { text/plain: { schema: { type: string } } } }", "! orders.add answer is of another kind\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(versioned, c.old), "%q", c.old)
			var got strings.Builder
			for _, change := range contract.Diff(before, load(t, "shop", strings.Replace(versioned, c.old, c.new, 1))) {
				mark := " "
				if change.Breaks {
					mark = "!"
				}
				fmt.Fprintf(&got, "%s %s %s %s\n", mark, change.Operation, change.Place, change.What)
			}
			require.Equal(t, c.want, got.String())
		})
	}
}
