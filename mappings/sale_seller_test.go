package mappings_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/durable"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/routes"
	"github.com/emenda-gateway/emenda/sandbox"
)

// sellerWorld is a gateway that sells, at the log level that says most.
type sellerWorld struct {
	t      *testing.T
	url    string
	admin  http.Handler
	box    *sandbox.Sandbox
	orders *durable.Orders
	data   string
	lines  sellerLines
	web    webPartner
}

// sellerLines collects the log lines of several goroutines.
type sellerLines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *sellerLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *sellerLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// webPartner is the partner that sells in the web: it keeps what it hears.
type webPartner struct {
	mu    sync.Mutex
	heard []string // id, status, and whether it was signed with its own key
}

func (p *webPartner) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	mac := hmac.New(sha256.New, []byte(webPartnerKey))
	_, _ = fmt.Fprintf(mac, "%s.%s", r.Header.Get("X-Emenda-Timestamp"), body)
	signed := hmac.Equal([]byte(r.Header.Get("X-Emenda-Signature")), fmt.Appendf(nil, "sha256=%x", mac.Sum(nil)))
	var said struct{ ID, Status string }
	_ = json.Unmarshal(body, &said)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, fmt.Sprint(said.ID, " ", said.Status, " ", signed))
}

func (p *webPartner) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.heard)
}

const webPartnerKey = "what-the-web-partner-signs-with"

func startSales(t *testing.T, database string) *sellerWorld {
	t.Helper()
	box, err := sandbox.Start(sandbox.Options{MVNO: sandbox.MVNOOptions{PortStep: time.Millisecond}})
	require.NoError(t, err)
	text, err := os.ReadFile("../gateway.yaml")
	require.NoError(t, err)
	here, err := os.Getwd()
	require.NoError(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, "gateway.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), "  mappings: ./mappings\n", "  mappings: "+here+"\n", 1)), 0o600))
	w := &sellerWorld{t: t, box: box, data: filepath.Join(dir, "data")}
	web := httptest.NewServer(&w.web)
	env := map[string]string{
		"EMENDA_DATA": w.data, "EMENDA_SEAL_KEY": base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)), "DATABASE_URL": database,
		"ERP_URL": box.URL(), "ERP_USER": sandbox.DefaultUser, "ERP_PASSWORD": sandbox.DefaultPassword,
		"OZMAP_URL": box.URL() + sandbox.OzmapPath, "OZMAP_TOKEN": sandbox.OzmapToken, "GEOCODER_URL": box.URL() + sandbox.GeocoderPath,
		"MVNO_URL": box.URL() + sandbox.MVNOPath, "MVNO_TOKEN": sandbox.MVNOToken, "PARTNER_KEY": "key-of-the-partner", "INSTALLER_KEY": "key-of-the-installer",
		"PARTNER_CALLBACK_URL": box.URL() + sandbox.PartnerPath, "PARTNER_CALLBACK_KEY": sandbox.PartnerKey,
		"PARTNER_WEB_KEY": "key-of-the-web-partner", "PARTNER_WEB_CALLBACK_URL": web.URL, "PARTNER_WEB_CALLBACK_KEY": webPartnerKey,
	}
	reloader, problems, err := snapshot.Begin(file, func(name string) (string, bool) { v, ok := env[name]; return v, ok && v != "" })
	require.NoError(t, err, problems.Text())
	log := slog.New(slog.NewJSONHandler(&w.lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	metrics := observe.NewMetrics("test")
	kept, err := reloader.OpenStore(metrics, log)
	require.NoError(t, err)
	w.orders = durable.New(durable.Options{Keys: kept.Keys(), Log: log})
	snap, err := reloader.Open(kept, w.orders, metrics, log)
	require.NoError(t, err)
	server := routes.NewServer(snap, metrics, log)
	server.OrdersWith(w.orders)
	metrics.Ask(w.orders.Samples)
	reloader.Serve(server.Swap)
	w.orders.Serve(server.Hold)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w.url, w.admin = "http://"+ln.Addr().String(), server.Admin("")
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, w.orders.Close(ctx))
		require.NoError(t, server.Shutdown(ctx))
		require.NoError(t, <-ended)
		require.NoError(t, kept.Close())
		require.NoError(t, box.Close(ctx))
		web.Close()
	})
	return w
}
