package durable_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/pgtest"
)

// hourly closes a thing each hour.
const hourly = "schedules:\n  sweep: { cron: '@hourly', call: shop.close, with: { id: 7 } }\n"

// schedule writes what runs at set times into a gateway's file.
func (g *gateway) schedule(text string) {
	old, err := os.ReadFile(g.config)
	require.NoError(g.t, err)
	before, _, _ := strings.Cut(string(old), "schedules:")
	require.NoError(g.t, os.WriteFile(g.config, []byte(before+text), 0o600))
}

// reload reloads and wants it done.
func (g *gateway) reload() {
	require.Empty(g.t, g.reloader.Reload("test").Problems.Text())
}

// shortly sets a gateway's clock before a full hour: the next, or one after it.
func (g *gateway) shortly(hours int, before time.Duration) {
	next := time.Now().Truncate(time.Hour).Add(time.Duration(1+hours) * time.Hour)
	g.later.Store(int64(time.Until(next) - before))
}

// scheduled gives what is told of the schedule sweep.
func (g *gateway) scheduled() map[string]any {
	status, m := g.askAdmin("GET", "/-/schedules", "")
	require.Equal(g.t, 200, status, m)
	for _, one := range m["schedules"].([]any) {
		if s := one.(map[string]any); s["name"] == "sweep" {
			return s
		}
	}
	return nil
}

// untilRan waits for a run of sweep to have ended in a way, and gives what is told of it.
func (g *gateway) untilRan(outcome string) (s map[string]any) {
	require.Eventually(g.t, func() bool { s = g.scheduled(); return s != nil && s["outcome"] == outcome }, waitLong, waitTick, "%v", s)
	return s
}

func (g *gateway) measured() string {
	res, err := http.Get(g.admin.URL + "/metrics")
	require.NoError(g.t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(g.t, err)
	return string(text)
}

func TestScheduleRunsOnceAmongReplicas(t *testing.T) {
	pg, s := pgtest.Start(t), newShop(t)
	database := pg.Database("orders")
	var all []*gateway
	for range 2 {
		g := prepare(t, s, database)
		g.schedule(hourly)
		g.shortly(0, 5*time.Second)
		g.start()
		all = append(all, g)
	}
	for _, g := range all {
		one := g.untilRan("ok")
		require.Equal(t, "@hourly", one["cron"])
		require.Equal(t, "UTC", one["zone"])
		require.NotEmpty(t, one["succeeded"])
		require.Contains(t, g.measured(), `emenda_schedule_last_success_timestamp_seconds{schedule="sweep"} `)
		require.Contains(t, g.measured(), `emenda_schedule_periods_since_success{schedule="sweep"} 0`)
	}
	time.Sleep(300 * time.Millisecond)
	s.with(func() { require.Equal(t, []int{7}, s.closed, "once among both") })
	ran := 0
	for _, g := range all {
		ran += strings.Count(g.measured(), `emenda_schedule_runs_total{outcome="ok",schedule="sweep"} 1`)
	}
	require.Equal(t, 1, ran)
}

func TestScheduleFails(t *testing.T) {
	g := prepare(t, newShop(t), "")
	g.schedule(hourly)
	g.shop.refuse = "/close"
	g.shortly(0, 5*time.Second)
	g.start()
	one := g.untilRan("failed")
	require.Nil(t, one["succeeded"])
	require.Contains(t, g.log.text(), `"error":"failed, class status"`)
	require.Contains(t, g.measured(), `emenda_schedule_runs_total{outcome="failed",schedule="sweep"} 1`)
	require.Contains(t, g.measured(), `emenda_schedule_periods_since_success{schedule="sweep"} 1`)
}

// What is edited holds from the next time on: the first schedule there is, another call, none.
func TestSchedulesAreReloaded(t *testing.T) {
	g := prepare(t, newShop(t), "")
	for _, name := range []string{"make", "get", "list", "drop", "met"} { // nothing durable: nothing is opened before
		require.NoError(t, os.Remove(filepath.Join(filepath.Dir(g.config), "mappings", "api", name+".yaml")))
	}
	dir := filepath.Join(filepath.Dir(g.config), "mappings")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hear.yaml"), []byte("emenda: 1\nroute: { path: hear, dialect: api }\nreply: [{ json: {} }]\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sweep.yaml"), []byte("emenda: 1\nflow: sweep\ninput: { id: { type: integer, required: true } }\nsteps: { closed: { call: shop.close, with: { id: \"${input.id}\" } } }\nresult: {}\n"), 0o600))
	g.shortly(0, 10*time.Second)
	g.start()
	require.Nil(t, g.scheduled())
	kind, _ := g.orders.Health(t.Context())
	require.Empty(t, kind)

	g.schedule(hourly)
	g.reload()
	g.schedule(strings.Replace(hourly, "id: 7", "id: 8", 1))
	g.reload()
	g.untilRan("ok")
	g.shop.with(func() { require.Equal(t, []int{8}, g.shop.closed) })

	g.shortly(1, 5*time.Second)
	g.schedule("schedules:\n  sweep: { cron: '0 * * * *', call: flows.sweep, with: { id: 9 } }\n")
	g.reload()
	require.Eventually(t, func() bool { return strings.Count(g.log.text(), `"msg":"a schedule ran"`) == 2 }, waitLong, waitTick)
	g.shop.with(func() { require.Equal(t, []int{8, 9}, g.shop.closed) })

	g.schedule("")
	g.reload()
	require.Nil(t, g.scheduled())
}

// A schedule whose backend is left out is told to be, and does not run.
func TestScheduleIsLeftOut(t *testing.T) {
	g := prepare(t, newShop(t), "")
	g.schedule(hourly)
	delete(g.env, "SHOP_URL")
	g.start()
	require.Equal(t, map[string]any{"name": "sweep", "missed": 0.0, "unwell": 0.0, "left_out": "backend shop is left out"}, g.scheduled())
	require.Contains(t, g.log.text(), `"msg":"left out","kind":"schedule","name":"sweep","why":"backend shop is left out"`)
}
