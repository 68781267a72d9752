package rehearse

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Book answers calls as a test's `upstream` says.
type Book struct {
	// Told is told about every attempt and its answer, before anything is made
	// of it; may be nil.
	Told func(c *backend.Call, by *mapping.TestCall, a *backend.Answer)

	mu        sync.Mutex
	entries   []*bookEntry
	otherwise func(op *contract.Operation) *mapping.TestCall
	problems  []string
}

type bookEntry struct {
	call *mapping.TestCall
	left int
}

// NewBook gives a book of answers. otherwise answers what none of them is for;
// without it such a call is a problem.
func NewBook(calls []*mapping.TestCall, otherwise func(op *contract.Operation) *mapping.TestCall) *Book {
	b := &Book{otherwise: otherwise}
	for _, c := range calls {
		b.entries = append(b.entries, &bookEntry{call: c, left: max(1, c.Times)})
	}
	return b
}

// Call makes the attempts a backend's client would: another one where nothing
// changes, the step has `retry` and the answer was lost.
func (b *Book) Call(_ context.Context, c *backend.Call) *backend.Answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	tries := 1
	if !c.Operation.Changes {
		tries += max(c.Retries, 0)
	}
	for n := 1; ; n++ {
		by, a := b.attempt(c)
		if b.Told != nil {
			b.Told(c, by, a)
		}
		lost := a.State == contract.Failed && a.Class != contract.ClassUnavailable && by != nil
		if n == tries || !lost || a.Status != 0 && a.Status < 500 && a.Class != contract.ClassBadAnswer {
			a.Attempts = n
			return a
		}
		a.Release()
	}
}

// attempt takes the first entry left that is of the operation and expects what is sent.
func (b *Book) attempt(c *backend.Call) (by *mapping.TestCall, a *backend.Answer) {
	var near []string
	for _, e := range b.entries {
		if e.left == 0 || !same(e.call.Operation, c.Operation) {
			continue
		}
		if wrong := e.differs(c); len(wrong) > 0 {
			near = append(near, wrong...)
			continue
		}
		e.left--
		return e.call, answer(e.call, c.Operation)
	}
	if b.otherwise != nil {
		by = b.otherwise(c.Operation)
		return by, answer(by, c.Operation)
	}
	what := fmt.Sprintf("unexpected call of %s: %s %s", c.Operation.Name(), c.Request.Method, c.Request.Target)
	if len(c.Request.Body) > 0 {
		what += " " + string(c.Request.Body)
	}
	if len(near) > 0 {
		what += "; it is not what the next one expects: " + strings.Join(near, "; ")
	}
	b.problems = append(b.problems, what)
	return nil, backend.FailedAnswer(c.Operation, contract.ClassBroken, false)
}

func (e *bookEntry) differs(c *backend.Call) []string {
	var wrong []string
	if want := e.call.ExpectWith; want != nil {
		for _, entry := range want.Entries {
			have := jsonx.Value{}
			for i, p := range c.Operation.Params {
				if p.Name == entry.Key.Text && i < len(c.Params) {
					have = c.Params[i]
				}
			}
			value := jsonx.RawValue(string(mapping.ConstantJSON(entry.Value)))
			if !sameText(value, have) {
				wrong = append(wrong, fmt.Sprintf("with.%s is %s, expected %s", entry.Key.Text, show(have), show(value)))
			}
		}
	}
	want, how := e.call.ExpectBody, AtLeast
	if e.call.ExpectExactly != nil {
		want, how = e.call.ExpectExactly, Exactly
	}
	if want == nil {
		return wrong
	}
	body := c.Request.Body
	if c.Operation.BodyForm {
		body = formJSON(body)
	}
	return append(wrong, differences("body", mapping.ConstantJSON(want), body, how)...)
}

// sameText compares parameters, which travel as text: 5 and "5" are the same.
func sameText(a, b jsonx.Value) bool {
	return jsonx.Equal(a, b) || !a.None() && !b.None() && a.Text() != "" && a.Text() == b.Text()
}

// same tells whether a test that names a means b: two steps may make requests
// of one name, each with an operation of its own.
func same(a, b *contract.Operation) bool {
	return a == b || a.Plain && b.Plain && a.Name() == b.Name()
}

// answer is what the call of op gets.
func answer(c *mapping.TestCall, op *contract.Operation) *backend.Answer {
	switch c.Fail {
	case "timeout":
		return backend.FailedAnswer(op, contract.ClassTimeout, true)
	case "broken":
		return backend.FailedAnswer(op, contract.ClassBroken, true)
	case "failed":
		return backend.FailedAnswer(op, contract.ClassBroken, false)
	case "unavailable":
		return backend.FailedAnswer(op, contract.ClassUnavailable, false)
	case "refused":
		a := backend.FailedAnswer(op, contract.ClassBusiness, false)
		a.State, a.Status = contract.Refused, 200
		return a
	}
	status, contentType, body := Said(c)
	return backend.NewAnswer(op, status, contentType, body)
}

// Said is what a backend answers by an entry that does not fail.
func Said(c *mapping.TestCall) (status int, contentType string, body []byte) {
	status = c.Status
	if status == 0 {
		status = 200
	}
	switch {
	case c.Example != nil:
		if c.Status == 0 && c.Example.Status != 0 {
			status = c.Example.Status
		}
		return status, c.Example.Type, []byte(c.Example.Answer)
	case c.JSON != nil:
		return status, "application/json", mapping.ConstantJSON(c.JSON)
	case c.Text != nil:
		return status, textType(*c.Text), []byte(*c.Text)
	}
	return status, "", nil
}

// textType guesses the Content-Type a backend would give a text.
func textType(body string) string {
	if strings.HasPrefix(strings.TrimSpace(body), "<") {
		return "text/html"
	}
	return "text/plain"
}

// Left gives the entries that have never been taken.
func (b *Book) Left() (left []*mapping.TestCall) {
	for _, e := range b.entries {
		if e.left == max(1, e.call.Times) {
			left = append(left, e.call)
		}
	}
	return left
}

// Troubled tells whether a call came that nothing expected.
func (b *Book) Troubled() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.problems) > 0
}

// Rest tells what went wrong with calls: unexpected ones, and ones that were not made.
func (b *Book) Rest() []string {
	problems := b.problems
	for _, e := range b.entries {
		if e.left > 0 {
			line, _ := e.call.At.File.Position(e.call.At.Start)
			problems = append(problems, fmt.Sprintf("expected call of %s (line %d) was not made (%d left)", e.call.Operation.Name(), line, e.left))
		}
	}
	return problems
}
