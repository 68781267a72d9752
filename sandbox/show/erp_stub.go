package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// reply is what the ERP's stand-in says to one request.
type reply struct {
	status int
	typ    string
	header string // more of it, each line with its CRLF
	body   string
	cut    int // above 0: so much of the body is sent, and the connection closed; below: nothing at all
}

// erpStub is an ERP on a bare socket that keeps every byte of what arrives, and
// answers all alike but for requests of tokens, which it grants to whom it knows.
type erpStub struct {
	*socket
	mu     sync.Mutex
	seen   []string
	tokens int // granted
	wrong  int // requests of tokens that were not granted
	reply  reply
}

func startERPStub() (*erpStub, error) {
	s := &erpStub{}
	var err error
	s.socket, err = startSocket(s.serve)
	return s, err
}

// stop closes the listener and every connection, and waits.
func (s *erpStub) stop() {
	s.socket.stop()
	s.ended.Wait()
}

// answering sets what is said from now on.
func (s *erpStub) answering(r reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = r
}

// take gives what arrived since the last take, tokens aside.
func (s *erpStub) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}

func (s *erpStub) serve(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		raw, err := readRaw(in)
		if err != nil {
			if len(raw) > 0 {
				s.keep("UNREADABLE " + string(raw))
			}
			return
		}
		if !s.answer(c, string(raw)) {
			return
		}
	}
}

func (s *erpStub) keep(raw string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, raw)
}

// ownBasic is what the gateway itself signs in with.
var ownBasic = "Basic " + base64.StdEncoding.EncodeToString([]byte("sandbox:"+erpPassword))

// answer answers one request; false when the connection ends.
func (s *erpStub) answer(c net.Conn, raw string) bool {
	s.mu.Lock()
	r := s.reply
	if strings.HasPrefix(raw, tokenLine) {
		r = reply{status: 200, typ: "application/json", body: `{"token": "` + sessionToken + `"}`}
		if s.tokens++; field1(raw, "Authorization") != ownBasic {
			s.tokens--
			s.wrong++
			r = reply{status: 401, typ: "application/json", body: `{"error": "quem?"}`}
		}
	} else {
		s.seen = append(s.seen, raw)
	}
	s.mu.Unlock()
	if r.cut < 0 {
		return false
	}
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\n", r.status, http.StatusText(r.status))
	if r.typ != "" {
		head += "Content-Type: " + r.typ + "\r\n"
	}
	if r.status != http.StatusNoContent {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(r.body))
	}
	body := r.body
	if r.cut > 0 {
		body = body[:r.cut]
	}
	_, err := io.WriteString(c, head+r.header+"\r\n"+body)
	return err == nil && r.cut == 0
}

// fieldsOf gives the values of a header field in a raw request, as often as it comes.
func fieldsOf(raw, name string) (all []string) {
	head, _, _ := strings.Cut(raw, "\r\n\r\n")
	for i, line := range strings.Split(head, "\r\n") {
		if n, v, ok := strings.Cut(line, ":"); ok && i > 0 && strings.EqualFold(n, name) {
			all = append(all, strings.TrimSpace(v))
		}
	}
	return all
}

// field1 gives the value of a header field that comes once, "" otherwise.
func field1(raw, name string) string {
	if all := fieldsOf(raw, name); len(all) == 1 {
		return all[0]
	}
	return ""
}

// bodyOf gives the body of a raw request.
func bodyOf(raw string) string {
	_, body, _ := strings.Cut(raw, "\r\n\r\n")
	return body
}
