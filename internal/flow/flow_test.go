package flow_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
)

func TestOneCall(t *testing.T) {
	set := load(t, `
input: { id: { type: string, required: true } }
steps:
  item: { call: shop.item, with: { id: "${input.id}" } }
reply:
  - json: { name: "${item.name}", size: "${item.size}", header: '${?steps.item.header["X-Shop"]}', status: "${?steps.item.status}", state: "${steps.item.state}" }
`)
	got := run(t, set, newShelf().gives("item", `{"id":"a","name":"n","size":1.0}`), `{"id":"a/b"}`)
	requireReply(t, `{"name":"n","size":1.0,"header":"open","status":200,"state":"ok"}`, got)
	require.Equal(t, []string{"item /items/a%2Fb"}, got.calls)
	require.Equal(t, 200, got.Status)
	require.Equal(t, "application/json", got.Type)
	require.Zero(t, got.Index)
}

// TestEnds runs one step through every end it can have and every catch.
func TestEnds(t *testing.T) {
	const text = `
input: { id: { type: string } }
steps:
  made: { call: shop.order, body: { id: "${input.id ?? 'x'}" }CATCH }
reply:
  - { when: steps.made.state == "ok", json: { done: "${?made?.number}" } }
  - { json: { state: "${steps.made.state}", class: "${?steps.made.error?.class}", status: "${?steps.made.error?.status}", body: "${?made}" } }
`
	for _, c := range []struct {
		name, catch   string
		state         contract.State
		class         string
		status        int
		message       string
		want          string // the reply's body, or
		kind, problem string // the problem
	}{
		{"ok", ", catch: { any: continue }", contract.OK, "", 200, "", `{"done":"7"}`, "", ""},
		{"refused, uncaught", "", contract.Refused, "taken", 409, "gone", "", "refused", "gone"},
		{"failed, uncaught", "", contract.Failed, "status", 500, "words of the backend", "", "failed", "words of the backend"},
		{"unknown, uncaught", "", contract.Unknown, "broken", 0, "", "", "failed", ""},
		{"timeout, uncaught", "", contract.Failed, "timeout", 0, "", "", "timeout", ""},
		{"lost by timeout, uncaught", "", contract.Unknown, "timeout", 0, "", "", "timeout", ""},
		{"unavailable, uncaught", "", contract.Failed, "unavailable", 0, "", "", "unavailable", ""},
		{"refused, continued", ", catch: { refused: continue, any: { fail: no } }", contract.Refused, "taken", 409, "", `{"state":"refused","class":"taken","status":409}`, "", ""},
		{"failed, continued", ", catch: { any: continue }", contract.Failed, "timeout", 0, "", `{"state":"failed","class":"timeout"}`, "", ""},
		{"unknown, continued", ", catch: { unknown: continue }", contract.Unknown, "broken", 0, "", `{"state":"unknown","class":"broken"}`, "", ""},
		{"another state caught", ", catch: { unknown: continue }", contract.Failed, "broken", 0, "", "", "failed", ""},
		{"use", `, catch: { any: { use: { number: "${error.class}" } } }`, contract.Refused, "taken", 409, "", `{"state":"refused","class":"taken","status":409,"body":{"number":"taken"}}`, "", ""},
		{"fail", `, catch: { failed: { fail: "no ${error.class} ${input.id ?? '?'}" } }`, contract.Failed, "timeout", 0, "", "", "refused", "no timeout ?"},
		{"class before state", ", catch: { refused: { fail: state }, taken: continue }", contract.Refused, "taken", 409, "", `{"state":"refused","class":"taken","status":409}`, "", ""},
		{"class before status", ", catch: { 409: { fail: status }, taken: continue }", contract.Refused, "taken", 409, "", `{"state":"refused","class":"taken","status":409}`, "", ""},
		{"status before state", ", catch: { any: { fail: any }, failed: { fail: state }, 503: continue }", contract.Failed, "status", 503, "", `{"state":"failed","class":"status","status":503}`, "", ""},
		{"state before any", ", catch: { any: { fail: any }, failed: continue }", contract.Failed, "status", 502, "", `{"state":"failed","class":"status","status":502}`, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShelf().ends("order", c.state, c.class, c.status, c.message)
			if c.state == contract.OK {
				s.gives("order", `{"number":"7"}`)
			}
			got := run(t, load(t, replace(text, "CATCH", c.catch)), s, `{}`)
			require.Equal(t, []string{`order /order {"id":"x"}`}, got.calls)
			if c.kind == "" {
				requireReply(t, c.want, got)
				return
			}
			require.NotNil(t, got.Problem)
			require.Equal(t, c.kind, got.Problem.Kind.String())
			require.Equal(t, c.problem, got.Problem.Message)
			require.Equal(t, "made", got.Problem.Step)
			require.Empty(t, got.body)
			require.Nil(t, got.Reply)
		})
	}
}

func TestReadingIsNeverUnknown(t *testing.T) {
	set := load(t, `
steps:
  item: { call: shop.item, with: { id: a }, catch: { any: continue } }
reply:
  - { when: steps.item.state == "ok", json: ok }
  - { json: "${steps.item.state}" }
`)
	got := run(t, set, newShelf().ends("item", contract.Unknown, "broken", 0, ""), `{}`)
	requireReply(t, `"failed"`, got)
}

func TestSkipping(t *testing.T) {
	set := load(t, `
input: { id: { type: string } }
steps:
  item: { when: input.id != nil, call: shop.item, with: { id: "${input.id}" } }
  after: { call: shop.other, body: { name: "${item.name}" } }
  third: { when: 'steps.after.state == "ok"', call: shop.other, body: { id: "${after.id}" } }
reply:
  - { when: item == nil, json: { item: "${steps.item.state}", after: "${steps.after.state}", third: "${steps.third.state}", body: "${?after}" } }
  - { json: { name: "${item.name}" } }
`)
	got := run(t, set, newShelf(), `{}`)
	requireReply(t, `{"item":"skipped","after":"skipped","third":"skipped"}`, got)
	require.Empty(t, got.calls)
	require.Equal(t, []string{"item: skipped, when is false", "after: skipped, needs item", "third: skipped, when is false"}, got.told)

	got = run(t, set, newShelf().gives("item", `{"id":"a","name":"n"}`).gives("other", `{"id":"b"}`), `{"id":"a"}`)
	requireReply(t, `{"name":"n"}`, got)
	require.Equal(t, []string{"item /items/a", `other /other {"name":"n"}`, `other /other {"id":"b"}`}, got.calls)
}

func TestNullBodyIsMissing(t *testing.T) {
	set := load(t, `
steps:
  item: { call: shop.other, catch: { any: continue } }
  after: { call: shop.order, body: { id: "${item.id}" } }
reply:
  - { json: "${steps.after.state}" }
`)
	requireReply(t, `"skipped"`, run(t, set, newShelf().gives("other", `null`), `{}`))
}

func TestSwitch(t *testing.T) {
	set := load(t, `
input: { kind: { type: string, required: true } }
steps:
  what:
    switch:
      - { when: input.kind == "a", call: shop.item, with: { id: a } }
      - { when: input.kind == "b", use: { id: "${input.kind}" } }
      - { when: input.kind == "c", fail: "no ${input.kind}" }
      - { when: input.kind == "d", skip: true }
      - { call: shop.other, body: { id: "${input.kind}" } }
reply:
  - { json: { id: "${?what?.id}", state: "${steps.what.state}" } }
`)
	s := func() *shelf { return newShelf().gives("item", `{"id":"A"}`).gives("other", `{"id":"O"}`) }
	for kind, want := range map[string]struct{ reply, told string }{
		"a": {`{"id":"A","state":"ok"}`, `what: ok {"id":"A"}`},
		"b": {`{"id":"b","state":"ok"}`, `what: ok, case 1 {"id":"b"}`},
		"d": {`{"state":"skipped"}`, `what: skipped, the case says skip, case 3`},
		"e": {`{"id":"O","state":"ok"}`, `what: ok, case 4 {"id":"O"}`},
	} {
		got := run(t, set, s(), `{"kind":"`+kind+`"}`)
		requireReply(t, want.reply, got)
		require.Equal(t, []string{want.told}, got.told)
	}
	got := run(t, set, s(), `{"kind":"c"}`)
	require.Equal(t, "refused", got.Problem.Kind.String())
	require.Equal(t, "no c", got.Problem.Message)
	require.Equal(t, "business", got.Problem.Class)
}

func TestFailures(t *testing.T) {
	set := load(t, `
steps:
  a: { call: shop.item, with: { id: a }, catch: { any: continue } }
  b: { call: shop.other, catch: { any: continue } }
  c: { call: shop.other, catch: { any: { use: { id: u } } } }
reply:
  - { when: len(failures) > 0, json: "${failures}" }
  - { json: none }
`)
	got := run(t, set, newShelf().ends("item", contract.Failed, "timeout", 0, "").ends("other", contract.Refused, "not_found", 404, "x"), `{}`)
	requireReply(t, `[{"step":"a","class":"timeout"},{"step":"b","class":"not_found"}]`, got)
	requireReply(t, `"none"`, run(t, set, newShelf().gives("item", `{"id":"a"}`).gives("other", `{}`), `{}`))
}

func TestNothingIsSentWhenATemplateFails(t *testing.T) {
	const text = `
input: { id: { type: string, required: true } }
steps:
  item: { call: shop.item, with: { id: "${input.id}" } }
  made: { call: shop.order, body: { id: "${only(filter([item.name], # != 'n'))}" }CATCH }
reply:
  - { when: steps.made.state == "ok", json: ok }
  - { json: "${steps.made.error?.class ?? 'none'}" }
`
	s := func() *shelf { return newShelf().gives("item", `{"id":"a","name":"n"}`) }
	got := run(t, load(t, replace(text, "CATCH", "")), s(), `{"id":"a"}`)
	require.Equal(t, "internal", got.Problem.Kind.String())
	require.Equal(t, "template", got.Problem.Class)
	require.Equal(t, "made", got.Problem.Step)
	require.Contains(t, got.Problem.Cause.Error(), "t.yaml:8:")
	require.Equal(t, []string{"item /items/a"}, got.calls)

	got = run(t, load(t, replace(text, "CATCH", ", catch: { any: continue }")), s(), `{"id":"a"}`)
	requireReply(t, `"template"`, got)
	require.Equal(t, []string{"item /items/a"}, got.calls)
}

func TestWhatCannotStandInItsPlaceIsNotSent(t *testing.T) {
	set := load(t, `
input: { id: { type: string, required: true } }
steps:
  item: { call: shop.item, with: { id: "${input.id}", X-Note: "${input.id}" } }
reply: [{ json: ok }]
`)
	for _, id := range []string{`..`, ``, `a\r\nb`} {
		got := run(t, set, newShelf(), `{"id":"`+id+`"}`)
		require.Equal(t, "internal", got.Problem.Kind.String())
		require.Contains(t, got.Problem.Cause.Error(), "t.yaml:7:")
		require.Empty(t, got.calls)
	}
}

func TestReplies(t *testing.T) {
	set := load(t, `
input: { id: { type: string, required: true } }
steps:
  item: { call: shop.other, body: { id: "${input.id}" } }
reply:
  - { when: item.id == "text", text: "id ${item.id}", header: { X-Id: "${item.id}", X-Two: "${item.id}-2" }, status: 201 }
  - { when: item.id == "patch", patch: "${item}", set: { "a.b": "${input.id}", c: "${item.z}" }, delete: [id], type: application/vnd.x+json }
  - { json: { id: "${item.id}" }, header: { X-Id: "${item.id}" } }
`)
	got := run(t, set, newShelf().gives("other", `{"id":"text"}`), `{"id":"i"}`)
	requireReply(t, `id text`, got)
	require.Equal(t, 201, got.Status)
	require.Equal(t, "text/plain; charset=utf-8", got.Type)
	require.Equal(t, []contract.Header{{Name: "X-Id", Value: "text"}, {Name: "X-Two", Value: "text-2"}}, got.Header)

	got = run(t, set, newShelf().gives("other", `{"id":"patch","z":1.10}`), `{"id":"i"}`)
	requireReply(t, `{"z":1.10,"a":{"b":"i"},"c":1.10}`, got)
	require.Equal(t, "application/vnd.x+json", got.Type)
	require.Equal(t, 1, got.Index)

	got = run(t, set, newShelf().gives("other", `{"id":"a\r\nSet-Cookie: x"}`), `{"id":"i"}`)
	require.Equal(t, "internal", got.Problem.Kind.String())
	require.Equal(t, "t.yaml:11:5: the value of header X-Id holds a control character", got.Problem.Cause.Error())
	require.Empty(t, got.body)

	got = run(t, set, newShelf().gives("other", `{}`), `{"id":"i"}`)
	require.Equal(t, "internal", got.Problem.Kind.String(), "a reply's failed template is ours")
	require.Empty(t, got.Problem.Step)
}

func TestReplyIsAppended(t *testing.T) {
	set := load(t, "\nsteps: {}\nreply: [{ json: { now: \"${date(now, 'yyyy')}\", limit: \"${const.limit}\" } }]\n")
	requireReply(t, `{"now":"2026","limit":10}`, run(t, set, newShelf(), `{}`))
}

func TestTextTemplateAndPatchAsBody(t *testing.T) {
	set := load(t, `
input: { id: { type: string, required: true } }
steps:
  a: { call: shop.other, template: note.json, vars: { _ID_: "${input.id}", _N_: "${len(input.id)}" } }
  b: { call: shop.other, patch: "${a}", set: { id: "${input.id}" }, delete: [n] }
reply: [{ json: "${b}" }]
`)
	got := run(t, set, newShelf().gives("other", `{"id":"x","n":5,"z":[]}`), `{"id":"\"q\""}`)
	require.Nil(t, got.Problem)
	require.Equal(t, []string{`other /other {"id": "\"q\"", "n": 3}`, `other /other {"id":"\"q\"","z":[]}`}, got.calls)
}
