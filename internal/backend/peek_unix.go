//go:build unix

package backend

import (
	"errors"
	"net"
	"syscall"
)

// peek looks at an idle connection's socket.
type peek struct {
	raw  syscall.RawConn
	read func(fd uintptr) // bound once: a look allocates nothing
	err  error            // what reading one byte came to; nil: a byte, or the end
}

// at makes p look at nc.
func (p *peek) at(nc net.Conn) {
	c, ok := nc.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	p.raw, p.read = raw, func(fd uintptr) {
		var b [1]byte
		_, p.err = syscall.Read(int(fd), b[:]) // sockets of Go never block
	}
}

// silent tells whether the backend has neither closed an idle connection nor
// sent anything that nobody asked for, such as a 408 before it closes, which
// would be taken for the next answer. It may lose a byte of one that has.
func (c *conn) silent() bool {
	p := &c.peek
	if p.raw == nil {
		return true
	}
	err := p.raw.Control(p.read)
	return err == nil && errors.Is(p.err, syscall.EAGAIN)
}
