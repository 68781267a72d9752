package routes

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/openapi"
)

// told is an answer without its body.
type told struct {
	StatusCode int
	Header     http.Header
}

func TestDocs(t *testing.T) {
	w := start(t, changed(t, "gateway.yaml", "gateway:\n", "gateway:\n  docs: true\n"))
	ask := func(method, path string, header ...string) (told, []byte) {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+w.addr+path, nil)
		require.NoError(t, err)
		r.Header.Set("Accept-Encoding", "identity")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return told{res.StatusCode, res.Header}, body
	}

	for _, path := range []string{"/docs", "/docs/"} {
		res, body := ask(http.MethodGet, path)
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.Equal(t, "text/html; charset=utf-8", res.Header.Get("Content-Type"))
		require.Equal(t, openapi.PagePolicy, res.Header.Get("Content-Security-Policy"))
		require.NotContains(t, string(body), "http", "everything is asked of the gateway")
	}
	for _, f := range openapi.PageFiles() {
		res, body := ask(http.MethodGet, f.Path)
		require.Equal(t, http.StatusOK, res.StatusCode, f.Path)
		require.Equal(t, f.Plain(), body)
		res, _ = ask(http.MethodGet, f.Path, "If-None-Match", res.Header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, res.StatusCode)
		res, body = ask(http.MethodHead, f.Path)
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.Empty(t, body)
	}

	want := w.server.Snapshot().OpenAPI("", nil).JSON()
	res, body := ask(http.MethodGet, "/docs/openapi.json")
	require.Equal(t, "application/json", res.Header.Get("Content-Type"))
	require.Equal(t, string(want), string(body))
	var doc struct{ Paths map[string]any }
	require.NoError(t, json.Unmarshal(body, &doc))
	require.NotEmpty(t, doc.Paths)

	r, err := http.NewRequest(http.MethodGet, "http://"+w.addr+"/docs/openapi.json", nil)
	require.NoError(t, err)
	r.Header.Set("Accept-Encoding", "gzip")
	gz, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	require.Equal(t, "gzip", gz.Header.Get("Content-Encoding"))
	zip, err := gzip.NewReader(gz.Body)
	require.NoError(t, err)
	body, err = io.ReadAll(zip)
	require.NoError(t, err)
	require.NoError(t, gz.Body.Close())
	require.Equal(t, string(want), string(body))

	res, _ = ask(http.MethodPost, "/docs")
	require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
	res, _ = ask(http.MethodGet, "/docs/nothing")
	require.Equal(t, http.StatusNotFound, res.StatusCode)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// Without the setting nothing is there, as in production.
func TestDocsAreOff(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	for _, path := range []string{"/docs", "/docs/openapi.json"} {
		res, err := http.Get("http://" + w.addr + path)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusNotFound, res.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
}
