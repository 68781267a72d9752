package routes

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/store"
)

// wire is a connection on which all that will come has come already.
type wire struct {
	in  *bytes.Reader
	out bytes.Buffer
}

func (w *wire) Read(p []byte) (int, error)       { return w.in.Read(p) }
func (w *wire) Write(p []byte) (int, error)      { return w.out.Write(p) }
func (w *wire) Close() error                     { return nil }
func (w *wire) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (w *wire) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// Whatever bytes come, each answer is HTTP with JSON in it, nothing panics,
// and the log holds lines of JSON.
func FuzzBytes(f *testing.F) {
	for _, send := range []string{
		request("POST /p/echo", "word=x", form),
		request("GET /p/hello?word=x", ""),
		request("GET /p/items/a%2Fb/1", "", "X-Request-Id: abc"),
		request("BREW /p/echo", "") + request("HEAD /p/echo", ""),
		request("POST /p/hello", "", form, "Transfer-Encoding: chunked") + "6\r\nword=x\r\n0\r\n\r\n",
		request("POST /p/hello", "", form, "Transfer-Encoding: chunked", "Content-Length: 3") + "0\r\n\r\n",
		request("POST /p/hello", "--b\r\nContent-Disposition: form-data; name=\"word\"\r\n\r\nx\r\n--b--\r\n", "Content-Type: multipart/form-data; boundary=b"),
		request("GET //p/hello", "") + "OPTIONS * HTTP/1.0\r\n\r\n",
		request("GET /p/\x00", ""),
		"\x16\x03\x01",
	} {
		f.Add([]byte(send))
	}
	m := observe.NewMetrics("test")
	loaded, list := snapshot.Load("testdata/gateway.yaml")
	require.False(f, list.HasErrors(), list.Text())
	settings, list := loaded.Resolve(environment("")) // no shop: nothing is called
	require.False(f, list.HasErrors(), list.Text())
	s, err := loaded.Open(settings, store.NewLocal(1000), m, slog.New(slog.DiscardHandler))
	require.NoError(f, err)
	f.Cleanup(s.Close)
	log := &lines{}
	v := NewServer(s, m, slog.New(slog.NewJSONHandler(log, nil)))
	f.Fuzz(func(t *testing.T, send []byte) {
		log.mu.Lock()
		log.b.Reset()
		log.mu.Unlock()
		w := &wire{in: bytes.NewReader(send)}
		_ = v.http.ServeConn(newConn(w, v.crowd)) // what it could not read it has answered
		require.Empty(t, log.all(t, "panic while answering a request"))
		r := bufio.NewReader(&w.out)
		for _, line := range log.all(t, "request") {
			method, _ := line["method"].(string)
			var res *http.Response
			for {
				var err error
				res, err = http.ReadResponse(r, &http.Request{Method: method})
				require.NoError(t, err)
				if res.StatusCode != http.StatusContinue {
					break
				}
			}
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.NotContains(t, res.Header, "Server")
			require.Equal(t, line["request_id"], res.Header.Get("X-Request-Id"))
			kind := res.Header.Get("Content-Type")
			require.True(t, strings.HasPrefix(kind, "application/json") || kind == "application/problem+json", kind)
			require.Equal(t, res.StatusCode == http.StatusMethodNotAllowed, res.Header.Values("Allow") != nil)
			if method != http.MethodHead {
				require.True(t, json.Valid(body), "%q", body)
			}
			require.Less(t, res.StatusCode, 504)
		}
	})
}
