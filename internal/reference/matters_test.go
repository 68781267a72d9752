package reference

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A case that would pass without the key it is there for shows nothing: every
// key is taken out of the cases, one place after the other, until the checker
// or a test notices. Keys of tests, which only look, are also changed.
func TestEveryKeyMatters(t *testing.T) {
	c, cov := opened(t)
	w, err := newBench(c)
	require.NoError(t, err)
	require.Empty(t, w.notices("", ""), "the cases as they are")
	noticed := 0
	for _, id := range Keys() {
		listed := slices.Contains(notes, id.String()) || elsewhere[id.String()] != "" ||
			slices.ContainsFunc(forbids, func(f forbidden) bool { return f.key == id.String() })
		uses := cov.Keys[id]
		if listed {
			uses = uses[:min(1, len(uses))]
		}
		if slices.ContainsFunc(uses, func(u Use) bool { return w.matters(&u) }) {
			noticed++
			if listed {
				t.Errorf("%s is noticed, and listed as not", id)
			}
		} else if !listed {
			t.Errorf("the cases pass without %s", id)
		}
	}
	t.Logf("of %d keys, %d are noticed by a case when they are missing, %d by what they forbid, %d by tests of the process; %d are notes",
		len(Keys()), noticed, len(forbids), len(elsewhere), len(notes))
}

func (b *bench) matters(u *Use) bool {
	if b.notices(u.File.Name, u.Without()) != "" {
		return true
	}
	if !slices.Contains(u.Path, "tests") {
		return false
	}
	other := u.Otherwise()
	return other != "" && b.notices(u.File.Name, other) != ""
}
