package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/sandbox"
)

// judge compares what was told, what is kept and what stands with what was sold.
func (k *killing) judge() error {
	r := k.r
	kept, err := k.everyOrder()
	if err != nil {
		return err
	}
	ledger := k.box.Ledger("")
	people := map[string]*sandbox.LedgerSale{}
	for i := range ledger.Sales {
		people[ledger.Sales[i].Document] = &ledger.Sales[i]
	}
	heard := k.heard()
	states := map[string]int{}
	var again int
	for _, s := range k.sales {
		ids := k.counter.told(s.n)
		if !r.check(len(ids) == 1, "%s became the orders %v", s, ids) {
			continue
		}
		id := ids[0]
		if !r.check(kept[id] == s.state, "%s: order %s is %q, want %s", s, id, kept[id], s.state) {
			k.explain(id)
		}
		states[kept[id]]++
		delete(kept, id)
		k.stands(s, people[s.document()])
		delete(people, s.document())
		bodies := heard[id+" "+s.state]
		r.check(len(bodies) == 1, "%s: the partner heard %d different things of its end", s, len(bodies))
		for _, n := range bodies {
			again += n - 1
		}
	}
	r.check(len(kept) == 0, "orders that nobody was told of: %v", kept)
	r.check(len(people) == 0, "people whom nothing was sold to: %v", slices.Collect(maps.Keys(people)))
	r.check(len(ledger.LooseReservations) == 0 && len(ledger.LooseLines) == 0, "nobody's: %v %v", ledger.LooseReservations, ledger.LooseLines)
	for _, twice := range ledger.Twice {
		// The contracts of one plan are counted above, for each customer.
		r.check(twice.Kind == "contract", "%s was made %d times: %s", twice.Kind, twice.Times, twice.Of)
	}
	r.notef("%d answers 202 for %d sales, %d done, %d undone, %d stuck as they should be", k.counter.taken, len(k.sales), states["done"], states["undone"], states["stuck"])
	k.tell(ledger.Made, again)
	return nil
}

// explain prints why an order ended as it did.
func (k *killing) explain(id string) {
	text, err := get(k.counter.one().admin + "/-/orders/" + id)
	var d struct {
		Error json.RawMessage
		Left  []string
		Steps []struct {
			Name, State, Class string
			Attempts           int
		}
	}
	if err != nil || json.Unmarshal([]byte(text), &d) != nil {
		k.r.printf("      %s cannot be read: %v", id, err)
		return
	}
	k.r.printf("      %s: error %s, left %v", id, d.Error, d.Left)
	for _, s := range d.Steps {
		if s.State != "ok" && s.State != "skipped" {
			k.r.printf("      %s: step %s %s %s, %d attempts", id, s.Name, s.State, s.Class, s.Attempts)
		}
	}
}

// everyOrder gives the state of every order that is kept.
func (k *killing) everyOrder() (map[string]string, error) {
	all := map[string]string{}
	for next := ""; ; {
		page, err := k.orders("limit=500&cursor=" + next)
		if err != nil {
			return nil, err
		}
		for _, d := range page.Orders {
			all[d.ID] = d.State
		}
		if next = page.Next; next == "" {
			return all, nil
		}
	}
}

// heard gives by order and state what the partner was told, and how often.
func (k *killing) heard() map[string]map[string]int {
	all := map[string]map[string]int{}
	for _, c := range k.box.Callbacks() {
		k.r.check(c.Signed, "a callback was not believed: %s", c.Why)
		var said struct{ ID, Status string }
		if json.Unmarshal(c.Body, &said) != nil {
			continue
		}
		of := said.ID + " " + said.Status
		if all[of] == nil {
			all[of] = map[string]int{}
		}
		all[of][string(c.Body)]++
	}
	return all
}

// stands checks that of a sale stands what must, once.
func (k *killing) stands(s *killedSale, is *sandbox.LedgerSale) {
	if is == nil || !s.person {
		k.r.check(is == nil && !s.person, "%s: it should have made something: %t, it did: %t", s, s.person, is != nil)
		return
	}
	got := counted(is)
	k.r.check(got.String() == s.want.String(), "%s: want %s; got %s", s, s.want, got)
	for _, p := range is.Prospects {
		want := "GANHOU"
		if s.want.clients == 0 {
			want = "PERDEU"
		}
		k.r.check(p.State == want, "%s: the prospect is %s, want %s", s, p.State, want)
	}
	for _, l := range is.Lines {
		want := "ATIVO"
		if s.state != "done" {
			want = "CANCELADO"
		}
		k.r.check(l.Status == want, "%s: line %d is %s, want %s", s, l.Contract, l.Status, want)
	}
	for _, one := range is.Reservations {
		k.r.check(one.Implanted && one.Ports == 1, "%s: reservation %+v", s, one)
	}
}

// tell prints what happened.
func (k *killing) tell(made map[string]int, again int) {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(made)) {
		all = append(all, fmt.Sprintf("%d %s", made[kind], kind))
	}
	k.r.printf("      made: %s", strings.Join(all, ", "))
	faults, good, passed := 0, 0, 0
	for _, s := range k.sales {
		if s.fails != "" {
			good++
		} else if len(s.faults) > 0 {
			passed++
		}
		for _, f := range s.faults {
			faults += max(0, f.Times)
		}
	}
	waiting := 0
	var left []struct{ Times int }
	if err := boxGet(k.saleWorld.box, "faults", &left); err == nil {
		for _, f := range left {
			waiting += max(0, f.Times)
		}
	}
	k.r.printf("      %d sales with a step that fails for good, %d with passing faults: %d of %d faults met a call; %d callbacks came again, equal", good, passed, faults-waiting, faults, again)
	for _, m := range k.all {
		k.logs[m.process] = true
	}
	log := ""
	for p := range k.logs {
		log += p.err.text()
	}
	k.r.printf("      sent and not taken at once, and sent again: %v; takeovers told in the logs: %d",
		k.counter.refused, strings.Count(log, "taken over from a replica that is gone"))
	wrong := map[string]int{}
	for line := range strings.Lines(log) {
		var said struct{ Level, Msg, Outcome, Panic string }
		if at := strings.IndexByte(line, '{'); at >= 0 && json.Unmarshal([]byte(line[at:]), &said) == nil && (said.Level == "ERROR" || said.Panic != "") {
			wrong[strings.TrimSpace(said.Msg+" "+said.Outcome)]++
		}
	}
	k.r.check(!strings.Contains(log, "panic"), "a gateway panicked")
	for _, what := range slices.Sorted(maps.Keys(wrong)) {
		k.r.printf("      %d times at level ERROR: %s", wrong[what], what)
	}
}
