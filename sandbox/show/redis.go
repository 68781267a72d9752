package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// redis is a real redis-server on a port of this machine, its data in a folder
// of its own. It may be killed and started again on the same port.
type redis struct {
	*process
	dir, address string
	url          string // as REDIS_URL says it
}

// startRedis starts redis-server, which writes to its file before it answers:
// what it said it kept, it keeps.
func startRedis() (*redis, error) {
	dir, err := os.MkdirTemp("", "emenda-redis-")
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	r := &redis{dir: dir, address: address, url: "redis://" + address + "/0"}
	if err := r.again(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return r, nil
}

// again starts it (again) and waits until it answers.
func (r *redis) again() error {
	_, port, err := net.SplitHostPort(r.address)
	if err != nil {
		return err
	}
	p, err := begin(r.dir, nil, "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", r.dir,
		"--appendonly", "yes", "--appendfsync", "always", "--save", "")
	if err != nil {
		return fmt.Errorf("redis-server (of the package of that name): %w", err)
	}
	r.process = p
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if answer, err := r.command("PING"); err == nil && strings.HasPrefix(answer, "+PONG") {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("redis-server ended with code %d: %s", p.code, p.out.tail(1000))
		default:
		}
		if time.Now().After(deadline) {
			p.murder()
			return fmt.Errorf("redis-server does not answer: %s", p.out.tail(1000))
		}
	}
}

// command sends one command on a connection of its own and gives the answer's start.
func (r *redis) command(words ...string) (string, error) {
	c, err := net.DialTimeout("tcp", r.address, time.Second)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(c, "%s\r\n", strings.Join(words, " ")); err != nil {
		return "", err
	}
	answer := make([]byte, 512)
	n, err := c.Read(answer)
	return string(answer[:n]), err
}

// keys gives how many keys it holds.
func (r *redis) keys() (int, error) {
	answer, err := r.command("DBSIZE")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.Trim(answer, ":\r\n"))
}

// lose removes its data; only while it does not run.
func (r *redis) lose() error {
	names, err := filepath.Glob(filepath.Join(r.dir, "*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.RemoveAll(name); err != nil {
			return err
		}
	}
	return nil
}

// close ends it and removes its data.
func (r *redis) close() {
	r.murder()
	_ = os.RemoveAll(r.dir)
}

// freeAddress gives an address of this machine where nobody listens, below the
// ports that outgoing connections get (ip(7)): it stays free while its owner is
// being started again.
func freeAddress() (string, error) {
	for range 100 {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err == nil {
			return ln.Addr().String(), ln.Close()
		}
	}
	return "", errors.New("no free port between 10000 and 30000")
}
