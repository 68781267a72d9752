package expr

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// piece is literal text, or an expression, of a scalar.
type piece struct {
	text       string
	toks       *scanned
	optional   bool
	start, end int // with ${ and }
}

// split takes a scalar apart at its ${…}; $${ stands for ${.
func (r *reader) split() (out []piece, ok bool) {
	text := r.node.Text
	var lit strings.Builder
	i := 0
	for {
		k := strings.Index(text[i:], "${")
		if k < 0 {
			break
		}
		k += i
		if k > i && text[k-1] == '$' {
			lit.WriteString(text[i : k-1])
			lit.WriteString("${")
			i = k + 2
			continue
		}
		lit.WriteString(text[i:k])
		if lit.Len() > 0 {
			out = append(out, piece{text: lit.String()})
			lit.Reset()
		}
		p := piece{start: k}
		from := k + 2
		if strings.HasPrefix(text[from:], "?") {
			p.optional = true
			from++
		}
		toks, closed := r.scan(from, true)
		if !closed {
			if toks.ok {
				r.cutShort(r.errorf(k, k+2, "syntax", "${ is not closed by }"))
			}
			return out, false
		}
		p.toks, p.end = toks, toks.end+1
		out = append(out, p)
		i = p.end
	}
	lit.WriteString(text[i:])
	if lit.Len() > 0 || len(out) == 0 {
		out = append(out, piece{text: lit.String()})
	}
	return out, true
}

// scalar compiles text: fixed, one expression, or text around expressions.
func (b *builder) scalar(n *yamldoc.Node, s *Scope, p place) *tpl {
	r := reader{node: n, diags: b.diags}
	pieces, ok := r.split()
	if !ok {
		return broken()
	}
	if len(pieces) == 1 {
		if pieces[0].toks == nil {
			return b.constant(n, textType, jsonx.TextValue(pieces[0].text), p)
		}
		return b.leaf(&r, pieces[0], s, p)
	}
	return b.mixed(&r, pieces, s, p)
}

// leaf compiles a scalar that is one expression.
func (b *builder) leaf(r *reader, x piece, s *Scope, p place) *tpl {
	src := x.toks.parse()
	if src == nil {
		return broken()
	}
	c := &checker{source: src, scope: s, uses: b.uses}
	m := need
	switch {
	case x.optional:
		m = soft
	case p.top && b.target.Optional:
		m = maybe
	}
	before := len(*b.diags)
	e := c.check(src.root, m)
	lacks := x.optional || p.top && b.target.Optional
	if x.optional && p.top && !b.target.Optional {
		r.errorf(x.start, x.end, "optional", "%s must be given; ${?…} has no key or element to drop here", b.subject(p)).
			Help = "write ${…} with a value by ??"
	}
	if e.typ.Null && !lacks && !e.sends {
		if e.typ.Kind == NoneType {
			c.fault(src.root, "none", "%s has no value", c.raw(src.root)).Help = "null sends null"
		} else {
			what := "drop the key"
			if p.inList {
				what = "drop the element"
			}
			help := "write ${?…} to " + what + ", or supply one with ??"
			if p.top {
				help = "supply one with ??"
			}
			c.fault(src.root, "none", "%s may have no value; %s", c.words(src.root), help)
		}
	}
	if e.sends && p.typ != nil && p.typ.Kind != AnyType && !p.typ.Null {
		r.errorf(x.start, x.end, "null", "%s does not take null", b.subject(p))
	}
	b.secrets(c, e, p)
	convert := b.fit(c, e, p)
	if (*b.diags)[before:].HasErrors() {
		t := broken()
		t.typ = e.typ.NotNull()
		if lacks {
			t.optional = true
		}
		return t
	}
	t := &tpl{typ: e.typ, yes: e.yes, no: e.no}
	if p.typ != nil && convert != nil && p.typ.Kind != AnyType && !e.typ.Told {
		t.typ = &Type{Kind: p.typ.Kind, Integer: p.typ.Integer, Null: e.typ.Null, Secret: e.typ.Secret}
	}
	lack := lack{c.at(src.root), "no value: " + c.words(src.root)}
	get, sends := e.eval, e.sends
	t.optional = lacks && !(sends && !x.optional)
	switch {
	case convert == nil && e.hard: // it fails by itself
		t.eval = get
	case convert == nil && !sends:
		t.eval = func(f *Frame) jsonx.Value {
			v := get(f)
			if !v.None() {
				return v
			}
			if !lacks && f.err == nil {
				f.failAt(&lack.at, lack.message)
			}
			return jsonx.Value{}
		}
	default:
		t.eval = func(f *Frame) jsonx.Value {
			v := get(f)
			if v.None() {
				switch {
				case f.err != nil:
				case sends && v.Kind() == jsonx.Null:
					return v
				case !lacks:
					f.failAt(&lack.at, lack.message)
				}
				return jsonx.Value{}
			}
			if convert != nil {
				return convert(f, v)
			}
			return v
		}
	}
	return t
}

// secrets reports a secret that would flow where none may.
func (b *builder) secrets(c *checker, e *ex, p place) {
	var deleted []string
	if p.top { // their paths begin at the value's top
		deleted = b.target.Deleted
	}
	path, secret := e.typ.secretBut(deleted)
	if !secret || path != "" && p.top && b.target.taken {
		return
	}
	if b.target.Secrets && secretsFit(e.typ, p.typ, 0) {
		return
	}
	words := c.words(c.root)
	if path == "" {
		c.fault(c.root, "secret", "%s is secret and may not stand in %s", words, b.subject(p))
		return
	}
	c.fault(c.root, "secret", "%s holds what is secret (%s) and may not stand in %s", words, path, b.subject(p)).
		Help = "name the fields to be sent"
}

// secretsFit tells whether everything secret in t lands where the target is secret too.
func secretsFit(t, want *Type, depth int) bool {
	if _, secret := t.secretPath(); !secret || depth > maxTypeDepth {
		return !secret
	}
	if want == nil {
		return false
	}
	if want.Secret {
		return true
	}
	if t.Secret {
		return false
	}
	if t.Kind == ListType {
		return secretsFit(t.Elem, want.Elem, depth+1)
	}
	for name, f := range t.Fields {
		var w *Type
		if wf := want.Fields[name]; wf != nil {
			w = wf.Type
		}
		if !secretsFit(f.Type, w, depth+1) {
			return false
		}
	}
	return true
}

// fit checks e against what its place wants and gives the conversion, if one is needed.
func (b *builder) fit(c *checker, e *ex, p place) func(*Frame, jsonx.Value) jsonx.Value {
	want, t := p.typ, e.typ
	if want == nil || want.Kind == AnyType || t.Kind == NoneType {
		return nil
	}
	at, subject := c.at(c.root), b.subject(p)
	bad := func() func(*Frame, jsonx.Value) jsonx.Value {
		c.fault(c.root, "type", "%s is %s, and %s is %s", subject, article(want), c.words(c.root), article(t))
		return nil
	}
	wanted := []TypeKind{want.Kind}
	if want.Kind == NumberType || want.Kind == TextType || want.Kind == TimeType {
		wanted = []TypeKind{NumberType, TextType, TimeType}
	}
	if t.wrongFor(wanted...) != nil {
		return bad()
	}
	switch want.Kind {
	case NumberType:
		switch t.Kind {
		case NumberType:
			if !want.Integer || t.Integer {
				return nil
			}
		case TextType, AnyType:
		default:
			return bad()
		}
		return toNumber(want.Integer, &at, subject)
	case TextType, TimeType:
		switch t.Kind {
		case TextType, TimeType:
			if e.literal && want.Enum != nil && !slices.Contains(want.Enum, e.value.Text()) {
				c.fault(c.root, "enum", "%s is one of %s", subject, strings.Join(want.Enum, ", "))
			}
			return nil
		case NumberType, AnyType:
			return toText(&at, subject)
		}
		return bad()
	}
	if t.Kind == AnyType {
		return ofKind(want.Kind, &at, subject+" is "+article(want)+", and something else was given")
	}
	if t.Kind != want.Kind {
		return bad()
	}
	b.fitDeep(c, t, want, p, 0)
	return nil
}

// fitDeep checks the inside of a container that is copied as it is.
func (b *builder) fitDeep(c *checker, t, want *Type, p place, depth int) {
	if t == nil || want == nil || depth > maxTypeDepth || t.Kind == AnyType || want.Kind == AnyType || t.Kind == NoneType {
		return
	}
	if t.Kind != want.Kind {
		d := c.fault(c.root, "type", "%s is %s, and in %s it is %s", b.subject(p), article(want), c.words(c.root), article(t))
		d.Help = "what is copied whole is not converted; build it field by field"
		return
	}
	switch t.Kind {
	case ListType:
		b.fitDeep(c, t.Elem, want.Elem, p.element(), depth+1)
	case ObjectType:
		for _, name := range want.names() {
			wf := want.Fields[name]
			f, ok := t.Fields[name]
			if !ok {
				if wf.Required && !t.Open && !t.Assumed && !p.partial {
					c.fault(c.root, "required", "%s needs the field %s, which %s lacks", b.subject(p), name, c.words(c.root))
				}
				continue
			}
			if wf.Required && !p.partial && f.Type != nil && f.Type.Null {
				c.fault(c.root, "required", "%s must be given, and in %s it may have no value", b.subject(p.field(name, nil)), c.words(c.root))
			}
			b.fitDeep(c, f.Type, wf.Type, p.field(name, nil), depth+1)
		}
		if want.Open || want.Assumed {
			return
		}
		for _, name := range t.names() {
			if _, ok := want.Fields[name]; !ok {
				c.fault(c.root, "unknown-field", "%s has no field %q, which %s brings", b.subject(p), name, c.words(c.root)).
					Help = "build it field by field"
			}
		}
	}
}

// toNumber converts the digits of text, losslessly.
func toNumber(integer bool, at *diag.Span, subject string) func(*Frame, jsonx.Value) jsonx.Value {
	noun := "a number"
	if integer {
		noun = "a whole number"
	}
	message := subject + " is " + noun + ", and something else was given"
	return func(f *Frame, v jsonx.Value) jsonx.Value {
		switch v.Kind() {
		case jsonx.Number:
		case jsonx.String:
			t := v.Text()
			if !jsonx.IsNumber(t) {
				return f.failAt(at, message)
			}
			v = jsonx.NumberValue(t)
		default:
			return f.failAt(at, message)
		}
		if integer && !whole(v) {
			return f.failAt(at, message)
		}
		return v
	}
}

// toText converts a number to its digits.
func toText(at *diag.Span, subject string) func(*Frame, jsonx.Value) jsonx.Value {
	message := subject + " is text, and something else was given"
	return func(f *Frame, v jsonx.Value) jsonx.Value {
		switch v.Kind() {
		case jsonx.String:
			return v
		case jsonx.Number:
			return jsonx.TextValue(v.Text())
		}
		return f.failAt(at, message)
	}
}

// ofKind checks the kind of what was not known when loading.
func ofKind(kind TypeKind, at *diag.Span, message string) func(*Frame, jsonx.Value) jsonx.Value {
	want := map[TypeKind]jsonx.Kind{BoolType: jsonx.Bool, ListType: jsonx.Array, ObjectType: jsonx.Object}[kind]
	return func(f *Frame, v jsonx.Value) jsonx.Value {
		if v.Kind() != want {
			return f.failAt(at, message)
		}
		return v
	}
}

// textPart is literal text, or an expression inside text.
type textPart struct {
	text   string // decoded
	quoted string // as it stands inside a JSON string
	eval   evalFunc
}

// mixed compiles text around expressions.
func (b *builder) mixed(r *reader, pieces []piece, s *Scope, p place) *tpl {
	parts := make([]textPart, 0, len(pieces))
	t := textType
	before := len(*b.diags)
	if k := p.typ; k != nil && k.Kind != TextType && k.Kind != AnyType && k.Kind != TimeType {
		r.errorf(0, len(r.node.Text), "type", "%s is %s, and this is text", b.subject(p), article(k))
	}
	for _, x := range pieces {
		if x.toks == nil {
			q := jsonx.AppendQuoted(nil, x.text)
			parts = append(parts, textPart{text: x.text, quoted: string(q[1 : len(q)-1])})
			continue
		}
		src := x.toks.parse()
		if src == nil {
			continue
		}
		c := &checker{source: src, scope: s, uses: b.uses}
		m := need
		if x.optional {
			m = soft
			r.errorf(x.start, x.end, "optional", "${?…} stands alone, not inside text").Help = "write ${" + c.raw(src.root) + " ?? \"\"}"
		}
		e := c.check(src.root, m)
		if !x.optional {
			c.needed(e, src.root, "supply one with ??")
		}
		switch {
		case e.typ.Kind == ListType, e.typ.Kind == ObjectType, e.typ.wrongFor(TextType, NumberType, BoolType, TimeType) != nil:
			c.fault(src.root, "type", "inside text only text, numbers and true or false may stand, and %s is %s", c.words(src.root), article(e.typ))
		}
		b.secrets(c, e, place{path: p.path, typ: p.typ})
		t = t.secret(secretEx(e))
		parts = append(parts, textPart{eval: scalarEval(c, e)})
	}
	if (*b.diags)[before:].HasErrors() {
		x := broken()
		x.typ = t
		return x
	}
	out := &tpl{typ: t}
	out.eval = func(f *Frame) jsonx.Value {
		buf := f.buffer()
		for i := range parts {
			if parts[i].eval == nil {
				buf = append(buf, parts[i].text...)
			} else {
				buf = parts[i].eval(f).AppendText(buf)
			}
		}
		if len(buf) > maxText {
			f.Fail("the text grows too long")
		}
		if f.err != nil {
			f.unbuffer(buf)
			return jsonx.Value{}
		}
		v := jsonx.TextValue(f.stable(buf))
		f.unbuffer(buf)
		return v
	}
	out.parts = mixedParts(parts)
	return out
}

// scalarEval gives the code of an expression inside text.
func scalarEval(c *checker, e *ex) evalFunc {
	get, at := e.eval, c.at(c.root)
	missing := "no value: " + c.words(c.root)
	message := "inside text only text, numbers and true or false may stand"
	return func(f *Frame) jsonx.Value {
		v := get(f)
		switch v.Kind() {
		case jsonx.String, jsonx.Number, jsonx.Bool:
			return v
		case jsonx.Absent, jsonx.Null:
			return f.failAt(&at, missing)
		}
		return f.failAt(&at, message)
	}
}

// mixedParts gives text around expressions as JSON parts.
func mixedParts(parts []textPart) []part {
	var l partList
	l.text(`"`)
	for i := range parts {
		if parts[i].eval == nil {
			l.text(parts[i].quoted)
			continue
		}
		get := parts[i].eval
		l.emit(func(dst []byte, f *Frame) []byte {
			v := get(f)
			from := len(dst)
			dst = v.AppendJSON(dst)
			if v.Kind() == jsonx.String {
				// The quotes go: the text stands inside a longer one.
				copy(dst[from:], dst[from+1:len(dst)-1])
				dst = dst[:len(dst)-2]
			}
			return dst
		})
	}
	l.text(`"`)
	return l
}
