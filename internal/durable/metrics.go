package durable

import (
	"context"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/order"
)

// countsFresh is how long counts are told again without counting: several may read metrics.
const countsFresh = 5 * time.Second

// counted are the counts told last.
type counted struct {
	mu   sync.Mutex
	last order.Counts
	at   time.Time
}

// Samples tells how many orders there are, by route and state, how old the
// oldest is and what waits, and how schedules ran: none before a durable mapping
// or a schedule is served.
func (v *Orders) Samples() []observe.Sample {
	ctx, cancel := context.WithTimeout(v.ctx, 2*time.Second)
	defer cancel()
	kind, up := v.Health(ctx)
	if kind == "" {
		return nil
	}
	return append(SamplesOf(kind, up, v.counts(ctx), v.clock()), v.scheduleSamples(ctx)...)
}

// SamplesOf gives the samples of orders that are kept in a kind of database;
// without counts, whether it is up alone.
func SamplesOf(kind string, up bool, c *order.Counts, now time.Time) (all []observe.Sample) {
	gauge := func(name, help string, value float64, labels ...observe.Label) {
		all = append(all, observe.Sample{Name: name, Help: help, Value: value, Labels: labels})
	}
	one := 0.0
	if up {
		one = 1
	}
	gauge("emenda_orders_up", "Whether orders can be kept.", one, observe.Label{Name: "database", Value: kind})
	if c == nil {
		return all
	}
	labels := func(n order.Count) []observe.Label {
		return []observe.Label{{Name: "route", Value: n.Route}, {Name: "state", Value: string(n.State)}}
	}
	for _, n := range c.Open {
		gauge("emenda_orders", "Orders that have not ended, of all replicas.", float64(n.N), labels(n)...)
	}
	for _, n := range c.Ended {
		all = append(all, observe.Sample{Name: "emenda_orders_ended_total", Help: "Orders that ended in this process.", Counter: true, Value: float64(n.N), Labels: labels(n)})
	}
	age := 0.0
	if !c.Oldest.IsZero() {
		age = now.Sub(c.Oldest).Seconds()
	}
	gauge("emenda_orders_oldest_seconds", "Age of the oldest order that is not over.", age)
	gauge("emenda_orders_waiting", "Orders that wait for an event, a time or a person.", float64(c.Waiting))
	gauge("emenda_orders_asking", "Orders that wait for a person's decision.", float64(c.Asking))
	gauge("emenda_orders_troubled", "Orders that cannot go on now.", float64(c.Troubled))
	gauge("emenda_orders_of_other_versions", "Orders that only a program of another version goes on with.", float64(c.Elsewhere))
	return all
}

// counts counts, at most every few seconds; nil when it cannot.
func (v *Orders) counts(ctx context.Context) *order.Counts {
	e, err := v.Engine()
	if err != nil {
		return nil
	}
	k := &v.counted
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.at) >= countsFresh {
		c, err := e.Counts(ctx)
		if err != nil {
			return nil
		}
		k.last, k.at = c, time.Now()
	}
	last := k.last
	return &last
}

// scheduleSamples tells how schedules ran in this process, and when they last succeeded in any.
func (v *Orders) scheduleSamples(ctx context.Context) []observe.Sample {
	known, err := v.Schedules(ctx)
	if err != nil {
		known = &Schedules{}
	}
	return SamplesOfSchedules(known.Schedules, v.timed.runs())
}

// SamplesOfSchedules gives the samples of what is known of schedules, and of how
// often which run ended how in this process.
func SamplesOfSchedules(known []Schedule, runs map[Run]int) (all []observe.Sample) {
	for r, n := range runs {
		all = append(all, observe.Sample{
			Name: "emenda_schedule_runs_total", Help: "Runs of schedules in this process, by how they ended.", Counter: true, Value: float64(n),
			Labels: []observe.Label{{Name: "schedule", Value: r.Schedule}, {Name: "outcome", Value: r.Outcome}},
		})
	}
	for i := range known {
		s := &known[i]
		if s.LeftOut != "" {
			continue
		}
		of := []observe.Label{{Name: "schedule", Value: s.Name}}
		all = append(all, observe.Sample{Name: "emenda_schedule_periods_since_success", Help: "Times at which a schedule was due since its last run that was ok, in any replica.", Value: float64(s.Unwell), Labels: of})
		if s.Succeeded != nil {
			all = append(all, observe.Sample{
				Name: "emenda_schedule_last_success_timestamp_seconds", Help: "When the last run of a schedule that was ok ended, in any replica.", Value: float64(s.Succeeded.UnixMilli()) / 1000, Labels: of,
			})
		}
	}
	return all
}
