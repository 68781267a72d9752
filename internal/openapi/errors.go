package openapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// kindSays tells when each kind of failure is answered.
var kindSays = map[mapping.ErrorKind]string{
	mapping.Unreadable:      "The request cannot be read.",
	mapping.NotSignedIn:     "The request carries no credentials.",
	mapping.BadSignIn:       "The credentials are wrong.",
	mapping.Forbidden:       "The caller may not do this.",
	mapping.Limited:         "The caller asks too often, or signed in wrongly too often; Retry-After says how long to wait.",
	mapping.TooLarge:        "The request is too large.",
	mapping.BadInput:        "Something in the request is missing or wrong.",
	mapping.RepeatDiffers:   "The request repeats another, and differs from it.",
	mapping.KindRefused:     "The backend says no.",
	mapping.KindFailed:      "A backend did not answer as it should.",
	mapping.KindTimeout:     "A backend did not answer in time.",
	mapping.KindUnavailable: "Out of service, or too busy, for now.",
	mapping.StoreDown:       "What the gateway remembers cannot be reached.",
	mapping.Internal:        "The gateway failed.",
}

// errorKey is what an errorText is made of.
type errorKey struct {
	reply *mapping.ErrorReply
	kind  mapping.ErrorKind // a reply may stand for several
	field string
}

// errorText is a dialect's reply to a kind of failure, as documents show it.
type errorText struct {
	schema  *object
	example any // nil: none
}

// failures adds a dialect's words for kinds of failures; field is the name of a field to say in examples.
func (b *builder) failures(a *answers, d *mapping.Dialect, words *mapping.ErrorReplies, kinds []mapping.ErrorKind, field string) {
	for _, k := range kinds {
		reply := words[k]
		if reply == nil {
			continue
		}
		key := errorKey{reply, k, field}
		e := b.errors[key]
		if e == nil {
			e = errorOf(d, reply, k, field)
			b.errors[key] = e
		}
		at := a.at(reply.Status)
		at.say(kindSays[k])
		if reply.Status < 200 || reply.Status == http.StatusNoContent || reply.Status == http.StatusNotModified {
			continue
		}
		m := at.of(bareType(reply.Type))
		m.fits(e.schema)
		if e.example != nil {
			m.example(k.String(), e.example)
		}
	}
}

// bareType gives a content type without its parameters.
func bareType(t string) string {
	t, _, _ = strings.Cut(t, ";")
	if t = strings.TrimSpace(t); t == "" {
		return "application/octet-stream"
	}
	return t
}

// errorOf gives what a reply to a failure looks like.
func errorOf(d *mapping.Dialect, r *mapping.ErrorReply, k mapping.ErrorKind, field string) *errorText {
	if r.JSON == nil {
		if v, ok := fromJSON([]byte(r.Text)); ok && strings.HasSuffix(bareType(r.Type), "json") {
			return &errorText{schema: obj("type", "object"), example: v}
		}
		return &errorText{schema: obj("type", "string"), example: r.Text}
	}
	e := &errorText{schema: typeSchema(r.JSON.Type, 0)}
	f := expr.NewFrame(r.Layout, time.Time{}, time.UTC)
	defer f.Release()
	said := obj("kind", k.String(), "message", "", "class", "", "fields", list{})
	switch k {
	case mapping.BadInput:
		said.set("message", requiredMessage(d, field))
		said.set("fields", list{field})
	case mapping.Unreadable:
		said.set("message", "the body is no JSON")
	}
	f.Set(r.Error, jsonx.RawValue(string(appendJSON(nil, said))))
	f.Set(r.Request, jsonx.RawValue(`{"id":"0123456789abcdef"}`))
	if text := r.JSON.AppendJSON(nil, f); f.Err() == nil {
		if v, ok := fromJSON(text); ok {
			e.example = v
		}
	}
	return e
}

// requiredMessage is what a dialect says of a field that is missing.
func requiredMessage(d *mapping.Dialect, field string) string {
	m := d.Messages["required"]
	if m == nil {
		return strings.ReplaceAll(mapping.DefaultMessages["required"], "{field}", field)
	}
	if m.Field {
		return m.Before + field + m.After
	}
	return m.Before + m.After
}

// maxDepth bounds how deep types are told.
const maxDepth = 12

// typeSchema tells what is known of a value as a schema.
func typeSchema(t *expr.Type, depth int) *object {
	s := obj()
	if t == nil || depth > maxDepth {
		return s
	}
	name := ""
	switch t.Kind {
	case expr.BoolType:
		name = "boolean"
	case expr.NumberType:
		name = "number"
		if t.Integer {
			name = "integer"
		}
	case expr.TextType, expr.TimeType:
		name = "string"
	case expr.ListType:
		name = "array"
	case expr.ObjectType:
		name = "object"
	case expr.NoneType:
		name = "null"
	default:
		return s
	}
	if t.Null && name != "null" {
		s.set("type", list{name, "null"})
	} else {
		s.set("type", name)
	}
	switch t.Kind {
	case expr.TextType:
		if len(t.Enum) > 0 && !t.Null {
			s.set("enum", texts(t.Enum))
		}
	case expr.ListType:
		s.set("items", typeSchema(t.Elem, depth+1))
	case expr.ObjectType:
		required := list{}
		for _, name := range t.Order {
			f := t.Fields[name]
			if f == nil || f.Type == nil {
				continue
			}
			s.within("properties").set(name, typeSchema(f.Type, depth+1))
			if !f.Type.Null && !f.Assumed {
				required = append(required, name)
			}
		}
		if len(required) > 0 {
			s.set("required", required)
		}
	}
	return s
}

func texts(all []string) list {
	l := list{}
	for _, s := range all {
		l = append(l, s)
	}
	return l
}
