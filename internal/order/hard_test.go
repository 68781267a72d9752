package order_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/order"
)

func TestErrorOfTheEngineEndsNothing(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		fail func(r order.Run) error
	}{
		{"a step's", func(r order.Run) error {
			_, err := r.Step("b", func(context.Context) ([]byte, error) { return nil, errors.New("shutting down") })
			return err
		}},
		{"a step's, swallowed", func(r order.Run) error {
			_, _ = r.Step("b", func(context.Context) ([]byte, error) { return nil, errors.New("shutting down") })
			return nil
		}},
		{"the runner's own", func(order.Run) error { return errors.New("no such plan") }},
		{"a panic", func(order.Run) error { panic("oh") }},
		{"another order of steps", nil}, // the second time
		{"no end", func(order.Run) error { return nil }},
	}
	runs, first := make([]atomic.Int64, len(cases)), make([]atomic.Int64, len(cases))
	w := newWorld(t, "")
	e := w.open(func(r order.Run) (order.End, error) {
		i, err := strconv.Atoi(r.Order().Route)
		if err != nil {
			return order.End{}, err
		}
		n := runs[i].Add(1)
		if n == 2 && cases[i].fail == nil {
			_, err := r.Step("c", value("c"))
			return order.End{}, err
		}
		if _, err := r.Step("a", func(context.Context) ([]byte, error) { first[i].Add(1); return []byte("a"), nil }); err != nil {
			return order.End{}, err
		}
		switch {
		case n < 3 && cases[i].fail != nil:
			return order.End{}, cases[i].fail(r)
		case n < 3:
			return order.End{}, errors.New("first")
		}
		got, err := r.Step("b", value("b"))
		return order.End{State: order.Done, Result: got}, err
	})
	ids := make([]string, len(cases))
	for i := range cases {
		o := sale("1")
		o.Route = strconv.Itoa(i)
		ids[i] = start(t, e, o)
	}
	until(t, "all are in trouble", func() bool {
		c, err := e.Counts(soon(t))
		require.NoError(t, err)
		return c.Troubled == len(cases)
	})
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := await(t, e, ids[i])
			require.Equal(t, "b", string(s.Result))
			require.Empty(t, s.Trouble)
			require.EqualValues(t, 1, first[i].Load())
			require.EqualValues(t, 3, runs[i].Load())
		})
	}
	failed, err := e.Errors(soon(t))
	require.NoError(t, err)
	require.Empty(t, failed)
}

func TestStepsEndBeforeTheEngineDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	var happened atomic.Int64
	in := make(chan struct{})
	run := func(r order.Run) (order.End, error) {
		if _, err := r.Step("slow", func(ctx context.Context) ([]byte, error) {
			happened.Add(1)
			close(in)
			time.Sleep(300 * time.Millisecond)
			return []byte("s"), ctx.Err()
		}); err != nil {
			return order.End{}, err
		}
		if _, err := r.Step("next", value("n")); err != nil {
			return order.End{}, err
		}
		return order.End{State: order.Done}, nil
	}
	e := w.open(run)
	id := start(t, e, sale("1"))
	<-in
	shut(t, e)
	_, _, err := e.Start(soon(t), sale("2"))
	require.ErrorIs(t, err, order.ErrClosing)
	e = w.open(run)
	await(t, e, id)
	require.EqualValues(t, 1, happened.Load(), "it was let end, and kept")
}

func TestOneProcessHasAFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	done := func(order.Run) (order.End, error) { return order.End{State: order.Done}, nil }
	e := w.open(done)
	_, err := w.tryOpen(done)
	require.ErrorIs(t, err, order.ErrTaken)
	require.ErrorContains(t, err, "DATABASE_URL")
	shut(t, e)
	w.open(done)
}

func TestOpeningMayBeGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	ctx, cancel := context.WithCancel(context.Background())
	o := w.options
	o.Runner = func(r order.Run) (order.End, error) {
		got, _, err := r.Wait("e", nil, time.Time{})
		return order.End{State: order.Done, Result: got}, err
	}
	e, err := order.Open(ctx, o)
	require.NoError(t, err)
	defer shut(t, e)
	id := start(t, e, sale("1"))
	cancel() // of the opening: no order may be cancelled by it
	time.Sleep(50 * time.Millisecond)
	require.NoError(t, e.Emit(soon(t), "e", nil, []byte("x")))
	require.Equal(t, order.Done, await(t, e, id).State)
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		done := func(order.Run) (order.End, error) { return order.End{State: order.Done}, nil }
		e := w.open(done)
		has, known, err := e.LibraryVersion(soon(t))
		require.NoError(t, err)
		require.Equal(t, known, has, "the library's tables are those we know")
		require.NoError(t, e.SetSchema(soon(t), 99))
		shut(t, e)
		_, err = w.tryOpen(done)
		require.ErrorIs(t, err, order.ErrNewer)
		require.ErrorContains(t, err, "schema 99")
	})
	w := newWorld(t, "")
	done := func(order.Run) (order.End, error) { return order.End{State: order.Done}, nil }
	e := w.open(done)
	require.NoError(t, e.SetLibrary(soon(t), 9999))
	shut(t, e)
	_, err := w.tryOpen(done)
	require.ErrorIs(t, err, order.ErrNewer)
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	var happened atomic.Int64
	e := w.open(func(r order.Run) (order.End, error) {
		if _, _, err := r.Wait("go", nil, time.Time{}); err != nil {
			return order.End{}, err
		}
		for i := range 30 {
			if _, err := r.Step(fmt.Sprint("s", i), func(context.Context) ([]byte, error) { happened.Add(1); return make([]byte, 5000), nil }); err != nil {
				return order.End{}, err
			}
		}
		return order.End{State: order.Done}, nil
	})
	id := start(t, e, sale("1"))
	time.Sleep(100 * time.Millisecond)
	require.NoError(t, e.Emit(soon(t), "go", nil, nil))
	require.NoError(t, e.Full(soon(t), true))
	require.Error(t, e.Grow(soon(t)))
	until(t, "it is told", func() bool { return e.Health(soon(t)) != nil })
	require.ErrorIs(t, e.Health(soon(t)), order.ErrDown)
	require.ErrorContains(t, e.Health(soon(t)), "full")
	large := sale("2")
	large.Payload = make([]byte, 20_000)
	_, _, err := e.Start(soon(t), large)
	require.ErrorIs(t, err, order.ErrDown)
	s, err := e.Status(soon(t), id)
	require.NoError(t, err)
	require.True(t, s.Ended.IsZero())
	require.NoError(t, e.Full(soon(t), false))
	require.Equal(t, order.Done, await(t, e, id).State)
	require.EqualValues(t, 30, happened.Load(), "what happened and could not be kept was held until it could")
	require.NoError(t, e.Health(soon(t)))
}

func TestOrdersOfAnotherVersionAreLeftAndToldOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	run := func(r order.Run) (order.End, error) {
		got, _, err := r.Wait("e", nil, time.Time{})
		return order.End{State: order.Done, Result: got}, err
	}
	e := w.open(run)
	id := start(t, e, sale("1"))
	shut(t, e)
	w.options.Version = "2"
	e = w.open(run)
	c, err := e.Counts(soon(t))
	require.NoError(t, err)
	require.Equal(t, 1, c.Elsewhere)
	require.Contains(t, w.log.String(), "another version")
	shut(t, e)
	w.options.Version = "1"
	e = w.open(run)
	require.NoError(t, e.Emit(soon(t), "e", nil, nil))
	await(t, e, id)
}
