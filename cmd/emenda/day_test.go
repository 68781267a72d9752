package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/mappings"
)

// client is an app or a third party that speaks to the gateway as to the ERP.
type client struct {
	t                           *testing.T
	base, user, password, token string
	ops                         map[string]*contract.Operation
	used                        map[string]bool
}

func newClient(t *testing.T, addr any, user, password string) *client {
	names, err := fs.Glob(mappings.Files, "contracts/erp/*.yaml")
	require.NoError(t, err)
	var files []*diag.File
	for _, name := range names {
		text, err := fs.ReadFile(mappings.Files, name)
		require.NoError(t, err)
		files = append(files, diag.NewFile(name, string(text)))
	}
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	c, list := contract.LoadFiles("erp", files, fns)
	require.False(t, list.HasErrors())
	return &client{t: t, base: fmt.Sprintf("http://%s", addr), user: user, password: password, ops: c.Operations, used: map[string]bool{}}
}

// send makes one call, and gives status, Content-Type and body of the answer.
func (c *client) send(method, path, body string) (status int, kind string, answer []byte) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	require.NoError(c.t, err)
	req.SetBasicAuth(c.user, c.password)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Token", c.token)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	return res.StatusCode, res.Header.Get("Content-Type"), text
}

// call makes a call of an operation whose answer must be good and as the
// contract has it.
func (c *client) call(id, path, body string) any {
	c.t.Helper()
	op := c.ops[id]
	require.NotNil(c.t, op, id)
	status, kind, text := c.send(op.Method, path, body)
	require.Equal(c.t, http.StatusOK, status, "%s: %s", id, text)
	c.used[id] = true
	if op.AnswerKind == contract.FileAnswer {
		require.Equal(c.t, "application/pdf", kind)
		require.True(c.t, bytes.HasPrefix(text, []byte("%PDF-")))
		return nil
	}
	var a jsonx.Arena
	out := op.Classify(&a, status, kind, text)
	require.Equal(c.t, contract.OK, out.State, "%s: %s", id, text)
	require.Empty(c.t, op.AcceptAnswer(out.Body), "%s: %s", id, text)
	var v any
	require.NoError(c.t, json.Unmarshal(text, &v), "%s: %s", id, text)
	return v
}

// at gives the value at a way of names and positions.
func at(t *testing.T, v any, way ...any) any {
	t.Helper()
	for _, step := range way {
		switch step := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			require.True(t, ok, "%v in %v", step, v)
			v = m[step]
		case int:
			list, ok := v.([]any)
			require.True(t, ok && len(list) > step, "%v in %v", step, v)
			v = list[step]
		}
	}
	require.NotNil(t, v, way)
	return v
}

func numberAt(t *testing.T, v any, way ...any) int {
	t.Helper()
	f, ok := at(t, v, way...).(float64)
	require.True(t, ok, way)
	return int(f)
}

// A day of an app and of the back office, through the gateway: somebody comes
// by, becomes a customer, signs, pays late, calls, and pays.
func TestDayThroughTheGateway(t *testing.T) {
	s := serve(t)
	addr := s.line(t, "serving")["address"]
	c := newClient(t, addr, sandboxUser, sandboxPassword)
	const document = "31364247007"

	status, _, _ := c.send(http.MethodGet, "/ws/comercial/tecnologias", "")
	require.Equal(t, http.StatusUnauthorized, status, "no token yet")
	c.token, _ = at(t, c.call("auth.token.gerar", "/ws/auth/token/gerar", ""), "token").(string)
	c.call("comercial.tecnologias", "/ws/comercial/tecnologias", "")
	c.call("comercial.contratos.tipos", "/ws/comercial/contratos/tipos", "")
	c.call("financeiro.bancos", "/ws/financeiro/bancos", "")
	c.call("terceiros.cidades.uf", "/ws/terceiros/cidades/uf/MG", "")

	// Somebody comes by.
	street := numberAt(t, c.call("terceiros.enderecos.cep", "/ws/terceiros/enderecos/cep/36404199", ""), "id")
	seen := c.call("comercial.viabilidade_tecnica.consultar", "/ws/comercial/viabilidade_tecnica/consultar",
		fmt.Sprintf(`{"idEndereco":%d,"numero":45,"latitude":"-20.66","longitude":"-43.77","idSegmentoProspecto":1}`, street))
	require.Equal(t, "APROVADO", at(t, seen, "resposta", "resultado"))
	const prospects = "/ws/comercial/prospectos/"
	prospect := numberAt(t, c.call("comercial.prospectos.cadastrar", prospects+"cadastrar",
		`{"tipoPessoa":"PessoaFisica","nome":"NOVA EXEMPLO","telefoneFixo":"3133330099","telefoneMovel":"31999990099","dataNascimento":"15-03-1988","idVendedor":285,"idSegmentoProspecto":1,"idTipoProspecto":1,"idCanalVenda":1,"idEmpresa":1,"email":"nova@example.com","cpf":"`+document+`"}`), "idProspecto")
	c.call("comercial.prospectos.enderecos.cadastrar", prospects+"enderecos/cadastrar",
		fmt.Sprintf(`{"idUsuario":285,"idProspecto":%d,"idEndereco":%d,"numero":45,"tipoEndereco":"PADRAO","idClassificacaoEndereco":1}`, prospect, street))
	seen = c.call("comercial.prospectos.viabilidade_tecnica.consultar", prospects+"viabilidade_tecnica/consultar", fmt.Sprintf(`{"idUsuario":285,"idProspecto":%d}`, prospect))
	require.Equal(t, "APROVADO", at(t, seen, "resposta", "resultado"))
	c.call("comercial.prospectos.atualizar", prospects+"atualizar", fmt.Sprintf(`{"idProspecto":"%d","idVendedor":"285","obs":"LIGAR A TARDE"}`, prospect))
	file := c.call("comercial.prospectos.por_id", fmt.Sprint(prospects, prospect), "")
	require.Equal(t, "LIGAR A TARDE", at(t, file, "resposta", "observacaoProspecto"))
	require.Equal(t, "ROCHEDO", at(t, file, "resposta", "enderecosProspecto", 0, "bairro"))
	require.Equal(t, prospect, numberAt(t, c.call("comercial.prospectos.buscar.vendedor", prospects+"buscar/vendedor/285?oportunidade=ABERTA", ""), "resposta", 0, "id"))

	// A customer, and a contract.
	customer := numberAt(t, c.call("comercial.prospectos.converter.cliente", prospects+"converter/cliente",
		fmt.Sprintf(`{"idUsuario":285,"idProspecto":%d,"emiteNotaFiscal":1,"emiteNotaUnica":1,"enviaNotaFiscalEmail":1,"emiteFaturaUnica":1,"formadorOpiniao":0,"funcionario":0,"parceiro":0,"recebeSMS":1}`, prospect)), "idCliente")
	home := numberAt(t, c.call("comercial.clientes.enderecos", fmt.Sprintf("/ws/comercial/clientes/%d/enderecos", customer), ""), "resposta", 0, "id")
	other := numberAt(t, c.call("comercial.clientes.enderecos.cadastrar", "/ws/comercial/clientes/enderecos/cadastrar",
		fmt.Sprintf(`{"idUsuario":285,"idCliente":%d,"idEndereco":645337,"numero":"70","tipoEndereco":"COBRANCA","idClassificacaoEndereco":1}`, customer)), "idEnderecoCliente")
	c.call("comercial.contratos.planos", "/ws/comercial/contratos/planos/tecnologia/14/tipo_contrato/1/tipo_pessoa/PessoaFisica/cidade/100", "")
	signed := c.call("comercial.contratos.cadastrar.internet", "/ws/comercial/contratos/cadastrar",
		fmt.Sprintf(`{"idPlano":1159,"idTipoContrato":1,"idCliente":%d,"idUsuario":285,"idsEnderecos":[%d,%d],"idVencimento":1,"idFormaCobranca":65,"valorContrato":83.1,"idOrigemComercial":1,"podeSuspender":1,"idCanalVenda":1,"naoCancelaPorInadimplencia":0,"fidelizacao":"MESES_24","idVelocidade":1}`, customer, home, other))
	contractID := numberAt(t, signed, "resposta", "id")
	require.Equal(t, fmt.Sprintf("%d - NOVA EXEMPLO", customer), at(t, signed, "resposta", "cliente"))
	for id, found := range map[string]any{
		"document": c.call("comercial.cliente.dados", "/ws/comercial/cliente/dados", `{"cpfcnpj":"`+document+`"}`),
		"number":   c.call("comercial.cliente.dados.por_id", fmt.Sprintf("/ws/comercial/cliente/%d/dados", customer), ""),
	} {
		require.Equal(t, contractID, numberAt(t, found, "Contratos", 0, "IDContrato"), id)
	}
	only := c.call("comercial.contrato.dados.somente_contrato", "/ws/comercial/contrato/dados?somenteContrato=s", fmt.Sprintf(`{"idContrato":%d}`, contractID))
	require.Equal(t, "ROCHEDO", at(t, only, "Enderecos", 0, "Bairro"))
	c.call("area.cliente.contrato", fmt.Sprintf("/ws/area/cliente/contrato/%d", contractID), "")
	require.Equal(t, "NOVA EXEMPLO", at(t, c.call("area.cliente.informacoes", fmt.Sprintf("/ws/area/cliente/%d", customer), ""), "data", "nome"))
	require.Equal(t, customer, numberAt(t, c.call("comercial.clientes.logar", "/ws/comercial/clientes/logar", `{"usuario":"`+document+`","senha":"`+document+`"}`), "CodigoCliente"))

	// The invoice, and a promise to pay it.
	invoice := numberAt(t, c.call("financeiro.faturas.cliente.abertas", fmt.Sprintf("/ws/financeiro/faturas/cliente/%d", customer), ""), 0, "IDFatura")
	c.call("financeiro.faturas.cliente.documento", "/ws/financeiro/faturas/cliente/documento/"+document, "")
	c.call("financeiro.fatura.imprimir", fmt.Sprintf("/ws/financeiro/fatura/%d/imprimir", invoice), "")
	line := c.call("financeiro.fatura.aberta.linha_digitavel", fmt.Sprintf("/ws/financeiro/fatura/aberta/%d/linha_digitavel", invoice), "")
	mine := c.call("financeiro.fatura.linha_digitavel", fmt.Sprintf("/ws/financeiro/fatura/%d/linha_digitavel", invoice), `{"usuario":"`+document+`","senha":"`+document+`"}`)
	require.Equal(t, line, at(t, mine, "linhaDigitavel"))
	c.call("financeiro.faturas.abertas.enviar", fmt.Sprintf("/ws/financeiro/faturas/abertas/%d/enviar", customer), fmt.Sprintf(`{"idsFaturas":[%d]}`, invoice))
	c.call("integracao.omnichannel.fatura.linha_digitavel.enviar", "/ws/integracao/omnichannel/fatura/linha_digitavel/enviar", fmt.Sprintf(`{"idFatura":%d}`, invoice))
	promise := fmt.Sprintf(`{"idContrato":%d,"motivo":"PAGA NO SABADO"}`, contractID)
	require.Equal(t, "SUCESSO", at(t, c.call("comercial.contrato.habilitar_confianca", "/ws/comercial/contrato/habilitar_confianca", promise), "resposta"))
	_, _, text := c.send(http.MethodPut, "/ws/comercial/contrato/habilitar_confianca", promise)
	require.JSONEq(t, `{"resposta":"FALHA"}`, string(text), "once")
	trusted := c.call("comercial.contrato.dados", "/ws/comercial/contrato/dados", fmt.Sprintf(`{"idContrato":%d}`, contractID))
	require.Equal(t, "HABILITADO EM CONFIANCA", at(t, trusted, "StatusContrato"))
	require.Equal(t, invoice, numberAt(t, trusted, "Faturas", 0, "IDFatura"))

	// A call, and what becomes of it.
	c.call("telefonia.ligacoes.cadastrar", "/ws/telefonia/ligacoes/cadastrar", fmt.Sprintf(`{"idCliente":%d,"numeroOrigem":"31999990099"}`, customer))
	protocol := at(t, c.call("comercial.atendimentos.cadastrar", "/ws/comercial/atendimentos/cadastrar",
		fmt.Sprintf(`{"idContrato":%d,"descricao":"SEM ACESSO","idTipoAtendimento":1,"idCentroCustoDestino":3}`, contractID)), "numeroProtocolo")
	listed := c.call("area.cliente.atendimentos", fmt.Sprintf("/ws/area/cliente/%d/atendimentos", customer), "")
	require.Equal(t, protocol, at(t, listed, "data", 0, "numeroProtocolo"))
	ticket := numberAt(t, listed, "data", 0, "idAtendimento")
	c.call("comercial.atendimentos.log.cadastrar", "/ws/comercial/atendimentos/log/cadastrar",
		fmt.Sprintf(`{"idUsuario":285,"acao":"VISITA MARCADA","tipoAcao":"CADASTRO","idAtendimento":%d}`, ticket))
	shown := c.call("comercial.atendimentos.detalhe", fmt.Sprintf("/ws/comercial/atendimentos/%d", ticket), "")
	require.Equal(t, customer, numberAt(t, shown, "Contrato", "Cliente", "IDCliente"))
	c.call("comercial.atendimento.fechar", "/ws/comercial/atendimento/fechar", fmt.Sprintf(`{"protocolo":%q}`, protocol))
	listed = c.call("integracao.omnichannel.atendimentos.cliente", fmt.Sprintf("/ws/integracao/omnichannel/atendimentos/cliente/%d", customer), "")
	require.Equal(t, "SOLUCIONADO", at(t, listed, "data", 0, "statusAtendimento"))

	// Paid.
	c.call("financeiro.faturas.pagar", "/ws/financeiro/faturas/pagar",
		fmt.Sprintf(`{"IDFatura":%d,"IDFormaPagamento":2,"IDContaFinanceira":1,"DataPagamento":"04-08-2026","ValorMulta":0,"ValorJuros":0,"ValorDesconto":0,"ValorPago":83.1,"PagamentoParcial":"0"}`, invoice))
	require.Equal(t, "2026-08-04", at(t, c.call("financeiro.faturas.todas", "/ws/financeiro/faturas/"+document+"/todas", ""), "Faturas", 0, "DataPagamento"))
	require.Empty(t, c.call("financeiro.faturas.cliente.abertas", fmt.Sprintf("/ws/financeiro/faturas/cliente/%d", customer), ""))

	// And the IVR knows the customer.
	code, text2, err := post(fmt.Sprintf("http://%s/ws/ura/consultacliente/", addr), "application/x-www-form-urlencoded",
		url.Values{"app": {sandboxApp}, "token": {sandboxToken}, "cpfcnpj": {document}}.Encode())
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code, text2)
	require.Contains(t, text2, fmt.Sprintf(`"contratoId":%d`, contractID))

	t.Logf("%d operations", len(c.used))
	require.GreaterOrEqual(t, len(c.used), 40)
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	s.line(t, "stopped")
	require.NoError(t, s.cmd.Wait())
}

// Whatever goes wrong behind the gateway, third parties hear the documented no.
func TestThirdPartiesHearNo(t *testing.T) {
	s := serve(t)
	box := s.line(t, "the stand-ins of the backends listen")["address"]
	addr := s.line(t, "serving")["address"]
	c := newClient(t, addr, sandboxSVA, sandboxSVAPassword)
	status, _, _ := c.send(http.MethodGet, "/ws/integracao/bittrainers/authentication?username=1&password=1", "")
	require.Equal(t, http.StatusUnauthorized, status, "no token yet")
	c.token, _ = at(t, c.call("auth.token.gerar", "/ws/auth/token/gerar", ""), "token").(string)
	const neo, bit = "/ws/comercial/clientes/integracao/", "/ws/integracao/bittrainers/"
	who, may := "authentication?username=52998224725&password=52998224725", "authorization?resource_id=11&subscriber_id="
	questions := map[string]struct{ path, yes string }{
		"comercial.clientes.integracao.authentication": {neo + who, `{"access":true,"subscriber_id":500001}`},
		"comercial.clientes.integracao.authorization":  {neo + may + "500001", `{"access":true}`},
		"integracao.bittrainers.authentication":        {bit + who, `{"access":true,"subscriber_id":"AAAAAAAAAAAAAAAAAAehIQ=="}`},
		"integracao.bittrainers.authorization":         {bit + may + "AAAAAAAAAAAAAAAAAAehIQ%3D%3D", `{"access":true}`},
	}
	ask := func(path, want, why string) {
		t.Helper()
		status, kind, text := c.send(http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, status, "%s: %s", why, text)
		require.Equal(t, "application/json", kind, why)
		require.Equal(t, want, string(text), why)
	}
	for id, q := range questions {
		ask(q.path, q.yes, id)
		for _, fault := range []string{
			`"kind":"status500"`, `"kind":"html"`, `"kind":"html","status":503`, `"kind":"truncate"`, `"kind":"cut_before_read"`, `"kind":"cut_after_read"`,
			`"kind":"business"`, `"kind":"business","body":{"error":"Internal Server Error"}`, `"kind":"business","body":[]`, `"kind":"business","body":{"access":"yes"}`,
			`"kind":"business","status":500,"body":{"access":true,"subscriber_id":1}`,
		} {
			code, said, err := post(fmt.Sprintf("%s/_sandbox/faults", box), "application/json", fmt.Sprintf(`{"operation":%q,%s,"times":-1}`, id, fault))
			require.NoError(t, err)
			require.Equal(t, http.StatusCreated, code, said)
			ask(q.path, `{"access":false}`, id+" "+fault)
			_, _, err = post(fmt.Sprintf("%s/_sandbox/reset", box), "", "")
			require.NoError(t, err)
			ask(q.path, q.yes, id+" afterwards") // and the breaker, which five failures in a row open, stays closed
		}
		ask(strings.NewReplacer("resource_id=11", "", "password=52998224725", "").Replace(q.path), `{"access":false}`, "bad input")
	}
	// The caller may ask these, but nothing else.
	for _, path := range []string{"/ws/comercial/tecnologias", "/ws/financeiro/faturas/cliente/81593"} {
		status, _, _ := c.send(http.MethodGet, path, "")
		require.Equal(t, http.StatusForbidden, status, path)
	}
	c.password = "wrong"
	status, _, text := c.send(http.MethodGet, neo+who, "")
	require.Equal(t, http.StatusUnauthorized, status)
	require.NotContains(t, string(text), "true")

	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	s.line(t, "stopped")
	require.NoError(t, s.cmd.Wait())
	require.NotContains(t, s.log.String(), "52998224725", "no log tells who asked")
}
