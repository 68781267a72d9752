package timed

import (
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// counted counts how often it is told a deadline.
type counted struct {
	net.Conn
	reading, writing int
	told             func() // after a deadline of reading was told
}

// SetReadDeadline counts.
func (c *counted) SetReadDeadline(t time.Time) error {
	c.reading++
	err := c.Conn.SetReadDeadline(t)
	if c.told != nil {
		c.told()
	}
	return err
}

// SetWriteDeadline counts.
func (c *counted) SetWriteDeadline(t time.Time) error {
	c.writing++
	return c.Conn.SetWriteDeadline(t)
}

// pair gives a timed connection with what it stands on, and its other end.
func pair(t *testing.T) (*Conn, *counted, net.Conn) {
	t.Helper()
	one, other := net.Pipe()
	t.Cleanup(func() { _ = one.Close(); _ = other.Close() })
	below := &counted{Conn: one}
	return &Conn{Conn: below}, below, other
}

func in(d time.Duration) time.Time { return time.Now().Add(d) }

// elapsed gives how long do takes.
func elapsed(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began)
}

// TestReadEndsWhenItIsTo: whatever was set before, to the moment.
func TestReadEndsWhenItIsTo(t *testing.T) {
	for name, c := range map[string]struct {
		before []time.Duration // deadlines of reads that got what they waited for; a second passes between them
		last   time.Duration
		told   int
	}{
		"the first":                      {nil, 10 * time.Second, 1},
		"later than the one in force":    {[]time.Duration{10 * time.Second}, 10 * time.Second, 2},
		"much later":                     {[]time.Duration{2 * time.Second}, time.Hour, 2},
		"after many":                     {[]time.Duration{10 * time.Second, 10 * time.Second, 10 * time.Second, 10 * time.Second}, 10 * time.Second, 2},
		"earlier than the one in force":  {[]time.Duration{75 * time.Second}, 10 * time.Second, 2},
		"after the one in force is over": {[]time.Duration{500 * time.Millisecond}, time.Second, 2},
		"over already":                   {[]time.Duration{10 * time.Second}, -time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, below, other := pair(t)
				var b [1]byte
				for _, d := range c.before {
					require.NoError(t, conn.SetReadDeadline(in(d)))
					go func() { _, _ = other.Write([]byte("x")) }()
					_, err := conn.Read(b[:])
					require.NoError(t, err)
					time.Sleep(time.Second)
				}
				require.NoError(t, conn.SetReadDeadline(in(c.last)))
				took := elapsed(func() {
					_, err := conn.Read(b[:])
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				})
				require.Equal(t, max(c.last, 0), took)
				require.Equal(t, c.told, below.reading)
			})
		})
	}
}

// TestReadGoesOn: a deadline that passes while a later one is wanted loses nothing.
func TestReadGoesOn(t *testing.T) {
	for name, wanted := range map[string]time.Duration{"a later one": time.Minute, "none": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, _, other := pair(t)
				require.NoError(t, conn.SetReadDeadline(in(time.Second)))
				go func() { _, _ = other.Write([]byte("a")) }()
				var b [4]byte
				_, err := conn.Read(b[:])
				require.NoError(t, err)
				until := time.Time{}
				if wanted > 0 {
					until = in(wanted)
				}
				require.NoError(t, conn.SetDeadline(until))
				go func() {
					time.Sleep(30 * time.Second)
					_, _ = other.Write([]byte("late"))
				}()
				n, err := conn.Read(b[:])
				require.NoError(t, err)
				require.Equal(t, "late", string(b[:n]))
			})
		})
	}
}

// TestServingTellsOnce: of a deadline moved on with every request the runtime hears once in its length.
func TestServingTellsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, below, other := pair(t)
		go func() { _, _ = io.Copy(other, other) }()
		var b [1]byte
		for range 1000 {
			require.NoError(t, conn.SetDeadline(in(10*time.Second)))
			_, err := conn.Write([]byte("x"))
			require.NoError(t, err)
			_, err = conn.Read(b[:])
			require.NoError(t, err)
			time.Sleep(10 * time.Millisecond)
		}
		require.LessOrEqual(t, below.reading, 2)
		require.LessOrEqual(t, below.writing, 2)
	})
}

// TestWriteEndsWhenItIsTo: an answer that nobody takes ends when it is to, and
// one that is taken slowly arrives whole.
func TestWriteEndsWhenItIsTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, below, other := pair(t)
		take := func(n int) string {
			b := make([]byte, n)
			_, err := io.ReadFull(other, b)
			require.NoError(t, err)
			return string(b)
		}
		require.NoError(t, conn.SetWriteDeadline(in(5*time.Second)))
		got := make(chan string, 1)
		go func() { got <- take(3) }()
		_, err := conn.Write([]byte("one"))
		require.NoError(t, err)
		require.Equal(t, "one", <-got)

		time.Sleep(time.Second)
		require.NoError(t, conn.SetWriteDeadline(in(20*time.Second)))
		go func() {
			part := take(2)
			time.Sleep(10 * time.Second) // the first deadline passes
			got <- part + take(4)
		}()
		n, err := conn.Write([]byte("second"))
		require.NoError(t, err)
		require.Equal(t, 6, n)
		require.Equal(t, "second", <-got)
		require.Equal(t, 2, below.writing)

		require.NoError(t, conn.SetWriteDeadline(in(30*time.Second)))
		go func() { got <- take(2) }()
		took := elapsed(func() {
			n, err = conn.Write([]byte("third"))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		})
		require.Equal(t, 2, n)
		require.Equal(t, 30*time.Second, took)
	})
}

// TestAbort: it ends what waits and what begins, also while a deadline is being moved.
func TestAbort(t *testing.T) {
	for name, abort := range map[string]func(c *Conn, below *counted){
		"before":                    func(c *Conn, _ *counted) { c.Abort() },
		"while it waits":            func(c *Conn, _ *counted) { time.AfterFunc(time.Second, c.Abort) },
		"after the first deadline":  func(c *Conn, _ *counted) { time.AfterFunc(10*time.Second, c.Abort) },
		"while a deadline is moved": func(c *Conn, below *counted) { below.told = func() { c.aborted.Store(true) } }, // and is overwritten
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, below, other := pair(t)
				require.NoError(t, conn.SetDeadline(in(3*time.Second)))
				go func() { _, _ = other.Write([]byte("x")) }()
				var b [1]byte
				_, err := conn.Read(b[:])
				require.NoError(t, err)
				require.NoError(t, conn.SetDeadline(in(time.Hour)))
				abort(conn, below)
				took := elapsed(func() {
					_, err = conn.Read(b[:])
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				})
				require.Less(t, took, 11*time.Second)
				below.told = nil
				conn.Abort()
				_, err = conn.Write(b[:])
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			})
		})
	}
}
