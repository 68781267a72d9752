package jsonschema

import (
	"strings"
	"testing"

	second "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

var formats = map[string]*expr.Format{
	"even": {Name: "even", Normal: func(s string) (string, bool) { return s, len(s)%2 == 0 }},
}

// compiled gives a schema that has nothing wrong.
func compiled(t testing.TB, text string) *Schema {
	t.Helper()
	s, list := Compile(diag.NewFile("s.json", text), formats, "input")
	require.Empty(t, list.Text())
	return s
}

// told gives the faults of a document in one line.
func told(t testing.TB, s *Schema, doc string) string {
	t.Helper()
	v, err := new(jsonx.Arena).Parse(doc, true)
	require.NoError(t, err)
	var all []string
	for _, f := range s.Check(v) {
		all = append(all, f.Pointer()+" "+f.Keyword)
	}
	return strings.Join(all, "; ")
}

func TestWords(t *testing.T) {
	for name, c := range map[string]struct{ schema, good, bad, told string }{
		"type":                 {`{"type":"string"}`, `"a"`, `1`, " type"},
		"one of two types":     {`{"type":["string","null"]}`, `null`, `1`, " type"},
		"an integer":           {`{"type":"integer"}`, `5`, `5.5`, " type"},
		"digits are no number": {`{"type":"integer"}`, `5.0`, `"5"`, " type"},
		"whole by an exponent": {`{"type":"integer"}`, `1.5e1`, `15e-2`, " type"},
		"beyond any number":    {`{"type":"integer"}`, `1e999999999999`, `1e-999999999999`, " type"},
		"nothing, far below":   {`{"type":"integer"}`, `0e-9999999999`, `0.1`, " type"},
		"number or integer":    {`{"type":["integer","number"]}`, `0.5`, `true`, " type"},
		"enum":                 {`{"enum":[1,"a",null]}`, `1.0`, `"b"`, " enum"},
		"const":                {`{"const":{"a":[1]}}`, `{"a":[1.0]}`, `{"a":[2]}`, " const"},
		"minimum":              {`{"minimum":2}`, `2`, `1.99`, " minimum"},
		"maximum":              {`{"maximum":2}`, `"3"`, `2.01`, " maximum"},
		"exclusiveMinimum":     {`{"exclusiveMinimum":2}`, `2.1`, `2`, " exclusiveMinimum"},
		"exclusiveMaximum":     {`{"exclusiveMaximum":2}`, `1`, `2.0`, " exclusiveMaximum"},
		"minLength":            {`{"minLength":2}`, `"éé"`, `"é"`, " minLength"},
		"maxLength":            {`{"maxLength":2}`, `"éé"`, `"ééé"`, " maxLength"},
		"pattern":              {`{"pattern":"^a"}`, `5`, `"ba"`, " pattern"},
		"format":               {`{"format":"even"}`, `"ab"`, `"abc"`, " format"},
		"minItems":             {`{"minItems":1}`, `[1]`, `[]`, " minItems"},
		"maxItems":             {`{"maxItems":1}`, `{"a":1,"b":2}`, `[1,2]`, " maxItems"},
		"items":                {`{"items":{"type":"string"}}`, `["a"]`, `["a",1,2]`, "/1 type; /2 type"},
		"minProperties":        {`{"minProperties":1}`, `{"a":1}`, `{}`, " minProperties"},
		"maxProperties":        {`{"maxProperties":1}`, `[1,2]`, `{"a":1,"b":2}`, " maxProperties"},
		"required":             {`{"required":["a","b/c"]}`, `{"a":null,"b/c":1}`, `{}`, "/a required; /b~1c required"},
		"dependentRequired":    {`{"dependentRequired":{"a":["b"]}}`, `{"c":1}`, `{"a":1}`, "/b dependentRequired"},
		"properties":           {`{"properties":{"a":{"type":"string"}}}`, `{"b":1}`, `{"a":1}`, "/a type"},
		"no more members":      {`{"properties":{"a":true},"additionalProperties":false}`, `{"a":1}`, `{"b":1,"c":1}`, "/b additionalProperties; /c additionalProperties"},
		"other members":        {`{"additionalProperties":{"type":"string"}}`, `{"a":"b"}`, `{"a":1}`, "/a type"},
		"a member never":       {`{"properties":{"a":false}}`, `{}`, `{"a":1}`, "/a false"},
		"allOf":                {`{"allOf":[{"minimum":1},{"maximum":2}]}`, `1`, `0`, " minimum"},
		"anyOf":                {`{"anyOf":[{"required":["a"]},{"required":["b"]}]}`, `{"b":1}`, `{}`, " anyOf"},
		"oneOf, none":          {`{"oneOf":[{"required":["a"]},{"required":["b"]}]}`, `{"b":1}`, `{}`, " oneOf"},
		"oneOf, both":          {`{"oneOf":[{"required":["a"]},{"required":["b"]}]}`, `{"a":1}`, `{"a":1,"b":1}`, " oneOf"},
		"oneOf, of no kind":    {`{"oneOf":[{"type":"string"},{"type":"array"}]}`, `[]`, `1`, " type"},
		"oneOf, the one meant": {`{"oneOf":[{"type":"array","items":{"required":["a"]}},{"type":"object","required":["a"]}]}`, `{"a":1}`, `[{"a":1},{}]`, "/1/a required"},
		"$ref, and beside it":  {`{"$ref":"#/$defs/a","maximum":9,"$defs":{"a":{"type":"integer"}}}`, `9`, `10`, " maximum"},
		"many at once":         {`{"type":"object","required":["a"],"properties":{"a":true,"b":{"type":"array","items":{"minimum":1}},"c":{"maxLength":1}}}`, `{"a":1}`, `{"b":[0,1,0],"c":"long"}`, "/a required; /b/0 minimum; /b/2 minimum; /c maxLength"},
	} {
		t.Run(name, func(t *testing.T) {
			s := compiled(t, c.schema)
			require.Empty(t, told(t, s, c.good))
			require.Equal(t, c.told, told(t, s, c.bad))
		})
	}
}

func TestFaultsAreNamed(t *testing.T) {
	f := Fault{Path: []string{"a", "0", "b~/c", "12"}}
	require.Equal(t, "a[0].b~/c[12]", f.Field())
	require.Equal(t, "/a/0/b~0~1c/12", f.Pointer())
	require.Empty(t, (&Fault{}).Field())
}

func TestFaultsAreBounded(t *testing.T) {
	s := compiled(t, `{"items":{"type":"string"}}`)
	v, err := new(jsonx.Arena).Parse("["+strings.Repeat("1,", 999)+"1]", true)
	require.NoError(t, err)
	require.Len(t, s.Check(v), mostFaults)
}

func TestTypes(t *testing.T) {
	s := compiled(t, `{
		"type": "object",
		"required": ["name", "one"],
		"properties": {
			"name": {"type": "string", "enum": ["a", "b"]},
			"count": {"type": ["integer", "null"]},
			"list": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/line"}},
			"one": {"oneOf": [{"type": "array", "items": {"$ref": "#/$defs/line"}}, {"$ref": "#/$defs/line"}]},
			"open": {"type": "object"},
			"all": {"allOf": [{"$ref": "#/$defs/line"}, {"type": "object", "properties": {"extra": {"type": "boolean"}}}]}
		},
		"$defs": {"line": {"type": "object", "required": ["n"], "properties": {"n": {"type": "number"}}}}
	}`)
	f := s.Type.Fields
	require.Equal(t, []string{"name", "count", "list", "one", "open", "all"}, s.Type.Order)
	require.Equal(t, []string{"a", "b"}, f["name"].Type.Enum)
	require.False(t, f["name"].Type.Null)
	require.Equal(t, "whole number or no value", f["count"].Type.String())
	require.Equal(t, "list of object or no value", f["list"].Type.String())
	require.Equal(t, 1, f["list"].Type.Min)
	require.Equal(t, "number", f["list"].Type.Elem.Fields["n"].Type.String())
	require.Equal(t, "list of object or object", f["one"].Type.String())
	require.True(t, f["open"].Type.Open)
	require.False(t, s.Type.Open)
	require.Equal(t, []string{"n", "extra"}, f["all"].Type.Order)
}

// What a schema may not say is told at its place, all of it at once.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ schema, want string }{
		"no JSON":               {"a: b", "s.json:1:1: a schema file is JSON"},
		"no schema":             {`{"properties":{"a":5}}`, "s.json:1:20: a schema is an object, true or false, and this is a number"},
		"another draft":         {`{"$schema":"http://json-schema.org/draft-07/schema#"}`, "this program knows JSON Schema 2020-12"},
		"a misspelt word":       {`{"propertys":{}}`, "did you mean properties?"},
		"a word for rules":      {`{"if":{}}`, "what depends on other values is a rule"},
		"an unknown type":       {`{"type":"text"}`, `unknown type "text"`},
		"no type":               {`{"type":5}`, "type is a name, or a list of names"},
		"no effect":             {`{"type":"string","minimum":1}`, "minimum has no effect: the type is not number"},
		"a pattern":             {`{"pattern":"(?=a)"}`, "this pattern cannot be read"},
		"a format":              {`{"format":"evem"}`, "did you mean even?"},
		"a count":               {`{"minItems":-1}`, "minItems is a whole number from 0"},
		"a bound":               {`{"minimum":"1"}`, "minimum is a number"},
		"enum of nothing":       {`{"enum":[]}`, "enum is a list of values"},
		"required, no property": {`{"properties":{"name":{}},"required":["nome"]}`, "did you mean name?"},
		"required twice":        {`{"required":["a","a"]}`, `"a" is named twice`},
		"required, no list":     {`{"required":"a"}`, "required is a list of names"},
		"another file":          {`{"$ref":"other.json"}`, "a schema refers to one under $defs of its own file"},
		"an unknown reference":  {`{"$ref":"#/$defs/lime","$defs":{"line":{}}}`, "did you mean line?"},
		"a circle":              {`{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$ref":"#/$defs/a"}}}}`, "this leads back to the schema that holds it"},
		"nowhere used":          {`{"$defs":{"a":{"type":"text"}}}`, `unknown type "text"`},
		"not at the beginning":  {`{"items":{"$id":"x"}}`, "$id stands at the beginning of the file only"},
		"several of none":       {`{"oneOf":[]}`, "oneOf is a list of schemas"},
	} {
		t.Run(name, func(t *testing.T) {
			_, list := Compile(diag.NewFile("s.json", c.schema), formats, "input")
			require.Contains(t, list.Text(), c.want)
		})
	}
	_, list := Compile(diag.NewFile("s.json", `{"type":"text","minItems":-1,"x":1}`), formats, "input")
	require.Len(t, list, 4)
}

// Another implementation says the same of documents, good and bad.
func TestAgreesWithAnother(t *testing.T) {
	leaf := rapid.SampledFrom([]string{
		`{"type":"string"}`, `{"type":"integer"}`, `{"type":["number","null"]}`, `{"minimum":1}`, `{"exclusiveMaximum":2.5}`, `{"maxLength":1}`, `{"minLength":2}`,
		`{"enum":[1,"a",null,[1]]}`, `{"const":1.0}`, `{"pattern":"^a"}`, `{"maxItems":1}`, `{"minProperties":1}`, `{"required":["a"]}`, `{"dependentRequired":{"a":["b"]}}`, `true`, `{}`,
	})
	var schema func(depth int) *rapid.Generator[string]
	schema = func(depth int) *rapid.Generator[string] {
		if depth == 0 {
			return leaf
		}
		inner := schema(depth - 1)
		return rapid.Custom(func(t *rapid.T) string {
			a, b := inner.Draw(t, "a"), inner.Draw(t, "b")
			switch rapid.IntRange(0, 7).Draw(t, "form") {
			case 0:
				return `{"items":` + a + `}`
			case 1:
				return `{"properties":{"a":` + a + `,"b":` + b + `}}`
			case 2:
				return `{"properties":{"a":` + a + `},"additionalProperties":false}`
			case 3:
				return `{"additionalProperties":` + a + `}`
			case 4:
				return `{"allOf":[` + a + `,` + b + `]}`
			case 5:
				return `{"anyOf":[` + a + `,` + b + `]}`
			case 6:
				return `{"oneOf":[` + a + `,` + b + `]}`
			default:
				return a
			}
		})
	}
	var document func(depth int) *rapid.Generator[string]
	document = func(depth int) *rapid.Generator[string] {
		values := rapid.SampledFrom([]string{`1`, `1.0`, `2.5`, `0`, `-3e2`, `"a"`, `"é"`, `"ab"`, `""`, `null`, `true`, `[]`, `{}`, `[1]`})
		if depth == 0 {
			return values
		}
		inner := document(depth - 1)
		return rapid.Custom(func(t *rapid.T) string {
			a, b := inner.Draw(t, "a"), inner.Draw(t, "b")
			switch rapid.IntRange(0, 3).Draw(t, "form") {
			case 0:
				return `[` + a + `,` + b + `]`
			case 1:
				return `{"a":` + a + `,"b":` + b + `}`
			case 2:
				return `{"c":` + a + `}`
			default:
				return a
			}
		})
	}
	rapid.Check(t, func(r *rapid.T) {
		text, doc := schema(2).Draw(r, "schema"), document(2).Draw(r, "document")
		other := second.NewCompiler()
		parsed, err := second.UnmarshalJSON(strings.NewReader(text))
		require.NoError(r, err)
		require.NoError(r, other.AddResource("s.json", parsed))
		theirs, err := other.Compile("s.json")
		require.NoError(r, err)
		instance, err := second.UnmarshalJSON(strings.NewReader(doc))
		require.NoError(r, err)
		ours, list := Compile(diag.NewFile("s.json", text), formats, "input")
		require.Empty(r, list)
		v, err := new(jsonx.Arena).Parse(doc, true)
		require.NoError(r, err)
		require.Equal(r, theirs.Validate(instance) == nil, len(ours.Check(v)) == 0, "%s of %s", doc, text)
	})
}
