package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/diag"
)

func bare(signIn string) string {
	return "emenda: 1\nbackends:\n  b:\n    url: http://127.0.0.1:1\n    sign_in: " + signIn + "\n"
}

func TestBareBackends(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":           {"emenda: 1\nbackends:\n  b: { url: \"http://127.0.0.1:1\" }\n", ""},
		"user and password": {bare("{ user: { secret: U }, password: { secret: P } }"), ""},
		"bearer":            {bare("{ bearer: { secret: B } }"), ""},
		"unknown": {
			bare("{ user: { secret: U }, pasword: { secret: P }, zeta: { secret: Z } }"),
			"g.yaml:5:16: user stands in sign_in without password\n    5 |     sign_in: { user: { secret: U }, pasword: { secret: P }, zeta: { secret: Z } }\n      |                ^^^^\n      = write password: { secret: NAME }\n" +
				"g.yaml:5:37: backend b has no contract that would know \"pasword\" in sign_in\n    5 |     sign_in: { user: { secret: U }, pasword: { secret: P }, zeta: { secret: Z } }\n      |                                     ^^^^^^^\n      = did you mean password?\n" +
				"g.yaml:5:61: backend b has no contract that would know \"zeta\" in sign_in\n    5 |     sign_in: { user: { secret: U }, pasword: { secret: P }, zeta: { secret: Z } }\n      |                                                             ^^^^\n      = known: user, password, bearer\n",
		},
		"password alone": {
			bare("{ password: { secret: P } }"),
			"g.yaml:5:16: password stands in sign_in without user\n    5 |     sign_in: { password: { secret: P } }\n      |                ^^^^^^^^\n      = write user: { secret: NAME }\n",
		},
		"both ways": {
			bare("{ user: { secret: U }, password: { secret: P }, bearer: { secret: B } }"),
			"g.yaml:5:62: bearer excludes user and password: both make the header Authorization\n    5 |     sign_in: { user: { secret: U }, password: { secret: P }, bearer: { secret: B } }\n      |                                                              ^^^^^^\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, list := config.Load(diag.NewFile("g.yaml", c.text))
			require.Equal(t, c.want, list.Text())
			require.True(t, cfg.Backends["b"].Bare)
		})
	}
	cfg, _ := config.Load(diag.NewFile("g.yaml", "emenda: 1\nbackends:\n  b: { contract: b, url: \"http://127.0.0.1:1\" }\n  c: { contract: [b], url: \"http://127.0.0.1:1\" }\n"))
	require.False(t, cfg.Backends["b"].Bare)
	require.False(t, cfg.Backends["c"].Bare, "what cannot be read is no backend without contract")
}
