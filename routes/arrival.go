package routes

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/observe"
)

// arrival is one request under way. Its strings point into ctx, whose memory
// the library uses again, and its id into itself: nothing of it may be kept once
// the handler returns.
type arrival struct {
	ctx      *fasthttp.RequestCtx
	proxies  *proxies
	request  intake.Request
	id       [observe.IDSize]byte // of a request that has brought none
	counters *observe.Route       // nil: no route was found
	route    string
	errors   *mapping.ErrorReplies // the route's; nil before one is found
	stranger bool                  // of a method no route can have
	badPath  bool                  // a parameter of the path cannot be read
	body     []byte                // where the answer is written, until it is the response's
	status   int
	size     int // of the answer's body
	report   exchange.Report
	trace    *trace // nil: none is kept
}

// maxKept is the largest body buffer that goes back to the pool.
const maxKept = 64 << 10

var arrivals = sync.Pool{New: func() any {
	x := &arrival{body: make([]byte, 0, 4<<10)}
	// Bound here and not for each request, which would allocate them.
	x.request.Header, x.request.Headers, x.request.Address = x.header, x.headers, x.address
	return x
}}

type arrivalKey struct{}

// arrive takes an arrival for the request in ctx.
func arrive(ctx *fasthttp.RequestCtx) *arrival {
	x := arrivals.Get().(*arrival)
	h, r := &ctx.Request.Header, &x.request
	x.ctx, r.At = ctx, time.Now()
	r.ID = observe.RequestID(text(h.Peek("X-Request-Id")), &x.id)
	r.Method = text(h.Method())
	r.Type = text(h.ContentType())
	r.Body = text(ctx.Request.Body())
	if x.stranger = !slices.Contains(intake.Methods, r.Method); x.stranger {
		r.Method = strings.Clone(r.Method) // the header's is changed below
	}
	u := ctx.URI()
	r.Path, r.Query = text(u.PathOriginal()), text(u.QueryString())
	return x
}

// handOn lets a handler of Fiber's find the arrival in ctx.
func (x *arrival) handOn(handler fasthttp.RequestHandler) {
	x.ctx.SetUserValue(arrivalKey{}, x)
	defer x.ctx.RemoveUserValue(arrivalKey{})
	handler(x.ctx)
}

// arrived gives the arrival of the request in ctx.
func arrived(ctx *fasthttp.RequestCtx) *arrival { return ctx.UserValue(arrivalKey{}).(*arrival) }

// leave gives the arrival back.
func (x *arrival) leave() {
	r := &x.request
	clear(r.Params)
	*r = intake.Request{Params: r.Params[:0], Header: r.Header, Headers: r.Headers, Address: r.Address}
	body := x.body[:0]
	if cap(body) > maxKept {
		body = nil
	}
	*x = arrival{request: *r, body: body}
	arrivals.Put(x)
}

// address gives the client's address.
func (x *arrival) address() netip.Addr { return x.proxies.client(x.ctx) }

func (x *arrival) header(name string) string { return text(x.ctx.Request.Header.Peek(name)) }

func (x *arrival) headers(yield func(name, value string)) {
	for name, value := range x.ctx.Request.Header.All() {
		yield(text(name), text(value))
	}
}

// badLength tells whether the request says its length twice, or with a
// Transfer-Encoding that is not known (RFC 9112, 6.3): the library takes the
// chunks and forgets the Content-Length; a proxy before us may not have.
func badLength(ctx *fasthttp.RequestCtx) bool {
	length, transfer := false, false
	for raw := ctx.Request.Header.RawHeaders(); len(raw) > 0; {
		end := bytes.IndexByte(raw, '\n')
		line := raw
		if end < 0 {
			raw = nil
		} else {
			line, raw = raw[:end], raw[end+1:]
		}
		switch {
		case named(line, "content-length"):
			length = true
		case named(line, "transfer-encoding"):
			value := strings.Trim(text(line[len("transfer-encoding:"):]), " \t\r")
			if transfer || !strings.EqualFold(value, "chunked") {
				return true
			}
			transfer = true
		}
	}
	return transfer && length
}

// named tells whether a header line is that of a field; name is lower case.
func named(line []byte, name string) bool {
	if len(line) <= len(name) || line[0]|0x20 != name[0] || line[len(name)] != ':' {
		return false
	}
	return strings.EqualFold(text(line[:len(name)]), name)
}

// text views bytes as a string without copying.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
