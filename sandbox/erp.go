package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// The refusals of lookups. The document shows none; these follow the shapes
// of its other operations.
const (
	bodyNoContract = `{"error": "Contrato não encontrado"}`
	bodyNoCustomer = `{"error": "Cliente não encontrado"}`
)

// oddContracts are numbers that answer as the ERP might do instead of
// bodyNoContract.
var oddContracts = map[int64]answer{
	404404: text(http.StatusNotFound, `{"erro": "Contrato não encontrado"}`),
	200200: text(http.StatusOK, `{"Faturas": []}`),
}

// tokenIssue is auth.token.gerar.
func tokenIssue(s *Sandbox, _ *request) answer {
	return value(tokenOut{s.tokens.issue(0)})
}

// tokenRenew is auth.token.renovar.
func tokenRenew(s *Sandbox, r *request) answer {
	old := r.http.Header.Get("Token")
	is, _ := s.tokens.find(old)
	if s.opts.RenewRevokes {
		s.tokens.revoke(old)
	}
	return value(tokenOut{s.tokens.issue(is.renewals + 1)})
}

type tokenOut struct {
	Token string `json:"token"`
}

// contractOut is a contract as comercial.cliente.dados lists it.
type contractOut struct {
	Valor      money  `json:"ValorContrato"`
	Status     string `json:"StatusContrato"`
	ID         int64  `json:"IDContrato"`
	Plano      string `json:"DescricaoPlano"`
	Tipo       string `json:"TipoContrato"`
	Tecnologia string `json:"TipoTecnologia"`
	Vencimento int    `json:"IDVencimento"`
}

// invoiceOut is an invoice in the two lookups; the last four are absent where
// the document's example breaks off.
type invoiceOut struct {
	Contratos  []int64 `json:"idsContratos"`
	Debito     bool    `json:"DebitoAutomatico"`
	Cliente    int64   `json:"CodigoCliente"`
	Multa      money   `json:"ValorMulta"`
	ID         int64   `json:"IDFatura"`
	Juros      money   `json:"ValorJuros"`
	Boleto     *string `json:"nroBoleto,omitempty"`
	Valor      *money  `json:"Valor,omitempty"`
	Documento  *string `json:"nroDocumento,omitempty"`
	Vencimento *string `json:"Vencimento,omitempty"`
}

func (c contract) out() contractOut {
	return contractOut{
		Valor: c.value, Status: c.status, ID: c.id, Plano: c.plan,
		Tipo: c.kind, Tecnologia: c.technology, Vencimento: c.dueDay,
	}
}

func (i invoice) out() invoiceOut {
	due := i.due.Format(time.DateOnly)
	return invoiceOut{
		Contratos: i.contracts, Debito: i.debit, Cliente: i.customer, Multa: i.fine, ID: i.id, Juros: i.interest,
		Boleto: &i.slip, Valor: &i.value, Documento: &i.number, Vencimento: &due,
	}
}

// customerData is comercial.cliente.dados.
func customerData(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	document, refused := r.text(fields, "cpfcnpj")
	if refused != nil {
		return *refused
	}
	c, ok := s.data.customerByDocument(strings.ToUpper(document))
	return s.customerFile(r, c, ok)
}

// customerFile is what both operations of a customer's data answer.
func (s *Sandbox) customerFile(r *request, c customer, ok bool) answer {
	from, refused := r.date("dataInicioVencFatura")
	if refused != nil {
		return *refused
	}
	to, refused := r.date("dataFimVencFatura")
	if refused != nil {
		return *refused
	}
	if !ok {
		return text(http.StatusOK, `{"ClienteEncontrato": false}`)
	}
	contracts := []contractOut{}
	for _, k := range s.data.contractsOf(c.id) {
		if !k.unlisted {
			contracts = append(contracts, k.out())
		}
	}
	open := s.data.invoices(func(i invoice) bool { return i.customer == c.id && !i.paid && !i.unlisted })
	invoices := []invoiceOut{}
	for _, i := range open {
		if !from.IsZero() && i.due.Before(from) || !to.IsZero() && i.due.After(to) {
			continue
		}
		out := i.out()
		if i.cutShort {
			out.Boleto, out.Valor, out.Documento, out.Vencimento = nil, nil, nil, nil
		}
		invoices = append(invoices, out)
	}
	return value(struct {
		Tipo       string        `json:"TipoPessoa"`
		Encontrado bool          `json:"ClienteEncontrato"`
		Nome       string        `json:"NomeCliente"`
		Aberta     bool          `json:"ExisteFaturaSemPagamento"`
		ID         int64         `json:"IDCliente"`
		Contratos  []contractOut `json:"Contratos"`
		Chamado    bool          `json:"ExisteAtendimentoAberto"`
		Faturas    []invoiceOut  `json:"Faturas"`
	}{c.person, true, c.name, len(open) > 0, c.id, contracts, s.data.hasOpenTicket(c.id), invoices})
}

// date reads an optional dd-MM-yyyy of the query; a bad one fails inside the
// ERP.
func (r *request) date(name string) (time.Time, *answer) {
	v := r.http.URL.Query().Get(name)
	if v == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse("02-01-2006", v)
	if err != nil {
		return time.Time{}, r.page(http.StatusInternalServerError)
	}
	return t, nil
}

// contractData is comercial.contrato.dados.
func contractData(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	id, refused := r.long(fields, "idContrato")
	if refused != nil {
		return *refused
	}
	if odd, ok := oddContracts[id]; ok {
		return odd
	}
	c, ok := s.data.contract(id)
	if !ok {
		return text(http.StatusOK, bodyNoContract)
	}
	invoices := []invoiceOut{}
	for _, i := range s.data.invoices(func(i invoice) bool { return slices.Contains(i.contracts, id) }) {
		invoices = append(invoices, i.out())
	}
	return value(struct {
		contractOut
		Faturas []invoiceOut `json:"Faturas"`
	}{c.out(), invoices})
}

// promiseDays is how long a promise of payment keeps a contract enabled.
const promiseDays = 3

// promise is comercial.contrato.habilitar_confianca. Its no has no reason.
func promise(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	id, refused := r.long(fields, "idContrato")
	if refused != nil {
		return *refused
	}
	if !s.data.promise(id) {
		return text(http.StatusOK, BodyResposta)
	}
	return value(struct {
		Fim      string `json:"dataFim"`
		Resposta string `json:"resposta"`
	}{s.opts.Now().AddDate(0, 0, promiseDays).Format("02/01/2006"), "SUCESSO"})
}

// customerCard is area.cliente.informacoes.
func customerCard(s *Sandbox, r *request) answer {
	c, ok := s.data.customer(r.params["idCliente"])
	if !ok {
		return text(http.StatusOK, bodyNoCustomer)
	}
	type contractLine struct {
		Plano  string `json:"descricaoPlano"`
		ID     int64  `json:"id"`
		Status string `json:"status"`
	}
	lines := []contractLine{}
	for _, k := range s.data.contractsOf(c.id) {
		lines = append(lines, contractLine{k.plan, k.id, k.status})
	}
	type card struct {
		Fixo       string         `json:"telefoneFixo"`
		RG         string         `json:"rg"`
		Movel      string         `json:"telefoneMovel"`
		Documento  string         `json:"cpf"`
		Nome       string         `json:"nome"`
		Contratos  []contractLine `json:"contratos"`
		Nascimento *int64         `json:"dataNascimento"`
		Email      string         `json:"email"`
		Mae        string         `json:"nomeMae"`
	}
	out := struct {
		Data   card   `json:"data"`
		Status string `json:"status"`
	}{card{
		Fixo: c.landline, RG: c.rg, Movel: c.mobile, Documento: c.document, Nome: c.name,
		Contratos: lines, Email: c.email, Mae: c.mother,
	}, "OK"}
	if c.born != 0 {
		out.Data.Nascimento = &c.born
	}
	return value(out)
}

// openInvoices is financeiro.faturas.cliente.abertas.
func openInvoices(s *Sandbox, r *request) answer {
	type line struct {
		Vencimento string  `json:"VencimentoFormatado"`
		Cliente    int64   `json:"CodigoCliente"`
		ID         int64   `json:"IDFatura"`
		Valor      money   `json:"Valor"`
		Contratos  []int64 `json:"Contratos"`
	}
	id := r.params["idCliente"]
	lines := []line{}
	for _, i := range s.data.invoices(func(i invoice) bool { return i.customer == id && !i.paid }) {
		lines = append(lines, line{i.due.Format("02/01/2006"), i.customer, i.id, i.value, i.contracts})
	}
	return value(lines)
}
