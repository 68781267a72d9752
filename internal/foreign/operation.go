package foreign

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/emenda-gateway/emenda/internal/contract"
)

var methods = []string{"get", "put", "post", "delete", "patch"}

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
	typeText = "text/plain"
	typePDF  = "application/pdf"
)

// path reads the operations of one path.
func (c *converter) path(paths *node, p *entry) {
	item := c.deref(p.value)
	if item == nil {
		return
	}
	if strings.ContainsAny(p.key, "?#") || !strings.HasPrefix(p.key, "/") {
		c.note(p.line, "%s: a path begins with / and ends before its query: left out", short(p.key))
		return
	}
	name := encoded(p.key)
	out := &node{kind: isMap, line: p.line}
	for _, k := range []string{"summary", "description"} {
		if s := item.word(k); s != "" {
			out.set(k, text(s))
		}
	}
	for _, m := range item.entries {
		switch {
		case slices.Contains(methods, m.key):
			if op := c.operation(m, p.key, item); op != nil {
				out.entries = append(out.entries, &entry{key: m.key, value: op, line: m.line})
			}
		case m.key == "head" || m.key == "options" || m.key == "trace":
			c.note(m.line, "%s %s: contracts have no such operations: left out", strings.ToUpper(m.key), short(p.key))
		}
	}
	if operations(newMap(0, "paths", newMap(0, name, out))) > 0 {
		paths.entries = append(paths.entries, &entry{key: name, value: out, line: p.line})
	}
}

// encoded spells the literal text of a path as it goes on the wire.
func encoded(path string) string {
	var b strings.Builder
	in := false
	for i := range len(path) {
		ch := path[i]
		switch ch {
		case '{':
			in = true
		case '}':
			in = false
		}
		if !in && (ch <= ' ' || ch >= 0x7f || strings.IndexByte("\"<>\\^`|", ch) >= 0) {
			fmt.Fprintf(&b, "%%%02X", ch)
			continue
		}
		b.WriteByte(ch)
	}
	return b.String()
}

var parameter = regexp.MustCompile(`\{([^{}]*)\}`)

func (c *converter) operation(m *entry, path string, item *node) *node {
	n := m.value
	spot := m.key + " " + parameter.ReplaceAllString(path, "{}")
	if slices.Contains(c.spots, spot) {
		c.note(m.line, "%s %s: another path differs in the names of parameters only: left out", strings.ToUpper(m.key), short(path))
		return nil
	}
	out := &node{kind: isMap, line: m.line}
	id, was := c.operationID(n.word("operationId"), m.key, path)
	out.set("operationId", text(id)).line = m.line
	if was != "" {
		line := n.find("operationId").line
		c.note(line, "operationId %s is %s here", short(was), id)
		out.find("operationId").notes = []string{"operationId was " + short(was)}
	}
	for _, k := range []string{"summary", "description"} {
		if s := n.word(k); s != "" {
			out.set(k, text(s))
		}
	}
	tags := &node{kind: isList}
	for _, t := range itemsOf(n.get("tags")) {
		if t.kind == isText {
			tags.items = append(tags.items, text(t.text))
		}
	}
	if len(tags.items) > 0 {
		out.set("tags", tags)
	}
	if n.yes("deprecated") {
		out.set("deprecated", truth(true))
	}
	out.set("x-emenda-changes", truth(m.key != "get")).notes = []string{"guessed of " + strings.ToUpper(m.key) + ": check whether it changes anything"}
	if params := c.params(out, path, item, n); len(params.items) > 0 {
		out.set("parameters", params)
	}
	if b := n.get("requestBody"); b != nil {
		body, ok := c.body(out, c.deref(b))
		if !ok {
			c.note(b.line, "%s %s takes a body of none of the types contracts know: left out", strings.ToUpper(m.key), short(path))
			delete(c.ids, id)
			return nil
		}
		if body != nil {
			out.set("requestBody", body).line = b.line
		}
	}
	if n.get("callbacks") != nil {
		c.dropped(out, n.find("callbacks"), "a mapping of its own takes what the backend sends")
	}
	out.set("responses", c.responses(out, n.get("responses")))
	c.spots = append(c.spots, spot)
	return out
}

// operationID gives a name that calls can use, and what it was when it had another.
func (c *converter) operationID(given, method, path string) (id, was string) {
	id = given
	if id == "" {
		parts := []string{}
		for s := range strings.SplitSeq(path, "/") {
			if s != "" {
				parts = append(parts, strings.ReplaceAll(parameter.ReplaceAllString(s, "by $1"), ".", " "))
			}
		}
		id = strings.Join(append(parts, method), ".")
	}
	if !contract.KnownID(id) {
		id = identifier(id)
	}
	for base, i := id, 2; c.ids[id]; i++ {
		id = base + "_" + strconv.Itoa(i)
	}
	c.ids[id] = true
	if given != "" && given != id {
		return id, given
	}
	return id, ""
}

// identifier makes lower-case words joined by dots of any text.
func identifier(s string) string {
	var b strings.Builder
	before := rune(0)
	runes := []rune(norm.NFD.String(s))
	for i, r := range runes {
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case r == '.':
			b.WriteByte('.')
		case r > 0x7f || !unicode.IsLetter(r) && !unicode.IsDigit(r):
			b.WriteByte('_')
		case unicode.IsUpper(r):
			next := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if unicode.IsLower(before) || unicode.IsDigit(before) || unicode.IsUpper(before) && next {
				b.WriteByte('_')
			}
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(r)
		}
		before = r
	}
	var words []string
	for word := range strings.SplitSeq(b.String(), ".") {
		if word = strings.Trim(regexp.MustCompile(`_+`).ReplaceAllString(word, "_"), "_"); word != "" {
			words = append(words, word)
		}
	}
	id := strings.Join(words, ".")
	if id == "" || id[0] < 'a' || id[0] > 'z' {
		id = strings.TrimSuffix("op_"+id, "_")
	}
	return id
}

// params reads parameters of the path and the operation.
func (c *converter) params(out *node, path string, item, n *node) *node {
	list := &node{kind: isList}
	at := map[string]int{} // by name
	from := map[string]string{}
	for _, given := range slices.Concat(itemsOf(item.get("parameters")), itemsOf(n.get("parameters"))) {
		p := c.deref(given)
		if p == nil {
			continue
		}
		name, in := p.word("name"), p.word("in")
		made := c.param(out, p, path)
		if made == nil {
			continue
		}
		if i, ok := at[name]; ok {
			if from[name] != in {
				c.about(out, p.line, fmt.Sprintf("parameter %s in %s dropped: calls give parameters by name, and there is one in %s", short(name), in, from[name]))
				continue
			}
			list.items[i] = made // the operation's own
			continue
		}
		at[name], from[name] = len(list.items), in
		list.items = append(list.items, made)
	}
	for _, found := range parameter.FindAllStringSubmatch(path, -1) {
		if _, ok := at[found[1]]; !ok && found[1] != "" {
			c.about(out, out.line, "path parameter "+short(found[1])+" is not described: taken for a text")
			at[found[1]] = len(list.items)
			list.items = append(list.items, newMap(0, "name", text(found[1]), "in", text("path"), "required", truth(true), "schema", newMap(0, "type", text("string"))))
		}
	}
	return list
}

// param reads one parameter; nil when a contract cannot have it, which is told.
func (c *converter) param(op, p *node, path string) *node {
	name, in := p.word("name"), p.word("in")
	no := func(why string) *node {
		words := "parameter " + short(name) + " in " + short(in) + " dropped (" + why + ")"
		if p.yes("required") {
			words += ", and the backend requires it"
		}
		c.about(op, p.line, words)
		return nil
	}
	switch {
	case name == "" || in == "":
		c.about(op, p.line, "a parameter without name or place dropped")
		return nil
	case in == "header" && (contract.HeaderTaken(name) || strings.EqualFold(name, "Accept")):
		return no("the gateway sets it")
	case in != "header" && in != "query" && in != "path":
		return no("contracts have parameters in path, query and header")
	case in == "path" && !strings.Contains(path, "{"+name+"}"):
		return no("the path has it not")
	}
	out := newMap(p.line, "name", text(name), "in", text(in))
	if d := p.word("description"); d != "" {
		out.set("description", text(d))
	}
	if p.yes("required") || in == "path" {
		out.set("required", truth(true))
	}
	if p.yes("deprecated") {
		out.set("deprecated", truth(true))
	}
	schema := newMap(p.line, "type", text("string"))
	if s := p.get("schema"); s != nil {
		schema = c.schema(s)
	} else {
		c.about(out, p.line, "no schema: taken for a text")
	}
	kind := c.kindOf(schema)
	listed := kind == "array" && in == "query"
	if kind == "object" || kind == "array" && !listed {
		return no("a parameter is a text, a number or true/false, in a query also a list of these")
	}
	if listed {
		if e := p.get("explode"); e != nil && e.text == "false" || p.word("style") != "" && p.word("style") != "form" {
			c.about(out, p.line, "lists in a query repeat their name here: the backend wants another style")
		}
		if k := c.kindOf(c.at(schema).get("items")); k == "object" || k == "array" {
			return no("a list of lists or objects")
		}
	}
	if in != "header" && schema.yes("x-emenda-secret") {
		out.set("x-emenda-exception", text("so documented"))
	}
	out.set("schema", schema)
	if ex := p.get("example"); ex != nil {
		out.set("example", ex)
	} else if all := c.examples(p.get("examples")); all != nil {
		out.set("examples", all)
	}
	return out
}

// at follows a reference to a schema, in the source.
func (c *converter) at(schema *node) *node {
	name, ok := strings.CutPrefix(schema.word("$ref"), schemaRef)
	if !ok {
		return schema
	}
	for was, is := range c.names {
		if is == name {
			n, _ := c.flat(c.root.get("components").get("schemas").get(was))
			return n
		}
	}
	return nil
}

// kindOf gives the one type of a schema, "" for several or none.
func (c *converter) kindOf(schema *node) string {
	for range 20 {
		if schema == nil || schema.word("$ref") == "" {
			break
		}
		schema = c.at(schema)
	}
	switch {
	case schema == nil:
		return ""
	case schema.get("type") == nil && schema.get("properties") != nil:
		return "object"
	case schema.get("type") == nil && schema.get("items") != nil:
		return "array"
	}
	if all := c.kinds(schema); len(all) == 1 {
		return all[0]
	}
	return ""
}

// examples reads examples by name; nil for none.
func (c *converter) examples(all *node) *node {
	out := &node{kind: isMap}
	for _, e := range entriesOf(all) {
		ex := c.deref(e.value)
		if ex == nil {
			continue
		}
		v := ex.get("value")
		if v == nil {
			c.note(e.line, "example %s has no value of its own: dropped", short(e.key))
			continue
		}
		made := &node{kind: isMap, line: e.line}
		for _, k := range []string{"summary", "description"} {
			if s := ex.word(k); s != "" {
				made.set(k, text(s))
			}
		}
		made.set("value", v)
		out.entries = append(out.entries, &entry{key: e.key, value: made, line: e.line})
	}
	if len(out.entries) == 0 {
		return nil
	}
	return out
}

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
