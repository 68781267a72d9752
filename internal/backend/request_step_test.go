package backend

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
)

// What a backend without a contract signs in with is a header field of every request.
func TestBareSignIn(t *testing.T) {
	const host = "Host: h:1\r\nUser-Agent: emenda\r\nAccept: application/json, text/plain;q=0.9, */*;q=0.1\r\nAccept-Encoding: identity\r\n"
	for name, c := range map[string]struct {
		signIn map[string]string
		names  []string
		fixed  string
		fault  string
	}{
		"nothing":             {fixed: host},
		"bearer":              {map[string]string{"bearer": "t0k"}, []string{"bearer"}, host + "Authorization: Bearer t0k\r\n", ""},
		"basic":               {map[string]string{"user": "u", "password": "p:w"}, []string{"password", "user"}, host + "Authorization: Basic dTpwOnc=\r\n", ""},
		"a line break":        {map[string]string{"bearer": "t\r\nX: y"}, []string{"bearer"}, "", "bearer of backend files holds a character that no header can carry"},
		"nothing to send":     {map[string]string{}, []string{"bearer"}, "", "sign_in of backend files has no bearer"},
		"a colon in the user": {map[string]string{"user": "u:v", "password": "p"}, []string{"password", "user"}, "", "user of backend files holds a colon, which HTTP Basic cannot carry"},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := New(Options{Contract: contract.Bare("files", c.names), URL: "http://h:1/base", SignIn: c.signIn})
			if c.fault != "" {
				require.EqualError(t, err, c.fault)
				return
			}
			require.NoError(t, err)
			defer client.Close()
			require.Equal(t, c.fixed, client.fixed)
		})
	}
}
