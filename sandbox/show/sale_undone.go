package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/sandbox"
)

// undoneInReverse is what a whole sale takes back when its last step fails, in its order.
var undoneInReverse = []string{
	"implantada/feita", "feitas[1]/primeira/feito", "feitas[1]/contrato/feito", "feitas[0]/primeira/feito", "feitas[0]/contrato/feito",
	"reserva/feita", "contratos/pacote_fixo/primeira/feito", "convertido/feito", "prospecto/feito",
}

// showSaleUndone has the last step refused when everything else is made.
func showSaleUndone(o options, r *report) error {
	box, err := sandbox.Start(sandbox.Options{MVNO: sandbox.MVNOOptions{PortStep: time.Millisecond}})
	if err != nil {
		return err
	}
	defer func() { _ = box.Close(context.Background()) }()
	w, err := startSales(o, 1, box.URL(), "", nil)
	if err != nil {
		return err
	}
	defer w.close()
	all, err := readSales(o.root)
	if err != nil {
		return err
	}
	if err := lastRefused(r, w, box, all); err != nil {
		return err
	}
	return noContract(r, w, box, all)
}

// lastRefused sells to somebody whose last SIM card is refused for good.
func lastRefused(r *report, w *saleWorld, box *sandbox.Sandbox, all *sellers) error {
	g := w.all[0]
	// The card of the second line is the first's: the platform gives it to nobody twice.
	one, err := all.of(wholeSale, 501, func(doc map[string]any) {
		inside(doc, "products", "mobile_lines")["iccid"] = "8934042419120320860"
	})
	if err != nil {
		return err
	}
	before, err := all.of(lineSale, 500, func(doc map[string]any) { inside(doc, "products", "mobile_lines")["iccid"] = "8934042419120320860" })
	if err != nil {
		return err
	}
	r.begin("activating the last SIM card is refused for good, after everything else was made")
	other, err := g.sell(before.body, "")
	if err != nil {
		return err
	}
	if _, err := g.until(other, saleSoon, is("done")); !r.check(err == nil, "the sale that takes the card: %v", err) {
		return nil
	}
	id, err := g.sell(one.body, "")
	if err != nil {
		return err
	}
	if _, err := g.until(id, saleSoon, func(s *saleState) bool { return s.waits() }); !r.check(err == nil, "%v", err) {
		return nil
	}
	l := box.Ledger(one.document())
	if r.check(len(l.Sales) == 1, "nothing was made") {
		r.printf("      made before the installation: %s", counted(&l.Sales[0]))
	}
	if err := g.install(id); !r.check(err == nil, "%v", err) {
		return nil
	}
	s, err := g.until(id, saleSoon, is("undone", "stuck", "done"))
	if !r.check(err == nil && s.Status == "undone", "%v (last %+v)", err, s) {
		return nil
	}
	r.check(s.Error.Step == "chips[1]/ativado" && s.Error.Class == "business", "it failed at %+v", s.Error)
	r.check(slices.Equal(s.Undone, undoneInReverse), "undone %v, want %v", s.Undone, undoneInReverse)
	r.check(len(s.Left) == 0, "left %v", s.Left)
	r.printf("      failed at %s (%s): %s", s.Error.Step, s.Error.Class, s.Error.Reason)
	r.printf("      undone: %s", strings.Join(s.Undone, ", "))
	r.begin("what is left of it: service calls on its contracts, in the ERP's one list")
	l = box.Ledger(one.document())
	if !r.check(len(l.Sales) == 1, "nothing stands") {
		return nil
	}
	left := counted(&l.Sales[0])
	want := made{1, 1, 2, 1, 5, 0, 0, map[int64]int{callPortFixed: 1, callCancel: 5}}
	r.check(left.String() == want.String(), "want %s, got %s", want, left)
	for _, line := range l.Sales[0].Lines {
		r.check(line.Status == "CANCELADO", "line %+v", line)
	}
	for _, t := range l.Sales[0].Tickets {
		r.printf("      ERP service call %d on contract %d: %s", t.ID, t.Contract, t.Text)
	}
	return checkHeard(r, box, id, "undone")
}

// noContract sells to somebody whom the ERP gives no contract: the customer stays,
// nothing there takes one back, and no contract bears a service call.
func noContract(r *report, w *saleWorld, box *sandbox.Sandbox, all *sellers) error {
	g := w.all[0]
	one, err := all.of(lineSale, 502, nil)
	if err != nil {
		return err
	}
	r.begin("no contract comes of it: the order is stuck, and people see to it")
	box.Fault(sandbox.Fault{Operation: "comercial.contratos.cadastrar.demais", Of: one.document(), Kind: sandbox.KindBusiness, Times: -1})
	id, err := g.sell(one.body, "")
	if err != nil {
		return err
	}
	s, err := g.until(id, saleSoon, is("stuck", "undone", "done"))
	if !r.check(err == nil && s.Status == "stuck", "%v (last %+v)", err, s) {
		return nil
	}
	r.check(slices.Equal(s.Left, []string{"convertido/feito"}), "left %v", s.Left)
	for _, args := range [][]string{{"orders", "list", "--state", "stuck,held"}, {"orders", "show", id}} {
		out, err := g.run(append(args, "--config", "gateway.yaml")...)
		r.check(err == nil && strings.Contains(out, id), "emenda %s: %v\n%s", strings.Join(args, " "), err, out)
		r.printf("      $ emenda %s", strings.Join(args, " "))
		for line := range strings.Lines(out) {
			if line = strings.TrimRight(line, "\n"); line != "" && !strings.Contains(line, "skipped") {
				r.printf("      %s", line)
			}
		}
	}
	out, err := g.run("orders", "continue", id, "--by", "maria", "--reason", "the customer was removed by hand", "--config", "gateway.yaml")
	r.check(err == nil, "emenda orders continue: %v\n%s", err, out)
	s, err = g.until(id, saleSoon, is("undone"))
	r.check(err == nil, "after people went on: %v (last %+v)", err, s)
	out, err = g.run("orders", "list", "--state", "stuck,held", "--config", "gateway.yaml")
	r.check(err == nil && strings.TrimSpace(out) == "no orders", "the list still has %s %v", out, err)
	return cmp.Or(checkHeard(r, box, id, "stuck"), checkHeard(r, box, id, "undone"))
}

// checkHeard checks that the partner was told a state of an order, signed, and
// the same each time.
func checkHeard(r *report, box *sandbox.Sandbox, id, state string) error {
	bodies := map[string]int{}
	for _, c := range box.Callbacks() {
		if c.ID == id && strings.Contains(string(c.Body), fmt.Sprintf("%q:%q", "status", state)) {
			r.check(c.Signed, "a callback was not believed: %s", c.Why)
			bodies[string(c.Body)]++
		}
	}
	r.check(len(bodies) == 1, "the partner was told %d different things of %s %s", len(bodies), id, state)
	return nil
}
