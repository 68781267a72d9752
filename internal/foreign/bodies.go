package foreign

import (
	"slices"
	"strings"
)

// bare gives a media type without its parameters.
func bare(media string) string {
	t, _, _ := strings.Cut(media, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// choose gives the media type a contract can have, in the order that rank gives; nil for none.
func choose(content *node, rank func(media string) int) *entry {
	var best *entry
	for _, e := range entriesOf(content) {
		if r := rank(bare(e.key)); r > 0 && (best == nil || r > rank(bare(best.key))) {
			best = e
		}
	}
	return best
}

// body reads a request's body; false when a contract cannot have any of its types.
func (c *converter) body(op, b *node) (*node, bool) {
	content := b.get("content")
	if content == nil || len(content.entries) == 0 {
		return nil, true
	}
	media := choose(content, func(m string) int {
		switch {
		case m == typeJSON:
			return 4
		case m == typeForm:
			return 3
		case strings.HasSuffix(m, "+json"):
			return 2
		case m == "*/*" || m == "application/*":
			return 1
		}
		return 0
	})
	if media == nil {
		return nil, false
	}
	c.others(op, content, media)
	name := typeJSON
	if bare(media.key) == typeForm {
		name = typeForm
	}
	if name != bare(media.key) {
		c.about(op, media.line, "a body of type "+short(media.key)+" is sent as "+name)
	}
	out := &node{kind: isMap, line: b.line}
	if d := b.word("description"); d != "" {
		out.set("description", text(d))
	}
	if b.yes("required") {
		out.set("required", truth(true))
	}
	made := c.media(media.value, media.line)
	if made.get("schema") == nil {
		made.set("schema", newMap(0))
	}
	if name == typeForm && c.kindOf(made.get("schema")) != "object" {
		return nil, false
	}
	content = &node{kind: isMap}
	content.set(name, made).line = media.line
	out.set("content", content)
	return out, true
}

func (c *converter) others(op, content *node, media *entry) {
	for _, e := range content.entries {
		if e != media {
			c.about(op, e.line, short(e.key)+" dropped: one media type is sent and taken")
		}
	}
}

func (c *converter) media(n *node, line int) *node {
	out := &node{kind: isMap, line: line}
	if n == nil {
		return out
	}
	var kind string
	if s := n.get("schema"); s != nil {
		made := c.schema(s)
		kind = c.kindOf(made)
		out.set("schema", made)
	}
	if all := c.examples(n.get("examples")); all != nil {
		for _, e := range all.entries {
			e.value.set("value", structured(e.value.get("value"), kind))
		}
		out.set("examples", all)
	} else if e := n.find("example"); e != nil {
		out.set("example", structured(e.value, kind)).line = e.line
	}
	return out
}

// structured reads an example that is a JSON text where an object or a list belongs.
func structured(v *node, kind string) *node {
	if kind != "object" && kind != "array" || v.kind != isText {
		return v
	}
	n, err := read([]byte(v.text))
	if err != nil || n.kind != isMap && n.kind != isList {
		return v
	}
	n.line = v.line
	return n
}

// responses reads the answers: each of an exact status, at least one of them good.
func (c *converter) responses(op, all *node) *node {
	out := &node{kind: isMap}
	used := map[string]bool{}
	add := func(status string, e *entry, r *node) {
		out.entries = append(out.entries, &entry{key: status, value: c.response(op, status, r, used), line: e.line})
	}
	good := slices.ContainsFunc(entriesOf(all), func(e *entry) bool { return exact(e.key) && e.key[0] == '2' })
	for _, e := range entriesOf(all) {
		if strings.HasPrefix(e.key, "x-") {
			continue
		}
		r := c.deref(e.value)
		switch {
		case r == nil:
		case exact(e.key):
			add(e.key, e, r)
		case !good && (strings.EqualFold(e.key, "2XX") || strings.EqualFold(e.key, "default")):
			good = true
			c.about(op, e.line, "response "+e.key+" is taken for the good one, 200: check")
			add("200", e, r)
		default:
			c.about(op, e.line, "response "+short(e.key)+" dropped: answers are described by exact status")
		}
	}
	if !good {
		c.about(op, op.line, "no good answer is described: taken for one without a body, check")
		out.entries = append(out.entries, &entry{key: "200", value: newMap(0, "description", text("Not documented."))})
	}
	slices.SortStableFunc(out.entries, func(a, b *entry) int { return strings.Compare(a.key, b.key) })
	return out
}

func exact(status string) bool {
	return len(status) == 3 && status[0] >= '1' && status[0] <= '5' && status[1] >= '0' && status[1] <= '9' && status[2] >= '0' && status[2] <= '9'
}

func (c *converter) response(op *node, status string, r *node, used map[string]bool) *node {
	out := newMap(r.line, "description", text(r.word("description")))
	content := r.get("content")
	media := choose(content, func(m string) int {
		switch {
		case m == typeJSON:
			return 6
		case strings.HasSuffix(m, "+json"):
			return 5
		case m == typeText:
			return 4
		case m == typePDF:
			return 3
		case m == "*/*" || m == "application/*":
			return 2
		}
		return 0
	})
	if media == nil {
		if content != nil && len(content.entries) > 0 {
			c.about(out, content.line, "answers of type "+short(content.entries[0].key)+" are not understood: taken for one without a body")
		}
		return out
	}
	c.others(out, content, media)
	name := bare(media.key)
	made := c.media(media.value, media.line)
	switch {
	case name == "*/*" || name == "application/*":
		name = typeJSON
		fallthrough
	case name == typeJSON || strings.HasSuffix(name, "+json"):
		if made.get("schema") == nil {
			if made.get("example") != nil || made.get("examples") != nil {
				out.set("x-emenda-source", text("inferred"))
			} else {
				made.set("schema", newMap(0))
			}
		}
	case name == typeText:
		made.set("schema", newMap(0, "type", text("string")))
	case name == typePDF:
		made = newMap(media.line)
	}
	c.rename(made, status, used)
	content = &node{kind: isMap}
	content.set(name, made).line = media.line
	out.set("content", content)
	return out
}

// rename gives the examples of an operation's answers names of their own.
func (c *converter) rename(media *node, status string, used map[string]bool) {
	if ex := media.get("example"); ex != nil && used["example"] {
		media.drop("example")
		media.set("examples", newMap(0, "example", newMap(0, "value", ex)))
	}
	if media.get("example") != nil {
		used["example"] = true
	}
	for _, e := range entriesOf(media.get("examples")) {
		for base := e.key; used[e.key]; base += "_again" {
			e.key = base + "_" + status
		}
		used[e.key] = true
	}
}
