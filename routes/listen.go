package routes

import (
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
}

func newListener(ln net.Listener, log *slog.Logger) *listener {
	return &listener{Listener: ln, log: log, closed: make(chan struct{})}
}

// Accept waits for a connection.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err == nil {
			return newConn(c), nil
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
	linger atomic.Bool
	path   [96]byte
	length int
}

func newConn(c net.Conn) *conn { return &conn{Conn: timed.Conn{Conn: c}} }

// Read reads, and looks for the begin of a request.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.look(p[:n])
	return n, err
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
	if c.linger.Swap(false) {
		if half, ok := c.Conn.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			// Below the deadlines of who serves: they are its own to set.
			_ = c.Conn.Conn.SetReadDeadline(time.Now().Add(lingerTime))
			_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn.Conn, lingerBytes))
		}
	}
	return c.Conn.Close()
}
