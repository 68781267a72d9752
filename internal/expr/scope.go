package expr

import (
	"fmt"
	"maps"
	"slices"

	"github.com/emenda-gateway/emenda/internal/diag"
)

// NameKind is what a name stands for.
type NameKind uint8

// The name kinds.
const (
	PlainName   NameKind = iota // input, request, caller, const, now, warnings, failures, error, answer, status …
	StepName                    // a step: its value is the answer's body
	LetName                     // computed once, when first used
	ElementName                 // `as` names and closure elements
	Namespace                   // `steps`: only its Members have values
)

// Name is one name an expression may use.
type Name struct {
	Name    string
	Kind    NameKind
	Type    *Type
	Slot    int              // where a Frame holds the value; NewSlot gives it
	MayMiss bool             // StepName: the body may be missing (skipped, continued …)
	Needs   []string         // LetName: steps whose body it needs unguarded
	True    []Fact           // LetName: what holds when its value is true
	False   []Fact           // LetName: what holds when its value is false
	Uses    []Use            // LetName: steps it reads, for ordering
	Members map[string]*Name // Namespace
	// Contested: something else has the name too, which is told; it covers that
	// one, so that what is said with the name gives no further faults.
	Contested bool
	Barred    string // not empty: the name exists but may not be used here, with these words
}

// Fact is something known to hold in a scope: the path has a value.
// For a step's body the path is the step's name.
type Fact struct{ Path string }

// everything holds where a condition that does not check stands before.
var everything = []Fact{{Path: "*"}}

// Use is a reading of a step by an expression.
type Use struct {
	Step string    // the step's name
	Meta bool      // steps.NAME.…, not the body
	Need bool      // its body is needed: read unguarded, in a scope of a step or let
	At   diag.Span // where
}

// Layout numbers the slots of one plan's frames. It is filled while compiling
// and only read afterwards.
type Layout struct {
	slots int
	lets  []*Template
}

// NewSlot gives the next slot.
func (l *Layout) NewSlot() int {
	l.slots++
	return l.slots - 1
}

// SetLet makes slot a lazy one: t is evaluated when the slot is first read in a frame.
func (l *Layout) SetLet(slot int, t *Template) {
	for len(l.lets) <= slot {
		l.lets = append(l.lets, nil)
	}
	l.lets[slot] = t
}

// let gives the template of a lazy slot, or nil.
func (l *Layout) let(slot int) *Template {
	if l == nil || slot >= len(l.lets) {
		return nil
	}
	return l.lets[slot]
}

// Scope is the names, functions and tables an expression may use, and what is known to hold.
type Scope struct {
	Layout    *Layout
	Functions *Functions
	Tables    map[string]*Table
	// InStep: reading the body of a step that may be missing is a need (the
	// step will be skipped), not an error. Set for steps' and lets' scopes, not for replies.
	InStep bool
	names  map[string]*Name
	facts  []Fact
	outer  *Scope
}

// NewScope gives an empty scope.
func NewScope(l *Layout, fns *Functions, tables map[string]*Table) *Scope {
	return &Scope{Layout: l, Functions: fns, Tables: tables, names: map[string]*Name{}}
}

// Define adds a name; it fails when the name, or a function of that name, is already visible (no shadowing).
func (s *Scope) Define(n *Name) error {
	if !identifier(n.Name) {
		return fmt.Errorf("the name %q cannot stand in an expression: use letters, digits and _, beginning with a letter", n.Name)
	}
	if reserved[n.Name] {
		return fmt.Errorf("the name %s is a word of the language", n.Name)
	}
	if n.Contested {
		s.names[n.Name] = n
		return nil
	}
	if old, ok := s.Lookup(n.Name); ok {
		return fmt.Errorf("the name %s is already taken by %s", n.Name, old.what())
	}
	if _, ok := predicates[n.Name]; ok || s.function(n.Name) != nil {
		return fmt.Errorf("the name %s is already taken by a function", n.Name)
	}
	if s.names == nil {
		s.names = map[string]*Name{}
	}
	s.names[n.Name] = n
	return nil
}

// what says what a name is, for messages.
func (n *Name) what() string {
	switch n.Kind {
	case StepName:
		return "a step"
	case LetName:
		return "a let"
	case ElementName:
		return "an element"
	}
	return "a name of the language"
}

// Lookup finds a visible name.
func (s *Scope) Lookup(name string) (*Name, bool) {
	for ; s != nil; s = s.outer {
		if n, ok := s.names[name]; ok {
			return n, true
		}
	}
	return nil, false
}

// Child gives a scope in which more names can be defined without the outer one seeing them.
func (s *Scope) Child() *Scope {
	return &Scope{Layout: s.Layout, Functions: s.Functions, Tables: s.Tables, InStep: s.InStep, outer: s}
}

// Assume gives a child scope in which facts hold.
func (s *Scope) Assume(facts []Fact) *Scope {
	c := s.Child()
	c.facts = facts
	return c
}

// holds tells whether path is known to have a value.
func (s *Scope) holds(path string) bool {
	for ; s != nil; s = s.outer {
		for i := range s.facts {
			if p := s.facts[i].Path; p == path || p == everything[0].Path {
				return true
			}
		}
	}
	return false
}

// visible gives all visible names, for suggestions.
func (s *Scope) visible() []string {
	all := map[string]bool{}
	for ; s != nil; s = s.outer {
		for n, x := range s.names {
			if x.Barred == "" {
				all[n] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// function finds a function of the catalogue, or nil.
func (s *Scope) function(name string) *Function {
	if s.Functions == nil {
		return nil
	}
	return s.Functions.byName[name]
}

// callable gives everything that can be called, for suggestions.
func (s *Scope) callable() []string {
	all := map[string]bool{}
	for n := range predicates {
		all[n] = true
	}
	if s.Functions != nil {
		for n := range s.Functions.byName {
			all[n] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// reserved are the words that cannot name anything.
var reserved = map[string]bool{
	"nil": true, "null": true, "true": true, "false": true, "and": true, "or": true, "not": true, "in": true,
	"contains": true, "startsWith": true, "endsWith": true, "matches": true, "let": true, "if": true, "else": true,
}

// identifier tells whether s can be written as a name.
func identifier(s string) bool {
	for i, r := range s {
		if !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && r >= '0' && r <= '9') {
			return false
		}
	}
	return s != ""
}

// predicates are the calls the checker knows itself: those that take a
// closure, and len and first, which need no list to be built.
var predicates = map[string]struct{}{
	"filter": {}, "map": {}, "any": {}, "all": {}, "none": {}, "one": {}, "count": {},
	"sum": {}, "first": {}, "find": {}, "len": {},
}
