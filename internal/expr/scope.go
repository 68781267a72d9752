package expr

import "github.com/emenda-gateway/emenda/internal/diag"

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
	Barred  string           // not empty: the name exists but may not be used here, with these words
}

// Fact is something known to hold in a scope: the path has a value.
// For a step's body the path is the step's name.
type Fact struct{ Path string }

// Use is a reading of a step by an expression.
type Use struct {
	Step string    // the step's name
	Meta bool      // steps.NAME.…, not the body
	Need bool      // its body is needed: read unguarded, in a scope of a step or let
	At   diag.Span // where
}

// Layout numbers the slots of one plan's frames.
type Layout struct {
	lets map[int]*Template //nolint:unused // the builder decides
}

// NewSlot gives the next slot.
func (l *Layout) NewSlot() int { panic("not built") }

// SetLet makes slot a lazy one: t is evaluated when the slot is first read in a frame.
func (l *Layout) SetLet(slot int, t *Template) { panic("not built") }

// Scope is the names, functions and tables an expression may use, and what is known to hold.
type Scope struct {
	Layout    *Layout
	Functions *Functions
	Tables    map[string]*Table
	// InStep: reading the body of a step that may be missing is a need (the
	// step will be skipped), not an error. Set for steps' and lets' scopes, not for replies.
	InStep bool
	names  map[string]*Name //nolint:unused // the builder decides
	outer  *Scope           //nolint:unused // the builder decides
}

// NewScope gives an empty scope.
func NewScope(l *Layout, fns *Functions, tables map[string]*Table) *Scope { panic("not built") }

// Define adds a name; it fails when the name, or a function of that name, is already visible (no shadowing).
func (s *Scope) Define(n *Name) error { panic("not built") }

// Lookup finds a visible name.
func (s *Scope) Lookup(name string) (*Name, bool) { panic("not built") }

// Child gives a scope in which more names can be defined without the outer one seeing them.
func (s *Scope) Child() *Scope { panic("not built") }

// Assume gives a child scope in which facts hold.
func (s *Scope) Assume(facts []Fact) *Scope { panic("not built") }

// FreeNames parses n's expressions (a condition when bare, else a template with
// ${}) and gives the names they use that they do not define themselves:
// "input", "cliente", and "steps.cliente" for members of the namespace steps.
// Faulty expressions give what could be read; compiling reports them.
func FreeNames(n Source) []string { panic("not built") }
