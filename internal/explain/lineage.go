package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Lineage is where each received value of a route goes, and what it decides.
// It is read off the mapping's text: nothing is run.
type Lineage struct {
	Route   string    `json:"route"`
	File    string    `json:"file"`
	Sources []*Source `json:"sources"`
	// OnlyDecide and Nowhere are fields of the input that go nowhere; the
	// former decide something.
	OnlyDecide []string `json:"only_decide"`
	Nowhere    []string `json:"nowhere"`
}

// Source is a value that comes from outside: an input field, a field of an
// answer or a memory, a sign-in variable.
type Source struct {
	From    string   `json:"from"`
	By      string   `json:"by,omitempty"` // of an answer: the operation
	To      []*Place `json:"to,omitempty"`
	Decides []*Place `json:"decides,omitempty"`

	group, order int
}

// Place is where a value goes.
type Place struct {
	Step      string `json:"step"`                // "owner/item": a step of the flow that step owner calls
	Operation string `json:"operation,omitempty"` // or memory
	In        string `json:"in"`                  // path, query, header, body …
	At        string `json:"at,omitempty"`        // the name, or a JSON Pointer in which * is every element
	Replies   []int  `json:"replies,omitempty"`   // which of them, from 1
}

// within tells whether all of p is also of q.
func (p *Place) within(q *Place) bool {
	return p.same(q) && !slices.ContainsFunc(p.Replies, func(n int) bool { return !slices.Contains(q.Replies, n) })
}

// same tells whether p is q, but perhaps for the replies.
func (p *Place) same(q *Place) bool {
	return p.Step == q.Step && p.Operation == q.Operation && p.In == q.In && p.At == q.At
}

// The groups of sources, in the order in which they are told.
const (
	ofInput = iota
	ofCaller
	ofSignIn
	ofMemory
	ofAnswer
	ofOutcome
)

// LineageOf reads the lineage of a route.
func LineageOf(route *mapping.Route, contracts map[string]*contract.Contract, functions *expr.Functions) *Lineage {
	method := strings.Join(route.Methods, ",")
	l := &lineage{
		contracts: contracts, functions: functions, bySource: map[string]*Source{},
		teller: &teller{sources: map[*mapping.Plan]*source{}},
		out: &Lineage{
			Route: method + " " + route.Spelled()[0], File: fileLine(route),
			OnlyDecide: []string{}, Nowhere: []string{},
		},
	}
	var input *expr.Flow
	input, l.fields = inputFlow(route.Plan.Input)
	for _, f := range l.fields {
		l.source(f.Origin)
	}
	whole := planWalk{lineage: l, plan: route.Plan, root: l.teller.source(route.Plan).root, input: input}
	whole.read(route)
	slices.SortStableFunc(l.out.Sources, func(a, b *Source) int {
		if a.group != b.group {
			return a.group - b.group
		}
		return a.order - b.order
	})
	for _, s := range l.out.Sources {
		s.Decides = slices.DeleteFunc(s.Decides, func(p *Place) bool { return slices.ContainsFunc(s.To, p.within) })
		switch {
		case s.group != ofInput || len(s.To) > 0 || l.parted(s.From):
		case len(s.Decides) > 0:
			l.out.OnlyDecide = append(l.out.OnlyDecide, s.From)
		default:
			l.out.Nowhere = append(l.out.Nowhere, s.From)
		}
	}
	l.out.Sources = slices.DeleteFunc(l.out.Sources, func(s *Source) bool { return len(s.To)+len(s.Decides) == 0 })
	return l.out
}

// lineage is one under way.
type lineage struct {
	contracts map[string]*contract.Contract
	functions *expr.Functions
	teller    *teller
	fields    []inputField
	bySource  map[string]*Source
	answers   []answerOf
	out       *Lineage
}

// answerOf is the answer of a call, in the order in which they are made.
type answerOf struct{ root, operation string }

// The roots of origins, beside the names of the language. Steps follow.
const (
	answerRoot  = "answer "
	outcomeRoot = "outcome "
	memoryRoot  = "memory "
	signInRoot  = "sign_in "
)

// inputField is a field of the input; one with fields of its own is known by those.
type inputField struct {
	expr.Origin
	parted bool
}

// inputFlow gives what is known of `input`, and its fields.
func inputFlow(in *mapping.Input) (*expr.Flow, []inputField) {
	whole := expr.OriginFlow("input", in.Type)
	var all []inputField
	var of func(f *mapping.InputField, is *expr.Flow) *expr.Flow
	of = func(f *mapping.InputField, is *expr.Flow) *expr.Flow {
		parted := len(f.Fields) > 0 || f.List && f.Items != nil && len(f.Items.Fields) > 0
		all = append(all, inputField{is.From[0], parted})
		switch {
		case len(f.Fields) > 0:
			out := &expr.Flow{Present: is.From}
			for _, inner := range f.Fields {
				out.Set(inner.Name, of(inner, is.Member(inner.Name)))
			}
			return out
		case parted:
			return &expr.Flow{Present: is.From, Elem: of(f.Items, is.Element(""))}
		}
		return is
	}
	out := &expr.Flow{}
	if in.Type != nil && in.Type.Open {
		out = whole.Copy()
	}
	for _, f := range in.Fields {
		out.Set(f.Name, of(f, whole.Member(f.Name)))
	}
	return out, all
}

// field gives the field of the input that an origin is, or is below.
func (l *lineage) field(o expr.Origin) expr.Origin {
	found := o
	for _, f := range l.fields { // those within others stand behind them
		if rest, ok := strings.CutPrefix(o.Path, f.Path); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			found = f.Origin
		}
	}
	return found
}

// parted tells whether a field is known by its own fields.
func (l *lineage) parted(name string) bool {
	return slices.ContainsFunc(l.fields, func(f inputField) bool { return f.parted && f.Root+f.Path == name })
}

// source finds the source an origin is of; nil for what is no received value.
func (l *lineage) source(o expr.Origin) *Source {
	s := &Source{From: o.Root + o.Path}
	kind, rest, _ := strings.Cut(o.Root, " ")
	path := strings.TrimPrefix(o.Path, ".")
	if path != "" {
		path = ": " + path
	}
	switch kind + " " {
	case "input ":
		o = l.field(o)
		s.From = o.Root + o.Path
	case "const ", "now ":
		return nil
	case signInRoot:
		s.From, s.group = "sign_in of "+rest, ofSignIn
	case memoryRoot:
		s.From, s.group = "memory "+rest+path, ofMemory
	case answerRoot:
		s.From, s.group = "answer of "+rest+path, ofAnswer
		s.order = slices.IndexFunc(l.answers, func(a answerOf) bool { return a.root == o.Root })
		if s.order >= 0 {
			s.By = l.answers[s.order].operation
		}
	case outcomeRoot:
		s.From, s.group = "outcome of "+rest+path, ofOutcome
	default:
		s.group = ofCaller
	}
	if have := l.bySource[s.From]; have != nil {
		return have
	}
	l.bySource[s.From] = s
	l.out.Sources = append(l.out.Sources, s)
	return s
}

// goes notes where some origins go.
func (l *lineage) goes(from []expr.Origin, p Place) {
	for _, o := range from {
		if s := l.source(o); s != nil {
			s.To = noted(s.To, p)
		}
	}
}

// decides notes what some origins decide.
func (l *lineage) decides(from []expr.Origin, p Place) {
	for _, o := range from {
		if s := l.source(o); s != nil {
			s.Decides = noted(s.Decides, p)
		}
	}
}

func noted(all []*Place, p Place) []*Place {
	for _, have := range all {
		if have.same(&p) {
			for _, n := range p.Replies {
				if !slices.Contains(have.Replies, n) {
					have.Replies = append(have.Replies, n)
				}
			}
			return all
		}
	}
	p.Replies = slices.Clone(p.Replies)
	return append(all, &p)
}

// parts notes where a value and its parts go. What decides about the whole is
// not told again of its parts.
func (l *lineage) parts(f *expr.Flow, p Place, above ...expr.Origin) {
	l.goes(f.From, p)
	l.decides(without(f.Decided, above), p)
	above = append(above[:len(above):len(above)], f.Decided...)
	at := p.At
	for _, name := range f.Order {
		p.At = at + "/" + jsonx.PointerToken(name)
		l.parts(f.Fields[name], p, above...)
	}
	if f.Elem != nil {
		p.At = at + "/*"
		l.parts(f.Elem, p, above...)
	}
}

func without(all, some []expr.Origin) []expr.Origin {
	return slices.DeleteFunc(slices.Clone(all), func(o expr.Origin) bool { return slices.Contains(some, o) })
}

// whole notes where a value goes that is written as one.
func (l *lineage) whole(f *expr.Flow, p Place) {
	f = f.Whole()
	l.goes(f.From, p)
	l.decides(f.Decided, p)
}

// Text is the lineage as people read it.
func (l *Lineage) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nroute  %s\n", l.Route, l.File)
	var width [2]int // of a place's columns, less the last
	for _, s := range l.Sources {
		for _, p := range slices.Concat(s.To, s.Decides) {
			for i, text := range p.columns() {
				if i < len(width) {
					width[i] = max(width[i], len([]rune(text)))
				}
			}
		}
	}
	for _, s := range l.Sources {
		fmt.Fprintf(&b, "\n%s", s.From)
		if s.By != "" {
			fmt.Fprintf(&b, " (%s)", s.By)
		}
		b.WriteByte('\n')
		told := func(verb string, places []*Place) {
			for _, p := range places {
				line := fmt.Sprintf("  %-8s", verb)
				for i, text := range p.columns() {
					if i < len(width) {
						line += text + strings.Repeat(" ", width[i]-len([]rune(text))+2)
					} else {
						line += text
					}
				}
				b.WriteString(strings.TrimRight(line, " ") + "\n")
				verb = ""
			}
		}
		told("to", s.To)
		told("decides", s.Decides)
	}
	b.WriteByte('\n')
	if len(l.OnlyDecide) > 0 {
		fmt.Fprintf(&b, "goes nowhere, and only decides: %s\n", strings.Join(l.OnlyDecide, ", "))
	}
	fmt.Fprintf(&b, "goes nowhere: %s\n", orNone(strings.Join(l.Nowhere, ", ")))
	return b.String()
}

// columns are the words of a place.
func (p *Place) columns() [3]string {
	step := p.Step
	if len(p.Replies) > 0 {
		step += " " + ranges(p.Replies)
	}
	return [3]string{step, strings.TrimSpace(p.In + " " + p.At), p.Operation}
}

// ranges spells numbers that go up: "1-4, 7".
func ranges(numbers []int) string {
	var all []string
	for i := 0; i < len(numbers); {
		k := i
		for k+1 < len(numbers) && numbers[k+1] == numbers[k]+1 {
			k++
		}
		if k == i {
			all = append(all, fmt.Sprint(numbers[i]))
		} else {
			all = append(all, fmt.Sprintf("%d-%d", numbers[i], numbers[k]))
		}
		i = k + 1
	}
	return strings.Join(all, ", ")
}
