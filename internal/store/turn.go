package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/seal"
)

// Repeat says which requests are the same.
type Repeat struct {
	Identity []byte        // route, caller and key, in pieces that cannot run into each other
	Input    []byte        // what else must be the same
	For      time.Duration // how long the first answer is given
	Longest  time.Duration // how long a request may take
}

// About is what people are told of a call whose end nobody knows.
type About struct {
	Route, Caller, RequestID string
	Key                      []byte // JSON: what the request was about; "" for nothing
}

// Found is what a request that begins finds.
type Found uint8

// The findings.
const (
	First     Found = iota // nothing: it is the first
	Recovered              // one whose gateway ended after it may have sent something
	Replayed               // the first answer
	Joined                 // the first answer, after waiting for it
	Differs                // another request under the same key
	TimedOut               // one under way, until there was no time left
)

var foundNames = [...]string{"first", "recovered", "replayed", "joined", "differs", "timed_out"}

// String gives "first", "recovered", "replayed", "joined", "differs", "timed_out".
func (f Found) String() string { return foundNames[f] }

// Turn is one request that may change something; End or Abandon ends it.
type Turn interface {
	flow.Guard
	// End keeps the answer for those who repeat the request, unless nothing was
	// sent, or surely nothing done: they then begin anew.
	End(answer []byte)
	// Abandon ends a turn whose request broke: what it sent is not sent again.
	Abandon()
}

// turn is a Turn of a Store.
type turn struct {
	s       *Store
	about   About
	rec     *recording // nil: the route has no repeat
	now     time.Time  // when it began, and
	began   time.Time  // what this machine's clock said then
	settled bool       // nothing may be sent any more: something may have been, by somebody who is gone

	mu      sync.Mutex
	sent    int // calls admitted, less those that surely did nothing
	claims  map[string]*claim
	intents []string // of calls that ended: they go when the answer is kept
}

// recording is a request as it is kept: its names and hashes under every key in force.
type recording struct {
	names   []seal.Name
	hashes  []seal.Name
	owner   string        // of the turn: instance/number
	window  time.Duration // how long the answer is given
	longest time.Duration
	kept    bool // that something was sent has been kept
}

// claim is one claim as it is kept.
type claim struct {
	names  []seal.Name
	id     string
	limit  int64
	until  time.Time // zero: never
	memory string    // its name, for metrics
}

// Begin begins a request that may change something. With repeat it waits while
// the same request is under way, until ctx ends. The turn is nil unless the
// request is to be run (First, Recovered); the answer is that of Replayed and
// Joined. An error means that the store is down.
func (s *Store) Begin(ctx context.Context, r *Repeat, about About, now time.Time) (_ Turn, found Found, answer []byte, err error) {
	t := &turn{s: s, about: about, now: now, began: time.Now()}
	if r == nil {
		return t, First, nil, nil
	}
	rec := &recording{window: r.For, longest: r.Longest, owner: s.local.turnID()}
	rec.names = s.names(append([]byte{kindRepeat}, r.Identity...))
	rec.hashes = s.names(append([]byte{kindRepeat}, r.Input...))
	t.rec = rec
	found, answer, err = s.local.begin(ctx, rec, now)
	if err == nil && found == First && s.remote != nil {
		found, answer, err = s.remote.begins(ctx, rec)
		switch {
		case err != nil || found == Differs || found == TimedOut:
			s.local.end(rec, nil, nil, now) // others ask for themselves
		case found == Replayed || found == Joined:
			s.local.end(rec, answer, nil, now)
		}
	}
	if err != nil {
		return nil, First, nil, err
	}
	s.metrics.Repeated(about.Route, found.String())
	if found != First && found != Recovered {
		return nil, found, answer, nil
	}
	if t.settled = found == Recovered; t.settled {
		s.log.Warn("a request is repeated whose gateway ended after it may have sent something: nothing is sent again",
			slog.String("request_id", about.RequestID), slog.String("route", about.Route))
	}
	return t, found, nil, nil
}

// serial numbers turns and claims within this process.
var serial atomic.Uint64

// randomID gives 32 hexadecimal digits.
func randomID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// Admit keeps, before a call goes out, that it may have been sent, and takes its claim.
func (t *turn) Admit(ctx context.Context, a *flow.Admission) flow.Verdict {
	if t.settled {
		return flow.Unsettled
	}
	a.ID = randomID()
	var c *claim
	if a.Claim != nil {
		c = &claim{
			names: t.s.namesOf(kindClaim, a.Claim, a.Key, a.Now), id: a.ID, limit: a.Limit,
			until: until(a.Claim, a.Now), memory: a.Claim.Name,
		}
	}
	if t.rec == nil && c == nil { // nobody asked for anything to be kept
		t.note(a, nil)
		return flow.Admitted
	}
	i := t.intent(a, stateSent)
	verdict, err := t.s.admit(ctx, t.rec, c, i, t.now)
	if err != nil && t.rec == nil && !a.Claim.Refuse {
		t.s.log.Warn("a claim was passed over, as its memory allows when the store is down", slog.String("memory", a.Claim.Name))
		t.note(a, nil)
		return flow.Admitted
	}
	if err != nil {
		return flow.NoStore
	}
	if c != nil {
		t.s.metrics.Claimed(c.memory, claimWords[verdict == flow.Admitted])
	}
	if verdict == flow.Admitted {
		t.note(a, c)
	}
	return verdict
}

var claimWords = map[bool]string{true: "granted", false: "refused"}

func (t *turn) note(a *flow.Admission, c *claim) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent++
	if c == nil {
		return
	}
	if t.claims == nil {
		t.claims = map[string]*claim{}
	}
	t.claims[a.ID] = c
}

// Settled keeps how an admitted call ended. What was refused or surely not
// done gives its claim back; what was lost is for people to look at.
func (t *turn) Settled(a *flow.Admission, state contract.State) {
	t.mu.Lock()
	c := t.claims[a.ID]
	delete(t.claims, a.ID)
	if state == contract.Failed {
		t.sent--
	}
	t.mu.Unlock()
	if state == contract.Unknown {
		t.s.metrics.Unknown(t.about.Route, a.Target)
		t.s.log.Warn("a call that changes something was sent and its answer lost: it is not sent again, and listed by \"emenda unknowns\"",
			slog.String("request_id", t.about.RequestID), slog.String("route", t.about.Route), slog.String("step", a.Step),
			slog.String("operation", a.Target), slog.String("id", a.ID))
		t.s.settle(nil, t.intent(a, stateUnknown))
		return
	}
	back := c
	if state == contract.OK {
		back = nil
	}
	if back != nil {
		t.s.metrics.Claimed(c.memory, "returned")
	}
	switch {
	case t.rec != nil: // a gateway that ends before the answer is kept leaves the call for people
		t.mu.Lock()
		t.intents = append(t.intents, a.ID)
		t.mu.Unlock()
		if back != nil {
			t.s.settle(back, nil)
		}
	case c != nil:
		t.s.settle(back, &intent{ID: a.ID})
	}
}

// End ends the turn.
func (t *turn) End(answer []byte) {
	if t.rec == nil {
		return
	}
	t.mu.Lock()
	if t.sent == 0 && !t.settled {
		answer = nil
	}
	intents := t.intents
	t.mu.Unlock()
	t.s.end(t.rec, answer, intents, t.clock())
}

// clock gives the turn's time: tests have one of their own.
func (t *turn) clock() time.Time { return t.now.Add(time.Since(t.began)) }

// Abandon ends the turn without an answer.
func (t *turn) Abandon() {
	if t.rec == nil {
		return
	}
	t.mu.Lock()
	sent, intents := t.sent > 0 || t.settled, t.intents
	t.mu.Unlock()
	if !sent {
		t.s.end(t.rec, nil, intents, t.clock())
		return
	}
	t.s.giveUp(t.rec)
}

// The states of an intent.
const (
	stateSent    = "sent"    // and not known to have ended
	stateUnknown = "unknown" // its answer was lost
)

// intent is what is kept of a call before it goes out; one without State is done with.
type intent struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	State     string    `json:"state"`
	Route     string    `json:"route"`
	Step      string    `json:"step"`
	Operation string    `json:"operation"`
	Caller    string    `json:"caller"`
	RequestID string    `json:"request_id"`
	Key       string    `json:"key,omitempty"`
	Instance  string    `json:"instance"` // of the gateway that sent it
}

func (t *turn) intent(a *flow.Admission, state string) *intent {
	key := string(t.about.Key)
	if key == "" && a.Claim != nil && !a.Claim.Personal {
		key = string(a.Key)
	}
	return &intent{
		ID: a.ID, At: a.Now, State: state, Route: t.about.Route, Step: a.Step, Operation: a.Target,
		Caller: t.about.Caller, RequestID: t.about.RequestID, Key: key, Instance: t.s.local.me,
	}
}

// text gives the intent as it is sealed.
func (i *intent) text() []byte {
	b, err := json.Marshal(i)
	if err != nil {
		panic(err) // of texts and a time it always can
	}
	return b
}

// turnID gives an id of a turn of this process.
func (l *local) turnID() string { return l.me + "/" + strconv.FormatUint(serial.Add(1), 10) }

// admit, settle and end keep what happened: in Redis when there is one, and here.

func (s *Store) admit(ctx context.Context, rec *recording, c *claim, i *intent, now time.Time) (flow.Verdict, error) {
	if s.remote == nil {
		return s.local.admit(rec, c, i, now)
	}
	verdict, err := s.remote.admit(ctx, rec, c, i)
	if err != nil {
		// It may have been kept all the same: nothing goes out, so it is taken back.
		s.remote.later(func(ctx context.Context) error { return s.remote.settle(ctx, c, &intent{ID: i.ID}) })
		return flow.NoStore, err
	}
	if verdict != flow.Admitted {
		return verdict, nil
	}
	verdict, err = s.local.admit(rec, c.unlimited(), i, now)
	if err != nil {
		s.remote.later(func(ctx context.Context) error { return s.remote.settle(ctx, c, &intent{ID: i.ID}) })
	}
	return verdict, err
}

// unlimited gives the claim as one that another has granted already.
func (c *claim) unlimited() *claim {
	if c == nil {
		return nil
	}
	granted := *c
	granted.limit = int64(^uint64(0) >> 1)
	return &granted
}

func (s *Store) settle(c *claim, i *intent) {
	if s.remote == nil {
		s.local.settle(c, i)
		return
	}
	kept := i
	if i != nil {
		kept = &intent{ID: i.ID} // people take it off the list where it is kept
	}
	s.local.settle(c, kept)
	s.remote.surely(func(ctx context.Context) error { return s.remote.settle(ctx, c, i) })
}

func (s *Store) end(rec *recording, answer []byte, intents []string, now time.Time) {
	s.local.end(rec, answer, intents, now)
	if s.remote != nil {
		s.remote.surely(func(ctx context.Context) error { return s.remote.end(ctx, rec, answer, intents) })
	}
}

// giveUp leaves a record as one that was sent by somebody who is gone.
func (s *Store) giveUp(rec *recording) {
	s.local.giveUp(rec)
	if s.remote != nil {
		s.remote.surely(func(ctx context.Context) error { return s.remote.giveUp(ctx, rec) })
	}
}
