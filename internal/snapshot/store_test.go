package snapshot_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/redistest"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/store"
)

// TestOpenStore: where things are kept, and what with, is gateway.yaml's word.
func TestOpenStore(t *testing.T) {
	redis := redistest.Start(t)
	key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	other := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("o", 32)))
	for _, c := range []struct {
		name   string
		env    map[string]string
		shared bool
		files  []string
		again  map[string]string // another process's environment
		finds  bool              // it sees what the first has claimed
	}{
		{"nothing set", map[string]string{}, false, []string{"seal.key", "store.log"}, map[string]string{}, true},
		{"a key", map[string]string{"EMENDA_SEAL_KEY": key}, false, []string{"store.log"}, map[string]string{"EMENDA_SEAL_KEY": key}, true},
		{"Redis", map[string]string{"REDIS_URL": redis.URL(), "EMENDA_SEAL_KEY": key}, true, nil, map[string]string{"REDIS_URL": redis.URL(), "EMENDA_SEAL_KEY": key}, true},
		{"Redis and another key", map[string]string{"REDIS_URL": redis.URL(), "EMENDA_SEAL_KEY": key}, true, nil, map[string]string{"REDIS_URL": redis.URL(), "EMENDA_SEAL_KEY": other}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			redis.Flush()
			dir := t.TempDir()
			open := func(env map[string]string) *store.Store {
				text, err := os.ReadFile("../../gateway.yaml")
				require.NoError(t, err)
				config := filepath.Join(dir, "gateway.yaml")
				require.NoError(t, os.WriteFile(config, []byte(strings.Replace(string(text), "  mappings: ./mappings\n", "", 1)), 0o600))
				loaded, list := snapshot.Load(config)
				require.Empty(t, list.Text())
				settings, list := loaded.Resolve(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
				require.Empty(t, list.Text())
				require.Equal(t, filepath.Join(dir, "data"), loaded.DataFolder(settings))
				s, err := loaded.OpenStore(settings, nil, slog.New(slog.DiscardHandler))
				require.NoError(t, err)
				return s
			}
			claim := func(s *store.Store) flow.Verdict {
				turn, _, _, err := s.Begin(context.Background(), nil, store.About{}, time.Now())
				require.NoError(t, err)
				m := &mapping.Memory{Name: "m", Count: true, Per: "month"}
				return turn.Admit(context.Background(), &flow.Admission{Now: time.Now(), Claim: m, Key: []byte("1"), Limit: 1})
			}
			s := open(c.env)
			require.Equal(t, c.shared, s.Health().Shared)
			require.Equal(t, flow.Admitted, claim(s))
			require.NoError(t, s.Close())
			for _, name := range c.files {
				require.FileExists(t, filepath.Join(dir, "data", name))
			}
			if c.shared {
				require.NoDirExists(t, filepath.Join(dir, "data"))
			}
			s = open(c.again)
			want := flow.Admitted
			if c.finds {
				want = flow.OverLimit
			}
			require.Equal(t, want, claim(s))
			require.NoError(t, s.Close())
		})
	}
}
