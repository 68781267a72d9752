package snapshot

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/certtest"
	"github.com/emenda-gateway/emenda/internal/observe"
)

// The files of TLS are part of the configuration: they are watched, new ones
// are live, those that do not fit are refused and what served goes on.
func TestCertificates(t *testing.T) {
	ca := certtest.New(t)
	dir := folderOf(t)
	certificate, key := ca.Pair(t, "gateway.example", time.Hour)
	certtest.Write(t, dir, map[string]string{"tls.crt": certificate, "tls.key": key, "ca.crt": ca.PEM, "erp.crt": certificate, "erp.key": key})
	r := &running{t: t, dir: dir}
	r.edit("gateway.yaml", "gateway:\n", "gateway:\n  tls: { certificate: tls.crt, key: tls.key }\n")
	r.edit("gateway.yaml", "timeout: 3s\n", "timeout: 3s\n    tls: { ca: ca.crt, certificate: erp.crt, key: erp.key }\n")
	r = &running{t: t, dir: dir, metrics: observe.NewMetrics("test"), env: map[string]string{
		"SHOP_URL": "http://127.0.0.1:1", "SHOP_USER": "u", "SHOP_PASSWORD": "p", "KIOSK_TOKEN_FILE": filepath.Join(dir, "token"),
	}}
	require.Error(t, r.start())
	require.Contains(t, r.problems, "backend shop is reached by http://, which has no use for tls")
	r.env["SHOP_URL"] = "https://127.0.0.1:1"
	require.NoError(t, r.start())
	first := expiry(r, "listener", "listen")
	require.NotEmpty(t, first)
	require.Equal(t, first, expiry(r, "backend", "shop"))
	require.Empty(t, expiry(r, "listener", "admin_listen"))
	served := r.served[0].Settings

	news := func() bool { return r.watcher.news(r.watcher.look()) }
	require.False(t, news())
	later, laterKey := ca.Pair(t, "gateway.example", 2*time.Hour)
	certtest.Write(t, dir, map[string]string{"tls.crt": later})
	require.True(t, news(), "the files are watched")
	result, problems := r.reloaded()
	require.Equal(t, Refused, result)
	require.Contains(t, problems, "gateway.yaml:3:")
	require.Contains(t, problems, "tls.key: private key does not match public key")
	require.Len(t, r.served, 1)
	require.Equal(t, first, expiry(r, "listener", "listen"))
	require.Equal(t, "0", r.metric("emenda_config_last_reload_successful"))
	require.Len(t, r.lines("configuration refused; what served goes on serving"), 1)
	require.Contains(t, r.lines("configuration problem")[len(r.lines("configuration problem"))-1], "tls.key: private key does not match public key")

	certtest.Write(t, dir, map[string]string{"tls.key": laterKey})
	require.True(t, news())
	result, problems = r.reloaded()
	require.Equal(t, Reloaded, result, problems)
	require.Zero(t, r.Report().Tests, "nothing that was tested has changed")
	require.NotEqual(t, first, expiry(r, "listener", "listen"))
	require.Equal(t, first, expiry(r, "backend", "shop"))
	require.Equal(t, later, r.served[1].Settings.TLS.Certificate)
	require.Equal(t, certificate, served.TLS.Certificate)
	require.Equal(t, "1", r.metric("emenda_config_last_reload_successful"))
	result, _ = r.reloaded()
	require.Equal(t, Unchanged, result)

	certtest.Write(t, dir, map[string]string{"ca.crt": certtest.New(t).PEM})
	require.True(t, news())
	result, _ = r.reloaded()
	require.Equal(t, Reloaded, result)
	require.NotEqual(t, ca.PEM, r.served[2].Settings.Backends["shop"].TLS.CA)

	old, oldKey := ca.Pair(t, "gateway.example", -time.Hour)
	certtest.Write(t, dir, map[string]string{"tls.crt": old, "tls.key": oldKey})
	result, problems = r.reloaded()
	require.Equal(t, Reloaded, result, "an expired one is the operator's to mend: it is told")
	require.Contains(t, problems, "warning: tls.certificate: it has expired, on ")

	r.edit("gateway.yaml", "  tls: { certificate: tls.crt, key: tls.key }\n", "")
	result, _ = r.reloaded()
	require.Equal(t, Reloaded, result)
	require.Equal(t, []string{"gateway.tls"}, r.Report().NeedsRestart)
	require.NotContains(t, r.out.String(), "PRIVATE")
}

func expiry(r *running, kind, name string) string {
	return r.metric(fmt.Sprintf("emenda_tls_certificate_not_after_timestamp_seconds{kind=%q,name=%q}", kind, name))
}
