package reference

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/maptest"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// bench loads and tests the cases with one file changed.
type bench struct {
	c     *Cases
	texts map[string]*diag.File
	known map[string]contractRead // by text: most changes are of other files
}

// contractRead is a contract and what was said of it.
type contractRead struct {
	contract *contract.Contract
	list     diag.List
}

func newBench(c *Cases) (*bench, error) {
	b := &bench{c: c, texts: map[string]*diag.File{}, known: map[string]contractRead{}}
	folder := filepath.Join(c.Root, filepath.FromSlash(CasesFolder))
	for _, pattern := range []string{"*/*.json", "*/*.txt"} {
		names, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			text, err := os.ReadFile(name) //nolint:gosec // a file of the repository
			if err != nil {
				return nil, err
			}
			rel, err := filepath.Rel(folder, name)
			if err != nil {
				return nil, err
			}
			b.texts[filepath.ToSlash(rel)] = diag.NewFile(filepath.ToSlash(rel), string(text))
		}
	}
	return b, nil
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

// backendOf gives the backend whose contract a file is.
func backendOf(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), ".yaml")
	if folder := filepath.Base(filepath.Dir(file)); folder != "contracts" && folder != "." {
		name = folder // a contract that is one
	}
	if name == "demo" {
		return "shop"
	}
	return name
}

// run loads and tests the cases with their texts changed; when it is a mapping
// that is named, without the other mappings.
func (b *bench) run(name string, change func(name, text string) string) string {
	var files []*diag.File
	var cfg *config.Config
	var list diag.List
	contracts := map[string]*contract.Contract{}
	parts := map[string][]*diag.File{} // of contracts, by backend
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
		case "contract", "section":
			parts[backendOf(f.Name)] = append(parts[backendOf(f.Name)], file)
		default:
			files = append(files, file)
		}
	}
	for name, files := range parts {
		whole := ""
		for _, f := range files {
			whole += f.Text
		}
		read, ok := b.known[whole]
		if !ok {
			read.contract, read.list = contract.LoadFiles(name, files, b.c.Functions)
			b.known[whole] = read
		}
		contracts[name] = read.contract
		list.Add(read.list)
	}
	for name := range contracts {
		if cfg == nil || cfg.Backends[name] == nil || backendOf(cfg.Backends[name].Contract) != name {
			delete(contracts, name)
		}
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
