package jsonx

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func parse(t testing.TB, s string) Value {
	t.Helper()
	v, err := new(Arena).Parse(s, false)
	require.NoError(t, err)
	return v
}

func TestVerbatim(t *testing.T) {
	for name, doc := range map[string]string{
		"beyond 53 bits":     `9007199254740993`,
		"twenty digits":      `12345678901234567890`,
		"zeros at the end":   `1.10`,
		"huge exponent":      `1e400`,
		"minus zero":         `-0`,
		"exponent as is":     `1E+02`,
		"escapes":            `"a\/b\u0041\n\"\\"`,
		"nul":                `"\u0000"`,
		"lone surrogate":     `"\ud800x\udc00"`,
		"raw line separator": "\"\u2028\u007f\"",
		"spaces inside":      `{ "a" : [ 1 , 2 ] }`,
		"duplicate keys":     `{"a":1,"a":2}`,
		"empty":              `[{},[],"",{"":""}]`,
		"word":               `[true,false,null]`,
	} {
		t.Run(name, func(t *testing.T) {
			v := parse(t, doc)
			require.Equal(t, doc, string(v.AppendJSON(nil)))
			require.Equal(t, doc, string(RawValue(" "+doc+"\n").AppendJSON(nil)))
			require.Equal(t, doc, string(v.Clone().AppendJSON(nil)))
			wrapped := parse(t, ` [ `+doc+` ] `)
			require.Equal(t, doc, string(wrapped.At(0).AppendJSON(nil)))
			require.Equal(t, doc, string(wrapped.At(-1).Clone().AppendJSON(nil)))
			require.Equal(t, doc, string(parse(t, `{"x":0,"k":`+doc+`,"y":0}`).Get("k").AppendJSON(nil)))
		})
	}
}
