package backend

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
)

// tokenError is a fetch of a token that failed, by the class of its call.
type tokenError struct{ class string }

// Error says what failed, without anything received.
func (e *tokenError) Error() string { return "no token: " + e.class }

// accountName names the token that these options fetch: another backend, address
// or account has another one, and nothing of them can be read off it.
func accountName(o *Options) string {
	h := sha256.New()
	add := func(piece string) {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(piece)))) // so that no two lists of pieces are the same
		_, _ = h.Write([]byte(piece))
	}
	obtain := ""
	if op := o.Contract.SignIn.Token.Obtain; op != nil {
		obtain = op.ID
	}
	for _, piece := range []string{"token 1", o.Contract.Name, obtain, o.URL} {
		add(piece)
	}
	for _, name := range o.Contract.SignIn.Variables {
		add(name)
		add(o.SignIn[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// fetchToken renews old when the contract says how, once; else, or when that
// fails or gives the same token again, it obtains one. Where a first one is
// given it is taken before any other, until the backend has refused it.
func (c *Client) fetchToken(ctx context.Context, old string) (string, error) {
	t := c.o.Contract.SignIn.Token
	if first := c.o.SignIn[t.First]; t.First != "" && first != "" && old != first && !c.firstOver.Load() {
		return first, nil
	}
	if old != "" && t.Renew != nil {
		value, err := c.askToken(ctx, t.Renew, old, "renew")
		if err == nil && value != old {
			return value, nil
		}
	}
	if !c.obtainable() {
		return "", &tokenError{contract.ClassSignIn} // nothing brings another
	}
	return c.askToken(ctx, t.Obtain, "", "obtain")
}

// obtainable tells whether a token can be obtained with what sign_in gives.
func (c *Client) obtainable() bool {
	return c.o.Contract.SignIn.Token.Obtain != nil && !slices.ContainsFunc(c.asks, func(f contract.Credential) bool { return f.Value == "" })
}

// askToken makes one call for a token. Being bound to no caller's request it never repeats.
func (c *Client) askToken(ctx context.Context, op *contract.Operation, old, how string) (string, error) {
	value, err := c.tokenOf(ctx, op, old)
	if c.o.Observe != nil {
		c.o.Observe.TokenFetched(c.o.Contract.Name, how, err == nil)
	}
	return value, err
}

func (c *Client) tokenOf(ctx context.Context, op *contract.Operation, old string) (string, error) {
	call := Call{Operation: op}
	if err := op.Build(&call.Request, nil, nil); err != nil {
		return "", &tokenError{contract.ClassTemplate}
	}
	if !op.Token {
		old = ""
	}
	now := time.Now()
	a, _ := c.send(ctx, &call, old, now, c.until(ctx, &call, now))
	defer a.Release()
	if a.State != contract.OK {
		if a.State == contract.Refused || a.Class == contract.ClassStatus && a.Status < 500 {
			return "", &tokenError{contract.ClassSignIn}
		}
		return "", &tokenError{a.Class}
	}
	t := c.o.Contract.SignIn.Token
	f := expr.NewFrame(t.Scope.Layout, time.Time{}, nil)
	defer f.Release()
	f.Set(t.Scope.Answer, a.Body)
	value := t.Value.Value(f).Text()
	if f.Err() != nil || value == "" {
		return "", &tokenError{contract.ClassBadAnswer}
	}
	return strings.Clone(value), nil
}

// noToken is the answer of a call whose token could not be had: nothing was sent.
func (c *Client) noToken(ctx context.Context, call *Call, err error) (*Answer, bool) {
	class := contract.ClassSignIn
	var failed *tokenError
	switch {
	case errors.As(err, &failed):
		class = failed.class
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		class = contract.ClassTimeout
	}
	a := FailedAnswer(call.Operation, class, false)
	return c.told(call.Operation, a, time.Now()), class != contract.ClassSignIn && ctx.Err() == nil
}
