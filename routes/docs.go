package routes

import (
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/openapi"
)

// docs registers the page that shows what is offered, where gateway.docs says
// so. Mappings that have a path of it go before. The document is written when
// it is first asked for, and no other request passes here.
func (a *app) docs(f *fiber.App) {
	if !a.snapshot.Settings.Docs {
		return
	}
	for _, file := range openapi.PageFiles() {
		a.page(f, file.Path, func() *openapi.File { return file })
	}
	index := openapi.PageFiles()[0]
	a.page(f, openapi.PagePath+"/", func() *openapi.File { return index })
	a.page(f, openapi.DocumentPath, sync.OnceValue(func() *openapi.File {
		return a.snapshot.OpenAPI("", nil).File()
	}))
}

// page registers one file.
func (a *app) page(f *fiber.App, path string, file func() *openapi.File) {
	counters := a.metrics.Route("docs")
	h := func(x *arrival) {
		x.counters, x.route = counters, "docs"
		x.show(file())
	}
	given := a.given(h, nil)
	for _, method := range []string{fiber.MethodGet, fiber.MethodHead} {
		f.Add(method, path, given)
		a.exact[path] = append(a.exact[path], exactWay{method, h})
	}
}

// show answers with a file.
func (x *arrival) show(file *openapi.File) {
	h := &x.ctx.Response.Header
	h.SetContentType(file.Type)
	h.SetCanonical(cacheControl, noCache)
	h.SetCanonical(requestID, []byte(x.request.ID))
	h.Set(fiber.HeaderContentSecurityPolicy, openapi.PagePolicy)
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	h.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	h.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	h.Set(fiber.HeaderETag, file.ETag)
	x.report.Outcome, x.status = "ok", fasthttp.StatusOK
	if strings.Contains(x.header(fiber.HeaderIfNoneMatch), file.ETag) {
		x.status = fasthttp.StatusNotModified
		x.ctx.SetStatusCode(x.status)
		return
	}
	body := file.Plain()
	if acceptsGzip(x.ctx.Request.Header.PeekAll(fiber.HeaderAcceptEncoding)) {
		body = file.Gzip()
		h.Set(fiber.HeaderContentEncoding, "gzip")
	}
	x.size = len(body)
	x.ctx.SetStatusCode(x.status)
	x.ctx.Response.SetBodyRaw(body) // only read
	x.ctx.Response.SkipBody = x.request.Method == fiber.MethodHead
}

var noCache = []byte("no-cache")
