package explain

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/rehearse"
	"github.com/emenda-gateway/emenda/internal/store"
)

// Live makes an explanation ask the backends.
type Live struct {
	Backends flow.Caller
	// Unavailable tells of a backend whether it is not to be called; may be nil.
	Unavailable func(backend string) (words string, out bool)
	// Store is what serves, too: with it calls that change something are sent,
	// and repeats, claims and lost calls are kept as when serving. Without it
	// they are not sent, and nothing is remembered from before.
	Store *store.Store
}

// live puts the backends in the place of the book, which then answers only what
// is not sent.
func (t *teller) live(e *exchange.Options, book *rehearse.Book) {
	e.Calls = &liveCalls{teller: t, book: book}
	e.Unavailable = t.o.Live.Unavailable
	e.Clock = time.Now
	if kept := t.o.Live.Store; kept != nil {
		e.Memory, e.Cache, e.Turns = kept, kept, kept
	}
}

// liveCalls asks the backends; what changes something only with a store.
type liveCalls struct {
	*teller
	book *rehearse.Book
}

// Call makes a call, or has the contract's example stand in for its answer.
func (l *liveCalls) Call(ctx context.Context, c *backend.Call) *backend.Answer {
	if c.Operation.Changes && l.o.Live.Store == nil {
		return l.book.Call(ctx, c)
	}
	a := l.o.Live.Backends.Call(ctx, c)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if c.Operation.Changes {
		l.changed++
	}
	l.hidden.knows(c.Operation.Answer)
	l.hidden.value(a.Body)
	l.hidden.text(a.Message)
	said := answered{how: "none"}
	if a.Status != 0 {
		said.how = strings.TrimSpace(fmt.Sprintf("%d %s", a.Status, headerOf(a, "Content-Type"))) + ", the backend's"
		if !a.Body.None() {
			said.body = a.Body.AppendJSON(nil)
		}
	}
	if a.Attempts > 1 {
		said.how += fmt.Sprintf(", after %d attempts", a.Attempts)
	}
	if a.State == contract.Unknown {
		said.how += "; whether it was done nobody knows, and \"emenda unknowns\" lists it"
	}
	l.tell(c, said, a)
	return a
}

func headerOf(a *backend.Answer, name string) string {
	for _, h := range a.Header {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// wasSent says what became of it all.
func (t *teller) wasSent() string {
	switch {
	case t.sent == 0:
		return "nothing was sent"
	case t.changed == 0:
		return fmt.Sprintf("%s, and nothing that changes anything", requests(t.sent))
	}
	return fmt.Sprintf("%s, %d of which may have changed something", requests(t.sent), t.changed)
}

func requests(n int) string {
	if n == 1 {
		return "1 request was sent"
	}
	return fmt.Sprintf("%d requests were sent", n)
}
