package backend

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const jsonHead = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

// Answers of a backend that are large share the room there is for them: those
// above end unavailable, which is no fault of the backend's, small ones are
// taken, and the room is given back when answers are released.
func TestRoomForLargeAnswers(t *testing.T) {
	body := `"` + strings.Repeat("a", 400<<10) + `"`
	bomb := gzipped(t, `"`+strings.Repeat("a", 900<<10)+`"`)
	for name, answer := range map[string]string{
		"a length":      jsonHead + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body),
		"a chunk":       jsonHead + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body),
		"until the end": jsonHead + "\r\n" + body,
		"a gzip bomb":   jsonHead + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(bomb), bomb),
		"nothing of it": jsonHead + "Content-Length: 900000\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			never := name == "nothing of it"
			s := serve(t, func(_ int, r seen) reply {
				if strings.HasSuffix(r.line, "/small") {
					return reply{text: jsonAnswer(200, "{}")}
				}
				return reply{text: answer, cut: !never}
			})
			c := client(t, s.url(), func(o *Options) {
				o.MaxAnswer, o.Timeout, o.Breaker.Failures = 1<<20, 5*time.Second, 1
			})
			room := c.pool.room
			const left = 1100 << 10 // for one
			require.True(t, room.Take(room.Left()-left))
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var waiting sync.WaitGroup
			var first *Answer
			waiting.Go(func() { first = c.Do(ctx, call(t, "things.read", "", "large")) })
			if never { // it waits, and holds what was announced
				require.Eventually(t, func() bool { return room.Left() < left-500<<10 }, 5*time.Second, time.Millisecond)
			} else {
				waiting.Wait()
				require.Equal(t, "ok", first.State.String())
				require.Less(t, room.Left(), left)
				require.True(t, room.Take(room.Left()-100<<10)) // not enough is left for another
			}
			a := c.Do(context.Background(), call(t, "things.read", "", "large"))
			require.Equal(t, "failed unavailable", a.State.String()+" "+a.Class)
			require.Equal(t, time.Second, a.Wait)
			a.Release()
			require.Equal(t, "ok 200 {}", said(c.Do(context.Background(), call(t, "things.read", "", "small"))), "the breaker is closed")
			before := room.Left()
			cancel()
			waiting.Wait()
			first.Release()
			if never {
				require.Equal(t, left, room.Left())
			} else {
				require.Greater(t, room.Left(), before)
			}
		})
	}
}

// The deadline of an attempt is one: a byte now and then does not move it.
func TestDripping(t *testing.T) {
	s := serve(t, func(int, seen) reply { return reply{text: jsonHead + "Content-Length: 100\r\n\r\n "} })
	c := client(t, s.url(), func(o *Options) { o.Timeout = 100 * time.Millisecond })
	stop := make(chan struct{})
	var dripping sync.WaitGroup
	dripping.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				s.mu.Lock()
				for _, cn := range s.conns {
					_, _ = cn.Write([]byte(" "))
				}
				s.mu.Unlock()
			}
		}
	})
	a := c.Do(context.Background(), call(t, "things.read", "", "x"))
	close(stop)
	dripping.Wait()
	require.Less(t, a.Took, 5*time.Second)
	require.Equal(t, "failed timeout", said(a))
}
