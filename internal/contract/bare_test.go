package contract_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// asked gives the operation that a mapping's request becomes.
func asked(t require.TestingT, method, path string, query, header []string, answer contract.AnswerKind) *contract.Operation {
	node := func(text string) *yamldoc.Node {
		n, list := yamldoc.Parse(diag.NewFile("m.yaml", string(jsonx.AppendQuoted(nil, text))))
		require.Empty(t, list.Text())
		return n
	}
	p := contract.Plain{Backend: "files", Method: method, Path: node(path), Changes: method != "GET", Answer: answer}
	for _, q := range query {
		p.Query = append(p.Query, node(q))
	}
	for _, h := range header {
		p.Header = append(p.Header, node(h))
	}
	op, list := p.Operation()
	require.Empty(t, list.Text())
	return op
}

func TestBareSignIn(t *testing.T) {
	require.Equal(t, contract.SignIn{}, contract.Bare("files", nil).SignIn)
	c := contract.Bare("files", []string{"password", "user"})
	require.Equal(t, contract.SignIn{Variables: []string{"password", "user"}, Basic: &contract.Basic{User: "user", Password: "password"}}, c.SignIn)
	require.Equal(t, contract.SignIn{Variables: []string{"bearer"}, Bearer: "bearer"}, contract.Bare("files", []string{"bearer"}).SignIn)
	require.Empty(t, c.Operations)
	require.Equal(t, "files", c.Name)
}

func TestPlainBuild(t *testing.T) {
	op := asked(t, "PUT", "/v1/items/{id}/{id}.json", []string{"q", "many[]"}, []string{"X-Note"}, contract.JSONAnswer)
	require.Equal(t, "files PUT /v1/items/{id}/{id}.json", op.Name())
	require.Equal(t, "PUT /v1/items/{id}/{id}.json", op.ID)
	for name, c := range map[string]struct {
		id, q, many, note string
		want              string // target and headers, or the error
	}{
		"digits":            {id: `70`, want: "/v1/items/70/70.json []"},
		"query and header":  {id: `"a"`, q: `"x&y=1 +"`, many: `[1,"b c"]`, note: `"hi"`, want: "/v1/items/a/a.json?q=x%26y%3D1%20%2B&many%5B%5D=1&many%5B%5D=b%20c [{X-Note hi}]"},
		"slash":             {id: `"a/b"`, want: "/v1/items/a%2Fb/a%2Fb.json []"},
		"escaped slash":     {id: `"a%2fb"`, want: "/v1/items/a%252fb/a%252fb.json []"},
		"line break":        {id: `"a\r\nX: y"`, want: "/v1/items/a%0D%0AX%3A%20y/a%0D%0AX%3A%20y.json []"},
		"question mark":     {id: `"a?b#c"`, want: "/v1/items/a%3Fb%23c/a%3Fb%23c.json []"},
		"dots":              {id: `".."`, want: "parameter id of files PUT /v1/items/{id}/{id}.json holds a dot segment, which a path cannot hold"},
		"dots inside":       {id: `"a/../b"`, want: "parameter id of files PUT /v1/items/{id}/{id}.json holds a dot segment, which a path cannot hold"},
		"empty":             {id: `""`, want: "parameter id of files PUT /v1/items/{id}/{id}.json is empty, which a path cannot hold"},
		"none":              {want: "parameter id of files PUT /v1/items/{id}/{id}.json has no value"},
		"object":            {id: `{"a":1}`, want: "parameter id of files PUT /v1/items/{id}/{id}.json is a list or an object, which cannot stand there"},
		"header line break": {id: `1`, note: `"a\r\nX: y"`, want: "parameter X-Note of files PUT /v1/items/{id}/{id}.json holds a line break or another control character, which a header cannot hold"},
	} {
		t.Run(name, func(t *testing.T) {
			values := map[string]string{}
			for k, v := range map[string]string{"id": c.id, "q": c.q, "many[]": c.many, "X-Note": c.note} {
				if v != "" {
					values[k] = v
				}
			}
			var r contract.Request
			got := ""
			if err := op.Build(&r, set(op, values), []byte(`{"a":1}`)); err != nil {
				got = err.Error()
			} else {
				got = string(r.Target) + " ["
				for _, h := range r.Headers {
					got += "{" + h.Name + " " + h.Value + "}"
				}
				got += "]"
				require.Equal(t, "application/json", r.Type)
				require.JSONEq(t, `{"a":1}`, string(r.Body))
			}
			require.Equal(t, c.want, got)
		})
	}
}

// Whatever a value is, it stays one segment of the path: what the server
// decodes is the value, and the host is none of it.
func TestPlainPathKeepsValues(t *testing.T) {
	op := asked(t, "GET", "/a/{x}/b", nil, nil, contract.JSONAnswer)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "x")
		var r contract.Request
		if op.Build(&r, []jsonx.Value{jsonx.TextValue(text)}, nil) != nil {
			return
		}
		u, err := url.Parse("http://h" + string(r.Target))
		require.NoError(t, err)
		require.Equal(t, "h", u.Host)
		parts := strings.Split(u.EscapedPath(), "/")
		require.Len(t, parts, 4)
		back, err := url.PathUnescape(parts[2])
		require.NoError(t, err)
		require.Equal(t, text, back)
	})
}

// HTTP's meaning is all there is of answers.
func TestPlainClassify(t *testing.T) {
	for name, c := range map[string]struct {
		method      string
		answer      contract.AnswerKind
		status      int
		contentType string
		body, want  string
	}{
		"ok":                 {"GET", contract.JSONAnswer, 200, "application/json", `[1]`, "ok"},
		"created":            {"POST", contract.JSONAnswer, 201, "application/json", `{}`, "ok"},
		"not there":          {"GET", contract.JSONAnswer, 404, "application/json", `{}`, "refused not_found"},
		"a page":             {"GET", contract.JSONAnswer, 200, "text/html", `<html>`, "failed bad_answer"},
		"a page of a change": {"POST", contract.JSONAnswer, 200, "text/html", `<html>`, "unknown bad_answer"},
		"a page as text":     {"GET", contract.TextAnswer, 200, "text/plain", `<!doctype html>`, "failed bad_answer"},
		"text":               {"GET", contract.TextAnswer, 200, "text/plain", `hi`, "ok"},
		"no body":            {"DELETE", contract.NoAnswer, 204, "", ``, "ok"},
		"a body missing":     {"GET", contract.JSONAnswer, 200, "application/json", ``, "failed bad_answer"},
		"bad sign-in":        {"GET", contract.JSONAnswer, 401, "", ``, "failed sign_in"},
		"server error":       {"POST", contract.JSONAnswer, http.StatusInternalServerError, "", ``, "unknown status"},
	} {
		t.Run(name, func(t *testing.T) {
			op := asked(t, c.method, "/x", nil, nil, c.answer)
			var a jsonx.Arena
			out := op.Classify(&a, c.status, c.contentType, []byte(c.body))
			got := out.State.String()
			if out.Class != "" {
				got += " " + out.Class
			}
			require.Equal(t, c.want, got)
		})
	}
}

// Whatever stands as path: it is refused in place, or requests go below the
// backend's url, to one place for one value.
func FuzzPlainPath(f *testing.F) {
	for _, seed := range []string{"/", "/v1/{id}", "/{a}{b}/x.{a}", "//h/x", "http://h", "/{", "/}", "/{}", "/${input.id}", "/a/../b", "/a?b=c", "/%2e%2e", "/%zz", "/a%", "/%2{a}", "/a b", "/ç"} {
		f.Add(seed, "x/y")
	}
	f.Fuzz(func(t *testing.T, path, value string) {
		n, list := yamldoc.Parse(diag.NewFile("m.yaml", string(jsonx.AppendQuoted(nil, path))))
		if n == nil || list.HasErrors() || n.Kind != yamldoc.Text {
			return
		}
		p := contract.Plain{Backend: "files", Method: "GET", Path: n}
		op, list := p.Operation()
		for _, d := range list {
			require.Less(t, d.Span.Start, d.Span.End+1)
			require.NotEmpty(t, d.Message)
		}
		if op == nil || list.HasErrors() {
			require.True(t, list.HasErrors(), "refused without a word")
			return
		}
		values := make([]jsonx.Value, len(op.Params))
		for i := range values {
			values[i] = jsonx.TextValue(value)
		}
		var r contract.Request
		if op.Build(&r, values, nil) != nil {
			return
		}
		u, err := url.Parse("http://h" + string(r.Target))
		require.NoError(t, err)
		require.Equal(t, "h", u.Host)
		require.Empty(t, u.RawQuery)
		require.Equal(t, strings.Count(path, "/"), strings.Count(u.EscapedPath(), "/"))
	})
}
