// Package expr checks and compiles what stands in ${…}, in bare conditions and
// in templates. The grammar is expr-lang's; types, checker and closures are
// ours: nullability, exact numbers, secret flow, bounds. Nothing is parsed or
// looked up by name during a request.
package expr

import (
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

// Table is a table of constants looked up by text key.
type Table struct {
	Name    string
	Row     *Type // the rows' common object type
	Rows    map[string]jsonx.Value
	Unknown jsonx.Value // the row for other keys; Absent: none
	Fails   bool        // unknown: error
}

// FreeNames parses n's expressions (a condition when bare, else a template with
// ${}) and gives the names they use that they do not define themselves:
// "input", "cliente", and "steps.cliente" for members of the namespace steps.
// Faulty expressions give what could be read; compiling reports them.
func FreeNames(n Source) []string { panic("not built") }
