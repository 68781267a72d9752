package exchange

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDeadline: whoever asks, and in whatever order, it ends as a context of the library does.
func TestDeadline(t *testing.T) {
	type key struct{}
	serving := context.WithValue(context.Background(), key{}, "v")
	t.Run("not yet", func(t *testing.T) {
		ctx, cancel := withDeadline(serving, time.Time{}, time.Hour)
		defer cancel()
		require.NoError(t, ctx.Err())
		end, ok := ctx.Deadline()
		require.True(t, ok)
		require.InDelta(t, time.Hour.Seconds(), time.Until(end).Seconds(), 60)
		require.Equal(t, "v", ctx.Value(key{}))
		require.NotNil(t, ctx.Done())
		require.NoError(t, ctx.Err())
		require.Equal(t, "v", ctx.Value(key{}))
	})
	t.Run("passed, and nobody waits", func(t *testing.T) {
		ctx, cancel := withDeadline(serving, time.Time{}, -1)
		defer cancel()
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
		<-ctx.Done()
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	})
	t.Run("passed, and somebody waits", func(t *testing.T) {
		ctx, cancel := withDeadline(serving, time.Time{}, time.Millisecond)
		defer cancel()
		<-ctx.Done()
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
		cancel()
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	})
	t.Run("released before anybody waits", func(t *testing.T) {
		ctx, cancel := withDeadline(serving, time.Time{}, time.Hour)
		cancel()
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		<-ctx.Done()
		require.ErrorIs(t, ctx.Err(), context.Canceled)
	})
	t.Run("released while somebody waits", func(t *testing.T) {
		ctx, cancel := withDeadline(serving, time.Time{}, time.Hour)
		done := ctx.Done()
		cancel()
		<-done
		require.ErrorIs(t, ctx.Err(), context.Canceled)
	})
	t.Run("children end with it, and cost no goroutine", func(t *testing.T) {
		ctx, cancel := withDeadline(serving, time.Time{}, time.Hour)
		before := runtime.NumGoroutine()
		child, end := context.WithCancel(ctx)
		defer end()
		require.LessOrEqual(t, runtime.NumGoroutine(), before)
		cancel()
		<-child.Done()
		require.ErrorIs(t, child.Err(), context.Canceled)
	})
	t.Run("of one that may end before, the library's own", func(t *testing.T) {
		parent, end := context.WithCancel(serving)
		ctx, cancel := withDeadline(parent, time.Time{}, time.Hour)
		defer cancel()
		end()
		<-ctx.Done()
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		_, ours := ctx.(*deadline)
		require.False(t, ours)
	})
}
