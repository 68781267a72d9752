package intake

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// TestFormIsReadAsURLsAre holds readForm to net/url, piece by piece.
func TestFormIsReadAsURLsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "=", "&", "&", "+", "%", "%41", "%3d", "%26", "%c3%a9", "é", "%e9", "\xe9", " ", ";", "%4"}), 0, 12).Draw(t, "form"), "")
		got, why := readForm(new(jsonx.Arena), nil, s, nil, "")
		var want []pair
		bad := unreadable("")
		for _, piece := range strings.Split(s, "&") {
			if piece == "" {
				continue
			}
			name, value, _ := strings.Cut(piece, "=")
			p := pair{}
			var err1, err2 error
			p.name, err1 = url.QueryUnescape(name)
			p.value, err2 = url.QueryUnescape(value)
			if err1 != nil || err2 != nil {
				bad = badEscape
				break
			}
			want = append(want, p)
		}
		for _, p := range want {
			if bad == "" && !utf8.ValidString(p.name+p.value) {
				bad = badBytes
			}
		}
		require.Equal(t, bad, why)
		if bad == "" {
			require.Equal(t, want, got)
		}
	})
}
