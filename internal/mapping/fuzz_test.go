package mapping_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// FuzzLoad feeds one file beside the good ones: whatever it holds, Load gives
// a set or errors that stand somewhere, and never both or neither.
func FuzzLoad(f *testing.F) {
	cases, err := filepath.Glob("testdata/rules/*.txtar")
	require.NoError(f, err)
	for _, path := range cases {
		data, err := os.ReadFile(path)
		require.NoError(f, err)
		for _, file := range txtar.Parse(data).Files {
			if strings.HasSuffix(file.Name, ".yaml") {
				f.Add(string(file.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, list := load(t, []txtar.File{{Name: "m.yaml", Data: []byte(text)}})
		require.Equal(t, list.HasErrors(), set == nil)
		for _, d := range list {
			require.NotNil(t, d.Span.File, d.Message)
			require.NotEmpty(t, d.Message)
		}
		_ = list.Text()
	})
}
