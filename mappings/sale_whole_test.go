package mappings_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/sandbox"
)

// startSold starts a gateway that sells, whose log must hold nothing of people.
func startSold(t *testing.T) *sellerWorld {
	t.Helper()
	w := startSales(t, "")
	t.Cleanup(func() {
		for _, secret := range []string{sandbox.OzmapToken, sandbox.PartnerKey, "key-of-the-partner", webPartnerKey, "0200051332", "COMPRADOR", "@example.com"} {
			require.NotContains(t, w.lines.String(), secret)
		}
	})
	return w
}

// sale is a document of one customer, the document's own example otherwise.
type sale struct {
	n      int
	change func(map[string]any) // what is different in it
}

func (s sale) document() string {
	return fmt.Sprintf("%08d%c", 10_000_000+s.n, "TRWAGMYFPDXBNJZSQVHLCKE"[(10_000_000+s.n)%23])
}

func (s sale) line(i int) string { return fmt.Sprintf("6%06d%02d", s.n, 10+i) }

// luhn gives digits with the one that is right behind them.
func luhn(digits string) string {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return fmt.Sprint(digits, (10-sum%10)%10)
}

func (s sale) body(t *testing.T) []byte {
	text, err := os.ReadFile("sale/testdata/documento_reparado.json")
	require.NoError(t, err)
	doc := map[string]any{}
	require.NoError(t, json.Unmarshal(text, &doc))
	client := at(doc, "clients", "attributes", 0)
	client["document_value"], client["name"], client["email"] = s.document(), fmt.Sprint("Comprador ", s.n), "comprador@example.com"
	for i, l := range []map[string]any{at(doc, "products", "broadband", "mobile_lines", 0), at(doc, "products", "mobile_lines")} {
		l["msisdn"], l["iccid"] = s.line(i), luhn(fmt.Sprintf("8934%012d%02d", s.n, i))
	}
	if s.change != nil {
		s.change(doc)
	}
	text, err = json.Marshal(doc)
	require.NoError(t, err)
	return text
}

func at(v any, path ...any) map[string]any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			v = v.(map[string]any)[p]
		case int:
			v = v.([]any)[p]
		}
	}
	return v.(map[string]any)
}

// send sends a sale, tells that it is installed, and gives the order's id.
func (w *sellerWorld) send(s sale) string {
	id := fmt.Sprint("sale-", s.n)
	return w.sold("partner", id, s.body(w.t), "Idempotency-Key", id)
}

// ends waits for an order's end and gives what the partner heard of it last.
func (w *sellerWorld) ends(id, state string) map[string]any {
	w.t.Helper()
	last := ""
	defer func() {
		if w.t.Failed() {
			w.t.Log(last[:min(len(last), 700)])
		}
	}()
	require.Eventually(w.t, func() bool {
		d, err := w.orders.Get(context.Background(), id)
		if err != nil {
			return false
		}
		text, _ := json.Marshal(d)
		last = string(text)
		var m struct{ State string }
		_ = json.Unmarshal(text, &m)
		return m.State == state
	}, 90*time.Second, 50*time.Millisecond)
	if last == "" {
		w.t.Fatal("no order ", id)
	}
	var heard map[string]any
	for _, c := range w.box.Callbacks() {
		if c.ID == id && c.Signed {
			require.NoError(w.t, json.Unmarshal(c.Body, &heard))
		}
	}
	require.Equal(w.t, state, heard["status"], last)
	return heard
}

// of is what stands of a sale.
func (w *sellerWorld) of(s sale) sandbox.LedgerSale {
	w.t.Helper()
	all := w.box.Ledger(s.document()).Sales
	require.Len(w.t, all, 1)
	return all[0]
}

// whole checks that a sale stands once, with everything that belongs to it.
func (w *sellerWorld) whole(s sale) {
	w.t.Helper()
	made := w.of(s)
	require.Len(w.t, made.Prospects, 1)
	require.Len(w.t, made.Clients, 1)
	require.Len(w.t, made.Addresses, 2)
	require.Len(w.t, made.Debits, 1)
	require.Len(w.t, made.Contracts, 5)
	require.Len(w.t, made.Reservations, 1)
	require.True(w.t, made.Reservations[0].Implanted)
	require.Len(w.t, made.Lines, 2)
	require.Equal(w.t, []string{"ATIVO", "ATIVO"}, []string{made.Lines[0].Status, made.Lines[1].Status})
	require.Len(w.t, made.Tickets, 1, "the landline number is people's to bring")
}

// A key is that of one sale: the same, however its JSON is written, finds it, and
// another is refused.
func TestSaleIsKnownByItsKey(t *testing.T) {
	t.Parallel()
	w := startSold(t)
	first := sale{n: 700}
	send := func(body []byte) (int, map[string]any) {
		return w.post("/v1/vendas", "partner", "one", body, "Idempotency-Key", "one")
	}
	status, said := send(first.body(t))
	require.Equal(t, http.StatusAccepted, status, said)
	id := said["id"]
	about, err := w.orders.Export(t.Context(), first.document())
	require.NoError(t, err)
	require.Len(t, about.Orders, 1, "found by the person's document")
	var written bytes.Buffer
	require.NoError(t, json.Indent(&written, first.body(t), "", "\t"))
	status, said = send(written.Bytes())
	require.Equal(t, http.StatusAccepted, status, said)
	require.Equal(t, id, said["id"])
	for name, other := range map[string]sale{
		"another person": {n: 701},
		"another agent":  {n: 700, change: func(doc map[string]any) { at(doc, "sales_info")["agent_id"] = "ANOTHER" }},
	} {
		status, said = send(other.body(t))
		require.Equal(t, http.StatusUnprocessableEntity, status, name)
		require.Equal(t, "urn:problem-type:emenda:repeat_differs", said["type"], name)
	}
}

// Each partner is called back for its own sales, at its own address, under its own key.
func TestPartnersHearOfTheirOwnSales(t *testing.T) {
	t.Parallel()
	w := startSold(t)
	text, err := os.ReadFile("sale/testdata/venda_avulsa.json")
	require.NoError(t, err)
	id := w.sold("web-partner", "one", text)
	other := w.send(sale{n: 710})
	w.ends(other, "done")
	require.Eventually(t, func() bool { return len(w.web.all()) > 0 }, 60*time.Second, 50*time.Millisecond)
	require.Equal(t, []string{id + " done true"}, w.web.all())
	for _, c := range w.box.Callbacks() {
		require.Equal(t, other, c.ID)
	}
}

func TestSaleOverTheSandbox(t *testing.T) {
	t.Parallel()
	w := startSold(t)
	t.Run("whole, whatever answer is lost", func(t *testing.T) {
		w := &sellerWorld{t: t, url: w.url, box: w.box, orders: w.orders}
		lost := []string{
			"", "comercial.prospectos.cadastrar", "comercial.prospectos.enderecos.cadastrar", "comercial.prospectos.converter.cliente",
			"comercial.clientes.enderecos.cadastrar", "comercial.clientes.dados_debito.cadastrar", "comercial.contratos.cadastrar.pacote",
			"comercial.contratos.cadastrar.demais", "comercial.atendimentos.cadastrar", "ozmap.properties.create", "mvno.cadastrar_contrato",
			"mvno.ativar_simcard", "ozmap.ftth_clients.update",
		}
		sales, ids := make([]sale, 0, 2*len(lost)), []string{}
		for i, operation := range lost {
			for k, kind := range []sandbox.Kind{sandbox.KindCutAfterRead, sandbox.KindCutBeforeRead} {
				s := sale{n: 100 + 2*i + k}
				if operation != "" {
					w.box.Fault(sandbox.Fault{Operation: operation, Of: s.document(), Kind: kind})
				}
				sales, ids = append(sales, s), append(ids, w.send(s))
			}
		}
		for i, id := range ids {
			heard := w.ends(id, "done")
			require.Len(t, heard["lines"], 2)
			require.Equal(t, "CONCLUIDA", at(heard, "lines", 0)["portability"])
			w.whole(sales[i])
		}
		require.Empty(t, w.box.Ledger("").Twice)
	})
	t.Run("taken back", func(t *testing.T) {
		w := &sellerWorld{t: t, url: w.url, box: w.box, orders: w.orders}
		s := sale{n: 200}
		w.box.Fault(sandbox.Fault{Operation: "mvno.ativar_simcard", Of: s.document(), Kind: sandbox.KindBusiness})
		heard := w.ends(w.send(s), "undone")
		require.Equal(t, "chips[0]/ativado", heard["step"])
		made := w.of(s)
		require.Empty(t, made.Reservations)
		for _, l := range made.Lines {
			require.Equal(t, "CANCELADO", l.Status)
		}
		require.Len(t, made.Contracts, 5)
		require.Len(t, made.Tickets, 6, "each contract is people's to cancel, and the landline number was theirs to bring")
	})
	for _, c := range []struct {
		name, step string
		n          int
		change     func(map[string]any)
	}{
		{"a debt", "aprovado/com_divida", 0, func(doc map[string]any) { at(doc, "clients", "attributes", 0)["document_value"] = "99910000Y" }},
		{"full boxes", "viabilidade/inviavel", 302, func(doc map[string]any) {
			at(doc, "products", "broadband", "installation_info", "address")["postal_code"] = "08001"
		}},
		{"no network", "aprovado/sem_rede", 303, func(doc map[string]any) {
			at(doc, "products", "broadband", "installation_info", "address")["postal_code"] = "28001"
		}},
		{"nowhere", "viabilidade/nenhum", 304, func(doc map[string]any) {
			at(doc, "products", "broadband", "installation_info", "address")["postal_code"] = "29001"
		}},
		{"no landline number", "fixo_livre/nenhum", 305, func(doc map[string]any) {
			at(doc, "products", "broadband", "installation_info", "address")["postal_code"] = "46870"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &sellerWorld{t: t, url: w.url, box: w.box, orders: w.orders}
			s := sale{n: c.n, change: c.change}
			heard := w.ends(w.send(s), "undone")
			require.Equal(t, c.step, heard["step"])
			require.NotEmpty(t, heard["reason"])
			for _, made := range w.box.Ledger("").Sales {
				if made.Document == s.document() || made.Document == "99910000Y" {
					require.Empty(t, made.Clients)
					require.Equal(t, "PERDEU", made.Prospects[0].State)
				}
			}
		})
	}
	t.Run("a number that does not come over", func(t *testing.T) {
		for n, end := range map[string]string{"0500": "CONCLUIDA", "0501": "FALHA"} {
			w := &sellerWorld{t: t, url: w.url, box: w.box, orders: w.orders}
			s := sale{n: 400 + len(end)}
			s.change = func(doc map[string]any) {
				at(doc, "products", "broadband", "mobile_lines", 0)["msisdn"] = fmt.Sprintf("6%04d%s", s.n, n)
			}
			heard := w.ends(w.send(s), "done")
			require.Equal(t, end, at(heard, "lines", 0)["portability"])
		}
	})
}
