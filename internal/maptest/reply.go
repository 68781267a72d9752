package maptest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/rehearse"
)

func checkReply(want *mapping.TestReply, got *exchange.Response) (failures []string) {
	if want.Status != 0 && want.Status != got.Status {
		failure := fmt.Sprintf("status is %d, expected %d%s", got.Status, want.Status, cause(got))
		if want.Text == nil && want.JSON == nil && want.Contains == nil {
			failure += fmt.Sprintf("\n  body received: %s", got.Body)
		}
		failures = append(failures, failure)
	}
	if want.Text != nil && *want.Text != string(got.Body) {
		failures = append(failures, fmt.Sprintf("body is %s\n  expected %s", got.Body, *want.Text))
	}
	if want.JSON != nil {
		failures = append(failures, rehearse.Compare("body", mapping.ConstantJSON(want.JSON), got.Body, rehearse.Exactly)...)
	}
	if want.Contains != nil {
		failures = append(failures, rehearse.Compare("body", mapping.ConstantJSON(want.Contains), got.Body, rehearse.AtLeast)...)
	}
	for _, name := range slices.Sorted(maps.Keys(want.Header)) {
		have, found := "", false
		if strings.EqualFold(name, "Content-Type") {
			have, found = got.Type, true
		}
		for _, h := range got.Header {
			if strings.EqualFold(h.Name, name) {
				have, found = h.Value, true
			}
		}
		switch value := want.Header[name]; {
		case !found:
			failures = append(failures, fmt.Sprintf("header %s is missing, expected %q", name, value))
		case have != value:
			failures = append(failures, fmt.Sprintf("header %s is %q, expected %q", name, have, value))
		}
	}
	return failures
}

func cause(got *exchange.Response) string {
	if got.Report.Cause == nil {
		return ""
	}
	return " (" + got.Report.Cause.Error() + ")"
}
