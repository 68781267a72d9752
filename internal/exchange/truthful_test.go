package exchange_test

import (
	"context"
	"crypto/sha256"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/ticket"
)

// full lets nobody call.
type full struct{}

func (full) Take(context.Context, string, intake.Rate, time.Time) time.Duration {
	return 1500 * time.Millisecond
}

func failing(class string) shop {
	return func(_ context.Context, c *backend.Call) *backend.Answer {
		return backend.FailedAnswer(c.Operation, class, class != contract.ClassUnavailable)
	}
}

// TestTruthful shows what a caller gets that wants the truth, beside one that
// takes answers as they come.
func TestTruthful(t *testing.T) {
	all := doors(t)
	tickets, err := ticket.New(make([]byte, 32))
	require.NoError(t, err)
	for _, c := range []struct {
		name, body string
		key        string
		call       shop
		status     int
		want       string
		plain      string // STATUS BODY of the caller that wants no truth
		outcome    string
	}{
		{"a yes", `{"name":"x"}`, "desk", answering(200, ` {"id":5.0}`), 200, ` {"id":5.0}`, `200 {"id":5.0}`, "ok"},
		{"a no with status 200", `{"name":"x"}`, "desk", answering(200, `{"error":"sold \"out\""}`), 422,
			`{"title":"Unprocessable Entity","status":422,"detail":"sold \"out\"","kind":"refused","class":"business"}`, `200 {"error":"sold \"out\""}`, "refused"},
		{"nothing found, with status 200", `{"name":"x"}`, "desk", answering(200, `{"missing":true}`), 404,
			`{"title":"Not Found","status":404,"kind":"refused","class":"not_found"}`, `200 {"missing":true}`, "refused"},
		{"a no with a status that says so", `{"name":"x"}`, "desk", answering(409, `{"error":"taken"}`), 409,
			`{"title":"Conflict","status":409,"detail":"taken","kind":"refused","class":"business"}`, `409 {"error":"taken"}`, "refused"},
		{"a failure with status 200", `{"name":"x"}`, "desk", answering(200, `{"broken":true,"error":"disk"}`), 502,
			`{"title":"Bad Gateway","status":502,"detail":"disk","kind":"failed","class":"business"}`, `200 {"broken":true,"error":"disk"}`, "failed"},
		{"a status no rule explains", `{"name":"x"}`, "desk", answering(415, `{"a":1}`), 415,
			`{"title":"Unsupported Media Type","status":415,"kind":"failed","class":"status"}`, `415 {"a":1}`, "failed"},
		{"an error of the server, of what changes", `{"name":"x"}`, "desk", answering(500, `{"a":1}`), 502,
			`{"title":"Bad Gateway","status":502,"detail":"whether it was done is not known","kind":"failed","class":"status"}`, `500 {"a":1}`, "failed"},
		{"a page", `{"name":"x"}`, "desk", answering(200, `<html>`), 502,
			`{"title":"Bad Gateway","status":502,"kind":"failed","class":"bad_answer"}`, `502 {"error":"failed"}`, "failed"},
		{"no time is left", `{"name":"x"}`, "desk", failing(contract.ClassTimeout), 504,
			`{"title":"Gateway Timeout","status":504,"kind":"timeout","class":"timeout"}`, `504 {"error":"timeout"}`, "timeout"},
		{"not called", `{"name":"x"}`, "desk", failing(contract.ClassUnavailable), 503,
			`{"title":"Service Unavailable","status":503,"kind":"unavailable","class":"unavailable"}`, `503 {"error":"unavailable"}`, "unavailable"},
		{"every bad field", `{"count":"x"}`, "desk", nil, 400,
			`{"title":"Bad Request","status":400,"detail":"name is missing; count is of the wrong type","kind":"bad_input","errors":[{"pointer":"/name","detail":"name is missing"},{"pointer":"/count","detail":"count is of the wrong type"}]}`,
			`400 {"error":"name is missing; count is of the wrong type","fields":["/name","/count"]}`, "bad_input"},
		{"half a body", `{"name":"x","name":1}`, "desk", nil, 400,
			`{"title":"Bad Request","status":400,"detail":"a key stands twice in the same object (at byte 12)","kind":"unreadable"}`,
			`400 {"error":"a key stands twice in the same object (at byte 12)","fields":[]}`, "unreadable"},
		{"not allowed", `{"name":"x"}`, "reader", nil, 403,
			`{"title":"Forbidden","status":403,"detail":"not allowed","kind":"forbidden"}`, `403 {"error":"forbidden"}`, "forbidden"},
		{"too often", `{"name":"x"}`, "busy", nil, 429,
			`{"title":"Too Many Requests","status":429,"detail":"too many requests","kind":"limited"}`, `429 {"error":"limited"}`, "limited"},
		{"nobody known", `{"name":"x"}`, "stranger", nil, 401, `{"error":"bad_sign_in"}`, `401 {"error":"bad_sign_in"}`, "bad_sign_in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, truthful := range []bool{true, false} {
				e := exchange.New(exchange.Options{
					Zone: time.UTC, Clock: time.Now, Tickets: tickets, Rates: full{},
					Callers: []*intake.Caller{
						{Name: "desk", Dialect: "depot", Truthful: truthful, Secrets: [][32]byte{sha256.Sum256([]byte("desk"))}, Permissions: []string{"depot.*"}, Value: jsonx.RawValue(`{}`)},
						{Name: "reader", Dialect: "depot", Truthful: truthful, Secrets: [][32]byte{sha256.Sum256([]byte("reader"))}, Permissions: []string{"depot.all"}, Value: jsonx.RawValue(`{}`)},
						{Name: "busy", Dialect: "depot", Truthful: truthful, Secrets: [][32]byte{sha256.Sum256([]byte("busy"))}, Permissions: []string{"depot.*"}, Rate: intake.Rate{N: 1, Per: time.Second}, Value: jsonx.RawValue(`{}`)},
					},
					Calls: c.call,
				})
				r := &intake.Request{ID: "i", Method: "POST", Body: c.body}
				r.Header = func(name string) string { return map[string]string{"X-Key": c.key}[name] }
				res := e.Pass(context.Background(), all["POST /depot/items"], r, nil)
				if !truthful {
					require.Equal(t, c.plain, strconv.Itoa(res.Status)+" "+strings.TrimSpace(string(res.Body)))
					continue
				}
				require.Equal(t, c.status, res.Status, "%s", res.Body)
				require.Equal(t, c.want, string(res.Body))
				require.Equal(t, c.outcome, res.Report.Outcome)
				if c.status == 429 {
					require.Equal(t, []contract.Header{{Name: "Retry-After", Value: "2"}}, res.Header)
				}
				if c.outcome != "ok" && c.outcome != "bad_sign_in" {
					require.Equal(t, "application/problem+json", res.Type)
				}
			}
		})
	}
}

// A ticket that is missing tells how to sign in, truthfully too.
func TestTruthfulChallenge(t *testing.T) {
	tickets, err := ticket.New(make([]byte, 32))
	require.NoError(t, err)
	e := exchange.New(exchange.Options{
		Zone: time.UTC, Clock: time.Now, Tickets: tickets,
		Callers: []*intake.Caller{{Name: "desk", Dialect: "depot", App: "desk", Truthful: true, Secrets: [][32]byte{sha256.Sum256([]byte("secret"))}, Permissions: []string{"depot.*"}, Value: jsonx.RawValue(`{}`)}},
	})
	r := &intake.Request{ID: "i", Method: "GET", Params: []intake.Param{{Name: "id", Value: "5"}}}
	r.Header = func(name string) string {
		return map[string]string{"Authorization": "Basic ZGVzazpzZWNyZXQ="}[name]
	}
	res := e.Pass(context.Background(), doors(t)["GET /depot/items/{id}"], r, nil)
	require.Equal(t, 401, res.Status)
	require.Equal(t, `{"title":"Unauthorized","status":401,"kind":"not_signed_in"}`, string(res.Body))
	require.Equal(t, []contract.Header{{Name: "WWW-Authenticate", Value: `Basic realm="depot"`}}, res.Header)
}
