//go:build !unix

package timed

import "net"

// socket asks over a connection's socket; on this system it cannot.
type socket struct {
	n, written int
}

func socketOf(net.Conn) *socket { return nil }

func (*socket) begin(_, _ []byte) {}

func (*socket) end() {}

func (*socket) read() error { return nil }

func (*socket) silent() bool { return true }
