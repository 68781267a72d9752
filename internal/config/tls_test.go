package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/certtest"
	"github.com/emenda-gateway/emenda/internal/diag"
)

func TestTLSFiles(t *testing.T) {
	dir := t.TempDir()
	ca := certtest.New(t)
	certificate, key := ca.Pair(t, "gateway.example", time.Hour)
	_, other := ca.Pair(t, "gateway.example", time.Hour)
	old, oldKey := ca.Pair(t, "gateway.example", -time.Hour)
	certtest.Write(t, dir, map[string]string{
		"good.crt": certificate, "good.key": key, "other.key": other, "old.crt": old, "old.key": oldKey, "ca.crt": ca.PEM,
		"empty": " \n", "text": "hello\n", "chain.crt": certificate + ca.PEM,
		"broken.crt": "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
	})
	const missing = "open DIR/none: no such file or directory"
	day := time.Now().Add(-time.Hour).UTC().Format(time.DateOnly)
	for name, c := range map[string]struct {
		listener, backend string
		url               string
		env               map[string]string
		want              string
	}{
		"good":             {listener: "certificate: good.crt, key: good.key"},
		"a chain":          {listener: "certificate: chain.crt, key: good.key, client_ca: ca.crt"},
		"absolute":         {listener: "certificate: " + dir + "/good.crt, key: " + dir + "/good.key"},
		"none":             {listener: `certificate: "${env:CRT:-}", key: "${env:KEY:-}"`},
		"from outside":     {listener: `certificate: "${env:CRT:-}", key: "${env:KEY:-}"`, env: map[string]string{"CRT": "good.crt", "KEY": "good.key"}},
		"half":             {listener: `certificate: good.crt, key: "${env:KEY:-}"`, want: "3:3: tls: a certificate and its key belong together"},
		"missing":          {listener: "certificate: none, key: good.key", want: "3:23: tls.certificate: the file cannot be read: " + missing},
		"both missing":     {listener: "certificate: none, key: none", want: "3:23: tls.certificate: the file cannot be read: " + missing + "\n3:34: tls.key: the file cannot be read: " + missing},
		"empty":            {listener: "certificate: good.crt, key: empty", want: "3:38: tls.key: the file is empty"},
		"no certificate":   {listener: "certificate: text, key: good.key", want: "3:23: tls.certificate: there is no certificate in the file"},
		"a key for it":     {listener: "certificate: good.key, key: good.key", want: "3:23: tls.certificate: there is no certificate in the file"},
		"broken":           {listener: "certificate: broken.crt, key: good.key", want: "3:23: tls.certificate: there is one in the file that cannot be read"},
		"no key":           {listener: "certificate: good.crt, key: text", want: "3:38: tls.key: failed to find any PEM data in key input"},
		"another key":      {listener: "certificate: good.crt, key: other.key", want: "3:38: tls.key: private key does not match public key"},
		"expired":          {listener: "certificate: old.crt, key: old.key", want: "3:23: warning: tls.certificate: it has expired, on " + day},
		"no authority":     {listener: "certificate: good.crt, key: good.key, client_ca: text", want: "3:59: tls.client_ca: there is no certificate in the file"},
		"backend":          {backend: "ca: ca.crt, certificate: good.crt, key: good.key, server_name: erp.example"},
		"backend, its own": {backend: "ca: ca.crt"},
		"backend, missing": {backend: "ca: none", want: "7:16: tls.ca: the file cannot be read: " + missing},
		"backend, half":    {backend: "certificate: good.crt", want: "7:5: tls: a certificate and its key belong together"},
		"backend, plain":   {backend: "ca: ca.crt", url: "http://erp.example", want: "7:5: backend erp is reached by http://, which has no use for tls"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "emenda: 1\ngateway:\n  tls: { " + c.listener + " }\nbackends:\n  erp:\n    url: " + c.url + "\n    tls: { " + c.backend + " }\n"
			if c.url == "" {
				text = strings.Replace(text, "    url: \n", "    url: https://erp.example\n", 1)
			}
			if c.listener == "" {
				text = strings.Replace(text, "  tls: {  }", "  data: ./data", 1)
			}
			if c.backend == "" {
				text = strings.Replace(text, "    tls: {  }\n", "", 1)
			}
			file := filepath.Join(dir, "gateway.yaml")
			cfg, list := Load(diag.NewFile(filepath.ToSlash(file), text))
			require.Empty(t, list, list.Text())
			env := func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }
			var said []string
			for _, d := range cfg.CheckTLS(env, os.ReadFile) {
				line, _, _ := strings.Cut(d.String(), "\n")
				said = append(said, strings.TrimPrefix(line, filepath.ToSlash(file)+":"))
			}
			require.Equal(t, strings.ReplaceAll(c.want, "DIR", dir), strings.Join(said, "\n"))
			resolved, list := cfg.Resolve(env, os.ReadFile)
			require.Equal(t, c.want != "" && !strings.Contains(c.want, "warning"), resolved == nil, list.Text())
			if resolved == nil {
				return
			}
			if resolved.TLS != nil {
				require.WithinDuration(t, time.Now().Add(time.Hour), resolved.TLS.NotAfter(), 2*time.Hour+time.Minute)
				_, err := resolved.TLS.Listener()
				require.NoError(t, err)
			}
			require.Equal(t, c.listener == "" || name == "none", resolved.TLS == nil)
			require.Equal(t, c.backend == "", resolved.Backends["erp"].TLS == nil)
			require.NotContains(t, list.Text(), "PRIVATE")
		})
	}
}
