package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/redistest"
	"github.com/emenda-gateway/emenda/internal/seal"
	"github.com/emenda-gateway/emenda/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var bg = context.Background()

// keyOf gives a key made of one byte.
func keyOf(b byte) *seal.Key {
	k, err := seal.NewKey([]byte(strings.Repeat(string(rune(b)), seal.KeySize)))
	if err != nil {
		panic(err)
	}
	return k
}

// place is where a store under test keeps things, so that others can be opened on the same.
type place struct {
	t     *testing.T
	redis *redistest.Server // nil: a folder
	dir   string
}

// both runs a test with the store in a folder and with it in Redis.
func both(t *testing.T, test func(t *testing.T, p *place)) {
	t.Run("folder", func(t *testing.T) { test(t, &place{t: t, dir: t.TempDir()}) })
	t.Run("redis", func(t *testing.T) { test(t, &place{t: t, redis: redistest.Start(t)}) })
}

// open gives a store that ends with the test, or when it is closed.
func (p *place) open(keys ...*seal.Key) *store.Store {
	p.t.Helper()
	s, err := p.try(keys...)
	require.NoError(p.t, err)
	p.t.Cleanup(func() { _ = s.Close() })
	return s
}

func (p *place) try(keys ...*seal.Key) (*store.Store, error) {
	if len(keys) == 0 {
		keys = []*seal.Key{keyOf('k')}
	}
	o := store.Options{Limit: 100, Keys: keys, Folder: p.dir}
	if p.redis != nil {
		o.Redis = p.redis.URL()
	}
	return store.New(o)
}

// crash ends a store without anything it would do when closed: for a folder,
// what another process finds after kill -9; in Redis, until it is no more alive.
func (p *place) crash(s *store.Store) {
	p.t.Helper()
	store.Crash(s)
	if p.redis != nil {
		time.Sleep(store.LifeSign)
	}
}

var (
	repeat = store.Repeat{Identity: []byte("a route, a caller, a key"), Input: []byte("1"), For: time.Minute, Longest: time.Minute}
	about  = store.About{Route: "plain/thing", Caller: "kiosk", RequestID: "r1", Key: []byte(`[1300001]`)}
	once   = &mapping.Memory{Name: "once", Count: true, Per: "month", Refuse: true}
)

func begin(t *testing.T, s *store.Store, r store.Repeat) (store.Turn, store.Found, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(bg, 5*time.Second)
	defer cancel()
	turn, found, answer, err := s.Begin(ctx, &r, about, time.Now())
	require.NoError(t, err)
	return turn, found, string(answer)
}

func admission() *flow.Admission {
	return &flow.Admission{Step: "change", Target: "shop.change", Now: time.Now()}
}

func claiming(key string, limit int64) *flow.Admission {
	a := admission()
	a.Claim, a.Key, a.Limit = once, []byte(key), limit
	return a
}

func count(t *testing.T, s *store.Store, key string) string {
	t.Helper()
	v, _, err := s.Recall(bg, once, []byte(key), time.Now())
	require.NoError(t, err)
	return string(v)
}

func unknowns(t *testing.T, s *store.Store) []store.Unknown {
	t.Helper()
	all, foreign, err := s.Unknowns(bg)
	require.NoError(t, err)
	require.Zero(t, foreign)
	return all
}
