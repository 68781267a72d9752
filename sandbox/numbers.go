package sandbox

import (
	"fmt"
	"slices"
)

// bodyNumberTaken refuses a contract whose landline number has gone meanwhile;
// the document shows no no.
const bodyNumberTaken = `{"error": "O número informado não está livre."}`

// prefix is a block of landline numbers.
type prefix struct {
	id                  int64
	country, area, code string
	city                int64
	// first is the id of its first number, count how many there are.
	first, count int64
	others       bool // another operator's
}

// prefixList has those of the document's example, and of the cities abroad: one
// with many numbers, one with none.
func prefixList() []prefix {
	return []prefix{
		{id: 1, country: "55", area: "31", code: "3939", city: cityHome, first: 2742, count: 2000},
		{id: 2, country: "34", area: "91", code: "555", city: cityMadrid, first: 300000, count: 9000},
		{id: 3, country: "34", area: "96", code: "555", city: cityOntinyen, first: 400000, count: 0},
		{id: 4, country: "34", area: "91", code: "111", city: cityMadrid, others: true},
		{id: 5, country: "55", area: "31", code: "3333", city: cityHome, others: true},
	}
}

// prefixes is telefonia.prefixos.cidade.portabilidade: our own, or others' for
// a number that comes over.
func prefixes(_ *Sandbox, r *request) answer {
	list := []object{}
	for _, p := range prefixList() {
		if p.city != r.params["idCidade"] || p.others != (r.params["isPortabilidade"] == 1) {
			continue
		}
		where, _ := cityOf(p.city)
		list = append(list, object{
			"id", p.id, "codigoPais", p.country, "codigoArea", p.area, "prefixo", p.code, "idCidade", p.city, "nomeCidade", where, "isTerceiro", p.others,
		})
	}
	return value(object{"resposta", list})
}

func cityOf(id int64) (string, bool) {
	i := slices.IndexFunc(places(), func(p place) bool { return p.cityID == id })
	if i < 0 {
		return "", false
	}
	return places()[i].city, true
}

// shownNumbers is how many free numbers one answer lists.
const shownNumbers = 1000

// freeLandlines is telefonia.numeros.livres.prefixo: the first of those that no
// contract has.
func freeLandlines(s *Sandbox, r *request) answer {
	list := []object{}
	i := slices.IndexFunc(prefixList(), func(p prefix) bool { return p.id == r.params["idPrefixo"] })
	if i < 0 {
		return value(object{"resposta", list})
	}
	p := prefixList()[i]
	s.data.mu.RLock()
	defer s.data.mu.RUnlock()
	taken := map[int64]bool{}
	for _, c := range s.data.contracts {
		taken[c.number] = true
	}
	for id := p.first; id < p.first+p.count && len(list) < shownNumbers; id++ {
		if !taken[id] {
			list = append(list, object{
				"id", id, "numero", fmt.Sprintf("%04d", (id-1)%10_000), "status", "LIVRE", "prefixo", p.code, "codigoArea", p.area, "codigoPais", p.country,
			})
		}
	}
	return value(object{"resposta", list})
}

// numberTaken tells whether a contract that is not cancelled has a number; the data is locked.
func (d *data) numberTaken(id int64) bool {
	return slices.ContainsFunc(d.contracts, func(c contract) bool { return c.number == id && c.status != statusCancelled })
}
