package routes

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/emenda-gateway/emenda/internal/exchange"
)

// exposedHeaders are the fields of answers that pages may read besides those
// that browsers show anyway.
const exposedHeaders = "Content-Disposition, Retry-After, X-Request-Id"

// preflight answers a browser that asks whether a page may call (Fetch
// Standard, 4.8); false when the request is no such question, or its path takes none.
func (a *app) preflight(x *arrival) bool {
	h := &x.ctx.Request.Header
	origin := text(h.Peek(fiber.HeaderOrigin))
	if x.request.Method != fiber.MethodOptions || origin == "" || len(h.Peek(fiber.HeaderAccessControlRequestMethod)) == 0 {
		return false
	}
	d := a.paths.Dialect(x.request.Path)
	if d == nil || d.CORS == nil {
		return false
	}
	methods := a.paths.Methods(x.request.Path, d)
	if len(methods) == 0 {
		return false
	}
	res := exchange.Response{Status: fiber.StatusNoContent, Body: x.body[:0]}
	res.Report.Outcome = "ok"
	a.write(x, &res)
	out := &x.ctx.Response.Header
	out.Add(fiber.HeaderVary, fiber.HeaderAccessControlRequestMethod)
	out.Add(fiber.HeaderVary, fiber.HeaderAccessControlRequestHeaders)
	if d.CORS.Allows(origin) {
		out.Set(fiber.HeaderAccessControlAllowMethods, strings.Join(methods, ", "))
		out.Set(fiber.HeaderAccessControlAllowHeaders, d.CORS.Headers)
		if d.CORS.MaxAge != "" {
			out.Set(fiber.HeaderAccessControlMaxAge, d.CORS.MaxAge)
		}
	}
	return true
}

// shareable lets pages of the origins that a dialect names read the answer.
func (a *app) shareable(x *arrival) {
	d := a.paths.Dialect(x.request.Path)
	if d == nil || d.CORS == nil {
		return
	}
	out := &x.ctx.Response.Header
	out.Add(fiber.HeaderVary, fiber.HeaderOrigin)
	origin := text(x.ctx.Request.Header.Peek(fiber.HeaderOrigin))
	if origin != "" && d.CORS.Allows(origin) {
		out.Set(fiber.HeaderAccessControlAllowOrigin, origin)
		if !x.stranger {
			out.Set(fiber.HeaderAccessControlExposeHeaders, exposedHeaders)
		}
	}
}
