// Package erp is a stub of the ERP for measurements: it answers the lookup of a
// customer with prepared bytes, after as long as it is told to take.
package erp

import (
	"encoding/base64"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"
)

// Path is where the lookup is.
const Path = "/ws/comercial/cliente/dados"

// The account that it lets in.
const (
	User     = "bench"
	Password = "bench-password"
)

// Authorization is the header field of that account.
func Authorization() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(User+":"+Password))
}

// The documents that are known: the one of the documented example, and one with invoices to sum.
const (
	Documented = "12312312312"
	Invoiced   = "52998224725"
	Nobody     = "98765432100"
)

// Answers are what it says of each document.
var Answers = map[string]string{
	Documented: `{"TipoPessoa":"PessoaFisica","ClienteEncontrato":true,"NomeCliente":"CLIENTE TESTE","ExisteFaturaSemPagamento":true,"IDCliente":81593,"Contratos":[{"ValorContrato":105.49,"StatusContrato":"HABILITADO","IDContrato":1283299,"DescricaoPlano":"FIBRA RES 10MBPS FRANQUIA 360GB","TipoContrato":"RESIDENCIAL","TipoTecnologia":"INTERNET","IDVencimento":4},{"ValorContrato":9.9,"StatusContrato":"HABILITADO EM CONFIANCA","IDContrato":1283303,"DescricaoPlano":"LOCACAO DE EQUIPAMENTOS","TipoContrato":"RESIDENCIAL","TipoTecnologia":"INTERNET","IDVencimento":4}],"ExisteAtendimentoAberto":true,"Faturas":[{"idsContratos":[1283299,1283303],"DebitoAutomatico":false,"CodigoCliente":81593,"ValorMulta":0.0,"IDFatura":90,"ValorJuros":0.0}]}`,
	Invoiced:   `{"TipoPessoa":"PessoaFisica","ClienteEncontrato":true,"NomeCliente":"MARIA EXEMPLO DA SILVA","ExisteFaturaSemPagamento":true,"IDCliente":81593,"Contratos":[{"ValorContrato":99.9,"StatusContrato":"HABILITADO","IDContrato":1300001,"DescricaoPlano":"FIBRA RES 10MBPS","TipoContrato":"RESIDENCIAL","TipoTecnologia":"INTERNET","IDVencimento":4},{"ValorContrato":39.9,"StatusContrato":"SUSPENSO PARCIALMENTE","IDContrato":1300002,"DescricaoPlano":"LOCACAO","TipoContrato":"RESIDENCIAL","TipoTecnologia":"INTERNET","IDVencimento":4}],"ExisteAtendimentoAberto":false,"Faturas":[{"idsContratos":[1300001,1300002],"DebitoAutomatico":false,"CodigoCliente":81593,"ValorMulta":0.0,"IDFatura":90,"ValorJuros":0.0,"nroBoleto":"00000085425P","Valor":139.8,"nroDocumento":"0320283295","Vencimento":"2026-03-09"},{"idsContratos":[1300001],"DebitoAutomatico":false,"CodigoCliente":81593,"ValorMulta":0.0,"IDFatura":91,"ValorJuros":0.0,"nroBoleto":"00000085426P","Valor":99.9,"nroDocumento":"0320283296","Vencimento":"2026-04-09"}]}`,
	Nobody:     `{"ClienteEncontrato":false}`,
}

// What is asked and answered where nothing is translated: a list, and a body
// that is checked against the contract, with blanks that make it 1 KB.
const (
	ListPath  = "/ws/comercial/tecnologias"
	List      = `{"resposta":[{"id":2,"descricao":"RADIO","tipo":"INTERNET"},{"id":4,"descricao":"FIBRA","tipo":"INTERNET"},{"id":10,"descricao":"TELEFONIA IP","tipo":"TELEFONIA"},{"id":11,"descricao":"TELEFONIA FIXA","tipo":"TELEFONIA"},{"id":12,"descricao":"TV POR SATELITE","tipo":"TV"}]}`
	CheckPath = "/ws/comercial/viabilidade_tecnica/consultar"
)

// Check is that body.
var Check = `{"idEndereco":481018,"numero":85,"latitude":"-20.6560000","longitude":"-43.7560000","idSegmentoProspecto":1,"idCondominioCM":null,"idBloco":null,"andar":null,"numeroCasa":null` + strings.Repeat(" ", 1023-175) + "}"

// token is what the stub gives: it ends in a thousand years.
const token = `{"token":"e30.eyJleHAiOjMzMzMzMzMzMzMzMDAwfQ.e30"}`

// ERP is a running stub.
type ERP struct {
	latency       atomic.Int64
	asked         atomic.Int64
	answers       map[string][]byte
	authorization string
}

// New gives a stub that takes so long for each answer.
func New(latency time.Duration) *ERP {
	e := &ERP{answers: map[string][]byte{}, authorization: Authorization()}
	for document, answer := range Answers {
		e.answers[document] = []byte(answer)
	}
	e.latency.Store(int64(latency))
	return e
}

// Serve answers on ln until it is closed.
func (e *ERP) Serve(ln net.Listener) error {
	s := fasthttp.Server{Handler: e.handle, NoDefaultServerHeader: true, NoDefaultDate: true}
	return s.Serve(ln)
}

// handle answers the lookup; /-/asked tells how many there were, and
// /-/latency?ms=20 sets how long each takes.
func (e *ERP) handle(ctx *fasthttp.RequestCtx) {
	switch string(ctx.Path()) {
	case Path:
		e.lookup(ctx)
	case ListPath, CheckPath:
		e.asked.Add(1)
		ctx.SetContentType("application/json")
		ctx.SetBodyString(List)
	case "/ws/auth/token/gerar":
		ctx.SetContentType("application/json")
		ctx.SetBodyString(token)
	case "/-/asked":
		ctx.SetBodyString(strconv.FormatInt(e.asked.Load(), 10))
	case "/-/latency":
		ms, err := ctx.QueryArgs().GetUint("ms")
		if err != nil {
			ctx.SetStatusCode(fasthttp.StatusBadRequest)
			return
		}
		e.latency.Store(int64(ms) * int64(time.Millisecond))
	default:
		ctx.SetStatusCode(fasthttp.StatusNotFound)
	}
}

func (e *ERP) lookup(ctx *fasthttp.RequestCtx) {
	e.asked.Add(1)
	if d := time.Duration(e.latency.Load()); d > 0 {
		time.Sleep(d)
	}
	if string(ctx.Request.Header.Peek("Authorization")) != e.authorization || !ctx.IsPost() {
		ctx.SetStatusCode(fasthttp.StatusUnauthorized)
		return
	}
	answer, ok := e.answers[gjson.GetBytes(ctx.PostBody(), "cpfcnpj").Str]
	if !ok {
		ctx.SetStatusCode(fasthttp.StatusNotFound)
		return
	}
	ctx.SetContentType("application/json")
	ctx.SetBody(answer)
}
