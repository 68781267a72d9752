package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strconv"
)

const (
	typeJSON = "application/json;charset=UTF-8"
	typeHTML = "text/html;charset=utf-8"
)

// answer is a whole HTTP answer.
type answer struct {
	status int
	kind   string
	body   []byte
	// header holds what goes beside Content-Type and Content-Length.
	header http.Header
	// unknown says that there is nothing of what was asked for; see orDocumented.
	unknown bool
}

// unknown answers that there is nothing of what was asked for.
func unknown(body string) answer {
	a := text(http.StatusOK, body)
	a.unknown = true
	return a
}

// object is JSON of names and values in turn, in their order.
type object []any

// MarshalJSON writes the names in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	buf.WriteByte('{')
	for i := 0; i+1 < len(o); i += 2 {
		if i > 0 {
			buf.WriteByte(',')
		}
		if err := enc.Encode(o[i]); err != nil {
			return nil, err
		}
		buf.WriteByte(':')
		if err := enc.Encode(o[i+1]); err != nil {
			return nil, err
		}
	}
	buf.WriteByte('}')
	return buf.Bytes(), nil
}

// text answers JSON that is written already.
func text(status int, body string) answer {
	return answer{status: status, kind: typeJSON, body: []byte(body)}
}

// value answers 200 with a value as JSON, in the order of its fields and with
// accents and angle brackets as they are.
func value(v any) answer {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// Only a type of this package that cannot be JSON gets here.
		panic(fmt.Sprintf("sandbox: %v", err))
	}
	return answer{status: http.StatusOK, kind: typeJSON, body: bytes.TrimSuffix(buf.Bytes(), []byte("\n"))}
}

// errorPage is what an old servlet container says when the ERP's code does
// not, the path repeated in it as those do.
func errorPage(status int, path string) answer {
	name := http.StatusText(status)
	body := fmt.Sprintf(`<html><head><title>JBoss Web/7.0.13.Final - Error report</title></head>`+
		`<body><h1>HTTP Status %d - %s</h1><hr size="1" noshade="noshade">`+
		`<p><b>type</b> Status report</p><p><b>message</b> <u>%s</u></p>`+
		`<p><b>description</b> <u>The request sent by the client could not be served: %s.</u></p>`+
		`<hr size="1" noshade="noshade"><h3>JBoss Web/7.0.13.Final</h3></body></html>`,
		status, name, html.EscapeString(path), name)
	return answer{status: status, kind: typeHTML, body: []byte(body)}
}

// outagePage is what stands in front of an ERP that is being maintained.
func outagePage(status int) answer {
	return answer{status: status, kind: typeHTML, body: []byte(
		`<!DOCTYPE html><html><head><title>Sistema em manutenção</title></head>` +
			`<body><h1>Sistema temporariamente indisponível</h1></body></html>`)}
}

// write sends the answer as it is.
func (a answer) write(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	h.Set("Server", "Apache-Coyote/1.1")
	h.Set("Content-Type", a.kind)
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	// A caller that hung up is no concern of the ERP.
	_, _ = w.Write(a.body)
}

// money is cents, written as the ERP writes its doubles: 105.49, 9.9, 0.0.
type money int64

// MarshalJSON writes at least one decimal and no idle zero after it.
func (m money) MarshalJSON() ([]byte, error) {
	out := fmt.Appendf(nil, "%d.%02d", int64(m)/100, int64(m)%100)
	if out[len(out)-1] == '0' {
		out = out[:len(out)-1]
	}
	return out, nil
}
