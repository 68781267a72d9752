package contract_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// Whatever a contract file holds, Load says something or gives a contract whose operations work.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{plain, kinds, places, clubRoot + strings.TrimPrefix(clubMembers+twoOperations, "x-emenda-section: Members\n"), "", "openapi: 3.1.0", "[]", "paths: { /a: { get: 1 } }",
		"components: { schemas: { A: { $ref: '#/components/schemas/A' } } }",
		"paths: { /a: { get: { responses: { '200': { content: { application/json: { example: { a: [1] } } }, x-emenda-source: inferred } } } } }"} {
		f.Add(s)
	}
	fns, err := expr.NewFunctions()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		file := diag.NewFile("c.yaml", text)
		c, list := contract.Load("x", file, fns)
		if c == nil {
			if !list.HasErrors() {
				t.Fatal("no contract and no error")
			}
			return
		}
		for _, d := range list {
			if s := d.Span; s.File != file || s.Start < 0 || s.End > len(text) || s.Start > s.End {
				t.Fatalf("%q points nowhere: %d-%d", d.Message, s.Start, s.End)
			}
			_ = diag.List{d}.Text()
		}
		if list.HasErrors() {
			return
		}
		for _, op := range c.Operations {
			var r contract.Request
			values := make([]jsonx.Value, len(op.Params))
			for i := range values {
				values[i] = jsonx.TextValue("1")
			}
			_ = op.Build(&r, values, nil)
			for _, body := range []jsonx.Value{{}, jsonx.RawValue(`{"id":"7","user":""}`), jsonx.RawValue(`[{}]`)} {
				op.Missing(jsonx.RawValue(`{"id":1}`), body)
				op.Variant(jsonx.RawValue(`{"id":1}`), body)
			}
			for _, ex := range op.Exchanges {
				if err := op.Build(&r, ex.Params, ex.Body); err != nil && ex.Whole && ex.Exception == "" {
					_ = err.Error() // a value that cannot stand in its place
				}
			}
			for _, e := range op.Examples {
				var a jsonx.Arena
				op.Classify(&a, e.Status, e.Type, []byte(e.Answer))
			}
		}
	})
}
