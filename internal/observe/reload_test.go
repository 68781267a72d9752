package observe_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/observe"
)

func TestConfigurationMetrics(t *testing.T) {
	m := observe.NewMetrics("test")
	shown := func() string {
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		var lines []string
		for line := range strings.Lines(w.Body.String()) {
			if strings.HasPrefix(line, "emenda_config_") {
				lines = append(lines, strings.TrimPrefix(line, "emenda_config_"))
			}
		}
		return strings.Join(lines, "")
	}
	m.Configuration("ffffffffffff")
	m.ReloadSucceeded(time.UnixMilli(1_700_000_000_250))
	require.Equal(t, `hash 2.81474976710655e+14
info{hash="ffffffffffff"} 1
last_reload_success_timestamp_seconds 1.70000000025e+09
last_reload_successful 1
reloads_total{result="refused"} 0
reloads_total{result="reloaded"} 0
reloads_total{result="unchanged"} 0
`, shown())
	m.Reload("refused")
	m.ReloadFailed()
	m.Configuration("00000000000f")
	m.Configuration("00000000000f")
	require.Equal(t, `hash 15
info{hash="00000000000f"} 1
last_reload_success_timestamp_seconds 1.70000000025e+09
last_reload_successful 0
reloads_total{result="refused"} 1
reloads_total{result="reloaded"} 0
reloads_total{result="unchanged"} 0
`, shown())
}
