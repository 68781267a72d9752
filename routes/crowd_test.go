package routes

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// connect opens a connection to w, and sends.
func (w *world) connect(send string) net.Conn {
	c, err := net.Dial("tcp", w.addr)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = c.Close() })
	_, err = io.WriteString(c, send)
	require.NoError(w.t, err)
	return c
}

// holds waits until w has so many connections.
func (w *world) holds(n int) {
	require.Eventually(w.t, func() bool { return w.server.crowd.count() == n }, 5*time.Second, time.Millisecond)
}

// rest waits until every connection of w waits for a request: an answer may be
// read before the one who wrote it begins to.
func (w *world) rest() {
	require.Eventually(w.t, func() bool {
		crowd := w.server.crowd
		crowd.mu.Lock()
		defer crowd.mu.Unlock()
		for c := range crowd.open {
			if c.waits.Load() == 0 {
				return false
			}
		}
		return true
	}, 5*time.Second, time.Millisecond)
}

// ended tells that the other side has closed c without a word.
func ended(t *testing.T, c net.Conn) {
	require.NoError(t, c.SetReadDeadline(time.Now().Add(5*time.Second)))
	rest, err := io.ReadAll(c)
	if err != nil { // bytes it had not read make it a reset
		require.ErrorContains(t, err, "reset")
	}
	require.Empty(t, string(rest))
}

// As many connections as may be, and whoever comes is served all the same: in
// the place of who has waited longest, whatever that one does.
func TestCrowd(t *testing.T) {
	for name, send := range map[string]string{
		"connected only":  "",
		"half a header":   "GET /p/hello HTTP/1.1\r\nHost: x\r\nX-Slow: aa",
		"half a body":     request("POST /p/echo", "", form, "Content-Length: 10") + "word",
		"half a chunk":    request("POST /p/echo", "", form, "Transfer-Encoding: chunked") + "a\r\nwo",
		"asked to go on":  request("POST /p/echo", "", form, "Expect: 100-continue", "Content-Length: 10"),
		"asked and idle":  request("GET /p/hello", ""),
		"next one begins": request("GET /p/hello", "") + "GET /p/he",
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, changed(t, "gateway.yaml", "read_timeout: 400ms, connections: 64", "read_timeout: 1m, connections: 3"))
			first := w.connect(send)
			w.holds(1)
			if strings.HasPrefix(send, "GET /p/hello HTTP/1.1\r\nHost: gateway") {
				require.Equal(t, 200, read(t, first)[0].status)
				w.rest()
			}
			if strings.Contains(send, "Expect") {
				line := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
				_, err := io.ReadFull(first, line)
				require.NoError(t, err)
			}
			second := w.connect(request("GET /p/hello", ""))
			require.Equal(t, 200, read(t, second)[0].status)
			third := w.connect(request("GET /p/hello", ""))
			require.Equal(t, 200, read(t, third)[0].status)
			w.holds(3)
			require.Equal(t, 200, w.raw(request("GET /p/hello", ""))[0].status)
			ended(t, first)
			for _, c := range []net.Conn{second, third} {
				_, err := io.WriteString(c, request("GET /p/hello", ""))
				require.NoError(t, err)
				require.Equal(t, 200, read(t, c)[0].status, "these had not waited as long")
			}
			require.Contains(t, scrape(w), "emenda_connections_shed_total 1\n")
			w.stop()
			for _, line := range w.log.all(t, "request") {
				require.Equal(t, "ok", line["outcome"], "nobody heard anything else")
			}
		})
	}
}

// A connection whose request is being answered keeps its place: who comes then
// is told so in the dialect's words, and some way above that not even that.
func TestTooManyConnections(t *testing.T) {
	w := start(t, changed(t, "gateway.yaml", "connections: 64", "connections: 2"))
	w.hold = make(chan struct{})
	var busy []net.Conn
	for range 2 {
		busy = append(busy, w.connect(request("GET /p/echo?word=x", "")))
		<-w.arrived
	}
	got := w.raw(request("GET /p/hello", ""))[0]
	require.Equal(t, 503, got.status)
	require.Equal(t, `{"detail":"not now"}`, got.body)
	require.Equal(t, "1", got.header.Get("Retry-After"))
	require.True(t, got.closed)
	w.holds(2)
	close(w.hold)
	for _, c := range busy {
		require.Equal(t, 200, read(t, c)[0].status, "those that were there first are served")
	}
	require.Equal(t, 200, w.raw(request("GET /p/hello", ""))[0].status)
}

func TestFarTooManyConnections(t *testing.T) {
	w := newCrowd(2, 1<<10, func() { t.Fatal("nobody can be spared") })
	var all []*conn
	for i := range 18 {
		c := &conn{crowd: w}
		require.True(t, w.enter(c))
		require.True(t, c.answers())
		require.Equal(t, i >= 2, c.crowded)
		all = append(all, c)
	}
	require.False(t, w.enter(&conn{crowd: w}))
	for _, c := range all {
		w.leave(c)
	}
	require.True(t, w.enter(&conn{crowd: w}))
	require.Equal(t, 1, w.count())
}

// Of many the longest waiting go first, though they are looked for only now and
// then; one that was asked meanwhile stays.
func TestWhoGoesFirst(t *testing.T) {
	const most = 64
	var gone []int
	shed := 0
	w := newCrowd(most, 1<<10, func() { shed++ })
	all := make([]*conn, 3*most)
	for i := range all {
		raw := &closes{func() { gone = append(gone, i) }}
		all[i] = newConn(raw, w)
		require.True(t, w.enter(all[i]))
		if i >= 10 && i < most {
			require.True(t, all[10].answers()) // again and again
			all[10].wait()
		}
	}
	require.Equal(t, 2*most, shed)
	require.Equal(t, most, w.count())
	require.Equal(t, most, len(all)-len(gone))
	want := 0
	for _, i := range gone[:most-1] {
		if want == 10 {
			want++
		}
		require.Equal(t, want, i)
		want++
	}
	require.Contains(t, gone, 10, "at last its turn came")
	require.False(t, all[0].answers(), "what came just then is not answered")
}

// closes is a connection that tells that it was closed.
type closes struct{ told func() }

func (c *closes) Close() error                   { c.told(); return nil }
func (*closes) Read([]byte) (int, error)         { return 0, io.EOF }
func (*closes) Write(p []byte) (int, error)      { return len(p), nil }
func (*closes) LocalAddr() net.Addr              { return nil }
func (*closes) RemoteAddr() net.Addr             { return nil }
func (*closes) SetDeadline(time.Time) error      { return nil }
func (*closes) SetReadDeadline(time.Time) error  { return nil }
func (*closes) SetWriteDeadline(time.Time) error { return nil }

// Large requests that never arrive take no more memory than there is for them:
// those above are told so, small ones are served, and it is given back.
func TestRoomForLargeRequests(t *testing.T) {
	for name, begin := range map[string]string{
		"a length": request("POST /p/echo", "", form, "Content-Length: 60000"),
		"a chunk":  request("POST /p/echo", "", form, "Transfer-Encoding: chunked") + "ea60\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, changed(t, "gateway.yaml", "read_timeout: 400ms", "read_timeout: 1m"))
			const left = 150000 // for two
			room := w.server.crowd.room
			require.True(t, room.Take(room.Left()-left))
			large := []net.Conn{w.connect(begin + "word="), w.connect(begin + "word=")}
			require.Eventually(t, func() bool { return room.Left() < 60000 }, 5*time.Second, time.Millisecond)
			got := read(t, w.connect(begin+"word="), "POST")[0]
			require.Equal(t, 503, got.status)
			require.Equal(t, `{"detail":"not now"}`, got.body)
			require.Equal(t, "1", got.header.Get("Retry-After"))
			require.True(t, got.closed)
			require.Equal(t, 200, w.raw(request("POST /p/echo", "word="+strings.Repeat("a", 10000), form), "POST")[0].status)
			_, err := io.WriteString(large[0], strings.Repeat("a", 60000-len("word="))+"\r\n0\r\n\r\n")
			require.NoError(t, err)
			require.Equal(t, 200, read(t, large[0], "POST")[0].status)
			require.NoError(t, large[0].Close())
			require.NoError(t, large[1].Close())
			w.holds(0)
			require.Equal(t, left, room.Left())
		})
	}
}

// Many chunks are as much as a large one.
func TestRoomForManyChunks(t *testing.T) {
	w := start(t, changed(t, "gateway.yaml", "read_timeout: 400ms", "read_timeout: 1m"))
	room := w.server.crowd.room
	require.True(t, room.Take(room.Left()-10000))
	var b strings.Builder
	b.WriteString(request("POST /p/echo", "", form, "Transfer-Encoding: chunked"))
	for range 50 {
		fmt.Fprintf(&b, "3e8\r\n%s\r\n", strings.Repeat("a", 1000))
	}
	got := read(t, w.connect(b.String()), "POST")[0]
	require.Equal(t, 503, got.status)
	w.holds(0)
	require.Equal(t, 10000, room.Left())
}
