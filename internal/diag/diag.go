// Package diag holds what every check of this project says: a message that
// points at file, line and column, shows the line, and suggests the fix.
package diag

import "fmt"

// Severity tells whether a diagnostic stops a load.
type Severity uint8

// The severities. An Error stops the load, a Warning does not.
const (
	Error Severity = iota
	Warning
)

// File is a source text under the name that messages show.
type File struct {
	Name string // slash-separated, relative to where the user stands: "mappings/ura/x.yaml"
	Text string
}

// NewFile gives a file for text under the name messages show.
func NewFile(name, text string) *File { return &File{Name: name, Text: text} }

// Position gives the 1-based line and column (in characters) of byte offset off.
func (f *File) Position(off int) (line, col int) { panic("not built") }

// Span is the bytes [Start, End) of a file. The zero Span points nowhere.
type Span struct {
	File       *File
	Start, End int
}

// Diagnostic is one thing said about one place.
type Diagnostic struct {
	Severity Severity
	Rule     string // stable id of the check, kebab-case: "unknown-key"
	Span     Span
	Message  string // lower case, no full stop, the user's words
	Help     string // what to do: "did you mean timeout?"; may be empty
}

// Error renders the diagnostic with position and snippet.
func (d Diagnostic) Error() string { panic("not built") }

// List collects diagnostics; a function that checks returns all it found.
type List []Diagnostic

// Errorf adds an error and returns it, so that Help can be set.
func (l *List) Errorf(at Span, rule, format string, args ...any) *Diagnostic {
	*l = append(*l, Diagnostic{Severity: Error, Rule: rule, Span: at, Message: fmt.Sprintf(format, args...)})
	return &(*l)[len(*l)-1]
}

// Warnf adds a warning and returns it, so that Help can be set.
func (l *List) Warnf(at Span, rule, format string, args ...any) *Diagnostic {
	d := l.Errorf(at, rule, format, args...)
	d.Severity = Warning
	return d
}

// Add appends others.
func (l *List) Add(others List) { *l = append(*l, others...) }

// HasErrors tells whether any diagnostic is an Error.
func (l List) HasErrors() bool {
	for i := range l {
		if l[i].Severity == Error {
			return true
		}
	}
	return false
}

// Sort orders by file, line, column, and drops exact repetitions.
func (l *List) Sort() { panic("not built") }

// Text renders all diagnostics, one after another, each with its snippet.
func (l List) Text() string { panic("not built") }

// JSON renders the list as a JSON array of {severity, rule, file, line, column, end_line, end_column, message, help}.
func (l List) JSON() []byte { panic("not built") }

// SARIF renders the list as a SARIF 2.1.0 log.
func (l List) SARIF() []byte { panic("not built") }

// Suggest gives the name of among closest to name, or "" when none is near;
// the limit grows with the length of name.
func Suggest(name string, among []string) string { panic("not built") }
