package routes

import (
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/exchange"
)

// TestCompress shows which answers go out compressed.
func TestCompress(t *testing.T) {
	w := start(t, changed(t, "gateway.yaml", "  listen:", "  compress: true\n  listen:"))
	long := strings.Repeat("Tolstói ", 400)
	for _, c := range []struct {
		name, path, word, accept string
		encoding, vary           string
	}{
		{"accepted", "/p/hello", long, "gzip, deflate, br", "gzip", "Accept-Encoding"},
		{"not asked for", "/p/hello", long, "", "", "Accept-Encoding"},
		{"refused", "/p/hello", long, "gzip;q=0, *", "", "Accept-Encoding"},
		{"anything", "/p/hello", long, "*", "gzip", "Accept-Encoding"},
		{"liked less than nothing", "/p/hello", long, "gzip;q=0.5, identity", "", "Accept-Encoding"},
		{"small", "/p/hello", "x", "gzip", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 3 { // the buffers change places
				a := w.raw(request("POST "+c.path, "word="+c.word, form, "Accept-Encoding: "+c.accept))[0]
				require.Equal(t, 200, a.status)
				require.Equal(t, c.encoding, a.header.Get("Content-Encoding"))
				require.Equal(t, c.vary, a.header.Get("Vary"))
				body := a.body
				if c.encoding != "" {
					require.Less(t, len(body), 300)
					r, err := gzip.NewReader(strings.NewReader(body))
					require.NoError(t, err)
					plain, err := io.ReadAll(r)
					require.NoError(t, err)
					body = string(plain)
				}
				require.Contains(t, body, `{"hello":"`+strings.TrimSpace(c.word))
			}
		})
	}
}

// Off, nothing of it shows.
func TestNoCompress(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	a := w.raw(request("POST /p/hello", "word="+strings.Repeat("x", 3000), form, "Accept-Encoding: gzip"))[0]
	require.Empty(t, a.header.Get("Content-Encoding"))
	require.Empty(t, a.header.Get("Vary"))
	require.Greater(t, len(a.body), 3000)
}

func TestAcceptsGzip(t *testing.T) {
	for _, c := range []struct {
		fields []string
		want   bool
	}{
		{nil, false},
		{[]string{""}, false},
		{[]string{"gzip"}, true},
		{[]string{"x-gzip"}, true},
		{[]string{"br", "GZIP ; Q=0.3"}, true},
		{[]string{"gzip;q=0"}, false},
		{[]string{"gzip;q=0.000, identity;q=0.1"}, false},
		{[]string{"gzip;q=x"}, false},
		{[]string{"gzip;q=2"}, false},
		{[]string{"gzip;q=NaN"}, false},
		{[]string{"*;q=0.1"}, true},
		{[]string{"*;q=0"}, false},
		{[]string{"*, gzip;q=0"}, false},
		{[]string{"gzip;q=0.5, identity;q=0.8"}, false},
		{[]string{"gzip, identity"}, true},
		{[]string{"gzippy, deflate"}, false},
	} {
		var fields [][]byte
		for _, f := range c.fields {
			fields = append(fields, []byte(f))
		}
		require.Equal(t, c.want, acceptsGzip(fields), "%q", c.fields)
	}
}

func TestCompressible(t *testing.T) {
	for media, want := range map[string]bool{
		"application/json": true, "Application/JSON; charset=utf-8": true, "application/problem+json": true, "text/plain": true,
		"image/svg+xml": true, "application/pdf": false, "": false, "image/png": false, "application/zip": false,
	} {
		require.Equal(t, want, compressible(media), media)
	}
}

// BenchmarkCompress is what compressing an answer of 8 KB costs, and asking
// whether to when the client accepts none.
func BenchmarkCompress(b *testing.B) {
	var line strings.Builder
	for i := range 100 {
		fmt.Fprintf(&line, `{"id":%d,"name":"Customer %d","state":"open","total":%d.50},`, 1000+i*7, i, i*31)
	}
	for _, accept := range []string{"gzip", "br"} {
		b.Run(accept, func(b *testing.B) {
			ctx := &fasthttp.RequestCtx{}
			ctx.Request.Header.Set("Accept-Encoding", accept)
			x := &arrival{ctx: ctx}
			plain := []byte(line.String())
			res := &exchange.Response{Type: "application/json"}
			b.ReportAllocs()
			for b.Loop() {
				ctx.Response.Reset()
				res.Body = append(res.Body[:0], plain...)
				b.ReportMetric(float64(len(compressed(x, res))), "B/answer")
			}
		})
	}
}
