package snapshot

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/plugins"
)

// LoadInstead reads and checks a configuration as Load does, with other files
// in the place of one backend's contract.
func LoadInstead(configFile, backend string, with []*diag.File) (*Loaded, diag.List) {
	return loadDisk(configFile, func(name string, own []*diag.File, functions *expr.Functions) (*contract.Contract, diag.List) {
		if name == backend {
			own = with
		}
		return contract.LoadFiles(name, own, functions)
	})
}

// ReadContract reads a contract that stands alone, a file or a folder of them.
func ReadContract(name string) ([]*diag.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	names := []string{name}
	if info.IsDir() {
		names = nil
		entries, err := os.ReadDir(name)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !e.IsDir() && isYAML(e.Name()) {
				names = append(names, filepath.Join(name, e.Name()))
			}
		}
		slices.Sort(names)
	}
	var all []*diag.File
	for _, n := range names {
		text, err := os.ReadFile(n)
		if err != nil {
			return nil, err
		}
		all = append(all, diag.NewFile(filepath.ToSlash(n), string(text)))
	}
	return all, nil
}

// LoadContract checks a contract that stands alone.
func LoadContract(name string, files []*diag.File) (*contract.Contract, diag.List) {
	functions, err := expr.NewFunctions(plugins.Functions()...)
	if err != nil {
		var list diag.List
		list.Errorf(diag.Span{}, "plugins", "%v", err)
		return nil, list
	}
	return contract.LoadFiles(name, files, functions)
}

// Affected is a caller that may ask for an operation.
type Affected struct{ Caller, Operation, Permission string }

// Offers gives which callers may ask for exposed operations of a backend.
func (l *Loaded) Offers(backend string, ids []string) (all []Affected) {
	for _, c := range l.TestCallers() {
		for _, e := range l.Set.Exposed {
			for _, op := range e.Operations {
				if e.Dialect.Name == c.Dialect && op.Backend == backend && slices.Contains(ids, op.ID) && c.May(op.Needs) {
					all = append(all, Affected{c.Name, op.ID, op.Needs})
				}
			}
		}
	}
	return all
}
