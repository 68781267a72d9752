package main

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// What stands in the values that are wrong, and must not be told to anybody.
const (
	badText   = "Zqxcanaryxqz"
	badWhole  = "86753098675309"
	badNumber = "8675309.25"
)

// The kinds of what can be wrong with a request.
const (
	lacksField    = "a required field missing"
	nullField     = "a required field null"
	lacksParam    = "a required parameter missing"
	wrongKind     = "another kind of value"
	listedParam   = "a parameter given twice"
	wrongEnum     = "none of an enum's values"
	wrongPattern  = "another pattern or format"
	wrongBounds   = "beyond an interval"
	wrongLength   = "too short or too long"
	wrongElements = "too few or too many elements"
	wrongFile     = "a file too large"
	unmet         = "a conditional requirement unmet"
	lacksBody     = "a required body missing"
	unknownKind   = "an unknown variant"
	notPath       = "what cannot stand in a path"
	duplicated    = "a key twice"
	brokenJSON    = "broken JSON"
)

// wrongs is a request with something wrong.
type wrongs struct {
	kind        string
	pointers    []string // that the refusal must name; none: it says only that the request cannot be read, or is none
	path, query string
	body        []byte
}

// faulter makes requests with something wrong out of one that is right.
type faulter struct {
	op    *contract.Operation
	base  documented
	tree  any // of the body; nil for none
	all   []wrongs
	moved int // what would have been a request for another variant
	taken int // required fields that were taken away
}

// faultsOf gives every request with one thing wrong that can be made of an operation's.
func faultsOf(op *contract.Operation, base documented) *faulter {
	f := &faulter{op: op, base: base}
	if op.BodySchema != nil && base.body != nil {
		tree, err := parse(base.body)
		if err == nil {
			f.tree = tree
			f.value(op.BodySchema, nil, tree, tree)
			f.unmet()
		}
	}
	f.params()
	f.shape()
	return f
}

// add adds a request of the same path and query with another body.
func (f *faulter) add(kind string, path []string, tree any) {
	f.push(wrongs{kind: kind, pointers: []string{pointerOf(path)}, path: f.base.path, query: f.base.query, body: written(tree)})
}

// push adds a request, unless it is another variant's.
func (f *faulter) push(w wrongs) {
	switch f.meant(w) {
	case f.op:
	case nil:
		w.kind, w.pointers = unknownKind, nil
	default:
		f.moved++
		return
	}
	f.all = append(f.all, w)
}

// meant gives the operation that a request is for; nil for none.
func (f *faulter) meant(w wrongs) *contract.Operation {
	if f.op.Variants == nil {
		return f.op
	}
	query := map[string]string{}
	values, err := url.ParseQuery(w.query)
	if err != nil {
		return nil
	}
	for name, v := range values {
		query[name] = v[0]
	}
	return f.op.Variant(jsonx.RawValue(string(written(query))), jsonx.RawValue(string(w.body)))
}

// bad is a wrong value and what is wrong with it.
type bad struct {
	kind  string
	value any
}

// badValues gives values that a schema does not take, backends' leniency considered.
func badValues(s *contract.Schema, required bool) (all []bad) {
	has := func(t contract.Types) bool { return s.Types&t != 0 }
	texts, numbers := has(contract.IsString), has(contract.IsInteger|contract.IsNumber)
	if s.Types != 0 {
		for _, c := range []struct {
			takes contract.Types // any of these takes it
			value any
		}{
			{contract.IsObject, map[string]any{"x": badText}},
			{contract.IsArray, []any{badText}},
			{contract.IsString, badText},
			{contract.IsNumber | contract.IsString, json.Number(badNumber)},
			{contract.IsBoolean | contract.IsString, true},
		} {
			if s.Types&c.takes == 0 {
				all = append(all, bad{wrongKind, c.value})
			}
		}
	}
	if len(s.Enum) > 0 {
		if texts || s.Types == 0 {
			all = append(all, bad{wrongEnum, badText})
		}
		if numbers {
			all = append(all, bad{wrongEnum, json.Number(badWhole)})
		}
		return all
	}
	if s.Pattern != nil {
		for _, text := range []string{badText, "99/99/9999x", "x"} {
			if !s.Pattern.MatchString(text) {
				all = append(all, bad{wrongPattern, text})
			}
		}
	}
	if n := s.Lengths.Fewest; n > 1 || n == 1 && required {
		all = append(all, bad{wrongLength, strings.Repeat("7", n-1)})
	}
	if n := s.Lengths.Most; n >= 0 {
		all = append(all, bad{wrongLength, strings.Repeat("7", n+1)})
	}
	one, _ := jsonx.ParseDecimal("1")
	minus, _ := jsonx.ParseDecimal("-1")
	number := func(d jsonx.Decimal) json.Number { return json.Number(d.Append(nil)) }
	if s.Least != nil {
		all = append(all, bad{wrongBounds, number(s.Least.Add(minus))}, bad{wrongBounds, string(number(s.Least.Add(minus)))})
	}
	if s.Most != nil {
		all = append(all, bad{wrongBounds, number(s.Most.Add(one))})
	}
	if s.Above != nil {
		all = append(all, bad{wrongBounds, number(*s.Above)})
	}
	if s.Below != nil {
		all = append(all, bad{wrongBounds, number(*s.Below)})
	}
	if s.MaxBytes > 0 {
		all = append(all, bad{wrongFile, strings.Repeat("QUFB", int(s.MaxBytes)/3+3)})
	}
	return all
}

// value makes every value wrong that stands, or could stand, at a place of the body.
// root has v at path.
func (f *faulter) value(s *contract.Schema, path []string, root, v any) {
	f.values(s, path, root, len(path) == 0 || requiredAt(f.op.BodySchema, path))
	switch t := v.(type) {
	case map[string]any:
		for i := range s.Fields {
			field := &s.Fields[i]
			at := append(slices.Clone(path), field.Name)
			have, there := t[field.Name]
			if field.Required {
				f.taken++
				f.add(lacksField, at, with(root, at, removed{}))
				if field.Schema.Types != 0 && field.Schema.Types&contract.IsNull == 0 {
					f.add(nullField, at, with(root, at, nil))
				}
			}
			inner := root
			if !there || have == nil || have == "" {
				made, ok := sample(field.Schema)
				if !ok {
					continue
				}
				have, inner = made, with(root, at, made)
			}
			f.value(field.Schema, at, inner, have)
		}
	case []any:
		if s.Elements.Fewest > 0 && len(t) > 0 {
			f.add(wrongElements, path, with(root, path, t[:s.Elements.Fewest-1]))
		}
		if s.Elements.Most >= 0 && len(t) > 0 {
			f.add(wrongElements, path, with(root, path, slices.Repeat(t[:1], s.Elements.Most+1)))
		}
		if s.Items != nil && len(t) > 0 {
			last := len(t) - 1
			f.value(s.Items, append(slices.Clone(path), strconv.Itoa(last)), root, t[last])
		}
	}
}

// requiredFields counts the fields that must be there at every depth of a schema.
func requiredFields(s *contract.Schema) (n int) {
	if s == nil {
		return 0
	}
	for i := range s.Fields {
		if s.Fields[i].Required {
			n++
		}
		n += requiredFields(s.Fields[i].Schema)
	}
	return n + requiredFields(s.Items)
}

func (f *faulter) values(s *contract.Schema, path []string, root any, required bool) {
	for _, b := range badValues(s, required) {
		f.add(b.kind, path, with(root, path, b.value))
	}
}

// requiredAt tells whether the field at a place must be there.
func requiredAt(s *contract.Schema, path []string) bool {
	required := true
	for _, p := range path {
		if field := s.Property(p); field != nil {
			s, required = field.Schema, field.Required
		} else if s.Items != nil {
			s, required = s.Items, true
		}
	}
	return required
}

// unmet takes away what a condition requires, having made the condition hold by
// taking away or putting in one or two other fields.
func (f *faulter) unmet() {
	for _, r := range f.op.RequiredWhen {
		for _, root := range f.around(r.Path) {
			w := wrongs{kind: unmet, pointers: []string{pointerOf(r.Path)}, path: f.base.path, query: f.base.query, body: written(root)}
			if f.holds(r, w) && f.meant(w) == f.op {
				f.all = append(f.all, w)
				break
			}
		}
	}
}

// holds tells whether r's condition does, for a request that lacks its field.
func (f *faulter) holds(r contract.RequiredWhen, w wrongs) bool {
	query := map[string]string{}
	values, _ := url.ParseQuery(w.query)
	for name, v := range values {
		query[name] = v[0]
	}
	return slices.ContainsFunc(f.op.Missing(jsonx.RawValue(string(written(query))), jsonx.RawValue(string(w.body))),
		func(p contract.Place) bool { return slices.Equal(p.Path, r.Path) })
}

// around gives bodies without the field at path, and with its neighbours as they are, gone or made up.
func (f *faulter) around(path []string) []any {
	root := with(f.tree, path, removed{})
	roots := []any{root}
	var ways [][2]any // of place and value
	for i := range f.op.BodySchema.Fields {
		field := &f.op.BodySchema.Fields[i]
		if field.Name == path[0] {
			continue
		}
		at := []string{field.Name}
		if !field.Required {
			ways = append(ways, [2]any{at, removed{}})
		}
		for _, e := range field.Schema.Enum {
			if v, err := parse(e.AppendJSON(nil)); err == nil {
				ways = append(ways, [2]any{at, v})
			}
		}
		if v, ok := sample(field.Schema); ok {
			ways = append(ways, [2]any{at, v})
		}
	}
	for _, a := range ways {
		first := with(root, a[0].([]string), a[1])
		roots = append(roots, first)
	}
	for i, a := range ways {
		for _, b := range ways[i+1:] {
			roots = append(roots, with(with(root, a[0].([]string), a[1]), b[0].([]string), b[1]))
		}
	}
	return roots
}

// params makes every parameter wrong.
func (f *faulter) params() {
	for i, p := range f.op.Params {
		send := func(kind, path, query string) {
			f.push(wrongs{kind: kind, pointers: []string{pointerOf([]string{p.Name})}, path: path, query: query, body: f.base.body})
		}
		for _, b := range badValues(p.Schema, p.Required) {
			text, ok := b.value.(string)
			if n, is := b.value.(json.Number); is {
				text, ok = n.String(), true
			}
			switch {
			case !ok || text == "":
			case p.In == contract.InPath:
				send(b.kind, f.pathWith(i, text), f.base.query)
			default:
				send(b.kind, f.base.path, f.queryWith(i, text))
			}
		}
		if p.In != contract.InQuery {
			for _, escaped := range []string{"%zz", "%2e%2e", "%2F..%2f", "%0d%0aX-Evil:%201"} {
				w := wrongs{kind: notPath, path: f.pathWith(i, "PLACE"), query: f.base.query, body: f.base.body}
				w.path = strings.Replace(w.path, "PLACE", escaped, 1)
				f.push(w)
			}
			continue
		}
		if p.Required {
			send(lacksParam, f.base.path, f.queryWith(i))
		}
		if v, ok := sample(p.Schema); ok && p.Schema.Types != 0 && p.Schema.Types&contract.IsArray == 0 {
			text := badText
			if s, is := v.(string); is {
				text = s
			}
			send(listedParam, f.base.path, f.queryWith(i, text, badText))
		}
	}
}

// pathWith is the path with another value of a parameter.
func (f *faulter) pathWith(at int, value string) string {
	path := f.op.Path
	for i, p := range f.op.Params {
		if p.In == contract.InPath {
			text := f.base.ex.Params[i].Text()
			if i == at {
				text = value
			}
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(text))
		}
	}
	return path
}

// queryWith is the query with other values of a parameter.
func (f *faulter) queryWith(at int, values ...string) string {
	var all []string
	for i, p := range f.op.Params {
		if p.In != contract.InQuery {
			continue
		}
		given := values
		if i != at {
			if given = nil; !f.base.ex.Params[i].None() {
				given = []string{f.base.ex.Params[i].Text()}
			}
		}
		for _, v := range given {
			all = append(all, url.QueryEscape(p.Name)+"="+url.QueryEscape(v))
		}
	}
	return strings.Join(all, "&")
}

var firstKey = regexp.MustCompile(`\{("(?:[^"\\]|\\.)*"):`)

// shape makes bodies that are no JSON, no body at all, or of none of the variants.
func (f *faulter) shape() {
	plain := func(kind, body string) {
		f.all = append(f.all, wrongs{kind: kind, path: f.base.path, query: f.base.query, body: []byte(body)})
	}
	if f.op.BodySchema == nil || f.base.body == nil {
		return
	}
	body := string(f.base.body)
	if f.op.BodyRequired {
		f.push(wrongs{kind: lacksBody, pointers: []string{""}, path: f.base.path, query: f.base.query})
		f.push(wrongs{kind: lacksBody, pointers: []string{""}, path: f.base.path, query: f.base.query, body: []byte(" \r\n")})
	}
	places := firstKey.FindAllStringSubmatchIndex(body, -1)
	for i, at := range places {
		if i == 0 || i == len(places)-1 {
			plain(duplicated, body[:at[3]]+`:"`+badText+`",`+body[at[2]:])
		}
	}
	for _, text := range []string{body[:len(body)-1], body[:len(body)/2+1], body + "}", body + body, strings.Replace(body, ":", "", 1) + ",", badText, `{"` + badText + `":}`, "{\"" + badText + "\": \"Jo\xe3o\"}"} {
		plain(brokenJSON, text)
	}
	if f.op.Variants != nil {
		f.push(wrongs{kind: unknownKind, path: f.base.path, query: f.base.query, body: []byte(`{"` + badText + `":1}`)})
		if w := (wrongs{kind: unknownKind, path: f.base.path, query: "somenteContrato=" + badText, body: f.base.body}); f.meant(w) == nil {
			f.push(w)
		}
	}
}

// together is one request with as much wrong as there are fields and parameters; ok is false for fewer than two.
func (f *faulter) together() (w wrongs, ok bool) {
	w = wrongs{kind: "several at once", path: f.base.path, body: f.base.body}
	var query []string
	for i, p := range f.op.Params {
		text := ""
		for _, b := range badValues(p.Schema, p.Required) {
			if s, is := b.value.(string); is && s != "" {
				text = s
				break
			}
		}
		switch {
		case p.In != contract.InQuery:
		case text != "":
			query = append(query, url.QueryEscape(p.Name)+"="+url.QueryEscape(text))
			w.pointers = append(w.pointers, pointerOf([]string{p.Name}))
		case p.Required:
			w.pointers = append(w.pointers, pointerOf([]string{p.Name}))
		case !f.base.ex.Params[i].None():
			query = append(query, url.QueryEscape(p.Name)+"="+url.QueryEscape(f.base.ex.Params[i].Text()))
		}
	}
	w.query = strings.Join(query, "&")
	if f.tree != nil {
		s, path, tree := f.op.BodySchema, []string(nil), f.tree
		if list, is := tree.([]any); is && s.Items != nil && len(list) > 0 {
			s, path = s.Items, []string{"0"}
		}
		for i := range s.Fields {
			field := &s.Fields[i]
			at := append(slices.Clone(path), field.Name)
			var v any = removed{}
			if bads := badValues(field.Schema, field.Required); len(bads) > 0 && (i%2 == 0 || !field.Required) {
				v = bads[0].value
			} else if !field.Required {
				continue
			}
			if len(w.pointers) == 50 { // as many as are told
				break
			}
			tree = with(tree, at, v)
			w.pointers = append(w.pointers, pointerOf(at))
		}
		w.body = written(tree)
	}
	return w, len(w.pointers) > 1 && f.meant(w) == f.op
}
