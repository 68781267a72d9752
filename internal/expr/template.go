package expr

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// tpl is a compiled node of a template.
type tpl struct {
	typ      *Type
	constant bool
	json     string // of a constant
	val      jsonx.Value
	eval     evalFunc // the value, when it is not made of parts
	parts    []part   // else its JSON
	optional bool     // may give nothing, and then drops its key or element
	yes, no  []Fact
}

// part is literal JSON text, then what emit appends.
type part struct {
	text string
	emit emitFunc
}

type emitFunc = func(dst []byte, f *Frame) []byte

// constantTpl is a template of fixed JSON text.
func constantTpl(t *Type, json string) *tpl {
	out := &tpl{typ: t, constant: true, json: json}
	if json != "" {
		out.val = jsonx.RawValue(json).Clone() // with an index
	}
	return out
}

// broken is what a faulty template gives.
func broken() *tpl { return &tpl{typ: anyType, eval: nothing().eval} }

// append appends the value as JSON; nothing when there is none.
func (t *tpl) append(dst []byte, f *Frame) []byte {
	switch {
	case t.constant:
		return append(dst, t.json...)
	case t.parts != nil:
		for i := range t.parts {
			p := &t.parts[i]
			dst = append(dst, p.text...)
			if p.emit == nil {
				continue
			}
			dst = p.emit(dst, f)
			if f.err != nil {
				return dst
			}
		}
		return dst
	}
	return t.eval(f).AppendJSON(dst)
}

// value gives the value.
func (t *tpl) value(f *Frame) jsonx.Value {
	switch {
	case t.constant:
		return t.val
	case t.eval != nil:
		return t.eval(f)
	}
	b := t.append(f.buffer(), f)
	if f.err != nil || len(b) == 0 {
		f.unbuffer(b)
		return jsonx.Value{}
	}
	v := f.Arena.Index(f.stable(b))
	f.unbuffer(b)
	return v
}

// pieces gives t as parts, to stand inside another template's.
func (t *tpl) pieces() []part {
	switch {
	case t.constant:
		return []part{{text: t.json}}
	case t.parts != nil:
		return t.parts
	}
	return []part{{emit: func(dst []byte, f *Frame) []byte { return t.eval(f).AppendJSON(dst) }}}
}

// parts under construction; runs of literal text are fused.
type partList []part

func (l *partList) text(s string) {
	if n := len(*l); n > 0 && (*l)[n-1].emit == nil {
		(*l)[n-1].text += s
		return
	}
	*l = append(*l, part{text: s})
}

func (l *partList) emit(e emitFunc) {
	if n := len(*l); n > 0 && (*l)[n-1].emit == nil {
		(*l)[n-1].emit = e
		return
	}
	*l = append(*l, part{emit: e})
}

func (l *partList) add(parts []part) {
	for _, p := range parts {
		if p.text != "" {
			l.text(p.text)
		}
		if p.emit != nil {
			l.emit(p.emit)
		}
	}
}

// items puts commas between members, some of which may be dropped.
type items struct {
	partList
	any  bool // something may stand before
	sure bool // something stands before
}

// comma appends a comma unless the container was just opened.
func comma(dst []byte, _ *Frame) []byte {
	switch dst[len(dst)-1] {
	case '{', '[':
		return dst
	}
	return append(dst, ',')
}

// add adds a member: head is its key with colon, or empty in a list.
func (m *items) add(head string, t *tpl) {
	if !t.optional {
		switch {
		case m.sure:
			m.text("," + head)
		case m.any:
			m.emit(comma)
			m.text(head)
		default:
			m.text(head)
		}
		m.partList.add(t.pieces())
		m.any, m.sure = true, true
		return
	}
	m.any = true
	m.emit(func(dst []byte, f *Frame) []byte {
		from := len(dst)
		dst = append(comma(dst, f), head...)
		begin := len(dst)
		dst = t.append(dst, f)
		if len(dst) == begin {
			return dst[:from]
		}
		return dst
	})
}

// done gives the parts between the brackets as a template.
func (m *items) done(t *Type, open, closing string) *tpl {
	var all partList
	all.text(open)
	all.add(m.partList)
	all.text(closing)
	out := &tpl{typ: t, parts: all}
	if len(all) == 1 && all[0].emit == nil {
		return constantTpl(t, all[0].text)
	}
	return out
}

// place is where a template's node stands, and what must fit there.
type place struct {
	typ     *Type
	path    string // in the target: "client.code"
	top     bool
	partial bool // a part of $merge: required fields may come from other parts
	inList  bool
}

func (p place) field(name string, t *Type) place {
	if p.path != "" {
		name = p.path + "." + name
	}
	return place{typ: t, path: name}
}

func (p place) element() place {
	var t *Type
	if p.typ != nil && p.typ.Kind == ListType {
		t = p.typ.Elem
	}
	return place{typ: t, path: p.path + "[]", inList: true}
}

// builder compiles one template.
type builder struct {
	diags  *diag.List
	uses   *[]Use
	target Target
}

// subject names a place of the target in messages.
func (b *builder) subject(p place) string {
	what := b.target.What
	if what == "" {
		what = "the value"
	}
	if p.path == "" {
		return what
	}
	if b.target.What == "" {
		return p.path
	}
	return p.path + " in " + what
}

// compile compiles node n for place p.
func (b *builder) compile(n *yamldoc.Node, s *Scope, p place) *tpl {
	if n == nil {
		return broken()
	}
	switch n.Kind {
	case yamldoc.Map:
		return b.object(n, s, p)
	case yamldoc.List:
		return b.list(n, s, p)
	case yamldoc.Text:
		return b.scalar(n, s, p)
	}
	return b.plain(n, p)
}

// plain compiles a scalar without quotes that is no text.
func (b *builder) plain(n *yamldoc.Node, p place) *tpl {
	switch n.Kind {
	case yamldoc.Bool:
		return b.constant(n, boolType, jsonx.BoolValue(n.Text == "true"), p)
	case yamldoc.Number:
		if !jsonx.IsNumber(n.Text) {
			b.diags.Errorf(n.Span, "number", "%s is no JSON number", n.Text).Help = "as text it stands in quotes"
			return broken()
		}
		t := numberType
		if !strings.ContainsAny(n.Text, ".eE") {
			t = integerType
		}
		return b.constant(n, t, jsonx.NumberValue(n.Text), p)
	}
	if n.Text == "" {
		b.diags.Errorf(n.Span, "none", "there is no value").Help = "write null to send null, \"\" for empty text"
		return broken()
	}
	if p.typ != nil && p.typ.Kind != AnyType && !p.typ.Null {
		b.diags.Errorf(n.Span, "null", "%s does not take null", b.subject(p))
	}
	return constantTpl(nonePlain, "null")
}

// constant compiles a fixed value, converted to what its place wants.
func (b *builder) constant(n *yamldoc.Node, t *Type, v jsonx.Value, p place) *tpl {
	want := p.typ
	if want != nil {
		v, t = b.convertConstant(n, t, v, p)
	}
	return constantTpl(t, string(v.AppendJSON(nil)))
}

func (b *builder) convertConstant(n *yamldoc.Node, t *Type, v jsonx.Value, p place) (jsonx.Value, *Type) {
	want := p.typ
	switch {
	case want.Kind == NumberType && t.Kind == TextType:
		if !jsonx.IsNumber(v.Text()) {
			b.diags.Errorf(n.Span, "type", "%s is %s, and this is text", b.subject(p), article(want))
			return v, t
		}
		v, t = jsonx.NumberValue(v.Text()), numberType
	case want.Kind == TextType && t.Kind == NumberType:
		v, t = jsonx.TextValue(v.Text()), textType
	case want.Kind == TimeType && t.Kind == TextType:
	case want.Kind != AnyType && want.Kind != t.Kind:
		b.diags.Errorf(n.Span, "type", "%s is %s, and this is %s", b.subject(p), article(want), article(t))
		return v, t
	}
	if want.Kind == NumberType && want.Integer && !whole(v) {
		b.diags.Errorf(n.Span, "type", "%s is a whole number", b.subject(p))
	}
	if want.Kind == TextType && want.Enum != nil && !slices.Contains(want.Enum, v.Text()) {
		d := b.diags.Errorf(n.Span, "enum", "%s is one of %s", b.subject(p), strings.Join(want.Enum, ", "))
		if near := diag.Suggest(v.Text(), want.Enum); near != "" {
			d.Help = "did you mean " + near + "?"
		}
	}
	return v, t
}

// article names a type with its article.
func article(t *Type) string {
	if len(t.Either) > 0 {
		return article(t.Either[0]) + strings.TrimPrefix(t.noun(), t.Either[0].noun())
	}
	switch t.Kind {
	case NumberType, ListType, TimeType:
		return "a " + t.noun()
	case ObjectType:
		return "an object"
	}
	return t.noun()
}

// whole tells whether a number is a whole one.
func whole(v jsonx.Value) bool {
	if !strings.ContainsAny(v.Text(), ".eE") {
		return true
	}
	d, ok := jsonx.ParseDecimal(v.Text())
	if !ok {
		return false
	}
	_, ok = d.Int64()
	return ok
}

// list compiles a YAML list.
func (b *builder) list(n *yamldoc.Node, s *Scope, p place) *tpl {
	if p.typ != nil && p.typ.Kind != ListType && p.typ.Kind != AnyType {
		b.diags.Errorf(n.Span, "type", "%s is %s, and this is a list", b.subject(p), article(p.typ))
		p.typ = nil
	}
	t := &Type{Kind: ListType}
	if len(n.Items) == 0 {
		t.Elem = noElem
	}
	var m items
	for i, item := range n.Items {
		e := b.compile(item, s, p.element())
		if i == 0 {
			t.Elem = e.typ
		} else {
			t.Elem = join(t.Elem, e.typ)
		}
		if e.optional {
			t.Elem = t.Elem.NotNull()
		}
		m.add("", e)
	}
	return m.done(t, "[", "]")
}

// object compiles a YAML map: a directive, or an object.
func (b *builder) object(n *yamldoc.Node, s *Scope, p place) *tpl {
	for i := range n.Entries {
		if strings.HasPrefix(n.Entries[i].Key.Text, "$") && !strings.HasPrefix(n.Entries[i].Key.Text, "${") {
			return b.directive(n, s, p)
		}
	}
	if p.typ != nil && p.typ.Kind != ObjectType && p.typ.Kind != AnyType {
		b.diags.Errorf(n.Span, "type", "%s is %s, and this is an object", b.subject(p), article(p.typ))
		p.typ = nil
	}
	want := p.typ
	if want != nil && want.Kind != ObjectType {
		want = nil
	}
	t := &Type{Kind: ObjectType, Fields: map[string]*Field{}}
	var m items
	var meant []string // fields that misspelt keys stand for
	for _, entry := range n.Entries {
		key := entry.Key.Text
		if strings.Contains(key, "${") {
			b.diags.Errorf(entry.Key.Span, "key", "keys are literal: ${…} has no place in one")
			continue
		}
		fp := p.field(key, nil)
		required := false
		if want != nil {
			f, ok := want.field(key)
			switch {
			case ok:
				fp.typ, required = f.Type, f.Required && !p.partial
			case !want.Open:
				meant = append(meant, b.unknownKey(entry.Key, want, p))
			}
		}
		e := b.compile(entry.Value, s, fp)
		if e.optional && required {
			b.diags.Errorf(entry.Value.Span, "required", "%s must be given, and this may have no value", b.subject(fp)).
				Help = "supply one with ??"
		}
		ft := e.typ
		if e.optional {
			ft = ft.Nullable()
		}
		if t.Fields[key] == nil {
			t.Order = append(t.Order, key)
		}
		t.Fields[key] = &Field{Type: ft}
		m.add(string(jsonx.AppendQuoted(nil, key))+":", e)
	}
	if want != nil && !p.partial {
		b.missing(n.Span, want, t, p, meant...)
	}
	return m.done(t, "{", "}")
}

// unknownKey tells of a key that is no field, and gives the field it is taken
// to mean when that is an error.
func (b *builder) unknownKey(key *yamldoc.Node, want *Type, p place) (meant string) {
	var d *diag.Diagnostic
	if want.Assumed {
		d = b.diags.Warnf(key.Span, "unknown-field", "%s has no field %q", b.subject(p), key.Text)
	} else {
		d = b.diags.Errorf(key.Span, "unknown-field", "%s has no field %q", b.subject(p), key.Text)
	}
	if near := diag.Suggest(key.Text, want.names()); near != "" {
		d.Help = "did you mean " + near + "?"
		if d.Severity == diag.Error {
			return near
		}
	}
	return ""
}

// missing reports required fields that are neither given nor meant by a key
// whose spelling is told already.
func (b *builder) missing(at diag.Span, want, given *Type, p place, meant ...string) {
	var names []string
	for _, name := range want.names() {
		if _, ok := given.Fields[name]; !ok && want.Fields[name].Required && !slices.Contains(meant, name) {
			names = append(names, name)
		}
	}
	if len(names) == 1 {
		b.diags.Errorf(at, "required", "%s needs the field %s", b.subject(p), names[0])
	} else if len(names) > 1 {
		b.diags.Errorf(at, "required", "%s needs the fields %s", b.subject(p), strings.Join(names, ", "))
	}
}
