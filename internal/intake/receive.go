package intake

import (
	"strings"

	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// received converts the fields of a request: path before body before query,
// and there the first of a field's names that has a value.
func (c *conv) received(fields []*mapping.InputField, from *Fields, r *Request, d *mapping.Dialect) {
	c.buf = append(c.buf, '{')
	for _, f := range fields {
		c.push(f.Name)
		v, found := c.look(f, from, r, d)
		c.member(f, v, found)
		c.pop()
	}
	c.buf = append(c.buf, '}')
}

// look finds the value of a field. found is false, and a fault noted, for a
// field that is given more than once.
func (c *conv) look(f *mapping.InputField, from *Fields, r *Request, d *mapping.Dialect) (v jsonx.Value, ok bool) {
	for _, name := range f.Names {
		for i := range r.Params {
			if r.Params[i].Name == name {
				return jsonx.TextValue(r.Params[i].Value), true
			}
		}
	}
	if from == nil {
		return jsonx.Value{}, true
	}
	for _, name := range f.Names {
		if isCredential(d, name) {
			continue
		}
		if v, ok = c.inDoc(from.doc, name); !ok || !c.none(v) {
			return v, ok
		}
		if v, ok = c.inPairs(from.body, f, name); !ok || !c.none(v) {
			return v, ok
		}
	}
	if !from.read {
		return jsonx.Value{}, true
	}
	for _, name := range f.Names {
		if isCredential(d, name) {
			continue
		}
		if v, ok = c.inPairs(from.query, f, name); !ok || !c.none(v) {
			return v, ok
		}
	}
	return jsonx.Value{}, true
}

// isCredential tells whether a body or query field of that name is a
// credential, which never enters input.
func isCredential(d *mapping.Dialect, name string) bool {
	for i := range d.SignIn {
		p := &d.SignIn[i]
		if p.Place != mapping.PlaceHeader && (p.Token == name || p.App == name && name != "") {
			return true
		}
	}
	return false
}

// inDoc finds a member of a JSON object; ok is false when it stands there twice.
func (c *conv) inDoc(doc jsonx.Value, name string) (v jsonx.Value, ok bool) {
	if doc.Kind() != jsonx.Object {
		return jsonx.Value{}, true
	}
	key := jsonx.NewKey(name)
	for it := doc.Iter(); it.Next(); {
		if !it.Is(key) {
			continue
		}
		if v.Kind() != jsonx.Absent {
			c.fault("repeated")
			return jsonx.Value{}, false
		}
		v = it.Value()
	}
	return v, true
}

// inPairs finds a field of a form or query. For a list its values are the
// elements, also under `name[]` and `name[0]` as PHP writes them.
func (c *conv) inPairs(pairs []pair, f *mapping.InputField, name string) (v jsonx.Value, ok bool) {
	times := 0
	var first string
	for i := range pairs {
		p := &pairs[i]
		if p.name != name && !(f.List && isElement(p.name, name)) {
			continue
		}
		if times++; times == 1 {
			first = p.value
		} else if !f.List {
			c.fault("repeated")
			return jsonx.Value{}, false
		}
	}
	switch {
	case times == 0:
		return jsonx.Value{}, true
	case !f.List:
		return jsonx.TextValue(first), true
	case times == 1 && c.none(jsonx.TextValue(first)):
		return jsonx.Value{}, true
	}
	m := c.arena.Mark()
	for i := range pairs {
		if p := &pairs[i]; p.name == name || isElement(p.name, name) {
			c.arena.Push(jsonx.TextValue(p.value))
		}
	}
	return c.arena.List(m), true
}

// isElement tells whether a form's name is that of an element of list name.
func isElement(got, name string) bool {
	rest, ok := strings.CutPrefix(got, name)
	if !ok || len(rest) < 2 || rest[0] != '[' || rest[len(rest)-1] != ']' {
		return false
	}
	for _, c := range []byte(rest[1 : len(rest)-1]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
