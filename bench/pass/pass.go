// Package pass is a bare Fiber app that passes requests on: what a request
// through the framework costs when nothing is done with it, or no more than is
// owed of every request.
package pass

import (
	"net"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/bench/duties"
)

// Watched passes everything that comes to ln on to the server at backend, until
// it is closed, for who signs in with the key of the duties, under the backend's
// own credentials.
func Watched(ln net.Listener, backend, authorization string, d *duties.Duties) error {
	client := fasthttp.HostClient{Addr: backend, MaxConns: 8192}
	pass := func(ctx *fasthttp.RequestCtx) {
		if !d.Signed(ctx.Request.Header.Peek("X-API-Key")) {
			ctx.SetStatusCode(fasthttp.StatusUnauthorized)
			return
		}
		ctx.Request.Header.Del("X-API-Key")
		ctx.Request.Header.Set(fasthttp.HeaderAuthorization, authorization)
		if !d.Do(&client, &ctx.Request, &ctx.Response) {
			ctx.Response.Reset()
			ctx.SetStatusCode(fasthttp.StatusServiceUnavailable)
		}
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.All("/*", func(c *fiber.Ctx) error {
		d.Around(c.Context(), pass)
		return nil
	})
	return app.Listener(ln)
}

// Serve passes everything that comes to ln on to the server at backend, until it is closed.
func Serve(ln net.Listener, backend string) error {
	client := fasthttp.HostClient{Addr: backend, MaxConns: 8192}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.All("/*", func(c *fiber.Ctx) error {
		return client.Do(c.Request(), c.Response())
	})
	return app.Listener(ln)
}
