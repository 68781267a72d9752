package observe

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// timeless is a line without its time.
func timeless(t require.TestingT, line string) string {
	before, rest, ok := strings.Cut(line, `"time":"`)
	require.True(t, ok, line)
	at, rest, _ := strings.Cut(rest, `"`)
	_, err := time.Parse(time.RFC3339Nano, at)
	require.NoError(t, err)
	return before + rest
}

// TestSameLine: whoever writes a line, its bytes are slog's.
func TestSameLine(t *testing.T) {
	word := rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9/_.-]{0,12}`), rapid.String())
	level := rapid.SampledFrom([]string{"ok", "bad_input", "failed", "internal", "q\"<", "é"})
	rapid.Check(t, func(t *rapid.T) {
		l := Line{
			ID: word.Draw(t, "id"), Method: word.Draw(t, "method"), Route: word.Draw(t, "route"), Caller: word.Draw(t, "caller"),
			Status: rapid.Int().Draw(t, "status"), Outcome: level.Draw(t, "outcome"),
			Took:  time.Duration(rapid.Int64Range(-1e6, 1e15).Draw(t, "took")),
			Calls: rapid.IntRange(0, 99).Draw(t, "calls"), In: rapid.Int().Draw(t, "in"), Out: rapid.Int().Draw(t, "out"),
		}
		if rapid.Bool().Draw(t, "unusual") {
			for _, field := range []*string{&l.Path, &l.Class, &l.Step, &l.Cause, &l.Address, &l.Repeat, &l.FailedOperation, &l.FailedClass} {
				*field = word.Draw(t, "more")
			}
			l.FailedStatus = rapid.IntRange(0, 599).Draw(t, "failed status")
		}
		var ours, theirs bytes.Buffer
		l.Log(NewLogger(&ours, slog.LevelInfo), time.Now())
		level := slog.LevelInfo
		switch l.Outcome {
		case "internal":
			level = slog.LevelError
		case "failed":
			level = slog.LevelWarn
		}
		l.attributes(context.Background(), slog.New(slog.NewJSONHandler(&theirs, nil)), level)
		require.Equal(t, timeless(t, theirs.String()), timeless(t, ours.String()))
	})
}

// TestUsualLineAllocatesNothing: it is written for every request.
func TestUsualLineAllocatesNothing(t *testing.T) {
	log := NewLogger(discard{}, slog.LevelInfo)
	l := Line{ID: "r1", Method: "POST", Route: "ura/x", Caller: "ivr", Status: 200, Outcome: "ok", Took: time.Millisecond}
	require.True(t, l.usual())
	for range 10 { // the pool fills
		l.Log(log, time.Now())
	}
	require.Less(t, testing.AllocsPerRun(1000, func() { l.Log(log, time.Now()) }), 1.0)
}

type discard struct{}

// Write takes what comes.
func (discard) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkLine is the line of a request that went well.
func BenchmarkLine(b *testing.B) {
	l := Line{ID: "0123456789abcdef0123456789abcdef", Method: "POST", Route: "ura/consultacliente", Caller: "ivr", Status: 200, Outcome: "ok", Took: 1234 * time.Microsecond, Calls: 1, In: 90, Out: 444}
	for name, log := range map[string]*slog.Logger{"ours": NewLogger(discard{}, slog.LevelInfo), "slog": slog.New(slog.NewJSONHandler(discard{}, nil))} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l.Log(log, time.Now())
			}
		})
	}
}
