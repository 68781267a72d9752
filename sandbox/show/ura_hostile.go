package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The measures of ura-4. The gateway runs with the memory limit that deploy/
// gives it, and may never be larger than what deploy/ lets it have.
const (
	hostileTime    = 6 * time.Second // of one scene
	hostileRSS     = 512 << 20
	hostileMemory  = "GOMEMLIMIT=400MiB"
	hostileSlow    = 3000  // clients that send a byte at a time
	hostileIdle    = 10000 // connections that nobody uses
	hostileCallers = 96    // who ask for the backend that misbehaves
	hostileP99     = 400 * time.Millisecond
	hostileFiles   = hostileIdle + 2000
)

// hostile is ura-4 under way.
type hostile struct {
	options
	r       *report
	s       *soak // its searches, with their right answers
	erp     *backend
	bad     *badBackend
	world   string
	calmP99 time.Duration
}

// showHostile lets clients and a backend misbehave in every way at once known,
// while others look customers up.
func showHostile(o options, r *report) error {
	if err := raiseFiles(hostileFiles); err != nil {
		return err
	}
	h := &hostile{options: o, r: r}
	var err error
	if h.erp, err = startBackend(o, "127.0.0.1:0"); err != nil {
		return err
	}
	defer h.erp.kill()
	if h.bad, err = startBadBackend(); err != nil {
		return err
	}
	defer h.bad.stop()
	for _, part := range []struct {
		limits string
		scenes []scene
	}{
		{"", append([]scene{{name: "nobody misbehaves"}}, slices.Concat(clientScenes(), backendScenes())...)},
		{"  connections: 12000\n", []scene{{name: fmt.Sprintf("%d idle connections, all of them held (limits.connections: 12000)", hostileIdle), load: (*hostile).idle}}},
	} {
		if err := h.play(part.limits, part.scenes); err != nil {
			return err
		}
	}
	return nil
}

// raiseFiles lets this process have so many files open; what it starts inherits it.
func raiseFiles(want uint64) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	if l.Cur >= want {
		return nil
	}
	if l.Max < want {
		return fmt.Errorf("%d files may be open, %d are needed: raise the hard limit (ulimit -Hn)", l.Max, want)
	}
	l.Cur = l.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}

// scene is one way of misbehaving.
type scene struct {
	name string
	load func(*hostile, context.Context, *gateway) *misdeeds // nil: nobody misbehaves
}

// misdeeds are those who misbehave: ready is closed when all have begun.
type misdeeds struct {
	running sync.WaitGroup
	ready   chan struct{}
	figures func() string
	judge   func() // called when they have ended
}

// play starts a gateway and plays scenes.
func (h *hostile) play(limits string, scenes []scene) error {
	if !slices.ContainsFunc(scenes, func(s scene) bool { return strings.Contains(s.name, h.options.scene) }) {
		return nil
	}
	if err := h.build(limits); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(h.world) }()
	g, err := startReplica(h.options, h.erp.url, []string{"TORTO_URL=" + h.bad.url(), hostileMemory}, "--config", filepath.Join(h.world, "gateway.yaml"))
	if err != nil {
		return err
	}
	defer g.close()
	h.r.begin("the right answers")
	h.s = &soak{r: h.r, t: newTally(h.r), g: g, erp: h.erp}
	if err := h.s.prepare(); err != nil {
		return err
	}
	for _, s := range scenes {
		if !strings.Contains(s.name, h.options.scene) {
			continue
		}
		if err := h.scene(g, s); err != nil {
			return err
		}
	}
	return nil
}

// build writes the shipped configuration, with one backend more and a route that asks it.
func (h *hostile) build(limits string) error {
	var err error
	if h.world, err = os.MkdirTemp("", "emenda-show-"); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(h.root, "gateway.yaml"))
	if err != nil {
		return err
	}
	// Its breaker is out of the way: it would end each scene after five calls.
	changed := strings.Replace(string(text), "\ncallers:\n", "  torto: { url: \"${env:TORTO_URL}\", timeout: 3s, breaker: { failures: 1000000 } }\n\ncallers:\n", 1)
	if limits != "" {
		changed = strings.Replace(changed, "  connections: 4096\n", limits, 1)
	}
	if !strings.Contains(changed, "torto") || limits != "" && !strings.Contains(changed, limits) {
		return errors.New("gateway.yaml has no callers: or no limits.connections")
	}
	if err := os.CopyFS(filepath.Join(h.world, "mappings"), os.DirFS(filepath.Join(h.root, "mappings"))); err != nil {
		return err
	}
	for name, text := range map[string]string{"gateway.yaml": changed, "mappings/ura/torto.yaml": crookedMapping} {
		if err := os.WriteFile(filepath.Join(h.world, name), []byte(text), fs.FileMode(0o600)); err != nil {
			return err
		}
	}
	return nil
}

// crookedMapping asks the backend that misbehaves, in the way the caller names.
const crookedMapping = `emenda: 1
summary: Asks a backend that misbehaves
route: { path: torto, dialect: ura, timeout: 7s }
input:
  how: { type: string, required: true }
steps:
  told:
    request: { backend: torto, method: GET, path: "/{how}", answer: json }
    with: { how: "${input.how}" }
reply:
  - json: { told: "${told}" }
`

// scene lets them misbehave while others ask, and judges how those were served.
func (h *hostile) scene(g *gateway, s scene) error {
	h.r.begin("%s", s.name)
	before, err := h.reading(g)
	if err != nil {
		return err
	}
	most := watchMost(g.cmd.Process.Pid)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var bad *misdeeds
	if s.load != nil {
		bad = s.load(h, ctx, g)
		<-bad.ready
	}
	o := h.ask(g, hostileTime)
	during, err := h.reading(g)
	cancel()
	if bad != nil {
		bad.running.Wait()
	}
	peak := most()
	if err != nil {
		return err
	}
	h.judge(o, s.load == nil)
	h.r.check(peak < hostileRSS, "%d MB resident, deploy/ lets it have %d MB", peak>>20, hostileRSS>>20)
	if bad != nil {
		h.r.notef("%s", bad.figures())
		bad.judge()
	}
	after, err := h.settled(g, before.goroutines)
	if err != nil {
		return err
	}
	h.r.check(after.goroutines <= before.goroutines+4, "%.0f goroutines before, %.0f after", before.goroutines, after.goroutines)
	h.r.notef("resident %d MB before, %d MB at most, %d MB after; goroutines %.0f, %.0f, %.0f",
		before.resident>>20, peak>>20, after.resident>>20, before.goroutines, during.goroutines, after.goroutines)
	select {
	case <-g.ended:
		h.r.check(false, "the gateway ended by itself")
	default:
	}
	return nil
}

// footprint is how large the gateway is.
type footprint struct {
	resident   int64
	goroutines float64
}

func (h *hostile) reading(g *gateway) (f footprint, err error) {
	if f.resident, err = resident(g.cmd.Process.Pid); err != nil {
		return f, err
	}
	f.goroutines, err = g.metric("go_goroutines")
	return f, err
}

// settled waits for the goroutines of a scene to go; the server keeps those of
// closed connections for a while.
func (h *hostile) settled(g *gateway, before float64) (f footprint, err error) {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if f, err = h.reading(g); err != nil || f.goroutines <= before+4 || time.Now().After(deadline) {
			return f, err
		}
	}
}

// watchMost reads a process's resident memory until the function it gives is
// called, which tells the most it saw.
func watchMost(pid int) (stop func() int64) {
	done, most := make(chan struct{}), make(chan int64)
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		var seen int64
		for {
			select {
			case <-done:
				most <- seen
				return
			case <-tick.C:
				if n, err := resident(pid); err == nil {
					seen = max(seen, n)
				}
			}
		}
	}()
	return func() int64 {
		close(done)
		return <-most
	}
}

// judge says how the others were served.
func (h *hostile) judge(o *others, calm bool) {
	p50, p99 := o.quantile(0.5), o.quantile(0.99)
	h.r.check(o.wrong.Load() == 0 && o.served() > 200, "%d served, %d not", o.served(), o.wrong.Load())
	if calm {
		h.calmP99 = p99
	}
	bound := max(hostileP99, 5*h.calmP99)
	h.r.check(p99 < bound, "p99 %s, the bound is %s", p99, bound)
	h.r.notef("the others: %d served (%d on a connection of their own), %d not, p50 %s, p99 %s", o.served(), o.fresh.Load(), o.wrong.Load(),
		p50.Round(10*time.Microsecond), p99.Round(10*time.Microsecond))
}
