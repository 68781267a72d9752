package observe

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// writes are what was written, call by call.
type writes struct {
	mu  sync.Mutex
	all []string
}

// Write keeps b.
func (w *writes) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, string(b))
	return len(b), nil
}

func (w *writes) texts() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

// ids gives the request ids, or else messages, of every write.
func (w *writes) ids(t *testing.T) (all [][]string) {
	t.Helper()
	for _, text := range w.texts() {
		var ids []string
		for line := range strings.Lines(text) {
			require.True(t, strings.HasPrefix(line, `{"time":"`) && strings.HasSuffix(line, "}\n"), line)
			_, id, ok := strings.Cut(line, `"request_id":"`)
			if !ok {
				_, id, _ = strings.Cut(line, `"msg":"`)
			}
			id, _, _ = strings.Cut(id, `"`)
			ids = append(ids, id)
		}
		all = append(all, ids)
	}
	return all
}

func well(id string) *Line { return &Line{ID: id, Method: "POST", Status: 200, Outcome: "ok"} }

// TestGathered: lines of requests that went well come together, none later
// than gatherTime; everything else at once, after what came before it.
func TestGathered(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(log *slog.Logger, l *Lines)
		want [][]string
	}{
		"one alone is written at once": {func(log *slog.Logger, _ *Lines) { well("a").Log(log, time.Now()) }, [][]string{{"a"}}},
		"each alone": {func(log *slog.Logger, _ *Lines) {
			well("a").Log(log, time.Now())
			time.Sleep(gatherTime)
			well("b").Log(log, time.Now())
		}, [][]string{{"a"}, {"b"}}},
		"those that follow wait": {func(log *slog.Logger, _ *Lines) {
			well("a").Log(log, time.Now())
			well("b").Log(log, time.Now())
			well("c").Log(log, time.Now())
		}, [][]string{{"a"}}},
		"and come together": {func(log *slog.Logger, _ *Lines) {
			well("a").Log(log, time.Now())
			well("b").Log(log, time.Now())
			time.Sleep(gatherTime / 2)
			well("c").Log(log, time.Now())
			time.Sleep(gatherTime/2 + 1)
			well("d").Log(log, time.Now())
			time.Sleep(gatherTime + 1)
		}, [][]string{{"a"}, {"b", "c"}, {"d"}}},
		"a warning": {func(log *slog.Logger, _ *Lines) {
			well("a").Log(log, time.Now())
			well("b").Log(log, time.Now())
			(&Line{ID: "c", Outcome: "failed"}).Log(log, time.Now())
		}, [][]string{{"a"}, {"b", "c"}}},
		"an error": {func(log *slog.Logger, _ *Lines) {
			well("a").Log(log, time.Now())
			well("b").Log(log, time.Now())
			(&Line{ID: "c", Outcome: "internal", Cause: "x"}).Log(log, time.Now())
		}, [][]string{{"a"}, {"b", "c"}}},
		"what slog writes": {func(log *slog.Logger, _ *Lines) {
			well("a").Log(log, time.Now())
			well("b").Log(log, time.Now())
			log.Info("reloaded")
			log.With(slog.String("k", "v")).Info("again")
		}, [][]string{{"a"}, {"b", "reloaded"}, {"again"}}},
		"once closed nothing waits": {func(log *slog.Logger, l *Lines) {
			well("a").Log(log, time.Now())
			well("b").Log(log, time.Now())
			require.NoError(t, l.Close())
			well("c").Log(log, time.Now())
			well("d").Log(log, time.Now())
			require.NoError(t, l.Close())
		}, [][]string{{"a"}, {"b"}, {"c"}, {"d"}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var w writes
				l := NewLines(&w)
				c.do(NewLogger(l, slog.LevelInfo), l)
				synctest.Wait()
				require.Equal(t, c.want, w.ids(t))
			})
		})
	}
}

// TestManyAreWrittenSooner: no more is kept than gatherBytes.
func TestManyAreWrittenSooner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w writes
		log := NewLogger(NewLines(&w), slog.LevelInfo)
		for i := range 1000 {
			well(fmt.Sprint(i)).Log(log, time.Now())
		}
		written := w.texts()
		require.Greater(t, len(written), 3)
		for _, text := range written[1:] {
			require.InDelta(t, gatherBytes, len(text), 1000)
		}
		time.Sleep(2 * gatherTime)
		n := 0
		for _, ids := range w.ids(t) {
			for _, id := range ids {
				require.Equal(t, fmt.Sprint(n), id)
				n++
			}
		}
		require.Equal(t, 1000, n)
	})
}

// TestNoneIsLost: whoever logs beside whom, every line is there once and whole.
func TestNoneIsLost(t *testing.T) {
	var w writes
	l := NewLines(&w)
	log := NewLogger(l, slog.LevelInfo)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 500 {
				one := well(fmt.Sprint(i, "-", j))
				if j%50 == 0 {
					one.Outcome = "failed"
				}
				one.Log(log, time.Now())
			}
		})
	}
	all.Wait()
	require.NoError(t, l.Close())
	seen := map[string]int{}
	for _, ids := range w.ids(t) {
		for _, id := range ids {
			seen[id]++
		}
	}
	require.Len(t, seen, 8*500)
}

// broken takes nothing.
type broken struct{}

// Write fails.
func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestNothingPilesUp: a log that cannot be written holds no memory.
func TestNothingPilesUp(t *testing.T) {
	l := NewLines(broken{})
	log := NewLogger(l, slog.LevelInfo)
	for range 2000 {
		well("a").Log(log, time.Now())
	}
	require.Less(t, len(l.kept), gatherBytes)
	require.Error(t, l.Close())
	require.Empty(t, l.kept)
}
