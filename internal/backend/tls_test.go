package backend

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/certtest"
	"github.com/emenda-gateway/emenda/internal/config"
)

// A backend is believed whose certificate one of the configured authorities has
// signed for the name in url, or the configured one; it sees our certificate.
func TestTLS(t *testing.T) {
	ours, theirs, other := certtest.New(t), certtest.New(t), certtest.New(t)
	certificate, key := theirs.Pair(t, "erp.example", time.Hour)
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"who":"`+r.TLS.PeerCertificates[0].Subject.CommonName+`"}`)
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.Pool()}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	s.StartTLS()
	defer s.Close()
	shown, shownKey := ours.Pair(t, "emenda", time.Hour)
	foreign, foreignKey := other.Pair(t, "emenda", time.Hour)
	for name, c := range map[string]struct {
		with config.ResolvedTLS
		want string
	}{
		"by address":              {config.ResolvedTLS{CA: theirs.PEM, Certificate: shown, Key: config.NewSecretValue(shownKey)}, `ok 200 {"who":"emenda"}`},
		"by its configured name":  {config.ResolvedTLS{CA: theirs.PEM, Certificate: shown, Key: config.NewSecretValue(shownKey), ServerName: "erp.example"}, `ok 200 {"who":"emenda"}`},
		"of another name":         {config.ResolvedTLS{CA: theirs.PEM, Certificate: shown, Key: config.NewSecretValue(shownKey), ServerName: "crm.example"}, "failed broken"},
		"of another authority":    {config.ResolvedTLS{CA: other.PEM, Certificate: shown, Key: config.NewSecretValue(shownKey)}, "failed broken"},
		"the system's":            {config.ResolvedTLS{Certificate: shown, Key: config.NewSecretValue(shownKey)}, "failed broken"},
		"without our certificate": {config.ResolvedTLS{CA: theirs.PEM}, "failed broken"},
		"ours of another":         {config.ResolvedTLS{CA: theirs.PEM, Certificate: foreign, Key: config.NewSecretValue(foreignKey)}, "failed broken"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := c.with.Client()
			require.NoError(t, err)
			client := client(t, s.URL, func(o *Options) { o.TLS = cfg })
			require.Equal(t, c.want, said(client.Do(context.Background(), call(t, "things.read", "", "x"))))
		})
	}
}
