package expr

import "github.com/emenda-gateway/emenda/internal/jsonx"

// NoneRule says what a parameter does with no value.
type NoneRule uint8

// The rules.
const (
	NoneRefused NoneRule = iota // an argument that may have no value is an error when loading
	NonePasses                  // no value in, no value out
	NoneTaken                   // the function handles it
)

// Param is one parameter of a function.
type Param struct {
	Name     string
	Type     *Type // nil: any
	None     NoneRule
	Optional bool // may be left out, and so may those behind it
	Rest     bool // the last one: any number of further arguments
	Literal  bool // must be a literal text
}

// Example is an expression and what it gives, executed by a test and shown in docs.
type Example struct {
	Expr  string // without ${}
	Gives string // JSON
}

// Function is one function: signature, help, a tested example, and its code.
type Function struct {
	Name    string
	Params  []Param
	Result  *Type
	Help    string // one sentence
	Example Example
	// Check types calls whose result or arguments the signature cannot say
	// (the element type of a list, the row of a table). args are the arguments' types,
	// literals their literal texts ("" when not a literal). err is a message for the author. Optional.
	Check func(s *Scope, args []*Type, literals []string) (result *Type, err error)
	// Eval computes the result; args live only as long as the call. It reports failures with f.Fail.
	Eval func(f *Frame, args []jsonx.Value) jsonx.Value
}

// Format is a named format of input fields and contracts: it gives the text in
// normal form, and whether it is of the format.
type Format struct {
	Name    string
	Help    string
	Example string // a text it accepts
	Normal  func(text string) (string, bool)
}

// Functions is the catalogue an expression may call: built-in ones and plugins'.
type Functions struct {
	byName map[string]*Function //nolint:unused // the builder decides
}

// NewFunctions gives the catalogue of built-in functions and these others; a name given twice is an error.
func NewFunctions(others ...*Function) (*Functions, error) { panic("not built") }

// All gives every function, by name.
func (fs *Functions) All() []*Function { panic("not built") }
