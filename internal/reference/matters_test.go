package reference

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/maptest"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// A case that would pass without the key it is there for shows nothing: every
// key is taken out of the cases, one place after the other, until the checker
// or a test notices. Keys of tests, which only look, are also changed.
func TestEveryKeyMatters(t *testing.T) {
	c, cov := opened(t)
	w := newBench(t, c)
	require.Empty(t, w.notices("", ""), "the cases as they are")
	noticed := 0
	for _, id := range Keys() {
		listed := slices.Contains(notes, id.String()) || slices.Contains(waiting, id.String()) || elsewhere[id.String()] != "" ||
			slices.ContainsFunc(forbids, func(f forbidden) bool { return f.key == id.String() })
		if slices.ContainsFunc(cov.Keys[id], func(u Use) bool { return w.matters(&u) }) {
			noticed++
			if listed {
				t.Errorf("%s is noticed, and listed as not", id)
			}
		} else if !listed {
			t.Errorf("the cases pass without %s", id)
		}
	}
	t.Logf("of %d keys, %d are noticed by a case when they are missing, %d by what they forbid, %d by tests of the process; %d are notes, %d wait for the shared store",
		len(Keys()), noticed, len(forbids), len(elsewhere), len(notes), len(waiting))
}

// bench loads and tests the cases with one file changed.
type bench struct {
	t     *testing.T
	c     *Cases
	texts map[string]*diag.File
}

func newBench(t *testing.T, c *Cases) *bench {
	b := &bench{t: t, c: c, texts: map[string]*diag.File{}}
	folder := filepath.Join(c.Root, CasesFolder)
	for _, pattern := range []string{"*/*.json", "*/*.txt"} {
		names, err := filepath.Glob(filepath.Join(folder, pattern))
		require.NoError(t, err)
		for _, name := range names {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			rel, err := filepath.Rel(folder, name)
			require.NoError(t, err)
			b.texts[filepath.ToSlash(rel)] = diag.NewFile(filepath.ToSlash(rel), string(text))
		}
	}
	return b
}

func (b *bench) matters(u *Use) bool {
	if b.notices(u.File.Name, u.Without()) != "" {
		return true
	}
	if !slices.Contains(u.Path, "tests") {
		return false
	}
	other := u.Otherwise()
	return other != "" && b.notices(u.File.Name, other) != ""
}

// notices gives what the checker or a test says when the named file has this text; "" for nothing.
func (b *bench) notices(name, text string) string {
	return b.run(name, func(n, old string) string {
		if n == name {
			return text
		}
		return old
	})
}

// said is notices for any change of texts.
func (b *bench) said(change func(name, text string) string) string { return b.run("", change) }

// run loads and tests the cases with their texts changed; when it is a mapping
// that is named, without the other mappings.
func (b *bench) run(name string, change func(name, text string) string) string {
	var files []*diag.File
	var cfg *config.Config
	var list diag.List
	contracts := map[string]*contract.Contract{}
	alone := slices.ContainsFunc(b.c.Files, func(f *CaseFile) bool { return f.Name == name && f.Kind == "mapping" })
	for _, f := range b.c.Files {
		if alone && f.Kind == "mapping" && f.Name != name {
			continue
		}
		file := diag.NewFile(f.Name, change(f.Name, f.File.Text))
		switch f.Kind {
		case "gateway.yaml":
			var found diag.List
			cfg, found = config.Load(file)
			list.Add(found)
		case "contract":
			loaded, found := contract.Load("shop", file, b.c.Functions)
			contracts["shop"] = loaded
			list.Add(found)
		default:
			files = append(files, file)
		}
	}
	if cfg == nil || cfg.Backends["shop"] == nil || cfg.Backends["shop"].Contract != "demo" {
		delete(contracts, "shop")
	}
	if len(list) > 0 {
		return list.Text()
	}
	set, found := mapping.Load(files, b.texts, mapping.World{Config: cfg, Contracts: contracts, Functions: b.c.Functions, Formats: b.c.Formats})
	if len(found) > 0 {
		return found.Text()
	}
	var said strings.Builder
	loaded := &snapshot.Loaded{Config: cfg}
	for _, r := range maptest.Run(set, loaded.TestOptions()) {
		for _, f := range r.Failures {
			said.WriteString(r.Name + ": " + f + "\n")
		}
	}
	return said.String()
}
