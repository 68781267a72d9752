package exchange_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/store"
	"github.com/emenda-gateway/emenda/plugins"
)

// rendered is one run of a shipped mapping, stopped before its reply: what
// input and the steps' answers were, as JSON.
type rendered struct {
	plan  *mapping.Plan
	now   time.Time
	input string
	steps []string // by step; "" without a body
	want  string   // what the run replied
}

// BenchmarkLookupReply is what the reply of the lookup named in
// testdata/lookup.json costs for the documented example: the received answers
// are decoded and the reply is rendered, into a buffer that is used again.
func BenchmarkLookupReply(b *testing.B) {
	r := runLookup(b)
	buf := r.render(b, nil)
	require.Equal(b, r.want, string(buf))
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = r.render(b, buf[:0])
	}
}

// TestLookupReply holds what the benchmark measures against a whole run, and
// against the mapping's own test.
func TestLookupReply(t *testing.T) {
	r := runLookup(t)
	require.Equal(t, r.want, string(r.render(t, nil)))
	require.Greater(t, len(r.want), 400)
	buf := make([]byte, 0, 4096)
	for range 100 { // pools fill
		buf = r.render(t, buf[:0])
	}
}

// render decodes the answers and renders the reply, as a run does at its end.
func (r *rendered) render(tb testing.TB, buf []byte) []byte {
	f := expr.NewFrame(r.plan.Layout, r.now, r.now.Location())
	defer f.Release()
	set := func(slot int, text string) {
		if slot < 0 || text == "" {
			return
		}
		v, err := f.Arena.Parse(text, false)
		if err != nil {
			tb.Fatal(err)
		}
		f.Set(slot, v)
	}
	set(r.plan.Slots.Input, r.input)
	for i, s := range r.plan.Steps {
		set(s.Slot, r.steps[i])
	}
	for _, reply := range r.plan.Replies {
		if reply.When != nil && !reply.When.Holds(f) {
			continue
		}
		buf = reply.JSON.AppendJSON(buf, f)
		break
	}
	if err := f.Err(); err != nil {
		tb.Fatal(err)
	}
	return buf
}

// runLookup loads the shipped mappings and makes one run of the lookup, with
// the documented example in the place of the backend.
func runLookup(tb testing.TB) *rendered {
	route, test := lookupTest(tb)
	return record(tb, route, test)
}

// lookupTest gives the route and the test that testdata/lookup.json names.
func lookupTest(tb testing.TB) (*mapping.Route, *mapping.Test) {
	var named struct{ Route, Test string }
	raw, err := os.ReadFile("testdata/lookup.json")
	require.NoError(tb, err)
	require.NoError(tb, json.Unmarshal(raw, &named))
	for _, file := range loadShipped(tb).Tests {
		if file.Route == nil || file.Plan.Name != named.Route {
			continue
		}
		for _, test := range file.Tests {
			if test.Name == named.Test {
				return file.Route, test
			}
		}
	}
	tb.Fatalf("no test %q of %s", named.Test, named.Route)
	return nil, nil
}

// record runs a test of a mapping and keeps what its reply was made of.
func record(tb testing.TB, route *mapping.Route, test *mapping.Test) *rendered {
	p := route.Plan
	r := &rendered{plan: p, now: time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC), steps: make([]string, len(p.Steps))}
	f := expr.NewFrame(p.Layout, r.now, time.UTC)
	defer f.Release()
	q := &intake.Request{Method: "POST", Body: string(mapping.ConstantJSON(test.Request.Form)), Type: "application/json"}
	fields, problem := intake.Read(f.Arena, q, route.Dialect)
	require.Nil(tb, problem)
	caller := &intake.Caller{Name: "bench", Value: jsonx.RawValue(`{}`)}
	input, warnings, problem := intake.Input(f, fields, q, route, caller)
	require.Nil(tb, problem)
	r.input = string(input.AppendJSON(nil))
	out := flow.Run(context.Background(), p, f, flow.Given{Input: input, Caller: caller.Value, Warnings: warnings}, &flow.Env{
		Calls: answers{tb, test}, Memory: store.NewLocal(100), Now: r.now, Zone: time.UTC, Watch: r, OneByOne: true,
	}, nil)
	require.Nil(tb, out.Problem)
	for _, s := range p.Steps {
		require.Negative(tb, s.Meta, "steps.%s is read: the rendering here does not fill it", s.Name)
	}
	r.want = string(out.Body)
	return r
}

// Settled keeps a step's body.
func (r *rendered) Settled(p *mapping.Plan, s *mapping.Step, report flow.StepReport) {
	if p == r.plan && !report.Body.None() {
		r.steps[s.Index] = string(report.Body.AppendJSON(nil))
	}
}

// answers gives the documented examples that a test names.
type answers struct {
	tb   testing.TB
	test *mapping.Test
}

// Call answers with the example of the test's entry for the operation.
func (a answers) Call(_ context.Context, c *backend.Call) *backend.Answer {
	for _, up := range a.test.Upstream {
		if up.Operation == c.Operation && up.Example != nil {
			return backend.NewAnswer(c.Operation, 200, up.Example.Type, []byte(up.Example.Answer))
		}
	}
	a.tb.Errorf("no example for %s", c.Operation.Name())
	return backend.FailedAnswer(c.Operation, contract.ClassBroken, false)
}

// loadShipped checks and compiles the mappings of this repository. The loader
// that serving uses stands above this package.
func loadShipped(tb testing.TB) *mapping.Set {
	root := os.DirFS("../..")
	read := func(name string) *diag.File {
		text, err := fs.ReadFile(root, name)
		require.NoError(tb, err)
		return diag.NewFile(name, string(text))
	}
	good := func(list diag.List) {
		require.False(tb, list.HasErrors(), "%s", list.Text())
	}
	cfg, list := config.Load(read("gateway.yaml"))
	good(list)
	functions, err := expr.NewFunctions(plugins.Functions()...)
	require.NoError(tb, err)
	world := mapping.World{Config: cfg, Contracts: map[string]*contract.Contract{}, Functions: functions, Formats: plugins.Formats()}
	for name, b := range cfg.Backends {
		var files []*diag.File
		for _, pattern := range []string{".yaml", "/*.yaml"} {
			names, err := fs.Glob(root, path.Join("mappings/contracts", b.Contract)+pattern)
			require.NoError(tb, err)
			for _, name := range names {
				files = append(files, read(name))
			}
		}
		c, list := contract.LoadFiles(name, files, functions)
		good(list)
		world.Contracts[name] = c
	}
	var files []*diag.File
	texts := map[string]*diag.File{}
	require.NoError(tb, fs.WalkDir(root, "mappings", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || entry.IsDir() || strings.Contains(name, "/contracts/") || strings.Contains(name, "/testdata/") || strings.Contains(name, "/ura-sgp/") || strings.Contains(name, "/sale/"): // of other packs
		case path.Ext(name) == ".yaml":
			files = append(files, read(name))
		case path.Ext(name) != ".go":
			texts[strings.TrimPrefix(name, "mappings/")] = read(name)
		}
		return err
	}))
	set, list := mapping.Load(files, texts, world)
	good(list)
	return set
}
