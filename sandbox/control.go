package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// controlPrefix is where the sandbox itself is spoken to; no path of the ERP
// begins so.
const controlPrefix = "/_sandbox/"

// faultIn is a Fault as JSON writes it.
type faultIn struct {
	Operation string          `json:"operation,omitempty"`
	Of        string          `json:"of,omitempty"`
	Kind      Kind            `json:"kind"`
	Times     int             `json:"times,omitempty"`
	Delay     string          `json:"delay,omitempty"`
	Status    int             `json:"status,omitempty"`
	Body      json.RawMessage `json:"body,omitempty"`
}

// control answers /_sandbox/.
func (s *Sandbox) control(w http.ResponseWriter, r *http.Request) {
	if name := strings.TrimPrefix(r.URL.Path, controlPrefix); name == "mvno" || strings.HasPrefix(name, "mvno/") {
		s.controlMVNO(w, r)
		return
	}
	type action struct{ method, name string }
	switch (action{r.Method, strings.TrimPrefix(r.URL.Path, controlPrefix)}) {
	case action{http.MethodPost, "faults"}:
		if err := s.addFaults(r.Body); err != nil {
			a := value(map[string]string{"error": err.Error()})
			a.status = http.StatusBadRequest
			a.write(w)
			return
		}
		a := value(s.listFaults())
		a.status = http.StatusCreated
		a.write(w)
	case action{http.MethodGet, "faults"}:
		value(s.listFaults()).write(w)
	case action{http.MethodDelete, "faults"}:
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	case action{http.MethodGet, "calls"}:
		value(s.listCalls(r.URL.Query().Get("operation"))).write(w)
	case action{http.MethodGet, "counts"}:
		value(s.calls.each()).write(w)
	case action{http.MethodGet, "data"}:
		value(s.listData()).write(w)
	case action{http.MethodGet, "prospects"}:
		value(append([]prospect{}, all(s.data, &s.data.prospects, func(prospect) bool { return true })...)).write(w)
	case action{http.MethodGet, "ozmap"}:
		value(s.ozmap.overview()).write(w)
	case action{http.MethodGet, "ledger"}:
		value(s.Ledger(r.URL.Query().Get("document"))).write(w)
	case action{http.MethodGet, "partner"}:
		value(s.Callbacks()).write(w)
	case action{http.MethodGet, "operations"}:
		value(s.listOperations()).write(w)
	case action{http.MethodPost, "reset"}:
		s.Reset()
		w.WriteHeader(http.StatusNoContent)
	default:
		text(http.StatusNotFound, `{"error": "unknown control call; there are POST, GET and DELETE faults, GET calls, GET counts, GET data, GET prospects, GET operations, GET ozmap, GET ledger, GET partner, GET and POST mvno, GET mvno/data, POST reset"}`).write(w)
	}
}

// addFaults takes one fault or a list, all of them or none.
func (s *Sandbox) addFaults(body io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(body, 1<<20))
	if err != nil {
		return errors.New("the body could not be read")
	}
	var in []faultIn
	if trimmed := bytes.TrimSpace(raw); !bytes.HasPrefix(trimmed, []byte("[")) {
		raw = slices.Concat([]byte("["), trimmed, []byte("]"))
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return fmt.Errorf("not a fault or a list of faults: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || len(in) == 0 {
		return errors.New("not a fault or a list of faults")
	}
	var wrong []error
	good := make([]Fault, 0, len(in))
	for i, one := range in {
		f := Fault{Operation: one.Operation, Of: one.Of, Kind: one.Kind, Times: one.Times, Status: one.Status, Body: string(one.Body)}
		if one.Delay != "" {
			if f.Delay, err = time.ParseDuration(one.Delay); err != nil {
				wrong = append(wrong, fmt.Errorf("fault %d: delay %q is not a duration such as 250ms", i+1, one.Delay))
				continue
			}
		}
		if message := f.check(s.routes); message != "" {
			wrong = append(wrong, fmt.Errorf("fault %d: %s", i+1, message))
			continue
		}
		good = append(good, f)
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	for _, f := range good {
		s.faults.add(f)
	}
	return nil
}

func (s *Sandbox) listFaults() []faultIn {
	out := []faultIn{}
	for _, f := range s.faults.all() {
		one := faultIn{Operation: f.Operation, Of: f.Of, Kind: f.Kind, Times: f.Times, Status: f.Status, Body: json.RawMessage(f.Body)}
		if f.Delay > 0 {
			one.Delay = f.Delay.String()
		}
		out = append(out, one)
	}
	return out
}

type operationOut struct {
	ID       string `json:"id"`
	Method   string `json:"method"`
	Path     string `json:"path"`
	Token    bool   `json:"token"`
	Stateful bool   `json:"stateful"`
}

func (s *Sandbox) listOperations() []operationOut {
	out := make([]operationOut, len(s.routes))
	for i, o := range s.routes {
		out[i] = operationOut{o.id, o.method, o.path, o.token, o.stateful}
	}
	return out
}

type callOut struct {
	Operation string      `json:"operation"`
	Method    string      `json:"method"`
	Path      string      `json:"path"`
	Query     url.Values  `json:"query"`
	Header    http.Header `json:"header"`
	Body      string      `json:"body"`
	Faults    []Kind      `json:"faults,omitempty"`
	At        time.Time   `json:"at"`
}

// listCalls gives the calls with the credentials masked: a person may look at
// them on a screen that others see.
func (s *Sandbox) listCalls(operation string) []callOut {
	out := []callOut{}
	for _, c := range s.Calls() {
		if operation != "" && c.Operation != operation {
			continue
		}
		for _, name := range []string{"Authorization", "Token"} {
			if c.Header.Get(name) != "" {
				c.Header.Set(name, "***")
			}
		}
		out = append(out, callOut{c.Operation, c.Method, c.Path, c.Query, c.Header, shown(c), c.Faults, c.At})
	}
	return out
}

// tokenField is SGP's token, in a form or in JSON.
var tokenField = regexp.MustCompile(`(^|&)token=[^&]*|"token"\s*:\s*"[^"]*"`)

// loginField is what signs in at OZmap's login.
var loginField = regexp.MustCompile(`"(apiKey|password)"\s*:\s*"[^"]*"`)

// shown is a call's body, what signs in masked in it, and what the MVNO platform
// is told of its customers.
func shown(c Call) string {
	if strings.HasPrefix(c.Operation, "mvno") {
		return maskedMVNO(c.Body)
	}
	if c.Operation == "ozmap.users.login" {
		return loginField.ReplaceAllString(string(c.Body), `"$1":"***"`)
	}
	if !strings.HasPrefix(c.Operation, "sgp.") {
		return string(c.Body)
	}
	return tokenField.ReplaceAllStringFunc(string(c.Body), func(found string) string {
		if strings.HasPrefix(found, `"`) {
			return `"token":"***"`
		}
		return found[:strings.Index(found, "token=")] + "token=***"
	})
}

type customerOut struct {
	ID        int64         `json:"id"`
	Document  string        `json:"document"`
	Person    string        `json:"person"`
	Name      string        `json:"name"`
	Note      string        `json:"note"`
	Contracts []contractRow `json:"contracts"`
	// Sent are the invoices that were sent, in their order.
	Sent []delivery `json:"sent_invoices,omitempty"`
	// Calls are the incoming calls that were told of, Tickets the service calls.
	Calls   []phoneCall `json:"phone_calls,omitempty"`
	Tickets []ticket    `json:"tickets,omitempty"`
	// Notes are the lines in the logs of the service calls.
	Notes []ticketNote `json:"ticket_notes,omitempty"`
}

type contractRow struct {
	ID       int64   `json:"id"`
	Status   string  `json:"status"`
	Plan     string  `json:"plan"`
	Open     []int64 `json:"open_invoices"`
	Unlisted bool    `json:"unlisted,omitempty"`
	Promises int     `json:"promises,omitempty"`
}

func (s *Sandbox) listData() []customerOut { return s.data.overview() }

// overview is the customers with their contracts, as /_sandbox/data and
// Customers show them.
func (d *data) overview() []customerOut {
	out := []customerOut{}
	for _, c := range all(d, &d.customers, func(customer) bool { return true }) {
		one := customerOut{
			ID: c.id, Document: c.document, Person: c.person, Name: c.name, Note: c.note, Contracts: []contractRow{},
			Sent:    all(d, &d.sent, func(s delivery) bool { return s.customer == c.id }),
			Calls:   all(d, &d.phoneCalls, func(p phoneCall) bool { return p.customer == c.id }),
			Tickets: all(d, &d.tickets, func(t ticket) bool { return t.customer == c.id }),
		}
		one.Notes = all(d, &d.notes, func(n ticketNote) bool {
			return slices.ContainsFunc(one.Tickets, func(t ticket) bool { return t.ID == n.Ticket })
		})
		for _, k := range d.contractsOf(c.id) {
			row := contractRow{ID: k.id, Status: k.status, Plan: k.plan, Open: []int64{}, Unlisted: k.unlisted, Promises: k.promises}
			for _, i := range d.invoices(func(i invoice) bool { return !i.paid && slices.Contains(i.contracts, k.id) }) {
				row.Open = append(row.Open, i.id)
			}
			one.Contracts = append(one.Contracts, row)
		}
		out = append(out, one)
	}
	return out
}

// Customers gives the demonstration customers as a Markdown table, ready for a
// README or a terminal: document, name, contracts with their status, what
// there is to try.
func Customers() string {
	var b strings.Builder
	b.WriteString("| document | name | contracts | to try |\n| --- | --- | --- | --- |\n")
	for _, c := range newData().overview() {
		contracts := make([]string, len(c.Contracts))
		for i, k := range c.Contracts {
			contracts[i] = fmt.Sprintf("%d %s", k.ID, k.Status)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.Document, c.Name, strings.Join(contracts, "<br>"), c.Note)
	}
	return b.String()
}
