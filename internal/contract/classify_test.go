package contract_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

const kinds = `openapi: 3.1.0
x-emenda: 1
info: { title: Shop, version: "1" }
x-emenda-outcomes:
  - { when: answer?.code == 7, is: failed, class: seven, message: "${answer?.text ?? (1 / (status - 200))} at ${status}" }
  - { when: answer?.deep?.er == 1, is: refused }
  - { when: answer == "NO", is: refused }
  - { when: status == 418, is: refused, class: teapot }
  - { when: answer?.code == 8, is: unknown }
paths:
  /json:
    get:
      operationId: j
      x-emenda-changes: false
      x-emenda-outcomes:
        - { when: status == 200 and answer?.code == 7 and answer?.fine == true, is: ok }
      responses: { "200": { description: A., content: { application/json: { schema: {} } } } }
    post:
      operationId: j.change
      x-emenda-changes: true
      x-emenda-outcomes:
        - { when: answer?.code == 9 and status < 300, is: unknown, class: half, message: "${answer?.text}" }
      responses: { "200": { description: A., content: { application/json: { schema: {} } } } }
  /text:
    get:
      operationId: t
      x-emenda-changes: false
      responses: { "200": { description: A., content: { text/plain: {} } } }
  /none:
    delete:
      operationId: n
      x-emenda-changes: true
      responses: { "204": { description: Done. } }
`

// outcome gives what an answer means in short.
func outcome(op *contract.Operation, status int, contentType, body string) string {
	var a jsonx.Arena
	o := op.Classify(&a, status, contentType, []byte(body))
	s := o.State.String()
	if o.Class != "" {
		s += " " + o.Class
	}
	if o.Message != "" {
		s += " (" + o.Message + ")"
	}
	if o.Body.Kind() != jsonx.Absent {
		s += " " + string(o.Body.AppendJSON(nil))
	}
	return s
}

func TestClassify(t *testing.T) {
	c := load(t, "shop", kinds)
	const js, tx = "application/json", "text/plain"
	for _, r := range []struct {
		name, op    string
		status      int
		contentType string
		body, want  string
	}{
		{"object", "j", 200, js, ` {"a": 1.10} `, `ok {"a": 1.10}`},
		{"bare text", "j", 200, js, `"ACCEPTED"`, `ok "ACCEPTED"`},
		{"null", "j", 200, js, `null`, `ok null`},
		{"no content type", "j", 200, "", `{}`, `ok {}`},
		{"problem+json", "j", 400, "application/problem+json", `{}`, `failed status {}`},
		{"byte order mark", "j", 200, js, "\uFEFF{}", `ok {}`},
		{"latin", "j", 200, "application/json; charset=ISO-8859-1", "{\"a\":\"\xe7\x80\"}", `ok {"a":"ç€"}`},
		{"latin, quoted, small", "j", 200, `application/json;Charset="latin1"`, "\"\xe7\"", `ok "ç"`},
		{"not UTF-8 and not said", "j", 200, js, "\"\xe7\"", `failed bad_answer`},
		{"words", "j", 200, js, `done`, `failed bad_answer`},
		{"words a rule knows", "j", 200, js, "NO\r\n", `refused business "NO"`},
		{"cut", "j", 200, js, `{"a":`, `failed bad_answer`},
		{"cut, changing", "j.change", 200, js, `{"a":`, `unknown bad_answer`},
		{"two documents", "j", 200, js, `{} {}`, `failed bad_answer`},
		{"too deep", "j", 200, js, strings.Repeat("[", 600) + strings.Repeat("]", 600), `failed bad_answer`},
		{"empty", "j", 200, js, ` `, `failed bad_answer`},
		{"empty, changing", "j.change", 200, js, ``, `unknown bad_answer`},
		{"page", "j", 200, "text/html; charset=utf-8", `<p>`, `failed bad_answer`},
		{"page, JSON within", "j", 200, "text/html", `{}`, `failed bad_answer`},
		{"page in place of text", "t", 200, tx, "\n<!DOCTYPE html>", `failed bad_answer`},
		{"page, not found", "j", 404, "text/html", `<p>`, `failed bad_answer`},
		{"page, rule of status only", "j", 418, "text/html", `<p>`, `refused teapot`},
		{"not found", "j", 404, js, ``, `refused not_found`},
		{"not found, in words", "j", 404, tx, `no such thing`, `refused not_found`},
		{"rule with message", "j", 503, js, `{"code":7,"text":"so"}`, `failed seven (so at 503) {"code":7,"text":"so"}`},
		{"rule with message missing", "j", 200, js, `{"code":7}`, `failed seven {"code":7}`},
		{"the operation's rules come first", "j", 200, js, `{"code":7,"fine":true}`, `ok {"code":7,"fine":true}`},
		{"a rule that cannot be told does not hold", "j", 200, js, `{"deep":1}`, `ok {"deep":1}`},
		{"nobody knows", "j.change", 200, js, `{"code":8}`, `unknown bad_answer {"code":8}`},
		{"nobody knows, said otherwise", "j.change", 200, js, `{"code":9,"text":"so"}`, `unknown half (so) {"code":9,"text":"so"}`},
		{"nothing was changed", "j", 200, js, `{"code":8}`, `failed bad_answer {"code":8}`},
		{"unauthorised", "j.change", 401, js, `{}`, `failed sign_in {}`},
		{"too many", "j.change", 429, js, `{}`, `failed status {}`},
		{"server error", "j", 500, js, `{}`, `failed status {}`},
		{"server error, changing", "j.change", 500, js, `{}`, `unknown status {}`},
		{"redirect", "j", 302, js, `{}`, `failed status {}`},
		{"text", "t", 200, tx, " two\nlines", `ok " two\nlines"`},
		{"no text", "t", 200, tx, "", `ok ""`},
		{"text sent as JSON", "t", 200, js, `"a"`, `ok "a"`},
		{"text called JSON", "t", 200, js, `a`, `ok "a"`},
		{"text latin", "t", 200, "text/plain;charset=windows-1252", "\xe7", `ok "ç"`},
		{"nothing where nothing is expected", "n", 204, "", "", `ok`},
		{"something where nothing is expected", "n", 200, js, `{"a":1}`, `ok {"a":1}`},
		{"a page where nothing is expected", "n", 200, "text/html", `<p>`, `unknown bad_answer`},
	} {
		t.Run(r.name, func(t *testing.T) {
			require.Equal(t, r.want, outcome(c.Operations[r.op], r.status, r.contentType, r.body))
		})
	}
}

func TestStates(t *testing.T) {
	for state, name := range map[contract.State]string{
		contract.OK: "ok", contract.Refused: "refused", contract.Failed: "failed", contract.Unknown: "unknown", contract.Skipped: "skipped",
	} {
		require.Equal(t, name, state.String())
	}
}

func TestClasses(t *testing.T) {
	c := load(t, "shop", kinds)
	j, change := c.Operations["j"], c.Operations["j.change"]
	require.Equal(t, []string{"business", "teapot", "not_found"}, j.Classes(contract.Refused))
	require.Equal(t, []string{"seven", "bad_answer", "sign_in", "status"}, j.Classes(contract.Failed))
	require.Empty(t, j.Classes(contract.Unknown))
	require.Equal(t, []string{"seven", "sign_in", "status"}, change.Classes(contract.Failed))
	require.Equal(t, []string{"half", "bad_answer", "status"}, change.Classes(contract.Unknown))
}

// Whatever comes, an answer that is no JSON is never ok where JSON is
// expected, and a page never has a body.
func FuzzClassify(f *testing.F) {
	for _, s := range []string{`{}`, `{"code":7}`, "<html>", "\xe7", `{"a":`, "NO", "", `[[[]]]`, "\uFEFF{}", `{"deep":{"er":1}}`} {
		f.Add(200, "application/json", s)
		f.Add(500, "text/html;charset=latin1", s)
	}
	c := load(f, "shop", kinds)
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		for _, op := range c.Operations {
			var a jsonx.Arena
			o := op.Classify(&a, status, contentType, []byte(body))
			if o.State == contract.OK && op.AnswerKind == contract.JSONAnswer && o.Body.Kind() == jsonx.Absent {
				t.Errorf("%s: ok without a body", op.ID)
			}
			if o.State == contract.Unknown && !op.Changes {
				t.Errorf("%s: unknown, though it changes nothing", op.ID)
			}
			if (o.State == contract.OK) != (o.Class == "") {
				t.Errorf("%s: %s with class %q", op.ID, o.State, o.Class)
			}
			if strings.HasPrefix(strings.TrimSpace(body), "<html") && o.Body.Kind() != jsonx.Absent {
				t.Errorf("%s: a page is passed on", op.ID)
			}
			_ = o.Body.AppendJSON(nil)
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	op := load(b, "shop", kinds).Operations["j"]
	body := []byte(`{"id":5,"lines":[` + strings.Repeat(`{"code":12,"name":"a thing","price":1.50},`, 9) + `{"code":1}]}`)
	var a jsonx.Arena
	b.ReportAllocs()
	for b.Loop() {
		if op.Classify(&a, 200, "application/json", body).State != contract.OK {
			b.Fatal("not ok")
		}
		a.Reset()
	}
}

// What cannot be read is told, whatever a rule or the status makes of it.
func TestUnreadable(t *testing.T) {
	c := load(t, "shop", kinds)
	for _, r := range []struct {
		name, op    string
		status      int
		contentType string
		body        string
		want        bool
	}{
		{"JSON", "j", 200, "application/json", `{}`, false},
		{"JSON of an error", "j", 500, "application/json", `{}`, false},
		{"nothing", "j", 200, "application/json", ``, false},
		{"nothing where nothing is expected", "n", 204, "", ``, false},
		{"words", "j", 400, "text/plain", `no`, false},
		{"a page", "j", 200, "text/html", `<p>`, true},
		{"a page of an error", "j", 500, "text/html", `<p>`, true},
		{"a page that a rule knows by its status", "j", 418, "text/html", `<p>`, true},
		{"a page where text is expected", "t", 200, "text/plain", `<!doctype html>`, true},
		{"half of JSON", "j", 200, "application/json", `{"a":`, true},
		{"half of JSON of an error", "n", 404, "application/json", `{"a":`, true},
	} {
		t.Run(r.name, func(t *testing.T) {
			var a jsonx.Arena
			require.Equal(t, r.want, c.Operations[r.op].Classify(&a, r.status, r.contentType, []byte(r.body)).Unreadable)
		})
	}
}
