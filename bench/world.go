package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/emenda-gateway/emenda/bench/erp"
	"github.com/emenda-gateway/emenda/bench/load"
	"github.com/emenda-gateway/emenda/bench/nginx"
)

// server is a process that answers the lookup, or what stands behind it.
type server struct {
	name    string
	cmd     *exec.Cmd
	stdin   io.Closer // closed, a server of ours ends
	address string
	admin   string // of a gateway
	target  load.Target
	ready   time.Duration // of a gateway: from its start until it serves
}

// world is everything that is measured.
type world struct {
	dir     string
	erp     *server
	floor   *server
	bare    *server   // passes on, and translates nothing
	watched *server   // so does it, with the duties
	servers []*server // floor first
}

// newWorld starts the servers.
func newWorld(o options) (w *world, err error) {
	w = new(world)
	defer func() {
		if err != nil {
			w.close()
			w = nil
		}
	}()
	if w.dir, err = os.MkdirTemp("", "emenda-bench-"); err != nil {
		return w, err
	}
	if w.erp, err = w.own("erp", "stub ERP"); err != nil {
		return w, err
	}
	if w.floor, err = w.own("floor", "by hand (fasthttp)", w.erp.address); err != nil {
		return w, err
	}
	owes, err := w.own("watched-floor", "by hand, with a gateway's duties", w.erp.address, filepath.Join(w.dir, "floor.log"))
	if err != nil {
		return w, err
	}
	w.servers = append(w.servers, w.floor, owes)
	for i, path := range o.gateways {
		name := "**Emenda**"
		if len(o.gateways) > 1 {
			name = path
		}
		g, err := w.gateway(i, name, path)
		if err != nil {
			return w, err
		}
		w.servers = append(w.servers, g)
	}
	if !o.onlyFloor {
		peer, err := w.nginx()
		if err != nil {
			return w, err
		}
		w.servers = append(w.servers, peer)
	}
	if w.bare, err = w.own("pass", "Fiber, passed on as it is", w.erp.address); err != nil {
		return w, err
	}
	if w.watched, err = w.own("watched-pass", "Fiber, with a gateway's duties", w.erp.address, filepath.Join(w.dir, "pass.log")); err != nil {
		return w, err
	}
	w.bare.target = load.Target{Address: w.bare.address, Request: passed(), Want: []byte(erp.Answers[erp.Documented])}
	if err := w.same(); err != nil {
		return w, err
	}
	if !o.onlyFloor {
		w.servers = append(w.servers, w.bare)
	}
	return w, nil
}

// passedOn is what is held against each other where nothing is translated: a
// list, and a body of 1 KB that the gateway checks against the contract.
func (w *world) passedOn() []*row {
	want := []byte(erp.List)
	list, check := "GET a list, ", "POST 1 KB, "
	ask := func(credentials string) []byte {
		return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: gateway.example\r\nUser-Agent: bench\r\nAccept: */*\r\n%s\r\n", erp.ListPath, credentials)
	}
	send := func(credentials string) []byte {
		return post(erp.CheckPath, "application/json", credentials, erp.Check)
	}
	backend, ours := "Authorization: "+erp.Authorization()+"\r\n", "X-API-Key: "+token+"\r\n"
	rows := []*row{
		newRow(list+"bare Fiber", w.bare, load.Target{Address: w.bare.address, Request: ask(backend), Want: want}),
		newRow(list+"Fiber with a gateway's duties", w.watched, load.Target{Address: w.watched.address, Request: ask(ours), Want: want}),
	}
	for _, s := range w.servers {
		if s.admin != "" {
			rows = append(rows, newRow(list+s.name, s, load.Target{Address: s.address, Request: ask(ours), Want: want}))
		}
	}
	rows = append(rows, newRow(check+"bare Fiber", w.bare, load.Target{Address: w.bare.address, Request: send(backend), Want: want}))
	for _, s := range w.servers {
		if s.admin != "" {
			rows = append(rows, newRow(check+s.name+", checked", s, load.Target{Address: s.address, Request: send(ours), Want: want}))
		}
	}
	return rows
}

// same sees that all of those that translate give the same answer, so that
// like is held against like, and makes it what they have to answer.
func (w *world) same() error {
	for _, document := range []string{erp.Invoiced, erp.Nobody, erp.Documented} {
		q := lookup(document)
		want, err := load.Ask(w.floor.address, q)
		if err != nil {
			return err
		}
		for _, s := range w.servers {
			if s.target.Request != nil && !s.translates() {
				continue
			}
			got, err := load.Ask(s.address, q)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if !bytes.Equal(got, want) {
				return fmt.Errorf("%s answers otherwise than the floor:\n%s\n%s", s.name, got, want)
			}
			s.target = load.Target{Address: s.address, Request: q, Want: want}
		}
	}
	return nil
}

// translates tells whether the server does the lookup, rather than pass on.
func (s *server) translates() bool { return !strings.Contains(string(s.target.Request), erp.Path) }

// lookup is the lookup of a document as an IVR sends it.
func lookup(document string) []byte {
	return post("/ws/ura/consultacliente/", "application/x-www-form-urlencoded", "", "token="+token+"&app="+app+"&cpfcnpj="+document)
}

// passed is what the ERP is asked, for a server that only passes on.
func passed() []byte {
	return post(erp.Path, "application/json", "Authorization: "+erp.Authorization()+"\r\n", `{"cpfcnpj":"`+erp.Documented+`"}`)
}

func post(path, kind, more, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: gateway.example\r\nUser-Agent: bench\r\nAccept: */*\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", path, more, kind, len(body), body)
}

// own starts a server of this program.
func (w *world) own(role, name string, args ...string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{name: name, cmd: exec.Command(self, append([]string{role}, args...)...)}
	s.cmd.Stderr = os.Stderr
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.stdin = in
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.end()
		return nil, fmt.Errorf("%s did not start: %w", name, err)
	}
	s.address = strings.TrimSpace(line)
	return s, nil
}

// gateway starts a built gateway with its built-in mappings and the repository's
// settings, but for how many calls and connections there may be at a time; its
// log goes to a file, as a service's does.
func (w *world) gateway(i int, name, path string) (*server, error) {
	dir := filepath.Join(w.dir, "gateway"+strconv.Itoa(i))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	settings, err := settings()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "gateway.yaml"), settings, 0o600); err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	s := &server{name: name, cmd: exec.Command(path, "serve", "--config", "gateway.yaml")}
	s.cmd.Dir, s.cmd.Stderr = dir, log
	s.cmd.Env = []string{
		"EMENDA_LISTEN=127.0.0.1:0", "EMENDA_ADMIN_LISTEN=127.0.0.1:0", "EMENDA_DATA=" + filepath.Join(dir, "data"),
		"ERP_URL=http://" + w.erp.address, "ERP_USER=" + erp.User, "ERP_PASSWORD=" + erp.Password, "URA_APP=" + app, "URA_TOKEN=" + token, "APP_PASSWORD=" + token,
	}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for range 600 {
		line, err := said(log.Name(), `"msg":"serving"`)
		if err == nil {
			var at struct {
				Time    time.Time `json:"time"`
				Address string    `json:"address"`
				Admin   string    `json:"admin_address"`
			}
			if err := json.Unmarshal([]byte(line), &at); err != nil {
				break
			}
			s.address, s.admin, s.ready = at.Address, "http://"+at.Admin, at.Time.Sub(began)
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.end()
	text, _ := os.ReadFile(log.Name())
	return nil, fmt.Errorf("%s does not serve:\n%s", path, text)
}

// settings are the repository's gateway.yaml with room for the crowd.
func settings() ([]byte, error) {
	root, err := root()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, "gateway.yaml"))
	if err != nil {
		return nil, err
	}
	for _, change := range [][2]string{
		{"  mappings: ./mappings\n", ""},
		{"    at_most: 64\n", "    at_most: 4096\n"},
		{"  connections: 4096\n", "  connections: 8192\n"},
	} {
		if n := bytes.Count(text, []byte(change[0])); n != 1 {
			return nil, fmt.Errorf("gateway.yaml has %q %d times; mend the driver", change[0], n)
		}
		text = bytes.Replace(text, []byte(change[0]), []byte(change[1]), 1)
	}
	return text, nil
}

// root is the repository's root: here, or above.
func root() (string, error) {
	for dir := "."; len(dir) < 20; dir = filepath.Join(dir, "..") {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("run it in the repository")
}

// said gives the line of a file that holds something.
func said(file, what string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, what) && strings.HasSuffix(line, "\n") {
			return line, nil
		}
	}
	return "", fmt.Errorf("%s does not say %q", file, what)
}

// nginx starts the peer.
func (w *world) nginx() (*server, error) {
	dir := filepath.Join(w.dir, "nginx")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0") // a free port; nginx cannot take port 0 and tell
	if err != nil {
		return nil, err
	}
	s := &server{name: "nginx + Lua", address: ln.Addr().String()}
	if err := ln.Close(); err != nil {
		return nil, err
	}
	args, err := nginx.Write(dir, nginx.Options{
		Listen: s.address, ERP: w.erp.address, Path: erp.Path, Authorization: erp.Authorization(), App: app, Token: token, Workers: runtime.NumCPU(),
	})
	if err != nil {
		return nil, err
	}
	s.cmd = exec.Command("nginx", args...)
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for range 200 {
		c, err := net.Dial("tcp", s.address)
		if err == nil {
			return s, c.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.end()
	text, _ := os.ReadFile(filepath.Join(dir, "error.log"))
	return nil, fmt.Errorf("nginx does not serve:\n%s", text)
}

// end ends a server and waits for it.
func (s *server) end() {
	if s.stdin != nil {
		_ = s.stdin.Close()
	} else {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
	}
	stuck := time.AfterFunc(10*time.Second, func() { _ = s.cmd.Process.Kill() })
	defer stuck.Stop()
	_ = s.cmd.Wait() // by a signal, most of them
}

// close ends everything.
func (w *world) close() {
	for _, s := range w.servers {
		s.end()
	}
	for _, s := range []*server{w.bare, w.watched, w.erp} {
		if s != nil && !slices.Contains(w.servers, s) {
			s.end()
		}
	}
	_ = os.RemoveAll(w.dir)
}

// cpu is the time that a server's process and its children have used.
func (s *server) cpu() (time.Duration, error) {
	pids := []string{strconv.Itoa(s.cmd.Process.Pid)}
	children, err := os.ReadFile("/proc/" + pids[0] + "/task/" + pids[0] + "/children")
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, pid := range append(pids, strings.Fields(string(children))...) {
		text, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			return 0, err
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		for _, i := range []int{11, 12} { // utime and stime, fields 14 and 15 of proc(5)
			n, err := strconv.ParseInt(fields[i], 10, 64)
			if err != nil {
				return 0, err
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * (time.Second / 100), nil // USER_HZ is 100 everywhere
}

// mallocs is how many objects a gateway has allocated.
func (s *server) mallocs() (float64, error) {
	resp, err := http.Get(s.admin + "/metrics")
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if v, ok := strings.CutPrefix(lines.Text(), "go_memstats_mallocs_total "); ok {
			return strconv.ParseFloat(v, 64)
		}
	}
	return 0, errors.New("no go_memstats_mallocs_total")
}

// take sets how long the ERP takes.
func (w *world) take(d time.Duration) error {
	resp, err := http.Get("http://" + w.erp.address + "/-/latency?ms=" + strconv.FormatInt(d.Milliseconds(), 10))
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
