package routes

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/observe"
)

// traced asks for the requests of an id.
func (w *world) traced(id string) (all []Trace, text string) {
	code, text := get(w.server.Admin("sesame"), "/-/requests/"+id, "Bearer sesame")
	if code == 404 {
		return nil, text
	}
	require.Equal(w.t, 200, code)
	var t Traces
	require.NoError(w.t, json.Unmarshal([]byte(text), &t))
	for i := range t.Requests {
		r := &t.Requests[i]
		require.WithinDuration(w.t, time.Now(), r.At, time.Minute)
		require.Positive(w.t, r.DurationMS)
		r.At, r.DurationMS = time.Time{}, 0
		for k := range r.Steps {
			require.GreaterOrEqual(w.t, r.Steps[k].DurationMS, 0.0)
			r.Steps[k].DurationMS = 0
		}
	}
	return t.Requests, text
}

func TestTrace(t *testing.T) {
	w := start(t, changed(t, "gateway.yaml", "gateway:\n", "gateway:\n  traces: 3\n"))
	id := func(s string) string { return "X-Request-Id: " + s }
	require.Equal(t, 200, w.raw(request("POST /p/echo", "word=Fulano", form, id("one")))[0].status)
	all, text := w.traced("one")
	require.Equal(t, []Trace{{
		RequestID: "one", Method: "POST", Route: "plain/echo", Path: "/p/echo", Caller: "kiosk", Status: 200, Outcome: "ok",
		BackendCalls: 1, BytesIn: 11, BytesOut: 34,
		Steps: []TraceStep{{Plan: "plain/echo", Step: "said", Does: "shop.echo", State: "ok", Status: 200}},
	}}, all)
	require.NotContains(t, text, "Fulano")

	w.raw(request("POST /p/elsewhere", "a=1", form, id("two")))
	all, _ = w.traced("two")
	require.Equal(t, []Trace{{
		RequestID: "two", Method: "POST", Route: "plain/elsewhere", Path: "/p/elsewhere", Caller: "kiosk", Status: 503, Outcome: "unavailable",
		Class: "unavailable", Step: "said", BytesIn: 3, BytesOut: all[0].BytesOut,
		Steps: []TraceStep{{Plan: "plain/elsewhere", Step: "said", Does: "absent.echo", State: "failed", Class: "unavailable"}},
	}}, all)

	// The path of a request without a route may hold anything, and is not kept.
	w.raw(request("GET /p/529.982.247-25", "", id("one")))
	all, text = w.traced("one")
	require.Len(t, all, 2, "callers choose ids, too")
	require.Equal(t, Trace{RequestID: "one", Method: "GET", Status: 404, Outcome: "no_route", BytesOut: all[0].BytesOut, Steps: []TraceStep{}}, all[0])
	require.Equal(t, "plain/echo", all[1].Route, "the newest first")
	require.NotContains(t, text, "529.982")

	// Only the last are kept.
	w.raw(request("POST /p/hello", "word=x", form, id("four")))
	all, _ = w.traced("one")
	require.Len(t, all, 1)
	all, text = w.traced("nobody")
	require.Empty(t, all)
	require.JSONEq(t, `{"status":"no request of this id is among the last"}`, text)

	code, _ := get(w.server.Admin("sesame"), "/-/requests/one", "")
	require.Equal(t, 401, code)
}

func TestNoTraces(t *testing.T) {
	w := start(t, changed(t, "gateway.yaml", "gateway:\n", "gateway:\n  traces: 0\n"))
	require.Equal(t, 200, w.raw(request("POST /p/echo", "word=x", form, "X-Request-Id: one"))[0].status)
	all, _ := w.traced("one")
	require.Empty(t, all)
}

// A request is kept without allocating, whatever its steps.
func TestTracesAllocateNothing(t *testing.T) {
	traces := newTraces(10)
	x := &arrival{}
	line := &observe.Line{ID: "some-id", Method: "POST", Route: "plain/x", Outcome: "ok"}
	plan, step := &mapping.Plan{Name: "plain/x"}, &mapping.Step{Name: "s"}
	request := func() {
		x.trace = nil
		w := x.watched(traces.take())
		for range mostSteps + 3 {
			w.Settled(plan, step, flow.StepReport{State: contract.OK, Status: 200, Case: -1})
		}
		traces.keep(x, line)
	}
	for range 20 {
		request()
	}
	require.Zero(t, testing.AllocsPerRun(100, request))
	found := traces.find("some-id")
	require.Len(t, found, 10)
	require.Equal(t, mostSteps+3, found[0].n)
}

// However many are asked for, memory stays bounded.
func TestTracesAreBounded(t *testing.T) {
	require.Nil(t, newTraces(0))
	require.Less(t, len(newTraces(1<<30).ring), 16<<20/1000)
	require.Len(t, newTraces(1000).ring, 1000)
}

// Requests are kept and asked for at the same time.
func TestTracesSideBySide(t *testing.T) {
	traces := newTraces(5)
	step := &mapping.Step{Name: "s"}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			line := &observe.Line{ID: fmt.Sprint("id-", i), Method: "GET"}
			plan := &mapping.Plan{Name: line.ID}
			for range 200 {
				x := &arrival{}
				x.watched(traces.take()).Settled(plan, step, flow.StepReport{})
				traces.keep(x, line)
				for _, found := range traces.find(line.ID) {
					if found.steps[0].plan != plan {
						t.Error("the step of another request")
					}
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkTrace is a request with one step, kept and not kept.
func BenchmarkTrace(b *testing.B) {
	for name, kept := range map[string]int{"kept": 1000, "not kept": 0} {
		b.Run(name, func(b *testing.B) {
			m := observe.NewMetrics("test")
			v := NewServer(openBench(b, m), m, slog.New(slog.DiscardHandler))
			v.traces = newTraces(kept)
			v.app.Load().traces = v.traces
			benchHandle(b, v, request("POST /p/elsewhere", "word=x", form, "X-Request-Id: abc"), 503)
		})
	}
}
