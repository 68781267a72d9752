// Package openapi writes what a gateway offers, mappings and exposed
// operations, as one OpenAPI 3.1 document, and holds the page that shows it in
// a browser. The same configuration gives the same document, byte for byte.
package openapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Options say of what a document is made.
type Options struct {
	Set       *mapping.Set
	Contracts map[string]*contract.Contract // by backend
	Version   string                        // of the configuration
	Dialect   string                        // only what this dialect offers; "": all
	Caller    *config.Caller                // only what it may call; nil: everything
}

// Document is an OpenAPI 3.1 document.
type Document struct{ root *object }

// JSON gives the document without blanks.
func (d *Document) JSON() []byte { return appendJSON(nil, d.root) }

// Indented gives the document as JSON for people.
func (d *Document) Indented() []byte {
	var b bytes.Buffer
	_ = json.Indent(&b, d.JSON(), "", "  ") // it is JSON
	b.WriteByte('\n')
	return b.Bytes()
}

// YAML gives the document as YAML.
func (d *Document) YAML() []byte { return appendYAML(nil, d.root, "") }

const about = "What this gateway offers, written from the configuration that it serves. " +
	"Values are taken as leniently as they are documented strictly: a number may come as text."

// Make writes the document.
func Make(o Options) *Document {
	b := &builder{
		o: o, paths: obj(), schemas: obj(), responses: obj(), schemes: obj(),
		templates: map[string]string{}, ids: map[string]bool{}, interned: map[string]string{}, books: map[string]*book{}, errors: map[errorKey]*errorText{},
	}
	if o.Caller != nil {
		b.caller = &intake.Caller{}
		for _, p := range o.Caller.Permissions {
			b.caller.Permissions = append(b.caller.Permissions, p.Glob)
		}
	}
	for _, r := range o.Set.Routes {
		if b.offered(r.Dialect) && b.may(r.Needs) {
			b.route(r)
		}
	}
	for _, e := range o.Set.Exposed {
		if b.offered(e.Dialect) {
			b.exposed(e)
		}
	}
	root := obj("openapi", "3.1.1")
	root.set("info", obj("title", "Emenda", "description", about, "version", o.Version))
	root.set("servers", list{obj("url", "/", "description", "This gateway.")})
	root.set("tags", b.tags)
	root.set("paths", b.paths)
	components := obj()
	for _, part := range []struct {
		name string
		of   *object
	}{{"schemas", b.schemas}, {"responses", b.responses}, {"securitySchemes", b.schemes}} {
		if len(part.of.keys) > 0 {
			components.set(part.name, part.of)
		}
	}
	root.set("components", components)
	return &Document{root}
}

// builder is a document being written.
type builder struct {
	o         Options
	caller    *intake.Caller // nil: everything is shown
	tags      list
	paths     *object
	schemas   *object
	responses *object
	schemes   *object
	templates map[string]string // by a path without its parameters' names: as it stands in paths
	ids       map[string]bool   // operationIds
	interned  map[string]string // by kind and text of a part: its name in components
	books     map[string]*book  // by backend
	errors    map[errorKey]*errorText
}

func (b *builder) offered(d *mapping.Dialect) bool {
	return (b.o.Dialect == "" || d.Name == b.o.Dialect) && (b.o.Caller == nil || d.Name == b.o.Caller.Dialect)
}

func (b *builder) may(needs string) bool { return b.caller == nil || b.caller.May(needs) }

// tag notes a tag; the first description stands.
func (b *builder) tag(name, description string) {
	for _, t := range b.tags {
		if t.(*object).values["name"] == name {
			return
		}
	}
	t := obj("name", name)
	t.say("description", description)
	b.tags = append(b.tags, t)
}

// id gives an operation the first of the names that nobody has, or one with a number.
func (b *builder) id(names ...string) string {
	name := names[len(names)-1]
	for _, n := range names {
		if !b.ids[n] {
			b.ids[n] = true
			return n
		}
	}
	for i := 2; ; i++ {
		if n := name + "." + strconv.Itoa(i); !b.ids[n] {
			b.ids[n] = true
			return n
		}
	}
}

// place puts an operation under its path and method, unless one stands there
// already. Paths that differ in the names of their parameters alone are one:
// renamed tells what those are called there.
func (b *builder) place(path, method string, op func(renamed map[string]string) *object) {
	bare, names := bareOf(path)
	known, ok := b.templates[bare]
	if !ok {
		known = path
		b.templates[bare] = path
	}
	item := b.paths.within(known)
	if method = strings.ToLower(method); item.has(method) {
		return // what is asked first takes the request
	}
	renamed := map[string]string{}
	_, theirs := bareOf(known)
	for i, name := range names {
		renamed[name] = theirs[i]
	}
	item.set(method, op(renamed))
}

// bareOf gives a path without the names of its parameters, and those.
func bareOf(path string) (bare string, names []string) {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if name, ok := strings.CutPrefix(s, "{"); ok {
			segments[i], names = "{}", append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return strings.Join(segments, "/"), names
}

// intern puts a part into components once, under name or one with a number,
// and gives a reference to it.
func (b *builder) intern(kind string, into *object, name string, part *object) *object {
	text := kind + string(appendJSON(nil, part))
	known, ok := b.interned[text]
	if !ok {
		known = componentName(name)
		for i := 2; into.has(known); i++ {
			known = componentName(name) + "." + strconv.Itoa(i)
		}
		b.interned[text] = known
		into.set(known, part)
	}
	return obj("$ref", "#/components/"+kind+"/"+known)
}

// componentName spells a name as components must be.
func componentName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, s)
}

// spelled gives a path below a prefix, as its dialect spells paths.
func spelled(d *mapping.Dialect, path string) string {
	path = strings.TrimSuffix(path, "/")
	if d.Slash == mapping.SlashAlways {
		path += "/"
	}
	return path
}

// dialectSummary is what a dialect's file says of it.
func dialectSummary(d *mapping.Dialect) string {
	said := ""
	if d.File != nil {
		if n, _ := yamldoc.Parse(d.File); n != nil {
			if s := n.Get("summary"); s != nil {
				said = s.Text
			}
		}
	}
	if said != "" && !strings.HasSuffix(said, ".") {
		said += "."
	}
	if d.Slash == mapping.SlashEither {
		said += " A slash at the end of a path may be there or not."
	}
	return strings.TrimSpace(said)
}

// answers are an operation's answers while they are collected.
type answers struct{ byStatus map[int]*answer }

type answer struct {
	says  []string
	media *object // by content type: *media
	told  bool    // something other than a failure in the dialect's words is among them
}

type media struct {
	schemas  list
	examples *object
}

func (a *answers) at(status int) *answer {
	if a.byStatus == nil {
		a.byStatus = map[int]*answer{}
	}
	if a.byStatus[status] == nil {
		a.byStatus[status] = &answer{media: obj()}
	}
	return a.byStatus[status]
}

// say adds to when the answer comes.
func (a *answer) say(text string) {
	if text = strings.TrimSpace(text); text != "" && !slices.Contains(a.says, text) {
		a.says = append(a.says, text)
	}
}

// of gives what is known of the answer in a content type.
func (a *answer) of(contentType string) *media {
	if m, ok := a.media.values[contentType].(*media); ok {
		return m
	}
	m := &media{examples: obj()}
	a.media.set(contentType, m)
	return m
}

// fits adds a schema, unless it is there.
func (m *media) fits(schema *object) {
	text := string(appendJSON(nil, schema))
	if !slices.ContainsFunc(m.schemas, func(s any) bool { return string(appendJSON(nil, s)) == text }) {
		m.schemas = append(m.schemas, schema)
	}
}

// example adds an example by name; another of the same value is left out.
func (m *media) example(name string, v any) {
	text := string(appendJSON(nil, v))
	for _, k := range m.examples.keys {
		if string(appendJSON(nil, m.examples.values[k].(*object).values["value"])) == text {
			return
		}
	}
	for i := 2; m.examples.has(name); i++ {
		name = strings.TrimSuffix(name, " "+strconv.Itoa(i-1)) + " " + strconv.Itoa(i)
	}
	m.examples.set(name, obj("value", v))
}

// object gives the media type object; several schemas are joined by word.
func (m *media) object(word string) *object {
	o := obj()
	switch len(m.schemas) {
	case 0:
	case 1:
		o.set("schema", m.schemas[0])
	default:
		o.set("schema", obj(word, m.schemas))
	}
	if len(m.examples.keys) > 0 {
		o.set("examples", m.examples)
	}
	return o
}

// answersObject gives the responses; those that are failures of the dialect alone are shared.
func (b *builder) answersObject(d *mapping.Dialect, a *answers) *object {
	all := obj()
	for _, s := range slices.Sorted(maps.Keys(a.byStatus)) {
		one := a.byStatus[s]
		r := obj("description", strings.Join(one.says, " "))
		for _, t := range one.media.keys {
			r.within("content").set(t, one.media.values[t].(*media).object("anyOf"))
		}
		if !one.told {
			r = b.intern("responses", b.responses, d.Name+"."+strconv.Itoa(s), r)
		}
		all.set(strconv.Itoa(s), r)
	}
	return all
}
