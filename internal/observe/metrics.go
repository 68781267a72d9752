// Package observe is what the engineer on call sees: metrics, one log line a
// request, request ids, and the masking that keeps personal data out of all of them.
package observe

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is the gateway's registry. Its children (Route, Operation) are
// resolved when a configuration is loaded, never during a request.
type Metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	inFlight  atomic.Int64
	calls     *prometheus.CounterVec
	callTimes *prometheus.HistogramVec
	breaker   *prometheus.GaugeVec
	shed      *prometheus.CounterVec
	tokens    *prometheus.CounterVec
	templates *prometheus.CounterVec
	limited   *prometheus.CounterVec
	store     storeMetrics
	loaded    configuration

	connections connections
}

// buckets reach from an answer out of memory to the longest time a caller is known to wait.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// NewMetrics gives a registry of its own, with the Go runtime's and the
// process's metrics; version is the gateway's.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emenda_requests_total",
			Help: "Requests answered, by route, caller (empty: not signed in) and outcome (ok, or the kind of the dialect's error).",
		}, []string{"route", "caller", "outcome"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "emenda_request_duration_seconds", Help: "Time from a request read to its answer made, by route.", Buckets: buckets,
		}, []string{"route"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emenda_backend_calls_total",
			Help: "Attempts of calls, by backend, operation, state (ok, refused, failed, unknown) and class of error.",
		}, []string{"backend", "operation", "state", "class"}),
		callTimes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "emenda_backend_call_duration_seconds", Help: "Time of one attempt, by backend and operation.", Buckets: buckets,
		}, []string{"backend", "operation"}),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "emenda_backend_breaker_state", Help: "1 for the state (closed, half_open, open) a backend's circuit breaker is in.",
		}, []string{"backend", "state"}),
		shed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emenda_backend_shed_total", Help: "Calls not made because every connection to the backend is busy and too many wait for one, by backend.",
		}, []string{"backend"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emenda_token_fetches_total", Help: "Fetches of a backend's token, by backend, how (obtain, renew) and result (ok, failed).",
		}, []string{"backend", "how", "result"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emenda_limited_total",
			Help: "Requests answered limited, by what limited them (address, caller: wrong sign-ins; rate) and the caller they were for (empty: nobody's).",
		}, []string{"by", "caller"}),
		templates: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emenda_template_failures_total", Help: "Expressions that failed while a request was answered, by mapping file and line.",
		}, []string{"mapping", "line"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "emenda_build_info", Help: "1, labelled with the gateway's version.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	inFlight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "emenda_requests_in_flight", Help: "Requests being answered now.",
	}, func() float64 { return float64(m.inFlight.Load()) })
	m.store = newStoreMetrics(m.registry)
	m.loaded = newConfiguration(m.registry)
	m.connections = newConnections(m.registry)
	m.registry.MustRegister(m.requests, m.durations, inFlight, m.calls, m.callTimes, m.breaker, m.shed, m.tokens, m.limited, m.templates, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the registry in Prometheus' formats.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Route is one route's counters.
type Route struct {
	m        *Metrics
	name     string
	duration prometheus.Observer
	last     atomic.Pointer[counted] // most requests are like the last one
	mu       sync.RWMutex
	counters map[[2]string]*counted
}

// counted counts the requests of one caller with one outcome.
type counted struct {
	caller, outcome string
	prometheus.Counter
}

// Route gives the counters of the route called name; a route that is loaded again goes on counting.
func (m *Metrics) Route(name string) *Route {
	return &Route{m: m, name: name, duration: m.durations.WithLabelValues(name), counters: map[[2]string]*counted{}}
}

// Begin counts a request under way; Done of a route ends it.
func (m *Metrics) Begin() { m.inFlight.Add(1) }

// Done counts a request answered: caller is a configured name or empty, outcome one of a closed list.
func (r *Route) Done(caller, outcome string, took time.Duration) {
	r.m.inFlight.Add(-1)
	r.duration.Observe(took.Seconds())
	if c := r.last.Load(); c != nil && c.caller == caller && c.outcome == outcome {
		c.Inc()
		return
	}
	key := [2]string{caller, outcome}
	r.mu.RLock()
	c := r.counters[key]
	r.mu.RUnlock()
	if c == nil {
		c = &counted{caller, outcome, r.m.requests.WithLabelValues(r.name, caller, outcome)}
		r.mu.Lock()
		r.counters[key] = c
		r.mu.Unlock()
	}
	r.last.Store(c)
	c.Inc()
}

// Operation is one backend operation's counters.
type Operation struct {
	m             *Metrics
	backend, name string
	duration      prometheus.Observer
	ok            prometheus.Counter
}

// Operation gives the counters of an operation of a backend.
func (m *Metrics) Operation(backend, name string) *Operation {
	return &Operation{m: m, backend: backend, name: name,
		duration: m.callTimes.WithLabelValues(backend, name),
		ok:       m.calls.WithLabelValues(backend, name, "ok", "")}
}

// Called counts one attempt, by its state and class of error.
func (o *Operation) Called(state, class string, took time.Duration) {
	o.duration.Observe(took.Seconds())
	if state == "ok" {
		o.ok.Inc()
		return
	}
	o.m.calls.WithLabelValues(o.backend, o.name, state, class).Inc()
}

// Breaker sets the state a backend's circuit breaker is in: closed, half_open or open.
func (m *Metrics) Breaker(backend, state string) {
	for _, s := range [...]string{"closed", "half_open", "open"} {
		v := 0.0
		if s == state {
			v = 1
		}
		m.breaker.WithLabelValues(backend, s).Set(v)
	}
}

// Shed counts a call that was not made for lack of a connection.
func (m *Metrics) Shed(backend string) { m.shed.WithLabelValues(backend).Inc() }

// Token counts a fetch of a backend's token; how is obtain or renew.
func (m *Metrics) Token(backend, how string, ok bool) {
	result := "ok"
	if !ok {
		result = "failed"
	}
	m.tokens.WithLabelValues(backend, how, result).Inc()
}

// TemplateFailed counts an expression that failed, by where it stands.
func (m *Metrics) TemplateFailed(mapping, line string) {
	m.templates.WithLabelValues(mapping, line).Inc()
}

// Limited counts a request that has to wait, by what limited it. Without metrics it does nothing.
func (m *Metrics) Limited(by, caller string) {
	if m != nil {
		m.limited.WithLabelValues(by, caller).Inc()
	}
}
