package config_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/diag"
)

// FuzzLoad: whatever the file holds, it is refused with places inside it, or
// resolved without a panic; no message of Resolve shows what a variable holds.
func FuzzLoad(f *testing.F) {
	shipped, err := os.ReadFile("../../gateway.yaml")
	require.NoError(f, err)
	f.Add(string(shipped))
	f.Add("emenda: 1\ngateway: { listen: \"${env:A:-${env:B}}\", timezone: \"${env:HUSHHUSH}\" }\n")
	f.Add("emenda: 1\nbackends: { a: { contract: a, url: \"${env:HUSHHUSH}\", at_most: \"${env:HUSHHUSH:-x}\" } }\n")
	f.Add("emenda: 1\ncallers: { c: { dialect: d, token: [{ secret: HUSHHUSH }, { secret: B }], permissions: [\"*\"] } }\nmemory: { m: { key: integer, count: true, per: month } }\n")
	f.Add("emenda: 2\nlimits: { body: 1XB, each: -1 }\nconst: { a: ${env:A} }\n")
	f.Fuzz(func(t *testing.T, text string) {
		file := diag.NewFile("gateway.yaml", text)
		c, list := config.Load(file)
		for _, d := range list {
			if d.Span.File != nil {
				require.True(t, 0 <= d.Span.Start && d.Span.Start <= d.Span.End && d.Span.End <= len(text), "%s", d.Rule)
			}
		}
		_ = list.Text()
		if c == nil {
			require.True(t, list.HasErrors())
			return
		}
		hush := func(string) (string, bool) { return "\x01hush\x01", true }
		_ = c.Unset(hush)
		_, list = c.Resolve(hush, noFile)
		for _, d := range list {
			require.NotContains(t, d.Message+d.Help, "\x01hush")
		}
	})
}
