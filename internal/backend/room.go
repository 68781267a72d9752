package backend

import (
	"errors"
	"io"
	"net"
	"net/http/httputil"

	"github.com/valyala/fasthttp"
)

// smallAnswer is the size up to which answers do not count for the room that
// those of a backend share: of each the part above does.
const smallAnswer = 256 << 10

// errFull is an answer too large for the room there is now.
var errFull = errors.New("no room for a large answer")

// hold takes room for what has come of an answer and what is asked for next,
// for which there is memory already: the library makes it of the size that the
// backend announces. What is read into the buffer is small.
func (c *conn) hold(next int) bool {
	want := c.got - smallAnswer
	if next > readBuffer {
		want += next
	}
	if want <= c.held {
		return true
	}
	if !c.room.Take(want - c.held) {
		c.full = true
		return false
	}
	c.held = want
	return true
}

// release gives the room of the present answer back.
func (c *conn) release() {
	if c.held > 0 {
		c.room.Give(c.held)
	}
	c.got, c.held, c.full = 0, 0, false
}

// errChunk is a body whose chunks cannot be read.
var errChunk = errors.New("a chunk of the answer is broken")

// interims bounds the answers of status 1xx before the one that counts.
const interims = 16

// receive reads an answer. Memory for a large body is asked for before it is
// made, be its size announced or not: chunks are read in pieces, of whatever
// size they say they are.
func (c *Client) receive(cn *conn, resp *fasthttp.Response) error {
	for n := 0; ; n++ {
		if err := resp.Header.Read(cn.br); err != nil {
			return err
		}
		if status := resp.StatusCode(); status < 100 || status > 199 || status == fasthttp.StatusSwitchingProtocols {
			break
		}
		if n == interims {
			return errors.New("too many interim answers")
		}
	}
	if status := resp.StatusCode(); status == fasthttp.StatusNoContent || status == fasthttp.StatusNotModified || status == fasthttp.StatusSwitchingProtocols {
		return nil
	}
	switch n := resp.Header.ContentLength(); {
	case n == -1:
		err := c.unmeasured(httputil.NewChunkedReader(cn.br), resp)
		if err == nil {
			err = resp.Header.ReadTrailer(cn.br)
		}
		var network net.Error
		if err != nil && !errors.As(err, &network) && !errors.Is(err, fasthttp.ErrBodyTooLarge) {
			err = errors.Join(errChunk, err)
		}
		return err
	case n < 0:
		resp.Header.SetConnectionClose()
		return c.unmeasured(cn.br, resp)
	case n > smallAnswer && n <= c.o.MaxAnswer && !cn.hold(n):
		return errFull
	}
	return resp.ReadBody(cn.br, c.o.MaxAnswer)
}

// unmeasured reads a body that says no length to its end.
func (c *Client) unmeasured(in io.Reader, resp *fasthttp.Response) error {
	b := resp.SwapBody(nil)[:0]
	defer func() { resp.SwapBody(b) }()
	for {
		if len(b) == cap(b) {
			more := make([]byte, len(b), min(max(2*cap(b), 4<<10), c.o.MaxAnswer+1))
			copy(more, b)
			b = more
		}
		n, err := in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case len(b) > c.o.MaxAnswer:
			return fasthttp.ErrBodyTooLarge
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// keepRoom lets an answer hold what its connection has held for it.
func (a *Answer) keepRoom(c *conn) {
	a.room, a.held = c.room, c.held
	c.held = 0
}

// inflate inflates the body of an answer that a compresses more than was asked
// for; a large one within the room there is.
func (c *Client) inflate(a *Answer, resp *fasthttp.Response) ([]byte, error) {
	body, err := resp.BodyGunzipWithLimit(min(smallAnswer, c.o.MaxAnswer))
	if !errors.Is(err, fasthttp.ErrBodyTooLarge) || c.o.MaxAnswer <= smallAnswer {
		return body, err
	}
	if !c.pool.room.Take(c.o.MaxAnswer) {
		return nil, errFull
	}
	a.room = c.pool.room
	a.held += c.o.MaxAnswer
	return resp.BodyGunzipWithLimit(c.o.MaxAnswer)
}
