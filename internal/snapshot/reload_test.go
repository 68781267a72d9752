package snapshot

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/maptest"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/store"
)

// running is a process that serves a copy of the small shop.
type running struct {
	t *testing.T
	*Reloader
	dir      string
	env      map[string]string
	metrics  *observe.Metrics
	served   []*Snapshot // first the one of the start
	mu       sync.Mutex
	out      bytes.Buffer
	wrote    func(line string) // may be nil
	problems string            // what was said of the files at the start
}

// Write takes a log line.
func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wrote != nil {
		r.wrote(string(p))
	}
	return r.out.Write(p)
}

// lines gives the log lines with a message, without what differs each time.
func (r *running) lines(msg string) (found []string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range strings.Lines(r.out.String()) {
		var m map[string]any
		require.NoError(r.t, json.Unmarshal([]byte(line), &m), line)
		if m["msg"] == msg {
			for _, k := range []string{"time", "duration_ms", "msg", "last_good_of"} {
				delete(m, k)
			}
			text, err := json.Marshal(m)
			require.NoError(r.t, err)
			found = append(found, strings.ReplaceAll(string(text), r.dir+"/", ""))
		}
	}
	return found
}

// begun starts a process in a folder.
func begun(t *testing.T, dir string) *running {
	t.Helper()
	r := &running{t: t, dir: dir, metrics: observe.NewMetrics("test"), env: map[string]string{
		"SHOP_URL": "http://127.0.0.1:1", "SHOP_USER": "u", "SHOP_PASSWORD": "p", "KIOSK_TOKEN_FILE": filepath.Join(dir, "token"),
	}}
	require.NoError(t, r.start())
	return r
}

func (r *running) start() error {
	var err error
	reloader, list, err := Begin(filepath.Join(r.dir, "gateway.yaml"), func(name string) (string, bool) { v, ok := r.env[name]; return v, ok })
	r.problems = strings.ReplaceAll(list.Text(), r.dir+"/", "")
	if err != nil {
		return err
	}
	r.Reloader, r.served = reloader, nil
	r.watcher.rest = time.Millisecond
	s, err := r.Open(store.NewLocal(10), nil, r.metrics, slog.New(slog.NewJSONHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug})))
	require.NoError(r.t, err)
	r.served = append(r.served, s)
	r.Serve(func(s *Snapshot) { r.served = append(r.served, s) })
	r.t.Cleanup(func() {
		for _, s := range r.served {
			s.Close()
		}
	})
	return nil
}

// runsOnce does what Run does first.
func (r *running) runsOnce() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.Run(ctx)
}

func (r *running) edit(file, from, to string) {
	r.t.Helper()
	name := filepath.Join(r.dir, file)
	text, err := os.ReadFile(name)
	require.NoError(r.t, err)
	require.Contains(r.t, string(text), from)
	require.NoError(r.t, os.WriteFile(name, []byte(strings.ReplaceAll(string(text), from, to)), 0o600))
}

// reloaded reloads, and gives the report without what differs each time.
func (r *running) reloaded() (Result, string) {
	p := r.Reload("test")
	require.Equal(r.t, p, *r.Report())
	require.NotZero(r.t, p.At)
	require.Equal(r.t, "test", p.Trigger)
	return p.Result, strings.ReplaceAll(p.Problems.Text(), r.dir+"/", "")
}

func (r *running) metric(name string) string {
	rec := httptest.NewRecorder()
	r.metrics.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	for line := range strings.Lines(rec.Body.String()) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

func folderOf(t *testing.T) string {
	dir := filepath.Dir(shop(t))
	put(t, dir, map[string]string{"token": "hush\n"})
	return dir
}

func TestReload(t *testing.T) {
	r := begun(t, folderOf(t))
	first := r.served[0]
	result, _ := r.reloaded()
	require.Equal(t, Unchanged, result)
	require.Len(t, r.served, 1)

	r.edit("mappings/reserve.yaml", "no such item", "nothing here")
	result, _ = r.reloaded()
	require.Equal(t, Reloaded, result)
	require.Len(t, r.served, 2)
	second := r.served[1]
	require.NotEqual(t, first.Hash, second.Hash)
	require.Equal(t, second.Hash, r.Report().Configuration)
	require.Equal(t, 1, r.Report().Tests)
	require.Equal(t, "1", r.metric("emenda_config_last_reload_successful"))
	require.Equal(t, "1", r.metric(`emenda_config_info{hash="`+second.Hash+`"}`))
	require.Empty(t, r.metric(`emenda_config_info{hash="`+first.Hash+`"}`))
	require.Equal(t, "1", r.metric(`emenda_config_reloads_total{result="reloaded"}`))
	require.Equal(t, "1", r.metric(`emenda_config_reloads_total{result="unchanged"}`))
	require.Equal(t, "0", r.metric(`emenda_config_reloads_total{result="refused"}`))
	require.NotEmpty(t, r.metric("emenda_config_hash"))
	require.Equal(t, []string{`{"configuration":"` + second.Hash + `","level":"INFO","tests":1,"trigger":"test"}`}, r.lines("configuration reloaded"))
	require.Equal(t, []string{`{"configuration":"` + first.Hash + `","level":"INFO","tests":0,"trigger":"test"}`}, r.lines("configuration unchanged"))

	// A secret in a file is read anew; nothing that was tested has changed.
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "token"), []byte("other\n"), 0o600))
	result, _ = r.reloaded()
	require.Equal(t, Reloaded, result)
	require.Len(t, r.served, 3)
	require.Zero(t, r.Report().Tests)
	require.NotEqual(t, second.Exchanger, r.served[2].Exchanger)
	require.Equal(t, second.Hash, r.served[2].Hash)
	require.NotContains(t, r.out.String(), "hush")
	require.NotContains(t, r.out.String(), "other")
}

func TestReloadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*running)
		want string
		log  string
	}{
		"an unknown name": {
			func(r *running) { r.edit("mappings/reserve.yaml", "${item.price}", "${item.prize}") },
			"mappings/reserve.yaml:12:17: shop.stock.item answers with no field \"prize\"\n   12 |   total: ${item.prize}\n      |                 ^^^^^\n      = did you mean price?\n",
			`{"at":"mappings/reserve.yaml:12:17","help":"did you mean price?","level":"ERROR","problem":"shop.stock.item answers with no field \"prize\"","rule":"unknown-field"}`,
		},
		"a test that fails": {
			func(r *running) { r.edit("mappings/reserve.yaml", "number: 3, total", "number: 4, total") },
			"mappings/reserve.yaml:41:11: test failed: a chair\n   41 |   - name: a chair\n      |           ^^^^^^^\n      = \"emenda test\" shows what differs\n",
			`{"at":"mappings/reserve.yaml:41:11","help":"\"emenda test\" shows what differs","level":"ERROR","problem":"test failed: a chair","rule":"test"}`,
		},
		"gateway.yaml gone": {
			func(r *running) { require.NoError(r.t, os.Remove(filepath.Join(r.dir, "gateway.yaml"))) },
			"gateway.yaml cannot be read: no such file or directory\n      = name the configuration with --config FILE\n",
			`{"help":"name the configuration with --config FILE","level":"ERROR","problem":"gateway.yaml cannot be read: no such file or directory","rule":"config-file"}`,
		},
		"the folder gone": {
			func(r *running) { require.NoError(r.t, os.RemoveAll(filepath.Join(r.dir, "mappings"))) },
			"gateway.yaml:4:13: the mappings folder mappings cannot be read: no such file or directory\n    4 |   mappings: ./mappings\n      |             ^^^^^^^^^^\n      = gateway.mappings names a folder relative to the configuration's own; without it the built-in mappings serve\n",
			`{"at":"gateway.yaml:4:13","help":"gateway.mappings names a folder relative to the configuration's own; without it the built-in mappings serve","level":"ERROR","problem":"the mappings folder mappings cannot be read: no such file or directory","rule":"mappings-folder"}`,
		},
		"a secret's file gone": {
			func(r *running) { require.NoError(r.t, os.Remove(filepath.Join(r.dir, "token"))) },
			"gateway.yaml:16:12: the file that KIOSK_TOKEN_FILE names cannot be read: open token: no such file or directory\n   16 |     token: { secret: KIOSK_TOKEN }\n      |            ^^^^^^^^^^^^^^^^^^^^^^^\n",
			`{"at":"gateway.yaml:16:12","level":"ERROR","problem":"the file that KIOSK_TOKEN_FILE names cannot be read: open token: no such file or directory","rule":"secret-file"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := begun(t, folderOf(t))
			c.edit(r)
			result, problems := r.reloaded()
			require.Equal(t, Refused, result)
			require.Equal(t, c.want, problems)
			require.Len(t, r.served, 1, "the old one serves")
			require.Equal(t, r.served[0].Hash, r.Report().Configuration)
			require.Equal(t, "0", r.metric("emenda_config_last_reload_successful"))
			require.Equal(t, "1", r.metric(`emenda_config_reloads_total{result="refused"}`))
			require.Equal(t, []string{c.log}, r.lines("configuration problem"))
			require.Len(t, r.lines("configuration refused; what served goes on serving"), 1)
		})
	}
}

// What was refused and is put back as it was is no news, and no trouble any more.
func TestPutBack(t *testing.T) {
	r := begun(t, folderOf(t))
	r.edit("mappings/reserve.yaml", "too many", "too ${many}")
	result, _ := r.reloaded()
	require.Equal(t, Refused, result)
	r.edit("mappings/reserve.yaml", "too ${many}", "too many")
	result, problems := r.reloaded()
	require.Equal(t, Unchanged, result)
	require.Empty(t, problems)
	require.Equal(t, "1", r.metric("emenda_config_last_reload_successful"))
	require.Len(t, r.served, 1)
}

func TestNeedsRestart(t *testing.T) {
	r := begun(t, folderOf(t))
	r.edit("gateway.yaml", "gateway:\n", "gateway:\n  admin_listen: 127.0.0.1:1\n  data: elsewhere\n  timezone: UTC\n  traces: 7\n  admin_token: { secret: KIOSK_TOKEN }\n  seal_key: { secret: SEAL }\n")
	r.edit("gateway.yaml", "127.0.0.1:8080", "127.0.0.1:2")
	r.edit("gateway.yaml", "memory:\n", "redis: { url: { secret: REDIS } }\nlimits: { body: 1KB, header: 2KB, read_timeout: 3s, idle_timeout: 2s, connections: 4, fuel: 5555, each: 6 }\nmemory:\n")
	r.edit("gateway.yaml", "timeout: 3s\n", "timeout: 4s\n")
	r.env["SEAL"] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	r.env["REDIS"] = "redis://hush@127.0.0.1:1/0"
	result, problems := r.reloaded()
	require.Equal(t, Reloaded, result, problems)
	all := []string{"gateway.listen", "gateway.admin_listen", "gateway.admin_token", "gateway.data", "gateway.seal_key",
		"redis.url", "gateway.traces", "limits.body", "limits.header", "limits.read_timeout", "limits.idle_timeout", "limits.connections"}
	require.Equal(t, all, r.Report().NeedsRestart)
	text, err := json.Marshal(all)
	require.NoError(t, err)
	require.Equal(t, []string{`{"level":"WARN","settings":` + string(text) + `}`}, r.lines("needs a restart"))
	require.NotContains(t, r.out.String(), "hush")
	start, now := *r.served[0].Settings, *r.served[1].Settings
	require.Equal(t, 4*time.Second, now.Backends["shop"].Timeout, "the rest is live")
	require.Equal(t, "UTC", now.Timezone.String())
	require.Equal(t, 5555, now.Limits.Fuel)
	require.Equal(t, 6, now.Limits.Each)
	now.Limits.Fuel, now.Limits.Each = start.Limits.Fuel, start.Limits.Each
	now.Backends, now.Missing, now.Timezone = start.Backends, start.Missing, start.Timezone
	require.Equal(t, start, now)

	result, _ = r.reloaded()
	require.Equal(t, Unchanged, result)
	require.Equal(t, all, r.Report().NeedsRestart, "as long as it is so")
	r.edit("gateway.yaml", "127.0.0.1:2", "127.0.0.1:8080")
	result, _ = r.reloaded()
	require.Equal(t, Reloaded, result)
	require.Equal(t, all[1:], r.Report().NeedsRestart)
}

// Every setting is either live after a reload, or told to need a restart: a new
// one must be put on one of the two sides.
func TestEverySettingIsLiveOrTold(t *testing.T) {
	live := map[string]bool{"Mappings": true, "Timezone": true, "Backends": true, "Callers": true, "Missing": true, "Maintenance": true, "OrdersKeep": true, "Schedules": true, "TrustedProxies": true, "Forwarded": true, "Compress": true, "Docs": true, "Limits.Fuel": true, "Limits.Each": true, "Limits.SignIn": true}
	others := map[reflect.Type]any{
		reflect.TypeFor[*config.ResolvedTLS](): &config.ResolvedTLS{Certificate: "x"},
		reflect.TypeFor[string]():              "x", reflect.TypeFor[int](): 1, reflect.TypeFor[time.Duration](): time.Second,
		reflect.TypeFor[config.SecretValue](): config.NewSecretValue("x"), reflect.TypeFor[[]config.SecretValue](): []config.SecretValue{config.NewSecretValue("x")},
	}
	var told []string
	var each func(prefix string, of reflect.Type, at func(*config.Resolved) reflect.Value)
	each = func(prefix string, of reflect.Type, at func(*config.Resolved) reflect.Value) {
		for i := range of.NumField() {
			f := of.Field(i)
			field := func(r *config.Resolved) reflect.Value { return at(r).Field(i) }
			if f.Type == reflect.TypeFor[config.ResolvedLimits]() {
				each("Limits.", f.Type, field)
				continue
			}
			if live[prefix+f.Name] {
				delete(live, prefix+f.Name)
				continue
			}
			start, now := &config.Resolved{Timezone: time.UTC}, &config.Resolved{Timezone: time.UTC}
			require.Contains(t, others, f.Type, f.Name)
			field(now).Set(reflect.ValueOf(others[f.Type]))
			kept, names := asStarted(now, start)
			require.Len(t, names, 1, "%s%s is neither live nor told", prefix, f.Name)
			require.Equal(t, start, kept)
			require.False(t, sameSettings(start, now))
			told = append(told, names...)
		}
	}
	each("", reflect.TypeFor[config.Resolved](), func(r *config.Resolved) reflect.Value { return reflect.ValueOf(r).Elem() })
	require.Empty(t, live)
	require.Len(t, told, len(atStart))
}

func TestTestsHaveBounds(t *testing.T) {
	r := begun(t, folderOf(t))
	hold := make(chan struct{})
	defer close(hold)
	r.tests.soon, r.tests.most = time.Millisecond, 20*time.Millisecond
	r.tests.run = func(*mapping.Set, maptest.Options) []maptest.Result {
		<-hold
		return nil
	}
	r.edit("mappings/reserve.yaml", "no such item", "nothing here")
	result, problems := r.reloaded()
	require.Equal(t, Refused, result)
	require.Equal(t, "the tests that touch what changed are not done after 20ms\n      = \"emenda test -v\" shows them; make them fewer, or what they test simpler\n", problems)
	require.Len(t, r.lines("the tests of the mappings take long; the configuration waits for them"), 1)
	require.Len(t, r.served, 1)

	// Slow ones are waited for.
	slow := make(chan struct{})
	r.tests.most = time.Minute
	r.tests.run = func(*mapping.Set, maptest.Options) []maptest.Result {
		<-slow
		return nil
	}
	r.wrote = func(line string) {
		if strings.Contains(line, "the tests of the mappings take long") {
			close(slow)
		}
	}
	result, _ = r.reloaded()
	require.Equal(t, Reloaded, result)
}

func TestPanicsKeepWhatServes(t *testing.T) {
	r := begun(t, folderOf(t))
	run := r.tests.run
	r.tests.run = func(*mapping.Set, maptest.Options) []maptest.Result { panic("52998224725") }
	r.edit("mappings/reserve.yaml", "no such item", "nothing here")
	result, problems := r.reloaded()
	require.Equal(t, Refused, result)
	require.Contains(t, problems, "test failed: a chair")
	r.tests.run = run
	r.Serve(func(*Snapshot) { panic("52998224725") })
	result, problems = r.reloaded()
	require.Equal(t, Refused, result)
	require.Equal(t, "this program failed over the configuration\n", problems)
	require.NotContains(t, r.out.String(), "52998224725")
	require.Contains(t, r.out.String(), "reload_test.go", "the stack says where")
}

// Files that are being written all the time are not read by halves.
func TestRestlessFiles(t *testing.T) {
	r := begun(t, folderOf(t))
	r.patient, r.watcher.rest = 60*time.Millisecond, 20*time.Millisecond
	stop := make(chan struct{})
	var writing sync.WaitGroup
	begun := make(chan struct{})
	writing.Go(func() {
		for n := 0; ; n++ {
			require.NoError(t, os.WriteFile(filepath.Join(r.dir, "mappings/busy.txt"), bytes.Repeat([]byte("x"), n%7), 0o600))
			if n == 0 {
				close(begun)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	<-begun
	result, problems := r.reloaded()
	close(stop)
	writing.Wait()
	require.Equal(t, Refused, result)
	require.Equal(t, "the configuration's files keep changing: nothing was read\n      = ask again when they are written\n", problems)
	result, _ = r.reloaded()
	require.Equal(t, Reloaded, result)
}

// The watcher reloads by itself, also after an edit that was refused.
func TestRun(t *testing.T) {
	r := begun(t, folderOf(t))
	r.watcher.every, r.watcher.rest = 2*time.Millisecond, 10*time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	result := func(want Result) {
		t.Helper()
		require.Eventually(t, func() bool { return r.Report().Result == want }, 10*time.Second, time.Millisecond)
	}
	r.edit("mappings/reserve.yaml", "no such item", "nothing here")
	result(Reloaded)
	require.Equal(t, "watch", r.Report().Trigger)
	r.edit("mappings/reserve.yaml", "json: { error: nothing here }", "jason: { error: nothing here }")
	result(Refused)
	r.edit("mappings/reserve.yaml", "jason:", "json:")
	result(Unchanged)
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "token"), []byte("other\n"), 0o600))
	result(Reloaded)
	cancel()
	running.Wait()
	require.Len(t, r.served, 3)
}

// What the shipped mappings' tests take is far below what a reload waits.
func TestShippedTestsAreQuick(t *testing.T) {
	l, list := Load(shippedConfig)
	require.False(t, list.HasErrors(), list.Text())
	run := testRun{run: maptest.Run, soon: testsSoon, most: testsMost}
	begun := time.Now()
	failed, ran := run.of(l, l.touched(nil), slog.New(slog.DiscardHandler))
	t.Logf("%d tests in %s", ran, time.Since(begun))
	require.Empty(t, failed.Text())
	require.Greater(t, ran, 50)
}
