package foreign

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
)

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
