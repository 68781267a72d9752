package routes

import (
	"crypto/tls"
	"net"
	"time"
)

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
