package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// bodyNoCredit is the document's refusal of a credit query.
const bodyNoCredit = `{"error": "Erro ao verificar credito"}`

// The beginnings of documents whose credit is refused; see doc.go.
const (
	debtor     = "9991"
	spcRefused = "9992"
	csRefused  = "9993"
)

// prospectAsked finds the prospect that a credit query is about.
func (s *Sandbox) prospectAsked(r *request) (prospect, *answer) {
	_, id, refused := r.prospectField()
	if refused != nil {
		return prospect{}, refused
	}
	p, ok := find(s.data, &s.data.prospects, func(p prospect) bool { return p.ID == id })
	if !ok {
		no := unknown(bodyUnknownProspect)
		return prospect{}, &no
	}
	return p, nil
}

// internalCredit is comercial.prospectos.credito_interno.consultar: the unpaid
// invoices that are overdue of a customer with the prospect's document.
func internalCredit(s *Sandbox, r *request) answer {
	p, refused := s.prospectAsked(r)
	if refused != nil {
		return *refused
	}
	list := []object{}
	debt := func(customer int64, i invoice) {
		list = append(list, object{
			"idCliente", customer, "numeroBoleto", i.slip, "dataVencimento", i.due.Format("02-01-2006"), "valor", i.value, "valorPago", nil,
			"id", i.id, "numeroDocumento", i.number,
		})
	}
	if c, ok := s.data.customerByDocument(p.Document); ok {
		for _, i := range s.data.invoices(func(i invoice) bool { return i.customer == c.id && !i.paid && i.due.Before(s.opts.Now()) }) {
			debt(c.id, i)
		}
	}
	if strings.HasPrefix(p.who(), debtor) {
		debt(81593, invoice{id: 12205372, value: 99_90, due: day(2021, time.April, 5), slip: "21", number: "0421183459"})
	}
	if len(list) == 0 {
		return value(object{"resposta", object{"possuiDivida", false}})
	}
	return value(object{"resposta", object{"possuiDivida", true, "faturas", list}})
}

// askSPC is comercial.prospectos.spc.consultar, a query that costs.
func askSPC(s *Sandbox, r *request) answer {
	p, refused := s.prospectAsked(r)
	if refused != nil {
		return *refused
	}
	s.made.add("spc query", p.who())
	good := !strings.HasPrefix(p.who(), spcRefused)
	score, restrictions, class := 812, 0, "A"
	if !good {
		score, restrictions, class = 120, 7, "F"
	}
	cpf, cnpj := p.documents()
	return value(object{"resposta", object{
		"id", 19140 + p.ID - firstProspect, "dataConsulta", s.opts.Now().UnixMilli(), "idUsuario", 5, "tipoPessoa", p.person, "cpf", cpf, "cnpj", cnpj,
		"nome", p.Name, "totalRestricoes", restrictions, "detalhesLojistas", []object{}, "analisesCredito", []object{},
		"score", score, "probabilidade", 31.15, "classe", class, "aprovado", good,
	}})
}

// askClearSale is comercial.prospectos.clear_sale.consultar, a query that costs.
func askClearSale(s *Sandbox, r *request) answer {
	p, refused := s.prospectAsked(r)
	if refused != nil {
		return *refused
	}
	s.made.add("clear sale query", p.who())
	points := 90.99
	if strings.HasPrefix(p.who(), csRefused) {
		points = 12.5
	}
	return value(object{"resposta", object{
		"id", 22 + p.ID - firstProspect, "tipo", 0, "verificaEmail", false, "verificaTelefone", false,
		"resultado", object{"ponto", object{"valor", points, "razao", "Pontuação de demonstração", "data", s.opts.Now().Format("2006-01-02T15:04:05.000")}},
		"sucesso", true, "tempoResposta", 11, "mensagem", "TESTE",
	}})
}

// findCustomers is comercial.clientes.buscar.vendedor, of which the document
// shows no answer: as its sibling for prospects.
func findCustomers(s *Sandbox, r *request) answer {
	query, list := r.http.URL.Query(), []object{}
	for _, c := range all(s.data, &s.data.customers, func(c customer) bool { return c.seller != 0 && c.seller == r.params["idVendedor"] }) {
		if n, ok := digits(query.Get("id")); query.Get("id") != "" && (!ok || n != c.id) || query.Get("documento") != "" && bare(query.Get("documento")) != c.document {
			continue
		}
		cpf, cnpj := prospect{person: c.person, Document: c.document}.documents()
		list = append(list, object{"id", c.id, "nome", c.name, "cpf", cpf, "cnpj", cnpj})
	}
	return value(object{"resposta", list})
}

// debit is an account that a customer's invoices may be drawn from.
type debit struct {
	id, customer, bank                          int64
	holder, branch, branchCheck, account, check string
}

// firstDebit is the number of the first that is kept.
const firstDebit = 6935

// addDebits is comercial.clientes.dados_debito.cadastrar: all of the list or none.
func addDebits(s *Sandbox, r *request) answer {
	body, refused := r.json()
	if refused != nil {
		return *refused
	}
	items, ok := body.([]any)
	if !ok || len(items) == 0 {
		return *r.page(http.StatusBadRequest)
	}
	list := make([]debit, len(items))
	for i, item := range items {
		fields, ok := item.(map[string]any)
		if !ok {
			return *r.page(http.StatusBadRequest)
		}
		d := &list[i]
		for name, into := range map[string]*int64{"idCliente": &d.customer, "idBanco": &d.bank} {
			if *into, refused = r.long(fields, name); refused != nil {
				return *refused
			}
		}
		for name, into := range map[string]*string{
			"nomeTitular": &d.holder, "agencia": &d.branch, "contaCorrente": &d.account, "dvContaCorrente": &d.check,
		} {
			if *into, refused = r.text(fields, name); refused != nil {
				return *refused
			}
		}
		d.branchCheck = optional(fields, "dvAgencia")
		if _, ok := s.data.customer(d.customer); !ok {
			return unknown(bodyUnknownCustomer)
		}
	}
	s.data.mu.Lock()
	defer s.data.mu.Unlock()
	ids := []int64{}
	for _, d := range list {
		d.id = firstDebit + int64(len(s.data.debits))
		s.data.debits = append(s.data.debits, d)
		ids = append(ids, d.id)
		s.made.add("debit", d.key())
	}
	return value(object{"idsDadosDebitoCliente", ids})
}

// debitsOf is comercial.clientes.dados_debito, of which the document shows no answer.
func debitsOf(s *Sandbox, r *request) answer {
	id := r.params["idCliente"]
	if _, ok := s.data.customer(id); !ok {
		return unknown(bodyUnknownCustomer)
	}
	list := []object{}
	for _, d := range all(s.data, &s.data.debits, func(d debit) bool { return d.customer == id }) {
		list = append(list, object{
			"id", d.id, "idBanco", d.bank, "nomeTitular", d.holder, "agencia", d.branch, "dvAgencia", orNull(d.branchCheck),
			"contaCorrente", d.account, "dvContaCorrente", d.check,
		})
	}
	slices.SortFunc(list, func(a, b object) int { return int(a[1].(int64) - b[1].(int64)) })
	return value(object{"resposta", list})
}
