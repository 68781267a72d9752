// Package duties is what a gateway owes besides the translation, written by
// hand: who asks is compared in constant time, a request has an id, a line in a
// log that is written a few lines at a time, counters and histograms of it and
// of its call, a call has a deadline, and an answer is valid JSON before
// anybody relies on it. The hand-written servers do all of it or nothing, which
// tells what of a gateway's cost is owed and what is the price of its mappings.
package duties

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"
)

// timeout is how long a call may take.
const timeout = 7 * time.Second

// Duties does them for one route. It is safe for concurrent use.
type Duties struct {
	route, key  string
	underWay    prometheus.Gauge
	requests    prometheus.Counter
	took, calls prometheus.Observer
	called      prometheus.Counter

	mu   sync.Mutex
	log  io.Writer
	line []byte
	last time.Time // when lines were written
}

// New gives the duties of a route whose caller signs in with key; lines go to log.
func New(route, key string, log io.Writer) *Duties {
	count := func(name string) prometheus.Counter {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: name}, []string{"route", "caller", "outcome"}).WithLabelValues(route, "bench", "ok")
	}
	measure := func(name string) prometheus.Observer {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: name, Buckets: prometheus.DefBuckets}, []string{"route"}).WithLabelValues(route)
	}
	return &Duties{
		route: route, key: key, log: log, underWay: prometheus.NewGauge(prometheus.GaugeOpts{Name: "under_way", Help: "under_way"}),
		requests: count("requests"), called: count("calls"), took: measure("took"), calls: measure("calls_took"),
	}
}

// Signed tells whether a key is the caller's.
func (d *Duties) Signed(key []byte) bool {
	return subtle.ConstantTimeCompare(key, []byte(d.key)) == 1
}

// Do makes a call, and tells whether there is an answer to rely on.
func (d *Duties) Do(client *fasthttp.HostClient, req *fasthttp.Request, resp *fasthttp.Response) bool {
	began := time.Now()
	err := client.DoDeadline(req, resp, began.Add(timeout))
	d.calls.Observe(time.Since(began).Seconds())
	d.called.Inc()
	return err == nil && resp.StatusCode() == fasthttp.StatusOK && gjson.ValidBytes(resp.Body())
}

// Around does what is owed of a request that handle answers.
func (d *Duties) Around(ctx *fasthttp.RequestCtx, handle func(*fasthttp.RequestCtx)) {
	began := time.Now()
	var id [16]byte
	_, _ = rand.Read(id[:])
	var text [32]byte
	hex.Encode(text[:], id[:])
	d.underWay.Inc()
	handle(ctx)
	ctx.Response.Header.SetBytesV("X-Request-Id", text[:])
	now := time.Now()
	took := now.Sub(began)
	d.underWay.Dec()
	d.requests.Inc()
	d.took.Observe(took.Seconds())
	d.write(ctx, now, took, text[:])
}

// write adds the request's line, and writes those of a tenth of a second, or of 32 KB, at once.
func (d *Duties) write(ctx *fasthttp.RequestCtx, now time.Time, took time.Duration, id []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := append(d.line, `{"time":"`...)
	b = now.AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","level":"INFO","msg":"request","request_id":"`...)
	b = append(b, id...)
	b = append(b, `","method":"`...)
	b = append(b, ctx.Method()...)
	b = append(b, `","status":`...)
	b = strconv.AppendInt(b, int64(ctx.Response.StatusCode()), 10)
	b = append(b, `,"duration_ms":`...)
	b = strconv.AppendFloat(b, float64(took.Microseconds())/1000, 'f', -1, 64)
	b = append(b, `,"bytes_in":`...)
	b = strconv.AppendInt(b, int64(len(ctx.PostBody())), 10)
	b = append(b, `,"bytes_out":`...)
	b = strconv.AppendInt(b, int64(len(ctx.Response.Body())), 10)
	b = append(b, `,"route":"`...)
	b = append(b, d.route...)
	d.line = append(b, "\"}\n"...)
	if len(d.line) < 32<<10 && now.Sub(d.last) < 100*time.Millisecond {
		return
	}
	_, _ = d.log.Write(d.line)
	d.line, d.last = d.line[:0], now
}
