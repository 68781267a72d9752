package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/emenda-gateway/emenda/sandbox"
)

// The documents that sales are made of.
const (
	wholeSale = "documento_reparado.json" // a package, a landline, two mobile lines, one brought along
	lineSale  = "venda_movel.json"        // one mobile line: nothing is installed
	fibreSale = "venda_internet.json"     // internet alone
)

// sold is one sale to one person.
type sold struct {
	n    int    // tells it from others
	kind string // the document it is made of
	body []byte
}

// nif gives the document of the person so numbered, whom no magic value names.
func nif(n int) string {
	number := 10_000_000 + n
	return fmt.Sprintf("%08d%c", number, "TRWAGMYFPDXBNJZSQVHLCKE"[number%23])
}

func (s *sold) document() string { return nif(s.n) }

// line gives the number of a mobile line, which the platform's magic ends do not meet.
func (s *sold) line(i int) string { return fmt.Sprintf("6%06d%02d", s.n, 10+i) }

// sim gives the SIM card of a line.
func (s *sold) sim(i int) string { return checkDigit(fmt.Sprintf("8934%012d%02d", s.n, i)) }

// checkDigit gives digits with the one behind them that ISO/IEC 7812 asks for.
func checkDigit(digits string) string {
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

// sellers make sales of the shipped documents.
type sellers struct{ documents map[string][]byte }

func readSales(root string) (*sellers, error) {
	s := &sellers{map[string][]byte{}}
	for _, name := range []string{wholeSale, lineSale, fibreSale} {
		text, err := os.ReadFile(filepath.Join(root, "mappings", "sale", "testdata", name))
		if err != nil {
			return nil, err
		}
		s.documents[name] = text
	}
	return s, nil
}

// of makes the sale to the person so numbered; change (nil: none) changes it more.
func (s *sellers) of(kind string, n int, change func(doc map[string]any)) (*sold, error) {
	doc := map[string]any{}
	if err := json.Unmarshal(s.documents[kind], &doc); err != nil {
		return nil, err
	}
	one := &sold{n: n, kind: kind}
	client := inside(doc, "clients", "attributes", 0)
	client["name"], client["document_value"] = fmt.Sprintf("Comprador %d", n), one.document()
	client["contact_phone"], client["email"] = fmt.Sprintf("7%08d", n), fmt.Sprintf("comprador%d@example.com", n)
	lines := []map[string]any{inside(doc, "products", "mobile_lines")}
	if kind == wholeSale {
		lines = append(lines, inside(doc, "products", "broadband", "mobile_lines", 0))
	}
	if kind != fibreSale {
		for i, l := range lines {
			l["msisdn"], l["iccid"] = one.line(i), one.sim(i)
		}
	}
	if change != nil {
		change(doc)
	}
	var err error
	one.body, err = json.Marshal(doc)
	return one, err
}

// inside gives the object at a path of names and places.
func inside(v any, path ...any) map[string]any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	m, _ := v.(map[string]any)
	return m
}

// made counts what stands of a sale in the stand-ins.
type made struct {
	prospects, clients, addresses, debits, contracts, reservations, lines int
	tickets                                                               map[int64]int // service calls by their type
}

func (m made) String() string {
	return fmt.Sprintf("%d prospect, %d client, %d addresses, %d debit, %d contracts, %d reservation, %d lines, service calls by type %v",
		m.prospects, m.clients, m.addresses, m.debits, m.contracts, m.reservations, m.lines, m.tickets)
}

// whole is what a sale that is done has made, by its document.
var whole = map[string]made{
	wholeSale: {1, 1, 2, 1, 5, 1, 2, map[int64]int{callPortFixed: 1}},
	lineSale:  {1, 1, 1, 0, 1, 0, 1, nil},
	fibreSale: {1, 1, 1, 0, 1, 1, 0, nil},
}

// The types of service calls (mappings/tables/sale_atendimentos.yaml).
const (
	callCancel    = 101
	callPortFixed = 102
)

// counted counts what the ledger shows of a person; lines that were cancelled are not there.
func counted(s *sandbox.LedgerSale) made {
	m := made{len(s.Prospects), len(s.Clients), len(s.Addresses), len(s.Debits), len(s.Contracts), len(s.Reservations), 0, map[int64]int{}}
	for _, l := range s.Lines {
		if l.Status != "CANCELADO" {
			m.lines++
		}
	}
	for i := range s.Tickets {
		m.tickets[s.Tickets[i].Type]++
	}
	return m
}
