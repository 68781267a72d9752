package backend

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/timed"
)

// errRequest is a request that cannot be written: a byte stands where it would end a line. Nothing was sent.
var errRequest = errors.New("the request holds a character that cannot be sent")

// mostAsked is the largest request that is sent and waited for in one turn;
// of a larger one only the head is put together here.
const mostAsked = 16 << 10

// write sends the request, or puts it where it is sent with the first read of
// its answer; the request line and the header fields hold nothing that could end
// them. c.fixed holds host, user agent and credentials, prepared once.
func (c *Client) write(cn *conn, call *Call, token string) error {
	r := &call.Request
	if len(r.Target) == 0 || r.Target[0] != '/' || !visible(r.Target) || !sendable(r.Type) || !sendable(call.RequestID) {
		return errRequest
	}
	for _, h := range r.Headers {
		if !tokenName(h.Name) || !sendable(h.Value) {
			return errRequest
		}
	}
	body, kind := r.Body, r.Type
	if call.Operation.Body != nil && (len(c.signs) > 0 || c.tokenField != "" && token != "" || c.obtains(call)) {
		var err error
		if body, kind, err = c.signed(call, token); err != nil {
			return errRequest
		}
	}
	b := append(cn.out[:0], r.Method...)
	b = append(b, ' ')
	if rest, ok := bytes.CutPrefix(r.Target, []byte("/")); ok && (len(rest) == 0 || rest[0] == '?') {
		b = append(append(b, c.root...), rest...)
	} else {
		b = append(append(b, c.base...), r.Target...)
	}
	b = append(b, " HTTP/1.1\r\n"...)
	b = append(b, c.fixed...)
	if token != "" && c.tokenHeader != "" {
		b = field(b, c.tokenHeader, c.tokenPrefix, token)
	}
	if s := c.o.Contract.SignIn.Signature; s != nil {
		timestamp, signature := s.Sign(c.o.SignIn[s.Key], c.o.Now(), body)
		b = field(field(b, s.Timestamp, "", timestamp), s.Header, "", signature)
	}
	if call.RequestID != "" {
		b = field(b, "X-Request-Id", "", call.RequestID)
	}
	for _, h := range r.Headers {
		b = field(b, h.Name, "", h.Value)
	}
	if call.Operation.Changes {
		b = field(b, "Connection", "", "close")
	}
	if len(body) > 0 || r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH" {
		if kind != "" {
			b = field(b, "Content-Type", "", kind)
		}
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(body)), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	if cn.asks && len(b)+len(body) <= mostAsked {
		cn.out = append(b, body...)
		return nil
	}
	cn.out = b[:0]
	if len(b) > mostAsked {
		cn.out = nil
	}
	if cn.asks && !cn.timed.Silent() {
		return timed.ErrStale
	}
	if len(body) <= mostAsked {
		b, body = append(b, body...), nil
	}
	if _, err := cn.Write(b); err != nil || len(body) == 0 {
		return err
	}
	_, err := cn.Write(body)
	return err
}

// obtains tells whether a call obtains a token with a body of its own.
func (c *Client) obtains(call *Call) bool {
	return len(c.asks) > 0 && call.Operation == c.o.Contract.SignIn.Token.Obtain
}

// signed gives the body with what signs in there, and its Content-Type; the
// call's own stays without, for tests, explanations and whoever looks at it.
func (c *Client) signed(call *Call, token string) (body []byte, contentType string, err error) {
	fields := c.signs
	if c.obtains(call) {
		fields = append(slices.Clip(fields), c.asks...)
	}
	if c.tokenField != "" && token != "" {
		fields = append(slices.Clip(fields), contract.Credential{Name: c.tokenField, Value: c.tokenPrefix + token})
	}
	return call.Operation.SignBody(&call.Request, fields)
}

func field(b []byte, name, prefix, value string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(append(b, prefix...), value...), "\r\n"...)
}

// visible tells whether b is printable ASCII without blanks, as a request target must be.
func visible(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// sendable tells whether a header can carry s.
func sendable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// tokenName tells whether s can name a header.
func tokenName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == ':' {
			return false
		}
	}
	return s != ""
}

// exchange sends the request over cn and reads the answer. reuse tells
// whether the connection can carry another.
func (c *Client) exchange(ctx context.Context, cn *conn, call *Call, token string, deadline time.Time, resp *fasthttp.Response) (reuse bool, err error) {
	cn.wrote, cn.read = false, false
	cn.release()
	if err := cn.SetDeadline(deadline); err != nil {
		return false, err
	}
	// A caller who gives up ends the exchange at once. A watch that has begun
	// to end it may still do so later: that connection is not used again.
	watched := func() bool { return true }
	if !endsAtDeadline(ctx) && ctx.Done() != nil {
		watched = context.AfterFunc(ctx, cn.timed.Abort)
	}
	defer func() {
		if !watched() {
			reuse = false
		}
	}()
	if err := c.write(cn, call, token); err != nil {
		return false, err
	}
	resp.Header.SetNoDefaultContentType(true) // else one that was not sent would be seen
	if err := c.receive(cn, resp); err != nil {
		return false, err
	}
	// Bytes beyond the answer belong to none: what follows could not be trusted.
	return !call.Operation.Changes && !resp.ConnectionClose() && cn.br.Buffered() == 0, nil
}

// endsAtDeadline tells whether ctx says that nobody gives up before its
// deadline, which the connection's is never later than.
func endsAtDeadline(ctx context.Context) bool {
	c, ok := ctx.(interface{ EndsAtDeadline() bool })
	return ok && c.EndsAtDeadline()
}

// classOf says what kind of failure an error is.
func classOf(ctx context.Context, err error) string {
	var network net.Error
	var op *net.OpError
	switch {
	case errors.Is(err, errNoFree), errors.Is(err, errClosed), errors.Is(err, errFull):
		return contract.ClassUnavailable
	case errors.Is(err, errRequest):
		return contract.ClassTemplate
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, fasthttp.ErrTimeout), errors.As(err, &network) && network.Timeout():
		return contract.ClassTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, errChunk), errors.Is(err, timed.ErrStale), errors.As(err, &op), errors.Is(err, net.ErrClosed):
		return contract.ClassBroken
	}
	return contract.ClassBadAnswer
}
