package flow

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// run is the state of one run of one plan. It is pooled; only the goroutine
// that runs the plan touches it.
type run struct {
	p       *mapping.Plan
	f       *expr.Frame
	env     *Env
	watch   *watch
	top     watch // what watch is where a mapping's own run is watched
	steps   []stepRun
	ready   []*task // prepared, not yet started
	idle    []*task // to be used again
	answers []*backend.Answer
	params  []jsonx.Value
	vars    []*expr.Template        // of the text template being rendered
	varAt   func(i int) jsonx.Value // reads vars; made once per run state
	done    chan *task              // where goroutines hand tasks back
	flying  int                     // tasks with goroutines
	dead    int                     // the step whose failure ended the run; -1 while none has
	instant bool                    // memory steps need no goroutine
	stop    func()                  // cancels reading calls under way; nil until there are some
}

// phase is how far a step is.
type phase uint8

const (
	waiting phase = iota // for other steps
	flying               // its call is under way
	looping              // an `each` under way
	settled
)

// stepRun is the state of one step.
type stepRun struct {
	phase   phase
	taken   int // the case; -1 when none was
	res     result
	went    bool                // on, in spite of its failure (catch: continue)
	catch   *mapping.CatchEntry // what its failure was caught by
	list    jsonx.Iter
	total   int
	next    int // the element to start next
	flying  int // elements under way
	items   []result
	elems   []jsonx.Value
	started time.Time // with a watcher, of a step that waits for something
}

// result is how a step, or an element of an `each`, ended.
type result struct {
	state          contract.State
	class, message string
	status         int
	header         []contract.Header
	body           jsonx.Value
	answer         string             // of the backend, refused and to be caught: JSON without secrets
	why            string             // words for reports: why skipped, or our own failure
	cause          *expr.RuntimeError // our own failure
	step           string             // of a flow: the step inside that ended it
	took           time.Duration
	badInput       bool // of a flow: its input was refused
}

// watch hands reports to a Watcher one at a time: flows run side by side.
type watch struct {
	many bool // there are goroutines, or have been; set before the first begins
	mu   sync.Mutex
	told Watcher
}

// keptTasks bounds what a pooled run state keeps of one large `each`.
const (
	keptTasks = 32
	keptBytes = 64 << 10
	keptSteps = 128
	keptItems = 256
)

var runs = sync.Pool{New: func() any {
	r := new(run)
	r.varAt = func(i int) jsonx.Value { return r.vars[i].Value(r.f) }
	return r
}}

func newRun(p *mapping.Plan, f *expr.Frame, env *Env) *run {
	r := runs.Get().(*run)
	r.p, r.f, r.env, r.dead = p, f, env, -1
	if n := len(p.Steps); cap(r.steps) < n {
		r.steps = make([]stepRun, n)
	} else {
		r.steps = r.steps[:n]
	}
	if m, ok := env.Memory.(Instant); ok {
		r.instant = m.Instant()
	} else {
		r.instant = false
	}
	return r
}

// free waits for what is still under way (only after a panic), gives the
// answers' memory back and the state to the pool.
func (r *run) free() {
	r.settleAll()
	for i, a := range r.answers {
		a.Release()
		r.answers[i] = nil
	}
	r.answers = r.answers[:0]
	for i := range r.steps {
		items, elems := r.steps[i].items, r.steps[i].elems
		clear(items)
		clear(elems)
		if cap(items) > keptItems {
			items, elems = nil, nil
		}
		r.steps[i] = stepRun{items: items[:0], elems: elems[:0]}
	}
	clear(r.params)
	if cap(r.steps) > keptSteps {
		r.steps = nil
	}
	r.idle = append(r.idle, r.ready...)
	clear(r.ready)
	r.ready = r.ready[:0]
	if len(r.idle) > keptTasks {
		clear(r.idle[keptTasks:])
		r.idle = r.idle[:keptTasks]
	}
	for _, t := range r.idle {
		t.reset()
	}
	r.top.told = nil
	r.p, r.f, r.env, r.watch, r.vars, r.stop, r.done = nil, nil, nil, nil, nil, nil, nil
	runs.Put(r)
}

// settleAll stops reading calls and waits for all that is under way.
func (r *run) settleAll() {
	if r.flying == 0 {
		return
	}
	if r.stop != nil {
		r.stop()
	}
	for ; r.flying > 0; r.flying-- {
		if t := <-r.done; t.answer != nil {
			t.answer.Release()
		}
	}
}

// set fills a slot, if the plan has it and there is something to fill in.
func (r *run) set(slot int, v jsonx.Value) {
	if slot >= 0 && v.Kind() != jsonx.Absent {
		r.f.Set(slot, v)
	}
}

// common fills the slots that need nothing from outside.
func (r *run) common() {
	s := &r.p.Slots
	r.set(s.Const, r.p.Const)
	if s.Now >= 0 {
		r.f.Set(s.Now, r.f.TimeValue(r.f.Now))
	}
}

// loop runs steps until all have settled, or one failure ends the run. Calls
// that change something see ctx, those that only read see read, which also
// ends when the run has failed.
func (r *run) loop(ctx, read context.Context) {
	for {
		r.start(read)
		if r.dead >= 0 || len(r.ready) == 0 && r.flying == 0 {
			break
		}
		if r.flying == 0 && (len(r.ready) == 1 || r.env.OneByOne) {
			t := r.take()
			t.do(ctx, read, r.env, r.watch)
			r.finish(t)
			continue
		}
		if r.stop == nil {
			read, r.stop = context.WithCancel(read)
		}
		r.launch(ctx, read)
		r.receive()
	}
	if r.stop != nil {
		r.stop()
	}
	for r.flying > 0 { // those under way settle
		r.receive()
	}
}

// take gives the first prepared task.
func (r *run) take() *task {
	t := r.ready[0]
	copy(r.ready, r.ready[1:])
	r.ready[len(r.ready)-1] = nil
	r.ready = r.ready[:len(r.ready)-1]
	return t
}

// launch hands every prepared task to a goroutine.
func (r *run) launch(ctx, read context.Context) {
	if r.done == nil { // not kept with the pooled state: channels belong to where they were made (testing/synctest)
		r.done = make(chan *task, 8)
	}
	if r.watch != nil && !r.watch.many {
		r.watch.many = true
	}
	for i, t := range r.ready {
		r.ready[i] = nil
		r.flying++
		go t.fly(ctx, read, r.env, r.watch, r.done)
	}
	r.ready = r.ready[:0]
}

// receive takes one task back.
func (r *run) receive() {
	t := <-r.done
	r.flying--
	if t.crash != nil {
		panic(t.crash) // free waits for the others
	}
	r.finish(t)
}

// start starts every step that may, until no more settles at once.
func (r *run) start(ctx context.Context) {
	for again := true; again; {
		again = false
		for i, s := range r.p.Steps {
			if r.dead >= 0 {
				r.drop()
				return
			}
			st := &r.steps[i]
			switch st.phase {
			case waiting:
				if r.settled(s.Deps) {
					r.begin(ctx, s, st)
					again = again || st.phase == settled
				}
			case looping:
				r.feed(ctx, s, st)
				again = again || st.phase == settled
			}
		}
	}
	if r.dead >= 0 {
		r.drop()
	}
}

// drop forgets what was prepared and never started.
func (r *run) drop() {
	r.idle = append(r.idle, r.ready...)
	clear(r.ready)
	r.ready = r.ready[:0]
}

func (r *run) settled(steps []int) bool {
	for _, i := range steps {
		if r.steps[i].phase != settled {
			return false
		}
	}
	return true
}

// missing gives the first step of needs whose body is not there.
func (r *run) missing(needs []int) (string, bool) {
	for _, i := range needs {
		if r.steps[i].res.body.None() {
			return r.p.Steps[i].Name, true
		}
	}
	return "", false
}

// problem says how a run that did not get to its reply ended.
func (r *run) problem() *Problem {
	res := &r.steps[r.dead].res
	p := &Problem{
		Class:   res.class,
		Message: strings.Clone(res.message), // the answer's memory goes back
		Step:    r.p.Steps[r.dead].Name,
		Cause:   res.cause,
		Kind:    kindOf(res),
	}
	if res.step != "" {
		p.Step += "/" + res.step
	}
	return p
}

// kindOf gives the dialect's kind for an uncaught end.
func kindOf(res *result) mapping.ErrorKind {
	if res.state == contract.Refused {
		return mapping.KindRefused
	}
	switch res.class {
	case contract.ClassTemplate:
		return mapping.Internal
	case contract.ClassTimeout:
		return mapping.KindTimeout
	case contract.ClassUnavailable:
		return mapping.KindUnavailable
	case contract.ClassStore:
		return mapping.StoreDown
	}
	return mapping.KindFailed
}
