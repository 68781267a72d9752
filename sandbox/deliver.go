package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// The ways an invoice is sent.
const (
	byEmail = "email"
	bySMS   = "sms"
)

// bodySucesso is the documented yes of the operations that answer in a word.
const bodySucesso = `"SUCESSO"`

// The refusals of an SMS, of which the document shows none.
const (
	bodyNoInvoice = `{"error": "Fatura não encontrada"}`
	bodyNoMobile  = `{"error": "Cliente sem telefone móvel"}`
)

// delivery is an invoice that was sent to its customer.
type delivery struct {
	customer int64
	Invoice  int64  `json:"invoice"`
	By       string `json:"by"`
}

// deliver sends open invoices of a customer, all of them or none. No address
// is looked at by format: what is there is good.
func (d *data) deliver(customer int64, invoices []int64, by string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range invoices {
		d.sent = append(d.sent, delivery{customer, id, by})
	}
}

// openInvoice finds an unpaid invoice by its number.
func (d *data) openInvoice(id int64) (invoice, bool) {
	return find(d, &d.bills, func(i invoice) bool { return i.id == id && !i.paid })
}

// sendInvoices is financeiro.faturas.abertas.enviar. Its no has no reason.
func sendInvoices(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	ids, refused := r.longs(fields, "idsFaturas")
	if refused != nil {
		return *refused
	}
	c, ok := s.data.customer(r.params["idCliente"])
	if !ok || c.email == "" || len(ids) == 0 {
		return text(http.StatusOK, BodyFalha)
	}
	open := s.data.invoices(func(i invoice) bool { return i.customer == c.id && !i.paid })
	for _, id := range ids {
		if !slices.ContainsFunc(open, func(i invoice) bool { return i.id == id }) {
			return unknown(BodyFalha)
		}
	}
	s.data.deliver(c.id, ids, byEmail)
	return text(http.StatusOK, bodySucesso)
}

// sendLine is integracao.omnichannel.fatura.linha_digitavel.enviar, answered
// in the shape of its siblings: the document shows none.
func sendLine(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	id, refused := r.long(fields, "idFatura")
	if refused != nil {
		return *refused
	}
	i, ok := s.data.openInvoice(id)
	if !ok {
		return text(http.StatusOK, bodyNoInvoice)
	}
	if c, _ := s.data.customer(i.customer); c.mobile == "" {
		return text(http.StatusOK, bodyNoMobile)
	}
	s.data.deliver(i.customer, []int64{id}, bySMS)
	return value(said{fmt.Sprintf("A linha digitável da fatura de ID '%d' foi enviada por SMS com sucesso.", id), "OK"})
}

// said is how the OmniChannel operations answer.
type said struct {
	Data   string `json:"data"`
	Status string `json:"status"`
}

// longs reads a field that must be a list of whole numbers.
func (r *request) longs(fields map[string]any, name string) ([]int64, *answer) {
	if fields[name] == nil {
		return nil, r.page(http.StatusInternalServerError)
	}
	list, ok := fields[name].([]any)
	if !ok {
		return nil, r.page(http.StatusBadRequest)
	}
	out := make([]int64, 0, len(list))
	for _, v := range list {
		number, ok := v.(json.Number)
		if !ok {
			return nil, r.page(http.StatusBadRequest)
		}
		n, ok := digits(number.String())
		if !ok {
			return nil, r.page(http.StatusBadRequest)
		}
		out = append(out, n)
	}
	return out, nil
}
