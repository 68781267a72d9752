package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// request is one request as it goes out, byte for byte.
type request struct {
	method, path, query string
	header              []string // "Name: value"
	body                []byte
	chunked             bool // the body in chunks, without Content-Length
}

// bytes writes the request as HTTP/1.1 (RFC 9112).
func (q request) bytes() []byte {
	var b bytes.Buffer
	b.WriteString(q.method + " " + q.path)
	if q.query != "" {
		b.WriteString("?" + q.query)
	}
	b.WriteString(" HTTP/1.1\r\nHost: gateway.example\r\n")
	for _, h := range q.header {
		b.WriteString(h + "\r\n")
	}
	switch {
	case q.chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		for piece := range slices.Chunk(q.body, 37) {
			fmt.Fprintf(&b, "%x\r\n%s\r\n", len(piece), piece)
		}
		b.WriteString("0\r\n\r\n")
	case q.body != nil || q.method == http.MethodPost:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(q.body))
		b.Write(q.body)
	default:
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// answer is one answer, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// answerTime bounds the wait for an answer; the lookup's own time-out is 7 s.
const answerTime = 15 * time.Second

// connection is a kept-alive connection to the gateway. It never sends twice.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func dial(address string) (*connection, error) {
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: c, in: bufio.NewReader(c)}, nil
}

// do sends raw bytes and reads one answer.
func (c *connection) do(method string, raw []byte) (*answer, error) {
	if err := c.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return nil, err
	}
	sent := make(chan error, 1)
	// An answer may come before the request is sent whole (too large a body).
	go func() {
		_, err := c.Write(raw)
		sent <- err
	}()
	a, err := c.read(method)
	if err != nil {
		_ = c.Close() // ends the write, too
		if sendErr := <-sent; sendErr != nil {
			err = fmt.Errorf("%w (sending: %w)", err, sendErr)
		}
		return nil, err
	}
	return a, nil
}

func (c *connection) read(method string) (*answer, error) {
	for {
		res, err := http.ReadResponse(c.in, &http.Request{Method: method})
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			return nil, fmt.Errorf("reading the answer's body: %w", err)
		}
		if res.StatusCode == http.StatusContinue {
			continue
		}
		return &answer{status: res.StatusCode, header: res.Header, body: body}, nil
	}
}

// send makes one request on a connection of its own.
func send(address string, q request) (*answer, error) {
	return sendRaw(address, q.method, q.bytes())
}

func sendRaw(address, method string, raw []byte) (*answer, error) {
	c, err := dial(address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	return c.do(method, raw)
}

// get reads a page of this machine, for metrics and the sandbox's controls.
func get(url string) (string, error) {
	page, status, err := getAny(url)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", url, status, strings.TrimSpace(page))
	}
	return page, err
}

// getAny is get whatever the status.
func getAny(url string) (page string, status int, err error) {
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Get(url)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return string(body), res.StatusCode, err
}
