package snapshot

import (
	"regexp"
	"strings"

	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// nextExpression finds the ${…} of a text from byte off on: the bytes between
// its braces.
func nextExpression(text string, off int) (from, to int, ok bool) {
	i := strings.Index(text[off:], "${")
	if i < 0 {
		return 0, 0, false
	}
	from = off + i + 2
	depth := 0
	var quote byte
	for to = from; to < len(text); to++ {
		c := text[to]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth == 0:
			return from, to, true
		case c == '}':
			depth--
		}
	}
	return 0, 0, false
}

// tokens are the pieces of an expression: texts, names, numbers, operators.
var tokens = regexp.MustCompile("\"[^\"]*\"|'[^']*'|`[^`]*`|[A-Za-z_][A-Za-z0-9_]*|[0-9][0-9.]*|[?]{2}|[?][.]|[=!<>]=|[<>+*/-]")

// broken says what an operator becomes: something that is none, or one that
// cannot stand between these operands.
var broken = map[string]string{
	"==": "=", "!=": "!", "<": "<<", ">": ">>", "<=": "=<", ">=": "=>",
	"??": "???", "?.": "?", "and": "+", "or": "*", "+": "and", "-": "or", "*": "and", "/": "or",
}

// turned says what an operator becomes that means another thing.
var turned = map[string]string{
	"==": "!=", "!=": "==", "<": ">=", ">": "<=", "<=": ">", ">=": "<",
	"and": "or", "or": "and", "?.": ".",
}

// expression makes the mutants of the expression in bytes [from, to) of a
// scalar's text.
func (m *maker) expression(n *yamldoc.Node, from, to int, path string) {
	if strings.HasPrefix(n.Text[from:to], "env:") {
		m.misspell(n, from, from+3, path, "env misspelt")
		m.misspell(n, from+4, to, path, "variable misspelt")
		return
	}
	source := n.Text[from:to]
	for _, at := range tokens.FindAllStringIndex(source, -1) {
		word := source[at[0]:at[1]]
		start, end := from+at[0], from+at[1]
		span := n.SpanOf(start, end)
		// what tells the token apart: its expression up to it, cut short.
		what := func(with string) string {
			before := source[:at[0]]
			if len(before) > 24 {
				before = "…" + strings.ToValidUTF8(before[len(before)-24:], "")
			}
			return before + "«" + word + "»" + with
		}
		if op, ok := broken[word]; ok {
			mu := m.add(path, "operator broken", what(op), span, op, "")
			mu.around = []place{{span.Start - 1, span.Start + len(op) + 2}}
		}
		if op, ok := turned[word]; ok {
			m.add(path, "operator turned", what(op), span, op, "")
		}
		switch c := word[0]; {
		case c == '"' || c == '\'' || c == '`':
			m.misspell(n, start+1, end-1, path, "text of expression misspelt")
			m.add(path, "a number for a text of expression", what("7"), span, "7", "")
		case c >= '0' && c <= '9':
			m.add(path, "a text for a number of expression", what("zz"), span, quoted(n, "zz"), "")
			m.add(path, "number of expression changed", what("+1"), span, word+"1", "")
		case c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
			m.misspell(n, start, end, path, "name of expression misspelt")
			if word == "not" {
				m.add(path, "not dropped", what(""), span, "", "")
			}
		}
	}
	if strings.HasPrefix(source, "?") {
		m.add(path, "? dropped", source, n.SpanOf(from, from+1), "", "")
		m.around(n)
	}
}

// condition makes a condition what is none.
func (m *maker) condition(n *yamldoc.Node, path string) {
	src := m.file.Text[n.Span.Start:n.Span.End]
	if !n.Plain {
		return
	}
	m.add(path, "a number for a condition", "", n.Span, "("+src+") + 1", "")
	m.add(path, "a condition against a text", "", n.Span, "("+src+`) == "zz"`, "")
	m.add(path, "condition turned", "", n.Span, "not ("+src+")", "")
}

// quoted quotes a text for the expression of a scalar, so that YAML's own quotes stay whole.
func quoted(n *yamldoc.Node, text string) string {
	if n.Plain || n.Span.File.Text[n.Span.Start] == '\'' {
		return `"` + text + `"`
	}
	return "'" + text + "'"
}
