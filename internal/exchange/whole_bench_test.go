package exchange_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/store"
)

// BenchmarkLookup is what the whole lookup costs for the documented example
// but for HTTP on either side: form read, answer classified, reply written.
func BenchmarkLookup(b *testing.B) {
	route, test := lookupTest(b)
	calls := answers{b, test}
	e := exchange.New(exchange.Options{
		Calls: calls, Memory: store.NewLocal(100), Zone: time.UTC, Clock: time.Now,
		Assume: &intake.Caller{Name: "bench", Value: jsonx.RawValue(`{}`), Permissions: []string{"ura.*"}},
	})
	r := &intake.Request{Method: "POST", Path: "/", Body: "cpfcnpj=12312312312", Type: "application/x-www-form-urlencoded"}
	buf := make([]byte, 0, 4096)
	res := e.Serve(context.Background(), route, r, nil, buf)
	require.Equal(b, 200, res.Status, "%s", res.Body)
	b.ReportAllocs()
	for b.Loop() {
		res = e.Serve(context.Background(), route, r, nil, buf)
	}
}

// BenchmarkAnswer is the part of it that reads the answer.
func BenchmarkAnswer(b *testing.B) {
	_, test := lookupTest(b)
	up := test.Upstream[0]
	b.SetBytes(int64(len(up.Example.Answer)))
	for b.Loop() {
		backend.NewAnswer(up.Operation, 200, up.Example.Type, []byte(up.Example.Answer)).Release()
	}
}
