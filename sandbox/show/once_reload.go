package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// The measures of once-5.
const (
	reloadEdits       = 50 // every fifth of them is broken
	reloadConnections = 4
	reloadPause       = 10 * time.Millisecond // between the requests of one connection
	liveWithin        = 1500 * time.Millisecond
)

// What the edits change.
const (
	lookupFile  = "mappings/ura/consultacliente.yaml"
	clientFlow  = "mappings/flows/cliente_do_contrato.yaml"
	promiseFlow = "promessas_do_contrato"
	helloFile   = "mappings/ura/ola.yaml"
	nobodyWords = "Cliente não localizado"
)

// reloadShow is once-5 under way.
type reloadShow struct {
	options
	r    *report
	t    *tally
	m    *mounted
	erp  *backend
	g    *gateway
	env  []string
	live string // what lookups of nobody answer now
	flow string // what promiseFlow is called now
	// counted
	bad      int
	latest   []time.Duration
	requests atomic.Int64
	failures atomic.Int64
}

// showReload edits a configuration fifty times while it serves, ten times
// wrongly, and restarts it after a bad edit.
func showReload(o options, r *report) error {
	dir, err := os.MkdirTemp("", "emenda-show-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s := &reloadShow{options: o, r: r, t: newTally(r), live: nobodyWords, flow: promiseFlow}
	if s.m, err = mount(filepath.Join(dir, "config"), o.root); err != nil {
		return err
	}
	if s.erp, err = startBackend(o, "127.0.0.1:0"); err != nil {
		return err
	}
	defer s.erp.kill()
	s.env = []string{
		"EMENDA_LISTEN=127.0.0.1:0", "EMENDA_ADMIN_LISTEN=127.0.0.1:0", "EMENDA_DATA=" + filepath.Join(dir, "data"),
		"ERP_URL=" + s.erp.url, "ERP_USER=sandbox", "ERP_PASSWORD=" + erpPassword, "URA_APP=" + app, "URA_TOKEN=" + token,
	}
	if err := s.start(); err != nil {
		return err
	}
	defer func() { s.g.kill() }()
	if err := s.edits(); err != nil {
		return err
	}
	return s.restarts()
}

// start starts the gateway, with the data that is there.
func (s *reloadShow) start() error {
	p, err := begin(s.root, s.env, s.bin, "serve", "--config", filepath.Join(s.m.root, "gateway.yaml"))
	if err != nil {
		return err
	}
	s.g = &gateway{process: p}
	if s.g.address, s.g.admin, err = serving(p, 30*time.Second); err != nil {
		p.kill()
	}
	return err
}

// edits makes the edits under load.
func (s *reloadShow) edits() error {
	ctx, stop := context.WithCancel(context.Background())
	var load sync.WaitGroup
	for i := range reloadConnections {
		load.Go(func() { s.load(ctx, i) })
	}
	err := s.editAll()
	stop()
	load.Wait()
	if err != nil {
		return err
	}
	s.r.begin("lookups on %d connections meanwhile", reloadConnections)
	s.r.check(s.requests.Load() > 1000, "only %d", s.requests.Load())
	s.r.check(s.failures.Load() == 0, "%d failed", s.failures.Load())
	s.r.notef("%d requests, %d failed", s.requests.Load(), s.failures.Load())
	s.r.begin("edits that went live")
	refused, err := s.g.metric(`emenda_config_reloads_total{result="refused"}`)
	if err != nil {
		return err
	}
	s.r.check(int(refused) == s.bad, "%.0f refused, %d were wrong: something was read by halves", refused, s.bad)
	slices.Sort(s.latest)
	s.r.check(len(s.latest) == reloadEdits-s.bad, "%d", len(s.latest))
	s.r.notef("%d good of %d, live after %s in the middle, %s at most (the promise: %s)", len(s.latest), reloadEdits,
		s.latest[len(s.latest)/2].Round(time.Millisecond), s.latest[len(s.latest)-1].Round(time.Millisecond), liveWithin)
	return nil
}

func (s *reloadShow) editAll() error {
	good := 0
	chance := rand.New(rand.NewPCG(5, 5))
	for i := 1; i <= reloadEdits; i++ {
		// At some moment between two looks at the files, not right behind one.
		time.Sleep(time.Duration(chance.Int64N(int64(250 * time.Millisecond))))
		var err error
		if i%5 == 0 {
			err = s.breakIt(i, brokenEdits[i/5-1])
		} else {
			err = s.edit(i, good)
			good++
		}
		if err != nil {
			return fmt.Errorf("edit %d: %w", i, err)
		}
	}
	return nil
}

// helloText is a mapping of its own; n shows in its answer.
func helloText(path string, n int) string {
	return fmt.Sprintf("emenda: 1\nroute: { path: %s, dialect: ura }\nreply: [{ json: { msg: olá %d } }]\n", path, n)
}

// edit makes the n-th good edit: after four habits of writing one file comes a
// new mapping, which the next edit but the present one removes.
func (s *reloadShow) edit(i, n int) error {
	how := writes[n%len(writes)]
	s.r.begin("edit %d, %s", i, how.name)
	files := map[string]string{}
	words := fmt.Sprintf("%s %d", nobodyWords, i)
	text, err := s.m.replaced(lookupFile, s.live, words)
	if err != nil {
		return err
	}
	files[lookupFile] = text
	what, want := "", fmt.Sprintf(`{"msg":%q,"contratos":[]}`, words)
	hello := ""
	switch {
	case n%len(writes) == checkedOut:
		// Several files that fit together only when all are there.
		what = ": a flow gets another name"
		renamed := fmt.Sprintf("%s_%d", promiseFlow, i)
		for name, text := range s.m.good {
			if t, ok := files[name]; ok {
				text = t
			}
			if strings.Contains(text, s.flow) {
				files[name] = strings.ReplaceAll(text, s.flow, renamed)
			}
		}
		old, now := "mappings/flows/"+s.flow+".yaml", "mappings/flows/"+renamed+".yaml"
		if files[old] == "" {
			return fmt.Errorf("%s is not there any more", old)
		}
		files[now], files[old] = files[old], ""
		s.flow = renamed
	case s.m.good[helloFile] != "":
		what, files[helloFile], hello = ": a mapping goes", "", "404"
	case n%3 == 0:
		what, files[helloFile] = ": a mapping comes", helloText("ola", i)
		hello = fmt.Sprintf(`200 {"msg":"olá %d"}`, i)
	}
	s.m.good = s.m.with(files)
	if err := how.write(s.m, s.m.good); err != nil {
		return err
	}
	written := time.Now()
	got := s.until(written, func() string {
		a, err := send(s.g.address, plain(field{"cpfcnpj", "98765432100"}))
		if err != nil || a.status != 200 {
			return fmt.Sprint(err, a)
		}
		if string(a.body) != want {
			return string(a.body)
		}
		return ""
	})
	took := time.Since(written)
	s.live = words
	s.r.check(got == "", "not live after %s: %s", took, got)
	s.r.check(took <= liveWithin, "live after %s", took)
	s.latest = append(s.latest, took)
	if hello != "" {
		a, err := send(s.g.address, ways[0].build("/ws/ura/ola", places[0], token, app))
		if s.r.check(err == nil, "%v", err) {
			s.r.check(strings.HasPrefix(fmt.Sprintf("%d %s", a.status, a.body), hello), "want %s, got %d %s", hello, a.status, a.body)
		}
	}
	// Whoever asks right after the swap may be told of the reload before.
	var state *reloadState
	got = s.until(time.Now(), func() string {
		if state, err = s.state(); err != nil {
			return err.Error()
		}
		if state.Status != "reloaded" || len(state.Problems) > 0 {
			return fmt.Sprintf("%+v", state)
		}
		return ""
	})
	if !s.r.check(got == "", "the last reload: %s", got) {
		return nil
	}
	s.successful(1)
	s.r.notef("live after %s%s; reload with %d tests", took.Round(time.Millisecond), what, state.Tests)
	return nil
}

// until asks until nothing differs any more, or too much time has passed.
func (s *reloadShow) until(since time.Time, differs func() string) (last string) {
	for {
		if last = differs(); last == "" || time.Since(since) > liveWithin {
			return last
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// reloadState is what /-/reload says.
type reloadState struct {
	Status        string    `json:"status"`
	Configuration string    `json:"configuration"`
	Serving       string    `json:"serving"`
	At            time.Time `json:"at"`
	Tests         int       `json:"tests"`
	Problems      []problem `json:"problems"`
}

type problem struct {
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Message  string `json:"message"`
}

func (s *reloadShow) state() (*reloadState, error) {
	text, err := get(s.g.admin + "/-/reload")
	if err != nil {
		return nil, err
	}
	state := new(reloadState)
	return state, json.Unmarshal([]byte(text), state)
}

// breakIt makes an edit that must be refused.
func (s *reloadShow) breakIt(i int, b broken) error {
	s.r.begin("edit %d, %s: %s", i, writes[b.how].name, b.name)
	before, err := s.state()
	if err != nil {
		return err
	}
	files, err := b.files(s.m)
	if err != nil {
		return err
	}
	if err := writes[b.how].write(s.m, files); err != nil {
		return err
	}
	s.bad++
	state, err := s.refused(time.Now(), before)
	if err != nil {
		return err
	}
	s.told(state, b.in)
	return nil
}

// refused waits until the files on disk are.
func (s *reloadShow) refused(since time.Time, before *reloadState) (state *reloadState, err error) {
	got := s.until(since, func() string {
		if state, err = s.state(); err != nil {
			return err.Error()
		}
		if state.Status != "refused" || state.At.Equal(before.At) {
			return "the last reload: " + state.Status
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	s.r.check(got == "", "not refused after %s: %s", time.Since(since), got)
	s.r.check(state.Configuration == before.Configuration, "%s serves, not %s", state.Configuration, before.Configuration)
	a, err := send(s.g.address, plain(field{"cpfcnpj", "98765432100"}))
	if s.r.check(err == nil, "%v", err) {
		s.r.check(strings.Contains(string(a.body), quoteJSON(s.live)), "the old one does not serve: %s", a.body)
	}
	s.successful(0)
	ready, err := get(s.g.admin + "/readyz")
	if s.r.check(err == nil, "%v", err) {
		s.r.check(strings.Contains(ready, `"last_reload":{"result":"refused"`) && strings.Contains(ready, before.Configuration), "/readyz: %s", ready)
	}
	return state, nil
}

// told checks that the fault is told with its place, in the state and in the log.
func (s *reloadShow) told(state *reloadState, file string) {
	place := ""
	for _, p := range state.Problems {
		if p.Severity == "error" && strings.HasSuffix(p.File, file) && p.Line > 0 && p.Column > 0 {
			place = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
			s.r.notef("%s:%d:%d %s", file, p.Line, p.Column, p.Message)
			break
		}
	}
	if !s.r.check(place != "", "no problem in %s: %+v", file, state.Problems) {
		return
	}
	s.logged(`"level":"ERROR","msg":"configuration problem","at":` + quoteJSON(place))
}

// logged wants a line with this text in the log.
func (s *reloadShow) logged(text string) {
	_, err := s.g.wait(s.g.err, liveWithin, func(line string) (string, bool) { return line, strings.Contains(line, text) })
	s.r.check(err == nil, "the log does not say %s", text)
}

// successful wants the metric of the last reload to be 1 or 0.
func (s *reloadShow) successful(want float64) {
	wrong := s.until(time.Now(), func() string {
		got, err := s.g.metric("emenda_config_last_reload_successful")
		if err != nil || got != want {
			return fmt.Sprintf("%v, want %v (%v)", got, want, err)
		}
		return ""
	})
	s.r.check(wrong == "", "emenda_config_last_reload_successful is %s", wrong)
}

// load looks customers up on one kept connection until ctx ends.
func (s *reloadShow) load(ctx context.Context, seed int) {
	c, err := dial(s.g.address)
	if err != nil {
		s.failures.Add(1)
		s.r.check(false, "connecting: %v", err)
		return
	}
	defer func() { _ = c.Close() }()
	unknown := regexp.MustCompile(`^\{"msg":"` + nobodyWords + `( \d+)?","contratos":\[\]\}$`)
	for n := seed; ctx.Err() == nil; n++ {
		fields, differs := s.lookup(n, unknown)
		a, err := c.do(http.MethodPost, plain(fields...).bytes())
		s.requests.Add(1)
		wrong := ""
		switch {
		case err != nil:
			wrong = err.Error()
		case a.status != 200 || a.header.Get("Connection") == "close":
			wrong = fmt.Sprintf("status %d, Connection %q: %s", a.status, a.header.Get("Connection"), cutText(a.body))
		default:
			wrong = differs(a.body)
		}
		if wrong != "" {
			s.failures.Add(1)
			s.r.check(false, "%v: %s", fields, wrong)
		}
		if err != nil {
			return
		}
		time.Sleep(reloadPause)
	}
}

// lookup gives the n-th lookup of the load: by document, by contract, of nobody.
func (s *reloadShow) lookup(n int, unknown *regexp.Regexp) ([]field, func([]byte) string) {
	switch n % 3 {
	case 0:
		return []field{{"cpfcnpj", "52998224725"}}, func(body []byte) string {
			return lookupDiffers(body, "52998224725", byDocument["52998224725"])
		}
	case 1:
		return []field{{"contrato", "1300012"}}, func(body []byte) string {
			want := byContract["1300012"]
			return lookupDiffers(body, want.document, []contractLine{want.line})
		}
	default:
		return []field{{"cpfcnpj", "98765432100"}}, func(body []byte) string {
			if unknown.Match(body) {
				return ""
			}
			return cutText(body)
		}
	}
}

// restarts kills the gateway after bad edits, and mends them.
func (s *reloadShow) restarts() error {
	for i, b := range []broken{brokenEdits[1], brokenEdits[2], brokenEdits[5]} {
		if err := s.breakIt(reloadEdits+1+2*i, b); err != nil {
			return err
		}
		s.r.begin("killed and started again after %s", b.name)
		if err := syscall.Kill(s.g.cmd.Process.Pid, syscall.SIGKILL); err != nil {
			return err
		}
		<-s.g.ended
		if err := s.start(); err != nil {
			return err
		}
		a, err := send(s.g.address, plain(field{"cpfcnpj", "98765432100"}))
		if s.r.check(err == nil, "%v", err) {
			s.r.check(strings.Contains(string(a.body), quoteJSON(s.live)), "the last good one does not serve: %s", a.body)
		}
		s.logged(`"level":"ERROR","msg":"the configuration on disk is refused; serving the last good one"`)
		ready, err := get(s.g.admin + "/readyz")
		if s.r.check(err == nil, "%v", err) {
			s.r.check(strings.Contains(ready, `"serving":"last_good"`), "/readyz does not say so: %s", ready)
		}
		s.successful(0)
		var state *reloadState
		got := s.until(time.Now(), func() string {
			if state, err = s.state(); err != nil {
				return err.Error()
			}
			for _, p := range state.Problems {
				if strings.HasSuffix(p.File, b.in) {
					return ""
				}
			}
			return fmt.Sprintf("%+v", state)
		})
		if s.r.check(got == "", "the problems are not told: %s", got) {
			s.told(state, b.in)
		}
		s.askedFor(http.StatusUnprocessableEntity, "refused")
		s.r.begin("and mended")
		if err := s.edit(reloadEdits+2+2*i, 0); err != nil {
			return err
		}
		s.askedFor(http.StatusOK, "unchanged")
	}
	return nil
}

// askedFor asks for a reload.
func (s *reloadShow) askedFor(status int, result string) {
	client := http.Client{Timeout: 20 * time.Second}
	res, err := client.Post(s.g.admin+"/-/reload", "", nil)
	if !s.r.check(err == nil, "%v", err) {
		return
	}
	defer func() { _ = res.Body.Close() }()
	state := new(reloadState)
	err = json.NewDecoder(res.Body).Decode(state)
	s.r.check(err == nil && res.StatusCode == status && state.Status == result, "POST /-/reload: want %d %s, got %d %+v (%v)", status, result, res.StatusCode, state, err)
}
