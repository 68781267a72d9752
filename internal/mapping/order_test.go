package mapping_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestOrderProperties makes plans at random: they load exactly when nothing
// waits in a circle, and then changing steps wait for all above them.
func TestOrderProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(t, "steps")
		waits := make([]map[int]bool, n)
		changes := make([]bool, n)
		var yaml strings.Builder
		yaml.WriteString("emenda: 1\nroute: { path: a, dialect: plain }\nsteps:\n")
		for i := range n {
			waits[i] = map[int]bool{}
			changes[i] = rapid.Bool().Draw(t, "changes")
			free := changes[i] && rapid.Bool().Draw(t, "parallel")
			reads := rapid.IntRange(-1, n-1).Draw(t, "reads")
			after := rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, 2, rapid.ID[int]).Draw(t, "after")
			id := "1"
			if reads >= 0 && reads != i {
				id = fmt.Sprintf(`"${len(steps.s%d.state)}"`, reads)
				waits[i][reads] = true
			}
			call := fmt.Sprintf("call: shop.stock.item, with: { id: %s }", id)
			if changes[i] {
				call = fmt.Sprintf("call: shop.stock.reserve, body: { id: %s }, parallel: %v", id, free)
				for above := 0; above < i && !free; above++ {
					waits[i][above] = true
				}
			}
			var names []string
			for _, a := range after {
				if a != i {
					names = append(names, fmt.Sprintf("s%d", a))
					waits[i][a] = true
				}
			}
			fmt.Fprintf(&yaml, "  s%d: { %s, after: [%s] }\n", i, call, strings.Join(names, ", "))
		}
		yaml.WriteString("reply: [{ json: {} }]\n")

		set, list := load(t, []txtar.File{{Name: "m.yaml", Data: []byte(yaml.String())}})
		if circular(waits) {
			require.Nil(t, set, yaml.String())
			require.Contains(t, list.Text(), "circle", yaml.String())
			return
		}
		require.NotNil(t, set, list.Text())
		for i, s := range set.Routes[0].Plan.Steps {
			require.Equal(t, changes[i], s.Changes)
			require.Len(t, s.Deps, len(waits[i]), yaml.String())
			for _, d := range s.Deps {
				require.True(t, waits[i][d], yaml.String())
			}
		}
	})
}

// circular takes away steps that wait for nobody until none is left, or none goes.
func circular(waits []map[int]bool) bool {
	left := map[int]bool{}
	for i := range waits {
		left[i] = true
	}
	for gone := true; gone; {
		gone = false
		for i := range left {
			ready := true
			for d := range waits[i] {
				ready = ready && !left[d]
			}
			if ready {
				delete(left, i)
				gone = true
			}
		}
	}
	return len(left) > 0
}
