package backend

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/room"
	"github.com/emenda-gateway/emenda/internal/timed"
)

// The failures of getting a connection; nothing was sent.
var (
	errNoFree = errors.New("no free connection")
	errClosed = errors.New("the client is closed")
)

// dialTimeout bounds dialling, and the TLS handshake, within the attempt's own time.
const dialTimeout = 5 * time.Second

// readBuffer bounds the header of an answer.
const readBuffer = 16 << 10

// conn is one connection to the backend.
type conn struct {
	net.Conn
	timed *timed.Conn // what it stands on
	br    *bufio.Reader
	out   []byte     // a request, until it is sent with the first read of its answer
	since time.Time  // when it became idle
	asks  bool       // it sends and waits in one turn
	used  bool       // it has carried an answer
	wrote bool       // of the present request something has gone out
	read  bool       // of the present answer something has come
	room  *room.Room // what large answers share
	got   int        // bytes of the present answer
	held  int        // of the room
	full  bool       // there was no room for it
}

// Read reads, noting that something came. What waits to go out goes before.
func (c *conn) Read(p []byte) (int, error) {
	if c.got+len(p) > smallAnswer && !c.hold(len(p)) {
		return 0, errFull
	}
	var n, written int
	var err error
	if len(c.out) == 0 {
		n, err = c.Conn.Read(p)
	} else {
		written, n, err = c.timed.Ask(c.out, p)
		c.wrote, c.out = written > 0, c.out[:0]
	}
	c.got += n
	c.read = c.read || n > 0
	return n, err
}

// Write writes, noting that something went out.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.wrote = c.wrote || n > 0
	return n, err
}

// queueTime bounds how long a call waits for a connection. A burst finds one in
// the time a few answers take; a backend that is slower than its callers is not
// made faster by a queue, and whoever is told soon can do something else.
const queueTime = 250 * time.Millisecond

// pool holds the connections to one backend: at most so many, idle ones used
// last in, first out. When all are busy as many calls again wait for one, for a
// moment, in their order; what comes on top is refused at once.
type pool struct {
	addr string
	tls  *tls.Config // nil: plain
	most int
	idle time.Duration
	room *room.Room

	mu     sync.Mutex
	free   []*conn
	count  int       // connections open or being dialled
	queue  []*waiter // somebody waits only while none is idle and there is no room
	reaper *time.Timer
	closed bool
}

// waiter is a call that waits for a connection: one, or nil for room to dial
// one, is handed to it. The channel is closed when there will be none.
type waiter struct {
	handed chan *conn
	fresh  bool
}

// get gives an idle connection, or with fresh or without an idle one a new one.
func (p *pool) get(ctx context.Context, now, deadline time.Time, fresh bool) (*conn, error) {
	for {
		c, w, err := p.take(now, fresh)
		if w != nil {
			c, err = p.wait(ctx, deadline, w)
		}
		if err != nil {
			return nil, err
		}
		if c == nil {
			break
		}
		if p.tls == nil || c.timed.Silent() { // without TLS it is looked at when it asks
			return c, nil
		}
		p.drop(c)
	}
	c, err := p.dial(ctx, deadline)
	if err != nil {
		p.mu.Lock()
		p.leave()
		p.mu.Unlock()
		return nil, err
	}
	return c, nil
}

// take gives an idle connection; nil when a new one is to be dialled, which is
// counted already; or a place in the queue.
func (p *pool) take(now time.Time, fresh bool) (*conn, *waiter, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, errClosed
	}
	last := len(p.free) - 1
	// When the last one has idled too long, so have those below: the reaper closes them.
	if !fresh && last >= 0 && now.Sub(p.free[last].since) < p.idle {
		return p.pop(), nil, nil
	}
	if p.count >= p.most && last >= 0 { // an idle one makes room
		_ = p.pop().Close()
		p.count--
	}
	if p.count >= p.most {
		if len(p.queue) >= p.most {
			return nil, nil, errNoFree
		}
		w := &waiter{handed: make(chan *conn, 1), fresh: fresh}
		p.queue = append(p.queue, w)
		return nil, w, nil
	}
	p.count++
	return nil, nil, nil
}

// wait waits in the queue: for a moment, and for no more than half of the time
// there is, so that some is left for the call.
func (p *pool) wait(ctx context.Context, deadline time.Time, w *waiter) (*conn, error) {
	t := time.NewTimer(min(queueTime, time.Until(deadline)/2))
	defer t.Stop()
	why := errNoFree
	select {
	case c, ok := <-w.handed:
		return handed(c, ok)
	case <-t.C:
	case <-ctx.Done():
		why = ctx.Err()
	}
	p.mu.Lock()
	i := slices.Index(p.queue, w)
	if i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
		p.mu.Unlock()
		return nil, why
	}
	p.mu.Unlock()
	c, ok := <-w.handed // it has been handed something just now
	if ctx.Err() == nil || !ok {
		return handed(c, ok)
	}
	if c != nil {
		p.put(c, time.Now())
	} else {
		p.mu.Lock()
		p.leave()
		p.mu.Unlock()
	}
	return nil, why
}

func handed(c *conn, ok bool) (*conn, error) {
	if !ok {
		return nil, errClosed
	}
	return c, nil
}

// leave gives up the room of one connection: to who waits longest, if somebody does.
func (p *pool) leave() {
	if w := p.next(); w != nil {
		w.handed <- nil
		return
	}
	p.count--
}

// next takes the first out of the queue; nil when it is empty.
func (p *pool) next() *waiter {
	if len(p.queue) == 0 {
		return nil
	}
	w := p.queue[0]
	p.queue = slices.Delete(p.queue, 0, 1)
	return w
}

// pop gives the connection that became idle last.
func (p *pool) pop() *conn {
	last := len(p.free) - 1
	c := p.free[last]
	p.free[last] = nil
	p.free = p.free[:last]
	return c
}

func (p *pool) dial(ctx context.Context, deadline time.Time) (*conn, error) {
	if soon := time.Now().Add(dialTimeout); soon.Before(deadline) {
		deadline = soon
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return nil, err
	}
	c := &conn{room: p.room, timed: timed.New(nc)}
	nc = c.timed
	if p.tls != nil {
		t := tls.Client(nc, p.tls)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = nc.Close()
			return nil, err
		}
		nc = t
	}
	c.Conn = nc
	c.br = bufio.NewReaderSize(c, readBuffer)
	c.asks = p.tls == nil
	return c, nil
}

// put gives a connection back that has just carried its answer whole.
func (p *pool) put(c *conn, now time.Time) {
	c.used, c.since = true, now
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.count--
		_ = c.Close()
		return
	}
	if w := p.next(); w != nil {
		if w.fresh { // its call wants one of its own
			_ = c.Close()
			c = nil
		}
		w.handed <- c
		return
	}
	p.free = append(p.free, c)
	if p.reaper == nil {
		p.reaper = time.AfterFunc(p.idle, p.reap)
	} else if len(p.free) == 1 {
		p.reaper.Reset(p.idle)
	}
}

// drop closes a connection that cannot be used again.
func (p *pool) drop(c *conn) {
	_ = c.Close()
	p.mu.Lock()
	p.leave()
	p.mu.Unlock()
}

// reap closes connections that have been idle too long.
func (p *pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	now, n := time.Now(), 0
	for n < len(p.free) && now.Sub(p.free[n].since) >= p.idle {
		_ = p.free[n].Close()
		n++
	}
	p.count -= n
	rest := copy(p.free, p.free[n:])
	clear(p.free[rest:])
	p.free = p.free[:rest]
	if rest > 0 {
		p.reaper.Reset(p.idle - now.Sub(p.free[0].since))
	}
}

// close closes idle connections; those in use are closed when they come back.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.free {
		_ = c.Close()
	}
	p.count -= len(p.free)
	p.free = nil
	for w := p.next(); w != nil; w = p.next() {
		close(w.handed)
	}
	if p.reaper != nil {
		p.reaper.Stop()
	}
}
