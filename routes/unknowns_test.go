package routes

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/redistest"
	"github.com/emenda-gateway/emenda/internal/seal"
	"github.com/emenda-gateway/emenda/internal/store"
)

func TestUnknownsAndDone(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	admin := w.server.Admin("")
	code, body := get(admin, "/-/unknowns", "")
	require.Equal(t, 200, code)
	require.JSONEq(t, `{"unknowns":[]}`, body)

	kept := w.server.Snapshot().Kept
	at := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	turn, _, _, err := kept.Begin(context.Background(), nil, store.About{Route: "plain/x", Caller: "kiosk", RequestID: "r1", Key: []byte("7")}, at)
	require.NoError(t, err)
	a := &flow.Admission{Step: "s", Target: "shop.x", Now: at}
	require.Equal(t, flow.Admitted, turn.Admit(context.Background(), a))
	turn.Settled(a, contract.Unknown)

	_, body = get(admin, "/-/unknowns", "")
	var list Unknowns
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	require.Len(t, list.Unknowns, 1)
	id := list.Unknowns[0].ID
	require.JSONEq(t, `{"unknowns":[{"id":"`+id+`","sent_at":"2026-03-05T12:00:00Z","why":"answer_lost","operation":"shop.x","route":"plain/x","step":"s","key":"7","caller":"kiosk","request_id":"r1"}]}`, body)

	for _, want := range []int{204, 404} {
		rec := httptest.NewRecorder()
		admin.ServeHTTP(rec, httptest.NewRequest("DELETE", "/-/unknowns/"+id, nil))
		require.Equal(t, want, rec.Code)
	}
	_, body = get(admin, "/-/unknowns", "")
	require.JSONEq(t, `{"unknowns":[]}`, body)
}

// A replica whose store is lost reads on: it stays in service, and says what it lacks.
func TestStoreLost(t *testing.T) {
	redis := redistest.Start(t)
	kept, err := store.New(store.Options{Limit: 10, Keys: seal.Keys{seal.RandomKey()}, Redis: redis.URL()})
	require.NoError(t, err)
	defer func() { require.NoError(t, kept.Close()) }()
	w := start(t, "testdata/gateway.yaml")
	w.server.Snapshot().Kept = kept
	admin := w.server.Admin("sesame")
	status := func(authorization string) string {
		code, body := get(admin, "/readyz", authorization)
		require.Equal(t, 200, code)
		var h health
		require.NoError(t, json.Unmarshal([]byte(body), &h))
		if authorization == "" {
			require.Nil(t, h.Store)
			return h.Status
		}
		require.Equal(t, "redis", h.Store.Kind)
		require.Equal(t, h.Status == "ready", h.Store.Up)
		return h.Status
	}
	require.Equal(t, "ready", status("Bearer sesame"))
	redis.Kill()
	require.Eventually(t, func() bool { return status("") == "degraded" }, 5*time.Second, 20*time.Millisecond)
	require.Equal(t, "degraded", status("Bearer sesame"))
	code, body := get(admin, "/-/unknowns", "Bearer sesame")
	require.Equal(t, 503, code)
	require.JSONEq(t, `{"status":"the store cannot be reached"}`, body)
	redis.Run()
	require.Eventually(t, func() bool { return status("Bearer sesame") == "ready" }, 5*time.Second, 20*time.Millisecond)
}
