package expr

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

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
	Rest     bool // the last one: one or more arguments, none when Optional too
	Literal  bool // must be a literal text
}

// Example is an expression and what it gives, executed by a test and shown in docs.
// In examples `now` is 2026-03-05T18:16:01-03:00 and there is a table "plans"
// with the row "A": { code: 1, label: Basic }.
type Example struct {
	Expr  string // without ${}
	Gives string // JSON
}

// EvalFunc computes the result of a call; args live only as long as the call.
type EvalFunc = func(f *Frame, args []jsonx.Value) jsonx.Value

// Function is one function: signature, help, a tested example, and its code.
type Function struct {
	Name    string
	Params  []Param
	Result  *Type  // nil only when Check gives it
	Help    string // one sentence
	Example Example
	// Check types calls whose result or arguments the signature cannot say
	// (the element type of a list, the row of a table). args are the arguments' types,
	// literals their literal texts ("" when not a literal). err is a message for the author. Optional.
	// The signature has been checked before. Check need not care for secrets, nor
	// for no value in NonePasses arguments: the checker adds both to the result.
	Check func(s *Scope, args []*Type, literals []string) (result *Type, err error)
	// Eval computes the result; args live only as long as the call. It reports failures with f.Fail.
	// An argument left out is not in args.
	Eval EvalFunc
	// Bind makes the code of one call when it is loaded, from its arguments'
	// types and literal texts: patterns are compiled and tables found here.
	// Called once Check has accepted the call. Optional; when set, Eval is not used.
	Bind func(s *Scope, args []*Type, literals []string) EvalFunc
}

// For gives the code of one call that has been checked: Bind's, or Eval.
func (fn *Function) For(s *Scope, args []*Type, literals []string) EvalFunc {
	if fn.Bind != nil {
		return fn.Bind(s, args, literals)
	}
	return fn.Eval
}

// Signature spells the call as messages and docs do: "date(x, in, out?)".
func (fn *Function) Signature() string {
	var b strings.Builder
	b.WriteString(fn.Name)
	b.WriteByte('(')
	for i, p := range fn.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.Name)
		if p.Rest {
			b.WriteString("…")
		} else if p.Optional {
			b.WriteByte('?')
		}
	}
	b.WriteByte(')')
	return b.String()
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
	byName map[string]*Function
	names  []string
}

// reservedNames are names no function may take: the built-ins with a predicate,
// which the compiler knows itself, words of the grammar, and what every mapping may name.
var reservedNames = map[string]string{
	"filter": "a built-in of the language", "map": "a built-in of the language",
	"any": "a built-in of the language", "all": "a built-in of the language",
	"none": "a built-in of the language", "one": "a built-in of the language",
	"count": "a built-in of the language", "sum": "a built-in of the language",
	"first": "a built-in of the language", "find": "a built-in of the language",
	"len": "a built-in of the language",

	"nil": "a word of the grammar", "null": "a word of the grammar",
	"true": "a word of the grammar", "false": "a word of the grammar",
	"and": "a word of the grammar", "or": "a word of the grammar", "not": "a word of the grammar",
	"in": "a word of the grammar", "let": "a word of the grammar",
	"if": "a word of the grammar", "else": "a word of the grammar",
	"matches": "a word of the grammar", "contains": "a word of the grammar",

	"input": "a name every mapping has", "request": "a name every mapping has",
	"caller": "a name every mapping has", "const": "a name every mapping has",
	"now": "a name every mapping has", "warnings": "a name every mapping has",
	"failures": "a name every mapping has", "order": "a name every mapping has",
	"error": "a name every mapping has", "answer": "a name every mapping has",
	"steps": "a name every mapping has", "status": "a name every mapping has",
}

var functionName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// NewFunctions gives the catalogue of built-in functions and these others. A
// name given twice, a reserved one, and a function without help, example or
// code are errors; all of them are reported.
func NewFunctions(others ...*Function) (*Functions, error) {
	all := append(builtins(), others...)
	fs := &Functions{byName: make(map[string]*Function, len(all))}
	var faults []error
	for _, fn := range all {
		faults = append(faults, fn.faults()...)
		if fs.byName[fn.Name] != nil {
			faults = append(faults, fmt.Errorf("function %s: the name is taken", fn.Name))
			continue
		}
		fs.byName[fn.Name] = fn
		fs.names = append(fs.names, fn.Name)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	slices.Sort(fs.names)
	return fs, nil
}

// faults tells what is missing or wrong in the function's own description.
func (fn *Function) faults() []error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("function %s: %s", fn.Name, fmt.Sprintf(format, args...)))
	}
	if !functionName.MatchString(fn.Name) {
		fault("the name must be small letters, digits and _")
	}
	if why, ok := reservedNames[fn.Name]; ok {
		fault("the name is reserved: it is %s", why)
	}
	if fn.Help == "" {
		fault("there is no help")
	}
	if !strings.Contains(fn.Example.Expr, fn.Name+"(") {
		fault("there is no example that calls it")
	}
	if !gjson.Valid(fn.Example.Gives) {
		fault("what its example gives is not JSON")
	}
	if fn.Result == nil && fn.Check == nil {
		fault("there is no result type")
	}
	if fn.Eval == nil && fn.Bind == nil {
		fault("there is no code")
	}
	optional := false
	for i, p := range fn.Params {
		switch {
		case p.Name == "":
			fault("parameter %d has no name", i+1)
		case p.Rest && i < len(fn.Params)-1:
			fault("parameter %s takes the rest but is not the last", p.Name)
		case optional && !p.Optional:
			fault("parameter %s must be optional, as the one before it is", p.Name)
		case p.Literal && (p.Type == nil || p.Type.Kind != TextType):
			fault("parameter %s is a literal and must be text", p.Name)
		}
		optional = p.Optional
	}
	return faults
}

// Find gives the function of that name.
func (fs *Functions) Find(name string) (*Function, bool) {
	fn, ok := fs.byName[name]
	return fn, ok
}

// Names gives the names of all functions in order, for suggestions.
func (fs *Functions) Names() []string { return fs.names }

// All gives every function, by name.
func (fs *Functions) All() []*Function {
	all := make([]*Function, len(fs.names))
	for i, name := range fs.names {
		all[i] = fs.byName[name]
	}
	return all
}

// builtins gives the functions every catalogue has, by subject.
func builtins() []*Function {
	return slices.Concat(textFunctions(), numberFunctions(), listFunctions(), dateFunctions(), tableFunctions())
}
