package jsonx

import (
	"errors"
	"fmt"
	"strings"
)

// part is one step of a path.
type part struct {
	name   string // the key, without escapes
	index  int    // the element's number, or -1
	all    bool   // "#": every element
	forced bool   // ":1": a key although it is all digits
}

// CheckPath tells at load whether path is one Set and Delete can follow.
//
// A path is keys and element numbers between points: user.name, items.0.id,
// items.#.id (every element). A backslash takes the meaning from the character
// behind it (a\.b is one key); ":1" is the key "1", never an element.
func CheckPath(path string) error {
	_, err := splitPath(path)
	return err
}

func splitPath(path string) ([]part, error) {
	if path == "" {
		return nil, errors.New("the path is empty")
	}
	if path[0] == '/' {
		return nil, fmt.Errorf("the path %q begins with a slash; steps are parted by points, as in user.name", path)
	}
	var parts []part
	for rest, more := path, true; more; {
		var raw string
		raw, rest, more = cutPart(rest)
		p, err := readPart(raw)
		if err != nil {
			return nil, fmt.Errorf("the path %q %w", path, err)
		}
		if raw == "$" && len(parts) == 0 && more {
			return nil, fmt.Errorf(`the path %q begins with "$."; leave that out, a path begins at the document`, path)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// cutPart cuts path at the first point that is not escaped.
func cutPart(path string) (part, rest string, more bool) {
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '.':
			return path[:i], path[i+1:], true
		}
	}
	return path, "", false
}

// What these characters mean to gjson or sjson is not what a path to be
// changed means, or differs between the two: they are refused by name.
const (
	special   = "*?|#@!:"
	escapable = special + `.\$/-~%&<>=+`
)

func readPart(raw string) (part, error) {
	p := part{index: -1}
	switch {
	case raw == "":
		return p, errors.New("has an empty step; two points follow each other, or one stands at its begin or end")
	case raw == "#":
		p.all = true
		return p, nil
	case raw == "-1":
		return p, errors.New(`has the step "-1", which would append when setting and take the last when deleting; write the element's number`)
	case raw[0] == '#':
		return p, errors.New(`has a query or count behind "#"; only "#" alone can be followed, which is every element`)
	case raw[0] == ':':
		if !allDigits(raw[1:]) {
			return p, errors.New(`has a step that begins with ":", which makes a key of a number only; write "\:" if the key begins so`)
		}
		p.name, p.forced = raw[1:], true
		return p, nil
	case allDigits(raw):
		if len(raw) > 4 || len(raw) > 1 && raw[0] == '0' {
			return p, fmt.Errorf(`has the step %q, which is no element's number up to 9999; write ":%s" if it is a key`, raw, raw)
		}
		for _, c := range []byte(raw) {
			p.index = max(p.index, 0)*10 + int(c-'0')
		}
	}
	name := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '\\':
			i++
			if i == len(raw) {
				return p, errors.New("has a backslash with nothing behind it")
			}
			if c = raw[i]; strings.IndexByte(escapable, c) < 0 {
				return p, fmt.Errorf("has a backslash before %q, which needs none or cannot stand in a path", raw[i:i+1])
			}
		case c == '[' || c == ']':
			return p, errors.New("has brackets; an element is written behind a point, as in items.0")
		case c == '*':
			return p, errors.New(`has "*"; every element is "#", and a key that holds a star is written with "\*"`)
		case c == ':' && i > 0, c == '!' && i > 0:
		case strings.IndexByte(special, c) >= 0:
			return p, fmt.Errorf(`has %q, which cannot be followed here; write "\%c" if the key holds it`, raw[i:i+1], c)
		case c < ' ' || strings.IndexByte(`"{}()`, c) >= 0:
			return p, fmt.Errorf("has %q, which cannot stand in a path", raw[i:i+1])
		}
		name = append(name, c)
	}
	p.name = string(name)
	return p, nil
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// sjsonPath spells parts, which hold no "#", so that sjson and gjson take each name as exact text.
func sjsonPath(parts []part) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte('.')
		}
		if p.forced {
			b.WriteByte(':')
		}
		for _, c := range []byte(p.name) {
			if strings.IndexByte(escapable, c) >= 0 && c != '-' && c != '/' && c != '$' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		}
	}
	return b.String()
}
