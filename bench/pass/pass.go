// Package pass is a bare Fiber app that passes requests on: what a request
// through the framework costs when nothing is done with it.
package pass

import (
	"net"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Serve passes everything that comes to ln on to the server at backend, until it is closed.
func Serve(ln net.Listener, backend string) error {
	client := fasthttp.HostClient{Addr: backend, MaxConns: 8192}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.All("/*", func(c *fiber.Ctx) error {
		return client.Do(c.Request(), c.Response())
	})
	return app.Listener(ln)
}
