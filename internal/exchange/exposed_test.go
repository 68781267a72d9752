package exchange_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/ticket"
	"github.com/emenda-gateway/emenda/plugins"
)

const depot = `openapi: 3.1.0
x-emenda: 1
info: { title: depot, version: "1" }
x-emenda-sign-in:
  basic: { user: user, password: password }
  token: { header: Token, obtain: token.get, renew: token.renew, value: "${answer.token}", life: 1h }
x-emenda-outcomes:
  - { when: answer?.missing == true, is: refused, class: not_found, message: "${answer?.error}" }
  - { when: answer?.broken == true, is: failed, message: "${answer?.error}" }
  - { when: answer?.error != nil, is: refused, message: "${answer?.error}" }
paths:
  /depot/token:
    get: { operationId: token.get, x-emenda-changes: false, responses: { "200": { content: { application/json: { schema: { type: object, required: [token], properties: { token: { type: string } } } } } } } }
    put: { operationId: token.renew, x-emenda-changes: true, x-emenda-token: true, responses: { "200": { content: { application/json: { schema: { type: object, required: [token], properties: { token: { type: string } } } } } } } }
  /depot/items/{id}:
    get:
      operationId: items.read
      x-emenda-changes: false
      x-emenda-token: true
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }, { name: lang, in: query, schema: { type: string } }, { name: X-Shelf, in: header, schema: { type: integer } }]
      responses: { "200": { content: { application/json: { schema: { type: object } } } } }
  /depot/items:
    post:
      operationId: items.write
      x-emenda-changes: true
      requestBody: { required: true, content: { application/json: { schema: { type: object, required: [name], properties: { name: { type: string }, count: { type: integer } } } } } }
      responses: { "200": { content: { application/json: { schema: { type: object } } } } }
`

const depotOffered = `emenda: 1
expose: { contract: depot, dialect: depot, timeout: 40ms, needs: { "*": depot.all, items.write: depot.write } }
`

const depotDialect = `emenda: 1
dialect: depot
prefixes: [/depot]
methods: [GET]
read: [json]
sign_in: [{ header: { token: Authorization, scheme: Basic } }, { header: { token: X-Key } }]
errors:
  not_signed_in: { status: 401, json: { error: "${error.kind}" } }
  bad_input: { status: 400, json: { error: "${error.message}", fields: "${error.fields}" } }
  refused: { status: 422, json: { error: "${error.kind}" } }
  failed: { status: 502, json: { error: "${error.kind}" } }
  timeout: { status: 504, json: { error: "${error.kind}" } }
  forbidden: { status: 403, json: { error: "${error.kind}" } }
`

// doors gives the exposed operations by method and path.
func doors(t testing.TB) map[string]*mapping.Exposed {
	functions, err := expr.NewFunctions(plugins.Functions()...)
	require.NoError(t, err)
	c, list := contract.Load("depot", diag.NewFile("depot.yaml", depot), functions)
	require.False(t, list.HasErrors(), list.Text())
	set, list := mapping.Load([]*diag.File{diag.NewFile("d.yaml", depotDialect), diag.NewFile("e.yaml", depotOffered)}, nil, mapping.World{
		Contracts: map[string]*contract.Contract{"depot": c}, Functions: functions, Config: &config.Config{},
	})
	require.False(t, list.HasErrors(), list.Text())
	all := map[string]*mapping.Exposed{}
	for _, e := range set.Exposed {
		all[e.Method+" "+e.Path] = e
	}
	return all
}

func TestExposed(t *testing.T) {
	all := doors(t)
	tickets, err := ticket.New(make([]byte, 32))
	require.NoError(t, err)
	good := tickets.Issue("desk", 2, time.Now())
	for name, c := range map[string]struct {
		door, id, query, body string
		header                map[string]string
		call                  shop
		status                int
		want                  string
		sent                  string
	}{
		"read":                  {"GET /depot/items/{id}", "5", "lang=p%C3%A9", "", map[string]string{"Token": good}, answering(200, ` {"a":1.50} `), 200, ` {"a":1.50} `, "GET /depot/items/5?lang=p%C3%A9 "},
		"a field of the head":   {"GET /depot/items/{id}", "5", "", "", map[string]string{"Token": good, "X-Shelf": "7", "X-Other": "8"}, answering(200, `{}`), 200, `{}`, "GET /depot/items/5 [{X-Shelf 7}]"},
		"a bad one":             {"GET /depot/items/{id}", "5", "", "", map[string]string{"Token": good, "X-Shelf": "top"}, nil, 400, `{"error":"X-Shelf is of the wrong type","fields":["/X-Shelf"]}`, ""},
		"no answer's body":      {"POST /depot/items", "", "", `{"name":"x"}`, nil, answering(204, ``), 204, ``, `POST /depot/items {"name":"x"}`},
		"a page of 500":         {"POST /depot/items", "", "", `{"name":"x"}`, nil, answering(500, `<html>`), 502, `{"error":"failed"}`, `POST /depot/items {"name":"x"}`},
		"half a 404":            {"POST /depot/items", "", "", `{"name":"x"}`, nil, answering(404, `{"x":`), 502, `{"error":"failed"}`, `POST /depot/items {"name":"x"}`},
		"no ticket":             {"GET /depot/items/{id}", "5", "", "", nil, nil, 401, `{"error":"not_signed_in"}`, ""},
		"an empty ticket":       {"GET /depot/items/{id}", "5", "", "", map[string]string{"Token": " "}, nil, 401, `{"error":"not_signed_in"}`, ""},
		"another's ticket":      {"GET /depot/items/{id}", "5", "", "", map[string]string{"Token": tickets.Issue("boss", 0, time.Now())}, nil, 401, `{"error":"bad_sign_in"}`, ""},
		"a key needs none":      {"GET /depot/items/{id}", "5", "", "", map[string]string{"Authorization": "", "X-Key": "secret"}, answering(200, `{}`), 200, `{}`, "GET /depot/items/5 "},
		"nobody":                {"GET /depot/items/{id}", "5", "", "", map[string]string{"Authorization": ""}, nil, 401, `{"error":"not_signed_in"}`, ""},
		"a wrong password":      {"GET /depot/items/{id}", "5", "", "", map[string]string{"Authorization": "Basic ZGVzazp4"}, nil, 401, `{"error":"bad_sign_in"}`, ""},
		"bad input":             {"GET /depot/items/{id}", "x", "", "", map[string]string{"Token": good}, nil, 400, `{"error":"id is of the wrong type","fields":["/id"]}`, ""},
		"not allowed":           {"POST /depot/items", "", "", `{"name":"x"}`, map[string]string{"Authorization": "", "X-Key": "reader"}, nil, 403, `{"error":"forbidden"}`, ""},
		"written as it came":    {"POST /depot/items", "", "", ` {"name":"x" , "count":"5"}`, nil, answering(200, `{"error":"no"}`), 200, `{"error":"no"}`, `POST /depot/items  {"name":"x" , "count":"5"}`},
		"all faults":            {"POST /depot/items", "", "", `{"count":"x"}`, nil, nil, 400, `{"error":"name is missing; count is of the wrong type","fields":["/name","/count"]}`, ""},
		"a key twice":           {"POST /depot/items", "", "", `{"name":"x","name":"y"}`, nil, nil, 400, `{"error":"a key stands twice in the same object (at byte 12)","fields":[]}`, ""},
		"half a body":           {"POST /depot/items", "", "", `{"name":`, nil, nil, 400, "", ""},
		"a page is no answer":   {"POST /depot/items", "", "", `{"name":"x"}`, nil, answering(200, `<html>`), 502, `{"error":"failed"}`, `POST /depot/items {"name":"x"}`},
		"a status is handed on": {"POST /depot/items", "", "", `{"name":"x"}`, nil, answering(404, `{"x":1}`), 404, `{"x":1}`, `POST /depot/items {"name":"x"}`},
		"no time is left": {"POST /depot/items", "", "", `{"name":"x"}`, nil, func(ctx context.Context, c *backend.Call) *backend.Answer {
			<-ctx.Done()
			return backend.FailedAnswer(c.Operation, contract.ClassTimeout, true)
		}, 504, `{"error":"timeout"}`, `POST /depot/items {"name":"x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			var sent string
			e := exchange.New(exchange.Options{
				Zone: time.UTC, Clock: time.Now, Tickets: tickets,
				Callers: []*intake.Caller{
					{Name: "desk", Dialect: "depot", App: "desk", Secrets: [][32]byte{sha256.Sum256([]byte("secret"))}, Permissions: []string{"depot.*"}, Value: jsonx.RawValue(`{}`)},
					{Name: "reader", Dialect: "depot", Secrets: [][32]byte{sha256.Sum256([]byte("reader"))}, Permissions: []string{"depot.all"}, Value: jsonx.RawValue(`{}`)},
				},
				Calls: shop(func(ctx context.Context, call *backend.Call) *backend.Answer {
					sent = call.Request.Method + " " + string(call.Request.Target) + " " + string(call.Request.Body)
					if len(call.Request.Headers) > 0 {
						sent += fmt.Sprint(call.Request.Headers)
					}
					return c.call(ctx, call)
				}),
			})
			r := &intake.Request{ID: "i", Method: "GET", Query: c.query, Body: c.body}
			if c.id != "" {
				r.Params = []intake.Param{{Name: "id", Value: c.id}}
			}
			r.Header = func(name string) string {
				if v, ok := c.header[name]; ok {
					return v
				}
				return map[string]string{"Authorization": "Basic ZGVzazpzZWNyZXQ="}[name]
			}
			res := e.Pass(context.Background(), all[c.door], r, nil)
			require.Equal(t, c.status, res.Status, "%s", res.Body)
			if c.want != "" {
				require.Equal(t, c.want, string(res.Body))
			}
			require.Equal(t, c.sent, sent)
		})
	}
}

// Callers who sign in with HTTP Basic fetch the gateway's token, never the backend's.
func TestTickets(t *testing.T) {
	all := doors(t)
	tickets, err := ticket.New(make([]byte, 32))
	require.NoError(t, err)
	now := time.Now()
	e := exchange.New(exchange.Options{
		Zone: time.UTC, Clock: func() time.Time { return now }, Tickets: tickets,
		Callers: []*intake.Caller{{Name: "desk", Dialect: "depot", App: "desk", Secrets: [][32]byte{sha256.Sum256([]byte("secret"))}, Permissions: []string{"depot.*"}, Value: jsonx.RawValue(`{}`)}},
	})
	ask := func(door, token string) string {
		r := &intake.Request{Method: "GET", Header: func(name string) string {
			return map[string]string{"Authorization": "basic ZGVzazpzZWNyZXQ=", "Token": token}[name]
		}}
		res := e.Pass(context.Background(), all[door], r, nil)
		if res.Status != 200 {
			return ""
		}
		v, err := new(jsonx.Arena).Parse(string(res.Body), true)
		require.NoError(t, err)
		return v.Get("token").Text()
	}
	first := ask("GET /depot/token", "")
	n, err := tickets.Check(first, "desk", now)
	require.NoError(t, err)
	require.Zero(t, n)
	second := ask("PUT /depot/token", first)
	n, err = tickets.Check(second, "desk", now)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Empty(t, ask("PUT /depot/token", ""))
	now = now.Add(ticket.Life)
	require.Empty(t, ask("PUT /depot/token", second), "one that has ended is not renewed")
}

// BenchmarkPass is what an exposed operation costs but for HTTP on either side.
func BenchmarkPass(b *testing.B) {
	all := doors(b)
	e := exchange.New(exchange.Options{
		Zone: time.UTC, Clock: time.Now, Calls: answering(200, `{"resposta":[{"id":2,"descricao":"RADIO","tipo":"INTERNET"},{"id":4,"descricao":"FIBRA","tipo":"INTERNET"}]}`),
		Callers: []*intake.Caller{{Name: "reader", Dialect: "depot", Secrets: [][32]byte{sha256.Sum256([]byte("reader"))}, Permissions: []string{"depot.all"}, Value: jsonx.RawValue(`{}`)}},
	})
	r := &intake.Request{ID: "i", Method: "GET", Params: []intake.Param{{Name: "id", Value: "5"}}, Header: func(name string) string {
		if name == "X-Key" {
			return "reader"
		}
		return ""
	}}
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if res := e.Pass(context.Background(), all["GET /depot/items/{id}"], r, buf); res.Status != 200 {
			b.Fatal(res.Status)
		}
	}
}
