package contract

import (
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
	typeText = "text/plain"
	typePDF  = "application/pdf"
)

// body reads what the request body must fit.
func (l *loader) body(op *Operation, n *yamldoc.Node) {
	if n == nil || n.Kind != yamldoc.Map {
		return
	}
	if n = l.deref(n, "requestBodies"); n == nil {
		return
	}
	op.BodyRequired = yes(n.Get("required"))
	content := entries(n.Get("content"))
	if len(content) == 0 {
		if n.Get("content") == nil {
			l.list.Errorf(n.FirstLine(), "missing-key", "a request body needs content")
		}
		return
	}
	if len(content) > 1 {
		l.list.Errorf(content[1].Key.Span, ruleBody, "a request body has one media type").Help = "keep the one the gateway is to send"
	}
	media := content[0]
	switch mediaType(media.Key.Text) {
	case typeForm:
		op.BodyForm = true
	case typeJSON:
	default:
		l.list.Errorf(media.Key.Span, ruleBody, "request bodies of type %s are not understood", short(media.Key.Text)).
			Help = "understood are " + typeJSON + " and " + typeForm
		return
	}
	op.Body = &expr.Type{Label: op.name}
	s := media.Value.Get("schema")
	if s == nil {
		if media.Value.Kind == yamldoc.Map {
			l.list.Errorf(media.Key.Span, ruleBody, "a request body needs a schema")
		}
		return
	}
	op.Body = l.typeOf(s, false, op.name)
	if op.BodyForm && op.Body.Kind != expr.ObjectType {
		l.list.Errorf(s.FirstLine(), ruleBody, "a form is an object")
	}
	for _, name := range op.Body.Order {
		if f := op.Body.Fields[name].Type; op.BodyForm && (f.Kind == expr.ObjectType || f.Kind == expr.ListType && f.Elem != nil &&
			(f.Elem.Kind == expr.ObjectType || f.Elem.Kind == expr.ListType)) {
			l.list.Errorf(s.FirstLine(), ruleBody, "form field %s cannot be an object", short(name)).Help = "a form holds texts, numbers, true/false and lists of these"
		}
	}
	op.BodySchema = l.schemaOf(s)
	op.bodyNode = s
	op.bodies = l.examples(media.Value)
}

// mediaType gives the bare media type in lower case.
func mediaType(s string) string {
	if t, _, err := mime.ParseMediaType(s); err == nil {
		return t
	}
	return strings.ToLower(strings.TrimSpace(s))
}

// example is a documented example where it stands.
type example struct {
	name   string
	at     *yamldoc.Node
	value  *yamldoc.Node
	except *yamldoc.Node // why it does not fit its schema
}

// examples gives the documented examples of a media type.
func (l *loader) examples(media *yamldoc.Node) []example {
	var all []example
	one, many := media.Get("example"), media.Get("examples")
	if one != nil {
		all = append(all, example{name: "example", at: media.KeyOf("example"), value: one})
		if many != nil {
			l.list.Errorf(media.KeyOf("example").Span, ruleExample, "example and examples exclude each other").Help = "move it into examples, under a name"
		}
	}
	return append(all, l.named(many)...)
}

// named gives examples by name.
func (l *loader) named(many *yamldoc.Node) []example {
	var all []example
	for _, e := range entries(many) {
		if e.Value.Kind != yamldoc.Map {
			continue
		}
		n := l.deref(e.Value, "examples")
		if n == nil {
			continue
		}
		v := n.Get("value")
		if v == nil {
			l.list.Errorf(e.Key.Span, ruleExample, "example %s has no value", short(e.Key.Text))
			continue
		}
		all = append(all, example{e.Key.Text, e.Key, v, n.Get("x-emenda-exception")})
	}
	return all
}

// responses reads the answers: the first 2xx says what a good one is.
func (l *loader) responses(op *Operation, n *yamldoc.Node) {
	op.AnswerKind = NoAnswer
	good, skipped := false, false
	for _, e := range entries(n) {
		status, err := strconv.Atoi(e.Key.Text)
		if err != nil || e.Value.Kind != yamldoc.Map {
			skipped = true // Check has said so
			continue
		}
		r := l.deref(e.Value, "responses")
		if r == nil {
			skipped = true
			continue
		}
		ok := status >= 200 && status < 300
		l.response(op, status, r, ok && !good)
		good = good || ok
	}
	if !good && !skipped && len(entries(n)) > 0 {
		l.list.Errorf(n.FirstLine(), ruleBody, "no answer of status 2xx is described, so a good one is not known")
	}
}

func (l *loader) response(op *Operation, status int, r *yamldoc.Node, answer bool) {
	source := r.Get("x-emenda-source")
	inferred := word(source) == "inferred"
	content := entries(r.Get("content"))
	if len(content) > 1 {
		l.list.Errorf(content[1].Key.Span, ruleBody, "an answer has one media type")
	}
	if len(content) == 0 {
		if source != nil {
			l.list.Errorf(source.Span, ruleBody, "x-emenda-source has no effect without content")
		}
		return
	}
	media := content[0]
	kind := JSONAnswer
	bare := mediaType(media.Key.Text)
	switch {
	case bare == typeJSON || strings.HasSuffix(bare, "+json"):
	case bare == typeText:
		kind = TextAnswer
	case bare == typePDF:
		kind = FileAnswer
	default:
		l.list.Errorf(media.Key.Span, ruleBody, "answers of type %s are not understood", short(media.Key.Text)).
			Help = "understood are " + typeJSON + ", " + typeText + " and " + typePDF
		return
	}
	s := media.Value.Get("schema")
	var t *expr.Type
	if s != nil {
		t = missing(l.typeOf(s, inferred, op.name))
	}
	if kind == JSONAnswer && inferred && s != nil {
		for _, ex := range l.examples(media.Value) {
			l.misspelt(ex.value, t)
		}
	}
	for _, ex := range l.examples(media.Value) {
		l.example(op, status, media.Key.Text, ex, kind)
		if s != nil {
			l.excepted(ex, l.misfits(ex.value, l.schemaOf(s), way{open: inferred}))
		}
		if kind == JSONAnswer && inferred {
			t = widen(t, ex.value, op.name)
		}
	}
	if !answer {
		return
	}
	op.AnswerKind = kind
	if s != nil {
		op.AnswerSchema = l.schemaOf(s)
	}
	if kind == FileAnswer {
		return
	}
	switch {
	case kind == TextAnswer && (t == nil || t.Kind != expr.TextType):
		if t != nil {
			l.list.Errorf(s.FirstLine(), ruleBody, "an answer of type text/plain is a text").Help = "write schema: { type: string }"
		}
		t = &expr.Type{Kind: expr.TextType, Label: op.name}
	case t == nil:
		l.list.Errorf(media.Key.Span, ruleBody, "nothing says what the answer holds").
			Help = "add a schema, or examples and x-emenda-source: inferred"
		t = &expr.Type{Label: op.name}
	}
	op.Answer, op.fitting = t, fittingOf(t)
}

// example keeps a documented answer.
func (l *loader) example(op *Operation, status int, contentType string, ex example, kind AnswerKind) {
	if op.Examples[ex.name] != nil {
		l.list.Errorf(ex.at.Span, ruleExample, "two examples of %s are named %s", op.ID, short(ex.name)).Help = "tests name examples: give each its own name"
		return
	}
	e := &Example{Name: ex.name, Status: status, Type: contentType}
	switch {
	case kind == JSONAnswer:
		raw, ok := l.json(ex.value)
		if !ok {
			return
		}
		e.Answer = string(raw)
	case slices.Contains([]yamldoc.Kind{yamldoc.Text, yamldoc.Number, yamldoc.Bool}, ex.value.Kind):
		e.Answer = ex.value.Text
	default:
		l.list.Errorf(ex.value.FirstLine(), ruleExample, "an example of type %s is a text", mediaType(contentType))
		return
	}
	op.Examples[ex.name] = e
}
