package contract_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

const clubRoot = `openapi: 3.1.0
x-emenda: 1
info: { title: Club, version: "1" }
x-emenda-objects: { member: Somebody., room: A room. }
components:
  schemas:
    Id: { type: integer, minimum: 1 }
`

const clubMembers = `x-emenda-section: Members
paths:
  /members/{id}:
    post:
      operationId: members.enter
      summary: Enter
      x-emenda-changes: true
      x-emenda-credentials: { user: user, password: password }
      parameters:
        - { name: id, in: path, required: true, schema: { $ref: "#/components/schemas/Id", x-emenda-names: member }, example: 7 }
        - { name: card, in: query, schema: { type: string }, examples: { card: { value: c1 } } }
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [user]
              properties:
                user: { type: string }
                password: { type: string, x-emenda-secret: true, x-emenda-required-when: query.card == nil }
                guests:
                  type: array
                  items:
                    type: object
                    properties:
                      name: { type: string, x-emenda-required-when: body.user == "host" }
                      room: { $ref: "#/components/schemas/Id", x-emenda-names: room }
                      picture: { type: string, format: byte, x-emenda-max-bytes: 64KB }
            examples:
              card: { value: { user: emma } }
              password: { value: { user: emma, password: p, guests: [{ name: "", room: "5" }] } }
              wrong: { x-emenda-exception: printed so, value: { guests: [] } }
      x-emenda-good: answer?.state == "IN"
      x-emenda-failures:
        no: { value: { state: OUT } }
      responses:
        "200":
          content:
            application/json:
              schema:
                type: object
                required: [state]
                properties: { state: { type: string }, member: { $ref: "#/components/schemas/Id", x-emenda-names: member }, keys: { type: array, items: { type: string, x-emenda-secret: true } } }
              examples: { password: { value: { state: IN } } }
  /rooms:
    get:
      operationId: rooms.list
      tags: [Rooms]
      x-emenda-changes: false
      x-emenda-cacheable: 5m
      responses: { "200": { content: { application/json: { schema: { type: array, items: { type: string } }, example: [Garden] } } } }
  /rooms/plan:
    get:
      operationId: rooms.plan
      x-emenda-changes: false
      responses: { "200": { content: { application/pdf: { schema: { type: string, format: binary }, examples: { plan: { value: The plan. } } } } } }
`

// folder reads files as a contract that is one.
func folder(t testing.TB, texts ...string) (*contract.Contract, diag.List) {
	t.Helper()
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	var files []*diag.File
	for i, text := range texts {
		files = append(files, diag.NewFile("club/"+string(rune('a'+i))+".yaml", text))
	}
	return contract.LoadFiles("club", files, fns)
}

func club(t testing.TB) *contract.Contract {
	t.Helper()
	c, list := folder(t, clubRoot, clubMembers)
	require.Empty(t, list.Text())
	return c
}

func TestFacts(t *testing.T) {
	c := club(t)
	require.Equal(t, "club/a.yaml", c.File.Name)
	require.Equal(t, []string{"member", "room"}, c.Objects)
	enter, rooms, plan := c.Operations["members.enter"], c.Operations["rooms.list"], c.Operations["rooms.plan"]
	require.Equal(t, []*contract.Operation{enter, rooms, plan}, c.Order)
	require.Equal(t, []string{"Members"}, enter.Tags)
	require.Equal(t, []string{"Rooms"}, rooms.Tags)
	require.Equal(t, "Enter", enter.Summary)
	require.Equal(t, "/members/{id}", enter.Path)
	require.Equal(t, &contract.Credentials{User: "user", Password: "password"}, enter.Credentials)
	require.Equal(t, 5*time.Minute, rooms.Cacheable)
	require.Zero(t, enter.Cacheable)
	require.Equal(t, []contract.Naming{
		{Place: contract.Place{In: contract.InPath, Path: []string{"id"}}, Kind: "member"},
		{Place: contract.Place{In: contract.InBody, Path: []string{"guests", "*", "room"}}, Kind: "room"},
		{Place: contract.Place{In: contract.InAnswer, Path: []string{"member"}}, Kind: "member"},
	}, enter.Names)
	require.Equal(t, []contract.Place{
		{In: contract.InBody, Path: []string{"password"}},
		{In: contract.InAnswer, Path: []string{"keys", "*"}},
	}, enter.Secrets)
	require.Equal(t, []contract.File{{Place: contract.Place{In: contract.InBody, Path: []string{"guests", "*", "picture"}}, MaxBytes: 64 << 10, Most: -1}}, enter.Files)
	user := enter.BodySchema.Property("user")
	require.True(t, user.Required)
	require.Equal(t, contract.IsString, user.Schema.Types)
	require.Nil(t, enter.BodySchema.Property("usr"))
	require.False(t, enter.BodySchema.Open)
	require.Equal(t, "1", string(enter.Params[0].Schema.Least.Append(nil)))
}

func TestMissing(t *testing.T) {
	op := club(t).Operations["members.enter"]
	for _, c := range []struct{ name, query, body, want string }{
		{"a card", `{"card":"c1"}`, `{"user":"emma"}`, ""},
		{"no card", `{}`, `{"user":"emma"}`, "password"},
		{"blank is none", `{}`, `{"user":"emma","password":" "}`, "password"},
		{"null is none", `{}`, `{"user":"emma","password":null}`, "password"},
		{"one element lacks it", `{"card":"c1"}`, `{"user":"host","guests":[{"name":"Jane"},{"room":1}]}`, "guests.*.name"},
		{"no element lacks it", `{"card":"c1"}`, `{"user":"host","guests":[{"name":"Jane"}]}`, ""},
		{"no elements", `{"card":"c1"}`, `{"user":"host"}`, ""},
		{"no body", `{"card":"c1"}`, ``, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, p := range op.Missing(jsonx.RawValue(c.query), jsonx.RawValue(c.body)) {
				got = append(got, strings.Join(p.Path, "."))
			}
			require.Equal(t, c.want, strings.Join(got, " "))
		})
	}
}

func TestExchanges(t *testing.T) {
	c := club(t)
	op := c.Operations["members.enter"]
	var got []string
	for _, ex := range op.Exchanges {
		line := ex.Name + " " + string(ex.Params[0].AppendJSON(nil)) + " " + string(ex.Params[1].AppendJSON(nil)) + " " + string(ex.Body)
		if ex.Answer != nil {
			line += " -> " + ex.Answer.Answer
		}
		if ex.Exception != "" {
			line += " (" + ex.Exception + ")"
		}
		require.True(t, ex.Whole)
		got = append(got, line)
	}
	require.Equal(t, []string{
		`card 7 "c1" {"user":"emma"}`,
		`password 7  {"user":"emma","password":"p","guests":[{"name":"","room":"5"}]} -> {"state":"IN"}`,
		`wrong 7  {"guests":[]} (printed so)`,
	}, got)
	require.True(t, op.Examples["no"].Failure)
	require.False(t, op.Examples["password"].Failure)
	require.Len(t, c.Operations["rooms.list"].Exchanges, 1)
}

// What is not the good answer is nothing that anybody knows; words in the place of a file are none.
func TestGoodAnswers(t *testing.T) {
	c := club(t)
	for _, r := range []struct {
		op, contentType, body string
		status                int
		want                  contract.State
	}{
		{"members.enter", "application/json", `{"state":"IN"}`, 200, contract.OK},
		{"members.enter", "application/json", `{"state":"IN"}`, 500, contract.Unknown},
		{"members.enter", "application/json", `{"state":"OUT"}`, 200, contract.Unknown},
		{"members.enter", "application/json", `{}`, 201, contract.Unknown},
		{"members.enter", "text/html", `<html>`, 200, contract.Unknown},
		{"members.enter", "application/json", `{}`, 404, contract.Refused},
		{"rooms.plan", "application/pdf", "%PDF-1.4 \xff\xfe", 200, contract.OK},
		{"rooms.plan", "application/octet-stream", "%PDF-1.4 \xff\xfe", 200, contract.OK},
		{"rooms.plan", "application/json", `{"a":1}`, 200, contract.Failed},
		{"rooms.plan", "text/plain", `no`, 200, contract.Failed},
		{"rooms.plan", "text/html", `<html>`, 200, contract.Failed},
		{"rooms.plan", "application/pdf", ``, 200, contract.Failed},
	} {
		var a jsonx.Arena
		o := c.Operations[r.op].Classify(&a, r.status, r.contentType, []byte(r.body))
		require.Equal(t, r.want, o.State, "%s %d %s", r.op, r.status, r.body)
	}
}

const twoOperations = `  /items:
    x-emenda-operations:
      get:
        - { when: filled(query?.id) != nil, operationId: items.get, x-emenda-changes: false, parameters: [{ name: id, in: query, required: true, schema: { type: integer }, example: 7 }], responses: { "204": { description: One. } } }
        - { when: "true", operationId: items.list, x-emenda-changes: false, responses: { "204": { description: All. } } }
`

func TestVariants(t *testing.T) {
	c, list := folder(t, clubRoot, clubMembers+twoOperations)
	require.Empty(t, list.Text())
	get, all := c.Operations["items.get"], c.Operations["items.list"]
	require.Equal(t, []*contract.Operation{get, all}, get.Variants)
	require.Same(t, get, all.Variant(jsonx.RawValue(`{"id":"5"}`), jsonx.Value{}))
	require.Same(t, all, get.Variant(jsonx.RawValue(`{}`), jsonx.Value{}))
	require.Same(t, all, get.Variant(jsonx.Value{}, jsonx.Value{}))
	alone := c.Operations["rooms.list"]
	require.Same(t, alone, alone.Variant(jsonx.Value{}, jsonx.Value{}))
}

// TestFolderMistakes shows what is told of contracts that are folders, and where.
func TestFolderMistakes(t *testing.T) {
	change := func(text, old, to string) string {
		t.Helper()
		require.Contains(t, text, old)
		return strings.Replace(text, old, to, 1)
	}
	more := clubMembers + twoOperations
	var got strings.Builder
	for _, c := range []struct {
		name  string
		texts []string
	}{
		{"two roots", []string{clubRoot, clubRoot, clubMembers}},
		{"no root", []string{clubMembers}},
		{"no paths", []string{clubRoot}},
		{"an operation twice", []string{clubRoot, clubMembers, "x-emenda-section: More\npaths:\n  /rooms:\n    get: { operationId: rooms.more, x-emenda-changes: false, responses: { \"204\": { description: x } } }\n"}},
		{"an operation twice, the parameter named otherwise", []string{clubRoot, clubMembers, "x-emenda-section: More\npaths:\n  /members/{member}:\n    post: { operationId: members.more, x-emenda-changes: true, parameters: [{ name: member, in: path, required: true, schema: { type: string } }], responses: { \"204\": { description: x } } }\n"}},
		{"a name twice", []string{clubRoot, clubMembers, "x-emenda-section: More\npaths:\n  /more:\n    get: { operationId: rooms.list, x-emenda-changes: false, responses: { \"204\": { description: x } } }\n"}},
		{"a component twice", []string{clubRoot, clubMembers, "x-emenda-section: More\ncomponents: { schemas: { Id: { type: string } } }\n"}},
		{"a mistake in a section", []string{clubRoot, change(clubMembers, "operationId: rooms.list", "operatonId: rooms.list")}},
		{"a key of the root in a section", []string{clubRoot, clubMembers + "x-emenda-outcomes: []\n"}},
		{"not a map", []string{clubRoot, clubMembers, "- a\n"}},
		{"unknown object", []string{clubRoot, change(clubMembers, "x-emenda-names: room", "x-emenda-names: rom")}},
		{"condition of a field that is always there", []string{clubRoot, change(clubMembers, "required: [user]", "required: [user, password]")}},
		{"condition over what is not asked for", []string{clubRoot, change(clubMembers, "query.card", "query.crd")}},
		{"condition in an answer", []string{clubRoot, change(clubMembers, "properties: { state: { type: string }", "properties: { state: { type: string }, at: { type: string, x-emenda-required-when: body.user == nil }")}},
		{"example without what a condition asks for", []string{clubRoot, change(clubMembers, "password: { value: { user: emma, password: p,", "password: { value: { user: emma, password: '',")}},
		{"an exception that is none", []string{clubRoot, change(clubMembers, "wrong: { x-emenda-exception: printed so, value: { guests: [] } }", "wrong: { x-emenda-exception: printed so, value: { user: a, password: b } }")}},
		{"a misfit without a reason", []string{clubRoot, change(clubMembers, "x-emenda-exception: printed so, ", "")}},
		{"a failure that nobody knows", []string{clubRoot, change(clubMembers, `answer?.state == "IN"`, `answer?.state != nil`)}},
		{"a good answer that is none", []string{clubRoot, change(clubMembers, `answer?.state == "IN"`, `answer?.state == "INSIDE"`)}},
		{"a failure named as an example", []string{clubRoot, change(clubMembers, "no: { value: { state: OUT } }", "password: { value: { state: OUT } }")}},
		{"credentials of no field", []string{clubRoot, change(clubMembers, "user: user,", "user: usr,")}},
		{"a password that is not secret", []string{clubRoot, change(clubMembers, "x-emenda-secret: true, x-emenda-required", "x-emenda-required")}},
		{"what changes something is kept", []string{clubRoot, change(clubMembers, "x-emenda-changes: false\n      x-emenda-cacheable", "x-emenda-changes: true\n      x-emenda-cacheable")}},
		{"what is secret is kept", []string{clubRoot, change(clubMembers, "schema: { type: array, items: { type: string } }, example: [Garden]", "schema: { type: array, items: { type: string, x-emenda-secret: true } }, example: [Garden]")}},
		{"somebody's own is kept", []string{clubRoot, change(clubMembers, "x-emenda-cacheable: 5m", "x-emenda-cacheable: 5m\n      parameters: [{ name: m, in: query, schema: { type: integer, x-emenda-names: member } }]")}},
		{"a secret in the query", []string{clubRoot, change(clubMembers, "name: card, in: query, schema: { type: string }", "name: card, in: query, schema: { type: string, x-emenda-secret: true }")}},
		{"no secret in the query", []string{clubRoot, change(clubMembers, "name: card, in: query, schema: { type: string }", "name: card, in: query, x-emenda-exception: why, schema: { type: string }")}},
		{"example and examples", []string{clubRoot, change(clubMembers, "schema: { type: string }, examples:", "schema: { type: string }, example: c2, examples:")}},
		{"a size of a number", []string{clubRoot, change(clubMembers, "room: { $ref", "size: { type: integer, x-emenda-max-bytes: 5 }\n                      room: { $ref")}},
		{"a text as a file", []string{clubRoot, change(clubMembers, "plan: { value: The plan. }", "plan: { value: { a: 1 } }")}},
		{"a variant without when", []string{clubRoot, change(more, `when: "true", `, "")}},
		{"when of no variant", []string{clubRoot, change(more, "operationId: rooms.list", "when: query?.a == nil\n      operationId: rooms.list")}},
		{"one variant", []string{clubRoot, more[:strings.LastIndex(more, "        - { when")]}},
		{"no method", []string{clubRoot, change(more, "      get:\n        - { when", "      got:\n        - { when")}},
		{"taken for another", []string{clubRoot, change(more, "when: filled(query?.id) != nil", "when: query?.id == nil")}},
		{"taken for none", []string{clubRoot, change(change(more, "when: filled(query?.id) != nil", "when: query?.id == nil"), `when: "true"`, `when: "false"`)}},
		{"variants beside an operation", []string{clubRoot, change(more, "    x-emenda-operations:\n", "    get: { operationId: items.one, x-emenda-changes: false, responses: { \"204\": { description: x } } }\n    x-emenda-operations:\n")}},
	} {
		_, list := folder(t, c.texts...)
		got.WriteString("== " + c.name + "\n" + list.Text())
	}
	golden(t, "testdata/folders.txt", got.String())
}

// Schemas that refer to each other so that they double forty times over are told in time.
func TestSchemasThatGrow(t *testing.T) {
	for _, shape := range []string{
		"{ type: object, properties: { a: { $ref: '#/components/schemas/S%d' }, b: { $ref: '#/components/schemas/S%d' } } }",
		"{ anyOf: [{ $ref: '#/components/schemas/S%d' }, { $ref: '#/components/schemas/S%d' }] }",
		"{ type: array, items: { oneOf: [{ $ref: '#/components/schemas/S%d' }, { $ref: '#/components/schemas/S%d' }] } }",
	} {
		var parts strings.Builder
		parts.WriteString("components:\n  schemas:\n    S40: { type: string, x-emenda-secret: true }\n")
		for i := range 40 {
			fmt.Fprintf(&parts, "    S%d: "+shape+"\n", i, i+1, i+1)
		}
		text := strings.Replace(plain, "paths:", parts.String()+"paths:", 1)
		text = strings.Replace(text, "x: { type: integer }", "x: { $ref: '#/components/schemas/S0' }", 1)
		require.Contains(t, problems(t, text), "grow beyond 30000")
	}
}
