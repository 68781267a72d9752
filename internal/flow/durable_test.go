package flow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// lineFlow registers a line; its answer may be lost, and is then looked for.
const lineFlow = `
flow: line
input: { number: { type: string, required: true } }
steps:
  made:
    call: shop.order
    body: { id: "line ${input.number}" }
    retry: { times: 3, every: 2s }
    lookup: { call: shop.other, body: { id: "line ${input.number}" }, found: "${?answer.id}", use: { number: "${found}" } }
    undo: { call: shop.order, body: { id: "end line ${input.number}" } }
result: ${made.number ?? '?'}
`

const saleMapping = `
mode: durable
input: { name: { type: string, required: true }, lines: { type: array, items: { type: string } } }
order:
  key: ${input.name}
  deadline: 10d
  accepted: { json: "${order.id}" }
  shows: { customer: "${?customer?.number}", lines: "${?lines}" }
steps:
  look: { call: shop.item, with: { id: "${input.name}" }, retry: { times: 3, every: 2s } }
  customer:
    call: shop.order
    body: { id: "customer ${look.id}" }
    retry: { times: 3, every: 2s }
    lookup: { call: shop.other, body: { id: "customer ${look.id}" }, found: "${?answer.id}", use: { number: "${found}" } }
    undo: { call: shop.order, body: { id: "end customer ${answer.number}" } }
  lines: { each: "${list(input.lines)}", as: l, call: flows.line, with: { number: "${l}" } }
  rest: { after: lines, sleep: 1h }
  installed: { wait: { event: installed, key: "${customer.number}", for: 2d } }
  paid: { call: shop.order, body: { id: "pay ${customer.number}" }, undo: none, lookup: { call: shop.other, body: { id: "pay ${customer.number}" }, found: "${?answer.id}", use: { number: "${found}" } } }
finally:
  told: { call: shop.order, body: { id: "told ${order.state}" }, lookup: { call: shop.other, body: { id: "told ${order.state}" }, found: "${?answer.id}", use: { number: "${found}" } } }
`

// errKilled is a recorder's error: the run ended there.
var errKilled = errors.New("killed")

// tape is a recorder that keeps what it is told through kills, in another time than ours.
type tape struct {
	t       require.TestingT
	now     time.Time
	entries []taped
	at      int
	left    int  // interactions until it is killed; <0: never
	after   bool // the kill comes after what a step did, before it is kept
	events  map[string]string
	decides []flow.Decision
	cancel  bool
	heard   bool
	last    flow.Progress
}

type taped struct {
	name  string
	value []byte
	flag  bool
	until time.Time
}

func (r *tape) due() bool {
	r.left--
	return r.left == -1
}

func (r *tape) next(name string, fn func() (taped, error)) (taped, error) {
	if r.at < len(r.entries) {
		e := r.entries[r.at]
		require.Equal(r.t, e.name, name, "a run asks for what the one before it did")
		r.at++
		return e, nil
	}
	due := r.due()
	if due && !r.after {
		return taped{}, errKilled
	}
	e, err := fn()
	if err != nil || due {
		return e, errors.Join(err, errKilled)
	}
	e.name = name
	r.entries = append(r.entries, e)
	r.at++
	return e, nil
}

func (r *tape) Step(name string, fn func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	e, err := r.next(name, func() (taped, error) {
		r.now = r.now.Add(10 * time.Millisecond)
		v, err := fn(context.Background())
		return taped{value: v}, err
	})
	return e.value, err
}

func (r *tape) Sleep(d time.Duration) error {
	e, err := r.next("sleep", func() (taped, error) { return taped{until: r.now.Add(d)}, nil })
	if err == nil && r.now.Before(e.until) {
		r.now = e.until
	}
	return err
}

func (r *tape) Wait(event string, key []byte, until time.Time) ([]byte, bool, error) {
	e, err := r.next("wait "+event, func() (taped, error) {
		if body, is := r.events[event+" "+string(key)]; is {
			return taped{value: []byte(body)}, nil
		}
		if r.cancel && !r.heard {
			return taped{}, nil
		}
		r.now = until
		return taped{flag: true}, nil
	})
	return e.value, e.flag, err
}

func (r *tape) Decide(time.Time) (flow.Decision, bool, error) {
	e, err := r.next("decide", func() (taped, error) {
		if len(r.decides) == 0 {
			return taped{flag: true}, nil
		}
		d := r.decides[0]
		r.decides = r.decides[1:]
		return taped{value: []byte(d)}, nil
	})
	return flow.Decision(e.value), err == nil && !e.flag, err
}

func (r *tape) Cancelled() (string, string, bool) {
	if !r.cancel {
		return "", "", false
	}
	if r.at < len(r.entries) {
		if r.entries[r.at].name != "cancelled" {
			return "", "", r.heard && r.has("cancelled")
		}
		r.at++
	} else if !r.has("cancelled") {
		r.entries = append(r.entries, taped{name: "cancelled"})
		r.at++
	}
	r.heard = true
	return "changed her mind", "ana", true
}

func (r *tape) has(name string) bool {
	return slices.ContainsFunc(r.entries[:r.at], func(e taped) bool { return e.name == name })
}

func (r *tape) Progress(p flow.Progress) { r.last = p }

// town is a backend that remembers: what was made, and what was ended again.
type town struct {
	made  map[string]int // how often each is there now
	order []string
	fails map[string][]string // by id: what its next calls come to
}

func (w *town) Call(_ context.Context, c *backend.Call) *backend.Answer {
	body := string(c.Request.Body)
	id := strings.TrimSuffix(strings.TrimPrefix(body, `{"id":"`), `"}`)
	switch c.Operation.ID {
	case "item":
		return good(c, `{"id":"n"}`)
	case "other":
		if w.made[id] > 0 {
			return good(c, fmt.Sprintf(`{"id":"number of %s"}`, id))
		}
		return good(c, `{}`)
	}
	how := ""
	if f := w.fails[id]; len(f) > 0 {
		if how = f[0]; how != "for good" {
			w.fails[id] = f[1:]
		}
	}
	gone, ends := strings.CutPrefix(strings.Replace(id, "customer number of ", "", 1), "end ")
	do := func() {
		if ends {
			w.made[gone]--
			return
		}
		w.made[id]++
		w.order = append(w.order, id)
	}
	if ends && w.made[gone] == 0 {
		return ended(c, contract.Refused, contract.ClassNotFound, 404, "")
	}
	switch how {
	case "refused", "for good":
		return ended(c, contract.Refused, "taken", 409, "no")
	case "down":
		return ended(c, contract.Failed, contract.ClassUnavailable, 0, "")
	case "lost":
		do()
		return ended(c, contract.Unknown, contract.ClassTimeout, 0, "")
	case "lost before":
		return ended(c, contract.Unknown, contract.ClassTimeout, 0, "")
	}
	do()
	return good(c, fmt.Sprintf(`{"number":"number of %s"}`, id))
}

func newTown(fails map[string][]string) *town {
	w := &town{made: map[string]int{}, fails: map[string][]string{}}
	for k, v := range fails {
		w.fails[k] = slices.Clone(v)
	}
	return w
}

// there gives what is there, each as often.
func (w *town) there() (all []string) {
	for id, n := range w.made {
		if n != 0 && !strings.HasPrefix(id, "told") {
			all = append(all, fmt.Sprintf("%s ×%d", id, n))
		}
	}
	slices.Sort(all)
	return all
}

// runs runs an order until it has ended, killed again and again.
func runs(t require.TestingT, p *mapping.Plan, w *town, r *tape, kills []int) flow.OrderEnd {
	given := flow.OrderGiven{ID: "o1", Input: []byte(`{"name":"x","lines":["1","2"]}`), Deadline: noon.Add(10 * 24 * time.Hour)}
	for n := 0; ; n++ {
		r.at, r.left, r.heard = 0, -1, false
		if n < len(kills) {
			r.left = kills[n]
		}
		end, err := flow.RunOrder(p, given, &flow.OrderEnv{
			Env: flow.Env{Calls: w, Zone: time.UTC}, Record: r, Clock: func() time.Time { return r.now },
		})
		if errors.Is(err, errKilled) {
			continue
		}
		require.NoError(t, err)
		return end
	}
}

func durablePlan(t *testing.T) *mapping.Plan {
	return load(t, saleMapping, lineFlow).Routes[0].Plan
}

// Whatever is lost and wherever the process is killed, everything is made once,
// or nothing is left.
func TestOrderIsKilledEverywhere(t *testing.T) {
	p := durablePlan(t)
	for name, c := range map[string]struct {
		fails   map[string][]string
		noEvent bool
		cancel  bool
		state   string
		step    string
		there   []string
		undone  []string
	}{
		"all goes well": {state: "done", there: []string{"customer n ×1", "line 1 ×1", "line 2 ×1", "pay number of customer n ×1"}},
		"passing faults": {
			fails: map[string][]string{"customer n": {"down", "lost before", "lost"}, "line 2": {"lost before", "down", "down"}},
			state: "done", there: []string{"customer n ×1", "line 1 ×1", "line 2 ×1", "pay number of customer n ×1"},
		},
		"a line is refused": {
			fails: map[string][]string{"line 2": {"for good"}}, state: "undone", step: "lines[1]/made",
			undone: []string{"lines[0]/made", "customer"},
		},
		"the last step is refused": {
			fails: map[string][]string{"pay number of customer n": {"for good"}, "end line 1": {"down", "down"}}, state: "undone", step: "paid",
			undone: []string{"lines[1]/made", "lines[0]/made", "customer"},
		},
		"nobody installs": {noEvent: true, state: "undone", step: "installed", undone: []string{"lines[1]/made", "lines[0]/made", "customer"}},
		"it is cancelled": {noEvent: true, cancel: true, state: "undone", undone: nil},
	} {
		t.Run(name, func(t *testing.T) {
			fresh := func() (*town, *tape) {
				r := &tape{t: t, now: noon, cancel: c.cancel, events: map[string]string{`installed "number of customer n"`: `{"by":"ana"}`}}
				if c.noEvent {
					r.events = nil
				}
				return newTown(c.fails), r
			}
			check := func(t require.TestingT, w *town, r *tape, end flow.OrderEnd) {
				require.Equal(t, c.state, end.State, "%+v", end)
				if c.step != "" {
					require.Equal(t, c.step, end.Step)
				}
				require.Equal(t, c.undone, end.Undone)
				require.Empty(t, end.Left)
				require.Equal(t, c.there, w.there())
				require.Equal(t, 1, w.made["told "+c.state])
				require.Equal(t, c.state, r.last.State)
			}
			w, r := fresh()
			check(t, w, r, runs(t, p, w, r, nil))
			all := len(r.entries)
			for k := range all {
				w, r := fresh()
				check(t, w, r, runs(t, p, w, r, []int{k}))
				w, r = fresh()
				r.after = true
				check(t, w, r, runs(t, p, w, r, []int{k}))
			}
			rapid.Check(t, func(rt *rapid.T) {
				w, r := fresh()
				kills := rapid.SliceOfN(rapid.IntRange(0, 6), 0, 12).Draw(rt, "kills")
				r.after = rapid.Bool().Draw(rt, "after what was done")
				end := runs(rt, p, w, r, kills)
				check(rt, w, r, end)
			})
		})
	}
}
