package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// place is a street as the ERP's list of postal codes has it.
type place struct {
	id                       int64
	cep, kind, short, street string
	area                     string
	areaID                   int64
	city, state              string
	cityID, ibge             int64
}

// The cities. The network reaches the first three; the last of these has no
// free landline number.
const (
	cityHome     = 100
	cityMadrid   = 9001
	cityOntinyen = 9002
	cityFar      = 9004
)

// reached tells whether the provider's network reaches a place.
func (p place) reached() bool {
	return p.cityID == cityHome || p.cityID == cityMadrid || p.cityID == cityOntinyen
}

// places are the streets that the document's examples name, one in a city that
// the network does not reach, and some of another country: their postal codes
// stand behind zeros.
func places() []place {
	here := place{city: "CONSELHEIRO LAFAIETE", state: "MG", cityID: cityHome, ibge: 3118304, kind: "RUA", short: "R."}
	street := func(id int64, cep, name, area string, areaID int64) place {
		p := here
		p.id, p.cep, p.street, p.area, p.areaID = id, cep, name, area, areaID
		return p
	}
	return []place{
		street(587374, "36404199", "MARILIA BERNARDINA LOBO", "ROCHEDO", 19298),
		street(645831, "36402157", "PEDRO RIBEIRO DE REZENDE", "NOVO HORIZONTE", 15372),
		street(645337, "36404198", "LUZIA AUGUSTA", "LUZIA AUGUSTA", 26913),
		street(481018, "36400001", "EXEMPLO PRIMEIRA", "CENTRO", 15001),
		street(11907, "36400002", "EXEMPLO SEGUNDA", "CENTRO", 15001),
		{id: 700001, cep: "30130010", kind: "AVENIDA", short: "AV.", street: "EXEMPLO DA CAPITAL", area: "CENTRO", areaID: 44001,
			city: "BELO HORIZONTE", state: "MG", cityID: 44, ibge: 3106200},
		abroad(900001, "28028", "ALCALA", "MADRID", cityMadrid),
		abroad(900002, "46870", "PAU", "ONTINYENT", cityOntinyen),
		abroad(900003, "08001", "EJEMPLO", "BARCELONA", 9003),
		abroad(900004, "28001", "EJEMPLO", "MADRID SIN RED", cityFar),
	}
}

func abroad(id int64, postal, street, city string, cityID int64) place {
	return place{id: id, cep: "000" + postal, kind: "CALLE", short: "C.", street: street, area: "CENTRO", areaID: 90000 + cityID%10,
		city: city, state: "ES", cityID: cityID}
}

// sharedCEP has more than one street.
const sharedCEP = "36400000"

func placeByID(id int64) (place, bool) {
	i := slices.IndexFunc(places(), func(p place) bool { return p.id == id })
	if i < 0 {
		return place{}, false
	}
	return places()[i], true
}

// address is one of a prospect's or a customer's.
type address struct {
	id, customer         int64
	place                int64
	number               int64
	complement, landmark string
	kind                 string
	class                int64
}

func demoAddresses() []address {
	list := []address{
		{id: 481018, customer: 81593, place: 645831, number: 100, complement: "CASA A", kind: "PADRAO", class: 1},
		{id: 481019, customer: 81593, place: 645337, number: 200, kind: "COBRANCA", class: 1},
	}
	for i, c := range demoCustomers() {
		if c.id != 81593 {
			list = append(list, address{id: 481100 + int64(i), customer: c.id, place: 587374, number: 10 * int64(i), kind: "PADRAO", class: 1})
		}
	}
	return list
}

// findCEP is terceiros.enderecos.cep.
func findCEP(_ *Sandbox, r *request) answer {
	cep := strings.ReplaceAll(r.words["cep"], "-", "")
	if cep == sharedCEP {
		return text(http.StatusOK, `{"ufs": ["MG"], "maisDeUmEnderecoMesmoCep": 1}`)
	}
	i := slices.IndexFunc(places(), func(p place) bool { return p.cep == cep })
	if i < 0 {
		return unknown(`{"error": "CEP não encontrado"}`)
	}
	p := places()[i]
	return value(object{
		"id", p.id, "endereco", p.street, "bairro", p.area, "cidade", p.city, "estado", p.state, "cep", p.cep[:5] + "-" + p.cep[5:],
		"tipo", p.kind, "codigoCidadeIBGE", p.ibge, "nomeCidadeIBGE", p.city, "enderecoAbreviado", p.street, "bairroAbreviado", p.area,
		"tipoAbreviado", p.short, "uf", p.state, "costingCodeSap", "2000", "consultaSPC", true, "abreviaturaCidade", nil,
		"nomeCondominioCM", nil, "nomeBlocoCM", nil, "condominiosCM", nil, "idCidade", p.cityID,
	})
}

// viability is what both operations of that name answer.
func viability(p place) answer {
	if !p.reached() {
		return value(object{"resposta", object{"resultado", "REPROVADO", "distancia", nil}})
	}
	return value(object{"resposta", object{"resultado", "APROVADO", "distancia", 0.13157409087606006}})
}

// bodyNoPlace refuses a street that is not in the list; the document shows no no.
const bodyNoPlace = `{"error": "Endereço não encontrado"}`

// placeViability is comercial.viabilidade_tecnica.consultar.
func placeViability(_ *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	id, refused := r.long(fields, "idEndereco")
	if refused != nil {
		return *refused
	}
	p, ok := placeByID(id)
	if !ok {
		return unknown(bodyNoPlace)
	}
	return viability(p)
}

// readAddress reads what a new address says, of whomever it is. A street that
// is not in the list is refused.
func (r *request) readAddress(fields map[string]any) (address, *answer) {
	a := address{class: 1}
	var refused *answer
	for _, f := range []struct {
		name string
		into *int64
	}{{"idEndereco", &a.place}, {"numero", &a.number}, {"idClassificacaoEndereco", &a.class}} {
		if *f.into, refused = r.long(fields, f.name); refused != nil {
			return a, refused
		}
	}
	if a.kind, refused = r.text(fields, "tipoEndereco"); refused != nil {
		return a, refused
	}
	a.complement, a.landmark = optional(fields, "complemento"), optional(fields, "referencia")
	if _, ok := placeByID(a.place); !ok {
		no := unknown(bodyNoPlace)
		return a, &no
	}
	return a, nil
}

// optional gives a field's text, "" for none.
func optional(fields map[string]any, name string) string {
	v, _ := fields[name].(string)
	return strings.TrimSpace(v)
}

// orNull is a text as the ERP writes it: null for none.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// addressesOf is comercial.clientes.enderecos.
func addressesOf(s *Sandbox, r *request) answer {
	id := r.params["idCliente"]
	if _, ok := s.data.customer(id); !ok {
		return unknown(bodyUnknownCustomer)
	}
	list := []object{}
	for _, a := range all(s.data, &s.data.addresses, func(a address) bool { return a.customer == id }) {
		p, _ := placeByID(a.place)
		list = append(list, object{
			"numero", a.number, "idCondominio", nil, "idEndereco", p.id, "bairro", p.area, "nomeCidade", p.city, "latitude", "-20.6600000",
			"idCidade", p.cityID, "CEP", p.cep, "UF", p.state, "idBairro", p.areaID, "complemento", orNull(a.complement),
			"tipoDeEndereco", a.kind, "logradouro", p.short + " " + p.street, "problemaEntregaBoleto", false,
			"classificacaoEndereco", "1 - TESTE", "id", a.id, "referencia", orNull(a.landmark), "longitude", "-43.7600000",
		})
	}
	return value(object{"resposta", list})
}

// firstAddress is the number of the first address that a customer gets.
const firstAddress = 934251

// addAddress is comercial.clientes.enderecos.cadastrar.
func addAddress(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	id, refused := r.long(fields, "idCliente")
	if refused != nil {
		return *refused
	}
	if _, ok := s.data.customer(id); !ok {
		return unknown(bodyUnknownCustomer)
	}
	a, refused := r.readAddress(fields)
	if refused != nil {
		return *refused
	}
	a.customer = id
	s.data.mu.Lock()
	defer s.data.mu.Unlock()
	s.made.add("address", a.key("client", id))
	return value(object{"idEnderecoCliente", s.data.keep(a)})
}

// keep keeps a customer's address; the data is locked.
func (d *data) keep(a address) int64 {
	a.id = firstAddress + int64(len(d.addresses)-len(demoAddresses()))
	d.addresses = append(d.addresses, a)
	return a.id
}
