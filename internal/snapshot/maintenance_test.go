package snapshot

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/intake"
)

// One saved line takes a backend out of service, and out again: no call is made
// meanwhile, callers hear the sentence, and it is told.
func TestMaintenance(t *testing.T) {
	// By request: a call that a request has given up may still be on its way to
	// the shop when the next request is made.
	var mu sync.Mutex
	calls := map[string]int{}
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		calls[r.Header.Get("X-Request-Id")]++
		mu.Unlock()
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(shop.Close)
	dir := folderOf(t)
	r := begun(t, dir)
	r.env["SHOP_URL"] = shop.URL
	r.edit("mappings/dialects/plain.yaml", "messages:\n", "  unavailable: { status: 503, json: { error: \"${filled(error.message) ?? 'closed'}\", class: \"${error.class ?? ''}\" } }\nmessages:\n")
	token, err := os.ReadFile(filepath.Join(dir, "token"))
	require.NoError(t, err)
	called := func(id string) int {
		mu.Lock()
		defer mu.Unlock()
		return calls[id]
	}
	ask := func(id string) string {
		s := r.served[len(r.served)-1]
		res := s.Exchanger.Serve(context.Background(), s.Set.Routes[0], &intake.Request{
			ID: id, Method: "POST", Path: "/api/reserve", Type: "application/json", Body: `{"id":7}`,
			Header: func(name string) string {
				if name == "Authorization" {
					return "Bearer " + strings.TrimSpace(string(token))
				}
				return ""
			},
		}, nil, nil)
		return string(res.Body)
	}
	reloaded := func() {
		t.Helper()
		result, problems := r.reloaded()
		require.Equal(t, Reloaded, result, problems)
	}
	const gauge = `emenda_maintenance{kind="backend",name="shop"}`
	reloaded()
	ask("before")
	require.Positive(t, called("before"))
	require.Empty(t, r.metric(gauge))

	r.edit("gateway.yaml", "    timeout: 3s\n", "    timeout: 3s\n    maintenance: back at six\n")
	reloaded()
	require.JSONEq(t, `{"error":"back at six","class":"unavailable"}`, ask("sentence"))
	require.Equal(t, "1", r.metric(gauge))
	require.Equal(t, []string{`{"kind":"backend","level":"WARN","name":"shop"}`}, r.lines("under maintenance"))

	r.edit("gateway.yaml", "maintenance: back at six\n", "maintenance: true\n")
	reloaded()
	require.JSONEq(t, `{"error":"closed","class":"unavailable"}`, ask("closed"))
	require.Zero(t, called("sentence")+called("closed"))

	r.edit("gateway.yaml", "    maintenance: true\n", "    maintenance: off\n")
	reloaded()
	ask("after")
	require.Positive(t, called("after"))
	require.Empty(t, r.metric(gauge))

	r.edit("gateway.yaml", "memory:\n", "maintenance: { plain: true }\nmemory:\n")
	reloaded()
	require.Equal(t, map[string]config.Maintenance{"plain": {On: true}}, r.served[len(r.served)-1].Settings.Maintenance)
	require.Equal(t, "1", r.metric(`emenda_maintenance{kind="dialect",name="plain"}`))

	r.edit("gateway.yaml", "maintenance: { plain: true }\n", "maintenance: { plane: true }\n")
	result, problems := r.reloaded()
	require.Equal(t, Refused, result)
	require.Equal(t, "gateway.yaml:19:16: there is no dialect \"plane\"\n   19 | maintenance: { plane: true }\n      |                ^^^^^\n      = known: plain\n", problems)
}
