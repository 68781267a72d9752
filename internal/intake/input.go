package intake

import (
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Fault is one field that is not as it should be.
type Fault struct {
	Field   string // as messages name it: "cliente.nome", "linhas[0]"
	Pointer string // JSON Pointer of the field in `input`
	Keyword string // the check that failed: "required", "type", "enum" …
}

// What there is when there is nothing, with an index; read by many at once.
var (
	noInput    = jsonx.RawValue("{}").Clone()
	noWarnings = jsonx.RawValue("[]").Clone()
)

// Input makes `input` (from the fields: kinds converted, defaults set, formats
// normalised; or the document as it came), puts it into frame f's slot for rules, checks the rules, and
// gives the value and the warnings (a list of objects). All faults are told at once, at most maxFaults;
// a rule is checked when nothing that it reads is at fault.
func Input(f *expr.Frame, fields *Fields, r *Request, route *mapping.Route, c *Caller) (input, warnings jsonx.Value, problem *Problem) {
	p := route.Plan
	input = noInput
	var faults []Fault
	if p.Input != nil {
		input, faults = received(f.Arena, p.Input, fields, r, route.Dialect)
	}
	if p.Slots.Input >= 0 {
		f.Set(p.Slots.Input, input)
	}
	if len(p.Rules) == 0 && len(faults) == 0 {
		return input, noWarnings, nil
	}
	lang := Language(r, route.Dialect.Languages)
	if len(faults) > 0 {
		problem = Refused(faults, route.Dialect, lang)
	}
	if p.Slots.Caller >= 0 && c != nil {
		f.Set(p.Slots.Caller, c.Value)
	}
	if p.Slots.Const >= 0 && p.Const.Kind() != jsonx.Absent {
		f.Set(p.Slots.Const, p.Const)
	}
	if p.Slots.Now >= 0 {
		f.Set(p.Slots.Now, f.TimeValue(f.Now))
	}
	k := ruling{f: f, lang: lang, strict: c != nil && c.Strict, problem: problem}
	for i := range faults {
		k.faulty = append(k.faulty, pathOf(faults[i].Pointer))
	}
	for _, rule := range p.Rules {
		if k.rule(rule); k.failed != nil {
			return jsonx.Value{}, jsonx.Value{}, &Problem{Kind: mapping.Internal, Cause: k.failed}
		}
	}
	if k.problem != nil {
		return jsonx.Value{}, jsonx.Value{}, k.problem
	}
	return input, k.warnings(), nil
}

// wholeBody is what messages call a document as a whole.
const wholeBody = "body"

// received makes `input`, and tells what is wrong with it: it then lacks what is.
func received(a *jsonx.Arena, in *mapping.Input, fields *Fields, r *Request, d *mapping.Dialect) (jsonx.Value, []Fault) {
	if in.Document == nil {
		return converted(a, in.Fields, fields, r, d)
	}
	if fields == nil || fields.doc.Kind() == jsonx.Absent {
		return noInput, []Fault{{Field: wholeBody, Keyword: "required"}}
	}
	doc := fields.doc
	var faults []Fault
	for _, f := range in.Document.Check(doc) {
		one := Fault{Field: f.Field(), Pointer: f.Pointer(), Keyword: f.Keyword}
		if one.Field == "" {
			one.Field = wholeBody
		}
		faults = append(faults, one)
	}
	if doc.Kind() != jsonx.Object { // members are read of it, whatever its schema says
		if len(faults) == 0 {
			faults = []Fault{{Field: wholeBody, Keyword: "type"}}
		}
		doc = noInput
	}
	if len(in.Fields) == 0 {
		return doc, faults
	}
	beside, more := converted(a, in.Fields, fields, r, d)
	return merged(a, beside, doc), append(faults, more...)
}

func converted(a *jsonx.Arena, all []*mapping.InputField, fields *Fields, r *Request, d *mapping.Dialect) (jsonx.Value, []Fault) {
	c := newConv(a, d.Absent)
	defer c.release()
	c.received(all, fields, r, d)
	return c.end(), c.faults
}

// merged gives an object with the members of both; what the first has hides the second's.
func merged(a *jsonx.Arena, first, second jsonx.Value) jsonx.Value {
	if first.Len() == 0 {
		return second
	}
	m := a.Mark()
	b := first.AppendJSON(a.Buf())
	if second.Len() > 0 {
		b[len(b)-1] = ','
		from := len(b)
		b = second.AppendJSON(b)
		b = append(b[:from], b[from+1:]...) // without its brace
	}
	a.SetBuf(b)
	return a.Index(a.Text(m))
}

// Convert makes a flow's input from the object its caller gave: the same
// conversions, defaults and checks as for a request's.
func Convert(a *jsonx.Arena, in *mapping.Input, from jsonx.Value) (jsonx.Value, []Fault) {
	c := newConv(a, nil)
	defer c.release()
	c.members(in.Fields, from)
	v := c.end()
	if len(c.faults) > 0 {
		return jsonx.Value{}, c.faults
	}
	return v, nil
}

// Missing is the problem of something that must have a value and has none, in the dialect's words.
func Missing(field string, d *mapping.Dialect, lang int) *Problem {
	p := Refused([]Fault{{Field: field, Keyword: "required"}}, d, lang)
	p.Fields = nil // it need not be one of the input's
	return p
}

// Refused is the problem of fields that are not right, in the dialect's words.
func Refused(faults []Fault, d *mapping.Dialect, lang int) *Problem {
	p := &Problem{Kind: mapping.BadInput, Fields: make([]string, 0, len(faults)), Errors: make([]Wrong, 0, len(faults))}
	for i := range faults {
		one := &faults[i]
		p.add(Wrong{Pointer: one.Pointer, Code: one.Keyword, Detail: Words(one, d, lang)})
		p.Fields = append(p.Fields, one.Pointer)
	}
	return p
}

// add adds what is wrong to the message and to what is told one by one.
func (p *Problem) add(w Wrong) {
	if p.Message != "" {
		p.Message += "; "
	}
	p.Message += w.Detail
	p.Errors = append(p.Errors, w)
}

// Words are what the dialect says of one field that is not right.
func Words(fault *Fault, d *mapping.Dialect, lang int) string {
	var text strings.Builder
	words(&text, fault, d, lang)
	return text.String()
}

func words(text *strings.Builder, fault *Fault, d *mapping.Dialect, lang int) {
	m := d.Message(lang, fault.Keyword)
	if m == nil { // a loaded dialect has words for every keyword
		text.WriteString(fault.Field)
		text.WriteString(" is not accepted")
		return
	}
	text.WriteString(m.Before)
	if m.Field {
		text.WriteString(fault.Field)
	}
	text.WriteString(m.After)
}
