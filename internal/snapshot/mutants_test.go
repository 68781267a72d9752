package snapshot

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// mutant is one fault put into one shipped file: text in the place of bytes
// [start, end).
type mutant struct {
	file *diag.File
	// id tells the fault to people and to testdata/survivors.txt:
	// "FILE PATH: kind (what)".
	id         string
	kind       string
	start, end int
	text       string
	old        string // the name or text that was there; "" when it says nothing
	inside     string // the let or column that holds the fault: where it is used, the fault may be told
	// around, when not empty, are the places of the mutated text where a
	// fault that removed something may be told: the key of what lacks it, its
	// first line, and what is left beside it.
	around []place
}

type place struct{ start, end int }

// source gives the mutated text.
func (m *mutant) source() string {
	return m.file.Text[:m.start] + m.text + m.file.Text[m.end:]
}

// places gives where in the mutated text the fault may be told.
func (m *mutant) places() []place {
	if len(m.around) > 0 {
		return m.around
	}
	return []place{{m.start, m.start + len(m.text)}}
}

// maker makes the mutants of one file.
type maker struct {
	file *diag.File
	all  []*mutant
}

// mutantsOf gives every mutant of a file, in the order of the file.
func mutantsOf(f *diag.File) ([]*mutant, error) {
	root, list := yamldoc.Parse(f)
	if list.HasErrors() {
		return nil, fmt.Errorf("%s", list.Text())
	}
	m := &maker{file: f}
	m.node(root, shapeOf(root), "", nil)
	return m.all, nil
}

// shapeOf gives the table of keys a file is read by.
func shapeOf(root *yamldoc.Node) *yamldoc.Shape {
	for _, k := range []struct {
		key   string
		shape *yamldoc.Shape
	}{
		{"route", mapping.MappingShape},
		{"flow", mapping.FlowShape},
		{"form", mapping.FormShape},
		{"dialect", mapping.DialectShape},
		{"table", mapping.TableShape},
		{"expose", mapping.ExposeShape},
		{"openapi", contract.Shape},
		{"x-emenda-section", contract.SectionShape},
	} {
		if root.Get(k.key) != nil {
			return k.shape
		}
	}
	return config.Shape
}

func (m *maker) add(path, kind, what string, at diag.Span, text, old string) *mutant {
	if m.file.Text[at.Start:at.End] == text {
		return nil
	}
	id := fmt.Sprintf("%s %s: %s", strings.TrimPrefix(m.file.Name, "../../"), path, kind)
	if what != "" {
		id += " (" + strings.Join(strings.Fields(what), " ") + ")"
	}
	mu := &mutant{file: m.file, id: id, kind: kind, start: at.Start, end: at.End, text: text, old: old, inside: named(path)}
	m.all = append(m.all, mu)
	return mu
}

// named gives the name of the let, or of the table's column, at or above path.
func named(path string) string {
	steps := strings.Split(path, ".")
	switch {
	case steps[0] == "let" && len(steps) > 1:
		return steps[1]
	case steps[0] == "rows" && len(steps) > 2:
		return steps[2]
	}
	return ""
}

// node makes the mutants of a value that stands at path, under key (nil in lists).
func (m *maker) node(n *yamldoc.Node, s *yamldoc.Shape, path string, key *yamldoc.Node) {
	s = alternative(s, n.Kind)
	switch n.Kind {
	case yamldoc.Map:
		if key != nil {
			m.add(path, "a text for a map", "", n.Span, "zz", "")
		}
		for i, e := range n.Entries {
			at := join(path, e.Key.Text)
			m.key(e.Key, at)
			m.removal(n, i, s, at, key)
			m.node(e.Value, elementShape(s, e.Key.Text), at, e.Key)
		}
	case yamldoc.List:
		m.add(path, "a text for a list", "", n.Span, "zz", "")
		for i, item := range n.Items {
			m.node(item, elementShape(s, ""), path+"["+strconv.Itoa(i)+"]", nil)
		}
	case yamldoc.Null:
	default:
		m.scalar(n, s, path)
	}
}

// key misspells a key.
func (m *maker) key(k *yamldoc.Node, path string) {
	if inner, ok := braced(k.Text); ok {
		m.misspell(k, inner.start, inner.end, path, "placeholder misspelt")
	}
	m.misspell(k, 0, len(k.Text), path, "key misspelt")
}

// removal drops entry i of n where the table says that it must be there, or
// that its name is free: something declared, a field, a row.
func (m *maker) removal(n *yamldoc.Node, i int, s *yamldoc.Shape, path string, key *yamldoc.Node) {
	kind := "entry dropped"
	if s != nil && s.Form == yamldoc.ObjectForm {
		k := s.Key(n.Entries[i].Key.Text)
		if k == nil || !k.Required {
			return
		}
		kind = "required key dropped"
	}
	from, to := n.Entries[i].Key.Span.Start, max(n.Entries[i].Value.Span.End, n.Entries[i].Key.Span.End)
	text := ""
	switch {
	case len(n.Entries) == 1:
		from, to, text = n.Span.Start, n.Span.End, "{}"
	case i+1 < len(n.Entries):
		to = n.Entries[i+1].Key.Span.Start
	default:
		from = max(n.Entries[i-1].Value.Span.End, n.Entries[i-1].Key.Span.End)
	}
	at := diag.Span{File: m.file, Start: from, End: to}
	mu := m.add(path, kind, "", at, text, n.Entries[i].Key.Text)
	shift := func(p int) int {
		if p >= to {
			return p - (to - from) + len(text)
		}
		return p
	}
	around := func(at diag.Span) {
		mu.around = append(mu.around, place{shift(at.Start), shift(at.End)})
	}
	if key != nil {
		around(key.Span)
	}
	if len(n.Entries) == 1 {
		mu.around = append(mu.around, place{from, from + len(text)})
		return
	}
	if i > 0 {
		around(n.FirstLine())
	}
	for j, e := range n.Entries {
		if j == i {
			continue
		}
		around(e.Key.Span)
		if e.Value.Kind != yamldoc.Map && e.Value.Kind != yamldoc.List {
			around(e.Value.Span)
		}
	}
}

// scalar makes the mutants of a scalar.
func (m *maker) scalar(n *yamldoc.Node, s *yamldoc.Shape, path string) {
	if turn(path)%2 == 0 {
		m.add(path, "a list for a scalar", "", n.Span, "[zz]", "")
	} else {
		m.add(path, "a map for a scalar", "", n.Span, "{ zz: zz }", "")
	}
	switch n.Kind {
	case yamldoc.Number:
		m.add(path, "a text for a number", n.Text, n.Span, "zz", "")
	case yamldoc.Bool:
		m.add(path, "a text for a truth", n.Text, n.Span, "zz", "")
	default:
		m.add(path, "a number for a text", n.Text, n.Span, "7", "")
		if s != nil && s.Form == yamldoc.ConditionForm {
			m.expression(n, 0, len(n.Text), path)
			m.condition(n, path)
			return
		}
		m.text(n, path)
	}
}

// text misspells a text: its expressions, its placeholders, else itself.
func (m *maker) text(n *yamldoc.Node, path string) {
	if len(n.Text) > 120 && !strings.Contains(n.Text, "${") {
		m.misspell(n, 0, 40, path, "text misspelt")
		return
	}
	rest := 0
	for {
		from, to, ok := nextExpression(n.Text, rest)
		if !ok {
			break
		}
		m.expression(n, from, to, path)
		if n.Text[to-1] != '}' {
			m.add(path, "brace dropped", n.Text[from:to], n.SpanOf(to, to+1), "", "")
			m.around(n)
		}
		rest = to + 1
	}
	if rest > 0 {
		return
	}
	if inner, ok := braced(n.Text); ok {
		m.misspell(n, inner.start, inner.end, path, "placeholder misspelt")
		return
	}
	m.misspell(n, 0, len(n.Text), path, "text misspelt")
}

// around lets the fault of the last mutant be told anywhere in its scalar.
func (m *maker) around(n *yamldoc.Node) {
	mu := m.all[len(m.all)-1]
	mu.around = []place{{n.Span.Start, n.Span.End - (mu.end - mu.start) + len(mu.text)}}
}

// misspell spells bytes [from, to) of a scalar's text wrongly by one letter.
func (m *maker) misspell(n *yamldoc.Node, from, to int, path, kind string) {
	word := n.Text[from:to]
	wrong := wrongly(word, turn(path+word))
	if wrong == word {
		return
	}
	// Only the letter that differs is replaced, so that quotes and escapes stay as they are.
	i := 0
	for i < min(len(word), len(wrong)) && word[i] == wrong[i] {
		i++
	}
	j, k := len(word), len(wrong)
	for j > i && k > i && word[j-1] == wrong[k-1] {
		j, k = j-1, k-1
	}
	mu := m.add(path, kind, word+" → "+wrong, n.SpanOf(from+i, from+j), wrong[i:k], word)
	if mu == nil {
		return
	}
	whole := n.SpanOf(from, to)
	mu.around = []place{{whole.Start, whole.End - (mu.end - mu.start) + len(mu.text)}}
	if from == 0 && to == len(n.Text) {
		mu.around[0] = place{n.Span.Start, n.Span.End - (mu.end - mu.start) + len(mu.text)}
	}
}

// turn spreads the ways to be wrong over paths, whatever stands above them in the file.
func turn(path string) int {
	h := fnv.New32a()
	h.Write([]byte(indexes.ReplaceAllString(path, "")))
	return int(h.Sum32() >> 4)
}

var indexes = regexp.MustCompile(`\[[0-9]+\]`)

// wrongly gives a word with one letter dropped, doubled, or swapped with the next.
func wrongly(word string, turn int) string {
	letters := []rune(word)
	var at []int
	for i, r := range letters {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return word
	}
	i := at[turn%len(at)]
	if turn%3 == 1 {
		// The next pair of neighbours that differ.
		for range letters {
			if j := i + 1; j < len(letters) && letters[i] != letters[j] && unicode.IsLetter(letters[i]) && unicode.IsLetter(letters[j]) {
				return string(letters[:i]) + string(letters[j]) + string(letters[i]) + string(letters[j+1:])
			}
			i = (i + 1) % len(letters)
		}
		i = at[turn%len(at)]
	}
	if turn%3 == 0 && len(at) > 1 {
		return string(letters[:i]) + string(letters[i+1:])
	}
	return string(letters[:i]) + string(letters[i]) + string(letters[i:])
}

// braced finds the first {name} of a text.
func braced(text string) (place, bool) {
	from := strings.IndexByte(text, '{')
	if from < 0 || from > 0 && text[from-1] == '$' {
		return place{}, false
	}
	to := strings.IndexByte(text[from:], '}')
	if to < 2 || strings.ContainsAny(text[from+1:from+to], ` ":,`) {
		return place{}, false
	}
	return place{from + 1, from + to}, true
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// alternative gives the shape that a value of the kind is read by.
func alternative(s *yamldoc.Shape, k yamldoc.Kind) *yamldoc.Shape {
	for s != nil && s.Form == yamldoc.AltForm {
		var next *yamldoc.Shape
		for _, a := range s.Alts {
			if a.Accepts(k) {
				next = a
				break
			}
		}
		s = next
	}
	return s
}

// elementShape gives the shape of a value inside one of shape s.
func elementShape(s *yamldoc.Shape, key string) *yamldoc.Shape {
	switch {
	case s == nil:
		return nil
	case s.Form == yamldoc.ObjectForm:
		if k := s.Key(key); k != nil {
			return k.Shape
		}
		return nil
	default:
		return s.Elem
	}
}
