package contract

import (
	"math"
	"slices"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

const (
	ruleCondition   = "contract-condition"
	ruleNames       = "contract-names"
	ruleCredentials = "contract-credentials"
	ruleCacheable   = "contract-cacheable"
)

// Facts are what a contract says of an operation besides how it is called and
// what its answers mean: for those who offer it whole.
type Facts struct {
	Summary string
	Tags    []string // its own, else its section
	// Variants are all operations of its method and path, in the order they are
	// asked; nil when it is the only one. See Variant.
	Variants     []*Operation
	When         *expr.Condition // it is this variant, if none before it is; nil without variants
	BodySchema   *Schema         // nil: no body
	AnswerSchema *Schema         // of a good answer; nil when nothing is said of it
	RequiredWhen []RequiredWhen  // see Missing
	Secrets      []Place         // what never shows, in requests and answers; nothing inside one of them is listed
	Names        []Naming        // what names a thing that belongs to somebody
	Files        []File          // base64 texts of bounded size
	Credentials  *Credentials    // an end customer's, in the body
	Cacheable    time.Duration   // how long an answer may be kept for all; 0: it may not
	Exchanges    []*Exchange     // as documented, in the order of the contract

	paramChecks []*check // in the order of Params
	bodyCheck   *check
	bodyNode    *yamldoc.Node
	bodies      []example
	asks        *requestScope
	when        *requestScope
}

// Place is where a value stands.
type Place struct {
	In   In
	Path []string // a parameter's name, or the way into a body; "*" is every element of a list
}

// Naming says that a value names a thing of a kind.
type Naming struct {
	Place
	Kind string // one of Contract.Objects
}

// File is a base64 text.
type File struct {
	Place
	MaxBytes int64 // when decoded
	Most     int   // how many there may be; -1: not said
}

// Credentials are the fields of the body that say which end customer calls.
type Credentials struct{ User, Password string }

// RequiredWhen is a field of the body that must be there when a condition holds.
type RequiredWhen struct {
	Path []string // see Place
	When *expr.Condition
}

// requestScope is the frame of conditions over a request.
type requestScope struct {
	layout      *expr.Layout
	body, query int
	fitBody     *fitting
	fitQuery    *fitting
}

func (l *loader) requestScope(body, query *expr.Type) (*expr.Scope, *requestScope) {
	layout := &expr.Layout{}
	rs := &requestScope{layout: layout, body: layout.NewSlot(), query: layout.NewSlot(), fitBody: fittingOf(body), fitQuery: fittingOf(query)}
	s := expr.NewScope(layout, l.fns, nil)
	for _, n := range []*expr.Name{{Name: "body", Type: body, Slot: rs.body}, {Name: "query", Type: query, Slot: rs.query}} {
		if err := s.Define(n); err != nil {
			// Only a plugin function of that name can be in the way.
			l.list.Errorf(l.root.FirstLine(), ruleCondition, "%s", err)
		}
	}
	return s, rs
}

// frame gives a frame for conditions over a request.
func (rs *requestScope) frame(query, body jsonx.Value) *expr.Frame {
	f := expr.NewFrame(rs.layout, time.Time{}, nil)
	f.Set(rs.body, rs.fitBody.fit(f.Arena, body))
	f.Set(rs.query, rs.fitQuery.fit(f.Arena, query))
	return f
}

// Missing gives the fields that must be there because of a condition
// (x-emenda-required-when) and are not. query is an object of the query's
// parameters; texts for numbers, and blank texts for none, are fine in both.
func (o *Operation) Missing(query, body jsonx.Value) []Place {
	if len(o.RequiredWhen) == 0 {
		return nil
	}
	f := o.asks.frame(query, body)
	defer f.Release()
	var all []Place
	for _, r := range o.RequiredWhen {
		holds := r.When.Holds(f)
		f.Clear() // one that cannot be told does not hold
		if holds && lacks(body, r.Path) {
			all = append(all, Place{InBody, r.Path})
		}
	}
	return all
}

// lacks tells whether what path leads to is not there, or blank, in v or in an
// element of it.
func lacks(v jsonx.Value, path []string) bool {
	switch {
	case len(path) == 0:
		return v.None() || v.Kind() == jsonx.String && blank(v.Text())
	case path[0] != "*":
		return lacks(v.Get(path[0]), path[1:])
	case v.Kind() == jsonx.Array:
		for it := v.Iter(); it.Next(); {
			if lacks(it.Value(), path[1:]) {
				return true
			}
		}
	}
	return false
}

func blank(s string) bool {
	for i := range len(s) {
		if s[i] != ' ' && s[i] != '\t' {
			return false
		}
	}
	return true
}

// Variant gives which of the operations of its method and path a request is
// meant for: the first whose condition holds, nil when none does. query is an
// object of the query's parameters as texts, body what was received.
func (o *Operation) Variant(query, body jsonx.Value) *Operation {
	if o.Variants == nil {
		return o
	}
	for _, v := range o.Variants {
		if v.When == nil {
			continue
		}
		f := v.when.frame(query, body)
		holds := v.When.Holds(f)
		f.Release()
		if holds {
			return v
		}
	}
	return nil
}

// variants reads several operations of one method and path.
func (l *loader) variants(method string, path []segment, item, m yamldoc.Entry, rules []*rule) {
	var all []*Operation
	if !slices.Contains(methods, m.Key.Text) {
		return // Check has said so
	}
	if have := items(m.Value); len(have) == 1 {
		l.list.Errorf(m.Key.Span, ruleOperation, "one operation alone needs no telling apart").Help = "write it under " + m.Key.Text + ", without when"
	}
	for _, n := range items(m.Value) {
		if n.Kind != yamldoc.Map {
			continue
		}
		op := l.operation(method, path, item, n, rules)
		all = append(all, op)
		when := n.Get("when")
		if when == nil {
			l.list.Errorf(n.FirstLine(), "missing-key", `"when" is missing`).Help = "say by query or body when a request is meant for this operation"
		}
		if when == nil || when.Kind != yamldoc.Text && when.Kind != yamldoc.Bool {
			continue
		}
		var list diag.List
		var scope *expr.Scope
		scope, op.when = l.requestScope(&expr.Type{Null: true}, &expr.Type{Null: true})
		op.When, list = expr.CompileCondition(when, scope)
		l.list.Add(list)
	}
	if len(all) == 0 {
		return
	}
	l.answersTo(all[0], m.Key)
	for _, op := range all {
		op.Variants = all
	}
	if l.list.HasErrors() {
		return
	}
	for _, op := range all {
		for _, ex := range op.Exchanges {
			if !ex.Whole {
				continue
			}
			switch meant := op.Variant(op.query(ex.Params), jsonx.RawValue(string(ex.Body))); meant {
			case op:
			case nil:
				l.list.Errorf(ex.at, ruleExample, "the example is taken for none of the variants").Help = "its own when does not hold"
			default:
				l.list.Errorf(ex.at, ruleExample, "the example is taken for another variant, %s", meant.ID).Help = "the first whose when holds is meant"
			}
		}
	}
}

// query gives parameters of the query as an object.
func (o *Operation) query(params []jsonx.Value) jsonx.Value {
	text := []byte{'{'}
	for i, p := range o.Params {
		if p.In != InQuery || params[i].None() {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(jsonx.AppendQuoted(text, p.Name), ':')
		text = params[i].AppendJSON(text)
	}
	return jsonx.RawValue(string(append(text, '}')))
}

// good gives the rules that come after all others: what fulfils n is good, and
// any other answer of status 2xx is not known to be.
func (l *loader) good(op *Operation, n *yamldoc.Node) []*rule {
	if n == nil || n.Kind != yamldoc.Text {
		return nil
	}
	scope, _ := l.newScope(&expr.Type{Null: true}, false)
	_, list := expr.CompileCondition(n, scope)
	l.list.Add(list)
	if list.HasErrors() {
		return nil
	}
	lost := Failed
	if op.Changes {
		lost = Unknown
	}
	scope, rs := l.newScope(&expr.Type{Null: true}, true)
	fulfils := &rule{scope: rs, reads: true, state: OK}
	other := &rule{scope: rs, state: lost, class: ClassBadAnswer}
	const success = "status >= 200 and status < 300"
	fulfils.when, _ = expr.CompileCondition(&yamldoc.Node{Kind: yamldoc.Text, Text: "(" + n.Text + ") and " + success, Span: n.Span}, scope)
	other.when, _ = expr.CompileCondition(&yamldoc.Node{Kind: yamldoc.Text, Text: success, Span: n.Span}, scope)
	fulfils.needs = membersOf("answer", condTrue(fulfils.when))
	return []*rule{fulfils, other}
}

// objects reads the kinds of things that fields name.
func (l *loader) objects(n *yamldoc.Node) {
	for _, e := range entries(n) {
		if !className.MatchString(e.Key.Text) {
			l.list.Errorf(e.Key.Span, ruleNames, "%q is no name for a kind of thing", short(e.Key.Text)).Help = "use lower-case letters, digits and _"
		}
		l.c.Objects = append(l.c.Objects, e.Key.Text)
	}
}

// facts reads what n says besides; everything else of op has been read.
func (l *loader) facts(op *Operation, item yamldoc.Entry, n *yamldoc.Node) {
	op.Summary = word(n.Get("summary"))
	for _, t := range items(n.Get("tags")) {
		op.Tags = append(op.Tags, t.Text)
	}
	if section := l.sections[item.Value]; section != "" && op.Tags == nil {
		op.Tags = []string{section}
	}
	if l.read > maxSchemas {
		return // which has been told
	}
	for _, p := range op.Params {
		if p.Schema != nil {
			l.places(op, p.In, []string{p.Name}, p.Schema, 1)
		}
	}
	if op.BodySchema != nil {
		l.places(op, InBody, nil, op.BodySchema, 1)
		l.conditions(op)
	}
	if op.AnswerSchema != nil {
		l.places(op, InAnswer, nil, op.AnswerSchema, 1)
	}
	l.credentials(op, n.Get("x-emenda-credentials"))
	l.cacheable(op, n)
	l.exchanges(op, n.Get("responses"))
	l.failures(op, n.Get("x-emenda-failures"))
}

// places notes what is secret, what names something and what is a file in s,
// of which there are as many as most says: -1 when nothing says it.
func (l *loader) places(op *Operation, in In, path []string, s *Schema, most int) {
	at := Place{in, slices.Clone(path)}
	if s.Names != "" {
		op.Names = append(op.Names, Naming{at, s.Names})
	}
	if s.MaxBytes > 0 {
		op.Files = append(op.Files, File{at, s.MaxBytes, most})
	}
	if s.Secret {
		op.Secrets = append(op.Secrets, at)
		return
	}
	if s.Items != nil {
		way := path
		if in == InBody || in == InAnswer {
			way = append(path, "*")
		}
		l.places(op, in, way, s.Items, times(most, s.Elements.Most))
	}
	for i := range s.Fields {
		l.places(op, in, append(path, s.Fields[i].Name), s.Fields[i].Schema, most)
	}
	for _, a := range slices.Concat(s.AnyOf, s.OneOf) {
		l.places(op, in, path, a, most)
	}
}

// times multiplies two counts; what is not said stays so, and what is more
// than anybody counts is not said.
func times(a, b int) int {
	if a < 0 || b < 0 || b > 0 && a > math.MaxInt32/b {
		return -1
	}
	return a * b
}

// conditions compiles what is required under a condition.
func (l *loader) conditions(op *Operation) {
	var scope *expr.Scope
	var visit func(path []string, s *Schema)
	visit = func(path []string, s *Schema) {
		if s.Items != nil {
			visit(append(path, "*"), s.Items)
		}
		for i := range s.Fields {
			f := &s.Fields[i]
			way := append(path, f.Name)
			visit(way, f.Schema)
			if f.when == nil || f.when.Kind != yamldoc.Text {
				continue
			}
			l.whens[f.when] = true
			if f.Required {
				l.list.Errorf(f.when.Span, ruleCondition, "%s is always required", short(f.Name))
				continue
			}
			if scope == nil {
				scope, op.asks = l.requestScope(missing(l.typeOf(op.bodyNode, false, op.name)), op.queryType())
			}
			when, list := expr.CompileCondition(f.when, scope)
			l.list.Add(list)
			if list.HasErrors() {
				continue
			}
			op.RequiredWhen = append(op.RequiredWhen, RequiredWhen{slices.Clone(way), when})
		}
	}
	visit(nil, op.BodySchema)
}

// queryType is what is known of the query's parameters.
func (o *Operation) queryType() *expr.Type {
	t := &expr.Type{Kind: expr.ObjectType, Fields: map[string]*expr.Field{}}
	for _, p := range o.Params {
		if p.In == InQuery {
			t.Fields[p.Name] = &expr.Field{Type: p.Type, Required: p.Required}
			t.Order = append(t.Order, p.Name)
			if !p.Required {
				t.Fields[p.Name].Type = p.Type.Nullable()
			}
		}
	}
	return t
}

func (l *loader) credentials(op *Operation, n *yamldoc.Node) {
	if n == nil || n.Kind != yamldoc.Map {
		return
	}
	c := &Credentials{User: word(n.Get("user")), Password: word(n.Get("password"))}
	for _, k := range []string{"user", "password"} {
		name := n.Get(k)
		if word(name) == "" {
			continue
		}
		var f *Property
		var names []string
		if op.BodySchema != nil {
			f = op.BodySchema.Property(name.Text)
			names = op.Body.Order
		}
		switch {
		case f == nil:
			d := l.list.Errorf(name.Span, ruleCredentials, "the body has no field %s", short(name.Text))
			if near := diag.Suggest(name.Text, names); near != "" {
				d.Help = "did you mean " + near + "?"
			}
		case k == "password" && !f.Schema.Secret:
			l.list.Errorf(name.Span, ruleCredentials, "%s is a password, and the schema does not say that it is secret", short(name.Text)).Help = "add x-emenda-secret: true to it"
		}
	}
	op.Credentials = c
}

func (l *loader) cacheable(op *Operation, n *yamldoc.Node) {
	c := n.Get("x-emenda-cacheable")
	if c == nil || c.Kind != yamldoc.Text {
		return
	}
	d, err := yamldoc.ParseDuration(c.Text)
	if err != nil {
		return // Check has said so
	}
	at := n.KeyOf("x-emenda-cacheable").Span
	switch {
	case op.Changes:
		l.list.Errorf(at, ruleCacheable, "what changes something is not answered from memory")
	case op.Credentials != nil || len(op.Secrets) > 0:
		l.list.Errorf(at, ruleCacheable, "what is secret is not kept for others")
	case len(op.Names) > 0 && slices.ContainsFunc(op.Names, func(n Naming) bool { return n.In != InAnswer }):
		l.list.Errorf(at, ruleCacheable, "it is asked about somebody's own, which is not kept for others")
	}
	op.Cacheable = d
}

// misplaced tells of conditions that nothing asks.
func (l *loader) misplaced() {
	for n, asked := range l.whens {
		if !asked {
			l.list.Errorf(n.Span, ruleCondition, "x-emenda-required-when has an effect only on fields of request bodies")
		}
	}
}
