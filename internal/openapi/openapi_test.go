package openapi_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/openapi"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

var update = flag.Bool("update", false, "write the golden documents anew")

func load(t *testing.T, config string) *snapshot.Loaded {
	t.Helper()
	l, list := snapshot.Load(config)
	require.False(t, list.HasErrors(), list.Text())
	return l
}

// valid holds a document against the OpenAPI 3.1 schema, and follows its references.
func valid(t *testing.T, d *openapi.Document) {
	t.Helper()
	doc, err := libopenapi.NewDocument(d.Indented())
	require.NoError(t, err)
	_, err = doc.BuildV3Model()
	require.NoError(t, err)
	v, errs := validator.NewValidator(doc)
	require.Empty(t, errs)
	ok, wrong := v.ValidateDocument()
	for _, w := range wrong {
		t.Errorf("%s: %s", w.Message, w.Reason)
		for _, s := range w.SchemaValidationErrors {
			t.Errorf("  %s: %s", s.KeywordLocation, s.Reason)
		}
	}
	require.True(t, ok)
}

// document is a document as readers of it see it.
type document struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Tags        []string
		Parameters  []struct {
			Name, In string
			Required bool
		}
		RequestBody json.RawMessage
		Responses   map[string]json.RawMessage
		Security    []map[string][]string
	}
	Components struct {
		Schemas         map[string]json.RawMessage
		Responses       map[string]json.RawMessage
		SecuritySchemes map[string]map[string]string
	}
}

func read(t *testing.T, d *openapi.Document) (doc document) {
	t.Helper()
	require.NoError(t, json.Unmarshal(d.JSON(), &doc))
	return doc
}

func (d document) operations() (ids []string) {
	for _, item := range d.Paths {
		for _, op := range item {
			ids = append(ids, op.OperationID)
		}
	}
	return ids
}

// The shipped configuration is valid, and has every path of the mappings and every exposed operation.
func TestShipped(t *testing.T) {
	l := load(t, "../../gateway.yaml")
	d := l.OpenAPI("", nil)
	valid(t, d)
	doc := read(t, d)

	want, exposed := 0, 0
	for _, r := range l.Set.Routes {
		want += len(r.Dialect.Prefixes) * len(r.Methods)
	}
	text := string(d.JSON())
	for _, e := range l.Set.Exposed {
		want++
		for _, op := range e.Operations {
			exposed++
			if len(e.Operations) > 1 {
				require.Contains(t, text, `"title":"`+op.ID+`"`)
			} else {
				require.Contains(t, text, `"operationId":"`+op.ID+`"`)
			}
		}
	}
	require.Len(t, l.Set.Routes, 49)
	require.Equal(t, 174, exposed)
	ids := doc.operations()
	require.Len(t, ids, want)
	slices.Sort(ids)
	require.Len(t, slices.Compact(slices.Clone(ids)), want, "operationIds are unique")
	require.NotContains(t, text, "x-emenda")
}

// The same configuration gives the same bytes, and both spellings say the same.
func TestSameEveryTime(t *testing.T) {
	l := load(t, "../../gateway.yaml")
	first := l.OpenAPI("", nil)
	require.Equal(t, string(first.JSON()), string(load(t, "../../gateway.yaml").OpenAPI("", nil).JSON()))
	fromYAML, err := yaml.YAMLToJSON(first.YAML())
	require.NoError(t, err)
	require.JSONEq(t, string(first.JSON()), string(fromYAML))
}

// The executed cases of the language, which have every key of it.
func TestLanguage(t *testing.T) {
	l := load(t, "../../mappings/testdata/language/gateway.yaml")
	d := l.OpenAPI("", nil)
	valid(t, d)
	golden(t, "forms.yaml", l.OpenAPI("forms", nil))
	guest := l.OpenAPI("", l.Config.Callers["guest"])
	valid(t, guest)
	ids := read(t, guest).operations()
	require.Len(t, ids, 10, "five methods below two prefixes")
	for _, id := range ids {
		require.True(t, strings.HasPrefix(id, "plain.values"), id)
	}
}

// A small world with everything an exposed contract may have.
func TestExposed(t *testing.T) {
	l := load(t, "testdata/world/gateway.yaml")
	d := l.OpenAPI("", nil)
	valid(t, d)
	golden(t, "world.yaml", d)
	text := string(d.JSON())
	require.NotContains(t, text, "hunter2", "what is secret is in no example")
	require.NotContains(t, text, "x-emenda")

	visitor := l.OpenAPI("", l.Config.Callers["visitor"])
	valid(t, visitor)
	require.ElementsMatch(t, []string{"token.get", "token.renew"}, read(t, visitor).operations())
	require.Empty(t, read(t, l.OpenAPI("other", nil)).operations())
}

func golden(t *testing.T, name string, d *openapi.Document) {
	t.Helper()
	file := filepath.Join("testdata", name)
	got := versioned(string(d.YAML()))
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "run go test ./internal/openapi -update when this is meant")
}

// versioned takes the configuration's hash out: it changes with every word of it.
func versioned(s string) string {
	before, rest, _ := strings.Cut(s, "  version: ")
	_, after, _ := strings.Cut(rest, "\n")
	return before + "  version: \"…\"\n" + after
}

// The embedded files are there, whole, and each compressed form holds the plain one.
func TestPageFiles(t *testing.T) {
	sizes := 0
	for _, f := range openapi.PageFiles() {
		require.NotEmpty(t, f.Type, f.Path)
		require.NotEmpty(t, f.Plain(), f.Path)
		require.True(t, strings.HasPrefix(f.Path, openapi.PagePath), f.Path)
		sizes += len(f.Gzip())
	}
	require.Less(t, sizes, 600_000, "what the page adds to the binary")
	about, err := os.ReadFile("ui/README.md")
	require.NoError(t, err)
	bundle := string(openapi.PageFiles()[5].Plain())
	version := strings.Fields(string(about)[strings.Index(string(about), "swagger-ui-dist ")+len("swagger-ui-dist "):])[0]
	require.Contains(t, bundle, `"`+version+`"`, "the version that ui/README.md names")
}

func BenchmarkMake(b *testing.B) {
	l, list := snapshot.Load("../../gateway.yaml")
	require.False(b, list.HasErrors())
	b.ReportAllocs()
	for b.Loop() {
		l.OpenAPI("", nil).JSON()
	}
}
