// Package snapshot holds the one Load: configuration, contracts and mappings,
// read, checked and compiled together. Checking, testing and serving all go
// through it, so that what is checked is what runs. What it gives is immutable.
package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/plugins"
)

// Loaded is a configuration that checks: everything but secrets and connections.
type Loaded struct {
	Config    *config.Config
	Contracts map[string]*contract.Contract // by backend; those without one are not in it
	Set       *mapping.Set
	Hash      string // of every file read
	zone      *time.Location
	files     *files
	functions *expr.Functions
}

// Load reads and checks the configuration file and everything it names. It
// needs no environment and calls nobody. Loaded is nil when the list has errors.
func Load(configFile string) (*Loaded, diag.List) { return loadDisk(configFile, contract.LoadFiles) }

// loadDisk loads what is on disk; read makes contracts of their files.
func loadDisk(configFile string, read loadContract) (*Loaded, diag.List) {
	file, list := readConfig(configFile)
	if file == nil {
		return nil, list
	}
	l, list := load(file, source{contract: read, folder: func(at diag.Span, folder string, list *diag.List) *files {
		return readFolder(at, beside(configFile, folder), configFile, list)
	}})
	list.Sort()
	return l, list
}

// loadContract makes a contract of its files.
type loadContract func(name string, files []*diag.File, functions *expr.Functions) (*contract.Contract, diag.List)

// source is where a load's files come from; tests keep them, and contracts that
// did not change, in memory.
type source struct {
	folder   func(at diag.Span, name string, list *diag.List) *files // nil when it cannot be read, which is then told at at
	contract loadContract
}

// load checks a configuration and the mappings folder it names.
func load(file *diag.File, from source) (*Loaded, diag.List) {
	cfg, list := config.Load(file)
	if cfg == nil {
		return nil, list
	}
	folder, err := cfg.Gateway.Mappings.Resolve(nil)
	if err != nil {
		list.Errorf(cfg.Gateway.Mappings.At, "mappings-folder", "gateway.mappings: %v", err)
		return nil, list
	}
	files := from.folder(cfg.Gateway.Mappings.At, folder, &list)
	if files == nil {
		return nil, list
	}
	functions, err := expr.NewFunctions(plugins.Functions()...)
	if err != nil {
		list.Errorf(diag.Span{}, "plugins", "%v", err)
		return nil, list
	}
	l := &Loaded{Config: cfg, Contracts: map[string]*contract.Contract{}, Hash: hash(file, files), zone: zoneOf(cfg), files: files, functions: functions}
	l.loadContracts(files, from, &list)
	chosen := files.choose(&cfg.Gateway, &list)
	set, found := mapping.Load(chosen, files.texts, mapping.World{
		Config: cfg, Contracts: l.Contracts, Functions: functions, Formats: plugins.Formats(), FlowsAside: files.flowsAside(), PacksAside: files.packsAside(cfg, &list),
	})
	list.Add(found)
	if set != nil && !files.partial {
		checkCallers(cfg, set, &list)
		checkMaintenance(cfg, set, &list)
	}
	list.Sort()
	if list.HasErrors() {
		return nil, list
	}
	l.Set = set
	return l, list
}

// loadContracts reads the contract of every backend, and checks those no backend uses.
func (l *Loaded) loadContracts(found *files, from source, list *diag.List) {
	byName := map[string][]*diag.File{}
	used := map[string]bool{}
	for _, f := range found.contracts {
		byName[found.contractName(f)] = append(byName[found.contractName(f)], f)
	}
	names := slices.Sorted(maps.Keys(byName))
	for _, name := range slices.Sorted(maps.Keys(l.Config.Backends)) {
		b := l.Config.Backends[name]
		f := byName[b.Contract]
		if len(f) == 0 {
			if b.Contract != "" {
				list.Errorf(b.ContractAt, "unknown-contract", "there is no contract %q", b.Contract).Help = suggestion(b.Contract, names)
			}
			continue
		}
		used[b.Contract] = true
		c, found := from.contract(name, f, l.functions)
		list.Add(found)
		if c == nil {
			continue
		}
		l.Contracts[name] = c
		checkSignIn(b, c, list)
	}
	l.ordersContract(list)
	for _, name := range names {
		if !used[name] {
			_, found := from.contract(name, byName[name], l.functions)
			list.Add(found)
		}
	}
}

// checkSignIn holds a backend's sign_in against the variables its contract names.
func checkSignIn(b *config.Backend, c *contract.Contract, list *diag.List) {
	for _, want := range c.SignIn.Variables {
		if _, ok := b.SignIn[want]; !ok {
			list.Errorf(b.SignInAt, "sign-in", "backend %s needs %q in sign_in, as its contract says", b.Name, want).
				Help = fmt.Sprintf("write %s: { secret: NAME }", want)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.SignIn)) {
		if !slices.Contains(c.SignIn.Variables, name) {
			list.Errorf(b.SignInKeys[name], "sign-in", "the contract of backend %s knows no %q in sign_in", b.Name, name).
				Help = suggestion(name, c.SignIn.Variables)
		}
	}
}

// checkCallers holds the callers' permissions against the routes there are.
func checkCallers(cfg *config.Config, set *mapping.Set, list *diag.List) {
	for _, name := range slices.Sorted(maps.Keys(cfg.Callers)) {
		c := cfg.Callers[name]
		d := set.Dialects[c.Dialect]
		for _, p := range c.Permissions {
			if !slices.ContainsFunc(needs(set, d), func(n string) bool { return permits(p.Glob, n) }) {
				list.Errorf(p.At, "unknown-permission", "permission %q allows caller %s nothing: no route of dialect %s needs it", p.Glob, name, c.Dialect).
					Help = suggestion(p.Glob, append(needs(set, d), d.Name+".*"))
			}
		}
	}
}

// checkMaintenance holds the dialects under maintenance against those there are.
func checkMaintenance(cfg *config.Config, set *mapping.Set, list *diag.List) {
	for _, name := range slices.Sorted(maps.Keys(cfg.Closed)) {
		if set.Dialects[name] == nil {
			list.Errorf(cfg.Closed[name].At, "unknown-dialect", "there is no dialect %q", name).Help = suggestion(name, slices.Sorted(maps.Keys(set.Dialects)))
		}
	}
}

func needs(set *mapping.Set, d *mapping.Dialect) []string {
	var all []string
	for _, r := range set.Routes {
		if r.Dialect == d {
			all = append(all, r.Needs)
		}
	}
	for _, e := range set.Exposed {
		for _, op := range e.Operations {
			if e.Dialect == d {
				all = append(all, op.Needs)
			}
		}
	}
	return all
}

func suggestion(name string, among []string) string {
	if near := diag.Suggest(name, among); near != "" {
		return "did you mean " + near + "?"
	}
	if len(among) == 0 {
		return ""
	}
	return "known: " + strings.Join(slices.Compact(slices.Sorted(slices.Values(among))), ", ")
}

// hash is of the files' texts, and of their names inside the folder: wherever
// it stands, the same files have the same.
func hash(configFile *diag.File, f *files) string {
	h := sha256.New()
	for _, file := range append([]*diag.File{configFile}, f.all...) {
		name := f.inside[file]
		fmt.Fprintf(h, "%d %s\n%d\n%s\n", len(name), name, len(file.Text), file.Text)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// Zone is the provider's time zone.
func (l *Loaded) Zone() *time.Location { return l.zone }

// Summary says in one line what was loaded.
func (l *Loaded) Summary() string {
	tests := 0
	for _, f := range l.Set.Tests {
		tests += len(f.Tests)
	}
	operations := len(l.Set.Requests)
	for name, c := range l.Contracts {
		if name != ordersBackend {
			operations += len(c.Operations)
		}
	}
	exposed := 0
	for _, e := range l.Set.Exposed {
		exposed += len(e.Operations)
	}
	offered := ""
	if exposed > 0 {
		offered = count(exposed, "exposed operation") + ", "
	}
	return fmt.Sprintf("good: %s, %s%s, %s, %s of %s, %s",
		count(len(l.Set.Routes), "route"), offered, count(len(l.Set.Flows), "flow"), count(len(l.Set.Tables), "table"),
		count(operations, "operation"), count(len(l.Config.Backends), "backend"), count(tests, "test"))
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// zoneOf is the configured time zone; one that depends on the environment is the default's.
func zoneOf(cfg *config.Config) *time.Location {
	name, err := cfg.Gateway.Timezone.Resolve(nil)
	if err != nil {
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// permits tells whether a permission's glob covers what a route needs.
func permits(glob, needs string) bool {
	return (&intake.Caller{Permissions: []string{glob}}).May(needs)
}
