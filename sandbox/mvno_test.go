package sandbox

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mvnoRig is a platform whose clock a test moves, and a client of its.
type mvnoRig struct {
	*rig
	at    *time.Time
	token string
}

func startMVNO(t *testing.T, o MVNOOptions) *mvnoRig {
	t.Helper()
	at := time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC)
	return &mvnoRig{start(t, Options{MVNO: o, Now: func() time.Time { return at }}), &at, MVNOToken}
}

// ask sends one method with its fields, {"x":1} without the braces, and gives
// the answer as it came.
func (r *mvnoRig) ask(metodo, fields string) string {
	r.t.Helper()
	body := `{"metodo":"` + metodo + `","token":"` + r.token + `"`
	if fields != "" {
		body += "," + fields
	}
	status, kind, answer := r.do("POST", "/mvno", body+"}", "Content-Type", "application/json", "Authorization", "")
	require.Equal(r.t, http.StatusOK, status)
	require.Equal(r.t, typeJSON, kind)
	return answer
}

// told is an answer as a client reads it.
type told struct {
	Retorno struct {
		Codigo   any
		Mensagem string
	}
	Token string
	Life  string `json:"tempo_vida"`
}

func TestMVNOThinSlice(t *testing.T) {
	r := startMVNO(t, MVNOOptions{})
	require.JSONEq(t, `{"retorno":{"codigo":"0","mensagem":"OPERACAO REALIZADA COM SUCESSO"},"numero_contrato":2124690,"Numero_SimCard":"`+iccid(20, 100)+`","Qtde_GB":1,"Total_GB":1}`,
		r.ask("comprar_dados", `"Numero_SimCard":"","numero_contrato":2124690,"Qtde_GB":1`))
	done, received := r.MVNODone("comprar_dados", "2124690")
	require.Equal(t, []int{1, 1}, []int{done, received})
	var got told
	require.NoError(t, json.Unmarshal([]byte(r.ask("nada", "")), &got))
	require.EqualValues(t, 3, got.Retorno.Codigo)
}
