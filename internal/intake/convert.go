package intake

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// conv converts received values to what the fields say. It writes the result
// as JSON, in the order of the fields, and notes the faults.
type conv struct {
	arena  *jsonx.Arena
	absent []string // texts that count as no value
	mark   jsonx.Mark
	buf    []byte
	path   []place // to the field at hand
	faults []Fault
}

// place is one step of a path: a member's name, or the number of an element.
type place struct {
	name  string
	index int // -1 for a member
}

var convs = sync.Pool{New: func() any { return new(conv) }}

// newConv gives a conv from a pool; release gives it back.
func newConv(a *jsonx.Arena, absent []string) *conv {
	c := convs.Get().(*conv)
	c.arena, c.absent = a, absent
	c.mark, c.buf = a.Mark(), a.Buf() // the arena's scratch: until end, nothing else is built there but lists
	return c
}

// release keeps the room for the path only; faults are the caller's.
func (c *conv) release() {
	*c = conv{path: c.path[:0]}
	convs.Put(c)
}

// end gives what was written as a value; it lacks what is not right.
func (c *conv) end() jsonx.Value {
	c.arena.SetBuf(c.buf)
	return c.arena.Index(c.arena.Text(c.mark))
}

// push goes into a member.
func (c *conv) push(name string) { c.path = append(c.path, place{name: name, index: -1}) }

// pushIndex goes into an element.
func (c *conv) pushIndex(i int) { c.path = append(c.path, place{index: i}) }

func (c *conv) pop() { c.path = c.path[:len(c.path)-1] }

// field gives the field at hand as messages name it, and its JSON Pointer.
func (c *conv) field() (name, pointer string) {
	var n, p []byte
	for _, at := range c.path {
		p = append(p, '/')
		if at.index >= 0 {
			n = append(n, '[')
			n = strconv.AppendInt(n, int64(at.index), 10)
			n = append(n, ']')
			p = strconv.AppendInt(p, int64(at.index), 10)
			continue
		}
		if len(n) > 0 {
			n = append(n, '.')
		}
		n = append(n, at.name...)
		p = append(p, jsonx.PointerToken(at.name)...)
	}
	return string(n), string(p)
}

// maxFaults is how many faults are told: a long list that is wrong throughout
// would make an answer many times its length.
const maxFaults = 100

// fault notes that the field at hand is not right.
func (c *conv) fault(keyword string) {
	if len(c.faults) == maxFaults {
		return
	}
	name, pointer := c.field()
	c.faults = append(c.faults, Fault{Field: name, Pointer: pointer, Keyword: keyword})
}

// none tells whether v counts as no value.
func (c *conv) none(v jsonx.Value) bool {
	if v.None() {
		return true
	}
	if v.Kind() != jsonx.String || len(c.absent) == 0 {
		return false
	}
	text := v.Text()
	for _, a := range c.absent {
		if text == a {
			return true
		}
	}
	return false
}

// members converts an object's fields; others in it are left out.
func (c *conv) members(fields []*mapping.InputField, from jsonx.Value) {
	c.buf = append(c.buf, '{')
	for _, f := range fields {
		c.push(f.Name)
		var v jsonx.Value
		ok := true
		for _, name := range f.Names {
			if v, ok = c.inDoc(from, name); !ok || !c.none(v) {
				break
			}
		}
		c.member(f, v, ok)
		c.pop()
	}
	c.buf = append(c.buf, '}')
}

// member writes one member, its default when there is no value, or nothing.
// ok is false when a fault has been noted already.
func (c *conv) member(f *mapping.InputField, v jsonx.Value, ok bool) {
	none := c.none(v)
	if none && f.Default.Kind() == jsonx.Absent {
		if f.Required && ok {
			c.fault("required")
		}
		return
	}
	before := len(c.buf)
	if c.buf[before-1] != '{' {
		c.buf = append(c.buf, ',')
	}
	c.buf = jsonx.AppendQuoted(c.buf, f.Name)
	c.buf = append(c.buf, ':')
	if none {
		c.buf = f.Default.AppendJSON(c.buf)
		return
	}
	if keyword := c.value(f, v); keyword != "" {
		c.buf = c.buf[:before]
		c.fault(keyword)
	}
}

// value writes a value as f says. It gives the check that failed; faults
// inside a list or an object it notes itself.
func (c *conv) value(f *mapping.InputField, v jsonx.Value) (keyword string) {
	kind := expr.AnyType
	if f.Type != nil {
		kind = f.Type.Kind
	}
	switch {
	case f.List || kind == expr.ListType:
		return c.list(f, v)
	case kind == expr.ObjectType:
		if v.Kind() != jsonx.Object {
			return "type"
		}
		if f.Fields != nil {
			c.members(f.Fields, v)
		} else {
			c.buf = v.AppendJSON(c.buf)
		}
	case kind == expr.NumberType:
		return c.number(f, v)
	case kind == expr.BoolType:
		return c.boolean(v)
	case kind == expr.TextType:
		return c.text(f, v)
	default:
		if v.Kind() == jsonx.String && !utf8.ValidString(v.Text()) {
			return "type"
		}
		c.buf = v.AppendJSON(c.buf)
	}
	return ""
}

func (c *conv) list(f *mapping.InputField, v jsonx.Value) (keyword string) {
	if v.Kind() != jsonx.Array {
		return "type"
	}
	n := 0
	c.buf = append(c.buf, '[')
	for it := v.Iter(); it.Next(); n++ {
		if n > 0 {
			c.buf = append(c.buf, ',')
		}
		c.pushIndex(n)
		switch e := it.Value(); {
		case f.Items == nil:
			c.buf = e.AppendJSON(c.buf)
		case c.none(e): // a gap in a list has no default to fill it
			c.buf = append(c.buf, "null"...)
			c.fault("required")
		default:
			before := len(c.buf)
			if keyword := c.value(f.Items, e); keyword != "" {
				c.buf = append(c.buf[:before], "null"...)
				c.fault(keyword)
			}
		}
		c.pop()
	}
	c.buf = append(c.buf, ']')
	return lengthFault(f, n)
}

func lengthFault(f *mapping.InputField, n int) string {
	switch {
	case n < f.MinLength:
		return "minLength"
	case f.MaxLength > 0 && n > f.MaxLength:
		return "maxLength"
	}
	return ""
}

// number writes a number: JSON's own, or text that spells one between blanks.
// An integer's text is digits and nothing else.
func (c *conv) number(f *mapping.InputField, v jsonx.Value) (keyword string) {
	var digits string
	switch v.Kind() {
	case jsonx.Number:
		digits = v.Text()
		if f.Type.Integer && !allDigits(strings.TrimPrefix(digits, "-")) {
			return "type"
		}
	case jsonx.String:
		digits = strings.Trim(v.Text(), " \t\r\n")
		if f.Type.Integer && !allDigits(digits) {
			return "type"
		}
		if digits = plainZeros(digits); !isNumber(digits) {
			return "type"
		}
	default:
		return "type"
	}
	switch {
	case len(f.Enum) > 0 && !oneOf(f.Enum, digits):
		return "enum"
	case f.Min != nil && compare(digits, f.Min) < 0:
		return "minimum"
	case f.Max != nil && compare(digits, f.Max) > 0:
		return "maximum"
	}
	c.buf = append(c.buf, digits...)
	return ""
}

// compare orders a number's digits and a limit.
func compare(digits string, limit *jsonx.Decimal) int {
	if d, ok := jsonx.ParseDecimal(digits); ok {
		return d.Cmp(*limit)
	}
	return jsonx.CompareNumbers(digits, string(limit.Append(nil)))
}

// oneOf tells whether digits spell one of the numbers of an enum.
func oneOf(enum []string, digits string) bool {
	for _, e := range enum {
		if e == digits || isNumber(e) && jsonx.CompareNumbers(e, digits) == 0 {
			return true
		}
	}
	return false
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// plainZeros drops leading zeros, which JSON numbers do not have: "008006".
func plainZeros(s string) string {
	for len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' {
		s = s[1:]
	}
	return s
}

// isNumber tells whether s is a JSON number (RFC 8259, 6).
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, rest := leadingDigits(s)
	if whole == "" || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	if strings.HasPrefix(rest, ".") {
		var fraction string
		if fraction, rest = leadingDigits(rest[1:]); fraction == "" {
			return false
		}
	}
	if rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		rest = rest[1:]
		if rest != "" && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		return allDigits(rest)
	}
	return rest == ""
}

func leadingDigits(s string) (digits, rest string) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}

// boolean writes true or false; 1 and 0 are how forms and many clients say them.
func (c *conv) boolean(v jsonx.Value) (keyword string) {
	yes := false
	switch v.Kind() {
	case jsonx.Bool:
		yes = v.Bool()
	case jsonx.String, jsonx.Number:
		switch text := v.Text(); {
		case text == "1", strings.EqualFold(text, "true"):
			yes = true
		case text == "0", strings.EqualFold(text, "false"):
		default:
			return "type"
		}
	default:
		return "type"
	}
	c.buf = strconv.AppendBool(c.buf, yes)
	return ""
}

// text writes a text, in its format's normal form. A number's digits are a text, too.
func (c *conv) text(f *mapping.InputField, v jsonx.Value) (keyword string) {
	if v.Kind() != jsonx.String && v.Kind() != jsonx.Number {
		return "type"
	}
	text := v.Text()
	if !utf8.ValidString(text) {
		return "type"
	}
	if f.Format != nil && f.Format.Normal != nil {
		var ok bool
		if text, ok = f.Format.Normal(text); !ok {
			return "format"
		}
	}
	if len(f.Enum) > 0 {
		found := false
		for _, e := range f.Enum {
			found = found || e == text
		}
		if !found {
			return "enum"
		}
	}
	if f.Pattern != nil && !f.Pattern(text) {
		return "pattern"
	}
	if f.MinLength > 0 || f.MaxLength > 0 {
		if keyword := lengthFault(f, utf8.RuneCountInString(text)); keyword != "" {
			return keyword
		}
	}
	if f.Format == nil && v.Kind() == jsonx.String {
		// As it was received: an escape that is no character (a lone surrogate)
		// is passed on, not replaced.
		c.buf = v.AppendJSON(c.buf)
	} else {
		c.buf = jsonx.AppendQuoted(c.buf, text)
	}
	return ""
}
