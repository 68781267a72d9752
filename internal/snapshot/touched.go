package snapshot

import (
	"slices"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// touched gives the tests that may go otherwise now than with old: those of
// mappings and flows that changed, or that call what changed. What can reach
// everywhere (gateway.yaml, a table, a text) touches all.
func (l *Loaded) touched(old *Loaded) []*mapping.TestFile {
	t := &touching{l: l, plans: map[*mapping.Plan]bool{}}
	t.all = old == nil || l.Config.File.Text != old.Config.File.Text
	if !t.all {
		before, now := byName(old.files), byName(l.files)
		for name, f := range now {
			if was := before[name]; was == nil || was.Text != f.Text {
				t.changed(f)
			}
		}
		for name, f := range before {
			if is := now[name]; is == nil || is.Text != f.Text {
				t.was(old, f)
			}
		}
	}
	if t.all {
		return l.Set.Tests
	}
	return slices.DeleteFunc(slices.Clone(l.Set.Tests), func(f *mapping.TestFile) bool { return !t.plans[f.Plan] })
}

func byName(f *files) map[string]*diag.File {
	m := make(map[string]*diag.File, len(f.all))
	for _, file := range f.all {
		m[file.Name] = file
	}
	return m
}

// touching collects what is touched in l.
type touching struct {
	l     *Loaded
	all   bool
	plans map[*mapping.Plan]bool
}

// changed touches what a file that is new, or has another text, may change.
func (t *touching) changed(f *diag.File) {
	if t.l.files.aside[f] {
		return
	}
	if slices.Contains(t.l.files.contracts, f) {
		t.contract(t.l.files.contractName(f))
		return
	}
	known := false
	for p := range t.l.plans() {
		if p.File == f {
			known = true
			t.plan(p)
		}
	}
	for _, d := range t.l.Set.Dialects {
		if d.File == f {
			known = true
			t.dialect(d)
		}
	}
	t.all = t.all || !known
}

// was touches what a file that is gone, or had another text, may have meant to
// others: a mapping or flow meant nothing to those who do not call it, and who
// still calls it calls what took its place.
func (t *touching) was(old *Loaded, f *diag.File) {
	if old.files.aside[f] {
		return
	}
	if slices.Contains(old.files.contracts, f) {
		t.contract(old.files.contractName(f))
		return
	}
	for p := range old.plans() {
		if p.File == f {
			return
		}
	}
	for _, d := range old.Set.Dialects {
		if d.File == f {
			if now := t.l.Set.Dialects[d.Name]; now != nil {
				t.dialect(now)
			}
			return
		}
	}
	t.all = true
}

// contract touches the plans that call a backend of the contract of that name.
func (t *touching) contract(name string) {
	for p := range t.l.plans() {
		for call := range calls(p) {
			if op := call.Operation; op != nil {
				if b := t.l.Config.Backends[op.Backend]; b == nil || b.Contract == name {
					t.plan(p)
				}
			}
		}
	}
}

func (t *touching) dialect(d *mapping.Dialect) {
	for _, r := range t.l.Set.Routes {
		if r.Dialect == d {
			t.plan(r.Plan)
		}
	}
}

// plan touches a plan and, if it is a flow, those that call it.
func (t *touching) plan(p *mapping.Plan) {
	if t.plans[p] {
		return
	}
	t.plans[p] = true
	for other := range t.l.plans() {
		for call := range calls(other) {
			if call.Flow == p {
				t.plan(other)
			}
		}
	}
}

// plans ranges over the plans of all routes and flows.
func (l *Loaded) plans() func(func(*mapping.Plan) bool) {
	return func(yield func(*mapping.Plan) bool) {
		for _, r := range l.Set.Routes {
			if !yield(r.Plan) {
				return
			}
		}
		for _, p := range l.Set.Flows {
			if !yield(p) {
				return
			}
		}
	}
}

// calls ranges over the calls a plan's steps may make: those of their cases,
// those that find out what became of one, and those that take it back.
func calls(p *mapping.Plan) func(func(*mapping.Call) bool) {
	return func(yield func(*mapping.Call) bool) {
		for _, step := range p.Steps {
			all := []*mapping.Step{step}
			if d := step.Durable; d != nil && d.Lookup != nil {
				all = append(all, d.Lookup.Step)
			}
			if d := step.Durable; d != nil && d.Undo != nil {
				all = append(all, d.Undo.Step)
			}
			for _, s := range all {
				for _, c := range s.Cases {
					if c.Call != nil && !yield(c.Call) {
						return
					}
				}
			}
		}
	}
}
