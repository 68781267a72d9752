package order

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Count is how many orders of a route are in a state.
type Count struct {
	Route string
	State State
	N     int
}

// Counts are what is to be watched of the orders of all replicas that have not ended.
type Counts struct {
	Open      []Count   // stuck ones too, by route and state
	Ended     []Count   // in this process, since it began
	Oldest    time.Time // start of the oldest that is not over; zero: none
	Waiting   int       // for an event, a time or a person
	Asking    int       // of these for a person
	Troubled  int       // those the engine cannot go on with now
	Elsewhere int       // those begun under another version, which this program leaves to that one
}

// Counts counts.
func (e *Engine) Counts(ctx context.Context) (c Counts, err error) {
	err = e.db.rows(ctx, e.db, `SELECT route, state, COUNT(*), SUM(asks), SUM(CASE WHEN trouble <> '' THEN 1 ELSE 0 END),
			SUM(CASE WHEN version <> $1 THEN 1 ELSE 0 END), MIN(started)
		FROM @orders WHERE ended = 0 GROUP BY route, state ORDER BY route, state`, []any{e.options.Version}, func(r *sql.Rows) error {
		var one Count
		var state string
		var asks, trouble, elsewhere int
		var oldest int64
		if err := r.Scan(&one.Route, &state, &one.N, &asks, &trouble, &elsewhere, &oldest); err != nil {
			return err
		}
		one.State = State(state)
		c.Open = append(c.Open, one)
		c.Asking += asks
		c.Troubled += trouble
		c.Elsewhere += elsewhere
		if one.State == Waiting || one.State == Held {
			c.Waiting += one.N
		}
		if one.State != Stuck && (c.Oldest.IsZero() || when(oldest).Before(c.Oldest)) {
			c.Oldest = when(oldest)
		}
		return nil
	})
	if err != nil {
		return c, down(err)
	}
	e.runs.mu.Lock()
	defer e.runs.mu.Unlock()
	for _, k := range slices.SortedFunc(maps.Keys(e.runs.ends), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		c.Ended = append(c.Ended, Count{k[0], State(k[1]), e.runs.ends[k]})
	}
	return c, nil
}

// countsFresh is how long counts are told again without counting.
const countsFresh = 5 * time.Second

// collector tells the counts as metrics.
type collector struct {
	e    *Engine
	mu   sync.Mutex
	last Counts
	at   time.Time
}

var (
	openMetric      = prometheus.NewDesc("emenda_orders", "Orders that have not ended, of all replicas.", []string{"route", "state"}, nil)
	endedMetric     = prometheus.NewDesc("emenda_orders_ended_total", "Orders that ended in this process.", []string{"route", "state"}, nil)
	oldestMetric    = prometheus.NewDesc("emenda_orders_oldest_seconds", "Age of the oldest order that is not over.", nil, nil)
	waitingMetric   = prometheus.NewDesc("emenda_orders_waiting", "Orders that wait for an event, a time or a person.", nil, nil)
	askingMetric    = prometheus.NewDesc("emenda_orders_asking", "Orders that wait for a person's decision.", nil, nil)
	troubledMetric  = prometheus.NewDesc("emenda_orders_troubled", "Orders the engine cannot go on with now.", nil, nil)
	elsewhereMetric = prometheus.NewDesc("emenda_orders_of_other_versions", "Orders that only a program of another version goes on with.", nil, nil)
	upMetric        = prometheus.NewDesc("emenda_orders_up", "Whether orders can be kept.", nil, nil)
)

// Collector gives what tells Counts and Health as metrics.
func (e *Engine) Collector() prometheus.Collector { return &collector{e: e} }

// Describe tells the metrics.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{openMetric, endedMetric, oldestMetric, waitingMetric, askingMetric, troubledMetric, elsewhereMetric, upMetric} {
		ch <- d
	}
}

// Collect counts, at most every few seconds.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(c.e.ctx, 2*time.Second)
	defer cancel()
	up := 1.0
	if c.e.Health(ctx) != nil {
		up = 0
	}
	gauge(upMetric, up)
	if time.Since(c.at) >= countsFresh {
		counts, err := c.e.Counts(ctx)
		if err != nil {
			return
		}
		c.last, c.at = counts, time.Now()
	}
	for _, one := range c.last.Open {
		gauge(openMetric, float64(one.N), one.Route, string(one.State))
	}
	for _, one := range c.last.Ended {
		ch <- prometheus.MustNewConstMetric(endedMetric, prometheus.CounterValue, float64(one.N), one.Route, string(one.State))
	}
	age := 0.0
	if !c.last.Oldest.IsZero() {
		age = c.e.now().Sub(c.last.Oldest).Seconds()
	}
	gauge(oldestMetric, age)
	gauge(waitingMetric, float64(c.last.Waiting))
	gauge(askingMetric, float64(c.last.Asking))
	gauge(troubledMetric, float64(c.last.Troubled))
	gauge(elsewhereMetric, float64(c.last.Elsewhere))
}
