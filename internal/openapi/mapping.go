package openapi

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// mostExamples is how many examples of one thing a mapping's tests give.
const mostExamples = 4

// plainName spells the name of a mapping as operations and schemas are named.
var plainName = strings.NewReplacer("/", ".", "{", "", "}", "")

// route writes what a mapping offers: an operation for each of its paths and methods.
func (b *builder) route(r *mapping.Route) {
	d, p := r.Dialect, r.Plan
	b.tag(d.Name, dialectSummary(d))
	in := b.input(r)
	replies := b.replies(r)
	id := plainName.Replace(p.Name)
	if r.Replaces != nil {
		id = r.Replaces.ID
	}
	for i, prefix := range d.Prefixes {
		path := spelled(d, strings.TrimSuffix(prefix, "/")+"/"+strings.Trim(r.Path, "/"))
		for j, method := range r.Methods {
			name := id
			if j > 0 {
				name += "." + strings.ToLower(method)
			}
			if i > 0 {
				name += "." + componentName(strings.Trim(strings.ReplaceAll(prefix, "/", "_"), "_"))
			}
			b.place(path, method, func(renamed map[string]string) *object {
				op := obj("tags", list{d.Name}, "operationId", b.id(name))
				op.say("summary", p.Summary)
				if r.Repeat != nil {
					op.say("description", "The same request again, within "+spell(r.Repeat.For)+", is answered as the first one was; nothing is sent twice.")
				}
				in.ask(op, method, renamed)
				op.set("responses", replies)
				op.set("security", b.signIn(d, nil))
				return op
			})
		}
	}
}

// spell spells a duration as people do: 2m, not 2m0s.
func spell(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// input is what a mapping takes.
type input struct {
	d        *mapping.Dialect
	path     map[string]bool // the names in the path
	fields   []*inputField
	schema   *object // a reference, of a body; nil: a body would hold nothing
	required bool    // a field of a body is
	examples *object // of bodies
}

type inputField struct {
	*mapping.InputField
	name   string // as it is sent
	schema *object
}

func (b *builder) input(r *mapping.Route) *input {
	in := &input{d: r.Dialect, path: map[string]bool{}, examples: obj()}
	_, names := bareOf(r.Path)
	for _, n := range names {
		in.path[n] = true
	}
	body := obj("type", "object")
	properties, required := body.within("properties"), list{}
	requests := b.requests(r)
	var root *yamldoc.Node
	if r.Plan.File != nil {
		root, _ = yamldoc.Parse(r.Plan.File)
	}
	for _, f := range r.Plan.Input.Fields {
		one := &inputField{InputField: f, name: sentAs(f, in.path), schema: fieldSchema(f, root.Get("input").Get(f.Name))}
		in.fields = append(in.fields, one)
		if in.path[one.name] {
			continue
		}
		if v := exampleOf(requests, one); v != nil && !f.Secret {
			one.schema.set("examples", list{v})
		}
		properties.set(one.name, one.schema)
		if f.Required {
			required = append(required, one.name)
			in.required = true
		}
	}
	for i := range r.Dialect.SignIn {
		if p := &r.Dialect.SignIn[i]; p.Place == mapping.PlaceBody {
			properties.set(p.Token, obj("type", "string", "format", "password", "writeOnly", true, "description", "The caller's token, unless it stands elsewhere."))
			if p.App != "" {
				properties.set(p.App, obj("type", "string", "description", "The caller's application, with the token."))
			}
		}
	}
	if len(required) > 0 {
		body.set("required", required)
	}
	if len(properties.keys) > 0 {
		in.schema = b.intern("schemas", b.schemas, plainName.Replace(r.Plan.Name), body)
	}
	if doc := r.Plan.Input.Document; doc != nil {
		b.whole(in, doc, requests)
		return in
	}
	for _, q := range requests {
		v, whole := obj(), true
		for _, f := range in.fields {
			if in.path[f.name] || f.Secret {
				continue
			}
			if x := q.get(f); x != nil {
				v.set(f.name, x)
			} else if f.Required {
				whole = false
			}
		}
		if whole && len(in.examples.keys) < mostExamples && len(v.keys) > 0 {
			in.examples.set(q.name, obj("value", v))
		}
	}
	return in
}

// sentAs gives the name a field is sent under: the path's, else the preferred one.
func sentAs(f *mapping.InputField, path map[string]bool) string {
	for _, n := range f.Names {
		if path[n] {
			return n
		}
	}
	if len(f.Names) > 0 {
		return f.Names[0]
	}
	return f.Name
}

// ask writes parameters and body of an operation.
func (in *input) ask(op *object, method string, renamed map[string]string) {
	params := list{}
	hasBody := method != http.MethodGet && method != http.MethodDelete &&
		slices.ContainsFunc(in.d.Read, func(k mapping.ReadKind) bool { return k != mapping.ReadQuery })
	query := !hasBody && slices.Contains(in.d.Read, mapping.ReadQuery)
	known := map[string]bool{}
	for _, f := range in.fields {
		switch {
		case in.path[f.name]:
			known[f.name] = true
			params = append(params, obj("name", renamed[f.name], "in", "path", "required", true, "schema", f.schema))
		case query && !f.nested():
			p := obj("name", f.name, "in", "query")
			if f.Required {
				p.set("required", true)
			}
			p.set("schema", f.schema)
			params = append(params, p)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in.path)) { // what the mapping does not read must be there all the same
		if !known[name] {
			params = append(params, obj("name", renamed[name], "in", "path", "required", true, "schema", obj("type", "string")))
		}
	}
	if len(params) > 0 {
		op.set("parameters", params)
	}
	if !hasBody || in.schema == nil {
		return
	}
	content := obj()
	for _, k := range in.d.Read {
		m := obj("schema", in.schema)
		switch k {
		case mapping.ReadForm:
			content.set("application/x-www-form-urlencoded", m)
		case mapping.ReadMultipart:
			content.set("multipart/form-data", m)
		case mapping.ReadJSON:
			if len(in.examples.keys) > 0 {
				m.set("examples", in.examples)
			}
			content.set("application/json", m)
		}
	}
	body := obj("content", content)
	if in.required {
		body.set("required", true)
	}
	op.set("requestBody", body)
}

// nested tells whether a field holds what no query can.
func (f *inputField) nested() bool {
	return len(f.Fields) > 0 || f.Items != nil && (f.Items.List || len(f.Items.Fields) > 0) || f.Type != nil && f.Type.Kind == expr.ObjectType
}

// fieldSchema tells what a field of the input must be. n is what its file says of it; nil: nothing.
func fieldSchema(f *mapping.InputField, n *yamldoc.Node) *object {
	s := obj()
	switch f.Type.Kind {
	case expr.NumberType:
		if s.set("type", "number"); f.Type.Integer {
			s.set("type", "integer")
		}
	case expr.BoolType:
		s.set("type", "boolean")
	case expr.TextType:
		s.set("type", "string")
	case expr.ListType:
		s.set("type", "array")
		if f.Items != nil {
			s.set("items", fieldSchema(f.Items, n.Get("items")))
		} else {
			s.set("items", obj())
		}
	case expr.ObjectType:
		s.set("type", "object")
		required := list{}
		for _, g := range f.Fields {
			name := sentAs(g, nil)
			s.within("properties").set(name, fieldSchema(g, n.Get("properties").Get(g.Name)))
			if g.Required {
				required = append(required, name)
			}
		}
		if len(required) > 0 {
			s.set("required", required)
		}
	}
	if f.Format != nil {
		s.set("format", f.Format.Name)
		s.say("description", f.Format.Help)
		if f.Format.Example != "" && !f.Secret {
			s.set("examples", list{f.Format.Example})
		}
	}
	if len(f.Enum) > 0 {
		all := list{}
		for _, e := range f.Enum {
			if f.Type.Kind == expr.NumberType {
				all = append(all, raw(e))
			} else {
				all = append(all, e)
			}
		}
		s.set("enum", all)
	}
	if p := n.Get("pattern"); p != nil && p.Kind == yamldoc.Text {
		s.set("pattern", p.Text)
	}
	if f.Min != nil {
		s.set("minimum", raw(f.Min.Append(nil)))
	}
	if f.Max != nil {
		s.set("maximum", raw(f.Max.Append(nil)))
	}
	if f.MinLength > 0 {
		s.set("minLength", raw(strconv.Itoa(f.MinLength)))
	}
	if f.MaxLength > 0 {
		s.set("maxLength", raw(strconv.Itoa(f.MaxLength)))
	}
	if f.Default.Kind() != jsonx.Absent && !f.Secret {
		if v, ok := fromJSON(f.Default.AppendJSON(nil)); ok {
			s.set("default", v)
		}
	}
	if len(f.Names) > 1 {
		s.add("description", "Also taken: "+strings.Join(f.Names[1:], ", ")+".")
	}
	if f.Echo {
		s.add("description", "Sent back as it came.")
	}
	if f.Secret {
		s.set("writeOnly", true)
		if !s.has("format") {
			s.set("format", "password")
		}
	}
	return s
}

// request is a request that a mapping's tests show.
type request struct {
	name string
	node *yamldoc.Node
}

// get gives what a field has in the request, in its own kind; nil for nothing.
func (q *request) get(f *inputField) any {
	for _, name := range append([]string{f.name}, f.Names...) {
		n := q.node.Get(name)
		if n == nil {
			continue
		}
		if n.Kind == yamldoc.Text && f.Type.Kind == expr.NumberType {
			if _, ok := jsonx.ParseDecimal(n.Text); ok && !strings.HasPrefix(n.Text, "0") {
				return raw(n.Text)
			}
			return nil
		}
		if n.Kind == yamldoc.Number && f.Type.Kind == expr.TextType {
			return n.Text
		}
		return fromNode(n)
	}
	return nil
}

// requests gives the requests of a mapping's tests that were answered with its own replies.
func (b *builder) requests(r *mapping.Route) (all []request) {
	for _, file := range b.o.Set.Tests {
		if file.Route != r {
			continue
		}
		for _, t := range file.Tests {
			if t.Request == nil || t.Reply == nil || t.Reply.Status >= 400 || len(t.Upstream) == 0 && len(r.Plan.Steps) > 0 {
				continue
			}
			for _, n := range []*yamldoc.Node{t.Request.JSON, t.Request.Form, t.Request.Multipart} {
				if n != nil && n.Kind == yamldoc.Map {
					all = append(all, request{t.Name, n})
					break
				}
			}
		}
	}
	return all
}

func exampleOf(all []request, f *inputField) any {
	for i := range all {
		if v := all[i].get(f); v != nil {
			return v
		}
	}
	return nil
}

// replies writes what a mapping answers, its own replies and the dialect's failures.
func (b *builder) replies(r *mapping.Route) *object {
	a := &answers{}
	for _, reply := range r.Plan.Replies {
		at := a.at(reply.Status)
		at.told = true
		at.say(http.StatusText(reply.Status) + ".")
		switch {
		case reply.JSON != nil:
			at.of(bareType(reply.Type)).fits(typeSchema(reply.JSON.Type, 0))
		case reply.Text != nil:
			at.of(bareType(reply.Type)).fits(obj("type", "string"))
		case reply.Patch != nil:
			at.of(bareType(reply.Type)).fits(obj("type", "object"))
		}
	}
	for _, file := range b.o.Set.Tests {
		if file.Route != r {
			continue
		}
		for _, t := range file.Tests {
			b.replyExample(a, t)
		}
	}
	b.failures(a, r.Dialect, r.Errors, kindsOf(r), firstField(r))
	return b.answersObject(r.Dialect, a)
}

// replyExample adds what a test expects, where it says all of it.
func (b *builder) replyExample(a *answers, t *mapping.Test) {
	if t.Reply == nil {
		return
	}
	status := t.Reply.Status
	if status == 0 {
		status = http.StatusOK
	}
	at := a.byStatus[status]
	if at == nil || len(at.media.keys) == 0 {
		return
	}
	m := at.media.values[at.media.keys[0]].(*media)
	isJSON := strings.HasSuffix(at.media.keys[0], "json")
	switch {
	case len(m.examples.keys) >= mostExamples:
	case t.Reply.JSON != nil && isJSON:
		if v, ok := fromJSON(mapping.ConstantJSON(t.Reply.JSON)); ok {
			m.example(t.Name, v)
		}
	case t.Reply.Text != nil && isJSON:
		if v, ok := fromJSON([]byte(*t.Reply.Text)); ok {
			m.example(t.Name, v)
		}
	case t.Reply.Text != nil:
		m.example(t.Name, *t.Reply.Text)
	}
}

// kindsOf gives the kinds of failures a mapping may be answered with.
func kindsOf(r *mapping.Route) []mapping.ErrorKind {
	p := r.Plan
	uses := usesOf(p, map[*mapping.Plan]bool{})
	kinds := []mapping.ErrorKind{mapping.Unreadable, mapping.NotSignedIn, mapping.BadSignIn, mapping.Forbidden, mapping.Limited, mapping.TooLarge, mapping.BadInput}
	if r.Repeat != nil {
		kinds = append(kinds, mapping.RepeatDiffers)
	}
	if len(p.Steps) > 0 {
		kinds = append(kinds, mapping.KindRefused)
	}
	if uses.calls {
		kinds = append(kinds, mapping.KindFailed, mapping.KindTimeout)
	}
	kinds = append(kinds, mapping.KindUnavailable)
	if r.Repeat != nil || uses.store {
		kinds = append(kinds, mapping.StoreDown)
	}
	return append(kinds, mapping.Internal)
}

// uses tells what a plan needs besides itself.
type uses struct{ calls, store bool }

func usesOf(p *mapping.Plan, seen map[*mapping.Plan]bool) (u uses) {
	if seen[p] {
		return u
	}
	seen[p] = true
	for _, s := range p.Steps {
		u.store = u.store || s.Claim != nil || s.Changes
		for _, c := range s.Cases {
			switch c.Action {
			case mapping.DoCall:
				u.calls = true
			case mapping.DoRecall, mapping.DoRemember:
				u.store = true
			case mapping.DoFlow:
				in := usesOf(c.Call.Flow, seen)
				u.calls, u.store = u.calls || in.calls, u.store || in.store
			}
		}
	}
	return u
}

// firstField names the first field that must be there, to say in an example.
func firstField(r *mapping.Route) string {
	for _, f := range r.Plan.Input.Fields {
		if f.Required {
			return sentAs(f, nil)
		}
	}
	return "field"
}
