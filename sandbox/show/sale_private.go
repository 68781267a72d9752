package main

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/sandbox"
)

// heldAfter is how long an installation is waited for where one sale is to be held.
const heldAfter = 3 * time.Second

// showSalePrivate sells in every way a sale may end, at the log level that says
// most, and searches whatever the gateway writes for what was said of people.
func showSalePrivate(o options, r *report) error {
	if err := privateOn(o, r, "SQLite", nil); err != nil {
		return err
	}
	pg, err := startPostgres()
	if err != nil {
		return err
	}
	defer pg.close()
	return privateOn(o, r, "PostgreSQL", pg)
}

func privateOn(o options, r *report, name string, pg *postgres) error {
	box, err := sandbox.Start(sandbox.Options{MVNO: sandbox.MVNOOptions{PortStep: time.Millisecond}})
	if err != nil {
		return err
	}
	defer func() { _ = box.Close(context.Background()) }()
	database := ""
	if pg != nil {
		database = pg.URL()
	}
	w, err := startSales(o, 1, box.URL(), database, func(text string) string {
		return hurried(strings.Replace(text, "for: 45d", "for: "+heldAfter.String(), 1))
	}, "--log-level", "debug")
	if err != nil {
		return err
	}
	defer w.close()
	g := w.all[0]
	c := newCanaries()
	ids, err := privateSales(o, r, name, w, box, c)
	if err != nil {
		return err
	}
	r.begin("%s: what the gateway writes, searched for %d values of people", name, len(c.values))
	r.check(len(c.find(bodiesOf(box))) > len(c.values)/4, "the search finds nothing where the values are: in what the stand-ins received")
	bytes := 0
	search := func(where string, text []byte) {
		bytes += len(text)
		found := c.find(text)
		r.check(len(found) == 0, "%s holds %s", where, strings.Join(found, ", "))
	}
	for _, page := range []string{"/metrics", "/readyz", "/-/unknowns", "/-/reload", "/-/orders?limit=1000"} {
		text, err := get(g.admin + page)
		r.check(err == nil, "%s: %v", page, err)
		search(page, []byte(text))
	}
	traced := 0
	for _, id := range ids {
		text, status, err := getAny(g.admin + "/-/requests/" + id)
		r.check(err == nil, "the trace of %s: %v", id, err)
		if status == http.StatusOK {
			traced++
		}
		search("the trace of "+id, []byte(text))
	}
	for _, args := range [][]string{{"trace", ids[0]}, {"orders", "list", "--limit", "1000"}} {
		out, err := g.run(append(args, "--config", "gateway.yaml")...)
		r.check(err == nil, "%v", err)
		search("emenda "+args[0], []byte(out))
	}
	r.check(traced >= len(ids)/2, "%d of %d requests were traced", traced, len(ids))
	files, err := privateFiles(g.data, search)
	r.check(err == nil && files > 0, "%d files of data, %v", files, err)
	if pg != nil {
		text, err := pg.dump(o)
		r.check(err == nil && strings.Contains(text, "emenda_orders.orders"), "pg_dump: %v %s", err, lastLines(text, 3))
		search("the dump of PostgreSQL", []byte(text))
	}
	_, _, err = g.terminate(20 * time.Second)
	r.check(err == nil, "%v", err)
	more, err := privateFiles(g.data, search)
	r.check(err == nil, "%v", err)
	log := g.err.text() + g.out.text()
	r.check(strings.Contains(log, `"level":"DEBUG"`), "the log has no line of level debug")
	search("the log", []byte(log))
	r.notef("%d KB: %d log lines of level debug and above, metrics, %d traces, lists, %d files of data%s",
		bytes>>10, strings.Count(log, "\n"), traced, files+more, map[bool]string{true: ", a dump of every table"}[pg != nil])
	return nil
}

// privateFiles searches every file of a data folder.
func privateFiles(folder string, search func(string, []byte)) (files int, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil {
			files++
			search(filepath.Base(path), text)
		}
		return err
	})
	return files, err
}

// bodiesOf gives what the stand-ins received.
func bodiesOf(box *sandbox.Sandbox) []byte {
	var all []byte
	for _, c := range box.Calls() {
		all = append(append(all, c.Body...), '\n')
	}
	return all
}

// saleEnding is a sale and how it is to end.
type saleEnding struct {
	name, kind, state string
	install           bool
	change            func(doc map[string]any)
	faults            []sandbox.Fault
}

// privateEndings are the ways in which a sale ends; the backends' words tell of people.
func privateEndings(words string) []saleEnding {
	said := fmt.Sprintf(`{"error": %q}`, words)
	return []saleEnding{
		{name: "done", kind: wholeSale, state: "done", install: true},
		{name: "one line, done", kind: lineSale, state: "done"},
		{name: "an IBAN, done", kind: wholeSale, state: "done", install: true, change: func(doc map[string]any) {
			info := inside(doc, "payment", "info")
			account, _ := info["bank_account"].(string)
			info["bank_account"] = ibanOf(account)
		}},
		{name: "answers lost", kind: wholeSale, state: "done", install: true, faults: []sandbox.Fault{
			{Operation: "comercial.prospectos.cadastrar", Kind: sandbox.KindCutAfterRead}, {Operation: "comercial.contratos.cadastrar.pacote", Kind: sandbox.KindStatus500},
			{Operation: "ozmap.properties.create", Kind: sandbox.KindHTML}, {Operation: "mvno.cadastrar_contrato", Kind: sandbox.KindTruncate},
		}},
		{name: "refused in words that tell of people", kind: wholeSale, state: "undone", faults: []sandbox.Fault{{Operation: "comercial.prospectos.cadastrar", Kind: sandbox.KindBusiness, Times: -1, Body: said}}},
		{name: "the last step refused", kind: wholeSale, state: "undone", install: true, faults: []sandbox.Fault{{Operation: "mvno.ativar_simcard", Kind: sandbox.KindBusiness, Times: -1}}},
		{name: "no contract", kind: lineSale, state: "stuck", faults: []sandbox.Fault{{Operation: "comercial.contratos.cadastrar.demais", Kind: sandbox.KindBusiness, Times: -1, Body: said}}},
		{name: "never installed", kind: fibreSale, state: "held"},
	}
}

// privateSales sells, and gives the ids of requests and orders.
func privateSales(o options, r *report, name string, w *saleWorld, box *sandbox.Sandbox, c *canaries) (ids []string, err error) {
	g := w.all[0]
	all, err := readSales(o.root)
	if err != nil {
		return nil, err
	}
	r.begin("%s: sales that end in every way", name)
	send := func(method, path, key string, body []byte) *saleAnswer {
		id := fmt.Sprintf("private-%d", len(ids))
		a, err := saleAsk(context.Background(), method, "http://"+g.address+path, key, body, "X-Request-Id: "+id)
		if !r.check(err == nil, "%s %s: %v", method, path, err) {
			return &saleAnswer{}
		}
		ids = append(ids, id)
		return a
	}
	words := c.put("a backend's words", "O cliente Zqxpalavras CPF 71428793860 ja existe", "Zqxpalavras", "71428793860")
	var wrong []byte
	for i, e := range privateEndings(words) {
		s, err := c.sale(all, e.kind, 700+i, e.change)
		if err != nil {
			return nil, err
		}
		for _, f := range e.faults {
			f.Of = s.document()
			box.Fault(f)
		}
		var said struct{ ID string }
		a := send(http.MethodPost, "/v1/vendas", partnerKey, s.body)
		if err := a.read(&said); !r.check(err == nil && a.status == http.StatusAccepted, "%s: %s %v", e.name, a, err) {
			continue
		}
		ids = append(ids, said.ID)
		if e.install {
			r.check(g.install(said.ID) == nil, "%s: it cannot be installed", e.name)
		}
		last, err := g.until(said.ID, 2*saleSoon, is(e.state))
		r.check(err == nil, "%s: %v, %+v", e.name, err, last)
		wrong = s.body
		send(http.MethodGet, "/v1/vendas/"+said.ID, partnerKey, nil)
	}
	r.notef("%d done, undone, stuck and held", len(privateEndings(words)))
	r.check(send(http.MethodPost, "/v1/vendas/validar", partnerKey, wrong).status == http.StatusOK, "validar")
	broken := strings.Replace(string(wrong), `"country"`, `"pais"`, 1)
	broken = strings.Replace(broken, `"dealer_id":"C00000"`, `"dealer_id":"Zqxvendedor"`, 1)
	c.put("dealer_id", "Zqxvendedor")
	r.check(send(http.MethodPost, "/v1/vendas", partnerKey, []byte(broken)).status == http.StatusUnprocessableEntity, "a wrong sale")
	r.check(send(http.MethodPost, "/v1/vendas", partnerKey, wrong[:len(wrong)-9]).status == http.StatusBadRequest, "a sale cut short")
	r.check(send(http.MethodPost, "/v1/vendas", "Zqxnobody", wrong).status == http.StatusUnauthorized, "nobody's sale")
	c.put("a key", "Zqxnobody")
	send(http.MethodGet, "/v1/vendas", partnerKey, nil)
	return ids, nil
}
