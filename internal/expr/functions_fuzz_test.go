package expr

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A pattern that compiles reads only what it would write.
func FuzzDatePattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"dd-MM-yyyy", "31-01-2026"}, {"ddMMyyyy", "29022024"}, {"yyyy-MM-ddTHH:mm:ss.SSS", "2026-01-31T10:20:30.045"},
		{"dd 'de' MM", "01 de 02"}, {"epoch_ms", "0"}, {"''", ""}, {"HH", "24"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, patternText, text string) {
		p, err := compilePattern(patternText)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		if p.form != formFields || p.shortYear {
			return
		}
		if c, ok := p.readFields(text); ok {
			require.Equal(t, text, string(p.appendFields(nil, c)))
		}
	})
}

// What is read as RFC 3339 is the instant that package time reads.
func FuzzRFC3339(f *testing.F) {
	for _, seed := range []string{
		"2026-03-05T18:16:01-03:00", "2026-03-05T21:16:01Z", "2026-03-05T21:16:01.123456789012+05:30", "0000-01-01T00:00:00Z", "2026-03-05T21:16:01+-1:00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := readRFC3339(text)
		if !ok {
			return
		}
		want, err := time.Parse(time.RFC3339Nano, text)
		require.NoError(t, err)
		require.True(t, want.Equal(m.instant), "%s and %s", want, m.instant)
	})
}
