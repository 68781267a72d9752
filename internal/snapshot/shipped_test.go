package snapshot

import (
	_ "embed"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// TestShipped pins what no test of a mapping can show: what the shipped
// dialects answer where no mapping is reached and what routes put in the place
// of that, how each operation goes out and
// what backends' answers are taken to mean. A change of it must show in the
// diff of testdata/shipped.txt.
func TestShipped(t *testing.T) {
	got := pinned(readShipped(t, "ura").good)
	other := readShipped(t, "ura-sgp").good
	for _, r := range other.Set.Routes {
		var b strings.Builder
		pinnedRoute(&b, r, other.Zone())
		got += "of ura-sgp: " + b.String()
	}
	const name = "testdata/shipped.txt"
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o600))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// pinned describes a load.
func pinned(l *Loaded) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(l.Set.Dialects)) {
		pinnedDialect(&b, l.Set.Dialects[name], l.Zone())
	}
	for _, r := range l.Set.Routes {
		pinnedRoute(&b, r, l.Zone())
	}
	for _, e := range l.Set.Exposed {
		fmt.Fprintf(&b, "offered %s %s in %s within %s", e.Method, e.Path, e.Dialect.Name, e.Timeout)
		for _, op := range e.Operations {
			fmt.Fprintf(&b, ", %s for %s", op.Name(), op.Needs)
		}
		b.WriteByte('\n')
	}
	for _, name := range slices.Sorted(maps.Keys(l.Contracts)) {
		c := l.Contracts[name]
		if text, ok := pinnedContracts.Load(c); ok {
			b.WriteString(text.(string)) //nolint:forcetypeassert // only texts are kept
			continue
		}
		pinnedContract(&b, c, true)
	}
	return b.String()
}

// keepPinned has what is pinned of a load's contracts at hand: most mutants leave
// them as they are. Of mutants nothing is kept: each would keep its contract.
func keepPinned(l *Loaded) {
	for _, c := range l.Contracts {
		var b strings.Builder
		pinnedContract(&b, c, true)
		pinnedContracts.Store(c, b.String())
	}
}

var places = map[mapping.Place]string{mapping.PlaceBody: "body", mapping.PlaceQuery: "query", mapping.PlaceHeader: "header"}

// pinnedContracts holds what is pinned of contracts, by *contract.Contract.
var pinnedContracts sync.Map

func pinnedDialect(b *strings.Builder, d *mapping.Dialect, zone *time.Location) {
	fmt.Fprintf(b, "dialect %s\n  %s below %s\n", d.Name, strings.Join(d.Methods, " "), strings.Join(d.Prefixes, " "))
	fmt.Fprintf(b, "  charsets %s, absent %q\n", strings.Join(d.Charsets, " "), d.Absent)
	for i := range d.SignIn {
		p := &d.SignIn[i]
		fmt.Fprintf(b, "  signs in by %s: token %q, scheme %q, app %q\n", places[p.Place], p.Token, p.Scheme, p.App)
	}
	for _, kind := range mapping.ErrorKinds() {
		b.WriteString(pinnedError(d.Errors, kind, zone))
	}
	pinnedMessages(b, d.Messages)
	for i, messages := range d.Translations {
		fmt.Fprintf(b, "  in %s, where %s is the default:\n", d.Languages.Name(i+1), d.Languages.Name(0))
		for _, kind := range mapping.ErrorKinds() {
			fmt.Fprintf(b, "  %s: %s\n", kind, d.Errors[kind].Title(i+1))
		}
		pinnedMessages(b, messages)
	}
	b.WriteByte('\n')
}

// pinnedMessages gives what a dialect says of each check in one language.
func pinnedMessages(b *strings.Builder, all map[string]*mapping.Message) {
	for _, check := range slices.Sorted(maps.Keys(all)) {
		m := all[check]
		fmt.Fprintf(b, "  %s: %s", check, m.Before)
		if m.Field {
			b.WriteString("FIELD")
		}
		b.WriteString(m.After + "\n")
	}
}

// pinnedError gives the answer to one kind of failure.
func pinnedError(errors *mapping.ErrorReplies, kind mapping.ErrorKind, zone *time.Location) string {
	e := exchange.New(exchange.Options{Zone: zone, Clock: func() time.Time { return time.Unix(0, 0) }})
	res := e.Refuse(errors, &intake.Request{ID: "ID"}, kind, "MESSAGE", nil)
	line := fmt.Sprintf("  %s: %d %s %s\n", kind, res.Status, res.Type, res.Body)
	for _, h := range res.Header {
		line += fmt.Sprintf("    %s: %s\n", h.Name, h.Value)
	}
	if none := e.Refuse(errors, &intake.Request{ID: "ID"}, kind, "", nil); string(none.Body) != string(res.Body) {
		line += fmt.Sprintf("    without words: %s\n", none.Body)
	}
	return line
}

// pinnedRoute describes the answers that a route has of its own.
func pinnedRoute(b *strings.Builder, r *mapping.Route, zone *time.Location) {
	fmt.Fprintf(b, "route %s, %s", r.Plan.Name, r.Timeout)
	if r.Repeat != nil {
		fmt.Fprintf(b, ", repeats for %s", r.Repeat.For)
	}
	b.WriteByte('\n')
	for _, kind := range mapping.ErrorKinds() {
		if own := pinnedError(r.Errors, kind, zone); own != pinnedError(r.Dialect.Errors, kind, zone) {
			b.WriteString(own)
		}
	}
	b.WriteByte('\n')
}

// samples are answers that backends are known to give, one a line; the last is empty.
//
//go:embed testdata/samples.txt
var samples string

// statuses lie on both sides of the bounds that HTTP and contracts draw.
var statuses = []int{200, 299, 300, 399, 400, 401, 402, 403, 404, 405, 429, 499, 500, 503}

// pinnedContract describes a contract; without meanings, what costs most of it is left out.
func pinnedContract(b *strings.Builder, c *contract.Contract, meanings bool) {
	fmt.Fprintf(b, "contract %s\n", c.Name)
	if s := c.SignIn; s.Basic != nil {
		fmt.Fprintf(b, "  basic %s %s\n", s.Basic.User, s.Basic.Password)
	}
	for _, f := range c.SignIn.Header {
		fmt.Fprintf(b, "  %s of the header is %s\n", f.Name, f.Variable)
	}
	for _, f := range c.SignIn.Body {
		fmt.Fprintf(b, "  %s of the body is %s\n", f.Name, f.Variable)
	}
	if t := c.SignIn.Token; t != nil {
		fmt.Fprintf(b, "  token in %q as %q, obtained by %s", t.Header, t.Prefix+"…", t.Obtain.ID)
		if t.Renew != nil {
			fmt.Fprintf(b, ", renewed by %s", t.Renew.ID)
		}
		fmt.Fprintf(b, ", lives %ds\n", t.Life)
	}
	known := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(c.Operations)) {
		pinnedOperation(b, c.Operations[id])
		if meanings {
			pinnedMeanings(b, c.Operations[id], known)
		}
	}
}

// pinnedBriefly describes the contracts of a load without what answers mean.
func pinnedBriefly(l *Loaded) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(l.Contracts)) {
		pinnedContract(&b, l.Contracts[name], false)
	}
	return b.String()
}

// pinnedOperation describes how an operation goes out and what is known of it.
func pinnedOperation(b *strings.Builder, op *contract.Operation) {
	params := make([]jsonx.Value, len(op.Params))
	for i, p := range op.Params {
		params[i] = jsonx.RawValue(`"` + strings.ToUpper(p.Name) + `"`)
		if p.Type.Kind == expr.NumberType {
			params[i] = jsonx.RawValue(strconv.Itoa(i + 1))
		}
	}
	body := []byte(nil)
	if op.Body != nil {
		body = []byte("{}")
	}
	var r contract.Request
	if err := op.Build(&r, params, body); err != nil {
		fmt.Fprintf(b, "\n  %s: %v\n", op.ID, err)
	} else {
		fmt.Fprintf(b, "\n  %s: %s %s", op.ID, r.Method, r.Target)
		for _, h := range r.Headers {
			fmt.Fprintf(b, " %s: %s", h.Name, h.Value)
		}
		if op.Token {
			b.WriteString(" with the token")
		}
		if op.Changes {
			b.WriteString(", changes")
		}
		b.WriteByte('\n')
	}
	pinnedFacts(b, op)
}

// pinnedMeanings says what answers are taken to mean, or whose mean the same;
// known holds who was the first to say so.
func pinnedMeanings(b *strings.Builder, op *contract.Operation, known map[string]string) {
	means := meaningsOf(op)
	if first := known[means]; first != "" {
		fmt.Fprintf(b, "    answers mean what those of %s do\n", first)
		return
	}
	known[means] = op.ID
	b.WriteString(means)
}

// meaningsOf says what answers are taken to mean.
func meaningsOf(op *contract.Operation) string {
	b := new(strings.Builder)
	for _, sample := range strings.Split(strings.TrimSuffix(samples, "\n"), "\n") {
		var line []string
		for _, status := range statuses {
			a := new(jsonx.Arena)
			o := op.Classify(a, status, "application/json", []byte(sample))
			what := o.State.String()
			if o.Class != "" {
				what += " " + o.Class
			}
			if o.Message != "" {
				what += " " + strconv.Quote(o.Message)
			}
			if n := len(line); n > 0 && strings.HasSuffix(line[n-1], ": "+what) {
				line[n-1] = strings.SplitN(strings.SplitN(line[n-1], ":", 2)[0], "-", 2)[0] + "-" + strconv.Itoa(status) + ": " + what
				continue
			}
			line = append(line, strconv.Itoa(status)+": "+what)
		}
		fmt.Fprintf(b, "    %-45s %s\n", sample, strings.Join(line, "; "))
	}
	return b.String()
}

// pinnedFacts describes what a contract says of an operation besides.
func pinnedFacts(b *strings.Builder, op *contract.Operation) {
	for _, p := range op.Params {
		b.WriteString("    " + [...]string{"path", "query", "header"}[p.In] + " " + p.Name)
		if p.Required {
			b.WriteByte('!')
		}
		b.WriteString(" " + pinnedSchema(p.Schema) + "\n")
	}
	if op.BodySchema != nil {
		b.WriteString("    body")
		if op.BodyRequired {
			b.WriteByte('!')
		}
		b.WriteString(" " + pinnedSchema(op.BodySchema) + "\n")
	}
	if op.AnswerSchema != nil {
		fmt.Fprintf(b, "    answer %d %s\n", op.AnswerKind, pinnedSchema(op.AnswerSchema))
	}
	for _, v := range op.RequiredWhen {
		fmt.Fprintf(b, "    at times required %s\n", strings.Join(v.Path, "."))
	}
	if c := op.Credentials; c != nil {
		fmt.Fprintf(b, "    credentials %s %s\n", c.User, c.Password)
	}
	if op.Cacheable > 0 {
		fmt.Fprintf(b, "    cacheable %s\n", op.Cacheable)
	}
	for _, v := range op.Variants {
		fmt.Fprintf(b, "    variant %s\n", v.ID)
	}
	for _, ex := range op.Exchanges {
		h := fnv.New32a()
		for _, p := range ex.Params {
			h.Write(append(p.AppendJSON(nil), 0))
		}
		h.Write(ex.Body)
		if ex.Answer != nil {
			h.Write([]byte(ex.Answer.Answer))
		}
		fmt.Fprintf(b, "    example %q %08x", ex.Name, h.Sum32())
		if ex.Exception != "" {
			b.WriteString(" an exception")
		}
		b.WriteByte('\n')
	}
	for _, name := range slices.Sorted(maps.Keys(op.Examples)) {
		if op.Examples[name].Failure {
			fmt.Fprintf(b, "    failure %q %s\n", name, op.Examples[name].Answer)
		}
	}
}

// pinnedSchema describes a schema in one line.
func pinnedSchema(s *contract.Schema) string {
	words := []string{s.Types.String()}
	add := func(yes bool, format string, args ...any) {
		if yes {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(s.Format != "", "%s", s.Format)
	add(s.Pattern != nil, "%s", s.Pattern)
	add(s.Lengths != contract.Bounds{Most: -1}, "%v", s.Lengths)
	add(s.Elements != contract.Bounds{Most: -1}, "%v", s.Elements)
	for _, bound := range []*jsonx.Decimal{s.Least, s.Most, s.Above, s.Below} {
		if bound != nil {
			words = append(words, string(bound.Append(nil)))
		}
	}
	for _, e := range s.Enum {
		words = append(words, string(e.AppendJSON(nil)))
	}
	add(s.Secret, "secret")
	add(s.Names != "", "names %s", s.Names)
	add(s.MaxBytes > 0, "to %d bytes", s.MaxBytes)
	for i := range s.Fields {
		f := &s.Fields[i]
		mark := ""
		if f.Required {
			mark = "!"
		}
		words = append(words, f.Name+mark+"("+pinnedSchema(f.Schema)+")")
	}
	if s.Items != nil {
		words = append(words, "["+pinnedSchema(s.Items)+"]")
	}
	for _, a := range slices.Concat(s.AnyOf, s.OneOf) {
		words = append(words, "|"+pinnedSchema(a))
	}
	return strings.Join(words, " ")
}
