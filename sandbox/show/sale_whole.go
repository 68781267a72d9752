package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/sandbox"
)

// saleSoon is how long a sale may take to get to where nothing but an event moves it on.
const saleSoon = 60 * time.Second

// showSale sells the document's repaired example as the pages say, then once
// more by hand, and compares what that left in the stand-ins with what was sold.
func showSale(o options, r *report) error {
	if err := saleReadme(o, r); err != nil {
		return err
	}
	w, box, err := sandboxed(o)
	if err != nil {
		return err
	}
	defer w.close()
	body, err := os.ReadFile(filepath.Join(o.root, "mappings", "sale", "testdata", wholeSale))
	if err != nil {
		return err
	}
	r.begin("the repaired example, from one JSON to working lines")
	begun := time.Now()
	id, err := w.sell(body, "example-1")
	if !r.check(err == nil, "%v", err) {
		return nil
	}
	accepted := time.Since(begun)
	if _, err := w.until(id, saleSoon, func(s *saleState) bool { return s.waits() }); !r.check(err == nil, "before the installation: %v", err) {
		return nil
	}
	ready := time.Since(begun)
	again, err := w.sell(body, "example-1")
	r.check(err == nil && again == id, "the same key again is another sale: %s, %v", again, err)
	if err := w.install(id); !r.check(err == nil, "%v", err) {
		return nil
	}
	begun = time.Now()
	s, err := w.until(id, saleSoon, is("done"))
	if !r.check(err == nil, "%v (last %+v)", err, s) {
		return nil
	}
	r.notef("accepted after %s, waiting for the installation after %s, done %s after it; %d steps recorded",
		accepted.Round(time.Millisecond), ready.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond), len(s.Steps))
	return saleLeft(r, box, id, s)
}

// sandboxed starts a gateway as `make run` does, and gives its stand-ins, where
// numbers come over at once.
func sandboxed(o options) (*standalone, string, error) {
	data, err := os.MkdirTemp("", "emenda-show-")
	if err != nil {
		return nil, "", err
	}
	p, err := begin(o.root, []string{"EMENDA_LISTEN=127.0.0.1:0", "EMENDA_ADMIN_LISTEN=127.0.0.1:0", "EMENDA_DATA=" + data}, o.bin, "serve", "--sandbox")
	if err != nil {
		return nil, "", err
	}
	g := &standalone{member{process: p, data: data}}
	if g.address, g.admin, err = serving(p, 30*time.Second); err != nil {
		g.close()
		return nil, "", err
	}
	box := regexp.MustCompile(`the stand-ins of the backends listen","address":"([^"]+)"`).FindStringSubmatch(p.err.text())
	if box == nil {
		g.close()
		return nil, "", fmt.Errorf("the log does not say where the stand-ins listen:\n%s", p.err.tail(500))
	}
	if err := boxSet(box[1], "mvno", `{"portability_step":"1ms"}`); err != nil {
		g.close()
		return nil, "", err
	}
	return g, box[1], nil
}

// standalone is a gateway with its own stand-ins.
type standalone struct{ member }

func (g *standalone) close() {
	g.kill()
	_ = os.RemoveAll(g.data)
}

// saleReadme runs the commands about sales that the pages show.
func saleReadme(o options, r *report) error {
	for _, page := range []string{"README.md", filepath.Join("docs", "sale.md")} {
		text, err := os.ReadFile(filepath.Join(o.root, page))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		all := aboutSales(readExamples(string(text)))
		if len(all) == 0 {
			continue
		}
		if err := salePage(o, r, page, all); err != nil {
			return err
		}
	}
	return nil
}

// aboutSales keeps the examples of curl and of the program from the first to the last that tells of sales.
func aboutSales(all []example) []example {
	first, last := -1, -1
	for i, e := range all {
		if strings.Contains(e.command, "/v1/vendas") || strings.Contains(e.command, "/v1/schemas/venda") {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return nil
	}
	return all[first : last+1]
}

// keptIn is where commands keep what they print, in the folder of a gateway that `make run` starts.
var keptIn = regexp.MustCompile(`\bdata/(\w+\.json)`)

// salePage runs the commands of a page; what reads is asked again while the sale is on its way.
func salePage(o options, r *report, page string, all []example) error {
	g, _, err := sandboxed(o)
	if err != nil {
		return err
	}
	defer g.close()
	r.begin("%s", page)
	for _, e := range all {
		command := readmeAddress.ReplaceAllStringFunc(e.command, func(at string) string {
			if strings.HasSuffix(at, ":8081") {
				return strings.TrimPrefix(g.admin, "http://")
			}
			return g.address
		})
		command = keptIn.ReplaceAllString(command, g.data+"/$1")
		command = "export EMENDA_ADMIN_LISTEN=" + strings.TrimPrefix(g.admin, "http://") + "\n" + command
		deadline := time.Now().Add(saleSoon)
		got, err := runExample(o.root, command)
		reads := !strings.Contains(e.command, " -d") && !strings.Contains(e.command, " -X") && !strings.Contains(e.command, "--data")
		for reads && err == nil && !matches(e.want, got) && time.Now().Before(deadline) {
			time.Sleep(200 * time.Millisecond) // the sale is on its way
			got, err = runExample(o.root, command)
		}
		if r.check(err == nil, "%s:%d: %v", page, e.line, err) {
			r.check(matches(e.want, got), "%s:%d: %s\n--- want\n%s\n--- got\n%s", page, e.line, e.command, e.want, got)
		}
	}
	r.notef("%d commands", len(all))
	return nil
}

// saleLeft compares what the example left in the stand-ins with what it sells,
// and prints it.
func saleLeft(r *report, box, id string, s *saleState) error {
	r.begin("what it left: ERP, OZmap, MVNO platform, partner")
	l, err := ledger(box)
	if err != nil {
		return err
	}
	if !r.check(len(l.Sales) == 1, "%d people in the ledger", len(l.Sales)) {
		return nil
	}
	one := &l.Sales[0]
	got := counted(one)
	r.check(got.String() == whole[wholeSale].String(), "want %s, got %s", whole[wholeSale], got)
	r.check(one.Document == "35317901K", "document %s", one.Document)
	r.check(len(l.LooseReservations) == 0 && len(l.LooseLines) == 0, "nobody's: %v %v", l.LooseReservations, l.LooseLines)
	for kind, n := range l.Made {
		want := map[string]int{"prospect": 1, "address": 2, "client": 1, "debit": 1, "contract": 5, "reservation": 1, "line": 2, "service call": 1}[kind]
		r.check(n == want, "%d of %s were made, want %d", n, kind, want)
	}
	if len(one.Prospects) == 1 && len(one.Clients) == 1 {
		p := one.Prospects[0]
		r.check(p.ID == s.Identifiers.Prospecto && p.State == "GANHOU" && p.Client == one.Clients[0], "prospect %+v", p)
		r.check(one.Clients[0] == s.Identifiers.Cliente, "client %d, told as %d", one.Clients[0], s.Identifiers.Cliente)
		r.check(p.Note == "NIF 35317901K, venda "+id, "the note %q does not tell the document and the sale", p.Note)
	}
	saleContracts(r, one, s)
	for i, res := range one.Reservations {
		r.check(i == 0 && res.Implanted && res.Ports == 1 && res.ID == s.Identifiers.Reserva, "reservation %+v", res)
		r.check(len(one.Contracts) > 0 && res.Code == fmt.Sprint(one.Contracts[0].ID), "reservation for %s", res.Code)
		r.printf("      OZmap   reservation %s: box %s, one port, code %s, implanted", res.ID, res.Box, res.Code)
	}
	lines := map[string]string{"(34) 612123123": "8934042419120320860 CONCLUIDA", "(34) 612123124": "8934045550006780004 "}
	for _, line := range one.Lines {
		is := line.SIM + " " + line.Portability
		r.check(line.Status == "ATIVO" && lines[line.Line] == is, "line %+v, want %s", line, lines[line.Line])
		r.printf("      MVNO    contract %d: line %s, %s, SIM %s, portability %q", line.Contract, line.Line, line.Status, line.SIM, line.Portability)
	}
	return saleCallback(r, box, id)
}

// saleContracts compares the contracts with what was sold.
func saleContracts(r *report, one *sandbox.LedgerSale, s *saleState) {
	want := []sandbox.LedgerContract{{Plan: 1159, Bundle: 23}, {Plan: 673, Bundle: 23}, {Plan: 692, Bundle: 23}, {Plan: 870}, {Plan: 870}}
	r.check(len(one.Contracts) == len(want) && len(s.Identifiers.Contratos) == len(want), "%d contracts, told %d", len(one.Contracts), len(s.Identifiers.Contratos))
	r.printf("      ERP     prospect %v, client %v, addresses %v, debit %v", one.Prospects, one.Clients, one.Addresses, one.Debits)
	for i, c := range one.Contracts {
		if i >= len(want) || i >= len(s.Identifiers.Contratos) {
			break
		}
		r.check(c.Plan == want[i].Plan && c.Bundle == want[i].Bundle && c.ID == s.Identifiers.Contratos[i], "contract %+v, want plan %d of bundle %d", c, want[i].Plan, want[i].Bundle)
		r.check((c.Number != 0) == (c.Plan == 673), "contract %+v: only the landline's has a number", c)
		r.printf("      ERP     contract %d: plan %d, bundle %d, number %d, %s", c.ID, c.Plan, c.Bundle, c.Number, c.Status)
	}
	for i := range one.Tickets {
		r.check(one.Tickets[i].Type == callPortFixed, "service call %+v", one.Tickets[i])
		r.printf("      ERP     service call on %d: %s", one.Tickets[i].Contract, one.Tickets[i].Text)
	}
}

// saleCallback checks what the partner heard.
func saleCallback(r *report, box, id string) error {
	heard, err := callbacks(box)
	if err != nil {
		return err
	}
	r.check(len(heard) == 1, "%d callbacks", len(heard))
	for _, c := range heard {
		var said struct{ Status string }
		r.check(json.Unmarshal(c.Body, &said) == nil && said.Status == "done" && c.ID == id, "callback %s", c.Body)
		r.check(c.Signed, "a callback was not believed: %s", c.Why)
		r.printf("      partner callback, signature right: %s", c.Body)
	}
	a, err := saleAsk(context.Background(), http.MethodPost, box+sandbox.PartnerPath, "", []byte(`{}`), "X-Emenda-Signature: sha256=00", fmt.Sprintf("X-Emenda-Timestamp: %d", time.Now().Unix()))
	r.check(err == nil && a.status == http.StatusUnauthorized, "the partner believes any signature: %v %v", a, err)
	return nil
}
