package exchange_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/store"
)

// seller is a shop that counts what it sells, and a desk that repeats itself.
type seller struct {
	t      *testing.T
	routes map[string]*mapping.Route
	sold   atomic.Int32
	sells  shop // nil: it goes well
	e      *exchange.Exchanger
}

func newSeller(t *testing.T, turns exchange.Turns) *seller {
	s := &seller{t: t, routes: smallWorld(t)}
	s.e = exchange.New(exchange.Options{
		Callers: []*intake.Caller{desk()}, Zone: time.UTC, Clock: time.Now, Turns: turns,
		Calls: shop(func(ctx context.Context, c *backend.Call) *backend.Answer {
			n := s.sold.Add(1)
			if s.sells != nil {
				return s.sells(ctx, c)
			}
			return backend.NewAnswer(c.Operation, 200, "application/json", fmt.Appendf(nil, `{"number":%d}`, n))
		}),
	})
	return s
}

func (s *seller) ask(path, body string, header map[string]string) exchange.Response {
	return s.e.Serve(context.Background(), s.routes[path], asking(path, body, header), nil, nil)
}

// says gives an answer in one line.
func says(r exchange.Response) string {
	line := fmt.Sprintf("%d %s", r.Status, r.Body)
	for _, h := range r.Header {
		line += " " + h.Name + "=" + h.Value
	}
	return line
}

func TestRepeats(t *testing.T) {
	for _, c := range []struct {
		name, again string
		header      map[string]string
		says        string
		outcome     string
		repeat      string
		sold        int32
	}{
		{"the same", "id=1&trace=a", nil, `201 {"number":1,"trace":"a"} X-Number=1`, "ok", "replayed", 1},
		{"another echo", "id=1&trace=b", nil, `201 {"number":1,"trace":"a"} X-Number=1`, "ok", "replayed", 1},
		{"another key", "id=2&trace=a", nil, `201 {"number":2,"trace":"a"} X-Number=2`, "ok", "first", 2},
		{"another header in the key", "id=1", map[string]string{"X-Other": "k"}, `201 {"number":2} X-Number=2`, "ok", "first", 2},
		{"no key", "trace=a", nil, `422 {"kind":"bad_input","said":"id is missing","class":"","fields":[],"id":"abc"}`, "bad_input", "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSeller(t, store.NewLocal(10))
			first := s.ask("sell", "id=1&trace=a", nil)
			require.Equal(t, `201 {"number":1,"trace":"a"} X-Number=1`, says(first))
			require.Equal(t, "first", first.Report.Repeat)
			got := s.ask("sell", c.again, c.header)
			require.Equal(t, c.says, says(got))
			require.Equal(t, c.outcome, got.Report.Outcome)
			require.Equal(t, c.repeat, got.Report.Repeat)
			require.Equal(t, c.sold, s.sold.Load())
		})
	}
}

func TestRepeatOfAnotherBody(t *testing.T) {
	s := newSeller(t, store.NewLocal(10))
	json := map[string]string{"Content-Type": "application/json"}
	ask := func(body string) exchange.Response {
		r := asking("sell", body, json)
		r.Type = "application/json"
		return s.e.Serve(context.Background(), s.routes["sell"], r, nil, nil)
	}
	require.Equal(t, `201 {"number":1,"cm":4,"note":"x"} X-Number=1`, says(ask(`{"id":1,"size":{"cm":4,"note":"x"}}`)))
	require.Equal(t, `201 {"number":1,"cm":4,"note":"x"} X-Number=1`, says(ask(`{"size":{"note":"y","cm":"4"},"id":"1","more":true}`)), "as mapped it is the same")
	require.Equal(t, `409 {"kind":"repeat_differs","said":"another request was made under this key"}`, says(ask(`{"id":1,"size":{"cm":5,"note":"x"}}`)))
	require.Equal(t, int32(1), s.sold.Load())
}

func TestRepeatsAtOnce(t *testing.T) {
	s := newSeller(t, store.NewLocal(10))
	release := make(chan struct{})
	s.sells = func(_ context.Context, c *backend.Call) *backend.Answer {
		<-release
		return backend.NewAnswer(c.Operation, 200, "application/json", []byte(`{"number":9}`))
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if got := says(s.ask("sell", "id=1", nil)); got != `201 {"number":9} X-Number=9` {
				t.Error(got)
			}
		})
	}
	require.Eventually(t, func() bool { return s.sold.Load() == 1 }, time.Second, time.Millisecond)
	close(release)
	wg.Wait()
	require.Equal(t, int32(1), s.sold.Load())
}

// Whatever became of the call, a repeat does what it may and no more.
func TestRepeatOfWhatWentWrong(t *testing.T) {
	for _, c := range []struct {
		name        string
		ends        shop
		first, then string
		sold        int32
	}{
		{"lost", func(_ context.Context, c *backend.Call) *backend.Answer {
			return backend.FailedAnswer(c.Operation, contract.ClassTimeout, true)
		}, `504 {"kind":"timeout","said":"","class":"timeout","fields":[],"id":"abc"}`, `504 {"kind":"timeout","said":"","class":"timeout","fields":[],"id":"abc"}`, 1},
		{"not sent", func(_ context.Context, c *backend.Call) *backend.Answer {
			return backend.FailedAnswer(c.Operation, contract.ClassUnavailable, false)
		}, `503 {"kind":"unavailable","said":"","class":"unavailable","fields":[],"id":"abc"}`, `201 {"number":2} X-Number=2`, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSeller(t, store.NewLocal(10))
			s.sells = c.ends
			require.Equal(t, c.first, says(s.ask("sell", "id=1", nil)))
			s.sells = nil
			require.Equal(t, c.then, says(s.ask("sell", "id=1", nil)))
			require.Equal(t, c.sold, s.sold.Load())
		})
	}
}

// A panic in the middle leaves nothing that a repeat would send again.
func TestRepeatAfterPanic(t *testing.T) {
	s := newSeller(t, store.NewLocal(10))
	s.sells = func(context.Context, *backend.Call) *backend.Answer { panic("broken") }
	require.PanicsWithValue(t, "broken", func() { s.ask("sell", "id=1", nil) })
	got := s.ask("sell", "id=1", nil)
	require.Equal(t, `502 {"kind":"failed","said":"","class":"broken","fields":[],"id":"abc"}`, says(got))
	require.Equal(t, "recovered", got.Report.Repeat)
	require.Equal(t, int32(1), s.sold.Load())
	require.Equal(t, says(got), says(s.ask("sell", "id=1", nil)))
}

// turns answers Begin as a test says.
type turns func() (store.Turn, store.Found, []byte, error)

func (t turns) Begin(context.Context, *store.Repeat, store.About, time.Time) (store.Turn, store.Found, []byte, error) {
	return t()
}

func TestNoTurn(t *testing.T) {
	for _, c := range []struct {
		name  string
		found store.Found
		kept  string
		err   error
		says  string
	}{
		{"the store is down", store.First, "", store.ErrDown, `503 {"kind":"store_down","said":"the store cannot be reached","class":"store","fields":[],"id":"abc"}`},
		{"still under way", store.TimedOut, "", nil, `504 {"kind":"timeout","said":"the same request is still under way","class":"timeout","fields":[],"id":"abc"}`},
		{"an answer nobody can read", store.Replayed, "{", nil, `503 {"kind":"store_down","said":"the store cannot be reached","class":"","fields":[],"id":"abc"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSeller(t, turns(func() (store.Turn, store.Found, []byte, error) { return nil, c.found, []byte(c.kept), c.err }))
			require.Equal(t, c.says, says(s.ask("sell", "id=1", nil)))
			require.Zero(t, s.sold.Load())
		})
	}
}

// Without repeat every request is one of its own, and reading ones have no turn at all.
func TestWithoutRepeat(t *testing.T) {
	s := newSeller(t, store.NewLocal(10))
	require.Equal(t, `200 {"number":1}`, says(s.ask("sell_free", "", nil)))
	got := s.ask("sell_free", "", nil)
	require.Equal(t, `200 {"number":2}`, says(got))
	require.Empty(t, got.Report.Repeat)

	s = newSeller(t, turns(func() (store.Turn, store.Found, []byte, error) { panic("asked for a turn") }))
	s.sells = answering(200, `{"name":"a"}`)
	require.Equal(t, 201, s.ask("item", "id=1", nil).Status)
}

// lent keeps what it is told of a request, as a store does.
type lent struct {
	*store.Store
	about store.About
}

func (l *lent) Begin(ctx context.Context, r *store.Repeat, about store.About, now time.Time) (store.Turn, store.Found, []byte, error) {
	l.about = about
	return l.Store.Begin(ctx, r, about, now)
}

// The HTTP library uses a request's memory again: nothing of it may be kept.
func TestWhatIsKeptIsNotLent(t *testing.T) {
	l := &lent{Store: store.NewLocal(10)}
	s := newSeller(t, l)
	id := []byte("request-1")
	r := asking("sell", "id=1", nil)
	r.ID = unsafe.String(unsafe.SliceData(id), len(id))
	s.e.Serve(context.Background(), s.routes["sell"], r, nil, nil)
	copy(id, "529982247")
	require.Equal(t, "request-1", l.about.RequestID)
}
