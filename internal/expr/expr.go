// Package expr checks and compiles what stands in ${…}, in bare conditions and
// in templates. The grammar is expr-lang's; types, checker and closures are
// ours: nullability, exact numbers, secret flow, bounds. Nothing is parsed or
// looked up by name during a request.
package expr

import (
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Source is a YAML node to compile, and how: Bare conditions stand without ${}.
type Source struct {
	Node *yamldoc.Node
	Bare bool
}

// Info is what checking found out.
type Info struct {
	Type  *Type
	Uses  []Use // every step read, directly or through lets
	True  []Fact
	False []Fact
}

// Needs gives the names of the steps whose body is needed, each once.
func (i *Info) Needs() []string { panic("not built") }

// Condition is a compiled bare expression that gives true or false.
type Condition struct {
	Info
	eval func(*Frame) bool //nolint:unused // the builder decides
}

// CompileCondition compiles the bare expression of scalar n; its type must be boolean, never without value.
func CompileCondition(n *yamldoc.Node, s *Scope) (*Condition, diag.List) { panic("not built") }

// Holds evaluates the condition; false when the frame has failed.
func (c *Condition) Holds(f *Frame) bool { panic("not built") }

// Target says what a template's value must fit.
type Target struct {
	Type     *Type  // nil: anything that has a value
	What     string // how messages name it: "body of erp.comercial.contrato.dados"
	Optional bool   // no value at all is allowed at the top (`${?…}` there gives Absent)
	Secrets  bool   // secret values may flow here where the target's field is marked secret; else never
}

// Template is a compiled YAML value: scalars with ${…}, maps and lists of them, $each/$as/$if/$item, $if/$then/$else, $concat, $merge.
type Template struct {
	Info
	eval func(*Frame) jsonx.Value //nolint:unused // the builder decides
}

// CompileTemplate compiles n against what it must fit: unknown and missing
// fields of a closed target, kinds (text digits and numbers convert
// losslessly), values that may be missing where one is required.
func CompileTemplate(n *yamldoc.Node, s *Scope, t Target) (*Template, diag.List) { panic("not built") }

// Constant tells whether the template has no expressions.
func (t *Template) Constant() bool { panic("not built") }

// AppendJSON appends the value as JSON (nothing when it is Absent). On failure the frame's Err is set and what was appended is to be thrown away.
func (t *Template) AppendJSON(dst []byte, f *Frame) []byte { panic("not built") }

// Value gives the value; containers made by the template are JSON text in the frame's arena.
func (t *Template) Value(f *Frame) jsonx.Value { panic("not built") }

// Placeholders is a compiled text template: JSON text with _NAME_ placeholders.
type Placeholders struct {
	Names []string // declared placeholders in order of first appearance
	parts []string //nolint:unused // the builder decides
}

// CompilePlaceholders reads a JSON text with _NAME_ placeholders. Quoted ones
// become escaped strings (also inside longer quoted text), bare ones JSON values. Every
// placeholder must be in vars or fill (sign-in variables filled when sending,
// which stay in the text as Fill says); every name of vars must occur.
func CompilePlaceholders(file *diag.File, vars, fill []string) (*Placeholders, diag.List) {
	panic("not built")
}

// Append appends the text with value(i) for Names[i]; f fails when a value is missing or, for a quoted one, is a container.
func (p *Placeholders) Append(dst []byte, f *Frame, value func(i int) jsonx.Value) []byte {
	panic("not built")
}

// Table is a table of constants looked up by text key.
type Table struct {
	Name    string
	Row     *Type // the rows' common object type
	Rows    map[string]jsonx.Value
	Unknown jsonx.Value // the row for other keys; Absent: none
	Fails   bool        // unknown: error
}

// RuntimeError is a failure of an expression, with where it stands in its file.
type RuntimeError struct {
	At      diag.Span
	Message string // names variables and positions, never values
}

// Error gives file:line:col and message.
func (e *RuntimeError) Error() string { panic("not built") }

// Frame is the state of one run: slots, arena, clock, fuel. Frames are pooled; one goroutine at a time.
type Frame struct {
	Arena *jsonx.Arena
	Now   time.Time      // fixed per request, in Zone
	Zone  *time.Location // of gateway.yaml
	slots []jsonx.Value  //nolint:unused // the builder decides
	err   *RuntimeError  //nolint:unused // the builder decides
	fuel  int            //nolint:unused // the builder decides
}

// NewFrame gives a frame for plans of layout l, from a pool, with full fuel.
func NewFrame(l *Layout, now time.Time, zone *time.Location) *Frame { panic("not built") }

// Release resets the frame and gives it back; nothing made with it may be used afterwards.
func (f *Frame) Release() { panic("not built") }

// Set stores the value of slot.
func (f *Frame) Set(slot int, v jsonx.Value) { panic("not built") }

// Get reads the value of slot (computing a let when first read).
func (f *Frame) Get(slot int) jsonx.Value { panic("not built") }

// Err gives the first failure since the last Clear, or nil.
func (f *Frame) Err() *RuntimeError { return f.err }

// Clear forgets a failure.
func (f *Frame) Clear() { f.err = nil }

// Fail records a failure of the expression being evaluated (functions call it); the value given is Absent.
func (f *Frame) Fail(format string, args ...any) jsonx.Value { panic("not built") }
