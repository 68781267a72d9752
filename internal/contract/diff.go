package contract

import (
	"fmt"
	"slices"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// Change is one difference between two versions of a contract.
type Change struct {
	Operation string
	Place     string // "path id", "body.lines.*.count", "answer.total"; "" for the operation itself
	What      string // "is gone", "is required now"
	Breaks    bool   // calls that were right, or what reads their answers, may be wrong now
}

// maxCompared bounds the schemas that are compared: references multiply them.
const maxCompared = 100_000

// Diff gives what differs between two versions of a contract, in the order of
// operations' names.
func Diff(before, after *Contract) []Change {
	d := &differ{}
	for _, id := range sortedIDs(before, after) {
		was, is := before.Operations[id], after.Operations[id]
		d.op = id
		switch {
		case is == nil:
			d.add("", true, "is gone")
		case was == nil:
			d.add("", false, "is new")
		default:
			d.operation(was, is)
		}
	}
	return d.all
}

func sortedIDs(before, after *Contract) []string {
	var ids []string
	for id := range before.Operations {
		ids = append(ids, id)
	}
	for id := range after.Operations {
		if before.Operations[id] == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

type differ struct {
	all      []Change
	op       string
	compared int
}

func (d *differ) add(place string, breaks bool, format string, args ...any) {
	d.all = append(d.all, Change{d.op, place, fmt.Sprintf(format, args...), breaks})
}

var placeWords = map[In]string{InPath: "path", InQuery: "query", InHeader: "header"}

func (d *differ) operation(was, is *Operation) {
	if was.Method != is.Method || was.Path != is.Path {
		d.add("", true, "was %s %s, is %s %s", was.Method, was.Path, is.Method, is.Path)
	}
	if was.Changes != is.Changes {
		d.add("", is.Changes, "x-emenda-changes was %t, is %t", was.Changes, is.Changes)
	}
	param := func(op *Operation, name string) *Param {
		for _, p := range op.Params {
			if p.Name == name {
				return p
			}
		}
		return nil
	}
	for _, p := range was.Params {
		place := placeWords[p.In] + " " + p.Name
		switch q := param(is, p.Name); {
		case q == nil:
			d.add(place, true, "is gone")
		case q.In != p.In:
			d.add(place, p.In == InPath || q.In == InPath, "is in %s now", placeWords[q.In])
		default:
			if q.Required && !p.Required {
				d.add(place, true, "is required now")
			}
			d.request(place, p.Schema, q.Schema)
		}
	}
	for _, q := range is.Params {
		if param(was, q.Name) == nil {
			d.added(placeWords[q.In]+" "+q.Name, q.Required)
		}
	}
	switch {
	case was.BodySchema != nil && is.BodySchema == nil:
		d.add("body", true, "is gone")
	case was.BodySchema == nil && is.BodySchema != nil:
		d.added("body", is.BodyRequired)
	case was.BodySchema != nil:
		if is.BodyRequired && !was.BodyRequired {
			d.add("body", true, "is required now")
		}
		d.request("body", was.BodySchema, is.BodySchema)
	}
	switch {
	case was.AnswerKind != is.AnswerKind:
		d.add("answer", true, "is of another kind")
	case was.AnswerSchema != nil && is.AnswerSchema != nil:
		d.answer("answer", was.AnswerSchema, is.AnswerSchema)
	}
}

func (d *differ) added(place string, required bool) {
	if required {
		d.add(place, true, "is new, and required")
		return
	}
	d.add(place, false, "is new")
}

// request compares what may be sent: what is narrower breaks.
func (d *differ) request(place string, was, is *Schema) {
	if was == nil || is == nil || was == is || d.compared > maxCompared {
		return
	}
	d.compared++
	if !within(was.Types, is.Types) {
		d.add(place, true, "was %s, is %s", typeWords(was.Types), typeWords(is.Types))
		return
	}
	for _, v := range missingValues(was, is) {
		d.add(place, true, "may not be %s any more", v)
	}
	if len(was.Enum) == 0 && len(is.Enum) > 0 {
		d.add(place, true, "is one of a closed list now")
	}
	if narrower(was, is) {
		d.add(place, true, "has narrower bounds")
	}
	if was.Items != nil && is.Items != nil {
		d.request(place+".*", was.Items, is.Items)
	}
	for i := range was.Fields {
		f := &was.Fields[i]
		at := place + "." + f.Name
		g := is.Property(f.Name)
		if g == nil {
			d.add(at, !is.Open, "is gone")
			continue
		}
		if g.Required && !f.Required {
			d.add(at, true, "is required now")
		}
		d.request(at, f.Schema, g.Schema)
	}
	for i := range is.Fields {
		if g := &is.Fields[i]; was.Property(g.Name) == nil {
			d.added(place+"."+g.Name, g.Required)
		}
	}
}

// answer compares what may come: what is wider, or gone, breaks.
func (d *differ) answer(place string, was, is *Schema) {
	if was == nil || is == nil || was == is || d.compared > maxCompared {
		return
	}
	d.compared++
	if !within(is.Types, was.Types) {
		d.add(place, true, "was %s, is %s", typeWords(was.Types), typeWords(is.Types))
		return
	}
	if len(was.Enum) > 0 {
		for _, v := range missingValues(is, was) {
			d.add(place, false, "may be %s as well", v)
		}
	}
	if was.Items != nil && is.Items != nil {
		d.answer(place+".*", was.Items, is.Items)
	}
	for i := range was.Fields {
		f := &was.Fields[i]
		at := place + "." + f.Name
		g := is.Property(f.Name)
		if g == nil {
			d.add(at, true, "is gone")
			continue
		}
		if f.Required && !g.Required {
			d.add(at, true, "may be missing now")
		}
		d.answer(at, f.Schema, g.Schema)
	}
	for i := range is.Fields {
		if g := &is.Fields[i]; was.Property(g.Name) == nil {
			d.add(place+"."+g.Name, false, "is new")
		}
	}
}

// within tells whether every value of some types is one of others.
func within(some, others Types) bool {
	if others == 0 {
		return true
	}
	if others&IsNumber != 0 {
		others |= IsInteger
	}
	return some != 0 && some&^others == 0
}

// missingValues gives the values of a closed list that another has not.
func missingValues(of, in *Schema) (all []string) {
	if len(in.Enum) == 0 {
		return nil
	}
	for _, v := range of.Enum {
		text := string(v.AppendJSON(nil))
		if !slices.ContainsFunc(in.Enum, func(w jsonx.Value) bool { return string(w.AppendJSON(nil)) == text }) {
			all = append(all, text)
		}
	}
	return all
}

// narrower tells whether bounds exclude what they did not.
func narrower(was, is *Schema) bool {
	less := func(a, b Bounds) bool {
		return b.Fewest > a.Fewest || b.Most >= 0 && (a.Most < 0 || b.Most < a.Most)
	}
	pattern := is.Pattern != nil && (was.Pattern == nil || was.Pattern.String() != is.Pattern.String())
	size := is.MaxBytes > 0 && (was.MaxBytes == 0 || is.MaxBytes < was.MaxBytes)
	return pattern || size || less(was.Lengths, is.Lengths) || less(was.Elements, is.Elements) ||
		moved(was.Least, is.Least, 1) || moved(was.Above, is.Above, 1) || moved(was.Most, is.Most, -1) || moved(was.Below, is.Below, -1)
}

// moved tells whether a bound is new, or has moved in a direction.
func moved(was, is *jsonx.Decimal, direction int) bool {
	return is != nil && (was == nil || is.Cmp(*was)*direction > 0)
}

func typeWords(t Types) string {
	if t == 0 {
		return "anything"
	}
	return t.String()
}
