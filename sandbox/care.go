package sandbox

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// care are the operations about customers that there are: who they are, what
// they pay, what they ask for, what they may use.
func care() []operation {
	post, get, put := http.MethodPost, http.MethodGet, http.MethodPut
	op := func(id, method, path, refusal string, do func(*Sandbox, *request) answer) operation {
		return operation{id: id, method: method, path: path, admit: basicOnly, refusal: refusal, answer: do}
	}
	list := []operation{
		op("comercial.cliente.dados.por_id", get, "/ws/comercial/cliente/{idCliente}/dados", BodyError, customerDataByID),
		op("comercial.contrato.dados.somente_contrato", post, "/ws/comercial/contrato/dados", bodyNoContract, contractOnly),
		op("comercial.clientes.logar", post, "/ws/comercial/clientes/logar", bodyNoAccess, subscriberIn),
		op("financeiro.faturas.todas", get, "/ws/financeiro/faturas/{cpfcnpj}/todas", BodyError, everyInvoice),
		op("financeiro.faturas.cliente.documento", get, "/ws/financeiro/faturas/cliente/documento/{cpfcnpj}", BodyError, openInvoicesByDocument),
		op("financeiro.fatura.aberta.linha_digitavel", get, "/ws/financeiro/fatura/aberta/{IdFatura}/linha_digitavel", BodyFalha, openLine),
		op("financeiro.fatura.linha_digitavel", post, "/ws/financeiro/fatura/{idFatura}/linha_digitavel", bodyNoAccess, ownLine),
		op("financeiro.fatura.imprimir", get, "/ws/financeiro/fatura/{idFatura}/imprimir", bodyNoInvoice, printInvoice),
		op("financeiro.negociar", put, "/ws/financeiro/negociar", bodyNoDeal, negotiate),
		op("comercial.atendimento.fechar", put, "/ws/comercial/atendimento/fechar", BodyFalha, closeTicket),
	}
	for _, t := range []operation{
		op("area.cliente.contrato", get, "/ws/area/cliente/contrato/{idContrato}", bodyNoContract, contractCard),
		op("financeiro.faturas.pagar", put, "/ws/financeiro/faturas/pagar", bodyPaid, pay),
		op("integracao.omnichannel.atendimentos.cliente", get, "/ws/integracao/omnichannel/atendimentos/cliente/{idCliente}", bodyNoCustomer, tickets),
		op("comercial.atendimentos.detalhe", get, "/ws/comercial/atendimentos/{id}", bodyNoTicket, showTicket),
		op("comercial.atendimentos.log.cadastrar", post, "/ws/comercial/atendimentos/log/cadastrar", bodyNoTicket, noteOnTicket),
		op("comercial.clientes.integracao.authentication", get, "/ws/comercial/clientes/integracao/authentication", BodyAccess, whoIs(number)),
		op("comercial.clientes.integracao.authorization", get, "/ws/comercial/clientes/integracao/authorization", BodyAccess, mayUse(number)),
		op("integracao.bittrainers.authentication", get, "/ws/integracao/bittrainers/authentication", BodyAccess, whoIs(opaque)),
		op("integracao.bittrainers.authorization", get, "/ws/integracao/bittrainers/authorization", BodyAccess, mayUse(opaque)),
	} {
		t.admit, t.token = basicAndToken, true
		list = append(list, t)
	}
	return list
}

// The document's refusals.
const (
	bodyPaid     = `{"error": "A fatura informada já se encontra inteiramente quitada."}`
	bodyNoDeal   = `{"error": "Erro ao realizar negociação", "internalError": null}`
	bodyNoTicket = `{"error": "Atendimento nao encontrado"}`
)

// everyInvoice is financeiro.faturas.todas.
func everyInvoice(s *Sandbox, r *request) answer {
	c, ok := s.data.customerByDocument(bare(r.words["cpfcnpj"]))
	if !ok {
		return unknown(`{"ClienteEncontrato": false}`)
	}
	list := []object{}
	for _, i := range s.data.invoices(func(i invoice) bool { return i.customer == c.id }) {
		one := object{}
		if i.paid {
			one = object{"DataPagamento", i.paidDay().Format(time.DateOnly)}
		}
		one = append(one, "VencimentoFormatado", i.due.Format("02/01/2006"))
		if !i.paid {
			one = append(one, "ValorMulta", i.fine)
		}
		one = append(one, "Valor", i.value, "idsContratos", i.contracts, "DebitoAutomatico", i.debit, "CodigoCliente", i.customer, "IDFatura", i.id)
		if !i.paid {
			one = append(one, "ValorJuros", i.interest)
		}
		list = append(list, append(one, "nroBoleto", i.slip, "nroDocumento", i.number, "Vencimento", i.due.Format(time.DateOnly)))
	}
	return value(object{"ClienteEncontrato", true, "Faturas", list})
}

// paidDay is when an invoice was paid: on its day, if nobody said.
func (i invoice) paidDay() time.Time {
	if i.paidAt.IsZero() {
		return i.due
	}
	return i.paidAt
}

// openInvoicesByDocument is financeiro.faturas.cliente.documento, answered as
// the operation by the customer's number: the document shows no answer.
func openInvoicesByDocument(s *Sandbox, r *request) answer {
	c, ok := s.data.customerByDocument(bare(r.words["cpfcnpj"]))
	if !ok {
		return text(http.StatusOK, `[]`)
	}
	r.params["idCliente"] = c.id
	return openInvoices(s, r)
}

// line is the digits that pay an invoice. They are no bank's.
func (i invoice) line() string {
	return fmt.Sprintf("03399.00003 %05d.000000 00001.010123 2 7155%010d", i.id%100_000, int64(i.value))
}

// openLine is financeiro.fatura.aberta.linha_digitavel.
func openLine(s *Sandbox, r *request) answer {
	i, ok := s.data.openInvoice(r.params["IdFatura"])
	if !ok {
		return unknown(BodyFalha)
	}
	return value(i.line())
}

// ownLine is financeiro.fatura.linha_digitavel.
func ownLine(s *Sandbox, r *request) answer {
	c, _, refused := s.subscriber(r)
	if refused != nil {
		return *refused
	}
	i, ok := s.data.openInvoice(r.params["idFatura"])
	if !ok || i.customer != c.id {
		return unknown(bodyNoInvoice)
	}
	return value(object{"linhaDigitavel", i.line(), "valor", i.value})
}

// printInvoice is financeiro.fatura.imprimir.
func printInvoice(s *Sandbox, r *request) answer {
	i, ok := find(s.data, &s.data.bills, func(i invoice) bool { return i.id == r.params["idFatura"] })
	if !ok {
		return unknown(bodyNoInvoice)
	}
	return file(fmt.Sprintf("fatura-%d.pdf", i.id), fmt.Sprintf("Fatura %d, vencimento %s", i.id, i.due.Format("02/01/2006")), i.line())
}

// pay is financeiro.faturas.pagar. Where nothing is left to pay a suspended
// contract is enabled again.
func pay(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	id, refused := r.long(fields, "IDFatura")
	if refused != nil {
		return *refused
	}
	amount, refused := r.money(fields, "ValorPago")
	if refused != nil {
		return *refused
	}
	when, err := time.Parse("02-01-2006", optional(fields, "DataPagamento"))
	if err != nil {
		return text(http.StatusOK, `{"error": "DataPagamento inválido."}`)
	}
	d := s.data
	d.mu.Lock()
	defer d.mu.Unlock()
	n := slices.IndexFunc(d.bills, func(i invoice) bool { return i.id == id && !i.paid })
	if n < 0 {
		if slices.ContainsFunc(d.bills, func(i invoice) bool { return i.id == id }) {
			return text(http.StatusOK, bodyPaid)
		}
		return unknown(`{"error": "IDFatura inválido."}`)
	}
	i := &d.bills[n]
	if optional(fields, "PagamentoParcial") == "1" && amount < i.value {
		i.value -= amount
		return text(http.StatusOK, bodySucesso)
	}
	i.paid, i.paidAt = true, when
	d.enable(i.contracts)
	return text(http.StatusOK, bodySucesso)
}

// enable ends the suspension of contracts that owe nothing; the data is locked.
func (d *data) enable(ids []int64) {
	for n := range d.contracts {
		k := &d.contracts[n]
		owes := slices.ContainsFunc(d.bills, func(i invoice) bool { return !i.paid && slices.Contains(i.contracts, k.id) })
		if slices.Contains(ids, k.id) && !owes && (k.status == "SUSPENSO" || k.status == "SUSPENSO PARCIALMENTE") {
			k.status = "HABILITADO"
		}
	}
}

// negotiate is financeiro.negociar: open invoices of the customer become others.
func negotiate(s *Sandbox, r *request) answer {
	c, fields, refused := s.subscriber(r)
	if refused != nil {
		return *refused
	}
	parts, ok := fields["dadosNegociacao"].([]any)
	if !ok || len(parts) == 0 {
		return *r.page(http.StatusInternalServerError)
	}
	var made []invoice
	var old []int64
	for _, part := range parts {
		of, ok := part.(map[string]any)
		if !ok {
			return *r.page(http.StatusBadRequest)
		}
		i := invoice{customer: c.id}
		if i.value, refused = r.money(of, "valorTotalParcela"); refused != nil {
			return *refused
		}
		var err error
		if i.due, err = time.Parse("02-01-2006", optional(of, "vencimentoParcela")); err != nil {
			return *r.page(http.StatusInternalServerError)
		}
		ids, refused := r.longs(of, "idsFaturasNegociadas")
		if refused != nil {
			return *refused
		}
		old, made = append(old, ids...), append(made, i)
	}
	return s.data.exchange(c.id, old, made, dayOf(s.opts.Now()))
}

// exchange puts invoices in the place of others, all of them or none.
func (d *data) exchange(customer int64, old []int64, made []invoice, now time.Time) answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	var contracts []int64
	var over []int
	for _, id := range old {
		n := slices.IndexFunc(d.bills, func(i invoice) bool { return i.id == id && i.customer == customer && !i.paid })
		if n < 0 {
			return unknown(bodyNoDeal)
		}
		over, contracts = append(over, n), append(contracts, d.bills[n].contracts...)
	}
	if len(over) == 0 {
		return unknown(bodyNoDeal)
	}
	for _, n := range over {
		d.bills[n].paid, d.bills[n].paidAt = true, now
	}
	slices.Sort(contracts)
	contracts = slices.Compact(contracts)
	list := []object{}
	for _, i := range made {
		i.contracts = contracts
		i = d.bill(i)
		list = append(list, object{
			"lancamento", now.Format("02-01-2006"), "idCliente", customer, "numeroBoleto", i.slip, "valor", i.value,
			"numeroDocumento", i.number, "vencimento", i.due.Format("02-01-2006"),
		})
	}
	return value(object{"success", "Negociação realizada com sucesso!", "object", list})
}

// ticketNote is a line in the log of a service call.
type ticketNote struct {
	ID     int64  `json:"id"`
	Ticket int64  `json:"ticket"`
	Kind   string `json:"kind"`
	Text   string `json:"text"`
	By     int64  `json:"by"`
}

// closeTicket is comercial.atendimento.fechar. Its no has no reason.
func closeTicket(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	protocol, refused := r.text(fields, "protocolo")
	if refused != nil {
		return *refused
	}
	open := func(t ticket) bool { return t.Protocol == protocol && !slices.Contains(over, t.Status) }
	if !change(s.data, &s.data.tickets, open, func(t *ticket) { t.Status = "SOLUCIONADO" }) {
		return unknown(BodyFalha)
	}
	return text(http.StatusOK, bodySucesso)
}

// firstNote is the number of the first line in a log.
const firstNote = 3603258

// noteOnTicket is comercial.atendimentos.log.cadastrar.
func noteOnTicket(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	note := ticketNote{Kind: optional(fields, "tipoAcao")}
	if note.Ticket, refused = r.long(fields, "idAtendimento"); refused != nil {
		return *refused
	}
	if note.By, refused = r.long(fields, "idUsuario"); refused != nil {
		return *refused
	}
	if note.Text, refused = r.text(fields, "acao"); refused != nil {
		return *refused
	}
	if _, ok := find(s.data, &s.data.tickets, func(t ticket) bool { return t.ID == note.Ticket }); !ok {
		return unknown(bodyNoTicket)
	}
	s.data.mu.Lock()
	defer s.data.mu.Unlock()
	note.ID = firstNote + int64(len(s.data.notes))
	s.data.notes = append(s.data.notes, note)
	return value(object{"idLogAtendimento", note.ID})
}

// showTicket is comercial.atendimentos.detalhe.
func showTicket(s *Sandbox, r *request) answer {
	t, ok := find(s.data, &s.data.tickets, func(t ticket) bool { return t.ID == r.params["id"] })
	if !ok {
		return unknown(bodyNoTicket)
	}
	c, _ := s.data.customer(t.customer)
	k, _ := s.data.contract(t.Contract)
	addresses := []object{}
	for _, a := range all(s.data, &s.data.addresses, func(a address) bool { return a.customer == c.id }) {
		p, _ := placeByID(a.place)
		addresses = append(addresses, object{
			"IDEnderecoContrato", a.id, "Complemento", orNull(a.complement), "Numero", a.number, "tipoDeEndereco", a.kind,
			"Latitude", "-20.6600000", "Longitude", "-43.7800000", "Referencia", orNull(a.landmark), "IDClassificacaoEndereco", a.class,
			"ClassificacaoEndereco", "TESTE", "NomeBairro", p.area, "IDBairro", p.areaID, "NomeCidade", p.city, "IDCidade", p.cityID,
			"Estado", p.state, "Endereco", p.short + " " + p.street, "CEP", p.cep, "Condominio", nil,
		})
	}
	return value(object{
		"IDAtendimento", t.ID, "Descricao", t.Text, "NumeroProtocolo", t.Protocol, "IDTipoAtendimento", t.Type, "Status", t.Status,
		"DataAbertura", t.opened.UnixMilli(), "DataAgendamentoVisita", nil, "IDCentroCustoDestino", t.Target,
		"Contrato", object{"IDContrato", k.id, "IDTipoContrato", 1, "Cliente", object{
			"IDCliente", c.id, "Nome", c.name, "Telefone", c.landline, "Celular", c.mobile,
		}},
		"Plano", k.plan, "Velocidade", nil, "DadosRede", object{"SerialONU", nil, "MACONU", nil}, "DadosCaixa", nil, "Enderecos", addresses,
	})
}

// naming is how a third party is told who somebody is.
type naming struct {
	write func(int64) any
	read  func(string) (int64, bool)
}

// number is the customer's own; opaque is 16 bytes in base64.
var (
	number = naming{func(id int64) any { return id }, digits}
	opaque = naming{
		func(id int64) any {
			return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(make([]byte, 8), uint64(id))) //nolint:gosec // ids are positive
		},
		func(s string) (int64, bool) {
			raw, err := base64.StdEncoding.DecodeString(s)
			if err != nil || len(raw) != 16 {
				return 0, false
			}
			return int64(binary.BigEndian.Uint64(raw[8:])), true //nolint:gosec // an unknown number is nobody's
		},
	}
)

// lives tells whether a customer has a contract that is not switched off.
func (d *data) lives(customer int64) bool {
	return slices.ContainsFunc(d.contractsOf(customer), func(k contract) bool { return k.status == "HABILITADO" || k.status == statusTrusted })
}

// whoIs is the authentication of the passive integrations.
func whoIs(names naming) func(*Sandbox, *request) answer {
	return func(s *Sandbox, r *request) answer {
		query := r.http.URL.Query()
		c, ok := s.data.customerByDocument(bare(query.Get("username")))
		if !ok || bare(query.Get("password")) != c.document || !s.data.lives(c.id) {
			return unknown(BodyAccess)
		}
		return value(object{"access", true, "subscriber_id", names.write(c.id)})
	}
}

// mayUse is the authorization of the passive integrations: any resource is
// good of a customer that lives.
func mayUse(names naming) func(*Sandbox, *request) answer {
	return func(s *Sandbox, r *request) answer {
		query := r.http.URL.Query()
		id, ok := names.read(query.Get("subscriber_id"))
		if _, resource := digits(query.Get("resource_id")); !ok || !resource || query.Get("resource_id") == "" || !s.data.lives(id) {
			return unknown(BodyAccess)
		}
		return value(object{"access", true})
	}
}
