package order_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/order"
	"github.com/emenda-gateway/emenda/internal/pgtest"
)

// TestPostgresRestarts restarts the database while orders run: none ends by it,
// and nothing kept happens again.
func TestPostgresRestarts(t *testing.T) {
	pg := pgtest.Start(t)
	w := newWorld(t, pg.URL())
	var mu sync.Mutex
	happened := map[string]int{}
	e := w.open(func(r order.Run) (order.End, error) {
		for i := range 20 {
			name := fmt.Sprint(r.Order().ID, " ", i)
			if _, err := r.Step(fmt.Sprint("s", i), func(context.Context) ([]byte, error) {
				mu.Lock()
				defer mu.Unlock()
				happened[name]++
				time.Sleep(time.Millisecond)
				return []byte("x"), nil
			}); err != nil {
				return order.End{}, err
			}
		}
		if _, _, err := r.Wait("go", nil, time.Time{}); err != nil {
			return order.End{}, err
		}
		return order.End{State: order.Done}, nil
	})
	const orders = 40
	ids := make([]string, orders)
	for i := range ids {
		ids[i] = start(t, e, sale(fmt.Sprint(i)))
	}
	for _, end := range []func(){pg.Kill, pg.Stop} {
		time.Sleep(200 * time.Millisecond)
		end()
		until(t, "the loss is noticed", func() bool { return e.Health(soon(t)) != nil })
		time.Sleep(300 * time.Millisecond)
		pg.Run()
	}
	until(t, "it is back", func() bool { return e.Emit(soon(t), "go", nil, nil) == nil })
	for _, id := range ids {
		s := await(t, e, id)
		require.Equal(t, order.Done, s.State)
		require.Len(t, s.Steps, 21)
	}
	for name, n := range happened {
		require.Equal(t, 1, n, "%s: this process never died, so nothing may happen twice", name)
	}
	failed, err := e.Errors(soon(t))
	require.NoError(t, err)
	require.Empty(t, failed)
	require.NoError(t, e.Health(soon(t)))
}

// TestLockLostForAMoment cuts the connection that holds a replica's lock: the other
// replica takes nothing over.
func TestLockLostForAMoment(t *testing.T) {
	pg := pgtest.Start(t)
	w := newWorld(t, pg.URL())
	var runs atomic.Int64
	run := func(r order.Run) (order.End, error) {
		runs.Add(1)
		if _, _, err := r.Wait("go", nil, time.Time{}); err != nil {
			return order.End{}, err
		}
		got, err := r.Step("s", value("x"))
		return order.End{State: order.Done, Result: got}, err
	}
	a := w.open(run)
	b := w.open(run)
	id := start(t, a, sale("1"))
	until(t, "it runs", func() bool { return runs.Load() == 1 })
	for range 3 {
		cut, err := a.Backend(soon(t))
		require.NoError(t, err)
		pg.Exec(`SELECT pg_terminate_backend($1)`, cut)
		until(t, "it holds the lock again", func() bool {
			pid, err := a.Backend(soon(t))
			require.NoError(t, err)
			return pid != 0 && pid != cut
		})
		time.Sleep(700 * time.Millisecond)
	}
	require.NoError(t, b.Emit(soon(t), "go", nil, nil), "told by the other replica")
	require.Equal(t, "x", string(await(t, b, id).Result))
	require.EqualValues(t, 1, runs.Load())
	require.NotContains(t, w.log.String(), "taken over")
}

// TestTakenOver kills a replica for good, and ends another in good order: the one
// that stays goes on with their orders, soon.
func TestTakenOver(t *testing.T) {
	pg := pgtest.Start(t)
	j := job{URL: pg.URL(), Journal: filepath.Join(t.TempDir(), "journal"), Steps: 12, Stay: true}
	w := newWorld(t, pg.URL())
	w.options.Keys = helperKeys(t)
	run := func(r order.Run) (order.End, error) { return order.End{}, errors.New("this one begins none") }
	leaving := w.open(run)
	waiting := make([]string, 3)
	for i := range waiting {
		waiting[i] = start(t, leaving, sale(fmt.Sprint(i)))
	}
	first := j.start(t)
	<-first.open
	began := time.Now()
	shut(t, leaving)
	until(t, "begun by the other", func() bool { return journaled(t, j.Journal, waiting...) })
	left := time.Since(began)

	second := j.start(t)
	<-second.open
	time.Sleep(time.Second)
	began = time.Now()
	first.kill()
	e := w.open(func(r order.Run) (order.End, error) { return j.sale(r, nil) })
	for i, id := range waiting {
		require.NoError(t, e.Emit(soon(t), "go", fmt.Append(nil, i), []byte("e")))
		require.Equal(t, order.Done, await(t, e, id).State)
	}
	t.Logf("of one that left in good order: %v; of one that was killed, to its end: %v", left, time.Since(began))
	require.Less(t, time.Since(began), 10*time.Second)
}

// TestPostgresRestartsDuringTakeover kills a replica with many orders, and the database
// a moment later, while the other replica takes them over: none is forgotten.
func TestPostgresRestartsDuringTakeover(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	w := newWorld(t, pg.URL())
	w.options.Keys = helperKeys(t)
	j := job{URL: pg.URL(), Journal: filepath.Join(t.TempDir(), "journal"), Steps: 6, Stay: true, Silent: true}
	journal, err := os.OpenFile(j.Journal, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	require.NoError(t, err)
	defer func() { _ = journal.Close() }()
	e := w.open(func(r order.Run) (order.End, error) { return j.sale(r, journal) })
	const orders = 30
	for round := range 3 {
		theirs := j
		theirs.First, theirs.Orders = round*orders, orders
		other := theirs.start(t)
		<-other.all
		other.kill()
		time.Sleep(1200*time.Millisecond + time.Duration(rand.IntN(1600))*time.Millisecond)
		pg.Kill()
		time.Sleep(200 * time.Millisecond)
		pg.Run()
	}
	all, next, err := e.List(soon(t), order.Filter{}, "", 1000)
	require.NoError(t, err)
	require.Empty(t, next)
	require.Len(t, all, 3*orders)
	for i := range all {
		until(t, "it takes events again", func() bool { return e.EmitOnce(soon(t), fmt.Sprint(i), "go", fmt.Append(nil, i), []byte("e")) == nil })
	}
	for _, one := range all {
		require.Equal(t, order.Done, await(t, e, one.ID).State)
	}
	ended, repeated := repeats(t, j.Journal, j.Steps)
	require.Equal(t, 3*orders, ended)
	t.Logf("%d steps that were not kept happened again", repeated)
}

// TestRollingRestart replaces a replica by another that is there before it goes,
// again and again while orders run: no process dies, so nothing may happen twice.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	w := newWorld(t, pg.URL())
	var mu sync.Mutex
	happened := map[string]int{}
	run := func(r order.Run) (order.End, error) {
		for i := range 12 {
			if _, err := r.Step(fmt.Sprint("s", i), func(context.Context) ([]byte, error) {
				mu.Lock()
				happened[fmt.Sprint(r.Order().ID, " ", i)]++
				mu.Unlock()
				time.Sleep(20 * time.Millisecond)
				return []byte("x"), nil
			}); err != nil {
				return order.End{}, err
			}
			if i == 5 {
				if err := r.Sleep(500 * time.Millisecond); err != nil {
					return order.End{}, err
				}
			}
		}
		return order.End{State: order.Done}, nil
	}
	e := w.open(run)
	var ids []string
	for generation := range 5 {
		for i := range 12 {
			ids = append(ids, start(t, e, sale(fmt.Sprint(generation, " ", i))))
		}
		time.Sleep(300 * time.Millisecond)
		next := w.open(run)
		time.Sleep(200 * time.Millisecond)
		shut(t, e)
		e = next
	}
	for _, id := range ids {
		s := await(t, e, id)
		require.Equal(t, order.Done, s.State)
		require.Len(t, s.Steps, 13)
	}
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, happened, 12*len(ids))
	for name, n := range happened {
		require.Equal(t, 1, n, name)
	}
}

// TestPeopleAskElsewhere lets people act at a replica that does not run the order.
func TestPeopleAskElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, postgres(t))
	var broken atomic.Bool
	var undone atomic.Int64
	broken.Store(true)
	run := undoing(&broken, &undone)
	a, b := w.open(run), w.open(run)
	id := start(t, a, sale("1"))
	inState(t, b, id, order.Waiting)
	began := time.Now()
	require.NoError(t, b.Cancel(soon(t), id, "ann", "moved away"))
	s := await(t, b, id)
	require.Equal(t, order.Stuck, s.State)
	broken.Store(false)
	require.NoError(t, b.Decide(soon(t), id, order.Retry, "ann", ""))
	until(t, "undone", func() bool { s = await(t, b, id); return s.State == order.Undone })
	require.Less(t, time.Since(began), 10*time.Second, "they are told, and need not look")
	require.EqualValues(t, 1, undone.Load())
	require.NotContains(t, w.log.String(), "taken over")
}

// TestHandedOutAndRunByNobody has an order that the library says runs here, and does not.
func TestHandedOutAndRunByNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	run := func(r order.Run) (order.End, error) {
		got, _, err := r.Wait("e", nil, time.Time{})
		return order.End{State: order.Done, Result: got}, err
	}
	e := w.open(run)
	id := start(t, e, sale("1"))
	time.Sleep(500 * time.Millisecond) // that it runs is written
	shut(t, e)
	w.options.Version = "2"
	e = w.open(run)
	require.NoError(t, e.HandOut(soon(t), id))
	require.NoError(t, e.Emit(soon(t), "e", nil, []byte("x")))
	require.Equal(t, "x", string(await(t, e, id).Result))
	require.Contains(t, w.log.String(), "nobody ran them")
}
