package snapshot

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
)

// twoPacks are two folders that answer the same from different backends. A flow
// in one of them is the pack's own.
var twoPacks = map[string]string{
	"mappings/near/where.yaml": `emenda: 1
route: { path: where, dialect: plain }
input: { id: { type: integer, required: true } }
steps: { goods: { call: flows.find, with: { id: "${input.id}" } } }
reply: [{ json: { found: "${goods.found}" } }]
tests:
  - name: near
    caller: kiosk
    request: { json: { id: 7 } }
    upstream: [{ call: shop.stock.item, answer: { example: a chair } }]
    reply: { status: 200, json: { found: true } }
`,
	"mappings/far/where.yaml": `emenda: 1
route: { path: where, dialect: plain }
steps: { answer_of: { call: flows.ask } }
reply: [{ json: { found: "${answer_of.found}" } }]
tests:
  - { name: far, caller: kiosk, request: { json: {} }, upstream: [{ call: depot GET /where, answer: { json: { found: true } } }], reply: { status: 200, json: { found: true } } }
`,
	"mappings/far/flows/ask.yaml": askFlow,
}

const askFlow = `emenda: 1
flow: ask
steps: { asked: { request: { backend: depot, method: GET, path: /where } } }
result: { found: "${asked.found ?? false}" }
`

// packed loads the base with two packs, and gateway.packs as it says.
func packed(t *testing.T, packs string) (*Loaded, diag.List) {
	texts := readBase(t)
	maps.Copy(texts, twoPacks)
	for before, after := range map[string]string{
		"callers:\n":               "  depot: { url: \"${env:DEPOT_URL}\", sign_in: { bearer: { secret: DEPOT_TOKEN } } }\ncallers:\n",
		"  mappings: ./mappings\n": "  mappings: ./mappings\n" + packs,
	} {
		require.Contains(t, texts["gateway.yaml"], before)
		texts["gateway.yaml"] = strings.Replace(texts["gateway.yaml"], before, after, 1)
	}
	return loadTexts(texts)
}

// The mappings of the packs named are served, with those that stand in no
// folder; who only other packs call is not asked for; all files are kept.
func TestPacks(t *testing.T) {
	for packs, c := range map[string]struct{ routes, tests, unset []string }{
		"[near]": {[]string{"plain/reserve", "plain/where"}, []string{"near"}, []string{"SHOP_PASSWORD", "SHOP_URL", "SHOP_USER"}},
		"[far]":  {[]string{"plain/reserve", "plain/where"}, []string{"far"}, []string{"DEPOT_TOKEN", "DEPOT_URL", "SHOP_PASSWORD", "SHOP_URL", "SHOP_USER"}},
		"[]":     {[]string{"plain/reserve"}, nil, []string{"SHOP_PASSWORD", "SHOP_URL", "SHOP_USER"}},
	} {
		t.Run(packs, func(t *testing.T) {
			l, list := packed(t, "  packs: "+packs+"\n")
			require.Empty(t, list.Text())
			var routes, tests []string
			for _, r := range l.Set.Routes {
				routes = append(routes, r.Plan.Name)
			}
			for _, f := range l.Set.Tests {
				for _, one := range f.Tests {
					if one.Name == "near" || one.Name == "far" {
						tests = append(tests, one.Name)
					}
				}
			}
			require.ElementsMatch(t, c.routes, routes)
			require.Equal(t, c.tests, tests)
			require.Equal(t, packs == "[far]", l.Set.Flows["ask"] != nil, "a pack's flow is served with it")
			require.NotNil(t, l.Set.Flows["find"], "a flow that stands in no pack is there for all")
			require.Len(t, goodOf("gateway.yaml", l, time.Now()).Files, len(l.files.all), "what is not served is kept, too")

			settings, problems := l.Resolve(func(string) (string, bool) { return "", false })
			require.Empty(t, problems.Text())
			var unset []string
			for _, m := range settings.Missing {
				if m.Kind == "backend" {
					unset = append(unset, m.Variable)
				}
			}
			slices.Sort(unset)
			require.Equal(t, c.unset, unset)
			require.Len(t, l.Missing(func(string) (string, bool) { return "", false }), len(settings.Missing))
		})
	}
	_, list := packed(t, "")
	require.Contains(t, list.Text(), "mappings/near/where.yaml:2:16: GET /api/where is already routed in mappings/far/where.yaml:2:16")
	require.Contains(t, list.Text(), "packs under gateway: in gateway.yaml names those that are served")
}

// A pack that is not served may call backends that are not configured. Who calls
// a flow of it is told where it stands; one in a folder without mappings is there for all.
func TestFlowsOfPacksThatAreNotServed(t *testing.T) {
	load := func(t *testing.T, edit map[string]string) diag.List {
		texts := readBase(t)
		maps.Copy(texts, twoPacks)
		maps.Copy(texts, edit)
		texts["gateway.yaml"] = strings.Replace(texts["gateway.yaml"], "  mappings: ./mappings\n", "  mappings: ./mappings\n  packs: [near]\n", 1)
		_, list := loadTexts(texts)
		return list
	}
	require.Empty(t, load(t, nil).Text(), "depot is no backend, and nobody asks")

	calls := strings.NewReplacer("flows.find", "flows.ask", ", with: { id: \"${input.id}\" }", "").Replace(twoPacks["mappings/near/where.yaml"])
	told := load(t, map[string]string{"mappings/near/where.yaml": calls}).Text()
	require.Contains(t, told, `mappings/near/where.yaml:4:25: unknown flow "flows.ask"`)
	require.Contains(t, told, "it stands in the pack far, which packs under gateway: does not name")

	broken := load(t, map[string]string{"mappings/near/where.yaml": calls, "mappings/far/flows/ask.yaml": askFlow + "result: [\n"}).Text()
	require.Contains(t, broken, "it stands in the pack far", "told by how it looks")

	require.Contains(t, load(t, map[string]string{"mappings/flows/ask.yaml": strings.Replace(askFlow, "flow: ask", "flow: asked", 1)}).Text(), `unknown backend "depot"`)
}

// An edit of a pack that is not served touches no test; serving another touches all.
func TestPacksAreTouched(t *testing.T) {
	near, list := packed(t, "  packs: [near]\n")
	require.Empty(t, list.Text())
	whole := twoPacks["mappings/far/where.yaml"]
	twoPacks["mappings/far/where.yaml"] = strings.Replace(whole, "route:", "summary: x\nroute:", 1)
	edited, list := packed(t, "  packs: [near]\n")
	twoPacks["mappings/far/where.yaml"] = whole
	require.Empty(t, list.Text())
	require.NotEqual(t, near.Hash, edited.Hash)
	require.Empty(t, edited.touched(near))
	far, list := packed(t, "  packs: [far]\n")
	require.Empty(t, list.Text())
	require.Len(t, far.touched(near), len(far.Set.Tests))
}

// The configuration that checks and tests the other pack is the shipped one but for the pack.
func TestOtherPackIsConfiguredAlike(t *testing.T) {
	shipped, err := os.ReadFile(shippedConfig)
	require.NoError(t, err)
	other, err := os.ReadFile("../../mappings/testdata/ura-sgp/gateway.yaml")
	require.NoError(t, err)
	_, want, _ := strings.Cut(string(shipped), "\nemenda: 1\n")
	_, got, _ := strings.Cut(string(other), "\nemenda: 1\n")
	require.NotEmpty(t, got)
	require.Equal(t, strings.NewReplacer("packs: [ura, ", "packs: [ura-sgp, ", "mappings: ./mappings", "mappings: ../..").Replace(want), got)
}
