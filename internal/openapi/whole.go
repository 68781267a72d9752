package openapi

import (
	"path"
	"strings"

	"github.com/emenda-gateway/emenda/internal/mapping"
)

// whole shows a body that is held against a schema as a whole. What the schema
// refers to under its $defs stands among the components, under its name and the
// file's. One test of the mapping is its example.
func (b *builder) whole(in *input, doc *mapping.Document, requests []request) {
	v, _ := fromJSON([]byte(doc.Schema.File.Text))
	schema, ok := v.(*object)
	if !ok {
		return
	}
	name := strings.TrimSuffix(path.Base(doc.File), path.Ext(doc.File))
	defs, _ := schema.values["$defs"].(*object)
	for _, word := range []string{"$schema", "$id", "$defs"} {
		schema.drop(word)
	}
	refer(schema, name)
	in.schema = b.intern("schemas", b.schemas, name, schema)
	in.required = true
	if defs != nil {
		for _, def := range defs.keys {
			part, ok := defs.values[def].(*object)
			if !ok { // true: anything; false: nothing
				if part = obj(); defs.values[def] == false {
					part.set("not", obj())
				}
			}
			refer(part, name)
			b.schemas.set(componentName(name+"."+def), part)
		}
	}
	if len(requests) > 0 {
		if v, ok := fromJSON(mapping.ConstantJSON(requests[0].node)); ok {
			in.examples.set(requests[0].name, obj("value", v))
		}
	}
}

// refer turns references to $defs of a file into those to components.
func refer(v any, name string) {
	switch v := v.(type) {
	case list:
		for _, one := range v {
			refer(one, name)
		}
	case *object:
		for _, key := range v.keys {
			if to, ok := v.values[key].(string); ok && key == "$ref" {
				if def, local := strings.CutPrefix(to, "#/$defs/"); local {
					v.set(key, "#/components/schemas/"+componentName(name+"."+def))
				}
				continue
			}
			refer(v.values[key], name)
		}
	}
}
