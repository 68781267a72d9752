package backend

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The names are those of what goes over the wire, less the connection's own.
func TestHeaderNamesAreThoseSent(t *testing.T) {
	s := serve(t, func(_ int, r seen) reply {
		if strings.Contains(r.line, "/token/") {
			return reply{text: jsonAnswer(200, `{"token":"abc"}`)}
		}
		return reply{text: jsonAnswer(200, `{}`)}
	})
	c := client(t, s.url())
	connection := []string{"Accept", "Accept-Encoding", "Connection", "Content-Length", "Host", "User-Agent"}
	for id, body := range map[string]string{"things.read": "", "things.change": `{"name":"x"}`, "things.secure": "", "things.secure.change": ""} {
		params := make([]string, len(things().Operations[id].Params))
		for i := range params {
			params[i] = "1"
		}
		x := call(t, id, body, params...)
		c.Do(context.Background(), x).Release()
		all := s.requests()
		var sent []string
		for name := range all[len(all)-1].header {
			if !slices.Contains(connection, name) {
				sent = append(sent, name)
			}
		}
		var names []string
		for _, name := range HeaderNames(things(), x) {
			names = append(names, http.CanonicalHeaderKey(name))
		}
		require.ElementsMatch(t, sent, names, id)
	}
}
