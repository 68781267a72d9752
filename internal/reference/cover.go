package reference

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/maptest"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Covered says where each word of the language has an executed case.
type Covered struct {
	Tests      int // that ran, all of them green
	Files      int
	Keys       map[KeyID][]Use
	Operators  map[string][]WordUse
	Predicates map[string][]WordUse
	Functions  map[string][]WordUse
	Directives map[string][]WordUse
	Names      map[string][]WordUse
	Formats    map[string][]WordUse
}

// Cover runs the tests of the cases and finds what they executed. A test that
// fails is an error.
func (c *Cases) Cover() (*Covered, error) {
	ran := newRan(c)
	options := c.Loaded.TestOptions()
	options.Watch, options.Answered = ran, ran.answered
	results := maptest.Run(c.Loaded.Set, options)
	for i := range results {
		if r := &results[i]; !r.Passed() {
			return nil, fmt.Errorf("%s: %s: %s", r.At, r.Name, strings.Join(r.Failures, "; "))
		}
	}
	for _, file := range c.Loaded.Set.Tests {
		if file.Route == nil && len(file.Tests) > 0 {
			ran.files[c.plain(file.Plan.File)] = true
		}
	}
	cov := &Covered{
		Tests: len(results), Files: len(c.Files), Keys: map[KeyID][]Use{},
		Operators: map[string][]WordUse{}, Predicates: map[string][]WordUse{}, Functions: map[string][]WordUse{},
		Directives: map[string][]WordUse{}, Names: map[string][]WordUse{}, Formats: map[string][]WordUse{},
	}
	all := make([]*uses, len(c.Files))
	for i, f := range c.Files {
		all[i] = usesOf(f)
		ran.tablesOf(all[i])
	}
	for _, u := range all {
		cov.add(u, ran)
	}
	return cov, nil
}

func (cov *Covered) add(u *uses, ran *ran) {
	for _, use := range u.keys {
		if ran.executed(u.file, use.Path) {
			cov.Keys[use.Key] = append(cov.Keys[use.Key], use)
		}
	}
	for _, use := range u.formats {
		if ran.executed(u.file, use.Path) {
			cov.Formats[use.Name] = append(cov.Formats[use.Name], use)
		}
	}
	for _, use := range u.words {
		if !ran.executed(u.file, use.Path) {
			continue
		}
		into := map[expr.WordKind]map[string][]WordUse{
			expr.OperatorWord: cov.Operators, expr.PredicateWord: cov.Predicates, expr.FunctionWord: cov.Functions,
			expr.DirectiveWord: cov.Directives, expr.NameWord: cov.Names,
		}[use.Kind]
		into[use.Name] = append(into[use.Name], use)
	}
}

// Uncovered names every word of the language without an executed case, in order.
func (cov *Covered) Uncovered(functions *expr.Functions, formats map[string]*expr.Format) []string {
	var bare []string
	for _, id := range Keys() {
		if len(cov.Keys[id]) == 0 {
			bare = append(bare, "key "+id.String())
		}
	}
	for _, s := range Shapes() {
		for i := range s.Shape.Keys {
			if k := &s.Shape.Keys[i]; k.Later == "" {
				bare = append(bare, cov.unusedValues(KeyID{s.Shape.Name, k.Name}, k.Shape)...)
			}
		}
	}
	entries := func(what string, all []expr.Entry, used map[string][]WordUse) {
		for _, e := range all {
			if len(used[e.Name]) == 0 {
				bare = append(bare, what+" "+e.Name)
			}
		}
	}
	entries("operator", expr.Operators(), cov.Operators)
	entries("predicate", expr.Predicates(), cov.Predicates)
	entries("directive", expr.Directives(), cov.Directives)
	entries("name", expr.StandingNames(), cov.Names)
	for _, name := range functions.Names() {
		if len(cov.Functions[name]) == 0 {
			bare = append(bare, "function "+name)
		}
	}
	for _, name := range sortedKeys(formats) {
		if len(cov.Formats[name]) == 0 {
			bare = append(bare, "format "+name)
		}
	}
	return bare
}

// closedValues gives the values of a closed list that a key may have.
func closedValues(s *yamldoc.Shape) (values []string) {
	var collect func(s *yamldoc.Shape)
	collect = func(s *yamldoc.Shape) {
		switch s.Form {
		case yamldoc.EnumForm:
			for _, v := range s.Enum {
				if !slices.Contains(values, v) && v != "hold" { // of durable orders: refused when loading
					values = append(values, v)
				}
			}
		case yamldoc.ListForm, yamldoc.MapForm:
			collect(s.Elem)
		case yamldoc.AltForm:
			for _, a := range s.Alts {
				collect(a)
			}
		}
	}
	collect(s)
	return values
}

// unusedValues names the values of a closed list that no executed case gives the key.
func (cov *Covered) unusedValues(id KeyID, s *yamldoc.Shape) []string {
	used := map[string]bool{}
	for _, u := range cov.Keys[id] {
		n := u.Entry.Value
		used[n.Text] = true
		for _, item := range n.Items {
			used[item.Text] = true
		}
		for i := range n.Entries {
			used[n.Entries[i].Value.Text] = true
		}
	}
	var bare []string
	for _, v := range closedValues(s) {
		if !used[v] {
			bare = append(bare, "value "+v+" of "+id.String())
		}
	}
	return bare
}

// ran is what the tests executed. It is a flow.Watcher.
type ran struct {
	cases      *Cases
	files      map[string]bool // a request was answered, or a flow ran
	steps      map[string]bool // file, step: not skipped
	failed     map[string]bool // file, step: did not end ok at least once
	taken      map[string]bool // file, step, case
	replies    map[string]bool // file, reply
	kinds      map[string]bool // file or dialect, kind of error
	operations map[string]bool // operationId
	tables     map[string]bool // named by a call of table
}

func newRan(c *Cases) *ran {
	return &ran{
		cases: c, files: map[string]bool{}, steps: map[string]bool{}, failed: map[string]bool{}, taken: map[string]bool{},
		replies: map[string]bool{}, kinds: map[string]bool{}, operations: map[string]bool{}, tables: map[string]bool{},
	}
}

func join(parts ...string) string { return strings.Join(parts, "\x00") }

// Settled notes what became of a step.
func (r *ran) Settled(p *mapping.Plan, s *mapping.Step, report flow.StepReport) {
	file := r.cases.plain(p.File)
	r.files[file] = true
	if report.Case >= 0 && report.Case < len(s.Cases) {
		r.taken[join(file, s.Name, strconv.Itoa(report.Case))] = true
		if call := s.Cases[report.Case].Call; call != nil && call.Operation != nil {
			r.operations[call.Operation.ID] = true
		}
	}
	if report.State != contract.Skipped || report.Case >= 0 {
		r.steps[join(file, s.Name)] = true
	}
	if report.State != contract.Skipped && report.State != contract.OK {
		r.failed[join(file, s.Name)] = true
	}
}

func (r *ran) answered(route *mapping.Route, _ *mapping.Test, report *exchange.Report) {
	file, dialect := r.cases.plain(route.Plan.File), r.cases.plain(route.Dialect.File)
	r.files[file], r.files[dialect] = true, true
	if form := route.Plan.Form; form != nil {
		r.files[r.cases.plain(form)] = true
	}
	if report.Reply >= 0 {
		r.replies[join(file, strconv.Itoa(report.Reply))] = true
		return
	}
	r.kinds[join(file, report.Outcome)], r.kinds[join(dialect, report.Outcome)] = true, true
}

// tablesOf notes the tables that executed calls of table name.
func (r *ran) tablesOf(u *uses) {
	for _, w := range u.words {
		if w.Kind == expr.FunctionWord && w.Name == "table" && r.executed(u.file, w.Path) {
			r.tables[w.Arg] = true
		}
	}
}

// executed tells whether what stands at path of a file was taken by some test.
func (r *ran) executed(f *CaseFile, path []string) bool {
	at := func(i int) string {
		if i < len(path) {
			return path[i]
		}
		return ""
	}
	switch f.Kind {
	case "gateway.yaml":
		return true // every test runs under it
	case "expose":
		return true // what is offered has no tests of mappings: TestElsewhere names its own
	case "table":
		return r.tables[f.Node.Get("table").Text]
	case "dialect":
		if at(0) == "errors" && at(1) != "" {
			return r.kinds[join(f.Name, at(1))]
		}
		return r.files[f.Name]
	case "contract", "section":
		if at(0) == "paths" && at(2) == "x-emenda-operations" && at(4) != "" {
			if i, err := strconv.Atoi(at(4)); err == nil {
				return r.operations[f.Node.Get("paths").Get(path[1]).Get(path[2]).Get(path[3]).Items[i].Get("operationId").Text]
			}
		}
		if at(0) == "paths" && len(path) > 2 && slices.Contains([]string{"get", "put", "post", "delete", "patch"}, path[2]) {
			return r.operations[f.Node.Get("paths").Get(path[1]).Get(path[2]).Get("operationId").Text]
		}
		return true // read and compiled with the operations
	}
	switch at(0) {
	case "tests":
		return true
	case "steps":
		switch {
		case at(2) == "switch" && at(3) != "":
			return r.taken[join(f.Name, at(1), at(3))]
		case at(2) == "catch":
			return r.failed[join(f.Name, at(1))]
		case at(1) != "":
			return r.steps[join(f.Name, at(1))]
		}
	case "reply":
		if at(1) != "" {
			return r.replies[join(f.Name, at(1))]
		}
	case "route":
		if at(1) == "errors" && at(2) != "" {
			return r.kinds[join(f.Name, at(2))]
		}
	}
	return r.files[f.Name]
}
