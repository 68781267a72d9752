// Package load asks a server the same over connections that are kept open:
// as fast as it answers, for what a request costs, or at a fixed rate, for how
// long it takes. Every answer is held against the one that is wanted: a fast
// wrong one is no measurement.
package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Target is what is asked, and the body that has to come back, with status 200.
type Target struct {
	Address string
	Request []byte // whole, with its Content-Length
	Want    []byte
}

// Result is what a run came to.
type Result struct {
	Requests int
	Took     time.Duration
	Latency  Histogram
}

// Crowd is a number of open connections to one target.
type Crowd struct {
	target Target
	conns  []*conn
}

type conn struct {
	net.Conn
	br   *bufio.Reader
	body []byte
	h    Histogram
}

// patience bounds a run beyond the time it should take.
const patience = 30 * time.Second

// Open opens so many connections.
func Open(t Target, connections int) (*Crowd, error) {
	c := &Crowd{target: t}
	for range connections {
		nc, err := net.DialTimeout("tcp", t.Address, 10*time.Second)
		if err != nil {
			c.Close()
			return nil, err
		}
		c.conns = append(c.conns, &conn{Conn: nc, br: bufio.NewReaderSize(nc, 4<<10)})
	}
	return c, nil
}

// Close closes the connections.
func (c *Crowd) Close() {
	for _, cn := range c.conns {
		_ = cn.Close()
	}
}

// Closed asks so many times, each connection again as soon as it is answered.
func (c *Crowd) Closed(requests int) (Result, error) {
	var taken atomic.Int64
	return c.run(time.Now().Add(patience), func(cn *conn) error {
		for taken.Add(1) <= int64(requests) {
			began := time.Now()
			if err := cn.ask(&c.target); err != nil {
				return err
			}
			cn.h.Add(time.Since(began))
		}
		return nil
	})
}

// Paced asks at so many a second, for so long. A request that was due while
// every connection waited for an answer has waited since then: its time counts
// from when it was due, not from when it could be sent.
func (c *Crowd) Paced(rate int, d time.Duration) (Result, error) {
	var taken atomic.Int64
	requests := int64(float64(rate) * d.Seconds())
	start := time.Now()
	return c.run(start.Add(d+patience), func(cn *conn) error {
		for {
			i := taken.Add(1) - 1
			if i >= requests {
				return nil
			}
			due := start.Add(time.Duration(i) * time.Second / time.Duration(rate))
			if wait := time.Until(due); wait > 0 {
				time.Sleep(wait)
				due = time.Now() // to have slept too long is the driver's fault
			}
			if err := cn.ask(&c.target); err != nil {
				return err
			}
			cn.h.Add(time.Since(due))
		}
	})
}

// run has every connection do its part, until then.
func (c *Crowd) run(until time.Time, part func(*conn) error) (Result, error) {
	var (
		all    sync.WaitGroup
		errs   = make([]error, len(c.conns))
		began  = time.Now()
		result Result
	)
	for i, cn := range c.conns {
		cn.h = Histogram{}
		if err := cn.SetDeadline(until); err != nil {
			return result, err
		}
		all.Go(func() { errs[i] = part(cn) })
	}
	all.Wait()
	result.Took = time.Since(began)
	for _, cn := range c.conns {
		result.Latency.Merge(&cn.h)
	}
	result.Requests = result.Latency.Count()
	for _, err := range errs {
		if err != nil {
			return result, err
		}
	}
	return result, nil
}

var errHeader = errors.New("the answer's header cannot be read")

// ask sends the request and reads the answer.
func (cn *conn) ask(t *Target) error {
	if _, err := cn.Write(t.Request); err != nil {
		return err
	}
	status, length := 0, -1
	for first := true; ; first = false {
		line, err := cn.br.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			if len(line) < len("HTTP/1.1 200") {
				return errHeader
			}
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return errHeader
			}
			continue
		case len(line) > 15 && bytes.EqualFold(line[:15], []byte("content-length:")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[15:]))); err != nil {
				return errHeader
			}
			continue
		case len(line) > 0:
			continue
		}
		break
	}
	if length < 0 {
		return errHeader
	}
	if cap(cn.body) < length {
		cn.body = make([]byte, length)
	}
	cn.body = cn.body[:length]
	if _, err := io.ReadFull(cn.br, cn.body); err != nil {
		return err
	}
	if status != 200 || !bytes.Equal(cn.body, t.Want) {
		return fmt.Errorf("%s answered %d %.200s, not 200 %.200s", t.Address, status, cn.body, t.Want)
	}
	return nil
}

// Ask asks once and gives the body, whatever it is.
func Ask(address string, request []byte) (body []byte, err error) {
	c, err := Open(Target{Address: address, Request: request}, 1)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.conns[0].SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	err = c.conns[0].ask(&c.target)
	if len(c.conns[0].body) > 0 {
		return c.conns[0].body, nil
	}
	return nil, err
}
