package routes

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// removeOther leaves one dialect.
func removeOther(t *testing.T, config string) {
	dir := filepath.Join(filepath.Dir(config), "mappings")
	require.NoError(t, os.Remove(filepath.Join(dir, "dialects", "other.yaml")))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "other")))
}
