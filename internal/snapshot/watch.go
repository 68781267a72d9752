package snapshot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/config"
)

// How often a Watcher looks, how long what it sees must stay the same to be at
// rest (a save under way, or a checkout half done, is not read), and after what
// time without rest it is said.
const (
	lookEvery = 250 * time.Millisecond
	restFor   = 120 * time.Millisecond
	restless  = 5 * time.Second
)

// Watcher notices when the files of a configuration change: gateway.yaml, the
// mappings folder it names, and the files that secrets are in. It looks at
// them again and again: names, sizes, times and inodes, behind links. What a
// kernel could tell instead is an event on a link or a folder, where a
// ConfigMap, a checkout or a network file system changes what is behind it.
type Watcher struct {
	config string
	env    config.Environment
	every  time.Duration
	rest   time.Duration

	mu      sync.Mutex
	seen    look   // what was acted upon last
	stat    []byte // gateway.yaml as it looked when folder and secrets were read from it
	folder  string // "": built in
	secrets []string
}

// look is what the files looked like at one time.
type look [sha256.Size]byte

// NewWatcher gives a watcher of the files that configFile and, for secrets, env name.
func NewWatcher(configFile string, env config.Environment) *Watcher {
	return &Watcher{config: configFile, env: env, every: lookEvery, rest: restFor}
}

// look looks at every file.
func (w *Watcher) look() look {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := sha256.New()
	first := appendStat(nil, w.config)
	if !bytes.Equal(first, w.stat) {
		w.stat = first
		w.read()
	}
	h.Write(first)
	if w.folder != "" {
		lookFolder(h, w.folder)
	}
	for _, name := range w.secrets {
		h.Write(appendStat(nil, name))
	}
	return look(h.Sum(nil))
}

// read learns which files the configuration names now; one that cannot be read
// names those it did before.
func (w *Watcher) read() {
	file, _ := readConfig(w.config)
	if file == nil {
		return
	}
	cfg, _ := config.Load(file)
	if cfg == nil {
		return
	}
	if name, err := cfg.Gateway.Mappings.Resolve(nil); err == nil {
		w.folder = beside(w.config, name)
	}
	w.secrets = nil
	_, _ = cfg.Resolve(w.env, func(name string) ([]byte, error) {
		w.secrets = append(w.secrets, name)
		return nil, fs.ErrNotExist // what is in them is not for here
	})
	slices.Sort(w.secrets)
}

func lookFolder(h io.Writer, dir string) {
	err := walk(os.DirFS(dir), func(name string, err error) {
		if err != nil {
			fmt.Fprintf(h, "%q %q\n", name, reason(err))
			return
		}
		_, _ = h.Write(appendStat(nil, filepath.Join(dir, name)))
	})
	if err != nil {
		fmt.Fprintf(h, "%q\n", reason(err))
	}
}

// appendStat appends what can be seen of a file, behind links, without reading it.
func appendStat(b []byte, name string) []byte {
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Appendf(b, "%q %q\n", name, reason(err))
	}
	return fmt.Appendf(b, "%q %d %d %s\n", name, info.Size(), info.ModTime().UnixNano(), identity(info))
}

// atRest waits until the files look the same twice, a little apart; not ok when ctx ends before.
func (w *Watcher) atRest(ctx context.Context) (now look, ok bool) {
	now = w.look()
	for {
		if !pause(ctx, w.rest) {
			return now, false
		}
		before := now
		if now = w.look(); now == before {
			return now, true
		}
	}
}

// saw says that what the files look like now is acted upon.
func (w *Watcher) saw(now look) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = now
}

func (w *Watcher) news(now look) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen != now
}

// run calls changed whenever the files have changed and come to rest, and slow
// each time that takes long; until ctx ends.
func (w *Watcher) run(ctx context.Context, changed func(look), slow func()) {
	for pause(ctx, w.every) {
		if !w.news(w.look()) {
			continue
		}
		told := time.AfterFunc(restless, slow)
		now, ok := w.atRest(ctx)
		told.Stop()
		if ok && w.news(now) { // not when it was undone meanwhile, or somebody asked for a reload
			changed(now)
		}
	}
}

// pause waits d; false when ctx ends before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// beside gives a path that the configuration names as one from here.
func beside(configFile, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(configFile), name)
}
