package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/diag"
)

func TestSchedules(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"no map", "schedules: []", "2:12: expected a map, this is a list"},
		{"no times", "schedules:\n  s: { call: shop.renew }", `"cron" is missing`},
		{"nothing to do", "schedules:\n  s: { cron: '@daily' }", `"call" is missing`},
		{"no cron line", "schedules:\n  s: { cron: every day, call: shop.renew }", "3:14: expected a cron line: minute hour day month weekday, as */30 * * * *"},
		{"never", "schedules:\n  s: { cron: 0 9 30 2 *, call: shop.renew }", "3:14: this never comes"},
		{"a default is checked", "schedules:\n  s: { cron: \"${env:WHEN:-soon}\", call: shop.renew }", "3:14: expected a cron line"},
		{"no zone", "schedules:\n  s: { cron: '@daily', timezone: Sao_Paulo, call: shop.renew }", "3:34: no such time zone; expected a name as America/Sao_Paulo"},
		{"an unknown key", "schedules:\n  s: { cron: '@daily', call: shop.renew, wiht: { a: 1 } }", "did you mean with?"},
		{"a variable among the constants", "schedules:\n  s: { cron: '@daily', call: shop.renew, with: { all: [\"x ${env:Y}\"] } }", "3:59: a schedule gives constants: nothing can stand in ${} here"},
		{"an expression in the body", "schedules:\n  s:\n    cron: '@daily'\n    call: shop.renew\n    body:\n      at: ${now}", "7:11: a schedule gives constants"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, list := config.Load(diag.NewFile("g.yaml", "emenda: 1\n"+c.text+"\n"))
			require.Contains(t, list.Text(), c.says)
		})
	}
}

func TestSchedulesResolved(t *testing.T) {
	c, list := config.Load(diag.NewFile("g.yaml", `emenda: 1
gateway: { timezone: "${env:ZONE:-Europe/Madrid}" }
schedules:
  here: { cron: "*/30 * * * *", call: shop.renew }
  there: { cron: "${env:WHEN}", timezone: America/Sao_Paulo, call: flows.look, with: { a: $1 } }
`))
	require.Empty(t, list.Text())
	r, list := c.Resolve(environment("WHEN", "0 9 * * 1-5"), noFile)
	require.Empty(t, list.Text())
	require.Equal(t, map[string]*config.ResolvedSchedule{
		"here":  {Name: "here", Cron: "*/30 * * * *", Zone: "Europe/Madrid"},
		"there": {Name: "there", Cron: "0 9 * * 1-5", Zone: "America/Sao_Paulo"},
	}, r.Schedules)

	r, list = c.Resolve(environment("ZONE", "UTC"), noFile)
	require.Empty(t, list.Text())
	require.Equal(t, map[string]*config.ResolvedSchedule{"here": {Name: "here", Cron: "*/30 * * * *", Zone: "UTC"}}, r.Schedules)
	require.Equal(t, "WHEN is not set: serving leaves schedule there out", r.Missing[0].Warning().Message)

	_, list = c.Resolve(environment("WHEN", "hush"), noFile)
	require.Contains(t, list.Text(), "cron: expected a cron line")
	require.NotContains(t, list.Text(), "hush")
}
