package snapshot

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/store"
)

const tokenlessWorld = `
-- gateway.yaml --
emenda: 1
gateway: { mappings: mappings }
backends:
  lines:
    contract: lines
    url: "http://127.0.0.1:1"
    sign_in: { first: { secret: LINES_TOKEN, optional: true }, user: { secret: LINES_USER, optional: true }, password: { secret: LINES_PASSWORD, optional: true } }
callers:
  reader: { dialect: plain, token: { secret: READER_TOKEN }, permissions: ["plain.*"] }
-- mappings/plain.yaml --
emenda: 1
dialect: plain
prefixes: [/plain]
methods: [POST]
read: [json]
sign_in: [{ header: { token: Authorization, scheme: Bearer } }]
errors:
  not_signed_in: { status: 401, json: { error: sign in } }
  bad_input: { status: 400, json: { error: bad } }
  refused: { status: 422, json: { error: refused } }
  failed: { status: 502, json: { error: failed } }
-- mappings/ask.yaml --
emenda: 1
route: { path: ask, dialect: plain }
steps: { said: { call: lines.ask } }
reply: [{ json: { said: "${said}" } }]
-- mappings/contracts/lines.yaml --
openapi: 3.1.0
x-emenda: 1
info: { title: Lines, version: "1" }
x-emenda-sign-in: { token: { header: Token, first: first, obtain: enter, with: { user: "${user}", password: "${password}" }, value: "${answer.token}" } }
paths:
  /enter:
    post:
      operationId: enter
      x-emenda-changes: false
      requestBody: { content: { application/json: { schema: { type: object } } } }
      responses: { "200": { description: a, content: { application/json: { schema: { type: object, required: [token], properties: { token: { type: string } } } } } } }
  /ask:
    get:
      operationId: ask
      x-emenda-changes: false
      x-emenda-token: true
      responses: { "200": { description: a, content: { application/json: { schema: { type: object } } } } }
`

// TestTokenless: of several secrets that may bring a token one way is enough;
// a backend that has none is left out, and says so.
func TestTokenless(t *testing.T) {
	const words = "of LINES_TOKEN, LINES_USER, LINES_PASSWORD nothing is set that would bring a token"
	for name, c := range map[string]struct {
		env  map[string]string
		good bool
	}{
		"nothing":                       {nil, false},
		"a user and no password":        {map[string]string{"LINES_USER": "u"}, false},
		"a first token":                 {map[string]string{"LINES_TOKEN": "t"}, true},
		"a user and a password":         {map[string]string{"LINES_USER": "u", "LINES_PASSWORD": "p"}, true},
		"everything":                    {map[string]string{"LINES_TOKEN": "t", "LINES_USER": "u", "LINES_PASSWORD": "p"}, true},
		"a token that is the empty one": {map[string]string{"LINES_TOKEN": ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files := map[string]string{}
			for _, f := range txtar.Parse([]byte(tokenlessWorld)).Files {
				files[f.Name] = string(f.Data)
			}
			put(t, dir, files)
			env := func(name string) (string, bool) {
				if name == "READER_TOKEN" {
					return "r", true
				}
				v, ok := c.env[name]
				return v, ok
			}
			l, list := Load(filepath.Join(dir, "gateway.yaml"))
			require.False(t, list.HasErrors(), list.Text())
			warned := l.Missing(env)
			settings, list := l.Resolve(env)
			require.Empty(t, list, list.Text())
			s, err := l.Open(settings, store.NewLocal(10), nil, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			t.Cleanup(s.Close)
			_, out := s.Unavailable("lines")
			require.Equal(t, !c.good, out)
			if c.good {
				require.Empty(t, warned, warned.Text())
				require.Empty(t, s.LeftOut)
				return
			}
			require.Contains(t, warned.Text(), "gateway.yaml:7:5: warning: "+words+": serving leaves backend lines out")
			require.Equal(t, []LeftOut{{Kind: "backend", Name: "lines", Why: words}}, s.LeftOut)
		})
	}
}
