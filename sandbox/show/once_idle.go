package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	bankIdle  = 200 * time.Millisecond // after which the bank closes a connection
	tillCalls = 100                    // changing calls, and as many reading ones between them
	tillApart = 600 * time.Millisecond
	tillToken = "7c0ffee0-1dea-4bad-8bad-5ca1ab1e0003"
)

// showIdle calls through a backend that closes idle connections early: no call
// fails for that, and each changing call is on the wire exactly once.
func showIdle(o options, r *report) error {
	b, err := startBank()
	if err != nil {
		return err
	}
	defer b.stop()
	folder, err := writeWorld(tillWorld)
	defer func() { _ = os.RemoveAll(folder) }()
	if err != nil {
		return err
	}
	p, err := begin(o.root, []string{
		"EMENDA_DATA=" + filepath.Join(folder, "data"), "BANK_URL=" + b.url(), "TILL_TOKEN=" + tillToken,
	}, o.bin, "serve", "--config", filepath.Join(folder, "gateway.yaml"))
	if err != nil {
		return err
	}
	defer p.kill()
	address, _, err := serving(p, 30*time.Second)
	if err != nil {
		return err
	}
	r.begin("%d changing calls %s apart, a reading one between two, idle connections closed after %s", tillCalls, tillApart, bankIdle)
	b.round(r, address, 1, tillCalls, tillApart)
	// Here the bank closes when the next call is about to come.
	r.begin("%d changing calls %s apart, idle connections closed after %s", tillCalls/2, bankIdle, bankIdle)
	b.round(r, address, tillCalls+1, tillCalls/2, bankIdle)
	select {
	case <-p.ended:
		r.check(false, "the gateway ended by itself")
	default:
	}
	return nil
}

// round pays and asks, and compares with what the bank saw on the wire.
func (b *bank) round(r *report, address string, first, calls int, apart time.Duration) {
	var slowest time.Duration
	do := func(what string, q request, want string) {
		q.header = append(q.header, "X-Token: "+tillToken)
		begun := time.Now()
		a, err := send(address, q)
		slowest = max(slowest, time.Since(begun))
		if r.check(err == nil, "%s: %v", what, err) {
			r.check(a.status == 200 && string(a.body) == want, "%s: want %s, got %d %s", what, want, a.status, cutText(a.body))
		}
	}
	b.forget()
	next := time.NewTicker(apart / 2)
	defer next.Stop()
	for id := first; id < first+calls; id++ {
		want := fmt.Sprintf(`{"paid":%d}`, id*7)
		body := fmt.Appendf(nil, `{"amount":%d}`, id*7)
		do(fmt.Sprintf("payment %d", id), request{method: "PUT", path: fmt.Sprintf("/till/pay/%d", id), header: []string{"Content-Type: application/json"}, body: body}, want)
		<-next.C
		do(fmt.Sprintf("balance %d", id), request{method: "GET", path: fmt.Sprintf("/till/balance/%d", id)}, want)
		<-next.C
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	puts, gets := 0, 0
	for id := first; id < first+calls; id++ {
		put, got := b.seen["PUT /accounts/"+strconv.Itoa(id)], b.seen["GET /accounts/"+strconv.Itoa(id)]
		r.check(put == 1, "payment %d was %d times on the wire", id, put)
		r.check(got == 1 || got == 2 && apart == bankIdle, "balance %d was asked %d times", id, got)
		puts, gets = puts+put, gets+got
	}
	r.check(len(b.odd) == 0, "the bank received what is no request of ours: %q", b.odd)
	r.check(b.idled > 0, "the bank never closed an idle connection")
	r.notef("on the wire %d PUT and %d GET, %d connections, %d closed by the bank while idle, slowest answer %s",
		puts, gets, b.conns, b.idled, slowest.Round(100*time.Microsecond))
}

// bank is a backend on a bare socket that counts what arrives and never takes
// two for one.
type bank struct {
	*socket
	mu    sync.Mutex
	paid  map[string]string
	seen  map[string]int // requests by method and path
	odd   []string
	conns int
	idled int // connections it closed because they were idle
}

func startBank() (*bank, error) {
	b := &bank{paid: map[string]string{}}
	b.forget()
	var err error
	b.socket, err = startSocket(b.serve)
	return b, err
}

// forget begins to count anew.
func (b *bank) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen, b.odd, b.conns, b.idled = map[string]int{}, nil, 0, 0
}

func (b *bank) serve(c net.Conn) {
	b.mu.Lock()
	b.conns++
	b.mu.Unlock()
	in := bufio.NewReader(c)
	for served := 0; ; served++ {
		_ = c.SetReadDeadline(time.Now().Add(bankIdle))
		raw, err := readRaw(in)
		b.mu.Lock()
		switch {
		case err == nil:
		case len(raw) > 0:
			b.odd = append(b.odd, fmt.Sprintf("%.60q", raw))
		case served > 0 && errors.Is(err, os.ErrDeadlineExceeded):
			b.idled++
		}
		b.mu.Unlock()
		if err != nil {
			return
		}
		if _, err := io.WriteString(c, b.answer(raw)); err != nil {
			return
		}
	}
}

// answer books or tells what was booked.
func (b *bank) answer(raw []byte) string {
	line, _, _ := strings.Cut(string(raw), " HTTP/1.1\r\n")
	method, account, _ := strings.Cut(line, " ")
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen[line]++
	switch {
	case method == "PUT":
		_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		amount := strings.Trim(string(body), `{"amount:} `)
		b.paid[account] = amount
	case method != "GET":
		b.odd = append(b.odd, line)
	}
	body := fmt.Sprintf(`{"paid":%s}`, orZero(b.paid[account]))
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func orZero(amount string) string {
	if amount == "" {
		return "0"
	}
	return amount
}
