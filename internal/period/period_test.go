package period_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/period"
)

func TestNext(t *testing.T) {
	for _, c := range []struct{ name, line, zone, after, next string }{
		{"half hours", "*/30 * * * *", "UTC", "2026-03-01T11:29:59Z", "2026-03-01T11:30:00Z"},
		{"that very time is over", "*/30 * * * *", "UTC", "2026-03-01T11:30:00Z", "2026-03-01T12:00:00Z"},
		{"in another zone", "0 9 * * *", "America/Sao_Paulo", "2026-03-01T11:00:00Z", "2026-03-01T12:00:00Z"},
		{"by a word", "@monthly", "UTC", "2026-03-01T11:00:00Z", "2026-04-01T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone, err := period.Zone(c.zone)
			require.NoError(t, err)
			p, err := period.Parse(c.line, zone)
			require.NoError(t, err)
			after, err := time.Parse(time.RFC3339, c.after)
			require.NoError(t, err)
			require.Equal(t, c.next, p.Next(after).UTC().Format(time.RFC3339))
		})
	}
}

func TestWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, line, says string }{
		{"no cron", "whenever", "expected a cron line"},
		{"seconds", "0 0 9 * * *", "expected a cron line"},
		{"an interval", "@every 1h", "expected a cron line"},
		{"a zone in the line", "CRON_TZ=UTC 0 9 * * *", "expected a cron line"},
		{"never", "0 9 30 2 *", "never comes"},
		{"nothing", "", "expected a cron line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := period.Parse(c.line, time.UTC)
			require.ErrorContains(t, err, c.says)
		})
	}
	for _, name := range []string{"", "Local", "Brazil/Nowhere"} {
		_, err := period.Zone(name)
		require.ErrorContains(t, err, "America/Sao_Paulo")
	}
}
