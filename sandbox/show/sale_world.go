package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/sandbox"
)

// The keys of the callers that sell, sell in the web and install, as --sandbox has them.
const (
	partnerKey   = "partner-secret"
	webKey       = "partner-web-secret"
	installerKey = "installer-secret"
)

// saleEnv points a gateway at the stand-ins that a sale meets.
func saleEnv(box string) []string {
	return []string{
		"ERP_URL=" + box, "ERP_USER=" + sandbox.DefaultUser, "ERP_PASSWORD=" + sandbox.DefaultPassword,
		"MVNO_URL=" + box + sandbox.MVNOPath, "MVNO_TOKEN=" + sandbox.MVNOToken, "MVNO_USER=" + sandbox.MVNOUser, "MVNO_PASSWORD=" + sandbox.MVNOPassword,
		"OZMAP_URL=" + box + sandbox.OzmapPath, "OZMAP_TOKEN=" + sandbox.OzmapToken, "GEOCODER_URL=" + box + sandbox.GeocoderPath,
		"PARTNER_CALLBACK_URL=" + box + sandbox.PartnerPath, "PARTNER_CALLBACK_KEY=" + sandbox.PartnerKey,
		"PARTNER_WEB_CALLBACK_URL=" + box + sandbox.PartnerPath, "PARTNER_WEB_CALLBACK_KEY=" + sandbox.PartnerKey,
		"PARTNER_KEY=" + partnerKey, "PARTNER_WEB_KEY=" + webKey, "INSTALLER_KEY=" + installerKey,
		"EMENDA_SEAL_KEY=" + newSealKey(),
	}
}

// saleWorld is gateways that sell, in front of stand-ins.
type saleWorld struct {
	*cluster
	box string // URL of the stand-ins
}

// startSales starts so many gateways with the shipped settings and mappings, as
// change leaves them (nil: as they are), in front of the stand-ins at box.
// database is the orders' PostgreSQL, "" for SQLite.
func startSales(o options, many int, box, database string, change func(text string) string, flags ...string) (*saleWorld, error) {
	dir, err := os.MkdirTemp("", "emenda-sale-")
	if err != nil {
		return nil, err
	}
	w := &saleWorld{&cluster{options: o, dir: dir, env: saleEnv(box), flags: flags}, box}
	if database != "" {
		w.env = append(w.env, "DATABASE_URL="+database)
	}
	if err := w.copy(change); err != nil {
		w.close()
		return nil, err
	}
	for range many {
		if _, err := w.more(); err != nil {
			w.close()
			return nil, err
		}
	}
	return w, nil
}

// copy copies the shipped settings, and the mappings as change leaves them.
func (w *saleWorld) copy(change func(string) string) error {
	config, err := os.ReadFile(filepath.Join(w.root, "gateway.yaml"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(w.dir, "gateway.yaml"), config, 0o600); err != nil {
		return err
	}
	folder := filepath.Join(w.dir, "mappings")
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(w.root, "mappings"))); err != nil || change == nil {
		return err
	}
	sales, err := filepath.Glob(filepath.Join(folder, "sale", "*.yaml"))
	if err != nil {
		return err
	}
	for _, name := range sales {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(name, []byte(change(string(text))), 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// more starts one gateway more, with a data folder of its own.
func (w *saleWorld) more() (*member, error) {
	m := &member{set: w.cluster, data: filepath.Join(w.dir, fmt.Sprintf("data%d", len(w.all)+1))}
	if err := m.start(); err != nil {
		return nil, err
	}
	w.all = append(w.all, m)
	return m, nil
}

// saleAnswer is an answer of the gateway.
type saleAnswer struct {
	status int
	header http.Header
	body   []byte
}

func (a *saleAnswer) String() string { return fmt.Sprintf("%d %s", a.status, cutText(a.body)) }

// read reads the answer's JSON.
func (a *saleAnswer) read(into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("%s: %w", a, err)
	}
	return nil
}

// saleClient never asks twice by itself: it keeps no connection that the gateway may have ended.
var saleClient = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// saleAsk makes one request of a caller; header is "Name: value".
func saleAsk(ctx context.Context, method, url, key string, body []byte, header ...string) (*saleAnswer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	res, err := saleClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return &saleAnswer{res.StatusCode, res.Header, text}, err
}

// post sends a sale to a gateway; no key: none is sent.
func (m *member) post(sale []byte, key string) (*saleAnswer, error) {
	var header []string
	if key != "" {
		header = append(header, "Idempotency-Key: "+key)
	}
	return saleAsk(context.Background(), http.MethodPost, "http://"+m.address+"/v1/vendas", partnerKey, sale, header...)
}

// sell sends a sale that must be accepted, and gives its id.
func (m *member) sell(sale []byte, key string) (string, error) {
	a, err := m.post(sale, key)
	if err != nil {
		return "", err
	}
	var said struct{ ID string }
	if err := a.read(&said); err != nil {
		return "", err
	}
	if a.status != http.StatusAccepted || said.ID == "" || a.header.Get("Location") != "/v1/vendas/"+said.ID {
		return "", fmt.Errorf("a sale was not accepted: %s, Location %q", a, a.header.Get("Location"))
	}
	return said.ID, nil
}

// install says that a sale is installed.
func (m *member) install(id string) error {
	a, err := saleAsk(context.Background(), http.MethodPost, "http://"+m.address+"/v1/vendas/"+id+"/instalada", installerKey, []byte("{}"))
	if err == nil && a.status != http.StatusAccepted {
		err = fmt.Errorf("instalada of %s: %s", id, a)
	}
	return err
}

// saleState is what the partner is told of a sale.
type saleState struct {
	ID          string
	Status      string
	WaitsFor    string `json:"waits_for"`
	Step        string
	Error       struct{ Step, Class, Reason string }
	Identifiers struct {
		Prospecto, Cliente int64
		Contratos          []int64
		Reserva            string
	}
	Steps        []struct{ Name, State string }
	Undone, Left []string
}

// state asks for a sale as its partner does.
func (m *member) state(id string) (*saleState, error) {
	a, err := saleAsk(context.Background(), http.MethodGet, "http://"+m.address+"/v1/vendas/"+id, partnerKey, nil)
	if err != nil {
		return nil, err
	}
	s := &saleState{}
	if err := a.read(s); err != nil || a.status != http.StatusOK {
		return nil, cmp.Or(err, fmt.Errorf("sale %s: %s", id, a))
	}
	return s, nil
}

// until waits for a sale to be so, and gives what it was last.
func (m *member) until(id string, within time.Duration, is func(*saleState) bool) (*saleState, error) {
	var last *saleState
	var err error
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if last, err = m.state(id); err == nil && is(last) {
			return last, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return last, fmt.Errorf("sale %s is still %s (step %s, waits for %q) after %s", id, last.Status, last.Step, last.WaitsFor, within)
}

// waits tells whether a sale waits for its installation.
func (s *saleState) waits() bool { return s.Status == "waiting" && s.WaitsFor == "instalada" }

// is makes a condition of states.
func is(states ...string) func(*saleState) bool {
	return func(s *saleState) bool {
		for _, one := range states {
			if s.Status == one {
				return true
			}
		}
		return false
	}
}

// boxGet reads what the stand-ins tell of themselves.
func boxGet(box, what string, into any) error {
	page, err := get(box + "/_sandbox/" + what)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(page), into)
}

// boxSet tells the stand-ins something.
func boxSet(box, what, body string) error {
	a, err := saleAsk(context.Background(), http.MethodPost, box+"/_sandbox/"+what, "", []byte(body))
	if err == nil && a.status >= 300 {
		err = fmt.Errorf("/_sandbox/%s: %s", what, a)
	}
	return err
}

// callbacks are those that the partner has heard.
func callbacks(box string) ([]sandbox.Callback, error) {
	var all []sandbox.Callback
	return all, boxGet(box, "partner", &all)
}

// ledger is what stands in the stand-ins.
func ledger(box string) (sandbox.Ledger, error) {
	var l sandbox.Ledger
	return l, boxGet(box, "ledger", &l)
}
