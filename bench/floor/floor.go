// Package floor is the lookup written by hand: what the same work costs in Go
// when nothing is configurable and nothing is watched. It reads the form,
// compares the credentials, calls the ERP over a kept connection and appends
// the answer; no deadline, log, metric or check of what comes back, unless it
// is given the duties.
package floor

import (
	"net"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/bench/duties"
)

// Options are who may ask, and whom it asks.
type Options struct {
	ERP           string // host:port
	Path          string // of the ERP's lookup
	Authorization string
	App, Token    string
	Duties        *duties.Duties // what it does besides; nil for nothing
}

type server struct {
	o      Options
	client fasthttp.HostClient
}

// Serve answers on ln until it is closed.
func Serve(ln net.Listener, o Options) error {
	s := &server{o: o, client: fasthttp.HostClient{Addr: o.ERP, MaxConns: 8192, NoDefaultUserAgentHeader: true}}
	f := fasthttp.Server{Handler: s.handle, NoDefaultServerHeader: true}
	if o.Duties != nil {
		f.Handler = func(ctx *fasthttp.RequestCtx) { o.Duties.Around(ctx, s.handle) }
	}
	return f.Serve(ln)
}

func (s *server) handle(ctx *fasthttp.RequestCtx) {
	args := ctx.PostArgs()
	if !s.signed(args.Peek("token")) || string(args.Peek("app")) != s.o.App {
		ctx.SetStatusCode(fasthttp.StatusForbidden)
		ctx.SetContentType("application/json")
		ctx.SetBodyString(`{"detail":"Credenciais de autenticação incorretas."}`)
		return
	}
	var room [32]byte
	document := room[:0]
	for _, c := range args.Peek("cpfcnpj") {
		if c >= '0' && c <= '9' {
			document = append(document, c)
		}
	}
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.SetRequestURI(s.o.Path)
	req.Header.SetHost(s.o.ERP)
	req.Header.SetContentType("application/json")
	req.Header.Set("Authorization", s.o.Authorization)
	body := append(req.Body(), `{"cpfcnpj":"`...)
	body = append(body, document...)
	req.SetBodyRaw(append(body, `"}`...))
	if !s.call(req, resp) {
		ctx.SetStatusCode(fasthttp.StatusServiceUnavailable)
		ctx.SetContentType("application/json")
		ctx.SetBodyString(`{"detail":"Serviço indisponível"}`)
		return
	}
	ctx.SetContentType("application/json")
	ctx.Response.SetBodyRaw(appendAnswer(make([]byte, 0, 1024), resp.Body(), document))
}

func (s *server) signed(token []byte) bool {
	if s.o.Duties != nil {
		return s.o.Duties.Signed(token)
	}
	return string(token) == s.o.Token
}

func (s *server) call(req *fasthttp.Request, resp *fasthttp.Response) bool {
	if s.o.Duties != nil {
		return s.o.Duties.Do(&s.client, req, resp)
	}
	return s.client.Do(req, resp) == nil && resp.StatusCode() == fasthttp.StatusOK
}

// appendAnswer translates what the ERP said of a document.
func appendAnswer(b, said, document []byte) []byte {
	found, name, contracts, invoices := false, "", gjson.Result{}, gjson.Result{}
	gjson.ParseBytes(said).ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "ClienteEncontrato":
			found = value.Bool()
		case "NomeCliente":
			name = strings.TrimSpace(value.Str)
		case "Contratos":
			contracts = value
		case "Faturas":
			invoices = value
		}
		return true
	})
	if !found {
		return append(b, `{"msg":"Cliente não localizado","contratos":[]}`...)
	}
	b = append(b, `{"msg":"Contrato(s) Localizado(s)","contratos":[`...)
	first := true
	contracts.ForEach(func(_, c gjson.Result) bool {
		id, status := "", ""
		c.ForEach(func(key, value gjson.Result) bool {
			switch key.Str {
			case "IDContrato":
				id = value.Raw
			case "StatusContrato":
				status = strings.TrimSpace(value.Str)
			}
			return true
		})
		if id == "" {
			return true
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		code, text, mode := statusOf(status)
		b = append(b, `{"razaoSocial":`...)
		b = gjson.AppendJSONString(b, name)
		b = append(b, `,"contratoStatusDisplay":`...)
		b = gjson.AppendJSONString(b, text)
		b = append(b, `,"promessasPagamentoMes":0,"contratoValorAberto":`...)
		b = appendCents(b, openCents(invoices, id))
		b = append(b, `,"cpfCnpj":"`...)
		b = append(b, document...)
		b = append(b, `","contratoStatus":`...)
		b = strconv.AppendInt(b, code, 10)
		b = append(b, `,"contratoId":`...)
		b = append(b, id...)
		b = append(b, `,"contratoStatusModo":`...)
		b = strconv.AppendInt(b, mode, 10)
		b = append(b, '}')
		return true
	})
	return append(b, "]}"...)
}

func statusOf(status string) (code int64, text string, mode int64) {
	switch strings.ToUpper(status) {
	case "HABILITADO":
		return 1, "Ativo", 1
	case "HABILITADO EM CONFIANCA":
		return 1, "Ativo", 2
	case "SUSPENSO":
		return 4, "Suspenso", 1
	case "SUSPENSO PARCIALMENTE":
		return 4, "Suspenso", 2
	}
	return 3, status, 1
}

// openCents sums the invoices of a contract.
func openCents(invoices gjson.Result, id string) (cents int64) {
	invoices.ForEach(func(_, f gjson.Result) bool {
		ours, value := false, int64(0)
		f.ForEach(func(key, v gjson.Result) bool {
			switch key.Str {
			case "idsContratos":
				v.ForEach(func(_, one gjson.Result) bool {
					ours = ours || one.Raw == id
					return !ours
				})
			case "Valor":
				value = int64(v.Num*100 + 0.5)
			}
			return true
		})
		if ours {
			cents += value
		}
		return true
	})
	return cents
}

// appendCents writes an amount without zeros at its end.
func appendCents(b []byte, cents int64) []byte {
	b = strconv.AppendInt(b, cents/100, 10)
	if rest := cents % 100; rest > 0 {
		b = append(b, '.', byte('0'+rest/10))
		if rest%10 > 0 {
			b = append(b, byte('0'+rest%10))
		}
	}
	return b
}
