package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// maxBody is more than the largest documented request: five files of 5 MB in
// base64.
const maxBody = 40 << 20

// request is one call on its way through the sandbox.
type request struct {
	http   *http.Request
	params map[string]int64
	// words are the path's parameters as they came, those that are numbers too.
	words map[string]string

	body    []byte
	readErr error
	read    bool

	// mvno is the body as the MVNO platform reads it, once parsed.
	mvno        mvnoFields
	mvnoRefused *answer
	parsed      bool
}

// load reads the body, once.
func (r *request) load() ([]byte, error) {
	if !r.read {
		r.read = true
		r.body, r.readErr = io.ReadAll(http.MaxBytesReader(nil, r.http.Body, maxBody))
	}
	return r.body, r.readErr
}

// fields reads the body as one JSON object.
func (r *request) fields() (map[string]any, *answer) {
	body, refused := r.json()
	if refused != nil {
		return nil, refused
	}
	fields, ok := body.(map[string]any)
	if !ok {
		return nil, r.page(http.StatusBadRequest)
	}
	return fields, nil
}

// json reads the body. The refusal is the container's own page, for the ERP's
// code never sees such a body.
func (r *request) json() (any, *answer) {
	if ct := r.http.Header.Get("Content-Type"); ct != "" {
		if kind, _, err := mime.ParseMediaType(ct); err != nil || kind != "application/json" {
			return nil, r.page(http.StatusUnsupportedMediaType)
		}
	}
	body, err := r.load()
	if err != nil {
		return nil, r.page(http.StatusBadRequest)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil || value == nil {
		return nil, r.page(http.StatusBadRequest)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, r.page(http.StatusBadRequest)
	}
	return value, nil
}

// text reads a field that may be text or a number.
func (r *request) text(fields map[string]any, name string) (string, *answer) {
	switch v := fields[name].(type) {
	case nil:
		// What is missing fails inside the ERP, as a null there.
		return "", r.page(http.StatusInternalServerError)
	case string:
		return strings.TrimSpace(v), nil
	case json.Number:
		return v.String(), nil
	default:
		return "", r.page(http.StatusBadRequest)
	}
}

// long reads a field that must be a whole number, in digits or in text.
func (r *request) long(fields map[string]any, name string) (int64, *answer) {
	text, refused := r.text(fields, name)
	if refused != nil {
		return 0, refused
	}
	n, ok := digits(text)
	if !ok {
		return 0, r.page(http.StatusBadRequest)
	}
	return n, nil
}

// page is the container's error page for this request.
func (r *request) page(status int) *answer {
	a := errorPage(status, r.http.URL.Path)
	return &a
}
