package maptest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// how two documents are compared.
type comparison bool

const (
	exactly comparison = false
	atLeast comparison = true // members not named may be there too
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
		failures = append(failures, compare("body", mapping.ConstantJSON(want.JSON), got.Body, exactly)...)
	}
	if want.Contains != nil {
		failures = append(failures, compare("body", mapping.ConstantJSON(want.Contains), got.Body, atLeast)...)
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

// compare tells where document got differs from want, and shows both.
func compare(what string, want, got []byte, how comparison) []string {
	failures := differences(what, want, got, how)
	if len(failures) > 0 {
		failures = append(failures, fmt.Sprintf("%s received: %s\n  %s expected: %s", what, got, what, want))
	}
	return failures
}

// differences tells where document got differs from want.
func differences(what string, want, got []byte, how comparison) (failures []string) {
	w, err := parse(want)
	if err != nil {
		return []string{fmt.Sprintf("the expected %s is no JSON: %v", what, err)}
	}
	g, err := parse(got)
	if err != nil {
		return []string{what + " is no JSON"}
	}
	differ(what, w, g, how, &failures)
	return failures
}

func differ(path string, want, got jsonx.Value, how comparison, failures *[]string) {
	if want.Kind() != got.Kind() {
		*failures = append(*failures, fmt.Sprintf("%s is %s, expected %s", path, show(got), show(want)))
		return
	}
	switch want.Kind() {
	case jsonx.Object:
		for it := want.Iter(); it.Next(); {
			key := it.Key().Text()
			at := path + "." + key
			have := got.Get(key)
			if have.Kind() == jsonx.Absent {
				*failures = append(*failures, fmt.Sprintf("%s is missing, expected %s", at, show(it.Value())))
				continue
			}
			differ(at, it.Value(), have, how, failures)
		}
		if how == atLeast {
			return
		}
		for it := got.Iter(); it.Next(); {
			if key := it.Key().Text(); want.Get(key).Kind() == jsonx.Absent {
				*failures = append(*failures, fmt.Sprintf("%s.%s is %s, expected nothing", path, key, show(it.Value())))
			}
		}
	case jsonx.Array:
		if want.Len() != got.Len() {
			*failures = append(*failures, fmt.Sprintf("%s has %d elements, expected %d", path, got.Len(), want.Len()))
			return
		}
		for i := range want.Len() {
			differ(fmt.Sprintf("%s[%d]", path, i), want.At(i), got.At(i), how, failures)
		}
	default:
		if !jsonx.Equal(want, got) {
			*failures = append(*failures, fmt.Sprintf("%s is %s, expected %s", path, show(got), show(want)))
		}
	}
}

func show(v jsonx.Value) string {
	if v.Kind() == jsonx.Absent {
		return "nothing"
	}
	return string(v.AppendJSON(nil))
}
