package routes

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/emenda-gateway/emenda/internal/timed"
)

// What lingering may take: a client that goes on sending after it was refused
// gets this long, and this many bytes, to come to its answer.
const (
	lingerTime  = time.Second
	lingerBytes = 8 << 20
)

// listener gives connections that can linger, and outlives a shortage of
// file descriptors, for which the library would end the server.
type listener struct {
	net.Listener
	log    *slog.Logger
	closed chan struct{}
	once   atomic.Bool
	crowd  *crowd
	tls    *tls.Config // nil: plain
	failed func()      // told of a handshake that failed
}

// Accept waits for a connection.
func (l *listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err == nil {
			c := newConn(raw, l.crowd)
			if l.tls != nil {
				c.handshake(l.tls, l.failed)
			}
			if l.crowd.enter(c) {
				return c, nil
			}
			_ = raw.Close() // not one can be spared, and as many as may be told so are
			continue
		}
		if !passing(err) {
			return nil, err
		}
		l.log.Warn("a connection cannot be accepted now", slog.String("why", err.Error()))
		select {
		case <-time.After(50 * time.Millisecond):
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
}

// Close stops listening.
func (l *listener) Close() error {
	if !l.once.Swap(true) {
		close(l.closed)
	}
	return l.Listener.Close()
}

// passing tells whether accepting may go well again.
func passing(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) ||
		errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

// conn is a connection that may be told to linger: closing one with bytes
// unread resets it, and the client loses the answer that says why. It also
// remembers a request line it saw: of a request that cannot be read the
// library keeps nothing, and its answer must be in the words of some dialect.
type conn struct {
	timed.Conn
	crowd  *crowd
	tls    *tls.Conn    // over it; nil: plain
	shake  func() error // the TLS handshake, until it is done
	linger atomic.Bool
	path   [96]byte
	length int

	waits   atomic.Uint64 // since when it waits for a request; 0: one is being answered
	crowded bool          // it is one too many
	full    bool          // there was no room for a body
	held    atomic.Int64  // of the room for large bodies
}

func newConn(c net.Conn, w *crowd) *conn { return &conn{Conn: timed.Conn{Conn: c}, crowd: w} }

// Read reads, and looks for the begin of a request.
func (c *conn) Read(p []byte) (int, error) {
	if c.waits.Load() == 0 {
		c.wait()
	}
	if c.shake != nil {
		if err := c.shake(); err != nil {
			return 0, err
		}
		c.shake = nil
	}
	var n int
	var err error
	if c.tls != nil {
		n, err = c.tls.Read(p)
	} else {
		n, err = c.Conn.Read(p)
	}
	if err != nil && c.waits.Load() == spared {
		err = net.ErrClosed // it was closed to make room: nobody is to be answered
	}
	c.look(p[:n])
	return n, err
}

// Write writes.
func (c *conn) Write(p []byte) (int, error) {
	if c.tls != nil {
		return c.tls.Write(p)
	}
	return c.Conn.Write(p)
}

// look keeps the path of a request line that b begins with.
func (c *conn) look(b []byte) {
	i := 0
	for i < len(b) && i < 16 && b[i] >= 'A' && b[i] <= 'Z' {
		i++
	}
	if i == 0 || i+1 >= len(b) || b[i] != ' ' || b[i+1] != '/' {
		return
	}
	c.length = 0
	for _, ch := range b[i+1:] {
		if ch <= ' ' || ch == '?' || ch == '#' || c.length == len(c.path) {
			return
		}
		c.path[c.length] = ch
		c.length++
	}
}

// seen gives the path of the last request line that was seen, perhaps cut
// short; it is good for choosing words only.
func (c *conn) seen() string { return string(c.path[:c.length]) }

// Close closes the connection; a lingering one reads what still comes, for a while.
func (c *conn) Close() error {
	defer c.crowd.leave(c)
	if c.linger.Swap(false) {
		if c.tls != nil {
			_ = c.tls.CloseWrite()
		}
		if half, ok := c.Conn.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			// Below the deadlines of who serves: they are its own to set.
			_ = c.Conn.Conn.SetReadDeadline(time.Now().Add(lingerTime))
			_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn.Conn, lingerBytes))
		}
	}
	if c.tls != nil {
		return c.tls.Close()
	}
	return c.Conn.Close()
}
