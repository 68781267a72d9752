package routes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// removeOther leaves one dialect, plain.
func removeOther(t *testing.T, config string) {
	dir := filepath.Join(filepath.Dir(config), "mappings")
	for _, name := range []string{"other", "desk"} {
		require.NoError(t, os.Remove(filepath.Join(dir, "dialects", name+".yaml")))
		require.NoError(t, os.RemoveAll(filepath.Join(dir, name)))
	}
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	before, after, found := strings.Cut(string(text), "  desk:\n")
	require.True(t, found)
	_, after, found = strings.Cut(after, "  kiosk:\n")
	require.True(t, found)
	require.NoError(t, os.WriteFile(config, []byte(before+"  kiosk:\n"+after), 0o600))
}
