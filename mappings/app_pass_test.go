package mappings_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A few operations of each sort: with a token, with a body, one that changes
// something, one that answers text, one that answers a file, one that answers nothing.
const (
	technologies = "/ws/comercial/tecnologias"
	whoseIs      = "/ws/comercial/cliente/dados"
	contractOf   = "/ws/comercial/contrato/dados"
	promiseOf    = "/ws/comercial/contrato/habilitar_confianca"
	lineOf       = "/ws/financeiro/fatura/aberta/40/linha_digitavel"
	pdfOf        = "/ws/financeiro/fatura/90/pdf?isChatbot=s"
	portability  = "/integracao/voz/portabilidades/atualizar"
	customer     = `{"cpfcnpj":"52998224725"}`
	anyContract  = `{ "idContrato" : "1283321" }`
	js           = "application/json"
	nobodyKnown  = `{"error":"Não autorizado"}`
	noGoodAnswer = `{"error":"O sistema não respondeu como esperado"}`
)

// cut answers what it announces and half of it.
func cut(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", js)
	rw.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(rw, `{"resposta":`)
	panic(http.ErrAbortHandler)
}

// silent answers nothing until nobody waits any more.
func silent(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// packed answers with a Content-Encoding that nobody asked for.
func packed(rw http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, `{"resposta": []}`)
	_ = z.Close()
	rw.Header().Set("Content-Type", js)
	rw.Header().Set("Content-Encoding", "gzip")
	_, _ = rw.Write(b.Bytes())
}

// file answers a PDF by a name.
func file(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Type", "application/pdf")
	rw.Header().Set("Content-Disposition", `attachment; filename="boleto 90.pdf"`)
	rw.Header().Set("Set-Cookie", "JSESSIONID=of-the-erp")
	_, _ = io.WriteString(rw, "%PDF-1.4\n\x00\xff\r\n")
}

// TestAppPasses: what comes back for what the ERP says.
func TestAppPasses(t *testing.T) {
	w := startApp(t, changes{{"    timeout: 3s\n", "    timeout: 300ms\n"}})
	key := http.Header{"X-Api-Key": {machineKey}}
	for _, c := range []struct {
		name, method, target, body string
		header                     http.Header // nil: as signed
		says                       http.HandlerFunc
		status                     int
		answer                     string
		sent                       string // "": nothing may be
		counted                    string // of the calls of an operation: OPERATION STATE CLASS
	}{
		{name: "an answer", method: "GET", target: technologies, says: saying(200, js, ` {"resposta":[ ],"x":1.50} `),
			status: 200, answer: ` {"resposta":[ ],"x":1.50} `, sent: "GET " + technologies, counted: "comercial.tecnologias ok "},
		{name: "the head of an answer", method: "HEAD", target: technologies, says: saying(200, js, `{}`), status: 200, sent: "GET " + technologies},
		{name: "a slash at the end", method: "GET", target: technologies + "/", says: saying(200, js, `{}`), status: 200, answer: `{}`, sent: "GET " + technologies},
		{name: "a query with escapes and more than is known", method: "GET", target: technologies + "?a=%C3%A7+%20&b&c=&a=2&%41=%2F",
			says: saying(200, js, `{}`), status: 200, answer: `{}`, sent: "GET " + technologies + "?a=%C3%A7+%20&b&c=&a=2&%41=%2F"},
		{name: "a key needs no token", method: "GET", target: technologies, header: key, says: saying(200, js, `{}`), status: 200, answer: `{}`, sent: "GET " + technologies},
		{name: "a text", method: "GET", target: lineOf, says: saying(200, "text/plain;charset=ISO-8859-1", "03399 \xe7\n"),
			status: 200, answer: "03399 \xe7\n", sent: "GET " + lineOf},
		{name: "a file", method: "POST", target: pdfOf, body: `{"usuario":"u"}`, says: file, status: 200, answer: "%PDF-1.4\n\x00\xff\r\n", sent: "POST " + pdfOf},
		{name: "words in the place of a file", method: "POST", target: pdfOf, body: `{"usuario":"u"}`, says: saying(200, js, `{"error":"x"}`),
			status: 200, answer: `{"error":"x"}`, sent: "POST " + pdfOf, counted: "financeiro.fatura.pdf refused business"},
		{name: "a page in the place of a file", method: "POST", target: pdfOf, body: `{"usuario":"u"}`, says: saying(200, "text/html", `<html>`),
			status: 502, answer: noGoodAnswer, sent: "POST " + pdfOf},
		{name: "no content", method: "PUT", target: portability, says: saying(204, "", ""), status: 204, sent: "PUT " + portability},
		{name: "an empty answer", method: "PUT", target: portability, says: saying(200, "", ""), status: 200, sent: "PUT " + portability},
		{name: "gzip that nobody asked for", method: "GET", target: technologies, says: packed, status: 200, answer: `{"resposta": []}`, sent: "GET " + technologies},
		{name: "a failure in a 200", method: "PUT", target: promiseOf, body: anyContract, says: saying(200, js, `{"resposta": "FALHA"}`),
			status: 200, answer: `{"resposta": "FALHA"}`, sent: "PUT " + promiseOf, counted: "comercial.contrato.habilitar_confianca refused falha"},
		{name: "an error in a 200", method: "GET", target: technologies, says: saying(200, js, `{"error": "x"}`),
			status: 200, answer: `{"error": "x"}`, sent: "GET " + technologies, counted: "comercial.tecnologias refused business"},
		{name: "a word that nobody knows, of what changes something", method: "PUT", target: promiseOf, body: anyContract, says: saying(200, js, `{"resposta":"OK"}`),
			status: 200, answer: `{"resposta":"OK"}`, sent: "PUT " + promiseOf, counted: "comercial.contrato.habilitar_confianca unknown bad_answer"},
		{name: "not found", method: "POST", target: contractOf, body: anyContract, says: saying(404, js, `{"error":"x"}`),
			status: 404, answer: `{"error":"x"}`, sent: "POST " + contractOf, counted: "comercial.contrato.dados refused not_found"},
		{name: "an error of the ERP", method: "GET", target: technologies, says: saying(500, js, `{"error":"NullPointerException"}`),
			status: 500, answer: `{"error":"NullPointerException"}`, sent: "GET " + technologies, counted: "comercial.tecnologias failed status"},
		{name: "a page", method: "GET", target: technologies, says: saying(200, "text/html", "<html>"), status: 502, answer: noGoodAnswer, sent: "GET " + technologies,
			counted: "comercial.tecnologias failed bad_answer"},
		{name: "a page that is called JSON", method: "GET", target: technologies, says: saying(200, js, "<!DOCTYPE html>"), status: 502, answer: noGoodAnswer, sent: "GET " + technologies},
		{name: "a page of 404 that a rule knows", method: "POST", target: contractOf, body: anyContract, says: saying(404, "text/html", "<html>"),
			status: 502, answer: noGoodAnswer, sent: "POST " + contractOf},
		{name: "a page of 500", method: "PUT", target: promiseOf, body: anyContract, says: saying(500, "text/html", "<html>"), status: 502, answer: noGoodAnswer, sent: "PUT " + promiseOf,
			counted: "comercial.contrato.habilitar_confianca unknown status"},
		{name: "half of JSON", method: "GET", target: technologies, says: saying(200, js, `{"resposta":[`), status: 502, answer: noGoodAnswer, sent: "GET " + technologies},
		{name: "half of JSON in a 500", method: "GET", target: technologies, says: saying(500, js, `{"err`), status: 502, answer: noGoodAnswer, sent: "GET " + technologies},
		{name: "a connection cut", method: "PUT", target: promiseOf, body: anyContract, says: cut, status: 502, answer: noGoodAnswer, sent: "PUT " + promiseOf,
			counted: "comercial.contrato.habilitar_confianca unknown broken"},
		{name: "no answer in time", method: "PUT", target: promiseOf, body: anyContract, says: silent, status: 504, answer: `{"error":"O sistema não respondeu a tempo"}`, sent: "PUT " + promiseOf,
			counted: "comercial.contrato.habilitar_confianca unknown timeout"},
		{name: "401 is about the gateway's own password", method: "PUT", target: promiseOf, body: anyContract, says: saying(401, js, `{"error":"x"}`), status: 502, answer: noGoodAnswer,
			sent: "PUT " + promiseOf, counted: "comercial.contrato.habilitar_confianca failed sign_in"},
		{name: "403 as well", method: "POST", target: whoseIs, body: customer, says: saying(403, js, `{"x":1}`), status: 502, answer: noGoodAnswer, sent: "POST " + whoseIs},

		{name: "not allowed", method: "GET", target: technologies, header: basicOf("clerk", clerkPassword), status: 403, answer: `{"error":"Acesso não permitido"}`},
		{name: "allowed this much", method: "GET", target: lineOf, header: basicOf("clerk", clerkPassword), says: saying(200, "text/plain", "1"), status: 200, answer: "1", sent: "GET " + lineOf},
		{name: "nobody", method: "GET", target: technologies, header: http.Header{}, status: 401, answer: nobodyKnown},
		{name: "no token", method: "GET", target: technologies, header: basicOf("balcao", appPassword), status: 401, answer: nobodyKnown},
		{name: "another's token", method: "GET", target: technologies, header: http.Header{"Authorization": basicOf("clerk", clerkPassword)["Authorization"], "Token": {w.ticket}},
			status: 403, answer: `{"error":"Acesso não permitido"}`},
		{name: "the ERP's own token", method: "GET", target: technologies, header: http.Header{"Authorization": basicOf("balcao", appPassword)["Authorization"], "Token": {erpToken}}, status: 401, answer: nobodyKnown},
		{name: "several faults", method: "POST", target: whoseIs + "?dataInicioVencFatura=ontem&dataFimVencFatura=1/1/20", body: `{"cpfcnpj":["52998224725"]}`, status: 400,
			answer: `{"error":"dataInicioVencFatura está em outro formato; dataFimVencFatura está em outro formato; cpfcnpj é de outro tipo","campos":["/dataInicioVencFatura","/dataFimVencFatura","/cpfcnpj"]}`},
		{name: "a list in the place of a body of conditions", method: "PUT", target: "/ws/area/cliente/resetar_senha", body: `["52998224725"]`, status: 400,
			answer: `{"error":"body é de outro tipo","campos":[""]}`},
		{name: "no such path", method: "GET", target: "/ws/comercial/nada", status: 404, answer: `{"error":"Não encontrado"}`},
		{name: "no such method", method: "DELETE", target: technologies, status: 405, answer: `{"error":"Método não permitido"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.header == nil {
				c.header = w.signed()
			}
			if c.says == nil {
				c.says = saying(200, js, `{}`)
			}
			c.header = c.header.Clone()
			c.header.Set("Cookie", "of-the-caller")
			w.answering(c.says)
			operation, rest, _ := strings.Cut(c.counted, " ")
			state, class, _ := strings.Cut(rest, " ")
			series := `emenda_backend_calls_total{backend="erp",class="` + class + `",operation="` + operation + `",state="` + state + `"}`
			before := w.metric(series)
			a := w.ask(c.method, c.target, c.body, c.header)
			require.Equal(t, c.status, a.status, a.body)
			require.Equal(t, c.answer, a.body)
			require.Empty(t, a.header.Get("Set-Cookie"))
			seen := w.took()
			if c.sent == "" {
				require.Empty(t, seen)
				require.Equal(t, js, a.header.Get("Content-Type"))
				return
			}
			require.Len(t, seen, 1)
			require.Equal(t, c.sent, seen[0].line)
			require.Equal(t, c.body, seen[0].body)
			for _, name := range []string{"Cookie", "X-Api-Key"} {
				require.Empty(t, seen[0].header[name])
			}
			require.NotContains(t, seen[0].header["Token"], w.ticket)
			require.Len(t, seen[0].header["Authorization"], 1)
			if c.status == 502 || c.status == 504 {
				require.Equal(t, js, a.header.Get("Content-Type"))
			}
			if c.counted != "" {
				require.Equal(t, before+1, w.metric(series), series)
			}
		})
	}
	t.Run("the name of a file", func(t *testing.T) {
		w.answering(file)
		a := w.ask("POST", pdfOf, `{"usuario":"u"}`, w.signed())
		require.Equal(t, `attachment; filename="boleto 90.pdf"`, a.header.Get("Content-Disposition"))
		require.Equal(t, "application/pdf", a.header.Get("Content-Type"))
	})
}

// TestAppOutOfService: what is not offered now is refused before anything is sent.
func TestAppOutOfService(t *testing.T) {
	for _, c := range []struct {
		name   string
		change changes
		unset  []string
		answer string
	}{
		{"the dialect is under maintenance", changes{{"# maintenance: { ura: Estamos em manutenção até as 6h }\n", "maintenance: { app: Voltamos às 6h }\n"}}, nil, `{"error":"Voltamos às 6h"}`},
		{"the ERP is under maintenance", changes{{"    # maintenance: Estamos em manutenção até as 6h\n", "    maintenance: Voltamos às 7h\n"}}, nil, `{"error":"Voltamos às 7h"}`},
		{"the ERP has no address", nil, []string{"ERP_URL"}, `{"error":"Serviço indisponível"}`},
		{"the ERP's password is not set", nil, []string{"ERP_PASSWORD"}, `{"error":"Serviço indisponível"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := startApp(t, c.change, c.unset...)
			w.answering(saying(200, js, `{}`))
			a := w.ask("PUT", promiseOf, anyContract, w.signed())
			require.Equal(t, 503, a.status)
			require.Equal(t, c.answer, a.body)
			require.Empty(t, w.took())
		})
	}
}

// TestAppStopsCalling: an ERP that fails and fails is left alone for a while.
func TestAppStopsCalling(t *testing.T) {
	w := startApp(t, changes{{"failures: 100000, pause: 5s", "failures: 1, pause: 1h"}})
	w.answering(cut)
	require.Equal(t, 502, w.ask("PUT", promiseOf, anyContract, w.signed()).status)
	w.answering(saying(200, js, `{}`))
	a := w.ask("PUT", promiseOf, anyContract, w.signed())
	require.Equal(t, 503, a.status)
	require.Equal(t, `{"error":"Serviço indisponível"}`, a.body)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Empty(t, w.took())
}
