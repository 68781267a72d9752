package observe

import "github.com/prometheus/client_golang/prometheus"

// connections are the metrics of clients' connections.
type connections struct {
	registry prometheus.Registerer
	shed     prometheus.Counter
}

func newConnections(r prometheus.Registerer) connections {
	c := connections{registry: r, shed: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "emenda_connections_shed_total", Help: "Connections of clients closed because there were as many as may be: those that had waited longest for a request.",
	})}
	r.MustRegister(c.shed)
	return c
}

// Connections says how to count the connections of clients. Without metrics it does nothing.
func (m *Metrics) Connections(count func() int) {
	if m == nil {
		return
	}
	m.connections.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "emenda_connections", Help: "Connections of clients that are open.",
	}, func() float64 { return float64(count()) }))
}

// ConnectionShed counts a connection that was closed for another. Without metrics it does nothing.
func (m *Metrics) ConnectionShed() {
	if m != nil {
		m.connections.shed.Inc()
	}
}
