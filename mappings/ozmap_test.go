package mappings_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/store"
	"github.com/emenda-gateway/emenda/routes"
	"github.com/emenda-gateway/emenda/sandbox"
)

// ozmapWorld is the shipped gateway in front of the stand-in OZmap.
type ozmapWorld struct {
	t   *testing.T
	url string
	box *sandbox.Sandbox
}

// startOzmap serves the shipped settings with changes; env adds to the
// variables, an empty one takes one away.
func startOzmap(t *testing.T, change changes, env map[string]string) *ozmapWorld {
	t.Helper()
	box, err := sandbox.Start(sandbox.Options{})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.NoError(t, box.Close(ctx))
	})
	text, err := os.ReadFile("../gateway.yaml")
	require.NoError(t, err)
	here, err := os.Getwd()
	require.NoError(t, err)
	config := string(text)
	for _, c := range append(changes{{"  mappings: ./mappings\n", "  mappings: " + here + "\n"}}, change...) {
		require.Equal(t, 1, strings.Count(config, c[0]), c[0])
		config = strings.Replace(config, c[0], c[1], 1)
	}
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	all := map[string]string{"OZMAP_URL": box.URL() + sandbox.OzmapPath, "OZMAP_TOKEN": sandbox.OzmapToken, "OZLOC_TOKEN": sandbox.OzlocToken, "OZMAP_KEY": "key-of-the-erp", "GEOCODER_URL": box.URL() + sandbox.GeocoderPath}
	for name, value := range env {
		all[name] = value
	}
	loaded, list := snapshot.Load(file)
	require.False(t, list.HasErrors(), list.Text())
	settings, list := loaded.Resolve(func(name string) (string, bool) { v, ok := all[name]; return v, ok && v != "" })
	require.False(t, list.HasErrors(), list.Text())
	var lines bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	metrics := observe.NewMetrics("test")
	s, err := loaded.Open(settings, store.NewLocal(1000), metrics, log)
	require.NoError(t, err)
	server := routes.NewServer(s, metrics, log)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, server.Shutdown(ctx))
		require.NoError(t, <-ended)
		s.Close()
		for _, secret := range []string{sandbox.OzmapToken, sandbox.OzlocToken, "key-of-the-erp", "ozmap-session", "EXEMPLO"} {
			require.NotContains(t, lines.String(), secret)
		}
	})
	return &ozmapWorld{t, "http://" + ln.Addr().String() + "/v1/ozmap/", box}
}

func (w *ozmapWorld) ask(what, body string) (int, string) {
	w.t.Helper()
	r, err := http.NewRequest("POST", w.url+what, strings.NewReader(body))
	require.NoError(w.t, err)
	r.Header = http.Header{"Authorization": {"Bearer key-of-the-erp"}, "Content-Type": {"application/json"}}
	res, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	require.NoError(w.t, res.Body.Close())
	return res.StatusCode, string(text)
}

// bodies are those that an operation of OZmap was sent.
func (w *ozmapWorld) bodies(operation string) (all []string) {
	for _, c := range w.box.Calls() {
		if c.Operation == operation {
			all = append(all, string(c.Body))
		}
	}
	return all
}

const ozlocRequest = `{"contrato":"5","nome":"ANA EXEMPLO","lat":-20.66,"lng":-43.76}`

// What gateway.yaml switches off is not sent, and said; what it switches on is.
func TestOzmapSwitches(t *testing.T) {
	change := func(name, from, to string) [2]string {
		return [2]string{"  " + name + ": " + from, "  " + name + ": " + to}
	}
	name, observation := change("ozmap_atualiza_nome", "true", "false"), change("ozmap_atualiza_observacao", "true", "false")
	for _, c := range []struct {
		name    string
		change  changes
		body    string
		sent    []string
		answers string
	}{
		{"no name", changes{name}, `{"contrato":"1300001","nome":"A","observacao":"b"}`, []string{`{"observation":"b"}`}, `{"atualizado":["observacao"],"contrato":"1300001","msg":"Cliente atualizado"}`},
		{"no observation", changes{observation}, `{"contrato":"1300001","nome":"A","observacao":"b"}`, []string{`{"name":"A"}`}, `{"atualizado":["nome"],"contrato":"1300001","msg":"Cliente atualizado"}`},
		{"neither", changes{name, observation}, `{"contrato":"1300001","nome":"A","observacao":"b"}`, nil, `{"atualizado":[],"contrato":"1300001","msg":"Nada a atualizar: desligado na configuração"}`},
		{"nothing left of what came", changes{name}, `{"contrato":"1300001","nome":"A"}`, nil, `{"atualizado":[],"contrato":"1300001","msg":"Nada a atualizar: desligado na configuração"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := startOzmap(t, c.change, nil)
			status, body := w.ask("atualizacao", c.body)
			require.Equal(t, http.StatusOK, status)
			require.JSONEq(t, c.answers, body)
			require.Equal(t, c.sent, w.bodies("ozmap.ftth_clients.update"))
		})
	}
	t.Run("drops are disconnected", func(t *testing.T) {
		w := startOzmap(t, changes{change("ozmap_desconecta", "false", "true")}, nil)
		status, body := w.ask("cancelamento", `{"contrato":"1300001"}`)
		require.Equal(t, http.StatusOK, status, body)
		require.Contains(t, body, `"desconectado":true`)
		status, body = w.ask("cancelamento", `{"contrato":"123|123","desconecta":false}`)
		require.Equal(t, http.StatusOK, status, body)
		require.Equal(t, []string{`{"observation":"Código: 1300001","connector":null}`, `{"observation":"Código: 123|123"}`}, w.bodies("ozmap.properties.update"))
	})
}

// Links carry neither of the keys, and without the seller's there are none.
func TestOzmapSellersLink(t *testing.T) {
	w := startOzmap(t, nil, nil)
	status, body := w.ask("ozloc", ozlocRequest)
	require.Equal(t, http.StatusOK, status)
	require.Regexp(t, `^\{"link":"https://ozloc\.example/\?authorization=ozmap-session-\d+&lat=-20\.66&lng=-43\.76&cod_cli=5&client_name=ANA%20EXEMPLO&integration_code=cnt"\}$`, body)
	require.Equal(t, []string{`{"apiKey":"` + sandbox.OzlocToken + `"}`}, w.bodies("ozmap.users.login"))

	w = startOzmap(t, nil, map[string]string{"OZLOC_TOKEN": ""})
	status, body = w.ask("ozloc", ozlocRequest)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.JSONEq(t, `{"error":"O link do OZloc não está disponível: a chave do vendedor (OZLOC_TOKEN) não foi configurada, ou o OZmap está fora do ar"}`, body)
	status, _ = w.ask("viabilidade", `{"lat":-20.66,"lng":-43.76}`)
	require.Equal(t, http.StatusOK, status, "nothing else needs it")

	w = startOzmap(t, nil, map[string]string{"OZLOC_TOKEN": "wrong"})
	status, body = w.ask("ozloc", ozlocRequest)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, "o OZmap não aceita a chave do vendedor (OZLOC_TOKEN)")
}

// However an answer is lost, a port is reserved once.
func TestOzmapReservesOnce(t *testing.T) {
	const reservation = `{"contrato":"1300022","nome":"ANA EXEMPLO","caixa":"5f0000030000000000000002","lat":-20.66,"lng":-43.76}`
	for _, c := range []struct {
		name  string
		fault sandbox.Fault
		want  int
	}{
		{"answered", sandbox.Fault{Kind: sandbox.KindLatency, Delay: time.Millisecond}, http.StatusCreated},
		{"cut before it was read", sandbox.Fault{Kind: sandbox.KindCutBeforeRead}, http.StatusBadGateway},
		{"cut after it was done", sandbox.Fault{Kind: sandbox.KindCutAfterRead}, http.StatusBadGateway},
		{"half an answer", sandbox.Fault{Kind: sandbox.KindTruncate}, http.StatusBadGateway},
		{"a page", sandbox.Fault{Kind: sandbox.KindHTML}, http.StatusBadGateway},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := startOzmap(t, nil, nil)
			c.fault.Operation = "ozmap.properties.create"
			w.box.Fault(c.fault)
			for range 3 {
				status, body := w.ask("reserva", reservation)
				require.Equal(t, c.want, status, body)
			}
			require.Len(t, w.bodies("ozmap.properties.create"), 1)
		})
	}
}

// An address is looked up where there is a geocoder, and said not to be where there is none.
func TestOzmapByAddress(t *testing.T) {
	w := startOzmap(t, nil, nil)
	for address, want := range map[string]string{"Rua Exemplo, 5": `"viavel":true`, "Rua Distante, 5": `"viavel":false`, "Rua Nenhuma": "Endereço não localizado"} {
		_, body := w.ask("viabilidade", `{"endereco":"`+address+`"}`)
		require.Contains(t, body, want, address)
	}
	w = startOzmap(t, nil, map[string]string{"GEOCODER_URL": ""})
	status, body := w.ask("viabilidade", `{"endereco":"Rua Exemplo, 5"}`)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.JSONEq(t, `{"error":"Não há como localizar o endereço agora: informe lat e lng"}`, body)
}
