package observe

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// configuration are the metrics of what serves, and of how reloads went.
type configuration struct {
	hash      prometheus.Gauge
	info      *prometheus.GaugeVec
	good      prometheus.Gauge
	goodSince prometheus.Gauge
	reloads   *prometheus.CounterVec
	closed    *prometheus.GaugeVec
	shown     string // the hash that info shows
}

func newConfiguration(r *prometheus.Registry) configuration {
	c := configuration{
		hash: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "emenda_config_hash", Help: "Hash of the configuration that serves (gateway.yaml and mappings), as a number: replicas that differ serve different files.",
		}),
		info: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "emenda_config_info", Help: "1, labelled with the hash of the configuration that serves, as /readyz shows it.",
		}, []string{"hash"}),
		good: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "emenda_config_last_reload_successful", Help: "1 when the files on disk serve, or were found unchanged; 0 when they were refused and an older configuration serves.",
		}),
		goodSince: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "emenda_config_last_reload_success_timestamp_seconds", Help: "When the files on disk were last found good.",
		}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emenda_config_reloads_total", Help: "Reloads since the start, by result (reloaded, unchanged, refused).",
		}, []string{"result"}),
	}
	c.closed = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "emenda_maintenance", Help: "1 for each backend and dialect that is under maintenance by gateway.yaml's word.",
	}, []string{"kind", "name"})
	for _, result := range [...]string{"reloaded", "unchanged", "refused"} {
		c.reloads.WithLabelValues(result)
	}
	r.MustRegister(c.hash, c.info, c.good, c.goodSince, c.reloads, c.closed)
	return c
}

// Configuration sets the hash of what serves: hexadecimal digits, of which the
// first twelve make the number. It is called by one goroutine at a time.
// Without metrics it does nothing.
func (m *Metrics) Configuration(hash string) {
	if m == nil {
		return
	}
	c := &m.loaded
	if n, err := strconv.ParseUint(hash[:min(len(hash), 12)], 16, 64); err == nil {
		c.hash.Set(float64(n)) // 48 bits, which a float holds exactly
	}
	c.info.WithLabelValues(hash).Set(1)
	if c.shown != "" && c.shown != hash {
		c.info.DeleteLabelValues(c.shown)
	}
	c.shown = hash
}

// Reload counts a reload: reloaded, unchanged or refused. Without metrics it does nothing.
func (m *Metrics) Reload(result string) {
	if m != nil {
		m.loaded.reloads.WithLabelValues(result).Inc()
	}
}

// ReloadSucceeded says that the files on disk were found good. Without metrics it does nothing.
func (m *Metrics) ReloadSucceeded(at time.Time) {
	if m != nil {
		m.loaded.good.Set(1)
		m.loaded.goodSince.Set(float64(at.UnixMilli()) / 1000)
	}
}

// ReloadFailed says that the files on disk were refused. Without metrics it does nothing.
func (m *Metrics) ReloadFailed() {
	if m != nil {
		m.loaded.good.Set(0)
	}
}

// NothingUnderMaintenance forgets what was under maintenance. Without metrics it does nothing.
func (m *Metrics) NothingUnderMaintenance() {
	if m != nil {
		m.loaded.closed.Reset()
	}
}

// UnderMaintenance says that a backend or dialect is under maintenance. Without metrics it does nothing.
func (m *Metrics) UnderMaintenance(kind, name string) {
	if m != nil {
		m.loaded.closed.WithLabelValues(kind, name).Set(1)
	}
}
