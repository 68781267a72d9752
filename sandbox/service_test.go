package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	tellOp     = "telefonia.ligacoes.cadastrar"
	tellPath   = "/ws/telefonia/ligacoes/cadastrar"
	tellBody   = `{"idCliente":500002,"numeroOrigem":"84991380000","ramal":"5858","fila":"125"}`
	ticketOp   = "comercial.atendimentos.cadastrar"
	ticketPath = "/ws/comercial/atendimentos/cadastrar"
	ticketBody = `{"idContrato":1300012,"descricao":"TESTE","idTipoAtendimento":1,"idCentroCustoDestino":""}`
)

func TestTellCall(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		want       string // "" means an HTML page
		told       []phoneCall
	}{
		{"all of it", tellBody, 200, bodySucesso, []phoneCall{{Number: "84991380000", Extension: "5858", Queue: "125"}}},
		{"the least", `{"idCliente":"500002","numeroOrigem":1,"ramal":null}`, 200, bodySucesso, []phoneCall{{Number: "1"}}},
		{"nobody", `{"idCliente":1,"numeroOrigem":"1"}`, 200, BodyFalha, nil},
		{"a blank number", `{"idCliente":500002,"numeroOrigem":" "}`, 200, BodyFalha, nil},
		{"no number", `{"idCliente":500002}`, 500, "", nil},
		{"no client", `{"numeroOrigem":"1"}`, 500, "", nil},
		{"an extension that is none", `{"idCliente":500002,"numeroOrigem":"1","ramal":[]}`, 400, "", nil},
		{"no JSON", `x`, 400, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, Options{})
			status, kind, body := r.do(http.MethodPost, tellPath, c.body)
			require.Equal(t, c.status, status)
			if c.want == "" {
				require.Equal(t, typeHTML, kind)
			} else {
				require.Equal(t, c.want, body)
			}
			require.Equal(t, c.told, r.customerOf(500002).Calls)
			r.Reset()
			require.Empty(t, r.customerOf(500002).Calls)
		})
	}
}

func TestOpenTicket(t *testing.T) {
	now := time.Date(2020, 7, 7, 19, 33, 2, 0, time.UTC)
	for _, c := range []struct {
		name, body string
		status     int
		want       string // "" means an HTML page
		opened     bool
	}{
		{"all of it", ticketBody, 200, `{"numeroProtocolo":"2020070719338001","status":"CREATED"}`, true},
		{"the least", `{"idContrato":"1300012","descricao":"TESTE","idTipoAtendimento":"1"}`, 200, `{"numeroProtocolo":"2020070719338001","status":"CREATED"}`, true},
		{"no such contract", `{"idContrato":999999,"descricao":"TESTE"}`, 200, bodyNoContract, false},
		{"a blank description", `{"idContrato":1300012,"descricao":" "}`, 200, bodyNoText, false},
		{"no description", `{"idContrato":1300012}`, 500, "", false},
		{"no contract", `{"descricao":"TESTE"}`, 500, "", false},
		{"a type that is none", `{"idContrato":1300012,"descricao":"TESTE","idTipoAtendimento":"a"}`, 400, "", false},
		{"no JSON", `x`, 400, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, Options{Now: func() time.Time { return now }})
			before := r.customerOf(500002).Tickets
			require.Len(t, before, 1)
			status, kind, body := r.do(http.MethodPost, ticketPath, c.body)
			require.Equal(t, c.status, status)
			if c.want == "" {
				require.Equal(t, typeHTML, kind)
			} else {
				require.Equal(t, c.want, body)
			}
			after := r.customerOf(500002).Tickets
			if !c.opened {
				require.Equal(t, before, after)
				return
			}
			require.Equal(t, ticket{ID: 8001, Protocol: "2020070719338001", Contract: 1300012, Status: "PENDENTE", Type: 1, Service: "SUPORTE", Text: "TESTE"}, after[1])
			r.Reset()
			require.Equal(t, before, r.customerOf(500002).Tickets)
		})
	}
}

// Service calls opened at once have protocols of their own, and everybody sees them.
func TestTicketsAreSeen(t *testing.T) {
	r := start(t, Options{})
	token := r.token()
	list := func(query string) []string {
		status, _, body := r.do(http.MethodGet, "/ws/area/cliente/500005/atendimentos"+query, "", "Token", token)
		require.Equal(t, 200, status)
		var out struct {
			Status string
			Data   []struct{ NumeroProtocolo string }
		}
		require.NoError(t, json.Unmarshal([]byte(body), &out))
		require.Equal(t, "OK", out.Status)
		got := []string{}
		for _, d := range out.Data {
			got = append(got, d.NumeroProtocolo)
		}
		return got
	}
	waits := func() string {
		_, _, body := r.do(http.MethodPost, "/ws/comercial/cliente/dados", `{"cpfcnpj":"11222333000181"}`)
		return body
	}
	require.Empty(t, list(""))
	require.Contains(t, waits(), `"ExisteAtendimentoAberto":false`)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { r.do(http.MethodPost, ticketPath, `{"idContrato":1300031,"descricao":"TESTE"}`) })
	}
	all.Wait()
	require.Len(t, list(""), 8)
	seen := map[string]bool{}
	for _, p := range list("") {
		seen[p] = true
	}
	require.Len(t, seen, 8)
	require.Contains(t, waits(), `"ExisteAtendimentoAberto":true`)
	for query, want := range map[string]int{
		"?idContrato=1300031": 8, "?idContrato=1300032": 0, "?tipoServico=SUPORTE": 8, "?tipoServico=INTERNO": 0,
		"?statusAtendimento=PENDENTE": 8, "?statusAtendimento=SOLUCIONADO": 0,
		"?statusContrato=INATIVO%20TEMPORARIAMENTE": 8, "?statusContrato=HABILITADO": 0,
	} {
		require.Len(t, list(query), want, query)
	}
}

func TestTicketLists(t *testing.T) {
	r := start(t, Options{})
	token := r.token()
	for _, c := range []struct{ path, want string }{
		{"/ws/area/cliente/311600/atendimentos", `{"data":[{"idAtendimento":3414,"numeroProtocolo":"2020062411000854","statusAtendimento":"SOLUCIONADO","dataAbertura":1593007210000,"idTipoAtendimento":3,"tipoServico":"INTERNO","idContrato":311622,"statusContrato":"HABILITADO"}],"status":"OK"}`},
		{"/ws/area/cliente/500002/atendimentos?statusAtendimento=VISITA_AGENDADA", `{"data":[{"idAtendimento":7101,"numeroProtocolo":"2026110109000001","statusAtendimento":"VISITA AGENDADA","dataAbertura":1793534400000,"idTipoAtendimento":1,"tipoServico":"SUPORTE","idContrato":1300011,"statusContrato":"SUSPENSO"}],"status":"OK"}`},
		{"/ws/area/cliente/500004/atendimentos", `{"data":[],"status":"OK"}`},
		{"/ws/area/cliente/1/atendimentos", bodyNoCustomer},
		{"/ws/area/cliente/1/equipamentos/ultima_conexao", bodyNoCustomer},
		{"/ws/area/cliente/500004/equipamentos/ultima_conexao", `{"data":[]}`},
		{"/ws/area/cliente/500003/equipamentos/ultima_conexao", `{"data":[{"senhaWiFi":null,"fornecedorEquipamento":null,"criptografiaRede":null,"infoUltimaConexao":{},"serial":null,"loginWiFi":null}]}`},
	} {
		status, _, body := r.do(http.MethodGet, c.path, "", "Token", token)
		require.Equal(t, 200, status)
		require.Equal(t, c.want, body, c.path)
		status, _, _ = r.do(http.MethodGet, c.path, "")
		require.Equal(t, 401, status, "without the token")
	}
}

// Each session of the table as it is seen, by the sandbox's own clock.
func TestSessions(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	r := start(t, Options{Now: func() time.Time { return now }})
	token := r.token()
	for _, s := range demoSessions() {
		t.Run(fmt.Sprint(s.customer), func(t *testing.T) {
			_, _, body := r.do(http.MethodGet, fmt.Sprintf("/ws/area/cliente/%d/equipamentos/ultima_conexao", s.customer), "", "Token", token)
			var out struct {
				Data []struct {
					SenhaWiFi         *string
					InfoUltimaConexao struct {
						NASIPAddress    string
						CalledStationID string
						AcctUpdateTime  int64
						AcctStopTime    *int64
					}
				}
			}
			require.NoError(t, json.Unmarshal([]byte(body), &out))
			require.Len(t, out.Data, 2)
			require.NotNil(t, out.Data[1].SenhaWiFi)
			got := out.Data[1].InfoUltimaConexao
			require.Equal(t, s.nas, got.NASIPAddress)
			require.Equal(t, s.tag, got.CalledStationID)
			require.Equal(t, now.Add(-s.ago).UnixMilli(), got.AcctUpdateTime)
			require.Equal(t, s.ended, got.AcctStopTime != nil)
		})
	}
}

func TestServiceFaults(t *testing.T) {
	t.Run("a call", func(t *testing.T) {
		testChangeFaults(t, changing{http.MethodPost, tellOp, tellPath, tellBody, func(r *rig) int { return len(r.customerOf(500002).Calls) }}, false)
	})
	t.Run("a service call", func(t *testing.T) {
		testChangeFaults(t, changing{http.MethodPost, ticketOp, ticketPath, ticketBody, func(r *rig) int { return len(r.customerOf(500002).Tickets) - 1 }}, false)
	})
}

// What a fault does to the two that only read.
func TestServiceReadFaults(t *testing.T) {
	for op, path := range map[string]string{
		"area.cliente.equipamentos.ultima_conexao": "/ws/area/cliente/500002/equipamentos/ultima_conexao",
		"area.cliente.atendimentos":                "/ws/area/cliente/500002/atendimentos",
	} {
		for _, c := range []struct {
			fault  Fault
			status int
			want   string
		}{
			{Fault{Kind: KindStatus500}, 500, BodyError},
			{Fault{Kind: KindHTML}, 200, string(outagePage(200).body)},
			{Fault{Kind: KindBusiness}, 200, bodyNoCustomer},
			{Fault{Kind: KindExpiredToken}, 401, `{"error": "Token inválido ou expirado"}`},
		} {
			t.Run(op+" "+string(c.fault.Kind), func(t *testing.T) {
				r := start(t, Options{})
				fresh := r.token()
				c.fault.Operation = op
				r.Fault(c.fault)
				status, _, body := r.do(http.MethodGet, path, "", "Token", fresh)
				require.Equal(t, c.status, status)
				require.Equal(t, c.want, body)
			})
		}
		for _, kind := range []Kind{KindTruncate, KindCutBeforeRead, KindCutAfterRead} {
			t.Run(op+" "+string(kind), func(t *testing.T) {
				r := start(t, Options{})
				fresh := r.token()
				r.Fault(Fault{Operation: op, Kind: kind, Times: -1}) // net/http sends a GET again
				res, err := r.client.Do(r.request(http.MethodGet, path, "", "Token", fresh))
				if err == nil {
					_, err = io.ReadAll(res.Body)
					require.NoError(t, res.Body.Close())
				}
				require.Error(t, err)
			})
		}
	}
}
