package order_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/order"
)

func TestOrderRunsOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		var first, second atomic.Int64
		e := w.open(func(r order.Run) (order.End, error) {
			a, err := r.Step("first", func(context.Context) ([]byte, error) { first.Add(1); return []byte("a"), nil })
			if err != nil {
				return order.End{}, err
			}
			b, err := r.Step("second", func(context.Context) ([]byte, error) { second.Add(1); return nil, nil })
			if err != nil {
				return order.End{}, err
			}
			if b != nil {
				return order.End{}, errors.New("nil must stay nil")
			}
			return order.End{State: order.Done, Result: append(a, r.Order().Payload...)}, nil
		})
		id := start(t, e, sale("1"))
		s := await(t, e, id)
		require.Equal(t, order.Done, s.State)
		require.Equal(t, `a{"n":"1"}`, string(s.Result))
		require.Len(t, s.Steps, 2)
		require.Equal(t, []string{"step", "first", "a"}, []string{s.Steps[0].Kind, s.Steps[0].Name, string(s.Steps[0].Value)})
		require.WithinDuration(t, time.Now(), s.Steps[0].Started, time.Minute)
		require.Len(t, id, 24)

		again, created, err := e.Start(soon(t), sale("1"))
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, id, again.ID)
		require.Equal(t, order.Done, again.State)
		other := sale("1")
		other.Fingerprint = []byte("another")
		_, _, err = e.Start(soon(t), other)
		require.ErrorIs(t, err, order.ErrDiffers)
		require.EqualValues(t, 1, first.Load())
		require.EqualValues(t, 1, second.Load())
	})
}

func TestWaitsSurviveRestart(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		var made atomic.Int64
		run := func(r order.Run) (order.End, error) {
			for i := range 3 {
				if _, err := r.Step(fmt.Sprint("make ", i), func(context.Context) ([]byte, error) { made.Add(1); return []byte("m"), nil }); err != nil {
					return order.End{}, err
				}
			}
			r.Progress(order.Progress{State: order.Waiting, WaitsFor: "installed"})
			got, timedOut, err := r.Wait("installed", []byte("contract 7"), time.Now().Add(time.Hour))
			if err != nil || timedOut {
				return order.End{}, err
			}
			return order.End{State: order.Done, Result: got}, nil
		}
		e := w.open(run)
		id := start(t, e, sale("1"))
		s := inState(t, e, id, order.Waiting)
		require.Equal(t, "installed", s.WaitsFor)
		shut(t, e)

		e = w.open(run)
		require.NoError(t, e.Emit(soon(t), "installed", []byte("contract 8"), []byte("other")))
		require.NoError(t, e.Emit(soon(t), "installed", []byte("contract 7"), []byte("yes")))
		s = await(t, e, id)
		require.Equal(t, "yes", string(s.Result))
		require.EqualValues(t, 3, made.Load())
		require.Len(t, s.Steps, 4)
		require.Equal(t, []string{"wait", "installed", "event"}, []string{s.Steps[3].Kind, s.Steps[3].Name, s.Steps[3].Outcome})
	})
}
