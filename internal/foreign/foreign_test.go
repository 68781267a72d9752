package foreign_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/foreign"
)

var update = flag.Bool("update", false, "rewrite the files in testdata that tests compare with")

func load(t *testing.T, text string) *contract.Contract {
	t.Helper()
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	c, list := contract.Load("imported", diag.NewFile("imported.yaml", text), fns)
	require.Empty(t, list.Text())
	return c
}

// TestDocuments imports whole documents: what is written loads without a word,
// and is what it was.
func TestDocuments(t *testing.T) {
	for _, file := range documents {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			got, err := foreign.Import(file, data)
			require.NoError(t, err)
			c := load(t, got.Contract)
			require.Len(t, c.Order, got.Operations)
			var notes strings.Builder
			for _, n := range got.Notes {
				fmt.Fprintf(&notes, "%d: %s\n", n.Line, n.Message)
				require.NotZero(t, n.Line, n.Message)
			}
			golden(t, file+".contract", got.Contract)
			golden(t, file+".notes", notes.String())
		})
	}
}

var documents = []string{"testdata/petstore30.yaml", "testdata/pydantic31.json"}

// TestEveryPartMissingOrWrong takes each part of the documents away, and puts
// something of another kind in its place: what is written loads all the same.
func TestEveryPartMissingOrWrong(t *testing.T) {
	tried := 0
	for _, file := range documents {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var doc yaml.Node
		require.NoError(t, yaml.Unmarshal(bytes.ReplaceAll(data, []byte(`\ud83d\ude80`), nil), &doc))
		var parts func(n *yaml.Node, visit func(n *yaml.Node, i int))
		parts = func(n *yaml.Node, visit func(n *yaml.Node, i int)) {
			for i := range n.Content {
				if n.Kind != yaml.DocumentNode && (n.Kind != yaml.MappingNode || i%2 == 1) {
					visit(n, i)
				}
				parts(n.Content[i], visit)
			}
		}
		check := func(n *yaml.Node, what string) {
			text, err := yaml.Marshal(&doc)
			if err != nil {
				return // an alias to what is gone
			}
			tried++
			got, err := foreign.Import(file, text)
			if err != nil {
				require.NotContains(t, err.Error(), "does not load", "%s in line %d", what, n.Line)
				return
			}
			load(t, got.Contract)
		}
		var all []func()
		parts(&doc, func(n *yaml.Node, i int) {
			which := len(all) % 4
			all = append(all, func() {
				had := n.Content
				from := i
				if n.Kind == yaml.MappingNode {
					from--
				}
				n.Content = slices.Concat(had[:from], had[i+1:])
				check(n, fmt.Sprintf("without the part %d", i))
				other := []string{"7", "text", "{a: {b: c}}", "[a, 1]"}[which]
				var replaced yaml.Node
				require.NoError(t, yaml.Unmarshal([]byte(other), &replaced))
				n.Content = slices.Clone(had)
				n.Content[i] = replaced.Content[0]
				check(n, fmt.Sprintf("part %d is %s", i, other))
				n.Content = had
			})
		})
		for _, try := range all {
			try()
		}
	}
	require.Greater(t, tried, 1000)
}

// TestRefused shows what is no document to import.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "it is empty"},
		{"a list", "[1]", "no OpenAPI document"},
		{"Swagger 2.0", "swagger: '2.0'", "convert it to OpenAPI 3 first"},
		{"a later one", "openapi: 4.0.0", "openapi 4.0.0 is not read"},
		{"no operation", "openapi: 3.0.0\npaths: {}", "no operation is left"},
		{"no YAML", "a: [", "line 1"},
		{"an anchor in itself", "a: &a [*a]\nopenapi: 3.0.0", "holds itself"},
		{"anchors that multiply", bomb(), "anchors multiply it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := foreign.Import("x.yaml", []byte(c.text))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 8; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String() + "openapi: 3.0.0\n"
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o600))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}
