package contract

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// json gives a YAML value as JSON text, numbers with their digits.
func (l *loader) json(n *yamldoc.Node) ([]byte, bool) {
	before := len(l.list)
	b := l.appendJSON(nil, n)
	return b, len(l.list) == before
}

func (l *loader) appendJSON(dst []byte, n *yamldoc.Node) []byte {
	switch n.Kind {
	case yamldoc.Null:
		return append(dst, "null"...)
	case yamldoc.Bool:
		return append(dst, strings.ToLower(n.Text)...)
	case yamldoc.Number:
		if !gjson.Valid(n.Text) {
			l.list.Errorf(n.Span, ruleExample, "JSON cannot hold this number as it is written").Help = "write it as JSON does, or in quotes"
			return append(dst, '0')
		}
		return append(dst, n.Text...)
	case yamldoc.List:
		dst = append(dst, '[')
		for i, item := range n.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = l.appendJSON(dst, item)
		}
		return append(dst, ']')
	case yamldoc.Map:
		dst = append(dst, '{')
		for i, e := range n.Entries {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = jsonx.AppendQuoted(dst, e.Key.Text)
			dst = append(dst, ':')
			dst = l.appendJSON(dst, e.Value)
		}
		return append(dst, '}')
	default:
		return jsonx.AppendQuoted(dst, n.Text)
	}
}

// misspelt warns of fields of an inferred contract's example that its schema
// does not name while it names one spelled nearly so, which the example lacks:
// such contracts hold what either says, so that nothing else would notice.
func (l *loader) misspelt(n *yamldoc.Node, t *expr.Type) {
	if n == nil || t == nil {
		return
	}
	for _, item := range n.Items {
		l.misspelt(item, t.Elem)
	}
	for _, e := range n.Entries {
		if f := t.Fields[e.Key.Text]; f != nil {
			l.misspelt(e.Value, f.Type)
			continue
		}
		var lacking []string
		for _, name := range t.Order {
			if n.Get(name) == nil {
				lacking = append(lacking, name)
			}
		}
		if near := diag.Suggest(e.Key.Text, lacking); near != "" {
			l.list.Warnf(e.Key.Span, ruleExample, "the schema names no field %s, which the example has", short(e.Key.Text)).
				Help = "did you mean " + near + "?"
		}
	}
}

// way is how strictly an example is held against its schema.
type way struct {
	open    bool // fields that the schema does not name are fine, as of an inferred contract
	lenient bool // "5" is 5, blank text and null are none, as of requests
}

// misfits gives what an example has wrong, each where it stands. The words never quote values.
func (l *loader) misfits(ex *yamldoc.Node, s *Schema, w way) diag.List {
	m := &misfit{way: w, l: l}
	if l.read > maxSchemas {
		return nil // which has been told
	}
	m.value(ex, s, "")
	return m.list
}

// fits tells what an example has wrong.
func (l *loader) fits(ex *yamldoc.Node, s *Schema, w way) { l.list.Add(l.misfits(ex, s, w)) }

// misfit holds one example against its schema.
type misfit struct {
	way
	l    *loader
	list diag.List
}

func (m *misfit) say(n *yamldoc.Node, where, format string, args ...any) {
	subject := "the example "
	if where != "" {
		subject = where + " of the example "
	}
	m.list.Errorf(n.FirstLine(), ruleExample, subject+format, args...)
}

// kindOf gives the types a node has, and, with lenience, those it can be taken for.
func (m *misfit) kindOf(n *yamldoc.Node, wanted Types) Types {
	switch n.Kind {
	case yamldoc.Null:
		return IsNull
	case yamldoc.Bool:
		return IsBoolean
	case yamldoc.Number:
		t := IsNumber
		if d, ok := jsonx.ParseDecimal(n.Text); ok && wholeDecimal(d) {
			t |= IsInteger
		}
		if m.lenient && wanted&t == 0 {
			t |= IsString
			if n.Text == "0" || n.Text == "1" {
				t |= IsBoolean
			}
		}
		return t
	case yamldoc.Text:
		t := IsString
		if m.lenient && wanted&t == 0 {
			if d, ok := jsonx.ParseDecimal(strings.TrimSpace(n.Text)); ok {
				t |= IsNumber
				if wholeDecimal(d) {
					t |= IsInteger
				}
			}
			if n.Text == "true" || n.Text == "false" {
				t |= IsBoolean
			}
		}
		return t
	case yamldoc.List:
		return IsArray
	default:
		return IsObject
	}
}

func (m *misfit) value(n *yamldoc.Node, s *Schema, where string) {
	if s.Types != 0 && s.Types&m.kindOf(n, s.Types) == 0 {
		m.say(n, where, "is %s, the schema wants %s", nodeWords(n), s.Types)
		return
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e jsonx.Value) bool { return m.equal(n, e) }) {
		if s.constant {
			m.say(n, where, "is not the schema's const")
		} else {
			m.say(n, where, "is none of the schema's enum")
		}
	}
	switch n.Kind {
	case yamldoc.Text, yamldoc.Number:
		m.scalar(n, s, where)
	case yamldoc.List:
		m.elements(n, s, where)
	case yamldoc.Map:
		m.object(n, s, where)
	default:
	}
	m.alternatives(n, s, where)
}

// alternatives holds n against anyOf and oneOf.
func (m *misfit) alternatives(n *yamldoc.Node, s *Schema, where string) {
	fitting := func(all []*Schema) (count int) {
		for _, a := range all {
			if len(m.l.misfits(n, a, m.way)) == 0 {
				count++
			}
		}
		return count
	}
	if len(s.AnyOf) > 0 && fitting(s.AnyOf) == 0 {
		m.say(n, where, "does not fit the schema's anyOf")
	}
	if len(s.OneOf) > 0 && fitting(s.OneOf) != 1 {
		m.say(n, where, "does not fit the schema's oneOf")
	}
}

func (m *misfit) scalar(n *yamldoc.Node, s *Schema, where string) {
	if n.Kind == yamldoc.Text || s.Types&(IsNumber|IsInteger) == 0 && s.Types&IsString != 0 {
		switch length := utf8.RuneCountInString(n.Text); {
		case length < s.Lengths.Fewest:
			m.say(n, where, "is shorter than the schema's minLength %d", s.Lengths.Fewest)
		case s.Lengths.Most >= 0 && length > s.Lengths.Most:
			m.say(n, where, "is longer than the schema's maxLength %d", s.Lengths.Most)
		}
		if s.Pattern != nil && !s.Pattern.MatchString(n.Text) {
			m.say(n, where, "does not match the schema's pattern")
		}
	}
	d, ok := jsonx.ParseDecimal(strings.TrimSpace(n.Text))
	if !ok || n.Kind == yamldoc.Text && s.Types&IsString != 0 {
		return
	}
	for _, b := range []struct {
		word  string
		bound *jsonx.Decimal
		fits  func(int) bool
	}{
		{"minimum", s.Least, func(c int) bool { return c >= 0 }},
		{"maximum", s.Most, func(c int) bool { return c <= 0 }},
		{"exclusiveMinimum", s.Above, func(c int) bool { return c > 0 }},
		{"exclusiveMaximum", s.Below, func(c int) bool { return c < 0 }},
	} {
		if b.bound != nil && !b.fits(d.Cmp(*b.bound)) {
			m.say(n, where, "does not fit the schema's %s", b.word)
		}
	}
}

func (m *misfit) elements(n *yamldoc.Node, s *Schema, where string) {
	switch have := len(n.Items); {
	case have < s.Elements.Fewest:
		m.say(n, where, "has fewer elements than the schema's minItems %d", s.Elements.Fewest)
	case s.Elements.Most >= 0 && have > s.Elements.Most:
		m.say(n, where, "has more elements than the schema's maxItems %d", s.Elements.Most)
	}
	if s.Items == nil {
		return
	}
	for i, item := range n.Items {
		m.value(item, s.Items, where+"["+itoa(i)+"]")
	}
}

func (m *misfit) object(n *yamldoc.Node, s *Schema, where string) {
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Required && n.Get(f.Name) == nil {
			m.say(n, where, "has no %s, which the schema requires", short(f.Name))
		}
	}
	for _, e := range n.Entries {
		f := s.Property(e.Key.Text)
		inside := short(e.Key.Text)
		if where != "" {
			inside = where + "." + inside
		}
		switch {
		case f == nil && (m.open || s.Open):
		case f == nil:
			subject := "the example"
			if where != "" {
				subject = where + " of the example"
			}
			m.list.Errorf(e.Key.Span, ruleExample, "%s has %s, which the schema does not name", subject, short(e.Key.Text)).
				Help = "add it to properties, or set additionalProperties: true"
		case m.lenient && !f.Required && (e.Value.Kind == yamldoc.Null || e.Value.Kind == yamldoc.Text && strings.TrimSpace(e.Value.Text) == ""):
			// null and blank text are none
		default:
			m.value(e.Value, f.Schema, inside)
		}
	}
}

// equal tells whether a node is a constant.
func (m *misfit) equal(n *yamldoc.Node, c jsonx.Value) bool {
	switch {
	case n.Kind == yamldoc.Null || c.Kind() == jsonx.Null:
		return n.Kind == yamldoc.Null && c.Kind() == jsonx.Null
	case n.Kind == yamldoc.Text && c.Kind() == jsonx.String:
		return n.Text == c.Text()
	case c.Kind() == jsonx.Number && (n.Kind == yamldoc.Number || m.lenient && n.Kind == yamldoc.Text):
		d, ok := jsonx.ParseDecimal(n.Text)
		e, same := jsonx.ParseDecimal(c.Text())
		return ok && same && d.Cmp(e) == 0
	case c.Kind() == jsonx.String && n.Kind == yamldoc.Number && m.lenient:
		return n.Text == c.Text()
	}
	quiet := &loader{}
	raw, ok := quiet.json(n)
	return ok && jsonx.Equal(jsonx.RawValue(string(raw)), c)
}

// wholeDecimal tells whether a number has no fraction.
func wholeDecimal(d jsonx.Decimal) bool {
	rest, ok := d.Rem(decimalOne)
	return ok && rest.Cmp(jsonx.Decimal{}) == 0
}

var decimalOne, _ = jsonx.ParseDecimal("1")

// String gives the types' names, joined by "or".
func (t Types) String() string {
	var names []string
	for i, name := range typeNames {
		if t&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " or ")
}

// nodeWords say what a node is.
func nodeWords(n *yamldoc.Node) string {
	return [...]string{"null", "true or false", "a number", "a text", "a list", "an object"}[n.Kind]
}
