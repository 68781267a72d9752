package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// stub is an ERP on a bare socket: it keeps every byte that arrives, request
// by request, and answers what it was told to.
type stub struct {
	*socket
	mu    sync.Mutex
	seen  [][]byte
	reply map[string]string // the start of the request line → a JSON body
}

const (
	customerLine = "POST /ws/comercial/cliente/dados "
	contractLn   = "POST /ws/comercial/contrato/dados "
	tokenLine    = "GET /ws/auth/token/gerar "
	cardLine     = "GET /ws/area/cliente/"
	invoicesLine = "GET /ws/financeiro/faturas/cliente/"
)

// sessionToken is a token as the ERP gives it, good for a long time; exp in milliseconds.
var sessionToken = func() string {
	enc := base64.RawURLEncoding.EncodeToString
	now := time.Now()
	claims := fmt.Sprintf(`{"iat":%d,"exp":%d,"ren":false,"qtdRen":0}`, now.UnixMilli(), now.Add(24*time.Hour).UnixMilli())
	return enc([]byte(`{"alg":"HS256"}`)) + "." + enc([]byte(claims)) + "." + enc([]byte("stub-signature-of-32-bytes-------"))
}()

// replies are what the stub says unless told otherwise: it knows nobody.
func replies() map[string]string {
	return map[string]string{
		customerLine: `{"ClienteEncontrato": false}`,
		contractLn:   `{"error": "Contrato não encontrado"}`,
		tokenLine:    `{"token": "` + sessionToken + `"}`,
		cardLine:     `{"data": {"nome": "STUB", "cpf": "12345678900", "email": "", "telefoneMovel": ""}, "status": "OK"}`,
		invoicesLine: `[]`,
	}
}

func startStub() (*stub, error) {
	s := &stub{reply: replies()}
	var err error
	s.socket, err = startSocket(s.serve)
	return s, err
}

// answering sets the body that requests beginning with line get.
func (s *stub) answering(line, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply[line] = body
}

// asUsual makes it answer as it did at first.
func (s *stub) asUsual() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = replies()
}

// take gives what arrived since the last take.
func (s *stub) take() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}

func (s *stub) serve(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		raw, err := readRaw(in)
		if len(raw) > 0 {
			s.mu.Lock()
			s.seen = append(s.seen, raw)
			s.mu.Unlock()
		}
		if err != nil {
			return // the end, or what is no request: it is kept, and compared
		}
		if _, err := io.WriteString(c, s.answer(string(raw))); err != nil {
			return
		}
	}
}

func (s *stub) answer(raw string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, body := "404 Not Found", `{"error": "no such path"}`
	for line, b := range s.reply {
		if strings.HasPrefix(raw, line) {
			status, body = "200 OK", b
		}
	}
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

// readRaw reads one request with Content-Length or without a body. Anything
// else is given as far as it was read, with an error.
func readRaw(in *bufio.Reader) ([]byte, error) {
	var raw bytes.Buffer
	length := 0
	for {
		line, err := in.ReadBytes('\n')
		raw.Write(line)
		if err != nil {
			return raw.Bytes(), err
		}
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		name, value, _ := strings.Cut(text, ":")
		switch {
		case strings.EqualFold(name, "Content-Length"):
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return raw.Bytes(), err
			}
		case strings.EqualFold(name, "Transfer-Encoding"):
			return raw.Bytes(), fmt.Errorf("chunks were not expected")
		}
	}
	_, err := io.CopyN(&raw, in, int64(length))
	return raw.Bytes(), err
}
