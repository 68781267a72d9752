package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

// The caller that the drivers are.
const (
	app   = "ura"
	token = "7c0ffee0-1dea-4bad-8bad-5ca1ab1e0001"
)

// gateway is a running gateway.
type gateway struct {
	*process
	address string // host:port of the listener
	admin   string // URL of the admin listener
	data    string
}

// startGateway starts `emenda serve` on free ports, with a data folder of its
// own, pointed at a backend.
func startGateway(o options, erp string, flags ...string) (*gateway, error) {
	return startReplica(o, erp, nil, flags...)
}

// startReplica is startGateway with more environment.
func startReplica(o options, erp string, env []string, flags ...string) (*gateway, error) {
	data, err := os.MkdirTemp("", "emenda-show-")
	if err != nil {
		return nil, err
	}
	p, err := begin(o.root, append([]string{
		"EMENDA_LISTEN=127.0.0.1:0", "EMENDA_ADMIN_LISTEN=127.0.0.1:0", "EMENDA_DATA=" + data,
		"ERP_URL=" + erp, "ERP_USER=sandbox", "ERP_PASSWORD=" + erpPassword, "URA_APP=" + app, "URA_TOKEN=" + token,
	}, env...), o.bin, append([]string{"serve"}, flags...)...)
	if err != nil {
		return nil, err
	}
	g := &gateway{process: p, data: data}
	if g.address, g.admin, err = serving(p, 30*time.Second); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// serving waits for the gateway's log line that names its addresses.
func serving(p *process, within time.Duration) (address, admin string, err error) {
	line, err := p.wait(p.err, within, func(line string) (string, bool) {
		return line, strings.Contains(line, `"msg":"serving"`)
	})
	if err != nil {
		return "", "", err
	}
	var said struct {
		Address string `json:"address"`
		Admin   string `json:"admin_address"`
	}
	if err := json.Unmarshal([]byte(line[strings.IndexByte(line, '{'):]), &said); err != nil {
		return "", "", fmt.Errorf("the log line of serving: %w", err)
	}
	return said.Address, "http://" + said.Admin, nil
}

// close ends the gateway and removes its data.
func (g *gateway) close() {
	g.kill()
	_ = os.RemoveAll(g.data)
}

// metric reads one metric without labels.
func (g *gateway) metric(name string) (float64, error) {
	page, err := get(g.admin + "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(page) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			var v float64
			_, err := fmt.Sscan(rest, &v)
			return v, err
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}
