package snapshot

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/maptest"
)

var update = flag.Bool("update", false, "rewrite what the cases of testdata/broken say")

// TestBroken puts one fault that operators really make into a small good
// folder, and compares everything the checker says, word by word. A case is
// "edit FILE" sections (old text, =====, new text) or whole files, and last
// what is said.
func TestBroken(t *testing.T) {
	base := readBase(t)
	loaded, list := loadTexts(base)
	require.Empty(t, list.Text(), "the base must be good")
	results := maptest.Run(loaded.Set, maptest.Options{Callers: loaded.TestCallers(), Zone: loaded.Zone()})
	require.NotEmpty(t, results)
	for _, r := range results {
		require.Empty(t, r.Failures, "the base must pass its tests")
	}

	cases, err := filepath.Glob("testdata/broken/*.txtar")
	require.NoError(t, err)
	rules := map[string]int{}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			a := txtar.Parse(data)
			last := len(a.Files) - 1
			require.Equal(t, "says", a.Files[last].Name)
			_, list := loadTexts(changed(t, base, a.Files[:last]))
			says := list.Text()
			if *update {
				a.Files[last].Data = []byte(says)
				require.NoError(t, os.WriteFile(path, txtar.Format(a), 0o600))
			} else {
				require.Equal(t, string(a.Files[last].Data), says)
			}
			require.True(t, list.HasErrors())
			for _, d := range list {
				rules[d.Rule]++
				require.NotEmpty(t, d.Rule)
				require.NotNil(t, d.Span.File, "no place: %s", d.Message)
				require.Less(t, d.Span.Start, len(d.Span.File.Text), "no snippet: %s", d.Message)
				require.False(t, strings.HasSuffix(d.Message, "."), "ends with a full stop: %s", d.Message)
			}
		})
	}
	require.GreaterOrEqual(t, len(cases), 25)
	require.GreaterOrEqual(t, len(rules), 25, "different rules: %v", rules)
	t.Logf("%d cases, %d rules", len(cases), len(rules))
}

func readBase(t *testing.T) map[string]string {
	data, err := os.ReadFile("testdata/base.txtar")
	require.NoError(t, err)
	texts := map[string]string{}
	for _, f := range txtar.Parse(data).Files {
		texts[f.Name] = string(f.Data)
	}
	return texts
}

// changed gives the base with a case's files and edits.
func changed(t *testing.T, base map[string]string, own []txtar.File) map[string]string {
	texts := map[string]string{}
	for name, text := range base {
		texts[name] = text
	}
	for _, f := range own {
		name, edit := strings.CutPrefix(f.Name, "edit ")
		if !edit {
			texts[name] = string(f.Data)
			continue
		}
		before, after, ok := strings.Cut(string(f.Data), "=====\n")
		require.True(t, ok, "an edit is old text, =====, new text")
		before, after = strings.TrimSuffix(before, "\n"), strings.TrimSuffix(after, "\n")
		require.Equal(t, 1, strings.Count(texts[name], before), "%s must hold the old text once:\n%s", name, before)
		texts[name] = strings.Replace(texts[name], before, after, 1)
	}
	return texts
}

// loadTexts loads gateway.yaml and the mappings of these texts.
func loadTexts(texts map[string]string) (*Loaded, diag.List) {
	return load(diag.NewFile("gateway.yaml", texts["gateway.yaml"]), source{
		contract: contract.LoadFiles,
		folder: func(_ diag.Span, folder string, _ *diag.List) *files {
			found := newFiles()
			var names []string
			for name := range texts {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				if inside, ok := strings.CutPrefix(name, "mappings/"); ok && wanted(name) {
					found.add(inside, diag.NewFile(name, texts[name]))
				}
			}
			return found
		},
	})
}
