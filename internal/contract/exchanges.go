package contract

import (
	"slices"
	"strconv"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Exchange is a documented request, and its answer where one is documented:
// examples of a body, of parameters and of answers that share a name.
type Exchange struct {
	Name      string
	Params    []jsonx.Value // in the order of Params; absent where nothing is documented
	Body      []byte        // JSON; nil for none
	Whole     bool          // the request can be built: it has all that is required of parameters, and its body
	Answer    *Example      // nil: none is documented
	Exception string        // why it does not fit its schema; "" when it does
	at        diag.Span
}

// paramExamples reads the documented values of a parameter.
func (l *loader) paramExamples(p *Param, n *yamldoc.Node) {
	p.example, p.examples = n.Get("example"), l.named(n.Get("examples"))
	if p.example != nil {
		l.fits(p.example, p.Schema, way{})
		if k := n.KeyOf("examples"); k != nil {
			l.list.Errorf(n.KeyOf("example").Span, ruleExample, "example and examples exclude each other").Help = "move it into examples, under a name"
		}
	}
	for _, ex := range p.examples {
		l.excepted(ex, l.misfits(ex.value, p.Schema, way{}))
	}
}

// documented gives the documented value of the parameter in an example of that name.
func (p *Param) documented(name string) *yamldoc.Node {
	for _, ex := range p.examples {
		if ex.name == name {
			return ex.value
		}
	}
	return p.example
}

// excepted tells what an example has wrong, unless it says why it is so.
func (l *loader) excepted(ex example, wrong diag.List) {
	switch {
	case ex.except == nil:
		l.list.Add(wrong)
	case len(wrong) == 0:
		l.list.Errorf(ex.except.FirstLine(), ruleExample, "the example fits its schema: there is nothing to except").Help = "remove x-emenda-exception"
	}
}

// exchanges puts together what examples of one name say.
func (l *loader) exchanges(op *Operation, responses *yamldoc.Node) {
	add := func(name string, at diag.Span) {
		if !slices.ContainsFunc(op.Exchanges, func(e *Exchange) bool { return e.Name == name }) {
			op.Exchanges = append(op.Exchanges, &Exchange{Name: name, at: at, Answer: op.Examples[name]})
		}
	}
	answers := l.answered(responses)
	for _, ex := range op.bodies {
		// The only request is that of every answer, whatever their names.
		if len(op.bodies) > 1 || len(answers) == 0 || slices.ContainsFunc(answers, func(a example) bool { return a.name == ex.name }) {
			add(ex.name, ex.at.Span)
		}
	}
	for _, p := range op.Params {
		for _, ex := range p.examples {
			add(ex.name, ex.at.Span)
		}
	}
	for _, ex := range answers {
		add(ex.name, ex.at.Span)
	}
	if len(op.Exchanges) == 0 && (op.documentedParams() || len(op.Params) == 0 && !op.BodyRequired) {
		add("example", op.At)
	}
	for _, ex := range op.Exchanges {
		l.exchange(op, ex)
	}
}

// answered gives the examples of good answers.
func (l *loader) answered(responses *yamldoc.Node) []example {
	var all []example
	quiet := &loader{root: l.root, c: l.c} // what they have wrong has been told
	for _, e := range entries(responses) {
		if status, err := strconv.Atoi(e.Key.Text); err != nil || status < 200 || status >= 300 || e.Value.Kind != yamldoc.Map {
			continue
		}
		for _, media := range entries(quiet.deref(e.Value, "responses").Get("content")) {
			all = append(all, quiet.examples(media.Value)...)
		}
	}
	return all
}

// documentedParams tells whether anything of a request is documented.
func (o *Operation) documentedParams() bool {
	return slices.ContainsFunc(o.Params, func(p *Param) bool { return p.example != nil })
}

// exchange reads one documented request.
func (l *loader) exchange(op *Operation, ex *Exchange) {
	ex.Params = make([]jsonx.Value, len(op.Params))
	ex.Whole = true
	for i, p := range op.Params {
		n := p.documented(ex.Name)
		if n == nil {
			ex.Whole = ex.Whole && !p.Required
			continue
		}
		raw, _ := l.json(n)
		ex.Params[i] = jsonx.RawValue(string(raw))
	}
	body := slices.IndexFunc(op.bodies, func(b example) bool { return b.name == ex.Name })
	if body < 0 && len(op.bodies) == 1 {
		body = 0
	}
	if body < 0 {
		ex.Whole = ex.Whole && !op.BodyRequired
		return
	}
	b := op.bodies[body]
	if b.except != nil {
		ex.Exception = b.except.Text
	}
	raw, ok := l.json(b.value)
	ex.Body, ex.Whole = raw, ex.Whole && ok
	if !ok {
		return
	}
	wrong := l.misfits(b.value, op.BodySchema, way{lenient: true})
	for _, p := range op.Missing(op.query(ex.Params), jsonx.RawValue(string(raw))) {
		wrong.Errorf(b.value.FirstLine(), ruleExample, "the example has no %s, which x-emenda-required-when requires here", short(p.Path[len(p.Path)-1]))
	}
	l.excepted(b, wrong)
}

// failures reads documented answers that are none of the good ones. That the
// rules know them, and know the good ones, is checked.
func (l *loader) failures(op *Operation, n *yamldoc.Node) {
	var a jsonx.Arena
	for _, e := range op.Examples {
		if e.Status < 200 || e.Status >= 300 || l.list.HasErrors() {
			continue
		}
		if out := op.Classify(&a, e.Status, e.Type, []byte(e.Answer)); out.State != OK {
			l.list.Errorf(op.At, ruleExample, "the rules take the documented answer %s for %s %s", short(e.Name), out.State, out.Class).
				Help = "mend x-emenda-outcomes or x-emenda-good, or move it to x-emenda-failures"
		}
		a.Reset()
	}
	for _, ex := range l.named(n) {
		if op.Examples[ex.name] != nil {
			l.list.Errorf(ex.at.Span, ruleExample, "two examples of %s are named %s", op.ID, short(ex.name)).Help = "tests name examples: give each its own name"
			continue
		}
		e := &Example{Name: ex.name, Status: 200, Type: typeJSON, Failure: true}
		if op.AnswerKind == TextAnswer && ex.value.Kind == yamldoc.Text {
			e.Type, e.Answer = typeText, ex.value.Text
		} else {
			raw, ok := l.json(ex.value)
			if !ok {
				continue
			}
			e.Answer = string(raw)
		}
		op.Examples[ex.name] = e
		if out := op.Classify(&a, e.Status, e.Type, []byte(e.Answer)); out.State == OK {
			l.list.Errorf(ex.value.FirstLine(), ruleExample, "the rules take this documented failure for a good answer").
				Help = "add a rule to x-emenda-outcomes that knows it"
		}
		a.Reset()
	}
}
