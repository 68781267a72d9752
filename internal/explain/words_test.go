package explain

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		pointers []string
		want     string
	}{
		"a field":       {[]string{"/id"}, "/id"},
		"several":       {[]string{"/id", "/l/0"}, "/id, /l/0"},
		"the whole":     {[]string{""}, "the body as a whole"},
		"the whole too": {[]string{"", "/id"}, "the body as a whole, /id"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, places(c.pointers))
		})
	}
}
