package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/diag"
)

func environment(vars ...string) config.Environment {
	return func(name string) (string, bool) {
		for i := 0; i < len(vars); i += 2 {
			if vars[i] == name {
				return vars[i+1], true
			}
		}
		return "", false
	}
}

func noFile(string) ([]byte, error) { return nil, errors.New("no such file") }

func shipped(t *testing.T) *config.Config {
	t.Helper()
	data, err := os.ReadFile("../../gateway.yaml")
	require.NoError(t, err)
	c, list := config.Load(diag.NewFile("gateway.yaml", string(data)))
	require.Empty(t, list.Text())
	return c
}

func TestShippedFile(t *testing.T) {
	c := shipped(t)
	var told []string
	for _, m := range c.Unset(environment()) {
		told = append(told, m.Warning().Message)
	}
	require.Equal(t, []string{
		"ERP_URL is not set: serving leaves backend erp out",
		"ERP_PASSWORD is not set: serving leaves backend erp out",
		"ERP_USER is not set: serving leaves backend erp out",
		"GEOCODER_URL is not set: serving leaves backend geocoder out",
		"MVNO_URL is not set: serving leaves backend mvno out",
		"OZMAP_URL is not set: serving leaves backend ozloc out",
		"OZLOC_TOKEN is not set: serving leaves backend ozloc out",
		"OZMAP_URL is not set: serving leaves backend ozmap out",
		"OZMAP_TOKEN is not set: serving leaves backend ozmap out",
		"PARTNER_CALLBACK_URL is not set: serving leaves backend parceiro out",
		"PARTNER_CALLBACK_KEY is not set: serving leaves backend parceiro out",
		"SIGNUPS_CALLBACK_URL is not set: serving leaves backend parceiro_signups out",
		"SIGNUPS_CALLBACK_KEY is not set: serving leaves backend parceiro_signups out",
		"PARTNER_WEB_CALLBACK_URL is not set: serving leaves backend parceiro_web out",
		"PARTNER_WEB_CALLBACK_KEY is not set: serving leaves backend parceiro_web out",
		"SGP_URL is not set: serving leaves backend sgp out",
		"SGP_APP is not set: serving leaves backend sgp out",
		"SGP_TOKEN is not set: serving leaves backend sgp out",
		"APP_PASSWORD is not set: serving leaves caller app out",
		"CRM_KEY is not set: serving leaves caller crm out",
		"INSTALLER_KEY is not set: serving leaves caller instalador out",
		"URA_TOKEN is not set: serving leaves caller ivr out",
		"LOJA_KEY is not set: serving leaves caller loja out",
		"MVNO_KEY is not set: serving leaves caller mvno out",
		"MVNO_KEY is not set: serving leaves caller mvno_erp out",
		"OZMAP_KEY is not set: serving leaves caller ozmap out",
		"OZMAP_FIELD_KEY is not set: serving leaves caller ozmap_campo out",
		"OZMAP_SALES_KEY is not set: serving leaves caller ozmap_vendas out",
		"PARTNER_KEY is not set: serving leaves caller parceiro out",
		"SIGNUPS_KEY is not set: serving leaves caller parceiro_signups out",
		"PARTNER_WEB_KEY is not set: serving leaves caller parceiro_web out",
		"SVA_PASSWORD is not set: serving leaves caller sva out",
	}, told)

	bare, list := c.Resolve(environment(), noFile)
	require.Empty(t, list.Text())
	require.Empty(t, bare.Backends)
	require.Empty(t, bare.Callers)
	require.Equal(t, "127.0.0.1:8080", bare.Listen)
	require.Equal(t, "America/Sao_Paulo", bare.Timezone.String())

	env := environment("ERP_URL", "https://backend.example/base", "ERP_USER", "u", "ERP_PASSWORD_FILE", "/run/p", "GEOCODER_URL", "https://geocoder.example", "MVNO_URL", "https://mvno.example", "MVNO_KEY", "m", "CRM_KEY", "c", "LOJA_KEY", "l", "OZMAP_FIELD_KEY", "f", "OZMAP_URL", "https://ozmap.example/api/v2", "OZMAP_TOKEN", "t", "OZLOC_TOKEN", "t", "OZMAP_KEY", "t", "OZMAP_SALES_KEY", "t", "PARTNER_KEY", "p", "PARTNER_WEB_KEY", "w", "SIGNUPS_KEY", "s", "PARTNER_CALLBACK_URL", "https://partner.example/sales", "PARTNER_CALLBACK_KEY", "k", "PARTNER_WEB_CALLBACK_URL", "https://web.example", "PARTNER_WEB_CALLBACK_KEY", "k", "SIGNUPS_CALLBACK_URL", "https://signups.example", "SIGNUPS_CALLBACK_KEY", "k", "INSTALLER_KEY", "i",
		"SGP_URL", "https://sgp.example", "SGP_APP", "a", "SGP_TOKEN", "t", "URA_TOKEN", "t0", "URA_APP", "", "APP_PASSWORD", "p", "SVA_PASSWORD", "s")
	require.Empty(t, c.Unset(env))
	r, list := c.Resolve(env, func(path string) ([]byte, error) { return []byte(path + "\r\n"), nil })
	require.Empty(t, list.Text())
	require.Equal(t, "/run/p", r.Backends["erp"].SignIn["password"].Reveal())
	require.Equal(t, "3s", r.Backends["erp"].Timeout.String())
	require.Equal(t, 64, r.Backends["erp"].AtMost)
	require.Equal(t, "ura", r.Callers["ivr"].App)
	require.Zero(t, r.Callers["ivr"].Rate)
	limited, list := c.Resolve(environment("URA_TOKEN", "t", "URA_RATE", "600/m"), noFile)
	require.Empty(t, list.Text())
	require.Equal(t, config.Rate{N: 600, Per: time.Minute}, limited.Callers["ivr"].Rate)
	require.Equal(t, []string{"ura.*"}, r.Callers["ivr"].Permissions)
	require.Equal(t, 1<<20, r.Limits.Body)
}

func TestSecretsNeverPrint(t *testing.T) {
	v := config.NewSecretValue("hush")
	all := struct{ V config.SecretValue }{v}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", slog.Any("v", v), slog.Any("all", all))
	text, err := json.Marshal(all)
	require.NoError(t, err)
	out := log.String() + string(text) + fmt.Sprint(all, &all, v) + fmt.Sprintf("%s %v %+v %#v %x %q %d", v, all, all, all, v, v, v)
	require.NotContains(t, out, "hush")
	require.NotContains(t, out, "68757368")
	require.Contains(t, out, "[secret]")
}

func TestLoadTells(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key": {
			"emenda: 1\ngateway:\n  lisen: 127.0.0.1:1\n",
			"g.yaml:3:3: unknown key \"lisen\"\n    3 |   lisen: 127.0.0.1:1\n      |   ^^^^^\n      = did you mean listen? allowed: listen, admin_listen, admin_token, data, mappings, packs, timezone, seal_key, trusted_proxies, tls, admin_tls, proxy_header, compress, docs, traces\n",
		},
		"secret in plain": {
			"emenda: 1\ncallers:\n  a: { dialect: d, token: hush, permissions: [] }\n",
			"g.yaml:3:27: expected a map or a list, this is text\n    3 |   a: { dialect: d, token: hush, permissions: [] }\n      |                           ^^^^\n      = { secret: NAME } takes the environment variable NAME, or the file that NAME_FILE names\n",
		},
		"what cannot stand in braces": {
			"emenda: 1\ngateway:\n  data: x/${input.a}\n",
			"g.yaml:3:11: only environment variables can stand in ${} here\n    3 |   data: x/${input.a}\n      |           ^^^^^^^^^^\n      = gateway.yaml knows only ${env:NAME}, ${env:NAME:-default} and { secret: NAME }\n",
		},
		"a default is checked": {
			"emenda: 1\nbackends:\n  b: { contract: b, url: \"https://u:p@h\", timeout: \"${env:T:-soon}\" }\n",
			"g.yaml:3:26: no user or password can stand in an address\n    3 |   b: { contract: b, url: \"https://u:p@h\", timeout: \"${env:T:-soon}\" }\n      |                          ^^^^^^^^^^^^^^^\n" +
				"g.yaml:3:52: expected a duration such as 200ms, 4s, 2m, 1h or 7d\n    3 |   b: { contract: b, url: \"https://u:p@h\", timeout: \"${env:T:-soon}\" }\n      |                                                    ^^^^^^^^^^^^^^^^\n",
		},
		"proxies": {
			"emenda: 1\ngateway:\n  trusted_proxies: [10.0.0.0/8, \"::1, ten\", \"${env:P:-x}\"]\n  proxy_header: X-Real-IP\n",
			"g.yaml:3:33: expected addresses or networks, as 10.0.0.7 or 10.0.0.0/8\n    3 |   trusted_proxies: [10.0.0.0/8, \"::1, ten\", \"${env:P:-x}\"]\n      |                                 ^^^^^^^^^^\n" +
				"g.yaml:3:45: expected addresses or networks, as 10.0.0.7 or 10.0.0.0/8\n    3 |   trusted_proxies: [10.0.0.0/8, \"::1, ten\", \"${env:P:-x}\"]\n      |                                             ^^^^^^^^^^^^^\n" +
				"g.yaml:4:17: expected X-Forwarded-For or Forwarded\n    4 |   proxy_header: X-Real-IP\n      |                 ^^^^^^^^^\n",
		},
		"rates": {
			"emenda: 1\ncallers:\n  a: { dialect: d, token: { secret: A }, permissions: [], rate: 5/d }\n  b: { dialect: d, token: { secret: A }, permissions: [], rate: 5/m }\n",
			"g.yaml:3:65: expected a rate such as 50/s, 600/m or 1000/h, at most a million\n    3 |   a: { dialect: d, token: { secret: A }, permissions: [], rate: 5/d }\n      |                                                                 ^^^\n",
		},
		"told once": {
			"emenda: 1\nlimits: { body: soon, each: 0 }\n",
			"g.yaml:2:17: \"soon\" is no size\n    2 | limits: { body: soon, each: 0 }\n      |                 ^^^^\n      = write a size such as 512, 64KB or 30MB\n" +
				"g.yaml:2:29: expected a whole number above zero\n    2 | limits: { body: soon, each: 0 }\n      |                             ^\n",
		},
		"memory": {
			"emenda: 1\nmemory:\n  m: { key: integer, count: true, per: day, for: 1h }\n  n: { key: integer }\n",
			"g.yaml:3:35: for and per exclude each other\n    3 |   m: { key: integer, count: true, per: day, for: 1h }\n      |                                   ^^^\n" +
				"g.yaml:4:3: memory \"n\" remembers nothing\n    4 |   n: { key: integer }\n      |   ^\n      = give value: { field: type }, or count: true\n" +
				"g.yaml:4:3: memory \"n\" never forgets\n    4 |   n: { key: integer }\n      |   ^\n      = give for: how long an entry is kept, or per: for a count\n",
		},
		"constants are fixed": {
			"emenda: 1\nconst: { a: \"x${env:B}\" }\n",
			"g.yaml:2:15: constants are fixed: nothing can stand in ${} here\n    2 | const: { a: \"x${env:B}\" }\n      |               ^^^^^^^^\n      = write the value itself\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, list := config.Load(diag.NewFile("g.yaml", c.text))
			require.Equal(t, c.want, list.Text())
		})
	}
}

func TestResolveTells(t *testing.T) {
	c := shipped(t)
	for name, tc := range map[string]struct {
		env  config.Environment
		want string
	}{
		"open admin listener": {environment("EMENDA_ADMIN_LISTEN", "0.0.0.0:1"), "the admin listener is open to other machines and has no token"},
		"bad address":         {environment("ERP_URL", "ftp://x"), "url: expected an address that begins with http:// or https://"},
		"password in address": {environment("ERP_URL", "https://a:b@x"), "url: no user or password can stand in an address"},
		"query in address":    {environment("ERP_URL", "https://x?y"), "url: no query or fragment can stand in an address"},
		"bad proxies":         {environment("EMENDA_TRUSTED_PROXIES", "hush"), "trusted_proxies: expected addresses or networks, as 10.0.0.7 or 10.0.0.0/8"},
		"bad rate":            {environment("URA_RATE", "0/s"), "rate: expected a rate such as 50/s, 600/m or 1000/h, at most a million"},
		"short seal key":      {environment("EMENDA_SEAL_KEY", "hush"), "EMENDA_SEAL_KEY: expected 32 bytes in base64"},
		"no file":             {environment("URA_TOKEN_FILE", "/x"), "the file that URA_TOKEN_FILE names cannot be read: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			r, list := c.Resolve(tc.env, noFile)
			require.Nil(t, r)
			require.Len(t, list, 1)
			require.Equal(t, tc.want, list[0].Message)
			require.NotContains(t, list[0].Message, "hush")
		})
	}
	r, list := c.Resolve(environment("EMENDA_ADMIN_LISTEN", "0.0.0.0:1", "EMENDA_ADMIN_TOKEN", "x"), noFile)
	require.Empty(t, list)
	require.Equal(t, "0.0.0.0:1", r.AdminListen)
}
