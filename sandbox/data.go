package sandbox

import (
	"slices"
	"sync"
	"time"
)

// customer is an invented person or company.
type customer struct {
	id       int64
	document string
	person   string
	name     string
	rg       string
	landline string
	mobile   string
	email    string
	mother   string
	born     int64  // epoch milliseconds, 0 for a company
	note     string // what there is to try, for Customers
	// foreign is the document of another country; seller and prospect say where
	// a customer that was a prospect comes from.
	foreign          string
	seller, prospect int64
}

// contract is one contract of a customer.
type contract struct {
	id, customer int64
	status       string
	value        money
	plan         string
	kind         string
	technology   string
	dueDay       int
	// unlisted contracts are left out by comercial.cliente.dados, as the
	// document's example does.
	unlisted bool
	// promises is how many promises of payment were granted.
	promises int
	// bundle and number are the package and the landline number of one that was
	// made here, planID its plan, note what stands on its invoice.
	bundle, number, planID int64
	note                   string
}

// invoice is one invoice over one or more contracts.
type invoice struct {
	id, customer   int64
	contracts      []int64
	value          money
	fine, interest money
	due            time.Time
	slip, number   string
	debit, paid    bool
	paidAt         time.Time
	unlisted       bool
	// cutShort is shown by comercial.cliente.dados only as far as the
	// document's example goes.
	cutShort bool
}

const (
	person  = "PessoaFisica"
	company = "PessoaJuridica"
)

// data is what the stand-in knows; operations that change something change it
// here, reset brings back the tables below.
type data struct {
	mu         sync.RWMutex
	customers  []customer
	contracts  []contract
	bills      []invoice
	sent       []delivery
	tickets    []ticket
	phoneCalls []phoneCall
	prospects  []prospect
	addresses  []address
	notes      []ticketNote
	debits     []debit
}

func newData() *data {
	d := &data{}
	d.reset()
	return d
}

func (d *data) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.customers, d.contracts, d.bills = demoCustomers(), demoContracts(), demoInvoices()
	d.sent, d.tickets, d.phoneCalls = nil, demoTickets(), nil
	d.prospects, d.addresses, d.notes, d.debits = nil, demoAddresses(), nil, nil
}

// find gives a copy of the first entry that fits.
func find[T any](d *data, in *[]T, fits func(T) bool) (T, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if i := slices.IndexFunc(*in, fits); i >= 0 {
		return (*in)[i], true
	}
	var none T
	return none, false
}

// all gives copies of the entries that fit, in the order of the table.
func all[T any](d *data, in *[]T, fits func(T) bool) []T {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var out []T
	for _, v := range *in {
		if fits(v) {
			out = append(out, v)
		}
	}
	return out
}

// change changes the first entry that fits, and tells whether there was one.
func change[T any](d *data, in *[]T, fits func(T) bool, do func(*T)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(*in, fits)
	if i >= 0 {
		do(&(*in)[i])
	}
	return i >= 0
}

func (d *data) customer(id int64) (customer, bool) {
	return find(d, &d.customers, func(c customer) bool { return c.id == id })
}

func (d *data) customerByDocument(document string) (customer, bool) {
	return find(d, &d.customers, func(c customer) bool { return document != "" && c.document == document })
}

func (d *data) contract(id int64) (contract, bool) {
	return find(d, &d.contracts, func(c contract) bool { return c.id == id })
}

func (d *data) contractsOf(customer int64) []contract {
	return all(d, &d.contracts, func(c contract) bool { return c.customer == customer })
}

// The statuses that a promise of payment asks about.
const (
	statusTrusted   = "HABILITADO EM CONFIANCA"
	statusCancelled = "CANCELADO"
)

// promise enables a contract on trust, once; false means that there is none
// of that number, or that it cannot be (any more).
func (d *data) promise(id int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.contracts, func(c contract) bool { return c.id == id })
	if i < 0 || d.contracts[i].status == statusTrusted || d.contracts[i].status == statusCancelled {
		return false
	}
	d.contracts[i].status = statusTrusted
	d.contracts[i].promises++
	return true
}

func (d *data) invoices(fits func(invoice) bool) []invoice {
	return all(d, &d.bills, fits)
}

func demoCustomers() []customer {
	return []customer{
		{id: 81593, document: "12312312312", person: person, name: "CLIENTE TESTE", rg: "11111111",
			landline: "3133330001", mobile: "3199990001", email: "cliente.teste@example.com", mother: "MAE TESTE",
			born: 656218800000, note: "the document's own example"},
		{id: 311600, document: "12345678900", person: person, name: "TESTE TESTE", rg: "11111111",
			landline: "3199990000", mobile: "3199990000", email: "teste@example.com", mother: "TESTE TESTE",
			born: 656218800000, note: "the document's other example, no invoices"},
		{id: 366890, document: "11144477735", person: person, name: "FATURA EXEMPLO", rg: "22222222",
			landline: "3133330003", mobile: "3199990003", email: "fatura.exemplo@example.com", mother: "MAE EXEMPLO",
			born: 315543600000, note: "three open invoices of one contract"},
		{id: 500001, document: "52998224725", person: person, name: "MARIA EXEMPLO DA SILVA", rg: "33333333",
			landline: "3133330004", mobile: "3199990004", email: "maria@example.com", mother: "ANA EXEMPLO",
			born: 473396400000, note: "an invoice over two contracts, one paid"},
		{id: 500002, document: "39053344705", person: person, name: "JOAO EXEMPLO DE SOUZA", rg: "44444444",
			landline: "", mobile: "3199990005", email: "joao@example.com", mother: "RITA EXEMPLO",
			born: 631162800000, note: "suspended, overdue with fine and interest"},
		{id: 500003, document: "24681357928", person: person, name: "ANDRÉ EXEMPLO DA CONCEIÇÃO", rg: "55555555",
			landline: "", mobile: "3199990006", email: "", mother: "LIA EXEMPLO",
			born: 788929200000, note: "waiting; no e-mail address, a contract without invoices"},
		{id: 500004, document: "97531864282", person: person, name: "SEM CONTRATO EXEMPLO", rg: "66666666",
			landline: "", mobile: "", email: "sem.contrato@example.com", mother: "EVA EXEMPLO",
			born: 157777200000, note: "no contract at all"},
		{id: 500005, document: "11222333000181", person: company, name: "PADARIA EXEMPLO LTDA",
			landline: "3133330008", mobile: "3199990008", email: "padaria@example.com",
			note: "inactive, in negotiation, cancelled"},
		{id: 500006, document: "12ABC34501DE35", person: company, name: "TECNOLOGIA EXEMPLO S.A.",
			landline: "3133330009", mobile: "", email: "tecnologia@example.com",
			note: "letters in the CNPJ; a status outside the table; no mobile telephone"},
	}
}

func demoContracts() []contract {
	return []contract{
		home(1283299, 81593, "HABILITADO", 105_49, "FIBRA RES 10MBPS FRANQUIA 360GB"),
		home(1283303, 81593, statusTrusted, 9_90, "LOCACAO DE EQUIPAMENTOS"),
		unlisted(home(1283321, 81593, "HABILITADO", 66_99, "FIBRA RES 2/6MBPS ILIM.")),
		unlisted(home(1283322, 81593, "HABILITADO", 249_00, "FIBRA RES 500MBPS ILIM.")),
		home(311622, 311600, "HABILITADO", 49_90, "PLANO INTERNET TESTE - PRE"),
		other(311623, 311600, statusCancelled, 29_90, "PLANO TELEFONIA TESTE - PRE", "TELEFONIA"),
		home(1282441, 366890, "HABILITADO", 109_90, "FIBRA RES 50MBPS ILIM."),
		home(1300001, 500001, "HABILITADO", 99_90, "FIBRA RES 300MBPS ILIM."),
		other(1300002, 500001, statusTrusted, 39_90, "TELEFONIA FIXA ILIMITADA", "TELEFONIA"),
		home(1300011, 500002, "SUSPENSO", 119_90, "FIBRA RES 600MBPS ILIM."),
		home(1300012, 500002, "SUSPENSO PARCIALMENTE", 79_90, "FIBRA RES 100MBPS ILIM."),
		home(1300021, 500003, "AGUARDANDO INSTALACAO", 89_90, "FIBRA RES 200MBPS ILIM."),
		home(1300022, 500003, "AGUARDANDO PAGAMENTO", 89_90, "FIBRA RES 200MBPS ILIM."),
		home(1300023, 500003, "AGUARDANDO AMPLIACAO", 129_90, "FIBRA RES 1GBPS ILIM."),
		other(1300031, 500005, "INATIVO TEMPORARIAMENTE", 199_00, "FIBRA EMPRESA 300MBPS", "INTERNET"),
		other(1300032, 500005, "EM NEGOCIACAO", 59_00, "HOSPEDAGEM EXEMPLO", "HOSPEDAGEM"),
		other(1300033, 500005, statusCancelled, 149_00, "FIBRA EMPRESA 100MBPS", "INTERNET"),
		other(1300041, 500006, "HABILITADO", 899_00, "LINK DEDICADO 100MBPS", "INTERNET"),
		other(1300042, 500006, "EM ANALISE DE CREDITO", 1_250_00, "LINK DEDICADO 200MBPS", "INTERNET"),
	}
}

func home(id, customer int64, status string, value money, plan string) contract {
	return contract{id: id, customer: customer, status: status, value: value, plan: plan,
		kind: "RESIDENCIAL", technology: "INTERNET", dueDay: 4}
}

func other(id, customer int64, status string, value money, plan, technology string) contract {
	return contract{id: id, customer: customer, status: status, value: value, plan: plan,
		kind: "OUTROS", technology: technology, dueDay: 1}
}

func unlisted(c contract) contract {
	c.unlisted = true
	return c
}

func demoInvoices() []invoice {
	return []invoice{
		{id: 90, customer: 81593, contracts: []int64{1283299, 1283303}, value: 315_98, due: day(2020, 7, 10),
			slip: "00000085425P", number: "0320283295", cutShort: true},
		{id: 90, customer: 81593, contracts: []int64{1283322, 1283321}, value: 315_98, due: day(2021, 3, 9),
			slip: "00000085425P", number: "0320283295", unlisted: true},

		{id: 89, customer: 366890, contracts: []int64{1282441}, value: 112_40, due: day(2020, 5, 10),
			slip: "000000854260", number: "0320283296"},
		{id: 8, customer: 366890, contracts: []int64{1282441}, value: 109_90, due: day(2020, 6, 22),
			slip: "000000854279", number: "0320283297"},
		{id: 9, customer: 366890, contracts: []int64{1282441}, value: 109_90, due: day(2020, 7, 22),
			slip: "000000854287", number: "0320283298"},

		{id: 7001, customer: 500001, contracts: []int64{1300001}, value: 99_90, due: day(2026, 9, 10),
			slip: "000000854295", number: "0326000001", paid: true},
		{id: 7002, customer: 500001, contracts: []int64{1300001, 1300002}, value: 139_80, due: day(2026, 10, 10),
			slip: "000000854309", number: "0326000002"},
		{id: 7003, customer: 500001, contracts: []int64{1300001}, value: 99_90, due: day(2026, 11, 10),
			slip: "000000854317", number: "0326000003"},

		{id: 7011, customer: 500002, contracts: []int64{1300011}, value: 119_90, fine: 2_40, interest: 1_56, due: day(2026, 7, 4),
			slip: "000000854325", number: "0326000011"},
		{id: 7012, customer: 500002, contracts: []int64{1300011, 1300012}, value: 199_80, fine: 4_00, interest: 66, due: day(2026, 8, 4),
			slip: "000000854333", number: "0326000012"},

		{id: 7021, customer: 500003, contracts: []int64{1300022}, value: 89_90, due: day(2026, 10, 4),
			slip: "000000854341", number: "0326000021"},
		{id: 7022, customer: 500003, contracts: []int64{1300023}, value: 129_90, due: day(2026, 9, 4),
			slip: "00000085435X", number: "0326000022", paid: true},

		{id: 7031, customer: 500005, contracts: []int64{1300031, 1300032}, value: 258_00, due: day(2026, 8, 1),
			slip: "000000854368", number: "0326000031"},
		{id: 7032, customer: 500005, contracts: []int64{1300033}, value: 149_00, due: day(2026, 3, 1),
			slip: "000000854376", number: "0326000032", paid: true},

		{id: 7041, customer: 500006, contracts: []int64{1300041}, value: 899_00, due: day(2026, 11, 1),
			slip: "000000854384", number: "0326000041", debit: true},
		{id: 7042, customer: 500006, contracts: []int64{1300042}, value: 1_250_00, due: day(2026, 11, 1),
			slip: "000000854392", number: "0326000042"},
	}
}

// day is a due date; the ERP knows no time of day for it.
func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}
