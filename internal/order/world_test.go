package order_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/emenda-gateway/emenda/internal/order"
	"github.com/emenda-gateway/emenda/internal/pgtest"
	"github.com/emenda-gateway/emenda/internal/seal"
)

func TestMain(m *testing.M) {
	if os.Getenv(helperEnv) != "" {
		helper()
		return
	}
	shared = pgtest.Share(m)
	goleak.VerifyTestMain(shared)
}

// shared has the server that tests share which do not end it.
var shared *pgtest.Package

// keyOf gives a seal key of one byte's repetition.
func keyOf(t testing.TB, b byte) *seal.Key {
	secret := make([]byte, seal.KeySize)
	for i := range secret {
		secret[i] = b
	}
	k, err := seal.NewKey(secret)
	require.NoError(t, err)
	return k
}

// world is a database and the engines on it.
type world struct {
	t       testing.TB
	options order.Options
	log     *lines
}

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, b...)
	return len(b), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// onBoth runs a test on either database.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("SQLite", func(t *testing.T) { t.Parallel(); test(t, newWorld(t, "")) })
	t.Run("PostgreSQL", func(t *testing.T) { t.Parallel(); test(t, newWorld(t, postgres(t))) })
}

// postgres gives a database of its own.
func postgres(t testing.TB) string { return shared.Database(t) }

func newWorld(t testing.TB, url string) *world {
	w := &world{t: t, log: &lines{}}
	w.options = order.Options{DatabaseURL: url, Keys: seal.Keys{keyOf(t, 1)}, Version: "1",
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if url == "" {
		w.options.Data = filepath.Join(t.TempDir(), "data")
		fresh.put(t, w.options)
	}
	t.Cleanup(func() {
		if t.Failed() && testing.Verbose() {
			fmt.Println(w.log.String())
		}
	})
	return w
}

// fresh is a file as an engine makes it, made once: that takes a while.
var fresh freshFile

type freshFile struct {
	mu   sync.Mutex
	text []byte
}

// put puts the file where an engine is about to open it.
func (f *freshFile) put(t testing.TB, o order.Options) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := filepath.Join(o.Data, "orders.db")
	if f.text == nil {
		o.Runner = func(order.Run) (order.End, error) { return order.End{}, nil }
		e, err := order.Open(context.Background(), o)
		require.NoError(t, err)
		shut(t, e)
		f.text, err = os.ReadFile(name)
		require.NoError(t, err)
		return
	}
	require.NoError(t, os.Mkdir(o.Data, 0o700))
	require.NoError(t, os.WriteFile(name, f.text, 0o600))
}

// open opens an engine that ends with the test, if it has not before.
func (w *world) open(run func(order.Run) (order.End, error)) *order.Engine {
	w.t.Helper()
	e, err := w.tryOpen(run)
	require.NoError(w.t, err)
	return e
}

func (w *world) tryOpen(run func(order.Run) (order.End, error)) (*order.Engine, error) {
	o := w.options
	o.Runner = run
	e, err := order.Open(context.Background(), o)
	if err == nil {
		w.t.Cleanup(func() { shut(w.t, e) })
	}
	return e, err
}

func shut(t testing.TB, e *order.Engine) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(t, e.Close(ctx))
}

// soon gives a context that a test may take.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// sale gives an order with a key.
func sale(key string) order.Order {
	return order.Order{Route: "sale", Caller: "partner", Key: []byte(key), Fingerprint: []byte("input of " + key), Plan: "plan", Payload: []byte(`{"n":"` + key + `"}`)}
}

func start(t testing.TB, e *order.Engine, o order.Order) string {
	t.Helper()
	s, created, err := e.Start(soon(t), o)
	require.NoError(t, err)
	require.True(t, created)
	return s.ID
}

func await(t testing.TB, e *order.Engine, id string) order.Status {
	t.Helper()
	s, err := e.Await(soon(t), id)
	require.NoError(t, err)
	return s
}

// until waits for what is to come.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

// inState waits until lists show a state.
func inState(t testing.TB, e *order.Engine, id string, state order.State) order.Status {
	t.Helper()
	var s order.Status
	until(t, string(state), func() bool {
		var err error
		s, err = e.Status(soon(t), id)
		require.NoError(t, err)
		return s.State == state
	})
	return s
}

func value(text string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return []byte(text), nil }
}
