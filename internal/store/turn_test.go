package store_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/seal"
	"github.com/emenda-gateway/emenda/internal/store"
)

func TestRepeatGetsTheFirstAnswer(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		s := p.open()
		turn, found, _ := begin(t, s, repeat)
		require.Equal(t, store.First, found)
		a := admission()
		require.Equal(t, flow.Admitted, turn.Admit(bg, a))
		turn.Settled(a, contract.OK)
		turn.End([]byte("first"))

		_, found, answer := begin(t, s, repeat)
		require.Equal(t, store.Replayed, found)
		require.Equal(t, "first", answer)

		other := repeat
		other.Input = []byte("2")
		_, found, _ = begin(t, s, other)
		require.Equal(t, store.Differs, found)
		other.Identity = []byte("another")
		_, found, _ = begin(t, s, other)
		require.Equal(t, store.First, found)

		require.NoError(t, s.Close())
		s = p.open()
		_, found, answer = begin(t, s, repeat)
		require.Equal(t, store.Replayed, found, "after a restart")
		require.Equal(t, "first", answer)
		require.Empty(t, unknowns(t, s))
	})
}

func TestNothingSentIsNoRepeat(t *testing.T) {
	for _, c := range []struct {
		name  string
		state contract.State
		sent  bool
	}{
		{"nothing was sent", 0, false},
		{"it surely failed", contract.Failed, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, p *place) {
				s := p.open()
				turn, _, _ := begin(t, s, repeat)
				if c.sent {
					a := admission()
					require.Equal(t, flow.Admitted, turn.Admit(bg, a))
					turn.Settled(a, c.state)
				}
				turn.End([]byte("first"))
				_, found, _ := begin(t, s, repeat)
				require.Equal(t, store.First, found)
			})
		})
	}
}

func TestWindowEnds(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		s := p.open()
		short := repeat
		short.For = 300 * time.Millisecond
		turn, _, _ := begin(t, s, short)
		a := admission()
		require.Equal(t, flow.Admitted, turn.Admit(bg, a))
		turn.Settled(a, contract.Refused)
		turn.End([]byte("first"))
		_, found, _ := begin(t, s, short)
		require.Equal(t, store.Replayed, found)
		require.Eventually(t, func() bool {
			_, found, _ := begin(t, s, short)
			return found == store.First
		}, 5*time.Second, 50*time.Millisecond)
	})
}

func TestConcurrentOnesWait(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		stores := []*store.Store{p.open()}
		if p.redis != nil {
			stores = append(stores, p.open(), p.open())
		}
		var firsts, joined atomic.Int32
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				turn, found, answer := begin(t, stores[i%len(stores)], repeat)
				if found == store.First {
					firsts.Add(1)
					a := admission()
					if turn.Admit(bg, a) != flow.Admitted {
						t.Error("not admitted")
					}
					time.Sleep(50 * time.Millisecond) // the call
					turn.Settled(a, contract.OK)
					turn.End([]byte("the answer"))
					return
				}
				if answer != "the answer" {
					t.Errorf("%s: %q", found, answer)
				}
				joined.Add(1)
			})
		}
		wg.Wait()
		require.Equal(t, int32(1), firsts.Load())
		require.Equal(t, int32(29), joined.Load())
	})
}

func TestWaitingEndsWithItsTime(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		first, second := p.open(), (*store.Store)(nil)
		if second = first; p.redis != nil {
			second = p.open()
		}
		turn, _, _ := begin(t, first, repeat)
		ctx, cancel := context.WithTimeout(bg, 30*time.Millisecond)
		defer cancel()
		_, found, _, err := second.Begin(ctx, &repeat, about, time.Now())
		require.NoError(t, err)
		require.Equal(t, store.TimedOut, found)
		turn.End(nil)
		turn, found, _ = begin(t, second, repeat)
		require.Equal(t, store.First, found)
		turn.End(nil)
	})
}

// A gateway that ends after a call may have gone out: nobody sends it again,
// and people are told.
func TestCrashAfterSending(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		s := p.open()
		turn, _, _ := begin(t, s, repeat)
		require.Equal(t, flow.Admitted, turn.Admit(bg, claiming(`7`, 1)))
		p.crash(s)

		s = p.open()
		list := unknowns(t, s)
		require.Len(t, list, 1)
		require.Equal(t, `[1300001]`, list[0].Key)
		require.Equal(t, "shop.change", list[0].Operation)
		require.False(t, list[0].Lost)
		turn, found, _ := begin(t, s, repeat)
		require.Equal(t, store.Recovered, found)
		require.Equal(t, flow.Unsettled, turn.Admit(bg, claiming(`7`, 1)))
		turn.End([]byte("unknown"))
		_, found, answer := begin(t, s, repeat)
		require.Equal(t, store.Replayed, found)
		require.Equal(t, "unknown", answer)
		require.Equal(t, `1`, count(t, s, `7`), "the claim is kept")

		require.NoError(t, s.Done(bg, list[0].ID))
		require.Empty(t, unknowns(t, s))
		require.ErrorIs(t, s.Done(bg, list[0].ID), store.ErrNoUnknown)
		require.NoError(t, s.Close())
		s = p.open()
		require.Empty(t, unknowns(t, s))
		_, found, _ = begin(t, s, repeat)
		require.Equal(t, store.Replayed, found)
	})
}

// The answer came, and the gateway ended before it was kept: nobody else knows it.
func TestCrashBeforeTheAnswerIsKept(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		s := p.open()
		turn, _, _ := begin(t, s, repeat)
		a := claiming(`7`, 1)
		require.Equal(t, flow.Admitted, turn.Admit(bg, a))
		turn.Settled(a, contract.OK)
		require.Empty(t, unknowns(t, s), "it may still be kept")
		p.crash(s)
		s = p.open()
		require.Len(t, unknowns(t, s), 1)
		_, found, _ := begin(t, s, repeat)
		require.Equal(t, store.Recovered, found)
	})
}

func TestCrashBeforeSending(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		s := p.open()
		begin(t, s, repeat)
		p.crash(s)
		s = p.open()
		turn, found, _ := begin(t, s, repeat)
		require.Equal(t, store.First, found)
		turn.End(nil)
		require.Empty(t, unknowns(t, s))
	})
}

func TestBrokenRequestIsNotSentAgain(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		s := p.open()
		turn, _, _ := begin(t, s, repeat)
		require.Equal(t, flow.Admitted, turn.Admit(bg, admission()))
		turn.Abandon() // a panic
		turn, found, _ := begin(t, s, repeat)
		require.Equal(t, store.Recovered, found)
		turn.End([]byte("unknown"))
	})
}

func TestClaims(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		s := p.open()
		claim := func(key string, limit int64) (store.Turn, *flow.Admission, flow.Verdict) {
			turn, _, _, err := s.Begin(bg, nil, about, time.Now())
			require.NoError(t, err)
			a := claiming(key, limit)
			return turn, a, turn.Admit(bg, a)
		}
		turn, a, verdict := claim(`7`, 1)
		require.Equal(t, flow.Admitted, verdict)
		require.Equal(t, `1`, count(t, s, `7`))
		_, _, verdict = claim(`7`, 1)
		require.Equal(t, flow.OverLimit, verdict)
		_, _, verdict = claim(`8`, 1)
		require.Equal(t, flow.Admitted, verdict)

		turn.Settled(a, contract.Refused)
		require.Empty(t, count(t, s, `7`), "given back")
		turn, a, verdict = claim(`7`, 1)
		require.Equal(t, flow.Admitted, verdict)
		turn.Settled(a, contract.Failed)
		turn, a, verdict = claim(`7`, 1)
		require.Equal(t, flow.Admitted, verdict)
		turn.Settled(a, contract.Unknown)
		_, _, verdict = claim(`7`, 1)
		require.Equal(t, flow.OverLimit, verdict, "kept when nobody knows")
		_, _, verdict = claim(`7`, 2)
		require.Equal(t, flow.Admitted, verdict)
		require.Len(t, unknowns(t, s), 1)
		require.True(t, unknowns(t, s)[0].Lost)

		require.NoError(t, s.Close())
		s = p.open()
		require.Equal(t, `2`, count(t, s, `7`), "after a restart")
	})
}

func TestClaimsAtOnce(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		stores := []*store.Store{p.open()}
		if p.redis != nil {
			stores = append(stores, p.open())
		}
		var granted atomic.Int32
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				turn, _, _, err := stores[i%len(stores)].Begin(bg, nil, about, time.Now())
				if err == nil && turn.Admit(bg, claiming(`7`, 3)) == flow.Admitted {
					granted.Add(1)
				}
			})
		}
		wg.Wait()
		require.Equal(t, int32(3), granted.Load())
	})
}

func TestClaimsByWindow(t *testing.T) {
	zone := time.FixedZone("-03", -3*3600)
	end := time.Date(2026, 4, 1, 2, 59, 59, 0, time.UTC) // the last second of March there
	for _, c := range []struct{ per, next string }{{"month", ""}, {"day", ""}, {"hour", ""}, {"", `2`}} {
		t.Run("per "+c.per, func(t *testing.T) {
			s := store.NewLocal(10)
			m := &mapping.Memory{Name: "m", Count: true, Per: c.per}
			for _, at := range []time.Time{end.Add(-time.Minute), end} {
				turn, _, _, err := s.Begin(bg, nil, about, at.In(zone))
				require.NoError(t, err)
				a := &flow.Admission{Now: at.In(zone), Claim: m, Key: []byte(`1`), Limit: 9}
				require.Equal(t, flow.Admitted, turn.Admit(bg, a))
			}
			require.Equal(t, `2`, recall(t, s, m, `1`, end.In(zone)))
			require.Equal(t, c.next, recall(t, s, m, `1`, end.Add(time.Second).In(zone)))
		})
	}
}

// How many calls wait for people is a number that can be watched.
func TestWaiting(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		m := observe.NewMetrics("test")
		o := store.Options{Limit: 10, Keys: seal.Keys{keyOf('k')}, Folder: p.dir, Metrics: m}
		if p.redis != nil {
			o.Redis = p.redis.URL()
		}
		s, err := store.New(o)
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		says := func() string {
			rec := httptest.NewRecorder()
			m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
			_, after, _ := strings.Cut(rec.Body.String(), "\nemenda_unknown_calls_waiting ")
			n, _, _ := strings.Cut(after, "\n")
			return n
		}
		require.Equal(t, "0", says())
		turn, _, _ := begin(t, s, repeat)
		a := claiming(`7`, 1)
		require.Equal(t, flow.Admitted, turn.Admit(bg, a))
		require.Equal(t, "0", says(), "its answer may still come")
		turn.Settled(a, contract.Unknown)
		require.Equal(t, "1", says())
		if p.redis != nil {
			p.redis.Kill()
			untilDown(t, s)
			require.Equal(t, "1", says(), "as it was last")
			p.redis.Run()
			untilUp(t, s)
		}
		require.NoError(t, s.Done(bg, unknowns(t, s)[0].ID))
		require.Equal(t, "0", says())
	})
}
