package explain_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/explain"
)

// Each case holds a route and where its values go.
func TestLineage(t *testing.T) {
	w := load(t)
	w.Contracts["files"] = contract.Bare("files", []string{"bearer"})
	cases, err := filepath.Glob("testdata/lineage_*.txtar")
	require.NoError(t, err)
	require.Len(t, cases, 3)
	for _, name := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			require.NoError(t, err)
			method, path, _ := strings.Cut(strings.TrimSpace(string(a.Files[0].Data)), " ")
			route, _, problem := w.paths.Find(method, path)
			require.Nil(t, problem)
			require.NotNil(t, route)
			got := explain.LineageOf(route.Route, w.Contracts, w.Functions)
			if *update {
				a.Files[1].Data = []byte(got.Text())
				require.NoError(t, os.WriteFile(name, txtar.Format(a), 0o600))
			}
			require.Equal(t, string(a.Files[1].Data), got.Text())
			for range 10 {
				require.Equal(t, got, explain.LineageOf(route.Route, w.Contracts, w.Functions))
			}
		})
	}
}

// The machine's form says the same, in names that stay.
func TestLineageAsJSON(t *testing.T) {
	w := load(t)
	route, _, _ := w.paths.Find("GET", "/p/items/x")
	out, err := json.Marshal(explain.LineageOf(route.Route, nil, w.Functions))
	require.NoError(t, err)
	require.Contains(t, string(out), `{"route":"GET /p/items/{of}","file":"plain/items.yaml","sources":[{"from":"input.ids","to":[{"step":"every/seen","operation":"memory names","in":"key"},`)
	require.Contains(t, string(out), `{"step":"reply","in":"body","at":"/names/*/name","replies":[1]}`)
	require.Contains(t, string(out), `"only_decide":[],"nowhere":["input.of"]}`)
}
