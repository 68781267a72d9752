package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/redistest"
	"github.com/emenda-gateway/emenda/internal/store"
)

// While a new key replaces the old one, replicas with both and with the old
// one alone see the same; with the new one alone, what was done meanwhile.
func TestRotation(t *testing.T) {
	p := &place{t: t, redis: redistest.Start(t)}
	old, fresh := keyOf('o'), keyOf('n')
	before := p.open(old)
	during := p.open(fresh, old)
	m := &mapping.Memory{Name: "m", For: time.Hour}
	for i, s := range []*store.Store{before, during} {
		key := fmt.Sprint(i)
		r := repeat
		r.Identity = []byte(key)
		turn, found, _ := begin(t, s, r)
		require.Equal(t, store.First, found)
		a := claiming(key, 1)
		require.Equal(t, flow.Admitted, turn.Admit(bg, a))
		turn.Settled(a, contract.OK)
		turn.End([]byte("first"))
		remember(t, s, m, key, key, time.Now())
		for _, other := range []*store.Store{before, during} {
			_, found, answer := begin(t, other, r)
			require.Equal(t, store.Replayed, found)
			require.Equal(t, "first", answer)
			require.Equal(t, `1`, count(t, other, key))
			require.Equal(t, key, recall(t, other, m, key, time.Now()))
		}
	}
	after := p.open(fresh)
	r := repeat
	r.Identity = []byte("1")
	_, found, _ := begin(t, after, r)
	require.Equal(t, store.Replayed, found)
	require.Equal(t, `1`, count(t, after, "1"))
}

// Neither what is remembered nor whose it is can be read off Redis or the file.
func TestNothingCanBeRead(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		s := p.open()
		m := &mapping.Memory{Name: "m", For: time.Hour, Durable: true}
		require.NoError(t, s.Remember(bg, m, []byte(`"52998224725"`), []byte(`{"v":"MARIA"}`), time.Now()))
		r := repeat
		r.Identity, r.Input = []byte("52998224725"), []byte("52998224725 MARIA")
		private := about
		private.Key = []byte(`"52998224725"`)
		turn, _, _, err := s.Begin(bg, &r, private, time.Now())
		require.NoError(t, err)
		a := claiming(`"52998224725"`, 1)
		require.Equal(t, flow.Admitted, turn.Admit(bg, a))
		turn.Settled(a, contract.Unknown)
		turn.End([]byte("MARIA"))
		for _, secret := range []string{"52998224725", "MARIA"} {
			require.NotContains(t, p.everything(), secret)
		}
		require.NotEmpty(t, p.everything())
	})
}

// everything gives the raw bytes of what is kept.
func (p *place) everything() string {
	if p.redis == nil {
		text, err := os.ReadFile(filepath.Join(p.dir, "store.log"))
		require.NoError(p.t, err)
		return string(text)
	}
	c := p.redis.Client()
	var all strings.Builder
	for _, key := range c.Keys(bg, "*").Val() {
		fmt.Fprintln(&all, key)
		switch c.Type(bg, key).Val() {
		case "string":
			fmt.Fprintln(&all, c.Get(bg, key).Val())
		case "hash":
			fmt.Fprintln(&all, c.HGetAll(bg, key).Val())
		case "set":
			fmt.Fprintln(&all, c.SMembers(bg, key).Val())
		default:
			p.t.Fatalf("%s is of another type", key)
		}
	}
	return all.String()
}
