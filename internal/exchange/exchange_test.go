package exchange_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/store"
	"github.com/emenda-gateway/emenda/plugins"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// smallWorld loads testdata/world.txtar and gives its routes by path.
func smallWorld(t testing.TB) map[string]*mapping.Route {
	a, err := txtar.ParseFile("testdata/world.txtar")
	require.NoError(t, err)
	functions, err := expr.NewFunctions(plugins.Functions()...)
	require.NoError(t, err)
	w := mapping.World{Contracts: map[string]*contract.Contract{}, Functions: functions, Formats: plugins.Formats()}
	var files []*diag.File
	for _, f := range a.Files {
		file := diag.NewFile(f.Name, string(f.Data))
		switch {
		case f.Name == "gateway.yaml":
			cfg, list := config.Load(file)
			require.False(t, list.HasErrors(), list.Text())
			w.Config = cfg
		case strings.HasPrefix(f.Name, "contracts/"):
			for _, name := range []string{strings.TrimSuffix(path.Base(f.Name), ".yaml"), "gone"} {
				c, list := contract.Load(name, file, functions)
				require.False(t, list.HasErrors(), list.Text())
				w.Contracts[name] = c
			}
		default:
			files = append(files, file)
		}
	}
	set, list := mapping.Load(files, nil, w)
	require.False(t, list.HasErrors(), list.Text())
	routes := map[string]*mapping.Route{}
	for _, r := range set.Routes {
		routes[r.Path] = r
	}
	return routes
}

// shop answers as a test says.
type shop func(ctx context.Context, c *backend.Call) *backend.Answer

func (s shop) Call(ctx context.Context, c *backend.Call) *backend.Answer { return s(ctx, c) }

func answering(status int, body string) shop {
	return func(_ context.Context, c *backend.Call) *backend.Answer {
		return backend.NewAnswer(c.Operation, status, "application/json", []byte(body))
	}
}

// waiting has every sign-in wait, and notes whom it was told of.
type waiting struct {
	wait time.Duration
	told []string
}

func (w *waiting) WrongSignIn(l *store.SignInLimit, from netip.Addr, caller string, _ time.Time) time.Duration {
	w.told = append(w.told, fmt.Sprintf("wrong %s %s %d", from, caller, l.Failures))
	return w.wait
}

func (w *waiting) RightSignIn(from netip.Addr, caller string, _ time.Time) time.Duration {
	w.told = append(w.told, fmt.Sprintf("right %s %s", from, caller))
	return w.wait
}

func TestSignInsWait(t *testing.T) {
	routes := smallWorld(t)
	for name, c := range map[string]struct {
		wait   time.Duration
		header map[string]string
		told   []string
		status int
	}{
		"right":                 {0, nil, []string{"right 192.0.2.1 desk"}, 201},
		"right, and waits":      {1500 * time.Millisecond, nil, []string{"right 192.0.2.1 desk"}, 429},
		"wrong":                 {0, map[string]string{"Authorization": "Token x"}, []string{"wrong 192.0.2.1 desk 7"}, 403},
		"wrong, and waits":      {2 * time.Second, map[string]string{"Authorization": "Token x"}, []string{"wrong 192.0.2.1 desk 7"}, 429},
		"nobody's application":  {0, map[string]string{"App": "x"}, []string{"wrong 192.0.2.1  7"}, 403},
		"half":                  {0, map[string]string{"Authorization": ""}, []string{"wrong 192.0.2.1 desk 7"}, 403},
		"nothing is no failure": {time.Second, map[string]string{"Authorization": "", "App": ""}, nil, 401},
	} {
		t.Run(name, func(t *testing.T) {
			w := &waiting{wait: c.wait}
			e := exchange.New(exchange.Options{
				Callers: []*intake.Caller{desk()}, Calls: answering(200, `{"name":"chair","price":4.50}`), Memory: brokenMemory{}, Zone: time.UTC,
				Clock: time.Now, SignIns: w, SignInLimit: store.SignInLimit{Failures: 7},
			})
			r := asking("item", "id=5", c.header)
			r.Address = func() netip.Addr { return netip.MustParseAddr("192.0.2.1") }
			got := e.Serve(context.Background(), routes["item"], r, nil, nil)
			require.Equal(t, c.status, got.Status)
			require.Equal(t, c.told, w.told)
			if c.status == 429 {
				require.Equal(t, []contract.Header{{Name: "Retry-After", Value: "2"}}, got.Header)
				require.Equal(t, `{"kind":"limited","said":"too many failed sign-ins","class":"","fields":[],"id":"abc"}`, string(got.Body))
				require.Empty(t, got.Report.Caller)
			}
		})
	}
}

// usedUp is a rate of which nothing is left.
type usedUp map[string]intake.Rate

func (u usedUp) Take(_ context.Context, caller string, r intake.Rate, _ time.Time) time.Duration {
	u[caller] = r
	return 1100 * time.Millisecond
}

func TestRates(t *testing.T) {
	routes := smallWorld(t)
	asked := usedUp{}
	serve := func(rate intake.Rate) exchange.Response {
		caller := desk()
		caller.Rate = rate
		e := exchange.New(exchange.Options{
			Callers: []*intake.Caller{caller}, Calls: answering(200, `{"name":"chair","price":4.50}`), Memory: brokenMemory{}, Zone: time.UTC,
			Clock: time.Now, Rates: asked,
		})
		return e.Serve(context.Background(), routes["item"], asking("item", "id=5", nil), nil, nil)
	}
	require.Equal(t, 201, serve(intake.Rate{}).Status)
	require.Empty(t, asked, "without a rate nothing is asked")
	got := serve(intake.Rate{N: 5, Per: time.Minute})
	require.Equal(t, usedUp{"desk": {N: 5, Per: time.Minute}}, asked)
	require.Equal(t, 429, got.Status)
	require.Equal(t, []contract.Header{{Name: "Retry-After", Value: "2"}}, got.Header)
	require.Equal(t, `{"kind":"limited","said":"too many requests","class":"","fields":[],"id":"abc"}`, string(got.Body))
	got.Report.Problem = nil
	require.Equal(t, exchange.Report{Caller: "desk", Outcome: "limited", Reply: -1}, got.Report)
}

// brokenMemory is a store that is down.
type brokenMemory struct{}

var errDown = errors.New("down")

func (brokenMemory) Recall(context.Context, *mapping.Memory, []byte, time.Time) ([]byte, bool, error) {
	return nil, false, errDown
}

func (brokenMemory) Remember(context.Context, *mapping.Memory, []byte, []byte, time.Time) error {
	return errDown
}

const deskToken = "desk-token"

func desk() *intake.Caller {
	return &intake.Caller{
		Name: "desk", Dialect: "plain", App: "d", Secrets: [][32]byte{sha256.Sum256([]byte(deskToken))},
		Permissions: []string{"plain.*"}, Value: jsonx.RawValue(`{"name":"desk","app":"d","strict":false}`),
	}
}

func exchanger(s shop) *exchange.Exchanger {
	return exchange.New(exchange.Options{
		Callers: []*intake.Caller{desk()}, Calls: s, Memory: brokenMemory{}, Zone: time.UTC,
		Clock:       func() time.Time { return time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC) },
		Unavailable: func(name string) (string, bool) { return "back at six", name == "gone" },
	})
}

func asking(path, body string, header map[string]string) *intake.Request {
	r := &intake.Request{ID: "abc", Method: "POST", Path: "/p/" + path, Type: "application/x-www-form-urlencoded", Body: body}
	all := map[string]string{"Authorization": "Token " + deskToken, "App": "d"}
	for name, value := range header {
		all[name] = value
	}
	r.Header = func(name string) string { return all[name] }
	r.Headers = func(yield func(name, value string)) {
		for _, name := range []string{"Authorization", "App", "Cookie", "X-Other"} {
			if value := all[name]; value != "" {
				yield(name, value)
			}
		}
	}
	return r
}

func TestServe(t *testing.T) {
	routes := smallWorld(t)
	good := answering(200, `{"name":"chair","price":4.50}`)
	late := shop(func(ctx context.Context, c *backend.Call) *backend.Answer {
		<-ctx.Done()
		return backend.FailedAnswer(c.Operation, contract.ClassTimeout, true)
	})
	for name, c := range map[string]struct {
		path, body string
		header     map[string]string
		shop       shop
		status     int
		want       string
		report     exchange.Report // without Cause and Problem
		cause      string
	}{
		"ok": {path: "item", body: "id=5", header: map[string]string{"Cookie": "c", "X-Other": "o"}, shop: good,
			status: 201, want: `{"name":"chair","half":4.50,"caller":"desk","path":"/p/item","header":{"X-Other":"o"}}`,
			report: exchange.Report{Caller: "desk", Outcome: "ok", Calls: 1}},
		"unreadable": {path: "item", body: "id=%zz", shop: good, status: 400,
			want:   `{"kind":"unreadable","said":"the request holds a malformed percent escape","class":"","fields":[],"id":"abc"}`,
			report: exchange.Report{Outcome: "unreadable", Reply: -1}},
		"not signed in": {path: "item", body: "id=5", header: map[string]string{"Authorization": "", "App": ""}, shop: good, status: 401,
			want:   `{"kind":"not_signed_in","said":"","class":"","fields":[],"id":"abc"}`,
			report: exchange.Report{Outcome: "not_signed_in", Reply: -1}},
		"bad sign-in, byte for byte": {path: "item", body: "id=5", header: map[string]string{"App": "other"}, shop: good, status: 403,
			want: `{"detail": "Não"}`, report: exchange.Report{Outcome: "bad_sign_in", Reply: -1}},
		"forbidden": {path: "secret", shop: good, status: 403,
			want:   `{"kind":"forbidden","said":"not allowed","class":"","fields":[],"id":"abc"}`,
			report: exchange.Report{Caller: "desk", Outcome: "forbidden", Reply: -1}},
		"bad input, all faults": {path: "item", body: "limit=x", shop: good, status: 422,
			want:   `{"kind":"bad_input","said":"id is missing; limit is of the wrong type","class":"","fields":["/id","/limit"],"id":"abc"}`,
			report: exchange.Report{Caller: "desk", Outcome: "bad_input", Reply: -1}},
		"a rule": {path: "item", body: "id=500", shop: good, status: 422,
			want:   `{"kind":"bad_input","said":"id is too great","class":"","fields":["/id"],"id":"abc"}`,
			report: exchange.Report{Caller: "desk", Outcome: "bad_input", Reply: -1}},
		"a rule that fails": {path: "item", body: "id=5&limit=0", shop: good, status: 500,
			want:   `{"kind":"internal","said":"","class":"","fields":[],"id":"abc"}`,
			report: exchange.Report{Caller: "desk", Outcome: "internal", Reply: -1}, cause: "item.yaml:7"},
		"a reply that fails": {path: "late", shop: answering(200, `{"name":"chair","price":0}`), status: 500,
			want:   `{"kind":"internal","said":"","class":"template","fields":[],"id":"abc"}`,
			report: exchange.Report{Caller: "desk", Outcome: "internal", Class: "template", Calls: 1, Reply: -1}, cause: "late.yaml:7"},
		"refused": {path: "item", body: "id=5", shop: answering(404, `{"name":"x"}`), status: 409,
			want:   `{"kind":"refused","said":"","class":"not_found","fields":[],"id":"abc"}`,
			report: exchange.Report{Caller: "desk", Outcome: "refused", Class: "not_found", Step: "item", Calls: 1, Reply: -1}},
		"failed": {path: "item", body: "id=5", shop: answering(200, `<html>52998224725</html>`), status: 502,
			want:   `{"kind":"failed","said":"","class":"bad_answer","fields":[],"id":"abc"}`,
			report: exchange.Report{Caller: "desk", Outcome: "failed", Class: "bad_answer", Step: "item", Calls: 1, Failed: exchange.FailedCall{Operation: "shop.item", Class: "bad_answer", Status: 200}, Reply: -1}},
		"too late": {path: "item", body: "id=5", shop: late, status: 504,
			want:   `{"kind":"timeout","said":"","class":"timeout","fields":[],"id":"abc"}`,
			report: exchange.Report{Caller: "desk", Outcome: "timeout", Class: "timeout", Step: "item", Calls: 1, Failed: exchange.FailedCall{Operation: "shop.item", Class: "timeout"}, Reply: -1}},
		"unavailable": {path: "gone", shop: good, status: 503,
			want:   `{"kind":"unavailable","said":"back at six","class":"unavailable","fields":[],"id":"abc"}`,
			report: exchange.Report{Caller: "desk", Outcome: "unavailable", Class: "unavailable", Step: "item", Reply: -1}},
		"the store is down": {path: "strict", shop: good, status: 503,
			want:   `{"kind":"store_down","said":"","class":"store","fields":[],"id":"abc"}`,
			report: exchange.Report{Caller: "desk", Outcome: "store_down", Class: "store", Step: "known", Reply: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			prefix := []byte("kept:")
			got := exchanger(c.shop).Serve(context.Background(), routes[c.path], asking(c.path, c.body, c.header), nil, prefix)
			require.Equal(t, "kept:"+c.want, string(got.Body))
			require.Equal(t, c.status, got.Status)
			require.Equal(t, "application/json", got.Type)
			switch c.status {
			case 201:
				require.Equal(t, []contract.Header{{Name: "X-Name", Value: "chair"}}, got.Header)
			case 401:
				require.Equal(t, []contract.Header{{Name: "WWW-Authenticate", Value: `Token realm="plain"`}}, got.Header)
			default:
				require.Empty(t, got.Header)
			}
			if file, line := got.Report.CauseLine(); c.cause != "" {
				require.Equal(t, c.cause, file+":"+line)
			} else {
				require.Nil(t, got.Report.Cause)
				require.Empty(t, file+line)
			}
			got.Report.Cause = nil
			if got.Report.Outcome == "ok" {
				require.Nil(t, got.Report.Problem)
			} else {
				require.Equal(t, got.Report.Outcome, got.Report.Problem.Kind.String())
			}
			got.Report.Problem = nil
			require.Equal(t, c.report, got.Report)
			require.NotContains(t, string(got.Body), deskToken)
		})
	}
}

// Every kind a dialect has words for can be told without a route.
func TestRefuse(t *testing.T) {
	words := smallWorld(t)["item"].Dialect.Errors
	e := exchanger(nil)
	for _, kind := range mapping.ErrorKinds() {
		t.Run(kind.String(), func(t *testing.T) {
			r := &intake.Request{ID: `"><`, Path: "/52998224725"}
			got := e.Refuse(words, r, kind, "because \"so\"", []byte("kept:"))
			require.Equal(t, kind.String(), got.Report.Outcome)
			require.Equal(t, -1, got.Report.Reply)
			require.GreaterOrEqual(t, got.Status, 400)
			require.Equal(t, "application/json", got.Type)
			body, ok := strings.CutPrefix(string(got.Body), "kept:")
			require.True(t, ok)
			require.NotContains(t, body, "52998224725")
			if words[kind].Text == "" {
				require.Equal(t, `{"kind":"`+words[kind].Kind.String()+`","said":"because \"so\"","class":"","fields":[],"id":"\"><"}`,
					strings.Replace(body, `"kind":"`+kind.String(), `"kind":"`+words[kind].Kind.String(), 1))
			}
		})
	}
}

// Who calls is assumed only where nothing was given.
func TestAssume(t *testing.T) {
	routes := smallWorld(t)
	o := exchange.Options{
		Callers: []*intake.Caller{desk()}, Calls: answering(200, `{"name":"chair"}`), Zone: time.UTC, Clock: time.Now,
		Assume: desk(), OneByOne: true,
	}
	e := exchange.New(o)
	r := asking("item", "id=5", map[string]string{"Authorization": "", "App": ""})
	require.Equal(t, 201, e.Serve(context.Background(), routes["item"], r, nil, nil).Status)
	r = asking("item", "id=5", map[string]string{"Authorization": "Token wrong"})
	require.Equal(t, 403, e.Serve(context.Background(), routes["item"], r, nil, nil).Status)
	r = asking("secret", "", map[string]string{"Authorization": "", "App": ""})
	require.Equal(t, 403, e.Serve(context.Background(), routes["secret"], r, nil, nil).Status, "assumed, and not allowed")
}

// The context's own end counts, too.
func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	late := shop(func(ctx context.Context, c *backend.Call) *backend.Answer {
		cancel()
		<-ctx.Done()
		return backend.FailedAnswer(c.Operation, contract.ClassTimeout, true)
	})
	got := exchanger(late).Serve(ctx, smallWorld(t)["item"], asking("item", "id=5", nil), nil, nil)
	require.Equal(t, "timeout", got.Report.Outcome)
	require.Equal(t, 504, got.Status)
}

var _ flow.Caller = shop(nil)

func BenchmarkServe(b *testing.B) {
	route := smallWorld(b)["item"]
	e := exchanger(answering(200, `{"name":"chair","price":4.50}`))
	r := asking("item", "id=5", map[string]string{"X-Other": "o"})
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		got := e.Serve(context.Background(), route, r, nil, buf[:0])
		buf = got.Body
	}
}

// What is unavailable for a known time says so; what failed otherwise does not.
func TestRetryAfter(t *testing.T) {
	routes := smallWorld(t)
	for class, want := range map[string][]contract.Header{
		contract.ClassUnavailable: {{Name: "Retry-After", Value: "3"}}, contract.ClassBroken: nil,
	} {
		busy := shop(func(_ context.Context, c *backend.Call) *backend.Answer {
			a := backend.FailedAnswer(c.Operation, class, false)
			a.Wait = 2100 * time.Millisecond
			return a
		})
		for range 2 { // what a run is handed is used again
			got := exchanger(busy).Serve(context.Background(), routes["item"], asking("item", "id=5", nil), nil, nil)
			require.Equal(t, want, got.Header, class)
		}
		got := exchanger(answering(200, `<html>`)).Serve(context.Background(), routes["item"], asking("item", "id=5", nil), nil, nil)
		require.Empty(t, got.Header)
	}
}
