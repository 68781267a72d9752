package sandbox

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	contractOp   = "comercial.contrato.dados"
	contractPath = "/ws/comercial/contrato/dados"
	contractBody = `{"idContrato":1283321}`
)

// broken makes a call whose answer must not arrive whole.
func (r *rig) broken(method, path, body string) error {
	r.t.Helper()
	req := r.request(method, path, body)
	// net/http repeats nothing that cannot be read a second time.
	req.GetBody = nil
	res, err := r.client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.ReadAll(res.Body)
	require.NoError(r.t, res.Body.Close())
	require.Error(r.t, err)
	return err
}

func TestFaultAnswers(t *testing.T) {
	cases := []struct {
		name   string
		fault  Fault
		status int
		kind   string
		want   string
	}{
		{"status500", Fault{Kind: KindStatus500}, 500, typeJSON, BodyError},
		{"status500 as 503", Fault{Kind: KindStatus500, Status: 503}, 503, typeJSON, BodyError},
		{"html", Fault{Kind: KindHTML}, 200, typeHTML, string(outagePage(200).body)},
		{"html as 502", Fault{Kind: KindHTML, Status: 502}, 502, typeHTML, string(outagePage(502).body)},
		{"the operation's refusal", Fault{Kind: KindBusiness}, 200, typeJSON, bodyNoContract},
		{"a bare word", Fault{Kind: KindBusiness, Body: BodyFalha}, 200, typeJSON, `"FALHA"`},
		{"a refusal with a status", Fault{Kind: KindBusiness, Body: BodyAccess, Status: 406}, 406, typeJSON, BodyAccess},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, Options{})
			c.fault.Operation = contractOp
			r.Fault(c.fault)
			status, _, _ := r.do("GET", "/ws/financeiro/faturas/cliente/1", "")
			require.Equal(t, 200, status, "another operation is spared")
			status, kind, body := r.do("POST", contractPath, contractBody)
			require.Equal(t, c.status, status)
			require.Equal(t, c.kind, kind)
			require.Equal(t, c.want, body)
			_, _, body = r.do("POST", contractPath, contractBody)
			require.Equal(t, docContract, body, "once only")
			require.Equal(t, []Kind{c.fault.Kind}, r.Calls()[1].Faults)
		})
	}
}

func TestFaultTimes(t *testing.T) {
	r := start(t, Options{})
	r.Fault(Fault{Kind: KindStatus500, Times: 2})
	r.Fault(Fault{Kind: KindHTML, Times: -1})
	got := []string{}
	for range 4 {
		_, kind, _ := r.do("POST", contractPath, contractBody)
		got = append(got, kind)
	}
	require.Equal(t, []string{typeJSON, typeJSON, typeHTML, typeHTML}, got)
	r.ClearFaults()
	_, _, body := r.do("POST", contractPath, contractBody)
	require.Equal(t, docContract, body)
}

func TestLatencyGoesAlongWithOthers(t *testing.T) {
	r := start(t, Options{})
	r.Fault(Fault{Kind: KindLatency, Delay: 30 * time.Millisecond, Times: -1})
	r.Fault(Fault{Kind: KindStatus500})
	for _, want := range []int{500, 200} {
		began := time.Now()
		status, _, _ := r.do("POST", contractPath, contractBody)
		require.Equal(t, want, status)
		require.GreaterOrEqual(t, time.Since(began), 30*time.Millisecond)
	}
}

func TestCloseEndsDelayedAnswers(t *testing.T) {
	r := start(t, Options{})
	r.Fault(Fault{Kind: KindLatency, Delay: time.Hour})
	done := make(chan int)
	go func() {
		status, _, _ := r.do("POST", contractPath, contractBody)
		done <- status
	}()
	require.Eventually(t, func() bool { return r.Count(contractOp) == 1 }, 5*time.Second, time.Millisecond)
	require.NoError(t, r.Close(t.Context()))
	require.Equal(t, 200, <-done)
}

func TestCuts(t *testing.T) {
	t.Run("truncate", func(t *testing.T) {
		r := start(t, Options{})
		r.Fault(Fault{Kind: KindTruncate})
		require.ErrorIs(t, r.broken("POST", contractPath, contractBody), io.ErrUnexpectedEOF)
		require.Equal(t, 1, r.Count(contractOp))
	})
	t.Run("before the request is read", func(t *testing.T) {
		r := start(t, Options{})
		r.Fault(Fault{Kind: KindCutBeforeRead})
		// The body never comes: whoever waits for it hangs.
		c, err := net.Dial("tcp", strings.TrimPrefix(r.URL(), "http://"))
		require.NoError(t, err)
		defer func() { require.NoError(t, c.Close()) }()
		_, err = io.WriteString(c, "POST "+contractPath+" HTTP/1.1\r\nHost: x\r\nContent-Length: 22\r\n\r\n")
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.Zero(t, r.Count(contractOp))
		require.Len(t, r.Calls(), 1)
		require.Nil(t, r.Calls()[0].Body)
	})
	t.Run("after the request is read", func(t *testing.T) {
		r := start(t, Options{})
		r.Fault(Fault{Kind: KindCutAfterRead, Operation: "auth.token.gerar"})
		require.ErrorIs(t, r.broken("GET", "/ws/auth/token/gerar", ""), io.EOF)
		require.Equal(t, 1, r.Count("auth.token.gerar"))
		issued := func() bool {
			r.tokens.mu.Lock()
			defer r.tokens.mu.Unlock()
			return len(r.tokens.known) == 1
		}
		require.True(t, issued(), "done, though nobody heard of it")
	})
	t.Run("caller breaks off", func(t *testing.T) {
		r := start(t, Options{})
		c, err := net.Dial("tcp", strings.TrimPrefix(r.URL(), "http://"))
		require.NoError(t, err)
		_, err = io.WriteString(c, "POST "+contractPath+" HTTP/1.1\r\nHost: x\r\nContent-Length: 22\r\n\r\n{")
		require.NoError(t, err)
		require.NoError(t, c.Close())
		require.Eventually(t, func() bool { return len(r.Calls()) == 1 }, 5*time.Second, time.Millisecond)
		require.Zero(t, r.Count(contractOp))
	})
}

func TestIdleClose(t *testing.T) {
	r := start(t, Options{})
	r.Fault(Fault{Kind: KindIdleClose, Delay: 20 * time.Millisecond})
	c, err := net.Dial("tcp", strings.TrimPrefix(r.URL(), "http://"))
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	rd := bufio.NewReader(c)
	req := r.request("POST", contractPath, contractBody)
	require.NoError(t, req.Write(c))
	res, err := http.ReadResponse(rd, req)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, docContract, string(body), "the answer itself is whole")
	_, err = rd.ReadByte()
	require.ErrorIs(t, err, io.EOF, "then the idle connection ends")
}

func TestExpiredTokenFault(t *testing.T) {
	r := start(t, Options{})
	r.Fault(Fault{Kind: KindExpiredToken})
	token := r.token()
	r.do("POST", contractPath, contractBody)
	status, _, _ := r.do("GET", "/ws/area/cliente/81593", "", "Token", token)
	require.Equal(t, 401, status)
	status, _, _ = r.do("GET", "/ws/area/cliente/81593", "", "Token", token)
	require.Equal(t, 401, status, "for good")
	status, _, _ = r.do("GET", "/ws/area/cliente/81593", "", "Token", r.token())
	require.Equal(t, 200, status)
}

func TestFaultsThatCouldNeverShowPanic(t *testing.T) {
	r := start(t, Options{})
	cases := []struct {
		name  string
		fault Fault
		want  string
	}{
		{"kind", Fault{Kind: "late"}, `sandbox: unknown fault kind "late"; allowed: latency, status500, html, truncate, cut_before_read, cut_after_read, idle_close, expired_token, business`},
		{"operation", Fault{Kind: KindHTML, Operation: "x"}, `sandbox: unknown operation "x"; GET /_sandbox/operations lists them`},
		{"no delay", Fault{Kind: KindLatency}, `sandbox: fault latency needs a delay`},
		{"negative delay", Fault{Kind: KindHTML, Delay: -1}, `sandbox: delay -1ns is negative`},
		{"status of a cut", Fault{Kind: KindTruncate, Status: 200}, `sandbox: fault truncate has no status`},
		{"odd status", Fault{Kind: KindHTML, Status: 100}, `sandbox: status 100 is not between 200 and 599`},
		{"body of a page", Fault{Kind: KindHTML, Body: "{}"}, `sandbox: fault html has no body`},
		{"body that is no JSON", Fault{Kind: KindBusiness, Body: "FALHA"}, `sandbox: the fault's body is not JSON`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.PanicsWithValue(t, c.want, func() { r.Fault(c.fault) })
		})
	}
}

func TestControl(t *testing.T) {
	r := start(t, Options{})
	status, _, body := r.do("POST", "/_sandbox/faults", `[{"operation":"comercial.contrato.dados","kind":"business","body":{"Error":"x"}},{"kind":"latency","delay":"1ms","times":-1}]`)
	require.Equal(t, 201, status)
	require.Equal(t, `[{"operation":"comercial.contrato.dados","kind":"business","times":1,"body":{"Error":"x"}},{"kind":"latency","times":-1,"delay":"1ms"}]`, body)
	_, _, body = r.do("POST", contractPath, contractBody)
	require.Equal(t, `{"Error":"x"}`, body)
	_, _, body = r.do("GET", "/_sandbox/faults", "")
	require.Equal(t, `[{"kind":"latency","times":-1,"delay":"1ms"}]`, body)
	status, _, _ = r.do("DELETE", "/_sandbox/faults", "")
	require.Equal(t, 204, status)
	_, _, body = r.do("GET", "/_sandbox/faults", "")
	require.Equal(t, `[]`, body)

	_, _, body = r.do("GET", "/_sandbox/calls?operation="+contractOp, "")
	var calls []callOut
	require.NoError(t, json.Unmarshal([]byte(body), &calls))
	require.Len(t, calls, 1)
	require.Equal(t, "***", calls[0].Header.Get("Authorization"))
	require.Equal(t, contractBody, calls[0].Body)
	require.NotEqual(t, "***", r.Calls()[0].Header.Get("Authorization"), "only the view is masked")

	r.do("GET", "/ws/nothing", "")
	_, _, body = r.do("GET", "/_sandbox/counts", "")
	require.JSONEq(t, `{"":1,"`+contractOp+`":1}`, body)

	status, _, _ = r.do("POST", "/_sandbox/reset", "")
	require.Equal(t, 204, status)
	_, _, body = r.do("GET", "/_sandbox/calls", "")
	require.Equal(t, `[]`, body)
	_, _, body = r.do("GET", "/_sandbox/counts", "")
	require.Equal(t, `{}`, body)
	_, _, body = r.do("GET", "/_sandbox/data", "")
	var data []customerOut
	require.NoError(t, json.Unmarshal([]byte(body), &data))
	require.Len(t, data, len(demoCustomers()))
	status, _, _ = r.do("GET", "/_sandbox/nothing", "")
	require.Equal(t, 404, status)
}

func TestControlRefuses(t *testing.T) {
	r := start(t, Options{})
	cases := []struct{ name, body, want string }{
		{"all wrong ones at once", `[{"kind":"latency"},{"kind":"html"},{"kind":"latency","delay":"soon"}]`, `{"error":"fault 1: fault latency needs a delay\nfault 3: delay \"soon\" is not a duration such as 250ms"}`},
		{"unknown key", `{"kind":"html","time":1}`, `{"error":"not a fault or a list of faults: json: unknown field \"time\""}`},
		{"empty", ``, `{"error":"not a fault or a list of faults"}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, _, body := r.do("POST", "/_sandbox/faults", c.body)
			require.Equal(t, 400, status)
			require.Equal(t, c.want, body)
			require.Empty(t, r.faults.all(), "all or none")
		})
	}
}
