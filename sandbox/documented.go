package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	spec "github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/mappings"
)

// erpContract is the contract of the ERP that the binary carries, read once.
var erpContract = sync.OnceValue(func() *spec.Contract {
	names, err := fs.Glob(mappings.Files, "contracts/erp/*.yaml")
	if err != nil {
		panic(fmt.Sprintf("sandbox: %v", err))
	}
	files := make([]*diag.File, len(names))
	for i, name := range names {
		text, err := fs.ReadFile(mappings.Files, name)
		if err != nil {
			panic(fmt.Sprintf("sandbox: %v", err))
		}
		files[i] = diag.NewFile(name, string(text))
	}
	known, err := expr.NewFunctions()
	if err != nil {
		panic(fmt.Sprintf("sandbox: %v", err))
	}
	c, list := spec.LoadFiles("erp", files, known)
	if list.HasErrors() {
		// A binary with such a contract does not serve either.
		panic("sandbox: the contract of the ERP is not good: " + list.Text())
	}
	return c
})

// withDocumented puts the operations that have a state in their places in the
// contract; the others answer what is documented.
func withDocumented(own []operation) []operation {
	stateful := make(map[string]operation, len(own))
	for _, op := range own {
		stateful[op.id] = op
	}
	var table []operation
	for _, doc := range erpContract().Order {
		op, ok := stateful[doc.ID]
		if !ok {
			op = operation{
				id: doc.ID, method: doc.Method, path: doc.Path, admit: basicOnly, token: doc.Token,
				refusal: documentedRefusal(doc), answer: documentedAnswer(doc),
			}
			if doc.Token {
				op.admit = basicAndToken
			}
		} else {
			op.stateful, op.answer = true, orDocumented(op.answer, doc)
		}
		op.texts = map[string]bool{}
		for _, p := range doc.Params {
			if p.In == spec.InPath && (p.Schema == nil || p.Schema.Types&spec.IsInteger == 0) {
				op.texts[p.Name] = true
			}
		}
		if doc.Variants != nil {
			op.when = func(r *request) bool { return r.variant(doc) == doc }
		}
		table = append(table, op)
		delete(stateful, doc.ID)
	}
	for id := range stateful {
		panic("sandbox: the contract has no operation " + id)
	}
	return table
}

// variant tells which of the operations of one method and path is meant; the
// last one when the request fits none, so that somebody refuses it.
func (r *request) variant(doc *spec.Operation) *spec.Operation {
	query := []byte{'{'}
	for name, values := range r.http.URL.Query() {
		if len(query) > 1 {
			query = append(query, ',')
		}
		query = append(jsonx.AppendQuoted(query, name), ':')
		query = jsonx.AppendQuoted(query, values[0])
	}
	body := []byte("{}")
	// Where the query tells them apart the body stays unread, for
	// KindCutBeforeRead.
	if !slices.ContainsFunc(doc.Variants, func(v *spec.Operation) bool { return len(v.Params) > 0 }) {
		if read, err := r.load(); err == nil && json.Valid(read) {
			body = read
		}
	}
	if meant := doc.Variant(jsonx.RawValue(string(append(query, '}'))), jsonx.RawValue(string(body))); meant != nil {
		return meant
	}
	return doc.Variants[len(doc.Variants)-1]
}

// documentedRefusal is the first failure that is documented.
func documentedRefusal(doc *spec.Operation) string {
	best := ""
	for _, e := range doc.Examples {
		if e.Failure && (best == "" || e.Answer < best) {
			best = e.Answer
		}
	}
	switch {
	case best == "":
		return BodyError
	case !json.Valid([]byte(best)):
		return string(jsonx.AppendQuoted(nil, best))
	}
	return best
}

// documentedAnswer answers an operation that has no state: its documented
// example, the one of the same request where there are several.
func documentedAnswer(doc *spec.Operation) func(*Sandbox, *request) answer {
	var known []*spec.Exchange
	for _, ex := range doc.Exchanges {
		if ex.Answer != nil {
			known = append(known, ex)
		}
	}
	return func(_ *Sandbox, r *request) answer {
		var body any
		if doc.BodySchema != nil {
			var refused *answer
			if body, refused = r.json(); refused != nil {
				return *refused
			}
		}
		switch {
		case doc.AnswerKind == spec.FileAnswer:
			return file(doc.ID+".pdf", doc.Summary)
		case doc.AnswerKind == spec.NoAnswer:
			return text(http.StatusOK, "")
		case len(known) == 0:
			return undocumented(doc)
		}
		best, most := known[0], -1
		for _, ex := range known {
			if n, same := r.like(doc, ex, body); same && n > most {
				best, most = ex, n
			}
		}
		if doc.AnswerKind == spec.TextAnswer {
			return text(best.Answer.Status, string(jsonx.AppendQuoted(nil, best.Answer.Answer)))
		}
		return text(best.Answer.Status, best.Answer.Answer)
	}
}

// orDocumented answers the documented requests whose example is about somebody
// that the sandbox does not have as documented, so that all examples can be tried.
func orDocumented(own func(*Sandbox, *request) answer, doc *spec.Operation) func(*Sandbox, *request) answer {
	documented := documentedAnswer(doc)
	return func(s *Sandbox, r *request) answer {
		a := own(s, r)
		if !a.unknown {
			return a
		}
		body, refused := any(nil), (*answer)(nil)
		if doc.BodySchema != nil {
			if body, refused = r.json(); refused != nil {
				return a
			}
		}
		for _, ex := range doc.Exchanges {
			if n, same := r.like(doc, ex, body); same && n > 0 && ex.Answer != nil {
				return documented(s, r)
			}
		}
		return a
	}
}

// undocumented answers where no example says how: as the siblings do.
func undocumented(doc *spec.Operation) answer {
	switch {
	case doc.AnswerKind == spec.TextAnswer:
		return text(http.StatusOK, bodySucesso)
	case doc.AnswerSchema != nil && doc.AnswerSchema.Types == spec.IsArray:
		return text(http.StatusOK, `[]`)
	}
	return text(http.StatusOK, `{"data": [], "status": "OK"}`)
}

// like tells whether a request has every value that is documented of an
// exchange, and how many those are.
func (r *request) like(doc *spec.Operation, ex *spec.Exchange, body any) (n int, same bool) {
	query := r.http.URL.Query()
	for i, p := range doc.Params {
		want := ex.Params[i]
		if want.None() {
			continue
		}
		got := query.Get(p.Name)
		switch p.In {
		case spec.InPath:
			got = r.words[p.Name]
		case spec.InHeader:
			got = r.http.Header.Get(p.Name)
		}
		if got != string(want.AppendText(nil)) {
			return 0, false
		}
		n++
	}
	if ex.Body == nil {
		return n, true
	}
	dec := json.NewDecoder(bytes.NewReader(ex.Body))
	dec.UseNumber()
	var want any
	if err := dec.Decode(&want); err != nil || !reflect.DeepEqual(want, body) {
		return 0, false
	}
	return n + 1, true
}

// file answers with a small PDF.
func file(name string, lines ...string) answer {
	a := answer{status: http.StatusOK, kind: "application/pdf", body: pdf(lines...)}
	a.header = http.Header{"Content-Disposition": {`inline; filename="` + name + `"`}}
	return a
}

// pdf makes a document of one page that readers open.
func pdf(lines ...string) []byte {
	var page strings.Builder
	page.WriteString("BT /F1 12 Tf 72 770 Td 16 TL\n")
	for _, line := range append(lines, "Documento de demonstração, sem valor.") {
		page.WriteString("(")
		for _, c := range line {
			switch {
			case c == '(' || c == ')' || c == '\\':
				page.WriteString(`\` + string(c))
			case c >= ' ' && c < 0x7f:
				page.WriteRune(c)
			case c >= 0xa0 && c <= 0xff: // WinAnsi has Latin-1 there
				fmt.Fprintf(&page, `\%03o`, c)
			default:
				page.WriteByte('?')
			}
		}
		page.WriteString(") Tj T*\n")
	}
	page.WriteString("ET")
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		"<< /Length " + strconv.Itoa(page.Len()) + " >>\nstream\n" + page.String() + "\nendstream",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
	}
	var out bytes.Buffer
	out.WriteString("%PDF-1.4\n")
	table := "0000000000 65535 f \n"
	for i, object := range objects {
		table += fmt.Sprintf("%010d 00000 n \n", out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table, len(objects)+1, start)
	return out.Bytes()
}
