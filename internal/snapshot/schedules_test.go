package snapshot

import (
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
)

// scheduling loads the base with two packs and schedules.
func scheduling(t *testing.T, packs, schedules string) (*Loaded, diag.List) {
	texts := readBase(t)
	maps.Copy(texts, twoPacks)
	texts["mappings/far/where.yaml"] = strings.Replace(texts["mappings/far/where.yaml"], "path: where", "path: there", 1)
	texts["mappings/flows/waits.yaml"] = "emenda: 1\nflow: waits\nsteps: { met: { wait: { event: met, key: \"1\", for: 1d } } }\nresult: { met: true }\n"
	texts["gateway.yaml"] = strings.Replace(texts["gateway.yaml"], "  mappings: ./mappings\n", "  mappings: ./mappings\n"+packs, 1)
	texts["gateway.yaml"] = strings.Replace(texts["gateway.yaml"], "callers:\n", "  depot: { url: \"${env:DEPOT_URL}\" }\ncallers:\n", 1) + "schedules:\n" + schedules
	return loadTexts(texts)
}

func TestSchedulesAreChecked(t *testing.T) {
	for _, c := range []struct{ name, schedule, message, help string }{
		{"an unknown operation", "call: shop.stock.itm", `shop has no operation "stock.itm"`, "did you mean shop.stock.item?"},
		{"an unknown backend", "call: shopp.stock.item", `unknown backend "shopp"`, "did you mean shop"},
		{"an unknown flow", "call: flows.fnd", `unknown flow "flows.fnd"`, "did you mean flows.find?"},
		{"a parameter is missing", "call: shop.stock.item", "shop.stock.item needs parameter id", "add it to with"},
		{"an unknown parameter", "call: shop.stock.item, with: { id: 1, idd: 2 }", `shop.stock.item has no parameter "idd"`, "did you mean id?"},
		{"a parameter of another type", "call: shop.stock.item, with: { id: seven }", "parameter id of shop.stock.item", ""},
		{"a body is missing", "call: shop.stock.reserve, with: { id: 1 }", "shop.stock.reserve needs a body", "add body"},
		{"a flow's input is missing", "call: flows.find", "flows.find needs input id", "add it to with"},
		{"a flow's input lacks a field", "call: flows.find, with: {}", "id", ""},
		{"a body for a flow", "call: flows.find, with: { id: 1 }, body: { id: 1 }", "a flow has no body", ""},
		{"a flow that only orders may call", "call: flows.waits", "flows.waits has steps that only durable mappings take", "a schedule begins no order"},
		{"an unknown pack", "call: shop.stock.item, with: { id: 1 }, pack: neer", `there is no pack "neer"`, "did you mean near?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, list := scheduling(t, "", "  s: { cron: '@daily', "+c.schedule+" }\n")
			var told []string
			for _, d := range list {
				if d.Severity == diag.Error && d.Span.File != nil && strings.HasSuffix(d.Span.File.Name, "gateway.yaml") {
					told = append(told, d.Message)
					require.Contains(t, d.Message, c.message)
					require.Contains(t, d.Help, c.help)
				}
			}
			require.Len(t, told, 1, list.Text())
		})
	}
}

func TestSchedulesThatRun(t *testing.T) {
	const some = `  here: { cron: "*/30 * * * *", call: shop.stock.reserve, with: { id: 7 }, body: { amount: 1 } }
  near: { cron: "@daily", timezone: Europe/Madrid, call: flows.find, with: { id: 7 }, pack: near }
  far: { cron: "@daily", call: flows.ask, pack: far }
`
	shop := []string{"SHOP_URL", "http://127.0.0.1:1", "SHOP_USER", "u", "SHOP_PASSWORD", "p"}
	for _, c := range []struct {
		name, packs string
		env         []string
		runs        []string
		leftOut     []LeftOut
	}{
		{"of packs that are served", "  packs: [near]\n", shop, []string{"here", "near"}, nil},
		{"of all packs", "", append([]string{"DEPOT_URL", "http://127.0.0.1:1"}, shop...), []string{"far", "here", "near"}, nil},
		{"but those whose backend is left out", "", []string{"DEPOT_URL", "http://127.0.0.1:1"}, []string{"far"}, []LeftOut{
			{"schedule", "here", "backend shop is left out"}, {"schedule", "near", "backend shop is left out"},
		}},
		{"none", "  packs: [near]\n", nil, nil, []LeftOut{
			{"schedule", "here", "backend shop is left out"}, {"schedule", "near", "backend shop is left out"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, list := scheduling(t, c.packs, some)
			require.NotNil(t, l, list.Text())
			env := func(name string) (string, bool) {
				for i := 0; i < len(c.env); i += 2 {
					if c.env[i] == name {
						return c.env[i+1], true
					}
				}
				return "", false
			}
			settings, list := l.Resolve(env)
			require.NotNil(t, settings, list.Text())
			require.Equal(t, len(c.runs) > 0, l.Scheduled(settings))
			settings.Data = t.TempDir()
			kept, err := l.OpenStore(settings, nil, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			defer func() { require.NoError(t, kept.Close()) }()
			s, err := l.Open(settings, kept, nil, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			defer s.Close()
			var runs []string
			for _, one := range s.Schedules {
				runs = append(runs, one.Name)
			}
			require.Equal(t, c.runs, runs)
			var out []LeftOut
			for _, one := range s.LeftOut {
				if one.Kind == "schedule" {
					out = append(out, one)
				}
			}
			require.Equal(t, c.leftOut, out)
		})
	}
}
