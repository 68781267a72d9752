package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonschema"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// World is what mappings are checked against.
type World struct {
	Config    *config.Config
	Contracts map[string]*contract.Contract
	Functions *expr.Functions
	Formats   map[string]*expr.Format
	// FlowsAside are the packs of flows that are not served, by the flows' names: for the help of who calls one.
	FlowsAside map[string]string
	// PacksAside are the packs that are not served.
	PacksAside map[string]bool
}

// Load checks and compiles the files of a mappings folder (contracts apart):
// mappings, flows, dialects, tables and the text templates they name.
// texts holds every other file of the folder by its path, for `template:` and `$file`.
// The set is nil when the list has errors; the list is sorted.
func Load(files []*diag.File, texts map[string]*diag.File, w World) (*Set, diag.List) {
	l := &loader{
		world: w, facts: readFacts(w.Config), texts: texts,
		set: &Set{
			Flows:    map[string]*Plan{},
			Dialects: map[string]*Dialect{},
			Tables:   map[string]*expr.Table{},
		},
		flows: map[string]*flowInfo{},
		forms: map[string]*document{}, schemas: map[string]*jsonschema.Schema{},
		tables: map[string]*document{},

		unreadable: map[string]bool{},
		requests:   map[*Plan][]*contract.Operation{},
	}
	l.read(files)
	for _, d := range l.of(tableFile) {
		l.table(d)
	}
	for _, d := range l.of(dialectFile) {
		l.dialect(d)
	}
	l.callers()
	l.declareFlows()
	for _, f := range l.flowOrder {
		l.flow(f)
	}
	l.readForms()
	for _, d := range l.of(mappingFile) {
		l.mapping(d)
	}
	for _, d := range l.of(exposeFile) {
		l.expose(d)
	}
	l.schedules()
	l.conflicts()
	l.doors()
	l.list.Sort()
	if l.list.HasErrors() {
		return nil, l.list
	}
	return l.set, l.list
}

// loader holds what one load has found so far.
type loader struct {
	world     World
	facts     facts
	texts     map[string]*diag.File
	set       *Set
	docs      []*document
	tables    map[string]*document // where each table is declared
	flows     map[string]*flowInfo
	forms     map[string]*document
	schemas   map[string]*jsonschema.Schema // by file
	flowOrder []*flowInfo                   // those called before those that call
	requests  map[*Plan][]*contract.Operation
	list      diag.List
	// unreadable are declarations, "flow x", of files that cannot be parsed:
	// that what they declare is missing is no fault of those who name it.
	unreadable map[string]bool
}

type fileKind uint8

const (
	noFile fileKind = iota
	mappingFile
	flowFile
	formFile
	dialectFile
	tableFile
	exposeFile
)

// document is one file of a known kind.
type document struct {
	file *diag.File
	root *yamldoc.Node
	kind fileKind
}

// fileKindOf is a kind of file: the key that tells it, and the table of its keys.
type fileKindOf struct {
	key   string
	kind  fileKind
	shape *yamldoc.Shape
}

var fileKinds = []fileKindOf{
	{"route", mappingFile, MappingShape},
	{"flow", flowFile, FlowShape},
	{"form", formFile, FormShape},
	{"dialect", dialectFile, DialectShape},
	{"table", tableFile, TableShape},
	{"expose", exposeFile, ExposeShape},
	{"openapi", noFile, nil},
}

// declared finds what a file declares by its first keys.
var declared = regexp.MustCompile(`(?m)^(dialect|flow|form|table):[ ]*["']?([A-Za-z0-9_-]+)`)

// callers checks that the dialects callers speak are there.
func (l *loader) callers() {
	if l.world.Config == nil {
		return
	}
	for _, name := range keysOf(l.world.Config.Callers) {
		c := l.world.Config.Callers[name]
		if l.set.Dialects[c.Dialect] == nil && c.DialectAt.File != nil && !l.unreadable["dialect "+c.Dialect] {
			l.unreadable["spoken "+c.Dialect] = true // its tests then speak another than their route
			d := l.list.Errorf(c.DialectAt, "unknown-dialect", "there is no dialect %s", quoteShort(c.Dialect))
			d.Help = suggest(c.Dialect, keysOf(l.set.Dialects))
		}
	}
}

// read parses every file, tells its kind and checks it against its table of keys.
func (l *loader) read(files []*diag.File) {
	ordered := slices.Clone(files)
	slices.SortFunc(ordered, func(a, b *diag.File) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range ordered {
		root, list := yamldoc.Parse(f)
		l.list.Add(list)
		if root == nil || list.HasErrors() {
			for _, found := range declared.FindAllStringSubmatch(f.Text, -1) {
				l.unreadable[found[1]+" "+found[2]] = true
			}
			continue
		}
		if d := l.tell(f, root); d != nil {
			l.docs = append(l.docs, d)
		}
	}
}

func (l *loader) tell(f *diag.File, root *yamldoc.Node) *document {
	if root.Kind != yamldoc.Map || len(root.Entries) == 0 {
		l.list.Errorf(root.Span, "file-kind", "a mappings file is a map that begins with emenda: %s", Version)
		return nil
	}
	var found []int
	for i, k := range fileKinds {
		if root.Get(k.key) != nil {
			found = append(found, i)
		}
	}
	if len(found) > 0 && fileKinds[found[0]].key == "openapi" {
		return nil // a contract: internal/contract reads it
	}
	if !l.version(root) {
		return nil
	}
	if len(found) == 0 && l.kindMisspelt(root) {
		return nil
	}
	if len(found) == 0 {
		l.list.Errorf(root.Entries[0].Key.Span, "file-kind", "nothing tells what kind of file this is").
			Help = "one of the keys route, flow, form, dialect, table, expose does"
		return nil
	}
	k := fileKinds[found[0]]
	if len(found) > 1 {
		other := fileKinds[found[1]].key
		l.list.Errorf(root.KeyOf(other).Span, "file-kind", "%s and %s in one file: each file is of one kind", k.key, other)
		return nil
	}
	l.list.Add(yamldoc.Check(root, k.shape))
	return &document{file: f, root: root, kind: k.kind}
}

// kindMisspelt finds the key that was to tell the kind of a file, spelled wrong.
func (l *loader) kindMisspelt(root *yamldoc.Node) bool {
	var words []string
	for _, k := range fileKinds {
		words = append(words, k.key)
	}
	for i := range root.Entries {
		k := root.Entries[i].Key
		if slices.ContainsFunc(fileKinds, func(f fileKindOf) bool { return f.shape != nil && f.shape.Key(k.Text) != nil }) {
			continue
		}
		if near := diag.Suggest(k.Text, words); near != "" {
			l.list.Errorf(k.Span, "file-kind", "unknown key %s, and nothing else tells what kind of file this is", quoteShort(k.Text)).
				Help = "did you mean " + near + "?"
			return true
		}
	}
	return false
}

// version checks that the file begins with a version this program knows.
func (l *loader) version(root *yamldoc.Node) bool {
	v := root.Get("emenda")
	if v == nil {
		l.list.Errorf(root.Entries[0].Key.Span, "version", "the first key must be emenda, the version of the language").
			Help = "begin the file with emenda: " + Version
		return false
	}
	if v.Text != Version {
		l.list.Errorf(v.Span, "version", "unknown version %s of the language", quoteShort(v.Text)).
			Help = "this program knows " + Version
		return false
	}
	if root.Entries[0].Key.Text != "emenda" {
		l.list.Errorf(root.KeyOf("emenda").Span, "version", "emenda must be the first key of the file")
	}
	return true
}

func (l *loader) of(kind fileKind) []*document {
	var some []*document
	for _, d := range l.docs {
		if d.kind == kind {
			some = append(some, d)
		}
	}
	return some
}

// quoteShort quotes an author's text for a message, cut when long.
func quoteShort(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// unknown adds an error about a name that is not declared, with the nearest that is.
func (l *loader) unknown(at diag.Span, rule, what, name string, among []string) {
	d := l.list.Errorf(at, rule, "unknown %s %s", what, quoteShort(name))
	d.Help = suggest(name, among)
}

func suggest(name string, among []string) string {
	if near := diag.Suggest(name, among); near != "" {
		return "did you mean " + near + "?"
	}
	if len(among) == 0 {
		return ""
	}
	if len(among) <= 16 {
		sorted := slices.Clone(among)
		slices.Sort(sorted)
		return "known: " + strings.Join(sorted, ", ")
	}
	return ""
}

func keysOf[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
