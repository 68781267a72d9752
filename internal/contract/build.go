package contract

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// Build makes r the request for parameter values (in the order of Params;
// absent ones are left out) and body (JSON as the template made it; nil:
// none). What r held before is gone; its storage is used again.
// Everything is escaped for its place; a value that cannot stand there (CR or
// LF in a header, an empty or dot path segment) is an error naming the parameter, never its value.
// Header values may point into params: the request lives as long as they do.
func (o *Operation) Build(r *Request, params []jsonx.Value, body []byte) error {
	r.Method, r.Type = o.Method, ""
	r.Target, r.Headers, r.Body = r.Target[:0], r.Headers[:0], r.Body[:0]
	for i, p := range o.Params {
		if p.Required && (i >= len(params) || params[i].None()) {
			return fmt.Errorf("parameter %s of %s has no value", p.Name, o.Name())
		}
	}
	if err := o.buildPath(r, params); err != nil {
		return err
	}
	mark := byte('?')
	for i, p := range o.Params {
		if i >= len(params) || p.In == InPath || params[i].None() {
			continue
		}
		v := params[i]
		if p.In == InHeader {
			text, err := p.header(v)
			if err != nil {
				return o.cannot(p, err)
			}
			r.Headers = append(r.Headers, Header{p.Name, text})
			continue
		}
		if v.Kind() != jsonx.Array {
			var err error
			if r.Target, err = p.query(r.Target, mark, v); err != nil {
				return o.cannot(p, err)
			}
			mark = '&'
			continue
		}
		if p.Type != nil && p.Type.Kind != expr.ListType && p.Type.Kind != expr.AnyType {
			return o.cannot(p, errContainer)
		}
		for it := v.Iter(); it.Next(); {
			var err error
			if r.Target, err = p.query(r.Target, mark, it.Value()); err != nil {
				return o.cannot(p, err)
			}
			mark = '&'
		}
	}
	return o.buildBody(r, body)
}

func (o *Operation) cannot(p *Param, err error) error {
	return fmt.Errorf("parameter %s of %s %w", p.Name, o.Name(), err)
}

// The reasons a value cannot be sent; they follow the parameter's name.
var (
	errContainer = errors.New("is a list or an object, which cannot stand there")
	errWhole     = errors.New("is not a whole number")
	errNumber    = errors.New("is not a number")
	errBool      = errors.New("is not true or false")
	errEmpty     = errors.New("is empty, which a path cannot hold")
	errDots      = errors.New("holds a dot segment, which a path cannot hold")
	errControl   = errors.New("holds a line break or another control character, which a header cannot hold")
	errMissing   = errors.New("has an element without value")
)

// check tells whether v is a scalar of the parameter's kind.
func (p *Param) check(v jsonx.Value) error {
	switch v.Kind() {
	case jsonx.Array, jsonx.Object:
		return errContainer
	case jsonx.Absent, jsonx.Null:
		return errMissing
	}
	t := p.Type
	if t != nil && t.Kind == expr.ListType {
		t = t.Elem
	}
	if t == nil {
		return nil
	}
	switch t.Kind {
	case expr.NumberType:
		if t.Integer {
			if !wholeDigits(v.Text()) {
				return errWhole
			}
			return nil
		}
		if _, ok := jsonx.ParseDecimal(v.Text()); !ok {
			return errNumber
		}
	case expr.BoolType:
		if s := v.Text(); s != "true" && s != "false" {
			return errBool
		}
	}
	return nil
}

// wholeDigits tells whether s is digits with an optional minus before them.
func wholeDigits(s string) bool {
	s = strings.TrimPrefix(s, "-")
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func (p *Param) header(v jsonx.Value) (string, error) {
	if err := p.check(v); err != nil {
		return "", err
	}
	text := v.Text()
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c == 0x7f {
			return "", errControl
		}
	}
	return text, nil
}

func (p *Param) query(dst []byte, mark byte, v jsonx.Value) ([]byte, error) {
	if err := p.check(v); err != nil {
		return dst, err
	}
	dst = append(dst, mark)
	dst = appendEscaped(dst, p.Name)
	dst = append(dst, '=')
	return appendEscaped(dst, v.Text()), nil
}

func (o *Operation) buildPath(r *Request, params []jsonx.Value) error {
	segment := 0 // where the present segment begins in Target
	for i := range o.path {
		s := &o.path[i]
		if s.param < 0 {
			r.Target = append(r.Target, s.text...)
			if at := strings.LastIndexByte(s.text, '/'); at >= 0 {
				segment = len(r.Target) - len(s.text) + at + 1
			}
			continue
		}
		p := o.Params[s.param]
		if err := p.check(params[s.param]); err != nil {
			return o.cannot(p, err)
		}
		text := params[s.param].Text()
		if text == "" {
			return o.cannot(p, errEmpty)
		}
		if hasDots(text) {
			return o.cannot(p, errDots)
		}
		r.Target = appendEscaped(r.Target, text)
		// Beside literal text dots may add up to a dot segment: ".{x}".
		if last := r.Target[segment:]; !s.whole && (string(last) == "." || string(last) == "..") &&
			(i+1 == len(o.path) || strings.HasPrefix(o.path[i+1].text, "/")) {
			return o.cannot(p, errDots)
		}
	}
	return nil
}

// hasDots tells whether a server that takes escaped slashes or backslashes for
// real ones would find a dot segment in text.
func hasDots(text string) bool {
	for {
		i := strings.IndexAny(text, `/\`)
		seg := text
		if i >= 0 {
			seg = text[:i]
		}
		if seg == "." || seg == ".." {
			return true
		}
		if i < 0 {
			return false
		}
		text = text[i+1:]
	}
}

const hex = "0123456789ABCDEF"

// unreserved are the bytes that stand for themselves in a URL (RFC 3986).
var unreserved = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '.' || c == '_' || c == '~'
	}
	return t
}()

// appendEscaped appends s %-encoded for a path segment, a query or a form.
func appendEscaped(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if unreserved[c] {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

func (o *Operation) buildBody(r *Request, body []byte) error {
	switch {
	case body == nil && o.BodyRequired:
		return fmt.Errorf("the body of %s has no value", o.Name())
	case body == nil:
		return nil
	case o.Body == nil:
		return fmt.Errorf("%s takes no body", o.Name())
	case !o.BodyForm:
		r.Type = typeJSON
		r.Body = append(r.Body, body...)
		return nil
	}
	r.Type = typeForm
	v := jsonx.RawValue(string(body))
	if v.Kind() != jsonx.Object {
		return fmt.Errorf("the body of %s is a form, which an object must fill", o.Name())
	}
	for it := v.Iter(); it.Next(); {
		field := it.Key().Text()
		switch f := it.Value(); f.Kind() {
		case jsonx.Array:
			for el := f.Iter(); el.Next(); {
				if k := el.Value().Kind(); k == jsonx.Array || k == jsonx.Object {
					return fmt.Errorf("form field %s of %s %w", field, o.Name(), errContainer)
				}
				r.field(field, el.Value())
			}
		case jsonx.Object:
			return fmt.Errorf("form field %s of %s %w", field, o.Name(), errContainer)
		default:
			r.field(field, f)
		}
	}
	return nil
}

// field appends a form field; null is sent as empty text.
func (r *Request) field(name string, v jsonx.Value) {
	if len(r.Body) > 0 {
		r.Body = append(r.Body, '&')
	}
	r.Body = appendEscaped(r.Body, name)
	r.Body = append(r.Body, '=')
	r.Body = appendEscaped(r.Body, v.Text())
}
