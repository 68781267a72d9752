package backend

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/room"
	"github.com/emenda-gateway/emenda/internal/timed"
	"github.com/emenda-gateway/emenda/internal/token"
)

// What is taken where Options leave something out.
const (
	defaultTimeout   = 10 * time.Second
	defaultAtMost    = 64
	defaultIdle      = 5 * time.Second
	defaultMaxAnswer = 8 << 20
	defaultFailures  = 5
	defaultPause     = 5 * time.Second
)

// Client calls one backend. It is safe for concurrent use.
//
// Calls that change something each get a connection of their own and are sent
// once. Reading ones share a pool; when a pooled connection turns out to be
// closed before any byte of an answer came, the request is sent once more at
// once on a fresh one, which does not count as an attempt: a backend that reads
// requests and cuts can so see a reading call twice per attempt.
type Client struct {
	o           Options
	base        string // path prefix, without / at the end
	root        string // what the contract's path / is: the URL's own path
	fixed       string // header lines every request has
	tokenHeader string
	tokenField  string // of the body; "" with tokenHeader
	tokenPrefix string
	signs       []contract.Credential // what signs in every body
	asks        []contract.Credential // the body that a token is obtained with
	pool        *pool
	breaker     *breaker
	token       *token.Source // nil: the contract has none
	firstOver   atomic.Bool   // the backend has refused the first token
}

// New gives a client; it opens no connection.
func New(o Options) (*Client, error) {
	if o.Contract == nil {
		return nil, errors.New("a backend needs a contract")
	}
	name := o.Contract.Name
	u, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the url of backend %s cannot be read", name)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the url of backend %s must begin with http:// or https://", name)
	case u.Hostname() == "":
		return nil, fmt.Errorf("the url of backend %s has no host", name)
	case u.User != nil:
		return nil, fmt.Errorf("the url of backend %s holds credentials; they belong into sign_in", name)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("the url of backend %s ends with its path, without query or fragment", name)
	}
	c := &Client{o: withDefaults(o), base: strings.TrimRight(u.EscapedPath(), "/"), root: cmp.Or(u.EscapedPath(), "/")}
	o = c.o
	fixed := "Host: " + u.Host + "\r\nUser-Agent: emenda\r\nAccept: application/json, text/plain;q=0.9, */*;q=0.1\r\nAccept-Encoding: identity\r\n"
	for _, v := range o.Contract.SignIn.Variables {
		if _, ok := o.SignIn[v]; !ok {
			return nil, fmt.Errorf("sign_in of backend %s has no %s", name, v)
		}
	}
	if b := o.Contract.SignIn.Basic; b != nil {
		user := o.SignIn[b.User]
		if strings.Contains(user, ":") {
			return nil, fmt.Errorf("%s of backend %s holds a colon, which HTTP Basic cannot carry", b.User, name)
		}
		fixed += "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+o.SignIn[b.Password])) + "\r\n"
	}
	if v := o.Contract.SignIn.Bearer; v != "" {
		if !sendable(o.SignIn[v]) {
			return nil, fmt.Errorf("%s of backend %s holds a character that no header can carry", v, name)
		}
		fixed += "Authorization: Bearer " + o.SignIn[v] + "\r\n"
	}
	for _, f := range o.Contract.SignIn.Header {
		value := o.SignIn[f.Variable]
		if value == "" || strings.TrimSpace(value) != value || !sendable(value) {
			return nil, fmt.Errorf("%s of backend %s cannot stand in a header: it is empty, has blanks around it, or a character that no header can carry", f.Variable, name)
		}
		fixed += f.Name + ": " + value + "\r\n"
	}
	if s := o.Contract.SignIn.Signature; s != nil && o.SignIn[s.Key] == "" {
		return nil, fmt.Errorf("%s of backend %s is empty, and anybody could sign with it", s.Key, name)
	}
	for _, f := range o.Contract.SignIn.Body {
		c.signs = append(c.signs, contract.Credential{Name: f.Name, Value: o.SignIn[f.Variable]})
	}
	c.fixed = fixed
	c.pool = &pool{addr: address(u), most: o.AtMost, idle: o.IdleTimeout, room: room.New(o.MaxAnswer)}
	if u.Scheme == "https" {
		c.pool.tls = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
		if o.TLS != nil {
			c.pool.tls = o.TLS.Clone()
		}
		if c.pool.tls.ServerName == "" {
			c.pool.tls.ServerName = u.Hostname()
		}
	}
	c.breaker = &breaker{failures: o.Breaker.Failures, pause: o.Breaker.Pause, now: o.Now}
	if o.Observe != nil {
		c.breaker.changed = func(state string) { o.Observe.BreakerChanged(name, state) }
	}
	if t := o.Contract.SignIn.Token; t != nil {
		if !t.Usable(o.SignIn) {
			return nil, fmt.Errorf("sign_in of backend %s has nothing that brings a token", name)
		}
		c.tokenHeader, c.tokenField, c.tokenPrefix = t.Header, t.Field, t.Prefix
		for _, f := range t.With {
			value := f.Text
			if f.Variable != "" {
				value = o.SignIn[f.Variable]
			}
			c.asks = append(c.asks, contract.Credential{Name: f.Name, Value: value})
		}
		c.token = token.New(token.Options{
			Fetch: c.fetchToken, Life: time.Duration(t.Life) * time.Second, Timeout: 2*o.Timeout + time.Second, Now: o.Now,
			Shared: o.Tokens, Name: accountName(&o),
		})
	}
	return c, nil
}

func withDefaults(o Options) Options {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.AtMost <= 0 {
		o.AtMost = defaultAtMost
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = defaultIdle
	}
	if o.MaxAnswer <= 0 {
		o.MaxAnswer = defaultMaxAnswer
	}
	if o.Breaker.Failures <= 0 {
		o.Breaker.Failures = defaultFailures
	}
	if o.Breaker.Pause <= 0 {
		o.Breaker.Pause = defaultPause
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// Close closes idle connections and ends a fetch of a token; calls under way end as they would.
func (c *Client) Close() {
	if c.token != nil {
		c.token.Close()
	}
	c.pool.close()
}

// Do makes the call, within ctx's deadline. The answer is the caller's to release.
func (c *Client) Do(ctx context.Context, call *Call) *Answer {
	began := time.Now()
	tries := 1
	if !call.Operation.Changes {
		tries += max(call.Retries, 0)
	}
	for n, now := 1, began; ; n, now = n+1, time.Now() {
		a, again := c.attempt(ctx, call, now)
		a.Attempts, a.Took = n, a.ended.Sub(began)
		if n == tries || !again || !wait(ctx, call.Pause) {
			return a
		}
		a.Release()
	}
}

// wait waits d; false when ctx ends, or would end, before.
func wait(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return false
	}
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// attempt is one attempt: with a token that the backend refuses it is made
// once more, for a refused request did nothing. Its timeout holds for all of
// it, tokens included. again tells whether another attempt may do better. The
// clock is read once for what follows at once: that costs as much as much else here.
func (c *Client) attempt(ctx context.Context, call *Call, now time.Time) (a *Answer, again bool) {
	until := c.until(ctx, call, now)
	if !call.Operation.Token || c.token == nil {
		return c.send(ctx, call, "", now, until)
	}
	if c.o.Contract.SignIn.Token.Next != nil {
		return c.inTurn(ctx, call, until)
	}
	tok, ok := c.token.Held()
	if !ok {
		var err error
		if tok, err = c.tokenBy(ctx, until); err != nil {
			return c.noToken(ctx, call, err)
		}
		now = time.Now()
	}
	a, again = c.send(ctx, call, tok, now, until)
	if a.Status != fasthttp.StatusUnauthorized {
		return a, again
	}
	c.token.Invalidate(tok)
	renewed, err := c.tokenBy(ctx, until)
	now = time.Now()
	if err != nil {
		a.ended = now
		return a, false
	}
	a.Release()
	a, again = c.send(ctx, call, renewed, now, until)
	if a.Status != fasthttp.StatusUnauthorized {
		return a, again
	}
	// That one, too: replicas that renew quickly one after the other may have
	// ended it meanwhile. Who has fetched it itself is what the backend refuses.
	other, ok := c.otherToken(ctx, renewed, until)
	now = time.Now()
	if !ok {
		a.ended = now
		return a, false
	}
	a.Release()
	return c.send(ctx, call, other, now, until)
}

// until gives when an attempt that begins now has to end.
func (c *Client) until(ctx context.Context, call *Call, now time.Time) time.Time {
	until := now.Add(c.timeout(call))
	if end, ok := ctx.Deadline(); ok && end.Before(until) {
		return end
	}
	return until
}

// timeout gives how long an attempt may take.
func (c *Client) timeout(call *Call) time.Duration {
	if call.Timeout > 0 {
		return call.Timeout
	}
	return c.o.Timeout
}

// tokenBy gives a token, waiting for one until then; the fetch goes on for the others.
func (c *Client) tokenBy(ctx context.Context, until time.Time) (string, error) {
	if tok, ok := c.token.Held(); ok {
		return tok, nil
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return c.token.Get(ctx)
}

// otherToken gives what has replaced a token that was refused like the one before it.
func (c *Client) otherToken(ctx context.Context, refused string, until time.Time) (string, bool) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return c.token.Other(ctx, refused)
}

// send sends the request, which begins now, once, or once more on a fresh connection when a pooled one was found closed.
func (c *Client) send(ctx context.Context, call *Call, tok string, began, until time.Time) (*Answer, bool) {
	op := call.Operation
	turn, ok := c.breaker.allow()
	if !ok {
		a := FailedAnswer(op, contract.ClassUnavailable, false)
		a.Wait = c.breaker.left()
		return c.told(op, a, began), false
	}
	a := newAnswer()
	again := c.reported(turn, func() (verdict, bool) {
		v, again := c.answer(ctx, a, call, tok, began, until)
		if a.Class == contract.ClassTimeout && until.Sub(began) < min(c.timeout(call)/2, time.Second) {
			v = nothing // others used the time up: not to answer in the rest is no fault of this backend
		}
		return v, again
	})
	return c.told(op, a, began), again
}

// reported does a call and tells the breaker how it ended, though it be in a
// panic: a trial that nobody ended would keep the breaker half open for ever.
func (c *Client) reported(turn uint64, do func() (verdict, bool)) (again bool) {
	v := nothing
	defer func() { c.breaker.report(turn, v) }()
	v, again = do()
	return again
}

// told tells the observer of an answer.
func (c *Client) told(op *contract.Operation, a *Answer, began time.Time) *Answer {
	if a.ended.IsZero() { // no exchange has
		a.ended = time.Now()
	}
	a.Took = a.ended.Sub(began)
	a.Attempts = 1
	if c.o.Observe != nil {
		c.o.Observe.Called(op, a.State, a.Class, a.Took)
	}
	return a
}

// answer fills a with what the call came to.
func (c *Client) answer(ctx context.Context, a *Answer, call *Call, tok string, began, deadline time.Time) (v verdict, again bool) {
	op := call.Operation
	if ctx.Err() != nil || !began.Before(deadline) {
		a.fail(op, contract.ClassTimeout, false)
		return nothing, false
	}
	fresh := op.Changes
	for {
		cn, err := c.pool.get(ctx, began, deadline, fresh)
		if err != nil {
			class := classOf(ctx, err)
			if class == contract.ClassBadAnswer {
				class = contract.ClassBroken // of dialling: a certificate, a name
			}
			a.fail(op, class, false)
			switch {
			case errors.Is(err, errNoFree):
				a.Wait = time.Second
				if c.o.Observe != nil {
					c.o.Observe.Shed(c.o.Contract.Name)
				}
				return nothing, false // to try again at once would only be more load
			case class == contract.ClassUnavailable, gaveUp(ctx):
				return nothing, !gaveUp(ctx)
			}
			return sick, true
		}
		resp := fasthttp.AcquireResponse()
		reuse, err := c.exchange(ctx, cn, call, tok, deadline, resp)
		a.ended = time.Now()
		switch {
		case err == nil:
			a.keepRoom(cn)
		case cn.full:
			err = errFull // whatever was made of it on the way
		}
		cn.release()
		if reuse {
			c.pool.put(cn, a.ended)
		} else {
			c.pool.drop(cn)
		}
		if err == nil {
			a.resp = resp
			return c.judge(a, call, resp)
		}
		if cap(resp.Body()) <= keptBody {
			fasthttp.ReleaseResponse(resp)
		}
		if cn.used && errors.Is(err, timed.ErrStale) {
			continue // another
		}
		class := classOf(ctx, err)
		if cn.used && !fresh && !cn.read && class == contract.ClassBroken {
			fresh = true // it had been closed while idle
			continue
		}
		a.fail(op, class, cn.wrote)
		switch {
		case class == contract.ClassTemplate:
			return nothing, false
		case errors.Is(err, errFull):
			a.Wait = time.Second
			return nothing, false
		case gaveUp(ctx):
			return nothing, false
		}
		return sick, true
	}
}

// gaveUp tells whether the caller ended the call, rather than its deadline.
func gaveUp(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// judge makes a what the contract says the answer means, and says what that tells about the backend.
func (c *Client) judge(a *Answer, call *Call, resp *fasthttp.Response) (verdict, bool) {
	op := call.Operation
	a.keep(resp)
	status := resp.StatusCode()
	body, err := c.plain(a, resp)
	switch {
	case errors.Is(err, errFull):
		a.Status, a.Wait = status, time.Second
		a.fail(op, contract.ClassUnavailable, true)
		return nothing, false
	case err != nil:
		a.Status = status
		a.fail(op, contract.ClassBadAnswer, true)
		return sick, true
	}
	contentType := ""
	for i := range a.Header {
		if a.Header[i].Name == "Content-Type" {
			contentType = a.Header[i].Value
			break
		}
	}
	a.classify(op, status, contentType, body)
	if call.Raw {
		a.Raw = body
	}
	switch {
	case status >= 500, a.State >= contract.Failed && a.Class == contract.ClassBadAnswer:
		return sick, a.State != contract.OK && a.State != contract.Refused
	}
	return healthy, false
}

// plain gives the body without its Content-Encoding. None was asked for; gzip that came anyway is inflated, within the bound.
func (c *Client) plain(a *Answer, resp *fasthttp.Response) ([]byte, error) {
	switch encoding := string(resp.Header.ContentEncoding()); strings.ToLower(encoding) {
	case "", "identity":
		return resp.Body(), nil
	case "gzip", "x-gzip":
		return c.inflate(a, resp)
	default:
		return nil, errors.New("the answer has an encoding that was not asked for")
	}
}
