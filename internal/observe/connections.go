package observe

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// connections are the metrics of clients' connections, and of certificates.
type connections struct {
	shed     prometheus.Counter
	broken   prometheus.Counter
	notAfter *prometheus.GaugeVec
}

func newConnections(r *prometheus.Registry) connections {
	c := connections{
		shed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "emenda_connections_shed_total", Help: "Connections of clients closed because there were as many as may be: those that had waited longest for a request.",
		}),
		broken: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "emenda_tls_handshake_errors_total", Help: "Connections of clients closed because the TLS handshake failed.",
		}),
		notAfter: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "emenda_tls_certificate_not_after_timestamp_seconds", Help: "When the first certificate of a chain that is shown expires, by who shows it: a listener to clients, or the gateway to a backend.",
		}, []string{"kind", "name"}),
	}
	r.MustRegister(c.shed, c.broken, c.notAfter)
	return c
}

// Connections registers how to count the connections of clients; count is asked
// at every scrape. Without metrics it does nothing.
func (m *Metrics) Connections(count func() int) {
	if m == nil {
		return
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "emenda_connections", Help: "Connections of clients that are open.",
	}, func() float64 { return float64(count()) }))
}

// ConnectionShed counts a connection that was closed for another. Without metrics it does nothing.
func (m *Metrics) ConnectionShed() {
	if m != nil {
		m.connections.shed.Inc()
	}
}

// HandshakeFailed counts a TLS handshake that failed. Without metrics it does nothing.
func (m *Metrics) HandshakeFailed() {
	if m != nil {
		m.connections.broken.Inc()
	}
}

// NoCertificates forgets which certificates are shown. Without metrics it does nothing.
func (m *Metrics) NoCertificates() {
	if m != nil {
		m.connections.notAfter.Reset()
	}
}

// Certificate says when a certificate expires: of a listener, or shown to a
// backend. Without metrics it does nothing.
func (m *Metrics) Certificate(kind, name string, notAfter time.Time) {
	if m != nil {
		m.connections.notAfter.WithLabelValues(kind, name).Set(float64(notAfter.Unix()))
	}
}
