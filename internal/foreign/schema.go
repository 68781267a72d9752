package foreign

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
)

const schemaRef = "#/components/schemas/"

var types = []string{"string", "integer", "number", "boolean", "array", "object", "null"}

// quiet are words that say nothing a contract would need to know.
var quiet = []string{
	"xml", "externalDocs", "readOnly", "writeOnly", "nullable", "allOf", "discriminator", "$schema", "$id", "$comment", "$anchor", "$defs", "definitions",
	"contentEncoding", "contentMediaType",
}

// schema gives a schema in the contract's words.
func (c *converter) schema(n *node) *node {
	if n == nil || n.kind != isMap {
		return newMap(0) // true and false are schemas too: anything
	}
	if c.depth++; c.depth > maxDepth {
		c.note(n.line, "schemas nest too deep: left open")
		c.depth--
		return newMap(n.line)
	}
	defer func() { c.depth-- }()
	if ref := n.word("$ref"); ref != "" {
		return c.reference(n, ref)
	}
	n, name := c.flat(n)
	if name != "" {
		return c.named(n, name)
	}
	out := &node{kind: isMap, line: n.line}
	kinds := c.kinds(n)
	for _, e := range n.entries {
		if only := contract.TypeOfWord(e.key); only != "" && len(kinds) > 0 && !slices.Contains(kinds, only) && (only != "number" || !slices.Contains(kinds, "integer")) {
			c.dropped(out, e, "says nothing of its type")
			continue
		}
		c.schemaWord(out, n, e, kinds)
	}
	if d := n.find("discriminator"); d != nil {
		c.dropped(out, d, "alternatives are told apart by what they hold")
	}
	c.nullable(out, n)
	c.required(out, n)
	if n.word("format") == "password" || n.yes("writeOnly") && out.word("type") == "string" {
		out.set("x-emenda-secret", truth(true))
	}
	return out
}

// maxDepth bounds how deep schemas nest.
const maxDepth = 100

// reference keeps a reference to a schema of components; what else is referred to is written in its place.
func (c *converter) reference(n *node, ref string) *node {
	if len(n.entries) > 1 {
		beside := n.without("$ref", "description", "title", "summary", "deprecated", "example", "examples", "default", "readOnly", "writeOnly", "xml", "externalDocs")
		beside.entries = slices.DeleteFunc(beside.entries, func(e *entry) bool { return strings.HasPrefix(e.key, "x-") })
		switch {
		case len(beside.entries) == 0:
		case c.old && !beside.yes("nullable"):
			c.note(n.line, "what stands beside $ref has no effect in OpenAPI 3.0: dropped")
		default:
			both := beside.without()
			both.set("allOf", &node{kind: isList, items: []*node{newMap(n.line, "$ref", text(ref))}})
			return c.schema(both)
		}
	}
	if name, ok := strings.CutPrefix(ref, schemaRef); ok && !strings.Contains(name, "/") {
		name = unescape(name)
		if c.names[name] != "" {
			out := newMap(n.line, "$ref", text(schemaRef+c.names[name]))
			if d := n.word("description"); d != "" {
				out.set("description", text(d))
			}
			return out
		}
	}
	target := c.resolve(n)
	if target == nil || slices.Contains(c.open, target) {
		if target != nil {
			c.note(n.line, "%s leads back to itself: left open", short(ref))
		}
		return newMap(n.line)
	}
	c.open = append(c.open, target)
	defer func() { c.open = c.open[:len(c.open)-1] }()
	return c.schema(target)
}

// named gives a reference found in an allOf that holds nothing else.
func (c *converter) named(n *node, ref string) *node {
	one := newMap(n.line, "$ref", text(ref))
	if d := n.word("description"); d != "" {
		one.set("description", text(d))
	}
	return c.reference(one, ref)
}

// kinds gives the types of a schema, without null.
func (c *converter) kinds(n *node) []string {
	var all []string
	t := n.get("type")
	if t == nil {
		return nil
	}
	for _, i := range append([]*node{t}, t.items...) {
		if i.kind == isText && slices.Contains(types, i.text) && i.text != "null" && !slices.Contains(all, i.text) {
			all = append(all, i.text)
		}
	}
	return all
}

// schemaWord reads one word of JSON Schema.
func (c *converter) schemaWord(out, n *node, e *entry, kinds []string) {
	v := e.value
	keep := func() { out.set(e.key, v).line = e.line }
	switch e.key {
	case "type":
		c.types(out, n, e, kinds)
	case "title", "description":
		if v.kind == isText {
			keep()
		}
	case "deprecated":
		if v.kind == isBool {
			keep()
		}
	case "default", "const", "example":
		keep()
	case "examples":
		if v.kind == isList {
			keep()
		}
	case "properties":
		if v.kind != isMap {
			c.dropped(out, e, "no map")
			return
		}
		props := &node{kind: isMap, line: v.line}
		for _, p := range v.entries {
			props.entries = append(props.entries, &entry{key: p.key, value: c.schema(p.value), line: p.line})
		}
		out.set(e.key, props).line = e.line
	case "required": // see required
		if v.kind != isList {
			c.dropped(out, e, "required is a list of names")
		}
	case "additionalProperties":
		open := v.kind == isMap || v.kind == isBool && v.text == "true"
		if v.kind == isMap && len(v.entries) > 0 {
			c.about(out, v.line, "additionalProperties has a schema: their values are not checked")
		}
		out.set(e.key, truth(open)).line = e.line
	case "items":
		if v.kind != isMap {
			c.dropped(out, e, "elements of a list are alike")
			return
		}
		out.set(e.key, c.schema(v)).line = e.line
	case "anyOf", "oneOf":
		c.alternatives(out, e)
	case "enum":
		c.enum(out, n, e, kinds)
	case "format":
		if v.kind == isText && contract.KnownFormat(v.text) {
			keep()
		} else if v.text != "" {
			c.dropped(out, e, "not known")
		}
	case "pattern":
		if _, err := regexp.Compile(v.text); v.kind != isText || err != nil {
			c.dropped(out, e, "patterns are RE2: no look-around, no back-references")
			return
		}
		keep()
	case "minLength", "maxLength", "minItems", "maxItems":
		if v.kind != isNumber || strings.ContainsAny(v.text, "-.eE") {
			c.dropped(out, e, "no whole number")
			return
		}
		keep()
	case "minimum", "maximum":
		if v.kind != isNumber {
			c.dropped(out, e, "no number")
			return
		}
		name := e.key
		if exclusive := map[string]string{"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}[name]; n.yes(exclusive) {
			name = exclusive
		}
		out.set(name, v).line = e.line
	case "exclusiveMinimum", "exclusiveMaximum":
		if v.kind == isNumber {
			keep()
		} else if v.kind != isBool {
			c.dropped(out, e, "no number")
		}
	default:
		if !slices.Contains(quiet, e.key) && !strings.HasPrefix(e.key, "x-") {
			c.dropped(out, e, "not checked by contracts")
		}
	}
}

func (c *converter) types(out, n *node, e *entry, kinds []string) {
	null := n.yes("nullable")
	for _, i := range append([]*node{e.value}, e.value.items...) {
		null = null || i.kind == isText && i.text == "null" || i.kind == isNull
	}
	var t *node
	switch {
	case len(kinds) == 0 && null:
		t = text("null")
	case len(kinds) == 0:
		c.dropped(out, e, "no type")
		return
	case len(kinds) == 1 && !null:
		t = text(kinds[0])
	default:
		t = &node{kind: isList}
		for _, k := range kinds {
			t.items = append(t.items, text(k))
		}
		if null {
			t.items = append(t.items, text("null"))
		}
	}
	out.set("type", t).line = e.line
}

// alternatives reads anyOf and oneOf; "this or null" becomes a type that may be null.
func (c *converter) alternatives(out *node, e *entry) {
	if e.value.kind != isList || len(e.value.items) == 0 {
		c.dropped(out, e, "no list of schemas")
		return
	}
	var others []*node
	null := false
	for _, i := range e.value.items {
		if i.word("type") == "null" {
			null = true
			continue
		}
		others = append(others, i)
	}
	if null && len(others) == 1 {
		one := c.schema(others[0])
		if t := one.get("type"); t != nil && one.get("enum") == nil && one.get("const") == nil && one.get("anyOf") == nil && one.get("oneOf") == nil {
			list := &node{kind: isList, items: append([]*node{t}, text("null"))}
			if t.kind == isList {
				list = t
				if !slices.ContainsFunc(t.items, func(i *node) bool { return i.text == "null" }) {
					t.items = append(t.items, text("null"))
				}
			}
			one.set("type", list)
			for _, w := range one.entries {
				if out.get(w.key) == nil {
					out.entries = append(out.entries, w)
				}
			}
			out.notes = append(out.notes, one.notes...)
			return
		}
	}
	list := &node{kind: isList, line: e.value.line}
	for _, i := range e.value.items {
		list.items = append(list.items, c.schema(i))
	}
	out.set(e.key, list).line = e.line
}

// nullable adds null where no type is there to say so.
func (c *converter) nullable(out, n *node) {
	if !n.yes("nullable") {
		return
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if l := out.get(word); l != nil && out.get("type") == nil {
			l.items = append(l.items, newMap(0, "type", text("null")))
			return
		}
	}
	if l := out.get("enum"); l != nil && !slices.ContainsFunc(l.items, func(i *node) bool { return i.kind == isNull }) {
		l.items = append(l.items, &node{kind: isNull})
	}
}

// required keeps the names of fields that are there. One that is only read is
// not asked of requests, one that is only written not promised by answers: a
// schema that serves both has neither.
func (c *converter) required(out, n *node) {
	r, props := n.get("required"), n.get("properties")
	if r == nil || r.kind != isList || len(c.kinds(n)) > 0 && !slices.Contains(c.kinds(n), "object") {
		return
	}
	list := &node{kind: isList, line: r.line}
	for _, i := range r.items {
		if i.kind != isText || slices.ContainsFunc(list.items, func(o *node) bool { return o.text == i.text }) {
			continue
		}
		if props.is(isMap) {
			p := props.get(i.text)
			if p == nil {
				c.about(out, i.line, "required names "+short(i.text)+", which properties has not: dropped")
				continue
			}
			if p.yes("readOnly") || p.yes("writeOnly") {
				c.about(out, i.line, short(i.text)+" is required in one direction only (readOnly, writeOnly): check")
				continue
			}
		}
		list.items = append(list.items, text(i.text))
	}
	if len(list.items) > 0 {
		out.set("required", list)
	}
}

// enum keeps the values of the schema's type; a text of digits and a number are taken for each other.
func (c *converter) enum(out, n *node, e *entry, kinds []string) {
	if e.value.kind != isList {
		c.dropped(out, e, "no list")
		return
	}
	null := n.yes("nullable") || len(kinds) == 0
	if t := n.get("type"); t != nil {
		null = null || slices.ContainsFunc(t.items, func(i *node) bool { return i.text == "null" })
	}
	list := &node{kind: isList, line: e.value.line}
	for _, i := range e.value.items {
		v := *i
		v.line = i.line
		numeric := slices.Contains(kinds, "integer") || slices.Contains(kinds, "number")
		switch {
		case v.kind == isNull:
			if !null {
				c.about(out, i.line, "enum holds null, which its type does not: dropped")
				continue
			}
		case len(kinds) != 1:
		case kinds[0] == "string" && v.kind != isText && v.kind != isList && v.kind != isMap:
			v.kind = isText
		case numeric && v.kind == isText && jsonNumber.MatchString(v.text):
			v.kind = isNumber
		}
		list.items = append(list.items, &v)
	}
	if len(list.items) > 0 {
		out.set("enum", list).line = e.line
	}
}

// flat puts the parts of an allOf together. With a reference and nothing else
// it gives that.
func (c *converter) flat(n *node) (whole *node, ref string) {
	all := n.get("allOf")
	if all == nil {
		return n, ""
	}
	rest := n.without("allOf", "description", "title", "example", "examples", "default", "deprecated", "readOnly", "writeOnly", "xml", "externalDocs", "discriminator")
	rest.entries = slices.DeleteFunc(rest.entries, func(e *entry) bool { return strings.HasPrefix(e.key, "x-") })
	if len(rest.entries) == 0 && len(all.items) == 1 && len(c.merging) == 0 {
		if ref := all.items[0].word("$ref"); ref != "" {
			return n, ref
		}
	}
	whole = n.without("allOf")
	for _, part := range all.items {
		hops := 0
		for part.word("$ref") != "" && hops < 20 {
			if part = c.resolve(part); part == nil {
				break
			}
			hops++
		}
		if part == nil || part.kind != isMap || slices.Contains(c.merging, part) {
			continue
		}
		c.merging = append(c.merging, part)
		part, _ = c.flat(part)
		c.merging = c.merging[:len(c.merging)-1]
		c.merge(whole, part)
	}
	return whole, ""
}

// merge adds what a part of an allOf says.
func (c *converter) merge(whole, part *node) {
	for _, e := range part.entries {
		have := whole.get(e.key)
		switch e.key {
		case "properties":
			if have == nil {
				whole.set(e.key, e.value.without()).line = e.line
				continue
			}
			both := have.without()
			for _, p := range e.value.entries {
				old := both.get(p.key)
				switch {
				case old == nil:
					both.entries = append(both.entries, p)
				case !same(old, p.value):
					one := newMap(p.line, "allOf", &node{kind: isList, items: []*node{old, p.value}})
					both.entries[slices.Index(both.entries, both.find(p.key))] = &entry{key: p.key, value: one, line: p.line}
				}
			}
			whole.entries[slices.Index(whole.entries, whole.find(e.key))] = &entry{key: e.key, value: both, line: e.line}
		case "required":
			list := &node{kind: isList, line: e.value.line}
			if have != nil {
				list.items = append(list.items, have.items...)
			}
			list.items = append(list.items, e.value.items...)
			whole.entries = slices.Clone(whole.entries)
			whole.drop(e.key)
			whole.set(e.key, list).line = e.line
		case "additionalProperties":
			// Closed as a part, it would refuse what the other parts have.
			if !(e.value.kind == isBool && e.value.text == "false") && have == nil {
				whole.entries = append(whole.entries, e)
			}
		case "oneOf", "anyOf":
			if c.component != "" && slices.ContainsFunc(e.value.items, func(i *node) bool { return i.word("$ref") == schemaRef+c.component }) {
				continue // it is one of the alternatives itself
			}
			if have == nil {
				whole.entries = append(whole.entries, e)
			} else {
				c.note(e.line, "%s of two parts of an allOf: the second is dropped", e.key)
			}
		case "description", "title", "example", "examples", "default", "discriminator", "nullable":
			if have == nil && e.key != "discriminator" {
				whole.entries = append(whole.entries, e)
			}
		default:
			switch {
			case have == nil:
				whole.entries = append(whole.entries, e)
			case !same(have, e.value) && !slices.Contains(quiet, e.key) && !strings.HasPrefix(e.key, "x-"):
				c.note(e.line, "two parts of an allOf differ in %s: the first counts", short(e.key))
			}
		}
	}
}

// dropped tells that a word is left out, there and in a comment.
func (c *converter) dropped(out *node, e *entry, why string) {
	value := ""
	if e.value.kind != isMap && e.value.kind != isList {
		value = ": " + short(e.value.text)
	}
	c.about(out, e.line, fmt.Sprintf("%s%s dropped (%s)", short(e.key), value, why))
}

// about tells something of a map, there and in a comment.
func (c *converter) about(out *node, line int, words string) {
	c.note(line, "%s", words)
	out.notes = append(out.notes, fmt.Sprintf("line %d: %s", line, words))
}
