package expr

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// directives are the building keys, and the keys that may and must stand with each.
var directives = []struct {
	key, doc       string
	needed, others []string
}{
	{"$each", "$each goes with $as and $item, and may have $if", []string{"$as", "$item"}, []string{"$if"}},
	{"$if", "$if goes with $then, and may have $else", []string{"$then"}, []string{"$else"}},
	{"$concat", "$concat stands alone", nil, nil},
	{"$merge", "$merge stands alone", nil, nil},
}

// directive compiles a map that builds: $each, $if, $concat, $merge.
func (b *builder) directive(n *yamldoc.Node, s *Scope, p place) *tpl {
	for _, d := range directives {
		if n.Get(d.key) == nil {
			continue
		}
		good := true
		allowed := append(append([]string{d.key}, d.needed...), d.others...)
		for _, e := range n.Entries {
			if slices.Contains(allowed, e.Key.Text) {
				continue
			}
			x := b.diags.Errorf(e.Key.Span, "unknown-key", "%q has no place beside %s", e.Key.Text, d.key)
			x.Help = d.doc
			if near := diag.Suggest(e.Key.Text, allowed); near != "" {
				x.Help = "did you mean " + near + "?"
			}
			good = false
		}
		for _, k := range d.needed {
			if n.Get(k) == nil {
				b.diags.Errorf(n.KeyOf(d.key).Span, "missing-key", "%s needs %s beside it", d.key, k).Help = d.doc
				good = false
			}
		}
		if !good {
			return broken()
		}
		switch d.key {
		case "$each":
			return b.each(n, s, p)
		case "$if":
			return b.choose(n, s, p)
		case "$concat":
			return b.concat(n.Get("$concat"), s, p)
		}
		return b.merge(n.Get("$merge"), s, p)
	}
	for _, e := range n.Entries {
		if strings.HasPrefix(e.Key.Text, "$") {
			d := b.diags.Errorf(e.Key.Span, "unknown-key", "unknown key %q", e.Key.Text)
			all := []string{"$each", "$as", "$if", "$item", "$then", "$else", "$concat", "$merge"}
			if near := diag.Suggest(e.Key.Text, all); near != "" && near != e.Key.Text {
				d.Help = "did you mean " + near + "?"
			} else if slices.Contains(all, e.Key.Text) {
				d.Message = e.Key.Text + " stands beside $each or $if only"
			}
		}
	}
	return broken()
}

// condition compiles the ${…} of a $if.
func (b *builder) condition(n *yamldoc.Node, s *Scope) (cond condFunc, yes, no []Fact) {
	fixed := func(v bool) condFunc { return func(*Frame) bool { return v } }
	if n.Kind == yamldoc.Bool {
		return fixed(n.Text == "true"), nil, nil
	}
	if n.Kind == yamldoc.Text {
		r := reader{node: n, diags: b.diags}
		pieces, ok := r.split()
		if !ok {
			return fixed(false), nil, nil
		}
		if len(pieces) == 1 && pieces[0].toks != nil && !pieces[0].optional {
			src := pieces[0].toks.parse()
			if src == nil {
				return fixed(false), nil, nil
			}
			e := (&checker{source: src, scope: s, uses: b.uses}).condition(src.root)
			return e.cond, e.yes, e.no
		}
	}
	b.diags.Errorf(n.Span, "condition", "$if takes one ${…} that is true or false")
	return fixed(false), nil, nil
}

// choose compiles $if, $then, $else.
func (b *builder) choose(n *yamldoc.Node, s *Scope, p place) *tpl {
	cond, yes, no := b.condition(n.Get("$if"), s)
	then := b.compile(n.Get("$then"), s.Assume(yes), p)
	t := &tpl{optional: then.optional}
	otherwise := constantTpl(nonePlain, "")
	if e := n.Get("$else"); e != nil {
		otherwise = b.compile(e, s.Assume(no), p)
		t.typ = join(then.typ, otherwise.typ)
		t.optional = t.optional || otherwise.optional
	} else {
		t.typ = then.typ.Nullable()
		t.optional = true
		if p.top && !b.target.Optional {
			b.diags.Errorf(n.KeyOf("$if").Span, "optional", "%s must be given; $if without $else may give none", b.subject(p)).
				Help = "add $else"
		}
	}
	t.eval = func(f *Frame) jsonx.Value {
		if cond(f) {
			return then.value(f)
		}
		if f.err != nil {
			return jsonx.Value{}
		}
		return otherwise.value(f)
	}
	t.parts = []part{{emit: func(dst []byte, f *Frame) []byte {
		if cond(f) {
			return then.append(dst, f)
		}
		if f.err != nil {
			return dst
		}
		return otherwise.append(dst, f)
	}}}
	return t
}

// each compiles $each, $as, $if, $item.
func (b *builder) each(n *yamldoc.Node, s *Scope, p place) *tpl {
	if p.typ != nil && p.typ.Kind != ListType && p.typ.Kind != AnyType {
		b.diags.Errorf(n.Span, "type", "%s is %s, and $each makes a list", b.subject(p), article(p.typ))
		p.typ = nil
	}
	list := b.listOf(n.Get("$each"), s, "$each")
	as := n.Get("$as")
	inner := s.Child()
	slot := s.Layout.NewSlot()
	elem := list.typ.elem().secret(list.typ != nil && list.typ.Secret)
	if as.Kind != yamldoc.Text {
		b.diags.Errorf(as.Span, "name", "$as takes a name")
		return broken()
	}
	if err := inner.Define(&Name{Name: as.Text, Kind: ElementName, Type: elem, Slot: slot}); err != nil {
		b.diags.Errorf(as.Span, "name", "%s", err)
		return broken()
	}
	var cond condFunc
	if c := n.Get("$if"); c != nil {
		var yes []Fact
		cond, yes, _ = b.condition(c, inner)
		inner = inner.Assume(yes)
	}
	item := b.compile(n.Get("$item"), inner, p.element())
	it := item.typ
	if item.optional {
		it = it.NotNull()
	}
	at := n.Get("$each").Span
	emit := func(dst []byte, f *Frame) []byte {
		v := list.value(f)
		if v.Kind() != jsonx.Array {
			f.failAt(&at, "$each needs a list, and there is "+kindWords(v))
			return dst
		}
		for walk := v.Iter(); walk.Next(); {
			if !f.spend(1, &at) {
				return dst
			}
			f.slots[slot] = walk.Value()
			if cond != nil && !cond(f) {
				continue
			}
			from := len(dst)
			dst = comma(dst, f)
			begin := len(dst)
			dst = item.append(dst, f)
			if f.err != nil {
				return dst
			}
			if len(dst) == begin {
				dst = dst[:from]
			}
		}
		return dst
	}
	return &tpl{typ: &Type{Kind: ListType, Elem: it}, parts: []part{{text: "[", emit: emit}, {text: "]"}}}
}

// listOf compiles a node that must give a list.
func (b *builder) listOf(n *yamldoc.Node, s *Scope, key string) *tpl {
	sub := builder{diags: b.diags, uses: b.uses, target: Target{What: key, Secrets: b.target.Secrets, taken: true}}
	before := len(*b.diags)
	t := sub.compile(n, s, place{path: "", top: true})
	if k := t.typ.Kind; k != ListType && k != AnyType && !(*b.diags)[before:].HasErrors() {
		d := b.diags.Errorf(n.Span, "type", "%s takes lists, and this is %s", key, article(t.typ))
		if k == ObjectType || k == TextType || k == NumberType {
			d.Help = "list(x) makes a list of one or none"
		}
	}
	return t
}

// concat compiles $concat: lists joined.
func (b *builder) concat(n *yamldoc.Node, s *Scope, p place) *tpl {
	if n.Kind != yamldoc.List {
		b.diags.Errorf(n.Span, "type", "$concat takes a list of lists")
		return broken()
	}
	if p.typ != nil && p.typ.Kind != ListType && p.typ.Kind != AnyType {
		b.diags.Errorf(n.Span, "type", "%s is %s, and $concat makes a list", b.subject(p), article(p.typ))
		p.typ = nil
	}
	t := &Type{Kind: ListType}
	join1 := func(e *Type, i int) {
		if i == 0 {
			t.Elem = e
		} else {
			t.Elem = join(t.Elem, e)
		}
	}
	parts := make([]*tpl, 0, len(n.Items))
	for i, item := range n.Items {
		q := p
		q.top, q.inList = false, true
		before := len(*b.diags)
		e := b.compile(item, s, q)
		if k := e.typ.Kind; k != ListType && k != AnyType && !(*b.diags)[before:].HasErrors() {
			b.diags.Errorf(item.Span, "type", "$concat takes lists, and this is %s", article(e.typ)).Help = "list(x) makes a list of one or none"
		}
		join1(e.typ.elem(), i)
		parts = append(parts, e)
	}
	return &tpl{typ: t, parts: []part{{emit: splice(parts, '[', ']', jsonx.Array, "$concat takes lists", n.Span)}}}
}

// splice appends containers as one: the brackets between them go.
func splice(parts []*tpl, open, closing byte, kind jsonx.Kind, message string, at diag.Span) emitFunc {
	return func(dst []byte, f *Frame) []byte {
		begin := len(dst)
		dst = append(dst, open)
		for _, p := range parts {
			from := len(dst)
			dst = p.append(dst, f)
			if f.err != nil {
				return dst
			}
			if len(dst) == from {
				continue
			}
			if dst[from] != open {
				f.failAt(&at, message+", and something else was given")
				return dst
			}
			if !inside(dst[from+1 : len(dst)-1]) {
				dst = dst[:from]
				continue
			}
			dst = dst[:len(dst)-1]
			if from == begin+1 {
				copy(dst[from:], dst[from+1:])
				dst = dst[:len(dst)-1]
			} else {
				dst[from] = ','
			}
		}
		return append(dst, closing)
	}
}

// inside tells whether anything but blanks stands between brackets.
func inside(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return true
		}
	}
	return false
}

// merge compiles $merge: later objects win, keys keep their first place.
func (b *builder) merge(n *yamldoc.Node, s *Scope, p place) *tpl {
	if n.Kind != yamldoc.List {
		b.diags.Errorf(n.Span, "type", "$merge takes a list of objects")
		return broken()
	}
	if p.typ != nil && p.typ.Kind != ObjectType && p.typ.Kind != AnyType {
		b.diags.Errorf(n.Span, "type", "%s is %s, and $merge makes an object", b.subject(p), article(p.typ))
		p.typ = nil
	}
	t := &Type{Kind: ObjectType, Fields: map[string]*Field{}}
	disjoint := true
	parts := make([]*tpl, 0, len(n.Items))
	for _, item := range n.Items {
		q := p
		q.top, q.inList, q.partial = false, true, true
		before := len(*b.diags)
		e := b.compile(item, s, q)
		if k := e.typ.Kind; k != ObjectType && k != AnyType && !(*b.diags)[before:].HasErrors() {
			b.diags.Errorf(item.Span, "type", "$merge takes objects, and this is %s", article(e.typ))
		}
		disjoint = mergeTypes(t, e.typ) && disjoint
		parts = append(parts, e)
	}
	if p.typ != nil && p.typ.Kind == ObjectType && !t.Open && !p.partial {
		b.missing(n.Span, p.typ, t, p)
		for _, name := range p.typ.names() {
			if f, ok := t.Fields[name]; ok && p.typ.Fields[name].Required && f.Type != nil && f.Type.Null {
				b.diags.Errorf(n.Span, "required", "%s must be given, and this may have no value", b.subject(p.field(name, nil))).
					Help = "supply one with ??"
			}
		}
	}
	if disjoint {
		return &tpl{typ: t, parts: []part{{emit: splice(parts, '{', '}', jsonx.Object, "$merge takes objects", n.Span)}}}
	}
	at := n.Span
	return &tpl{typ: t, parts: []part{{emit: func(dst []byte, f *Frame) []byte { return mergeValues(dst, f, parts, &at) }}}}
}

// mergeTypes adds the fields of one more part to into; it tells whether no key can be in both.
func mergeTypes(into, t *Type) bool {
	if t.Kind != ObjectType {
		into.Open = true
		return false
	}
	disjoint := !into.Open && !t.Open && !t.Assumed && !into.Assumed
	into.Open, into.Assumed, into.Secret = into.Open || t.Open, into.Assumed || t.Assumed, into.Secret || t.Secret
	for _, name := range t.names() {
		f := t.Fields[name]
		ft := f.Type
		if t.Null {
			ft = ft.Nullable()
		}
		old, twice := into.Fields[name]
		if !twice {
			into.Fields[name] = &Field{Type: ft, Assumed: f.Assumed}
			into.Order = append(into.Order, name)
			continue
		}
		disjoint = false
		if ft == nil || !ft.Null {
			into.Fields[name] = &Field{Type: ft, Assumed: f.Assumed}
			continue
		}
		j := join(old.Type, ft)
		if old.Type != nil && !old.Type.Null {
			j = j.NotNull()
		}
		into.Fields[name] = &Field{Type: j, Assumed: old.Assumed || f.Assumed}
	}
	return disjoint
}

// mergeValues appends the union of objects that may share keys.
func mergeValues(dst []byte, f *Frame, parts []*tpl, at *diag.Span) []byte {
	base := len(f.args)
	for _, p := range parts {
		v := p.value(f)
		if f.err == nil && !v.None() && v.Kind() != jsonx.Object {
			f.failAt(at, "$merge takes objects, and something else was given")
		}
		if f.err != nil {
			f.args = f.args[:base]
			return dst
		}
		f.args = append(f.args, v)
	}
	vals := f.args[base:]
	dst = append(dst, '{')
	for i := range vals {
		for it := vals[i].Iter(); it.Next(); {
			if !f.spend(1, at) {
				break
			}
			key := it.Key().Text()
			if heldBefore(vals[:i], key) {
				continue
			}
			v := it.Value()
			for j := len(vals) - 1; j > i; j-- {
				if later := vals[j].Get(key); later.Kind() != jsonx.Absent {
					v = later
					break
				}
			}
			dst = append(it.Key().AppendJSON(comma(dst, f)), ':')
			dst = appendOrNull(dst, v)
		}
	}
	f.args = f.args[:base]
	return append(dst, '}')
}

func heldBefore(vals []jsonx.Value, key string) bool {
	for i := range vals {
		if vals[i].Get(key).Kind() != jsonx.Absent {
			return true
		}
	}
	return false
}
