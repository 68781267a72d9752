package load

import (
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestHistogram holds quantiles against sorted durations.
func TestHistogram(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	var one, two Histogram
	for i := range 20_000 {
		d := time.Duration(r.ExpFloat64() * float64(time.Millisecond))
		all = append(all, d)
		if i%2 == 0 {
			one.Add(d)
		} else {
			two.Add(d)
		}
	}
	one.Merge(&two)
	require.Equal(t, len(all), one.Count())
	slices.Sort(all)
	for _, q := range []float64{0.001, 0.5, 0.9, 0.99, 0.999} {
		want := float64(all[int(q*float64(len(all)))-1])
		require.InEpsilon(t, want, float64(one.Quantile(q)), 0.02, "quantile %g", q)
	}
	require.Equal(t, all[len(all)-1], one.Quantile(1))
	require.Zero(t, new(Histogram).Quantile(0.5))
}

// TestBuckets: every value lies in its bucket and not beyond its end.
func TestBuckets(t *testing.T) {
	for _, v := range []uint64{0, 1, 63, 64, 65, 127, 128, 129, 1 << 20, 1<<20 + 1<<14, 1<<63 - 1} {
		i := bucket(v)
		require.GreaterOrEqual(t, upper(i), v)
		if i > 0 {
			require.Less(t, upper(i-1), v)
		}
	}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

const question = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

func TestClosed(t *testing.T) {
	var asked atomic.Int64
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte("yes"))
	})
	c, err := Open(Target{Address: address, Request: []byte(question), Want: []byte("yes")}, 3)
	require.NoError(t, err)
	defer c.Close()
	for range 2 { // connections are used again
		got, err := c.Closed(100)
		require.NoError(t, err)
		require.Equal(t, 100, got.Requests)
	}
	require.EqualValues(t, 200, asked.Load())
}

// TestWrongAnswer: a run ends with the answer that was not the wanted one.
func TestWrongAnswer(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"body":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("no")) },
		"status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503); _, _ = w.Write([]byte("yes")) },
		"cut":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Open(Target{Address: serve(t, h), Request: []byte(question), Want: []byte("yes")}, 1)
			require.NoError(t, err)
			defer c.Close()
			_, err = c.Closed(3)
			require.Error(t, err)
		})
	}
}

// TestPacedCountsTheWait: what had to wait for a connection counts from when it was due.
func TestPacedCountsTheWait(t *testing.T) {
	const stall = 100 * time.Millisecond
	var first atomic.Bool
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if first.CompareAndSwap(false, true) {
			stalled, cancel := time.NewTimer(stall), r.Context().Done()
			defer stalled.Stop()
			select {
			case <-stalled.C:
			case <-cancel:
			}
		}
		_, _ = w.Write([]byte("yes"))
	})
	c, err := Open(Target{Address: address, Request: []byte(question), Want: []byte("yes")}, 1)
	require.NoError(t, err)
	defer c.Close()
	got, err := c.Paced(1000, 200*time.Millisecond)
	require.NoError(t, err)
	require.Equal(t, 200, got.Requests)
	// A hundred requests were due during the stall: with the clock begun at the
	// sending only one of them would be late.
	require.Greater(t, got.Latency.Quantile(0.75), stall/5)
}

func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	_, err = Open(Target{Address: ln.Addr().String()}, 1)
	require.Error(t, err)
}
