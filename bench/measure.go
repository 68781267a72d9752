package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/emenda-gateway/emenda/bench/load"
)

// table is what was measured with one latency of the ERP.
type table struct {
	title       string
	to          string // what the ratios are to
	latency     time.Duration
	connections int
	rates       []int
	rows        []*row
}

// row is one server's figures, one of each round.
type row struct {
	name    string
	server  *server
	target  load.Target
	cpu     []float64         // µs a request, as fast as it answers
	speed   []float64         // requests a second, as fast as it answers
	paced   map[int][]float64 // rate: µs a request
	half    map[int][]float64 // rate: ms that half of all stay within
	most    map[int][]float64 // rate: ms that 99 of 100 stay within
	mallocs []float64         // objects a request
}

// measure measures every server in every round, one after the other, beginning
// with another one each round.
func measure(ctx context.Context, w *world, o options, progress io.Writer) ([]*table, error) {
	tables := []*table{
		{title: "The lookup, ERP of 0 ms, 64 connections", to: "by hand", connections: 64, rates: o.rates},
		{title: fmt.Sprintf("The lookup, ERP of %d ms, %d connections", o.erpLatency.Milliseconds(), o.crowd), to: "by hand", latency: o.erpLatency, connections: o.crowd, rates: o.rates},
		{title: "Passed on as it is, ERP of 0 ms, 64 connections", to: "bare Fiber", connections: 64, rates: o.rates},
	}
	for _, t := range tables[:2] {
		for _, s := range w.servers {
			t.rows = append(t.rows, newRow(s.name, s, s.target))
		}
	}
	tables[2].rows = w.passedOn()
	if o.onlyFloor {
		tables = []*table{tables[0], tables[2]}
	}
	for _, t := range tables {
		if err := w.take(t.latency); err != nil {
			return nil, err
		}
		for round := range o.rounds {
			fmt.Fprintf(progress, "%s, round %d of %d\n", t.title, round+1, o.rounds)
			for i := range t.rows {
				if ctx.Err() != nil { // told to stop: the servers have to end with us
					return nil, context.Cause(ctx)
				}
				if err := t.rows[(i+round)%len(t.rows)].measure(t, o); err != nil {
					return nil, err
				}
			}
		}
	}
	return tables, nil
}

func newRow(name string, s *server, t load.Target) *row {
	return &row{name: name, server: s, target: t, paced: map[int][]float64{}, half: map[int][]float64{}, most: map[int][]float64{}}
}

// measure is one round of one server.
func (r *row) measure(t *table, o options) error {
	c, err := load.Open(r.target, t.connections)
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	defer c.Close()
	if err := r.flatOut(c, t, o); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	for _, rate := range t.rates {
		before, err := r.server.cpu()
		if err != nil {
			return err
		}
		got, err := c.Paced(rate, time.Duration(o.seconds)*time.Second)
		if err != nil {
			return fmt.Errorf("%s at %d/s: %w", r.name, rate, err)
		}
		after, err := r.server.cpu()
		if err != nil {
			return err
		}
		r.paced[rate] = append(r.paced[rate], float64((after-before).Microseconds())/float64(got.Requests))
		r.half[rate] = append(r.half[rate], ms(got.Latency.Quantile(0.5)))
		r.most[rate] = append(r.most[rate], ms(got.Latency.Quantile(0.99)))
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// flatOut measures what a request costs: every connection asks again at once.
func (r *row) flatOut(c *load.Crowd, t *table, o options) error {
	if _, err := c.Closed(max(2*t.connections, o.requests/10)); err != nil { // connections to the ERP are made, pools fill
		return err
	}
	var allocated [3]float64
	if r.server.admin != "" {
		for i := range 2 {
			var err error
			if allocated[i], err = r.server.mallocs(); err != nil {
				return err
			}
		}
	}
	before, err := r.server.cpu()
	if err != nil {
		return err
	}
	got, err := c.Closed(o.requests)
	if err != nil {
		return err
	}
	after, err := r.server.cpu()
	if err != nil {
		return err
	}
	n := float64(got.Requests)
	r.cpu = append(r.cpu, float64((after-before).Microseconds())/n)
	r.speed = append(r.speed, n/got.Took.Seconds())
	if r.server.admin != "" {
		if allocated[2], err = r.server.mallocs(); err != nil {
			return err
		}
		reading := allocated[1] - allocated[0]
		r.mallocs = append(r.mallocs, (allocated[2]-allocated[1]-reading)/n)
	}
	return nil
}

// median of figures; of an even number the lower one.
func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)/2]
}

// ratio is the median of the ratios of two servers' figures, round by round.
func ratio(of, to []float64) float64 {
	each := make([]float64, len(of))
	for i := range of {
		each[i] = of[i] / to[i]
	}
	return median(each)
}
