package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// slowly is how long a slow client waits between two bytes, comesBack how long
// one that was cut waits until it tries again.
const (
	slowly    = 500 * time.Millisecond
	comesBack = 2 * time.Second
)

// clientScenes are clients that misbehave.
func clientScenes() []scene {
	body := "Content-Type: application/x-www-form-urlencoded\r\n"
	const post = "POST " + lookupPath + " HTTP/1.1\r\nHost: gateway.example\r\n"
	return []scene{
		{fmt.Sprintf("%d clients send their header a byte at a time", hostileSlow), slowClients("", post+"X-Slow: ")},
		{fmt.Sprintf("%d clients send a body of 1 MB a byte at a time", hostileSlow), slowClients(post+body+"Content-Length: 1000000\r\n\r\n", "a=")},
		{fmt.Sprintf("%d clients send a chunk of 1 MB a byte at a time", hostileSlow), slowClients(post+body+"Transfer-Encoding: chunked\r\n\r\nF0000\r\n", "a=")},
		{fmt.Sprintf("%d clients wait for 100 Continue and then send a body of 1 MB a byte at a time", hostileSlow), slowClients(post+body+"Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n", "a=")},
		{fmt.Sprintf("%d idle connections, as the shipped limits have it", hostileIdle), (*hostile).idle},
	}
}

// dialFrom connects from one of many addresses of this machine: one address
// has too few ports.
func dialFrom(ctx context.Context, i int, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%32))}}
	return d.DialContext(ctx, "tcp", address)
}

// slowClients send first at once and then, a byte at a time, more; for ever,
// on connection after connection.
func slowClients(first, more string) func(*hostile, context.Context, *gateway) *misdeeds {
	return func(_ *hostile, ctx context.Context, g *gateway) *misdeeds {
		var open, opened, cut atomic.Int64
		m := &misdeeds{ready: make(chan struct{}), judge: func() {}}
		m.figures = func() string { return fmt.Sprintf("%d connections were opened and %d cut", opened.Load(), cut.Load()) }
		var once sync.Once
		for i := range hostileSlow {
			m.running.Go(func() {
				for ctx.Err() == nil {
					c, err := dialFrom(ctx, i, g.address)
					if err != nil {
						pauseFor(ctx, slowly)
						continue
					}
					opened.Add(1)
					open.Add(1)
					if opened.Load() >= hostileSlow {
						once.Do(func() { close(m.ready) })
					}
					err = drip(ctx, c, first, more)
					open.Add(-1)
					_ = c.Close()
					if err != nil {
						cut.Add(1)
						pauseFor(ctx, comesBack)
					}
				}
			})
		}
		return m
	}
}

// drip writes first and then, a byte at a time, more and letters without end.
// nil: ctx ended.
func drip(ctx context.Context, c net.Conn, first, more string) error {
	if _, err := io.WriteString(c, first); err != nil {
		return err
	}
	for i := 0; ; i++ {
		b := byte('a')
		if i < len(more) {
			b = more[i]
		}
		if _, err := c.Write([]byte{b}); err != nil {
			return err
		}
		if !pauseFor(ctx, slowly) {
			return nil
		}
	}
}

// pauseFor waits; false when ctx ends before.
func pauseFor(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// idle opens connections that nobody uses: half of them have asked once.
func (h *hostile) idle(ctx context.Context, g *gateway) *misdeeds {
	m := &misdeeds{ready: make(chan struct{}), judge: func() {}}
	q := plain(field{"cpfcnpj", "x"})
	var opened, asked, refused, closed atomic.Int64
	m.running.Go(func() {
		conns := make([]net.Conn, 0, hostileIdle)
		var waiting sync.WaitGroup
		for i := range hostileIdle {
			c, err := dialFrom(ctx, i, g.address)
			if err != nil {
				refused.Add(1)
				continue
			}
			conns = append(conns, c)
			opened.Add(1)
			if i%2 == 0 {
				if askOnce(c, q.bytes()) != nil {
					refused.Add(1)
				} else {
					asked.Add(1)
				}
			}
			waiting.Go(func() {
				if _, err := io.Copy(io.Discard, c); err == nil || !errors.Is(err, net.ErrClosed) {
					closed.Add(1)
				}
			})
		}
		close(m.ready)
		<-ctx.Done()
		m.figures = func() string {
			return fmt.Sprintf("%d connections were opened, %d of them asked once, %d were refused, %d closed by the gateway", opened.Load(), asked.Load(), refused.Load(), closed.Load())
		}
		m.figures = fixedText(m.figures())
		for _, c := range conns {
			_ = c.Close()
		}
		waiting.Wait()
	})
	m.judge = func() {
		h.r.check(opened.Load() == hostileIdle && refused.Load() == 0, "%d connections opened, %d refused", opened.Load(), refused.Load())
	}
	return m
}

func fixedText(s string) func() string { return func() string { return s } }

// askOnce makes one request on a connection and reads its answer.
func askOnce(c net.Conn, raw []byte) error {
	if err := c.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return err
	}
	if _, err := c.Write(raw); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodPost})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return c.SetDeadline(time.Time{})
}
