// Package foreign reads OpenAPI documents that others wrote, 3.0 and 3.1, and
// writes contracts of them. What a contract cannot say is left out, with a
// comment there and a note that tells the line it stood in.
package foreign

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// Note tells of something that became different or was left out.
type Note struct {
	Line    int // of the source; 0: of no line
	Message string
}

// Imported is a contract made of a foreign document.
type Imported struct {
	Contract   string
	Operations int
	Notes      []Note // in the order of lines
}

// Import makes a contract of an OpenAPI document in YAML or JSON; file is its
// name, for comments. What it gives loads without errors.
func Import(file string, data []byte) (*Imported, error) {
	root, err := read(joined(data))
	if err != nil {
		return nil, err
	}
	version := root.get("openapi")
	switch {
	case root.kind != isMap || version == nil && root.get("swagger") == nil:
		return nil, errors.New("it is no OpenAPI document: it does not say openapi: 3.0 or 3.1")
	case version == nil:
		return nil, errors.New("it is Swagger 2.0: convert it to OpenAPI 3 first")
	case !strings.HasPrefix(version.text, "3.0") && !strings.HasPrefix(version.text, "3.1"):
		return nil, fmt.Errorf("openapi %s is not read, only 3.0 and 3.1", short(version.text))
	}
	c := &converter{root: root, file: filepath.Base(file), old: strings.HasPrefix(version.text, "3.0"), ids: map[string]bool{}}
	out := c.document()
	text, err := c.mend(out)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(c.notes, func(a, b Note) int { return cmp.Or(cmp.Compare(a.Line, b.Line), strings.Compare(a.Message, b.Message)) })
	return &Imported{Contract: text, Operations: operations(out), Notes: slices.Compact(c.notes)}, nil
}

// joined writes the two halves of a surrogate pair, which JSON has and YAML
// has not, as the one character they are.
func joined(data []byte) []byte {
	if !strings.HasPrefix(strings.TrimLeft(string(data), "\ufeff \t\r\n"), "{") {
		return data
	}
	s := string(data)
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		if len(s) >= 12 && s[1] == 'u' && s[6:8] == `\u` {
			if r, err := strconv.Unquote(`"` + s[:12] + `"`); err == nil { // not of surrogates
				b.WriteString(r)
				s = s[12:]
				continue
			}
			high, err1 := strconv.ParseUint(s[2:6], 16, 32)
			low, err2 := strconv.ParseUint(s[8:12], 16, 32)
			if err1 == nil && err2 == nil && high>>10 == 0xd800>>10 && low>>10 == 0xdc00>>10 {
				b.WriteRune(rune(0x10000 + (high-0xd800)<<10 + (low - 0xdc00)))
				s = s[12:]
				continue
			}
		}
		b.WriteString(s[:2])
		s = s[2:]
	}
	b.WriteString(s)
	return []byte(b.String())
}

// converter makes one contract.
type converter struct {
	root      *node
	file      string
	old       bool // OpenAPI 3.0
	notes     []Note
	names     map[string]string // schemas of components: their name here
	component string            // the schema being made, by its name in the source
	depth     int
	open      []*node // schemas being written in place of a reference
	merging   []*node // parts of allOf being put together
	ids       map[string]bool
	spots     []string // method and path of operations, parameters without name
}

func (c *converter) note(line int, format string, args ...any) {
	c.notes = append(c.notes, Note{line, fmt.Sprintf(format, args...)})
}

// short bounds what notes repeat of the source.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		s = u
	}
	return jsonx.PointerName(s)
}

// resolve gives what a $ref of this document names; nil when it cannot be followed, which is told.
func (c *converter) resolve(n *node) *node {
	ref := n.word("$ref")
	way, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		c.note(n.line, "%s: other files are not read: put the document together first", short(ref))
		return nil
	}
	at := c.root
	for part := range strings.SplitSeq(way, "/") {
		part = unescape(part)
		switch {
		case at.is(isMap):
			at = at.get(part)
		case at.is(isList):
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(at.items) {
				at = nil
			} else {
				at = at.items[i]
			}
		default:
			at = nil
		}
	}
	if at == nil {
		c.note(n.line, "%s names nothing: dropped", short(ref))
	}
	return at
}

// deref follows references to something that is no schema.
func (c *converter) deref(n *node) *node {
	for hops := 0; n != nil && n.word("$ref") != ""; hops++ {
		if hops > 20 {
			c.note(n.line, "%s leads back to itself", short(n.word("$ref")))
			return nil
		}
		n = c.resolve(n)
	}
	if !n.is(isMap) {
		return nil
	}
	return n
}

// document makes the whole.
func (c *converter) document() *node {
	out := newMap(1, "openapi", text("3.1.0"), "x-emenda", number("1"))
	out.entries[0].notes = []string{"Written by emenda contract import from " + comment(c.file) + "; the lines that comments name are its lines."}
	out.set("info", c.info())
	c.servers(out)
	if tags := c.tags(); len(tags.items) > 0 {
		out.set("tags", tags)
	}
	c.signIn(out)
	c.nameSchemas()
	paths := &node{kind: isMap}
	out.set("paths", paths)
	for _, p := range entriesOf(c.root.get("paths")) {
		if !strings.HasPrefix(p.key, "x-") {
			c.path(paths, p)
		}
	}
	schemas := &node{kind: isMap}
	for _, s := range entriesOf(c.root.get("components").get("schemas")) {
		name := c.names[s.key]
		if name == "" {
			continue
		}
		c.component = s.key
		schemas.entries = append(schemas.entries, &entry{key: name, value: c.schema(s.value), line: s.line})
	}
	c.component = ""
	cut := cutter{c: c, schemas: schemas, state: map[string]int{}}
	for _, s := range schemas.entries {
		cut.visit(s.key)
	}
	out.set("components", newMap(0, "schemas", schemas))
	return out
}

func entriesOf(n *node) []*entry {
	if n == nil {
		return nil
	}
	return n.entries
}

func itemsOf(n *node) []*node {
	if n == nil {
		return nil
	}
	return n.items
}

func (c *converter) info() *node {
	from := c.root.get("info")
	out := newMap(0, "title", text("Imported"), "version", text("1"))
	for _, k := range []string{"title", "version", "description"} {
		if v := from.get(k); v != nil && v.text != "" && (v.kind == isText || v.kind == isNumber) {
			out.set(k, text(v.text))
		}
	}
	return out
}

// servers tells what gateway.yaml needs to know.
func (c *converter) servers(out *node) {
	for _, s := range itemsOf(c.root.get("servers")) {
		if u := s.word("url"); u != "" {
			c.note(s.line, "servers: gateway.yaml says where requests go: url: %s", short(u))
			out.find("info").notes = append(out.find("info").notes, "line "+strconv.Itoa(s.line)+": server "+short(u))
		}
	}
}

func (c *converter) tags() *node {
	list := &node{kind: isList}
	for _, t := range itemsOf(c.root.get("tags")) {
		if t.word("name") == "" {
			continue
		}
		tag := newMap(t.line, "name", text(t.word("name")))
		if d := t.word("description"); d != "" {
			tag.set("description", text(d))
		}
		list.items = append(list.items, tag)
	}
	return list
}

// signIn writes what of the document's security a contract can say, and a comment about the rest.
func (c *converter) signIn(out *node) {
	var words []string
	for _, s := range entriesOf(c.root.get("components").get("securitySchemes")) {
		v := c.deref(s.value)
		if v == nil {
			continue
		}
		kind, scheme := v.word("type"), strings.ToLower(v.word("scheme"))
		switch {
		case kind == "http" && scheme == "basic":
			if out.get("x-emenda-sign-in") == nil {
				basic := newMap(0, "user", text("user"), "password", text("password"))
				out.set("x-emenda-sign-in", newMap(s.line, "basic", basic))
			}
			c.note(s.line, "%s: HTTP Basic on every operation, with user and password of gateway.yaml's sign_in", short(s.key))
			continue
		case kind == "http" && scheme == "bearer":
			words = append(words, fmt.Sprintf("line %d: %s: a bearer token: when an operation gives it, write token: { header: Authorization, prefix: \"Bearer \", obtain: OPERATION, value: \"${answer.…}\" } and x-emenda-token: true where it is carried", s.line, short(s.key)))
		case kind == "apiKey" && v.word("in") == "header":
			words = append(words, fmt.Sprintf("line %d: %s: a key in header %s: write header: { %s: key }, and key into gateway.yaml's sign_in", s.line, short(s.key), short(v.word("name")), short(v.word("name"))))
		case kind == "apiKey":
			words = append(words, fmt.Sprintf("line %d: %s: a key in %s %s", s.line, short(s.key), short(v.word("in")), short(v.word("name"))))
		default:
			words = append(words, fmt.Sprintf("line %d: %s: %s", s.line, short(s.key), short(kind)))
		}
		c.note(s.line, "%s (%s) is no sign-in a contract can have by itself: see the comment above x-emenda-sign-in or paths", short(s.key), strings.TrimSpace(kind+" "+scheme))
	}
	if len(words) == 0 {
		return
	}
	words = append([]string{"How the backend knows the gateway, to be written as x-emenda-sign-in:"}, words...)
	e := out.find("x-emenda-sign-in")
	if e == nil {
		e = out.set("paths", &node{kind: isMap})
	}
	e.notes = append(e.notes, words...)
}

// nameSchemas gives each schema of components the name it has here.
func (c *converter) nameSchemas() {
	c.names = map[string]string{}
	taken := map[string]bool{}
	for _, s := range entriesOf(c.root.get("components").get("schemas")) {
		name := strings.Map(func(r rune) rune {
			if r < 0x80 && (r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
				return r
			}
			return '_'
		}, s.key)
		for base, i := name, 2; taken[name] || name == ""; i++ {
			name = base + "_" + strconv.Itoa(i)
		}
		taken[name] = true
		c.names[s.key] = name
	}
}

// cutter opens circles of schemas: a value that nests without end has no type that can be checked.
type cutter struct {
	c       *converter
	schemas *node
	state   map[string]int // 1: being visited, 2: done
}

func (k *cutter) visit(name string) {
	k.state[name] = 1
	k.walk(k.schemas.get(name))
	k.state[name] = 2
}

func (k *cutter) walk(n *node) {
	if n == nil {
		return
	}
	if name, ok := strings.CutPrefix(n.word("$ref"), schemaRef); ok {
		switch k.state[name] {
		case 0:
			k.visit(name)
		case 1:
			line := n.line
			*n = node{kind: isMap, line: line}
			if t := k.schemas.get(name).word("type"); t != "" && t != "array" {
				n.set("type", text(t))
			} else if t != "array" {
				n.set("type", text("object"))
			}
			k.c.note(line, "%s holds itself: left open here", name)
			n.notes = append(n.notes, fmt.Sprintf("line %d: %s again, left open", line, name))
		}
		return
	}
	k.walk(n.get("items"))
	for _, p := range entriesOf(n.get("properties")) {
		k.walk(p.value)
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		for _, a := range itemsOf(n.get(word)) {
			k.walk(a)
		}
	}
}

// prune removes the schemas that nothing refers to.
func prune(out *node) {
	schemas := out.get("components").get("schemas")
	if schemas == nil {
		return
	}
	used := map[string]bool{}
	var walk func(n *node)
	walk = func(n *node) {
		if n == nil {
			return
		}
		if name, ok := strings.CutPrefix(n.word("$ref"), schemaRef); ok && !used[name] {
			used[name] = true
			walk(schemas.get(name))
		}
		for _, e := range n.entries {
			walk(e.value)
		}
		for _, i := range n.items {
			walk(i)
		}
	}
	walk(out.get("paths"))
	schemas.entries = slices.DeleteFunc(schemas.entries, func(e *entry) bool { return !used[e.key] })
	if len(schemas.entries) == 0 {
		out.drop("components")
	}
}

func operations(out *node) (count int) {
	for _, p := range entriesOf(out.get("paths")) {
		for _, m := range p.value.entries {
			if slices.Contains(methods, m.key) {
				count++
			}
		}
	}
	return count
}

// load reads what was made as a contract.
func load(text string) (diag.List, error) {
	fns, err := expr.NewFunctions()
	if err != nil {
		return nil, err
	}
	_, list := contract.Load("imported", diag.NewFile("contract", text), fns)
	return list, nil
}
