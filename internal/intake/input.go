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

// Input makes `input` from the fields (kinds converted, defaults set, formats
// normalised), puts it into frame f's slot for rules, checks the rules, and gives the value and
// the warnings (a list of texts). All faults are told at once, at most maxFaults; rules are checked
// only when every field is right.
func Input(f *expr.Frame, fields *Fields, r *Request, route *mapping.Route, c *Caller) (input, warnings jsonx.Value, problem *Problem) {
	p := route.Plan
	input = noInput
	if p.Input != nil {
		cv := newConv(f.Arena, route.Dialect.Absent)
		cv.received(p.Input.Fields, fields, r, route.Dialect)
		input = cv.end()
		faults := cv.faults
		cv.release()
		if len(faults) > 0 {
			return jsonx.Value{}, jsonx.Value{}, Refused(faults, route.Dialect)
		}
	}
	if p.Slots.Input >= 0 {
		f.Set(p.Slots.Input, input)
	}
	if len(p.Rules) == 0 {
		return input, noWarnings, nil
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
	warnings, problem = rules(f, p.Rules, c != nil && c.Strict)
	return input, warnings, problem
}

// Convert makes a flow's input from the object its caller gave: the same
// conversions, defaults and checks as for a request's.
func Convert(a *jsonx.Arena, in *mapping.Input, from jsonx.Value) (jsonx.Value, []Fault) {
	c := newConv(a, nil)
	defer c.release()
	c.members(in.Fields, from)
	return c.end(), c.faults
}

// Missing is the problem of something that must have a value and has none, in the dialect's words.
func Missing(field string, d *mapping.Dialect) *Problem {
	p := Refused([]Fault{{Field: field, Keyword: "required"}}, d)
	p.Fields = nil // it need not be one of the input's
	return p
}

// Refused is the problem of fields that are not right, in the dialect's words.
func Refused(faults []Fault, d *mapping.Dialect) *Problem {
	var text strings.Builder
	p := &Problem{Kind: mapping.BadInput, Fields: make([]string, 0, len(faults))}
	for i := range faults {
		if i > 0 {
			text.WriteString("; ")
		}
		words(&text, &faults[i], d)
		p.Fields = append(p.Fields, faults[i].Pointer)
	}
	p.Message = text.String()
	return p
}

// Words are what the dialect says of one field that is not right.
func Words(fault *Fault, d *mapping.Dialect) string {
	var text strings.Builder
	words(&text, fault, d)
	return text.String()
}

func words(text *strings.Builder, fault *Fault, d *mapping.Dialect) {
	m := d.Messages[fault.Keyword]
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

// rules checks the rules: those that do not hold are errors, or warnings for a
// caller that is not strict.
func rules(f *expr.Frame, all []*mapping.Rule, strict bool) (jsonx.Value, *Problem) {
	var bad *Problem
	var warned []jsonx.Value
	var text strings.Builder
	for _, rule := range all {
		holds := rule.That.Holds(f)
		var message jsonx.Value
		if f.Err() == nil && !holds {
			message = rule.Else.Value(f)
		}
		if err := f.Err(); err != nil {
			f.Clear()
			return jsonx.Value{}, &Problem{Kind: mapping.Internal, Cause: err}
		}
		switch {
		case holds:
		case rule.Warn && !strict:
			warned = append(warned, message)
		default:
			if bad == nil {
				bad = &Problem{Kind: mapping.BadInput}
			} else {
				text.WriteString("; ")
			}
			text.WriteString(message.Text())
			if rule.Path != "" {
				bad.Fields = append(bad.Fields, rule.Path)
			}
		}
	}
	if bad != nil {
		bad.Message = text.String()
		return jsonx.Value{}, bad
	}
	if len(warned) == 0 {
		return noWarnings, nil
	}
	m := f.Arena.Mark()
	for _, w := range warned {
		f.Arena.Push(w)
	}
	return f.Arena.List(m), nil
}
