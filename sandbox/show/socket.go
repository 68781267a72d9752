package main

import (
	"net"
	"sync"
)

// socket is a bare socket on loopback; each of its connections is served, and
// then closed.
type socket struct {
	net.Listener
	lock  sync.Mutex
	open  map[net.Conn]struct{} // nil when stopped
	ended sync.WaitGroup        // of who accepts and of who serves
}

func startSocket(serve func(net.Conn)) (*socket, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &socket{Listener: ln, open: map[net.Conn]struct{}{}}
	s.ended.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return // closed
			}
			s.ended.Go(func() {
				defer func() { _ = c.Close() }()
				if s.opened(c) {
					defer s.closed(c)
					serve(c)
				}
			})
		}
	})
	return s, nil
}

func (s *socket) url() string { return "http://" + s.Addr().String() }

// opened is false when the socket was stopped before.
func (s *socket) opened(c net.Conn) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.open == nil {
		return false
	}
	s.open[c] = struct{}{}
	return true
}

func (s *socket) closed(c net.Conn) {
	s.lock.Lock()
	defer s.lock.Unlock()
	delete(s.open, c)
}

// stop closes the listener and every connection, and does not wait.
func (s *socket) stop() {
	_ = s.Close()
	s.lock.Lock()
	defer s.lock.Unlock()
	for c := range s.open {
		_ = c.Close()
	}
	s.open = nil
}
