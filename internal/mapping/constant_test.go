package mapping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

func TestConstantJSON(t *testing.T) {
	for _, c := range []struct{ name, yaml, json string }{
		{"digits stay", "[1.10, 12345678901234567890, -0.5]", `[1.10,12345678901234567890,-0.5]`},
		{"words", "{ a: true, b: null, c: text, d: \"1\" }", `{"a":true,"b":null,"c":"text","d":"1"}`},
		{"empty", "{ a: [], b: {} }", `{"a":[],"b":{}}`},
		{"escapes", `"a\"b\\c\n\u00e7"`, `"a\"b\\c\nç"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, list := yamldoc.Parse(diag.NewFile("x.yaml", c.yaml+"\n"))
			require.Empty(t, list)
			require.Equal(t, c.json, string(mapping.ConstantJSON(n)))
		})
	}
}

func TestErrorKinds(t *testing.T) {
	for _, k := range mapping.ErrorKinds() {
		require.NotEmpty(t, k.String())
		require.GreaterOrEqual(t, k.DefaultStatus(), 400)
		steps := 0
		for from, ok := k.Inherits(); ok; from, ok = from.Inherits() {
			steps++
			require.Less(t, steps, 5, "%s inherits for ever", k)
		}
	}
	require.Empty(t, mapping.ErrorKind(200).String())
}
