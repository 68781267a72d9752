// Package timed is a connection whose deadlines cost nothing while they are
// kept, and which asks and waits for the answer in one turn.
package timed

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// Conn is a connection that tells the runtime of a deadline only when it has
// to: who serves request after request moves it on with each, and telling costs
// a turn of the poller's lock and of a timer. A deadline that is in force
// already and comes earlier is left; when it passes while a later one is wanted,
// the wait goes on until that one, to the moment. One that comes earlier than
// the one in force is told at once. So a wait ends when it is to, neither before
// nor later.
//
// Deadlines of reading are set by who reads, those of writing by who writes.
// Others end both with Abort.
type Conn struct {
	net.Conn
	reading, writing limit
	aborted          atomic.Bool
	socket           *socket // nil: the connection is only read and written
}

// ErrStale is a connection that the other end has closed while nobody waited
// for it, or on which it has said something that nobody asked for, such as a 408
// before it closes, which would be taken for the next answer. Nothing was written.
var ErrStale = errors.New("the connection is not idle")

// New gives a connection that can Ask.
func New(nc net.Conn) *Conn { return &Conn{Conn: nc, socket: socketOf(nc)} }

// Ask writes out over an idle connection and reads the first of what comes in
// answer, as Write and then Read would, until the deadline of reading, but for
// a system call less; an idle connection it finds stale is given as ErrStale.
// written tells how much has gone out, whatever failed afterwards.
func (c *Conn) Ask(out, in []byte) (written, n int, err error) {
	s := c.socket
	if s == nil {
		if written, err = c.Write(out); err == nil {
			n, err = c.Read(in)
		}
		return written, n, err
	}
	s.begin(out, in)
	defer s.end()
	l := &c.reading
	for again := l.tooLate(); ; again = true {
		if again {
			if err := c.tell(l, c.Conn.SetReadDeadline(l.wanted)); err != nil {
				return s.written, 0, err
			}
		}
		err := s.read()
		switch {
		case err == nil && s.written < len(out): // more than the socket takes at once
			more, err := c.Write(out[s.written:])
			if written = s.written + more; err == nil {
				n, err = c.Read(in)
			}
			return written, n, err
		case err == nil, c.aborted.Load(), !l.tooEarly(err):
			return s.written, s.n, err
		}
	}
}

// Silent tells whether an idle connection is not stale.
func (c *Conn) Silent() bool { return c.socket == nil || c.socket.silent() }

// limit is the deadline of one direction; the zero time is none.
type limit struct{ wanted, inForce time.Time }

// tooLate tells whether the deadline in force would not end what is wanted to end.
func (l *limit) tooLate() bool {
	return !l.wanted.IsZero() && (l.inForce.IsZero() || l.wanted.Before(l.inForce))
}

// tooEarly tells whether err is of a deadline that is not wanted any more.
func (l *limit) tooEarly(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) && (l.wanted.IsZero() || time.Now().Before(l.wanted))
}

// longAgo is a deadline that ends reads and writes under way.
var longAgo = time.Unix(1, 0)

// Abort ends reads and writes, those under way too, and lets none begin any more.
func (c *Conn) Abort() {
	c.aborted.Store(true)
	_ = c.Conn.SetDeadline(longAgo)
}

// Read reads, until its deadline.
func (c *Conn) Read(p []byte) (int, error) {
	l := &c.reading
	for again := l.tooLate(); ; again = true {
		if again {
			if err := c.tell(l, c.Conn.SetReadDeadline(l.wanted)); err != nil {
				return 0, err
			}
		}
		n, err := c.Conn.Read(p)
		if err == nil || n > 0 || c.aborted.Load() || !l.tooEarly(err) {
			return n, err
		}
	}
}

// Write writes, until its deadline.
func (c *Conn) Write(p []byte) (written int, err error) {
	l := &c.writing
	for again := l.tooLate(); ; again = true {
		if again {
			if err := c.tell(l, c.Conn.SetWriteDeadline(l.wanted)); err != nil {
				return written, err
			}
		}
		n, err := c.Conn.Write(p[written:])
		written += n
		if err == nil || c.aborted.Load() || !l.tooEarly(err) {
			return written, err
		}
	}
}

// tell notes that the deadline that is wanted is in force, unless err says otherwise.
func (c *Conn) tell(l *limit, err error) error {
	if err != nil {
		return err
	}
	l.inForce = l.wanted
	if c.aborted.Load() { // which this may have undone
		return os.ErrDeadlineExceeded
	}
	return nil
}

// SetReadDeadline sets until when reading may take; the zero time is for ever.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.reading.wanted = t
	return nil
}

// SetWriteDeadline sets until when writing may take; the zero time is for ever.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.writing.wanted = t
	return nil
}

// SetDeadline sets until when reading and writing may take.
func (c *Conn) SetDeadline(t time.Time) error {
	c.reading.wanted, c.writing.wanted = t, t
	return nil
}
