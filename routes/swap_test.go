package routes

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/emenda-gateway/emenda/internal/observe"
)

// Every app ends once, after it was retired and its last request has ended.
func TestAppsEndOnce(t *testing.T) {
	v := &Server{}
	type watched struct {
		*app
		inside, ends atomic.Int64
		early        atomic.Bool
	}
	byApp := sync.Map{}
	next := func() *watched {
		w := &watched{app: &app{}}
		w.end = func() {
			w.ends.Add(1)
			if w.inside.Load() != 0 {
				w.early.Store(true)
			}
		}
		byApp.Store(w.app, w)
		return w
	}
	v.app.Store(next().app)
	stop := make(chan struct{})
	var requests sync.WaitGroup
	for range 4 {
		requests.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				a := v.enter()
				found, _ := byApp.Load(a)
				w := found.(*watched) //nolint:forcetypeassert // only these are stored
				w.inside.Add(1)
				if w.ends.Load() != 0 {
					w.early.Store(true)
				}
				w.inside.Add(-1)
				a.leave()
			}
		})
	}
	const swaps = 20_000
	for range swaps {
		v.app.Swap(next().app).retire()
	}
	close(stop)
	requests.Wait()
	v.end()
	v.end()
	require.Nil(t, v.enter(), "the server has ended")
	n := 0
	byApp.Range(func(_, found any) bool {
		w := found.(*watched) //nolint:forcetypeassert // only these are stored
		n++
		require.EqualValues(t, 1, w.ends.Load())
		require.False(t, w.early.Load(), "it ended before its last request")
		return true
	})
	require.Equal(t, swaps+1, n)
}

// Entering and leaving is on every request's way.
func TestEnteringCostsNothing(t *testing.T) {
	v := &Server{}
	v.app.Store(&app{})
	require.Zero(t, testing.AllocsPerRun(100, func() { v.enter().leave() }))
}

// The connections of a snapshot are closed when its last request has ended.
func TestSwapClosesConnections(t *testing.T) {
	closed := make(chan struct{}, 8)
	arrived, hold := make(chan struct{}), make(chan struct{})
	shop := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-hold
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, `{"word":"x"}`)
	}))
	shop.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			closed <- struct{}{}
		}
	}
	shop.Start()
	t.Cleanup(shop.Close)
	w := start(t, "testdata/gateway.yaml")
	w.server.Swap(open(t, "testdata/gateway.yaml", shop.URL, w.metrics))
	c, err := net.Dial("tcp", w.addr)
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, request("GET /p/echo?word=x", ""))
	require.NoError(t, err)
	<-arrived
	w.server.Swap(open(t, "testdata/gateway.yaml", w.shop.URL, w.metrics))
	require.Equal(t, 200, w.raw(request("GET /p/hello", ""))[0].status, "the new one serves")
	require.Empty(t, closed)
	close(hold)
	require.Equal(t, `{"word":"x","caller":"kiosk"}`, read(t, c)[0].body)
	select {
	case <-closed:
	case <-time.After(5 * time.Second): // half of what an idle connection is kept
		t.Fatal("the connection stays")
	}
}

// After the end there are words for those who were cut off and come back, and
// a reload under way hands its snapshot to nobody.
func TestAfterTheEnd(t *testing.T) {
	m := observe.NewMetrics("test")
	log := slog.New(slog.DiscardHandler)
	v := NewServer(open(t, "testdata/gateway.yaml", "http://127.0.0.1:1", m), m, log)
	last := v.Snapshot()
	require.NoError(t, v.Shutdown(context.Background()))
	v.Swap(open(t, "testdata/gateway.yaml", "http://127.0.0.1:1", m))
	require.Same(t, last, v.Snapshot())
	var ctx fasthttp.RequestCtx
	ctx.Request.SetRequestURI("/p/hello")
	v.handle(&ctx)
	require.Equal(t, 503, ctx.Response.StatusCode())
	require.Equal(t, `{"detail":"not now"}`, string(ctx.Response.Body()))
	require.True(t, ctx.Response.ConnectionClose())
}
