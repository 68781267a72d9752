package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The document's refusals of somebody unknown.
const (
	bodyUnknownCustomer = `{"error": "O idCliente informado não pertence a nenhum cliente cadastrado no sistema."}`
	bodyUnknownProspect = `{"error": "O idProspecto informado nao pertence a nenhum prospecto cadastrado no sistema."}`
)

// sales are the operations from a prospect to a contract.
func sales() []operation {
	post, get, put := http.MethodPost, http.MethodGet, http.MethodPut
	token := func(id, method, path, refusal string, do func(*Sandbox, *request) answer) operation {
		return operation{id: id, method: method, path: path, admit: basicAndToken, token: true, refusal: refusal, answer: do}
	}
	const prospects, contracts = "/ws/comercial/prospectos/", "/ws/comercial/contratos/cadastrar"
	return []operation{
		token("terceiros.enderecos.cep", get, "/ws/terceiros/enderecos/cep/{cep}", BodyError, findCEP),
		token("comercial.viabilidade_tecnica.consultar", post, "/ws/comercial/viabilidade_tecnica/consultar", BodyError, placeViability),
		token("comercial.prospectos.cadastrar", post, prospects+"cadastrar", BodyError, addProspect),
		token("comercial.prospectos.enderecos.cadastrar", post, prospects+"enderecos/cadastrar", bodyUnknownProspect, addProspectAddress),
		token("comercial.prospectos.viabilidade_tecnica.consultar", post, prospects+"viabilidade_tecnica/consultar", BodyError, prospectViability),
		token("comercial.prospectos.por_id", get, prospects+"{id}", BodyError, showProspect),
		token("comercial.prospectos.buscar.vendedor", get, prospects+"buscar/vendedor/{idVendedor}", BodyError, findProspects),
		token("comercial.prospectos.atualizar", put, prospects+"atualizar", BodyError, alterProspect),
		token("comercial.prospectos.aprovar.reprovar", put, prospects+"aprovar/reprovar", BodyError, judgeProspect),
		token("comercial.prospectos.converter.cliente", post, prospects+"converter/cliente", bodyUnknownProspect, convertProspect),
		token("comercial.prospectos.credito_interno.consultar", post, prospects+"credito_interno/consultar", BodyError, internalCredit),
		token("comercial.prospectos.spc.consultar", post, prospects+"spc/consultar", bodyNoCredit, askSPC),
		token("comercial.prospectos.clear_sale.consultar", post, prospects+"clear_sale/consultar", BodyError, askClearSale),
		token("comercial.clientes.buscar.vendedor", get, "/ws/comercial/clientes/buscar/vendedor/{idVendedor}", BodyError, findCustomers),
		token("comercial.clientes.dados_debito", get, "/ws/comercial/clientes/{idCliente}/dados_debito", BodyError, debitsOf),
		token("comercial.clientes.dados_debito.cadastrar", post, "/ws/comercial/clientes/dados_debito/cadastrar", bodyUnknownCustomer, addDebits),
		token("telefonia.prefixos.cidade.portabilidade", get, "/ws/telefonia/prefixos/cidade/{idCidade}/portabilidade/{isPortabilidade}", BodyError, prefixes),
		token("telefonia.numeros.livres.prefixo", get, "/ws/telefonia/numeros/livres/prefixo/{idPrefixo}", BodyError, freeLandlines),
		token("comercial.clientes.enderecos", get, "/ws/comercial/clientes/{idCliente}/enderecos", bodyUnknownCustomer, addressesOf),
		token("comercial.clientes.enderecos.cadastrar", post, "/ws/comercial/clientes/enderecos/cadastrar", bodyUnknownCustomer, addAddress),
		token("comercial.contratos.cadastrar.pacote", post, contracts, bodyUnknownCustomer, addPackage),
		token("comercial.contratos.cadastrar.internet", post, contracts, bodyUnknownCustomer, addContract("INTERNET", "FIBRA")),
		token("comercial.contratos.cadastrar.telefonia", post, contracts, bodyUnknownCustomer, addContract("TELEFONIA", "TELEFONIA FIXA")),
		token("comercial.contratos.cadastrar.tv", post, contracts, bodyUnknownCustomer, addContract("TV", "TV POR SATELITE")),
		token("comercial.contratos.cadastrar.demais", post, contracts, bodyUnknownCustomer, addContract("LOCACAO", "LOCACAO")),
	}
}

// prospect is somebody who may become a customer.
type prospect struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Document string `json:"document"`
	// Foreign is the document of another country, which the note tells.
	Foreign                  string `json:"foreign_document,omitempty"`
	State                    string `json:"state"`
	Customer                 int64  `json:"customer,omitempty"`
	person                   string
	landline, mobile, email  string
	rg, mother, sex, note    string
	fancy, stateID, cityID   string
	born                     time.Time
	added, altered           time.Time
	seller, by, segment      int64
	kind, channel, companyID int64
	addresses                []address
}

// The states of a prospect.
const (
	prospectOpen = "ABERTA"
	prospectLost = "PERDEU"
	prospectWon  = "GANHOU"
)

// firstProspect and firstProspectAddress are the first numbers that are given.
const (
	firstProspect        = 220335
	firstProspectAddress = 64424
)

// bare takes a document's punctuation away.
func bare(document string) string {
	return strings.ToUpper(strings.Map(func(c rune) rune {
		if strings.ContainsRune("./- ", c) {
			return -1
		}
		return c
	}, document))
}

// addProspect is comercial.prospectos.cadastrar.
func addProspect(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	p := prospect{State: prospectOpen, added: s.opts.Now()}
	p.altered = p.added
	for name, into := range map[string]*string{
		"tipoPessoa": &p.person, "nome": &p.Name, "telefoneFixo": &p.landline, "telefoneMovel": &p.mobile,
	} {
		if *into, refused = r.text(fields, name); refused != nil {
			return *refused
		}
	}
	for name, into := range map[string]*int64{
		"idVendedor": &p.seller, "idSegmentoProspecto": &p.segment, "idTipoProspecto": &p.kind,
		"idCanalVenda": &p.channel, "idEmpresa": &p.companyID,
	} {
		if *into, refused = r.long(fields, name); refused != nil {
			return *refused
		}
	}
	p.by, p.email, p.note = p.seller, optional(fields, "email"), optional(fields, "observacaoProspecto")
	p.rg, p.mother, p.sex = optional(fields, "rg"), optional(fields, "nomeMae"), optional(fields, "sexo")
	p.fancy, p.stateID, p.cityID = optional(fields, "nomeFantasia"), optional(fields, "inscricaoEstadual"), optional(fields, "inscricaoMunicipal")
	which := "cpf"
	if p.person == company {
		which = "cnpj"
	}
	p.Document, p.Foreign = bare(optional(fields, which)), foreignDocument(p.note)
	if p.who() == "" {
		return text(http.StatusOK, BodyError)
	}
	if day := optional(fields, "dataNascimento"); day != "" {
		var err error
		if p.born, err = time.Parse("02-01-2006", day); err != nil {
			return *r.page(http.StatusInternalServerError)
		}
	}
	s.data.mu.Lock()
	defer s.data.mu.Unlock()
	p.ID = firstProspect + int64(len(s.data.prospects))
	s.data.prospects = append(s.data.prospects, p)
	s.made.add("prospect", p.who()+" "+p.note)
	return value(object{"idProspecto", p.ID})
}

// noted is how a prospect's note tells a document of another country.
var noted = regexp.MustCompile(`(?i)\b(?:NIF|NIE|CIF|PASSAPORTE|PASAPORTE)\s*:?\s*([A-Z0-9]+)`)

func foreignDocument(note string) string {
	if m := noted.FindStringSubmatch(note); m != nil {
		return strings.ToUpper(m[1])
	}
	return ""
}

// who is the document by which a prospect is told from others.
func (p prospect) who() string { return cmp.Or(p.Document, p.Foreign) }

// alter changes a prospect that is not a customer yet, in its own words or not at all.
func (s *Sandbox) alter(id int64, do func(*prospect) *answer) answer {
	no := unknown(bodyUnknownProspect)
	refused := &no
	change(s.data, &s.data.prospects, func(p prospect) bool { return p.ID == id }, func(p *prospect) {
		if p.Customer != 0 {
			over := text(http.StatusOK, `{"error": "O prospecto já foi convertido em cliente."}`)
			refused = &over
			return
		}
		if refused = do(p); refused == nil {
			p.altered = s.opts.Now()
		}
	})
	if refused != nil {
		return *refused
	}
	return answer{}
}

// prospectField reads which prospect is meant.
func (r *request) prospectField() (fields map[string]any, id int64, refused *answer) {
	if fields, refused = r.fields(); refused != nil {
		return nil, 0, refused
	}
	id, refused = r.long(fields, "idProspecto")
	return fields, id, refused
}

// addProspectAddress is comercial.prospectos.enderecos.cadastrar.
func addProspectAddress(s *Sandbox, r *request) answer {
	fields, id, refused := r.prospectField()
	if refused != nil {
		return *refused
	}
	a, refused := r.readAddress(fields)
	if refused != nil {
		return *refused
	}
	no := s.alter(id, func(p *prospect) *answer {
		n := int64(0)
		for _, other := range s.data.prospects {
			n += int64(len(other.addresses))
		}
		a.id = firstProspectAddress + n
		s.made.add("address", a.key("prospect", id))
		p.addresses = append(p.addresses, a)
		return nil
	})
	if no.status != 0 {
		return no
	}
	return value(object{"idEnderecoProspecto", a.id})
}

// prospectViability is comercial.prospectos.viabilidade_tecnica.consultar,
// answered as the operation by address: the document shows no answer.
func prospectViability(s *Sandbox, r *request) answer {
	_, id, refused := r.prospectField()
	if refused != nil {
		return *refused
	}
	p, ok := find(s.data, &s.data.prospects, func(p prospect) bool { return p.ID == id })
	switch {
	case !ok:
		return unknown(bodyUnknownProspect)
	case len(p.addresses) == 0:
		return text(http.StatusOK, `{"error": "O prospecto não tem endereço."}`)
	}
	where, _ := placeByID(p.addresses[0].place)
	return viability(where)
}

// alterProspect is comercial.prospectos.atualizar; what comes empty stays.
func alterProspect(s *Sandbox, r *request) answer {
	fields, id, refused := r.prospectField()
	if refused != nil {
		return *refused
	}
	seller, refused := r.long(fields, "idVendedor")
	if refused != nil {
		return *refused
	}
	no := s.alter(id, func(p *prospect) *answer {
		p.by = seller
		for name, into := range map[string]*string{
			"obs": &p.note, "email": &p.email, "inscricaoEstadual": &p.stateID, "inscricaoMunicipal": &p.cityID,
			"nomeMae": &p.mother, "nomeFantasia": &p.fancy, "sexo": &p.sex,
		} {
			if v := optional(fields, name); v != "" {
				*into = v
			}
		}
		return nil
	})
	if no.status != 0 {
		return no
	}
	return value(object{"idProspecto", id})
}

// judgeProspect is comercial.prospectos.aprovar.reprovar.
func judgeProspect(s *Sandbox, r *request) answer {
	fields, id, refused := r.prospectField()
	if refused != nil {
		return *refused
	}
	user, refused := r.long(fields, "idUsuario")
	if refused != nil {
		return *refused
	}
	state, ok := map[string]string{"aprovar": prospectOpen, "reprovar": prospectLost}[strings.ToLower(optional(fields, "acao"))]
	if !ok {
		return text(http.StatusOK, BodyError)
	}
	no := s.alter(id, func(p *prospect) *answer {
		p.State, p.by = state, user
		return nil
	})
	if no.status != 0 {
		return no
	}
	return value(object{"resposta", id})
}

// firstCustomer is the number of the first customer that a prospect becomes.
const firstCustomer = 428738

// convertProspect is comercial.prospectos.converter.cliente: of an open
// prospect with an address, whose document no customer has.
func convertProspect(s *Sandbox, r *request) answer {
	_, id, refused := r.prospectField()
	if refused != nil {
		return *refused
	}
	customerID := int64(0)
	no := s.alter(id, func(p *prospect) *answer {
		why := ""
		switch {
		case p.State != prospectOpen:
			why = "O prospecto foi reprovado."
		case len(p.addresses) == 0:
			why = "O prospecto não tem endereço."
		case p.Document != "" && slices.ContainsFunc(s.data.customers, func(c customer) bool { return c.document == p.Document }):
			why = "Já existe um cliente com o CPF/CNPJ informado."
		}
		if why != "" {
			no := value(object{"error", why})
			return &no
		}
		customerID = firstCustomer + int64(len(s.data.customers)-len(demoCustomers()))
		c := customer{
			id: customerID, document: p.Document, person: p.person, name: p.Name, rg: p.rg, landline: p.landline,
			mobile: p.mobile, email: p.email, mother: p.mother, note: "was a prospect", foreign: p.Foreign, seller: p.seller, prospect: p.ID,
		}
		if !p.born.IsZero() {
			c.born = p.born.UnixMilli()
		}
		s.data.customers = append(s.data.customers, c)
		for _, a := range p.addresses {
			a.customer = customerID
			s.data.keep(a)
		}
		p.State, p.Customer = prospectWon, customerID
		s.made.add("client", fmt.Sprint("prospect ", id))
		return nil
	})
	if no.status != 0 {
		return no
	}
	return value(object{"idCliente", customerID})
}

// findProspects is comercial.prospectos.buscar.vendedor.
func findProspects(s *Sandbox, r *request) answer {
	query := r.http.URL.Query()
	list := []object{}
	for _, p := range all(s.data, &s.data.prospects, func(p prospect) bool { return p.seller == r.params["idVendedor"] }) {
		if n, ok := digits(query.Get("id")); query.Get("id") != "" && (!ok || n != p.ID) ||
			!strings.Contains(strings.ToUpper(p.Name), strings.ToUpper(query.Get("nome"))) ||
			query.Get("oportunidade") != "" && query.Get("oportunidade") != p.State {
			continue
		}
		cpf, cnpj := p.documents()
		list = append(list, object{"id", p.ID, "nome", p.Name, "cpf", cpf, "cnpj", cnpj, "oportunidade", p.State})
	}
	if len(list) == 0 {
		return unknown(`{"resposta": []}`)
	}
	return value(object{"resposta", list})
}

// documents gives the CPF and the CNPJ, one of them null.
func (p prospect) documents() (cpf, cnpj any) {
	switch {
	case p.Document == "":
		return nil, nil
	case p.person == company:
		return nil, p.Document
	}
	return p.Document, nil
}

// showProspect is comercial.prospectos.por_id.
func showProspect(s *Sandbox, r *request) answer {
	p, ok := find(s.data, &s.data.prospects, func(p prospect) bool { return p.ID == r.params["id"] })
	if !ok {
		return unknown(bodyUnknownProspect)
	}
	cpf, cnpj := p.documents()
	born, converted := any(nil), 0
	if !p.born.IsZero() {
		born = p.born.UnixMilli()
	}
	if p.Customer != 0 {
		converted = 1
	}
	segment := object{"id", p.segment, "descricao", "RESIDENCIAL", "descricaoRDStation", nil, "tipoContrato", object{"id", 1, "nome", "RESIDENCIAL"}}
	addresses := []object{}
	for _, a := range p.addresses {
		where, _ := placeByID(a.place)
		addresses = append(addresses, object{
			"andar", nil, "cidade", where.city, "estado", where.state, "numero", a.number, "idCondominio", nil, "idEndereco", where.id,
			"bairro", where.area, "latitude", "-20.6647000", "apto", nil, "numeroCasa", nil, "idCidade", where.cityID, "idBloco", nil,
			"idBairro", where.areaID, "complemento", orNull(a.complement), "tipoDeEndereco", a.kind, "logradouro", where.short + " " + where.street,
			"classificacaoEndereco", object{"id", a.class, "descricao", "TESTE", "ativo", true, "condominio", false, "shopping", false},
			"id", a.id, "referencia", orNull(a.landmark), "idCondominioCM", nil, "longitude", "-43.7741000",
		})
	}
	return value(object{"resposta", object{
		"id", p.ID, "tipoPessoa", p.person, "email", orNull(p.email), "nome", p.Name, "telefoneFixo", p.landline, "telefoneMovel", p.mobile,
		"inscricaoEstadual", orNull(p.stateID), "inscricaoMunicipal", orNull(p.cityID), "nomeFantasia", orNull(p.fancy), "cpf", cpf, "cnpj", cnpj,
		"dataNascimento", born, "rg", orNull(p.rg), "nomeMae", orNull(p.mother), "sexo", orNull(p.sex), "senhaApp", nil, "senhaCentral", nil,
		"dataCadastro", p.added.UnixMilli(), "dataUltimaAtualizacao", p.altered.UnixMilli(), "idUsuarioUltimaAlteracao", p.by,
		"observacaoProspecto", orNull(p.note), "isExterno", true, "motivoReprovacaoProspecto", nil,
		"funilProspecto", object{"id", 2, "descricao", "SEGUNDO", "exibeKanban", true, "inicial", false, "ordem", 2, "fluxoAutomatico", true,
			"segmentoProspecto", segment, "qualificacao", "CONVERTER CLIENTE", "permiteReanalise", false},
		"dataUltimaAlteracaoStatus", p.altered.UnixMilli(), "tipoProspecto", object{"id", p.kind, "descricao", "TESTE"},
		"canalVenda", object{"id", p.channel, "descricao", "A", "descricoesRD", nil, "permiteQualityCall", false, "ativo", true},
		"observacaoQualificacoes", nil, "complementoMotivoReprovacao", nil, "idVendedor", p.seller, "segmentoProspecto", segment,
		"oportunidade", p.State, "temperatura", nil, "idEmpresa", p.companyID, "integrarRDStation", nil,
		"enderecosProspecto", addresses, "planosProspectados", []object{}, "convertido", converted,
	}})
}
