package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/store"
	"github.com/emenda-gateway/emenda/internal/token"
)

// TestChangeToken: changes of a kept token come one after the other, whoever makes them.
func TestChangeToken(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		a := p.open()
		b := a
		if p.redis != nil {
			b = p.open()
		}
		done, err := a.ChangeToken(bg, "lines", func(_ *token.Kept, ok bool) bool {
			require.False(t, ok)
			return false
		})
		require.NoError(t, err)
		require.False(t, done)
		_, ok, err := a.LoadToken(bg, "lines")
		require.NoError(t, err)
		require.False(t, ok, "nothing was kept")

		end := time.Now().Add(time.Hour).UTC().Round(0)
		var all sync.WaitGroup
		var mu sync.Mutex
		var failed []error
		for i := range 20 {
			all.Go(func() {
				_, err := []*store.Store{a, b}[i%2].ChangeToken(bg, "lines", func(k *token.Kept, _ bool) bool {
					k.Value, k.End = fmt.Sprintf("secret-token-%d", len(k.Spare)+1), end
					k.Spare = append(k.Spare, k.Value)
					return true
				})
				if err != nil {
					mu.Lock()
					failed = append(failed, err)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		for _, err := range failed { // one that too many came before says so, and has changed nothing
			require.ErrorIs(t, err, store.ErrDown)
		}
		got, ok, err := b.LoadToken(bg, "lines")
		require.NoError(t, err)
		require.True(t, ok)
		require.Len(t, got.Spare, 20-len(failed), "no change is lost")
		require.Equal(t, fmt.Sprintf("secret-token-%d", len(got.Spare)), got.Value)
		require.True(t, a.Health().Up, "that others came before is no fault of Redis")
		if p.redis != nil {
			require.NotContains(t, p.everything(), "secret-token")
		}

		// One that has ended is dropped.
		done, err = a.ChangeToken(bg, "lines", func(k *token.Kept, ok bool) bool {
			require.True(t, ok)
			k.End = time.Now().Add(-time.Second)
			return true
		})
		require.NoError(t, err)
		require.True(t, done)
		k, ok, err := b.LoadToken(bg, "lines")
		require.NoError(t, err)
		require.True(t, !ok || !time.Now().Before(k.End))

		if p.redis != nil {
			p.redis.Kill()
			require.Eventually(t, func() bool {
				_, err := a.ChangeToken(bg, "lines", func(*token.Kept, bool) bool { return false })
				return errors.Is(err, store.ErrDown)
			}, 10*time.Second, 10*time.Millisecond)
		}
	})
}
