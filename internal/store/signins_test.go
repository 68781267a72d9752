package store_test

import (
	"fmt"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/store"
)

// TestSignIns: each line is one sign-in after the other.
func TestSignIns(t *testing.T) {
	const a, b, c = "192.0.2.1", "192.0.2.2", "192.0.2.3"
	type try struct {
		from  string
		right bool
		who   string
		after time.Duration
		times int
		wait  time.Duration
	}
	for name, tries := range map[string][]try{
		"an address waits after so many": {
			{from: a, who: "ivr", times: 3}, {from: a, who: "ivr", wait: 30 * time.Second},
			{from: a, who: "ivr", after: 10 * time.Second, wait: 20 * time.Second},
			{from: a, who: "", wait: 20 * time.Second},
			{from: a, who: "ivr", after: 20 * time.Second},
		},
		"whomever it names, or nobody": {
			{from: a, who: "x"}, {from: a, who: "y"}, {from: a, who: ""}, {from: a, who: "z", wait: 30 * time.Second},
		},
		"failures far apart do not add up": {
			{from: a, who: "ivr", times: 2}, {from: a, who: "ivr", after: time.Minute, times: 2}, {from: a, who: "ivr", after: time.Minute, times: 2},
		},
		"a right guess is not let in, and is not told from a wrong one": {
			{from: a, who: "ivr", times: 3}, {from: a, right: true, who: "ivr", wait: 30 * time.Second}, {from: a, who: "ivr", wait: 30 * time.Second},
			{from: a, right: true, who: "ivr", after: 30 * time.Second},
		},
		"an address from which somebody has signed in never waits": {
			{from: a, right: true, who: "ivr"}, {from: a, who: "ivr", times: 30}, {from: a, who: "", times: 30},
			{from: a, right: true, who: "ivr"}, {from: a, right: true, who: "app"},
		},
		"from elsewhere nobody is locked out": {
			{from: a, who: "ivr", times: 3}, {from: a, who: "ivr", times: 20, wait: 30 * time.Second},
			{from: b, right: true, who: "ivr"}, {from: b, right: true, who: "ivr"},
		},
		"guesses from many addresses get one try each": {
			{from: a, who: "ivr"}, {from: b, who: "ivr"}, {from: c, who: "ivr"}, {from: c, who: "ivr", wait: 30 * time.Second},
			{from: "192.0.2.4", who: "ivr"}, {from: "192.0.2.4", who: "ivr", wait: 30 * time.Second},
			{from: "192.0.2.5", right: true, who: "ivr"}, {from: "192.0.2.6", who: "app", times: 2},
			{from: a, who: "ivr", after: 2 * time.Minute}, {from: a, who: "ivr"},
		},
		"of IPv6 it is the network": {
			{from: "2001:db8::1", who: ""}, {from: "2001:db8::2", who: ""}, {from: "2001:db8::3", who: ""},
			{from: "2001:db8::4", who: "", wait: 30 * time.Second}, {from: "2001:db8:0:1::4", who: ""},
		},
		"without an address nobody waits": {{from: "", who: "ivr", times: 30}, {from: "", right: true, who: "ivr"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := store.NewLocal(10)
			limit := &store.SignInLimit{Failures: 3, Per: time.Minute, Pause: 30 * time.Second}
			now := noon
			for i, try := range tries {
				now = now.Add(try.after)
				from, _ := netip.ParseAddr(try.from)
				for range max(try.times, 1) {
					got := time.Duration(0)
					if try.right {
						got = s.RightSignIn(from, try.who, now)
					} else {
						got = s.WrongSignIn(limit, from, try.who, now)
					}
					require.Equal(t, try.wait, got, "line %d", i+1)
				}
			}
		})
	}
}

// However many addresses fail, what is remembered of them is bounded, and the
// latest are held back all the same.
func TestSignInsAreBounded(t *testing.T) {
	m := observe.NewMetrics("test")
	s, err := store.New(store.Options{Limit: 1, Metrics: m})
	require.NoError(t, err)
	limit := &store.SignInLimit{Failures: 2, Per: time.Minute, Pause: time.Minute}
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range 30_000 {
		s.WrongSignIn(limit, at(i), "", noon.Add(time.Duration(i)))
	}
	require.Equal(t, 10_000, store.FailingAddresses(s))
	require.Zero(t, s.WrongSignIn(limit, at(29_999), "", noon.Add(time.Second)))
	require.Positive(t, s.WrongSignIn(limit, at(29_999), "ivr", noon.Add(time.Second)))
	s.WrongSignIn(limit, at(1), "", noon.Add(time.Hour))
	require.Less(t, store.FailingAddresses(s), 10_000, "what is over goes first")
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Contains(t, w.Body.String(), `emenda_limited_total{by="address",caller="ivr"} 1`)
}

func TestRightSignInsCostNothing(t *testing.T) {
	s := store.NewLocal(10)
	limit := &store.SignInLimit{Failures: 1, Per: time.Minute, Pause: time.Minute}
	from := netip.MustParseAddr("192.0.2.1")
	s.RightSignIn(from, "ivr", noon)
	for i := range 100 {
		s.WrongSignIn(limit, netip.MustParseAddr(fmt.Sprint("10.0.0.", i)), "ivr", noon)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if s.RightSignIn(from, "ivr", noon) != 0 {
			panic("it waits")
		}
	}))
}
