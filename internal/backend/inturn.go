package backend

import (
	"context"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
)

// renewals is how often a request is made once more with another token: the
// backend refused the one it came with, and so did nothing.
const renewals = 3

// inTurn is one attempt where answers bring the token that holds from then on.
// Requests go out side by side with the one that holds for all replicas; one
// that was refused goes out again by itself, with the newest.
func (c *Client) inTurn(ctx context.Context, call *Call, until time.Time) (a *Answer, again bool) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for n := 0; ; n++ {
		var refused bool
		if a, again, refused = c.turn(ctx, call, until, n > 0); !refused || n == renewals {
			return a, again
		}
		// What others have under way may bring another token yet.
		if (n > 0 || a.Status == 0) && !wait(ctx, settling<<n) || ctx.Err() != nil {
			return a, again
		}
		a.Release()
	}
}

// settling is how long one that was refused though it went alone, or for which
// there is no token, waits for what others have under way, the first time.
const settling = 10 * time.Millisecond

// turn sends the request once; refused tells that it was for its token, or that
// there is none.
func (c *Client) turn(ctx context.Context, call *Call, until time.Time, alone bool) (a *Answer, again, refused bool) {
	done, err := c.token.Turn(ctx, alone)
	var tok string
	if err == nil {
		var all bool
		if tok, all, err = c.token.Current(ctx); err == nil && all && !alone {
			done()
			return c.turn(ctx, call, until, true)
		}
		defer done()
	}
	if err != nil {
		a, again = c.noToken(ctx, call, err)
		return a, again, a.Class == contract.ClassSignIn && !c.obtainable()
	}
	a, again = c.send(ctx, call, tok, time.Now(), until)
	if a.Status == fasthttp.StatusUnauthorized || a.State == contract.Failed && a.Class == contract.ClassSignIn {
		if tok == c.o.SignIn[c.o.Contract.SignIn.Token.First] {
			c.firstOver.Store(true)
		}
		c.token.Refused(ctx, tok)
		return a, again, true
	}
	if next := c.nextToken(a); next != "" {
		c.token.Next(context.WithoutCancel(ctx), tok, next)
	}
	return a, again, false
}

// nextToken reads off an answer the token that holds from now on; "" for none.
func (c *Client) nextToken(a *Answer) string {
	if a.Body.None() {
		return ""
	}
	t := c.o.Contract.SignIn.Token
	f := expr.NewFrame(t.NextScope.Layout, time.Time{}, nil)
	defer f.Release()
	f.Set(t.NextScope.Answer, a.Body)
	v := t.Next.Value(f)
	if f.Err() != nil || v.None() {
		return ""
	}
	return strings.Clone(v.Text())
}
