package sandbox

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// serve answers everything: the control paths, the operations and the rest.
func (s *Sandbox) serve(w http.ResponseWriter, hr *http.Request) {
	if strings.HasPrefix(hr.URL.Path, controlPrefix) {
		s.control(w, hr)
		return
	}
	r := &request{http: hr}
	op, methods := route(s.routes, r)
	id := ""
	admit := basicOnly
	if strings.HasPrefix(hr.URL.Path, ozmapPrefix) {
		admit = ozmapKey
	}
	if op != nil {
		id, admit = op.id, op.admit
	} else if slices.Equal(split(hr.URL.Path), split(MVNOPath)) {
		// The platform has no HTTP Basic.
		admit = func(*Sandbox, *request) *answer { return nil }
	}
	refused := admit(s, r)
	of := ""
	if s.faults.personal(id) {
		of = s.subject(op, r)
	}
	p := s.faults.take(id, of, func(k Kind) bool {
		switch k {
		case KindExpiredToken:
			return op != nil && (op.token || op.expire != nil) && refused == nil
		case KindBusiness:
			return op != nil && refused == nil
		default:
			return true
		}
	})
	s.opts.Logger.Debug("sandbox call", slog.String("operation", id), slog.String("method", hr.Method), slog.Any("faults", p.kinds))

	cutBefore := p.main.Kind == KindCutBeforeRead
	var body []byte
	whole := false
	if !cutBefore {
		var err error
		body, err = r.load()
		whole = err == nil
	}
	s.calls.add(Call{
		Operation: id, Method: hr.Method, Path: sentPath(hr), Query: hr.URL.Query(), Header: hr.Header.Clone(),
		Body: bytes.Clone(body[:min(len(body), keptBody)]), Faults: p.kinds, At: s.opts.Now(),
	}, whole)
	if whole && op != nil && op.received != nil {
		op.received(s, r)
	}
	if !cutBefore && !whole {
		// The caller broke off (or sent more than anybody may): nothing was
		// asked for, so nothing is done.
		errorPage(http.StatusBadRequest, hr.URL.Path).write(w)
		return
	}
	if p.idle > 0 {
		if c, ok := hr.Context().Value(connKey{}).(*conn); ok {
			c.idleAfter.Store(int64(p.idle))
		}
	}
	s.wait(p.delay)
	if p.main.Kind == KindExpiredToken {
		if op.expire != nil {
			refused = op.expire(s, r)
		} else {
			s.tokens.revoke(hr.Header.Get("Token"))
			refused = admit(s, r)
		}
	}
	perform := func() answer {
		switch {
		case refused != nil:
			return *refused
		case op != nil:
			return op.answer(s, r)
		case len(methods) > 0:
			a := errorPage(http.StatusMethodNotAllowed, hr.URL.Path)
			a.header = http.Header{"Allow": {strings.Join(slices.Compact(methods), ", ")}}
			return a
		case strings.HasPrefix(hr.URL.Path, ozmapPrefix):
			return *ozRefuse(http.StatusNotFound, "Not found")
		default:
			return errorPage(http.StatusNotFound, hr.URL.Path)
		}
	}
	switch p.main.Kind {
	case KindStatus500:
		text(orElse(p.main.Status, http.StatusInternalServerError), BodyError).write(w)
	case KindHTML:
		outagePage(orElse(p.main.Status, http.StatusOK)).write(w)
	case KindBusiness:
		refusal := p.main.Body
		if refusal == "" {
			refusal = op.refusal
		}
		text(orElse(p.main.Status, orElse(op.refusalStatus, http.StatusOK)), refusal).write(w)
	case KindTruncate:
		truncate(w, perform())
	case KindCutBeforeRead:
		cut(w, true)
	case KindCutAfterRead:
		perform()
		cut(w, false)
	default:
		// No fault, or one that leaves the answer whole.
		perform().write(w)
	}
}

// sentPath is the path as it stands in the request line.
func sentPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	return path
}

// wait passes the time of a fault; closing the sandbox ends it.
func (s *Sandbox) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.closing:
	}
}

func orElse(status, other int) int {
	if status == 0 {
		return other
	}
	return status
}

// truncate promises the whole answer and ends the connection half-way.
func truncate(w http.ResponseWriter, a answer) {
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	fmt.Fprintf(rw, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		a.status, http.StatusText(a.status), a.kind, len(a.body))
	_, _ = rw.Write(a.body[:len(a.body)/2])
	_ = rw.Flush()
	_ = nc.Close()
}

// cut ends the connection without an answer; reset makes the caller see a
// connection reset instead of an orderly end.
func cut(w http.ResponseWriter, reset bool) {
	nc, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if c, ok := nc.(*conn); ok && reset {
		_ = c.SetLinger(0)
	}
	_ = nc.Close()
}

// basicOnly asks for HTTP Basic.
func basicOnly(s *Sandbox, r *request) *answer {
	user, password, ok := r.http.BasicAuth()
	if ok && same(user, s.opts.User) && same(password, s.opts.Password) {
		return nil
	}
	a := text(http.StatusUnauthorized, `{"error": "Usuário ou senha inválidos"}`)
	a.header = http.Header{"Www-Authenticate": {`Basic realm="WebService"`}}
	return &a
}

// basicAndToken asks for the Token header besides.
func basicAndToken(s *Sandbox, r *request) *answer {
	if refused := basicOnly(s, r); refused != nil {
		return refused
	}
	token := r.http.Header.Get("Token")
	if token == "" {
		a := text(http.StatusUnauthorized, `{"error": "Token não informado"}`)
		return &a
	}
	if _, ok := s.tokens.find(token); !ok {
		a := text(http.StatusUnauthorized, `{"error": "Token inválido ou expirado"}`)
		return &a
	}
	return nil
}

// same compares credentials in a time that tells nothing, their length
// included.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
