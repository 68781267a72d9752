package yamldoc

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/emenda-gateway/emenda/internal/diag"
)

// The rules of Check.
const (
	ruleKind    = "wrong-kind"
	ruleUnknown = "unknown-key"
	ruleMissing = "missing-key"
)

// Check reports everything about n that is not as s says: unknown key (with
// suggestion), missing key, wrong kind, bad duration, empty text where a name is needed.
// A key whose misspelling is told is read as the one it is taken for from then
// on, in n too, so that what follows is not told for the lack of it.
func Check(n *Node, s *Shape) diag.List {
	c := &checker{}
	if n == nil {
		return nil
	}
	c.check(n, s, nil)
	return c.list
}

type checker struct {
	list diag.List
}

// check checks n, which stands under key (nil in lists and at the top).
func (c *checker) check(n *Node, s *Shape, key *Node) {
	if s == nil {
		return
	}
	if s.Form == AltForm {
		alt := s.alt(n.Kind)
		if alt == nil {
			c.wrongKind(n, s, key)
			return
		}
		c.check(n, alt, key)
		return
	}
	if s.Env && n.Kind == Text && strings.Contains(n.Text, "${env:") {
		return
	}
	if s.Env && n.Kind == Text && s.Form != TextForm && s.Form != NameForm {
		// Env lets text pass Accepts only for ${env:}; other text is judged by form.
		plain := *s
		plain.Env = false
		s = &plain
	}
	if !s.Accepts(n.Kind) {
		c.wrongKind(n, s, key)
		return
	}
	switch s.Form {
	case ObjectForm:
		c.object(n, s, key)
	case MapForm:
		c.mapOf(n, s, key)
	case ListForm:
		c.atLeast(n, s, len(n.Items), key)
		for _, item := range n.Items {
			c.check(item, s.Elem, nil)
		}
	case IntForm, EnumForm, DurationForm, SizeForm, ConditionForm, NameForm:
		c.scalar(n, s)
	default:
	}
}

// scalar checks the text of a scalar.
func (c *checker) scalar(n *Node, s *Shape) {
	switch s.Form {
	case IntForm:
		if strings.ContainsAny(n.Text, ".eE") {
			c.list.Errorf(n.Span, ruleKind, "expected a whole number, this is %s", n.Text)
		}
	case EnumForm:
		if !slices.Contains(s.Enum, n.Text) {
			d := c.list.Errorf(n.Span, "unknown-value", "unknown value %q", shorten(n.Text))
			d.Help = didYouMean(n.Text, s.Enum, "allowed: ")
		}
	case DurationForm:
		if _, err := ParseDuration(n.Text); err != nil {
			c.list.Errorf(n.Span, "bad-duration", "%s", err).Help = "write " + s.words()
		}
	case SizeForm:
		if _, err := ParseSize(n.Text); err != nil {
			c.list.Errorf(n.Span, "bad-size", "%s", err).Help = "write " + s.words()
		}
	case NameForm:
		if n.Text == "" {
			c.list.Errorf(n.Span, "empty-name", "a name is missing")
		}
	case ConditionForm:
		c.condition(n)
	default:
	}
}

// condition refuses ${} in what is an expression already, and what YAML cut.
func (c *checker) condition(n *Node) {
	if strings.TrimSpace(n.Text) == "" {
		c.list.Errorf(n.Span, "empty-condition", "a condition is missing")
		return
	}
	if i := strings.Index(n.Text, "${"); i >= 0 {
		end := closeBrace(n.Text, i+2)
		if end < 0 {
			end = len(n.Text) - 1
		}
		c.list.Errorf(n.SpanOf(i, end+1), "condition-braces", "a condition is an expression already").Help = "write the bare expression, without ${}"
		return
	}
	if n.Plain && !balanced(n.Text) && commentFollows(n) {
		c.list.Errorf(n.Span, ruleCutShort, "YAML ends this value at the comment").Help = helpQuote
	}
}

// commentFollows tells whether a comment stands behind n in its line.
func commentFollows(n *Node) bool {
	if n.Span.File == nil {
		return false
	}
	return strings.HasPrefix(strings.TrimLeft(n.Span.File.Text[n.Span.End:], " \t"), "#")
}

// wrongKind tells that n is of another kind than s says.
func (c *checker) wrongKind(n *Node, s *Shape, key *Node) {
	at := n.FirstLine()
	if n.Kind == Null && at.Start == at.End && key != nil {
		at = key.Span
	}
	if n.Kind == Null {
		c.list.Errorf(at, ruleKind, "expected %s, nothing is here", s.words())
		return
	}
	d := c.list.Errorf(at, ruleKind, "expected %s, this is %s", s.words(), n.Kind)
	d.Help = s.Doc
	if scalar := n.Kind == Bool || n.Kind == Number; scalar && s.Accepts(Text) {
		if s.takesText() {
			d.Help = "write it in quotes"
		}
		return
	}
	if n.Kind == Text && !n.Plain && (s.Accepts(Number) && kindOf(n.Text) == Number || s.Accepts(Bool) && kindOf(n.Text) == Bool) {
		d.Help = "write it without quotes"
	}
}

// takesText tells whether quoting a number or bool makes it right.
func (s *Shape) takesText() bool {
	switch s.Form {
	case TextForm, NameForm:
		return true
	case AltForm:
		alt := s.alt(Text)
		return alt != nil && alt.takesText()
	default:
		return false
	}
}

// object checks the keys of n against the table.
func (c *checker) object(n *Node, s *Shape, key *Node) {
	for _, e := range n.Entries {
		k := s.Key(e.Key.Text)
		switch {
		case k == nil:
			names := s.names()
			d := c.list.Errorf(e.Key.Span, ruleUnknown, "unknown key %q", shorten(e.Key.Text))
			d.Help = didYouMean(e.Key.Text, names, "allowed: ")
			if near := diag.Suggest(e.Key.Text, names); near != "" && n.KeyOf(near) == nil {
				e.Key.Text = near
				c.check(e.Value, s.Key(near).Shape, e.Key)
			}
		case k.Later != "":
			c.list.Errorf(e.Key.Span, "not-yet", "%q: %s", k.Name, k.Later)
		default:
			c.check(e.Value, k.Shape, e.Key)
		}
	}
	at := n.FirstLine()
	if key != nil {
		at = key.Span
	}
	for i := range s.Keys {
		if k := &s.Keys[i]; k.Required && n.KeyOf(k.Name) == nil {
			c.list.Errorf(at, ruleMissing, "%q is missing", k.Name).Help = k.Doc
		}
	}
}

// names gives the keys that may be used.
func (s *Shape) names() []string {
	var names []string
	for i := range s.Keys {
		if s.Keys[i].Later == "" {
			names = append(names, s.Keys[i].Name)
		}
	}
	return names
}

// mapOf checks the names and values of a free map.
func (c *checker) mapOf(n *Node, s *Shape, key *Node) {
	c.atLeast(n, s, len(n.Entries), key)
	var re *regexp.Regexp
	if s.Pattern != "" {
		re = pattern(s.Pattern)
	}
	for _, e := range n.Entries {
		if re != nil && !re.MatchString(e.Key.Text) {
			d := c.list.Errorf(e.Key.Span, "bad-name", "%q cannot be used as a name here", shorten(e.Key.Text))
			d.Help = s.KeyDoc
		}
		c.check(e.Value, s.Elem, e.Key)
	}
}

// atLeast checks the number of elements.
func (c *checker) atLeast(n *Node, s *Shape, have int, key *Node) {
	if have >= s.Min {
		return
	}
	at := n.FirstLine()
	if key != nil {
		at = key.Span
	}
	if s.Min == 1 {
		c.list.Errorf(at, "too-few", "at least one element is needed")
		return
	}
	c.list.Errorf(at, "too-few", "at least %d elements are needed, here are %d", s.Min, have)
}

var patterns sync.Map // Pattern of a Shape → *regexp.Regexp; the shapes are few and fixed

func pattern(s string) *regexp.Regexp {
	if re, ok := patterns.Load(s); ok {
		return re.(*regexp.Regexp) //nolint:forcetypeassert // only patterns are stored
	}
	re := regexp.MustCompile(`^(?:` + s + `)$`)
	patterns.Store(s, re)
	return re
}

// didYouMean gives the help for an unknown name: the nearest one, and all.
func didYouMean(name string, among []string, before string) string {
	help := before + strings.Join(among, ", ")
	if near := diag.Suggest(name, among); near != "" {
		return "did you mean " + near + "? " + help
	}
	return help
}

func enumWords(enum []string) string { return strings.Join(enum, ", ") }

func orWords(words []string) string {
	words = slices.Compact(words)
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
