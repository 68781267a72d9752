package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// object is a JSON object that keeps its order. A document is made of objects,
// lists, strings, bools, and raw JSON, which numbers are, as they are spelled.
type object struct {
	keys   []string
	values map[string]any
}

type list []any

// raw is a value that is JSON already.
type raw string

func obj(pairs ...any) *object {
	o := &object{values: map[string]any{}}
	for i := 0; i < len(pairs); i += 2 {
		o.set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// set sets a key; what it had before is replaced.
func (o *object) set(key string, v any) {
	if _, have := o.values[key]; !have {
		o.keys = append(o.keys, key)
	}
	o.values[key] = v
}

// say sets a key to a text, when there is one.
func (o *object) say(key, text string) {
	if text = strings.TrimSpace(text); text != "" {
		o.set(key, text)
	}
}

// add adds a sentence to a text.
func (o *object) add(key, sentence string) {
	before, _ := o.values[key].(string)
	o.say(key, strings.TrimSpace(before+" "+sentence))
}

// within gives the object under a key, made when there is none.
func (o *object) within(key string) *object {
	if in, ok := o.values[key].(*object); ok {
		return in
	}
	in := obj()
	o.set(key, in)
	return in
}

// drop forgets a key.
func (o *object) drop(key string) {
	delete(o.values, key)
	o.keys = slices.DeleteFunc(o.keys, func(k string) bool { return k == key })
}

func (o *object) has(key string) bool { _, ok := o.values[key]; return ok }

// number gives a number as it is spelled; one that readers of documents cannot
// hold as a text.
func number(digits string) any {
	if _, err := strconv.ParseFloat(digits, 64); err != nil {
		return digits
	}
	return raw(digits)
}

// fromNode gives a YAML constant.
func fromNode(n *yamldoc.Node) any {
	switch n.Kind {
	case yamldoc.Map:
		o := obj()
		for _, e := range n.Entries {
			o.set(e.Key.Text, fromNode(e.Value))
		}
		return o
	case yamldoc.List:
		l := list{}
		for _, i := range n.Items {
			l = append(l, fromNode(i))
		}
		return l
	case yamldoc.Text:
		return n.Text
	case yamldoc.Null:
		return raw("null")
	case yamldoc.Bool:
		return raw(strings.ToLower(n.Text))
	default:
		return number(n.Text)
	}
}

// fromJSON gives JSON text as values, its escapes undone: YAML, which documents
// are read as, too, knows no pairs of them.
func fromJSON(text []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := nextValue(d)
	if err != nil {
		return nil, false
	}
	_, err = d.Token()
	return v, errors.Is(err, io.EOF)
}

func nextValue(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		return number(string(t)), nil
	case nil:
		return raw("null"), nil
	case json.Delim:
		o, l := obj(), list{}
		for d.More() {
			key := ""
			if t == '{' {
				k, err := d.Token()
				if err != nil {
					return nil, err
				}
				key = k.(string)
			}
			v, err := nextValue(d)
			if err != nil {
				return nil, err
			}
			if t == '{' {
				o.set(key, v)
			} else {
				l = append(l, v)
			}
		}
		if _, err := d.Token(); err != nil {
			return nil, err
		}
		if t == '{' {
			return o, nil
		}
		return l, nil
	default: // string, bool
		return t, nil
	}
}

// appendJSON appends a value as JSON without blanks.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case *object:
		b = append(b, '{')
		for i, k := range v.keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, k), ':')
			b = appendJSON(b, v.values[k])
		}
		return append(b, '}')
	case list:
		b = append(b, '[')
		for i := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, v[i])
		}
		return append(b, ']')
	case raw:
		return append(b, v...)
	case string:
		return appendText(b, v)
	case bool:
		if v {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	default:
		panic("openapi: a value of no kind that documents are made of")
	}
}

func appendText(b []byte, s string) []byte {
	if !strings.ContainsAny(s, "\u2028\u2029") { // which end lines in YAML
		return jsonx.AppendQuoted(b, s)
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text is always written
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// plainKey is a key that YAML needs no quotes for.
var plainKey = regexp.MustCompile(`^[A-Za-z_$/][A-Za-z0-9_./{}$-]*$`)

// appendYAML appends a value as block YAML; texts, and what is JSON already, as JSON spells them.
func appendYAML(b []byte, v any, indent string) []byte {
	switch v := v.(type) {
	case *object:
		if len(v.keys) == 0 {
			return append(b, " {}\n"...)
		}
		if indent != "" {
			b = append(b, '\n')
		}
		for _, k := range v.keys {
			b = append(b, indent...)
			switch strings.ToLower(k) {
			case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
				b = appendText(b, k)
			default:
				if plainKey.MatchString(k) {
					b = append(b, k...)
				} else {
					b = appendText(b, k)
				}
			}
			b = append(b, ':')
			b = appendYAML(b, v.values[k], indent+"  ")
		}
		return b
	case list:
		if len(v) == 0 {
			return append(b, " []\n"...)
		}
		b = append(b, '\n')
		for i := range v {
			b = append(append(b, indent...), '-')
			b = appendYAML(b, v[i], indent+"  ")
		}
		return b
	default:
		return append(appendJSON(append(b, ' '), v), '\n')
	}
}
