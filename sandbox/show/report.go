package main

import (
	"fmt"
	"io"
	"sync"
)

// report counts checks. Its methods may be called from any goroutine.
type report struct {
	name string
	out  io.Writer

	mu             sync.Mutex
	passed, failed int
	group          string
	note           string
	inGroup, wrong int
}

// shownFailures bounds how many failures of one group are printed.
const shownFailures = 12

func newReport(name string, out io.Writer) *report { return &report{name: name, out: out} }

// begin begins a group and prints the line of the one before.
func (r *report) begin(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closeGroup()
	r.group = fmt.Sprintf(format, args...)
}

// notef adds figures to the line of the group.
func (r *report) notef(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.note += ", " + fmt.Sprintf(format, args...)
}

// check counts one check and says what was wrong; it gives ok back.
func (r *report) check(ok bool, format string, args ...any) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inGroup++
	if ok {
		r.passed++
		return true
	}
	r.failed++
	r.wrong++
	if r.wrong <= shownFailures {
		fmt.Fprintf(r.out, "FAIL  %s: %s\n", r.group, fmt.Sprintf(format, args...))
	}
	return false
}

// printf prints a line of its own.
func (r *report) printf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.out, format+"\n", args...)
}

func (r *report) closeGroup() {
	if r.inGroup > 0 || r.note != "" {
		word := "ok  "
		if r.wrong > 0 {
			word = "FAIL"
		}
		fmt.Fprintf(r.out, "%s  %s: %d of %d checks%s\n", word, r.group, r.inGroup-r.wrong, r.inGroup, r.note)
	}
	r.inGroup, r.wrong, r.note = 0, 0, ""
}

// end prints the last lines and tells whether all is well. A demonstration
// that checked nothing is not.
func (r *report) end() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closeGroup()
	fmt.Fprintf(r.out, "show %s: %d checks passed, %d failed\n", r.name, r.passed, r.failed)
	return r.failed == 0 && r.passed > 0
}
