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
		if c.SignIn.Token != nil && call.Operation.Token {
			names = append(names, c.SignIn.Token.Header)
		}
	}
	if call.RequestID != "" {
		names = append(names, "X-Request-Id")
	}
	for _, h := range call.Request.Headers {
		names = append(names, h.Name)
	}
	if call.Request.Type != "" {
		names = append(names, "Content-Type")
	}
	return names
}
