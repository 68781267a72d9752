package snapshot

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/maptest"
	"github.com/emenda-gateway/emenda/plugins"
)

// judge tells what becomes of a mutant, and the words for it.
func (s *shipped) judge(m *mutant) (verdict, string) {
	if s.refusedAlone(m) {
		return refusedAtPlace, ""
	}
	loaded, list, before := s.near(m)
	if loaded == nil {
		for i := range list {
			if list[i].Severity == diag.Error && m.at(&list[i]) {
				return refusedAtPlace, ""
			}
		}
		for i := range list {
			if list[i].Severity == diag.Error && m.atUse(&list[i]) {
				return refusedAtUse, ""
			}
		}
		for i := range list {
			if m.at(&list[i]) {
				return refusedWarned, ""
			}
		}
		return refusedAway, list.Text()
	}
	if testsFail(m.file, loaded, before.Loaded) {
		return caught, ""
	}
	if pinnedBriefly(loaded) != before.briefly || pinned(loaded) != before.pinned {
		return differs, ""
	}
	for i := range list {
		if m.at(&list[i]) {
			return warned, list.Text()
		}
	}
	return survived, list.Text()
}

// refusedAlone tells whether an error points at the fault already where no more
// is read than the file and what stands for all: most faults cost no whole load.
// What is told of a file that way the whole load tells too: less is known in
// it, of flows, and of what is not known nothing is told but that.
func (s *shipped) refusedAlone(m *mutant) bool {
	known, ok := s.known.Load(m.file)
	if !ok {
		known, _ = s.known.LoadOrStore(m.file, s.toldAlone(m.file, m.file))
	}
	mutated := diag.NewFile(m.file.Name, m.source())
	list := s.toldAlone(m.file, mutated)
	for i := range list {
		if d := &list[i]; m.at(d) && !slices.ContainsFunc(known.(diag.List), func(was diag.Diagnostic) bool { return was.Message == d.Message }) { //nolint:forcetypeassert // only lists are kept
			return true
		}
	}
	return false
}

// toldAlone gives the errors of a file of the shipped ones, with now in its place, beside few others.
func (s *shipped) toldAlone(f, now *diag.File) (list diag.List) {
	switch {
	case f == s.config:
		_, list = config.Load(now)
	case slices.Contains(s.files.contracts, f):
		name := s.files.contractName(f)
		var files []*diag.File
		for _, other := range s.files.contracts {
			if other == f {
				other = now
			}
			if s.files.contractName(other) == name {
				files = append(files, other)
			}
		}
		_, list = contract.LoadFiles(name, files, s.good.functions)
	default:
		all := []*diag.File{now}
		for _, other := range s.common {
			if other != f {
				all = append(all, other)
			}
		}
		if users := s.usersOf(f); len(users) > 0 {
			all = append(all, slices.MinFunc(users, func(a, b *diag.File) int { return len(a.Text) - len(b.Text) }))
		}
		_, list = mapping.Load(all, s.files.texts, s.world())
	}
	return slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return d.Severity != diag.Error })
}

func (s *shipped) world() mapping.World {
	return mapping.World{Config: s.good.Config, Contracts: s.good.Contracts, Functions: s.good.functions, Formats: plugins.Formats()}
}

// usersOf gives the mappings whose input is the form that f is.
func (s *shipped) usersOf(f *diag.File) (users []*diag.File) {
	_, name, isForm := strings.Cut("\n"+f.Text, "\nform: ")
	name, _, _ = strings.Cut(name, "\n")
	for _, other := range s.files.mappings {
		if isForm && (strings.Contains(other.Text, "form: "+name+" ") || strings.Contains(other.Text, "form: "+name+"\n")) && other != f {
			users = append(users, other)
		}
	}
	return users
}

// shippedLoad is a load of shipped files, and what is pinned of it.
type shippedLoad struct {
	*Loaded
	pinned  string // what TestShipped pins
	briefly string // what costs least of it
}

func pin(l *Loaded) *shippedLoad { return &shippedLoad{l, pinned(l), pinnedBriefly(l)} }

// near loads a mutant with all that it can change: for a mapping, flow or form
// those that call it and what they call, for others every file. It gives too
// what the same files are without the fault.
func (s *shipped) near(m *mutant) (*Loaded, diag.List, *shippedLoad) {
	_, path, _ := strings.Cut(m.id, " ")
	if strings.HasPrefix(path, "route") {
		loaded, list := s.with(m.file, m.source()) // what others say of routes: paths, permissions
		return loaded, list, s.whole
	}
	kept, ok := s.nearby.Load(m.file)
	if !ok {
		var before *shippedLoad
		if files := s.connected(m.file); len(files) > 0 {
			l, list := s.some(append(files, s.common...))
			if l == nil {
				panic(list.Text())
			}
			before = pin(l)
		}
		kept, _ = s.nearby.LoadOrStore(m.file, before)
	}
	before := kept.(*shippedLoad) //nolint:forcetypeassert // only loads are kept
	if before == nil {
		loaded, list := s.with(m.file, m.source())
		return loaded, list, s.whole
	}
	files := slices.Clone(before.files.mappings)
	files[slices.Index(files, m.file)] = diag.NewFile(m.file.Name, m.source())
	loaded, list := s.some(files)
	return loaded, list, before
}

// some loads some of the mappings, with all of the rest.
func (s *shipped) some(files []*diag.File) (*Loaded, diag.List) {
	set, list := mapping.Load(files, s.files.texts, s.world())
	if set == nil {
		return nil, list
	}
	l := *s.good
	l.Set = set
	l.files = newFiles()
	l.files.mappings, l.files.all, l.files.texts = files, files, s.files.texts
	return &l, list
}

// connected gives the mappings and flows that a fault in f can change, and
// those that they call; none where f is no mapping, flow or form.
func (s *shipped) connected(f *diag.File) (all []*diag.File) {
	up := &touching{l: s.good, plans: map[*mapping.Plan]bool{}}
	users := s.usersOf(f)
	for p := range s.good.plans() {
		if p.File == f || slices.Contains(users, p.File) {
			up.plan(p)
		}
	}
	var down func(p *mapping.Plan)
	down = func(p *mapping.Plan) {
		if p == nil || slices.Contains(all, p.File) {
			return
		}
		all = append(all, p.File)
		for call := range calls(p) {
			down(call.Flow)
		}
	}
	for p := range up.plans {
		down(p)
	}
	return all
}

// testsFail tells whether a test of the mappings fails: of those that what
// changed can touch, those of file f first.
func testsFail(f *diag.File, loaded, before *Loaded) bool {
	options := maptest.Options{Callers: loaded.TestCallers(), Zone: loaded.Zone()}
	touched := loaded.touched(before)
	for _, own := range []bool{true, false} {
		for _, file := range touched {
			if (file.Plan.File.Name == f.Name) != own {
				continue
			}
			for _, test := range file.Tests {
				one := &mapping.Set{Tests: []*mapping.TestFile{{Plan: file.Plan, Route: file.Route, Tests: []*mapping.Test{test}}}}
				if !maptest.Run(one, options)[0].Passed() {
					return true
				}
			}
		}
	}
	return false
}

// at tells whether a diagnostic points at the fault: in its file, beginning in
// a line of it, marking some of it.
func (m *mutant) at(d *diag.Diagnostic) bool {
	f := d.Span.File
	if f == nil || f.Name != m.file.Name {
		return false
	}
	for _, p := range m.places() {
		if d.Span.Start > p.end || max(d.Span.End, d.Span.Start) < p.start {
			continue
		}
		line, _ := f.Position(d.Span.Start)
		first, _ := f.Position(p.start)
		last, _ := f.Position(p.end)
		if line >= first && line <= last {
			return true
		}
	}
	return false
}

// atUse tells whether a diagnostic is about the name that is declared no more.
func (m *mutant) atUse(d *diag.Diagnostic) bool {
	if d.Span.File == nil {
		return false
	}
	text := d.Span.File.Text
	marked := text[d.Span.Start:max(d.Span.Start, min(d.Span.End, len(text)))]
	if m.old != "" && (strings.Contains(marked, m.old) || strings.Contains(d.Message, m.old)) {
		return true
	}
	if m.inside == "" {
		return false
	}
	line := text[strings.LastIndexByte(text[:d.Span.Start], '\n')+1:]
	line, _, _ = strings.Cut(line, "\n")
	return strings.Contains(line, m.inside) || strings.Contains(d.Message, m.inside)
}
