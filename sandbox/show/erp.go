package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/mappings"
)

// The callers of the ERP's own API that the drivers are.
const (
	erpApp           = "balcao"
	erpAppPassword   = "app-secret-of-the-walk-1"
	erpOther         = "loja"
	erpOtherPassword = "app-secret-of-the-walk-2"
	tokenPath        = "/ws/auth/token/gerar"
	renewPath        = "/ws/auth/token/renovar"
)

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// erpOperations gives the operations of the shipped contract, in its order.
func erpOperations() ([]*contract.Operation, error) {
	fns, err := expr.NewFunctions()
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(mappings.Files, "contracts/erp/*.yaml")
	if err != nil {
		return nil, err
	}
	var files []*diag.File
	for _, name := range names {
		text, err := fs.ReadFile(mappings.Files, name)
		if err != nil {
			return nil, err
		}
		files = append(files, diag.NewFile(name, string(text)))
	}
	c, list := contract.LoadFiles("erp", files, fns)
	if list.HasErrors() || c == nil {
		return nil, fmt.Errorf("the contract: %s", list.Text())
	}
	return c.Order, nil
}

// byGateway tells whether the gateway answers an operation in the ERP's place.
func byGateway(op *contract.Operation) bool { return op.Path == tokenPath || op.Path == renewPath }

// inDoubt tells whether a mapping stands in an operation's place that hears no
// wherever there is any doubt: the two passive integrations.
func inDoubt(op *contract.Operation) bool {
	return strings.HasPrefix(op.ID, "comercial.clientes.integracao.") || strings.HasPrefix(op.ID, "integracao.bittrainers.")
}

// theNo is what they hear.
func theNo(a *answer) bool { return a.status == 200 && string(a.body) == `{"access":false}` }

// documented is a request as the contract documents it.
type documented struct {
	op          *contract.Operation
	ex          *contract.Exchange
	path, query string
	body        []byte // nil: none
}

// requestOf spells a documented request.
func requestOf(op *contract.Operation, ex *contract.Exchange) documented {
	d := documented{op: op, ex: ex, path: op.Path, body: ex.Body}
	var query []string
	for i, p := range op.Params {
		switch v := ex.Params[i]; {
		case v.None():
		case p.In == contract.InPath:
			d.path = strings.ReplaceAll(d.path, "{"+p.Name+"}", url.PathEscape(v.Text()))
		default:
			query = append(query, url.QueryEscape(p.Name)+"="+url.QueryEscape(v.Text()))
		}
	}
	d.query = strings.Join(query, "&")
	return d
}

// target is path and query as they stand on the request line.
func (d *documented) target() string {
	if d.query == "" {
		return d.path
	}
	return d.path + "?" + d.query
}

// erpWorld is a gateway that offers the ERP's operations, and the ERP that it calls.
type erpWorld struct {
	*gateway
	erp    *erpStub
	ticket string // of erpApp
	other  string // of erpOther
	line   *connection
}

// startERP starts both. The gateway's settings are the shipped ones with a
// second caller, room for what is wrong, and a breaker that stays closed.
func startERP(o options) (*erpWorld, error) {
	text, err := os.ReadFile(filepath.Join(o.root, "gateway.yaml"))
	if err != nil {
		return nil, err
	}
	config := string(text)
	for _, c := range [][2]string{
		{"  mappings: ./mappings\n", "  mappings: " + filepath.Join(o.root, "mappings") + "\n"},
		{"callers:\n", "callers:\n  loja: { dialect: app, app: " + erpOther + ", token: { secret: LOJA_PASSWORD }, permissions: [\"app.*\"] }\n"},
		{"    breaker: { failures: 5, pause: 5s }\n", "    breaker: { failures: 1000000, pause: 1s }\n"},
		{"  body: 1MB\n", "  body: 16MB\n"},
		{"sign_in: { failures: 100, ", "sign_in: { failures: 1000000, "},
	} {
		if strings.Count(config, c[0]) != 1 {
			return nil, fmt.Errorf("gateway.yaml does not have %q once", c[0])
		}
		config = strings.Replace(config, c[0], c[1], 1)
	}
	dir, err := os.MkdirTemp("", "emenda-show-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "gateway.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	w := &erpWorld{}
	if w.erp, err = startERPStub(); err != nil {
		return nil, err
	}
	w.gateway, err = startReplica(o, w.erp.url(), []string{
		"APP_USER=" + erpApp, "APP_PASSWORD=" + erpAppPassword, "LOJA_PASSWORD=" + erpOtherPassword,
	}, "--config", file)
	if err != nil {
		w.erp.stop()
		return nil, err
	}
	for _, c := range []struct {
		into           *string
		user, password string
	}{{&w.ticket, erpApp, erpAppPassword}, {&w.other, erpOther, erpOtherPassword}} {
		if *c.into, err = w.fetch(c.user, c.password); err != nil {
			w.close()
			return nil, err
		}
	}
	return w, nil
}

func (w *erpWorld) close() {
	if w.line != nil {
		_ = w.line.Close()
	}
	w.gateway.close()
	w.erp.stop()
}

// fetch fetches a ticket as clients do.
func (w *erpWorld) fetch(user, password string) (string, error) {
	a, err := send(w.address, request{method: "GET", path: tokenPath, header: []string{basic(user, password)}})
	if err != nil {
		return "", err
	}
	var said struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(a.body, &said); err != nil || a.status != 200 || said.Token == "" {
		return "", fmt.Errorf("no ticket: status %d: %s", a.status, a.body)
	}
	return said.Token, nil
}

// headers are those of a client that does everything right.
func (w *erpWorld) headers(op *contract.Operation, more ...string) []string {
	all := []string{basic(erpApp, erpAppPassword)}
	if op.Token {
		all = append(all, "Token: "+w.ticket)
	}
	return append(all, more...)
}

// do makes a request on a connection that is kept, and never repeats one.
func (w *erpWorld) do(q request) (*answer, error) {
	if w.line == nil {
		var err error
		if w.line, err = dial(w.address); err != nil {
			return nil, err
		}
	}
	a, err := w.line.do(q.method, q.bytes())
	if err != nil || a.header.Get("Connection") == "close" {
		_ = w.line.Close()
		w.line = nil
	}
	return a, err
}

// asJSON are the header fields of a JSON body.
const asJSON = "Content-Type: application/json"
