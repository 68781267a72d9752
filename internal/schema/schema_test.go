package schema_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/schema"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

func compiled(t *testing.T, text []byte, err error) *jsonschema.Schema {
	t.Helper()
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("mem:schema", doc)) // the draft's own schema is held against it, too
	s, err := c.Compile("mem:schema")
	require.NoError(t, err)
	return s
}

// value is a node as an editor's YAML reader gives it.
func value(t *testing.T, n *yamldoc.Node) any {
	switch n.Kind {
	case yamldoc.List:
		all := []any{}
		for _, item := range n.Items {
			all = append(all, value(t, item))
		}
		return all
	case yamldoc.Map:
		all := map[string]any{}
		for _, e := range n.Entries {
			all[e.Key.Text] = value(t, e.Value)
		}
		return all
	case yamldoc.Text:
		return n.Text
	case yamldoc.Null:
		return nil
	default:
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(n.Text))
		require.NoError(t, err, n.Text)
		return v
	}
}

// file is a YAML file of the repository and its kind.
type file struct {
	path, kind, text string
	shape            *yamldoc.Shape
}

// files are all that are shipped, and every case of the language.
func files(t *testing.T) (all []file) {
	t.Helper()
	const root = "../.."
	add := func(path string) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		f := file{path: path, text: string(text)}
		n := parsed(t, f)
		switch {
		case filepath.Base(path) == "gateway.yaml":
			f.kind, f.shape = "gateway", config.Shape
		case n.Get("x-emenda-section") != nil:
			f.kind, f.shape = "section", contract.SectionShape
		case n.Get("openapi") != nil:
			f.kind, f.shape = "contract", contract.Shape
		case n.Get("route") != nil:
			f.kind, f.shape = "mapping", mapping.MappingShape
		case n.Get("flow") != nil:
			f.kind, f.shape = "flow", mapping.FlowShape
		case n.Get("form") != nil:
			f.kind, f.shape = "form", mapping.FormShape
		case n.Get("dialect") != nil:
			f.kind, f.shape = "dialect", mapping.DialectShape
		case n.Get("table") != nil:
			f.kind, f.shape = "table", mapping.TableShape
		case n.Get("expose") != nil:
			f.kind, f.shape = "expose", mapping.ExposeShape
		default:
			return // data of a test
		}
		all = append(all, f)
	}
	add(root + "/gateway.yaml")
	require.NoError(t, filepath.WalkDir(root+"/mappings", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && filepath.Ext(path) == ".yaml" {
			add(path)
		}
		return err
	}))
	return all
}

func parsed(t *testing.T, f file) *yamldoc.Node {
	n, list := yamldoc.Parse(diag.NewFile(f.path, f.text))
	require.False(t, list.HasErrors(), list.Text())
	return n
}

func schemas(t *testing.T) map[string]*jsonschema.Schema {
	all := map[string]*jsonschema.Schema{}
	for _, kind := range schema.Kinds() {
		text, err := schema.Of(kind)
		all[kind] = compiled(t, text, err)
	}
	text, err := schema.All()
	all[""] = compiled(t, text, err)
	return all
}

func TestEveryFileIsValid(t *testing.T) {
	known := schemas(t)
	seen := map[string]int{}
	for _, f := range files(t) {
		v := value(t, parsed(t, f))
		require.NoError(t, known[f.kind].Validate(v), f.path)
		require.NoError(t, known[""].Validate(v), f.path)
		seen[f.kind]++
	}
	require.Len(t, seen, len(schema.Kinds()), "%v", seen)
	require.Greater(t, seen["mapping"], 20)
}

// Whatever is changed in a file, the schema refuses it exactly when the table
// of keys does, by which the files are read.
func TestTheSchemaSaysWhatTheTableSays(t *testing.T) {
	known := schemas(t)
	refused, taken := 0, 0
	for _, f := range files(t) {
		root := parsed(t, f)
		try := func(what string) {
			bad := yamldoc.Check(copied(root), f.shape).HasErrors()
			v := value(t, root)
			err := known[f.kind].Validate(v)
			if bad {
				refused++
				require.Error(t, err, "%s: %s", f.path, what)
			} else {
				taken++
				require.NoError(t, err, "%s: %s", f.path, what)
			}
		}
		n := 0
		walk(root, func(n0 *yamldoc.Node, path string) {
			if n++; n%(1+len(f.text)/200) != 0 {
				return // of the large ones a part is enough
			}
			was := *n0
			for _, with := range []yamldoc.Node{
				{Kind: yamldoc.Null},
				{Kind: yamldoc.Bool, Text: "true"},
				{Kind: yamldoc.Number, Text: "7"},
				{Kind: yamldoc.Text, Text: "zz zz"},
				{Kind: yamldoc.Text, Text: ""},
				{Kind: yamldoc.Text, Text: "${env:NAME}"},
				{Kind: yamldoc.Text, Text: "5s"},
				{Kind: yamldoc.List},
				{Kind: yamldoc.Map},
				{Kind: yamldoc.Map, Entries: []yamldoc.Entry{{Key: &yamldoc.Node{Kind: yamldoc.Text, Text: "zz.9"}, Value: &yamldoc.Node{Kind: yamldoc.Text, Text: "x"}}}},
			} {
				with.Span, with.Plain = was.Span, true
				*n0 = with
				try(path + " is " + with.Kind.String() + " " + with.Text)
			}
			*n0 = was
			if was.Kind == yamldoc.Map {
				n0.Entries = append(was.Entries[:len(was.Entries):len(was.Entries)], yamldoc.Entry{Key: &yamldoc.Node{Kind: yamldoc.Text, Text: "zz", Span: was.Span}, Value: &yamldoc.Node{Kind: yamldoc.Text, Text: "x", Span: was.Span}})
				try(path + " with another key")
				for i := range was.Entries {
					n0.Entries = append(was.Entries[:i:i], was.Entries[i+1:]...)
					try(path + " without " + was.Entries[i].Key.Text)
				}
				*n0 = was
			}
		})
	}
	require.Greater(t, refused, 1000)
	require.Greater(t, taken, 1000)
	t.Logf("%d refused, %d taken", refused, taken)
}

// copied gives a node that Check may change: it mends keys it can guess.
func copied(n *yamldoc.Node) *yamldoc.Node {
	out := *n
	out.Items, out.Entries = nil, nil
	for _, item := range n.Items {
		out.Items = append(out.Items, copied(item))
	}
	for _, e := range n.Entries {
		key := *e.Key
		out.Entries = append(out.Entries, yamldoc.Entry{Key: &key, Value: copied(e.Value)})
	}
	return &out
}

func walk(n *yamldoc.Node, f func(n *yamldoc.Node, path string)) {
	var down func(n *yamldoc.Node, path string)
	down = func(n *yamldoc.Node, path string) {
		f(n, path)
		for _, item := range n.Items {
			down(item, path+"[]")
		}
		for _, e := range n.Entries {
			down(e.Value, path+"."+e.Key.Text)
		}
	}
	down(n, "")
}

func TestUnknownKind(t *testing.T) {
	_, err := schema.Of("maping")
	require.EqualError(t, err, `there is no kind of file "maping": did you mean mapping?`)
	_, err = schema.Of("")
	require.EqualError(t, err, `there is no kind of file "": known: mapping, flow, form, dialect, table, expose, contract, section, gateway`)
}
