package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/certtest"
)

// The check reads the files of TLS: what does not fit is an error at its place,
// an expired certificate a warning.
func TestCheckReadsCertificates(t *testing.T) {
	ca := certtest.New(t)
	certificate, key := ca.Pair(t, "gateway.example", time.Hour)
	old, oldKey := ca.Pair(t, "gateway.example", -time.Hour)
	for name, c := range map[string]struct {
		files  map[string]string
		strict bool
		want   string // "" for good
		code   error
	}{
		"good":            {files: map[string]string{"tls.crt": certificate, "tls.key": key}},
		"missing":         {files: map[string]string{"tls.key": key}, want: ":10:23: tls.certificate: the file cannot be read", code: exitError(exitErrors)},
		"another key":     {files: map[string]string{"tls.crt": certificate, "tls.key": oldKey}, want: ":10:37: tls.key: private key does not match public key", code: exitError(exitErrors)},
		"expired":         {files: map[string]string{"tls.crt": old, "tls.key": oldKey}, want: ":10:23: warning: tls.certificate: it has expired"},
		"expired, strict": {files: map[string]string{"tls.crt": old, "tls.key": oldKey}, strict: true, want: ":10:23: warning: tls.certificate: it has expired", code: exitError(exitWarnings)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			certtest.Write(t, dir, c.files)
			config := filepath.Join(dir, "gateway.yaml")
			shipped, err := os.ReadFile("../../gateway.yaml")
			require.NoError(t, err)
			text := strings.NewReplacer("\ngateway:\n", "\ngateway:\n  tls: { certificate: tls.crt, key: tls.key }\n", "  mappings: ./mappings\n", "").Replace(string(shipped))
			require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
			var out, errs bytes.Buffer
			cmd := &checkCommand{configFlag: configFlag{Config: config}, Format: "text", Strict: c.strict}
			err = cmd.Run(&streams{out: &out, err: &errs, env: func(string) (string, bool) { return "", false }})
			require.Equal(t, c.code, err, out.String())
			require.Contains(t, out.String(), c.want)
			require.NotContains(t, out.String(), "PRIVATE")
		})
	}
}
