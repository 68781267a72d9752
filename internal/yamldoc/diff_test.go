package yamldoc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// plain gives a node as goccy decodes it, numbers as their digits.
func plain(n *yamldoc.Node) any {
	switch n.Kind {
	case yamldoc.Null:
		return nil
	case yamldoc.List:
		out := []any{}
		for _, it := range n.Items {
			out = append(out, plain(it))
		}
		return out
	case yamldoc.Map:
		out := map[string]any{}
		for _, e := range n.Entries {
			out[e.Key.Text] = plain(e.Value)
		}
		return out
	default:
		return n.Text
	}
}

// texts gives what goccy decoded with every scalar as text.
func texts(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		out := []any{}
		for _, it := range v {
			out = append(out, texts(it))
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, it := range v {
			out[k] = texts(it)
		}
		return out
	default:
		return fmt.Sprint(v)
	}
}

func TestAgreesWithAnotherReader(t *testing.T) {
	files, err := filepath.Glob("testdata/agree/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		for _, crlf := range []bool{false, true} {
			name := filepath.Base(file)
			if crlf {
				name += " crlf"
			}
			t.Run(name, func(t *testing.T) {
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				var want any
				require.NoError(t, yaml.Unmarshal(data, &want))
				text := string(data)
				if crlf {
					text = strings.ReplaceAll(text, "\n", "\r\n")
				}
				root, list := yamldoc.Parse(diag.NewFile(name, text))
				require.Empty(t, list.Text())
				require.Equal(t, texts(want), plain(root), "line breaks decode to a line feed in both files")
			})
		}
	}
}
