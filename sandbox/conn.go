package sandbox

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// connKey is where a request's context holds its connection.
type connKey struct{}

// conn is an accepted connection that can be told to end once it is idle.
type conn struct {
	*net.TCPConn
	// idleAfter is how long the connection may be idle after the call under
	// way, 0 for no limit.
	idleAfter atomic.Int64

	mu    sync.Mutex
	timer *time.Timer
}

// idle starts the clock of an idle_close fault.
func (c *conn) idle() {
	d := time.Duration(c.idleAfter.Swap(0))
	if d <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// The next read fails with "closed", which ends the server's goroutine.
	c.timer = time.AfterFunc(d, func() { _ = c.Close() })
}

// busy stops that clock: a call has come in time.
func (c *conn) busy() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// listener hands out *conn.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c, nil
	}
	return &conn{TCPConn: tcp}, nil
}

// freshConns are connections that have not sent anything yet. Shutdown waits
// five seconds for those, although a pool may hold one open for ever.
type freshConns struct {
	mu   sync.Mutex
	all  map[net.Conn]struct{}
	done bool
}

func (f *freshConns) add(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done {
		_ = c.Close()
		return
	}
	if f.all == nil {
		f.all = make(map[net.Conn]struct{})
	}
	f.all[c] = struct{}{}
}

func (f *freshConns) remove(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, c)
}

func (f *freshConns) closeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = true
	for c := range f.all {
		_ = c.Close()
	}
	clear(f.all)
}

// connState follows every connection through its life.
func (s *Sandbox) connState(nc net.Conn, state http.ConnState) {
	if state == http.StateNew {
		s.fresh.add(nc)
		return
	}
	s.fresh.remove(nc)
	c, ok := nc.(*conn)
	if !ok {
		return
	}
	switch state {
	case http.StateIdle:
		c.idle()
	case http.StateNew, http.StateActive, http.StateHijacked, http.StateClosed:
		c.busy()
	}
}
