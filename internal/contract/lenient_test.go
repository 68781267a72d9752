package contract_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
)

const loose = `openapi: 3.1.0
x-emenda: 1
info: { title: Shop, version: "1" }
x-emenda-outcomes:
  - { when: answer?.found == false, is: refused, class: not_found }
paths:
  /thing:
    get:
      operationId: thing
      x-emenda-changes: false
      responses:
        "200":
          description: A.
          content:
            application/json:
              schema:
                type: object
                properties:
                  found: { type: boolean }
                  id: { type: integer }
                  price: { type: number }
                  name: { type: string }
                  owners: { type: array, items: { type: integer } }
                  parts:
                    type: array
                    items: { type: object, properties: { id: { type: integer }, note: { type: string } } }
`

// TestLenient: backends are loose with kinds; answers get the declared ones where that loses nothing.
func TestLenient(t *testing.T) {
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	c, list := contract.Load("shop", diag.NewFile("shop.yaml", loose), fns)
	require.False(t, list.HasErrors(), list.Text())
	op := c.Operations["thing"]
	for name, x := range map[string]struct{ body, want string }{
		"as declared, byte for byte": {`{"found":true,"id": 5,"price":1.10,"more":"x"}`, `ok {"found":true,"id": 5,"price":1.10,"more":"x"}`},
		"numbers as text":            {`{"id":"5","price":"3.50","more":"7"}`, `ok {"id":5,"price":3.50,"more":"7"}`},
		"twenty digits":              {`{"id":"12345678901234567890"}`, `ok {"id":12345678901234567890}`},
		"text as number":             {`{"name":1283299}`, `ok {"name":"1283299"}`},
		"truth as 1":                 {`{"found":1}`, `ok {"found":true}`},
		"a rule reads it so":         {`{"found":0}`, `refused not_found {"found":false}`},
		"truth as text":              {`{"found":"TRUE"}`, `ok {"found":true}`},
		"blank is no number":         {`{"id":"","price":" ","found":"","name":""}`, `ok {"id":null,"price":null,"found":null,"name":""}`},
		"null stays":                 {`{"id":null}`, `ok {"id":null}`},
		"leading zeros stay text":    {`{"id":"007"}`, `ok {"id":"007"}`},
		"a fraction is no id":        {`{"id":"5.5"}`, `ok {"id":"5.5"}`},
		"words stay":                 {`{"id":"five","found":"yes"}`, `ok {"id":"five","found":"yes"}`},
		"elements":                   {`{"owners":["1",2],"parts":[{"note":3,"id":"4"},{}]}`, `ok {"owners":[1,2],"parts":[{"note":"3","id":4},{}]}`},
		"another shape altogether":   {`["5"]`, `ok ["5"]`},
		"escapes are kept":           {`{"id":"5","more":"\u0000\ud800"}`, `ok {"id":5,"more":"\u0000\ud800"}`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, x.want, outcome(op, 200, "application/json", x.body))
		})
	}
}
