package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// recorder is an ERP on a bare socket. It counts the promises of each contract
// by the bytes on the wire, read or not, answers every one as if it were the
// first, and ends each as it was told. Requests are looked at with MSG_PEEK, so
// that a cut before anything is read is one.
type recorder struct {
	*socket
	mu    sync.Mutex
	plots map[string]*plot // by contract
	// stray is what came and was no request of a known contract.
	stray []string
}

// plot is what is to become of one contract's promises.
type plot struct {
	end ending
	// wait is passed before the end; a promise that is held waits for let.
	wait time.Duration
	hold bool
	let  chan struct{}
	// lookUp, when not nil, is what a look at the contract waits for; asked is
	// closed when there is one.
	lookUp chan struct{}
	asked  chan struct{}

	puts int
	seen chan struct{} // closed when the first is on the wire
}

// ending is what the caller of a promise sees of it.
type ending uint8

const (
	endYes       ending = iota // SUCESSO
	endLate                    // SUCESSO, after the caller has given up
	endNo                      // FALHA
	endUnread                  // cut before anything is read
	endHead                    // cut after the header
	endBody                    // cut after the body
	endHalf                    // cut inside the answer
	endBreakdown               // 500
	endPage                    // a page
	endNeither                 // an answer that says neither yes nor no
)

var endings = []ending{endYes, endLate, endNo, endUnread, endHead, endBody, endHalf, endBreakdown, endPage, endNeither}

var endingNames = [...]string{
	"SUCESSO", "SUCESSO too late", "FALHA", "cut before it was read", "cut after the header", "cut after the body",
	"cut inside the answer", "500", "a page", "neither yes nor no",
}

func (e ending) String() string { return endingNames[e] }

// lost tells whether nobody can know from the answer what was done.
func (e ending) lost() bool { return e != endYes && e != endNo }

const promiseLine = "PUT /ws/comercial/contrato/habilitar_confianca "

func startRecorder() (*recorder, error) {
	r := &recorder{plots: map[string]*plot{}}
	var err error
	r.socket, err = startSocket(func(c net.Conn) { r.serve(c.(*net.TCPConn)) })
	return r, err
}

// expect says what is to become of a contract's promises.
func (r *recorder) expect(contract string, p *plot) *plot {
	p.seen, p.let = make(chan struct{}), make(chan struct{})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plots[contract] = p
	return p
}

// count gives how many promises of a contract came.
func (r *recorder) count(contract string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.plots[contract].puts
}

// arrived counts one promise of a contract and gives what is to become of it.
func (r *recorder) arrived(raw []byte) *plot {
	_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	contract := digitsOf(string(body))
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.plots[contract]
	if p == nil {
		r.stray = append(r.stray, cutText(raw))
		return &plot{end: endUnread}
	}
	if p.puts++; p.puts == 1 {
		close(p.seen)
	}
	return p
}

// strays gives what came and was no request of a known contract.
func (r *recorder) strays() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stray
}

func (r *recorder) serve(c *net.TCPConn) {
	for {
		raw, whole := peek(c)
		if !whole {
			if bytes.HasPrefix(raw, []byte("PUT")) {
				r.mu.Lock()
				r.stray = append(r.stray, cutText(raw))
				r.mu.Unlock()
			}
			return
		}
		if bytes.HasPrefix(raw, []byte(promiseLine)) {
			if !r.arrived(raw).play(c, raw) {
				return
			}
			continue
		}
		if _, err := io.ReadFull(c, make([]byte, len(raw))); err != nil {
			return
		}
		r.lookedUp(raw)
		if _, err := io.WriteString(c, reading(string(raw))); err != nil {
			return
		}
	}
}

// lookedUp lets a look at a contract wait where it is to.
func (r *recorder) lookedUp(raw []byte) {
	if !bytes.HasPrefix(raw, []byte(contractLn)) {
		return
	}
	_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	r.mu.Lock()
	p := r.plots[digitsOf(string(body))]
	var wait, asked chan struct{}
	if p != nil {
		wait, asked, p.asked = p.lookUp, p.asked, nil
	}
	r.mu.Unlock()
	if asked != nil {
		close(asked)
	}
	if wait != nil {
		<-wait
	}
}

// play ends one promise; false when its connection ends as well.
func (p *plot) play(c *net.TCPConn, raw []byte) bool {
	if p.hold {
		<-p.let
	}
	time.Sleep(p.wait)
	read := len(raw)
	switch p.end {
	case endUnread:
		read = 0
	case endHead:
		read = bytes.Index(raw, []byte("\r\n\r\n")) + 4
	}
	if _, err := io.ReadFull(c, make([]byte, read)); err != nil {
		return false
	}
	answer := erpAnswer("200 OK", "application/json;charset=UTF-8", `{"dataFim":"20/04/2030","resposta":"SUCESSO"}`)
	switch p.end {
	case endUnread, endHead, endBody:
		return false
	case endHalf:
		_, _ = io.WriteString(c, answer[:len(answer)-20])
		return false
	case endNo:
		answer = erpAnswer("200 OK", "application/json;charset=UTF-8", `{"resposta":"FALHA"}`)
	case endBreakdown:
		answer = erpAnswer("500 Internal Server Error", "application/json;charset=UTF-8", `{"error": "Internal Server Error"}`)
	case endPage:
		answer = erpAnswer("200 OK", "text/html;charset=utf-8", "<html><body>Sistema temporariamente indisponível</body></html>")
	case endNeither:
		answer = erpAnswer("200 OK", "application/json;charset=UTF-8", `{"dataFim":"20/04/2030"}`)
	}
	_, err := io.WriteString(c, answer)
	return err == nil
}

// reading answers what changes nothing: every contract is there, its client is
// named after it.
func reading(raw string) string {
	line, _, _ := strings.Cut(raw, "\r\n")
	body := `{"error": "no such operation"}`
	switch {
	case strings.HasPrefix(raw, tokenLine):
		body = `{"token": "` + sessionToken + `"}`
	case strings.HasPrefix(raw, contractLn):
		_, sent, _ := strings.Cut(raw, "\r\n\r\n")
		id := digitsOf(sent)
		body = fmt.Sprintf(`{"IDContrato":%s,"StatusContrato":"SUSPENSO","Faturas":[{"IDFatura":1,"CodigoCliente":%s,"Vencimento":"2026-01-09","Valor":49.9,"idsContratos":[%s]}]}`, id, id, id)
	case strings.HasPrefix(raw, cardLine):
		id := digitsOf(strings.TrimPrefix(line, cardLine))
		body = fmt.Sprintf(`{"data":{"nome":"CLIENTE %s","cpf":"12345678900","email":"","telefoneMovel":""},"status":"OK"}`, id)
	case strings.HasPrefix(raw, invoicesLine):
		id := digitsOf(strings.TrimPrefix(line, invoicesLine))
		body = fmt.Sprintf(`[{"IDFatura":1,"CodigoCliente":%s,"Valor":49.9,"Contratos":[%s]}]`, id, id)
	case strings.HasPrefix(raw, customerLine):
		_, sent, _ := strings.Cut(raw, "\r\n\r\n")
		id := strings.TrimLeft(digitsOf(sent), "0")
		body = fmt.Sprintf(`{"ClienteEncontrato":true,"NomeCliente":"CLIENTE %s","IDCliente":%s,"Contratos":[{"IDContrato":%s,"StatusContrato":"SUSPENSO"}],"Faturas":[{"IDFatura":1,"idsContratos":[%s],"Valor":49.9}]}`, id, id, id, id)
	}
	return erpAnswer("200 OK", "application/json;charset=UTF-8", body)
}

func erpAnswer(status, kind, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", status, kind, len(body), body)
}

// digitsOf gives the first number in a text.
func digitsOf(text string) string {
	from := strings.IndexAny(text, "0123456789")
	if from < 0 {
		return ""
	}
	text = text[from:]
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return text[:i]
		}
	}
	return text
}

// peek waits for a whole request and leaves it where it is. What it gives
// with false is no whole request, and the connection is of no more use.
func peek(c *net.TCPConn) ([]byte, bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, false
	}
	buf := make([]byte, 16<<10)
	had := 0
	for deadline := (time.Time{}); ; {
		n, err := 0, error(nil)
		waitErr := raw.Read(func(fd uintptr) bool {
			n, _, err = syscall.Recvfrom(int(fd), buf, syscall.MSG_PEEK)
			return !errors.Is(err, syscall.EAGAIN)
		})
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if waitErr != nil || err != nil || n == 0 {
			return buf[:had], false
		}
		if size := requestSize(buf[:n]); size > 0 && n >= size {
			return buf[:size], true
		}
		// The kernel calls it readable as long as it is not read, so the rest
		// cannot be waited for.
		if n > had {
			deadline = time.Now().Add(5 * time.Second)
		}
		if had = n; time.Now().After(deadline) || n == len(buf) {
			return buf[:n], false
		}
		time.Sleep(200 * time.Microsecond)
	}
}

// requestSize tells how long the request that begins so is; 0 while nobody knows.
func requestSize(raw []byte) int {
	head := bytes.Index(raw, []byte("\r\n\r\n"))
	if head < 0 {
		return 0
	}
	length := 0
	for line := range strings.SplitSeq(string(raw[:head]), "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(name, "Content-Length") {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return head + 4 + length
}
