package routes

import (
	"cmp"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/room"
)

// crowd are the connections there are. When there are as many as may be, a new
// one takes the place of the one that has waited longest for a request, be it
// idle or sending one slowly: a client that means it sends its request at once,
// and finds a place however many others hold theirs. A connection whose request
// is being answered is never closed for another.
type crowd struct {
	most int
	room *room.Room
	shed func() // told of a connection that was closed for another

	tick atomic.Uint64 // connections that have come: the clock of waiting
	mu   sync.Mutex
	open map[*conn]struct{}
	next []waiting // who goes next, the last one first
}

// waiting is a connection as it waited when somebody looked.
type waiting struct {
	c     *conn
	since uint64
}

// spared is the time since when a connection waits that was closed for another.
const spared = math.MaxUint64

// smallBody is the size up to which bodies do not count.
const smallBody = 16 << 10

func newCrowd(most, body int, shed func()) *crowd {
	return &crowd{most: most, room: room.New(body), shed: shed, open: map[*conn]struct{}{}}
}

// enter takes a connection in; not when there are so many that nobody could even tell it.
func (w *crowd) enter(c *conn) bool {
	c.waits.Store(w.tick.Add(1))
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.open) >= w.most && !w.spare() {
		if len(w.open) >= w.most+w.most/4+16 {
			return false
		}
		c.crowded = true // it is told so in its dialect
	}
	w.open[c] = struct{}{}
	return true
}

// spare closes the connection that has waited longest; false when all are busy.
func (w *crowd) spare() bool {
	for again := false; ; again = true {
		for len(w.next) > 0 {
			last := len(w.next) - 1
			v := w.next[last]
			w.next = w.next[:last]
			// Not when a request of it has come since.
			if _, ok := w.open[v.c]; ok && v.c.waits.CompareAndSwap(v.since, spared) {
				delete(w.open, v.c)
				_ = v.c.Conn.Close()
				w.shed()
				return true
			}
		}
		if again {
			return false
		}
		w.look()
	}
}

// look finds who has waited longest: some of them at once, so that not every
// connection that comes has all others looked at.
func (w *crowd) look() {
	clear(w.next[:cap(w.next)]) // else they would be kept
	w.next = w.next[:0]
	for c := range w.open {
		if since := c.waits.Load(); since != 0 {
			w.next = append(w.next, waiting{c, since})
		}
	}
	slices.SortFunc(w.next, func(a, b waiting) int { return cmp.Compare(b.since, a.since) })
	if few := len(w.next)/16 + 1; len(w.next) > few {
		w.next = w.next[len(w.next)-few:]
	}
}

// leave lets a connection go.
func (w *crowd) leave(c *conn) {
	w.mu.Lock()
	delete(w.open, c)
	w.mu.Unlock()
	c.release()
}

// count tells how many there are.
func (w *crowd) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.open)
}

// wait begins to wait for the next request.
func (c *conn) wait() {
	c.release()
	c.waits.Store(c.crowd.tick.Load() + 1)
}

// answers begins to answer a request; false when the connection has been
// closed for another meanwhile: then nothing is to be done.
func (c *conn) answers() bool { return c.waits.Swap(0) != spared }

// received is told of a header that has come: the memory for a large body is
// asked for before it is made, for the library makes it of the size that a
// client announces. Chunks announce no sum: without room they may be small.
func (v *Server) received(h *fasthttp.RequestHeader) (may fasthttp.RequestConfig) {
	n := h.ContentLength()
	if n == chunked {
		n = v.limits.Body
	}
	most := v.limits.Body
	if n > most {
		if most = v.uploads(h); n > most {
			return may
		}
		may.MaxRequestBodySize = most
	}
	if n <= smallBody {
		return may
	}
	c, ok := connOf(h).(*conn)
	if ok && !v.crowd.room.Take(n) {
		c.full = true
		may.MaxRequestBodySize = smallBody
	} else if ok {
		c.held.Add(int64(n))
	}
	return may
}

// uploads gives how large the body of a request may be that brings files; 0 when it is none.
func (v *Server) uploads(h *fasthttp.RequestHeader) int {
	path, _, _ := strings.Cut(text(h.RequestURI()), "?")
	way, _, _ := v.app.Load().paths.Find(text(h.Method()), path)
	if way == nil || way.Exposed == nil {
		return 0
	}
	return way.Exposed.MaxBody
}

// chunked is what the library says of a length that is not known.
const chunked = -1

// connOf gives the connection that a header came on: it is a part of the
// request, and that of the context, which knows. The library tells no more.
func connOf(h *fasthttp.RequestHeader) net.Conn {
	var ctx *fasthttp.RequestCtx
	var r *fasthttp.Request
	ctx = (*fasthttp.RequestCtx)(unsafe.Add(unsafe.Pointer(h), -int(unsafe.Offsetof(ctx.Request)+unsafe.Offsetof(r.Header))))
	return ctx.Conn()
}

// release gives the room back.
func (c *conn) release() {
	if c.held.Load() > 0 {
		c.crowd.room.Give(int(c.held.Swap(0)))
	}
}
