package sandbox

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// made counts what was made in all stand-ins since the last reset, though it
// has been undone since.
type made struct {
	mu     sync.Mutex
	counts map[madeKey]int
}

// madeKey is what was made, and what tells it from its like: the same again is
// the same thing made twice.
type madeKey struct{ kind, of string }

func (m *made) add(kind, of string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counts == nil {
		m.counts = map[madeKey]int{}
	}
	m.counts[madeKey{kind, of}]++
}

func (m *made) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts = nil
}

// key tells an address from the others of the same owner.
func (a address) key(owner string, id int64) string {
	return fmt.Sprintf("%s %d: %d, %d %s %s %s", owner, id, a.place, a.number, a.complement, a.kind, a.landmark)
}

func (d debit) key() string {
	return fmt.Sprintf("client %d: bank %d, branch %s, account %s-%s", d.customer, d.bank, d.branch, d.account, d.check)
}

// Ledger is what stands in the stand-ins that was made since the last reset.
type Ledger struct {
	Sales []LedgerSale `json:"sales"`
	// Twice is what was made more than once, though it has been undone since.
	Twice []LedgerTwice `json:"twice"`
	// Made counts everything that was made, by its kind.
	Made map[string]int `json:"made"`
	// Loose are reservations and lines that belong to nobody above.
	LooseReservations []LedgerReservation `json:"loose_reservations"`
	LooseLines        []LedgerLine        `json:"loose_lines"`
}

// LedgerTwice is one thing that was made more than once.
type LedgerTwice struct {
	Kind  string `json:"kind"`
	Of    string `json:"of"`
	Times int    `json:"times"`
}

// LedgerSale is everything of one document.
type LedgerSale struct {
	Document     string              `json:"document"`
	Prospects    []LedgerProspect    `json:"prospects"`
	Clients      []int64             `json:"clients"`
	Addresses    []int64             `json:"addresses"`
	Debits       []int64             `json:"debits"`
	Contracts    []LedgerContract    `json:"contracts"`
	Reservations []LedgerReservation `json:"reservations"`
	Lines        []LedgerLine        `json:"lines"`
	Tickets      []ticket            `json:"tickets"`
}

// LedgerProspect is a prospect of the ERP.
type LedgerProspect struct {
	ID     int64  `json:"id"`
	State  string `json:"state"`
	Client int64  `json:"client,omitempty"`
	Note   string `json:"note"`
}

// LedgerContract is a contract of the ERP.
type LedgerContract struct {
	ID     int64  `json:"id"`
	Client int64  `json:"client"`
	Plan   int64  `json:"plan"`
	Bundle int64  `json:"bundle,omitempty"`
	Number int64  `json:"number,omitempty"`
	Status string `json:"status"`
}

// LedgerReservation is a property of OZmap with a client.
type LedgerReservation struct {
	ID        string `json:"id"`
	Code      string `json:"code"`
	Box       string `json:"box"`
	Ports     int    `json:"ports"`
	Implanted bool   `json:"implanted"`
}

// LedgerLine is a contract of the MVNO platform.
type LedgerLine struct {
	Contract    int64  `json:"contract"`
	Line        string `json:"line"`
	Status      string `json:"status"`
	SIM         string `json:"sim,omitempty"`
	Portability string `json:"portability,omitempty"`
	document    string
}

// Ledger gives what was made since the last reset, by the customer's document
// (that of another country as the prospect's note tells it), and what was made
// twice. An empty document gives all. The demonstration customers are left out.
func (s *Sandbox) Ledger(document string) Ledger {
	sales := map[string]*LedgerSale{}
	of := func(document string) *LedgerSale {
		if sales[document] == nil {
			sales[document] = &LedgerSale{
				Document: document, Prospects: []LedgerProspect{}, Clients: []int64{}, Addresses: []int64{}, Debits: []int64{},
				Contracts: []LedgerContract{}, Reservations: []LedgerReservation{}, Lines: []LedgerLine{}, Tickets: []ticket{},
			}
		}
		return sales[document]
	}
	byContract := s.inERP(of)
	out := Ledger{LooseReservations: []LedgerReservation{}, LooseLines: []LedgerLine{}, Twice: []LedgerTwice{}, Made: map[string]int{}}
	for _, r := range s.ozmap.reservations() {
		if id, ok := digits(r.Code); ok && byContract[id] != nil {
			byContract[id].Reservations = append(byContract[id].Reservations, r)
			continue
		}
		out.LooseReservations = append(out.LooseReservations, r)
	}
	for _, l := range s.mvno.lines() {
		if sale := sales[l.document]; sale != nil {
			sale.Lines = append(sale.Lines, l)
			continue
		}
		out.LooseLines = append(out.LooseLines, l)
	}
	out.count(&s.made)
	for _, name := range slices.Sorted(maps.Keys(sales)) {
		if document == "" || name == bare(document) {
			out.Sales = append(out.Sales, *sales[name])
		}
	}
	if out.Sales == nil {
		out.Sales = []LedgerSale{}
	}
	return out
}

// inERP enters what the ERP holds, and gives whose the contracts are.
func (s *Sandbox) inERP(of func(string) *LedgerSale) map[int64]*LedgerSale {
	d := s.data
	d.mu.RLock()
	defer d.mu.RUnlock()
	byContract, byClient := map[int64]*LedgerSale{}, map[int64]*LedgerSale{}
	for _, p := range d.prospects {
		sale := of(p.who())
		sale.Prospects = append(sale.Prospects, LedgerProspect{p.ID, p.State, p.Customer, p.note})
	}
	for _, c := range d.customers {
		if c.prospect == 0 {
			continue
		}
		sale := of(cmp.Or(c.document, c.foreign))
		byClient[c.id] = sale
		sale.Clients = append(sale.Clients, c.id)
	}
	for _, a := range d.addresses {
		if sale := byClient[a.customer]; sale != nil {
			sale.Addresses = append(sale.Addresses, a.id)
		}
	}
	for _, b := range d.debits {
		if sale := byClient[b.customer]; sale != nil {
			sale.Debits = append(sale.Debits, b.id)
		}
	}
	for _, k := range d.contracts {
		if sale := byClient[k.customer]; sale != nil {
			byContract[k.id] = sale
			sale.Contracts = append(sale.Contracts, LedgerContract{k.id, k.customer, k.planID, k.bundle, k.number, k.status})
		}
	}
	for _, t := range d.tickets {
		if sale := byClient[t.customer]; sale != nil {
			sale.Tickets = append(sale.Tickets, t)
		}
	}
	return byContract
}

// reservations are those that were made since the last reset.
func (o *ozmap) reservations() []LedgerReservation {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := []LedgerReservation{}
	for _, p := range o.stores[ozProperties].list {
		c := o.stores[ozClients].find(p.text("client"))
		if n, err := strconv.ParseInt(p.text("id")[8:], 16, 64); c == nil || err != nil || n < 0x1000 {
			continue
		}
		implanted, _ := c["implanted"].(bool)
		box := o.stores[ozBoxes].find(p.text("box"))
		out = append(out, LedgerReservation{p.text("id"), c.text("code"), box.text("name"), len(ozConnections(p)), implanted})
	}
	return out
}

// lines are those that were registered since the last reset.
func (m *mvno) lines() []LedgerLine {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []LedgerLine{}
	for _, c := range m.contracts {
		if c.ID <= firstLine {
			continue
		}
		l := LedgerLine{Contract: c.ID, Line: c.String(), Status: c.Status, document: strings.ToUpper(bare(c.Owner.text("Cpf_Cnpj")))}
		if s := m.of(c.ID); s != nil {
			l.SIM = s.ICCID
		}
		if c.Port != nil {
			l.Portability = c.Port.state(c.Number, m.now())
		}
		out = append(out, l)
	}
	return out
}

// count enters how often things were made.
func (l *Ledger) count(m *made) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, n := range m.counts {
		l.Made[key.kind] += n
		if n > 1 {
			l.Twice = append(l.Twice, LedgerTwice{key.kind, key.of, n})
		}
	}
	slices.SortFunc(l.Twice, func(a, b LedgerTwice) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Of, b.Of)) })
}
