package expr

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Every operator and predicate does what the docs show, and is found in its own example.
func TestWordsExamples(t *testing.T) {
	fs, err := NewFunctions()
	require.NoError(t, err)
	for kind, all := range map[WordKind][]Entry{OperatorWord: Operators(), PredicateWord: Predicates()} {
		for _, e := range all {
			t.Run(e.Name, func(t *testing.T) {
				gives, err := e.Example.Run(fs)
				require.NoError(t, err)
				require.Equal(t, e.Example.Gives, gives)
				require.Contains(t, names(wordsIn(t, "x: '${"+strings.ReplaceAll(e.Example.Expr, "'", "''")+"}'"), kind), e.Name)
				require.NotEmpty(t, e.Help)
			})
		}
	}
	var known []string
	for _, e := range Predicates() {
		known = append(known, e.Name)
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(predicates)), known)
}

func TestWords(t *testing.T) {
	for name, tt := range map[string]struct {
		yaml string
		kind WordKind
		want []string
	}{
		"not in is one word":         {`x: ${a not in b}`, OperatorWord, []string{"not in", "in"}},
		"not before in parentheses":  {`x: ${not (a in b)}`, OperatorWord, []string{"in", "not"}},
		"fields and named fields":    {`x: ${a?.["b c"].d}`, OperatorWord, []string{`"…"`, "?.", `["f"]`}},
		"functions":                  {`x: ${table("t", text(1))}`, FunctionWord, []string{"text", "table"}},
		"names":                      {`x: ${input.a ?? now}`, NameWord, []string{"input", "now"}},
		"directives":                 {`{ $each: "${a}", $as: b, $item: "$${ ${?b}" }`, DirectiveWord, []string{"$each", "${…}", "$as", "$item", "$${", "${?…}"}},
		"fixed text has no words":    {`x: plain`, DirectiveWord, nil},
		"what cannot be read is not": {`x: ${a +}`, OperatorWord, nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, names(wordsIn(t, tt.yaml), tt.kind))
		})
	}
}

func wordsIn(t *testing.T, text string) []Word {
	t.Helper()
	root, list := yamldoc.Parse(diag.NewFile("x.yaml", text))
	require.Empty(t, list)
	return Words(Source{Node: root})
}

func names(words []Word, kind WordKind) []string {
	var all []string
	for _, w := range words {
		if w.Kind == kind {
			all = append(all, w.Name)
		}
	}
	return all
}
