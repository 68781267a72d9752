package rehearse

import (
	"fmt"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// Comparison is how two documents are compared.
type Comparison bool

// The comparisons.
const (
	Exactly Comparison = false
	AtLeast Comparison = true // members not named may be there too
)

// Compare tells where document got differs from want, and shows both.
func Compare(what string, want, got []byte, how Comparison) []string {
	failures := differences(what, want, got, how)
	if len(failures) > 0 {
		failures = append(failures, fmt.Sprintf("%s received: %s\n  %s expected: %s", what, got, what, want))
	}
	return failures
}

// differences tells where document got differs from want.
func differences(what string, want, got []byte, how Comparison) (failures []string) {
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

func differ(path string, want, got jsonx.Value, how Comparison, failures *[]string) {
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
		if how == AtLeast {
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

// parse reads JSON of a test into a value on memory of its own.
func parse(text []byte) (jsonx.Value, error) {
	a := new(jsonx.Arena)
	return a.Parse(string(text), false)
}
