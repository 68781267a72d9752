package config

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Environment gives an environment variable. Empty counts as unset.
type Environment func(name string) (string, bool)

// get gives the variable when it is set to something.
func (e Environment) get(name string) (string, bool) {
	if e == nil {
		return "", false
	}
	v, ok := e(name)
	return v, ok && v != ""
}

// Text is a setting that may hold ${env:NAME} and ${env:NAME:-default}.
type Text struct {
	At    diag.Span // the value; the zero Span for a default
	parts []textPart
}

// textPart is literal text, or a variable.
type textPart struct {
	text     string // literal text, or the default
	name     string // the variable
	optional bool
}

// UnsetError tells which environment variable a setting needs.
type UnsetError struct {
	Variable string
	At       diag.Span
}

// Error names the variable.
func (e *UnsetError) Error() string {
	return fmt.Sprintf("environment variable %s is not set", e.Variable)
}

// Resolve gives the text with its variables replaced; an *UnsetError when one
// is unset and has no default.
func (t Text) Resolve(env Environment) (string, error) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		v, ok := env.get(p.name)
		switch {
		case ok:
			b.WriteString(v)
		case p.optional:
			b.WriteString(p.text)
		default:
			return "", &UnsetError{Variable: p.name, At: t.At}
		}
	}
	return b.String(), nil
}

// Fixed tells whether the text has no variables.
func (t Text) Fixed() bool {
	for _, p := range t.parts {
		if p.name != "" {
			return false
		}
	}
	return true
}

// literal gives a setting that stands for what is not written.
func literal(s string) Text { return Text{parts: []textPart{{text: s}}} }

// defaultDocs is a variable of its own, so that who serves for trying can say it.
var defaultDocs = Text{parts: []textPart{{name: "EMENDA_DOCS", text: "false", optional: true}}}

const helpEnv = `gateway.yaml knows only ${env:NAME}, ${env:NAME:-default} and { secret: NAME }`

var variable = regexp.MustCompile(`^` + identifier + `$`)

// readText reads a scalar; what is wrong with it goes to list.
func readText(n *yamldoc.Node, list *diag.List) Text {
	t := Text{At: n.Span}
	s := n.Text
	for i := 0; i < len(s); {
		j := strings.Index(s[i:], "${")
		if j < 0 {
			t.parts = append(t.parts, textPart{text: s[i:]})
			break
		}
		j += i
		if j > i && s[j-1] == '$' {
			t.parts = append(t.parts, textPart{text: s[i:j-1] + "${"}) // $${ is a literal ${
			i = j + 2
			continue
		}
		if j > i {
			t.parts = append(t.parts, textPart{text: s[i:j]})
		}
		end := strings.IndexByte(s[j:], '}')
		if end < 0 {
			list.Errorf(n.SpanOf(j, len(s)), "env-form", "${ is never closed").Help = helpEnv
			break
		}
		end += j
		inner, ok := strings.CutPrefix(s[j+2:end], "env:")
		part := textPart{name: inner}
		part.name, part.text, part.optional = strings.Cut(inner, ":-")
		if !ok || !variable.MatchString(part.name) || strings.Contains(part.text, "${") {
			list.Errorf(n.SpanOf(j, end+1), "env-form", "only environment variables can stand in ${} here").Help = helpEnv
		}
		t.parts = append(t.parts, part)
		i = end + 1
	}
	return t
}
