package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	mailOp   = "financeiro.faturas.abertas.enviar"
	mailPath = "/ws/financeiro/faturas/abertas/500002/enviar"
	mailBody = `{"idsFaturas":[7011,7012]}`
	smsOp    = "integracao.omnichannel.fatura.linha_digitavel.enviar"
	smsPath  = "/ws/integracao/omnichannel/fatura/linha_digitavel/enviar"
	smsBody  = `{"idFatura":7011}`
	smsSaid  = `{"data":"A linha digitável da fatura de ID '7011' foi enviada por SMS com sucesso.","status":"OK"}`
)

// customerOf gives what /_sandbox/data shows of a customer.
func (r *rig) customerOf(id int64) customerOut {
	r.t.Helper()
	_, _, body := r.do(http.MethodGet, "/_sandbox/data", "")
	var all []customerOut
	require.NoError(r.t, json.Unmarshal([]byte(body), &all))
	for _, c := range all {
		if c.ID == id {
			return c
		}
	}
	r.t.Fatalf("no customer %d", id)
	return customerOut{}
}

func TestSend(t *testing.T) {
	for _, c := range []struct {
		name, path, body string
		status           int
		want             string // "" means an HTML page
	}{
		{"by e-mail", mailPath, mailBody, 200, `"SUCESSO"`},
		{"no invoice named", mailPath, `{"idsFaturas":[]}`, 200, BodyFalha},
		{"one of two is another's", mailPath, `{"idsFaturas":[7011,7021]}`, 200, BodyFalha},
		{"a paid one", "/ws/financeiro/faturas/abertas/500001/enviar", `{"idsFaturas":[7001]}`, 200, BodyFalha},
		{"no e-mail address", "/ws/financeiro/faturas/abertas/500003/enviar", `{"idsFaturas":[7021]}`, 200, BodyFalha},
		{"nobody", "/ws/financeiro/faturas/abertas/1/enviar", mailBody, 200, BodyFalha},
		{"no list", mailPath, `{"idsFaturas":7011}`, 400, ""},
		{"a list of texts", mailPath, `{"idsFaturas":["7011"]}`, 400, ""},
		{"a list of halves", mailPath, `{"idsFaturas":[0.5]}`, 400, ""},
		{"nothing", mailPath, `{}`, 500, ""},
		{"no JSON", mailPath, `x`, 400, ""},
		{"by SMS", smsPath, smsBody, 200, smsSaid},
		{"by SMS, the number as text", smsPath + "?tituloSMS=a&conteudoSMS=b", `{"idFatura":"7011"}`, 200, smsSaid},
		{"by SMS, a paid one", smsPath, `{"idFatura":7001}`, 200, bodyNoInvoice},
		{"by SMS, none of that number", smsPath, `{"idFatura":1}`, 200, bodyNoInvoice},
		{"by SMS, no mobile", smsPath, `{"idFatura":7041}`, 200, bodyNoMobile},
		{"by SMS, nothing", smsPath, `{}`, 500, ""},
		{"by SMS, no JSON", smsPath, `x`, 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, Options{})
			status, kind, body := r.do(http.MethodPost, c.path, c.body, "Token", r.token())
			require.Equal(t, c.status, status)
			if c.want == "" {
				require.Equal(t, typeHTML, kind)
			} else {
				require.Equal(t, c.want, body)
			}
			var want []delivery
			switch c.want {
			case `"SUCESSO"`:
				want = []delivery{{0, 7011, byEmail}, {0, 7012, byEmail}}
			case smsSaid:
				want = []delivery{{0, 7011, bySMS}}
			}
			require.Equal(t, want, r.customerOf(500002).Sent)
			r.Reset()
			require.Empty(t, r.customerOf(500002).Sent)
		})
	}
}

func TestSMSAsksForTheToken(t *testing.T) {
	r := start(t, Options{})
	status, _, _ := r.do(http.MethodPost, smsPath, smsBody)
	require.Equal(t, 401, status)
	require.Empty(t, r.customerOf(500002).Sent)
}

// changing is a call that changes something, for testChangeFaults.
type changing struct {
	method, op, path, body string
	done                   func(*rig) int // how often it was done
}

// testChangeFaults tells what each fault does to a call that changes
// something: whether an answer comes, and whether it was done.
func testChangeFaults(t *testing.T, call changing, token bool) {
	t.Helper()
	expired, lapsed := 200, 1
	if token {
		expired, lapsed = 401, 0
	}
	for _, c := range []struct {
		fault  Fault
		status int // 0: no whole answer
		done   int
		read   int
	}{
		{Fault{Kind: KindLatency, Delay: 20 * time.Millisecond}, 200, 1, 1},
		{Fault{Kind: KindIdleClose, Delay: time.Millisecond}, 200, 1, 1},
		{Fault{Kind: KindStatus500}, 500, 0, 1},
		{Fault{Kind: KindHTML}, 200, 0, 1},
		{Fault{Kind: KindBusiness}, 200, 0, 1},
		{Fault{Kind: KindTruncate}, 0, 1, 1},
		{Fault{Kind: KindCutBeforeRead}, 0, 0, 0},
		{Fault{Kind: KindCutAfterRead}, 0, 1, 1},
		{Fault{Kind: KindExpiredToken}, expired, lapsed, 1}, // without a token it goes on waiting
	} {
		t.Run(string(c.fault.Kind), func(t *testing.T) {
			r := start(t, Options{})
			fresh := r.token()
			c.fault.Operation = call.op
			r.Fault(c.fault)
			req := r.request(call.method, call.path, call.body, "Token", fresh)
			req.GetBody = nil // net/http repeats nothing that cannot be read a second time
			res, err := r.client.Do(req)
			status := 0
			if err == nil {
				status = res.StatusCode
				if _, err = io.ReadAll(res.Body); err != nil {
					status = 0
				}
				require.NoError(t, res.Body.Close())
			}
			require.Equal(t, c.status, status)
			require.Equal(t, c.done, call.done(r))
			require.Equal(t, c.read, r.Count(call.op))
		})
	}
}

func TestSendFaults(t *testing.T) {
	sent := func(r *rig) int { return len(r.customerOf(500002).Sent) }
	t.Run("by e-mail", func(t *testing.T) {
		testChangeFaults(t, changing{http.MethodPost, mailOp, mailPath, `{"idsFaturas":[7011]}`, sent}, false)
	})
	t.Run("by SMS", func(t *testing.T) {
		testChangeFaults(t, changing{http.MethodPost, smsOp, smsPath, smsBody, sent}, true)
	})
}
