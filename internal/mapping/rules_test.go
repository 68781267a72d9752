package mapping_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// TestRules loads each case of testdata/rules and compares everything said,
// word by word. A case is its files and, last, `says`.
func TestRules(t *testing.T) {
	cases, err := filepath.Glob("testdata/rules/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			a := txtar.Parse(data)
			last := len(a.Files) - 1
			require.Equal(t, "says", a.Files[last].Name)
			set, list := load(t, a.Files[:last])
			require.Equal(t, list.HasErrors(), set == nil)
			says := list.Text()
			if *update {
				a.Files[last].Data = []byte(says)
				require.NoError(t, os.WriteFile(path, txtar.Format(a), 0o600))
				return
			}
			require.Equal(t, string(a.Files[last].Data), says)
		})
	}
}
