package mappings_test

import (
	"bytes"
	"context"
	"encoding/json"
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
	"github.com/tidwall/sjson"

	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/store"
	"github.com/emenda-gateway/emenda/routes"
)

// saleWorld is the shipped gateway, for sales partners alone: no backend is configured.
type saleWorld struct {
	t     *testing.T
	url   string
	sells bool // what is wrong is sent to be sold as well
}

// startSale starts the gateway, or takes the one at SALE_GATEWAY, which has backends
// and must refuse what is wrong as a sale, too (make show-sale-3).
func startSale(t *testing.T) *saleWorld {
	t.Helper()
	if url := os.Getenv("SALE_GATEWAY"); url != "" {
		return &saleWorld{t, url, true}
	}
	text, err := os.ReadFile("../gateway.yaml")
	require.NoError(t, err)
	here, err := os.Getwd()
	require.NoError(t, err)
	config := string(text)
	const folder = "  mappings: ./mappings\n"
	require.Equal(t, 1, strings.Count(config, folder))
	config = strings.Replace(config, folder, "  mappings: "+here+"\n", 1)
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	loaded, list := snapshot.Load(file)
	require.False(t, list.HasErrors(), list.Text())
	settings, list := loaded.Resolve(func(name string) (string, bool) {
		v, ok := map[string]string{"PARTNER_KEY": "key-of-parceiro", "PARTNER_WEB_KEY": "key-of-parceiro_web"}[name]
		return v, ok
	})
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
		for _, personal := range []string{"35317901K", "611111111", "testtest@email.com", "21000418450200051332", "Alcala", "8934042419120320860", "key-of-parceiro"} {
			require.NotContains(t, lines.String(), personal)
		}
	})
	return &saleWorld{t, "http://" + ln.Addr().String(), false}
}

// wrong is one thing that an answer says is wrong, or warns of.
type wrong struct{ Pointer, Code, Detail string }

func (w wrong) String() string { return w.Code + " " + w.Pointer }

// verdict is what the gateway says of a sale.
type verdict struct {
	Status   int
	Valid    bool
	Detail   string
	Errors   []wrong
	Warnings []wrong
	Sale     json.RawMessage
	text     string
}

func told(all []wrong) []string {
	out := []string{}
	for _, w := range all {
		out = append(out, w.String())
	}
	return out
}

// ask asks whether a sale is right.
func (w *saleWorld) ask(t require.TestingT, caller, language, sale string) verdict {
	v := w.send(t, "/v1/vendas/validar", caller, language, sale)
	require.Equal(t, v.Status == http.StatusOK, v.Valid, "%s", v.text)
	if w.sells && v.Status != http.StatusOK {
		sold := w.send(t, "/v1/vendas", caller, language, sale)
		require.Equal(t, []any{v.Status, v.Detail, v.Errors}, []any{sold.Status, sold.Detail, sold.Errors}, "what is wrong is not refused as a sale")
	}
	return v
}

func (w *saleWorld) send(t require.TestingT, path, caller, language, sale string) verdict {
	r, err := http.NewRequest(http.MethodPost, w.url+path, strings.NewReader(sale))
	require.NoError(t, err)
	r.Header = http.Header{"Authorization": {"Bearer key-of-" + caller}, "Content-Type": {"application/json"}, "Accept-Language": {language}}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	v := verdict{text: string(text)}
	require.NoError(t, json.Unmarshal(text, &v), "%s", text)
	v.Status = res.StatusCode
	if v.Status != http.StatusOK {
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
	}
	require.Equal(t, language, res.Header.Get("Content-Language"))
	return v
}

func readSale(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("sale/testdata/" + name)
	require.NoError(t, err)
	return string(text)
}

// The documents' own example: as it is, it is no JSON; its comma mended, each
// thing that is wrong is told by its place; repaired, it is understood.
func TestSaleOfTheDocument(t *testing.T) {
	w := startSale(t)

	v := w.ask(t, "parceiro", "es", readSale(t, "documento.txt"))
	require.Equal(t, http.StatusBadRequest, v.Status)
	require.Equal(t, "el cuerpo no es JSON válido: línea 53, columna 6", v.Detail)
	require.Empty(t, v.Errors)

	for _, language := range []string{"pt", "es"} {
		var golden []wrong
		require.NoError(t, json.Unmarshal([]byte(readSale(t, "erros/documento_virgula."+language+".json")), &golden))
		v = w.ask(t, "parceiro", language, readSale(t, "documento_virgula.json"))
		require.Equal(t, http.StatusUnprocessableEntity, v.Status)
		require.Equal(t, golden, v.Errors)

		require.NoError(t, json.Unmarshal([]byte(readSale(t, "erros/documento_avisos."+language+".json")), &golden))
		v = w.ask(t, "parceiro", language, readSale(t, "documento_avisos.json"))
		require.Equal(t, http.StatusOK, v.Status, v.text)
		require.Equal(t, golden, v.Warnings)
	}

	v = w.ask(t, "parceiro", "pt", readSale(t, "documento_reparado.json"))
	require.Equal(t, http.StatusOK, v.Status, v.text)
	require.Empty(t, v.Warnings)
	require.JSONEq(t, readSale(t, "documento_reparado_entendido.json"), string(v.Sale))
}

// What is no sale at all is told as whatever else is wrong with one; what is not
// sent as JSON is told in the partner's language, too.
func TestNoSaleAtAll(t *testing.T) {
	w := startSale(t)
	for name, body := range map[string]string{"a list of sales": "[" + readSale(t, "documento_reparado.json") + "]", "null": "null", "a text": `"venda"`, "a number": "1", "yes": "true"} {
		t.Run(name, func(t *testing.T) {
			v := w.ask(t, "parceiro", "es", body)
			require.Equal(t, http.StatusUnprocessableEntity, v.Status)
			require.Equal(t, []wrong{{"#", "type", "body es de otro tipo"}}, v.Errors)
		})
	}
	for name, field := range map[string][2]string{"text": {"Content-Type", "text/plain"}, "form": {"Content-Type", "application/x-www-form-urlencoded"}, "packed": {"Content-Encoding", "gzip"}} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest(http.MethodPost, w.url+"/v1/vendas/validar", strings.NewReader("{}"))
			require.NoError(t, err)
			r.Header = http.Header{"Authorization": {"Bearer key-of-parceiro"}, "Content-Type": {"application/json"}, "Accept-Language": {"es"}}
			r.Header.Set(field[0], field[1])
			res, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			var v verdict
			require.NoError(t, json.NewDecoder(res.Body).Decode(&v))
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusBadRequest, res.StatusCode)
			require.Equal(t, "Content-Type o Content-Encoding que aquí no se lee", v.Detail)
		})
	}
}

// Every shape that the document shows of mobile_lines, and of products inside
// broadband and beside it, is understood as the same sale.
func TestSaleShapes(t *testing.T) {
	w := startSale(t)
	base := readSale(t, "documento_reparado.json")
	const inside, beside = "products.broadband.", "products."
	var parsed struct {
		Products struct {
			Broadband map[string]json.RawMessage
			Lines     json.RawMessage `json:"mobile_lines"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(base), &parsed))
	main := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(string(parsed.Products.Broadband["mobile_lines"])), "["), "]")
	more := string(parsed.Products.Lines)
	want := w.ask(t, "parceiro", "pt", base)
	require.True(t, want.Valid, want.text)

	for name, edits := range map[string][][2]string{
		"one list, inside":            {{inside + "mobile_lines", "[" + main + "," + more + "]"}, {beside + "mobile_lines", ""}},
		"one list, beside":            {{inside + "mobile_lines", ""}, {beside + "mobile_lines", "[" + main + "," + more + "]"}},
		"an object inside and beside": {{inside + "mobile_lines", main}},
		"a list inside and beside":    {{beside + "mobile_lines", "[" + more + "]"}},
		"an empty list beside":        {{inside + "mobile_lines", "[" + main + "," + more + "]"}, {beside + "mobile_lines", "[]"}},
		"landline beside":             {{inside + "landline", ""}, {beside + "landline", string(parsed.Products.Broadband["landline"])}},
		"ftth and television beside":  {{inside + "ftth", ""}, {beside + "ftth", string(parsed.Products.Broadband["ftth"])}, {inside + "tv", ""}, {beside + "tv", string(parsed.Products.Broadband["tv"])}},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.ask(t, "parceiro", "pt", edited(t, base, edits))
			require.True(t, got.Valid, got.text)
			require.JSONEq(t, string(want.Sale), string(got.Sale))
		})
	}
}

// edited gives a sale with values set at paths ("a.0.b"); an empty one is taken away.
func edited(t require.TestingT, sale string, edits [][2]string) string {
	var err error
	for _, e := range edits {
		if e[1] == "" {
			sale, err = sjson.Delete(sale, e[0])
		} else {
			sale, err = sjson.SetRaw(sale, e[0], e[1])
		}
		require.NoError(t, err)
	}
	return sale
}
