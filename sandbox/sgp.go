package sandbox

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The credentials of the stand-in SGP.
const (
	SGPApp   = "sandbox"
	SGPToken = "5a9db0c5-0000-4000-8000-000000000001"
)

// What SGP says to credentials that are wrong or not there, byte for byte, and
// what an installation says to too many requests, for a business fault.
const (
	bodyWrongCredentials = `{"detail":"Credenciais de autenticação incorretas."}`
	bodyNoCredentials    = `{"detail":"As credenciais de autenticação não foram fornecidas."}`
	BodyTooMany          = `{"detail":"Pedido foi limitado."}`
)

// sgpOperations is the table of the stand-in SGP: the six forms of its
// "WebService URA", below the same address as the ERP's paths.
func sgpOperations() []operation {
	form := func(name string, do func(*Sandbox, *request, sgpForm) answer) operation {
		return operation{
			id: "sgp." + name, method: http.MethodPost, path: "/ws/ura/" + name,
			admit: appAndToken, refusal: `{"status":0,"msg":"Nenhuma operação realizada"}`,
			answer: func(s *Sandbox, r *request) answer {
				f, refused := r.form()
				if refused != nil {
					return *refused
				}
				return do(s, r, f)
			},
		}
	}
	lookup := form("consultacliente", sgpLookup)
	lookup.refusal = `{"msg":"Cliente não localizado","contratos":[]}`
	return []operation{
		lookup, form("liberacaopromessa", sgpPromise), form("enviafatura", sgpInvoice),
		form("verificaacesso", sgpAccess), form("notificacaosistema", sgpNotice), form("chamado", sgpTicket),
	}
}

// sgpForm is what a client of SGP sent, credentials too.
type sgpForm map[string]string

// form reads a form, or JSON with the same fields, as SGP takes both.
func (r *request) form() (sgpForm, *answer) {
	kind, _, _ := mime.ParseMediaType(r.http.Header.Get("Content-Type"))
	f := sgpForm{}
	if kind == "application/json" {
		fields, refused := r.fields()
		for name, v := range fields {
			switch v := v.(type) {
			case string:
				f[name] = v
			case json.Number:
				f[name] = v.String()
			}
		}
		return f, refused
	}
	body, err := r.load()
	if err != nil {
		return nil, r.page(http.StatusBadRequest)
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, r.page(http.StatusInternalServerError)
	}
	for name := range values {
		f[name] = values.Get(name)
	}
	return f, nil
}

// appAndToken asks for SGP's credentials, which stand in the body.
func appAndToken(_ *Sandbox, r *request) *answer {
	f, refused := r.form()
	switch {
	case refused != nil:
		return refused
	case f["token"] == "" && f["app"] == "":
		a := text(http.StatusForbidden, bodyNoCredentials)
		return &a
	case !same(f["token"], SGPToken) || !same(f["app"], SGPApp):
		a := text(http.StatusForbidden, bodyWrongCredentials)
		return &a
	}
	return nil
}

// contract finds the contract a form names.
func (f sgpForm) contract(s *Sandbox) (contract, bool) {
	id, err := strconv.ParseInt(strings.TrimSpace(f["contrato"]), 10, 64)
	if err != nil {
		return contract{}, false
	}
	return s.data.contract(id)
}

// member is one field of an answer, in its order.
type member struct {
	name  string
	value any
}

// members answers 200 with an object of these members.
func members(all ...member) answer {
	out := []byte{'{'}
	for i, m := range all {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, value(m.name).body...)
		out = append(out, ':')
		out = append(out, value(m.value).body...)
	}
	return text(http.StatusOK, string(append(out, '}')))
}

// did answers an action: its status and words, whose contract it is, and what
// the form said of the call.
func (f sgpForm) did(s *Sandbox, status int, words string, more ...member) answer {
	out := []member{{"status", status}}
	c, ok := f.contract(s)
	if ok {
		who, _ := s.data.customer(c.customer)
		out = append(out, member{"razaoSocial", who.name}, member{"cpfCnpj", masked(who.document)})
	}
	out = append(out, member{"msg", words})
	if ok {
		out = append(out, member{"contratoId", c.id})
	}
	out = append(out, member{"uracontato", f["uracontato"]})
	return members(append(out, more...)...)
}

// masked shows a document as SGP does.
func masked(document string) string {
	if len(document) == 11 {
		return document[:3] + ".***." + document[6:9] + "-**"
	}
	return document[:2] + ".***.***/****-" + document[len(document)-2:]
}

func (s *Sandbox) protocol() member {
	return member{"protocolo", s.opts.Now().Format("20060102150405")}
}

const noSGPContract = "Contrato não localizado"

// sgpPromise is liberacaopromessa.
func sgpPromise(s *Sandbox, _ *request, f sgpForm) answer {
	c, ok := f.contract(s)
	switch {
	case !ok:
		return f.did(s, 0, noSGPContract, member{"liberado", false})
	case !s.data.promise(c.id):
		return f.did(s, 2, "O recurso de promessa de pagamento já foi utilizado no mês. Recurso não disponível", member{"liberado", false})
	}
	words := fmt.Sprintf("Liberação via URA -\nServiço ID: %d, Login: login.%d\nMotivo: Promessa de Pagamento\n", c.id, c.customer)
	return f.did(s, 1, words, member{"liberado", true}, s.protocol(), member{"servico_senha", "segredo-do-servico"})
}

// sgpInvoice is enviafatura.
func sgpInvoice(s *Sandbox, _ *request, f sgpForm) answer {
	c, ok := f.contract(s)
	if !ok {
		return f.did(s, 0, noSGPContract, s.protocol())
	}
	var open []int64
	for _, i := range s.data.invoices(func(i invoice) bool { return !i.paid && slices.Contains(i.contracts, c.id) }) {
		open = append(open, i.id)
	}
	who, _ := s.data.customer(c.customer)
	by, to := byEmail, who.email
	if f["tipo"] == bySMS {
		by, to = bySMS, who.mobile
	}
	switch {
	case len(open) == 0:
		return f.did(s, 0, "", s.protocol())
	case to == "":
		return f.did(s, 2, "Não há contato para enviar a fatura pelo meio solicitado", s.protocol())
	}
	s.data.deliver(c.customer, open, by)
	return f.did(s, 1, "Fatura enviada por "+by+" com sucesso", s.protocol())
}

// sgpMaintained are the contracts whose region or equipment is maintained.
var sgpMaintained = map[int64]string{1300041: "2h"}

// sgpAccess is verificaacesso. Who is offline is answered with a status 0 and
// the word that installations misspell.
func sgpAccess(s *Sandbox, _ *request, f sgpForm) answer {
	c, ok := f.contract(s)
	if !ok {
		return f.did(s, 0, noSGPContract)
	}
	if for1, ok := sgpMaintained[c.id]; ok {
		return f.did(s, 9, "Manutenção na região", member{"tempo", for1})
	}
	if c.technology != "INTERNET" {
		return f.did(s, 3, "Outros")
	}
	for _, one := range demoSessions() {
		switch {
		case one.customer != c.customer:
		case one.nas == "192.0.2.8":
			return f.did(s, 8, "Manutenção NAS", member{"tempo", "1h30m"})
		case !one.ended:
			return f.did(s, 1, "Serviço Online", member{"servico_wifi_password", "segredo-do-wifi"})
		}
	}
	return f.did(s, 0, "Serviço Offline", member{"staus", 2})
}

// sgpNotice is notificacaosistema.
func sgpNotice(s *Sandbox, _ *request, f sgpForm) answer {
	agent := f["uraagente"]
	if agent == "" {
		agent = f["uraagent"]
	}
	c, ok := f.contract(s)
	if !ok {
		return f.did(s, 0, noSGPContract, s.protocol(), member{"uraagent", agent})
	}
	s.data.tell(phoneCall{customer: c.customer, Number: f["uracontato"], Extension: agent})
	return f.did(s, 1, "Notificação criada no sistema", member{"uraagent", agent})
}

// sgpMotives are the motives that the stand-in SGP knows.
var sgpMotives = []string{"40", "41", "42", "43"}

// sgpTicket is chamado.
func sgpTicket(s *Sandbox, _ *request, f sgpForm) answer {
	c, ok := f.contract(s)
	switch {
	case !ok:
		return f.did(s, 0, noSGPContract)
	case f["motivoos"] != "" && !slices.Contains(sgpMotives, f["motivoos"]):
		return f.did(s, 0, "Motivo de Ordem de Serviço inválido")
	}
	words := f["conteudo"]
	if words == "" {
		words = "SEM ACESSO"
	}
	t := ticket{Contract: c.id, Status: "PENDENTE", Service: "SUPORTE", Text: words, customer: c.customer, opened: s.opts.Now()}
	t.Type, _ = digits(f["ocorrenciatipo"])
	return f.did(s, 1, "", member{"protocolo", s.data.open(t)})
}
