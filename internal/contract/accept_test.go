package contract_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

const acceptContract = `openapi: 3.1.0
x-emenda: 1
info: { title: shop, version: "1" }
paths:
  /orders/{id}:
    put:
      operationId: orders.write
      x-emenda-changes: true
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: day, in: query, schema: { type: string, format: dd-MM-yyyy, pattern: '^[0-9]{2}-[0-9]{2}-[0-9]{4}$' } }
        - { name: kind, in: query, required: true, schema: { type: string, enum: [A, B C] } }
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [name, lines]
              properties:
                name: { type: string, minLength: 2, maxLength: 5 }
                count: { type: integer, minimum: 1, maximum: 9 }
                paid: { type: boolean }
                plan: { enum: [1, 2] }
                note: { type: [string, "null"], x-emenda-required-when: body.paid == true }
                lines:
                  type: array
                  minItems: 1
                  maxItems: 2
                  items: { type: object, required: [sku], properties: { sku: { type: string }, price: { type: number } } }
                either: { anyOf: [{ type: integer }, { type: array, items: { type: string } }] }
      responses: { "200": { description: done } }
`

func TestAccept(t *testing.T) {
	c, list := contract.Load("shop", diag.NewFile("shop.yaml", acceptContract), nil)
	require.False(t, list.HasErrors(), list.Text())
	op := c.Operations["orders.write"]
	good := []string{"5", "", "A"}
	for name, x := range map[string]struct {
		params []string
		body   string
		want   string
	}{
		"all there":              {good, `{"name":"Ana","lines":[{"sku":"x","price":1.5}]}`, ""},
		"as loose as backends":   {[]string{"5", " ", "B C"}, `{"name":12,"count":"3","paid":"1","plan":"2","note":"x","lines":[{"sku":7,"price":"1.5"}],"more":{}}`, ""},
		"blank is none":          {good, `{"name":"Ana","count":"","paid":" ","plan":null,"lines":[{"sku":"x","price":""}]}`, ""},
		"nothing":                {[]string{"", "", ""}, ``, "path id required /id, query kind required /kind, body body required "},
		"no object":              {good, `[]`, "body body type "},
		"missing":                {good, `{"count":1}`, "body name required /name, body lines required /lines"},
		"null is missing":        {good, `{"name":null,"lines":[{"sku":null}]}`, "body name required /name, body lines[0].sku required /lines/0/sku"},
		"wrong kinds":            {[]string{"x", "1-2-2020", "C"}, `{"name":{},"count":1.5,"paid":"maybe","plan":3,"lines":{},"either":"x"}`, "path id type /id, query day format /day, query kind enum /kind, body name type /name, body count type /count, body paid type /paid, body plan enum /plan, body lines type /lines, body either type /either"},
		"lengths and bounds":     {good, `{"name":"A","count":10,"lines":[]}`, "body name minLength /name, body count maximum /count, body lines minItems /lines"},
		"too much":               {good, `{"name":"Anaísa","count":0,"lines":[{"sku":"a"},{"sku":"b"},{"sku":1,"price":true}]}`, "body name maxLength /name, body count minimum /count, body lines maxItems /lines, body lines[2].price type /lines/2/price"},
		"required when":          {good, `{"name":"Ana","paid":true,"lines":[{"sku":"x"}]}`, "body note required /note"},
		"one of the kinds":       {good, `{"name":"Ana","either":["a"],"lines":[{"sku":"x"}]}`, ""},
		"none of the kinds":      {good, `{"name":"Ana","either":[{}],"lines":[{"sku":"x"}]}`, "body either type /either"},
		"the first key counts":   {good, `{"name":"Ana","name":{},"lines":[{"sku":"x"}]}`, ""},
		"numbers beyond 64 bits": {[]string{"123456789012345678901234567890", "", "A"}, `{"name":"Ana","lines":[{"sku":"x"}]}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			params := make([]jsonx.Value, len(x.params))
			for i, p := range x.params {
				if p != "" {
					params[i] = jsonx.TextValue(p)
				}
			}
			var body jsonx.Value
			if x.body != "" {
				var err error
				body, err = new(jsonx.Arena).Parse(x.body, false)
				require.NoError(t, err)
			}
			var got []string
			for _, f := range op.Accept(params, body) {
				got = append(got, [...]string{"path", "query", "header", "body"}[f.In]+" "+f.Field()+" "+f.Keyword+" "+f.Pointer())
			}
			require.Equal(t, x.want, strings.Join(got, ", "))
		})
	}
}
