package token_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/token"
)

func TestClocks(t *testing.T) {
	start := newClock().Now()
	for name, c := range map[string]struct {
		kept token.Kept
		want []string // what is fetched
	}{
		"good":                  {token.Kept{Value: "k", Renew: start.Add(50 * time.Minute), End: start.Add(time.Hour)}, nil},
		"just ended":            {token.Kept{Value: "k", Renew: start.Add(-time.Minute), End: start}, []string{"renew ?", "obtain"}},
		"long ended":            {token.Kept{Value: "k", Renew: start.Add(-2 * time.Hour), End: start.Add(-time.Hour)}, []string{"renew ?", "obtain"}},
		"due":                   {token.Kept{Value: "k", Renew: start, End: start.Add(time.Minute)}, []string{"renew ?", "obtain"}},
		"never ends":            {token.Kept{Value: "k", Renew: start.Add(1e6 * time.Hour), End: start.Add(1e6 * time.Hour)}, nil},
		"no times":              {token.Kept{Value: "k"}, []string{"renew ?", "obtain"}},
		"nothing":               {token.Kept{Renew: start.Add(time.Hour), End: start.Add(time.Hour)}, []string{"obtain"}},
		"no header for it":      {token.Kept{Value: "k\r\n", Renew: start.Add(time.Hour), End: start.Add(time.Hour)}, []string{"obtain"}},
		"renewed after its end": {token.Kept{Value: "k", Renew: start.Add(time.Hour), End: start}, []string{"renew ?", "obtain"}},
	} {
		t.Run(name, func(t *testing.T) {
			clock, keep := newClock(), newShared()
			erp := newIssuer(clock.Now, time.Hour)
			keep.keep("erp", c.kept)
			s := source(t, keep, erp)
			v := get(t, s)
			if c.want == nil {
				require.Equal(t, "k", v)
			}
			require.Equal(t, c.want, erp.told())
			// Whatever was kept, it is not used for longer than if it had been obtained now.
			clock.turn(time.Hour)
			_, fresh := s.Held()
			require.False(t, fresh)
			s.Invalidate(v)
			require.Equal(t, 1+number(v), number(get(t, s)))
		})
	}
}

// Two replicas whose clocks differ by more than a token lives, under load: each
// refused token costs one more try, and there is no storm of fetches.
func TestClocksThatDiffer(t *testing.T) {
	for _, by := range []time.Duration{-time.Hour, -5 * time.Second, 5 * time.Second, time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			c, keep := newClock(), newShared()
			erp := newIssuer(c.Now, 3*time.Second)
			a := source(t, keep, erp)
			b := source(t, keep, erp, func(o *token.Options) { o.Now = func() time.Time { return c.Now().Add(by) } })
			const seconds = 30
			for range seconds * 10 {
				c.turn(100 * time.Millisecond)
				for _, s := range []*token.Source{a, b} {
					if !called(s, erp) {
						t.Fatal("a call failed")
					}
				}
			}
			fetches := len(erp.told())
			require.LessOrEqual(t, fetches, 3*seconds/3+4)
		})
	}
}
