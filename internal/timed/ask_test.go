package timed

import (
	"bytes"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dialled gives a timed connection over TCP, and its other end.
func dialled(t *testing.T) (*Conn, *counted, *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = ln.Close() }()
	nc, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	other, err := ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = nc.Close(); _ = other.Close() })
	below := &counted{Conn: nc}
	return &Conn{Conn: below, socket: socketOf(nc)}, below, other.(*net.TCPConn)
}

// answers reads what is asked, whole, and answers it after a while.
func answers(t *testing.T, other net.Conn, ask int, after time.Duration, answer string) {
	t.Helper()
	go func() {
		if _, err := io.ReadFull(other, make([]byte, ask)); err != nil {
			return
		}
		time.Sleep(after)
		_, _ = io.WriteString(other, answer)
	}()
}

func TestAsk(t *testing.T) {
	c, told, other := dialled(t)
	in := make([]byte, 16)
	for range 3 {
		answers(t, other, 4, 0, "pong")
		require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		written, n, err := c.Ask([]byte("ping"), in)
		require.NoError(t, err)
		require.Equal(t, 4, written)
		require.Equal(t, "pong", string(in[:n]))
	}
	require.Equal(t, 1, told.reading, "the later deadlines are not told")

	// An answer longer than its first piece is read on as any other.
	answers(t, other, 4, 0, "long answer")
	_, n, err := c.Ask([]byte("ping"), in[:4])
	require.NoError(t, err)
	require.Equal(t, "long", string(in[:n]))
	rest, err := io.ReadAll(io.LimitReader(c, 7))
	require.NoError(t, err)
	require.Equal(t, " answer", string(rest))
}

func TestAskWhatIsStale(t *testing.T) {
	for name, do := range map[string]func(other *net.TCPConn) error{
		"closed":          func(other *net.TCPConn) error { return other.Close() },
		"half closed":     func(other *net.TCPConn) error { return other.CloseWrite() },
		"said something":  func(other *net.TCPConn) error { _, err := other.Write([]byte("HTTP/1.1 408")); return err },
		"closed by reset": func(other *net.TCPConn) error { _ = other.SetLinger(0); return other.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			c, _, other := dialled(t)
			require.True(t, c.Silent())
			require.NoError(t, do(other))
			require.Eventually(t, func() bool { return !c.Silent() }, 5*time.Second, time.Millisecond)
			if name == "said something" { // of which the look has taken a byte
				written, n, err := c.Ask([]byte("ping"), make([]byte, 4))
				require.ErrorIs(t, err, ErrStale)
				require.Zero(t, written+n)
				return
			}
			written, n, err := c.Ask([]byte("ping"), make([]byte, 4))
			require.Error(t, err)
			require.Zero(t, written+n)
		})
	}
}

// TestAskMuch: what the socket does not take at once goes out as it does.
func TestAskMuch(t *testing.T) {
	c, _, other := dialled(t)
	much := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MB
	got := make(chan []byte)
	go func() {
		b := make([]byte, len(much))
		time.Sleep(50 * time.Millisecond)
		_, _ = io.ReadFull(other, b)
		_, _ = io.WriteString(other, "all")
		got <- b
	}()
	require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	in := make([]byte, 8)
	written, n, err := c.Ask(much, in)
	require.NoError(t, err)
	require.Equal(t, len(much), written)
	require.Equal(t, "all", string(in[:n]))
	require.True(t, bytes.Equal(much, <-got))
}

func TestAskEndsWhenItIsTo(t *testing.T) {
	t.Run("at its deadline", func(t *testing.T) {
		c, _, _ := dialled(t)
		require.NoError(t, c.SetDeadline(time.Now().Add(50*time.Millisecond)))
		took := elapsed(func() {
			written, n, err := c.Ask([]byte("ping"), make([]byte, 4))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.Equal(t, 4, written)
			require.Zero(t, n)
		})
		require.GreaterOrEqual(t, took, 50*time.Millisecond)
	})
	t.Run("not at an earlier one that is still in force", func(t *testing.T) {
		c, told, other := dialled(t)
		require.NoError(t, c.SetDeadline(time.Now().Add(60*time.Millisecond)))
		answers(t, other, 4, 0, "pong")
		_, _, err := c.Ask([]byte("ping"), make([]byte, 4))
		require.NoError(t, err)
		require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		answers(t, other, 4, 200*time.Millisecond, "late")
		in := make([]byte, 4)
		written, n, err := c.Ask([]byte("ping"), in)
		require.NoError(t, err)
		require.Equal(t, 4, written, "once")
		require.Equal(t, "late", string(in[:n]))
		require.Equal(t, 2, told.reading)
	})
	t.Run("when it is aborted", func(t *testing.T) {
		c, _, _ := dialled(t)
		require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		time.AfterFunc(50*time.Millisecond, c.Abort)
		took := elapsed(func() {
			_, _, err := c.Ask([]byte("ping"), make([]byte, 4))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		})
		require.Less(t, took, 5*time.Second)
	})
	t.Run("when the other end is gone", func(t *testing.T) {
		c, _, other := dialled(t)
		go func() {
			_, _ = io.ReadFull(other, make([]byte, 4))
			_ = other.Close()
		}()
		written, _, err := c.Ask([]byte("ping"), make([]byte, 4))
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, 4, written)
	})
}

// TestAskWithoutSocket: what is no socket is written and read.
func TestAskWithoutSocket(t *testing.T) {
	c, _, other := pair(t)
	answers(t, other, 4, 0, "pong")
	in := make([]byte, 4)
	written, n, err := c.Ask([]byte("ping"), in)
	require.NoError(t, err)
	require.Equal(t, 4, written)
	require.Equal(t, "pong", string(in[:n]))
	require.True(t, New(other).Silent())
}
