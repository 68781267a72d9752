package mappings_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// statuses are those of the URA specification: of its HTTP answers 200 and 403
// (500, a page there, is what our callers never get), and what status in the
// body may be; of the lookup, which has none, contratoStatus.
var statuses = map[string][]string{
	"consultacliente":    {"http 200", "http 403", "contratoStatus 1", "contratoStatus 4", "no contract", "no parameter"},
	"liberacaopromessa":  {"http 200", "http 403", "status 0", "status 1", "status 2"},
	"enviafatura":        {"http 200", "http 403", "status 0", "status 1", "status 2", "status 9"},
	"verificaacesso":     {"http 200", "http 403", "status 0", "status 1", "status 2", "status 3", "status 8", "status 9"},
	"notificacaosistema": {"http 200", "http 403", "status 0", "status 1"},
	"chamado":            {"http 200", "http 403", "status 0", "status 1"},
}

// TestEveryStatus holds the tests of each pack against the specification: each
// status of each operation is what some test expects, and none besides.
func TestEveryStatus(t *testing.T) {
	for pack, config := range map[string]string{"ura": "../gateway.yaml", "ura-sgp": "testdata/ura-sgp/gateway.yaml"} {
		t.Run(pack, func(t *testing.T) {
			loaded, list := snapshot.Load(config)
			require.False(t, list.HasErrors(), list.Text())
			reached := map[string]map[string]int{}
			for _, f := range loaded.Set.Tests {
				if f.Route == nil {
					continue
				}
				if reached[f.Route.Path] == nil {
					reached[f.Route.Path] = map[string]int{}
				}
				for _, one := range f.Tests {
					for _, x := range append([]mapping.TestExchange{one.TestExchange}, one.Again...) {
						for _, s := range said(t, f.Route.Path, x.Reply) {
							reached[f.Route.Path][s]++
						}
					}
				}
			}
			total := 0
			for _, op := range slices.Sorted(maps.Keys(statuses)) {
				for _, want := range statuses[op] {
					require.Positive(t, reached[op][want], "no test of %s in %s expects %s", op, pack, want)
					total++
				}
				for s := range reached[op] {
					if s[:4] != "http" && op != "consultacliente" {
						require.Contains(t, statuses[op], s, "%s in %s", op, pack)
					}
				}
			}
			t.Logf("%s: %d statuses of %d operations, each expected by a test of its mapping", pack, total, len(statuses))
		})
	}
}

// said gives what of the specification's statuses a test expects of a reply.
func said(t *testing.T, op string, r *mapping.TestReply) (all []string) {
	t.Helper()
	if r == nil {
		return nil
	}
	all = append(all, fmt.Sprintf("http %d", r.Status))
	if r.Status != 200 {
		return all
	}
	var body map[string]any
	switch {
	case r.Text != nil && strings.HasPrefix(*r.Text, "<"):
		return all // a drawing
	case r.Text != nil:
		require.NoError(t, json.Unmarshal([]byte(*r.Text), &body), *r.Text)
	case r.JSON != nil:
		body, _ = plain(r.JSON).(map[string]any)
	}
	if op != "consultacliente" {
		return append(all, fmt.Sprint("status ", body["status"]))
	}
	contracts, ok := body["contratos"].([]any)
	switch {
	case !ok:
		return append(all, "no parameter")
	case len(contracts) == 0:
		return append(all, "no contract")
	}
	for _, c := range contracts {
		one, _ := c.(map[string]any)
		all = append(all, fmt.Sprint("contratoStatus ", one["contratoStatus"]))
	}
	return all
}

// plain gives the value of a node, scalars as their text.
func plain(n *yamldoc.Node) any {
	switch n.Kind {
	case yamldoc.Map:
		m := map[string]any{}
		for _, e := range n.Entries {
			m[e.Key.Text] = plain(e.Value)
		}
		return m
	case yamldoc.List:
		l := []any{}
		for _, item := range n.Items {
			l = append(l, plain(item))
		}
		return l
	}
	return n.Text
}
