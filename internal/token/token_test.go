package token_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/emenda-gateway/emenda/internal/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a clock that tests turn.
type clock struct{ now atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.now.Store(time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}
func (c *clock) Now() time.Time       { return time.Unix(0, c.now.Load()).UTC() }
func (c *clock) turn(d time.Duration) { c.now.Add(int64(d)) }

func jwt(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

func TestLife(t *testing.T) {
	now := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, value string
		want        time.Duration
	}{
		{"milliseconds, as the documented sample has them", jwt(`{"exp":1583420400000,"iat":1583416800000,"qtdRen":0}`), time.Hour},
		{"seconds", jwt(`{"exp":1583420400,"iat":1583416800}`), time.Hour},
		{"no iat", jwt(fmt.Sprintf(`{"exp":%d}`, now.Add(90*time.Second).Unix())), 90 * time.Second},
		{"no iat, over", jwt(`{"exp":1583420400}`), 0},
		{"iat after exp", jwt(fmt.Sprintf(`{"exp":%d,"iat":%d}`, now.Add(time.Minute).Unix(), now.Add(time.Hour).Unix())), time.Minute},
		{"padding", "e30." + base64.URLEncoding.EncodeToString([]byte(`{"exp":1583420400,"iat":1583416800}`)) + ".c2ln", time.Hour},
		{"no exp", jwt(`{}`), 0},
		{"exp a text", jwt(`{"exp":"soon"}`), 0},
		{"exp absurd", jwt(`{"exp":1e300}`), 0},
		{"for ever, in seconds", jwt(`{"exp":9999999999}`), 30 * 24 * time.Hour},
		{"for ever, in milliseconds", jwt(`{"exp":253402300799000,"iat":1583416800000}`), 30 * 24 * time.Hour},
		{"larger than a header", jwt(`{"exp":1583420400,"iat":1583416800,"x":"` + strings.Repeat("x", 32<<10) + `"}`), 0},
		{"opaque", "abc", 0},
		{"not base64", "a.!!.c", 0},
		{"not JSON", "a." + base64.RawURLEncoding.EncodeToString([]byte("{")) + ".c", 0},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, token.Life(c.value, now)) })
	}
}

func TestOneFetchForAll(t *testing.T) {
	var fetches atomic.Int32
	release := make(chan struct{})
	s := token.New(token.Options{Fetch: func(context.Context, string) (string, error) {
		fetches.Add(1)
		<-release
		return "t1", nil
	}})
	defer s.Close()
	impatient, cancel := context.WithCancel(context.Background())
	first := make(chan error, 1)
	go func() {
		_, err := s.Get(impatient)
		first <- err
	}()
	cancel()
	require.ErrorIs(t, <-first, context.Canceled)
	var wg sync.WaitGroup
	got := make([]string, 50)
	for i := range got {
		wg.Add(1)
		go func() {
			defer wg.Done()
			got[i], _ = s.Get(context.Background())
		}()
	}
	close(release)
	wg.Wait()
	for _, g := range got {
		require.Equal(t, "t1", g)
	}
	require.Equal(t, int32(1), fetches.Load())
}

func TestInvalidateOnce(t *testing.T) {
	var fetches atomic.Int32
	var olds sync.Map
	s := token.New(token.Options{Fetch: func(_ context.Context, old string) (string, error) {
		n := fetches.Add(1)
		olds.Store(n, old)
		return fmt.Sprintf("t%d", n), nil
	}})
	defer s.Close()
	v, err := s.Get(context.Background())
	require.NoError(t, err)
	require.Equal(t, "t1", v)
	var wg sync.WaitGroup
	for range 50 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s.Invalidate("t1")
			v, err := s.Get(context.Background())
			if err != nil || v != "t2" {
				t.Errorf("got %q, %v", v, err)
			}
		}()
	}
	wg.Wait()
	require.Equal(t, int32(2), fetches.Load())
	old, _ := olds.Load(int32(2))
	require.Equal(t, "t1", old, "the refused token is handed on for renewal")
}

func TestExpiry(t *testing.T) {
	c := newClock()
	fetched := make(chan string, 10)
	n := 0
	var fail atomic.Bool
	s := token.New(token.Options{Now: c.Now, Life: 10 * time.Minute, Fetch: func(_ context.Context, old string) (string, error) {
		defer func() { fetched <- old }()
		if fail.Load() {
			return "", errors.New("down")
		}
		n++
		return fmt.Sprintf("t%d", n), nil
	}})
	defer s.Close()
	get := func() string {
		v, err := s.Get(context.Background())
		require.NoError(t, err)
		return v
	}
	require.Equal(t, "t1", get())
	require.Empty(t, <-fetched)
	c.turn(8 * time.Minute)
	require.Equal(t, "t1", get())
	require.Empty(t, fetched)

	// In the last tenth it is used and renewed.
	fail.Store(true)
	c.turn(time.Minute + time.Second)
	require.Equal(t, "t1", get())
	require.Equal(t, "t1", <-fetched)
	require.Eventually(t, func() bool { return get() == "t1" && len(fetched) == 0 }, time.Second, time.Millisecond)

	fail.Store(false)
	c.turn(6 * time.Second)
	require.Eventually(t, func() bool { return get() == "t2" }, time.Second, time.Millisecond)
	require.Empty(t, <-fetched, "a renewal is tried once: what became of it is not known")

	// Over: those who come wait for the new one.
	c.turn(11 * time.Minute)
	require.Equal(t, "t3", get())
}

func TestFailures(t *testing.T) {
	down := errors.New("down")
	var fetches atomic.Int32
	s := token.New(token.Options{Fetch: func(context.Context, string) (string, error) {
		switch fetches.Add(1) {
		case 1:
			return "", down
		case 2:
			return "a\r\nHost: b", nil
		case 3:
			return "", nil
		}
		return "good", nil
	}})
	_, err := s.Get(context.Background())
	require.ErrorIs(t, err, down)
	_, err = s.Get(context.Background())
	require.ErrorIs(t, err, token.ErrBad)
	_, err = s.Get(context.Background())
	require.ErrorIs(t, err, token.ErrBad)
	v, err := s.Get(context.Background())
	require.NoError(t, err)
	require.Equal(t, "good", v)
	s.Invalidate("another")
	_, err = s.Get(context.Background())
	require.NoError(t, err)
	require.Equal(t, int32(4), fetches.Load(), "invalidating another token than the current one changes nothing")
	s.Invalidate("good")
	s.Close()
	_, err = s.Get(context.Background())
	require.ErrorIs(t, err, token.ErrClosed)
}

func TestFetchHasItsOwnDeadline(t *testing.T) {
	s := token.New(token.Options{Timeout: 20 * time.Millisecond, Fetch: func(ctx context.Context, _ string) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	}})
	defer s.Close()
	_, err := s.Get(context.Background())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func BenchmarkGet(b *testing.B) {
	s := token.New(token.Options{Fetch: func(context.Context, string) (string, error) { return "t", nil }})
	defer s.Close()
	ctx := context.Background()
	_, _ = s.Get(ctx)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.Get(ctx)
	}
}

// A token that says it lives for ever is kept, not fetched for every call.
func TestTokenForEver(t *testing.T) {
	c := newClock()
	fetches := 0
	s := token.New(token.Options{Now: c.Now, Fetch: func(context.Context, string) (string, error) {
		fetches++
		return jwt(`{"exp":9999999999}`), nil
	}})
	defer s.Close()
	for range 3 {
		_, err := s.Get(context.Background())
		require.NoError(t, err)
	}
	require.Equal(t, 1, fetches)
}

func TestFetchPanics(t *testing.T) {
	fetches := 0
	s := token.New(token.Options{Fetch: func(context.Context, string) (string, error) {
		if fetches++; fetches == 1 {
			panic("broken")
		}
		return "good", nil
	}})
	defer s.Close()
	require.PanicsWithValue(t, "broken", func() { _, _ = s.Get(context.Background()) })
	v, err := s.Get(context.Background())
	require.NoError(t, err)
	require.Equal(t, "good", v)
}
