package mapping

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// CORS says which pages of other origins may call a dialect's routes from a
// browser (Fetch Standard, 3.2). It is a dialect's and not a caller's: the
// browser asks first, without credentials, and is to be answered then.
type CORS struct {
	Origins []string // exactly: "https://app.example"
	Headers string   // the request header fields pages may send, joined
	MaxAge  string   // seconds the browser may keep the answer; "" for not said
}

// Allows tells whether pages of an origin may call.
func (c *CORS) Allows(origin string) bool { return slices.Contains(c.Origins, origin) }

func corsShape() *yamldoc.Shape {
	return object("cors", "Which pages of other origins may call from a browser. Without it, none; the gateway answers the browser's question (OPTIONS) itself, before anybody signs in.",
		required(key("origins", nonEmpty(texts), "The origins, exactly: `https://app.example`, with the port where it is not the scheme's. There is no wildcard.")),
		key("headers", nonEmpty(texts), "Header fields that pages may send besides Content-Type, X-Request-Id and those of the sign-in."),
		key("max_age", duration, "How long a browser may keep the answer; without it, as long as browsers do (5s)."),
	)
}

// cors compiles a dialect's cors.
func (l *loader) cors(d *Dialect, n *yamldoc.Node) *CORS {
	if n == nil || n.Kind != yamldoc.Map {
		return nil
	}
	c := &CORS{}
	if origins := n.Get("origins"); origins != nil {
		for _, o := range origins.Items {
			if why := badOrigin(o.Text); why != "" {
				l.list.Errorf(o.Span, "cors", "%s is no origin: %s", quoteShort(o.Text), why).
					Help = "write scheme and host as browsers do: https://app.example"
				continue
			}
			c.Origins = append(c.Origins, o.Text)
		}
	}
	headers := []string{"Content-Type", "X-Request-Id"}
	add := func(name string) {
		if name != "" && !slices.ContainsFunc(headers, func(h string) bool { return strings.EqualFold(h, name) }) {
			headers = append(headers, name)
		}
	}
	for _, p := range d.SignIn {
		if p.Place == PlaceHeader {
			add(p.Token)
			add(p.App)
		}
	}
	if own := n.Get("headers"); own != nil {
		for _, h := range own.Items {
			if !headerField(h.Text) {
				l.list.Errorf(h.Span, "cors", "%s is no name of a header field", quoteShort(h.Text)).Help = "name each field; there is no wildcard"
				continue
			}
			add(h.Text)
		}
	}
	c.Headers = strings.Join(headers, ", ")
	if age := n.Get("max_age"); age != nil {
		c.MaxAge = strconv.Itoa(int(l.duration(age, "max_age") / time.Second))
	}
	return c
}

// badOrigin says why a text is not what browsers send as Origin; "" when it is.
func badOrigin(s string) string {
	u, err := url.Parse(s)
	switch {
	case strings.Contains(s, "*"):
		return "there is no wildcard"
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "it begins with http:// or https:// and a host"
	case s != u.Scheme+"://"+u.Host:
		return "it ends after host and port"
	case s != strings.ToLower(s):
		return "browsers write it in lower case"
	case u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80":
		return "browsers leave the scheme's own port out"
	}
	return ""
}

// headerField tells whether a text is a field's name (RFC 9110, 5.1), and not the wildcard.
func headerField(s string) bool {
	if s == "" || s == "*" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return true
}
