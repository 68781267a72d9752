package diag

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWidth is how many characters of a source line a snippet shows.
const maxWidth = 100

// String renders the diagnostic with position and snippet, without a line
// break at the end.
func (d Diagnostic) String() string {
	var b strings.Builder
	if d.Span.File != nil {
		b.WriteString(d.Span.String())
		b.WriteString(": ")
	}
	if d.Severity == Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(d.Message)
	if d.Span.File != nil {
		snippet(&b, d.Span)
	}
	if d.Help != "" {
		b.WriteString("\n      = ")
		b.WriteString(strings.ReplaceAll(d.Help, "\n", "\n        "))
	}
	return b.String()
}

// maxAlso is how many further places a diagnostic names.
const maxAlso = 12

// Text renders all diagnostics, one after another, each with its snippet. What
// is said again of the same words of the same file is told once, at its first
// place, with the places of the others.
func (l List) Text() string {
	type same struct {
		repetition
		words string
	}
	first := make(map[same]int, len(l))
	also := map[int][]string{}
	again := make([]bool, len(l))
	for i := range l {
		s := l[i].Span
		if s.File == nil {
			continue
		}
		key := same{l[i].repetition(), s.words()}
		key.start, key.end = 0, 0
		at, known := first[key]
		if again[i] = known; !known {
			first[key] = i
			continue
		}
		line, column := s.File.Position(s.Start)
		also[at] = append(also[at], fmt.Sprintf("%d:%d", line, column))
	}
	var b strings.Builder
	for i := range l {
		if again[i] {
			continue
		}
		b.WriteString(l[i].String())
		b.WriteByte('\n')
		if places := also[i]; len(places) > maxAlso {
			fmt.Fprintf(&b, "      = also at %s and %d more places\n", strings.Join(places[:maxAlso], ", "), len(places)-maxAlso)
		} else if len(places) > 0 {
			fmt.Fprintf(&b, "      = also at %s\n", strings.Join(places, ", "))
		}
	}
	return b.String()
}

// words gives the text of the span.
func (s Span) words() string {
	start := min(max(s.Start, 0), len(s.File.Text))
	return s.File.Text[start:min(max(s.End, start), len(s.File.Text))]
}

// snippet writes the first line of the span and the marks below it.
func snippet(b *strings.Builder, s Span) {
	f := s.File
	start := min(max(s.Start, 0), len(f.Text))
	end := min(max(s.End, start), len(f.Text))
	n := f.line(start)
	text, lineStart := f.lineText(n)
	from := min(start-lineStart, len(text))
	to := min(end-lineStart, len(text))

	before := []rune(text[:from])
	place := []rune(text[from:to])
	after := []rune(text[to:])
	before, place, after = fit(before, place, after)

	fmt.Fprintf(b, "\n%5d | ", n+1)
	writeVisible(b, before)
	writeVisible(b, place)
	writeVisible(b, after)
	b.WriteString("\n      | ")
	for _, r := range before {
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	if len(place) == 0 {
		b.WriteByte('^')
	}
	for i, r := range place {
		if i == 0 && strings.Trim(string(place), "\t") == "" {
			b.WriteByte('^') // nothing but tabs: one mark at the first
			break
		}
		if r == '\t' {
			b.WriteByte('\t') // as wide as above, which a mark would not be
		} else {
			b.WriteByte('^')
		}
	}
}

// fit cuts a long line around the place that is shown.
func fit(before, place, after []rune) (b, p, a []rune) {
	if len(before)+len(place)+len(after) <= maxWidth {
		return before, place, after
	}
	if len(place) > maxWidth-20 {
		place = append(place[:maxWidth-21:maxWidth-21], '…')
		after = nil
	}
	room := maxWidth - len(place)
	left := min(len(before), max(room/2, room-len(after)))
	right := min(len(after), room-left)
	if left < len(before) {
		before = append([]rune{'…'}, before[len(before)-left+1:]...)
	}
	if right < len(after) {
		after = append(after[:max(right-1, 0):max(right-1, 0)], '…')
	}
	return before, place, after
}

// writeVisible writes source text so that it cannot steer a terminal.
func writeVisible(b *strings.Builder, rs []rune) {
	for _, r := range rs {
		if r == utf8.RuneError || r != '\t' && !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) {
			r = '\uFFFD'
		}
		b.WriteRune(r)
	}
}
