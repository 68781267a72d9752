package store

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/seal"
)

// local is what this process knows of turns, claims and lost calls. Without
// Redis it is all there is, and stands in a file; with Redis it lets requests
// of this process wait for each other, and puts back what Redis has lost.
type local struct {
	me string // this process: what it left unfinished, another may tell by this

	mu      sync.Mutex
	records map[seal.Name]*record
	claims  map[seal.Name]*claimed
	values  map[seal.Name]*value // durable memories
	intents map[string]*intent
	sweep   time.Time // when to forget next what is over

	journal *journal // nil: what is here ends with the process
}

// record is a request that began, and how far it got.
type record struct {
	state  recordState
	owner  string
	hashes []seal.Name
	names  []seal.Name
	answer []byte // never changed, only replaced
	until  time.Time
	done   chan struct{} // closed when it ends
}

type recordState byte

const (
	running recordState = 'r' // nothing was sent yet
	sent    recordState = 's'
	ended   recordState = 'd'
)

// claimed are the claims granted under one name.
type claimed struct {
	ids   []string
	names []seal.Name // under every key
	until time.Time   // zero: never
}

// value is a durable memory's.
type value struct {
	text  []byte
	until time.Time
}

func over(until, now time.Time) bool { return !until.IsZero() && !now.Before(until) }

func newLocal() *local {
	return &local{
		me: randomID(), records: map[seal.Name]*record{}, claims: map[seal.Name]*claimed{},
		values: map[seal.Name]*value{}, intents: map[string]*intent{},
	}
}

// begin finds what is known of a request, waiting while it is under way here.
func (l *local) begin(ctx context.Context, rec *recording, now time.Time) (Found, []byte, error) {
	found := Replayed
	for began := time.Now(); ; found = Joined {
		l.mu.Lock()
		at := now.Add(time.Since(began))
		l.forget(at)
		r := l.record(rec.names, at)
		switch {
		case r == nil:
			r = &record{
				state: running, owner: rec.owner, names: rec.names, hashes: rec.hashes,
				until: at.Add(rec.window + rec.longest), done: make(chan struct{}),
			}
			for _, n := range rec.names {
				l.records[n] = r
			}
			l.mu.Unlock()
			return First, nil, nil
		case !shareOne(r.hashes, rec.hashes):
			l.mu.Unlock()
			return Differs, nil, nil
		case r.state == ended:
			l.mu.Unlock()
			return found, r.answer, nil
		case r.state == sent && instanceOf(r.owner) != l.me:
			r.owner = rec.owner
			rec.kept = true
			l.mu.Unlock()
			return Recovered, nil, nil
		}
		done := r.done
		l.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			return TimedOut, nil, nil
		}
	}
}

// record finds what is kept under one of some names.
func (l *local) record(names []seal.Name, now time.Time) *record {
	for _, n := range names {
		if r := l.records[n]; r != nil && !over(r.until, now) {
			return r
		}
	}
	return nil
}

// shareOne tells whether two lists have a name in common.
func shareOne(a, b []seal.Name) bool {
	return slices.ContainsFunc(a, func(n seal.Name) bool { return slices.Contains(b, n) })
}

// instanceOf gives the process a turn belongs to.
func instanceOf(owner string) string {
	instance, _, _ := strings.Cut(owner, "/")
	return instance
}

// admit keeps that a call may have been sent, and its claim; both stand in the
// file before it returns.
func (l *local) admit(rec *recording, c *claim, i *intent, now time.Time) (flow.Verdict, error) {
	l.mu.Lock()
	l.forget(now)
	var r *record
	if rec != nil {
		r = l.record(rec.names, now)
		if r == nil || r.owner != rec.owner || r.state == ended {
			l.mu.Unlock()
			return flow.NoStore, ErrDown
		}
	}
	var taken *claimed
	if c != nil {
		taken = l.taken(c, now)
		if int64(len(taken.ids)) >= c.limit {
			l.mu.Unlock()
			return flow.OverLimit, nil
		}
	}
	was := running
	if r != nil {
		was = r.state
		r.state = sent
	}
	if taken != nil {
		taken.ids = append(taken.ids, c.id)
	}
	l.intents[i.ID] = i
	written := l.log(func(b *batch) {
		b.record(r)
		b.claimed(taken)
		b.intent(i)
	})
	l.mu.Unlock()
	if err := l.journal.sync(written); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if r != nil {
			r.state = was
		}
		l.unclaim(c)
		delete(l.intents, i.ID)
		return flow.NoStore, ErrDown
	}
	if rec != nil {
		rec.kept = true
	}
	return flow.Admitted, nil
}

// taken gives the claims under c's names, none when there are none yet.
func (l *local) taken(c *claim, now time.Time) *claimed {
	for _, n := range c.names {
		if have := l.claims[n]; have != nil && !over(have.until, now) {
			return have
		}
	}
	fresh := &claimed{names: c.names, until: c.until}
	for _, n := range c.names {
		l.claims[n] = fresh
	}
	return fresh
}

// unclaim takes a claim back and gives what is left; nil when there was none.
func (l *local) unclaim(c *claim) *claimed {
	if c == nil {
		return nil
	}
	for _, n := range c.names {
		have := l.claims[n]
		if have == nil {
			continue
		}
		if at := slices.Index(have.ids, c.id); at >= 0 {
			have.ids = slices.Delete(have.ids, at, at+1)
			return have
		}
	}
	return nil
}

// settle keeps how a call ended: c is given back, i replaces what was said of it; each may be nil.
func (l *local) settle(c *claim, i *intent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.unclaim(c)
	switch {
	case i == nil:
	case i.State == "":
		delete(l.intents, i.ID)
	default:
		l.intents[i.ID] = i
	}
	l.log(func(b *batch) {
		b.claimed(left)
		b.intent(i)
	})
}

// end keeps the answer of a request, or with none forgets the request, and drops what was said of its calls.
func (l *local) end(rec *recording, answer []byte, intents []string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.record(rec.names, now)
	if r == nil || r.owner != rec.owner || r.state == ended {
		return
	}
	close(r.done)
	for _, id := range intents {
		delete(l.intents, id)
	}
	if answer == nil {
		l.drop(r)
		r.state = running
		if !rec.kept {
			return
		}
	} else {
		r.state, r.answer, r.until = ended, answer, now.Add(rec.window)
	}
	l.log(func(b *batch) {
		b.record(r)
		for _, id := range intents {
			b.intent(&intent{ID: id})
		}
	})
}

// giveUp leaves a request as one whose gateway is gone.
func (l *local) giveUp(rec *recording) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range rec.names {
		if r := l.records[n]; r != nil && r.owner == rec.owner {
			r.owner = gone
			close(r.done)
			r.done = make(chan struct{})
			return
		}
	}
}

// gone owns what nobody works on any more.
const gone = "gone/0"

func (l *local) drop(r *record) {
	for _, n := range r.names {
		if l.records[n] == r {
			delete(l.records, n)
		}
	}
}

// count gives how many claims are granted under name.
func (l *local) count(name seal.Name, now time.Time) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	have := l.claims[name]
	if have == nil || over(have.until, now) {
		return 0
	}
	return int64(len(have.ids))
}

// value gives a durable memory's value.
func (l *local) value(names []seal.Name, now time.Time) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range names {
		if v := l.values[n]; v != nil && !over(v.until, now) {
			return v.text, true
		}
	}
	return nil, false
}

// keep keeps a durable memory's value.
func (l *local) keep(names []seal.Name, text []byte, until time.Time) error {
	l.mu.Lock()
	v := &value{text: text, until: until}
	for _, n := range names {
		l.values[n] = v
	}
	written := l.log(func(b *batch) { b.value(names[0], v) })
	l.mu.Unlock()
	return l.journal.sync(written)
}

// forgetEvery is how often what is over is looked for.
const forgetEvery = 30 * time.Second

// forget lets go of what is over.
func (l *local) forget(now time.Time) {
	if now.Before(l.sweep) {
		return
	}
	l.sweep = now.Add(forgetEvery)
	for n, r := range l.records {
		if over(r.until, now) {
			delete(l.records, n)
		}
	}
	for n, c := range l.claims {
		if over(c.until, now) || len(c.ids) == 0 {
			delete(l.claims, n)
		}
	}
	for n, v := range l.values {
		if over(v.until, now) {
			delete(l.values, n)
		}
	}
}

// unknowns gives the calls nobody knows the end of: lost ones, and those that
// a process sent which is not alive.
func (l *local) unknowns(alive func(instance string) bool) (all []*intent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range l.intents {
		if i.State == stateUnknown || !alive(i.Instance) {
			all = append(all, i)
		}
	}
	return all
}

// close closes the file.
func (l *local) close() error {
	if l.journal == nil {
		return nil
	}
	return l.journal.close()
}

// health tells whether the file can be written.
func (l *local) health() (up bool, since time.Time) {
	if l.journal == nil {
		return true, time.Time{}
	}
	return l.journal.health()
}
