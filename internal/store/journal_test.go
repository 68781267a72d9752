package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/seal"
	"github.com/emenda-gateway/emenda/internal/store"
)

func inFolder(t *testing.T) *place { return &place{t: t, dir: t.TempDir()} }

func (p *place) file() string { return filepath.Join(p.dir, "store.log") }

// claimOnce takes a claim and ends well.
func claimOnce(t *testing.T, s *store.Store, key string) flow.Verdict {
	t.Helper()
	turn, _, _, err := s.Begin(bg, nil, about, time.Now())
	require.NoError(t, err)
	a := claiming(key, 1)
	v := turn.Admit(bg, a)
	if v == flow.Admitted {
		turn.Settled(a, contract.OK)
	}
	return v
}

func TestDurableMemory(t *testing.T) {
	p := inFolder(t)
	s := p.open()
	durable := &mapping.Memory{Name: "d", Durable: true, For: time.Hour}
	passing := &mapping.Memory{Name: "p", For: time.Hour}
	remember(t, s, durable, `1`, `{"a":1}`, time.Now())
	remember(t, s, passing, `1`, `{"a":1}`, time.Now())
	p.crash(s)
	s = p.open()
	require.Equal(t, `{"a":1}`, recall(t, s, durable, `1`, time.Now()))
	require.Empty(t, recall(t, s, passing, `1`, time.Now()))
	require.Empty(t, recall(t, s, durable, `1`, time.Now().Add(time.Hour)))
}

func TestFolderIsTaken(t *testing.T) {
	p := inFolder(t)
	s := p.open()
	_, err := p.try()
	require.ErrorIs(t, err, store.ErrTaken)
	require.ErrorContains(t, err, "EMENDA_DATA")
	require.NoError(t, s.Close())
	p.open()
}

func TestDamagedFile(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(text []byte) []byte
		says   string // "": it opens
		claims string // granted afterwards, of a, b
	}{
		{"cut in the last entry", func(b []byte) []byte { return b[:len(b)-1] }, "", "1-"},
		{"cut in a length", func(b []byte) []byte { return append(b, 0, 0) }, "", "11"},
		{"the last entry is damaged", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, "", "1-"},
		{"an entry in the middle is damaged", func(b []byte) []byte { b[40] ^= 1; return b }, "byte 15: sealed with another key, or damaged; give the key it was sealed with, or move the file away", ""},
		{"something else", func([]byte) []byte { return []byte("something else altogether") }, "is no store of this version", ""},
		{"a length beyond reason", func(b []byte) []byte { return append(b, 0xff, 0xff, 0xff, 0xff, 1) }, "an entry is too large", ""},
		{"empty", func([]byte) []byte { return nil }, "", "--"},
		{"cut in its header", func(b []byte) []byte { return b[:7] }, "", "--"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := inFolder(t)
			s := p.open()
			for _, key := range []string{`1`, `2`} {
				turn, _, _, err := s.Begin(bg, nil, about, time.Now())
				require.NoError(t, err)
				require.Equal(t, flow.Admitted, turn.Admit(bg, claiming(key, 1)))
			}
			p.crash(s)
			text, err := os.ReadFile(p.file())
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(p.file(), c.damage(text), 0o600))
			s, err = p.try()
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				require.ErrorContains(t, err, "store.log")
				return
			}
			require.NoError(t, err)
			got := ""
			for _, key := range []string{`1`, `2`} {
				n := count(t, s, key)
				if n == "" {
					n = "-"
				}
				got += n
			}
			require.Equal(t, c.claims, got)
			require.NoError(t, s.Close())
		})
	}
}

func TestAnotherKey(t *testing.T) {
	p := inFolder(t)
	s := p.open(keyOf('a'))
	require.Equal(t, flow.Admitted, claimOnce(t, s, `1`))
	require.NoError(t, s.Close())
	_, err := p.try(keyOf('b'))
	require.ErrorContains(t, err, "give the key it was sealed with")
	s = p.open(keyOf('b'), keyOf('a'))
	require.Equal(t, flow.OverLimit, claimOnce(t, s, `1`), "during a rotation both open")
	require.NoError(t, s.Close())
	s = p.open(keyOf('b'))
	require.Equal(t, flow.Admitted, claimOnce(t, s, `2`), "written anew with the new one")
}

func TestManyShareOneFile(t *testing.T) {
	p := inFolder(t)
	s := p.open()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				r := repeat
				r.Identity = fmt.Append(nil, i, j)
				turn, _, _, err := s.Begin(bg, &r, about, time.Now())
				if err != nil {
					t.Error(err)
					return
				}
				a := claiming(fmt.Sprint(i*1000+j), 1)
				if turn.Admit(bg, a) != flow.Admitted {
					t.Error("not admitted")
				}
				turn.Settled(a, contract.OK)
				turn.End([]byte("x"))
			}
		})
	}
	wg.Wait()
	p.crash(s)
	s = p.open()
	for i := range 8 {
		for j := range 50 {
			require.Equal(t, `1`, count(t, s, fmt.Sprint(i*1000+j)))
		}
	}
}

// The file does not grow for ever.
func TestCompaction(t *testing.T) {
	p := inFolder(t)
	s := p.open()
	large := make([]byte, 200<<10)
	r := repeat
	r.For = time.Nanosecond
	for range 100 { // 27 MB of answers nobody asks for any more
		turn, found, _ := begin(t, s, r)
		require.Equal(t, store.First, found)
		a := admission()
		require.Equal(t, flow.Admitted, turn.Admit(bg, a))
		turn.Settled(a, contract.OK)
		turn.End(large)
	}
	require.Equal(t, flow.Admitted, claimOnce(t, s, `1`))
	info, err := os.Stat(p.file())
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(12<<20))
	p.crash(s)
	s = p.open()
	require.Equal(t, `1`, count(t, s, `1`))
	info, err = os.Stat(p.file())
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(1<<20), "written anew when opened")
}

// A disk that takes nothing more: nothing is admitted, until it does again.
func TestFileCannotBeWritten(t *testing.T) {
	p := inFolder(t)
	s := p.open()
	require.Equal(t, flow.Admitted, claimOnce(t, s, `1`))
	store.BreakFile(s, filepath.Join(p.dir, "no such folder", "store.log"))
	for range 2 {
		require.Equal(t, flow.NoStore, claimOnce(t, s, `2`))
		require.Empty(t, count(t, s, `2`))
		require.False(t, s.Health().Up)
	}
	store.BreakFile(s, p.file())
	require.Equal(t, flow.Admitted, claimOnce(t, s, `2`), "by itself")
	require.True(t, s.Health().Up)
	p.crash(s)
	s = p.open()
	require.Equal(t, `1`, count(t, s, `1`))
	require.Equal(t, `1`, count(t, s, `2`))
}

func TestPersonalKeysAreNotListed(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		s := p.open()
		private := *once
		private.Name, private.Personal = "private", true
		for _, m := range []*mapping.Memory{once, &private} {
			turn, _, _, err := s.Begin(bg, nil, store.About{Route: m.Name}, time.Now())
			require.NoError(t, err)
			a := claiming(`"who"`, 1)
			a.Claim = m
			require.Equal(t, flow.Admitted, turn.Admit(bg, a))
			turn.Settled(a, contract.Unknown)
		}
		keys := map[string]string{}
		for _, u := range unknowns(t, s) {
			keys[u.Route] = u.Key
		}
		require.Equal(t, map[string]string{"once": `"who"`, "private": ""}, keys)
	})
}

// FuzzJournal: whatever stands in the file, it opens or says why not.
func FuzzJournal(f *testing.F) {
	key := keyOf('k')
	f.Add([]byte("emenda store 1\n"))
	f.Add(append([]byte("emenda store 1\n\x00\x00\x00\x30"), key.Seal(nil, "journal", []byte(`[{"r":{"s":"d"}}]`))...))
	f.Add([]byte("emenda store 1\n\x00\x00\x00\x01x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "store.log"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := store.New(store.Options{Limit: 10, Keys: seal.Keys{key}, Folder: dir})
		if err != nil {
			return
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzChanges: whatever a frame that opens says, it is taken in without a panic.
func FuzzChanges(f *testing.F) {
	key := keyOf('k')
	for _, text := range []string{`[{"r":{"s":"","o":"","n":[],"h":[]}}]`, `[{"r":{"s":"d","n":null}}]`, `[{"c":{"n":[],"i":["x"]}}]`, `[{"i":{"id":""}}]`, `[{"v":{"t":"eA=="}}]`, `[]`, `[{"c":{"n":["` + key.Name(nil).String() + `"],"i":null}}]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "store.log"), store.JournalOf(key, text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := store.New(store.Options{Limit: 10, Keys: seal.Keys{key}, Folder: dir})
		if err != nil {
			return
		}
		if _, _, err := s.Unknowns(bg); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
