package store_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/store"
)

var (
	_ flow.Memory  = (*store.Store)(nil)
	_ flow.Cache   = (*store.Store)(nil)
	_ flow.Instant = (*store.Store)(nil)
)

var noon = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

func recall(t *testing.T, l *store.Store, m *mapping.Memory, key string, now time.Time) string {
	t.Helper()
	v, found, err := l.Recall(context.Background(), m, []byte(key), now)
	require.NoError(t, err)
	require.Equal(t, found, v != nil)
	return string(v)
}

func remember(t *testing.T, l *store.Store, m *mapping.Memory, key, value string, now time.Time) {
	t.Helper()
	require.NoError(t, l.Remember(context.Background(), m, []byte(key), []byte(value), now))
}

func TestRememberedForItsTime(t *testing.T) {
	l := store.NewLocal(10)
	m := &mapping.Memory{Name: "m", For: time.Hour}
	require.Empty(t, recall(t, l, m, `1`, noon))
	remember(t, l, m, `1`, `{"a":1}`, noon)
	require.Equal(t, `{"a":1}`, recall(t, l, m, `1`, noon.Add(time.Hour-1)))
	require.Empty(t, recall(t, l, m, `2`, noon))
	require.Empty(t, recall(t, l, &mapping.Memory{Name: "other"}, `1`, noon))
	remember(t, l, m, `1`, `2`, noon.Add(time.Minute))
	require.Equal(t, `2`, recall(t, l, m, `1`, noon.Add(time.Hour)), "remembering again begins the time anew")
	require.Empty(t, recall(t, l, m, `1`, noon.Add(time.Hour+time.Minute)))
	n, _ := l.Len()
	require.Zero(t, n, "what is over is forgotten when asked for")
}

func TestNoTwoKeysMeet(t *testing.T) {
	l := store.NewLocal(10)
	remember(t, l, &mapping.Memory{Name: "m"}, `12`, `1`, noon)
	require.Empty(t, recall(t, l, &mapping.Memory{Name: "m1"}, `2`, noon))
	require.Empty(t, recall(t, l, &mapping.Memory{Name: "m", Per: "day"}, `12`, noon))
}

func TestRememberedValueIsACopy(t *testing.T) {
	l := store.NewLocal(10)
	m := &mapping.Memory{Name: "m"}
	value := []byte(`"a"`)
	require.NoError(t, l.Remember(context.Background(), m, []byte(`1`), value, noon))
	value[1] = 'b'
	require.Equal(t, `"a"`, recall(t, l, m, `1`, noon.AddDate(10, 0, 0)), "without `for` there is no end")
}

func TestUsedLongestAgoGoes(t *testing.T) {
	l := store.NewLocal(3)
	m := &mapping.Memory{Name: "m"}
	for _, k := range []string{`1`, `2`, `3`} {
		remember(t, l, m, k, k, noon)
	}
	require.Equal(t, `1`, recall(t, l, m, `1`, noon)) // used: 2 is the oldest now
	remember(t, l, m, `4`, `4`, noon)
	require.Empty(t, recall(t, l, m, `2`, noon))
	for _, k := range []string{`1`, `3`, `4`} {
		require.Equal(t, k, recall(t, l, m, k, noon))
	}
	n, _ := l.Len()
	require.Equal(t, 3, n)
}

func TestKeptAnswers(t *testing.T) {
	l := store.NewLocal(2)
	l.Store("a", []byte("1"), noon.Add(time.Second))
	body, ok := l.Load("a", noon)
	require.True(t, ok)
	require.Equal(t, "1", string(body))
	_, ok = l.Load("a", noon.Add(time.Second))
	require.False(t, ok)
	for i := range 5 {
		l.Store(fmt.Sprint(i), []byte("x"), noon.Add(time.Hour))
	}
	_, kept := l.Len()
	require.Equal(t, 2, kept)
}

// Few large answers take as much as many small ones: bytes are bounded, too.
func TestBytesAreBounded(t *testing.T) {
	l := store.NewLocal(1000)
	large := make([]byte, 8<<20)
	for i := range 100 {
		l.Store(fmt.Sprint(i), large, noon.Add(time.Hour))
		l.Store(fmt.Sprint(i), large, noon.Add(time.Hour)) // in its own place
	}
	_, kept := l.Len()
	require.Equal(t, 8, kept)
	_, ok := l.Load("99", noon)
	require.True(t, ok)
	_, ok = l.Load("91", noon)
	require.False(t, ok)
	l.Store("larger than all", make([]byte, 100<<20), noon.Add(time.Hour))
	_, kept = l.Len()
	require.Equal(t, 1, kept)
	for i := range 3 {
		l.Store(fmt.Sprint(i), nil, noon.Add(time.Hour))
	}
	_, kept = l.Len()
	require.Equal(t, 3, kept, "it goes, and small ones have room again")
}

// TestLikeAMap compares a store with plain maps, whatever is done in whatever order.
func TestLikeAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := store.NewLocal(100)
		m := &mapping.Memory{Name: "m", For: time.Hour}
		type kept struct {
			value string
			until time.Time
		}
		want := map[string]kept{}
		now := noon
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "minutes")) * time.Minute)
			k := rapid.StringMatching(`"[ab]{0,2}"`).Draw(t, "key")
			if rapid.Bool().Draw(t, "remember") {
				v := rapid.StringMatching(`[0-9]{1,3}`).Draw(t, "value")
				if err := l.Remember(context.Background(), m, []byte(k), []byte(v), now); err != nil {
					t.Fatal(err)
				}
				want[k] = kept{v, now.Add(time.Hour)}
				continue
			}
			got, found, _ := l.Recall(context.Background(), m, []byte(k), now)
			w, ok := want[k]
			ok = ok && now.Before(w.until)
			if found != ok || ok && string(got) != w.value {
				t.Fatalf("%s: got %q %v, want %q %v", k, got, found, w.value, ok)
			}
		}
	})
}

// TestLongKeys: however long a key is, its value is found by all of it.
func TestLongKeys(t *testing.T) {
	l := store.NewLocal(100)
	m := &mapping.Memory{Name: "m"}
	for n := range 300 {
		remember(t, l, m, strings.Repeat("k", n), fmt.Sprint(n), noon)
	}
	for n := 200; n < 300; n++ {
		require.Equal(t, fmt.Sprint(n), recall(t, l, m, strings.Repeat("k", n), noon))
	}
	require.Empty(t, recall(t, l, m, strings.Repeat("k", 199), noon), "there is room for a hundred")
}

// TestRememberingTheSameAgain: it begins the time anew, and what was read before stays as it was.
func TestRememberingTheSameAgain(t *testing.T) {
	l := store.NewLocal(2)
	m := &mapping.Memory{Name: "m", For: time.Hour}
	remember(t, l, m, "a", "1", noon)
	remember(t, l, m, "b", "2", noon)
	read, _, err := l.Recall(context.Background(), m, []byte("a"), noon)
	require.NoError(t, err)
	remember(t, l, m, "b", "2", noon)
	remember(t, l, m, "a", "1", noon.Add(time.Minute))
	require.Equal(t, "1", recall(t, l, m, "a", noon.Add(time.Hour)))
	remember(t, l, m, "a", "3", noon.Add(time.Minute))
	remember(t, l, m, "c", "4", noon)
	require.Empty(t, recall(t, l, m, "b", noon), "a was used later")
	require.Equal(t, "3", recall(t, l, m, "a", noon))
	require.Equal(t, "1", string(read))
}

// TestRememberingTheSameAllocatesNothing: it is done for every lookup.
func TestRememberingTheSameAllocatesNothing(t *testing.T) {
	l := store.NewLocal(10)
	m := &mapping.Memory{Name: "m", For: time.Hour}
	key, value := []byte("1300001"), []byte(`{"a":1}`)
	do := func() { _ = l.Remember(context.Background(), m, key, value, noon) }
	do()
	require.Less(t, testing.AllocsPerRun(1000, do), 1.0)
}

func BenchmarkRemember(b *testing.B) {
	l := store.NewLocal(1000)
	m := &mapping.Memory{Name: "a-memory", For: time.Hour}
	count := &mapping.Memory{Name: "a-count", Count: true, Per: "month"}
	key, value := []byte("1300001"), []byte(`{"document":"12312312312","name":"somebody"}`)
	ctx := context.Background()
	b.Run("the same", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = l.Remember(ctx, m, key, value, noon)
		}
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			_ = l.Remember(ctx, m, strconv.AppendInt(nil, int64(n), 10), value, noon)
		}
	})
	b.Run("recall", func(b *testing.B) {
		for b.Loop() {
			_, _, _ = l.Recall(ctx, m, key, noon)
		}
	})
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			_, _, _ = l.Recall(ctx, count, key, noon)
		}
	})
}
