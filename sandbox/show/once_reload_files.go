package main

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// mounted is a configuration as Kubernetes mounts a ConfigMap:
//
//	gateway.yaml → ..data/gateway.yaml
//	mappings     → ..data/mappings
//	..data       → ..1, a folder that is never written again there, but here is,
//	               as an operator with an editor does
type mounted struct {
	root    string
	version int
	good    map[string]string // what is to serve, by path below ..data
	disk    map[string]string // what is there
}

// mount lays out a copy of the shipped files.
func mount(root, repository string) (*mounted, error) {
	m := &mounted{root: root, good: map[string]string{}}
	text, err := os.ReadFile(filepath.Join(repository, "gateway.yaml"))
	if err != nil {
		return nil, err
	}
	m.good["gateway.yaml"] = string(text)
	dir := os.DirFS(repository)
	err = fs.WalkDir(dir, "mappings", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name == "mappings/testdata": // what stands below a pack its tests read
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(name) == ".go":
			return nil
		}
		text, err := fs.ReadFile(dir, name)
		m.good[name] = string(text)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := m.swap(m.good); err != nil {
		return nil, err
	}
	for _, name := range []string{"gateway.yaml", "mappings"} {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(root, name)); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *mounted) path(name string) string { return filepath.Join(m.root, "..data", name) }

// write makes the disk hold want, as it stands; how says with which habits.
type write func(m *mounted, want map[string]string) error

// the habits of editors and tools, by the words for them.
var writes = []struct {
	name string
	write
}{
	{"saved in place", (*mounted).inPlace},
	{"renamed over", (*mounted).renameOver},
	{"swapped by a link", (*mounted).swap},
	{"checked out", (*mounted).checkout},
}

// between is the time between the steps of one edit: long enough that a
// gateway which did not wait for rest would read halves.
const between = 70 * time.Millisecond

// changes gives the files to write and to remove, in order.
func (m *mounted) changes(want map[string]string) (write, remove []string) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if had, ok := m.disk[name]; !ok || had != want[name] {
			write = append(write, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.disk)) {
		if _, ok := want[name]; !ok {
			remove = append(remove, name)
		}
	}
	return write, remove
}

// each writes what differs in one way, and removes what is gone.
func (m *mounted) each(want map[string]string, one func(name, text string) error) error {
	write, remove := m.changes(want)
	for _, name := range write {
		if err := os.MkdirAll(filepath.Dir(m.path(name)), 0o700); err != nil {
			return err
		}
		if err := one(m.path(name), want[name]); err != nil {
			return err
		}
	}
	for _, name := range remove {
		if err := os.Remove(m.path(name)); err != nil {
			return err
		}
	}
	m.disk = maps.Clone(want)
	return nil
}

// inPlace truncates and writes, in two pieces with time between them.
func (m *mounted) inPlace(want map[string]string) error {
	return m.each(want, func(name, text string) error {
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		_, err = f.WriteString(text[:len(text)/2])
		if err == nil {
			time.Sleep(between)
			_, err = f.WriteString(text[len(text)/2:])
		}
		if closed := f.Close(); err == nil {
			err = closed
		}
		return err
	})
}

// renameOver writes a new file and renames it over the old.
func (m *mounted) renameOver(want map[string]string) error {
	return m.each(want, func(name, text string) error {
		if err := os.WriteFile(name+"~", []byte(text), 0o600); err != nil {
			return err
		}
		return os.Rename(name+"~", name)
	})
}

// checkout removes and writes file after file, as git does, a slow one: at
// every moment before the last the files do not fit together.
func (m *mounted) checkout(want map[string]string) error {
	return m.each(want, func(name, text string) error {
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			return err
		}
		time.Sleep(between)
		return os.WriteFile(name, []byte(text), 0o600)
	})
}

// swap writes a folder of its own and swaps the link, as Kubernetes does; the
// folder before goes.
func (m *mounted) swap(want map[string]string) error {
	before := fmt.Sprintf("..%d", m.version)
	m.version++
	next := fmt.Sprintf("..%d", m.version)
	for name, text := range want {
		name = filepath.Join(m.root, next, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return err
		}
	}
	tmp := filepath.Join(m.root, "..tmp")
	if err := os.Symlink(next, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(m.root, "..data")); err != nil {
		return err
	}
	m.disk = maps.Clone(want)
	return os.RemoveAll(filepath.Join(m.root, before))
}

// with gives the good files with some of them changed; an empty text removes one.
func (m *mounted) with(changed map[string]string) map[string]string {
	all := maps.Clone(m.good)
	for name, text := range changed {
		if text == "" {
			delete(all, name)
			continue
		}
		all[name] = text
	}
	return all
}

// replaced gives a good file's text with from replaced, which must be there.
func (m *mounted) replaced(name, from, to string) (string, error) {
	if !strings.Contains(m.good[name], from) {
		return "", fmt.Errorf("%s does not hold %q any more", name, from)
	}
	return strings.ReplaceAll(m.good[name], from, to), nil
}
