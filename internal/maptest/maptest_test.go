package maptest_test

import (
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/maptest"
	"github.com/emenda-gateway/emenda/plugins"
)

var update = flag.Bool("update", false, "rewrite what the cases of testdata say")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// load makes a set of the files of archives; of two of one name the later counts.
func load(t *testing.T, archives ...*txtar.Archive) *mapping.Set {
	byName := map[string]*diag.File{}
	for _, a := range archives {
		for _, f := range a.Files {
			byName[f.Name] = diag.NewFile(f.Name, string(f.Data))
		}
	}
	functions, err := expr.NewFunctions(plugins.Functions()...)
	require.NoError(t, err)
	cfg, list := config.Load(byName["gateway.yaml"])
	require.False(t, list.HasErrors(), list.Text())
	w := mapping.World{Config: cfg, Contracts: map[string]*contract.Contract{}, Functions: functions, Formats: plugins.Formats()}
	var files []*diag.File
	texts := map[string]*diag.File{}
	for name, f := range byName {
		switch {
		case name == "gateway.yaml" || name == "want":
		case strings.HasPrefix(name, "contracts/"):
			backend := strings.TrimSuffix(path.Base(name), ".yaml")
			c, list := contract.Load(backend, f, functions)
			require.False(t, list.HasErrors(), list.Text())
			w.Contracts[backend] = c
		case path.Ext(name) == ".yaml":
			files = append(files, f)
		default:
			texts[name] = f
		}
	}
	set, list := mapping.Load(files, texts, w)
	require.False(t, list.HasErrors(), list.Text())
	return set
}

func archive(t *testing.T, name string) *txtar.Archive {
	a, err := txtar.ParseFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return a
}

var zone = time.FixedZone("there", -3*3600)

func options() maptest.Options {
	return maptest.Options{Zone: zone, Callers: []*intake.Caller{{
		Name: "desk", Dialect: "plain", App: "desk", Permissions: []string{"plain.*"},
		Value: jsonx.RawValue(`{"name":"desk","app":"desk","strict":false}`),
	}}}
}

// shown is what a failed test tells, and that one passed.
func shown(results []maptest.Result) string {
	var b strings.Builder
	for _, r := range results {
		if r.Passed() {
			fmt.Fprintf(&b, "ok: %s\n", r.Name)
			continue
		}
		line, _ := r.At.File.Position(r.At.Start)
		fmt.Fprintf(&b, "failed: %s (%s:%d)\n", r.Name, r.File, line)
		for _, f := range r.Failures {
			fmt.Fprintf(&b, "  %s\n", f)
		}
		for _, s := range r.Steps {
			fmt.Fprintf(&b, "    %s\n", s)
		}
	}
	return b.String()
}

// Each case holds a mapping or flow with tests, and what they are to tell.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/case_*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	world := archive(t, "world.txtar")
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a := archive(t, filepath.Base(name))
			set := load(t, world, a)
			got := shown(maptest.Run(set, options()))
			i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" })
			require.GreaterOrEqual(t, i, 0)
			if *update {
				a.Files[i].Data = []byte(got)
				require.NoError(t, os.WriteFile(name, txtar.Format(a), 0o600))
			}
			require.Equal(t, string(a.Files[i].Data), got)
			for range 20 {
				require.Equal(t, got, shown(maptest.Run(set, options())), "the same every time")
			}
		})
	}
}

func TestMatch(t *testing.T) {
	set := load(t, archive(t, "world.txtar"), archive(t, "case_passing.txtar"))
	all := maptest.Run(set, options())
	require.Greater(t, len(all), 3)
	o := options()
	o.Match = "a.yaml: as a form"
	some := maptest.Run(set, o)
	require.Len(t, some, 1)
	require.Equal(t, "as a form", some[0].Name)
	o.Match = "nothing"
	require.Empty(t, maptest.Run(set, o))
}
