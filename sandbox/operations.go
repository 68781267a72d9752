package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// operation is one entry of the catalogue: where it is, what it asks for, how
// it answers. An entry of the table below is all a new one needs.
type operation struct {
	// id is the catalogue's id.
	id     string
	method string
	// path is the catalogue's; {name} stands for digits, unless texts has it. A
	// literal segment wins over a parameter.
	path  string
	texts map[string]bool
	// segments is path, cut.
	segments []string
	// when tells variants of one method and path apart; the first entry
	// whose when holds is taken, nil always holds.
	when func(*request) bool
	// admit checks the credentials and gives the refusal, nil when they are
	// right.
	admit func(*Sandbox, *request) *answer
	// token says that admit asks for the Token header.
	token bool
	// stateful says that it answers from what the sandbox holds.
	stateful bool
	// refusal is the JSON of the operation's own "no", for KindBusiness.
	refusal string
	// refusalStatus is its HTTP status, 200 when 0.
	refusalStatus int
	// received is told of a call that was read whole, whatever is answered.
	received func(*Sandbox, *request)
	// expire ends the credentials of a call and gives the refusal, for
	// KindExpiredToken; nil where the Token header is what ends.
	expire func(*Sandbox, *request) *answer
	answer func(*Sandbox, *request) answer
}

// operations is the table of everything the sandbox answers: the ERP's contract
// whole, SGP, the MVNO platform, OZmap and a partner.
func operations() []operation {
	table := slices.Concat(withDocumented(slices.Concat(daily(), sales(), care())), sgpOperations(), mvnoOperations(), ozmapOperations(), partnerOperations())
	for i := range table {
		table[i].segments = split(table[i].path)
	}
	return table
}

// daily are the operations that an IVR needs as well.
func daily() []operation {
	return []operation{
		{
			id: "auth.token.gerar", method: http.MethodGet, path: "/ws/auth/token/gerar",
			admit: basicOnly, refusal: BodyError, answer: tokenIssue,
		},
		{
			id: "auth.token.renovar", method: http.MethodPut, path: "/ws/auth/token/renovar",
			admit: basicAndToken, token: true, refusal: BodyError, answer: tokenRenew,
		},
		{
			id: "comercial.cliente.dados", method: http.MethodPost, path: "/ws/comercial/cliente/dados",
			admit: basicOnly, refusal: BodyError, answer: customerData,
		},
		{
			id: "comercial.contrato.dados", method: http.MethodPost, path: "/ws/comercial/contrato/dados",
			admit: basicOnly, refusal: bodyNoContract, answer: contractData,
		},
		{
			id: "comercial.contrato.habilitar_confianca", method: http.MethodPut, path: "/ws/comercial/contrato/habilitar_confianca",
			admit: basicOnly, refusal: BodyResposta, answer: promise,
		},
		{
			id: "area.cliente.informacoes", method: http.MethodGet, path: "/ws/area/cliente/{idCliente}",
			admit: basicAndToken, token: true, refusal: bodyNoCustomer, answer: customerCard,
		},
		{
			id: "financeiro.faturas.cliente.abertas", method: http.MethodGet, path: "/ws/financeiro/faturas/cliente/{idCliente}",
			admit: basicOnly, refusal: BodyError, answer: openInvoices,
		},
		{
			id: "financeiro.faturas.abertas.enviar", method: http.MethodPost, path: "/ws/financeiro/faturas/abertas/{idCliente}/enviar",
			admit: basicOnly, refusal: BodyFalha, answer: sendInvoices,
		},
		{
			id: "integracao.omnichannel.fatura.linha_digitavel.enviar", method: http.MethodPost, path: "/ws/integracao/omnichannel/fatura/linha_digitavel/enviar",
			admit: basicAndToken, token: true, refusal: bodyNoInvoice, answer: sendLine,
		},
		{
			id: "area.cliente.equipamentos.ultima_conexao", method: http.MethodGet, path: "/ws/area/cliente/{idCliente}/equipamentos/ultima_conexao",
			admit: basicAndToken, token: true, refusal: bodyNoCustomer, answer: lastSessions,
		},
		{
			id: "area.cliente.atendimentos", method: http.MethodGet, path: "/ws/area/cliente/{idCliente}/atendimentos",
			admit: basicAndToken, token: true, refusal: bodyNoCustomer, answer: tickets,
		},
		{
			id: "telefonia.ligacoes.cadastrar", method: http.MethodPost, path: "/ws/telefonia/ligacoes/cadastrar",
			admit: basicOnly, refusal: BodyFalha, answer: tellCall,
		},
		{
			id: "comercial.atendimentos.cadastrar", method: http.MethodPost, path: "/ws/comercial/atendimentos/cadastrar",
			admit: basicOnly, refusal: bodyNoContract, answer: openTicket,
		},
	}
}

// route finds the operation of a request and fills in the path's parameters.
// Without one it gives the methods that the path does have, empty for an
// unknown path.
func route(table []operation, r *request) (*operation, []string) {
	segments := split(r.http.URL.EscapedPath())
	for i, s := range segments {
		if plain, err := url.PathUnescape(s); err == nil {
			segments[i] = plain // a slash inside stays inside
		}
	}
	var best *operation
	var bestParams parameters
	var methods []string
	for i := range table {
		op := &table[i]
		params, ok := op.match(segments)
		if !ok {
			continue
		}
		if op.method != r.http.Method {
			methods = append(methods, op.method)
			continue
		}
		if best != nil && params.count() >= bestParams.count() {
			continue
		}
		r.params, r.words = params.numbers, params.words
		if op.when != nil && !op.when(r) {
			continue
		}
		best, bestParams = op, params
	}
	r.params, r.words = bestParams.numbers, bestParams.words
	return best, methods
}

// split cuts a path at its slashes; repeated ones and those at the ends count
// for nothing, as in the servers that tolerate //ws/.
func split(path string) []string {
	return strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
}

// parameters are those of a path: all as they came, and the numbers among them.
type parameters struct {
	numbers map[string]int64
	words   map[string]string
}

func (p parameters) count() int { return len(p.words) }

// match compares a path with the operation's and reads the parameters.
func (o *operation) match(segments []string) (parameters, bool) {
	if len(o.segments) != len(segments) {
		return parameters{}, false
	}
	var p parameters
	for i, want := range o.segments {
		if !strings.HasPrefix(want, "{") {
			if want != segments[i] {
				return parameters{}, false
			}
			continue
		}
		name := strings.Trim(want, "{}")
		if p.words == nil {
			p.numbers, p.words = make(map[string]int64, 1), make(map[string]string, 1)
		}
		p.words[name] = segments[i]
		if o.texts[name] {
			continue
		}
		n, ok := digits(segments[i])
		if !ok {
			return parameters{}, false
		}
		p.numbers[name] = n
	}
	return p, true
}

// digits reads a number written with digits only.
func digits(s string) (int64, bool) {
	if strings.TrimLeft(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
