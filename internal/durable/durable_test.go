package durable_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/pgtest"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// databases runs a test on both.
func databases(t *testing.T, test func(t *testing.T, g *gateway)) {
	t.Run("SQLite", func(t *testing.T) { test(t, begin(t, newShop(t), "")) })
	t.Run("PostgreSQL", func(t *testing.T) {
		pg := pgtest.Start(t)
		test(t, begin(t, newShop(t), pg.Database("orders")))
	})
}

func TestOrderToItsEnd(t *testing.T) {
	databases(t, func(t *testing.T, g *gateway) {
		id := g.make("anna", "lamp")
		require.Equal(t, id, g.make("anna", "lamp"), "the same key is the same order")
		status, m := g.ask("anna", "POST", "/v1/things", `{"name":"lamp","document":"11144477735"}`, "Prefer", "wait=1")
		require.Equal(t, 202, status)
		require.Equal(t, "waiting", m["state"], "who waits hears how far it has come")
		status, m = g.ask("anna", "POST", "/v1/things", `{"name":"lamp","document":"52998224725"}`)
		require.Equal(t, 422, status)
		require.Equal(t, "another", m["error"])

		m = g.until(id, "waiting")
		require.Equal(t, []string{"made ok", "met waiting", "closed pending"}, steps(m))
		require.Equal(t, "met", m["waits_for"])
		other := g.make("bert", "lamp")
		require.NotEqual(t, id, other, "of another caller it is another")
		g.restart()
		g.until(other, "waiting")
		m = g.until(id, "waiting")
		require.Equal(t, map[string]any{"number": 1.0}, m["shows"])

		status, m = g.ask("anna", "GET", "/v1/things/"+id, "")
		require.Equal(t, 200, status)
		require.Equal(t, map[string]any{"state": "waiting", "shows": map[string]any{"number": 1.0}, "steps": []any{"made", "met", "closed"}}, m)
		status, m = g.ask("bert", "GET", "/v1/things/"+id, "")
		require.Equal(t, 409, status, "a caller sees only its own")
		require.Equal(t, "not_found", m["class"])
		_, m = g.ask("anna", "GET", "/v1/things?state=waiting", "")
		require.Equal(t, []any{id}, m["things"])
		_, m = g.ask("anna", "GET", "/v1/things?state=done", "")
		require.Equal(t, []any{}, m["things"])

		status, _ = g.ask("bert", "POST", "/v1/things/"+id+"/met", `{"where":"home"}`)
		require.Equal(t, 202, status)
		m = g.until(id, "done")
		require.Equal(t, []string{"made ok", "met ok", "closed ok"}, steps(m))
		require.Equal(t, map[string]any{"number": 1.0, "met": "home"}, m["shows"])
		status, m = g.ask("anna", "POST", "/v1/things", `{"name":"lamp","document":"11144477735"}`, "Prefer", "wait=5")
		require.Equal(t, 202, status)
		require.Equal(t, "done", m["state"])
		g.shop.with(func() {
			require.Len(t, g.shop.made, 2)
			require.Equal(t, []int{1}, g.shop.closed)
		})
	})
}

func TestOrderIsUndoneWhenAsked(t *testing.T) {
	databases(t, func(t *testing.T, g *gateway) {
		id := g.make("anna", "chair")
		g.until(id, "waiting")
		status, m := g.ask("bert", "DELETE", "/v1/things/"+id, "")
		require.Equal(t, 409, status, m)
		status, _ = g.ask("anna", "DELETE", "/v1/things/"+id, "")
		require.Equal(t, 202, status)
		m = g.until(id, "undone")
		require.Equal(t, []string{"made ok", "met refused", "undo made ok"}, steps(m))
		require.Equal(t, []any{"made"}, m["undone"])
		require.Equal(t, "cancelled", m["error"].(map[string]any)["class"])
		acts := m["acts"].([]any)
		require.Equal(t, "anna", acts[0].(map[string]any)["by"])
		status, m = g.ask("anna", "DELETE", "/v1/things/"+id, "")
		require.Equal(t, 409, status)
		require.Equal(t, "ended", m["class"])
		g.shop.with(func() { require.Empty(t, g.shop.live) })
	})
}

func TestOrderIsStuckUntilPeopleDecide(t *testing.T) {
	g := begin(t, newShop(t), "")
	id := g.make("anna", "table")
	g.until(id, "waiting")
	g.shop.with(func() { g.shop.refuse = "/things/1" })
	status, m := g.askAdmin("POST", "/-/orders/"+id+"/cancel", `{"by":"carla","reason":"nobody came"}`)
	require.Equal(t, 200, status, m)
	m = g.until(id, "stuck")
	require.Equal(t, []any{"made"}, m["left"])
	require.Equal(t, true, m["asks"])
	g.restart()
	g.shop.with(func() { g.shop.refuse = "" })
	status, m = g.askAdmin("POST", "/-/orders/"+id+"/retry", `{"by":"carla"}`)
	require.Equal(t, 200, status, m)
	m = g.until(id, "undone")
	require.Equal(t, []string{"made ok", "met refused", "undo made failed", "undo made ok"}, steps(m))
	require.Contains(t, g.log.text(), `"state":"stuck"`)
	require.NotContains(t, g.log.text(), "11144477735")
}

// An order goes on under what it began under, whatever is edited, and after a restart.
func TestPlanIsPinned(t *testing.T) {
	g := begin(t, newShop(t), "")
	before := g.make("anna", "old")
	g.until(before, "waiting")
	file := filepath.Join(filepath.Dir(g.config), "mappings", "api", "make.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	now := strings.Replace(string(text), "    call: shop.close\n    with: { id: \"${made.id}\" }\n", "    call: shop.make\n    body: { name: closed }\n", 1)
	now = strings.ReplaceAll(now, "${order.id}\n    undo: none", "${order.id}c\n    undo: none")
	require.NotEqual(t, string(text), now)
	require.NoError(t, os.WriteFile(file, []byte(now), 0o600))
	require.Equal(t, "reloaded", string(g.reloader.Reload("test").Result))
	after := g.make("anna", "new")
	g.until(after, "waiting")
	g.restart()
	for _, id := range []string{before, after} {
		status, _ := g.ask("anna", "POST", "/v1/things/"+id+"/met", `{"where":"x"}`)
		require.Equal(t, 202, status)
	}
	g.until(before, "done")
	g.until(after, "done")
	g.shop.with(func() {
		require.Equal(t, []int{1}, g.shop.closed)
		require.Contains(t, g.shop.live, 3)
		require.Equal(t, "closed", g.shop.live[3])
	})
}

func TestDatabaseIsAway(t *testing.T) {
	pg := pgtest.Start(t)
	url := pg.Database("orders")
	pg.Stop()
	g := begin(t, newShop(t), url)
	status, m := g.ask("anna", "POST", "/v1/things", `{"name":"lamp","document":"11144477735"}`)
	require.Equal(t, 503, status)
	require.Equal(t, "later", m["error"])
	status, _ = g.ask("anna", "GET", "/v1/things", "")
	require.Equal(t, 503, status)
	status, m = g.askAdmin("GET", "/readyz", "")
	require.Equal(t, 200, status)
	require.Equal(t, "degraded", m["status"])
	require.Equal(t, map[string]any{"kind": "postgres", "up": false}, m["orders"])
	pg.Run()
	var id string
	require.Eventually(t, func() bool {
		status, m = g.ask("anna", "POST", "/v1/things", `{"name":"lamp","document":"11144477735"}`)
		id, _ = m["id"].(string)
		return status == 202
	}, waitLong, waitTick)
	g.until(id, "waiting")
	pg.Restart()
	status, _ = g.askAdmin("GET", "/-/orders/nosuch", "")
	require.Contains(t, []int{404, 503}, status)
	require.Eventually(t, func() bool {
		status, _ = g.ask("anna", "POST", "/v1/things/"+id+"/met", `{"where":"x"}`)
		return status == 202
	}, waitLong, waitTick)
	g.until(id, "done")
}

func TestPersonIsExportedAndErased(t *testing.T) {
	g := begin(t, newShop(t), "")
	id := g.make("anna", "bed")
	g.until(id, "waiting")
	status, m := g.askAdmin("POST", "/-/privacy/export", `{"document":"11144477735"}`)
	require.Equal(t, 200, status, m)
	all := m["orders"].([]any)
	require.Len(t, all, 1)
	given := all[0].(map[string]any)["given"].(map[string]any)
	require.Equal(t, map[string]any{"name": "bed", "document": "11144477735"}, given["Input"])
	_, m = g.askAdmin("POST", "/-/privacy/erase", `{"document":"11144477735"}`)
	require.Equal(t, map[string]any{"erased": 0.0, "left": 1.0}, m)
	g.ask("anna", "DELETE", "/v1/things/"+id, "")
	g.until(id, "undone")
	_, m = g.askAdmin("POST", "/-/privacy/erase", `{"document":" 11144477735"}`)
	require.Equal(t, map[string]any{"erased": 1.0, "left": 0.0}, m)
	_, m = g.askAdmin("GET", "/-/orders/"+id, "")
	require.Equal(t, true, m["emptied"])
	_, m = g.askAdmin("POST", "/-/privacy/export", `{"document":"11144477735"}`)
	require.Empty(t, m["orders"])
	for _, c := range []struct{ name, path, body, code string }{
		{"no document", "/-/privacy/export", `{}`, "request"},
		{"no JSON", "/-/privacy/erase", `x`, "request"},
		{"nobody asks", "/-/orders/" + id + "/cancel", `{}`, "request"},
		{"no action", "/-/orders/" + id + "/stop", `{"by":"c"}`, "request"},
		{"no order", "/-/orders/nosuch/cancel", `{"by":"c"}`, "not_found"},
		{"it asks nobody", "/-/orders/" + id + "/retry", `{"by":"c"}`, "ended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, m := g.askAdmin("POST", c.path, c.body)
			require.Equal(t, c.code, m["code"], m)
		})
	}
}

// What lists, graphs, metrics and logs tell of orders holds nothing of people.
func TestWhatIsToldOfOrders(t *testing.T) {
	g := begin(t, newShop(t), "")
	for _, name := range []string{"a", "b", "c"} {
		g.until(g.make("anna", name), "waiting")
	}
	var seen []any
	cursor := ""
	for range 3 {
		status, m := g.askAdmin("GET", "/-/orders?limit=1&route=api/make&open=true&cursor="+cursor, "")
		require.Equal(t, 200, status, m)
		seen = append(seen, m["orders"].([]any)...)
		cursor, _ = m["next"].(string)
	}
	require.Len(t, seen, 3)
	require.Empty(t, cursor)
	status, m := g.askAdmin("GET", "/-/orders?cursor=x", "")
	require.Equal(t, 400, status)
	require.Equal(t, "cursor", m["code"])
	for question, words := range map[string]string{
		"since=yesterday":     "since is a time such as 2026-01-31T08:00:00Z",
		"limit=few":           "limit is a number",
		"state=waiting,ready": "state is one of [accepted running waiting held undoing done undone stuck]",
	} {
		status, m = g.askAdmin("GET", "/-/orders?"+question, "")
		require.Equal(t, 400, status, question)
		require.Equal(t, map[string]any{"code": "request", "message": words}, m)
	}

	id := seen[0].(map[string]any)["id"].(string)
	text := g.text("/-/orders/" + id + "/graph.svg")
	require.Contains(t, text, "<svg")
	require.Contains(t, text, ">met<")
	require.Contains(t, text, "waiting")
	require.Eventually(t, func() bool { // as it is kept
		_, m := g.askAdmin("GET", "/-/orders?state=waiting", "")
		return len(m["orders"].([]any)) == 3
	}, waitLong, waitTick)
	text = g.text("/metrics")
	var orders []string // the whole text would be long to show
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "emenda_orders") {
			orders = append(orders, strings.TrimSpace(line))
		}
	}
	require.Subset(t, orders, []string{`emenda_orders{route="api/make",state="waiting"} 3`, "emenda_orders_waiting 3", `emenda_orders_up{database="sqlite"} 1`})
	for _, text := range []string{text, g.log.text()} {
		require.NotContains(t, text, "11144477735")
	}
}

func TestWhatEndedLongAgoIsEmptied(t *testing.T) {
	for _, c := range []struct {
		name    string
		later   time.Duration
		emptied bool
	}{
		{"not yet", 29 * 24 * time.Hour, false},
		{"after keep", 31 * 24 * time.Hour, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := begin(t, newShop(t), "")
			id := g.make("anna", "stool")
			g.until(id, "waiting")
			g.ask("anna", "DELETE", "/v1/things/"+id, "")
			g.until(id, "undone")
			g.later.Store(int64(c.later))
			g.restart()
			if c.emptied {
				require.Eventually(t, func() bool {
					_, m := g.askAdmin("GET", "/-/orders/"+id, "")
					return m["emptied"] == true
				}, waitLong, waitTick)
			}
			_, m := g.askAdmin("GET", "/-/orders/"+id, "")
			require.Equal(t, c.emptied, m["emptied"])
			require.Equal(t, "undone", m["state"])
			require.Equal(t, !c.emptied, m["steps"] != nil)
			status, m := g.ask("anna", "POST", "/v1/things", `{"name":"stool","document":"11144477735"}`)
			require.Equal(t, 202, status)
			require.Equal(t, id, m["id"], "the key holds")
		})
	}
}

func (g *gateway) text(path string) string {
	res, err := http.Get(g.admin.URL + path)
	require.NoError(g.t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(g.t, err)
	return string(text)
}

// Many orders that ask at once, as after a restart, have their configuration loaded
// once: a load takes as much as a start.
func TestConfigurationIsLoadedOnce(t *testing.T) {
	g := begin(t, newShop(t), "")
	g.until(g.make("anna", "lamp"), "waiting")
	loaded, list := snapshot.Load(g.config)
	require.False(t, list.HasErrors(), list.Text())
	allocated := func(fn func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		fn()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	under := func(many int) {
		g.orders.Forget(loaded.Hash)
		var all sync.WaitGroup
		for range many {
			all.Go(func() { assert.NoError(t, g.orders.Under(t.Context(), loaded.Hash)) })
		}
		all.Wait()
	}
	one := allocated(func() { under(1) })
	require.Less(t, allocated(func() { under(100) }), 5*one)

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	g.orders.Forget(loaded.Hash)
	require.Error(t, g.orders.Under(gone, loaded.Hash))
	require.NoError(t, g.orders.Under(t.Context(), loaded.Hash), "who gives up spoils it for nobody")
	require.Error(t, g.orders.Under(t.Context(), "none"))
}

// Whichever route an order came by, it is one of the mapping's, before and after a restart.
func TestOrderOfAnotherRoute(t *testing.T) {
	g := prepare(t, newShop(t), "")
	change := func(name, old, now string) {
		name = filepath.Join(filepath.Dir(g.config), name)
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Contains(t, string(text), old)
		require.NoError(t, os.WriteFile(name, []byte(strings.Replace(string(text), old, now, 1)), 0o600))
	}
	other := filepath.Join(filepath.Dir(g.config), "mappings", "dialects")
	text, err := os.ReadFile(filepath.Join(other, "api.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(other, "other.yaml"), []byte(strings.NewReplacer("dialect: api", "dialect: other", "/v1", "/v2").Replace(string(text))), 0o600))
	change("mappings/api/make.yaml", "route: { method: POST, path: things, dialect: api }", "route: [{ method: POST, path: things, dialect: api }, { method: POST, path: goods, dialect: other }]")
	change("gateway.yaml", "callers:\n", "callers:\n  cleo: { dialect: other, token: { secret: CLEO }, permissions: [\"other.*\"] }\n")
	g.env["CLEO"] = "key-cleo"
	g.start()
	status, m := g.ask("cleo", "POST", "/v2/goods", `{"name":"lamp","document":"11144477735"}`)
	require.Equal(t, 202, status, m)
	id := m["id"].(string)
	require.NotEqual(t, id, g.make("anna", "lamp"))
	g.until(id, "waiting")
	g.restart()
	m = g.until(id, "waiting")
	require.Equal(t, "api/make", m["route"])
	require.Equal(t, "cleo", m["caller"])
	status, _ = g.ask("bert", "POST", "/v1/things/"+id+"/met", `{"where":"home"}`)
	require.Equal(t, 202, status)
	m = g.until(id, "done")
	require.Equal(t, []string{"made ok", "met ok", "closed ok"}, steps(m))
}
