package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// bigAnswer is how much the backend sends that sends too much.
const bigAnswer = 100 << 20

// badBackend misbehaves in the way a request's path names.
type badBackend struct {
	*socket
	bomb []byte
	sent atomic.Int64 // bytes of answers that went out
}

func startBadBackend() (*badBackend, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(z, zeros{}, bigAnswer); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	s := &badBackend{bomb: b.Bytes()}
	s.socket, err = startSocket(s.serve)
	return s, err
}

// zeros are blanks without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// serve reads one request and misbehaves until the gateway has enough.
func (s *badBackend) serve(c net.Conn) {
	raw, err := readRaw(bufio.NewReader(c))
	if err != nil {
		return
	}
	_, path, _ := strings.Cut(string(raw), " /")
	how, _, _ := strings.Cut(path, " ")
	_ = s.answer(c, how)
}

func (s *badBackend) answer(c net.Conn, how string) error {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	piece := bytes.Repeat([]byte{' '}, 64<<10)
	switch how {
	case "hangs":
		_, _ = io.Copy(io.Discard, c) // until the gateway goes
		return nil
	case "drips":
		if _, err := io.WriteString(c, head+"Content-Length: 100\r\n\r\n"); err != nil {
			return err
		}
		for {
			if _, err := io.WriteString(c, " "); err != nil {
				return err
			}
			time.Sleep(time.Second)
		}
	case "long":
		return s.flood(c, head+fmt.Sprintf("Content-Length: %d\r\n\r\n", bigAnswer), "", piece)
	case "nearly": // as much as may be, and then nothing
		if err := s.flood(c, head+fmt.Sprintf("Content-Length: %d\r\n\r\n", 8<<20), "", piece[:1]); err != nil {
			return err
		}
		return nil
	case "chunked":
		return s.flood(c, head+"Transfer-Encoding: chunked\r\n\r\n", fmt.Sprintf("%x\r\n", len(piece)), append(piece, "\r\n"...))
	case "endless":
		return s.flood(c, head+"Connection: close\r\n\r\n", "", piece)
	case "bomb":
		return s.flood(c, head+fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(s.bomb)), "", s.bomb)
	}
	_, err := io.WriteString(c, head+"Content-Length: 2\r\n\r\n{}")
	return err
}

// flood sends pieces, each with something before it, until there is enough.
func (s *badBackend) flood(c net.Conn, head, before string, piece []byte) error {
	if _, err := io.WriteString(c, head); err != nil {
		return err
	}
	for sent := 0; sent < bigAnswer; {
		if _, err := io.WriteString(c, before); err != nil {
			return err
		}
		n, err := c.Write(piece)
		s.sent.Add(int64(n))
		if err != nil {
			return err
		}
		if sent += n; len(piece) == len(s.bomb) || len(piece) == 1 {
			_, _ = io.Copy(io.Discard, c)
			return nil
		}
	}
	return nil
}

// What callers of the backend that misbehaves do: all ask at once, and again
// some time after their answer; those of a flood not so soon, for it is made on
// this machine. Nobody may wait for longer than the backend's time-out and a bit.
const (
	again       = 3 * time.Second
	hostileWait = 4 * time.Second
)

// backendScenes are a backend that misbehaves.
func backendScenes() []scene {
	return []scene{
		{"a backend hangs", asking("hangs", 100*time.Millisecond)},
		{"a backend answers a byte a second", asking("drips", 100*time.Millisecond)},
		{"a backend answers 100 MB, and says so", asking("long", again)},
		{"a backend answers 100 MB in chunks", asking("chunked", again)},
		{"a backend answers 100 MB until it closes", asking("endless", again)},
		{"a backend says 8 MB and sends one byte", asking("nearly", 100*time.Millisecond)},
		{"a backend answers a gzip bomb of 100 MB", asking("bomb", again)},
	}
}

// asking lets callers ask for the backend that misbehaves: each must hear the
// documented failure, in time.
func asking(how string, pause time.Duration) func(*hostile, context.Context, *gateway) *misdeeds {
	return func(h *hostile, ctx context.Context, g *gateway) *misdeeds {
		m := &misdeeds{ready: make(chan struct{}), judge: func() {}}
		q := ways[0].build("/ws/ura/torto", places[0], token, app, field{"how", how})
		var asked, wrong, slowest atomic.Int64
		begun := h.bad.sent.Load()
		for range hostileCallers {
			m.running.Go(func() {
				for ctx.Err() == nil {
					began := time.Now()
					a, err := send(g.address, q)
					took := time.Since(began)
					asked.Add(1)
					for was := slowest.Load(); int64(took) > was && !slowest.CompareAndSwap(was, int64(took)); was = slowest.Load() {
					}
					if err != nil || a.status != 503 || string(a.body) != unavailable {
						wrong.Add(1)
						h.r.check(false, "who asked for it: %v %+v", err, a)
					}
					pauseFor(ctx, pause)
				}
			})
		}
		close(m.ready)
		m.figures = func() string {
			return fmt.Sprintf("%d callers asked it %d times, all told so, after %s at most; it sent %d MB", hostileCallers, asked.Load(),
				time.Duration(slowest.Load()).Round(10*time.Millisecond), (h.bad.sent.Load()-begun)>>20)
		}
		m.judge = func() {
			h.r.check(asked.Load() > 0 && wrong.Load() == 0, "%d of %d who asked for it heard something else", wrong.Load(), asked.Load())
			h.r.check(time.Duration(slowest.Load()) < hostileWait, "somebody waited %s", time.Duration(slowest.Load()))
		}
		return m
	}
}
