package snapshot

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watched is a folder with a configuration in it, and its watcher.
type watched struct {
	*testing.T
	*Watcher
	dir string
}

func watchedFolder(t *testing.T) *watched {
	dir := t.TempDir()
	put(t, dir, map[string]string{
		"gateway.yaml":  "emenda: 1\ngateway: { mappings: ./mappings }\ncallers:\n  a: { dialect: d, token: { secret: A_TOKEN }, permissions: [] }\n",
		"secrets/token": "hush",
		// As Kubernetes lays a ConfigMap out, and a file beside.
		"mappings/..1/a.yaml": "a: 1\n", "mappings/..1/sub/b.yaml": "b: 1\n", "mappings/..data": "-> ..1",
		"mappings/a.yaml": "-> ..data/a.yaml", "mappings/sub": "-> ..data/sub",
		"mappings/c.yaml": "c: 1\n",
		"other/d.yaml":    "d: 1\n",
	})
	env := func(name string) (string, bool) {
		if name == "A_TOKEN_FILE" {
			return filepath.Join(dir, "secrets/token"), true
		}
		return "", false
	}
	return &watched{t, NewWatcher(filepath.Join(dir, "gateway.yaml"), env), dir}
}

func (w *watched) path(name string) string { return filepath.Join(w.dir, name) }

func (w *watched) write(name, text string) {
	w.Helper()
	require.NoError(w, os.WriteFile(w.path(name), []byte(text), 0o600))
}

// over replaces a file as editors do: a new one is renamed over it.
func (w *watched) over(name, text string) {
	w.Helper()
	w.write(name+"~new", text)
	require.NoError(w, os.Rename(w.path(name+"~new"), w.path(name)))
}

// link swaps a link in one step, as Kubernetes and deployments do.
func (w *watched) link(name, to string) {
	w.Helper()
	require.NoError(w, os.Symlink(to, w.path(name+"~new")))
	require.NoError(w, os.Rename(w.path(name+"~new"), w.path(name)))
}

// tick waits until the file system's clock has moved on: two changes within
// one tick of it have the same time.
func (w *watched) tick() {
	at := func() time.Time {
		w.write("clock", "")
		info, err := os.Stat(w.path("clock"))
		require.NoError(w, err)
		return info.ModTime()
	}
	for first := at(); at().Equal(first); {
		continue
	}
}

func TestWatcherSees(t *testing.T) {
	old := time.Now().Add(-time.Hour)
	for name, c := range map[string]struct {
		edit func(*watched)
		sees bool
	}{
		"nothing":                     {func(*watched) {}, false},
		"a save in place":             {func(w *watched) { w.write("mappings/c.yaml", "c: 22\n") }, true},
		"a save of the same size":     {func(w *watched) { w.write("mappings/c.yaml", "c: 2\n") }, true},
		"a rename over":               {func(w *watched) { w.over("mappings/c.yaml", "c: 1\n") }, true},
		"a new file":                  {func(w *watched) { w.write("mappings/new.yaml", "") }, true},
		"a file gone":                 {func(w *watched) { require.NoError(w, os.Remove(w.path("mappings/c.yaml"))) }, true},
		"a file renamed":              {func(w *watched) { require.NoError(w, os.Rename(w.path("mappings/c.yaml"), w.path("mappings/d.yaml"))) }, true},
		"a file behind a link":        {func(w *watched) { w.write("mappings/..1/a.yaml", "a: 2\n") }, true},
		"a file in a linked folder":   {func(w *watched) { w.write("mappings/..1/sub/b.yaml", "b: 2\n") }, true},
		"the text of a template":      {func(w *watched) { w.write("mappings/x.txt", "x") }, true},
		"gateway.yaml":                {func(w *watched) { w.over("gateway.yaml", "emenda: 1\n") }, true},
		"gateway.yaml gone":           {func(w *watched) { require.NoError(w, os.Remove(w.path("gateway.yaml"))) }, true},
		"the folder gone":             {func(w *watched) { require.NoError(w, os.RemoveAll(w.path("mappings"))) }, true},
		"a secret":                    {func(w *watched) { w.over("secrets/token", "hash") }, true},
		"a secret gone":               {func(w *watched) { require.NoError(w, os.Remove(w.path("secrets/token"))) }, true},
		"a hidden file":               {func(w *watched) { w.write("mappings/.c.yaml.swp", "x") }, false},
		"a file that is none of ours": {func(w *watched) { w.write("mappings/notes.md", "x") }, false},
		"another folder":              {func(w *watched) { w.write("other/d.yaml", "d: 2\n") }, false},
		"a ConfigMap swapped": {func(w *watched) {
			put(w.T, w.dir, map[string]string{"mappings/..2/a.yaml": "a: 1\n", "mappings/..2/sub/b.yaml": "b: 1\n"})
			w.link("mappings/..data", "..2")
		}, true},
		"the whole folder swapped": {func(w *watched) {
			require.NoError(w, os.Rename(w.path("mappings"), w.path("first")))
			put(w.T, w.dir, map[string]string{"second/c.yaml": "c: 1\n", "mappings": "-> second"})
		}, true},
		"the times put back": {func(w *watched) {
			w.write("mappings/c.yaml", "c: 3\n")
			require.NoError(w, os.Chtimes(w.path("mappings/c.yaml"), old, old))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := watchedFolder(t)
			require.NoError(t, os.Chtimes(w.path("mappings/c.yaml"), old, old))
			before := w.look()
			require.Equal(t, before, w.look())
			w.tick()
			c.edit(w)
			require.Equal(t, c.sees, before != w.look())
		})
	}
}

// Another folder is watched from the edit on that names it, and one that
// cannot be parsed leaves the watch as it was.
func TestWatcherFollowsTheConfiguration(t *testing.T) {
	w := watchedFolder(t)
	w.look()
	w.write("gateway.yaml", "emenda: 1\ngateway: { mappings: ./other }\n")
	before := w.look()
	w.tick()
	w.write("mappings/c.yaml", "c: 2\n")
	require.Equal(t, before, w.look(), "the old folder is nobody's")
	w.write("other/d.yaml", "d: 2\n")
	before = w.look()
	w.write("secrets/token", "x")
	require.Equal(t, before, w.look(), "no secret is named any more")
	w.write("gateway.yaml", "emenda: [\n")
	before = w.look()
	w.write("other/d.yaml", "d: 33\n")
	require.NotEqual(t, before, w.look())
}

func TestWatcherWaitsForRest(t *testing.T) {
	w := watchedFolder(t)
	w.rest = 20 * time.Millisecond
	stop := make(chan struct{})
	var writing sync.WaitGroup
	started := make(chan struct{})
	writing.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				w.write("mappings/c.yaml", "c: 1\n")
				if i == 0 {
					close(started)
				}
			}
		}
	})
	<-started
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, ok := w.atRest(ctx)
	require.False(t, ok, "it is being written")
	close(stop)
	writing.Wait()
	now, ok := w.atRest(context.Background())
	require.True(t, ok)
	require.Equal(t, w.look(), now)
}

// Every edit is told once.
func TestWatcherTells(t *testing.T) {
	w := watchedFolder(t)
	w.every, w.rest = time.Millisecond, 5*time.Millisecond
	w.saw(w.look())
	told := make(chan look, 16)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		w.run(ctx, func(now look) {
			w.saw(now)
			told <- now
		}, func() {})
	})
	for _, text := range []string{"c: 2\n", "c: 33\n", "c: [\n"} {
		w.over("mappings/c.yaml", text)
		require.Equal(t, w.look(), <-told)
	}
	cancel()
	running.Wait()
	require.Empty(t, told)
}
