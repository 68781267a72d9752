package reference

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The committed page is what the generator gives, and gives again.
func TestPage(t *testing.T) {
	c, cov := opened(t)
	page, err := c.Page()
	require.NoError(t, err)
	again, err := c.Page()
	require.NoError(t, err)
	require.Equal(t, page, again)
	require.NotContains(t, page, "| none |", "a word without a case")
	require.NotContains(t, page, "{{")
	committed, err := os.ReadFile(filepath.Join("../..", PageFile))
	require.NoError(t, err)
	if string(committed) != page { // require.Equal would print all of it
		t.Errorf("%s is not what it would be now: make docs writes it", PageFile)
	}

	for _, id := range Keys() {
		require.Contains(t, page, "| `"+id.Key+"` |")
		require.NotEmpty(t, cov.Keys[id])
	}
	for _, fn := range c.Functions.All() {
		require.Contains(t, page, code(fn.Signature()))
	}
}

// Every YAML on the page is a case file, or lines of one.
func TestPageShowsCases(t *testing.T) {
	c, _ := opened(t)
	page, err := c.Page()
	require.NoError(t, err)
	bare := func(s string) string { // without indentation, which excerpts lose
		var b strings.Builder
		for line := range strings.Lines(s) {
			b.WriteString(strings.TrimSpace(line) + "\n")
		}
		return b.String()
	}
	texts := map[string]string{}
	for _, f := range c.Files {
		texts[f.Name] = bare(f.File.Text)
	}
	shown := 0
	for i, block := range strings.Split(page, "```yaml\n") {
		if i == 0 {
			continue
		}
		block, _, ok := strings.Cut(block, "```\n")
		require.True(t, ok)
		for part := range strings.SplitSeq("\n"+block, "\n# ") {
			if strings.TrimSpace(part) == "" {
				continue
			}
			name, lines, _ := strings.Cut(part, "\n")
			text, ok := texts[strings.TrimPrefix(name, CasesFolder+"/")]
			if !ok {
				continue // a comment of the file above
			}
			shown++
			require.Contains(t, text, strings.TrimRight(bare(lines), "\n"), name)
		}
	}
	require.Greater(t, shown, 40)
}
