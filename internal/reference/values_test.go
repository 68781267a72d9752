package reference

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// echo is a backend that keeps the body it was sent and answers with it, or
// with what it was told to answer.
type echo struct {
	answer string
	sent   map[string]string // by operation
}

func (e *echo) Call(_ context.Context, c *backend.Call) *backend.Answer {
	e.sent[c.Operation.ID] = string(c.Request.Body)
	answer := e.answer
	if answer == "" {
		answer = string(c.Request.Body)
	}
	if c.Operation.BodyForm {
		answer = "{}"
	}
	return backend.NewAnswer(c.Operation, 200, "application/json", []byte(answer))
}

// Values pass from a request's body through expressions into the backend's
// body, and from its answer into the reply, as they came: this is the real
// processing, with nothing replaced but the backend.
func TestValueSuite(t *testing.T) {
	c, err := Open("../..")
	require.NoError(t, err)
	route := routeOf(t, c, "plain/values")
	for name, tt := range map[string]struct {
		n    string // JSON of the input field n (a number), "" for none
		text string // JSON of the field text, "" for none
		v    string // JSON of a member of the field v, of any kind
		// What is sent, and comes back; what n, text and v are when "".
		sentN, sentText, sentV string
	}{
		"2^53+1":                    {n: `9007199254740993`, v: `9007199254740993`},
		"twenty digits":             {n: `12345678901234567890`, v: `12345678901234567890`},
		"a trailing zero":           {n: `1.10`, v: `1.10`},
		"more than a double holds":  {n: `1e400`, v: `1e400`},
		"less than a double holds":  {n: `-1E-400`, v: `-1E-400`},
		"minus nothing":             {n: `-0.0`, v: `-0.0`},
		"absent":                    {},
		"null":                      {n: `null`, text: `null`, v: `null`, sentN: `-`, sentText: `-`},
		"the empty text":            {text: `""`, v: `""`},
		"NUL":                       {text: `"a\u0000b"`, v: `"a\u0000b"`},
		"a lone high surrogate":     {text: `"\ud800"`, v: `"\ud800"`},
		"a lone low surrogate":      {text: `"x\udfffy"`, v: `"x\udfffy"`},
		"a pair of surrogates":      {text: `"\ud83d\ude00"`, v: `"\ud83d\ude00"`},
		"escapes nobody needs":      {text: `"\/\u0061"`, v: `"\/\u0061"`},
		"quotes and a backslash":    {text: `"\"\\"`, v: `"\"\\"`},
		"a tab and a line break":    {text: `"\t\n\r"`, v: `"\t\n\r"`},
		"lists and objects, nested": {v: `[[], {}, [null, {"b":1,"a":[1.0]}]]`},
		"letters of many scripts":   {text: `"é 日本 😀 ﷽"`, v: `"é 日本 😀 ﷽"`},
	} {
		t.Run(name, func(t *testing.T) {
			var members []string
			add := func(name, value string) {
				if value != "" {
					members = append(members, `"`+name+`":`+value)
				}
			}
			add("n", tt.n)
			add("text", tt.text)
			if tt.v != "" {
				add("v", `{"k":`+tt.v+`}`)
			}
			b := &echo{sent: map[string]string{}}
			res := serve(c, route, b, "application/json", "{"+strings.Join(members, ",")+"}")
			require.Equal(t, 200, res.Status, "%s", res.Body)

			want := []string{`"v":null`}
			if tt.v != "" {
				want[0] = `"v":{"k":` + or(tt.sentV, tt.v) + `}`
			}
			put := func(name, sent, given string) {
				if sent = or(sent, given); sent != "" && sent != "-" {
					want = append(want, `"`+name+`":`+sent)
				}
			}
			put("text", tt.sentText, tt.text)
			put("n", tt.sentN, tt.n)
			want = append(want, `"sum":0.3`) // 0.1 + 0.2
			if tt.n != "" && tt.sentN != "-" {
				want = append(want, `"digits":"`+tt.n+`"`)
			}
			body := "{" + strings.Join(want, ",") + "}"
			require.Equal(t, body, b.sent["echo"], "what the backend was sent")
			form := "null"
			if tt.text != "" && tt.text != "null" {
				form = "{}"
			}
			has := "false"
			if tt.text != "" && tt.text != "null" {
				has = "true"
			}
			require.Equal(t, `{"back":`+body+`,"form":`+form+`,"has":`+has+`}`, string(res.Body), "what came back")
		})
	}
}

// What a backend answers passes into the reply byte for byte, whatever a
// program would make of it.
func TestValueSuiteAnswers(t *testing.T) {
	c, err := Open("../..")
	require.NoError(t, err)
	for name, answer := range map[string]string{
		"numbers":     `{"a":9007199254740993,"b":12345678901234567890,"c":1.10,"d":1e400,"e":-0.0,"f":1E+2}`,
		"texts":       `{"a":"\u0000","b":"\ud800","c":"\udc00\ud800","d":"\/","e":"","f":"\u00e9"}`,
		"no values":   `{"a":null,"b":[null],"c":{}}`,
		"a key twice": `{"a":1,"a":2}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := &echo{sent: map[string]string{}, answer: answer}
			res := serve(c, routeOf(t, c, "plain/values"), b, "application/json", `{}`)
			require.Equal(t, `{"back":`+answer+`,"form":null,"has":false}`, string(res.Body))
		})
	}
}

// By a form: numbers are texts there, and stay their digits; what has no
// spelling in a form (null, a lone surrogate) is left out of this table.
func TestValueSuiteForms(t *testing.T) {
	c, err := Open("../..")
	require.NoError(t, err)
	route := routeOf(t, c, "plain/values")
	for name, tt := range map[string]struct{ n, text, sentText string }{
		"2^53+1":                   {n: "9007199254740993", text: "9007199254740993", sentText: `"9007199254740993"`},
		"twenty digits":            {n: "12345678901234567890", text: "x", sentText: `"x"`},
		"a trailing zero":          {n: "1.10", text: "1.10", sentText: `"1.10"`},
		"more than a double holds": {n: "1e400", text: "x", sentText: `"x"`},
		"the empty text":           {text: "", sentText: `""`},
		"NUL":                      {text: "a\x00b", sentText: `"a\u0000b"`},
		"what forms escape":        {text: "a&b=c+d %é\r\n", sentText: `"a&b=c+d %é\r\n"`},
	} {
		t.Run(name, func(t *testing.T) {
			form := url.Values{"text": {tt.text}}
			sent := url.Values{"text": {tt.text}, "sum": {"0.3"}}
			want := `{"v":null,"text":` + tt.sentText
			if tt.n != "" {
				form.Set("n", tt.n)
				sent.Set("n", tt.n)
				want += `,"n":` + tt.n
			}
			want += `,"sum":0.3`
			if tt.n != "" {
				want += `,"digits":"` + tt.n + `"`
			}
			b := &echo{sent: map[string]string{}}
			res := serve(c, route, b, "application/x-www-form-urlencoded", form.Encode())
			require.Equal(t, 200, res.Status, "%s", res.Body)
			require.Equal(t, want+"}", b.sent["echo"])
			got, err := url.ParseQuery(b.sent["echo.form"])
			require.NoError(t, err)
			require.Equal(t, sent, got, "what the backend of forms was sent")
		})
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func routeOf(t *testing.T, c *Cases, name string) *mapping.Route {
	t.Helper()
	for _, r := range c.Loaded.Set.Routes {
		if r.Plan.Name == name {
			return r
		}
	}
	require.Fail(t, "no such route", name)
	return nil
}

// serve has the route answer one request, made by somebody who may.
func serve(c *Cases, route *mapping.Route, b *echo, media, body string) exchange.Response {
	o := exchange.Options{
		Callers: c.Loaded.TestCallers(), Calls: b, Zone: time.UTC, OneByOne: true,
		Clock: func() time.Time { return time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC) },
	}
	for _, caller := range o.Callers {
		if caller.Name == "reader" {
			o.Assume = caller
		}
	}
	return exchange.New(o).Serve(context.Background(), route, &intake.Request{
		ID: "test", Method: "POST", Path: "/plain/" + route.Path, Type: media, Body: body,
		Header:  func(string) string { return "" },
		Headers: func(func(name, value string)) {},
	}, nil, nil)
}
