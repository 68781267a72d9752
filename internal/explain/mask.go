package explain

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/observe"
)

// stars stand for what is hidden.
const stars = "***"

// hidden is what must not be shown: every word of text that the request or a
// file of answers holds, and every secret. observe.Mask hides numbers of five
// digits and more, addresses and tokens wherever they come from.
type hidden struct {
	words   map[string]bool // lower case
	secrets []string        // whole values
	known   map[string]bool // words of enums: what contracts and mappings say may be there
	names   map[string]bool // keys that mappings write
}

func newHidden() *hidden {
	return &hidden{words: map[string]bool{}, known: map[string]bool{}, names: map[string]bool{}}
}

// shortest is the least number of characters of a word that is hidden.
const shortest = 3

// text hides every word of a received text.
func (h *hidden) text(s string) {
	if !utf8.ValidString(s) { // ISO-8859-1, as old callers send it
		runes := make([]rune, len(s))
		for i := range len(s) {
			runes[i] = rune(s[i])
		}
		s = string(runes)
	}
	if h.known[s] {
		return
	}
	digits := 0
	for _, c := range s {
		if unicode.IsDigit(c) {
			digits++
		}
	}
	for _, w := range words(s) {
		n := utf8.RuneCountInString(w)
		// Digits are hidden by their number, which what stands between them must not make small.
		if n >= shortest && strings.ContainsFunc(w, unicode.IsLetter) || n >= 2 && digits >= manyDigits {
			h.words[strings.ToLower(w)] = true
		}
	}
}

func words(s string) []string {
	return strings.FieldsFunc(s, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.Is(unicode.M, c) })
}

// value hides every text of a received JSON value.
func (h *hidden) value(v jsonx.Value) {
	switch v.Kind() {
	case jsonx.Object, jsonx.Array:
		for it := v.Iter(); it.Next(); {
			h.value(it.Value())
		}
	case jsonx.String:
		h.text(v.Text())
	}
}

// received hides every text of a body, whatever it is.
func (h *hidden) received(body []byte) {
	// Values stand in every shape: as they came, and as the contract reads them.
	if v, err := new(jsonx.Arena).Parse(string(body), false); err == nil {
		h.value(v)
	} else {
		h.text(string(body))
	}
}

// secret hides a value wherever it comes again, whatever it is.
func (h *hidden) secret(v jsonx.Value) {
	switch v.Kind() {
	case jsonx.Object, jsonx.Array:
		for it := v.Iter(); it.Next(); {
			h.secret(it.Value())
		}
	case jsonx.String, jsonx.Number:
		if s := v.Text(); s != "" && !slices.Contains(h.secrets, s) {
			h.secrets = append(h.secrets, s)
			slices.SortFunc(h.secrets, func(a, b string) int { return len(b) - len(a) })
		}
	}
}

// secretsOf hides what a type marks as secret.
func (h *hidden) secretsOf(v jsonx.Value, t *expr.Type) {
	switch {
	case t == nil:
	case t.Secret:
		h.secret(v)
	case v.Kind() == jsonx.Array:
		for it := v.Iter(); it.Next(); {
			h.secretsOf(it.Value(), t.Elem)
		}
	case v.Kind() == jsonx.Object:
		for it := v.Iter(); it.Next(); {
			if f := t.Fields[it.Key().Text()]; f != nil {
				h.secretsOf(it.Value(), f.Type)
			}
		}
	}
}

// knows takes the words of a type's enums for what they are: no one's.
func (h *hidden) knows(t *expr.Type) {
	if t == nil {
		return
	}
	for _, word := range t.Enum {
		h.known[word] = true
	}
	h.knows(t.Elem)
	for _, f := range t.Fields {
		h.knows(f.Type)
	}
}

// request hides what a request brings: all values, and no names of fields.
func (h *hidden) request(r *intake.Request, route *mapping.Route) {
	if route != nil {
		for _, f := range route.Plan.Input.Fields {
			for _, word := range f.Enum {
				h.known[word] = true
			}
		}
	}
	for _, p := range r.Params {
		h.text(p.Value)
	}
	if r.Headers != nil {
		r.Headers(func(name, value string) {
			if name != "Content-Type" {
				h.text(value)
			}
		})
	}
	h.form(r.Query)
	if v, err := new(jsonx.Arena).Parse(r.Body, false); err == nil {
		h.value(v)
		return
	}
	if strings.HasPrefix(strings.ToLower(r.Type), "multipart/") {
		h.text(r.Body)
		if route != nil { // the names of fields stand among it
			for _, f := range route.Plan.Input.Fields {
				for _, name := range f.Names {
					for _, w := range words(name) {
						delete(h.words, strings.ToLower(w))
					}
				}
			}
		}
		return
	}
	h.form(r.Body)
}

func (h *hidden) form(s string) {
	for _, pair := range strings.Split(s, "&") {
		_, value, ok := strings.Cut(pair, "=")
		if !ok {
			value = pair
		}
		if plain, err := url.QueryUnescape(value); err == nil {
			value = plain
		}
		h.text(value)
	}
}

// manyDigits is how many digits make a number that is hidden.
const manyDigits = 5

// numbers are digits and what stands between those of one number: of a
// document, a telephone, a date.
var numbers = regexp.MustCompile(`[0-9][0-9*./() -]*[0-9*]`)

// masked gives a text with what is hidden replaced.
func (h *hidden) masked(s string) string {
	s = numbers.ReplaceAllStringFunc(h.replaced(s), func(n string) string {
		digits := len(n)
		for _, c := range n {
			if c < '0' || c > '9' {
				digits--
			}
		}
		if digits < manyDigits {
			return n
		}
		return stars
	})
	return observe.Mask(s)
}

// name gives a masked name: a field's, or a segment of a path. Long ones are
// nobody's token unless they hold digits.
func (h *hidden) name(s string) string {
	if s = h.replaced(s); strings.ContainsAny(s, "0123456789@") {
		return observe.Mask(s)
	}
	return s
}

func (h *hidden) replaced(s string) string {
	for _, secret := range h.secrets {
		s = strings.ReplaceAll(s, secret, stars)
	}
	var b strings.Builder
	rest := s
	for _, w := range words(s) {
		if h.words[strings.ToLower(w)] {
			i := strings.Index(rest, w)
			b.WriteString(rest[:i] + stars)
			rest = rest[i+len(w):]
			continue
		}
		i := strings.Index(rest, w) + len(w)
		b.WriteString(rest[:i])
		rest = rest[i:]
	}
	return b.String() + rest
}

// target gives a masked path and query.
func (h *hidden) target(s string) string {
	path, query, has := strings.Cut(s, "?")
	segments := strings.Split(path, "/")
	for i, seg := range segments {
		segments[i] = escaped(seg, url.PathUnescape, h.name)
	}
	out := strings.Join(segments, "/")
	if !has {
		return out
	}
	return out + "?" + h.fields(query)
}

// fields gives a masked query or form: names as they are, values hidden where they must be.
func (h *hidden) fields(s string) string {
	pairs := strings.Split(s, "&")
	for i, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		pairs[i] = escaped(name, url.QueryUnescape, h.name)
		if ok {
			pairs[i] += "=" + escaped(value, url.QueryUnescape, h.masked)
		}
	}
	return strings.Join(pairs, "&")
}

// escaped masks a piece by what it means, and leaves one alone in which nothing is hidden.
func escaped(s string, unescape func(string) (string, error), mask func(string) string) string {
	plain, err := unescape(s)
	if err != nil {
		return stars
	}
	if masked := mask(plain); masked != plain {
		return masked
	}
	return s
}

// json appends a masked value. What t marks as secret is hidden whole.
func (h *hidden) json(b []byte, v jsonx.Value, t *expr.Type) []byte {
	if t != nil && t.Secret && !v.None() {
		return append(b, stars...)
	}
	switch v.Kind() {
	case jsonx.Object:
		b = append(b, '{')
		for it := v.Iter(); it.Next(); {
			if b[len(b)-1] != '{' {
				b = append(b, ',')
			}
			key := it.Key().Text()
			name := key
			var of *expr.Type
			if t != nil && t.Fields[key] != nil {
				of = t.Fields[key].Type
			} else if !h.names[key] {
				name = h.name(key)
			}
			b = jsonx.AppendQuoted(b, name)
			b = h.json(append(b, ':'), it.Value(), of)
		}
		return append(b, '}')
	case jsonx.Array:
		var of *expr.Type
		if t != nil {
			of = t.Elem
		}
		b = append(b, '[')
		for it := v.Iter(); it.Next(); {
			if b[len(b)-1] != '[' {
				b = append(b, ',')
			}
			b = h.json(b, it.Value(), of)
		}
		return append(b, ']')
	case jsonx.String:
		return jsonx.AppendQuoted(b, h.masked(v.Text()))
	case jsonx.Number:
		return append(b, h.masked(v.Text())...)
	default:
		return v.AppendJSON(b)
	}
}

// most is how many characters of one value are shown.
const most = 500

// body gives a masked body, whatever it is, at most so long.
func (h *hidden) body(raw []byte, form bool, t *expr.Type) string {
	var s string
	switch v, err := new(jsonx.Arena).Parse(string(raw), false); {
	case form:
		s = h.fields(string(raw))
	case err == nil:
		s = string(h.json(nil, v, t))
	default:
		s = strings.Join(strings.Fields(h.masked(strings.ToValidUTF8(string(raw), "?"))), " ")
	}
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + " … (cut)"
	}
	return s
}
