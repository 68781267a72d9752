package sandbox

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	promiseOp   = "comercial.contrato.habilitar_confianca"
	promisePath = "/ws/comercial/contrato/habilitar_confianca"
	promiseBody = `{"idContrato":1300011}`
)

// granted gives the status of contract 1300011 and how many promises it got.
func (r *rig) granted() (string, int) {
	r.t.Helper()
	_, _, body := r.do(http.MethodGet, "/_sandbox/data", "")
	var all []struct {
		Contracts []struct {
			ID       int64
			Status   string
			Promises int
		}
	}
	require.NoError(r.t, json.Unmarshal([]byte(body), &all))
	for _, c := range all {
		for _, k := range c.Contracts {
			if k.ID == 1300011 {
				return k.Status, k.Promises
			}
		}
	}
	r.t.Fatal("no contract 1300011")
	return "", 0
}

func TestPromise(t *testing.T) {
	now := time.Date(2020, 4, 17, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, body string
		status     int
		want       string // "" means an HTML page
	}{
		{"the document's example", `{"idContrato":1283321}`, 200, `{"dataFim":"20/04/2020","resposta":"SUCESSO"}`},
		{"suspended", promiseBody, 200, `{"dataFim":"20/04/2020","resposta":"SUCESSO"}`},
		{"the number as text", `{"idContrato":"1300012"}`, 200, `{"dataFim":"20/04/2020","resposta":"SUCESSO"}`},
		{"on trust already", `{"idContrato":1300002}`, 200, BodyResposta},
		{"cancelled", `{"idContrato":1300033}`, 200, BodyResposta},
		{"no such contract", `{"idContrato":999999}`, 200, BodyResposta},
		{"no number", `{}`, 500, ""},
		{"letters", `{"idContrato":"abc"}`, 400, ""},
		{"no JSON", `idContrato=1`, 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, Options{Now: func() time.Time { return now }})
			status, kind, body := r.do(http.MethodPut, promisePath, c.body)
			require.Equal(t, c.status, status)
			if c.want == "" {
				require.Equal(t, typeHTML, kind)
				return
			}
			require.Equal(t, typeJSON, kind)
			require.Equal(t, c.want, body)
			_, _, body = r.do(http.MethodPut, promisePath, c.body)
			require.Equal(t, BodyResposta, body, "a second time")
			require.Equal(t, 2, r.Count(promiseOp))
		})
	}
}

// Everybody sees what a promise changed, and a reset takes it back.
func TestPromiseIsRemembered(t *testing.T) {
	r := start(t, Options{})
	status, promises := r.granted()
	require.Equal(t, "SUSPENSO", status)
	require.Zero(t, promises)
	var said sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			_, _, body := r.do(http.MethodPut, promisePath, promiseBody)
			said.Store(i, body)
		})
	}
	all.Wait()
	granted := 0
	said.Range(func(_, body any) bool {
		if body != BodyResposta {
			granted++
		}
		return true
	})
	require.Equal(t, 1, granted, "of eight at once")
	status, promises = r.granted()
	require.Equal(t, statusTrusted, status)
	require.Equal(t, 1, promises)
	_, _, body := r.do(http.MethodPost, contractPath, promiseBody)
	require.Contains(t, body, `"StatusContrato":"HABILITADO EM CONFIANCA"`)
	_, _, body = r.do(http.MethodPost, "/ws/comercial/cliente/dados", `{"cpfcnpj":"39053344705"}`)
	require.Contains(t, body, `"StatusContrato":"HABILITADO EM CONFIANCA","IDContrato":1300011`)

	r.Reset()
	status, promises = r.granted()
	require.Equal(t, "SUSPENSO", status)
	require.Zero(t, promises)
	require.Zero(t, r.Count(promiseOp))
}

// What a fault does to a promise: whether an answer comes, and whether the
// contract was enabled.
func TestPromiseFaults(t *testing.T) {
	granted := func(r *rig) int { _, promises := r.granted(); return promises }
	testChangeFaults(t, changing{http.MethodPut, promiseOp, promisePath, promiseBody, granted}, false)
}
