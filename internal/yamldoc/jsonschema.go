package yamldoc

import (
	"fmt"
	"regexp"
	"strings"
)

// JSONSchema gives a JSON Schema (2020-12) of what s says, for editors: a
// document that Check finds nothing in is valid. Objects stand in defs, which
// it adds to, and are referred to from there.
func (s *Shape) JSONSchema(defs map[string]any) map[string]any {
	return (&schemas{defs: defs, names: map[*Shape]string{}}).of(s)
}

type schemas struct {
	defs  map[string]any
	names map[*Shape]string
}

// kinds are the node kinds as JSON Schema names them.
var kinds = []struct {
	kind Kind
	name string
}{{Null, "null"}, {Bool, "boolean"}, {Number, "number"}, {Text, "string"}, {List, "array"}, {Map, "object"}}

// envText is text that takes a value from the environment: what it comes to is
// not known in an editor.
var envText = map[string]any{"type": "string", "pattern": `\$\{env:`}

func (c *schemas) of(s *Shape) map[string]any {
	if s == nil {
		return map[string]any{}
	}
	if s.Form == ObjectForm || s.Form == AltForm {
		return map[string]any{"$ref": "#/$defs/" + c.define(s)}
	}
	out := c.plain(s)
	if s.Env {
		out = map[string]any{"anyOf": []any{envText, out}}
	}
	return described(out, s.Doc)
}

func described(out map[string]any, doc string) map[string]any {
	if doc != "" {
		out["description"] = doc
	}
	return out
}

var notName = regexp.MustCompile(`[^a-z0-9]+`)

// define puts the schema of an object, or of one of several shapes, into defs.
func (c *schemas) define(s *Shape) string {
	if name, ok := c.names[s]; ok {
		return name
	}
	base := strings.Trim(notName.ReplaceAllString(strings.ToLower(s.Name), "_"), "_")
	switch {
	case base != "":
	case s.Form == AltForm:
		base = "either"
	default:
		base = "object"
	}
	name := base
	for n := 2; c.defs[name] != nil; n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	c.names[s] = name
	c.defs[name] = true // taken, while what is inside is made
	if s.Form == ObjectForm {
		c.defs[name] = described(c.object(s), s.Doc)
	} else {
		c.defs[name] = described(c.either(s), s.Doc)
	}
	return name
}

func (c *schemas) object(s *Shape) map[string]any {
	properties := map[string]any{}
	required := []string{}
	for i := range s.Keys {
		k := &s.Keys[i]
		if k.Later != "" { // has no meaning yet: unknown
			continue
		}
		properties[k.Name] = described(c.of(k.Shape), k.Doc)
		if k.Required {
			required = append(required, k.Name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// either is one of several shapes: which, the kind of the value tells.
func (c *schemas) either(s *Shape) map[string]any {
	var alts []any
	for _, alt := range s.Alts {
		var types []string
		for _, k := range kinds {
			if s.alt(k.kind) == alt {
				types = append(types, k.name)
			}
		}
		if len(types) > 0 {
			alts = append(alts, map[string]any{"type": types, "allOf": []any{c.of(alt)}})
		}
	}
	return map[string]any{"anyOf": alts}
}

func (c *schemas) plain(s *Shape) map[string]any {
	switch s.Form {
	case MapForm:
		out := map[string]any{"type": "object", "additionalProperties": c.of(s.Elem)}
		if s.Pattern != "" {
			out["propertyNames"] = described(map[string]any{"pattern": `^(?:` + s.Pattern + `)$`}, s.KeyDoc)
		}
		if s.Min > 0 {
			out["minProperties"] = s.Min
		}
		return out
	case ListForm:
		out := map[string]any{"type": "array", "items": c.of(s.Elem)}
		if s.Min > 0 {
			out["minItems"] = s.Min
		}
		return out
	case TextForm:
		return map[string]any{"type": "string"}
	case IntForm:
		return map[string]any{"type": "integer"}
	case NumberForm:
		return map[string]any{"type": "number"}
	case BoolForm:
		return map[string]any{"type": "boolean"}
	case EnumForm:
		return map[string]any{"enum": s.Enum}
	case DurationForm:
		return map[string]any{"type": "string", "pattern": `^0*[1-9][0-9]*(ms|s|m|h|d)$`}
	case SizeForm:
		return map[string]any{"anyOf": []any{
			map[string]any{"type": "integer", "minimum": 1},
			map[string]any{"type": "string", "pattern": `^0*[1-9][0-9]*\s*(B|KB|MB|GB)?\s*$`},
		}}
	case ConditionForm:
		return map[string]any{"anyOf": []any{
			map[string]any{"type": "boolean"},
			map[string]any{"type": "string", "pattern": `\S`, "not": map[string]any{"pattern": `\$\{`}},
		}}
	case NameForm:
		return map[string]any{"type": "string", "minLength": 1}
	case ScalarForm:
		return map[string]any{"type": []string{"string", "number", "boolean"}}
	default:
		return map[string]any{}
	}
}
