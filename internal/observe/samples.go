package observe

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Sample is one value of a metric that is asked for when metrics are read.
type Sample struct {
	Name    string
	Help    string
	Counter bool // else a gauge
	Value   float64
	Labels  []Label // the same names for every sample of a name
}

// Label is a label of a sample. It holds nothing of people.
type Label struct{ Name, Value string }

// Ask has samples asked for whenever metrics are read. It may be called once for a name.
func (m *Metrics) Ask(samples func() []Sample) { m.registry.MustRegister(asked(samples)) }

// asked collects what is asked for.
type asked func() []Sample

// Describe says nothing beforehand: what there is depends on what is served.
func (asked) Describe(chan<- *prometheus.Desc) {}

// Collect asks.
func (a asked) Collect(ch chan<- prometheus.Metric) {
	for _, s := range a() {
		names, values := make([]string, len(s.Labels)), make([]string, len(s.Labels))
		for i, l := range s.Labels {
			names[i], values[i] = l.Name, l.Value
		}
		kind := prometheus.GaugeValue
		if s.Counter {
			kind = prometheus.CounterValue
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(s.Name, s.Help, slices.Clone(names), nil), kind, s.Value, values...)
	}
}
