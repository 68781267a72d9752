package openapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// passKinds are the kinds of failures of operations that are passed on: a no of the backend is its answer.
var passKinds = []mapping.ErrorKind{
	mapping.Unreadable, mapping.NotSignedIn, mapping.BadSignIn, mapping.Forbidden, mapping.Limited, mapping.TooLarge,
	mapping.BadInput, mapping.KindFailed, mapping.KindTimeout, mapping.KindUnavailable, mapping.Internal,
}

// exposed writes an exposed operation; several of one method and path are one
// here, whose body is one of theirs.
func (b *builder) exposed(door *mapping.Exposed) {
	var ops []*mapping.ExposedOperation
	for _, op := range door.Operations {
		if b.may(op.Needs) {
			ops = append(ops, op)
		}
	}
	if len(ops) == 0 {
		return
	}
	path := spelled(door.Dialect, door.Path)
	b.place(path, door.Method, func(renamed map[string]string) *object {
		return b.offer(door, ops, renamed)
	})
}

// offer writes the operations of one method and path.
func (b *builder) offer(door *mapping.Exposed, ops []*mapping.ExposedOperation, renamed map[string]string) *object {
	k := b.book(ops[0].Backend)
	o, a := obj(), &answers{}
	tags, summaries, says := list{}, []string(nil), []string(nil)
	asked := &asking{book: k, several: len(ops) > 1, renamed: renamed, content: obj(), needed: true}
	deprecated := true
	for _, op := range ops {
		item, n := k.operation(op.Operation)
		for _, t := range op.Tags {
			if !slices.Contains(tags, any(t)) {
				tags = append(tags, t)
				b.tag(t, sectionSays(k, t))
			}
		}
		summaries = append(summaries, strings.TrimSpace(op.Summary))
		text := strings.TrimSpace(textOf(n.Get("description")))
		if asked.several {
			text = "**" + op.ID + "**: " + strings.TrimSpace(op.Summary) + ". " + text
		}
		if op.Gives != mapping.GivesAnswer {
			text += " The token is this gateway's own."
		}
		says = append(says, strings.TrimSpace(text))
		deprecated = deprecated && isTrue(n.Get("deprecated"))
		asked.params(item, n)
		asked.body(op.Operation, n)
		k.answers(a, op.Operation, n, asked.several)
	}
	if len(tags) == 0 {
		tags = list{door.Dialect.Name}
		b.tag(door.Dialect.Name, dialectSummary(door.Dialect))
	}
	o.set("tags", tags)
	o.say("summary", strings.Join(summaries, " / "))
	o.say("description", strings.Join(says, "\n\n"))
	o.set("operationId", b.id(ops[0].ID, ops[0].Name()))
	if deprecated {
		o.set("deprecated", true)
	}
	asked.write(o)
	b.failures(a, door.Dialect, door.Dialect.Errors, passKinds, "field")
	o.set("responses", b.answersObject(door.Dialect, a))
	o.set("security", b.signIn(door.Dialect, ops[0]))
	return o
}

// sectionSays is what a contract says of a tag.
func sectionSays(k *book, name string) string {
	if tags := k.root.Get("tags"); tags != nil {
		for _, t := range tags.Items {
			if textOf(t.Get("name")) == name {
				return textOf(t.Get("description"))
			}
		}
	}
	return ""
}

// asking is what the operations of one method and path take, being collected.
type asking struct {
	book    *book
	several bool
	renamed map[string]string
	named   []*object // parameters, of all operations
	in      []int     // how many operations need each
	ops     int
	content *object // by content type: *media
	needed  bool    // every operation needs its body
	bodies  int
}

// params adds an operation's parameters.
func (a *asking) params(item, n *yamldoc.Node) {
	a.ops++
	for _, from := range []*yamldoc.Node{item.Get("parameters"), n.Get("parameters")} {
		if from == nil {
			continue
		}
		for _, p := range from.Items {
			a.param(a.book.deref(p, "parameters"))
		}
	}
}

func (a *asking) param(n *yamldoc.Node) {
	name, in := textOf(n.Get("name")), textOf(n.Get("in"))
	if in == "path" && a.renamed[name] != "" {
		name = a.renamed[name]
	}
	needed := in == "path" || isTrue(n.Get("required"))
	for i, p := range a.named {
		if p.values["name"] == name && p.values["in"] == in {
			if needed {
				a.in[i]++
			}
			return
		}
	}
	p := obj("name", name, "in", in)
	p.say("description", textOf(n.Get("description")))
	if isTrue(n.Get("deprecated")) {
		p.set("deprecated", true)
	}
	p.set("schema", a.book.schema(n.Get("schema"), true))
	examples := obj()
	a.book.examples(n, n.Get("schema"), "", func(name string, v any) {
		examples.set(name, obj("value", v))
	})
	switch {
	case len(examples.keys) == 1 && examples.has("example"):
		p.set("example", examples.values["example"].(*object).values["value"])
	case len(examples.keys) > 0:
		p.set("examples", examples)
	}
	count := 0
	if needed {
		count = 1
	}
	a.named, a.in = append(a.named, p), append(a.in, count)
}

// body adds an operation's body.
func (a *asking) body(op *contract.Operation, n *yamldoc.Node) {
	body := a.book.deref(n.Get("requestBody"), "requestBodies")
	if body == nil {
		a.needed = false
		return
	}
	a.bodies++
	a.needed = a.needed && isTrue(body.Get("required"))
	for _, e := range entriesOf(body.Get("content")) {
		m := (&answer{media: a.content}).of(e.Key.Text)
		schema := a.book.schema(e.Value.Get("schema"), true)
		if a.several {
			if schema.has("$ref") {
				schema = obj("title", op.ID, "allOf", list{schema})
			} else {
				schema.set("title", op.ID)
			}
		}
		m.schemas = append(m.schemas, schema)
		a.book.examples(e.Value, e.Value.Get("schema"), "", func(name string, v any) {
			if a.several {
				name = op.ID + ": " + name
			}
			m.example(name, v)
		})
	}
}

// write writes what was collected.
func (a *asking) write(o *object) {
	params := list{}
	for i, p := range a.named {
		switch {
		case a.in[i] == a.ops:
			p.set("required", true)
		case a.several: // what tells one of them apart is not to be filled in for all
			p.drop("example")
			p.drop("examples")
		}
		params = append(params, p)
	}
	if len(params) > 0 {
		o.set("parameters", params)
	}
	if a.bodies == 0 {
		return
	}
	content := obj()
	for _, t := range a.content.keys {
		content.set(t, a.content.values[t].(*media).object("oneOf"))
	}
	body := obj("content", content)
	if a.needed {
		body.set("required", true)
	}
	o.set("requestBody", body)
}

// answers adds an operation's documented answers, and its documented failures among them.
func (k *book) answers(a *answers, op *contract.Operation, n *yamldoc.Node, several bool) {
	label := func(name string) string {
		if several {
			return op.ID + ": " + name
		}
		return name
	}
	for _, e := range entriesOf(n.Get("responses")) {
		status, err := strconv.Atoi(e.Key.Text)
		if err != nil {
			continue
		}
		r := k.deref(e.Value, "responses")
		at := a.at(status)
		at.told = true
		at.say(textOf(r.Get("description")))
		if len(at.says) == 0 {
			at.say(http.StatusText(status) + ".")
		}
		for _, c := range entriesOf(r.Get("content")) {
			m := at.of(c.Key.Text)
			m.fits(k.schema(c.Value.Get("schema"), false))
			k.examples(c.Value, c.Value.Get("schema"), "", func(name string, v any) { m.example(label(name), v) })
		}
	}
	failures := entriesOf(n.Get("x-emenda-failures"))
	if len(failures) == 0 {
		return
	}
	// What the backend says no with is documented without a status: it comes as its good answers do.
	at := a.at(http.StatusOK)
	at.told = true
	at.say("A no of the backend may come with this status, too.")
	m := at.of("application/json")
	m.fits(obj("type", "object", "description", "The backend's no."))
	k.named(n.Get("x-emenda-failures"), nil, "", func(name string, v any) { m.example(label(name), v) })
}
