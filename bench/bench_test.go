package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/bench/erp"
	"github.com/emenda-gateway/emenda/bench/load"
)

// TestMain lets this test's program be the servers that the driver starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if run := roles[os.Args[1]]; run != nil {
			end(serve(run, os.Args[2:]))
			return
		}
	}
	os.Exit(m.Run())
}

// small is a run that only shows that everything works.
func small(t *testing.T) options {
	bin := filepath.Join(t.TempDir(), "emenda")
	out, err := exec.Command("go", "build", "-o", bin, "../cmd/emenda").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return options{gateways: []string{bin}, rounds: 2, requests: 300, seconds: 1, rates: []int{200}, crowd: 100, erpLatency: 5 * time.Millisecond}
}

// TestLikeWithLike: floor, gateway and nginx give the same bytes for every
// document that the stub knows (newWorld refuses otherwise), those of the
// documented example among them, and every figure of the tables comes about.
func TestLikeWithLike(t *testing.T) {
	o := small(t)
	w, err := newWorld(o)
	require.NoError(t, err)
	defer w.close()
	require.Len(t, w.servers, 5)
	const documented = `{"msg":"Contrato(s) Localizado(s)","contratos":[{"razaoSocial":"CLIENTE TESTE","contratoStatusDisplay":"Ativo","promessasPagamentoMes":0,"contratoValorAberto":0,"cpfCnpj":"12312312312","contratoStatus":1,"contratoId":1283299,"contratoStatusModo":1},{"razaoSocial":"CLIENTE TESTE","contratoStatusDisplay":"Ativo","promessasPagamentoMes":0,"contratoValorAberto":0,"cpfCnpj":"12312312312","contratoStatus":1,"contratoId":1283303,"contratoStatusModo":2}]}`
	for _, s := range w.servers {
		if !s.translates() {
			got, err := load.Ask(s.address, passed())
			require.NoError(t, err)
			require.JSONEq(t, erp.Answers[erp.Documented], string(got), s.name)
			continue
		}
		got, err := load.Ask(s.address, lookup(erp.Documented))
		require.NoError(t, err)
		require.Equal(t, documented, string(got), s.name)
		got, err = load.Ask(s.address, []byte("POST /ws/ura/consultacliente/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 35\r\n\r\ntoken=wrong&app=ura&cpfcnpj=1231231"))
		require.NoError(t, err)
		require.JSONEq(t, `{"detail":"Credenciais de autenticação incorretas."}`, string(got), s.name)
	}
	// One that answers something else is found out.
	w.servers[1].address, w.erp.address = w.erp.address, w.servers[1].address
	require.Error(t, w.same())
	w.servers[1].address, w.erp.address = w.erp.address, w.servers[1].address
	require.NoError(t, w.same())

	tables, err := measure(t.Context(), w, o, io.Discard)
	require.NoError(t, err)
	require.Len(t, tables, 3)
	for _, table := range tables {
		require.Len(t, table.rows, 5)
		for _, r := range table.rows {
			require.Len(t, r.cpu, 2)
			require.Positive(t, median(r.speed), r.server.name)
			for _, rate := range table.rates {
				require.Positive(t, median(r.most[rate]), r.name)
				require.GreaterOrEqual(t, median(r.half[rate]), ms(table.latency), r.name)
			}
		}
		require.Len(t, table.rows[2].mallocs, 2) // of so few requests less than reading the metric takes: no figure
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	_, err = measure(stopped, w, o, io.Discard)
	require.ErrorIs(t, err, context.Canceled)
	page := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(page, []byte("# Before\n"+pageBegin+"old\n"+pageEnd+"after\n"), 0o600))
	text := render(o, tables)
	require.Contains(t, text, "| **Emenda** |")
	require.Contains(t, text, "ms after its process was started")
	for range 2 {
		require.NoError(t, keep(page, text))
		got, err := os.ReadFile(page)
		require.NoError(t, err)
		require.Equal(t, "# Before\n"+pageBegin+text+pageEnd+"after\n", string(got))
	}
}

// TestDocumented holds the stub's answer against the example of the ERP's contract.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../mappings/contracts/erp/contratos.yaml")
	require.NoError(t, err)
	path, err := yaml.PathString("$.paths.'/ws/comercial/cliente/dados'.post.responses.'200'.content.'application/json'.examples.'pessoa fisica'.value")
	require.NoError(t, err)
	var example any
	require.NoError(t, path.Read(bytes.NewReader(text), &example))
	want, err := json.Marshal(example)
	require.NoError(t, err)
	require.JSONEq(t, string(want), erp.Answers[erp.Documented])
	require.True(t, json.Valid([]byte(erp.Answers[erp.Invoiced])))
}

// TestPage: the page of the repository has its place for the tables.
func TestPage(t *testing.T) {
	text, err := os.ReadFile("../docs/performance.md")
	require.NoError(t, err)
	require.Contains(t, string(text), pageBegin)
	require.Contains(t, string(text), pageEnd)
}

func TestMedianAndRatio(t *testing.T) {
	require.InDelta(t, 2, median([]float64{9, 1, 2}), 0)
	require.Zero(t, median(nil))
	// Round by round: what slowed both down in one round is no difference.
	require.InDelta(t, 2, ratio([]float64{2, 20, 4}, []float64{1, 10, 2}), 0)
	require.Equal(t, "1.00", fmt.Sprintf("%.2f", ratio([]float64{3}, []float64{3})))
}
