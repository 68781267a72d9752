package routes

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/certtest"
)

// startTLS starts a gateway with a certificate of ca for gateway.example; keys
// are more of its tls.
func startTLS(t *testing.T, ca *certtest.Authority, keys string) (w *world, folder string) {
	config := changed(t, "gateway.yaml", "  mappings: ./mappings\n", "  mappings: ./mappings\n  tls: { certificate: tls.crt, key: tls.key"+keys+" }\n  admin_tls: { certificate: tls.crt, key: tls.key }\n")
	folder = filepath.Dir(config)
	certificate, key := ca.Pair(t, "gateway.example", time.Hour)
	certtest.Write(t, folder, map[string]string{"tls.crt": certificate, "tls.key": key, "ca.crt": ca.PEM})
	return start(t, config), folder
}

// shake connects with TLS.
func (w *world) shake(c *tls.Config) (*tls.Conn, error) {
	d := &net.Dialer{Timeout: 5 * time.Second}
	conn, err := tls.DialWithDialer(d, "tcp", w.addr, c)
	if err == nil {
		w.t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

func trusting(ca *certtest.Authority) *tls.Config {
	return &tls.Config{RootCAs: ca.Pool(), ServerName: "gateway.example"}
}

func TestTLS(t *testing.T) {
	ca := certtest.New(t)
	w, _ := startTLS(t, ca, "")
	c, err := w.shake(trusting(ca))
	require.NoError(t, err)
	for range 2 {
		_, err = io.WriteString(c, request("POST /p/echo", "word=x", form))
		require.NoError(t, err)
		require.Equal(t, `{"word":"x","caller":"kiosk"}`, read(t, c, "POST")[0].body)
	}
	c, err = w.shake(trusting(ca))
	require.NoError(t, err)
	_, err = io.WriteString(c, request("POST /p/echo", "", form, "Content-Length: 65537"))
	require.NoError(t, err)
	require.Equal(t, `{"detail":"too large"}`, read(t, c, "POST")[0].body, "the answer comes before the end")

	old := trusting(ca)
	old.MaxVersion = tls.VersionTLS11
	_, err = w.shake(old)
	require.Error(t, err)
	_, err = w.shake(&tls.Config{ServerName: "gateway.example"})
	require.Error(t, err, "who does not trust the authority")
	before := len(w.log.all(t, "request"))
	ended(t, w.connect("")) // it never shakes hands
	plain := w.connect(request("GET /p/hello", ""))
	require.NoError(t, plain.SetReadDeadline(time.Now().Add(5*time.Second)))
	rest, _ := io.ReadAll(plain)
	require.NotContains(t, string(rest), "HTTP/1.1 200")
	w.holds(2)
	require.Len(t, w.log.all(t, "request"), before, "what is no handshake is no request")
	require.Contains(t, scrape(w), "emenda_tls_handshake_errors_total 4\n")
}

func TestClientCertificates(t *testing.T) {
	ca, other := certtest.New(t), certtest.New(t)
	w, _ := startTLS(t, ca, ", client_ca: ca.crt")
	for name, c := range map[string]struct {
		of   *certtest.Authority
		good time.Duration
		in   bool
	}{
		"of the authority": {ca, time.Hour, true}, "of another": {other, time.Hour, false}, "expired": {ca, -time.Hour, false}, "none": {nil, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := trusting(ca)
			if c.of != nil {
				certificate, key := c.of.Pair(t, "client", c.good)
				pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
				require.NoError(t, err)
				cfg.Certificates = []tls.Certificate{pair}
			}
			conn, err := w.shake(cfg)
			require.NoError(t, err) // in TLS 1.3 the client is done before it is judged
			_, _ = io.WriteString(conn, request("GET /p/hello", ""))
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
			head := make([]byte, 12)
			_, err = io.ReadFull(conn, head)
			require.Equal(t, c.in, err == nil && string(head) == "HTTP/1.1 200", "%s: %v", head, err)
		})
	}
}

// A snapshot brings its certificate: new connections see it, and who asks
// meanwhile, on old and new ones, is served.
func TestNewCertificateUnderTraffic(t *testing.T) {
	ca := certtest.New(t)
	w, folder := startTLS(t, ca, "")
	var served atomic.Int64
	stop := make(chan struct{})
	var asking sync.WaitGroup
	ask := func(c *tls.Conn) bool {
		_, err := io.WriteString(c, request("GET /p/hello", ""))
		if !assertNil(t, err) {
			return false
		}
		served.Add(1)
		return read(t, c)[0].status == 200
	}
	for i := range 4 {
		c, err := w.shake(trusting(ca))
		require.NoError(t, err)
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if i%2 == 0 {
					next, err := tls.Dial("tcp", w.addr, trusting(ca))
					if !assertNil(t, err) {
						return
					}
					c = next
				}
				ok := ask(c)
				if i%2 == 0 {
					_ = c.Close()
				}
				if !ok {
					t.Error("not served")
					return
				}
			}
		})
	}
	serial := func() string {
		c, err := w.shake(trusting(ca))
		require.NoError(t, err)
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	seen := serial()
	for range 5 {
		certificate, key := ca.Pair(t, "gateway.example", time.Hour)
		certtest.Write(t, folder, map[string]string{"tls.crt": certificate, "tls.key": key})
		w.server.Swap(open(t, filepath.Join(folder, "gateway.yaml"), w.shop.URL, w.metrics))
		now := serial()
		require.NotEqual(t, seen, now)
		seen = now
		from := served.Load()
		require.Eventually(t, func() bool { return served.Load() > from+20 }, 10*time.Second, time.Millisecond)
	}
	close(stop)
	asking.Wait()
}

func TestAdminTLS(t *testing.T) {
	ca := certtest.New(t)
	w, _ := startTLS(t, ca, "")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	admin := w.server.AdminServer("")
	ended := make(chan error, 1)
	go func() { ended <- admin.Serve(w.server.AdminListener(ln)) }()
	transport := &http.Transport{TLSClientConfig: trusting(ca)}
	client := http.Client{Transport: transport}
	res, err := client.Get("https://" + ln.Addr().String() + "/healthz")
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "{\"status\":\"ok\"}\n", string(body))
	plain, err := http.Get("http://" + ln.Addr().String() + "/healthz")
	require.NoError(t, err)
	require.Equal(t, 400, plain.StatusCode)
	require.NoError(t, plain.Body.Close())
	pinned := w.server.Snapshot().Settings.AdminTLS.Pinned()
	c, err := tls.Dial("tcp", ln.Addr().String(), pinned)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	other := *w.server.Snapshot().Settings.AdminTLS
	other.Certificate, _ = ca.Pair(t, "gateway.example", time.Hour)
	_, err = tls.Dial("tcp", ln.Addr().String(), other.Pinned())
	require.ErrorContains(t, err, "not the certificate")
	transport.CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
	require.NoError(t, admin.Close())
	require.ErrorIs(t, <-ended, http.ErrServerClosed)
	require.NotContains(t, w.log.text(), "PRIVATE")
}
