package snapshot

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/mappings"
)

// files are the files of a mappings folder, by what they are.
type files struct {
	contracts []*diag.File // see contractName
	mappings  []*diag.File // mappings, flows, dialects, tables
	texts     map[string]*diag.File
	all       []*diag.File          // in order of name, for the hash
	partial   bool                  // some could not be read: what they declare is not known
	builtIn   bool                  // they are the binary's own
	inside    map[*diag.File]string // their names inside the folder
	packs     map[string]bool       // folders: whether one holds a mapping
	aside     map[*diag.File]bool   // mappings and flows of packs that are not served
}

func newFiles() *files {
	return &files{texts: map[string]*diag.File{}, inside: map[*diag.File]string{}}
}

// maxFile bounds one file of a mappings folder.
const maxFile = 4 << 20

// readFolder reads the mappings folder dir on disk, or the built-in one when
// dir is empty. shown is the folder's name in messages. skip is a file that is
// no mapping although it stands there: the configuration itself. A folder that
// cannot be read is told at at, and gives nil.
func readFolder(at diag.Span, dir, skip string, list *diag.List) *files {
	var root fs.FS = mappings.Files
	shown := "mappings"
	if dir != "" {
		root, shown = os.DirFS(dir), filepath.ToSlash(dir)
	}
	found := newFiles()
	found.builtIn = dir == ""
	unreadable := func(name string, err error) {
		found.partial = true
		list.Errorf(diag.Span{}, "mappings-file", "%s cannot be read: %v", path.Join(shown, name), reason(err))
	}
	err := walk(root, func(name string, err error) {
		if err != nil {
			unreadable(name, err)
			return
		}
		if path.Join(shown, name) == filepath.ToSlash(skip) {
			return
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			unreadable(name, err)
			return
		}
		f := diag.NewFile(path.Join(shown, name), string(text))
		if len(text) > maxFile {
			list.Errorf(diag.Span{File: f}, "file-size", "the file is larger than 4 MB")
			return
		}
		found.add(name, f)
	})
	if err != nil {
		list.Errorf(at, "mappings-folder", "the mappings folder %s cannot be read: %v", shown, reason(err)).
			Help = "gateway.mappings names a folder relative to the configuration's own; without it the built-in mappings serve"
		return nil
	}
	found.sort()
	return found
}

func (f *files) sort() {
	slices.SortFunc(f.all, func(a, b *diag.File) int { return strings.Compare(a.Name, b.Name) })
}

// wanted tells whether a file may be part of the language: YAML, or a text named by `template:`.
func wanted(base string) bool {
	switch strings.ToLower(path.Ext(base)) {
	case ".yaml", ".yml", ".json", ".txt", ".xml":
		return true
	}
	return false
}

func isYAML(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".yaml" || ext == ".yml"
}

func (f *files) add(name string, file *diag.File) {
	f.all = append(f.all, file)
	f.inside[file] = name
	switch {
	case isYAML(name):
		if strings.HasPrefix(name, "contracts/") || beginsWith(file.Text, "openapi:") {
			f.contracts = append(f.contracts, file)
		} else {
			f.mappings = append(f.mappings, file)
		}
	default:
		f.texts[name] = file
	}
}

// beginsWith tells whether the first line that is no comment begins with key.
func beginsWith(text, key string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line == "---" {
			continue
		}
		return strings.HasPrefix(line, key)
	}
	return false
}

// contractName gives the name of the contract that a file belongs to: that of
// the file, without ending, or of the folder of contracts/ that it stands in.
func (f *files) contractName(file *diag.File) string {
	name := f.inside[file]
	if name == "" {
		name = file.Name
	}
	if _, below, ok := strings.Cut("/"+name, "/contracts/"); ok {
		if folder, _, ok := strings.Cut(below, "/"); ok {
			return folder
		}
	}
	base := path.Base(name)
	return strings.TrimSuffix(base, path.Ext(base))
}

// reason is err without the path, which the message names already.
func reason(err error) error {
	if p, ok := err.(*fs.PathError); ok { //nolint:errorlint // only the outermost path is repeated
		return p.Err
	}
	return err
}

// readConfig reads the configuration file.
func readConfig(name string) (*diag.File, diag.List) {
	var list diag.List
	text, err := os.ReadFile(name)
	if err != nil {
		list.Errorf(diag.Span{}, "config-file", "%s cannot be read: %v", name, reason(err)).
			Help = "name the configuration with --config FILE"
		return nil, list
	}
	return diag.NewFile(filepath.ToSlash(name), string(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))), nil
}
