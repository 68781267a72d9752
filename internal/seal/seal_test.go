package seal_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/seal"
)

func keyOf(t require.TestingT, b byte) *seal.Key {
	k, err := seal.NewKey(bytes.Repeat([]byte{b}, seal.KeySize))
	require.NoError(t, err)
	return k
}

func TestSealAndOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := keyOf(t, 1), keyOf(t, 2)
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		place := rapid.String().Draw(t, "place")
		sealed := a.Seal([]byte("before"), place, plain)
		require.Equal(t, "before", string(sealed[:6]))
		sealed = sealed[6:]
		for _, keys := range []seal.Keys{{a}, {b, a}, {a, b}} {
			got, err := keys.Open(place, sealed)
			require.NoError(t, err)
			require.True(t, bytes.Equal(plain, got))
		}
		_, err := seal.Keys{b}.Open(place, sealed)
		require.ErrorIs(t, err, seal.ErrForeign)
		_, err = seal.Keys{a}.Open(place+"x", sealed)
		require.ErrorIs(t, err, seal.ErrForeign, "bound to its place")
		i := rapid.IntRange(0, len(sealed)-1).Draw(t, "damaged byte")
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 1
		_, err = seal.Keys{a}.Open(place, damaged)
		require.ErrorIs(t, err, seal.ErrForeign)
		_, err = seal.Keys{a}.Open(place, sealed[:i])
		require.ErrorIs(t, err, seal.ErrForeign)
		if len(plain) > 8 {
			require.NotContains(t, string(sealed), string(plain))
		}
	})
}

func TestNames(t *testing.T) {
	a, same, b := keyOf(t, 1), keyOf(t, 1), keyOf(t, 2)
	require.Equal(t, a.Name([]byte("x")), same.Name([]byte("x")))
	require.NotEqual(t, a.Name([]byte("x")), a.Name([]byte("y")))
	require.NotEqual(t, a.Name([]byte("x")), b.Name([]byte("x")))
	one, another := seal.RandomKey(), seal.RandomKey()
	require.NotEqual(t, one.Name(nil), another.Name(nil))
	require.Len(t, a.Name(nil).String(), 43)
}

func TestFromFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := seal.FromFolder(dir)
	require.NoError(t, err)
	again, err := seal.FromFolder(dir)
	require.NoError(t, err)
	require.Equal(t, first.Name([]byte("x")), again.Name([]byte("x")))
	info, err := os.Stat(filepath.Join(dir, seal.FileName))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	require.NoError(t, os.WriteFile(filepath.Join(dir, seal.FileName), []byte("no key"), 0o600))
	_, err = seal.FromFolder(dir)
	require.ErrorContains(t, err, "32 bytes in base64")
}

func TestParse(t *testing.T) {
	_, err := seal.Parse(base64.StdEncoding.EncodeToString(make([]byte, 31)))
	require.ErrorContains(t, err, "32 bytes")
	_, err = seal.Parse("?")
	require.Error(t, err)
	_, err = seal.Parse(base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\n")
	require.NoError(t, err)
}
