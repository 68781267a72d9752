package routes

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/exchange"
)

// worthCompressing is the least body that is: what fits in one packet is not.
const worthCompressing = 1400

// zipper compresses one answer at a time.
type zipper struct {
	buf bytes.Buffer
	out *gzip.Writer
}

var zippers = sync.Pool{New: func() any {
	z := &zipper{}
	z.out, _ = gzip.NewWriterLevel(&z.buf, gzip.BestSpeed) // of a level there is
	return z
}}

// compressed gives an answer's body as the client takes it: with gzip when it
// accepts that and the body is text, else as it is.
func compressed(x *arrival, res *exchange.Response) []byte {
	if !compressible(res.Type) || slices.ContainsFunc(res.Header, encodedOrTagged) {
		return res.Body
	}
	out := &x.ctx.Response.Header
	out.Add(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if x.request.Method == fiber.MethodHead || !acceptsGzip(x.ctx.Request.Header.PeekAll(fiber.HeaderAcceptEncoding)) {
		return res.Body
	}
	z := zippers.Get().(*zipper)
	defer func() {
		if z.buf.Cap() > maxKept {
			z.buf = bytes.Buffer{}
		}
		zippers.Put(z)
	}()
	z.buf.Reset()
	z.out.Reset(&z.buf)
	_, err := z.out.Write(res.Body)
	if err != nil || z.out.Close() != nil || z.buf.Len() >= len(res.Body) {
		return res.Body
	}
	out.Set(fiber.HeaderContentEncoding, "gzip")
	return append(res.Body[:0], z.buf.Bytes()...)
}

// encodedOrTagged tells whether a field says that the bytes are to stay as they are.
func encodedOrTagged(h contract.Header) bool {
	return strings.EqualFold(h.Name, fiber.HeaderContentEncoding) || strings.EqualFold(h.Name, fiber.HeaderETag)
}

// compressible tells whether a media type is text.
func compressible(media string) bool {
	media, _, _ = strings.Cut(media, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	switch media {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml")
}

// acceptsGzip tells whether gzip may be sent, and is liked at least as well as
// nothing (RFC 9110, 12.5.3).
func acceptsGzip(fields [][]byte) bool {
	gzip, star, identity := -1.0, -1.0, -1.0
	for _, field := range fields {
		for part := range strings.SplitSeq(text(field), ",") {
			coding, params, _ := strings.Cut(part, ";")
			q := quality(params)
			switch coding = strings.TrimSpace(coding); {
			case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
				gzip = max(gzip, q)
			case strings.EqualFold(coding, "identity"):
				identity = q
			case coding == "*":
				star = q
			}
		}
	}
	if gzip < 0 {
		gzip = star
	}
	return gzip > 0 && gzip >= identity
}

// quality reads `q=0.5`; 1 when nothing is said, 0 when it cannot be read.
func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, ok := strings.Cut(p, "=")
		if !ok || !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
