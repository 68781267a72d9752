package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	spec "github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// documented makes the request of an exchange.
func (r *rig) documented(op *spec.Operation, ex *spec.Exchange, token string) *http.Request {
	var req spec.Request
	require.NoError(r.t, op.Build(&req, ex.Params, ex.Body), op.ID)
	out := r.request(req.Method, string(req.Target), string(req.Body), "Token", token)
	if req.Type != "" {
		out.Header.Set("Content-Type", req.Type)
	}
	for _, h := range req.Headers {
		out.Header.Set(h.Name, h.Value)
	}
	return out
}

// Every documented request gets a good answer that fits the contract, the
// documented one of an operation without a state; of one that has a state the
// answer is good, whomever the example names.
func TestEveryDocumentedRequest(t *testing.T) {
	var a jsonx.Arena
	r := start(t, Options{})
	got := map[string]int{}
	for _, op := range erpContract().Order {
		mine := r.routes[slices.IndexFunc(r.routes, func(o operation) bool { return o.id == op.ID })]
		require.Equal(t, op.Token, mine.token, op.ID)
		got["operations"]++
		if mine.stateful {
			got["stateful"]++
		}
		first := map[string]*spec.Exchange{} // of a request that is documented with several answers
		for _, ex := range op.Exchanges {
			if !ex.Whole {
				got["requests that cannot be built"]++
				continue
			}
			t.Run(op.ID+"/"+ex.Name, func(t *testing.T) {
				r.Reset()
				req := r.documented(op, ex, r.token())
				same := req.URL.String() + " " + string(ex.Body)
				if first[same] == nil {
					first[same] = ex
				}
				ex := first[same]
				res, err := r.client.Do(req)
				require.NoError(t, err)
				var body bytes.Buffer
				_, err = body.ReadFrom(res.Body)
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				require.Equal(t, op.ID, r.Calls()[1].Operation)
				got["requests"]++
				if op.AnswerKind == spec.FileAnswer {
					require.Equal(t, "application/pdf", res.Header.Get("Content-Type"))
					requirePDF(t, body.Bytes())
					return
				}
				if ex.Answer == nil && mine.stateful {
					require.Equal(t, http.StatusOK, res.StatusCode, "what the document does not answer may be a no")
					return
				}
				out := op.Classify(&a, res.StatusCode, res.Header.Get("Content-Type"), body.Bytes())
				require.Equal(t, spec.OK, out.State, "%s: %s", out.Class, body.String())
				require.Empty(t, op.AcceptAnswer(out.Body), body.String())
				if mine.stateful || ex.Answer == nil {
					return
				}
				got["documented answers"]++
				if op.AnswerKind == spec.TextAnswer {
					require.Equal(t, strconv.Quote(ex.Answer.Answer), body.String())
				} else {
					require.Equal(t, ex.Answer.Answer, body.String())
				}
			})
		}
	}
	require.Equal(t, map[string]int{"operations": 178, "stateful": 57}, map[string]int{"operations": got["operations"], "stateful": got["stateful"]})
	t.Log(fmt.Sprint(got))
}

// requirePDF checks that readers find the objects of a document where its table says.
func requirePDF(t *testing.T, doc []byte) {
	require.True(t, bytes.HasPrefix(doc, []byte("%PDF-1.4\n")))
	require.True(t, bytes.HasSuffix(doc, []byte("%%EOF\n")))
	start := regexp.MustCompile(`startxref\n(\d+)\n`).FindSubmatch(doc)
	at, err := strconv.Atoi(string(start[1]))
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(doc[at:], []byte("xref\n")))
	for i, m := range regexp.MustCompile(`(\d{10}) 00000 n `).FindAllSubmatch(doc[at:], -1) {
		offset, err := strconv.Atoi(string(m[1]))
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(doc[offset:], fmt.Appendf(nil, "%d 0 obj\n", i+1)))
	}
	m := regexp.MustCompile(`(?s)/Length (\d+) >>\nstream\n(.*)\nendstream`).FindSubmatch(doc)
	require.Equal(t, string(m[1]), strconv.Itoa(len(m[2])))
}

// Credentials are asked of all operations alike, and what is no operation is none.
func TestEveryOperationAsksForCredentials(t *testing.T) {
	r := start(t, Options{})
	for _, op := range erpContract().Order {
		path := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(op.Path, "1")
		req := r.request(op.Method, path, "{}")
		req.SetBasicAuth(DefaultUser, "wrong")
		res, err := r.client.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusUnauthorized, res.StatusCode, op.ID)
		if op.Token {
			status, _, body := r.do(op.Method, path, "{}")
			require.Equal(t, http.StatusUnauthorized, status, op.ID)
			require.Contains(t, body, "Token", op.ID)
		}
		status, _, _ := r.do(http.MethodDelete, path, "")
		require.Equal(t, http.StatusMethodNotAllowed, status, op.ID)
	}
}

func TestLiteralsBeforeParameters(t *testing.T) {
	r := start(t, Options{})
	for path, want := range map[string]string{
		"/ws/comercial/atendimentos/fechamentos":               "comercial.atendimentos.fechamentos",
		"/ws/comercial/atendimentos/7":                         "comercial.atendimentos.detalhe",
		"/ws/comercial/prospectos/tipos":                       "comercial.prospectos.tipos",
		"/ws/comercial/prospectos/7":                           "comercial.prospectos.por_id",
		"/ws/area/cliente/vencimentos/ativos":                  "area.cliente.vencimentos.ativos",
		"/ws/area/cliente/7":                                   "area.cliente.informacoes",
		"/ws/financeiro/faturas/cliente/7":                     "financeiro.faturas.cliente.abertas",
		"/ws/financeiro/faturas/cliente/documento/52998224725": "financeiro.faturas.cliente.documento",
		"/ws/financeiro/faturas/529.982.247-25/todas":          "financeiro.faturas.todas",
		"/ws/area/cliente/sete":                                "",
	} {
		r.Reset()
		r.do(http.MethodGet, path, "")
		require.Equal(t, want, r.Calls()[0].Operation, path)
	}
	for body, want := range map[string]string{
		`{"idPlano":1,"idNumero":3}`:                         "telefonia",
		`{"idPacote":1,"dadosPlanosPacote":[{"idPlano":1}]}`: "pacote",
	} {
		r.Reset()
		r.do(http.MethodPost, "/ws/comercial/contratos/cadastrar", body)
		require.Equal(t, "comercial.contratos.cadastrar."+want, r.Calls()[0].Operation)
	}
}

// answered gives the answer to a call that must be good.
func (r *rig) answered(method, path, body string) map[string]any {
	r.t.Helper()
	status, _, text := r.do(method, path, body, "Token", r.token())
	require.Equal(r.t, http.StatusOK, status, text)
	var out map[string]any
	require.NoError(r.t, json.Unmarshal([]byte(text), &out), text)
	return out
}

const (
	newProspect = `{"tipoPessoa":"PessoaFisica","nome":"NOVA EXEMPLO","telefoneFixo":"3133330099","telefoneMovel":"31999990099","dataNascimento":"15-03-1988","idVendedor":285,"idSegmentoProspecto":1,"idTipoProspecto":1,"idCanalVenda":1,"idEmpresa":1,"email":"nova@example.com","cpf":"313.642.470-07"}`
	convert     = `{"idProspecto":220335,"idUsuario":285,"emiteNotaFiscal":1,"emiteNotaUnica":1,"enviaNotaFiscalEmail":1,"emiteFaturaUnica":1,"formadorOpiniao":0,"funcionario":0,"parceiro":0,"recebeSMS":1}`
)

// What leads to no customer, and that a reset takes everything back.
func TestProspectsThatDoNotConvert(t *testing.T) {
	r := start(t, Options{})
	const prospects = "/ws/comercial/prospectos/"
	where := func(place int) string {
		return fmt.Sprintf(`{"idUsuario":285,"idProspecto":220335,"idEndereco":%d,"numero":45,"tipoEndereco":"PADRAO","idClassificacaoEndereco":1}`, place)
	}
	require.EqualValues(t, 220335, r.answered("POST", prospects+"cadastrar", newProspect)["idProspecto"])
	require.Equal(t, "O prospecto não tem endereço.", r.answered("POST", prospects+"converter/cliente", convert)["error"])
	require.Equal(t, "Endereço não encontrado", r.answered("POST", prospects+"enderecos/cadastrar", where(1))["error"])
	r.answered("POST", prospects+"enderecos/cadastrar", where(700001))
	seen := r.answered("POST", prospects+"viabilidade_tecnica/consultar", `{"idUsuario":285,"idProspecto":220335}`)
	require.Equal(t, "REPROVADO", seen["resposta"].(map[string]any)["resultado"])
	r.answered("PUT", prospects+"aprovar/reprovar", `{"idUsuario":285,"idProspecto":220335,"acao":"reprovar"}`)
	require.Equal(t, "O prospecto foi reprovado.", r.answered("POST", prospects+"converter/cliente", convert)["error"])
	r.answered("PUT", prospects+"aprovar/reprovar", `{"idUsuario":285,"idProspecto":220335,"acao":"aprovar"}`)
	require.EqualValues(t, 428738, r.answered("POST", prospects+"converter/cliente", convert)["idCliente"])
	require.Equal(t, "O prospecto já foi convertido em cliente.", r.answered("POST", prospects+"converter/cliente", convert)["error"])
	require.EqualValues(t, 220336, r.answered("POST", prospects+"cadastrar", newProspect)["idProspecto"])
	r.answered("POST", prospects+"enderecos/cadastrar", strings.ReplaceAll(where(587374), "220335", "220336"))
	require.Equal(t, "Já existe um cliente com o CPF/CNPJ informado.", r.answered("POST", prospects+"converter/cliente", strings.ReplaceAll(convert, "220335", "220336"))["error"])
	require.Contains(t, r.answered("GET", prospects+"999", "")["error"], "nenhum prospecto")
	require.Len(t, r.answered("GET", prospects+"buscar/vendedor/285?nome=nova&oportunidade=ABERTA", "")["resposta"], 1)

	r.Reset()
	require.Contains(t, r.answered("GET", prospects+"220335", "")["error"], "nenhum prospecto")
	require.Equal(t, false, r.answered("POST", "/ws/comercial/cliente/dados", `{"cpfcnpj":"31364247007"}`)["ClienteEncontrato"])
}

// Paying the last invoice of a suspended contract enables it; deals are made whole or not at all.
func TestInvoicesOfADay(t *testing.T) {
	r := start(t, Options{})
	payment := func(id int, amount, part string) string {
		return fmt.Sprintf(`{"IDFatura":%d,"IDContaFinanceira":1,"ValorPago":%s,"ValorMulta":0,"ValorJuros":0,"ValorDesconto":0,"DataPagamento":"04-08-2026","PagamentoParcial":%q}`, id, amount, part)
	}
	pay := func(id int, amount, part string) string {
		_, _, body := r.do("PUT", "/ws/financeiro/faturas/pagar", payment(id, amount, part), "Token", r.token())
		return body
	}
	status := func(contract int) any {
		return r.answered("POST", "/ws/comercial/contrato/dados?somenteContrato=s", fmt.Sprintf(`{"idContrato":%d}`, contract))["StatusContrato"]
	}
	require.Equal(t, bodySucesso, pay(7011, "119.90", "0"))
	require.Equal(t, bodyPaid, pay(7011, "119.90", "0"))
	require.Contains(t, pay(1, "1", "0"), "inválido")
	require.Equal(t, bodySucesso, pay(7012, "99.80", "1"))
	require.Equal(t, "SUSPENSO", status(1300011))
	line := r.answered("POST", "/ws/financeiro/fatura/7012/linha_digitavel", `{"usuario":"39053344705","senha":"39053344705"}`)
	require.InDelta(t, 100, line["valor"], 1e-9, "what is left")
	require.Contains(t, r.answered("POST", "/ws/financeiro/fatura/7012/linha_digitavel", `{"usuario":"52998224725","senha":"52998224725"}`)["error"], "Fatura", "somebody else's")
	require.Contains(t, r.answered("POST", "/ws/financeiro/fatura/7012/linha_digitavel", `{"usuario":"39053344705","senha":"1"}`)["error"], "acesso")
	require.Equal(t, bodySucesso, pay(7012, "100", "0"))
	require.Equal(t, "HABILITADO", status(1300011))
	require.Equal(t, "HABILITADO", status(1300012))

	deal := func(ids string) string {
		return `{"usuario":"11144477735","senha":"11144477735","dadosNegociacao":[{"numeroParcela":1,"valorTotalParcela":222.3,"valorMultaParcela":0,"valorJurosParcela":0,"valorDescontoParcela":0,"vencimentoParcela":"10-12-2026","idsFaturasNegociadas":` + ids + `}]}`
	}
	require.Contains(t, r.answered("PUT", "/ws/financeiro/negociar", deal("[89,7002]"))["error"], "negociação", "somebody else's among them")
	made := r.answered("PUT", "/ws/financeiro/negociar", deal("[89,8]"))["object"].([]any)
	require.Len(t, made, 1)
	open := r.answered("GET", "/ws/financeiro/faturas/11144477735/todas", "")["Faturas"].([]any)
	require.Len(t, open, 4)
	require.EqualValues(t, 9001, open[3].(map[string]any)["IDFatura"])
}

// Third parties hear yes of customers with an enabled contract only.
func TestPassiveIntegrations(t *testing.T) {
	r := start(t, Options{})
	ask := func(path string) string {
		_, _, body := r.do("GET", path, "", "Token", r.token())
		return body
	}
	const neo, bit = "/ws/comercial/clientes/integracao/", "/ws/integracao/bittrainers/"
	who := "authentication?username=52998224725&password="
	require.Equal(t, `{"access":true,"subscriber_id":500001}`, ask(neo+who+"52998224725"))
	require.Equal(t, BodyAccess, ask(neo+who+"1"))
	require.Equal(t, BodyAccess, ask(neo+"authentication?username=97531864282&password=97531864282"), "no contract")
	require.Equal(t, `{"access":true,"subscriber_id":"AAAAAAAAAAAAAAAAAAehIQ=="}`, ask(bit+who+"52998224725"))
	require.Equal(t, `{"access":true}`, ask(bit+"authorization?resource_id=11&subscriber_id=AAAAAAAAAAAAAAAAAAehIQ%3D%3D"))
	require.Equal(t, BodyAccess, ask(bit+"authorization?resource_id=11&subscriber_id=500001"))
	require.Equal(t, `{"access":true}`, ask(neo+"authorization?resource_id=11&subscriber_id=500001"))
	require.Equal(t, BodyAccess, ask(neo+"authorization?subscriber_id=500001"))
	require.Equal(t, BodyAccess, ask(neo+"authorization?resource_id=11&subscriber_id=500002"), "suspended")
}
