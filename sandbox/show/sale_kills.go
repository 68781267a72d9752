package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/sandbox"
)

const (
	killedSales = 300
	killedTimes = 30
	// killedPatience is how long a sale may take to be taken, and all to end after the last kill.
	killedPatience = 2 * time.Minute
)

// showSaleKills sells while gateways are killed, first with orders in SQLite, then in PostgreSQL.
func showSaleKills(o options, r *report) error {
	seed := o.seed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	r.printf("      seed %d, %s", seed, hurriedTimes)
	if strings.Contains("sqlite", o.scene) {
		if err := killedOn(o, r, seed, nil); err != nil {
			return err
		}
	}
	if !strings.Contains("postgresql", o.scene) {
		return nil
	}
	pg, err := startPostgres()
	if err != nil {
		return err
	}
	defer pg.close()
	return killedOn(o, r, seed, pg)
}

// killing is one run.
type killing struct {
	*saleWorld
	r       *report
	chance  *rand.Rand
	box     *sandbox.Sandbox
	counter *counter
	sales   []*killedSale
	kills   int
	ready   time.Duration     // until a killed gateway served again, the longest
	logs    map[*process]bool // of every process that there was
	selling sync.WaitGroup
	mu      sync.Mutex
	failed  []error
}

func killedOn(o options, r *report, seed uint64, pg *postgres) error {
	box, err := sandbox.Start(sandbox.Options{MVNO: sandbox.MVNOOptions{PortStep: 200 * time.Millisecond}})
	if err != nil {
		return err
	}
	defer func() { _ = box.Close(context.Background()) }()
	name, replicas, database := "SQLite, one gateway", 1, ""
	if pg != nil {
		name, replicas, database = "PostgreSQL, two gateways", 2, pg.URL()
	}
	w, err := startSales(o, replicas, box.URL(), database, hurried)
	if err != nil {
		return err
	}
	defer w.close()
	all, err := readSales(o.root)
	if err != nil {
		return err
	}
	k := &killing{saleWorld: w, r: r, box: box, chance: rand.New(rand.NewPCG(seed, uint64(replicas))), counter: newCounter(), logs: map[*process]bool{}}
	if k.sales, err = planSales(all, k.chance, 10_000*replicas, o.scaled(killedSales)); err != nil {
		return err
	}
	k.kills = max(3, o.scaled(killedTimes))
	r.begin("%s: %d sales, each sent twice, %d times kill -9", name, len(k.sales), k.kills)
	begun := time.Now()
	if pg == nil {
		err = k.killAlone()
	} else {
		err = k.killReplicas(pg)
	}
	if err != nil {
		return err
	}
	k.selling.Wait()
	for _, err := range k.failed {
		r.check(false, "%v", err)
	}
	k.settle()
	r.notef("%s in all, a killed gateway served again within %s", time.Since(begun).Round(time.Second), k.ready.Round(10*time.Millisecond))
	return k.judge()
}

// release sells the sales from a place on, a part of them.
func (k *killing) release(part, parts int) {
	n := len(k.sales)
	for _, s := range k.sales[n*part/parts : n*(part+1)/parts] {
		for _, f := range s.faults {
			k.box.Fault(f)
		}
		k.selling.Go(func() {
			time.Sleep(time.Duration(rand.IntN(2000)) * time.Millisecond)
			if err := k.counter.sellAll(s, killedPatience); err != nil {
				k.mu.Lock()
				k.failed = append(k.failed, err)
				k.mu.Unlock()
			}
		})
	}
}

// pause waits for the moment of the next kill: often while it works, sometimes while
// it has only begun.
func (k *killing) pause() {
	longest := 2500
	if k.chance.IntN(6) == 0 {
		longest = 150
	}
	time.Sleep(time.Duration(k.chance.IntN(longest)) * time.Millisecond)
}

// murder kills a gateway and starts it again.
func (k *killing) murder(m *member) error {
	m.murder()
	k.logs[m.process] = true
	begun := time.Now()
	if err := m.start(); err != nil {
		return fmt.Errorf("after kill -9: %w", err)
	}
	k.ready = max(k.ready, time.Since(begun))
	return nil
}

// killAlone kills the one gateway.
func (k *killing) killAlone() error {
	m := k.all[0]
	k.counter.serve(m)
	for i := range k.kills {
		k.release(i, k.kills)
		k.pause()
		if err := k.murder(m); err != nil {
			return err
		}
		k.counter.serve(m)
	}
	return nil
}

// killReplicas kills one or the other of two gateways; then one for good, whereupon
// PostgreSQL is restarted while its orders are taken over; then new gateways
// take the place of the old one, which ends only when they serve.
func (k *killing) killReplicas(pg *postgres) error {
	live := k.all
	k.counter.serve(live...)
	forGood := k.kills * 2 / 3
	for i := range k.kills {
		k.release(i, k.kills)
		k.pause()
		at := k.chance.IntN(len(live))
		if i != forGood {
			if err := k.murder(live[at]); err != nil {
				return err
			}
			k.counter.serve(live...)
			continue
		}
		live[at].murder()
		left := live[1-at]
		k.counter.serve(left)
		time.Sleep(time.Duration(1200+k.chance.IntN(800)) * time.Millisecond) // about when it is taken over
		if err := pg.restart(); err != nil {
			return err
		}
		time.Sleep(4 * time.Second)
		var err error
		if live, err = k.roll(left); err != nil {
			return err
		}
	}
	return nil
}

// roll starts new gateways, and ends the old one in good order once they serve.
func (k *killing) roll(old *member) ([]*member, error) {
	var fresh []*member
	for range 2 {
		m, err := k.more()
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, m)
		k.counter.serve(append([]*member{old}, fresh...)...)
		time.Sleep(time.Second)
	}
	k.counter.serve(fresh...)
	_, _, err := old.terminate(30 * time.Second)
	k.r.check(err == nil, "the old gateway: %v", err)
	return fresh, nil
}

// settle waits until nothing but what is left to people goes on.
func (k *killing) settle() {
	begun := time.Now()
	var open []string
	var err error
	for time.Since(begun) < killedPatience {
		var page ordersPage
		if page, err = k.orders("open=true&limit=1000"); err == nil {
			open = open[:0]
			for _, d := range page.Orders {
				if d.State != "stuck" || !d.Asks {
					open = append(open, fmt.Sprintf("%s %s at %s for %q %s", d.ID, d.State, d.Step, d.WaitsFor, d.Trouble))
				}
			}
			if len(open) == 0 {
				break
			}
		}
		time.Sleep(300 * time.Millisecond)
	}
	k.r.check(err == nil, "the list of orders: %v", err)
	for _, one := range open {
		k.r.check(false, "not ended: %s", one)
		if id, _, _ := strings.Cut(one, " "); k.counter.one() != nil {
			text, _ := get(k.counter.one().admin + "/-/orders/" + id)
			k.r.printf("      %.6000s", text)
		}
	}
	time.Sleep(time.Second) // what the partner of a stuck order hears comes after it is stuck
}

// ordersPage is a page of the admin listener's list.
type ordersPage struct {
	Orders []struct {
		ID, State, Step, Trouble string
		WaitsFor                 string `json:"waits_for"`
		Asks                     bool
	}
	Next string
}

// orders asks a gateway that lives for a list.
func (k *killing) orders(query string) (page ordersPage, err error) {
	m := k.counter.one()
	if m == nil {
		return page, errors.New("no gateway lives")
	}
	text, err := get(m.admin + "/-/orders?" + query)
	if err != nil {
		return page, err
	}
	return page, json.Unmarshal([]byte(text), &page)
}
