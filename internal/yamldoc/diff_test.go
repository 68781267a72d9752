package yamldoc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/emenda-gateway/emenda/internal/diag"
)

func TestAgreesWithTheLibrary(t *testing.T) {
	files, err := filepath.Glob("testdata/agree/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		for ending, text := range map[string]func(string) string{
			"lf":   func(s string) string { return s },
			"crlf": func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		} {
			t.Run(filepath.Base(file)+" "+ending, func(t *testing.T) {
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				root, list := Parse(diag.NewFile(file, text(string(data))))
				require.Empty(t, list.Text())
				require.NotNil(t, root)
			})
		}
	}
}

func TestDisagreementIsTold(t *testing.T) {
	const src = "a: [1, \"x\"]\nb: { c: null }\n"
	for name, change := range map[string]func(*Node){
		"another text":   func(n *Node) { n.Get("a").Items[1].Text = "y" },
		"another key":    func(n *Node) { n.Entries[1].Key.Text = "d" },
		"a kind":         func(n *Node) { n.Get("b").Kind = List },
		"fewer elements": func(n *Node) { n.Get("a").Items = n.Get("a").Items[:1] },
		"fewer keys":     func(n *Node) { n.Entries = n.Entries[:1] },
		"no value":       func(n *Node) { n.Get("a").Items[0].Kind = Null },
	} {
		t.Run(name, func(t *testing.T) {
			root, list := Parse(diag.NewFile("f.yaml", src))
			require.Empty(t, list)
			var theirs yaml.Node
			require.NoError(t, yaml.Unmarshal([]byte(src), &theirs))
			require.Nil(t, differs(root, theirs.Content[0]))
			change(root)
			require.NotNil(t, differs(root, theirs.Content[0]))
		})
	}
}
