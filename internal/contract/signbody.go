package contract

import (
	"bytes"
	"errors"
	"slices"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// Credential is a field of a body and the secret that goes in it.
type Credential struct{ Name, Value string }

var errNotObject = errors.New("the body is no object, so it cannot carry the sign-in")

// SignBody gives r's body with the fields set, whatever it had of their names,
// and its Content-Type. r stays as it is, so that who looks at it sees no secret.
func (o *Operation) SignBody(r *Request, fields []Credential) (body []byte, contentType string, err error) {
	if o.BodyForm {
		return signForm(r.Body, fields), typeForm, nil
	}
	body = r.Body
	if len(body) == 0 {
		body = []byte("{}")
	}
	if jsonx.RawValue(string(body)).Kind() != jsonx.Object {
		return nil, "", errNotObject
	}
	for _, f := range fields {
		if body, err = jsonx.Set(body, f.Name, jsonx.AppendQuoted(nil, f.Value)); err != nil {
			return nil, "", errNotObject // its words could hold what the body does
		}
	}
	return body, typeJSON, nil
}

// signForm appends fields to a form that Build made, less what it had of their names.
func signForm(form []byte, fields []Credential) []byte {
	out := make([]byte, 0, len(form)+64*len(fields))
	for rest := form; len(rest) > 0; {
		var pair []byte
		pair, rest, _ = bytes.Cut(rest, []byte("&"))
		name, _, _ := bytes.Cut(pair, []byte("="))
		// Names of credentials hold nothing that is escaped.
		if slices.ContainsFunc(fields, func(f Credential) bool { return f.Name == string(name) }) {
			continue
		}
		out = append(append(out, pair...), '&')
	}
	for _, f := range fields {
		out = append(appendEscaped(append(append(out, f.Name...), '='), f.Value), '&')
	}
	return bytes.TrimSuffix(out, []byte("&"))
}

// signedBodies holds the operations against a sign-in in their bodies.
func (l *loader) signedBodies() {
	s := &l.c.SignIn
	field := ""
	if s.Token != nil {
		field = s.Token.Field
	}
	if len(s.Body) == 0 && field == "" {
		return
	}
	for _, op := range l.c.Operations {
		fetches := s.Token != nil && (op == s.Token.Obtain || op == s.Token.Renew)
		carries := op.Token && field != ""
		switch {
		case len(s.Body) == 0 && !carries:
			continue
		case op.Body == nil && carries:
			l.list.Errorf(op.At, ruleSignIn, "%s has no body for the token to go in", op.ID).Help = "give it a requestBody"
			continue
		case op.Body == nil:
			if !fetches {
				l.list.Warnf(op.At, ruleSignIn, "%s has no body, so it goes out without what signs in there", op.ID)
			}
			continue
		case op.Body.Kind != expr.ObjectType && op.Body.Kind != expr.AnyType:
			l.list.Errorf(op.At, ruleSignIn, "the body of %s is no object, so it cannot carry the sign-in", op.ID)
			continue
		}
		names := make([]string, 0, len(s.Body)+1)
		for _, f := range s.Body {
			names = append(names, f.Name)
		}
		if carries {
			names = append(names, field)
		}
		for _, name := range names {
			if op.Body.Fields[name] != nil {
				l.list.Errorf(op.At, ruleSignIn, "the sign-in fills %s of %s", short(name), op.ID).Help = "leave it out of the body's schema: no mapping gives it"
			}
		}
	}
}
