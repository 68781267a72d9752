package snapshot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shop writes the small shop to a folder, and gives its configuration file.
func shop(t *testing.T) string {
	dir := t.TempDir()
	put(t, dir, readBase(t))
	return filepath.Join(dir, "gateway.yaml")
}

func TestLastGoodComesBackAsItWas(t *testing.T) {
	file := shop(t)
	put(t, filepath.Dir(file), map[string]string{"mappings/latin1.txt": "Ol\xe1\u2028 <&>\r\n\ttab\x00"})
	l, list := Load(file)
	require.Empty(t, list.Text())
	data := filepath.Join(t.TempDir(), "made", "data")
	now := time.Date(2026, 3, 5, 12, 0, 0, 5, time.UTC)
	require.NoError(t, goodOf(file, l, now).write(data))
	require.NoError(t, goodOf(file, l, now).write(data), "it replaces what is there")

	entries, err := os.ReadDir(data)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing half-written stays")
	require.NoError(t, walk(os.DirFS(data), func(string, error) { t.Error("a mappings folder around it must not read it") }))
	info, err := entries[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	folder, err := os.Stat(data)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), folder.Mode().Perm())

	g, err := readLastGood(data, file)
	require.NoError(t, err)
	require.Equal(t, now.Truncate(time.Second), g.Time)
	back, list := g.load(file)
	require.Empty(t, list.Text())
	require.Equal(t, l.Hash, back.Hash)
	require.Equal(t, l.Summary(), back.Summary())
	for i, f := range l.files.all {
		require.Equal(t, f.Text, back.files.all[i].Text)
		require.Equal(t, f.Name, back.files.all[i].Name)
		require.Equal(t, l.files.inside[f], back.files.inside[back.files.all[i]])
	}
}

func TestLastGoodOfBuiltInMappings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	text, err := os.ReadFile(shippedConfig)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), "mappings: ./mappings", "", 1)), 0o600))
	l, list := Load(file)
	require.False(t, list.HasErrors(), list.Text())
	data := t.TempDir()
	require.NoError(t, goodOf(file, l, time.Now()).write(data))
	g, err := readLastGood(data, file)
	require.NoError(t, err)
	require.True(t, g.BuiltIn)
	require.Empty(t, g.Files)
	back, list := g.load(file)
	require.False(t, list.HasErrors(), list.Text())
	require.Equal(t, l.Summary(), back.Summary())
}

func TestLastGoodIsRefused(t *testing.T) {
	file := shop(t)
	l, _ := Load(file)
	for name, c := range map[string]struct {
		edit func(text string) string
		file string
		want string
	}{
		"half of it":       {func(s string) string { return s[:len(s)/2] }, file, "is damaged"},
		"empty":            {func(string) string { return "" }, file, "is damaged"},
		"of another time":  {func(s string) string { return strings.Replace(s, `"version": 1`, `"version": 2`, 1) }, file, "is of another version of this program"},
		"of another file":  {func(s string) string { return s }, "staging.yaml", "is that of " + file + ", not of staging.yaml"},
		"with other texts": {func(s string) string { return strings.Replace(s, "too many", "too much", 1) }, file, ""},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			require.NoError(t, goodOf(file, l, time.Now()).write(data))
			path := filepath.Join(data, lastGoodFile)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, []byte(c.edit(string(text))), 0o600))
			g, err := readLastGood(data, c.file)
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			_, list := g.load(file)
			require.Equal(t, "it is not what was kept\n", list.Text())
		})
	}
	_, err := readLastGood(filepath.Join(filepath.Dir(file), "data"), file)
	require.ErrorIs(t, err, errNoLastGood)
}

// While gateway.yaml cannot be parsed, nobody knows what it says of the data folder.
func TestWhereTheLastGoodOneIs(t *testing.T) {
	file := shop(t)
	base := readBase(t)["gateway.yaml"]
	named := strings.Replace(base, "gateway:\n", "gateway:\n  data: named\n", 1)
	given := map[string]string{"EMENDA_DATA": "/given"}
	for name, c := range map[string]struct {
		text string
		env  map[string]string
		want string
	}{
		"the usual one":                      {base, given, "data"},
		"one that is named":                  {named, given, "named"},
		"with an error elsewhere":            {strings.Replace(named, "listen:", "lisen:", 1), given, "named"},
		"one of the environment":             {strings.Replace(named, "data: named", "data: ${env:EMENDA_DATA:-named}", 1), given, "/given"},
		"of the environment, unset":          {strings.Replace(named, "data: named", "data: ${env:EMENDA_DATA}", 1), nil, "data"},
		"nothing that can be read":           {"emenda: [", nil, "data"},
		"and the variable that is used":      {"emenda: [", given, "/given"},
		"cut off before it is named":         {named[:strings.Index(named, "data:")] + "[", given, "/given"},
		"an empty variable, which is unset":  {"emenda: [", map[string]string{"EMENDA_DATA": ""}, "data"},
		"no configuration, and the variable": {"", given, "/given"},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
			got := lastGoodFolder(file, func(name string) (string, bool) { v, ok := c.env[name]; return v, ok })
			require.Equal(t, beside(file, c.want), got)
		})
	}
	require.NoError(t, os.Remove(file))
	require.Equal(t, "/given", lastGoodFolder(file, func(string) (string, bool) { return "/given", true }))
}
