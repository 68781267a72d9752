package routes

import (
	"bufio"
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/store"
)

// BenchmarkHello is a request whose answer needs no backend, from read header
// to written response, logged and counted.
func BenchmarkHello(b *testing.B) {
	m := observe.NewMetrics("test")
	v := NewServer(openBench(b, m), m, slog.New(slog.DiscardHandler))
	benchHandle(b, v, request("POST /p/hello", "word=x", form, "X-Request-Id: abc"), 200)
}

// benchHandle reads a request and handles it, again and again.
func benchHandle(b *testing.B, v *Server, raw string, status int) {
	var ctx fasthttp.RequestCtx
	send := []byte(raw)
	r := bufio.NewReader(nil)
	b.ReportAllocs()
	for b.Loop() {
		ctx.Request.Reset()
		ctx.Response.Reset()
		r.Reset(bytes.NewReader(send))
		if err := ctx.Request.Read(r); err != nil {
			b.Fatal(err)
		}
		v.handle(&ctx)
		if ctx.Response.StatusCode() != status {
			b.Fatal(ctx.Response.String())
		}
	}
}

func openBench(b *testing.B, m *observe.Metrics) *snapshot.Snapshot {
	loaded, list := snapshot.Load("testdata/gateway.yaml")
	require.False(b, list.HasErrors(), list.Text())
	settings, list := loaded.Resolve(environment("http://127.0.0.1:1"))
	require.False(b, list.HasErrors(), list.Text())
	s, err := loaded.Open(settings, store.NewLocal(1000), m, slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	b.Cleanup(s.Close)
	return s
}
