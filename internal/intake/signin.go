package intake

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// credentials is what was found in all places: they must agree.
type credentials struct {
	token, app string
	needsApp   bool // a token came from a place that has one beside it
	wrong      bool // two that disagree, or one that is no text
}

// add takes one in. A token from a place with an app beside it is nothing without one.
func (c *credentials) add(into *string, value string, place *mapping.SignInPlace) {
	if value != "" && into == &c.token && place.App != "" {
		c.needsApp = true
	}
	switch {
	case value == "": // left empty is left out
	case *into == "":
		*into = value
	case *into != value:
		c.wrong = true
	}
}

// SignIn finds who calls: credentials from the dialect's places, constant-time,
// never from input. Nothing given at all is NotSignedIn; whatever is given and
// not right, half given, or given differently in two places is BadSignIn.
// Schemes of Authorization that the dialect does not name are not looked at.
// Where a place has no app beside its token, the token alone is enough; an app
// that is given anywhere must be the caller's.
func SignIn(f *Fields, r *Request, d *mapping.Dialect, callers []*Caller) (*Caller, *Problem) {
	var got credentials
	for i := range d.SignIn {
		place := &d.SignIn[i]
		basic := place.Place == mapping.PlaceHeader && strings.EqualFold(place.Scheme, "Basic")
		switch place.Place {
		case mapping.PlaceBody:
			if f != nil {
				got.fromDoc(f.doc, place)
				got.fromPairs(f.body, place)
			}
		case mapping.PlaceQuery:
			if f != nil {
				got.fromPairs(f.query, place)
			}
		case mapping.PlaceHeader:
			got.fromHeader(r, place, basic)
		}
	}
	switch {
	case got.wrong:
		return nil, &Problem{Kind: mapping.BadSignIn, Aim: aimedAt(&got, d, callers)}
	case got.token == "" && got.app == "":
		return nil, &Problem{Kind: mapping.NotSignedIn}
	case got.token == "" || got.needsApp && got.app == "":
		return nil, &Problem{Kind: mapping.BadSignIn, Aim: aimedAt(&got, d, callers)}
	}
	if c := match(&got, d, callers); c != nil {
		return c, nil
	}
	return nil, &Problem{Kind: mapping.BadSignIn, Aim: aimedAt(&got, d, callers)}
}

// aimedAt gives the caller whose application was named, or where none is, the
// first that has none.
func aimedAt(got *credentials, d *mapping.Dialect, callers []*Caller) string {
	for _, c := range callers {
		if c.Dialect == d.Name && c.App == got.app {
			return c.Name
		}
	}
	return ""
}

// match compares with every secret of every caller of the dialect, so that the
// time taken tells nothing of which one was nearly right.
func match(got *credentials, d *mapping.Dialect, callers []*Caller) *Caller {
	sum := sha256.Sum256([]byte(got.token))
	found := -1
	for i, c := range callers {
		if c.Dialect != d.Name {
			continue
		}
		is := 0
		for j := range c.Secrets {
			is |= subtle.ConstantTimeCompare(sum[:], c.Secrets[j][:])
		}
		if got.app != "" {
			is &= subtle.ConstantTimeCompare([]byte(got.app), []byte(c.App)) // no secret: its length may show
		}
		found = subtle.ConstantTimeSelect(is, i, found)
	}
	if found < 0 {
		return nil
	}
	return callers[found]
}

func (c *credentials) fromDoc(doc jsonx.Value, place *mapping.SignInPlace) {
	if doc.Kind() != jsonx.Object {
		return
	}
	for it := doc.Iter(); it.Next(); {
		key := it.Key().Text()
		var into *string
		switch {
		case key == place.Token:
			into = &c.token
		case place.App != "" && key == place.App:
			into = &c.app
		default:
			continue
		}
		switch v := it.Value(); v.Kind() {
		case jsonx.Null:
		case jsonx.String, jsonx.Number:
			c.add(into, v.Text(), place)
		default:
			c.wrong = true
		}
	}
}

func (c *credentials) fromPairs(pairs []pair, place *mapping.SignInPlace) {
	for i := range pairs {
		switch p := &pairs[i]; {
		case p.name == place.Token:
			c.add(&c.token, p.value, place)
		case place.App != "" && p.name == place.App:
			c.add(&c.app, p.value, place)
		}
	}
}

func (c *credentials) fromHeader(r *Request, place *mapping.SignInPlace, basic bool) {
	if r.Header == nil {
		return
	}
	value := strings.Trim(r.Header(place.Token), " \t")
	if place.Scheme != "" {
		scheme, rest, _ := strings.Cut(value, " ")
		if !strings.EqualFold(scheme, place.Scheme) { // RFC 9110, 11.1: schemes have no case
			value = ""
		} else {
			value = strings.Trim(rest, " \t")
		}
	}
	if basic && value != "" {
		c.fromBasic(value, place)
		return
	}
	c.add(&c.token, value, place)
	if place.App != "" {
		c.add(&c.app, strings.Trim(r.Header(place.App), " \t"), place)
	}
}

// fromBasic reads a dialect's HTTP Basic (RFC 7617): the user is the app, the
// password the token.
func (c *credentials) fromBasic(value string, place *mapping.SignInPlace) {
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		c.wrong = true
		return
	}
	user, password, ok := strings.Cut(string(raw), ":")
	if !ok {
		c.wrong = true
		return
	}
	c.needsApp = true
	c.add(&c.app, user, place)
	c.add(&c.token, password, place)
}
