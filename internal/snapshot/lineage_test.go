package snapshot

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The lineage of every route there is: the same every time, and only what is
// really not read goes nowhere.
func TestLineageOfAllRoutes(t *testing.T) {
	for name, c := range map[string]struct {
		config  string
		nowhere []string
	}{
		// Whose API it is that a partner speaks, not who: that says the key.
		"shipped":  {"../../gateway.yaml", []string{"input.orgId", "input.orgId", "input.orgId", "input.orgId"}},
		"language": {"../../mappings/testdata/language/gateway.yaml", []string{"input.place.zip"}},
	} {
		t.Run(name, func(t *testing.T) {
			l, list := Load(c.config)
			require.NotNil(t, l, list.Text())
			goes, decides := 0, 0
			var nowhere []string
			for _, r := range l.Set.Routes {
				told := l.Lineage(r)
				require.Equal(t, told, l.Lineage(r))
				for _, s := range told.Sources {
					goes, decides = goes+len(s.To), decides+len(s.Decides)
				}
				nowhere = append(nowhere, told.Nowhere...)
			}
			require.Equal(t, c.nowhere, nowhere)
			require.Greater(t, goes, 50)
			require.Greater(t, decides, 10)
		})
	}
}
