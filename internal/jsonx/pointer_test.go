package jsonx

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPointerToken(t *testing.T) {
	for name, want := range map[string]string{"a": "a", "": "", "a/b": "a~1b", "m~n": "m~0n", "~1": "~01", "/~": "~1~0"} {
		t.Run(name, func(t *testing.T) { require.Equal(t, want, PointerToken(name)) })
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOf(rapid.RuneFrom([]rune("~/01aé"))).Draw(t, "name")
		token := PointerToken(name)
		require.NotContains(t, token, "/")
		require.Equal(t, name, PointerName(token))
	})
}
