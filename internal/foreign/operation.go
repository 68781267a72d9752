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
