package routes

import (
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"github.com/emenda-gateway/emenda/internal/config"
)

// certificates are what a listener shows: those of the snapshot that serves.
type certificates struct{ now atomic.Pointer[tls.Config] }

// take shows other certificates from now on; connections there are keep theirs.
func (c *certificates) take(t *config.ResolvedTLS) {
	if t == nil {
		return
	}
	next, err := t.Listener()
	if err == nil { // it was checked before
		c.now.Store(next)
	}
}

// config gives the listener's configuration; nil when it is plain.
func (c *certificates) config() *tls.Config {
	if c.now.Load() == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.now.Load(), nil },
	}
}

// AdminListener gives ln with TLS, when the configuration has it so.
func (v *Server) AdminListener(ln net.Listener) net.Listener {
	if c := v.adminTLS.config(); c != nil {
		return tls.NewListener(ln, c)
	}
	return ln
}

// shakeTime bounds how long a client may take to receive what a handshake sends.
const shakeTime = 10 * time.Second

// handshake makes the first reading shake hands before: in the goroutine of the
// connection, and within the time for a request to arrive. A client that cannot
// is closed without an answer, which it could not read.
func (c *conn) handshake(with *tls.Config, failed func()) {
	c.tls = tls.Server(&c.Conn, with)
	c.shake = func() error {
		_ = c.SetWriteDeadline(time.Now().Add(shakeTime))
		if err := c.tls.Handshake(); err != nil {
			if c.waits.Load() != spared {
				failed()
			}
			return net.ErrClosed
		}
		return c.SetWriteDeadline(time.Time{})
	}
}
