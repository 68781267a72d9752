// Package diag holds what every check of this project says: a message that
// points at file, line and column, shows the line, and suggests the fix.
package diag

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity tells whether a diagnostic stops a load.
type Severity uint8

// The severities. An Error stops the load, a Warning does not.
const (
	Error Severity = iota
	Warning
)

// String gives "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Span is the bytes [Start, End) of a file. The zero Span points nowhere.
type Span struct {
	File       *File
	Start, End int
}

// String gives "file:line:column", or "" for a span that points nowhere.
func (s Span) String() string {
	if s.File == nil {
		return ""
	}
	line, col := s.File.Position(s.Start)
	return fmt.Sprintf("%s:%d:%d", s.File.Name, line, col)
}

// Diagnostic is one thing said about one place.
type Diagnostic struct {
	Severity Severity
	Rule     string // stable id of the check, kebab-case: "unknown-key"
	Span     Span
	Message  string // lower case, no full stop, the user's words
	Help     string // what to do: "did you mean timeout?"; may be empty
}

// List collects diagnostics; a function that checks returns all it found.
type List []Diagnostic

// Errorf adds an error and returns it, so that Help can be set. The pointer
// is good until the next diagnostic is added.
func (l *List) Errorf(at Span, rule, format string, args ...any) *Diagnostic {
	*l = append(*l, Diagnostic{Severity: Error, Rule: rule, Span: at, Message: fmt.Sprintf(format, args...)})
	return &(*l)[len(*l)-1]
}

// Warnf adds a warning and returns it, so that Help can be set. The pointer
// is good until the next diagnostic is added.
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

// Sort orders by file, line, column, and drops exact repetitions. Errors come
// before warnings about the same place; otherwise the order of finding stays.
func (l *List) Sort() {
	slices.SortStableFunc(*l, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Span.name(), b.Span.name()),
			cmp.Compare(a.Span.Start, b.Span.Start),
			cmp.Compare(a.Severity, b.Severity),
		)
	})
	// Repetitions may have others between them that point at the same place.
	seen := make(map[repetition]bool, len(*l))
	*l = slices.DeleteFunc(*l, func(d Diagnostic) bool {
		r := d.repetition()
		if seen[r] {
			return true
		}
		seen[r] = true
		return false
	})
}

// repetition is what two diagnostics must share to be the same: files count by
// name, for one file may have been read twice in one load.
type repetition struct {
	severity   Severity
	rule, file string
	start, end int
	message    string
	help       string
}

func (d *Diagnostic) repetition() repetition {
	return repetition{d.Severity, d.Rule, d.Span.name(), d.Span.Start, d.Span.End, d.Message, d.Help}
}

func (s Span) name() string {
	if s.File == nil {
		return ""
	}
	return s.File.Name
}
