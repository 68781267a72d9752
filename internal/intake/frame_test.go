package intake

import (
	"time"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

var morning = time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC)

func newFrame(route *mapping.Route) *expr.Frame {
	return expr.NewFrame(route.Plan.Layout, morning, time.UTC)
}
