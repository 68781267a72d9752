package mapping_test

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// twoRoutes are two routes of one mapping; callers kiosk and robot speak their dialects.
const twoRoutes = `
-- m.yaml --
emenda: 1
route:
  - { path: things, dialect: plain, timeout: 2s }
  - { path: "shelves/{shelf}/things", dialect: formal, needs: formal.look }
input: { shelf: { type: integer } }
steps: { found: { call: shop.stock.list } }
reply: [{ json: { shelf: "${?input.shelf}", n: "${len(found)}" } }]
tests:
  - { name: one, caller: kiosk, request: { json: {} }, upstream: [{ call: shop.stock.list, answer: { json: [] } }], reply: { status: 200 } }
  - { name: other, caller: robot, request: { path: /formal/shelves/1/things, json: {} }, upstream: [{ call: shop.stock.list, answer: { json: [] } }], reply: { status: 200 } }
  - { name: nobodys, request: { json: {} }, reply: { status: 401 } }
`

// formal is the dialect plain under another name and prefix.
func formal(t *testing.T) string {
	for _, f := range base(t) {
		if text := string(f.Data); strings.Contains(text, "dialect: plain") {
			return "-- dialects/formal.yaml --\n" + strings.NewReplacer("dialect: plain", "dialect: formal", "[/plain]", "[/formal]").Replace(text)
		}
	}
	t.Fatal("there is no dialect plain")
	return ""
}

func TestRoutesOfOneMapping(t *testing.T) {
	set := good(t, formal(t)+twoRoutes)
	require.Len(t, set.Routes, 2)
	for i, c := range []struct {
		dialect, path, needs string
		tests                []string
	}{
		{"plain", "things", "plain.things", []string{"one", "nobodys"}},
		{"formal", "shelves/{shelf}/things", "formal.look", []string{"other"}},
	} {
		r := set.Routes[i]
		require.Equal(t, c.dialect, r.Dialect.Name)
		require.Equal(t, c.path, r.Path)
		require.Equal(t, c.needs, r.Needs)
		require.Equal(t, c.dialect+"/"+c.path, r.Plan.Name)
		var tests []string
		for _, f := range set.Tests {
			if f.Route == r {
				for _, one := range f.Tests {
					tests = append(tests, one.Name)
				}
			}
		}
		require.Equal(t, c.tests, tests)
	}
}

func TestRoutesAreChecked(t *testing.T) {
	for _, c := range []struct{ name, routes, says string }{
		{"none", "[]", "at least one element is needed"},
		{"a dialect twice", "[{ path: a, dialect: plain }, { path: b, dialect: plain }]", "m.yaml:2:58: two routes of one mapping have the dialect plain"},
		{"an unknown dialect", "[{ path: a, dialect: plain }, { path: b, dialect: formall }]", "m.yaml:2:58: unknown dialect \"formall\""},
		{"a field that is not there", "[{ path: a, dialect: plain }, { path: \"{shelf}\", dialect: formal }]", "m.yaml:2:48: unknown input field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, list := load(t, txtar.Parse([]byte(formal(t)+"-- m.yaml --\nemenda: 1\nroute: "+c.routes+"\nreply: [{ json: {} }]\n")).Files)
			require.Len(t, list, 1, list.Text())
			require.Contains(t, list.Text(), c.says)
		})
	}
	t.Run("what is wrong with all is told once", func(t *testing.T) {
		_, list := load(t, txtar.Parse([]byte(formal(t)+"-- m.yaml --\nemenda: 1\nroute: [{ path: a, dialect: plain }, { path: b, dialect: formal }]\nreply: [{ json: { a: \"${nothing}\" } }]\n")).Files)
		require.Len(t, list, 1, list.Text())
	})
}
