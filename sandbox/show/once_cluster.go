package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The callers of these demonstrations; both may ask for promises.
var onceCallers = []struct{ name, app, token string }{
	{"ivr", "ura", "7c0ffee0-1dea-4bad-8bad-5ca1ab1e0001"},
	{"chatbot", "bot", "7c0ffee0-1dea-4bad-8bad-5ca1ab1e0002"},
}

// onceTimeout is how long one call of the backend may take there.
const onceTimeout = time.Second

// onceConfig is gateway.yaml of these demonstrations. The circuit breaker would
// hide most of what is to be seen: ten ill answers of eleven.
const onceConfig = `emenda: 1
gateway:
  listen: ${env:EMENDA_LISTEN}
  admin_listen: ${env:EMENDA_ADMIN_LISTEN}
  data: ${env:EMENDA_DATA}
  mappings: ./mappings
  packs: [ura]
  timezone: America/Sao_Paulo
  seal_key: { secret: EMENDA_SEAL_KEY }
redis:
  url: { secret: REDIS_URL }
backends:
  erp:
    contract: erp
    url: ${env:ERP_URL}
    sign_in: { user: { secret: ERP_USER }, password: { secret: ERP_PASSWORD } }
    timeout: TIMEOUT
    at_most: 64
    idle_timeout: 10s
    breaker: { failures: 1000000, pause: 1s }
callers:
  ivr: { dialect: ura, app: ura, token: { secret: URA_TOKEN }, permissions: ["ura.*"] }
  chatbot: { dialect: ura, app: bot, token: { secret: URA_BOT_TOKEN }, permissions: ["ura.*"] }
memory:
  cliente_do_contrato: { key: string, value: { idCliente: integer }, for: 1h, personal: true }
  promessas_do_mes: { key: integer, count: true, per: month, durable: true, if_down: refuse }
`

// cluster is gateways that share a configuration of the driver's, a key and,
// with one, a Redis.
type cluster struct {
	options
	dir   string
	env   []string
	flags []string // of serve, beside its configuration
	all   []*member
}

// member is one of them; it keeps its data when it is killed and started
// again, and gets new ports.
type member struct {
	*process
	set            *cluster
	data           string
	address, admin string // host:port and URL
}

// startCluster writes a configuration with the shipped mappings, as change
// leaves them (nil: as they are), and starts so many gateways.
func startCluster(o options, many int, erp, redisURL string, change func(mapping string) string) (*cluster, error) {
	dir, err := os.MkdirTemp("", "emenda-once-")
	if err != nil {
		return nil, err
	}
	s := &cluster{options: o, dir: dir}
	if err := s.write(change); err != nil {
		s.close()
		return nil, err
	}
	s.env = []string{
		"ERP_URL=" + erp, "ERP_USER=sandbox", "ERP_PASSWORD=" + erpPassword, "REDIS_URL=" + redisURL,
		"URA_TOKEN=" + onceCallers[0].token, "URA_BOT_TOKEN=" + onceCallers[1].token,
		"EMENDA_SEAL_KEY=" + newSealKey(),
	}
	for i := range many {
		r := &member{set: s, data: filepath.Join(dir, fmt.Sprintf("data%d", i+1))}
		if err := r.start(); err != nil {
			s.close()
			return nil, err
		}
		s.all = append(s.all, r)
	}
	return s, nil
}

func (s *cluster) write(change func(string) string) error {
	if err := os.CopyFS(filepath.Join(s.dir, "mappings"), os.DirFS(filepath.Join(s.root, "mappings"))); err != nil {
		return err
	}
	config := strings.Replace(onceConfig, "TIMEOUT", onceTimeout.String(), 1)
	if err := os.WriteFile(filepath.Join(s.dir, "gateway.yaml"), []byte(config), 0o600); err != nil {
		return err
	}
	if change == nil {
		return nil
	}
	name := filepath.Join(s.dir, "mappings", "ura", "liberacaopromessa.yaml")
	was, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	is := change(string(was))
	if is == string(was) {
		return fmt.Errorf("%s has nothing to change", name)
	}
	return os.WriteFile(name, []byte(is), 0o600)
}

// start starts a replica (again).
func (r *member) start() error {
	p, err := begin(r.set.dir, r.env(), r.set.bin, append([]string{"serve", "--config", "gateway.yaml"}, r.set.flags...)...)
	if err != nil {
		return err
	}
	r.process = p
	if r.address, r.admin, err = serving(p, 30*time.Second); err != nil {
		p.murder()
		return err
	}
	return nil
}

func (r *member) env() []string {
	return append([]string{"EMENDA_LISTEN=127.0.0.1:0", "EMENDA_ADMIN_LISTEN=127.0.0.1:0", "EMENDA_DATA=" + r.data}, r.set.env...)
}

// run runs a command of the program as one replica sees the world.
func (r *member) run(args ...string) (string, error) {
	env := append(r.env(), "EMENDA_ADMIN_LISTEN="+strings.TrimPrefix(r.admin, "http://"))
	p, err := begin(r.set.dir, env, r.set.bin, args...)
	if err != nil {
		return "", err
	}
	defer p.kill()
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		return "", fmt.Errorf("emenda %s: still running after a minute", args[0])
	}
	if p.code != 0 {
		return p.out.text(), fmt.Errorf("emenda %s ended with code %d: %s", strings.Join(args, " "), p.code, p.err.tail(1000))
	}
	return p.out.text(), nil
}

// metric reads a metric without labels.
func (r *member) metric(name string) (float64, error) {
	return (&gateway{admin: r.admin}).metric(name)
}

// ready gives the word of /readyz.
func (r *member) ready() (string, error) {
	page, _, err := getAny(r.admin + "/readyz")
	if err != nil {
		return "", err
	}
	var said struct {
		Status string `json:"status"`
	}
	return said.Status, json.Unmarshal([]byte(page), &said)
}

// close ends all of them and removes what they kept.
func (s *cluster) close() {
	for _, r := range s.all {
		r.murder()
	}
	_ = os.RemoveAll(s.dir)
}
