package deploy

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/durable"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/order"
)

// known gives every series the gateway exposes, and its labels.
func known(t *testing.T) map[string][]string {
	t.Helper()
	m := observe.NewMetrics("test")
	route := m.Route("r")
	m.Begin()
	route.Done("c", "ok", time.Millisecond)
	op := m.Operation("b", "o")
	op.Called("ok", "", time.Millisecond)
	m.Breaker("b", "open")
	m.Token("b", "obtain", true)
	m.TemplateFailed("m", "1")
	m.Configuration("abcdef0123456789")
	m.Reload("refused")
	m.ReloadSucceeded(time.Unix(1, 0))
	m.StoreUp(true)
	m.Waiting(func() int { return 0 })
	m.Repeated("r", "first")
	m.Claimed("m", "granted")
	m.Unknown("r", "o")
	m.Limited("rate", "c")
	m.Shed("b")
	m.UnderMaintenance("backend", "b")
	m.Connections(func() int { return 0 })
	m.Certificate("listener", "listen", time.Unix(1, 0))
	m.Ask(func() []observe.Sample {
		some := []order.Count{{Route: "r", State: order.Stuck, N: 1}}
		ok := time.Unix(1, 0)
		schedules := durable.SamplesOfSchedules([]durable.Schedule{{Name: "s", Succeeded: &ok}}, map[durable.Run]int{{Schedule: "s", Outcome: "ok"}: 1})
		return append(durable.SamplesOf("sqlite", true, &order.Counts{Open: some, Ended: some}, time.Unix(1, 0)), schedules...)
	})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	series := map[string][]string{}
	name := regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? `)
	label := regexp.MustCompile(`([a-z_]+)="`)
	for line := range strings.Lines(w.Body.String()) {
		found := name.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		series[found[1]] = nil
		for _, l := range label.FindAllStringSubmatch(found[2], -1) {
			series[found[1]] = append(series[found[1]], l[1])
		}
	}
	require.Contains(t, series, "emenda_request_duration_seconds_bucket")
	require.Contains(t, series, "emenda_unknown_calls_waiting")
	return series
}

// scraped are the labels that Prometheus adds.
var scraped = []string{"instance", "job"}

// problems tells what is wrong with an expression, and which labels its result has.
func problems(series map[string][]string, words, text string) (wrong, has []string) {
	e, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		return []string{err.Error()}, nil
	}
	has = walk(series, words, e, &wrong)
	return wrong, has
}

// walk gives the labels of what e gives; nil for scalars.
func walk(series map[string][]string, words string, e parser.Expr, wrong *[]string) []string {
	switch e := e.(type) {
	case *parser.VectorSelector:
		has, ok := series[e.Name]
		if !ok {
			*wrong = append(*wrong, "no such metric: "+e.Name)
			return nil
		}
		has = append(slices.Clone(scraped), has...)
		for _, m := range e.LabelMatchers {
			if m.Name == "__name__" {
				continue
			}
			if !slices.Contains(has, m.Name) {
				*wrong = append(*wrong, e.Name+" has no label "+m.Name)
			}
			if slices.Contains(scraped, m.Name) {
				continue
			}
			for _, value := range strings.Split(m.Value, "|") {
				if !strings.Contains(words, "`"+value+"`") {
					*wrong = append(*wrong, "docs/operations.md knows no "+m.Name+" "+value)
				}
			}
		}
		return has
	case *parser.MatrixSelector:
		return walk(series, words, e.VectorSelector, wrong)
	case *parser.ParenExpr:
		return walk(series, words, e.Expr, wrong)
	case *parser.AggregateExpr:
		has := walk(series, words, e.Expr, wrong)
		for _, l := range e.Grouping {
			if !slices.Contains(has, l) {
				*wrong = append(*wrong, "grouped by "+l+", which is not there")
			}
		}
		if e.Without {
			*wrong = append(*wrong, "without is not looked at here: use by")
		}
		return e.Grouping
	case *parser.Call:
		var has []string
		for _, arg := range e.Args {
			if got := walk(series, words, arg, wrong); got != nil {
				has = got
			}
		}
		return has
	case *parser.BinaryExpr:
		left, right := walk(series, words, e.LHS, wrong), walk(series, words, e.RHS, wrong)
		if left == nil {
			return right
		}
		return left
	}
	return nil
}

func operations(t *testing.T) string {
	text, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	return string(text)
}

// TestRules: the alerts parse, and name nothing that is not there.
func TestRules(t *testing.T) {
	text, err := os.ReadFile("prometheus/rules.yaml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	require.NoError(t, yaml.UnmarshalWithOptions(text, &file, yaml.Strict()))
	series, words := known(t), operations(t)
	seen := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			t.Run(r.Alert, func(t *testing.T) {
				wrong, has := problems(series, words, r.Expr)
				require.Empty(t, wrong)
				require.False(t, seen[r.Alert], "twice")
				seen[r.Alert] = true
				require.Contains(t, []string{"critical", "warning"}, r.Labels["severity"])
				require.NotEmpty(t, r.Annotations["summary"])
				require.NotEmpty(t, r.Annotations["description"])
				if r.For != "" {
					_, err := time.ParseDuration(r.For)
					require.NoError(t, err)
				}
				for _, said := range r.Annotations {
					for _, l := range regexp.MustCompile(`\$labels\.([a-z_]+)`).FindAllStringSubmatch(said, -1) {
						require.Contains(t, has, l[1], "the result has no label %s", l[1])
					}
				}
			})
		}
	}
	require.Greater(t, len(seen), 10)
}

// TestProblemsAreFound: what the other tests rely on can fail.
func TestProblemsAreFound(t *testing.T) {
	series, words := known(t), operations(t)
	for text, want := range map[string]string{
		"sum(":                                 "parse error",
		"emenda_nothing > 0":                   "no such metric: emenda_nothing",
		`emenda_store_up{route="x"}`:           "emenda_store_up has no label route",
		"sum by (caller) (emenda_store_up)":    "grouped by caller, which is not there",
		`emenda_requests_total{outcome="odd"}`: "docs/operations.md knows no outcome odd",
		"sum by (le) (rate(emenda_request_duration_seconds_sum[5m]))": "grouped by le, which is not there",
	} {
		wrong, _ := problems(series, words, text)
		require.NotEmpty(t, wrong, text)
		require.Contains(t, wrong[0], want)
	}
	wrong, has := problems(series, words, `max by (backend) (emenda_backend_breaker_state{state="open"}) > 0`)
	require.Empty(t, wrong)
	require.Equal(t, []string{"backend"}, has)
}

// TestDashboard: the dashboard is JSON, its panels lie side by side, and its
// queries name nothing that is not there.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("grafana/emenda.json")
	require.NoError(t, err)
	var board struct {
		UID, Title string
		Panels     []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr, LegendFormat string }
		}
		Templating struct{ List []struct{ Name string } }
	}
	require.NoError(t, json.Unmarshal(text, &board))
	var variables []string
	for _, v := range board.Templating.List {
		variables = append(variables, v.Name)
	}
	require.Equal(t, []string{"datasource", "instance"}, variables)
	series, words := known(t), operations(t)
	used := ""
	for i, p := range board.Panels {
		require.Equal(t, i+1, p.ID)
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", `instance=~"$instance"`, `instance=~".*"`).Replace(target.Expr)
			wrong, has := problems(series, words, expr)
			require.Empty(t, wrong, p.Title)
			for _, l := range regexp.MustCompile(`{{([a-z_]+)}}`).FindAllStringSubmatch(target.LegendFormat, -1) {
				require.Contains(t, has, l[1], p.Title)
			}
			used += expr
		}
	}
	// Every metric of ours but the bare number of a hash and a time is looked at.
	for name := range series {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if strings.HasPrefix(name, "emenda_") && name != "emenda_config_hash" && name != "emenda_config_last_reload_success_timestamp_seconds" {
			require.Contains(t, used, base)
		}
	}
}
