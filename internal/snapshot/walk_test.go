package snapshot

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/mappings"
)

// put writes files below dir; a text that begins with "-> " is a link.
func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		if len(text) > 3 && text[:3] == "-> " {
			require.NoError(t, os.Symlink(text[3:], name))
			continue
		}
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
}

func TestWalk(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"files by name":              {map[string]string{"b.yaml": "", "a/c.YML": "", "a/b.txt": "", "a/d.md": "", "e.xml": "", "f.json": ""}, []string{"a/b.txt", "a/c.YML", "b.yaml", "e.xml", "f.json"}},
		"hidden ones are left out":   {map[string]string{".a.yaml": "", ".git/b.yaml": "", "c.yaml": ""}, []string{"c.yaml"}},
		"testdata holds no mappings": {map[string]string{"testdata/a.yaml": "", "x/testdata/b.json": "", "x/testdata/c.yml": ""}, []string{"x/testdata/b.json"}},
		"a ConfigMap": {map[string]string{
			"..2026_01/a.yaml": "", "..2026_01/sub/b.yaml": "", "..data": "-> ..2026_01", "a.yaml": "-> ..data/a.yaml", "sub": "-> ..data/sub",
		}, []string{"a.yaml", "sub/b.yaml"}},
		"links that lead back up": {map[string]string{"a/b.yaml": "", "a/up": "-> ..", "a/self": "-> .", "c": "-> a"}, []string{"a/b.yaml", "c/b.yaml"}},
		"links to nothing":        {map[string]string{"a.yaml": "-> gone.yaml", "folder": "-> gone", "readme.md": "-> gone.md", ".#a.yaml": "-> me@host.1", "loop.yaml": "-> loop.yaml"}, []string{"a.yaml!", "folder!", "loop.yaml!"}},
		"what we write ourselves": {map[string]string{"data/last-good.json": "", "data/seal.key": "", "data/store.log": "", "data/last-good.json.1.new": ""}, nil},
		"nothing":                 {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, c.files)
			var got []string
			require.NoError(t, walk(os.DirFS(dir), func(name string, err error) {
				if err != nil {
					name += "!"
				}
				got = append(got, name)
			}))
			require.Equal(t, c.want, got)
		})
	}
	require.ErrorIs(t, walk(os.DirFS(filepath.Join(t.TempDir(), "gone")), nil), fs.ErrNotExist)
	built := 0
	require.NoError(t, walk(mappings.Files, func(_ string, err error) {
		require.NoError(t, err)
		built++
	}))
	require.Greater(t, built, 4)
}

// A folder that has become unreadable does not just lose its mappings.
func TestUnreadableIsTold(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"ura": "-> ..data/ura", "a.yaml": "-> gone"})
	var list diag.List
	found := readFolder(diag.Span{}, dir, "", &list)
	require.True(t, found.partial)
	require.Equal(t, filepath.ToSlash(dir)+"/a.yaml cannot be read: no such file or directory\n"+
		filepath.ToSlash(dir)+"/ura cannot be read: no such file or directory\n", list.Text())
}
