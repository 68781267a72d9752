package mappings_test

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/mappings"
)

// erpFiles are the files of the embedded contract.
func erpFiles(t testing.TB) []*diag.File {
	t.Helper()
	names, err := fs.Glob(mappings.Files, "contracts/erp/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	var files []*diag.File
	for _, name := range names {
		text, err := fs.ReadFile(mappings.Files, name)
		require.NoError(t, err)
		files = append(files, diag.NewFile(name, string(text)))
	}
	return files
}

// erp gives the embedded contract, which must be good.
func erp(t testing.TB) *contract.Contract {
	t.Helper()
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	c, list := contract.LoadFiles("erp", erpFiles(t), fns)
	require.Empty(t, list.Text())
	return c
}

// outcome gives what an answer means in short.
func outcome(op *contract.Operation, status int, contentType, body string) string {
	var a jsonx.Arena
	o := op.Classify(&a, status, contentType, []byte(body))
	s := o.State.String()
	if o.Class != "" {
		s += " " + o.Class
	}
	if o.Message != "" {
		s += " (" + o.Message + ")"
	}
	if o.Body.Kind() != jsonx.Absent {
		s += " " + string(o.Body.AppendJSON(nil))
	}
	return s
}

// The embedded contract as mappings see it.
func TestEmbeddedContract(t *testing.T) {
	c := erp(t)
	require.Equal(t, []string{"user", "password"}, c.SignIn.Variables)
	require.Equal(t, "Token", c.SignIn.Token.Header)
	require.Equal(t, "auth.token.gerar", c.SignIn.Token.Obtain.ID)
	require.Equal(t, "auth.token.renovar", c.SignIn.Token.Renew.ID)
	require.Equal(t, 3600, c.SignIn.Token.Life)
	require.True(t, c.Operations["auth.token.gerar"].Answer.Fields["token"].Type.Secret)
	require.Equal(t, `{"ValorContrato":66.99,"StatusContrato":"HABILITADO","IDContrato":1283321,"DescricaoPlano":"FIBRA RES 2/6MBPS ILIM.","TipoContrato":"RESIDENCIAL","TipoTecnologia":"INTERNET","IDVencimento":4,"Faturas":[{"idsContratos":[1283322,1283321],"DebitoAutomatico":false,"CodigoCliente":81593,"ValorMulta":0.0,"IDFatura":90,"ValorJuros":0.0,"nroBoleto":"00000085425P","Valor":315.98,"nroDocumento":"0320283295","Vencimento":"2021-03-09"}]}`,
		c.Operations["comercial.contrato.dados"].Examples["retorno"].Answer)
}

func TestEmbeddedFailureRules(t *testing.T) {
	c := erp(t)
	const js = "application/json"
	for _, r := range []struct {
		name, op    string
		status      int
		contentType string
		body, want  string
	}{
		{"nobody of that document", "comercial.cliente.dados", 200, js, `{"ClienteEncontrato":false}`, `ok {"ClienteEncontrato":false}`},
		{"nobody of that document, with words", "comercial.cliente.dados", 200, js, `{"ClienteEncontrato":false,"error":"x"}`, `ok {"ClienteEncontrato":false,"error":"x"}`},
		{"nobody of that document, 404", "comercial.cliente.dados", 404, js, `{"error":"x"}`, `refused not_found {"error":"x"}`},
		{"nobody of that document, 404 and no word", "comercial.cliente.dados", 404, js, ``, `refused not_found`},
		{"a page of 404", "comercial.cliente.dados", 404, "text/html", `<html>`, `failed bad_answer`},
		{"contract unknown", "comercial.contrato.dados", 200, js, `{"Faturas":[]}`, `refused not_found {"Faturas":[]}`},
		{"contract unknown, empty list", "comercial.contrato.dados", 200, js, `[]`, `refused not_found []`},
		{"contract unknown, error", "comercial.contrato.dados", 200, js, `{"error":"x"}`, `refused not_found (x) {"error":"x"}`},
		{"contract unknown, erro", "comercial.contrato.dados", 400, js, `{"erro":"x"}`, `refused not_found (x) {"erro":"x"}`},
		{"contract unknown, 404", "comercial.contrato.dados", 404, "text/html", `<html>`, `refused not_found`},
		{"sign-in refused", "comercial.contrato.dados", 401, js, `{"error":"x"}`, `failed sign_in {"error":"x"}`},
		{"server error", "comercial.contrato.dados", 500, js, `{"error":"x"}`, `failed status {"error":"x"}`},
		{"a page", "comercial.contrato.dados", 200, "text/html", `<html>`, `failed bad_answer`},
		{"internal error in 200", "comercial.contrato.dados", 200, js, `{"Status":"INTERNAL_SERVER_ERROR"}`, `failed status {"Status":"INTERNAL_SERVER_ERROR"}`},
		{"FALHA", "area.cliente.informacoes", 200, "text/plain", "FALHA\n", `refused business (FALHA) "FALHA"`},
		{"FALHA as JSON", "area.cliente.informacoes", 200, js, `"FALHA"`, `refused business (FALHA) "FALHA"`},
		{"error", "area.cliente.informacoes", 200, js, `{"error":"x"}`, `refused business (x) {"error":"x"}`},
		{"Error", "area.cliente.informacoes", 200, js, `{"Error":"x"}`, `refused business (x) {"Error":"x"}`},
		{"empty error", "area.cliente.informacoes", 200, js, `{"error":"","data":{}}`, `ok {"error":"","data":{}}`},
		{"resposta", "area.cliente.informacoes", 200, js, `{"resposta":"FALHA"}`, `refused business (FALHA) {"resposta":"FALHA"}`},
		{"resposta an object", "area.cliente.informacoes", 200, js, `{"resposta":{"a":1}}`, `ok {"resposta":{"a":1}}`},
		{"access", "area.cliente.informacoes", 200, js, `{"access":false}`, `refused access {"access":false}`},
		{"no invoices", "financeiro.faturas.cliente.abertas", 200, js, `[]`, `ok []`},
		{"a promise", "comercial.contrato.habilitar_confianca", 200, js, `{"dataFim":"20/04/2020","resposta":"SUCESSO"}`, `ok {"dataFim":"20/04/2020","resposta":"SUCESSO"}`},
		{"a promise without a day", "comercial.contrato.habilitar_confianca", 201, js, `{"resposta":"SUCESSO","error":""}`, `ok {"resposta":"SUCESSO","error":""}`},
		{"no promise", "comercial.contrato.habilitar_confianca", 200, js, `{"resposta":"FALHA"}`, `refused falha {"resposta":"FALHA"}`},
		{"no promise, in a word", "comercial.contrato.habilitar_confianca", 200, "text/plain", "FALHA", `refused falha "FALHA"`},
		{"no promise, in a word of JSON", "comercial.contrato.habilitar_confianca", 200, js, `"FALHA"`, `refused falha "FALHA"`},
		{"no promise, with words", "comercial.contrato.habilitar_confianca", 200, js, `{"error":"x"}`, `refused business (x) {"error":"x"}`},
		{"no promise, erro", "comercial.contrato.habilitar_confianca", 200, js, `{"erro":"x","error":""}`, `refused business (x) {"erro":"x","error":""}`},
		{"no promise, Error", "comercial.contrato.habilitar_confianca", 200, js, `{"Error":"x"}`, `refused business (x) {"Error":"x"}`},
		{"no promise, access", "comercial.contrato.habilitar_confianca", 200, js, `{"access":false}`, `refused access {"access":false}`},
		{"no promise, 400 with words", "comercial.contrato.habilitar_confianca", 400, js, `{"error":"x"}`, `refused business (x) {"error":"x"}`},
		{"no promise, 404", "comercial.contrato.habilitar_confianca", 404, js, `{}`, `refused not_found {}`},
		{"no promise, a page of 404", "comercial.contrato.habilitar_confianca", 404, "text/html", `<html>`, `failed bad_answer`},
		{"no promise, the sign-in", "comercial.contrato.habilitar_confianca", 401, js, `{"error":"x"}`, `failed sign_in {"error":"x"}`},
		{"perhaps a promise: nothing said", "comercial.contrato.habilitar_confianca", 200, js, `{}`, `unknown bad_answer {}`},
		{"perhaps a promise: another word", "comercial.contrato.habilitar_confianca", 200, js, `{"resposta":"OK"}`, `unknown bad_answer {"resposta":"OK"}`},
		{"perhaps a promise: small letters", "comercial.contrato.habilitar_confianca", 200, js, `{"resposta":"sucesso"}`, `unknown bad_answer {"resposta":"sucesso"}`},
		{"perhaps a promise: a bare word", "comercial.contrato.habilitar_confianca", 200, js, `"ACCEPTED"`, `unknown bad_answer "ACCEPTED"`},
		{"perhaps a promise: SUCESSO, not JSON", "comercial.contrato.habilitar_confianca", 200, "text/plain", `SUCESSO`, `unknown bad_answer "SUCESSO"`},
		{"perhaps a promise: a list", "comercial.contrato.habilitar_confianca", 200, js, `[{"resposta":"SUCESSO"}]`, `unknown bad_answer [{"resposta":"SUCESSO"}]`},
		{"perhaps a promise: an internal error in 200", "comercial.contrato.habilitar_confianca", 200, js, `{"Status":"INTERNAL_SERVER_ERROR"}`, `unknown bad_answer {"Status":"INTERNAL_SERVER_ERROR"}`},
		{"perhaps a promise: nothing", "comercial.contrato.habilitar_confianca", 200, js, ``, `unknown bad_answer`},
		{"perhaps a promise: cut", "comercial.contrato.habilitar_confianca", 200, js, `{"resposta":"SUC`, `unknown bad_answer`},
		{"perhaps a promise: a page", "comercial.contrato.habilitar_confianca", 200, "text/html", `<html>`, `unknown bad_answer`},
		{"perhaps a promise: 500", "comercial.contrato.habilitar_confianca", 500, js, `{"error":"x"}`, `unknown status {"error":"x"}`},
		{"perhaps a promise: SUCESSO in a 500", "comercial.contrato.habilitar_confianca", 500, js, `{"resposta":"SUCESSO"}`, `unknown status {"resposta":"SUCESSO"}`},
		{"perhaps a promise: FALHA in a 500", "comercial.contrato.habilitar_confianca", 500, js, `{"resposta":"FALHA"}`, `unknown status {"resposta":"FALHA"}`},
		{"perhaps a promise: moved", "comercial.contrato.habilitar_confianca", 302, js, `{}`, `unknown status {}`},
		{"an e-mail", "financeiro.faturas.abertas.enviar", 200, js, `"SUCESSO"`, `ok "SUCESSO"`},
		{"an e-mail, not JSON", "financeiro.faturas.abertas.enviar", 201, "text/plain", "SUCESSO\n", `ok "SUCESSO"`},
		{"no e-mail", "financeiro.faturas.abertas.enviar", 200, "text/plain", `FALHA`, `refused falha "FALHA"`},
		{"no e-mail, with words", "financeiro.faturas.abertas.enviar", 400, js, `{"Error":"x"}`, `refused business (x) {"Error":"x"}`},
		{"no e-mail, the sign-in", "financeiro.faturas.abertas.enviar", 403, js, `"SUCESSO"`, `failed sign_in "SUCESSO"`},
		{"perhaps an e-mail: another word", "financeiro.faturas.abertas.enviar", 200, "text/plain", `ACCEPTED`, `unknown bad_answer "ACCEPTED"`},
		{"perhaps an e-mail: nothing", "financeiro.faturas.abertas.enviar", 200, js, ``, `unknown bad_answer`},
		{"perhaps an e-mail: 500", "financeiro.faturas.abertas.enviar", 500, js, `"FALHA"`, `unknown status "FALHA"`},
		{"an SMS", "integracao.omnichannel.fatura.linha_digitavel.enviar", 200, js, `{"data":"x","status":"OK"}`, `ok {"data":"x","status":"OK"}`},
		{"no SMS", "integracao.omnichannel.fatura.linha_digitavel.enviar", 200, js, `{"resposta":"FALHA"}`, `refused falha {"resposta":"FALHA"}`},
		{"no SMS, access", "integracao.omnichannel.fatura.linha_digitavel.enviar", 200, js, `{"access":false}`, `refused access {"access":false}`},
		{"perhaps an SMS: another status", "integracao.omnichannel.fatura.linha_digitavel.enviar", 200, js, `{"status":"QUEUED"}`, `unknown bad_answer {"status":"QUEUED"}`},
		{"perhaps an SMS: an internal error in 200", "integracao.omnichannel.fatura.linha_digitavel.enviar", 200, js, `{"Status":"INTERNAL_SERVER_ERROR"}`, `unknown bad_answer {"Status":"INTERNAL_SERVER_ERROR"}`},
		{"perhaps an SMS: moved", "integracao.omnichannel.fatura.linha_digitavel.enviar", 302, js, `{"status":"OK"}`, `unknown status {"status":"OK"}`},
		{"a call told of", "telefonia.ligacoes.cadastrar", 200, js, `"SUCESSO"`, `ok "SUCESSO"`},
		{"no call told of", "telefonia.ligacoes.cadastrar", 200, "text/plain", `FALHA`, `refused falha "FALHA"`},
		{"no call told of, resposta", "telefonia.ligacoes.cadastrar", 200, js, `{"resposta":"FALHA"}`, `refused falha {"resposta":"FALHA"}`},
		{"no call told of, 404", "telefonia.ligacoes.cadastrar", 404, js, `{}`, `refused not_found {}`},
		{"perhaps a call told of: nothing said", "telefonia.ligacoes.cadastrar", 200, js, `{}`, `unknown bad_answer {}`},
		{"perhaps a call told of: a page", "telefonia.ligacoes.cadastrar", 200, "text/html", `<html>`, `unknown bad_answer`},
		{"a service call", "comercial.atendimentos.cadastrar", 201, js, `{"numeroProtocolo":"1","status":"CREATED"}`, `ok {"numeroProtocolo":"1","status":"CREATED"}`},
		{"no service call", "comercial.atendimentos.cadastrar", 200, js, `{"error":"x"}`, `refused business (x) {"error":"x"}`},
		{"no service call, a bare word", "comercial.atendimentos.cadastrar", 200, "text/plain", `FALHA`, `refused falha "FALHA"`},
		{"perhaps a service call: no protocol", "comercial.atendimentos.cadastrar", 200, js, `{"numeroProtocolo":" ","status":"CREATED"}`, `unknown bad_answer {"numeroProtocolo":" ","status":"CREATED"}`},
		{"perhaps a service call: another status", "comercial.atendimentos.cadastrar", 200, js, `{"numeroProtocolo":"1","status":"OK"}`, `unknown bad_answer {"numeroProtocolo":"1","status":"OK"}`},
		{"perhaps a service call: 503", "comercial.atendimentos.cadastrar", 503, js, `{"error":"x"}`, `unknown status {"error":"x"}`},
		{"lost renewal", "auth.token.renovar", 500, js, `{}`, `unknown status {}`},
	} {
		t.Run(r.name, func(t *testing.T) {
			require.Equal(t, r.want, outcome(c.Operations[r.op], r.status, r.contentType, r.body))
		})
	}
}

func BenchmarkClassify(b *testing.B) {
	op := erp(b).Operations["comercial.cliente.dados"]
	body := []byte(op.Examples["pessoa fisica"].Answer)
	var a jsonx.Arena
	b.ReportAllocs()
	for b.Loop() {
		if op.Classify(&a, 200, "application/json", body).State != contract.OK {
			b.Fatal("not ok")
		}
		a.Reset()
	}
}

func BenchmarkLoadContract(b *testing.B) {
	files := erpFiles(b)
	fns, err := expr.NewFunctions()
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		contract.LoadFiles("erp", files, fns)
	}
}
