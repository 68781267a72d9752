package sandbox

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a running sandbox and a client that keeps its connections.
type rig struct {
	*Sandbox
	t      *testing.T
	client *http.Client
}

func start(t *testing.T, o Options) *rig {
	t.Helper()
	s, err := Start(o)
	require.NoError(t, err)
	tr := &http.Transport{}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		require.NoError(t, s.Close(context.Background()))
	})
	return &rig{Sandbox: s, t: t, client: &http.Client{Transport: tr}}
}

func (r *rig) request(method, path, body string, header ...string) *http.Request {
	r.t.Helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.URL()+path, rd)
	require.NoError(r.t, err)
	req.SetBasicAuth(DefaultUser, DefaultPassword)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

// do gives status, content type and body of a call that must be answered.
func (r *rig) do(method, path, body string, header ...string) (int, string, string) {
	r.t.Helper()
	res, err := r.client.Do(r.request(method, path, body, header...))
	require.NoError(r.t, err)
	out, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	require.NoError(r.t, res.Body.Close())
	return res.StatusCode, res.Header.Get("Content-Type"), string(out)
}

func (r *rig) token() string {
	r.t.Helper()
	status, _, body := r.do(http.MethodGet, "/ws/auth/token/gerar", "")
	require.Equal(r.t, http.StatusOK, status)
	var out struct{ Token string }
	require.NoError(r.t, json.Unmarshal([]byte(body), &out))
	return out.Token
}

const (
	docClient   = `{"TipoPessoa":"PessoaFisica","ClienteEncontrato":true,"NomeCliente":"CLIENTE TESTE","ExisteFaturaSemPagamento":true,"IDCliente":81593,"Contratos":[{"ValorContrato":105.49,"StatusContrato":"HABILITADO","IDContrato":1283299,"DescricaoPlano":"FIBRA RES 10MBPS FRANQUIA 360GB","TipoContrato":"RESIDENCIAL","TipoTecnologia":"INTERNET","IDVencimento":4},{"ValorContrato":9.9,"StatusContrato":"HABILITADO EM CONFIANCA","IDContrato":1283303,"DescricaoPlano":"LOCACAO DE EQUIPAMENTOS","TipoContrato":"RESIDENCIAL","TipoTecnologia":"INTERNET","IDVencimento":4}],"ExisteAtendimentoAberto":true,"Faturas":[{"idsContratos":[1283299,1283303],"DebitoAutomatico":false,"CodigoCliente":81593,"ValorMulta":0.0,"IDFatura":90,"ValorJuros":0.0}]}`
	docContract = `{"ValorContrato":66.99,"StatusContrato":"HABILITADO","IDContrato":1283321,"DescricaoPlano":"FIBRA RES 2/6MBPS ILIM.","TipoContrato":"RESIDENCIAL","TipoTecnologia":"INTERNET","IDVencimento":4,"Faturas":[{"idsContratos":[1283322,1283321],"DebitoAutomatico":false,"CodigoCliente":81593,"ValorMulta":0.0,"IDFatura":90,"ValorJuros":0.0,"nroBoleto":"00000085425P","Valor":315.98,"nroDocumento":"0320283295","Vencimento":"2021-03-09"}]}`
	docOpen     = `[{"VencimentoFormatado":"10/05/2020","CodigoCliente":366890,"IDFatura":89,"Valor":112.4,"Contratos":[1282441]},{"VencimentoFormatado":"22/06/2020","CodigoCliente":366890,"IDFatura":8,"Valor":109.9,"Contratos":[1282441]},{"VencimentoFormatado":"22/07/2020","CodigoCliente":366890,"IDFatura":9,"Valor":109.9,"Contratos":[1282441]}]`
	docCard     = `{"data":{"telefoneFixo":"3199990000","rg":"11111111","telefoneMovel":"3199990000","cpf":"12345678900","nome":"TESTE TESTE","contratos":[{"descricaoPlano":"PLANO INTERNET TESTE - PRE","id":311622,"status":"HABILITADO"},{"descricaoPlano":"PLANO TELEFONIA TESTE - PRE","id":311623,"status":"CANCELADO"}],"dataNascimento":656218800000,"email":"teste@example.com","nomeMae":"TESTE TESTE"},"status":"OK"}`
)

// The documented examples are the bytes answered; the rest is what the package
// doc promises where the document is silent.
func TestAnswers(t *testing.T) {
	r := start(t, Options{})
	token := r.token()
	const client, contract = "/ws/comercial/cliente/dados", "/ws/comercial/contrato/dados"
	cases := []struct {
		name, method, path, body string
		status                   int
		want                     string // "" means an HTML page
	}{
		{"documented client", "POST", client + "?dataInicioVencFatura=01-07-2020&dataFimVencFatura=30-07-2020", `{"cpfcnpj":"12312312312"}`, 200, docClient},
		{"documented contract", "POST", contract, `{"idContrato":1283321}`, 200, docContract},
		{"contract number as text", "POST", contract, `{"idContrato":"1283321"}`, 200, docContract},
		{"doubled slashes", "POST", "//ws//comercial/contrato/dados/", `{"idContrato":1283321}`, 200, docContract},
		{"documented open invoices", "GET", "/ws/financeiro/faturas/cliente/366890", "", 200, docOpen},
		{"documented card", "GET", "/ws/area/cliente/311600", "", 200, docCard},
		{"unknown document", "POST", client, `{"cpfcnpj":"98765432100"}`, 200, `{"ClienteEncontrato": false}`},
		{"punctuation is not taken away", "POST", client, `{"cpfcnpj":"529.982.247-25"}`, 200, `{"ClienteEncontrato": false}`},
		{"no contract at all", "POST", client, `{"cpfcnpj":97531864282}`, 200, `{"TipoPessoa":"PessoaFisica","ClienteEncontrato":true,"NomeCliente":"SEM CONTRATO EXEMPLO","ExisteFaturaSemPagamento":false,"IDCliente":500004,"Contratos":[],"ExisteAtendimentoAberto":false,"Faturas":[]}`},
		{"contract without invoices", "POST", contract, `{"idContrato":1300021}`, 200, `{"ValorContrato":89.9,"StatusContrato":"AGUARDANDO INSTALACAO","IDContrato":1300021,"DescricaoPlano":"FIBRA RES 200MBPS ILIM.","TipoContrato":"RESIDENCIAL","TipoTecnologia":"INTERNET","IDVencimento":4,"Faturas":[]}`},
		{"unknown contract", "POST", contract, `{"idContrato":999999}`, 200, `{"error": "Contrato não encontrado"}`},
		{"unknown contract as 404", "POST", contract, `{"idContrato":404404}`, 404, `{"erro": "Contrato não encontrado"}`},
		{"unknown contract as a hollow object", "POST", contract, `{"idContrato":200200}`, 200, `{"Faturas": []}`},
		{"unknown client, card", "GET", "/ws/area/cliente/1", "", 200, `{"error": "Cliente não encontrado"}`},
		{"unknown client, invoices", "GET", "/ws/financeiro/faturas/cliente/1", "", 200, `[]`},
		{"syntax error", "POST", contract, `{"idContrato":1,}`, 400, ""},
		{"text after the object", "POST", contract, `{"idContrato":1} x`, 400, ""},
		{"a list for an object", "POST", contract, `[1]`, 400, ""},
		{"no body", "POST", contract, "", 400, ""},
		{"letters for a number", "POST", contract, `{"idContrato":"abc"}`, 400, ""},
		{"wrong kind", "POST", client, `{"cpfcnpj":{}}`, 400, ""},
		{"missing field", "POST", client, `{}`, 500, ""},
		{"unreadable date", "POST", client + "?dataInicioVencFatura=2020-07-01", `{"cpfcnpj":"12312312312"}`, 500, ""},
		{"unknown path", "GET", "/ws/nada", "", 404, ""},
		{"letters in a path number", "GET", "/ws/area/cliente/abc", "", 404, ""},
		{"wrong method", "GET", contract, "", 405, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, kind, body := r.do(c.method, c.path, c.body, "Token", token)
			require.Equal(t, c.status, status)
			if c.want == "" {
				require.Equal(t, typeHTML, kind)
				require.Contains(t, body, "<h1>HTTP Status ")
				return
			}
			require.Equal(t, typeJSON, kind)
			require.Equal(t, c.want, body)
		})
	}
	t.Run("form body", func(t *testing.T) {
		status, kind, _ := r.do("POST", contract, "idContrato=1", "Content-Type", "application/x-www-form-urlencoded")
		require.Equal(t, http.StatusUnsupportedMediaType, status)
		require.Equal(t, typeHTML, kind)
	})
}

func TestInvoices(t *testing.T) {
	r := start(t, Options{})
	ids := func(path, body, list string) []int64 {
		_, _, out := r.do(http.MethodPost, path, body)
		var v map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(out), &v))
		var bills []struct{ IDFatura int64 }
		require.NoError(t, json.Unmarshal(v[list], &bills))
		got := []int64{}
		for _, b := range bills {
			got = append(got, b.IDFatura)
		}
		return got
	}
	const who = `{"cpfcnpj":"52998224725"}`
	require.Equal(t, []int64{7002, 7003}, ids("/ws/comercial/cliente/dados", who, "Faturas"), "unpaid only")
	require.Equal(t, []int64{7003}, ids("/ws/comercial/cliente/dados?dataInicioVencFatura=11-10-2026", who, "Faturas"))
	require.Equal(t, []int64{7002}, ids("/ws/comercial/cliente/dados?dataFimVencFatura=10-10-2026", who, "Faturas"))
	require.Equal(t, []int64{7001, 7002, 7003}, ids("/ws/comercial/contrato/dados", `{"idContrato":1300001}`, "Faturas"), "paid ones too")
	require.Equal(t, []int64{7002}, ids("/ws/comercial/contrato/dados", `{"idContrato":1300002}`, "Faturas"), "over two contracts")
}

func TestEveryStatusAndDocumentIsThere(t *testing.T) {
	text := Customers()
	for _, want := range []string{
		"HABILITADO", "HABILITADO EM CONFIANCA", "SUSPENSO", "SUSPENSO PARCIALMENTE", "AGUARDANDO INSTALACAO",
		"INATIVO TEMPORARIAMENTE", "EM NEGOCIACAO", "CANCELADO", "AGUARDANDO PAGAMENTO", "AGUARDANDO AMPLIACAO",
		"EM ANALISE DE CREDITO",
	} {
		require.Regexp(t, `\d `+want+`(<br>| \|)`, text)
	}
	// Every contract that the package doc names exists, and it lists every
	// operation and every customer.
	src, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	d := newData()
	for _, n := range regexp.MustCompile(`\b1\d{6}\b`).FindAllString(string(src), -1) {
		id, ok := digits(n)
		require.True(t, ok)
		_, ok = d.contract(id)
		require.True(t, ok, "contract %s", n)
	}
	for _, op := range slices.Concat(daily(), sales(), care(), sgpOperations()) {
		require.Regexp(t, `//\t`+regexp.QuoteMeta(op.id)+` +`+op.method+` +`+regexp.QuoteMeta(op.path), string(src))
	}
	for _, c := range demoCustomers() {
		require.Contains(t, string(src), "//\t"+c.document+" ")
		require.Contains(t, text, "| "+c.document+" | "+c.name+" |")
	}
}

func TestCredentials(t *testing.T) {
	clock := time.UnixMilli(1_800_000_000_000)
	var mu sync.Mutex
	now := func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
	r := start(t, Options{Now: now, TokenLife: time.Minute})
	const card = "/ws/area/cliente/81593"

	req := r.request(http.MethodGet, "/ws/auth/token/gerar", "")
	req.SetBasicAuth(DefaultUser, "wrong")
	res, err := r.client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	require.Equal(t, typeJSON, res.Header.Get("Content-Type"))
	require.Equal(t, `Basic realm="WebService"`, res.Header.Get("WWW-Authenticate"))

	status, _, body := r.do(http.MethodGet, card, "")
	require.Equal(t, 401, status)
	require.Equal(t, `{"error": "Token não informado"}`, body)
	status, _, body = r.do(http.MethodGet, card, "", "Token", "a.b.c")
	require.Equal(t, 401, status)
	require.Equal(t, `{"error": "Token inválido ou expirado"}`, body)

	first := r.token()
	require.NotEqual(t, first, r.token(), "two tokens of one instant differ")
	claims := func(token string) (out struct{ Iat, Exp, QtdRen int64 }) {
		parts := strings.Split(token, ".")
		require.Len(t, parts, 3)
		raw, err := base64.RawURLEncoding.DecodeString(parts[1])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &out))
		return out
	}
	require.Equal(t, struct{ Iat, Exp, QtdRen int64 }{1_800_000_000_000, 1_800_000_060_000, 0}, claims(first))

	status, _, body = r.do(http.MethodPut, "/ws/auth/token/renovar", "", "Token", first)
	require.Equal(t, 200, status)
	var renewed struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(body), &renewed))
	require.EqualValues(t, 1, claims(renewed.Token).QtdRen)
	status, _, _ = r.do(http.MethodGet, card, "", "Token", renewed.Token)
	require.Equal(t, 200, status)

	mu.Lock()
	clock = clock.Add(time.Minute)
	mu.Unlock()
	status, _, _ = r.do(http.MethodGet, card, "", "Token", renewed.Token)
	require.Equal(t, 401, status, "its time is over")
	status, _, _ = r.do(http.MethodPut, "/ws/auth/token/renovar", "", "Token", renewed.Token)
	require.Equal(t, 401, status)
}

func TestRenewedToken(t *testing.T) {
	const card, renew = "/ws/area/cliente/81593", "/ws/auth/token/renovar"
	for _, c := range []struct {
		name    string
		revokes bool
		old     int // what the old token is answered with after its renewal
	}{{"lives until its own time", false, 200}, {"is revoked", true, 401}} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, Options{RenewRevokes: c.revokes})
			first := r.token()
			status, _, body := r.do(http.MethodPut, renew, "", "Token", first)
			require.Equal(t, 200, status)
			var renewed struct{ Token string }
			require.NoError(t, json.Unmarshal([]byte(body), &renewed))
			status, _, _ = r.do(http.MethodGet, card, "", "Token", renewed.Token)
			require.Equal(t, 200, status)
			status, _, _ = r.do(http.MethodGet, card, "", "Token", first)
			require.Equal(t, c.old, status)
			status, _, _ = r.do(http.MethodPut, renew, "", "Token", first)
			require.Equal(t, c.old, status)
		})
	}
}

func TestStartRefuses(t *testing.T) {
	cases := []struct {
		name string
		o    Options
		want string
	}{
		{"every interface", Options{Listen: ":0"}, `sandbox: listen address ":0" is not loopback, the sandbox only answers this machine; use 127.0.0.1:0`},
		{"another address", Options{Listen: "192.0.2.1:80"}, `sandbox: listen address "192.0.2.1:80" is not loopback, the sandbox only answers this machine; use 127.0.0.1:0`},
		{"a name", Options{Listen: "example.com:80"}, `sandbox: listen address "example.com:80" is not loopback, the sandbox only answers this machine; use 127.0.0.1:0`},
		{"no port", Options{Listen: "127.0.0.1"}, `sandbox: listen address "127.0.0.1" is not host:port`},
		{"negative life", Options{TokenLife: -time.Second}, `sandbox: token life -1s is negative`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, err := Start(c.o)
			require.Nil(t, s)
			require.EqualError(t, err, c.want)
		})
	}
}

func TestCallsAreRecorded(t *testing.T) {
	r := start(t, Options{})
	r.do("POST", "//ws/comercial/contrato/dados?a=1", `{"idContrato":1283321}`, "X-Test", "yes")
	r.do("GET", "/ws/nada", "")
	calls := r.Calls()
	require.Len(t, calls, 2)
	require.Equal(t, "comercial.contrato.dados", calls[0].Operation)
	require.Equal(t, "POST", calls[0].Method)
	require.Equal(t, "//ws/comercial/contrato/dados", calls[0].Path)
	require.Equal(t, "1", calls[0].Query.Get("a"))
	require.Equal(t, "yes", calls[0].Header.Get("X-Test"))
	require.Equal(t, `{"idContrato":1283321}`, string(calls[0].Body))
	require.Empty(t, calls[1].Operation)
	require.Equal(t, 1, r.Count("comercial.contrato.dados"))
	require.Equal(t, 1, r.Count(""))
	r.Reset()
	require.Empty(t, r.Calls())
	require.Zero(t, r.Count("comercial.contrato.dados"))
}

func TestRingIsBounded(t *testing.T) {
	var c calls
	for range keptCalls + 3 {
		c.add(Call{Operation: "x"}, true)
	}
	c.add(Call{Operation: "last"}, true)
	got := c.all()
	require.Len(t, got, keptCalls)
	require.Equal(t, "last", got[keptCalls-1].Operation)
	require.Equal(t, keptCalls+3, c.count("x"))
}

// A pool may hold a connection that never sent anything; Shutdown alone would
// wait five seconds for it.
func TestCloseWithSilentConnection(t *testing.T) {
	s, err := Start(Options{})
	require.NoError(t, err)
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	require.NoError(t, s.Close(ctx))
	require.NoError(t, s.Close(ctx), "a second time")
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
	require.NoError(t, c.Close())
}
