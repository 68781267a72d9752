package routes

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is exposed is reached by the backend's own paths, literal ones before
// parameters, GET by HEAD too; what takes files may be larger than the limits say.
func TestOffered(t *testing.T) {
	desk := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("desk:"+kioskToken))
	ask := func(line, body string, header ...string) string {
		h := line + " HTTP/1.1\r\nHost: gateway\r\n" + desk + "\r\n" + strings.Join(append(header, ""), "\r\n")
		if body != "" {
			h += fmt.Sprintf("Content-Length: %d\r\n", len(body))
		}
		return h + "\r\n" + body
	}
	file := `[{"data":"` + strings.Repeat("QUJD", 33_000) + `"}]` // twice the limit of bodies
	for name, c := range map[string]struct {
		send   string
		status int
		body   string
		calls  bool
	}{
		"a file":                  {ask("POST /desk/files", file), 200, file, true},
		"a file, asked first":     {ask("POST /desk/files", file, "Expect: 100-continue"), 200, file, true},
		"a file by its number":    {ask("PUT /desk/files/5", file[1:len(file)-1]), 200, file[1 : len(file)-1], true},
		"a file too large":        {ask("POST /desk/files", strings.Replace(file, "QUJD", strings.Repeat("QUJD", 2000), 1)), 400, `{"error":"[0].data is too long"}`, false},
		"no file, as large":       {ask("POST /plain/echo", file), 413, "", false},
		"by a number":             {ask("POST /desk/files/5", ""), 405, "", false},
		"not a number":            {ask("GET /desk/files/x", ""), 400, `{"error":"id is of the wrong type"}`, false},
		"the newest is no number": {ask("GET /desk/files/newest", ""), 200, "", true}, // the shop answers nothing
		"nobody":                  {"GET /desk/files/5 HTTP/1.1\r\nHost: h\r\n\r\n", 401, `{"error":"sign in first"}`, false},
		"no such path":            {ask("GET /desk/file", ""), 404, "", false},
		"more than all files":     {ask("POST /desk/files", strings.Repeat(" ", 2<<20)), 413, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, "testdata/gateway.yaml")
			methods := []string{"GET"}
			if strings.Contains(c.send, "Expect:") {
				methods = []string{"HEAD", "GET"} // the interim answer has no body
			}
			all := w.raw(c.send, methods...)
			got := all[len(all)-1]
			require.Equal(t, c.status, got.status, got.body)
			if c.body != "" {
				require.Equal(t, c.body, got.body)
			}
			if c.status == 401 {
				require.Equal(t, `Basic realm="desk"`, got.header.Get("WWW-Authenticate"))
			}
			w.stop()
			line := w.log.all(t, "request")
			require.Len(t, line, 1)
			if c.calls {
				require.InDelta(t, 1, line[0]["backend_calls"], 0)
			} else {
				require.InDelta(t, 0, line[0]["backend_calls"], 0)
			}
		})
	}
	w := start(t, "testdata/gateway.yaml")
	got := w.raw(ask("HEAD /desk/files/5", ""), "HEAD")[0]
	require.NotEqual(t, 405, got.status)
	require.Empty(t, got.body)
}
