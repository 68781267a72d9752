package order_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/order"
	"github.com/emenda-gateway/emenda/internal/seal"
)

// undoing runs two steps, waits, and undoes when asked to; its undo fails as long
// as broken is set, and then waits for a person.
func undoing(broken *atomic.Bool, undone *atomic.Int64) func(order.Run) (order.End, error) {
	return func(r order.Run) (order.End, error) {
		if _, err := r.Step("make", value("m")); err != nil {
			return order.End{}, err
		}
		if _, _, is := r.Cancelled(); is {
			return order.End{}, errors.New("nobody has asked yet")
		}
		r.Progress(order.Progress{State: order.Waiting, Step: "port", WaitsFor: "ported"})
		got, timedOut, err := r.Wait("ported", []byte("k"), time.Time{})
		if err != nil {
			return order.End{}, err
		}
		reason, by, is := r.Cancelled()
		if !is {
			return order.End{State: order.Done, Result: got}, nil
		}
		if timedOut || got != nil {
			return order.End{}, errors.New("a wait that is left gives nothing")
		}
		for i := 0; ; i++ {
			r.Progress(order.Progress{State: order.Undoing, Step: "make"})
			fine, err := r.Step(fmt.Sprint("undo ", i), func(context.Context) ([]byte, error) {
				if broken.Load() {
					return []byte("no"), nil
				}
				undone.Add(1)
				return []byte("yes"), nil
			})
			if err != nil {
				return order.End{}, err
			}
			if string(fine) == "yes" {
				return order.End{State: order.Undone, Result: []byte(by + ": " + reason)}, nil
			}
			r.Progress(order.Progress{State: order.Stuck, Step: "make", WaitsFor: "retry"})
			d, ok, err := r.Decision(time.Time{})
			if err != nil {
				return order.End{}, err
			}
			if !ok || d != order.Retry {
				return order.End{State: order.Stuck}, nil
			}
		}
	}
}

func TestCancelUndoesAndPeopleDecide(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		var broken atomic.Bool
		var undone atomic.Int64
		broken.Store(true)
		run := undoing(&broken, &undone)
		e := w.open(run)
		id := start(t, e, sale("1"))
		require.ErrorIs(t, e.Decide(soon(t), id, order.Retry, "ann", ""), order.ErrNotAsked)
		require.ErrorIs(t, e.Cancel(soon(t), "nobody", "ann", ""), order.ErrNotFound)
		inState(t, e, id, order.Waiting)
		require.NoError(t, e.Cancel(soon(t), id, "ann", "moved away"))
		require.NoError(t, e.Cancel(soon(t), id, "bob", "me too"), "again is nothing")

		s := await(t, e, id)
		require.Equal(t, order.Stuck, s.State)
		require.True(t, s.Asks)
		require.True(t, s.Ended.IsZero())
		shut(t, e)

		e = w.open(run)
		s = await(t, e, id)
		require.Equal(t, order.Stuck, s.State, "it asks again after a restart")
		require.NoError(t, e.Decide(soon(t), id, order.Retry, "ann", "the backend is back"))
		until(t, "the second question", func() bool {
			s, err := e.Status(soon(t), id)
			require.NoError(t, err)
			return s.Asks && len(s.Steps) == 6
		})
		broken.Store(false)
		require.NoError(t, e.Decide(soon(t), id, order.Retry, "ann", ""))
		if err := e.Decide(soon(t), id, order.Retry, "bob", ""); !errors.Is(err, order.ErrEnded) { // it may have ended by now
			require.ErrorIs(t, err, order.ErrNotAsked, "one answer for a question")
		}
		until(t, "undone", func() bool { s = await(t, e, id); return s.State == order.Undone })
		require.Equal(t, "ann: moved away", string(s.Result))
		require.EqualValues(t, 1, undone.Load())
		var acts []string
		for _, a := range s.Acts {
			acts = append(acts, a.Action+" "+a.By+" "+a.Reason)
		}
		require.Equal(t, []string{"cancel ann moved away", "retry ann the backend is back", "retry ann "}, acts)
		require.ErrorIs(t, e.Cancel(soon(t), id, "ann", ""), order.ErrEnded)
		require.ErrorIs(t, e.Decide(soon(t), id, order.Retry, "ann", ""), order.ErrEnded)
		require.Error(t, e.Decide(soon(t), id, "maybe", "ann", ""))
	})
}

func TestCancelEndsSleepAndDecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	e := w.open(func(r order.Run) (order.End, error) {
		if string(r.Order().Payload) == `{"n":"sleeps"}` {
			if err := r.Sleep(time.Hour); err != nil {
				return order.End{}, err
			}
		} else {
			r.Progress(order.Progress{State: order.Held})
			d, ok, err := r.Decision(time.Time{})
			if err != nil || !ok || d != order.Undo {
				return order.End{}, errors.Join(err, fmt.Errorf("decided %q", d))
			}
		}
		_, _, is := r.Cancelled()
		_, _, still := r.Cancelled()
		if !is || !still {
			return order.End{}, errors.New("somebody has asked")
		}
		if err := r.Sleep(time.Millisecond); err != nil {
			return order.End{}, err
		}
		return order.End{State: order.Undone}, nil
	})
	for _, key := range []string{"sleeps", "asks"} {
		id := start(t, e, sale(key))
		time.Sleep(100 * time.Millisecond)
		require.NoError(t, e.Cancel(soon(t), id, "ann", ""))
		require.Equal(t, order.Undone, await(t, e, id).State)
	}
}

func TestCommittedIsNotCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	e := w.open(func(r order.Run) (order.End, error) {
		r.Progress(order.Progress{State: order.Waiting, Committed: true})
		_, timedOut, err := r.Wait("never", nil, time.Now().Add(700*time.Millisecond))
		if err != nil || !timedOut {
			return order.End{}, errors.Join(err, errors.New("a wait that runs out"))
		}
		_, ok, err := r.Decision(time.Now().Add(time.Millisecond))
		if err != nil || ok {
			return order.End{}, errors.Join(err, errors.New("a question that runs out"))
		}
		return order.End{State: order.Done}, nil
	})
	id := start(t, e, sale("1"))
	until(t, "it is committed", func() bool {
		s, err := e.Status(soon(t), id)
		require.NoError(t, err)
		return s.Committed
	})
	require.ErrorIs(t, e.Cancel(soon(t), id, "ann", ""), order.ErrCommitted)
	s := await(t, e, id)
	require.Equal(t, order.Done, s.State)
	require.Equal(t, "timeout", s.Steps[0].Outcome)
}

func TestDoneShowsAtTheEnd(t *testing.T) {
	t.Parallel()
	e := newWorld(t, "").open(func(r order.Run) (order.End, error) {
		r.Progress(order.Progress{State: order.Undoing})
		r.Progress(order.Progress{State: order.Undone, Step: "all"})
		_, _, err := r.Wait("go", nil, time.Time{})
		return order.End{State: order.Undone}, err
	})
	id := start(t, e, sale("1"))
	until(t, "its last step shows", func() bool {
		s, err := e.Status(soon(t), id)
		require.NoError(t, err)
		return s.Step == "all"
	})
	inState(t, e, id, order.Undoing)
	require.NoError(t, e.Emit(soon(t), "go", nil, nil))
	inState(t, e, id, order.Undone)
	require.ErrorIs(t, e.Cancel(soon(t), id, "ann", ""), order.ErrEnded)
}

func TestEvents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		e := w.open(func(r order.Run) (order.End, error) {
			var all []byte
			for range 2 {
				got, timedOut, err := r.Wait("e", []byte("k"), time.Now().Add(time.Second))
				if err != nil {
					return order.End{}, err
				}
				if timedOut {
					got = []byte("-")
				}
				all = append(all, got...)
			}
			return order.End{State: order.Done, Result: all}, nil
		})
		ctx := soon(t)
		require.NoError(t, e.EmitOnce(ctx, "1", "e", []byte("k"), []byte("a")))
		require.NoError(t, e.EmitOnce(ctx, "1", "e", []byte("k"), []byte("again")))
		require.NoError(t, e.Emit(ctx, "e", []byte("k"), []byte("b")))
		require.NoError(t, e.Emit(ctx, "e", []byte("other"), []byte("c")))
		require.NoError(t, e.Emit(ctx, "other", []byte("k"), []byte("d")))
		require.Equal(t, "ab", string(await(t, e, start(t, e, sale("1"))).Result), "what came first, each once")
		time.Sleep(5 * time.Millisecond)
		require.Equal(t, "--", string(await(t, e, start(t, e, sale("2"))).Result), "what another had before is not for who comes later")
	})
}

const cpf, phone, mail = "52998224725", "+5511987654321", "maria.souza@example.com"

func TestNothingOfPeopleIsReadable(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		secret := cpf + " " + phone + " " + mail
		tries := 0
		e := w.open(func(r order.Run) (order.End, error) {
			if _, err := r.Step("ask", func(context.Context) ([]byte, error) {
				if tries++; tries == 1 {
					return nil, errors.New("the backend says " + secret)
				}
				return []byte(secret), nil
			}); err != nil {
				return order.End{}, err
			}
			if tries++; tries == 3 {
				panic(secret)
			}
			r.Progress(order.Progress{State: order.Waiting})
			if _, _, err := r.Wait("ported", []byte(phone), time.Time{}); err != nil {
				return order.End{}, err
			}
			return order.End{State: order.Undone, Result: []byte(secret)}, nil
		})
		o := sale(cpf)
		o.Payload, o.Fingerprint, o.Subjects = []byte(secret), []byte(cpf), []string{cpf}
		id := start(t, e, o)
		inState(t, e, id, order.Waiting)
		require.NoError(t, e.Cancel(soon(t), id, mail, secret))
		require.NoError(t, e.Emit(soon(t), "ported", []byte(phone), []byte(secret)))
		s := await(t, e, id)
		require.Equal(t, secret, string(s.Result))
		require.Equal(t, mail, s.Acts[0].By)

		cells, err := e.Cells(soon(t))
		require.NoError(t, err)
		require.Greater(t, len(cells), 20)
		failed, err := e.Errors(soon(t))
		require.NoError(t, err)
		require.Empty(t, failed, "an error is never kept")
		shut(t, e)
		look := append(cells, w.log.String())
		if w.options.Data != "" {
			files, err := filepath.Glob(filepath.Join(w.options.Data, "*"))
			require.NoError(t, err)
			for _, f := range files {
				text, err := os.ReadFile(f)
				require.NoError(t, err)
				look = append(look, string(text))
				info, err := os.Stat(f)
				require.NoError(t, err)
				require.Zero(t, info.Mode().Perm()&0o077, f)
			}
		}
		for _, text := range look {
			for _, hidden := range []string{cpf, phone, phone[1:], mail, "maria.souza"} {
				for _, form := range []string{hidden, base64.StdEncoding.EncodeToString([]byte(hidden))[:len(hidden)] /* as the library would write it */} {
					require.NotContains(t, text, form)
				}
			}
		}
		require.Contains(t, w.log.String(), "one cannot go on")
		require.Contains(t, w.log.String(), "panicked")
	})
}

func TestPurgeAndErase(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		now := time.Now()
		var ahead atomic.Int64
		w.options.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		e := w.open(func(r order.Run) (order.End, error) {
			if _, err := r.Step("s", value("v")); err != nil {
				return order.End{}, err
			}
			if r.Order().Route == "waits" {
				_, _, err := r.Wait("never", nil, time.Time{})
				return order.End{}, err
			}
			return order.End{State: order.Done, Result: []byte("r")}, nil
		})
		ctx := soon(t)
		require.NoError(t, e.KeepPlan(ctx, "plan", []byte("the plan")))
		require.NoError(t, e.KeepPlan(ctx, "idle", []byte("nobody's")))
		o := sale("1")
		o.Subjects = []string{"doc 1", "doc 2"}
		one := start(t, e, o)
		await(t, e, one)
		o = sale("2")
		o.Subjects = []string{"doc 1"}
		o.Promise = time.Hour
		two := start(t, e, o)
		await(t, e, two)
		o = sale("3")
		o.Route, o.Subjects = "waits", []string{"doc 2"}
		three := start(t, e, o)

		about, err := e.Subject(ctx, "doc 1")
		require.NoError(t, err)
		require.Len(t, about, 2)
		require.Equal(t, "r", string(about[0].Result))
		about, err = e.Subject(ctx, "doc 3")
		require.NoError(t, err)
		require.Empty(t, about)

		n, left, err := e.Erase(ctx, "doc 2")
		require.NoError(t, err)
		require.Equal(t, []int{1, 1}, []int{n, left})
		s, err := e.Status(ctx, one)
		require.NoError(t, err)
		require.True(t, s.Emptied)
		require.Empty(t, s.Payload)
		require.Empty(t, s.Result)
		require.Empty(t, s.Steps)
		_, created, err := e.Start(ctx, sale("1"))
		require.NoError(t, err)
		require.False(t, created, "the key holds")
		n, left, err = e.Erase(ctx, "doc 2")
		require.NoError(t, err)
		require.Equal(t, []int{0, 1}, []int{n, left})

		n, err = e.Purge(ctx, now.Add(-time.Hour))
		require.NoError(t, err)
		require.Zero(t, n)
		ahead.Store(int64(2 * time.Hour))
		n, err = e.Purge(ctx, now.Add(time.Hour))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		_, err = e.Status(ctx, two)
		require.ErrorIs(t, err, order.ErrNotFound, "its key held an hour")
		_, err = e.Status(ctx, one)
		require.NoError(t, err)
		_, err = e.Status(ctx, three)
		require.NoError(t, err)
		plan, err := e.Plan(ctx, "plan")
		require.NoError(t, err, "an open order needs it")
		require.Equal(t, "the plan", string(plan))
		_, err = e.Plan(ctx, "idle")
		require.ErrorIs(t, err, order.ErrNotFound)
	})
}

func TestKeysAreReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	old, young := keyOf(t, 1), keyOf(t, 2)
	run := func(r order.Run) (order.End, error) {
		if _, err := r.Step("s", value("v")); err != nil {
			return order.End{}, err
		}
		r.Progress(order.Progress{State: order.Waiting})
		got, _, err := r.Wait("e", []byte("k"), time.Time{})
		if err != nil {
			return order.End{}, err
		}
		later, _, err := r.Wait("later", nil, time.Time{})
		if err != nil {
			return order.End{}, err
		}
		_, timedOut, err := r.Wait("later", nil, time.Now().Add(50*time.Millisecond))
		return order.End{State: order.Done, Result: fmt.Appendf(nil, "%s, %s, %t", got, later, timedOut)}, err
	}
	w.options.Keys = seal.Keys{old}
	e := w.open(run)
	o := sale("1")
	o.Subjects = []string{"doc"}
	id := start(t, e, o)
	inState(t, e, id, order.Waiting)
	require.NoError(t, e.EmitOnce(soon(t), "1", "later", nil, []byte("under the old key")))
	shut(t, e)

	w.options.Keys = seal.Keys{young, old}
	e = w.open(run)
	again, created, err := e.Start(soon(t), o)
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, id, again.ID)
	require.NoError(t, e.EmitOnce(soon(t), "1", "later", nil, []byte("again")))
	require.NoError(t, e.Emit(soon(t), "e", []byte("k"), []byte("under the new key")))
	s := await(t, e, id)
	require.Equal(t, "under the new key, under the old key, true", string(s.Result))
	about, err := e.Subject(soon(t), "doc")
	require.NoError(t, err)
	require.Len(t, about, 1)
	shut(t, e)

	w.options.Keys = seal.Keys{young}
	e = w.open(run)
	_, err = e.Status(soon(t), id)
	require.ErrorContains(t, err, "another key")
}
