package pgtest

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// Package is a package's tests, with a server that they share.
type Package struct {
	tests interface{ Run() int }
	mu    sync.Mutex
	host  *host
	s     *Server
	made  int
}

// Share gives tests a server that they share; it starts when the first asks for a
// database, and ends with the last. Tests that end a server use Start.
func Share(tests interface{ Run() int }) *Package { return &Package{tests: tests} }

// Run runs the tests.
func (p *Package) Run() int {
	defer p.end()
	return p.tests.Run()
}

func (p *Package) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.host != nil {
		p.host.end()
	}
}

// Database makes an empty database on the server the tests share, and gives its address.
func (p *Package) Database(t testing.TB) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.host == nil {
		p.host = &host{}
	}
	p.host.TB = t
	if p.s == nil {
		p.s = Start(p.host)
	}
	p.made++
	return p.s.Database(fmt.Sprint("test_", p.made))
}

// host stands in for the test a server belongs to, when that is no single one:
// what fails, fails the one that asks; what ends, ends with all.
type host struct {
	testing.TB
	ends []func()
}

// TempDir gives a folder that lasts until all tests have ended.
func (h *host) TempDir() string {
	dir, err := os.MkdirTemp("", "pgtest-*")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Cleanup notes what is to be done when all tests have ended.
func (h *host) Cleanup(end func()) { h.ends = append(h.ends, end) }

func (h *host) end() {
	for i := range h.ends {
		h.ends[len(h.ends)-1-i]()
	}
}
