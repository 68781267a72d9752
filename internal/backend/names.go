package backend

import "github.com/emenda-gateway/emenda/internal/contract"

// HeaderNames gives the names of the header fields a call is sent with, less
// those of the connection: credentials, the request's own, the body's type.
func HeaderNames(c *contract.Contract, call *Call) []string {
	var names []string
	if c != nil {
		if c.SignIn.Basic != nil || c.SignIn.Bearer != "" {
			names = append(names, "Authorization")
		}
		for _, f := range c.SignIn.Header {
			names = append(names, f.Name)
		}
		if c.SignIn.Token != nil && c.SignIn.Token.Header != "" && call.Operation.Token {
			names = append(names, c.SignIn.Token.Header)
		}
		if s := c.SignIn.Signature; s != nil {
			names = append(names, s.Timestamp, s.Header)
		}
	}
	if call.RequestID != "" {
		names = append(names, "X-Request-Id")
	}
	for _, h := range call.Request.Headers {
		names = append(names, h.Name)
	}
	if call.Request.Type != "" || len(SignedFields(c, call)) > 0 {
		names = append(names, "Content-Type")
	}
	return names
}

// SignedFields gives the names of the body fields that are set when a call is sent, for it to be signed in.
func SignedFields(c *contract.Contract, call *Call) []string {
	if c == nil || call.Operation.Body == nil {
		return nil
	}
	var names []string
	for _, f := range c.SignIn.Body {
		names = append(names, f.Name)
	}
	t := c.SignIn.Token
	if t != nil && t.Field != "" && call.Operation.Token {
		names = append(names, t.Field)
	}
	if t != nil && call.Operation == t.Obtain {
		for _, f := range t.With {
			names = append(names, f.Name)
		}
	}
	return names
}
