package reference

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// opened gives the cases and what they executed.
func opened(t *testing.T) (*Cases, *Covered) {
	t.Helper()
	c, err := Open("../..")
	require.NoError(t, err)
	cov, err := c.Cover()
	require.NoError(t, err)
	return c, cov
}

// Nothing is only parsed: every word of the language has a case that ran.
func TestLanguageCovered(t *testing.T) {
	c, cov := opened(t)
	for _, name := range cov.Uncovered(c.Functions, c.Formats) {
		t.Errorf("no executed case of %s in %s", name, CasesFolder)
	}
	values := 0
	for _, s := range Shapes() {
		for i := range s.Shape.Keys {
			if k := &s.Shape.Keys[i]; k.Later == "" {
				values += len(closedValues(k.Shape))
			}
		}
	}
	t.Logf("%d keys with %d values of closed lists, %d functions, %d formats, %d operators, %d predicates, %d directives, %d names; %d case files, %d tests, all green",
		len(Keys()), values, len(c.Functions.Names()), len(c.Formats), len(expr.Operators()), len(expr.Predicates()),
		len(expr.Directives()), len(expr.StandingNames()), cov.Files, cov.Tests)
}

// Shapes of one name are one shape: their keys mean the same wherever they stand.
func TestShapesOfOneName(t *testing.T) {
	docs := map[KeyID]string{}
	for _, kind := range FileKinds() {
		eachShape(kind.Shape, func(s *yamldoc.Shape) {
			require.NotEmpty(t, s.Name, "a shape with keys has no name")
			for _, k := range s.Keys {
				id := KeyID{s.Name, k.Name}
				if before, ok := docs[id]; ok {
					require.Equal(t, before, k.Doc, "%s means two things", id)
				}
				docs[id] = k.Doc
				require.NotEmpty(t, k.Doc, "%s has no words", id)
			}
		})
	}
}
