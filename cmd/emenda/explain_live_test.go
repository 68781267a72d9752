package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/redistest"
	"github.com/emenda-gateway/emenda/internal/store"
)

// shop is a backend that keeps what it was asked.
type shop struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	lose  bool // the answers of orders
}

func newShop(t *testing.T) *shop {
	s := &shop{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path+" "+string(body))
		lose := s.lose
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Method == http.MethodGet:
			_, _ = io.WriteString(w, `{"name":"Fulana de Tal","mail":"fulana@example.com","size":"small","price":12}`)
		case lose:
			panic(http.ErrAbortHandler)
		default:
			_, _ = io.WriteString(w, `{"number":7}`)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *shop) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := s.asked
	s.asked = nil
	return took
}

// liveWorld is a folder with a configuration, and the environment of the gateway it is for.
type liveWorld struct {
	dir string
	env map[string]string
}

func newLiveWorld(t *testing.T, s *shop) *liveWorld {
	w := &liveWorld{dir: t.TempDir()}
	a, err := txtar.ParseFile("testdata/live.txtar")
	require.NoError(t, err)
	for _, f := range a.Files {
		name := filepath.Join(w.dir, filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, f.Data, 0o600))
	}
	w.env = map[string]string{
		"SHOP_URL": s.URL, "DESK_TOKEN": "right-and-long-enough",
		"EMENDA_DATA": filepath.Join(w.dir, "data"), "EMENDA_LISTEN": "127.0.0.1:0", "EMENDA_ADMIN_LISTEN": address(t),
	}
	return w
}

func (w *liveWorld) run(args ...string) (code int, out, errs string) {
	var o, e strings.Builder
	code = run(append(args, "--config", filepath.Join(w.dir, "gateway.yaml")), streams{out: &o, err: &e, env: func(name string) (string, bool) {
		v, ok := w.env[name]
		return v, ok
	}})
	return code, o.String(), e.String()
}

func TestLiveReads(t *testing.T) {
	s := newShop(t)
	w := newLiveWorld(t, s)
	code, out, errs := w.run("explain", "GET", "/p/item?id=5", "--live")
	require.Equal(t, 0, code, out+errs)
	require.Equal(t, []string{"GET /items/5 "}, s.took())
	require.Contains(t, out, "answer 200 application/json, the backend's\n")
	require.Contains(t, out, `{"name":"*** de ***","mail":"*********.***","size":"small","price":12}`)
	require.Contains(t, out, `body   {"name":"*** de ***"}`)
	require.Contains(t, out, "1 request was sent, and nothing that changes anything; *** is hidden")
	require.NotContains(t, strings.ToLower(out+errs), "fulana")
	require.NoDirExists(t, w.env["EMENDA_DATA"], "reading leaves nothing behind")

	w.env["SHOP_URL"] = "http://" + address(t)
	code, out, _ = w.run("explain", "GET", "/p/item?id=5", "--live")
	require.Equal(t, 1, code)
	require.Contains(t, out, "answer none\n")
	require.Contains(t, out, "reply  503 application/json, the dialect's words for failed")

	delete(w.env, "SHOP_URL")
	code, _, errs = w.run("explain", "GET", "/p/item?id=5", "--live")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "backend shop is not asked: SHOP_URL is not set")
}

func TestLiveChangesNothingWithoutYes(t *testing.T) {
	s := newShop(t)
	w := newLiveWorld(t, s)
	code, out, errs := w.run("explain", "POST", "/p/order", "-d", "id=5", "--live")
	require.Equal(t, 0, code, out+errs)
	require.Equal(t, []string{"GET /items/5 "}, s.took(), "the order is not sent")
	require.Contains(t, out, "would  POST /orders\n")
	require.Contains(t, out, "no     not sent, for it changes something; --yes sends it\n")
	require.Contains(t, out, `answer 200 application/json, the contract's example "done"`)
	require.Contains(t, out, "1 request was sent, and nothing that changes anything; *** is hidden")
	require.NoDirExists(t, w.env["EMENDA_DATA"])
}

// What is sent with --yes is kept as the gateway keeps it, for the next command and the next gateway.
func TestLiveWithYes(t *testing.T) {
	for name, shared := range map[string]bool{"in the data folder": false, "in Redis": true} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			w := newLiveWorld(t, s)
			if shared {
				w.env["REDIS_URL"] = redistest.Start(t).URL()
				w.env["EMENDA_SEAL_KEY"] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
			}
			order := func(id string) (int, string, string) {
				return w.run("explain", "POST", "/p/order", "-d", "id="+id, "--live", "--yes")
			}
			code, out, errs := order("5")
			require.Equal(t, 0, code, out+errs)
			require.Equal(t, []string{"GET /items/5 ", `POST /orders {"id":5,"note":"Fulana de Tal"}`}, s.took())
			require.Contains(t, out, "       found: first\n")
			require.Contains(t, out, "2 requests were sent, 1 of which may have changed something; *** is hidden")
			require.NotContains(t, strings.ToLower(out+errs), "fulana")

			code, out, errs = order("5")
			require.Equal(t, 0, code, out+errs)
			require.Empty(t, s.took(), "a repeated request sends nothing")
			require.Contains(t, out, "the first answer again: the request is a repeated one\n")
			require.Contains(t, out, "not reached: the answer is known from before\n")
			require.Contains(t, out, "nothing was sent; *** is hidden")
			require.NotContains(t, strings.ToLower(out+errs), "fulana")

			s.lose = true
			code, out, errs = order("6") // the second of two that may be claimed
			require.Equal(t, 0, code, out+errs)
			require.Len(t, s.took(), 2)
			require.Contains(t, out, `answer none; whether it was done nobody knows, and "emenda unknowns" lists it`)
			code, out, errs = w.run("unknowns")
			require.Equal(t, 0, code, errs)
			require.Contains(t, out, "answer lost")
			require.Contains(t, out, "shop.order")

			_, _, _ = order("6")
			require.Empty(t, s.took(), "what nobody knows the end of is not sent again")
			code, out, errs = order("7")
			require.Equal(t, 0, code, out+errs)
			require.Equal(t, []string{"GET /items/7 "}, s.took(), "two were claimed, one of them lost")
			require.Contains(t, out, "refused, class limit")
		})
	}
}

// Where a gateway keeps what is sent where this command cannot see it, nothing is sent.
func TestLiveWithYesBesideAGateway(t *testing.T) {
	s := newShop(t)
	w := newLiveWorld(t, s)
	require.NoError(t, os.Mkdir(w.env["EMENDA_DATA"], 0o700))
	kept, err := store.New(store.Options{Limit: 10, Folder: w.env["EMENDA_DATA"]})
	require.NoError(t, err)
	refused := func() string {
		code, out, errs := w.run("explain", "POST", "/p/order", "-d", "id=5", "--live", "--yes")
		require.Equal(t, 1, code)
		require.Empty(t, out)
		require.Empty(t, s.took())
		return errs
	}
	require.Contains(t, refused(), "nothing was sent: a gateway is using the data folder")
	code, out, errs := w.run("explain", "GET", "/p/item?id=5", "--live")
	require.Equal(t, 0, code, out+errs, "reading needs no store")
	require.Len(t, s.took(), 1)
	require.NoError(t, kept.Close())

	admin := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer admin.Close()
	w.env["EMENDA_ADMIN_LISTEN"] = strings.TrimPrefix(admin.URL, "http://")
	require.Contains(t, refused(), "that has another data folder than this command")

	w.env["REDIS_URL"] = "redis://" + address(t) + "/0"
	w.env["EMENDA_SEAL_KEY"] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	require.Contains(t, refused(), "nothing was sent: the store cannot be reached")
}

func TestLiveWrongUse(t *testing.T) {
	w := newLiveWorld(t, newShop(t))
	for name, args := range map[string][]string{
		"yes alone":         {"--yes"},
		"answers of a file": {"--live", "--answers", "x.yaml"},
		"lineage":           {"--live", "--lineage"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := w.run(append([]string{"explain", "GET", "/p/item?id=5"}, args...)...)
			require.Equal(t, 2, code)
			require.Empty(t, out)
			require.NotEmpty(t, errs)
		})
	}
}
