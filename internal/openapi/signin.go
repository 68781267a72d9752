package openapi

import (
	"strings"

	"github.com/emenda-gateway/emenda/internal/mapping"
)

// signIn tells how a dialect's callers sign in: each of the ways is enough. A
// sign-in in the body is told there, and stands here as none.
func (b *builder) signIn(d *mapping.Dialect, op *mapping.ExposedOperation) list {
	var ways list
	body := false
	for i := range d.SignIn {
		p := &d.SignIn[i]
		if p.Place == mapping.PlaceBody {
			body = true
			continue
		}
		way := obj()
		basic := p.Place == mapping.PlaceHeader && strings.EqualFold(p.Scheme, "Basic")
		switch {
		case basic:
			way.set(b.scheme(d.Name+"_basic", obj("type", "http", "scheme", "basic",
				"description", "HTTP Basic with the user and password that this gateway gives the caller.")), list{})
		case p.Place == mapping.PlaceHeader && strings.EqualFold(p.Scheme, "Bearer"):
			way.set(b.scheme(d.Name+"_bearer", obj("type", "http", "scheme", "bearer",
				"description", "The caller's token.")), list{})
		default:
			says := "The caller's token."
			if p.Scheme != "" {
				says = "The caller's token, with `" + p.Scheme + " ` before it."
			}
			way.set(b.key(d, p.Place, p.Token, says), list{})
		}
		if p.App != "" && !basic {
			way.set(b.key(d, p.Place, p.App, "The caller's application."), list{})
		}
		if op != nil && op.TokenHeader != "" && (basic || op.Gives == mapping.RenewsToken) {
			way.set(b.scheme(d.Name+"_ticket", obj("type", "apiKey", "in", "header", "name", op.TokenHeader,
				"description", "A token that this gateway gives: fetch one first.")), list{})
		}
		ways = append(ways, way)
	}
	if body {
		ways = append(ways, obj())
	}
	return ways
}

// key is a scheme of a named field of the query or header.
func (b *builder) key(d *mapping.Dialect, place mapping.Place, name, says string) string {
	in := "header"
	if place == mapping.PlaceQuery {
		in = "query"
	}
	return b.scheme(d.Name+"_"+in+"_"+name, obj("type", "apiKey", "in", in, "name", name, "description", says))
}

// scheme puts a security scheme into components.
func (b *builder) scheme(name string, s *object) string {
	name = componentName(name)
	if !b.schemes.has(name) {
		b.schemes.set(name, s)
	}
	return name
}
