package snapshot

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/maptest"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/store"
)

// Reloader keeps what serves as the files on disk say. It begins with them, or
// with the last good ones; at every change it reads, checks, tests and opens
// all of it anew and hands it over whole, or keeps what was and says why.
type Reloader struct {
	config  string
	env     config.Environment
	watcher *Watcher
	tests   testRun
	patient time.Duration // how long one who asks for a reload waits for the files to come to rest

	kept    *store.Store
	orders  Orders
	metrics *observe.Metrics
	log     *slog.Logger
	swap    func(*Snapshot)

	mu       sync.Mutex // one reload at a time
	loaded   *Loaded    // what serves
	settings *config.Resolved
	started  *config.Resolved
	good     *lastGood // what is kept, or will be
	report   atomic.Pointer[Report]
}

// Result is how a reload went.
type Result string

// The results. Started is that of the start.
const (
	Started   Result = "started"
	Reloaded  Result = "reloaded"
	Unchanged Result = "unchanged"
	Refused   Result = "refused"
)

// Report tells how the last reload, or the start, went.
type Report struct {
	Result        Result
	Trigger       string // what asked for it
	At            time.Time
	Took          time.Duration
	Configuration string    // the hash of what serves now
	Problems      diag.List // why it was refused; else warnings
	NeedsRestart  []string  // settings that say otherwise than the running process
	Tests         int       // how many ran
	LastGood      time.Time // when what serves was kept, if it is not what is on disk since the start; else zero
}

// keepsChanging is how long who asks for a reload waits for files to come to rest.
const keepsChanging = 5 * time.Second

func newReloader(configFile string, env config.Environment) *Reloader {
	return &Reloader{
		config: configFile, env: env, watcher: NewWatcher(configFile, env), patient: keepsChanging,
		tests: testRun{run: maptest.Run, soon: testsSoon, most: testsMost},
	}
}

// Settings are those the process starts with.
func (r *Reloader) Settings() *config.Resolved { return r.started }

// OpenStore opens what outlives all snapshots.
func (r *Reloader) OpenStore(metrics *observe.Metrics, log *slog.Logger) (*store.Store, error) {
	return r.loaded.OpenStore(r.started, metrics, log)
}

// Report tells how the last reload, or the start, went.
func (r *Reloader) Report() *Report { return r.report.Load() }

// Open opens what serves first. kept and orders outlive all snapshots: they are
// the caller's to close. Without orders, durable mappings do not work.
func (r *Reloader) Open(kept *store.Store, orders Orders, metrics *observe.Metrics, log *slog.Logger) (*Snapshot, error) {
	r.kept, r.orders, r.metrics, r.log = kept, orders, metrics, log
	s, err := r.loaded.OpenWith(orders, r.started, kept, metrics, log)
	if err != nil {
		return nil, err
	}
	r.tellStart(s)
	return s, nil
}

// Serve says where the snapshots of later reloads go.
func (r *Reloader) Serve(swap func(*Snapshot)) { r.swap = swap }

// Run keeps what serves as the last good configuration, and reloads whenever
// the files change, until ctx ends.
func (r *Reloader) Run(ctx context.Context) {
	r.mu.Lock()
	if r.good == nil {
		r.keep()
	}
	r.mu.Unlock()
	r.watcher.run(ctx,
		func(now look) { r.reload("watch", &now) },
		func() {
			r.log.Warn("the configuration's files keep changing; they are read when they have come to rest")
		})
}

// Reload reads the files anew; trigger says what asked for it. Reloads run one
// at a time: one that is under way is waited for.
func (r *Reloader) Reload(trigger string) Report { return r.reload(trigger, nil) }

// reload reloads the files as they looked at rest; at is nil when that is to be waited for.
func (r *Reloader) reload(trigger string, at *look) Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	began := time.Now()
	p := r.report.Load()
	next := Report{Trigger: trigger, At: began, LastGood: p.LastGood, NeedsRestart: p.NeedsRestart}
	r.try(&next, at)
	next.Configuration = r.loaded.Hash
	if next.Result != Refused {
		next.LastGood = time.Time{}
	}
	next.Took = time.Since(began)
	r.report.Store(&next)
	r.tell(&next)
	if next.Result == Reloaded {
		r.keep()
	}
	return next
}

// try reads, checks, tests, opens and swaps. Whatever goes wrong, what served goes on.
func (r *Reloader) try(next *Report, at *look) {
	next.Result = Refused
	defer func() {
		if recover() != nil {
			r.log.Error("panic while reloading", slog.String("stack", string(debug.Stack())))
			next.Problems.Errorf(diag.Span{}, "internal", "this program failed over the configuration")
		}
	}()
	a := r.read(at)
	next.Problems = a.problems
	if a.settings == nil {
		return
	}
	settings, needs := asStarted(a.settings, r.started)
	next.NeedsRestart = needs
	if a.loaded.Hash == r.loaded.Hash && sameSettings(a.settings, r.settings) {
		next.Result = Unchanged
		return
	}
	files := a.loaded.touched(r.loaded)
	failed, ran := r.tests.of(a.loaded, files, r.log)
	next.Tests = ran
	if len(failed) > 0 {
		next.Problems.Add(failed)
		next.Problems.Sort()
		r.markRefused(a.loaded.Hash)
		return
	}
	s, err := a.loaded.OpenWith(r.orders, settings, r.kept, r.metrics, r.log)
	if err != nil {
		next.Problems.Errorf(diag.Span{}, "open", "%v", err)
		return
	}
	r.tellLeftOut(s)
	r.swap(s)
	r.loaded, r.settings = a.loaded, a.settings
	next.Result = Reloaded
}

// attempt is what one reading of the files gave.
type attempt struct {
	at       look
	loaded   *Loaded
	settings *config.Resolved // nil when refused
	problems diag.List
}

// triesToRead bounds how often files are read again that changed meanwhile.
const triesToRead = 10

// read reads the files as they are between two looks that saw the same: else
// it may have been half of one state and half of the next. at is the first
// look; nil when the files' rest is to be waited for.
func (r *Reloader) read(at *look) (a attempt) {
	ctx, cancel := context.WithTimeout(context.Background(), r.patient)
	defer cancel()
	for range triesToRead {
		if at == nil {
			now, ok := r.watcher.atRest(ctx)
			if !ok {
				break
			}
			at = &now
		}
		a = attempt{at: *at}
		a.loaded, a.problems = Load(r.config)
		if a.loaded != nil {
			settings, list := a.loaded.Resolve(r.env)
			a.settings = settings
			a.problems.Add(list)
			a.problems.Sort()
		}
		if r.watcher.look() == a.at {
			r.watcher.saw(a.at)
			return a
		}
		at = nil
	}
	a = attempt{}
	a.problems.Errorf(diag.Span{}, "restless", "the configuration's files keep changing: nothing was read").
		Help = "ask again when they are written"
	return a
}

// keep writes what serves as the last good configuration.
func (r *Reloader) keep() {
	r.good = goodOf(r.config, r.loaded, time.Now())
	r.write()
}

// markRefused remembers files that were refused for their tests: a start runs none.
func (r *Reloader) markRefused(hash string) {
	if r.good != nil && r.good.Refused != hash {
		r.good.Refused = hash
		r.write()
	}
}

func (r *Reloader) write() {
	folder := r.loaded.DataFolder(r.started)
	if err := r.good.write(folder); err != nil {
		r.log.Warn("the last good configuration cannot be kept: a restart after a bad edit will not serve",
			slog.String("folder", folder), slog.String("error", err.Error()))
	}
}
