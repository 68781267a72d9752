package maptest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/maptest"
)

// covered runs tests and gives what they have not reached.
func covered(t *testing.T, match string) (*maptest.Coverage, []string) {
	set := load(t, archive(t, "world.txtar"), archive(t, "case_cover.txtar"))
	c := maptest.NewCoverage(set)
	o := options()
	o.Match, o.Watch, o.Answered = match, c, c.Answered
	for _, r := range maptest.Run(set, o) {
		require.Empty(t, r.Failures)
	}
	var left []string
	for _, part := range c.Parts {
		for _, p := range part.Points {
			if !p.Reached {
				left = append(left, part.Name+": "+p.What)
			}
		}
	}
	return c, left
}

func TestCoverage(t *testing.T) {
	never := []string{
		"a.yaml: step item is never refused",
		"a.yaml: step item is never failed",
		"a.yaml: case 1 of step done is never taken",
		"a.yaml: step done is never refused",
		"a.yaml: step done is never failed",
		"a.yaml: step done is never unknown",
		`table labels: row "table" is never looked up`,
		"table labels: no key without a row is looked up",
	}
	c, left := covered(t, "")
	require.Equal(t, never, left)
	reached, all := c.Parts[0].Count(maptest.CasePoint)
	require.Equal(t, []int{2, 3}, []int{reached, all})
	reached, all = c.Parts[0].Count(maptest.StatePoint)
	require.Equal(t, []int{4, 9}, []int{reached, all})
	reached, all = c.Parts[0].Count(maptest.ReplyPoint)
	require.Equal(t, []int{2, 2}, []int{reached, all})
	reached, all = c.Parts[1].Count(maptest.RowPoint)
	require.Equal(t, []int{1, 3}, []int{reached, all})

	_, left = covered(t, "labelled")
	require.ElementsMatch(t, append(never,
		"a.yaml: step item is never skipped",
		"a.yaml: case 3 of step done is never taken",
		"a.yaml: step done is never skipped",
		"a.yaml: reply 1 is never given",
	), left)
	_, left = covered(t, "no such test")
	require.Len(t, left, 17, "everything")
}
