package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"github.com/tidwall/gjson"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// json gives a YAML value as JSON text, numbers with their digits.
func (l *loader) json(n *yamldoc.Node) ([]byte, bool) {
	before := len(l.list)
	b := l.appendJSON(nil, n)
	return b, len(l.list) == before
}

func (l *loader) appendJSON(dst []byte, n *yamldoc.Node) []byte {
	switch n.Kind {
	case yamldoc.Null:
		return append(dst, "null"...)
	case yamldoc.Bool:
		return append(dst, strings.ToLower(n.Text)...)
	case yamldoc.Number:
		if !gjson.Valid(n.Text) {
			l.list.Errorf(n.Span, ruleExample, "JSON cannot hold this number as it is written").Help = "write it as JSON does, or in quotes"
			return append(dst, '0')
		}
		return append(dst, n.Text...)
	case yamldoc.List:
		dst = append(dst, '[')
		for i, item := range n.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = l.appendJSON(dst, item)
		}
		return append(dst, ']')
	case yamldoc.Map:
		dst = append(dst, '{')
		for i, e := range n.Entries {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = jsonx.AppendQuoted(dst, e.Key.Text)
			dst = append(dst, ':')
			dst = l.appendJSON(dst, e.Value)
		}
		return append(dst, '}')
	default:
		return jsonx.AppendQuoted(dst, n.Text)
	}
}

// misspelt warns of fields of an inferred contract's example that its schema
// does not name while it names one spelled nearly so, which the example lacks:
// such contracts hold what either says, so that nothing else would notice.
func (l *loader) misspelt(n *yamldoc.Node, t *expr.Type) {
	if n == nil || t == nil {
		return
	}
	for _, item := range n.Items {
		l.misspelt(item, t.Elem)
	}
	for _, e := range n.Entries {
		if f := t.Fields[e.Key.Text]; f != nil {
			l.misspelt(e.Value, f.Type)
			continue
		}
		var lacking []string
		for _, name := range t.Order {
			if n.Get(name) == nil {
				lacking = append(lacking, name)
			}
		}
		if near := diag.Suggest(e.Key.Text, lacking); near != "" {
			l.list.Warnf(e.Key.Span, ruleExample, "the schema names no field %s, which the example has", short(e.Key.Text)).
				Help = "did you mean " + near + "?"
		}
	}
}

// value gives a YAML value as the schema library takes values.
func (l *loader) value(n *yamldoc.Node) (any, bool) {
	raw, ok := l.json(n)
	if !ok {
		return nil, false
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	return v, err == nil
}

// document gives schema n, its references resolved, as the library takes schemas.
// Objects are closed as Emenda's contracts mean them: where properties are named, no others.
func (l *loader) document(n *yamldoc.Node, open bool, depth int) any {
	for hops := 0; n != nil && n.Get("$ref") != nil; hops++ {
		ref := n.Get("$ref")
		name, ok := strings.CutPrefix(word(ref), "#/components/schemas/")
		n = l.root.Get("components").Get("schemas").Get(name)
		if !ok || hops > 20 {
			return true // reported by typeOf
		}
	}
	if n == nil || n.Kind != yamldoc.Map || depth > 64 {
		return true
	}
	doc := map[string]any{}
	for _, e := range n.Entries {
		switch e.Key.Text {
		case "type":
			var types []any
			if e.Value.Kind == yamldoc.Text || e.Value.Kind == yamldoc.Null {
				types = append(types, strings.ToLower(e.Value.Text))
			}
			for _, i := range items(e.Value) {
				if !slices.Contains(types, any(i.Text)) {
					types = append(types, i.Text)
				}
			}
			if len(types) > 0 && !slices.ContainsFunc(types, func(t any) bool { return !slices.Contains(typeNames, t.(string)) }) {
				doc["type"] = types
			}
		case "properties":
			props := map[string]any{}
			for _, p := range entries(e.Value) {
				props[p.Key.Text] = l.document(p.Value, open, depth+1)
			}
			doc["properties"] = props
			if !open && !yes(n.Get("additionalProperties")) {
				doc["additionalProperties"] = false
			}
		case "additionalProperties":
			if e.Value.Kind == yamldoc.Bool && !yes(e.Value) {
				doc["additionalProperties"] = false
			}
		case "items":
			doc["items"] = l.document(e.Value, open, depth+1)
		case "anyOf", "oneOf":
			var alts []any
			for _, i := range items(e.Value) {
				alts = append(alts, l.document(i, open, depth+1))
			}
			if len(alts) > 0 {
				doc[e.Key.Text] = alts
			}
		case "required":
			names := []any{}
			for _, i := range items(e.Value) {
				if i.Kind == yamldoc.Text && !slices.Contains(names, any(i.Text)) {
					names = append(names, i.Text)
				}
			}
			doc["required"] = names
		case "pattern":
			if e.Value.Kind == yamldoc.Text {
				doc["pattern"] = e.Value.Text
			}
		case "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
			if e.Value.Kind == yamldoc.Number && gjson.Valid(e.Value.Text) {
				doc[e.Key.Text] = json.Number(e.Value.Text)
			}
		case "enum":
			quiet := &loader{root: l.root}
			if v, ok := quiet.value(e.Value); ok && len(items(e.Value)) > 0 {
				doc["enum"] = v
			}
		case "const":
			quiet := &loader{root: l.root}
			if v, ok := quiet.value(e.Value); ok {
				doc["const"] = v
			}
		}
	}
	return doc
}

// fits checks that an example of a request fits its schema.
func (l *loader) fits(ex, schema *yamldoc.Node) { l.fitsAs(ex, schema, false) }

// fitsAs checks that an example fits its schema; with open, it may hold fields the schema does not name.
func (l *loader) fitsAs(ex, schema *yamldoc.Node, open bool) {
	if schema.Kind != yamldoc.Map || l.read > maxSchemas {
		return
	}
	v, ok := l.value(ex)
	if !ok {
		return
	}
	compiled := l.compile(schema, open)
	if compiled == nil {
		return
	}
	var bad *jsonschema.ValidationError
	if errors.As(compiled.Validate(v), &bad) {
		l.misfits(ex, bad)
	}
}

// compiled tells schemas apart that are read.
type compiled struct {
	schema *yamldoc.Node
	open   bool
}

// compile gives the schema as the library runs it, made once; nil when it cannot be read.
func (l *loader) compile(schema *yamldoc.Node, open bool) *jsonschema.Schema {
	key := compiled{schema, open}
	if s, ok := l.schemas[key]; ok {
		return s
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(nothing{})
	const at = "emenda:schema"
	var s *jsonschema.Schema
	err := compiler.AddResource(at, l.document(schema, open, 0))
	if err == nil {
		s, err = compiler.Compile(at)
	}
	if err != nil {
		s = nil
		if !l.list.HasErrors() { // else the reason has been said
			l.list.Errorf(schema.FirstLine(), ruleSchema, "this schema cannot be read")
		}
	}
	if l.schemas == nil {
		l.schemas = map[compiled]*jsonschema.Schema{}
	}
	l.schemas[key] = s
	return s
}

// nothing loads no other document: contracts stand alone.
type nothing struct{}

func (nothing) Load(string) (any, error) { return nil, errors.New("not read") }

// misfits reports what an example has wrong, where it stands. The library's own words quote values: ours come of keyword and pointer.
func (l *loader) misfits(ex *yamldoc.Node, bad *jsonschema.ValidationError) {
	switch bad.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf, *kind.Not:
	default:
		if len(bad.Causes) > 0 {
			for _, c := range bad.Causes {
				l.misfits(ex, c)
			}
			return
		}
	}
	n, where := locate(ex, bad.InstanceLocation)
	subject := "the example"
	if where != "" {
		subject = where + " of the example"
	}
	say := func(format string, args ...any) *diag.Diagnostic {
		return l.list.Errorf(n.FirstLine(), ruleExample, subject+" "+format, args...)
	}
	switch k := bad.ErrorKind.(type) {
	case *kind.Type:
		say("is %s, the schema wants %s", nodeWords(n), strings.Join(k.Want, " or "))
	case *kind.Required:
		for _, m := range k.Missing {
			say("has no %s, which the schema requires", short(m))
		}
	case *kind.AdditionalProperties:
		props := k.Properties
		slices.Sort(props)
		for _, p := range props {
			at := n.FirstLine()
			if e := n.KeyOf(p); e != nil {
				at = e.Span
			}
			l.list.Errorf(at, ruleExample, "%s has %s, which the schema does not name", subject, short(p)).
				Help = "add it to properties, or set additionalProperties: true"
		}
	case *kind.Enum:
		say("is none of the schema's enum")
	case *kind.Const:
		say("is not the schema's const")
	case *kind.Pattern:
		say("does not match the schema's pattern")
	case *kind.MinLength:
		say("is shorter than the schema's minLength %d", k.Want)
	case *kind.MaxLength:
		say("is longer than the schema's maxLength %d", k.Want)
	case *kind.MinItems:
		say("has fewer elements than the schema's minItems %d", k.Want)
	case *kind.MaxItems:
		say("has more elements than the schema's maxItems %d", k.Want)
	default:
		say("does not fit the schema's %s", strings.Join(bad.ErrorKind.KeywordPath(), "/"))
	}
}

// nodeWords say what a node is.
func nodeWords(n *yamldoc.Node) string {
	return [...]string{"null", "true or false", "a number", "a text", "a list", "an object"}[n.Kind]
}

// locate follows an instance path in the example.
func locate(n *yamldoc.Node, path []string) (at *yamldoc.Node, where string) {
	for _, p := range path {
		var next *yamldoc.Node
		if n.Kind == yamldoc.List {
			if i, err := strconv.Atoi(p); err == nil && i < len(n.Items) {
				next = n.Items[i]
			}
			where += "[" + p + "]"
		} else {
			next = n.Get(p)
			if where != "" {
				where += "."
			}
			where += short(p)
		}
		if next == nil {
			return n, where
		}
		n = next
	}
	return n, where
}
