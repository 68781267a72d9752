package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/sandbox"
)

const sgpSignedIn = "token=" + sandbox.SGPToken + "&app=" + sandbox.SGPApp

// askSGP sends a form to the stand-in SGP.
func askSGP(t *testing.T, s *sandbox.Sandbox, op, form string) (int, string) {
	t.Helper()
	kind := "application/x-www-form-urlencoded"
	if strings.HasPrefix(form, "{") {
		kind = "application/json"
	}
	res, err := http.Post(s.URL()+"/ws/ura/"+op+"/", kind, strings.NewReader(form))
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode, string(body)
}

func startSGP(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	at := time.Date(2026, 3, 5, 18, 16, 1, 0, time.UTC)
	s, err := sandbox.Start(sandbox.Options{Now: func() time.Time { return at }})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		http.DefaultClient.CloseIdleConnections()
		require.NoError(t, s.Close(ctx))
	})
	return s
}

func TestSGPAnswers(t *testing.T) {
	s := startSGP(t)
	for _, c := range []struct{ name, op, form, want string }{
		{"promise", "liberacaopromessa", "contrato=1300011&uracontato=84991380000", `{"status":1,"razaoSocial":"JOAO EXEMPLO DE SOUZA","cpfCnpj":"390.***.447-**","msg":"Liberação via URA -\nServiço ID: 1300011, Login: login.500002\nMotivo: Promessa de Pagamento\n","contratoId":1300011,"uracontato":"84991380000","liberado":true,"protocolo":"20260305181601","servico_senha":"segredo-do-servico"}`},
		{"a second promise", "liberacaopromessa", "contrato=1300011", `{"status":2,"razaoSocial":"JOAO EXEMPLO DE SOUZA","cpfCnpj":"390.***.447-**","msg":"O recurso de promessa de pagamento já foi utilizado no mês. Recurso não disponível","contratoId":1300011,"uracontato":"","liberado":false}`},
		{"no such contract", "liberacaopromessa", "contrato=999999", `{"status":0,"msg":"Contrato não localizado","uracontato":"","liberado":false}`},
		{"an invoice", "enviafatura", "contrato=1300001&tipo=email", `{"status":1,"razaoSocial":"MARIA EXEMPLO DA SILVA","cpfCnpj":"529.***.247-**","msg":"Fatura enviada por email com sucesso","contratoId":1300001,"uracontato":"","protocolo":"20260305181601"}`},
		{"nothing to send", "enviafatura", "contrato=311622&tipo=email", `{"status":0,"razaoSocial":"TESTE TESTE","cpfCnpj":"123.***.789-**","msg":"","contratoId":311622,"uracontato":"","protocolo":"20260305181601"}`},
		{"no mobile", "enviafatura", "contrato=1300041&tipo=sms", `{"status":2,"razaoSocial":"TECNOLOGIA EXEMPLO S.A.","cpfCnpj":"12.***.***/****-35","msg":"Não há contato para enviar a fatura pelo meio solicitado","contratoId":1300041,"uracontato":"","protocolo":"20260305181601"}`},
		{"no invoice of nobody", "enviafatura", "contrato=x", `{"status":0,"msg":"Contrato não localizado","uracontato":"","protocolo":"20260305181601"}`},
		{"online", "verificaacesso", "contrato=1300001", `{"status":1,"razaoSocial":"MARIA EXEMPLO DA SILVA","cpfCnpj":"529.***.247-**","msg":"Serviço Online","contratoId":1300001,"uracontato":"","servico_wifi_password":"segredo-do-wifi"}`},
		{"offline, misspelt", "verificaacesso", "contrato=311622", `{"status":0,"razaoSocial":"TESTE TESTE","cpfCnpj":"123.***.789-**","msg":"Serviço Offline","contratoId":311622,"uracontato":"","staus":2}`},
		{"another service", "verificaacesso", "contrato=1300002", `{"status":3,"razaoSocial":"MARIA EXEMPLO DA SILVA","cpfCnpj":"529.***.247-**","msg":"Outros","contratoId":1300002,"uracontato":""}`},
		{"a concentrator", "verificaacesso", "contrato=1282441", `{"status":8,"razaoSocial":"FATURA EXEMPLO","cpfCnpj":"111.***.777-**","msg":"Manutenção NAS","contratoId":1282441,"uracontato":"","tempo":"1h30m"}`},
		{"a region", "verificaacesso", "contrato=1300041", `{"status":9,"razaoSocial":"TECNOLOGIA EXEMPLO S.A.","cpfCnpj":"12.***.***/****-35","msg":"Manutenção na região","contratoId":1300041,"uracontato":"","tempo":"2h"}`},
		{"access of nobody", "verificaacesso", "contrato=999999", `{"status":0,"msg":"Contrato não localizado","uracontato":""}`},
		{"a notice", "notificacaosistema", "contrato=1300001&uraagente=7&uracontato=1", `{"status":1,"razaoSocial":"MARIA EXEMPLO DA SILVA","cpfCnpj":"529.***.247-**","msg":"Notificação criada no sistema","contratoId":1300001,"uracontato":"1","uraagent":"7"}`},
		{"a notice of nobody", "notificacaosistema", "contrato=999999&uraagent=7", `{"status":0,"msg":"Contrato não localizado","uracontato":"","protocolo":"20260305181601","uraagent":"7"}`},
		{"a service call", "chamado", "contrato=1300001&ocorrenciatipo=5&motivoos=41&conteudo=LUZ", `{"status":1,"razaoSocial":"MARIA EXEMPLO DA SILVA","cpfCnpj":"529.***.247-**","msg":"","contratoId":1300001,"uracontato":"","protocolo":"2026030518168001"}`},
		{"an unknown motive", "chamado", "contrato=1300001&motivoos=99", `{"status":0,"razaoSocial":"MARIA EXEMPLO DA SILVA","cpfCnpj":"529.***.247-**","msg":"Motivo de Ordem de Serviço inválido","contratoId":1300001,"uracontato":""}`},
		{"a service call of nobody", "chamado", "contrato=999999", `{"status":0,"msg":"Contrato não localizado","uracontato":""}`},
		{"nobody", "consultacliente", "cpfcnpj=98765432100", `{"msg":"Cliente não localizado","contratos":[]}`},
		{"nothing to look for", "consultacliente", "x=1", `{"msg":"CPF/CNPJ ou Contrato ID Não informados"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := askSGP(t, s, c.op, sgpSignedIn+"&"+c.form)
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, c.want, body)
		})
	}
}

// The lookup says more than anybody should hear: fifty fields, passwords among them.
func TestSGPLookupSaysTooMuch(t *testing.T) {
	s := startSGP(t)
	_, body := askSGP(t, s, "consultacliente", `{"token":"`+sandbox.SGPToken+`","app":"`+sandbox.SGPApp+`","contrato":1300011}`)
	var got struct {
		Contracts []map[string]any `json:"contratos"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Len(t, got.Contracts, 1)
	require.GreaterOrEqual(t, len(got.Contracts[0]), 50)
	for name, want := range map[string]any{
		"contratoStatusDisplay": " Suspenso", "contratoStatus": 4.0, "contratoStatusModo": 1.0, "contratoValorAberto": 319.7, "contratoId": 1300011.0,
		"contratoCentralSenha": "segredo-da-central", "servico_senha": "segredo-do-servico", "servico_wifi_password": "segredo-do-wifi",
	} {
		require.Equal(t, want, got.Contracts[0][name], name)
	}
	_, body = askSGP(t, s, "consultacliente", sgpSignedIn+"&cpfcnpj=52998224725")
	require.Equal(t, 2, strings.Count(body, `"contratoId"`))
}

func TestSGPCredentials(t *testing.T) {
	s := startSGP(t)
	for form, want := range map[string]string{
		"contrato=1300001": `{"detail":"As credenciais de autenticação não foram fornecidas."}`,
		"contrato=1300001&token=x&app=" + sandbox.SGPApp:                    `{"detail":"Credenciais de autenticação incorretas."}`,
		"contrato=1300001&app=" + sandbox.SGPApp:                            `{"detail":"Credenciais de autenticação incorretas."}`,
		"contrato=1300001&app=SANDBOX&token=" + sandbox.SGPToken:            `{"detail":"Credenciais de autenticação incorretas."}`,
		`{"token":"x","app":"` + sandbox.SGPApp + `","contrato":"1300001"}`: `{"detail":"Credenciais de autenticação incorretas."}`,
	} {
		status, body := askSGP(t, s, "chamado", form)
		require.Equal(t, http.StatusForbidden, status, form)
		require.Equal(t, want, body, form)
	}
	require.Len(t, s.Calls(), 5)
	res, err := http.Get(s.URL() + "/_sandbox/data")
	require.NoError(t, err)
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.NotContains(t, string(data), `"id":8001,`, "nothing was opened")
}

// Faults reach SGP's forms as they do the ERP's operations, and who looks at the calls sees no token.
func TestSGPFaults(t *testing.T) {
	s := startSGP(t)
	s.Fault(sandbox.Fault{Operation: "sgp.chamado", Kind: sandbox.KindBusiness, Status: http.StatusForbidden, Body: sandbox.BodyTooMany})
	s.Fault(sandbox.Fault{Operation: "sgp.chamado", Kind: sandbox.KindHTML, Status: http.StatusInternalServerError})
	s.Fault(sandbox.Fault{Operation: "sgp.consultacliente", Kind: sandbox.KindBusiness})
	status, body := askSGP(t, s, "chamado", sgpSignedIn+"&contrato=1300001")
	require.Equal(t, http.StatusForbidden, status)
	require.Equal(t, sandbox.BodyTooMany, body)
	status, body = askSGP(t, s, "chamado", sgpSignedIn+"&contrato=1300001")
	require.Equal(t, http.StatusInternalServerError, status)
	require.Contains(t, body, "<html>")
	_, body = askSGP(t, s, "consultacliente", sgpSignedIn+"&contrato=1300001")
	require.Equal(t, `{"msg":"Cliente não localizado","contratos":[]}`, body)
	_, body = askSGP(t, s, "consultacliente", `{"app":"`+sandbox.SGPApp+`","token" : "`+sandbox.SGPToken+`","contrato":1}`)
	require.Equal(t, `{"msg":"Cliente não localizado","contratos":[]}`, body)

	res, err := http.Get(s.URL() + "/_sandbox/calls")
	require.NoError(t, err)
	shown, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.NotContains(t, string(shown), sandbox.SGPToken)
	require.Equal(t, 4, strings.Count(string(shown), "***"))
	require.Contains(t, string(shown), `token=***&app=sandbox&contrato=1300001`)
}
