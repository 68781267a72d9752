package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ticket is a service call of a contract.
type ticket struct {
	ID       int64  `json:"id"`
	Protocol string `json:"protocol"`
	Contract int64  `json:"contract"`
	Status   string `json:"status"`
	Type     int64  `json:"type"`
	// Service is the kind of work, as the query's tipoServico names it.
	Service  string `json:"service"`
	Text     string `json:"text"`
	Target   int64  `json:"target,omitempty"`
	customer int64
	opened   time.Time
}

// phoneCall is an incoming call that was told of.
type phoneCall struct {
	customer  int64
	Number    string `json:"number"`
	Extension string `json:"extension,omitempty"`
	Queue     string `json:"queue,omitempty"`
}

// session is what RADIUS knows of a piece of equipment.
type session struct {
	customer int64
	nas, tag string
	// ago is how long ago it was updated; ended says that it has stopped.
	ago   time.Duration
	ended bool
}

func demoTickets() []ticket {
	return []ticket{
		{ID: 3414, Protocol: "2020062411000854", Contract: 311622, Status: "SOLUCIONADO", Type: 3, Service: "INTERNO",
			Text: "SOLICITAÇÃO DE ALTERAÇÃO DE VENCIMENTO", customer: 311600, opened: time.UnixMilli(1593007210000)},
		{ID: 7101, Protocol: "2026110109000001", Contract: 1300011, Status: "VISITA AGENDADA", Type: 1, Service: "SUPORTE",
			Text: "SEM ACESSO", customer: 500002, opened: time.UnixMilli(1793534400000)},
		{ID: 7102, Protocol: "2026110210000002", Contract: 1283299, Status: "PENDENTE", Type: 2, Service: "SUPORTE",
			Text: "ACESSO LENTO", customer: 81593, opened: time.UnixMilli(1793624400000)},
	}
}

func demoSessions() []session {
	return []session{
		{customer: 81593, nas: "192.0.2.4", tag: "PPPoE1-Tag", ago: time.Minute},
		{customer: 311600, nas: "192.0.2.4", tag: "PPPoE1-Tag", ago: 2 * time.Minute, ended: true},
		{customer: 366890, nas: "192.0.2.8", tag: "PPPoE1-Tag", ago: time.Hour, ended: true},
		{customer: 500001, nas: "192.0.2.4", tag: "PPPoE1-Tag", ago: 3 * time.Minute},
		{customer: 500002, nas: "192.0.2.5", tag: "PPPoE2-Tag", ago: time.Hour},
		{customer: 500006, nas: "192.0.2.5", tag: "PPPoE2-Tag", ago: 24 * time.Hour, ended: true},
	}
}

// lastSessions is area.cliente.equipamentos.ultima_conexao: for each customer
// with a contract of internet that lives, a piece of equipment that was never
// connected and those of the table.
func lastSessions(s *Sandbox, r *request) answer {
	id := r.params["idCliente"]
	if _, ok := s.data.customer(id); !ok {
		return text(http.StatusOK, bodyNoCustomer)
	}
	type equipment struct {
		Senha     *string        `json:"senhaWiFi"`
		Maker     *string        `json:"fornecedorEquipamento"`
		Cipher    *string        `json:"criptografiaRede"`
		Connexion map[string]any `json:"infoUltimaConexao"`
		Serial    *string        `json:"serial"`
		Login     *string        `json:"loginWiFi"`
	}
	list := []equipment{}
	lives := func(c contract) bool { return c.technology == "INTERNET" && c.status != statusCancelled }
	if slices.ContainsFunc(s.data.contractsOf(id), lives) {
		key := "segredo-do-wifi"
		list = append(list, equipment{Connexion: map[string]any{}})
		for _, one := range demoSessions() {
			if one.customer != id {
				continue
			}
			updated := s.opts.Now().Add(-one.ago).UnixMilli()
			info := map[string]any{
				"nasipaddress": one.nas, "calledstationid": one.tag, "framedprotocol": "PPP", "nasporttype": "Ethernet",
				"realm": "", "username": fmt.Sprintf("login.%d", id), "callingstationid": "00:11:22:33:44:55",
				"acctstarttime": updated - 24_000, "acctupdatetime": updated, "acctstoptime": nil,
			}
			if one.ended {
				info["acctstoptime"] = updated
			}
			list = append(list, equipment{Senha: &key, Connexion: info})
		}
	}
	return value(struct {
		Data []equipment `json:"data"`
	}{list})
}

// tickets is area.cliente.atendimentos, answered in the shape of the
// OmniChannel operation of the same filters.
func tickets(s *Sandbox, r *request) answer {
	id := r.params["idCliente"]
	if _, ok := s.data.customer(id); !ok {
		return text(http.StatusOK, bodyNoCustomer)
	}
	type row struct {
		ID       int64  `json:"idAtendimento"`
		Protocol string `json:"numeroProtocolo"`
		Status   string `json:"statusAtendimento"`
		Opened   int64  `json:"dataAbertura"`
		Type     int64  `json:"idTipoAtendimento"`
		Service  string `json:"tipoServico"`
		Contract int64  `json:"idContrato"`
		State    string `json:"statusContrato"`
	}
	query := r.http.URL.Query()
	fits := func(name, has string) bool { return query.Get(name) == "" || query.Get(name) == has }
	list := []row{}
	for _, t := range all(s.data, &s.data.tickets, func(t ticket) bool { return t.customer == id }) {
		c, _ := s.data.contract(t.Contract)
		if !fits("idContrato", fmt.Sprint(t.Contract)) || !fits("statusContrato", c.status) || !fits("tipoServico", t.Service) ||
			!fits("statusAtendimento", strings.ReplaceAll(t.Status, " ", "_")) {
			continue
		}
		list = append(list, row{t.ID, t.Protocol, t.Status, t.opened.UnixMilli(), t.Type, t.Service, t.Contract, c.status})
	}
	return value(struct {
		Data   []row  `json:"data"`
		Status string `json:"status"`
	}{list, "OK"})
}

// tellCall is telefonia.ligacoes.cadastrar. Its no has no reason.
func tellCall(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	id, refused := r.long(fields, "idCliente")
	if refused != nil {
		return *refused
	}
	number, refused := r.text(fields, "numeroOrigem")
	if refused != nil {
		return *refused
	}
	told := phoneCall{customer: id, Number: number}
	for name, into := range map[string]*string{"ramal": &told.Extension, "fila": &told.Queue} {
		if fields[name] == nil {
			continue
		}
		if *into, refused = r.text(fields, name); refused != nil {
			return *refused
		}
	}
	if _, ok := s.data.customer(id); !ok || number == "" {
		return text(http.StatusOK, BodyFalha)
	}
	s.data.tell(told)
	return text(http.StatusOK, bodySucesso)
}

// over are the statuses of service calls that nobody works on any more.
var over = []string{"SOLUCIONADO", "SEM_SOLUCAO", "SEM SOLUCAO", "POS_ATENDIMENTO", "POS ATENDIMENTO"}

// hasOpenTicket tells whether a customer waits for a service call.
func (d *data) hasOpenTicket(customer int64) bool {
	_, ok := find(d, &d.tickets, func(t ticket) bool { return t.customer == customer && !slices.Contains(over, t.Status) })
	return ok
}

func (d *data) tell(c phoneCall) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.phoneCalls = append(d.phoneCalls, c)
}

// bodyNoText is how an empty description is refused; the document shows no no.
const bodyNoText = `{"error": "Descrição não informada"}`

// openTicket is comercial.atendimentos.cadastrar.
func openTicket(s *Sandbox, r *request) answer {
	fields, refused := r.fields()
	if refused != nil {
		return *refused
	}
	id, refused := r.long(fields, "idContrato")
	if refused != nil {
		return *refused
	}
	words, refused := r.text(fields, "descricao")
	if refused != nil {
		return *refused
	}
	t := ticket{Contract: id, Status: "PENDENTE", Service: "SUPORTE", Text: words, opened: s.opts.Now()}
	for name, into := range map[string]*int64{"idTipoAtendimento": &t.Type, "idCentroCustoDestino": &t.Target} {
		if fields[name] == nil || fields[name] == "" {
			continue
		}
		if *into, refused = r.long(fields, name); refused != nil {
			return *refused
		}
	}
	c, ok := s.data.contract(id)
	switch {
	case !ok:
		return unknown(bodyNoContract)
	case words == "":
		return text(http.StatusOK, bodyNoText)
	}
	t.customer = c.customer
	s.made.add("service call", fmt.Sprintf("contract %d: %s", id, words))
	return value(struct {
		Protocol string `json:"numeroProtocolo"`
		Status   string `json:"status"`
	}{s.data.open(t), "CREATED"})
}

// firstTicket is the number of the first service call that is opened here.
const firstTicket = 8001

// open gives a service call its number and protocol and keeps it. The
// protocol is 16 digits, as in the document's example: its time and a number.
func (d *data) open(t ticket) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	t.ID = firstTicket + int64(len(d.tickets)-len(demoTickets()))
	t.Protocol = fmt.Sprintf("%s%04d", t.opened.Format("200601021504"), t.ID%10_000)
	d.tickets = append(d.tickets, t)
	return t.Protocol
}
