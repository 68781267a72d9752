package room

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoom(t *testing.T) {
	for name, c := range map[string]struct{ largest, want int }{
		"small bodies": {4 << 10, Least},
		"large bodies": {32 << 20, 8 * 32 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			r := New(c.largest)
			require.Equal(t, c.want, r.Left())
			require.False(t, r.Take(c.want+1))
			require.True(t, r.Take(c.want))
			require.False(t, r.Take(1))
			r.Give(2)
			require.True(t, r.Take(1))
			require.Equal(t, 1, r.Left())
		})
	}
}

// However many take at once, no more is taken than there is.
func TestRoomForMany(t *testing.T) {
	r := New(0)
	const each, fit = Least / 10, 10
	var taken atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 1000 {
				if r.Take(each) {
					taken.Add(1)
				}
			}
		})
	}
	all.Wait()
	require.LessOrEqual(t, taken.Load(), int64(fit))
	require.Equal(t, Least-int(taken.Load())*each, r.Left())
}
