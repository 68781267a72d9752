package routes

import (
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/observe"
)

// What intake.Paths finds without a listener, which is what tests and
// explanations go by, is what the listener's router finds.
func TestPathsAreTheRouters(t *testing.T) {
	var log lines
	m := observe.NewMetrics("test")
	a := newApp(open(t, "testdata/gateway.yaml", "http://127.0.0.1:1", m), m, slog.New(slog.NewJSONHandler(&log, nil)), nil)
	prefixes := []string{"", "/", "/p", "/p/", "/api/p/", "/api//p/", "/p/other/", "//p/", "/P/", "/pp/"}
	rests := []string{
		"", "echo", "echo/", "echo//", "Echo", "%65cho", "hello", "thing", "thing/", "other/thing", "nothing",
		"items/all/first", "items/all/first/", "items/all/second", "items/a%2Fb/1", "items/a/1/", "items//1", "items/a/", "items/a",
		"items/a/1/2", "items/%zz/1", "items/a/%ff", "items/a-b.c/1:2", "items/:p0/*", "items/{kind-of}/{number}", "items/+/~", "items/all/%66irst",
	}
	routed, tried := 0, 0
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"} {
		for _, p := range prefixes {
			for _, rest := range rests {
				path := p + rest
				if !strings.HasPrefix(path, "/") {
					continue
				}
				tried++
				var ctx fasthttp.RequestCtx
				ctx.Request.Header.SetMethod(method)
				ctx.Request.SetRequestURI(path)
				before := len(log.text())
				a.serve(&ctx, false)
				line := log.text()[before:]

				way, params, problem := a.paths.Find(method, path)
				var route *mapping.Route
				if way != nil {
					route = way.Route
				}
				switch {
				case problem == nil || problem.Kind == mapping.Unreadable:
					routed++
					require.Contains(t, line, `"route":"`+route.Plan.Name+`"`, "%s %s", method, path)
					if problem != nil {
						require.Contains(t, line, `"outcome":"unreadable"`, "%s %s", method, path)
					} else if strings.HasPrefix(route.Path, "items/{") {
						for i, want := range strings.Split(strings.Trim(path[strings.Index(path, "items/")+6:], "/"), "/") {
							want, err := url.PathUnescape(want)
							require.NoError(t, err)
							require.Equal(t, intake.Param{Name: []string{"kind-of", "number"}[i], Value: want}, params[i])
						}
					}
				default:
					require.Nil(t, route)
					require.NotContains(t, line, `"route":`, "%s %s", method, path)
					require.Contains(t, line, `"outcome":"`+problem.Kind.String()+`"`, "%s %s", method, path)
				}
			}
		}
	}
	require.Greater(t, routed, 20)
	require.Greater(t, tried-routed, 100)
}
