package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// firstContract and firstInvoice are the first numbers that are given.
const (
	firstContract = 1283603
	firstInvoice  = 9001
)

// plans are those that the document's examples name; another one is good too.
var plans = map[int64]string{
	5: "RADIO 256KBPS", 145: "FIBRA 10MBPS FRANQUIA 360GB", 673: "FALA BEM ILIM", 692: "TV BRONZE HD", 786: "LOCACAO WI-FI", 1159: "FIBRA MAIS - 15M", 1162: "FIBRA VERO MAIS - 35M", 870: "MOVEL 10GB",
}

// groups are the technologies of plans whose kind the request does not show.
var groups = map[int64][2]string{673: {"TELEFONIA", "TELEFONIA FIXA"}, 692: {"TV", "TV POR SATELITE"}, 786: {"LOCACAO", "LOCACAO"}, 870: {"MOVEL", "MOVEL"}}

// planned is what the requests for contracts have in common.
type planned struct {
	customer customer
	due      int64
	number   int64
	note     string // what stands on the invoice
}

// plannedFields reads what every contract needs: a customer, and an address that is the customer's.
func (s *Sandbox) plannedFields(r *request, fields map[string]any) (p planned, refused *answer) {
	var customerID int64
	for name, into := range map[string]*int64{"idCliente": &customerID, "idVencimento": &p.due} {
		if *into, refused = r.long(fields, name); refused != nil {
			return p, refused
		}
	}
	at, refused := r.longs(fields, "idsEnderecos")
	if refused != nil {
		return p, refused
	}
	if v := fields["idNumero"]; v != nil && v != "" {
		if p.number, refused = r.long(fields, "idNumero"); refused != nil {
			return p, refused
		}
	}
	p.note = optional(fields, "observacaoFatura")
	c, ok := s.data.customer(customerID)
	if !ok {
		no := unknown(bodyUnknownCustomer)
		return p, &no
	}
	p.customer = c
	own := all(s.data, &s.data.addresses, func(a address) bool { return a.customer == customerID && slices.Contains(at, a.id) })
	if len(at) == 0 || len(own) != len(at) {
		no := unknown(`{"error": "O endereço informado não pertence ao cliente."}`)
		return p, &no
	}
	return p, nil
}

// contractOf makes the contract of one plan.
func (p planned) contractOf(plan int64, amount money, group string) contract {
	k := contract{
		customer: p.customer.id, status: "AGUARDANDO INSTALACAO", value: amount, plan: cmp.Or(plans[plan], "PLANO EXEMPLO"),
		kind: "RESIDENCIAL", technology: group, dueDay: int(p.due), planID: plan, note: p.note,
	}
	if group == "LOCACAO" {
		k.status = "HABILITADO" // there is nothing to install
	}
	return k
}

// shown is how the answer tells of a contract that was made.
func (p planned) shown(k contract, technology string) object {
	return object{
		"cliente", fmt.Sprintf("%d - %s", p.customer.id, p.customer.name), "valorContrato", k.value, "tecnologia", technology,
		"plano", fmt.Sprintf("%d - %s", k.planID, k.plan), "id", k.id, "status", k.status,
	}
}

// addContract is the variants of comercial.contratos.cadastrar for one plan. A
// contract's first invoice is open at once, a month ahead.
func addContract(group, technology string) func(*Sandbox, *request) answer {
	return func(s *Sandbox, r *request) answer {
		fields, refused := r.fields()
		if refused != nil {
			return *refused
		}
		plan, refused := r.long(fields, "idPlano")
		if refused != nil {
			return *refused
		}
		amount, refused := r.money(fields, "valorContrato")
		if refused != nil {
			return *refused
		}
		p, refused := s.plannedFields(r, fields)
		if refused != nil {
			return *refused
		}
		group, technology := group, technology
		if known, ok := groups[plan]; ok && group == "LOCACAO" {
			group, technology = known[0], known[1]
		}
		k := p.contractOf(plan, amount, group)
		k.number = p.number
		made, refused := s.sign([]contract{k})
		if refused != nil {
			return *refused
		}
		return value(object{"resposta", p.shown(made[0], technology)})
	}
}

// addPackage is comercial.contratos.cadastrar.pacote: all of the plans or none.
func addPackage(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	bundle, refused := r.long(fields, "idPacote")
	if refused != nil {
		return *refused
	}
	p, refused := s.plannedFields(r, fields)
	if refused != nil {
		return *refused
	}
	items, _ := fields["dadosPlanosPacote"].([]any)
	list, technologies := []contract{}, []string{}
	for _, item := range items {
		of, ok := item.(map[string]any)
		if !ok {
			return *r.page(http.StatusBadRequest)
		}
		plan, refused := r.long(of, "idPlano")
		if refused != nil {
			return *refused
		}
		amount, refused := r.money(of, "valorContrato")
		if refused != nil {
			return *refused
		}
		group, ok := groups[plan]
		if !ok {
			group = [2]string{"INTERNET", "FIBRA"}
		}
		k := p.contractOf(plan, amount, group[0])
		k.bundle = bundle
		if group[0] == "TELEFONIA" {
			k.number = p.number
		}
		list, technologies = append(list, k), append(technologies, group[1])
	}
	made, refused := s.sign(list)
	if refused != nil {
		return *refused
	}
	out := []object{}
	for i, k := range made {
		out = append(out, p.shown(k, technologies[i]))
	}
	return value(object{"resposta", out})
}

// sign keeps new contracts and their first invoices, or none of them where a
// landline number is taken.
func (s *Sandbox) sign(list []contract) ([]contract, *answer) {
	d := s.data
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range list {
		if k.number != 0 && d.numberTaken(k.number) {
			no := text(http.StatusOK, bodyNumberTaken)
			return nil, &no
		}
	}
	for i := range list {
		k := &list[i]
		k.id = firstContract + int64(len(d.contracts)-len(demoContracts()))
		d.contracts = append(d.contracts, *k)
		d.bill(invoice{customer: k.customer, contracts: []int64{k.id}, value: k.value, due: dayOf(s.opts.Now().AddDate(0, 1, 0))})
		s.made.add("contract", strings.TrimSpace(fmt.Sprintf("client %d plan %d %s", k.customer, k.planID, k.note)))
	}
	return list, nil
}

// bill gives a new invoice its numbers and keeps it; the data is locked.
func (d *data) bill(i invoice) invoice {
	n := int64(len(d.bills) - len(demoInvoices()))
	i.id = firstInvoice + n
	i.slip, i.number = fmt.Sprintf("%012d", 900_000+n), fmt.Sprintf("%010d", 326_100_000+n)
	d.bills = append(d.bills, i)
	return i
}

// dayOf is a time's day.
func dayOf(t time.Time) time.Time { return day(t.Year(), t.Month(), t.Day()) }

// money reads an amount, in digits or in text.
func (r *request) money(fields map[string]any, name string) (money, *answer) {
	v, refused := r.text(fields, name)
	if refused != nil {
		return 0, refused
	}
	f, err := json.Number(v).Float64()
	if err != nil || math.Abs(f) > 1e12 {
		return 0, r.page(http.StatusBadRequest)
	}
	return money(math.Round(f * 100)), nil
}

// contractOnly is comercial.contrato.dados.somente_contrato.
func contractOnly(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	id, refused := r.long(fields, "idContrato")
	if refused != nil {
		return *refused
	}
	c, ok := s.data.contract(id)
	if !ok {
		return unknown(bodyNoContract)
	}
	addresses := []object{}
	for _, a := range all(s.data, &s.data.addresses, func(a address) bool { return a.customer == c.customer }) {
		p, _ := placeByID(a.place)
		addresses = append(addresses, object{
			"Logradouro", p.kind + " " + p.street, "UF", p.state, "Numero", a.number, "Tipo", a.kind, "Complemento", orNull(a.complement),
			"Bairro", p.area, "Cidade", p.city, "CEP", p.cep,
		})
	}
	return value(object{
		"ValorContrato", c.value, "Tecnologia", "FIBRA", "TipoContrato", c.kind, "StatusContrato", c.status, "IDContrato", c.id,
		"DescricaoPlano", c.plan, "Enderecos", addresses, "TipoTecnologia", c.technology, "IDVencimento", c.dueDay,
	})
}

// contractCard is area.cliente.contrato, of which the document shows no answer.
func contractCard(s *Sandbox, r *request) answer {
	c, ok := s.data.contract(r.params["idContrato"])
	if !ok {
		return unknown(bodyNoContract)
	}
	return value(object{"data", object{
		"id", c.id, "idCliente", c.customer, "descricaoPlano", c.plan, "status", c.status, "valor", c.value, "idVencimento", c.dueDay,
	}, "status", "OK"})
}

// customerDataByID is comercial.cliente.dados.por_id.
func customerDataByID(s *Sandbox, r *request) answer {
	c, ok := s.data.customer(r.params["idCliente"])
	return s.customerFile(r, c, ok)
}

// bodyNoAccess is the document's refusal of a subscriber's credentials.
const bodyNoAccess = `{"error": "Nao foi possivel encontrar um cliente com esses dados de acesso"}`

// subscriber finds who signs in with usuario and senha. Every customer's
// password is the document, as in the document's examples.
func (s *Sandbox) subscriber(r *request) (customer, map[string]any, *answer) {
	fields, refused := r.fields()
	if refused != nil {
		return customer{}, nil, refused
	}
	user, refused := r.text(fields, "usuario")
	if refused != nil {
		return customer{}, nil, refused
	}
	password, refused := r.text(fields, "senha")
	if refused != nil {
		return customer{}, nil, refused
	}
	c, ok := s.data.customerByDocument(bare(user))
	if !ok || bare(password) != c.document {
		no := unknown(bodyNoAccess)
		return customer{}, nil, &no
	}
	return c, fields, nil
}

// subscriberIn is comercial.clientes.logar.
func subscriberIn(s *Sandbox, r *request) answer {
	c, _, refused := s.subscriber(r)
	if refused != nil {
		return *refused
	}
	contracts := []object{}
	for _, k := range s.data.contractsOf(c.id) {
		contracts = append(contracts, object{
			"ValorContrato", k.value, "Tecnologia", "FIBRA", "PlanoContrato", k.plan, "StatusContrato", k.status, "CodContrato", k.id, "IDVencimento", k.dueDay,
		})
	}
	return value(object{
		"Celular", c.mobile, "NomeCompleto", c.name, "Email", c.email, "CodigoCliente", c.id, "NomeTratamento", c.name,
		"TelefoneFixo", c.landline, "DataNascimento", c.born, "CPF", c.document, "Contratos", contracts,
	})
}
