package flow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/store"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

const shopContract = `openapi: 3.1.0
x-emenda: 1
info: { title: shop, version: "1" }
paths:
  /items/{id}:
    get:
      operationId: item
      x-emenda-changes: false
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
        - { name: X-Note, in: header, schema: { type: string } }
      responses:
        "200": { description: one, x-emenda-source: inferred, content: { application/json: { schema: { type: object, required: [id], properties: { id: { type: string }, name: { type: string }, size: { type: integer } } } } } }
  /other:
    post:
      operationId: other
      x-emenda-changes: false
      requestBody: { content: { application/json: { schema: { type: object, additionalProperties: true } } } }
      responses:
        "200": { description: one, x-emenda-source: inferred, content: { application/json: { schema: { type: object, properties: { id: { type: string }, n: { type: integer } } } } } }
  /order:
    post:
      operationId: order
      x-emenda-changes: true
      requestBody: { content: { application/json: { schema: { type: object, properties: { id: { type: string } } } } } }
      x-emenda-outcomes:
        - { when: status == 409, is: refused, class: taken, message: "${answer?.error}" }
      responses:
        "200": { description: done, x-emenda-source: inferred, content: { application/json: { schema: { type: object, properties: { number: { type: string } } } } } }
`

const plainDialect = `emenda: 1
dialect: plain
prefixes: [/plain]
methods: [POST]
read: [json]
sign_in:
  - header: { token: Authorization, scheme: Bearer }
errors:
  not_signed_in: { status: 401, json: { error: sign in } }
  bad_input: { status: 400, json: { error: "${error.message}" } }
  refused: { status: 422, json: { error: "${error.message}" } }
  failed: { status: 502, json: { error: later } }
`

const mappingHead = "emenda: 1\nsummary: a test\nroute: { path: t, dialect: plain }\n"

const flowHead = "emenda: 1\nsummary: a test\n"

// load compiles a mapping's text (without its head) and flows by their names.
func load(t testing.TB, text string, flows ...string) *mapping.Set {
	t.Helper()
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	shop, list := contract.Load("shop", diag.NewFile("shop.yaml", shopContract), fns)
	require.False(t, list.HasErrors(), "%v", list)
	consts, list := yamldoc.Parse(diag.NewFile("gateway.yaml", "limit: 10\n"))
	require.Empty(t, list)
	files := []*diag.File{diag.NewFile("dialects/plain.yaml", plainDialect), diag.NewFile("t.yaml", mappingHead+text)}
	for i, f := range flows {
		files = append(files, diag.NewFile(fmt.Sprintf("flows/%d.yaml", i), flowHead+f))
	}
	set, list := mapping.Load(files, map[string]*diag.File{"note.json": diag.NewFile("note.json", `{"id": "_ID_", "n": _N_}`)}, mapping.World{
		Contracts: map[string]*contract.Contract{"shop": shop},
		Functions: fns,
		Config: &config.Config{
			Const: consts,
			Memory: map[string]*config.Memory{
				"seen":   {Name: "seen", Key: "string", Value: []config.Field{{Name: "id", Type: "string"}}, For: "1h"},
				"hits":   {Name: "hits", Key: "string", Count: true, Per: "month"},
				"maybe":  {Name: "maybe", Key: "string", Value: []config.Field{{Name: "id", Type: "string"}}, For: "1h", Allow: true},
				"rarely": {Name: "rarely", Key: "string", Count: true, Per: "month", Allow: true},
			},
		},
	})
	var text2 strings.Builder
	for _, d := range list {
		fmt.Fprintln(&text2, d)
	}
	require.False(t, list.HasErrors(), "%s", text2.String())
	return set
}

// shelf answers calls and writes down what was asked.
type shelf struct {
	mu      sync.Mutex
	calls   []string
	answers map[string]func(ctx context.Context, c *backend.Call) *backend.Answer
	now     int // under way
	most    int
	lent    []*backend.Answer
}

func newShelf() *shelf {
	return &shelf{answers: map[string]func(context.Context, *backend.Call) *backend.Answer{}}
}

// gives makes an operation answer with JSON and status 200.
func (s *shelf) gives(op, body string) *shelf {
	return s.does(op, func(_ context.Context, c *backend.Call) *backend.Answer { return good(c, body) })
}

// ends makes an operation end otherwise.
func (s *shelf) ends(op string, state contract.State, class string, status int, message string) *shelf {
	return s.does(op, func(_ context.Context, c *backend.Call) *backend.Answer {
		return ended(c, state, class, status, message)
	})
}

func (s *shelf) does(op string, f func(context.Context, *backend.Call) *backend.Answer) *shelf {
	s.answers[op] = f
	return s
}

func good(c *backend.Call, body string) *backend.Answer {
	a := backend.NewAnswer(c.Operation, 200, "application/json", []byte(body))
	a.Header = []contract.Header{{Name: "X-Shop", Value: "open"}}
	return a
}

func ended(c *backend.Call, state contract.State, class string, status int, message string) *backend.Answer {
	a := backend.FailedAnswer(c.Operation, class, false)
	a.State, a.Status, a.Message, a.Body = state, status, message, jsonx.RawValue(`{"id":"not to be seen"}`)
	return a
}

func (s *shelf) Call(ctx context.Context, c *backend.Call) *backend.Answer {
	s.mu.Lock()
	s.calls = append(s.calls, strings.TrimRight(c.Operation.ID+" "+string(c.Request.Target)+" "+string(c.Request.Body), " "))
	s.now++
	s.most = max(s.most, s.now)
	f := s.answers[c.Operation.ID]
	s.mu.Unlock()
	a := f(ctx, c)
	s.mu.Lock()
	s.now--
	s.lent = append(s.lent, a)
	s.mu.Unlock()
	return a
}

// told writes down what a watcher is told.
type told struct{ lines []string }

func (w *told) Settled(p *mapping.Plan, s *mapping.Step, r flow.StepReport) {
	line := s.Name + ": " + r.State.String()
	if strings.HasPrefix(p.Name, "flows.") {
		line = p.Name + " " + line
	}
	for _, more := range []string{r.Class, r.Message, r.Why} {
		if more != "" {
			line += ", " + more
		}
	}
	if r.Case > 0 {
		line += fmt.Sprintf(", case %d", r.Case)
	}
	if !r.Body.None() {
		line += " " + string(r.Body.AppendJSON(nil))
	}
	w.lines = append(w.lines, line)
}

// ran is what a run came to.
type ran struct {
	flow.Outcome
	body  string
	calls []string
	told  []string
}

// setting is how a test differs from the usual.
type setting func(*flow.Env)

// run runs the mapping once, with calls one at a time unless a setting says otherwise.
func run(t testing.TB, set *mapping.Set, s *shelf, input string, settings ...setting) ran {
	t.Helper()
	return runContext(context.Background(), t, set, s, input, settings...)
}

func runContext(ctx context.Context, t testing.TB, set *mapping.Set, s *shelf, input string, settings ...setting) ran {
	t.Helper()
	w := new(told)
	env := &flow.Env{Calls: s, Now: noon, Zone: time.UTC, RequestID: "r1", Watch: w, OneByOne: true}
	for _, with := range settings {
		with(env)
	}
	p := set.Routes[0].Plan
	f := expr.NewFrame(p.Layout, env.Now, env.Zone)
	defer f.Release()
	out := flow.Run(ctx, p, f, flow.Given{Input: jsonx.RawValue(input), Warnings: jsonx.RawValue("[]")}, env, nil)
	require.Zero(t, s.now, "no call outlives the run")
	return ran{out, string(out.Body), s.calls, w.lines}
}

func together(e *flow.Env) { e.OneByOne = false }
func remembering(l *store.Store) setting {
	return func(e *flow.Env) { e.Memory, e.Cache = l, l }
}

// slowMemory is a memory that is no Instant, or one that is down.
type slowMemory struct {
	flow.Memory
	down bool
}

var errDown = errors.New("down")

func (m slowMemory) Recall(ctx context.Context, of *mapping.Memory, key []byte, now time.Time) ([]byte, bool, error) {
	if m.down {
		return nil, false, errDown
	}
	return m.Memory.Recall(ctx, of, key, now)
}

func (m slowMemory) Remember(ctx context.Context, of *mapping.Memory, key, value []byte, now time.Time) error {
	if m.down {
		return errDown
	}
	return m.Memory.Remember(ctx, of, key, value, now)
}

func requireReply(t *testing.T, want string, got ran) {
	t.Helper()
	require.Nil(t, got.Problem, "%+v", got.Problem)
	require.Equal(t, want, got.body)
}

func replace(text, what, by string) string { return strings.ReplaceAll(text, what, by) }
