//go:build unix

package timed

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// socket asks over a connection's socket: it looks, writes and waits in one
// turn of the poller. What it calls back is bound once, and allocates nothing.
type socket struct {
	raw  syscall.RawConn
	ask  func(fd uintptr) bool
	look func(fd uintptr)

	out, in []byte
	sent    bool // what could be has been written
	written int
	n       int // read
	err     error
}

// socketOf gives the socket of a connection; nil when it has none.
func socketOf(nc net.Conn) *socket {
	c, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{raw: raw}
	s.look, s.ask = s.idle, s.turn
	return s
}

// begin makes out and in those of the next question.
func (s *socket) begin(out, in []byte) {
	s.out, s.in, s.sent, s.written, s.n, s.err = out, in, false, 0, 0, nil
}

// end lets go of them.
func (s *socket) end() { s.out, s.in = nil, nil }

// read waits for an answer, having written what is asked.
func (s *socket) read() error {
	if err := s.raw.Read(s.ask); err != nil {
		return err
	}
	return s.err
}

// turn is one turn of the poller. It has been told of whatever comes after this
// turn began, so that a first read, which would find nothing, is spared.
func (s *socket) turn(fd uintptr) (done bool) {
	if !s.sent {
		if s.idle(fd); s.err != nil {
			return true
		}
		s.sent = true
		s.written, s.err = syscall.Write(int(fd), s.out)
		s.written = max(s.written, 0)
		if errors.Is(s.err, syscall.EAGAIN) || errors.Is(s.err, syscall.EINTR) {
			s.err = nil
		}
		if s.err != nil {
			s.err = &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", s.err)}
		}
		return s.err != nil || s.written < len(s.out)
	}
	for {
		n, err := syscall.Read(int(fd), s.in)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			return false
		case err != nil:
			s.err = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", err)}
		case n == 0:
			s.err = io.EOF
		}
		s.n = max(n, 0)
		return true
	}
}

// idle looks whether the other end has neither closed the connection nor said
// anything; it may lose a byte of what was said.
func (s *socket) idle(fd uintptr) {
	var b [1]byte
	s.err = nil
	if _, err := syscall.Read(int(fd), b[:]); !errors.Is(err, syscall.EAGAIN) { // sockets of Go never block
		s.err = ErrStale
	}
}

func (s *socket) silent() bool {
	err := s.raw.Control(s.look)
	return err == nil && s.err == nil
}
