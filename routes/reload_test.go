package routes

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// said reports what it is given.
type said struct {
	report   snapshot.Report
	triggers []string
}

func (s *said) Report() *snapshot.Report { return &s.report }

func (s *said) Reload(trigger string) snapshot.Report {
	s.triggers = append(s.triggers, trigger)
	return s.report
}

func TestReloadAnswers(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	at := time.Date(2026, 3, 5, 12, 0, 0, 0, time.FixedZone("x", -3*3600))
	hash := w.server.Snapshot().Hash
	rest := `"store":{"kind":"file","up":true},"left_out":[{"kind":"backend","name":"absent","why":"ABSENT_URL is not set"}]`
	var problems diag.List
	problems.Errorf(diag.Span{File: diag.NewFile("a.yaml", "x\n<y>"), Start: 2, End: 3}, "rule", "wrong").Help = "right"
	problem := `{"severity":"error","rule":"rule","file":"a.yaml","line":2,"column":1,"end_line":2,"end_column":2,"message":"wrong","help":"right"}`
	for name, c := range map[string]struct {
		report        snapshot.Report
		status        int
		answer, ready string
	}{
		"reloaded": {
			snapshot.Report{Result: snapshot.Reloaded, Trigger: "request", At: at, Configuration: "abc", Tests: 3, NeedsRestart: []string{"gateway.listen"}},
			200, `{"status":"reloaded","configuration":"abc","at":"2026-03-05T15:00:00Z","trigger":"request","tests":3,"needs_restart":["gateway.listen"],"problems":[]}`,
			`"needs_restart":["gateway.listen"],`,
		},
		"unchanged": {
			snapshot.Report{Result: snapshot.Unchanged, Trigger: "request", At: at, Configuration: "abc"},
			200, `{"status":"unchanged","configuration":"abc","at":"2026-03-05T15:00:00Z","trigger":"request","tests":0,"needs_restart":[],"problems":[]}`, "",
		},
		"refused": {
			snapshot.Report{Result: snapshot.Refused, Trigger: "request", At: at, Configuration: "abc", Problems: problems},
			422, `{"status":"refused","configuration":"abc","at":"2026-03-05T15:00:00Z","trigger":"request","tests":0,"needs_restart":[],"problems":[` + problem + `]}`,
			`"last_reload":{"result":"refused","at":"2026-03-05T15:00:00Z","problems":1},`,
		},
		"the last good one serves": {
			snapshot.Report{Result: snapshot.Refused, Trigger: "start", At: at, Configuration: "abc", Problems: problems, LastGood: at.Add(-time.Hour).UTC()},
			422, `{"status":"refused","configuration":"abc","serving":"last_good","last_good_of":"2026-03-05T14:00:00Z","at":"2026-03-05T15:00:00Z","trigger":"start","tests":0,"needs_restart":[],"problems":[` + problem + `]}`,
			`"serving":"last_good","last_reload":{"result":"refused","at":"2026-03-05T15:00:00Z","problems":1},`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &said{report: c.report}
			w.server.ReloadWith(s)
			admin := w.server.Admin("sesame")
			ask := func(method, authorization string) *httptest.ResponseRecorder {
				r := httptest.NewRequest(method, "/-/reload", nil)
				r.Header.Set("Authorization", authorization)
				rec := httptest.NewRecorder()
				admin.ServeHTTP(rec, r)
				return rec
			}
			require.Equal(t, 401, ask(http.MethodPost, "Bearer other").Code)
			require.Equal(t, 401, ask(http.MethodPut, "").Code)
			require.Equal(t, 401, ask(http.MethodGet, "").Code)
			require.Empty(t, s.triggers)
			for _, method := range []string{http.MethodPost, http.MethodPut} {
				rec := ask(method, "Bearer sesame")
				require.Equal(t, c.status, rec.Code)
				require.JSONEq(t, c.answer, rec.Body.String())
			}
			require.Equal(t, []string{"request", "request"}, s.triggers)
			rec := ask(http.MethodGet, "Bearer sesame")
			require.Equal(t, 200, rec.Code)
			require.JSONEq(t, c.answer, rec.Body.String())
			require.Len(t, s.triggers, 2, "asking how it went reloads nothing")
			require.Equal(t, 405, ask(http.MethodDelete, "Bearer sesame").Code)

			code, body := get(admin, "/readyz", "Bearer sesame")
			require.Equal(t, 200, code, "what serves is good")
			require.JSONEq(t, `{"status":"ready","configuration":"`+hash+`",`+c.ready+rest+`}`, body)
			_, body = get(admin, "/readyz", "")
			require.JSONEq(t, `{"status":"ready"}`, body)
		})
	}
}

// A server without somebody who reloads has nothing to answer for it.
func TestNothingReloads(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	rec := httptest.NewRecorder()
	w.server.Admin("").ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/-/reload", nil))
	require.Equal(t, 404, rec.Code)
}
