package contract_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

const docs = "../../docs/contracts.md"

// The list of keys in docs/contracts.md is Shape's.
func TestDocsNameEveryKey(t *testing.T) {
	page, err := os.ReadFile(docs)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(page), "<!-- begin keys -->\n")
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, "<!-- end keys -->\n")
	require.True(t, ok)
	golden(t, docs, before+"<!-- begin keys -->\n"+tables(contract.Shape, contract.SectionShape)+"<!-- end keys -->\n"+after)
}

// The contract shown in docs/contracts.md is a good one.
func TestDocsExample(t *testing.T) {
	page, err := os.ReadFile(docs)
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)
	c := load(t, "shop", example)
	require.Contains(t, c.Operations, "orders.read")
}

// tables renders the objects of a shape, each once, as Markdown tables.
func tables(roots ...*yamldoc.Shape) string {
	var b strings.Builder
	seen := map[*yamldoc.Shape]bool{}
	queue := roots
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if s == nil || seen[s] {
			continue
		}
		seen[s] = true
		queue = append(append(queue, s.Elem), s.Alts...)
		if s.Form != yamldoc.ObjectForm {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| key | value | |\n| --- | --- | --- |\n", s.Name, s.Doc)
		for _, k := range s.Keys {
			queue = append(queue, k.Shape)
			doc := k.Doc
			if k.Required {
				doc = "**Needed.** " + doc
			}
			if k.Later != "" {
				doc = "Refused: " + k.Later + "."
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Name, kindOf(k.Shape), strings.ReplaceAll(doc, "|", `\|`))
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// kindOf says what a shape's values are.
func kindOf(s *yamldoc.Shape) string {
	switch s.Form {
	case yamldoc.ObjectForm:
		return s.Name
	case yamldoc.MapForm:
		return "map of " + kindOf(s.Elem)
	case yamldoc.ListForm:
		return "list of " + kindOf(s.Elem)
	case yamldoc.EnumForm:
		return "`" + strings.Join(s.Enum, "` `") + "`"
	case yamldoc.AltForm:
		var words []string
		for _, a := range s.Alts {
			words = append(words, kindOf(a))
		}
		return strings.Join(words, ", or ")
	case yamldoc.IntForm:
		return "whole number"
	case yamldoc.NumberForm:
		return "number"
	case yamldoc.BoolForm:
		return "true or false"
	case yamldoc.DurationForm:
		return "duration"
	case yamldoc.ConditionForm:
		return "expression"
	case yamldoc.ValueForm:
		return "value with `${}`"
	case yamldoc.NameForm:
		return "name"
	case yamldoc.TextForm:
		return "text"
	default:
		return "anything"
	}
}
