package contract_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

const places = `openapi: 3.1.0
x-emenda: 1
info: { title: Shop, version: "1" }
paths:
  /a/{p}/x.{q}:
    parameters:
      - { name: p, in: path, required: true, schema: { type: string } }
    post:
      operationId: all
      x-emenda-changes: true
      parameters:
        - { name: q, in: path, required: true, schema: { type: integer } }
        - { name: text, in: query, schema: { type: string } }
        - { name: "many[]", in: query, schema: { type: array, items: { type: integer } } }
        - { name: yes, in: query, schema: { type: boolean } }
        - { name: price, in: query, schema: { type: number } }
        - { name: X-Note, in: header, schema: { type: string } }
        - { name: must, in: query, required: true, schema: {} }
      requestBody: { required: true, content: { application/json: { schema: { type: object } } } }
      responses: { "204": { description: Done. } }
  /form:
    post:
      operationId: form
      x-emenda-changes: true
      requestBody: { content: { application/x-www-form-urlencoded: { schema: { properties: { a: { type: string }, b: { type: array, items: { type: string } } } } } } }
      responses: { "204": { description: Done. } }
  /get/{p}:
    get:
      operationId: get
      x-emenda-changes: false
      parameters:
        - { name: p, in: path, required: true, schema: { type: string } }
        - { name: q, in: query, schema: { type: string } }
        - { name: H, in: header, schema: { type: string } }
      responses: { "204": { description: Done. } }
`

// set gives the values of op's parameters by name, as JSON.
func set(op *contract.Operation, values map[string]string) []jsonx.Value {
	all := make([]jsonx.Value, len(op.Params))
	for i, p := range op.Params {
		if raw, ok := values[p.Name]; ok {
			all[i] = jsonx.RawValue(raw)
		}
	}
	return all
}

func TestBuild(t *testing.T) {
	op := load(t, "shop", places).Operations["all"]
	r := contract.Request{Target: []byte("left over"), Body: []byte("left over"), Headers: []contract.Header{{Name: "a", Value: "b"}}}
	require.NoError(t, op.Build(&r, set(op, map[string]string{
		"p": `"a/b ç|\u000d\n%2f"`, "q": `12345678901234567890`, "text": `"1 & 2=3+4"`, "many[]": `[1,"2"]`,
		"yes": `true`, "price": `1.10`, "X-Note": `"so, so"`, "must": `"\u0000"`,
	}), []byte(`{"a":1}`)))
	require.Equal(t, "POST", r.Method)
	require.Equal(t, "/a/a%2Fb%20%C3%A7%7C%0D%0A%252f/x.12345678901234567890?text=1%20%26%202%3D3%2B4&many%5B%5D=1&many%5B%5D=2&yes=true&price=1.10&must=%00", string(r.Target))
	require.Equal(t, []contract.Header{{Name: "X-Note", Value: "so, so"}}, r.Headers)
	require.Equal(t, `{"a":1}`, string(r.Body))
	require.Equal(t, "application/json", r.Type)
}

func TestBuildRefuses(t *testing.T) {
	op := load(t, "shop", places).Operations["all"]
	for _, c := range []struct{ name, param, value, want string }{
		{"empty path", "p", `""`, "parameter p of shop.all is empty, which a path cannot hold"},
		{"dots", "p", `".."`, "parameter p of shop.all holds a dot segment, which a path cannot hold"},
		{"a dot", "p", `"."`, "parameter p of shop.all holds a dot segment, which a path cannot hold"},
		{"dots within", "p", `"a/../b"`, "parameter p of shop.all holds a dot segment, which a path cannot hold"},
		{"dots with backslash", "p", `"..\\b"`, "parameter p of shop.all holds a dot segment, which a path cannot hold"},
		{"no value in the path", "p", `null`, "parameter p of shop.all has no value"},
		{"required", "must", `null`, "parameter must of shop.all has no value"},
		{"object", "must", `{}`, "parameter must of shop.all is a list or an object, which cannot stand there"},
		{"list in a scalar's place", "text", `["a"]`, "parameter text of shop.all is a list or an object, which cannot stand there"},
		{"whole", "q", `1.5`, "parameter q of shop.all is not a whole number"},
		{"whole with exponent", "q", `1e3`, "parameter q of shop.all is not a whole number"},
		{"whole as text", "q", `"1/2"`, "parameter q of shop.all is not a whole number"},
		{"number", "price", `"a"`, "parameter price of shop.all is not a number"},
		{"boolean", "yes", `1`, "parameter yes of shop.all is not true or false"},
		{"none within a list", "many[]", `[null]`, "parameter many[] of shop.all has an element without value"},
		{"line break in a header", "X-Note", `"a\r\nHost: b"`, "parameter X-Note of shop.all holds a line break or another control character, which a header cannot hold"},
		{"NUL in a header", "X-Note", `"a\u0000"`, "parameter X-Note of shop.all holds a line break or another control character, which a header cannot hold"},
	} {
		t.Run(c.name, func(t *testing.T) {
			values := map[string]string{"p": `"x"`, "q": `"5"`, "must": `1`}
			values[c.param] = c.value
			var r contract.Request
			require.EqualError(t, op.Build(&r, set(op, values), []byte(`{}`)), c.want)
		})
	}
	var r contract.Request
	require.EqualError(t, op.Build(&r, set(op, map[string]string{"p": `"x"`, "q": "1", "must": "1"}), nil), "the body of shop.all has no value")
	require.EqualError(t, op.Build(&r, nil, nil), "parameter p of shop.all has no value")
}

func TestBuildForm(t *testing.T) {
	c := load(t, "shop", places)
	op := c.Operations["form"]
	var r contract.Request
	require.NoError(t, op.Build(&r, nil, []byte(`{"a":"x y&z","b":["1","ç"],"n":null,"i":7}`)))
	require.Equal(t, "a=x%20y%26z&b=1&b=%C3%A7&n=&i=7", string(r.Body))
	require.Equal(t, "application/x-www-form-urlencoded", r.Type)
	require.EqualError(t, op.Build(&r, nil, []byte(`[1]`)), "the body of shop.form is a form, which an object must fill")
	require.EqualError(t, op.Build(&r, nil, []byte(`{"a":{}}`)), "form field a of shop.form is a list or an object, which cannot stand there")
	require.EqualError(t, op.Build(&r, nil, []byte(`{"a":[[]]}`)), "form field a of shop.form is a list or an object, which cannot stand there")
	require.NoError(t, op.Build(&r, nil, nil))
	require.Empty(t, r.Body)
	get := c.Operations["get"]
	require.EqualError(t, get.Build(&r, set(get, map[string]string{"p": `"x"`}), []byte(`{}`)), "shop.get takes no body")
}

// What Build escapes, net/url and net/http read back as it was; what cannot stand in its place is refused.
func TestEscapingRoundTrips(t *testing.T) {
	op := load(t, "shop", places).Operations["get"]
	texts := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("./\\%2f\r\n\x00&=+#?;: aç\u2028"))))
	rapid.Check(t, func(t *rapid.T) {
		p, q, h := texts.Draw(t, "path"), texts.Draw(t, "query"), texts.Draw(t, "header")
		values := []jsonx.Value{jsonx.TextValue(p), jsonx.TextValue(q), jsonx.TextValue(h)}
		var r contract.Request
		if err := op.Build(&r, values, nil); err != nil {
			bad := p == "" || strings.ContainsFunc(h, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
			for _, seg := range strings.FieldsFunc(p, func(c rune) bool { return c == '/' || c == '\\' }) {
				bad = bad || seg == "." || seg == ".."
			}
			if !bad {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		u, err := url.ParseRequestURI(string(r.Target))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Split(u.EscapedPath(), "/"); len(got) != 3 || unescape(t, got[2]) != p {
			t.Fatalf("path %q became %q", p, r.Target)
		}
		if got := u.Query()["q"]; len(got) != 1 || got[0] != q {
			t.Fatalf("query %q became %q", q, r.Target)
		}
		req, err := http.NewRequest(http.MethodGet, "http://x", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Headers {
			req.Header.Set(f.Name, f.Value)
		}
		if got := req.Header.Get("H"); got != h || strings.ContainsAny(got, "\r\n\x00") {
			t.Fatalf("header %q became %q", h, got)
		}
	})
}

func unescape(t *rapid.T, s string) string {
	u, err := url.PathUnescape(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func BenchmarkBuild(b *testing.B) {
	op := load(b, "shop", places).Operations["all"]
	values := set(op, map[string]string{"p": `"x"`, "q": "1", "must": "1", "X-Note": `"n"`})
	body := []byte(`{"a":1}`)
	var r contract.Request
	b.ReportAllocs()
	for b.Loop() {
		if err := op.Build(&r, values, body); err != nil {
			b.Fatal(err)
		}
	}
}
