package jsonx

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestIndexReadsWhatParseReads: Index gives the value Parse gives, for every kind of document.
func TestIndexReadsWhatParseReads(t *testing.T) {
	for _, text := range []string{`{"a":[1,{"b":null}],"a":2}`, `[]`, `{}`, `"x"`, `1.10`, `null`, `true`, ``, `["\u0000",[[]]]`} {
		var a, b Arena
		v := a.Index(text)
		want, err := b.Parse(text, false)
		if text == "" {
			require.Equal(t, Absent, v.Kind())
			continue
		}
		require.NoError(t, err)
		require.True(t, Equal(want, v), text)
		require.Equal(t, text, string(v.AppendJSON(nil)))
	}
	rapid.Check(t, func(r *rapid.T) {
		var a, b Arena
		text := string(AppendQuoted([]byte(`{"k":[`), rapid.String().Draw(r, "text"))) + `,{"z":` + rapid.StringMatching(`-?[1-9][0-9]{0,20}`).Draw(r, "number") + `}]}`
		want, err := b.Parse(text, false)
		require.NoError(r, err)
		got := a.Index(text)
		require.True(r, Equal(want, got))
		require.Equal(r, want.Get("k").At(1).Get("z").Text(), got.Get("k").At(1).Get("z").Text())
	})
}
