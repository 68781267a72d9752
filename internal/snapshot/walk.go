package snapshot

import (
	"io/fs"
	"os"
	"path"
	"strings"
)

// deepest bounds how far folders go down.
const deepest = 32

// walk visits the files of a mappings folder that may be part of the language,
// in order of name. Links are followed, to folders too: that is how Kubernetes
// shows the folders of a ConfigMap, and its own copies of them are hidden. What
// cannot be read is visited with an error; the error given is the folder's own.
func walk(root fs.FS, visit func(name string, err error)) error {
	w := walker{root: root, visit: visit}
	return w.folder(".")
}

type walker struct {
	root  fs.FS
	visit func(name string, err error)
	above []fs.FileInfo // the folders that lead to the present one
}

func (w *walker) folder(name string) error {
	info, err := fs.Stat(w.root, name)
	if err != nil {
		return err
	}
	for _, above := range w.above {
		if os.SameFile(above, info) {
			return nil // a link back up: its files are visited already
		}
	}
	if len(w.above) == deepest {
		return nil
	}
	entries, err := fs.ReadDir(w.root, name)
	if err != nil {
		return err
	}
	w.above = append(w.above, info)
	for _, e := range entries {
		w.entry(path.Join(name, e.Name()), e.Type())
	}
	w.above = w.above[:len(w.above)-1]
	return nil
}

func (w *walker) entry(name string, mode fs.FileMode) {
	base := path.Base(name)
	if strings.HasPrefix(base, ".") || base == lastGoodFile {
		return
	}
	if mode&fs.ModeSymlink != 0 {
		info, err := fs.Stat(w.root, name)
		switch {
		case err == nil:
			mode = info.Mode().Type()
		case wanted(base) || path.Ext(base) == "": // the latter was a folder perhaps
			w.visit(name, err)
			return
		default:
			return
		}
	}
	switch {
	case mode.IsDir():
		if err := w.folder(name); err != nil {
			w.visit(name, err)
		}
	case !wanted(base):
	case strings.Contains("/"+name, "/testdata/") && isYAML(base):
		// testdata holds what tests name with $file, and mappings of nobody
	case mode.IsRegular():
		w.visit(name, nil)
	}
}
