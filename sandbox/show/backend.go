package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/sandbox"
)

// erpPassword is the sandbox's; it must not show anywhere.
const erpPassword = sandbox.DefaultPassword

// backend is the stand-in ERP as a process of its own.
type backend struct {
	*process
	url string
}

// startBackend starts `emenda sandbox`; listen may end in port 0.
func startBackend(o options, listen string, flags ...string) (*backend, error) {
	p, err := begin(o.root, nil, o.bin, append([]string{"sandbox", "--listen", listen}, flags...)...)
	if err != nil {
		return nil, err
	}
	url, err := p.wait(p.out, 20*time.Second, func(line string) (string, bool) {
		_, url, ok := strings.Cut(line, "listens on ")
		return url, ok
	})
	if err != nil {
		p.kill()
		return nil, err
	}
	return &backend{process: p, url: url}, nil
}

// fault is one thing that the stand-in is to do wrong, as its controls take it.
type fault struct {
	Operation string          `json:"operation,omitempty"`
	Kind      sandbox.Kind    `json:"kind"`
	Times     int             `json:"times,omitempty"`
	Delay     string          `json:"delay,omitempty"`
	Status    int             `json:"status,omitempty"`
	Body      json.RawMessage `json:"body,omitempty"`
}

// spoil adds faults.
func (b *backend) spoil(faults ...fault) error {
	body, err := json.Marshal(faults)
	if err != nil {
		return err
	}
	return b.control(http.MethodPost, "faults", body, nil)
}

// heal removes the faults still waiting.
func (b *backend) heal() error { return b.control(http.MethodDelete, "faults", nil, nil) }

// reset forgets calls and faults.
func (b *backend) reset() error { return b.control(http.MethodPost, "reset", nil, nil) }

// call is one call as the stand-in saw it.
type call struct {
	Operation string `json:"operation"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Body      string `json:"body"`
}

// calls gives what arrived since the last reset.
func (b *backend) calls() ([]call, error) {
	var list []call
	return list, b.control(http.MethodGet, "calls", nil, &list)
}

// counts tells how many calls of each operation were read whole since the last reset.
func (b *backend) counts() (map[string]int, error) {
	var n map[string]int
	return n, b.control(http.MethodGet, "counts", nil, &n)
}

func (b *backend) control(method, name string, body []byte, into any) error {
	q, err := http.NewRequest(method, b.url+"/_sandbox/"+name, bytes.NewReader(body))
	if err != nil {
		return err
	}
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Do(q)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("the stand-in answered %s %s with %d: %s", method, name, res.StatusCode, text)
	}
	if into != nil {
		return json.Unmarshal(text, into)
	}
	return nil
}
