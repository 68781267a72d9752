package observe

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMask(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"nothing personal":       {"/ws/ura/consulta/", "/ws/ura/consulta/"},
		"short numbers stay":     {"/v2/item/42", "/v2/item/42"},
		"a bare document":        {"/clients/52998224725/x", "/clients/***/x"},
		"a punctuated document":  {"/clients/529.982.247-25", "/clients/***"},
		"a mail address":         {"/u/someone@example.com", "/u/***"},
		"a mail address escaped": {"/u/someone%40example.com", "/u/***"},
		"a token":                {"token=e46a9bdb-6347-4969-88f8-abcdefabcdef", "token=***"},
		"a long word of letters": {"/x/abcdefghijklmnopqrstuvwxyz", "/x/***"},
		"bytes beyond ASCII":     {"/é/\xff", "/é/\xff"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, Mask(c.in)) })
	}
}

func TestRequestID(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		kept bool
	}{
		"a uuid":              {"0b0e4c2a-7a34-4a4f-9b39-0c2f7b6a1d11", true},
		"a uuid of digits":    {"10203040-5060-4070-8090-10203040506a", true},
		"a word":              {"call-1", true},
		"a document in it":    {"ivr52998224725", false},
		"a punctuated one":    {"ivr529.982.247-25", false},
		"only digits":         {"52998224725", false},
		"a line break":        {"a\r\nb", false},
		"empty":               {"", false},
		"longer than 64":      {strings.Repeat("a", 65), false},
		"a blank":             {"a b", false},
		"something not ascii": {"é1", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := RequestID(c.in, new([IDSize]byte))
			require.Equal(t, c.kept, got == c.in)
			require.True(t, len(got) > 0 && len(got) <= 64)
		})
	}
	one, other := RequestID("", new([IDSize]byte)), RequestID("", new([IDSize]byte))
	require.NotEqual(t, one, other)
}

func TestLine(t *testing.T) {
	var out bytes.Buffer
	l := Line{ID: "r1", Method: "POST", Path: "/x/52998224725", Status: 404, Outcome: "no_route", Took: 1500 * time.Microsecond}
	l.Log(NewLogger(&out, slog.LevelInfo), time.Now())
	var got map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	delete(got, "time")
	require.Equal(t, map[string]any{
		"level": "INFO", "msg": "request", "request_id": "r1", "method": "POST", "status": 404.0, "outcome": "no_route",
		"duration_ms": 1.5, "backend_calls": 0.0, "bytes_in": 0.0, "bytes_out": 0.0, "path": "/x/***",
	}, got)
	for outcome, level := range map[string]string{"ok": "INFO", "bad_input": "INFO", "failed": "WARN", "timeout": "WARN", "internal": "ERROR"} {
		out.Reset()
		(&Line{Outcome: outcome}).Log(NewLogger(&out, slog.LevelInfo), time.Now())
		require.Contains(t, out.String(), `"level":"`+level+`"`, outcome)
	}
}

func TestMetrics(t *testing.T) {
	m := NewMetrics("1.2.3")
	r := m.Route("ura/x")
	m.Begin()
	r.Done("ivr", "ok", 3*time.Millisecond)
	m.Begin()
	r.Done("ivr", "ok", 3*time.Millisecond)
	m.Begin()
	m.Operation("erp", "a.b").Called("failed", "timeout", time.Second)
	m.Operation("erp", "a.b").Called("ok", "", time.Second)
	m.Breaker("erp", "open")
	m.Token("erp", "obtain", false)
	m.TemplateFailed("ura/x.yaml", "12")
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`emenda_requests_total{caller="ivr",outcome="ok",route="ura/x"} 2`,
		`emenda_requests_in_flight 1`,
		`emenda_request_duration_seconds_count{route="ura/x"} 2`,
		`emenda_backend_calls_total{backend="erp",class="timeout",operation="a.b",state="failed"} 1`,
		`emenda_backend_calls_total{backend="erp",class="",operation="a.b",state="ok"} 1`,
		`emenda_backend_breaker_state{backend="erp",state="open"} 1`,
		`emenda_backend_breaker_state{backend="erp",state="closed"} 0`,
		`emenda_token_fetches_total{backend="erp",how="obtain",result="failed"} 1`,
		`emenda_template_failures_total{line="12",mapping="ura/x.yaml"} 1`,
		`emenda_build_info{version="1.2.3"} 1`,
	} {
		require.Contains(t, w.Body.String(), want)
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range []string{"/a/52998224725", "/a/529.982.247-25", "x@y.z", "%35%32%39%39%38", "/1234/5678/é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Mask(s)
		require.Equal(t, got, Mask(got), "masking is done at once")
		digits := 0
		for i := range len(got) {
			switch c := got[i]; {
			case c >= '0' && c <= '9':
				digits++
			case !wordByte(c):
				digits = 0
			}
			require.Less(t, digits, 5)
			require.NotEqual(t, byte('@'), got[i])
		}
	})
}
