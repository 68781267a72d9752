package token_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/token"
)

// TestNext: what an answer tells of holds from then on, for all; what a late
// answer tells of is kept for when the other is refused.
func TestNext(t *testing.T) {
	for name, shares := range map[string]bool{"shared": true, "by itself": false} {
		t.Run(name, func(t *testing.T) {
			clock, keep := newClock(), newShared()
			fetched := 0
			start := func() *token.Source {
				o := token.Options{Now: clock.Now, Life: time.Hour, Name: "lines", Fetch: func(context.Context, string) (string, error) {
					fetched++
					if fetched > 1 {
						return "", errors.New("nothing brings another")
					}
					return "t1", nil
				}}
				if shares {
					o.Shared = keep
				}
				s := token.New(o)
				t.Cleanup(s.Close)
				return s
			}
			a := start()
			b := a
			if shares {
				b = start()
			}
			ctx := context.Background()
			now := func(s *token.Source) string {
				v, _, err := s.Current(ctx)
				require.NoError(t, err)
				return v
			}
			require.Equal(t, "t1", now(a))
			a.Next(ctx, "t1", "t2")
			require.Equal(t, "t2", now(b))
			a.Next(ctx, "t2", "t2") // nothing new
			a.Next(ctx, "t2", "")
			a.Next(ctx, "t2", "no\nheader")
			require.Equal(t, "t2", now(b))
			b.Next(ctx, "t1", "t3") // a late one
			require.Equal(t, "t2", now(a))

			// Refused while it holds: the late one takes its place, and then the older one.
			a.Refused(ctx, "t2")
			require.Equal(t, "t3", now(b))
			_, alone, err := b.Current(ctx)
			require.NoError(t, err)
			require.False(t, alone)

			// Refused after it had been replaced: the backend keeps none beside the newest.
			b.Next(ctx, "t3", "t4")
			a.Refused(ctx, "t3")
			v, alone, err := b.Current(ctx)
			require.NoError(t, err)
			require.Equal(t, "t4", v)
			require.Equal(t, shares, alone, "alone among others only")
			clock.turn(2 * time.Minute)
			_, alone, err = b.Current(ctx)
			require.NoError(t, err)
			require.False(t, alone)
		})
	}
}

// TestTurn: one that goes alone waits for those under way, and they for it.
func TestTurn(t *testing.T) {
	clock, keep := newClock(), newShared()
	s := source(t, keep, newIssuer(clock.Now, time.Hour))
	other := source(t, keep, newIssuer(clock.Now, time.Hour))
	ctx := context.Background()
	one, err := s.Turn(ctx, false)
	require.NoError(t, err)
	two, err := s.Turn(ctx, false)
	require.NoError(t, err)
	alone := make(chan func())
	go func() {
		done, err := s.Turn(ctx, true)
		if err != nil {
			panic(err)
		}
		alone <- done
	}()
	select {
	case <-alone:
		t.Fatal("not while others are under way")
	case <-time.After(20 * time.Millisecond):
	}
	one()
	two()
	done := <-alone
	short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	_, err = other.Turn(short, true)
	require.ErrorIs(t, err, context.DeadlineExceeded, "another replica waits, too")
	done()
	done, err = other.Turn(ctx, true)
	require.NoError(t, err)
	done()
	// Where the others cannot be reached it goes by itself.
	keep.when(func(context.Context, string) error { return errors.New("down") })
	done, err = s.Turn(ctx, true)
	require.NoError(t, err)
	done()
}
