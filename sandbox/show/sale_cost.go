package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	costLines    = 300  // sales of a line, which wait for nothing, so many at once
	costAlone    = 40   // one at a time
	costWhole    = 100  // of everything
	costWaiting  = 2000 // sales that wait for their installation
	costAtOnce   = 32
	costIdle     = 30 * time.Second
	costPatience = 10 * time.Minute
	// costTicks is how many ticks of CPU time a second has (proc(5)): always 100 where Go runs.
	costTicks = 100
)

// showSaleCost measures what sales cost, with stand-ins in a process of their own.
func showSaleCost(o options, r *report) error {
	if strings.Contains("sqlite", o.scene) {
		if err := costOf(o, r, "SQLite", nil); err != nil {
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
	return costOf(o, r, "PostgreSQL", pg)
}

// costing measures one gateway.
type costing struct {
	*saleWorld
	g    *member
	r    *report
	all  *sellers
	name string
	next int // the next person
}

func costOf(o options, r *report, name string, pg *postgres) error {
	stand, box, err := sandboxProcess(o)
	if err != nil {
		return err
	}
	defer stand.kill()
	database := ""
	if pg != nil {
		database = pg.URL()
	}
	w, err := startSales(o, 1, box, database, nil)
	if err != nil {
		return err
	}
	defer w.close()
	if err := boxSet(box, "mvno", `{"portability_step":"1ms"}`); err != nil {
		return err
	}
	all, err := readSales(o.root)
	if err != nil {
		return err
	}
	c := &costing{saleWorld: w, g: w.all[0], r: r, all: all, name: name, next: 100_000}
	empty, err := c.idle("without a sale", 0, 0)
	if err != nil {
		return err
	}
	if err := c.lines(o.scaled(costAlone), 1); err != nil {
		return err
	}
	if err := c.lines(o.scaled(costLines), costAtOnce); err != nil {
		return err
	}
	if err := c.whole(o.scaled(costWhole)); err != nil {
		return err
	}
	return c.waiting(o.scaled(costWaiting), empty)
}

// sandboxProcess starts the stand-ins in a process of their own.
func sandboxProcess(o options) (*process, string, error) {
	p, err := begin(o.root, nil, o.bin, "sandbox", "--listen", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	box, err := p.wait(p.out, 20*time.Second, func(line string) (string, bool) {
		return strings.CutPrefix(line, "the stand-in ERP listens on ")
	})
	if err != nil {
		p.kill()
		return nil, "", err
	}
	return p, box, nil
}

// each does something for so many sales, so many at once, and gives how long it took.
func (c *costing) each(kind string, many, atOnce int, do func(s *sold) error) (time.Duration, error) {
	first := c.next
	c.next += many
	var at atomic.Int64
	var workers sync.WaitGroup
	failed := make(chan error, atOnce)
	begun := time.Now()
	for range atOnce {
		workers.Go(func() {
			for {
				i := int(at.Add(1)) - 1
				if i >= many {
					return
				}
				s, err := c.all.of(kind, first+i, nil)
				if err == nil {
					err = do(s)
				}
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	workers.Wait()
	close(failed)
	return time.Since(begun), <-failed
}

// lines sells lines, each until it is done.
func (c *costing) lines(many, atOnce int) error {
	c.r.begin("%s: %d sales of a line, %d at a time, from the request until done", c.name, many, atOnce)
	before, err := cpuOf(c.g.cmd.Process.Pid)
	if err != nil {
		return err
	}
	took, err := c.each(lineSale, many, atOnce, func(s *sold) error {
		a, err := saleAsk(context.Background(), http.MethodPost, "http://"+c.g.address+"/v1/vendas", partnerKey, s.body, "Prefer: wait=30")
		if err != nil {
			return err
		}
		var said struct{ Status string }
		if err := a.read(&said); err != nil || said.Status != "done" {
			return fmt.Errorf("a sale is not done: %s %w", a, err)
		}
		return nil
	})
	c.r.check(err == nil, "%v", err)
	after, err := cpuOf(c.g.cmd.Process.Pid)
	c.r.notef("%.1f sales a second, %.1f ms of CPU of the gateway for each", float64(many)/took.Seconds(), float64((after-before).Milliseconds())/float64(many))
	return err
}

// whole sells packages with everything, installed at once, until all are done.
func (c *costing) whole(many int) error {
	c.r.begin("%s: %d sales of a package with landline, television and two lines, one of which comes over, %d at a time", c.name, many, costAtOnce)
	begun := time.Now()
	_, err := c.each(wholeSale, many, costAtOnce, func(s *sold) error {
		id, err := c.g.sell(s.body, "")
		if err != nil {
			return err
		}
		return c.g.install(id)
	})
	if !c.r.check(err == nil, "%v", err) {
		return nil
	}
	err = c.until("no sale is open", func() (bool, error) {
		page, err := get(c.g.admin + "/-/orders?open=true&limit=1")
		return strings.Contains(page, `"orders":[]`), err
	})
	c.r.check(err == nil, "%v", err)
	c.r.notef("%.1f sales a second", float64(many)/time.Since(begun).Seconds())
	return nil
}

// until waits for something to hold.
func (c *costing) until(what string, holds func() (bool, error)) error {
	var err error
	for begun := time.Now(); time.Since(begun) < costPatience; time.Sleep(100 * time.Millisecond) {
		var is bool
		if is, err = holds(); err == nil && is {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("%s: not after %s", what, costPatience), err)
}

// idle measures what the gateway takes while nothing happens, and gives its memory.
func (c *costing) idle(what string, empty int64, orders int) (rss int64, err error) {
	c.r.begin("%s: %s, over %s", c.name, what, costIdle)
	before, err := cpuOf(c.g.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	time.Sleep(costIdle)
	after, err := cpuOf(c.g.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	rss, err = resident(c.g.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	share := 100 * (after - before).Seconds() / costIdle.Seconds()
	c.r.check(share < 25, "%.1f %% of a core for nothing", share)
	inUse, err := c.g.metric("go_memstats_heap_inuse_bytes")
	c.r.check(err == nil, "%v", err)
	c.r.notef("%.1f %% of a core, %d MB resident, %d MB of heap in use", share, rss>>20, int64(inUse)>>20)
	if orders > 0 && rss > empty {
		c.r.notef("%d kB for each sale above the empty gateway", (rss-empty)>>10/int64(orders))
	}
	return rss, nil
}

// waiting has sales wait for their installation, restarts the gateway with them, and has some go on.
func (c *costing) waiting(many int, empty int64) error {
	c.r.begin("%s: %d sales that wait for their installation", c.name, many)
	begun := time.Now()
	var mu sync.Mutex
	var ids []string
	_, err := c.each(fibreSale, many, costAtOnce, func(s *sold) error {
		id, err := c.g.sell(s.body, "")
		mu.Lock()
		defer mu.Unlock()
		ids = append(ids, id)
		return err
	})
	if !c.r.check(err == nil, "%v", err) {
		return nil
	}
	if err := c.until("all wait", func() (bool, error) { return c.waits(many) }); !c.r.check(err == nil, "%v", err) {
		return nil
	}
	took := time.Since(begun)
	c.r.notef("made and reserved in %s, %.1f a second", took.Round(time.Second), float64(many)/took.Seconds())
	if err := c.restart("first, so that nothing of the making is left", many); err != nil {
		return err
	}
	if _, err := c.idle(fmt.Sprintf("%d sales waiting", many), empty, many); err != nil {
		return err
	}
	if err := c.restart("again", many); err != nil {
		return err
	}
	some := ids[:min(len(ids), 100)]
	c.r.begin("%s: %d of them are installed", c.name, len(some))
	begun = time.Now()
	for _, id := range some {
		if err := c.g.install(id); err != nil {
			return err
		}
	}
	err = c.until("they are done", func() (bool, error) { return c.waits(many - len(some)) })
	c.r.check(err == nil, "%v", err)
	for _, id := range some {
		s, err := c.g.until(id, saleSoon, is("done"))
		c.r.check(err == nil, "%v %+v", err, s)
	}
	c.r.notef("done %s later", time.Since(begun).Round(100*time.Millisecond))
	return nil
}

// waits tells whether so many sales wait for an event.
func (c *costing) waits(many int) (bool, error) {
	page, err := get(c.g.admin + "/-/orders?state=accepted,running,undoing,held,stuck&limit=1")
	if err != nil || !strings.Contains(page, `"orders":[]`) {
		return false, err
	}
	n, err := c.count("state=waiting")
	return n == many, err
}

// count counts the orders of a list.
func (c *costing) count(query string) (n int, err error) {
	for next := ""; ; {
		text, err := get(c.g.admin + "/-/orders?limit=1000&" + query + "&cursor=" + next)
		if err != nil {
			return 0, err
		}
		var page ordersPage
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			return 0, err
		}
		n += len(page.Orders)
		if next = page.Next; next == "" {
			return n, nil
		}
	}
}

// restart ends the gateway in good order and starts it, and waits until it has
// brought every sale back to where it waits: it works no more, and holds a run for each.
func (c *costing) restart(which string, many int) error {
	c.r.begin("%s: restart with %d sales waiting, %s", c.name, many, which)
	_, ended, err := c.g.terminate(time.Minute)
	if !c.r.check(err == nil, "%v", err) {
		return err
	}
	begun := time.Now()
	if err := c.g.start(); err != nil {
		return err
	}
	served := time.Since(begun)
	var quiet time.Time
	for last := time.Duration(-1); time.Since(begun) < costPatience; {
		now, err := cpuOf(c.g.cmd.Process.Pid)
		if err != nil {
			return err
		}
		if last < 0 || now-last > 20*time.Millisecond { // more than a tenth of a core
			quiet = time.Now()
		}
		if last = now; time.Since(quiet) > time.Second {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	is, err := c.waits(many)
	c.r.check(err == nil && is, "not all wait: %v", err)
	c.r.notef("ended within %s, served after %s, worked until %s after the start", ended.Round(10*time.Millisecond), served.Round(10*time.Millisecond), quiet.Sub(begun).Round(100*time.Millisecond))
	return nil
}

// cpuOf gives how much CPU time a process has taken.
func cpuOf(pid int) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	return cpuIn(string(text))
}

// cpuIn reads utime and stime of /proc/PID/stat; the name in it may hold blanks and brackets.
func cpuIn(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/PID/stat is %q", stat)
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / costTicks, errors.Join(err1, err2)
}
