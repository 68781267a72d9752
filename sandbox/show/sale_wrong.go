package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/emenda-gateway/emenda/sandbox"
)

const (
	// leastWrong is how many variants there must be, each with one rule broken.
	leastWrong = 60
	// mutations is how many random changes of a valid sale are sent; the test itself plays ten rounds.
	mutations = 2000
)

// showSaleWrong runs the tests of wrong sales against a gateway with backends, over
// real HTTP: what is wrong is sent both to be looked at and to be sold, and nothing may come of it.
func showSaleWrong(o options, r *report) error {
	box, err := sandbox.Start(sandbox.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = box.Close(context.Background()) }()
	w, err := startSales(o, 0, box.URL(), "", nil)
	if err != nil {
		return err
	}
	defer w.close()
	w.env = append(w.env, "PARTNER_KEY=key-of-parceiro", "PARTNER_WEB_KEY=key-of-parceiro_web") // the tests' own
	g, err := w.more()
	if err != nil {
		return err
	}
	rounds := o.scaled(mutations)
	for _, part := range []struct{ about, test, flag string }{
		{"each rule broken alone", "TestSaleOfTheDocument|TestWrongSales|TestSaleShapes", ""},
		{fmt.Sprintf("%d random changes of a valid sale", rounds), "TestOneMutationOfASale", fmt.Sprintf("-rapid.checks=%d", max(1, rounds/10))},
	} {
		r.begin("%s, over HTTP", part.about)
		if err := saleTests(o, r, g, part.test, part.flag); err != nil {
			return err
		}
		counts := map[string]int{}
		err := boxGet(w.box, "counts", &counts)
		r.check(err == nil && len(counts) == 0, "backends were called: %v %v", counts, err)
		r.check(len(box.Calls()) == 0, "%d calls arrived", len(box.Calls()))
		l := box.Ledger("")
		r.check(len(l.Made) == 0 && len(l.Sales) == 0, "something was made: %v", l.Made)
		out, err := g.run("orders", "list", "--config", "gateway.yaml")
		r.check(err == nil && strings.TrimSpace(out) == "no orders", "there are orders: %s %v", out, err)
		r.notef("no call to any backend, no order")
	}
	return nil
}

var (
	wrongSaleEnd = regexp.MustCompile(`(?m)^\s+--- (PASS|FAIL): (\S+)/(.*) \(`)
	mutationEnd  = regexp.MustCompile(`(\d+) accepted, (\d+) refused`)
)

// saleTests runs tests of the mappings against a running gateway.
func saleTests(o options, r *report, g *member, names, flag string) error {
	args := []string{"test", "-count=1", "-timeout", "15m", "-run", "^(" + names + ")$", "-v", "./mappings"}
	if flag != "" {
		args = append(args, flag)
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = o.root
	cmd.Env = append(cleanEnvironment(), "SALE_GATEWAY=http://"+g.address)
	out, err := cmd.CombinedOutput()
	if os.IsNotExist(err) {
		return err
	}
	text := string(out)
	alone := map[string]int{}
	for _, m := range wrongSaleEnd.FindAllStringSubmatch(text, -1) {
		r.check(m[1] == "PASS", "%s: %s", m[2], m[3])
		alone[m[2]]++
	}
	if n := alone["TestWrongSales"]; strings.Contains(names, "TestWrongSales") {
		r.check(n >= leastWrong, "only %d variants", n)
		r.notef("%d variants: rules broken alone, check digits that warn or refuse, what may be so as well; in both languages", n)
	}
	if m := mutationEnd.FindStringSubmatch(text); m != nil {
		r.notef("%s were accepted, %s refused where they stand, above it, or at a field that the rule names", m[1], m[2])
	} else {
		r.check(flag == "", "no figures of the mutations")
	}
	if !r.check(err == nil, "go test: %v", err) {
		r.printf("%s", lastLines(text, 40))
	}
	return nil
}
