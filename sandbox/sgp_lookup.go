package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// sgpStates are how SGP numbers and words what the ERP calls a status, a blank
// before some of them as its specification shows.
var sgpStates = map[string]struct {
	code, mode int
	words      string
}{
	"HABILITADO":            {1, 1, "Ativo"},
	statusTrusted:           {1, 2, "Ativo "},
	"SUSPENSO":              {4, 1, " Suspenso"},
	"SUSPENSO PARCIALMENTE": {4, 2, " Suspenso"},
	statusCancelled:         {3, 1, "Cancelado"},
}

// sgpLookup is consultacliente, with the fifty fields of today's installations.
func sgpLookup(s *Sandbox, _ *request, f sgpForm) answer {
	var found []contract
	switch document := strings.ToUpper(f["cpfcnpj"]); {
	case document != "":
		if c, ok := s.data.customerByDocument(document); ok {
			found = s.data.contractsOf(c.id)
		}
	case f["contrato"] != "":
		if c, ok := f.contract(s); ok {
			found = append(found, c)
		}
	default:
		return members(member{"msg", "CPF/CNPJ ou Contrato ID Não informados"})
	}
	if len(found) == 0 {
		return members(member{"msg", "Cliente não localizado"}, member{"contratos", []int{}})
	}
	list := make([]string, len(found))
	for i, c := range found {
		list[i] = string(members(s.sgpContract(c)...).body)
	}
	return text(http.StatusOK, `{"msg":"Contrato(s) Localizado(s)","contratos":[`+strings.Join(list, ",")+`]}`)
}

// sgpContract is all that an installation says of one contract.
func (s *Sandbox) sgpContract(c contract) []member {
	who, _ := s.data.customer(c.customer)
	var open money
	var titles []map[string]any
	for _, i := range s.data.invoices(func(i invoice) bool { return !i.paid && slices.Contains(i.contracts, c.id) }) {
		open += i.value
		titles = append(titles, map[string]any{"id": i.id, "valor": i.value, "vencimento": i.due.Format("2006-01-02"), "linhaDigitavel": i.slip})
	}
	state, ok := sgpStates[c.status]
	if !ok {
		state.code, state.mode, state.words = 3, 1, c.status
	}
	login := fmt.Sprintf("login.%d", c.customer)
	return []member{
		{"contratoId", c.id}, {"razaoSocial", who.name}, {"cpfCnpj", who.document},
		{"contratoStatus", state.code}, {"contratoStatusModo", state.mode}, {"contratoStatusDisplay", state.words},
		{"promessasPagamentoMes", c.promises}, {"contratoValorAberto", open}, {"contratoTitulosAReceber", titles},
		{"contratoCentralLogin", who.document}, {"contratoCentralSenha", "segredo-da-central"}, {"contratoVencimento", c.dueDay},
		{"clienteId", who.id}, {"clienteTipo", who.person}, {"clienteRg", who.rg}, {"clienteNomeMae", who.mother},
		{"telefones", []string{who.landline, who.mobile}}, {"emails", []string{who.email}},
		{"telefone", who.landline}, {"celular", who.mobile}, {"email", who.email},
		{"endereco_logradouro", "RUA EXEMPLO"}, {"endereco_numero", 100}, {"endereco_complemento", ""}, {"endereco_bairro", "CENTRO"},
		{"endereco_cidade", "BELO HORIZONTE"}, {"endereco_uf", "MG"}, {"endereco_cep", "30100000"}, {"endereco_pontoreferencia", nil},
		{"endereco_latitude", "-19.9"}, {"endereco_longitude", "-43.9"},
		{"planointernet", c.plan}, {"planointernet_valor", c.value}, {"planointernet_download", 300}, {"planointernet_upload", 150},
		{"planotv", nil}, {"planotv_valor", nil}, {"planotelefonia", nil}, {"planotelefonia_valor", nil},
		{"servico_id", c.id + 1}, {"servico_login", login}, {"servico_senha", "segredo-do-servico"}, {"servico_ip", "192.0.2.77"},
		{"servico_mac", "00:11:22:33:44:55"}, {"servico_tipo", c.technology}, {"servico_status", state.words},
		{"servico_wifi_ssid", "rede." + login}, {"servico_wifi_password", "segredo-do-wifi"}, {"servico_wifi_channel", 6},
		{"popId", 1}, {"popNome", "POP EXEMPLO"}, {"portadorId", 1}, {"vendedor", "VENDEDOR EXEMPLO"},
		{"dataCadastro", "2020-01-01"}, {"dataAtivacao", "2020-01-02"}, {"dataCancelamento", nil},
	}
}
