package foreign

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// step is one way down: an entry of a map, or an element of a list.
type step struct {
	in    *node
	entry *entry // nil: an element
	item  *node
}

// writer writes nodes as YAML that the strict reader takes, and keeps which
// nodes stand in which line.
type writer struct {
	b     strings.Builder
	lines [][]step // by line, from 0: the ways to what begins there, the innermost last
	way   []step
}

// plain is what may stand without quotes.
var plain = regexp.MustCompile(`^[A-Za-z/$][A-Za-z0-9_./{}$-]*( [A-Za-z0-9_./-]+)*$`)

// words that YAML, of any version, takes for something else than texts.
var reserved = regexp.MustCompile(`(?i)^(true|false|yes|no|on|off|y|n|null)$`)

func quoted(s string) string {
	if plain.MatchString(s) && !reserved.MatchString(s) && !strings.HasSuffix(s, ":") {
		return s
	}
	return string(jsonx.AppendQuoted(nil, s))
}

func (w *writer) line(indent int, s string) {
	w.b.WriteString(strings.Repeat(" ", indent))
	w.b.WriteString(s)
	w.end()
}

// end ends a line, and keeps what stood in it.
func (w *writer) end() {
	w.b.WriteByte('\n')
	w.lines = append(w.lines, append([]step(nil), w.way...))
}

func (w *writer) comments(indent int, notes []string) {
	for _, n := range notes {
		w.line(indent, "# "+comment(n))
	}
}

// comment makes text of a source fit for a comment.
func comment(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// entries writes the entries of a map; the first without indent when it stands after a dash.
func (w *writer) entries(n *node, indent int, dash bool) {
	for i, e := range n.entries {
		w.way = append(w.way, step{in: n, entry: e})
		first := dash && i == 0
		if !first {
			w.comments(indent, e.notes)
			w.b.WriteString(strings.Repeat(" ", indent))
		}
		w.b.WriteString(quoted(e.key))
		w.b.WriteByte(':')
		w.value(e.value, indent)
		w.way = w.way[:len(w.way)-1]
	}
}

// value writes what follows a key.
func (w *writer) value(n *node, indent int) {
	switch {
	case n.kind == isMap && len(n.entries) > 0:
		w.end()
		w.comments(indent+2, n.notes)
		w.entries(n, indent+2, false)
	case n.kind == isList && len(n.items) > 0:
		w.end()
		w.list(n, indent+2)
	case n.kind == isText && block(n.text):
		header := " |-"
		if strings.HasSuffix(n.text, "\n") {
			header = " |"
		}
		w.b.WriteString(header)
		w.end()
		for l := range strings.SplitSeq(strings.TrimSuffix(n.text, "\n"), "\n") {
			if l != "" {
				w.b.WriteString(strings.Repeat(" ", indent+2))
			}
			w.b.WriteString(l)
			w.end()
		}
	default:
		w.b.WriteByte(' ')
		w.scalar(n)
	}
}

// block tells whether a text reads well over several lines.
func block(s string) bool {
	s = strings.TrimSuffix(s, "\n")
	if !strings.Contains(s, "\n") || s != strings.TrimSpace(s) || strings.Contains(s, " \n") {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return r != '\n' && !unicode.IsPrint(r) || r == utf8.RuneError || r == 0xfeff || r > 0x7f && unicode.IsSpace(r)
	}) < 0
}

func (w *writer) list(n *node, indent int) {
	for _, item := range n.items {
		w.way = append(w.way, step{in: n, item: item})
		if item.kind == isMap && len(item.entries) > 0 {
			w.comments(indent, item.notes)
			w.comments(indent, item.entries[0].notes)
		}
		w.b.WriteString(strings.Repeat(" ", indent))
		w.b.WriteString("- ")
		switch {
		case item.kind == isMap && len(item.entries) > 0:
			w.entries(item, indent+2, true)
		case item.kind == isList && len(item.items) > 0:
			w.flow(item)
			w.end()
		default:
			w.scalar(item)
		}
		w.way = w.way[:len(w.way)-1]
	}
}

// scalar writes a value on one line, with the comments of an empty map.
func (w *writer) scalar(n *node) {
	w.flow(n)
	if n.kind == isMap && len(n.notes) > 0 {
		w.b.WriteString(" # ")
		w.b.WriteString(comment(strings.Join(n.notes, "; ")))
	}
	w.end()
}

// flow writes a value as JSON does.
func (w *writer) flow(n *node) {
	switch n.kind {
	case isNull:
		w.b.WriteString("null")
	case isText:
		w.b.WriteString(quotedIn(n.text))
	case isMap:
		w.b.WriteByte('{')
		for i, e := range n.entries {
			if i > 0 {
				w.b.WriteString(", ")
			}
			w.b.WriteString(string(jsonx.AppendQuoted(nil, e.key)))
			w.b.WriteString(": ")
			w.flow(e.value)
		}
		w.b.WriteByte('}')
	case isList:
		w.b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				w.b.WriteString(", ")
			}
			w.flow(item)
		}
		w.b.WriteByte(']')
	default:
		w.b.WriteString(n.text)
	}
}

// quotedIn spells a text where braces would mean something.
func quotedIn(s string) string {
	if strings.ContainsAny(s, "{}") {
		return string(jsonx.AppendQuoted(nil, s))
	}
	return quoted(s)
}
