package observe

import "github.com/prometheus/client_golang/prometheus"

// storeMetrics are what the store tells.
type storeMetrics struct {
	up       prometheus.Gauge
	repeats  *prometheus.CounterVec
	claims   *prometheus.CounterVec
	unknowns *prometheus.CounterVec
}

func newStoreMetrics(r *prometheus.Registry) storeMetrics {
	m := storeMetrics{
		up: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "emenda_store_up", Help: "1 while what requests and replicas share can be kept; 0: what must not happen twice is refused.",
		}),
		repeats: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emenda_repeats_total",
			Help: "Requests of routes with repeat, by route and what was found (first, recovered, replayed, joined, differs, timed_out).",
		}, []string{"route", "found"}),
		claims: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emenda_claims_total", Help: "Claims, by memory and result (granted, refused, returned).",
		}, []string{"memory", "result"}),
		unknowns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emenda_unknown_calls_total", Help: "Calls that change something whose answer was lost, by route and operation.",
		}, []string{"route", "operation"}),
	}
	r.MustRegister(m.up, m.repeats, m.claims, m.unknowns)
	return m
}

// StoreUp sets whether what has to be kept can be. Without metrics it does nothing.
func (m *Metrics) StoreUp(up bool) {
	if m == nil {
		return
	}
	m.store.up.Set(map[bool]float64{true: 1}[up])
}

// Waiting registers how many unknown calls wait for somebody to look at them;
// count is asked at every scrape. Without metrics it does nothing.
func (m *Metrics) Waiting(count func() int) {
	if m == nil {
		return
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "emenda_unknown_calls_waiting", Help: "Calls that nobody knows the end of and nobody has looked at (emenda unknowns).",
	}, func() float64 { return float64(count()) }))
}

// Repeated counts a request of a route with repeat. Without metrics it does nothing.
func (m *Metrics) Repeated(route, found string) {
	if m != nil {
		m.store.repeats.WithLabelValues(route, found).Inc()
	}
}

// Claimed counts a claim. Without metrics it does nothing.
func (m *Metrics) Claimed(memory, result string) {
	if m != nil {
		m.store.claims.WithLabelValues(memory, result).Inc()
	}
}

// Unknown counts a call whose answer was lost. Without metrics it does nothing.
func (m *Metrics) Unknown(route, operation string) {
	if m != nil {
		m.store.unknowns.WithLabelValues(route, operation).Inc()
	}
}
