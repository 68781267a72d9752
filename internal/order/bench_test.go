package order_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/order"
)

// What orders cost; figures are in docs/operations.md. To have them anew:
//
//	go test ./internal/order -run '^$' -bench . -benchtime 1x

func bothBenches(b *testing.B, bench func(b *testing.B, w *world)) {
	b.Run("SQLite", func(b *testing.B) { bench(b, quiet(newWorld(b, ""))) })
	b.Run("PostgreSQL", func(b *testing.B) { bench(b, quiet(newWorld(b, postgres(b)))) })
}

func quiet(w *world) *world {
	w.options.Log = nil
	return w
}

// BenchmarkSales runs orders of twelve steps that cost nothing themselves, as many at once as
// stated.
func BenchmarkSales(b *testing.B) {
	for _, atOnce := range []int{1, 32} {
		b.Run(fmt.Sprint(atOnce, " at once"), func(b *testing.B) {
			bothBenches(b, func(b *testing.B, w *world) {
				e := w.open(func(r order.Run) (order.End, error) {
					for i := range 12 {
						r.Progress(order.Progress{State: order.Running, Step: fmt.Sprint("s", i)})
						if _, _, is := r.Cancelled(); is {
							return order.End{State: order.Undone}, nil
						}
						if _, err := r.Step(fmt.Sprint("s", i), value("some hundred bytes of what a backend answered, as JSON")); err != nil {
							return order.End{}, err
						}
					}
					return order.End{State: order.Done, Result: []byte("{}")}, nil
				})
				var n atomic.Int64
				ctx := context.Background()
				began, end := time.Now(), time.Now().Add(5*time.Second)
				var all sync.WaitGroup
				for range atOnce {
					all.Go(func() {
						for time.Now().Before(end) {
							s, _, err := e.Start(ctx, sale(fmt.Sprint(n.Add(1))))
							if err == nil {
								_, err = e.Await(ctx, s.ID)
							}
							if err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				all.Wait()
				b.ReportMetric(float64(n.Load())/time.Since(began).Seconds(), "orders/s")
				b.ReportMetric(0, "ns/op")
			})
		})
	}
}

// BenchmarkWaiting holds 2,000 orders that wait for an event after six steps: their memory,
// the CPU they take when nothing happens, the time to have all of them wait
// again after a restart, and to end them all.
func BenchmarkWaiting(b *testing.B) {
	const orders = 2000
	bothBenches(b, func(b *testing.B, w *world) {
		var waiting, done atomic.Int64
		run := func(r order.Run) (order.End, error) {
			for i := range 6 {
				if _, err := r.Step(fmt.Sprint("s", i), value("some hundred bytes of what a backend answered, as JSON")); err != nil {
					return order.End{}, err
				}
			}
			r.Progress(order.Progress{State: order.Waiting, WaitsFor: "go"})
			waiting.Add(1)
			if _, _, err := r.Wait("go", r.Order().Payload, time.Now().Add(24*time.Hour)); err != nil {
				return order.End{}, err
			}
			done.Add(1)
			return order.End{State: order.Done}, nil
		}
		ctx := context.Background()
		e := w.open(run)
		b.ReportMetric(idle(), "%CPU/empty")
		empty := heap()
		began := time.Now()
		for i := range orders {
			_, _, err := e.Start(ctx, sale(fmt.Sprint(i)))
			require.NoError(b, err)
		}
		reached(waiting.Load, orders)
		b.ReportMetric(time.Since(began).Seconds(), "s/begin")
		b.ReportMetric(float64(heap()-empty)/orders, "B/waiting")
		b.ReportMetric(idle(), "%CPU/idle")
		began = time.Now()
		shut(b, e)
		b.ReportMetric(time.Since(began).Seconds(), "s/close")

		waiting.Store(0)
		began = time.Now()
		e = w.open(run)
		b.ReportMetric(time.Since(began).Seconds(), "s/open")
		reached(waiting.Load, orders)
		b.ReportMetric(time.Since(began).Seconds(), "s/restart")
		b.ReportMetric(float64(heap()-empty)/orders, "B/restarted")
		began = time.Now()
		for i := range orders {
			require.NoError(b, e.Emit(ctx, "go", sale(fmt.Sprint(i)).Payload, []byte("e")))
		}
		reached(done.Load, orders)
		b.ReportMetric(time.Since(began).Seconds(), "s/end")
		b.ReportMetric(0, "ns/op")
	})
}

// reached waits until a count is reached.
func reached(count func() int64, n int64) {
	for count() < n {
		time.Sleep(5 * time.Millisecond)
	}
}

// idle gives how much of a core this process uses when nothing happens.
func idle() float64 {
	const long = 15 * time.Second
	time.Sleep(2 * time.Second) // what was to be written is
	used := cpu()
	time.Sleep(long)
	return float64(cpu()-used) / float64(long) * 100
}

// heap gives the memory in use, stacks too.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse) //nolint:gosec // far below
}

// cpu gives the time this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
